"""Record files and the branch -> the index: all of them after a loss, else only what changed (SPEC 8 "Publishing").

A record's truth is its file until retention removes it, then the branch. Where both lie under one path and differ, they
are two records, and the one that came to the branch second is a double.
"""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from reconciler.repo import publish
from reconciler.repo.repository import Repository
from reconciler.store import files, records
from reconciler.store.index import Index
from reconciler.store.layout import Layout, is_record_path, original
from reconciler.store.rows import Row

_AT_ONCE = 500
_DAY = timedelta(days=1)
_UNFIT = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST_HOST = 63


@dataclass(slots=True)
class Found:
    """What was read: how many records came new or changed into the index, and the files that are none, with why."""

    count: int = 0
    faults: dict[str, str] = field(default_factory=dict)


def rebuild(index: Index, layout: Layout, repo: Repository) -> Found:
    """Fill the table of executions anew, from the branch and then from the files. ``UserError``, ``LaterError``.

    One that is killed leaves an index that is not ``filled``.
    """
    found = Found()
    with index.transaction():
        index.set_filled(filled=False)
        index.set_seen(None)
        index.clear_executions()
    tip = publish.tip(repo)
    if tip is not None:
        published = publish.records(repo, tip)
        while part := list(islice(published, _AT_ONCE)):
            rows = (_parse(_Loaded(path, data), found, published=True) for path, _, data in part)
            index.upsert_executions(row for row in rows if row is not None)
        if not found.faults:
            index.set_seen(tip.commit)
    note(index, layout, records.scan(layout), found)
    index.set_filled(filled=True)
    return found


def refresh(index: Index, layout: Layout, since: datetime) -> Found:
    """Bring the index up to date with the record files that changed since an instant.

    Looks at whatever has not ended, and into the folders of the days from the day before ``since`` on, of those only
    into the ones that the file system says were changed since. What was created meanwhile in a folder of an older day
    is left out: its creator tells the index (``note``), or finds the record when it tries to create it again.
    """
    active = index.unended()
    changed = [file for row in active if moved(file := layout.below(row.path), row)]
    for day in records.days(layout, (since - _DAY).date()):
        with os.scandir(day) as entries:
            folders = [entry.path for entry in entries if _is_new(entry, since)]
        for folder in folders:
            changed += _changed(index, layout, Path(folder))
    return note(index, layout, dict.fromkeys(changed))


def note(index: Index, layout: Layout, paths: Iterable[Path | str], found: Found | None = None) -> Found:
    """Bring the index up to date with these record files: created, changed or gone. Adds to ``found``, if given."""
    found = found or Found()
    prefix = len(os.fspath(layout.records)) + 1
    rest = iter(paths)
    while part := list(islice(rest, _AT_ONCE)):
        loaded, gone = _load([os.fspath(path) for path in part], prefix, found)
        with index.transaction():
            known = index.records_at([file.path for file in loaded] + gone)
            same = [file for file in loaded if file.path in known and known[file.path].text.encode() == file.data]
            index.set_files((file.path, file.mtime_ns, file.size) for file in same)
            settled = {file.path for file in same}
            rows = (_parse(file, found) for file in loaded if file.path not in settled)
            placed = [_place(index, row, known) for row in rows if row is not None]
            index.upsert_executions(placed)
            _forget(index, gone)
            found.count += len(placed)
    return found


def double(path: str, host: str | None, number: int = 1) -> str:
    """Where a record lies whose path another has on the branch; ``number`` counts the doubles of one host."""
    name = _UNFIT.sub("-", host or "").strip("-.")[:_LONGEST_HOST] or "unknown"
    return f"{path.removesuffix('.json')}~{name}{f'-{number}' if number > 1 else ''}.json"


def moved(file: Path, row: Row) -> bool:
    """Whether a record's file is not as the index has it: changed, or gone."""
    try:
        status = file.lstat()
    except OSError:
        return True
    return (status.st_mtime_ns, status.st_size) != (row.mtime_ns, row.size)


@dataclass(frozen=True, slots=True)
class _Loaded:
    path: str
    data: bytes
    mtime_ns: int = 0
    size: int = 0


def _load(paths: Iterable[str], prefix: int, found: Found) -> tuple[list[_Loaded], list[str]]:
    """Read files, and say which of them are gone, by their paths below ``executions/``."""
    loaded: list[_Loaded] = []
    gone: list[str] = []
    for file in paths:
        path = file[prefix:]
        try:
            data, status = files.load(file, records.LARGEST)
            loaded.append(_Loaded(path, data, status.st_mtime_ns, status.st_size))
        except FileNotFoundError:
            gone.append(path)
        except (OSError, ValueError) as error:
            found.faults[path] = str(error)
    return loaded, gone


def _parse(file: _Loaded, found: Found, *, published: bool = False) -> Row | None:
    try:
        row = Row.of(file.path, file.data, mtime_ns=file.mtime_ns, size=file.size, published=published)
    except ValueError as error:
        found.faults[file.path] = str(error)
        return None
    found.count += published
    return row


def _place(index: Index, row: Row, known: Mapping[str, Row]) -> Row:
    """Find the path under which the index keeps a file's record: its own, unless the branch has another one there."""
    path, there, number = row.path, known.get(row.path), 0
    while there is not None and there.published and there.text != row.text:
        # what the branch has there is not, or no longer, what this file says
        index.forget_files([path])
        number += 1
        path = double(row.path, row.document.get("host"), number)
        there = index.records_at([path]).get(path)
    return replace(row, path=path) if number else row


def _forget(index: Index, gone: Iterable[str]) -> None:
    """Forget files that went, and the records that nothing else tells of: those that had not ended."""
    for path in gone:
        rows = [row for row in index.records_of(path) if row.mtime_ns]
        index.remove_executions(row.path for row in rows if not row.outline.ended)
        index.forget_files(row.path for row in rows)


def _changed(index: Index, layout: Layout, folder: Path) -> list[Path]:
    """Find the record files of one folder that are not as the index has them; those that are gone too."""
    prefix = len(os.fspath(layout.records)) + 1
    known = {original(path): seen for path, seen in index.files(os.fspath(folder)[prefix:]).items()}
    changed = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            path = entry.path[prefix:]
            if is_record_path(path) and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                if known.pop(path, None) != (status.st_mtime_ns, status.st_size):
                    changed.append(Path(entry.path))
    return changed + [layout.records / path for path in known]


def _is_new(entry: os.DirEntry[str], since: datetime) -> bool:
    return entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime >= since.timestamp()
