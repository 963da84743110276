"""The heart: compare what git declares with what has run, and say what to do about the difference.

``plan`` is a pure function. The daemon gathers its arguments and applies its result; a dry run prints it. Its laws
(``tests/test_reconcile.py``): planning again after applying is empty; a disabled process starts nothing; a slot
never has two executions; every slot is in exactly one record, its own or one gap's (SPEC 10).
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from reconciler.execution import NEVER_RAN, Execution, Gap, Outcome, Status, Trigger, finish
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

    ``schedule`` is the canonical schedule document (``Process.schedule_document``); ``held`` is the problem that keeps
    the process from running, as text.
    """

    name: str
    service: str
    schedule: Mapping[str, Any]
    commit: str
    version: int | None
    held: str | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """How far one process's schedule has been decided: a line of ``schedules.json``.

    ``since`` is when the schedule was first seen, ``decided`` the last slot that is in a record (or ``since``).
    """

    schedule: Mapping[str, Any]
    since: datetime
    decided: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A manual run that somebody left as a request, its reference already resolved; or why it cannot run."""

    execution: Execution
    due: datetime
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Active:
    """An execution that has not ended, as the world shows it now.

    ``claimed``: a runner took it. ``alive``: that runner lives. ``handed``: this reconciler gave it to an executor a
    moment ago and the claim may still come.
    """

    execution: Execution
    claimed: bool = False
    alive: bool = False
    handed: bool = False


@dataclass(frozen=True, slots=True)
class Desired:
    """What git declares, for the processes to be looked at in this turn.

    ``targets`` lacks a name whose process is gone, disabled or of another environment.
    """

    environment: str
    host: str
    commit: str
    targets: Mapping[str, Target]
    max_running: int
    catchup_window: timedelta


@dataclass(frozen=True, slots=True)
class Observed:
    """What has run: the tracks of the processes to be looked at, their records since, and everything active."""

    tracks: Mapping[str, Track] = field(default_factory=dict)
    records: Mapping[str, Sequence[Execution]] = field(default_factory=dict)
    active: Sequence[Active] = ()
    asked: Sequence[Asked] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: records to create, ids to hand to an executor, ids to end as interrupted, and tracks to move.

    ``begin`` are executions to be run, ``gaps`` records of slots that did not run, ``refused`` requests that end as
    they are created. A track of ``None`` is dropped. ``wakes`` has, for a process with an open gap, when that gap is
    due; until then its slots need no turn of their own.
    """

    begin: tuple[Execution, ...] = ()
    gaps: tuple[Execution, ...] = ()
    refused: tuple[Execution, ...] = ()
    hand_out: tuple[str, ...] = ()
    interrupt: tuple[str, ...] = ()
    tracks: Mapping[str, Track | None] = field(default_factory=dict)
    wakes: Mapping[str, datetime] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return any((self.begin, self.gaps, self.refused, self.hand_out, self.interrupt, self.tracks))


def slot_id(environment: str, name: str, slot: datetime) -> str:
    """The id of a slot's execution: the same whoever computes it, so a slot cannot have two (SPEC 4)."""
    return str(uuid.uuid5(NAMESPACE, f"{environment}\n{name}\n{slot.isoformat()}"))


def gap_id(environment: str, name: str, first: datetime) -> str:
    """The id of a gap's record, derived from its first slot (SPEC 8)."""
    return str(uuid.uuid5(NAMESPACE, f"{environment}\n{name}\n{first.isoformat()}\ngap"))


def plan(desired: Desired, observed: Observed, now: datetime) -> Plan:
    """Say what brings the world to what git declares: see ``Plan``. Pure; ``now`` is aware UTC."""
    begin: list[Execution] = []
    gaps: list[Execution] = []
    tracks: dict[str, Track | None] = {}
    wakes: dict[str, datetime] = {}
    for name in desired.targets.keys() | observed.tracks.keys():
        target, track = desired.targets.get(name), observed.tracks.get(name)
        if track is None:
            if target is not None:
                tracks[name] = Track(target.schedule, since=now, decided=now)
            continue
        decision = _decide(_Case(name, desired, target, track, observed.records.get(name, ()), now))
        begin += decision.begin
        gaps += decision.gaps
        if decision.wake is not None:
            wakes[name] = decision.wake
        if decision.track != track:
            tracks[name] = decision.track
    asked = [request for request in observed.asked if request.due <= now]
    begin += [request.execution for request in asked if request.refusal is None]
    return Plan(
        begin=tuple(begin),
        gaps=tuple(gaps),
        refused=tuple(
            finish(request.execution, Outcome.FAILED, now, request.refusal) for request in asked if request.refusal
        ),
        hand_out=_hand_out(desired, observed, begin),
        interrupt=tuple(one.execution.id for one in observed.active if one.claimed and not one.alive),
        tracks=tracks,
        wakes=wakes,
    )


