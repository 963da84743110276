"""What runs now, re-read at each turn: claims, the records of executions that have not ended, and who is alive.

Only executions that are not over are looked at, so a turn costs what is active, never what has been. Nothing here
counts: how much runs is read off records and claims that exist.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from reconciler.execution import Execution, Status
from reconciler.reconcile import Active
from reconciler.store import claims, records
from reconciler.store.claims import Claim
from reconciler.store.layout import Layout

HANDED = timedelta(seconds=30)
"""How long an executor may take until a runner's claim appears; after that the execution is handed out again."""


_UNREAD = (0, 0, 0)


@dataclass(slots=True)
class _Entry:
    """One execution that is not over: its record as last read, and the stamp of the file it was read from."""

    execution: Execution
    path: Path
    stamp: tuple[int, int, int]
    claim: Claim | None = None
    handed: datetime | None = None


class Activity:
    """The executions of one environment that are not over. ``look`` re-reads them; ``report`` gives what changed."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._entries: dict[str, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, execution_id: str) -> bool:
        return execution_id in self._entries

    def add(self, execution: Execution) -> None:
        """Watch an execution whose record exists."""
        if not execution.ended and execution.id not in self._entries:
            path = self._layout.record(execution)
            self._entries[execution.id] = _Entry(execution, path, _stamp(path))

    def hand(self, execution_id: str, now: datetime) -> Execution:
        """Note that an execution goes to an executor now, and give it."""
        entry = self._entries[execution_id]
        entry.handed = now
        return entry.execution

    def forget(self, execution_id: str) -> None:
        """Watch an execution no longer: it has ended, by this reconciler's hand."""
        del self._entries[execution_id]

    def get(self, execution_id: str) -> Execution:
        """An execution as its record was last read."""
        return self._entries[execution_id].execution

    def claim(self, execution_id: str) -> Claim | None:
        """Who has taken an execution."""
        return self._entries[execution_id].claim

    def look(self) -> list[Execution]:
        """Re-read claims and records; give the executions whose record changed, those that ended for the last time."""
        claimed = {claim.execution: claim for claim in claims.all(self._layout)}
        for execution_id, claim in claimed.items():
            if execution_id not in self._entries:
                self._adopt(claim)
        changed = []
        for execution_id, entry in list(self._entries.items()):
            claim_now = claimed.get(execution_id)
            if entry.handed is None and claim_now is None and entry.claim is None and entry.stamp != _UNREAD:
                continue  # it waits: only a claim can change its record
            entry.claim = claim_now
            if self._read(entry):
                changed.append(entry.execution)
            if entry.execution.ended:
                del self._entries[execution_id]
        return changed

    def active(self, now: datetime) -> list[Active]:
        """Everything that is not over, as the plan wants to know it."""
        return [
            Active(
                entry.execution,
                claimed=entry.claim is not None or entry.execution.status is Status.RUNNING,
                alive=entry.claim is not None and claims.alive(entry.claim),
                handed=entry.claim is None and entry.handed is not None and now - entry.handed < HANDED,
            )
            for entry in self._entries.values()
        ]

    def _adopt(self, claim: Claim) -> None:
        """Watch an execution that somebody else began: ``procctl run``, or this reconciler's predecessor."""
        path = Path(claim.record)
        if not path.is_relative_to(self._layout.records):
            return
        try:
            execution = records.read(path)
        except (OSError, ValueError):
            return  # a claim without a readable record tells nothing; the record's reader reports it
        self._entries[execution.id] = _Entry(execution, path, _UNREAD, claim)

    def _read(self, entry: _Entry) -> bool:
        """Read a record again if its file changed; whether it did."""
        try:
            stamp = _stamp(entry.path)
            if stamp == entry.stamp:
                return False
            entry.execution, entry.stamp = records.read(entry.path), stamp
        except (OSError, ValueError):
            return False  # somebody removed or broke it by hand: what was last read stands
        return True


def _stamp(path: Path) -> tuple[int, int, int]:
    """What changes whenever a file is replaced."""
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
