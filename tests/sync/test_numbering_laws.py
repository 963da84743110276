"""The laws of numbering on generated histories in real repositories: merges, renames, rollbacks, marks of all kinds."""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.repo import objects
from reconciler.repo.repository import Repository, open_repository
from reconciler.store.index import Index
from reconciler.sync import parsing, versions
from reconciler.version import Version, content_of

FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
PATHS = ["processes/A.yaml", "processes/x/A.yaml", "processes/a.yaml", "processes/B.yaml", "processes/C.yml"]
TEXTS = ["script: x\n", "name: A\nscript: x\n", "script: y\n", "script: y # why\n", "script: [\n"]


def blob_of(text: str) -> str:
    """The id that git gives a text."""
    return hashlib.sha1(b"blob %d\0%b" % (len(text), text.encode())).hexdigest()  # noqa: S324 - as git does


NAMES = st.sampled_from(["A", "a", "B", "C"])
EDITS = st.dictionaries(st.sampled_from(PATHS), st.sampled_from([None, *TEXTS]), max_size=3)
LINES = st.one_of(
    st.builds(
        "Procctl-{}: {}@{} {}".format,
        st.sampled_from(["Rollback", "Delete"]),
        NAMES,
        st.integers(1, 4),
        st.sampled_from([blob_of(text)[:12] for text in TEXTS]),
    ),
    st.builds("Procctl-Rename: {} {}".format, NAMES, NAMES),
    st.sampled_from([":100644 100644 x", "Procctl-What: is this", "", "ünï"]),
)


@dataclass
class Commit:
    """One commit of main: edits, the lines of its message, and the commits that it merges, if it is a merge."""

    edits: dict[str, str | None]
    lines: list[str] = field(default_factory=list)
    side: list["Commit"] = field(default_factory=list)


PLAIN = st.builds(Commit, EDITS, st.lists(LINES, max_size=3))
HISTORY = st.lists(st.builds(Commit, EDITS, st.lists(LINES, max_size=3), st.lists(PLAIN, max_size=2)), max_size=10)


class Writer:
    """Writes commits as a stream for ``git fast-import``."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.mark = 0
        self.now: dict[str, str] = {}

    def write(self, commit: Commit, parents: list[int], branch: str = "main") -> int:
        self.mark += 1
        said = "\n".join([f"Commit {self.mark}", "", *commit.lines])
        who = f"Ada <ada@example.org> {1_600_000_000 + self.mark} +0000"
        lines = [f"commit refs/heads/{branch}", f"mark :{self.mark}", f"committer {who}"]
        lines += [f"data {len(said.encode())}", said]
        lines += [f"{word} :{parent}" for word, parent in zip(["from", "merge"], parents, strict=False)]
        lines += ["deleteall"]
        for path, text in commit.edits.items():
            if text is None:
                self.now.pop(path, None)
            else:
                self.now[path] = text
        for path, text in self.now.items():
            lines += [f"M 100644 inline {path}", f"data {len(text)}", text]
        self.parts.append("\n".join([*lines, ""]))
        return self.mark

    def history(self, commits: list[Commit]) -> int:
        tip = self.write(Commit({"README": "x"}), [])
        for commit in commits:
            side = tip
            for one in commit.side:
                side = self.write(one, [side], "side")
            tip = self.write(commit, [tip, side] if side != tip else [tip])
        return tip


@contextmanager
def written(commits: list[Commit]) -> Iterator[tuple[Repository, list[str]]]:
    """A repository of this history, and the ids of its first-parent chain, oldest first."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
        writer = Writer()
        writer.history(commits)
        stream = "".join(writer.parts).encode()
        subprocess.run(["git", "-C", folder, "fast-import", "--quiet"], input=stream, check=True)
        listed = subprocess.check_output(
            ["git", "-C", folder, "rev-list", "--first-parent", "--reverse", "main"], text=True
        )
        yield open_repository(Path(folder), os.environ), listed.split()


@contextmanager
def opened(repo: Repository, name: str) -> Iterator[Index]:
    path = repo.git_dir / f"{name}.sqlite"
    with closing(Index.open(path, environment="test", release=parsing.release())) as index:
        yield index


def everything(index: Index) -> tuple[object, ...]:
    last = index.last_versions()
    names = sorted({"A", "a", "B", "C", "c"} | {one.name for one in last.values()})
    return last, [index.versions(name) for name in names], index.ignored_marks()


def numbered(index: Index) -> dict[tuple[str, int], Version]:
    return {(one.name, one.number): one for name in ("A", "a", "B", "C") for one in index.versions(name)}


@FEW
@given(HISTORY, st.data())
def test_counting_in_steps_equals_counting_at_once(history: list[Commit], data: st.DataObject) -> None:
    with written(history) as (repo, chain), opened(repo, "steps") as steps, opened(repo, "once") as once:
        for tip in sorted(data.draw(st.sets(st.integers(0, len(chain) - 1)))):
            versions.extend(repo, steps, chain[tip])
        versions.extend(repo, steps, chain[-1])
        versions.extend(repo, once, chain[-1])
        assert everything(steps) == everything(once)
        assert [steps.place(commit) for commit in chain] == list(range(len(chain)))


@FEW
@given(HISTORY)
def test_numbers_only_grow_and_stay_the_same_bytes(history: list[Commit]) -> None:
    with written(history) as (repo, chain), opened(repo, "index") as index:
        seen: dict[tuple[str, int], Version] = {}
        for tip in chain:
            versions.extend(repo, index, tip)
            now = numbered(index)
            assert {key: replace(now[key], gone=None).blob for key in seen} == {key: seen[key].blob for key in seen}
            for name, number in now.keys() - seen.keys():
                others = [known for owner, known in seen if owner == name]
                assert number > max(others, default=0) or now[name, number].commit != tip, "handed over with a name"
            seen = now
        for version in seen.values():
            data = objects.read_file(repo, version.commit, version.path)
            assert data is not None
            assert version.content == content_of(version.blob, data), "git has at its commit what the index says"


@FEW
@given(HISTORY)
def test_the_current_version_is_what_the_file_holds(history: list[Commit]) -> None:
    with written(history) as (repo, chain), opened(repo, "index") as index:
        versions.extend(repo, index, chain[-1])
        for last in index.last_versions().values():
            current = index.current_version(last.name)
            if len(last.files) < 2:
                assert [last.content] == [current.content if current else None]
                at = index.version_at(last.name, chain[-1])
                assert (at and at.number) == (current and current.number) == last.current


@FEW
@given(HISTORY)
def test_marks_that_do_not_hold_change_nothing(history: list[Commit]) -> None:
    with written(history) as (repo, chain), opened(repo, "index") as index:
        versions.extend(repo, index, chain[-1])
        before = {key: (one.blob, one.gone and one.gone.why) for key, one in numbered(index).items()}
        idle = {(chain.index(one.commit), one.line) for one in index.ignored_marks()}
    kept = [
        Commit(one.edits, drop(one, place, idle), [Commit(two.edits, drop(two, place, idle)) for two in one.side])
        for place, one in enumerate(history, 1)
    ]
    with written(kept) as (repo, chain), opened(repo, "index") as index:
        versions.extend(repo, index, chain[-1])
        assert {key: (one.blob, one.gone and one.gone.why) for key, one in numbered(index).items()} == before
        assert index.ignored_marks() == ()


def drop(commit: Commit, place: int, idle: set[tuple[int, str]]) -> list[str]:
    return [line for line in commit.lines if (place, line) not in idle]
