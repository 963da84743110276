"""What the view answers, as plain dicts: the command line's ``-o json`` prints the same ones from the same functions.

Nothing here knows of HTTP. Parameters are what ``query.parse`` takes. A process in a list or by its name is the one in
force; by a number or a commit id it is what the file says there, valid or not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import reconciler
from reconciler import instant, names, query, record
from reconciler.errors import NotFoundError, UsageError
from reconciler.reference import Kind, Reference
from reconciler.repo.repository import Repository
from reconciler.store import records
from reconciler.store.catalog import ProcessRow
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.store.rows import COLUMNS, Row
from reconciler.version import Version
from reconciler.web import declared
from reconciler.web.declared import Declaration

API = "v1"
TYPE = "VarProcess"
Document = dict[str, Any]
Parameters = Iterable[tuple[str, str]]
_DEFAULTS: Mapping[str, Any] = {"service": "default", "enabled": True}
"""What filters see of a process whose file leaves these out; answers show the file."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list, and how many there are on all pages (``x-total-count``)."""

    items: list[Document]
    total: int


def build(index: Index, service: str, ref: str) -> Document:
    """Give the build information of a service, and what it serves: the followed ref, the commit applied last."""
    return {
        "service": service,
        "version": reconciler.__version__,
        "api": API,
        "commit": declared.applied(index),
        "ref": ref,
        "environment": index.environment,
    }


def processes(index: Index, parameters: Parameters, now: datetime) -> Listing:
    """List the processes of the applied commit by name."""
    asked = query.parse(parameters)
    versions, zone = index.versions_in_force(), declared.timezone(index)
    # Next runs cost more than all the rest, so only a filter on them asks for those of processes not on the page.
    all_runs = any(condition.path[0] == "nextRun" for condition in asked.conditions)

    def document(row: ProcessRow, *, with_run: bool) -> Document:
        """Give one process, for the page or only to ask whether it is wanted."""
        next_run = _next_run(index, row, zone, now) if with_run else None
        return _process(row, versions.get(row.name), next_run)

    rows = [row for row in index.processes() if asked.matches({**_DEFAULTS, **document(row, with_run=all_runs)})]
    return Listing([document(row, with_run=True) for row in asked.page(rows)], len(rows))


def process(index: Index, repository: Repository, reference: Reference, now: datetime) -> Document:
    """Give one process: the one in force, or by the reference's number or commit id what the file says there.

    ``NotFoundError`` where the name, the version, or the file at that commit does not exist.
    """
    if reference.kind is Kind.NAMED:
        found = declared.at_commit(index, repository, reference)
        row, version = index.process(reference.name), found.version
        if row is None or version is None or version.number != row.version:
            return _declaration(reference.name, found)
    else:
        row = known(index, reference.name)
        version = _version(index, row, reference.number)
        if version is not None and version.number != row.version:
            return _declaration(row.name, declared.read(repository, version.commit, version.path, version))
    return _process(row, version, _next_run(index, row, declared.timezone(index), now))


def versions(index: Index, name: str, parameters: Parameters = ()) -> Listing:
    """List the versions of a process, newest first."""
    row = known(index, name)
    asked = query.parse(parameters)
    documents = [
        {"_id": name if one.number == row.version else one.commit, "_type": TYPE, "name": name}
        | _meta(one)
        | {"path": one.path, "subject": one.subject}
        for one in index.versions(name)
    ]
    found = [document for document in documents if asked.matches(document)]
    return Listing(list(asked.page(found)), len(found))


def executions(index: Index, parameters: Parameters) -> Listing:
    """List execution records as the index has them, newest first."""
    asked = query.parse(parameters)
    where, values = asked.to_sql("document", COLUMNS)
    rows = index.executions(where, values, limit=asked.limit, skip=asked.skip)
    return Listing([row.document for row in rows], index.count(where, values))


def execution(index: Index, layout: Layout, execution_id: str) -> Document:
    """Give one record. Until it has ended its file is read: the index may be a moment behind the truth."""
    if not names.is_execution(execution_id):
        todo = "give the whole id, as `procctl executions` shows it"
        raise UsageError(f"{execution_id[:80]!r} is no execution id", todo=todo)
    row = index.execution(execution_id)
    if row is None:
        todo = "see `procctl executions`; a run that was asked for has no record before a reconciler takes it up"
        raise NotFoundError(f"there is no execution {execution_id}", todo=todo)
    return _fresh(row, layout)


def known(index: Index, name: str) -> ProcessRow:
    """Find a process of the applied commit; ``NotFoundError`` hints at the spelling, as names differ by case."""
    row = index.process(name)
    if row is None or row.name != name:
        todo = f"names are case-sensitive: there is {row.name}" if row else "see `procctl list`"
        raise NotFoundError(f"there is no process {name}", todo=todo)
    return row


def _version(index: Index, row: ProcessRow, number: int | None) -> Version | None:
    """Find a version by its number, or the one in force."""
    wanted = row.version if number is None else number
    found = next((one for one in index.versions(row.name) if one.number == wanted), None)
    if found is None and number is not None:
        raise NotFoundError(f"{row.name} has no version {number}", todo=f"its versions are at {row.name}/*")
    return found


def _next_run(index: Index, row: ProcessRow, zone: str, now: datetime) -> datetime | None:
    schedule = declared.schedule(row, index.environment, zone)
    return schedule.next(now) if schedule is not None else None


def _process(row: ProcessRow, version: Version | None, next_run: datetime | None) -> Document:
    document = {"_id": row.name, "_type": TYPE, "name": row.name, **(row.document or {}), **_meta(version)}
    if next_run is not None:
        document["nextRun"] = instant.text(next_run)
    if row.problems:
        document["problems"] = [problem.to_document() for problem in row.problems]
    return document


def _declaration(name: str, found: Declaration) -> Document:
    """Show what a file said at a commit: under the commit's id, with the file's own problems."""
    version = found.version
    commit = version.commit if version is not None else found.commit
    meta = _meta(version) if version is not None else {"_oid": commit, "_tag": []}
    # The file may be of any shape: what it says of itself neither comes first nor wins.
    head = {"_id": commit, "_type": TYPE, "name": name}
    document = {**head, **found.document, **head, **meta}
    if found.problems:
        document["problems"] = [problem.to_document() for problem in found.problems]
    return document


def _meta(version: Version | None) -> Document:
    if version is None:
        return {}
    return {
        "_version": version.number,
        "_oid": version.commit,
        "_timestamp": instant.text(version.time),
        "_user": version.author,
        "_tag": [],
    }


def _fresh(row: Row, layout: Layout) -> Document:
    if "end" in row.document:
        return row.document
    try:
        return record.to_document(records.read(layout.below(row.path)))
    except (OSError, ValueError):  # removed, or not readable now: what the index has is the best there is
        return row.document
