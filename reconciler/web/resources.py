"""What the view answers, as plain dicts: the command line's ``-o json`` prints the same ones from the same functions.

Nothing here knows of HTTP. Parameters are what ``query.parse`` takes. A process in a list or by its name is the one in
force; by a number, a tag or a commit id it is what the file says there, valid or not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import reconciler
from reconciler import instant, names, query, record
from reconciler.errors import NotFoundError, UsageError
from reconciler.query import Query
from reconciler.reference import Kind, Reference
from reconciler.repo.repository import Repository
from reconciler.store import records
from reconciler.store.catalog import ProcessRow
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.store.rows import Row
from reconciler.sync import naming, references
from reconciler.sync.references import Picked
from reconciler.version import Version
from reconciler.web import declared, listing, versions
from reconciler.web.listing import TYPE, Document, Listing, Parameters

API = "v1"
DELETED = "_deleted"
"""The parameter of the list of versions that adds those that are gone."""
_DEFAULTS: Mapping[str, Any] = {"service": "default", "enabled": True}
"""What filters see of a process whose file leaves these out; answers show the file."""
_PAGING = frozenset({"_limit", "_skip"})
_OURS = frozenset({"nextRun", "problems", "_deleted"})
"""Keys beside those of every answer that no valid file has."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One process as an answer shows it. ``lasting``: it is addressed by a commit, and will never be another answer."""

    document: Document
    lasting: bool = False


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


def processes(
    index: Index, repository: Repository, parameters: Parameters, now: datetime, *, tags: bool = True
) -> Listing:
    """List the processes of the applied commit by name; without ``tags``, they cost the least."""
    parameters = list(parameters)
    asked = query.parse(parameters)
    in_force, zone = index.versions_in_force(), declared.timezone(index)
    # Next runs and tags cost more than all the rest: unless they are asked about, only the page's are found out.
    with_run, with_tags = asked.asks_about("nextRun"), asked.asks_about("_tag")
    named = naming.all_tags(repository, index) if with_tags else {}

    def document(row: ProcessRow, *, with_run: bool = with_run) -> Document:
        """Give one process, for the page or only to ask whether it is wanted."""
        next_run = _next_run(index, row, zone, now) if with_run else None
        version = in_force.get(row.name)
        return _process(row, version, _named(named.get(row.name, {}), version), next_run)

    rows: Sequence[ProcessRow] = index.processes()
    if any(key not in _PAGING for key, _ in parameters):
        rows = asked.select(rows, lambda row: {**_DEFAULTS, **document(row)})
    if asked.summary is not None:
        return _values(asked, asked.summary.of({**_DEFAULTS, **document(row)} for row in rows))
    page = asked.page(rows)
    if tags and not with_tags:
        named = naming.all_tags(repository, index, [row.name for row in page])
    return Listing([asked.shown(document(row, with_run=True)) for row in page], len(rows))


def process(index: Index, repository: Repository, reference: Reference, now: datetime) -> Shown:
    """Give one process: the one in force, or what its file says at the commit that a reference picks.

    ``NotFoundError`` where the name, the version, the tag or the commit does not exist, or the file is not there at
    that commit; ``GoneError`` where the version, or all of the process, was deleted.
    """
    name = reference.name
    row = index.process(name)
    if row is not None and row.name != name:
        row = None
    if reference.kind is Kind.LATEST and row is not None:
        return Shown(_in_force(index, repository, row, now))
    picked = references.pick(repository, index, reference)
    version = picked.version
    lasting = picked.tag is None and reference.value == picked.commit and version is not None
    if not lasting and row is not None and version is not None and version.live and version.number == row.version:
        return Shown(_in_force(index, repository, row, now))
    at = picked.commit if version is None else version.commit
    found = declared.read(repository, picked.commit, picked.path)
    head = {"_id": at, "_type": TYPE, "name": name}
    # The file may be of any shape: what it says of itself neither comes first nor wins.
    document = {**head, **{key: value for key, value in found.document.items() if key not in _OURS}, **head}
    if lasting:
        document |= listing.meta(version, ())
        del document["_tag"]
        return Shown(document, lasting=True)
    document |= _meta_of(index, repository, picked)
    if found.problems:
        document["problems"] = [problem.to_document() for problem in found.problems]
    return Shown(document)


