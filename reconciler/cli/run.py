"""``procctl run``: a process now, in the foreground, or left to the reconciler with ``--detach``."""

import os
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from reconciler import record
from reconciler.cli import commands, failures, foreground, interrupts, order, output, workspace
from reconciler.cli.foreground import Follower
from reconciler.cli.interrupts import Interrupts
from reconciler.cli.order import Pair
from reconciler.cli.progress import Progress
from reconciler.cli.workspace import Workspace
from reconciler.errors import ProcctlError, UsageError, UserError
from reconciler.execution import Execution, Trigger
from reconciler.executors.assignment import assign
from reconciler.reference import Reference, parse_reference
from reconciler.runner import session
from reconciler.runner.wake import Wake
from reconciler.store import files, requests
from reconciler.store.index import Index
from reconciler.store.requests import Request
from reconciler.sync import publishing, records, selection
from reconciler.sync.applying import Applied
from reconciler.sync.selection import Choice

_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class Order:
    """One run that was asked for, and when."""

    id: str
    reference: Reference
    body: dict[str, Any] | None
    reason: str
    asked: datetime
    delay: timedelta
    force: bool


@commands.command("run")
@click.argument("name", required=False, default=None, metavar="[NAME[@REF]]", shell_complete=commands.complete_names)
@click.option(
    "-i", "--input", "pairs", multiple=True, type=Pair(), metavar="KEY=TEXT", help="One input; KEY:=JSON too."
)
@click.option("--body", default=None, metavar="JSON|@FILE", help="Inputs as a JSON object; -i is laid over it.")
@click.option("-f", "--file", default=None, metavar="FILE|-", help="What one POSTs to the service: name, body, input.")
@click.option("--reason", default=None, metavar="TEXT", help="Why. [default: manual(<user>)]")
@click.option(
    "--delay", type=commands.Duration(), default="0s", metavar="D", help="Wait so long before it starts: 10m."
)
@click.option("--detach", is_flag=True, default=False, help="Leave it to the reconciler, and print the id.")
@click.option("--force", is_flag=True, default=False, help="Run a disabled process, or one of another environment.")
@commands.ref_option
@commands.environment_option
@commands.output_option()
def run_command(name: str | None, form: str, *, detach: bool, **asked: Any) -> int:
    """Run the process NAME as it is in force, or as REF says (a version number, a tag, or a commit id).

    Shows the phases as they happen. Exits 0 when it succeeded, 1 when it failed, 130 when Ctrl-C cancelled it; a
    terminal that closes does not end it.
    """
    wanted = _order(name, asked)
    place = workspace.open_workspace(asked["ref"], asked["environment"])
    workspace.announce(place)
    with place.applied() as (index, applied):
        choice = _choose(place, index, applied, wanted)
        if detach:
            return _detach(place, wanted)
        return _foreground(place, index, choice, wanted, form)


def _order(name: str | None, asked: dict[str, Any]) -> Order:
    if asked["file"] is not None and (name is not None or asked["body"] is not None):
        raise UsageError("-f already says name and body", where="run", todo="give either -f, or NAME and --body")
    body = order.read_body(asked["body"]) if asked["body"] is not None else None
    if asked["file"] is not None:
        name, body = order.read_post(asked["file"])
    if name is None:
        raise UsageError("which process?", where="run", todo="name one that `procctl list` shows")
    reason = asked["reason"] or f"manual({session.identity()[1]})"
    whole = order.lay_over(body, asked["pairs"])
    reference = parse_reference(name)
    return Order(str(uuid.uuid4()), reference, whole, reason, datetime.now(UTC), asked["delay"], asked["force"])


def _choose(place: Workspace, index: Index, applied: Applied, wanted: Order) -> Choice:
    """Find what to run; whatever forbids it is said before anything is written."""
    choice = selection.choose(place.repo, index, applied, wanted.reference)
    selection.permit(choice, place.layout.environment, wanted.body, force=wanted.force)
    return choice


def _detach(place: Workspace, wanted: Order) -> int:
    if place.reconciler is not None and place.reconciler.ref != place.followed.ref:
        what = f"the reconciler at work here follows {place.reconciler.ref}, not {place.followed.ref}"
        raise UserError(what, where="--detach", todo="leave out --detach, or --ref")
    request = Request(
        id=wanted.id,
        name=wanted.reference.name,
        reference=wanted.reference.value or None,
        body=wanted.body,
        reason=wanted.reason,
        asked=wanted.asked,
        not_before=wanted.asked + wanted.delay if wanted.delay else None,
        force=wanted.force,
        user=session.identity()[1],
    )
    try:
        requests.leave(place.layout, request)
    except OSError as error:
        raise files.explain(error, place.layout.requests) from error
    click.echo(wanted.id)
    if place.reconciler is None:
        failures.warn("no reconciler runs here: it starts when one does", "procctl daemon")
    else:
        Wake(place.reconciler.wake).send()
    return 0


def _foreground(place: Workspace, index: Index, choice: Choice, wanted: Order, form: str) -> int:
    execution = _execution(place, choice, wanted)
    wake = place.reconciler.wake if place.reconciler else None
    job = assign(place.repo, place.layout, execution, choice.resolved, os.environ, wake)
    progress = Progress(sys.stdout if form == "table" else sys.stderr)
    with interrupts.listening() as heard:
        if not _waited(wanted, heard, progress):
            return failures.INTERRUPTED
        ended = Follower(place.layout, job, progress, heard).run(execution)
        _record(place, index, ended)
    if form != "table":
        output.show(form, record.to_document(ended), names=[ended.id], table=str)
    return foreground.exit_code(ended, heard)


def _execution(place: Workspace, choice: Choice, wanted: Order) -> Execution:
    host, user = session.identity()
    return Execution(
        id=wanted.id,
        service=choice.process.service,
        name=choice.process.name,
        environment=place.layout.environment,
        trigger=Trigger.MANUAL,
        reason=wanted.reason,
        trigger_time=wanted.asked,
        run_as=user,
        version=choice.version,
        commit=choice.commit,
        tag=choice.tag,
        body=wanted.body,
        host=host,
    )


def _waited(wanted: Order, heard: Interrupts, progress: Progress) -> bool:
    """Wait out ``--delay``; ``False`` where Ctrl-C came first."""
    if wanted.delay:
        progress.say(f"Waiting until {output.brief((wanted.asked + wanted.delay).isoformat())}", "dim")
    until = time.monotonic() + wanted.delay.total_seconds()
    while (rest := until - time.monotonic()) > 0 and not heard.count:
        time.sleep(min(rest, _PAUSE))
    return not heard.count


def _record(place: Workspace, index: Index, ended: Execution) -> None:
    """Bring the record into the index and, where no reconciler does, to the branch; failing to do so is no failure."""
    try:
        records.note(index, place.layout, [place.layout.record(ended)])
        if place.reconciler is None:
            while publishing.publish_batch(index, place.layout, place.repo, datetime.now(UTC)).count:
                pass
    except ProcctlError as error:
        failures.warn(f"the record is written, and not published yet: {error}")
