"""What becomes of each due slot of one process: it starts, or it is part of a gap, or a record has it already (SPEC 8).

Pure, and the same answer however late or often it is asked: whether a slot was overlapped is read off the records'
own times, not off what somebody remembered.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from reconciler.execution import NEVER_RAN, Execution, Gap, Outcome, Trigger, finish
from reconciler.schedule import Schedule

NAMESPACE = uuid.UUID("6c3f2f0e-5b0a-5d9c-9d53-0f6a8a1f7d11")
"""The name space of derived execution ids (RFC 9562, version 5); changing it would give every slot a second id."""

GAP_FLUSH = timedelta(hours=1)
"""How long a gap may stay open before what it has so far becomes a record (SPEC 8)."""

SLOTS_SHOWN = 100
"""How many slots of a gap its record lists."""


@dataclass(frozen=True, slots=True)
class Target:
    """What git declares for one process that this reconciler schedules: enabled, in force, of its environment.

    ``schedule`` is the canonical schedule document (``Process.schedule_document``), ``commit`` where it runs if that is
    not the followed one; ``held`` is the problem that keeps
    the process from running, as text.
    """

    name: str
    service: str
    schedule: Mapping[str, Any]
    commit: str | None
    version: int | None
    held: str | None = None


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
            host=self.host,
        )


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
_SUPERSEDED = _Label(Outcome.MISSED, "Missed: nothing was reconciling in time; catchup: latest runs the last slot only")


def decide(case: Case) -> Decision:
    """Decide every due slot of one process: the last may start, the others join gaps (``catchup: latest``)."""
    schedule = Schedule.of(case.track.schedule, case.name)
    begun = case.target and Track.begin(case.target, case.now)
    edited = begun is None or (begun.schedule, begun.held) != (case.track.schedule, case.track.held)
    begin: list[Execution] = []
    gaps: list[Execution] = []
    decided, wake = case.track.decided, None
    for label, pairs in groupby(_labelled(schedule, case), key=lambda pair: pair[1]):
        slots = (slot for slot, _ in pairs)
        if label is _RECORDED:
            decided = max(slots)
            continue
        if label is None:
            decided = next(slots)
            execution_id = slot_id(case.environment, case.name, decided)
            begin.append(case.execution(execution_id, schedule.reason(decided), decided))
            continue
        gap = _gap(slots)
        if label.open and not edited and case.now < gap.first + GAP_FLUSH:
            wake = gap.first + GAP_FLUSH
            break
        gaps.append(_gap_record(case, schedule, gap, label))
        decided = gap.last
    return Decision(begin, gaps, begun if edited else replace(case.track, decided=decided), wake)


def _labelled(schedule: Schedule, case: Case) -> Iterator[tuple[datetime, _Label | None]]:
    """Pair each due slot with why it does not run; ``None`` means that it runs: only the last (``catchup: latest``)."""
    own = {one.trigger_time for one in case.records if one.trigger is Trigger.SCHEDULED and one.gap is None}
    gaps = [(one.gap.first, one.gap.last) for one in case.records if one.gap is not None]
    runs = [one for one in case.records if one.outcome not in NEVER_RAN]
    due = schedule.between(case.track.decided, case.now)
    slot = next(due, None)
    while slot is not None:
        later = next(due, None)
        if slot in own or any(first <= slot <= last for first, last in gaps):
            label: _Label | None = _RECORDED
        else:
            label = _obstacle(slot, case, runs)
        if label is None and later is not None:
            label = _SUPERSEDED
        elif label is None:
            busy = next((one.id for one in runs if not one.ended), None)
            label = _Label(Outcome.SKIPPED, f"Skipped: execution {busy} was running") if busy else None
        yield slot, label
        slot = later


def _obstacle(slot: datetime, case: Case, runs: Sequence[Execution]) -> _Label | None:
    if case.target is None:
        return _Label(Outcome.MISSED, "Missed: the process was removed, disabled or moved to another environment")
    held = case.track.held or case.target.held
    if held is not None:
        return _Label(Outcome.SKIPPED, f"Held: {held}", open=True)
    for one in runs:
        begun = one.trigger_time if one.trigger is Trigger.SCHEDULED else one.start or one.trigger_time
        if begun <= slot and (one.end is None or slot < one.end):
            return _Label(Outcome.SKIPPED, f"Skipped: execution {one.id} was still running", open=not one.ended)
    if slot < case.oldest:
        return _Label(Outcome.MISSED, "Missed: nothing was reconciling, and it is older than catchup_window")
    return None


def _gap(slots: Iterator[datetime]) -> Gap:
    first = last = next(slots)
    shown, count = [first], 1
    for last in slots:
        count += 1
        if count <= SLOTS_SHOWN:
            shown.append(last)
    return Gap(first, last, count, tuple(shown))


def _gap_record(case: Case, schedule: Schedule, gap: Gap, label: _Label) -> Execution:
    record = case.execution(gap_id(case.environment, case.name, gap.first), schedule.reason(gap.first), gap.first)
    return replace(finish(record, label.outcome, case.now, label.message), gap=gap)
