"""Marks and renames in real repositories: merges of all kinds, cherry-picks, squashes, messages that hold anything."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reconciler import marks
from reconciler.repo.repository import Repository, open_repository
from reconciler.store.index import Index
from reconciler.sync import parsing, versions

A, B = "processes/A.yaml", "processes/B.yaml"


def text(minute: int, name: str = "", note: str = "") -> str:
    """A sound file."""
    return (f"name: {name}\n" if name else "") + f"script: load\ncron: '{minute} * * * *'\n{note}"


class Bench:
    """A repository and what was counted of it so far."""

    def __init__(self, workshop: Any, index: Index) -> None:
        self.workshop = workshop
        self.git = workshop.git
        self.index = index
        self.repo: Repository = open_repository(workshop.root, os.environ)

    def commit(self, message: str, **files: str | None) -> str:
        """Commit files of processes, by name."""
        made: str = self.workshop.commit({f"processes/{name}.yaml": data for name, data in files.items()}, message)
        return made

    def mark(self, name: str, number: int, kind: str = "rollback") -> str:
        """The mark about a version that is counted now."""
        self.count()
        version = next(one for one in self.index.versions(name) if one.number == number)
        return marks.rollback(version) if kind == "rollback" else marks.delete(version)

    def count(self) -> None:
        """Count up to HEAD."""
        versions.extend(self.repo, self.index, self.git("rev-parse", "HEAD"))

    def live(self, name: str) -> list[int]:
        """The numbers of what is not gone."""
        self.count()
        return sorted(one.number for one in self.index.versions(name) if one.live)

    def whys(self, name: str) -> dict[int, str]:
        """Why versions are gone."""
        self.count()
        return {one.number: one.gone.why for one in reversed(self.index.versions(name)) if one.gone}

    def ignored(self) -> list[str]:
        """The lines that were ignored."""
        self.count()
        return [one.line for one in self.index.ignored_marks()]


@pytest.fixture
def bench(workshop: Any, tmp_path: Path) -> Iterator[Bench]:
    with closing(Index.open(tmp_path / "index.sqlite", environment="test", release=parsing.release())) as index:
        made = Bench(workshop, index)
        for minute in (1, 2, 3):
            made.commit(f"State {minute}", A=text(minute))
        yield made


def test_a_rollback_and_what_was_current_at_each_commit(bench: Bench) -> None:
    third = bench.git("rev-parse", "HEAD")
    back = bench.commit(f"Roll back\n\n{bench.mark('A', 3)}\n", A=text(2))
    removed = bench.commit("Remove", A=None)
    again = bench.commit("Again", A=text(2))
    assert bench.live("A") == [4]
    assert bench.whys("A") == {1: "removed with its file", 2: "removed with its file", 3: "rolled back"}
    places = [bench.index.place(commit) for commit in (third, back, removed, again)]
    assert places == [2, 3, 4, 5]
    current = [bench.index.version_at("A", commit) for commit in (third, back, removed, again)]
    assert [one and one.number for one in current] == [3, 2, None, 4]
    newest = bench.index.current_version("A")
    assert newest is not None
    assert newest.commit == again


def test_a_delete_mark_stands_in_an_empty_commit(bench: Bench) -> None:
    bench.commit(f"Delete one\n\nBecause it was wrong.\n{bench.mark('A', 1, 'delete')}\nSigned-off-by: Ada")
    assert bench.live("A") == [2, 3]
    assert bench.index.former_names("A") == ()


def test_erroneous_versions_are_passed_over(bench: Bench) -> None:
    bench.commit("Break it", A="script: [")
    bench.commit("Mend it", A=text(5))
    bench.commit(f"Roll back\n\n{bench.mark('A', 5)}", A=text(3))
    assert bench.live("A") == [1, 2, 3]
    assert bench.whys("A") == {4: "passed over by a rollback", 5: "rolled back"}


def test_a_rename_by_hand_with_the_name_in_the_file(bench: Bench) -> None:
    bench.commit("Named", A=text(4, "A"))
    bench.commit("Rename", A=None, B=text(4, "B"))
    assert bench.live("B") == [1, 2, 3, 4]
    assert bench.whys("A") == dict.fromkeys((1, 2, 3, 4), "renamed to B")
    assert bench.index.former_names("B") == ("A",)
    bench.commit("And a comment", B=None, C="# of C\n" + text(4))
    assert bench.live("C") == [1, 2, 3, 4, 5]
    assert bench.index.former_names("C") == ("B", "A")
    bench.commit("And the case", C=None, c="# of C\n" + text(4))
    assert bench.live("c") == [1, 2, 3, 4, 5]
    assert bench.index.former_names("C") == ()


def side(bench: Bench) -> str:
    """A branch that rolls A back twice and renames it, in a commit each; gives its tip."""
    third, second = bench.mark("A", 3), bench.mark("A", 2)
    bench.git("checkout", "-q", "-b", "side")
    bench.commit(f"Back once\n\n{third}", A=text(2))
    bench.commit(f"Back twice\n\n{second}", A=text(1))
    tip = bench.commit("Rename it\n\nProcctl-Rename: A B", A=None, B=text(1, "B"))
    bench.git("checkout", "-q", "main")
    bench.commit("Meanwhile", C=text(9))
    return tip


@pytest.mark.parametrize("how", ["merge", "octopus", "rebase", "squash", "squash as pull requests are", "pull"])
def test_marks_come_in_with_merges_of_all_kinds(bench: Bench, how: str) -> None:
    tip = side(bench)
    if how == "merge":
        bench.git("merge", "-q", "--no-ff", "-m", "Merge side", "side")
    elif how == "octopus":
        bench.git("branch", "other", "HEAD~1")
        bench.git("checkout", "-q", "other")
        bench.commit("Other", D=text(8))
        bench.git("checkout", "-q", "main")
        bench.git("merge", "-q", "--no-ff", "-m", "Octopus", "side", "other")
    elif how == "rebase":
        bench.git("checkout", "-q", "side")
        bench.git("rebase", "-q", "main")
    elif how == "squash":
        bench.git("merge", "-q", "--squash", "side")
        bench.git("commit", "-q", "--no-edit")
    elif how == "squash as pull requests are":
        message = bench.git("log", "--reverse", "--format=* %B", "main..side")
        bench.git("merge", "-q", "--squash", "side")
        bench.git("commit", "-q", "-m", f"Side (#12)\n\n{message}\n\nCo-authored-by: Ada")
    else:
        bench.count()
        bench.git("checkout", "-q", "side")
        bench.git("merge", "-q", "--no-ff", "-m", "Merge branch 'main'", "main")
        assert bench.git("rev-parse", "HEAD^1") == tip, "its first parent misses what was counted"
    assert bench.live("B") == [1]
    assert {number: why for number, why in bench.whys("B").items() if number > 1} == {
        2: "rolled back",
        3: "rolled back",
    }
    assert bench.index.former_names("B") == ("A",)
    assert bench.ignored() == []


def test_what_a_merge_brought_in_counts_once(bench: Bench) -> None:
    mark = bench.mark("A", 1, "delete")
    bench.git("checkout", "-q", "-b", "long")
    bench.commit(f"Delete\n\n{mark}")
    bench.git("checkout", "-q", "main")
    bench.git("merge", "-q", "--no-ff", "-m", "Merge once", "long")
    assert bench.live("A") == [2, 3]
    bench.git("checkout", "-q", "long")
    bench.commit("More", C=text(9))
    bench.git("checkout", "-q", "main")
    bench.git("merge", "-q", "--no-ff", "-m", "Merge again", "long")
    assert bench.ignored() == []
    assert bench.live("C") == [1]


def test_a_mark_counts_where_it_came_to_the_history_first(bench: Bench) -> None:
    mark = bench.mark("A", 1, "delete")
    bench.git("checkout", "-q", "-b", "inner")
    bench.commit(f"Delete\n\n{mark}")
    bench.git("checkout", "-q", "-b", "outer")
    bench.commit("More", C=text(9))
    bench.git("checkout", "-q", "main")
    first = bench.git("commit-tree", "-p", "main", "-p", "inner", "-m", "Inner", "main^{tree}")
    bench.git("merge", "-q", "--ff-only", first)
    bench.git("merge", "-q", "--no-ff", "-m", "Outer", "outer")
    bench.count()
    gone = next(one.gone for one in bench.index.versions("A") if one.number == 1)
    assert gone is not None
    assert gone.commit == first


@pytest.mark.parametrize(
    "line",
    [
        "Procctl-Rollback: A@3 000000000000",
        "Procctl-Rollback: NONE@3 000000000000",
        "Procctl-Delete: A@77 000000000000",
        "Procctl-Delete: A@3",
        "Procctl-Rename: A B",
        "Procctl-Rename: a A",
        "Procctl-Rollback: ../../A@1 000000000000",
        "Procctl-Nonsense: ünï \u2028 code",
    ],
)
def test_marks_written_by_hand_that_hold_nothing(bench: Bench, line: str) -> None:
    before = {name: bench.live(name) for name in "AB"}
    bench.commit(f"Say so\n\nBody\n{line}\nMore of it")
    assert {name: bench.live(name) for name in "AB"} == before
    (ignored,) = bench.index.ignored_marks()
    assert (ignored.commit, ignored.line) == (bench.git("rev-parse", "HEAD"), line)
    assert ignored.why
    assert bench.index.ignored_marks("NONE") == ((ignored,) if "NONE" in line else ())


def test_a_mark_picked_to_another_branch(bench: Bench) -> None:
    mark = bench.mark("A", 3)
    bench.git("branch", "release", "HEAD~1")
    picked = bench.commit(f"Roll back\n\n{mark}", A=text(2))
    assert bench.live("A") == [1, 2]
    bench.git("checkout", "-q", "release")
    with closing(Index.open(bench.index.path, environment="release", release="1")) as index:
        other = Bench(bench.workshop, index)
        bench.git("cherry-pick", "--allow-empty", "--keep-redundant-commits", picked)
        assert other.live("A") == [1, 2]
        assert [one.why for one in index.ignored_marks()] == ["there is no version A@3"]


def test_a_quoted_mark_is_none(bench: Bench) -> None:
    mark = bench.mark("A", 1, "delete")
    bench.commit(f"Discuss {mark}\n\n> {mark}\nor `{mark}`\n{mark} as I said")
    assert bench.live("A") == [1, 2, 3]
    assert bench.ignored() == [f"{mark} as I said"]


def test_messages_may_hold_anything(bench: Bench) -> None:
    mark = bench.mark("A", 1, "delete")
    awful = (
        f"Añadir «x» 中\n\n:100644 100644 {'0' * 40} {'1' * 40} M\n\n{'f' * 40}\n\n\x01\x1b[31m\r\n  {mark}  \r\n\n:x"
    )
    bench.git("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", awful)
    bench.commit("Next", B=text(1))
    assert bench.live("A") == [2, 3]
    assert bench.live("B") == [1]
    assert bench.index.versions("B")[0].subject == "Next"


def test_a_message_in_another_encoding(bench: Bench) -> None:
    mark = bench.mark("A", 1, "delete")
    message = bench.workshop.write(".git/message", f"Für Zoë\n\n{mark}\n".encode("latin-1"))
    bench.git("-c", "i18n.commitEncoding=latin1", "commit", "-q", "--allow-empty", "-F", str(message))
    made = bench.commit("Ändern", A=text(7))
    assert bench.live("A") == [2, 3, 4]
    assert bench.index.versions("A")[0].commit == made


def test_files_that_are_no_text_or_far_too_large_are_versions_too(bench: Bench) -> None:
    bench.workshop.commit({A: b"\xff\xfe\x00name: A\n"})
    bench.workshop.commit({A: b"name: A\n" + b"#" * 300_000})
    bench.workshop.commit({A: b"name: B\n" + b"#" * 300_000})
    assert bench.live("A") == [1, 2, 3, 4, 5, 6], "of what is too large to be read, all bytes count"
