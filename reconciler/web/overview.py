"""The state of a repository and of each of its processes: what ``procctl status`` prints and the first page shows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler import instant
from reconciler.execution import Status
from reconciler.problem import Severity
from reconciler.process import Process
from reconciler.repo import refs
from reconciler.repo.repository import Repository
from reconciler.store.catalog import ProcessRow
from reconciler.store.index import Index
from reconciler.store.rows import Brief, Latest
from reconciler.sync import applying
from reconciler.web import declared
from reconciler.web.wording import count, took

Document = dict[str, Any]


class State(StrEnum):
    """How one process stands, worst first: lists show them in this order."""

    INVALID = "invalid"
    HELD = "held"
    FAILED = "failed"
    RUNNING = "running"
    OK = "ok"
    NEW = "new"
    UNTAGGED = "untagged"
    ELSEWHERE = "elsewhere"
    DISABLED = "disabled"


DEGRADED = frozenset({State.INVALID, State.HELD, State.FAILED})
_ORDER = {state: place for place, state in enumerate(State)}
_LISTED = 5
NOT_YET = "the newest commit is not applied yet"


def status(index: Index, repository: Repository, ref: str, now: datetime) -> Document:
    """Say how the repository and its processes stand, those with problems first.

    ``state`` is ``Degraded`` (an error, a held process, or an enabled one whose last execution failed), else
    ``OutOfSync`` (the newest commit is not applied yet, or a process that it deletes is in force at its tag), else
    ``Synced``; ``reasons`` says why in words. ``follow`` is the tag that is followed, if one is.
    ``ignoredMarks`` are those that do not hold, newest first: they changed nothing, so they degrade nothing.
    """
    rows = index.processes()
    last = index.last_of(row.name for row in rows)
    processes = [entry(row, last.get(row.name, Latest()), index.environment, now) for row in rows]
    processes.sort(key=lambda one: _ORDER[one["state"]])
    commit, applied = refs.read(repository, ref), declared.applied(index)
    files = [problem for problem in index.problems() if problem.severity is Severity.ERROR]
    reasons = [*_degraded(processes), *([count(len(files), "error") + " in the applied commit"] if files else [])]
    state = "Degraded" if reasons else "Synced"
    left = [row.name for row in rows if row.tag is not None and row.unsynced is not None]
    unsynced = [f"deleted on the branch, and in force at a tag: {_names(left)}"] if left else []
    if commit != applied:
        unsynced.append(NOT_YET)
    reasons += unsynced
    state = "OutOfSync" if unsynced and state == "Synced" else state
    return {
        "state": state,
        "reasons": reasons,
        "environment": index.environment,
        "ref": ref,
        "follow": index.meta(applying.FOLLOW) or None,
        "commit": commit,
        "applied": applied,
        "problems": [problem.to_document() for problem in index.problems()],
        "ignoredMarks": [
            {"commit": one.commit, "mark": one.line, "why": one.why} for one in reversed(index.ignored_marks())
        ],
        "unpublished": index.count_unpublished(index.environment),
        "processes": processes,
    }


def add_next_runs(index: Index, entries: Iterable[Document], now: datetime) -> None:
    """Put ``nextRun`` into entries of ``status``: of those that are shown, as it takes longer than all the rest."""
    zone = declared.timezone(index)
    for one in entries:
        row = index.process(one["name"])
        schedule = row and declared.schedule(row, index.environment, zone)
        slot = schedule.next(now) if schedule else None
        one["nextRun"] = instant.text(slot) if slot else None


def entry(row: ProcessRow, latest: Latest, environment: str, now: datetime) -> Document:
    """Say how one process stands: its state, why, and its last execution."""
    state, why = _state(row, latest, environment)
    shown = latest.active or latest.ended
    return {
        "name": row.name,
        "description": str((row.document or {}).get("description", "")),
        "state": state,
        "why": why,
        "version": row.version,
        "commit": row.commit,
        "tag": row.tag,
        "last": _brief(shown, now) if shown else None,
        "nextRun": None,
    }


def _state(row: ProcessRow, latest: Latest, environment: str) -> tuple[State, str]:
    """Tell what is wrong with the declaration, else whether it is meant to run here, else how running went."""
    if row.document is None and row.tag is None and row.unsynced is not None:
        return State.UNTAGGED, row.unsynced
    if row.document is None:
        return State.INVALID, _first_error(row)
    process = Process(row.name, row.document)
    if not row.valid:
        found = State.INVALID, f"{_first_error(row)}; the last valid version stays in force"
    elif not process.enabled:
        found = State.DISABLED, ""
    elif process.environment not in (None, environment):
        found = State.ELSEWHERE, f"belongs to the environment {process.environment}"
    elif row.held is not None:
        found = State.HELD, next((problem.message for problem in row.problems if problem.holds), row.held)
    else:
        found = _ran(latest), row.unsynced or ""
    return found


def _ran(latest: Latest) -> State:
    if latest.active is not None:
        return State.RUNNING
    if latest.ended is None:
        return State.NEW
    return State.OK if latest.ended.status == Status.SUCCESS else State.FAILED


def _first_error(row: ProcessRow) -> str:
    found = [problem for problem in row.problems if problem.severity is Severity.ERROR]
    return found[0].message if found else "not valid"


def _degraded(processes: Iterable[Mapping[str, Any]]) -> list[str]:
    reasons = []
    for state in State:
        names = [one["name"] for one in processes if one["state"] == state]
        if state in DEGRADED and names:
            reasons.append(f"{state}: {_names(names)}")
    return reasons


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _brief(shown: Brief, now: datetime) -> Document:
    return {
        "_id": shown.id,
        "outcome": shown.outcome or shown.status,
        "triggerTime": instant.text(shown.trigger_time),
        "took": took(shown.start, shown.end or now),
    }
