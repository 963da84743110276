"""The first-parent history of what a process repository declares, read in one pass (SPEC 9).

Where a new tip descends from the old one but its first-parent chain misses it (a pushed ``git pull`` merge), the
history follows the parent that contains the old tip. Such choices are a ``mainline``: merge -> the parent followed.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

from reconciler import version
from reconciler.errors import UserError
from reconciler.repo import paths
from reconciler.repo.git import fields
from reconciler.repo.objects import MOST_ENTRIES, ROOTS
from reconciler.repo.repository import Repository

Mainline = Mapping[str, str]
_NONE: Mainline = {}
RAW = ("--raw", "-r", "-z", "--root", "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-textconv", "-O/dev/null")
FORMAT = "--format=tformat:%H%x00%P%x00%an%x00%ct%x00%s%x00%B"
FIELDS = FORMAT.count("%x00") + 1
_ABSENT = "000000"
REGULAR = frozenset({"100644", "100755", "100664"})


@dataclass(frozen=True, slots=True)
class Edit:
    """What a commit did to one path: mode and id before and after; a mode of ``000000`` means there is nothing."""

    path: str
    old_mode: str
    old: str
    mode: str
    blob: str

    @property
    def exists(self) -> bool:
        """Whether something is at the path afterwards."""
        return self.mode != _ABSENT

    @property
    def existed(self) -> bool:
        """Whether something was at the path before."""
        return self.old_mode != _ABSENT


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of the history; ``parent`` is the one before it, if there is one."""

    id: str
    parent: str | None
    author: str
    time: datetime
    subject: str
    edits: tuple[Edit, ...]


def walk(repo: Repository, new: str, old: str | None = None, mainline: Mainline = _NONE) -> Iterator[Step]:
    """Walk back from ``new`` to where ``old`` is reached, through the commits that touched what is declared."""
    for top, until, turn in parts(repo, old, new, mainline):
        yield from _log(repo, top, *until, "--", *ROOTS)
        if turn is not None:
            yield from (step for step in _against(repo, turn, mainline[turn]) if step.edits)


def diff(repo: Repository, old: str, new: str) -> tuple[Edit, ...]:
    """Give what differs between two commits in what is declared; it costs what differs, not what there is."""
    with repo.git.stream("diff-tree", *RAW, "--end-of-options", old, new, "--", *ROOTS) as out:
        return tuple(_edits(iter(fields(out))))


