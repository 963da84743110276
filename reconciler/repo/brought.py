"""The marks of commits that merges bring in: those are off the first-parent history, so its log does not show them."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Self

from reconciler import marks
from reconciler.marks import Mark
from reconciler.repo.reader import Reader
from reconciler.repo.repository import Repository
from reconciler.version import Commit

_LONGEST = 1 << 20
"""Bytes of a commit that are read: whatever stands behind them in its message is no mark."""

_Side = tuple[Sequence[str], tuple[Mark, ...]]
"""What is known of a commit off the history: its parents and its marks."""


class Brought:
    """Looks into the merges between two commits, oldest first; enter it, and leave it at the end.

    Each commit that is brought in counts for the first commit of the history that contains it.
    """

    def __init__(self, repo: Repository, old: str | None, new: str) -> None:
        self._repo = repo
        self._span = old, new
        self._reader = Reader(repo)
        self._seen: set[str] = set()
        self._fresh: Container[str] | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._reader.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """End."""
        self._reader.__exit__(*error)

    def marks(self, stride: Iterable[tuple[Commit, Sequence[str]]]) -> dict[str, tuple[Mark, ...]]:
        """Give, for the next commits of the history, the marks that each brings in, oldest first."""
        merges = []
        for commit, parents in stride:
            self._seen.add(commit.id)
            if len(parents) > 1:
                merges.append((commit.id, parents[1:]))
        if not merges:
            return {}
        sides = self._sides([parent for _, parents in merges for parent in parents])
        return {merge: found for merge, parents in merges if (found := self._ordered(parents, sides))}

    def _sides(self, tops: Iterable[str]) -> Mapping[str, _Side]:
        """Read the commits that are reached from some and are new, one generation after the other."""
        sides: dict[str, _Side] = {}
        rest = self._unseen(tops, sides)
        while rest:
            for id_, _, data in self._reader.read(rest, _LONGEST):
                sides[id_] = _parsed(data)
            rest = self._unseen((parent for id_ in rest for parent in sides[id_][0]), sides)
        return sides

    def _unseen(self, ids: Iterable[str], sides: Container[str]) -> list[str]:
        return [id_ for id_ in dict.fromkeys(ids) if id_ not in sides and id_ not in self._seen and self._is_fresh(id_)]

    def _is_fresh(self, id_: str) -> bool:
        """Whether a commit came after the old one: what is older was brought in before."""
        old, new = self._span
        if old is None:
            return True
        if self._fresh is None:
            listed = self._repo.git.run("rev-list", "--end-of-options", new, f"^{old}")
            self._fresh = frozenset(listed.decode().split())
        return id_ in self._fresh

    def _ordered(self, tops: Sequence[str], sides: Mapping[str, _Side]) -> tuple[Mark, ...]:
        """The marks of what one merge brings in, parents before children, the first parent's line first."""
        found: list[Mark] = []
        stack = [(top, False) for top in reversed(tops)]
        while stack:
            id_, done = stack.pop()
            if done:
                found += sides[id_][1]
            elif id_ in sides and id_ not in self._seen:
                self._seen.add(id_)
                stack.append((id_, True))
                stack += [(parent, False) for parent in reversed(sides[id_][0])]
        return tuple(found)


def _parsed(data: bytes) -> _Side:
    header, _, message = data.partition(b"\n\n")
    lines = header.decode(errors="replace").split("\n")
    parents = [line.removeprefix("parent ") for line in lines if line.startswith("parent ")]
    return parents, marks.parse(message.decode(errors="replace")) if marks.PREFIX.encode() in message else ()
