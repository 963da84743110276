"""``procctl executions`` and ``procctl logs``: what ran, and what it said."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from reconciler import instant
from reconciler.cli import commands, lists, lookup, output, terminal, workspace
from reconciler.cli.terminal import Column
from reconciler.errors import NotFoundError
from reconciler.execution import Execution, Outcome, Status
from reconciler.store import records
from reconciler.store.index import Index
from reconciler.store.layout import Layout, log_of
from reconciler.store.rows import Row
from reconciler.web import resources, wording

_END_OF_TIME = "9999-12-31T23:59:59.999Z"
_BEGINNING = "0001-01-01T00:00:00.000Z"
_PAUSE = 0.2
_SHORT_ID = 8
_COLUMNS = [
    Column("ID"),
    Column("NAME"),
    Column("OUTCOME", shrinks=True),
    Column("DUE", shrinks=True),
    Column("TOOK", right=True),
    Column("TRIGGER", shrinks=True),
    Column("MESSAGE", shrinks=True),
]


def _choice(kinds: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([*map(str, kinds)])


def _listed(kinds: type[StrEnum]) -> str:
    return ", ".join(kinds)


@commands.command("executions")
@click.argument("name", required=False, default=None, shell_complete=commands.complete_names)
@click.option("--status", type=_choice(Status), metavar="STATUS", default=None, help=f"Only these: {_listed(Status)}.")
@click.option(
    "--outcome", type=_choice(Outcome), metavar="OUTCOME", default=None, help=f"Only these: {_listed(Outcome)}."
)
@click.option(
    "--since", type=commands.Moment(), metavar="WHEN", default=None, help="Only those due since then: 24h, 2021-07-01."
)
@click.option("--until", type=commands.Moment(), metavar="WHEN", default=None, help="Only those due until then.")
@click.option(
    "-n", "--count", type=click.IntRange(-1), metavar="N", default=20, show_default=True, help="How many; -1 for all."
)
@commands.where_option
@commands.ref_option
@commands.environment_option
@commands.output_option()
def executions_command(name: str | None, count: int, form: str, **asked: Any) -> int:
    """List executions, newest first; with NAME only those of one process.

    Records of slots that did not run (missed, skipped) say how many slots they stand for.
    """
    place = workspace.open_workspace(asked["ref"], asked["environment"])
    with place.index() as index:
        listing = resources.executions(index, _parameters(name, lists.paged(asked["filters"], form, count), asked))
        if name is not None and not listing.total:
            _refuse_unknown(index, name)
    names = [document["_id"] for document in listing.items] if form == "name" else []
    output.show(form, listing.items, names=names, table=lambda: _table(listing.items, listing.total))
    return 0


def _parameters(name: str | None, found: list[tuple[str, str]], asked: dict[str, Any]) -> list[tuple[str, str]]:
    found += [("name", f"eq({name})")] if name is not None else []
    found += [(key, str(asked[key])) for key in ("status", "outcome") if asked[key] is not None]
    if asked["since"] or asked["until"]:
        since = instant.text(asked["since"]) if asked["since"] else _BEGINNING
        until = instant.text(asked["until"]) if asked["until"] else _END_OF_TIME
        found.append(("triggerTime", f"range({since},{until})"))
    return found


def _refuse_unknown(index: Index, name: str) -> None:
    if index.process(name) is None and not index.count("name = ?", (name,)):
        known = [row.name for row in index.processes()]
        raise NotFoundError(f"there is no process {name}, and nothing of that name ran", todo=lookup.near(name, known))


def _table(found: list[dict[str, Any]], total: int) -> str:
    rows = [
        [
            document["_id"][:_SHORT_ID],
            document["name"],
            _outcome(document),
            output.brief(document.get("triggerTime") or document.get("start")),
            wording.took(_at(document, "start"), _at(document, "end")) or "-",
            document["trigger"],
            document["message"],
        ]
        for document in found
    ]
    more = f"\n… and {total - len(found)} more (-n -1 shows all)" if total > len(found) else ""
    return output.table(_COLUMNS, rows, "No executions.") + more


def _outcome(document: dict[str, Any]) -> str:
    outcome = str(document.get("outcome") or document["status"])
    gap = document.get("gap")
    return f"{outcome} ({wording.count(gap['count'], 'slot')})" if gap else outcome


def _at(document: dict[str, Any], key: str) -> datetime | None:
    return instant.parse(document[key]) if document.get(key) else None


@commands.command("logs")
@click.argument("execution", metavar="ID")
@click.option("-f", "--follow", is_flag=True, default=False, help="Go on until the execution has ended.")
@commands.ref_option
@commands.environment_option
def logs_command(execution: str, ref: str | None, environment: str | None, *, follow: bool) -> int:
    """Show the whole log of an execution, named by its id, the beginning of it, or the process that ran last."""
    place = workspace.open_workspace(ref, environment)
    with place.index() as index:
        found = lookup.last(index, place.layout, execution)
    if found.row is None:
        raise NotFoundError(f"{found.id} was asked for and has not begun", todo="start `procctl daemon`")
    for line in _lines(place.layout, found.row, follow=follow):
        click.echo(terminal.plain(line))
    return 0


def _lines(layout: Layout, row: Row, *, follow: bool) -> Iterator[str]:
    """Give the lines of a log, each once; the whole one beside the record, where the record has no room for it."""
    path = layout.below(row.path)
    done = 0
    while True:
        execution = _execution(path, row)
        whole = log_of(path)
        lines = _read(whole) if whole.is_file() and not row.double else list(_recorded(execution))
        yield from lines[done:]
        done = max(done, len(lines))
        if execution.ended or not follow:
            return
        time.sleep(_PAUSE)


def _execution(path: Path, row: Row) -> Execution:
    if not row.double:
        with suppress(OSError, ValueError):  # the branch alone has it
            return records.read(path)
    return row.execution


def _read(path: Path) -> list[str]:
    with path.open(encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        return [line.removesuffix("\n") for line in file if line.endswith("\n")]


def _recorded(execution: Execution) -> Iterator[str]:
    """The log that a record holds, with a line for the beginning of each phase, as the whole log has them."""
    for phase in execution.phases:
        nanoseconds = (phase.start - instant.EPOCH).total_seconds() * 1e9
        yield instant.log_line(int(nanoseconds), "info", f"Initialising Phase: {phase.name}")
        yield from phase.log
