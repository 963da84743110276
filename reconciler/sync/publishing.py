"""Finished records -> the branch ``executions``, in batches, and the state of schedules with them (SPEC 8).

None is lost or overwritten: a record whose path the branch has already given to another lies beside it as a double.
What is published is noted in the index only after the branch has moved; a crash between them is healed by the next
batch, which finds the same bytes there.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import LaterError
from reconciler.repo import publish
from reconciler.repo.publish import Batch, Tip
from reconciler.repo.repository import Repository
from reconciler.store import files, schedules
from reconciler.store.index import Index
from reconciler.store.layout import Layout, original
from reconciler.store.rows import Row
from reconciler.store.schedules import State
from reconciler.sync import records

BATCH = 500
"""Records in one commit at most."""

_TRIES = 10
_SUBJECT = 100
"""Characters of a commit's first line, about."""
_LARGEST_STATE = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Published:
    """What one batch did: how many records are on the branch that were not noted so before, and its commit, if any."""

    count: int = 0
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """The state that was taken over from the branch, if any, and what the user should know about it."""

    state: State | None = None
    warning: str = ""


def publish_batch(index: Index, layout: Layout, repo: Repository, now: datetime) -> Published:
    """Publish the ended records of this environment that are not yet, ``BATCH`` at most; call again while it does.

    ``now`` becomes the commit's time. Raises ``LaterError`` where other writers were first every time or the branch is
    checked out, ``UserError`` where git fails.
    """
    rows = _waiting(index, layout)
    if not rows:
        return Published()
    for _ in range(_TRIES):
        tip = publish.tip(repo)
        known = tip is None or index.seen == tip.commit
        places = [_Place(row, row.path, new=True) for row in rows] if known else _places(repo, tip, rows)
        news = [place for place in places if place.new]
        made = None
        if news:
            made = publish.commit(repo, tip, _batch(layout, repo, tip, news, now))
            if made is None:
                continue
        with index.transaction():
            index.mark_published({place.row.path: place.path for place in places})
            index.upsert_executions(_firsts(index, repo, tip, places))
            if known:
                index.set_seen(made)
        return Published(len(places), made)
    todo = "it is tried again later"
    raise LaterError("other writers were first each time", where=publish.BRANCH, todo=todo)


def message(rows: Sequence[Row]) -> str:
    """Say what a batch holds: ``ECB_FX success, TEST failed``; with counts, and the rest in the body, where long."""
    groups = Counter((row.path.split("/")[3], str(row.document["outcome"])) for row in rows)
    words = [f"{name} {outcome}{f' ({count})' if count > 1 else ''}" for (name, outcome), count in groups.items()]
    subject = ", ".join(words)
    if len(subject) <= _SUBJECT:
        return subject
    shown: list[str] = []
    while words and len(", ".join([*shown, words[0]])) <= _SUBJECT * 2 // 3:
        shown.append(words.pop(0))
    outcomes = Counter(str(row.document["outcome"]) for row in rows)
    total = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    body = "\n".join(f"{name} {outcome}: {count}" for (name, outcome), count in sorted(groups.items()))
    subject = f"{', '.join(shown)} and others: {total}" if shown else total
    return f"{subject}\n\n{body}"


def restore_state(layout: Layout, repo: Repository) -> Restored:
    """Where ``schedules.json`` is missing, take it over from the branch, local or remote-tracking. ``OSError``.

    Where neither has it, every schedule counts as new, which the warning says.
    """
    if layout.schedules.exists():
        return Restored()
    path = f"state/{layout.environment}.json"
    tip = publish.tip(repo)
    data = publish.read(repo, tip, path) if tip else None
    lost = "so every schedule counts as new: slots before now are not made up for"
    if tip is None or data is None:
        where = f"{tip.ref} has no {path}" if tip else "there is no branch executions"
        return Restored(warning=f"{layout.schedules} is missing and {where}, {lost}")
    try:
        state = schedules.decode(data)
    except ValueError as error:
        return Restored(warning=f"{layout.schedules} is missing and {path} on {tip.ref} is {error}, {lost}")
    files.replace(layout.schedules, data, durable=True)
    return Restored(state, f"{layout.schedules} was missing: taken over from {tip.ref}")


