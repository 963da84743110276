"""Whether what a reconciler follows may have moved: the branch, and the tags of one text."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.repo import tip
from reconciler.repo.repository import Repository

SLOW = 10.0
"""Seconds after which tags are looked at even where the watch heard nothing: a word that got lost costs no more."""

Seen = tuple[tip.Stamp, tip.TagsStamp]


@dataclass(slots=True)
class Lookout:
    """Looks at the refs that matter. ``heard`` counts what the watch on git's refs has heard.

    ``unsure`` says that tags which moved may not have been taken up, so that all are to be read again.
    """

    repo: Repository
    ref: str
    follow: str | None
    heard: Callable[[], int]
    unsure: bool = False
    _seen: Seen | None = None
    _heard: int = 0
    _looked: float = 0.0

    def look(self) -> Seen | None:
        """What is to be remembered once it is taken up; ``None`` where nothing moved."""
        seen = self._now()
        return seen if seen != self._seen else None

    def remember(self, seen: Seen) -> None:
        """Count as known what a look gave."""
        self._seen = seen

    def moved(self, seen: Seen) -> frozenset[str] | None:
        """The tags that may have moved before a look; ``None``: any, after packed ones or an error."""
        if self.follow is None or self._seen is None or self.unsure or seen[0][1:] != self._seen[0][1:]:
            return None
        return frozenset(tip.tag_of(self.repo, path) for path, _ in set(seen[1]) ^ set(self._seen[1]))

    def _now(self) -> Seen:
        """Look at the refs; tags cost more than the branch, so at them only where the watch heard something."""
        branch = tip.stamp(self.repo, self.ref)
        if self.follow is None:
            return branch, ()
        heard, now = self.heard(), time.monotonic()
        if self._seen is None or (heard, branch) != (self._heard, self._seen[0]) or now - self._looked >= SLOW:
            self._heard, self._looked = heard, now
            return branch, tip.tags_stamp(self.repo, self.follow)
        return branch, self._seen[1]
