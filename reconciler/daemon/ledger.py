"""What the reconciler writes down: records, tracks, the index, and the branch ``executions``.

A track may lag behind its records, never run ahead of them: records are written first, and a plan that starts from an
old track finds them (``decision``). So tracks need not be written at every turn.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.decision import Track
from reconciler.errors import ProcctlError
from reconciler.execution import Execution
from reconciler.repo.repository import Repository
from reconciler.store import records, schedules
from reconciler.store.catalog import SlotRow
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.store.rows import Row
from reconciler.store.schedules import State
from reconciler.sync import publishing
from reconciler.sync import records as sync_records
from reconciler.sync.versions import Progress

LOG = logging.getLogger("procctl")
_encode = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode

PUBLISH = timedelta(seconds=4)
"""How long a finished record waits for others to be published with; SPEC 8 allows 5 seconds."""

RETRY = timedelta(seconds=15)
"""How long to wait after a publication that failed: the disk is full, or the branch is checked out."""

SAVE = timedelta(seconds=5)
"""How far the saved tracks may lag."""

QUIET = timedelta(milliseconds=250)
"""A publication takes tens of milliseconds: it does not begin when a slot is so near."""


@dataclass(slots=True)
class Ledger:
    """The disk side of one reconciler. ``tracks`` is the truth of this process; ``save`` makes it durable."""

    repo: Repository
    layout: Layout
    index: Index
    ref: str
    tracks: dict[str, Track] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    follow: str | None = None
    _unsaved_since: datetime | None = None
    _unpublished_since: datetime | None = None
    _unpublished: int = 0

    def create(self, executions: Sequence[Execution]) -> list[Execution]:
        """Create records durably; give those that are new. A slot that somebody else took is theirs."""
        made = records.create_many(self.layout, executions)
        return [execution for execution, new in zip(executions, made, strict=True) if new]

    def end(self, execution: Execution) -> None:
        """Write the end of an execution that no runner writes any more."""
        records.write(self.layout, execution, durable=True)
        self.enter([execution])

    def enter(self, executions: Iterable[Execution]) -> None:
        """Copy the records of these executions from their files into the index."""
        found = list(executions)
        sync_records.note(self.index, self.layout, [self.layout.record(execution) for execution in found])
        self._unpublished += sum(execution.ended for execution in found)

    def show(self, rows: Sequence[Row]) -> None:
        """Copy records that were read a moment ago into the index."""
        if rows:
            self.index.upsert_executions(rows)
            self._unpublished += sum(row.ended for row in rows)

    def between(self, name: str, after: datetime, until: datetime) -> list[Execution]:
        """The executions and gaps of a process that say something about ``(after, until]``, or have not ended."""
        return self.index.records_between(name, after, until)

    def move(self, tracks: Mapping[str, Track | None], progress: Progress, now: datetime) -> None:
        """Take over how far history is applied and schedules are decided.

        It is saved at once where a commit was applied or a schedule is new or gone, else a little later.
        """
        urgent = progress != self.progress
        self.progress = progress
        for name, track in tracks.items():
            old = self.tracks.get(name)
            if track is None:
                self.tracks.pop(name, None)
            else:
                self.tracks[name] = track
            urgent |= track is None or old is None or old.since != track.since
        if tracks and self._unsaved_since is None:
            self._unsaved_since = now
        if urgent or (self._unsaved_since is not None and now - self._unsaved_since >= SAVE):
            self.save()

    def save(self) -> None:
        """Write applied commit and tracks durably."""
        progress = self.progress
        schedules.write(self.layout, State(progress.commit, self.ref, self.tracks, progress.mainline, self.follow))
        self._unsaved_since = None

    def upcoming(self) -> dict[str, datetime]:
        """The next slots that were remembered, of schedules that have not changed since and are not behind."""
        known = {}
        for name, row in self.index.slots().items():
            track = self.tracks.get(name)
            if track is not None and row.after == track.decided and row.schedule == _fingerprint(track):
                known[name] = row.next
        return known

    def remember(self, upcoming: Mapping[str, datetime]) -> None:
        """Remember next slots, so that a later start need not search for them.

        A process without one may be over, or its turn was just about to come: the later start finds out.
        """
        known = ((name, self.tracks.get(name), slot) for name, slot in upcoming.items())
        self.index.replace_slots(
            SlotRow(name, _fingerprint(track), track.decided, slot) for name, track, slot in known if track is not None
        )

    def publish(self, now: datetime, quiet_until: datetime | None) -> datetime | None:
        """Publish what has waited long enough, unless a slot is near; give when to publish the rest."""
        if not self._unpublished:
            self._unpublished_since = None
            return None
        since = self._unpublished_since = self._unpublished_since or now
        late = now - since > PUBLISH + timedelta(seconds=1) or self._unpublished >= publishing.BATCH
        near = quiet_until is not None and quiet_until - now < QUIET
        if late or (now - since >= PUBLISH and not near):
            self.publish_all(now)
            return None
        return max(since + PUBLISH, quiet_until or since) if near else since + PUBLISH

    def publish_all(self, now: datetime) -> None:
        """Publish every finished record now, and the state of schedules with them."""
        if self._unsaved_since is not None:
            self.save()
        try:
            while publishing.publish_batch(self.index, self.layout, self.repo, now).count == publishing.BATCH:
                pass
        except ProcctlError as error:
            LOG.error("records stay unpublished for now: %s", error)  # noqa: TRY400 - the user's to mend, no bug
            self._unpublished_since = now + RETRY
            return
        self._unpublished, self._unpublished_since = 0, None

    def recount(self) -> None:
        """Count again what waits to be published: others finish executions too."""
        self._unpublished = self.index.count_unpublished(self.layout.environment)


def _fingerprint(track: Track) -> str:
    """What decides a schedule's slots, as text."""
    return _encode(track.schedule)
