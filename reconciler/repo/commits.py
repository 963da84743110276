"""The commits that versions are folded from: all of the first-parent history, oldest first, in one pass (SPEC 9)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, count, islice

from reconciler import marks, version
from reconciler.repo import history, paths
from reconciler.repo.brought import Brought
from reconciler.repo.git import fields
from reconciler.repo.history import Mainline
from reconciler.repo.objects import ROOTS
from reconciler.repo.reader import widen
from reconciler.repo.repository import Repository
from reconciler.version import Change, Commit

Parented = tuple[Commit, Sequence[str]]
"""A commit and the ids of its parents, first the one before it in the history."""

Names = dict[bytes, tuple[str, str] | None]
"""Paths as git writes them, with the name that each declares and the path as text."""

_NONE: Mainline = {}
_ROOT = b"processes/"
_PREFIX = marks.PREFIX.encode()
_STRIDE = 1000
"""Commits whose merges are looked into together."""
_NAMES_KEPT = 50_000


def commits(
    repo: Repository, old: str | None, new: str, mainline: Mainline = _NONE, first: int = 0
) -> Iterator[Commit]:
    """Give all commits after ``old`` up to ``new``, each against the one before it, merges with what they bring in.

    ``first`` is the place of the first one, which ``old`` comes before.
    Only a regular file is content: a symlink or submodule in its place counts as no file. Raises ``UserError`` for a
    commit that changes more than ``MOST_ENTRIES`` files below ``processes/``.
    """
    with Brought(repo, old, new) as brought:
        rest = _forward(repo, (old, new), mainline, count(first))
        while stride := list(islice(rest, _STRIDE)):
            found = brought.marks(stride)
            for commit, _ in stride:
                given = found.get(commit.id)
                yield replace(commit, marks=(*given, *commit.marks)) if given else commit


def _forward(
    repo: Repository, span: tuple[str | None, str], mainline: Mainline, places: Iterator[int]
) -> Iterator[Parented]:
    names: Names = {}
    for top, until, turn in reversed(list(history.parts(repo, *span, mainline))):
        if turn is not None:
            yield from _turned(repo, (mainline[turn], turn), names, places)
        options = ("--reverse", "--first-parent", "-m", *history.RAW, "--encoding=UTF-8", history.FORMAT)
        with repo.git.stream("log", *options, "--end-of-options", top, *until, "--") as out:
            widen(out)
            yield from _read(fields(out), names, places)


def _turned(repo: Repository, span: tuple[str, str], names: Names, places: Iterator[int]) -> Iterator[Parented]:
    """Give a merge against the parent that was chosen."""
    parent, merge = span
    head = repo.git.run("log", "-1", "--no-patch", "-z", "--encoding=UTF-8", history.FORMAT, "--end-of-options", merge)
    with repo.git.stream("diff-tree", *history.RAW, "--end-of-options", parent, merge, "--", *ROOTS) as out:
        for commit, parents in _read(chain(head.removesuffix(b"\0").split(b"\0"), fields(out)), names, places):
            yield commit, (parent, *(one for one in parents if one != parent))


def _read(parts: Iterator[bytes], names: Names, places: Iterator[int]) -> Iterator[Parented]:
    """Read commits: a fixed number of fields, whatever they hold, then pairs of which the first begins with ``:``."""
    part = next(parts, None)
    while part is not None:
        head = (part, *islice(parts, history.FIELDS - 1))
        changes: list[Change] = []
        edits = 0
        while (part := next(parts, None)) is not None and part.startswith((b":", b"\n:")):
            path = next(parts)
            if path.startswith(_ROOT):
                edits += 1
                history.check_count(edits)
                named = names[path] if path in names else _named(path, names)
                if named is not None:
                    changes.append(_change(named, part))
        id_, parents, author, seconds, subject, message = head
        at = datetime.fromtimestamp(int(seconds), UTC)
        found = marks.parse(message.decode(errors="replace")) if _PREFIX in message else ()
        who, what = author.decode(errors="replace"), subject.decode(errors="replace")
        made = Commit(id_.strip().decode(), who, at, what, tuple(changes), found, next(places))
        yield made, parents.decode().split(" ")


def _named(path: bytes, names: Names) -> tuple[str, str] | None:
    """The name that a path declares, and the path as text; remembered, since most paths come again and again."""
    if len(names) >= _NAMES_KEPT:
        names.clear()
    text = paths.text(path)
    name = version.name_of(text)
    names[path] = (name, text) if name else None
    return names[path]


def _change(named: tuple[str, str], facts: bytes) -> Change:
    _, mode, _, blob, _ = facts.decode().split(" ")
    return Change(*named, blob if mode in history.REGULAR else None)