def differences(repo: Repository, commits: Sequence[str]) -> Iterator[tuple[Edit, ...]]:
    """Give what differs from each of some commits to the next, as ``diff`` does, with one git for all."""
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{new} {old}\n" for old, new in pairwise(commits)).encode())
        asked.seek(0)
        edits: list[bytes] = []
        with repo.git.stream("diff-tree", "--stdin", "--always", *RAW, "--", *ROOTS, given=asked) as out:
            rest = fields(out)
            next(rest, None)  # which commit it is about stands before each
            for part in rest:
                if part.startswith(b":"):
                    edits += (part, next(rest))
                    check_count(len(edits) // 2)
                else:
                    yield tuple(_edits(iter(edits)))
                    edits = []
        if len(commits) > 1:
            yield tuple(_edits(iter(edits)))


def changes(edits: Iterable[Edit]) -> Iterator[version.Change]:
    """Give what edits do to the files of processes; only a regular file is content."""
    for edit in edits:
        name = version.name_of(edit.path)
        if name is not None:
            yield version.Change(name, edit.path, edit.blob if edit.mode in REGULAR else None)


def parent(repo: Repository, commit: str) -> str | None:
    """Give the first parent of a commit; ``None`` at the root."""
    listed = repo.git.run("rev-list", "--parents", "--max-count=1", "--end-of-options", commit).decode().split()
    return listed[1] if len(listed) > 1 else None


def chain(repo: Repository, tip: str, mainline: Mainline = _NONE, old: str | None = None) -> tuple[str, ...]:
    """Give the ids of the first-parent history, newest first: the whole of it, or what came after ``old``."""
    ids: list[str] = []
    for top, until, turn in parts(repo, old, tip, mainline):
        ids += repo.git.run("rev-list", "--first-parent", "--end-of-options", top, *until).decode().split()
        ids += [turn] if turn else []
    return tuple(ids)


def choices(repo: Repository, old: str, new: str) -> dict[str, str]:
    """Give the merges between an old tip and a new one whose first parent misses the old one: what to follow there."""
    listed = repo.git.run("rev-list", "--parents", "--ancestry-path", "--end-of-options", new, f"^{old}").decode()
    parents = {id_: rest for id_, *rest in (line.split() for line in listed.splitlines())}
    chosen: dict[str, str] = {}
    top = new
    while top != old:
        followed = next(parent for parent in parents[top] if parent == old or parent in parents)
        if followed != parents[top][0]:
            chosen[top] = followed
        top = followed
    return chosen


def parts(
    repo: Repository, old: str | None, new: str, mainline: Mainline
) -> Iterator[tuple[str, tuple[str, ...], str | None]]:
    """Cut the history, newest first, where it leaves the first parent: where to begin, what to leave out, the merge."""
    top: str | None = new
    while top is not None:
        turn = _turn(repo, top, old, mainline)
        yield top, tuple(f"^{id_}" for id_ in (old, turn) if id_), turn
        top = mainline[turn] if turn else None


def _turn(repo: Repository, top: str, old: str | None, mainline: Mainline) -> str | None:
    """Find the next commit, from ``top`` on, where the history leaves the first parent."""
    if not mainline:
        return None
    until = [f"^{old}"] if old else []
    listed = repo.git.run("rev-list", "--first-parent", "--end-of-options", top, *until).decode().split()
    return next((id_ for id_ in listed if id_ in mainline), None)


def _log(repo: Repository, top: str, *until: str) -> Iterator[Step]:
    options = ("--first-parent", "-m", *RAW, "--encoding=UTF-8", FORMAT)
    with repo.git.stream("log", *options, "--end-of-options", top, *until) as out:
        yield from _steps(fields(out))


def _against(repo: Repository, merge: str, parent: str) -> Iterator[Step]:
    """Give one merge as a step from a parent of choice."""
    head = repo.git.run("log", "-1", "--no-patch", "-z", "--encoding=UTF-8", FORMAT, "--end-of-options", merge)
    for step in _steps(iter(head.split(b"\0")[:FIELDS])):
        yield replace(step, parent=parent, edits=diff(repo, parent, merge))


def _steps(parts: Iterable[bytes]) -> Iterator[Step]:
    """Read commits: a fixed number of fields, whatever they hold, then pairs of which the first begins with ``:``."""
    head: list[bytes] = []
    edits: list[bytes] = []
    rest = iter(parts)
    for part in rest:
        if len(head) == FIELDS and part.lstrip(b"\n").startswith(b":"):
            edits += (part, next(rest))
            check_count(len(edits) // 2)
            continue
        if len(head) == FIELDS:
            yield _step(head, edits)
            head, edits = [], []
        head.append(part)
    if len(head) == FIELDS:
        yield _step(head, edits)


def _step(head: list[bytes], edits: list[bytes]) -> Step:
    id_, parents, author, seconds, subject, _ = (part.decode(errors="replace") for part in head)
    at = datetime.fromtimestamp(int(seconds), UTC)
    return Step(id_.strip(), parents.partition(" ")[0] or None, author, at, subject, tuple(_edits(iter(edits))))


def _edits(parts: Iterator[bytes]) -> Iterator[Edit]:
    for count, facts in enumerate(parts):
        check_count(count)
        old_mode, mode, old, blob, _ = facts.decode().lstrip("\n").removeprefix(":").split(" ")
        yield Edit(paths.text(next(parts)), old_mode, old, mode, blob)


def check_count(edits: int) -> None:
    """Raise ``UserError`` beyond ``MOST_ENTRIES``."""
    if edits > MOST_ENTRIES:
        todo = "move what is neither process, workflow nor script elsewhere"
        raise UserError(f"one commit changes more than {MOST_ENTRIES:,} files below processes/", todo=todo)
