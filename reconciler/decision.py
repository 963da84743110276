"""What becomes of each due slot of one process: it starts, or it is part of a gap, or a record has it already (SPEC 8).

Pure, and the same answer however late or often it is asked: whether a slot was overlapped is read off the records'
own times, not off what somebody remembered.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Any

from reconciler.execution import NEVER_RAN, Execution, Gap, Outcome, Trigger, finish
from reconciler.schedule import Schedule

NAMESPACE = uuid.UUID("6c3f2f0e-5b0a-5d9c-9d53-0f6a8a1f7d11")
"""The name space of derived execution ids (RFC 9562, version 5); changing it would give every slot a second id."""

GAP_FLUSH = timedelta(hours=1)
"""How long a gap may stay open before what it has so far becomes a record (SPEC 8)."""

_TICK = timedelta(microseconds=1)

SLOTS_SHOWN = 100
"""How many slots of a gap its record lists."""


@dataclass(frozen=True, slots=True)
class Target:
    """What git declares for one process that this reconciler schedules: enabled, in force, of its environment.

    ``schedule`` is the canonical schedule document (``Process.schedule_document``), ``commit`` where it runs if that is
    not the followed one; ``held`` is the problem that keeps
    the process from running, as text. ``tag`` is the tag that picked the commit, where one did.
    """

    name: str
    service: str
    schedule: Mapping[str, Any]
    commit: str | None
    version: int | None
    held: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """How far one process's schedule has been decided: a line of ``schedules.json``.

    ``since`` is when the schedule was first seen, ``decided`` the last slot that is in a record (or ``since``).
    ``held`` is what held the process when its slots since then fell due.
    """

    schedule: Mapping[str, Any]
    since: datetime
    decided: datetime
    held: str | None = None

    @classmethod
    def begin(cls, target: Target, now: datetime) -> "Track":
        """Start to follow what is declared now: it owns the slots after ``now``."""
        return cls(target.schedule, since=now, decided=now, held=target.held)


def slot_id(environment: str, name: str, slot: datetime) -> str:
    """The id of a slot's execution: the same whoever computes it, so a slot cannot have two (SPEC 4)."""
    return str(uuid.uuid5(NAMESPACE, f"{environment}\n{name}\n{slot.isoformat()}"))


def gap_id(environment: str, name: str, first: datetime) -> str:
    """The id of a gap's record, derived from its first slot (SPEC 8)."""
    return str(uuid.uuid5(NAMESPACE, f"{environment}\n{name}\n{first.isoformat()}\ngap"))


@dataclass(frozen=True, slots=True)
class Case:
    """One process with a track: everything its decision depends on.

    ``target`` is ``None`` where the process is gone; ``records`` are its executions and gaps since the track's last
    decided slot, and whatever is active; slots before ``oldest`` do not start any more.
    """

    name: str
    environment: str
    host: str
    commit: str
    target: Target | None
    track: Track
    records: Sequence[Execution]
    oldest: datetime
    now: datetime

    def execution(self, execution_id: str, reason: str, trigger_time: datetime) -> Execution:
        """A scheduled execution of this process, at the version now in force (or none, where the process is gone)."""
        target = self.target
        service = target.service if target else next((one.service for one in self.records), "default")
        return Execution(
            id=execution_id,
            service=service,
            name=self.name,
            environment=self.environment,
            trigger=Trigger.SCHEDULED,
            reason=reason,
            trigger_time=trigger_time,
            version=target.version if target else None,
            commit=(target and target.commit) or self.commit,
            tag=target.tag if target else None,
            host=self.host,
        )

    @property
    def held(self) -> str | None:
        """What keeps its slots from running: what held it when they fell due, or what holds it now."""
        return self.track.held or (self.target.held if self.target else None)


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one process's due slots; a track of ``None`` is dropped, ``wake`` is when an open gap is due."""

    begin: list[Execution]
    gaps: list[Execution]
    track: Track | None
    wake: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Label:
    """Why a slot does not run; slots in a row with equal labels make one gap. ``open``: the cause still holds."""

    outcome: Outcome
    message: str
    open: bool = False


_RECORDED = _Label(Outcome.SUCCESS, "a crash left its record ahead of the track")
_STALE = _Label(Outcome.MISSED, "Missed: nothing was reconciling, and it is older than catchup_window")
_SUPERSEDED = _Label(Outcome.MISSED, "Missed: nothing was reconciling in time; catchup: latest runs the last slot only")

_Segment = tuple[_Label | None, Gap]
"""Slots in a row and why they do not run; ``None`` means that they do: of one slot, the last (``catchup: latest``)."""


