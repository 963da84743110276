"""One execution as a frozen value, and the table of the steps it may take (SPEC 8).

Nothing here reads a clock: every instant is an argument. Missed, skipped, timed out, cancelled and interrupted are
outcomes, not absences.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class Trigger(StrEnum):
    """Why an execution exists."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    SUBSCRIPTION = "subscription"


class Status(StrEnum):
    """Where an execution stands; the service this descends from knows these four, and no others are written."""

    TRIGGERED = "triggered"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class Outcome(StrEnum):
    """How an execution ended, finer than its status."""

    SUCCESS = "success"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    MISSED = "missed"
    SKIPPED = "skipped"


NEVER_RAN = frozenset({Outcome.MISSED, Outcome.SKIPPED})
"""Outcomes of records that stand for slots which did not run."""

NEXT: Mapping[Status, frozenset[Status]] = {
    Status.TRIGGERED: frozenset({Status.RUNNING, Status.FAILED}),
    Status.RUNNING: frozenset({Status.SUCCESS, Status.FAILED}),
    Status.SUCCESS: frozenset(),
    Status.FAILED: frozenset(),
}
"""The steps an execution may take. ``triggered`` goes straight to ``failed`` where it never started."""


@dataclass(frozen=True, slots=True)
class PhaseRun:
    """One phase of one execution: its own times, log and attempts. ``attempts`` counts from 1."""

    name: str
    start: datetime
    status: Status
    message: str
    log: tuple[str, ...] = ()
    end: datetime | None = None
    attempts: int = 1
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Slots that did not run, in one record: the first, the last, how many, and the first hundred of them."""

    first: datetime
    last: datetime
    count: int
    slots: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of one process. The fields stand in the order of the record's keys (``record.to_document``)."""

    id: str
    service: str
    name: str
    environment: str
    trigger: Trigger
    reason: str
    trigger_time: datetime
    status: Status = Status.TRIGGERED
    outcome: Outcome | None = None
    message: str = "Initialising Process"
    start: datetime | None = None
    run_as: str | None = None
    version: int | None = None
    commit: str | None = None
    tag: str | None = None
    body: Any = None
    parent_id: str | None = None
    attempt: int | None = None
    host: str | None = None
    phases: tuple[PhaseRun, ...] = ()
    not_run: tuple[str, ...] = ()
    gap: Gap | None = None
    end: datetime | None = None
    loader_message: str | None = None
    data: Mapping[str, Any] | None = field(default=None)

    @property
    def ended(self) -> bool:
        """Whether the record is final."""
        return not NEXT[self.status]


def running(execution: Execution, at: datetime, *, host: str, run_as: str) -> Execution:
    """Begin the work of a triggered execution."""
    return _step(execution, Status.RUNNING, start=at, host=host, run_as=run_as)


def start_phase(execution: Execution, name: str, at: datetime) -> Execution:
    """Begin a phase; the execution's message names it."""
    message = f"Initialising Phase: {name}"
    phase = PhaseRun(name=name, start=at, status=Status.RUNNING, message=message)
    return replace(execution, phases=(*execution.phases, phase), message=message)


def change_phase(execution: Execution, index: int, **changes: Any) -> Execution:
    """Replace fields of one phase; a phase's message is the execution's too, unless the execution has ended."""
    phase = replace(execution.phases[index], **changes)
    phases = (*execution.phases[:index], phase, *execution.phases[index + 1 :])
    message = changes.get("message", execution.message)
    return replace(execution, phases=phases, message=message)


def finish(execution: Execution, outcome: Outcome, at: datetime, message: str | None = None) -> Execution:
    """End an execution, and with it the phases still running. ``message`` defaults to ``Completed Successfully``."""
    status = Status.SUCCESS if outcome is Outcome.SUCCESS else Status.FAILED
    message = message or ("Completed Successfully" if status is Status.SUCCESS else str(outcome))
    phases = tuple(
        replace(phase, status=status, message=message, end=at) if phase.end is None else phase
        for phase in execution.phases
    )
    start = execution.start or at
    return _step(execution, status, outcome=outcome, message=message, end=at, start=start, phases=phases)


def _step(execution: Execution, to: Status, **changes: Any) -> Execution:
    if to not in NEXT[execution.status]:
        raise ValueError(f"execution {execution.id} is {execution.status} and cannot become {to}")
    return replace(execution, status=to, **changes)