def history(index: Index, repository: Repository, name: str, parameters: Parameters = ()) -> Listing:
    """List the versions of a process, newest first; the parameter ``_deleted`` adds those that are gone.

    ``NotFoundError`` where there never was such a process, ``GoneError`` where all is gone and not asked for.
    """
    deleted, rest = _with_deleted(parameters)
    asked = query.parse(rest)
    if all(key in _PAGING for key, _ in rest):  # nothing is asked of documents, so only the page's are read
        page = versions.history(index, repository, name, deleted=deleted, page=(asked.skip, asked.limit))
        return Listing([page.document(one) for one in page.versions], page.total)
    made = versions.history(index, repository, name, deleted=deleted)
    found = asked.select(map(made.document, made.versions), lambda one: one)
    if asked.summary is not None:
        return _values(asked, asked.summary.of(found))
    return Listing([asked.shown(one) for one in asked.page(found)], len(found))


def executions(index: Index, parameters: Parameters) -> Listing:
    """List execution records as the index has them, newest first."""
    asked = query.parse(parameters)
    if asked.summary is not None:
        return _values(asked, index.summarize(asked))
    rows, total = index.find(asked)
    return Listing([asked.shown(row.document) for row in rows], total)


def _values(asked: Query, found: Sequence[Any]) -> Listing:
    """List the values that a query asked for instead of documents."""
    return Listing(list(asked.page(found)), len(found))


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
    """Find a process of the applied commit; ``NotFoundError`` says what there is, ``GoneError`` that it was deleted."""
    row = index.process(name)
    if row is None or row.name != name:
        references.current(index, name)
        raise NotFoundError(f"there is no process {name}", todo="see `procctl list`")
    return row


def _with_deleted(parameters: Parameters) -> tuple[bool, list[tuple[str, str]]]:
    given = list(parameters)
    words = [value for key, value in given if key == DELETED] or ["false"]
    if len(words) > 1 or words[0] not in ("true", "false"):
        raise UsageError("not true or false", where=f"parameter {DELETED}", todo="give it once: true or false")
    return words[0] == "true", [(key, value) for key, value in given if key != DELETED]


def _in_force(index: Index, repository: Repository, row: ProcessRow, now: datetime) -> Document:
    version = next((one for one in index.versions(row.name) if one.number == row.version), None)
    named = naming.tags_of(repository, index, row.name) if version is not None else {}
    next_run = _next_run(index, row, declared.timezone(index), now)
    return _process(row, version, _named(named, version), next_run)


def _next_run(index: Index, row: ProcessRow, zone: str, now: datetime) -> datetime | None:
    schedule = declared.schedule(row, index.environment, zone)
    return schedule.next(now) if schedule is not None else None


def _process(row: ProcessRow, version: Version | None, named: Sequence[str], next_run: datetime | None) -> Document:
    head = {"_id": row.name, "_type": TYPE, "name": row.name}
    document = {**head, **(row.document or {}), **listing.meta(version, named)}
    if next_run is not None:
        document["nextRun"] = instant.text(next_run)
    if row.problems:
        document["problems"] = [problem.to_document() for problem in row.problems]
    return document


def _meta_of(index: Index, repository: Repository, picked: Picked) -> Document:
    """Say which version was picked, and the tags that name it: off the history, those of its very commit."""
    if picked.version is not None:
        named = naming.tags_of(repository, index, picked.name)
        return listing.meta(picked.version, _named(named, picked.version)) | listing.gone(picked.version)
    found = naming.named(repository, index, picked.name)
    return {"_oid": picked.commit, "_tag": sorted(text for text, tag in found.items() if tag.commit == picked.commit)}


def _named(named: Mapping[int, Sequence[str]], version: Version | None) -> Sequence[str]:
    return named.get(version.number, ()) if version is not None else ()


def _fresh(row: Row, layout: Layout) -> Document:
    if "end" in row.document:
        return row.document
    try:
        return record.to_document(records.read(layout.below(row.path)))
    except (OSError, ValueError):  # removed, or not readable now: what the index has is the best there is
        return row.document
