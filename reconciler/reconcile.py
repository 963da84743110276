"""The heart: compare what git declares with what has run, and say what to do about the difference.

``plan`` is a pure function. The daemon gathers its arguments and applies its result; a dry run prints it. Its laws
(``tests/test_reconcile.py``): planning again after applying is empty; a disabled process starts nothing; a slot
never has two executions; every slot is in exactly one record, its own or one gap's (SPEC 10).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.decision import Case, Target, Track, decide
from reconciler.execution import Execution, Outcome, Status, Trigger, finish


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
                tracks[name] = Track.begin(target, now)
            continue
        case = Case(
            name=name,
            environment=desired.environment,
            host=desired.host,
            commit=desired.commit,
            target=target,
            track=track,
            records=observed.records.get(name, ()),
            oldest=now - desired.catchup_window,
            now=now,
        )
        decision = decide(case)
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
