"""What runs now, re-read at each turn: claims, the records of executions that have not ended, and who is alive.

Only executions that are not over are looked at, and of those that wait only as many as could start, so a turn costs
what runs, never what has been or will be. Nothing here counts: how much runs is read off records and claims that exist.
"""

import os
from bisect import insort
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from reconciler.execution import Execution, Status, Trigger
from reconciler.reconcile import Active
from reconciler.store import claims, files, records
from reconciler.store.claims import Claim
from reconciler.store.layout import Layout
from reconciler.store.rows import Row

HANDED = timedelta(seconds=30)
"""How long an executor may take until a runner's claim appears; after that the execution is handed out again."""

SHOWN = timedelta(milliseconds=500)
"""How far readers of the index may lag behind the record of an execution that runs."""


@dataclass(slots=True)
class _Entry:
    """One execution that is not over: what of its record matters to a plan, and the stamp of the file as last read.

    ``unshown`` is since when the index does not have what the record says.
    """

    execution: Execution
    path: str
    stamp: tuple[int, int, int] | None = None
    claim: Claim | None = None
    handed: datetime | None = None
    unshown: datetime | None = None


@dataclass(slots=True)
class Seen:
    """What a look found: rows for the index, and the processes of which an execution ended."""

    rows: list[Row] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)


class Activity:
    """The executions of one environment that are not over."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._prefix = len(os.fspath(layout.records)) + 1
        self._waiting: list[tuple[datetime, str]] = []
        self._entries: dict[str, _Entry] = {}
        self._begun: dict[str, _Entry] = {}
        self._looked: datetime | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, execution_id: str) -> bool:
        return execution_id in self._entries

    def add(self, execution: Execution) -> None:
        """Watch an execution whose record exists."""
        if execution.ended or execution.id in self._entries:
            return
        entry = self._entries[execution.id] = _Entry(execution, os.fspath(self._layout.record(execution)))
        if execution.status is Status.TRIGGERED:
            insort(self._waiting, (execution.trigger_time, execution.id))
        else:
            self._begun[execution.id] = entry

    def hand(self, execution_id: str, now: datetime) -> Execution:
        """Note that an execution goes to an executor now, and give it."""
        entry = self._entries[execution_id]
        entry.handed = now
        self._begin(entry)
        return entry.execution

    def forget(self, execution_id: str) -> None:
        """Watch an execution no longer: it has ended."""
        entry = self._entries.pop(execution_id)
        self._begin(entry)
        self._begun.pop(execution_id)

    def get(self, execution_id: str) -> Execution:
        """An execution as its record was last read."""
        return self._entries[execution_id].execution

    def look(self, now: datetime) -> Seen:
        """Re-read claims, and the records of what has begun."""
        claimed = set(claims.ids(self._layout))
        for execution_id in claimed - self._begun.keys():
            self._adopt(execution_id)
        seen, self._looked = Seen(), now
        for execution_id, entry in list(self._begun.items()):
            if execution_id not in claimed:
                entry.claim = None
            elif entry.claim is None:
                entry.claim = claims.read(self._layout, execution_id)
            self._read(entry, now, seen)
            if entry.claim is None and entry.execution.status is Status.RUNNING:
                # it may have been claimed since the claims were listed; a claim that is gone now came to its end
                entry.claim = claims.read(self._layout, execution_id)
        return seen

    def active(self, now: datetime, most: int) -> list[Active]:
        """Everything that has begun, and of what waits all manual runs and the first ``most`` others."""
        begun = [
            Active(
                entry.execution,
                claimed=entry.claim is not None or entry.execution.status is Status.RUNNING,
                alive=entry.claim is not None and claims.alive(entry.claim),
                handed=entry.claim is None and entry.handed is not None and now - entry.handed < HANDED,
            )
            for entry in self._begun.values()
        ]
        waiting = [self._entries[execution_id].execution for _, execution_id in self._waiting]
        others = (execution for execution in waiting if execution.trigger is not Trigger.MANUAL)
        manual = (execution for execution in waiting if execution.trigger is Trigger.MANUAL)
        return begun + [Active(execution) for execution in (*manual, *islice(others, most))]

    def next(self) -> datetime | None:
        """When to look again at what runs, though nobody sends word: readers want to see its progress."""
        return self._looked + SHOWN if self._begun and self._looked else None

    @property
    def crowded(self) -> bool:
        """Whether something waits for something else to end."""
        return bool(self._waiting)

    def _begin(self, entry: _Entry) -> None:
        key = (entry.execution.trigger_time, entry.execution.id)
        if entry.execution.id not in self._begun:
            self._waiting.remove(key)
            self._begun[entry.execution.id] = entry

    def _adopt(self, execution_id: str) -> None:
        """Watch an execution that somebody else began: ``procctl run``, ``cancel``, or this one's predecessor."""
        known = self._entries.get(execution_id)
        if known is not None:
            self._begin(known)
            return
        claim = claims.read(self._layout, execution_id)
        path = Path(claim.record) if claim else None
        if path is None or not path.is_relative_to(self._layout.records):
            return
        try:
            execution = records.read(path)
        except (OSError, ValueError):
            return  # a claim without a readable record tells nothing; the record's reader reports it
        if not execution.ended and execution.id == execution_id:
            entry = self._entries[execution_id] = self._begun[execution_id] = _Entry(execution, os.fspath(path))
            entry.claim = claim

    def _read(self, entry: _Entry, now: datetime, seen: Seen) -> None:
        """Read a record again if its file changed; what runs is shown to readers a little later."""
        try:
            status = os.stat(entry.path)  # noqa: PTH116 - half the price of Path.stat, at every turn
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            if stamp == entry.stamp and (entry.unshown is None or now - entry.unshown < SHOWN):
                return
            data, status = files.load(entry.path, records.LARGEST)
            path = entry.path[self._prefix :]
            standing = Status(records.load(data, path)["status"])
            entry.unshown = entry.unshown or now
            if standing not in (Status.TRIGGERED, Status.RUNNING) or now - entry.unshown >= SHOWN:
                seen.rows.append(Row.of(path, data, mtime_ns=status.st_mtime_ns, size=status.st_size))
                entry.unshown = None
        except (OSError, ValueError, KeyError):
            return  # somebody removed or broke it by hand: what was last read stands
        entry.stamp = stamp
        if standing is not entry.execution.status:
            entry.execution = replace(entry.execution, status=standing)
        if entry.execution.ended:
            seen.ended.add(entry.execution.name)
            self.forget(entry.execution.id)
