"""``procctl cancel``: stop an execution that runs, or take back one that has not begun."""

import time
from contextlib import suppress
from pathlib import Path

import click

from reconciler.cli import commands, endings, failures, interrupts, lookup, workspace
from reconciler.cli.workspace import Workspace
from reconciler.errors import NotFoundError, UserError
from reconciler.execution import Execution, Outcome, Status
from reconciler.runner import cancel, session
from reconciler.runner.wake import Wake
from reconciler.store import claims, files, records, requests
from reconciler.store.layout import Layout
from reconciler.store.rows import Row

_PAUSE = 0.05


@commands.command("cancel")
@click.argument("execution", metavar="ID")
@commands.ref_option
@commands.environment_option
def cancel_command(execution: str, ref: str | None, environment: str | None) -> int:
    """Cancel the execution ID (the beginning of an id is enough), and wait until it has ended.

    Its scripts get SIGTERM, and after 10 seconds SIGKILL.
    """
    place = workspace.open_workspace(ref, environment)
    with place.index() as index:
        found = lookup.execution(index, place.layout, execution)
    row = found.row
    if row is None:
        requests.remove(place.layout, found.id)
        with place.index() as index:
            # A reconciler may have made it a record at this very moment.
            row = index.execution(found.id)
        if row is None:
            click.echo(f"Withdrew {found.id}: it had not begun")
            return 0
    ended = _cancel(place.layout, row)
    _wake(place)
    if ended.outcome is not Outcome.CANCELLED:
        click.echo(f"{ended.name} {ended.id} ended before it could be cancelled: {ended.outcome}")
        return failures.FAILED
    click.echo(f"Cancelled {ended.name} {ended.id}")
    return 0


def _cancel(layout: Layout, row: Row) -> Execution:
    """Bring an execution to its end, whoever has it now, and wait for that."""
    path = layout.below(row.path)
    try:
        execution = records.read(path)
    except (OSError, ValueError):
        execution = row.execution
    if execution.ended:
        what = f"{execution.name} has ended already: {execution.outcome}"
        raise UserError(what, where=execution.id, todo=f"procctl logs {execution.id[:8]}")
    if not path.exists():
        raise NotFoundError("its record is not on this machine", where=execution.id, todo="cancel it where it runs")
    return _await(layout, path, execution)


def _await(layout: Layout, path: Path, execution: Execution) -> Execution:
    asked = False
    with interrupts.listening() as heard:
        while not execution.ended:
            if heard.count:
                raise KeyboardInterrupt
            asked = asked or _ask(layout, execution)
            execution = _stop(layout, execution)
            if not execution.ended:
                time.sleep(_PAUSE)
                with suppress(OSError, ValueError):
                    execution = records.read(path)
        return execution


def _ask(layout: Layout, execution: Execution) -> bool:
    """Ask the runner, if one lives, to end it."""
    claim = claims.read(layout, execution.id)
    try:
        return claim is not None and cancel.cancel(layout, claim, session.identity()[1])
    except OSError as error:
        raise files.explain(error, layout.claims) from error


def _stop(layout: Layout, execution: Execution) -> Execution:
    """End it here where no runner lives that could."""
    claim = claims.read(layout, execution.id)
    if claim is None and execution.status is Status.TRIGGERED:
        message = f"Cancelled by {session.identity()[1]}"
        return endings.take_back(layout, execution, Outcome.CANCELLED, message) or execution
    if claim is None or not claims.alive(claim):
        return endings.bury(layout, claim, execution)
    return execution


def _wake(place: Workspace) -> None:
    if place.reconciler is not None:
        Wake(place.reconciler.wake).send()
