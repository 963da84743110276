"""Finding the execution that a person means: by its id, the beginning of it, or the process that ran last."""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from reconciler.errors import NotFoundError, UsageError
from reconciler.store import requests
from reconciler.store.catalog import ProcessRow
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.store.requests import Request
from reconciler.store.rows import Row

_PREFIX = re.compile(r"[0-9a-f]{4}[0-9a-f-]{0,32}")
_FEW = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What an id names: a record, a request that has not become one yet, or both for a moment."""

    id: str
    row: Row | None
    request: Request | None


def execution(index: Index, layout: Layout, written: str) -> Found:
    """Find by an id or by 4 and more of its first digits.

    ``UsageError`` where the text is no id or begins several, ``NotFoundError`` where it begins none.
    """
    text = written.lower()
    if _PREFIX.fullmatch(text) is None:
        raise UsageError(f"{written!r} is no execution id", todo="see `procctl executions`")
    rows = index.executions("id >= ? AND id < ?", (text, f"{text}~"), limit=_FEW)
    asked = [request for request in requests.all(layout)[0] if request.id.startswith(text)]
    ids = sorted({str(row.document["_id"]) for row in rows} | {request.id for request in asked})
    if not ids:
        raise NotFoundError(f"there is no execution {written}", todo="see `procctl executions`")
    if len(ids) > 1:
        todo = "give more digits; it begins " + ", ".join(ids[:_FEW])
        raise UsageError(f"{written} begins more than one execution id", todo=todo)
    row = index.execution(ids[0])
    return Found(ids[0], row, next((request for request in asked), None))


def last(index: Index, layout: Layout, written: str) -> Found:
    """Find by an id, the beginning of one, or the name of a process, whose newest execution it is then."""
    rows = index.executions("name = ?", (written,), limit=1)
    if rows:
        return Found(str(rows[0].document["_id"]), rows[0], None)
    if index.process(written) is not None:
        raise NotFoundError(f"{written} has not run yet", todo=f"procctl run {written}")
    return execution(index, layout, written)


def known(index: Index, name: str) -> ProcessRow:
    """Find a process of the applied commit; ``NotFoundError`` names the nearest ones."""
    row = index.process(name)
    if row is None or row.name != name:
        todo = near(name, [one.name for one in index.processes()])
        raise NotFoundError(f"there is no process {name}", todo=todo)
    return row


def near(name: str, known: list[str]) -> str:
    """What to do about a name that is unknown: the nearest ones, or the list."""
    folded = {one.lower(): one for one in known}
    found = [folded[one] for one in get_close_matches(name.lower(), folded, n=3)]
    return f"did you mean {' or '.join(found)}?" if found else "see `procctl list`"