def published_state(layout: Layout, repo: Repository) -> State | None:
    """The state that the branch has, local or remote-tracking; ``None`` where it has none that can be read."""
    tip = publish.tip(repo)
    data = publish.read(repo, tip, f"state/{layout.environment}.json") if tip else None
    if data is None:
        return None
    try:
        return schedules.decode(data)
    except ValueError:
        return None


def blob_id(data: bytes, like: str) -> str:
    """The id that git gives a file's bytes, in the format of another id."""
    digest = hashlib.sha1 if len(like) == 40 else hashlib.sha256  # noqa: PLR2004 - hex digits of SHA-1
    return digest(b"blob %d\0" % len(data) + data).hexdigest()


def find(repo: Repository, tip: Tip | None, rows: Sequence[Row]) -> dict[str, str | None]:
    """Look up which of these records the branch has: by the row's path, where it lies there (``None``: nowhere)."""
    return {place.row.path: None if place.new else place.path for place in _places(repo, tip, rows)}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record goes on the branch, or lies there already."""

    row: Row
    path: str
    new: bool


def _waiting(index: Index, layout: Layout) -> list[Row]:
    """Choose what to publish, as its file says now; a record whose file is gone is published from the index."""
    rows = index.unpublished(layout.environment, BATCH)
    moved = [file for row in rows if records.moved(file := layout.below(row.path), row)]
    if moved:
        records.note(index, layout, moved)
        rows = index.unpublished(layout.environment, BATCH)
    return rows


def _places(repo: Repository, tip: Tip | None, rows: Sequence[Row]) -> list[_Place]:
    """Find a place for each record: its own path, or the first double's that is free or has the same bytes."""
    places: list[_Place] = []
    rest: list[Row] = list(rows)
    number = 0
    taken: dict[str, Row] = {}
    while rest:
        wanted = {row.path: _candidate(row, number) for row in rest}
        blobs = publish.lookup(repo, tip, list(dict.fromkeys(wanted.values())))
        clashes = []
        for row in rest:
            path = wanted[row.path]
            blob = blobs[path]
            if path in taken or (blob is not None and blob != blob_id(row.text.encode(), blob)):
                clashes.append(row)
                continue
            taken[path] = row
            places.append(_Place(row, path, new=blob is None))
        rest, number = clashes, number + 1
    return places


def _firsts(index: Index, repo: Repository, tip: Tip | None, places: Sequence[_Place]) -> Iterator[Row]:
    """The records that came to the branch before the doubles among these, where the index has not heard of them."""
    paths = [original(place.path) for place in places if place.path != original(place.path)]
    known = index.records_at(paths) if paths else {}
    for path in paths:
        data = publish.read(repo, tip, path) if tip is not None and path not in known else None
        if data is not None:
            with suppress(ValueError):  # what somebody else put there may be no record
                yield Row.of(path, data, published=True)


def _candidate(row: Row, number: int) -> str:
    path = original(row.path)
    return records.double(path, row.document.get("host"), number) if number else path


def _batch(layout: Layout, repo: Repository, tip: Tip | None, places: Sequence[_Place], now: datetime) -> Batch:
    """Gather a commit: the records, and the state of schedules if it differs from what is there."""
    news = {place.path: place.row.text.encode() for place in places}
    with suppress(FileNotFoundError):
        state = files.read(layout.schedules, _LARGEST_STATE)
        path = f"state/{layout.environment}.json"
        there = publish.lookup(repo, tip, [path])[path]
        if there is None or there != blob_id(state, there):
            news[path] = state
    return Batch(news, message([place.row for place in places]), now)
