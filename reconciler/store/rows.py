"""A record as the index keeps it: its text, where it lies, and the columns that are cut out of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler import instant, names, record
from reconciler.conditions import Column, Source
from reconciler.execution import NEXT, Execution, Outcome, Status, Trigger
from reconciler.fieldpath import Kind
from reconciler.store import records
from reconciler.store.layout import original

_DOCUMENT = "(SELECT document FROM documents WHERE documents.path = executions.path)"
SOURCE = Source(
    "gist",
    {
        "_id": Column("id"),
        "name": Column("name"),
        "service": Column("service"),
        "environment": Column("+environment"),  # the plus keeps SQLite from sorting all of an environment for one page
        "trigger": Column("trigger_kind"),
        "status": Column("status"),
        "outcome": Column("outcome"),
        "start": Column("happened", Kind.INSTANT, present="start_time IS NOT NULL"),
        "end": Column("end_time", Kind.INSTANT),
        "triggerTime": Column("trigger_time", Kind.INSTANT),
        "message": Column("message"),
        "reason": Column("reason"),
        "runAs": Column("run_as"),
        "version": Column("version", Kind.NUMBER),
        "commit": Column("commit_id"),
        "tag": Column("tag"),
        "parentId": Column("parent_id"),
        "host": Column("host"),
    },
    details={("data",): _DOCUMENT, ("phases", "log"): _DOCUMENT},
    searched="id || char(10) || name || char(10) || message || char(10) || reason",
    order={"start": "happened"},
    compact=True,
)
"""Where a query finds the fields of records. What has not started sorts by ``start`` as if it had when it was due."""

_REQUIRED = ("_id", "name", "service", "environment", "trigger", "status", "message", "reason")
_OPTIONAL = ("outcome", "runAs", "commit", "tag", "parentId", "host")
_DETAILS = {"phases", "notRun", "data"}
_COPIED = {*SOURCE.columns, "data"}
_GISTS = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
_LENGTH = len("2021-07-01T16:30:07.858Z")
_MOST_VERSIONS = 2**63
_STILL = "9"
"""``reach`` of what has not ended: after every instant."""
_REACH = -2
"""Where ``reach`` stands among the columns."""


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
        """Read a record's bytes; ``ValueError`` where they are no record or not the one of this path.

        Of a record that has ended only what becomes a column is looked at: a rebuild reads millions of them.
        """
        document = records.load(data, path)
        try:
            text = data.decode()
            columns = (*_columns(document, path), _gist(document, text))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path} is no record: {type(error).__name__}: {error}") from error
        if columns[_REACH] == _STILL:
            records.parse(data, path)
        return cls(path, text, mtime_ns, size, published, columns)

    @property
    def document(self) -> dict[str, Any]:
        """The record's JSON document."""
        document: dict[str, Any] = json.loads(self.text)
        return document

    @property
    def execution(self) -> Execution:
        """The record as a value; ``ValueError`` where its phases are none."""
        return records.parse(self.text.encode(), self.path)

    @property
    def outline(self) -> Execution:
        """The record as a value without its phases and data: cheap, and never in vain."""
        document = self.document
        return record.from_document({key: document[key] for key in document.keys() - _DETAILS})

    @property
    def ended(self) -> bool:
        """Whether the record is final; of a row that was read from a record's bytes (``of``)."""
        return bool(self.columns) and self.columns[_REACH] != _STILL

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


def _columns(document: Mapping[str, Any], path: str) -> tuple[Any, ...]:
    """Cut out the columns, in the order of ``index.sql`` from ``id`` to ``reach``; any ``ValueError`` and the like."""
    required = [document[key] for key in _REQUIRED]
    optional = [document.get(key) for key in _OPTIONAL]
    execution_id, name, service, environment, trigger, status, message, reason = required
    outcome, run_as, commit, tag, parent_id, host = optional
    # no text, a lone surrogate: TypeError, UnicodeEncodeError
    "".join([*required, *(text for text in optional if text is not None)]).encode()
    ended = not NEXT[Status(status)]
    trigger_time = _canonical(document.get("triggerTime") or document["start"])
    start, end = (_canonical(document[key]) if document.get(key) else None for key in ("start", "end"))
    last = _canonical(document["gap"]["last"]) if document.get("gap") else trigger_time
    version = document.get("version")
    if not (names.is_execution(execution_id) and names.is_process(name) and names.is_environment(environment)):
        raise ValueError("its id, name or environment is none")
    if not original(path) == _path(name, execution_id, trigger_time):
        raise ValueError("its name, id or time is not what its path says")
    if ended != (end is not None) or ended != bool(outcome and Outcome(outcome)):
        raise ValueError("its status, outcome and end do not go together")
    if version is not None and not (isinstance(version, int) and 0 <= version < _MOST_VERSIONS):
        raise ValueError("its version is no number")
    return (
        execution_id,
        name,
        service,
        environment,
        str(Trigger(trigger)),
        status,
        outcome,
        start,
        end,
        trigger_time,
        message,
        reason,
        run_as,
        version,
        commit,
        tag,
        parent_id,
        host,
        _seconds(start, end) if start and end else None,
        start or trigger_time,
        max(end, last) if end else _STILL,
    )


def _gist(document: Mapping[str, Any], text: str) -> str:
    """Write what no column copies, without logs and data: a tenth of a record, which is all that most queries read."""
    kept = {key: value for key, value in document.items() if key not in _COPIED}
    phases = kept.get("phases")
    if isinstance(phases, list):
        kept["phases"] = [
            {key: value for key, value in phase.items() if key != "log"} if isinstance(phase, dict) else phase
            for phase in phases
        ]
    try:
        written = _GISTS.encode(kept)
        written.encode()
    except ValueError:  # half a character or a number beyond all bounds: the text has ways to write them
        return f" {text}"
    return written


def _path(name: str, execution_id: str, at: str) -> str:
    """Build the path of a record (``record.path``) from text alone."""
    day, time = at[:10].replace("-", "/"), at[11:19].replace(":", "")
    return f"{day}/{name}/{time}-{execution_id[:8]}.json"


def _canonical(written: str) -> str:
    """Write an instant as records do, so that instants sort as texts."""
    if len(written) == _LENGTH and written[-1] == "Z":
        datetime.fromisoformat(written)
        return written
    return instant.text(instant.parse(written))


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