def decide(case: Case) -> Decision:
    """Decide every due slot of one process: the last may start, the others join gaps (``catchup: latest``)."""
    schedule = Schedule.of(case.track.schedule, case.name)
    begun = Track.begin(case.target, case.now) if case.target else None
    edited = begun is None or (begun.schedule, begun.held) != (case.track.schedule, case.track.held)
    begin: list[Execution] = []
    gaps: list[Execution] = []
    decided, wake = case.track.decided, None
    for label, gap in _merged(_segments(schedule, case)):
        if label is None:
            execution_id = slot_id(case.environment, case.name, gap.last)
            begin.append(case.execution(execution_id, schedule.reason(gap.last), gap.last))
        elif label.open and not edited and case.now < gap.first + GAP_FLUSH:
            wake = gap.first + GAP_FLUSH
            break
        elif label is not _RECORDED:
            gaps.append(_gap_record(case, schedule, gap, label))
        decided = gap.last
    return Decision(begin, gaps, begun if edited else replace(case.track, decided=decided), wake)


def _segments(schedule: Schedule, case: Case) -> Iterator[_Segment]:
    """Cut the due slots into rows of one label each.

    Slot by slot only up to where records say something; what comes after, which may be a year of seconds, is counted.
    """
    last = schedule.last(case.track.decided, case.now)
    if last is None:
        return
    settled = _settled(case)
    for label, pairs in groupby(_labelled(schedule, case, settled, last), key=lambda pair: pair[1]):
        yield label, _gap_of([slot for slot, _ in pairs])
    uniform = _obstacle(last, case, ()) if case.target is None or case.held else None
    rows: list[tuple[_Label | None, datetime, datetime]]
    if uniform is not None:
        rows = [(uniform, settled, last)]
    else:
        fresh, before = max(settled, case.oldest - _TICK), last - _TICK
        rows = [(_STALE, settled, fresh), (_SUPERSEDED, fresh, before), (None, max(fresh, before), last)]
    for label, after, until in rows:
        gap = _gap_between(schedule, after, until)
        if gap is not None:
            yield label, gap


def _settled(case: Case) -> datetime:
    """The instant up to which the records say something about slots; now, while anything of the process is active."""
    reaches = [case.track.decided]
    for one in case.records:
        if not one.ended:
            return case.now
        reaches += [one.trigger_time, one.end or case.now]
        reaches += [one.gap.last] if one.gap else []
    return min(max(reaches), case.now)


def _labelled(
    schedule: Schedule, case: Case, until: datetime, last: datetime
) -> Iterator[tuple[datetime, _Label | None]]:
    own = {one.trigger_time for one in case.records if one.trigger is Trigger.SCHEDULED and one.gap is None}
    gaps = [(one.gap.first, one.gap.last) for one in case.records if one.gap is not None]
    runs = [one for one in case.records if one.outcome not in NEVER_RAN]
    for slot in schedule.between(case.track.decided, until):
        if slot in own or any(first <= slot <= end for first, end in gaps):
            yield slot, _RECORDED
            continue
        label = _obstacle(slot, case, runs)
        if label is None and slot != last:
            label = _SUPERSEDED
        elif label is None:
            busy = next((one.id for one in runs if not one.ended), None)
            label = _Label(Outcome.SKIPPED, f"Skipped: execution {busy} was running") if busy else None
        yield slot, label


def _obstacle(slot: datetime, case: Case, runs: Sequence[Execution]) -> _Label | None:
    if case.target is None:
        return _Label(Outcome.MISSED, "Missed: the process was removed, disabled or moved to another environment")
    if case.held is not None:
        return _Label(Outcome.SKIPPED, f"Held: {case.held}", open=True)
    for one in runs:
        begun = one.trigger_time if one.trigger is Trigger.SCHEDULED else one.start or one.trigger_time
        if begun <= slot and (one.end is None or slot < one.end):
            return _Label(Outcome.SKIPPED, f"Skipped: execution {one.id} was still running", open=not one.ended)
    return _STALE if slot < case.oldest else None


def _merged(segments: Iterator[_Segment]) -> Iterator[_Segment]:
    """Join neighbours of one label."""
    waiting: _Segment | None = None
    for label, gap in segments:
        if waiting is not None and waiting[0] is not None and waiting[0] == label:
            before = waiting[1]
            shown = (before.slots + gap.slots)[:SLOTS_SHOWN]
            waiting = (label, Gap(before.first, gap.last, before.count + gap.count, shown))
            continue
        if waiting is not None:
            yield waiting
        waiting = (label, gap)
    if waiting is not None:
        yield waiting


def _gap_of(slots: Sequence[datetime]) -> Gap:
    return Gap(slots[0], slots[-1], len(slots), tuple(slots[:SLOTS_SHOWN]))


def _gap_between(schedule: Schedule, after: datetime, until: datetime) -> Gap | None:
    """The slots in ``(after, until]``, counted and not walked."""
    last = schedule.last(after, until) if after < until else None
    if last is None:
        return None
    shown = tuple(islice(schedule.between(after, until), SLOTS_SHOWN))
    return Gap(shown[0], last, schedule.count(after, until), shown)


def _gap_record(case: Case, schedule: Schedule, gap: Gap, label: _Label) -> Execution:
    record = case.execution(gap_id(case.environment, case.name, gap.first), schedule.reason(gap.first), gap.first)
    return replace(finish(record, label.outcome, case.now, label.message), gap=gap)
