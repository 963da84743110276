"""A record as the index keeps it: its text, where it lies, and the columns that are cut out of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler import instant, record
from reconciler.execution import Execution, Trigger
from reconciler.store import records

COLUMNS: Mapping[str, str] = {
    "_id": "id",
    "name": "name",
    "service": "service",
    "environment": "environment",
    "trigger": "trigger_kind",
    "status": "status",
    "outcome": "outcome",
    "start": "start_time",
    "end": "end_time",
    "triggerTime": "trigger_time",
    "reason": "reason",
    "runAs": "run_as",
    "commit": "commit_id",
    "tag": "tag",
    "parentId": "parent_id",
    "host": "host",
}
"""Text columns by the field of the record that they copy (``query.Query.to_sql``)."""

_STILL = "9"
"""``reach`` of what has not ended: after every instant."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record in the index. ``path`` is below ``executions/``; a double's has ``~<host>`` in it.

    ``text`` is the record's JSON as it lies in the file or on the branch. ``mtime_ns`` and ``size`` are the file's, 0
    where there is none on this machine. ``published``: the branch has it.
    """

    path: str
    text: str
    mtime_ns: int = 0
    size: int = 0
    published: bool = False
    columns: tuple[Any, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def of(cls, path: str, data: bytes, *, mtime_ns: int = 0, size: int = 0, published: bool = False) -> "Row":
        """Read a record's bytes; ``ValueError`` where they are no record or not the one of this path."""
        execution = records.parse(data, path)
        return cls(path, data.decode(), mtime_ns, size, published, _columns(execution))

    @property
    def document(self) -> dict[str, Any]:
        """The record's JSON document."""
        document: dict[str, Any] = json.loads(self.text)
        return document

    @property
    def execution(self) -> Execution:
        """The record as a value."""
        return record.from_document(self.document)

    @property
    def double(self) -> bool:
        """Whether another record of the same path was on the branch first."""
        return "~" in self.path


@dataclass(frozen=True, slots=True)
class Brief:
    """What lists show of an execution without reading its record."""

    name: str
    id: str
    path: str
    status: str
    outcome: str | None
    trigger_time: datetime
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Latest:
    """Of one process: the execution that ended last (records that never ran left out), and one that has not ended."""

    ended: Brief | None = None
    active: Brief | None = None


def _columns(execution: Execution) -> tuple[Any, ...]:
    """Cut out the columns, in the order of ``index.sql`` from ``id`` to ``reach``."""
    trigger_time, start, end = instant.text(execution.trigger_time), _text(execution.start), _text(execution.end)
    duration = (execution.end - execution.start).total_seconds() if execution.end and execution.start else None
    slot = trigger_time if execution.trigger is Trigger.SCHEDULED else ""
    if execution.gap is not None:
        slot = instant.text(execution.gap.last)
    return (
        execution.id,
        execution.name,
        execution.service,
        execution.environment,
        str(execution.trigger),
        str(execution.status),
        execution.outcome and str(execution.outcome),
        start,
        end,
        trigger_time,
        execution.reason,
        execution.run_as,
        execution.version,
        execution.commit,
        execution.tag,
        execution.parent_id,
        execution.host,
        duration,
        start or trigger_time,
        max(end or trigger_time, slot) if execution.ended else _STILL,
    )


def _text(at: datetime | None) -> str | None:
    return instant.text(at) if at else None