def _hand_out(desired: Desired, observed: Observed, begin: Iterable[Execution]) -> tuple[str, ...]:
    """Choose what starts now: oldest first, up to ``max_running``; manual runs are not held back by it."""
    busy = sum(one.alive or one.handed for one in observed.active)
    waiting = [one.execution for one in observed.active if not (one.claimed or one.handed)]
    waiting = [one for one in waiting if one.status is Status.TRIGGERED] + list(begin)
    waiting.sort(key=lambda one: (one.trigger_time, one.id))
    chosen = []
    for execution in waiting:
        if execution.trigger is Trigger.MANUAL or busy < desired.max_running:
            chosen.append(execution.id)
            busy += 1
    return tuple(chosen)


@dataclass(frozen=True, slots=True)
class _Case:
    """One process with a track: everything its decision depends on."""

    name: str
    desired: Desired
    target: Target | None
    track: Track
    records: Sequence[Execution]
    now: datetime

    def execution(self, execution_id: str, reason: str, trigger_time: datetime) -> Execution:
        """A scheduled execution of this process, at the version now in force (or none, where the process is gone)."""
        target = self.target
        service = target.service if target else next((one.service for one in self.records), "default")
        return Execution(
            id=execution_id,
            service=service,
            name=self.name,
            environment=self.desired.environment,
            trigger=Trigger.SCHEDULED,
            reason=reason,
            trigger_time=trigger_time,
            version=target.version if target else None,
            commit=target.commit if target else self.desired.commit,
            host=self.desired.host,
        )


@dataclass(frozen=True, slots=True)
class _Decision:
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


def _decide(case: _Case) -> _Decision:
    schedule = Schedule.of(case.track.schedule, case.name)
    edited = case.target is None or case.target.schedule != case.track.schedule
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
            execution_id = slot_id(case.desired.environment, case.name, decided)
            begin.append(case.execution(execution_id, schedule.reason(decided), decided))
            continue
        gap = _gap(slots)
        if label.open and not edited and case.now < gap.first + GAP_FLUSH:
            wake = gap.first + GAP_FLUSH
            break
        gaps.append(_gap_record(case, schedule, gap, label))
        decided = gap.last
    if case.target is None:
        return _Decision(begin, gaps, None)
    if edited:
        return _Decision(begin, gaps, Track(case.target.schedule, since=case.now, decided=case.now))
    return _Decision(begin, gaps, Track(case.track.schedule, case.track.since, decided), wake)


def _labelled(schedule: Schedule, case: _Case) -> Iterator[tuple[datetime, _Label | None]]:
    """Pair each due slot with why it does not run; ``None`` means that it runs: only the last (``catchup: latest``)."""
    own = {one.trigger_time for one in case.records if one.trigger is Trigger.SCHEDULED and one.gap is None}
    gaps = [(one.gap.first, one.gap.last) for one in case.records if one.gap is not None]
    runs = [one for one in case.records if one.outcome not in NEVER_RAN]
    oldest = case.now - case.desired.catchup_window
    due = schedule.between(case.track.decided, case.now)
    slot = next(due, None)
    while slot is not None:
        later = next(due, None)
        if slot in own or any(first <= slot <= last for first, last in gaps):
            label: _Label | None = _RECORDED
        else:
            label = _obstacle(slot, case, runs, oldest)
        if label is None and later is not None:
            label = _SUPERSEDED
        elif label is None:
            busy = next((one.id for one in runs if not one.ended), None)
            label = _Label(Outcome.SKIPPED, f"Skipped: execution {busy} was running") if busy else None
        yield slot, label
        slot = later


def _obstacle(slot: datetime, case: _Case, runs: Sequence[Execution], oldest: datetime) -> _Label | None:
    if case.target is None:
        return _Label(Outcome.MISSED, "Missed: the process was removed, disabled or moved to another environment")
    if case.target.held is not None:
        return _Label(Outcome.SKIPPED, f"Held: {case.target.held}", open=True)
    for one in runs:
        begun = one.trigger_time if one.trigger is Trigger.SCHEDULED else one.start or one.trigger_time
        if begun <= slot and (one.end is None or slot < one.end):
            return _Label(Outcome.SKIPPED, f"Skipped: execution {one.id} was still running", open=not one.ended)
    if slot < oldest:
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


def _gap_record(case: _Case, schedule: Schedule, gap: Gap, label: _Label) -> Execution:
    record = case.execution(
        gap_id(case.desired.environment, case.name, gap.first), schedule.reason(gap.first), gap.first
    )
    return replace(finish(record, label.outcome, case.now, label.message), gap=gap)
