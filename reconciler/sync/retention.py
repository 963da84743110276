"""What is removed after a while: record files that the branch has, work folders of what failed, and leftovers."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler import names
from reconciler.repo import publish
from reconciler.repo.repository import Repository
from reconciler.store import files
from reconciler.store.index import Index
from reconciler.store.layout import Layout, log_of
from reconciler.sync import publishing, records

WORK_KEPT = timedelta(days=7)
"""How long the work folder of an execution that failed is kept (SPEC 6)."""

_AT_ONCE = 500
_LEFTOVER = timedelta(hours=1)
"""No write lasts as long, so a temporary file this old has lost its writer."""


def horizon(now: datetime, retention: timedelta, catchup_window: timedelta) -> datetime:
    """Before when records may be removed: never what a schedule may still ask for (SPEC 8)."""
    return now - max(retention, catchup_window + timedelta(days=1))


def remove_records(index: Index, layout: Layout, repo: Repository, before: datetime) -> int:
    """Remove the files of this environment's records that ended before an instant, ``.log`` too, 500 at most.

    Only what the branch has, byte for byte, is removed; what it has no more waits to be published again. Says how many
    went; call again while it does. ``OSError``.
    """
    rows = index.removable(layout.environment, before, _AT_ONCE)
    moved = [file for row in rows if records.moved(file := layout.below(row.path), row)]
    if moved:
        records.note(index, layout, moved)
        rows = index.removable(layout.environment, before, _AT_ONCE)
    there = publishing.find(repo, publish.tip(repo), rows) if rows else {}
    safe = [row.path for row in rows if there[row.path] == row.path]
    lost = [row.path for row in rows if there[row.path] != row.path]
    if lost:
        index.set_seen(None)
        index.mark_unpublished(lost)
    for path in safe:
        _remove(layout, layout.below(path), before)
    index.forget_files(safe)
    return len(safe)


def remove_work(index: Index, layout: Layout, before: datetime) -> int:
    """Remove the work folders of executions that ended before an instant, and say how many; claimed ones stay."""
    count = 0
    with suppress(FileNotFoundError):
        for folder in sorted(layout.work.iterdir()):
            if not names.is_execution(folder.name) or layout.claim(folder.name).exists():
                continue
            row = index.execution(folder.name)
            ended = row.outline.end if row else datetime.fromtimestamp(folder.lstat().st_mtime, UTC)
            if ended is not None and ended < before:
                files.remove_tree(folder)
                count += 1
    return count


def remove_checkouts(layout: Layout, kept: str | None, before: datetime) -> int:
    """Remove the checkouts of scripts that nobody has asked for since an instant, but the one ``kept``; says how many.

    ``before`` must lie before whatever runs was begun: an execution uses its checkout to its end.
    """
    count = 0
    with suppress(FileNotFoundError):
        for folder in sorted(layout.checkouts.iterdir()):
            used = datetime.fromtimestamp(folder.lstat().st_mtime, UTC)
            if folder.name != kept and used < before:
                files.remove_tree(folder)
                count += 1
    return count


def sweep(layout: Layout, now: datetime) -> int:
    """Remove what killed writers left in the state's folders and in the record folders of these days; says how many."""
    before = (now - _LEFTOVER).timestamp()
    days = (now - timedelta(days=days) for days in range(-1, 3))
    folders = [layout.claims, layout.requests, *(layout.records / f"{day:%Y/%m/%d}" for day in days)]
    return sum(files.sweep(folder, before) for folder in folders) + files.sweep(layout.state, before, deep=False)


def _remove(layout: Layout, file: Path, before: datetime) -> None:
    """Remove a record's file and log, and the dated folders that are empty then."""
    for path in (file, log_of(file)):
        path.unlink(missing_ok=True)
    files.sweep(file.parent, before.timestamp(), deep=False)
    for folder in file.parents[:4]:
        if folder == layout.records:
            return
        try:
            folder.rmdir()
        except OSError:
            return  # not empty, or gone
