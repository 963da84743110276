"""The dicts behind the pages of one process, of executions, and of one execution; HTML and JSON show the same."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from reconciler import cron, instant, names, query
from reconciler.errors import UsageError
from reconciler.process import Process
from reconciler.query import Query
from reconciler.reference import parse_reference
from reconciler.repo import objects
from reconciler.repo.repository import Repository
from reconciler.schedule import Schedule
from reconciler.store.catalog import ProcessRow
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.store.rows import Latest
from reconciler.sync import references
from reconciler.web import declared, overview, resources
from reconciler.web.wording import level, repeat, took

Document = dict[str, Any]
Pairs = Sequence[tuple[str, str]]
_RECENT = 15
_SLOTS = 5
_IDS = 200
_WIDTH = 1000
"""The length of the bar that shows when a phase ran, in units of its drawing."""
_FILTERS = (
    ("All", ()),
    ("Running", (("status", "running"),)),
    *(
        (outcome.capitalize(), (("outcome", outcome),))
        for outcome in ("success", "failed", "timeout", "cancelled", "interrupted", "missed", "skipped")
    ),
)


def process(index: Index, repository: Repository, name: str, parameters: Pairs, now: datetime) -> Document:
    """Give all about one process: how it stands, its file, versions, next slots and recent executions.

    Parameters are those of the list of versions; beside them ``version`` picks the file that is shown.
    """
    row = resources.known(index, name)
    rest, shown = _picked(index, repository, row, parameters)
    made = resources.history(index, repository, name, rest)
    listed = resources.executions(index, [("name", f"eq({name})"), ("_limit", str(_RECENT))])
    schedule = declared.schedule(row, index.environment, declared.timezone(index))
    slots = list(islice(_slots(schedule, now), _SLOTS)) if schedule else []
    address, deleted = f"/processes/{name}", (resources.DELETED, "true")
    return overview.entry(row, index.last_of([name]).get(name, Latest()), index.environment, now) | {
        "commit": row.commit or (declared.applied(index) if row.version is not None else None),
        "path": row.path,
        "nextRun": slots[0]["utc"] if slots else None,
        "timezone": schedule.timezone if schedule else None,
        "cron": _cron(row),
        "slots": slots,
        **shown,
        "run": f"procctl run {name}",
        "problems": [problem.to_document() for problem in row.problems],
        "versions": made.items,
        "page": pages(address, rest, query.parse_whole(one for one in rest if one[0] != resources.DELETED), made.total),
        "deleted": None if deleted in rest else link(address, [deleted]),
        "recent": [summary(one, index.environment, now) for one in listed.items],
    }


def executions(index: Index, parameters: Pairs, now: datetime) -> Document:
    """Give a page of executions, and the links to filter and to turn pages."""
    asked = query.parse_whole(parameters)
    listed = resources.executions(index, parameters)
    kept = [(key, value) for key, value in parameters if key not in ("status", "outcome", "_skip")]
    chosen = {(key, value) for key, value in parameters if key in ("status", "outcome")}
    return {
        "name": next((value for key, value in parameters if key == "name" and names.is_process(value)), None),
        "filters": [
            {"label": label, "href": link("/executions", [*kept, *pairs]), "current": set(pairs) == chosen}
            for label, pairs in _FILTERS
        ],
        "found": [summary(one, index.environment, now) for one in listed.items],
        "page": pages("/executions", parameters, asked, listed.total),
    }


def processes(status: Document, parameters: Pairs) -> Document:
    """Cut a page out of what ``overview.status`` gave."""
    asked = query.parse_whole(parameters)
    found = asked.select(status["processes"], lambda one: one)
    return status | {"processes": list(asked.page(found)), "page": pages("/", parameters, asked, len(found))}


def execution(index: Index, layout: Layout, execution_id: str, now: datetime) -> Document:
    """Give one record, with what a reader would work out from it: durations, levels, the command to repeat it."""
    document = resources.execution(index, layout, execution_id)
    start, end = _at(document.get("start")), _at(document.get("end")) or now
    return {
        "execution": document,
        "due": document.get("triggerTime") or document.get("start"),
        "outcome": document.get("outcome") or document["status"],
        "took": "" if "gap" in document else took(start, end),
        "repeat": "" if "gap" in document else repeat(document),
        "phases": [_phase(phase, start or end, end) for phase in document.get("phases", ())],
        "body": json.dumps(document["body"], indent=2, ensure_ascii=False) if "body" in document else "",
        "changed": _changed(document.get("data") or {}),
    }


def summary(document: Mapping[str, Any], environment: str, now: datetime) -> Document:
    """Give what lists show of a record."""
    kept = ("_id", "name", "trigger", "status", "message", "triggerTime", "start", "end")
    known = {key: document.get(key) for key in kept}
    start, end = _at(document.get("start")), _at(document.get("end")) or now
    return known | {
        "triggerTime": document.get("triggerTime") or document.get("start"),
        "outcome": document.get("outcome") or document["status"],
        "elsewhere": document["environment"] if document["environment"] != environment else None,
        "gap": "gap" in document,
        "took": "" if "gap" in document else took(start, end),
    }


def pages(path: str, parameters: Pairs, asked: Query, total: int) -> Document:
    """Give the links to the pages before and after one page of a list, and what it shows: ``first`` to ``last``."""
    limit = total if asked.limit == query.ALL else asked.limit
    rest = [(key, value) for key, value in parameters if key != "_skip"]
    before = [("_skip", str(asked.skip - limit))] if asked.skip > limit else []
    after = [("_skip", str(asked.skip + limit))]
    return {
        "total": total,
        "first": min(asked.skip + 1, total),
        "last": min(asked.skip + limit, total),
        "previous": link(path, rest + before) if asked.skip and limit else None,
        "next": link(path, rest + after) if asked.skip + limit < total and limit else None,
    }


def link(path: str, parameters: Pairs) -> str:
    """Write an address of this view."""
    return f"{path}?{urlencode(parameters)}" if parameters else path


def _phase(phase: Mapping[str, Any], start: datetime, end: datetime) -> Document:
    begun, ended = instant.parse(phase["start"]), _at(phase.get("end")) or end
    span = max((end - start).total_seconds(), 0.001)
    x = min(max(round((begun - start).total_seconds() / span * _WIDTH), 0), _WIDTH - 4)
    width = round((ended - begun).total_seconds() / span * _WIDTH)
    return {
        "name": phase["name"],
        "status": phase["status"],
        "message": phase["message"],
        "start": phase["start"],
        "took": took(begun, ended),
        "attempts": phase.get("attempts", 1),
        "exitCode": phase.get("exitCode"),
        "x": x,
        "width": min(max(width, 4), _WIDTH - x),
        "log": [{"level": level(line), "text": line} for line in phase.get("log", ())],
    }


def _changed(data: Mapping[str, Any]) -> list[Document]:
    """List what an execution changed, a row for each kind and date."""
    return [
        {"kind": kind, "date": day, "count": len(ids), "ids": ids[:_IDS], "more": max(len(ids) - _IDS, 0)}
        for kind in ("series", "curves")
        for day, ids in sorted((data.get(kind) or {}).items())
    ]


def _cron(row: ProcessRow) -> list[Document]:
    crons = Process(row.name, row.document).crons if row.document else ()
    return [{"expression": text, "words": cron.parse(text, row.name).describe()} for text in crons]


def _slots(schedule: Schedule, now: datetime) -> Iterator[Document]:
    zone = ZoneInfo(schedule.timezone)
    slot = schedule.next(now)
    while slot is not None:
        yield {"utc": instant.text(slot), "local": slot.astimezone(zone).isoformat(timespec="milliseconds")}
        slot = schedule.next(slot)


def _picked(
    index: Index, repository: Repository, row: ProcessRow, parameters: Pairs
) -> tuple[list[tuple[str, str]], Document]:
    """Give the file of the version that a parameter picks, else of the one in force, as it was written."""
    wanted = [value for key, value in parameters if key == "version"]
    rest = [(key, value) for key, value in parameters if key != "version"]
    if len(wanted) > 1:
        raise UsageError("given more than once", where="parameter version", todo="give one version")
    if not wanted:
        made = next((one for one in index.versions(row.name) if one.number == row.version), None)
        return rest, {"config": _text(repository, made.commit, made.path) if made else "", "chosen": None}
    picked = references.pick(repository, index, parse_reference(f"{row.name}@{wanted[0]}"))
    number = picked.version.number if picked.version else None
    chosen = {"version": number, "commit": picked.commit, "tag": picked.tag}
    return rest, {"config": _text(repository, picked.commit, picked.path), "chosen": chosen}


def _text(repository: Repository, commit: str, path: str) -> str:
    data = objects.read_file(repository, commit, path)
    return data.decode(errors="replace") if data is not None else ""


def _at(written: str | None) -> datetime | None:
    return instant.parse(written) if written else None
