"""Rollbacks and deletes of one process in one commit: which of their marks hold, and what they take away (SPEC 9)."""

from collections.abc import Mapping, Sequence

from reconciler.book import Facts
from reconciler.marks import SHORT, Delete, Mark, Rollback
from reconciler.version import Version

ROLLED_BACK = "rolled back"
PASSED_OVER = "passed over by a rollback"
DELETED = "deleted"


def taken(
    given: Sequence[Rollback | Delete], versions: Mapping[int, Version], content: str | None, facts: Facts
) -> "Chain":
    """Take marks as far as they hold, where the commit leaves this content (``None``: no file).

    They are taken as they stand, or the other way round where more rollbacks hold: ``git merge --squash`` writes the
    newest first. Of a chain of rollbacks the longest beginning holds whose last one restores what the commit has.
    """
    forward = _attempt(given, versions, content, facts)
    if not forward.idle or len(given) == 1:
        return forward
    backward = _attempt(given[::-1], versions, content, facts)
    return max(forward, backward, key=lambda chain: (len(chain.rollbacks), -len(chain.idle)))


def _attempt(
    given: Sequence[Rollback | Delete], versions: Mapping[int, Version], content: str | None, facts: Facts
) -> "Chain":
    dropped: dict[Mark, str] = {}
    while True:
        chain = Chain(versions, facts)
        for mark in given:
            if mark not in dropped:
                chain.take(mark)
        if not chain.rollbacks or chain.content == content:
            break
        dropped[chain.rollbacks[-1]] = "the commit does not hold what it restores"
    chain.finish(makes_version=content is not None and content != chain.content)
    chain.idle.update(dropped)
    return chain


class Chain:
    """Rollbacks and deletes of one name in one commit, taken one after the other."""

    def __init__(self, versions: Mapping[int, Version], facts: Facts) -> None:
        self._versions = versions
        self._facts = facts
        self._live = sorted(number for number, version in versions.items() if version.live)
        self._later: list[Delete] = []
        self.gone: dict[int, str] = {}
        self.idle: dict[Mark, str] = {}
        self.rollbacks: list[Rollback] = []

    @property
    def current(self) -> int | None:
        """The newest version that is left."""
        return self._live[-1] if self._live else None

    @property
    def content(self) -> str | None:
        """What the file must hold after the rollbacks; ``None`` for no file."""
        return self._versions[self._live[-1]].content if self._live else None

    def take(self, mark: Rollback | Delete) -> None:
        """Take one mark as far as it holds for itself."""
        if why := self._why_not(mark):
            self.idle[mark] = why
        elif isinstance(mark, Rollback):
            self._roll_back(mark)
        elif mark.number == self.current:
            self._later.append(mark)
        else:
            self._end(mark.number, DELETED)

    def finish(self, *, makes_version: bool) -> None:
        """Take the deletes of what was current: they hold where the commit makes a newer version."""
        for mark in self._later:
            if mark.number not in self._live:
                self.idle[mark] = f"{mark.name}@{mark.number} is gone"
            elif makes_version or mark.number != self.current:
                self._end(mark.number, DELETED)
            else:
                self.idle[mark] = f"{mark.name}@{mark.number} is the current version"

    def _why_not(self, mark: Rollback | Delete) -> str | None:
        version = self._versions.get(mark.number)
        if version is None:
            return f"there is no version {mark.name}@{mark.number}"
        if not version.blob.startswith(mark.blob):
            return f"{mark.name}@{mark.number} has another blob: {version.blob[:SHORT]}"
        if mark.number not in self._live:
            return f"{mark.name}@{mark.number} is gone"
        if isinstance(mark, Rollback) and mark.number != self.current:
            return f"{mark.name}@{mark.number} is not the current version"
        return None

    def _roll_back(self, mark: Rollback) -> None:
        below = self._live[-2::-1]
        broken = []
        for number in below:
            if self._facts.sound(self._versions[number].path, self._versions[number].blob):
                break
            broken.append(number)
        if below and len(broken) == len(below):
            self.idle[mark] = "no version below it is free of errors"
            return
        self._end(mark.number, ROLLED_BACK)
        for number in broken:
            self._end(number, PASSED_OVER)
        self.rollbacks.append(mark)

    def _end(self, number: int, why: str) -> None:
        self._live.remove(number)
        self.gone[number] = why
