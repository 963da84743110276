"""``procctl serve``: the read-only HTTP view, in a process of its own."""

from datetime import UTC, datetime

import click

from reconciler.cli import commands, failures, terminal, workspace
from reconciler.web import binding, server
from reconciler.web.sources import Sources


@commands.command("serve")
@commands.ref_option
@commands.environment_option
@click.option("--http", metavar="HOST:PORT", default=binding.DEFAULT, show_default=True, help="Where to listen.")
@click.option("--beside-daemon", is_flag=True, default=False, hidden=True, help="The daemon keeps the index current.")
def serve_command(ref: str | None, environment: str | None, http: str, *, beside_daemon: bool) -> int:
    """Serve the HTTP view of what a reconciler keeps current; it reads, and writes nothing.

    Without a reconciler it shows how things were when it was started.
    """
    address = binding.parse(http)
    place = workspace.open_workspace(ref, environment)
    if not beside_daemon:
        workspace.announce(place)
        if place.reconciler is None:
            failures.warn("no reconciler is at work here: the view shows what is there now", "procctl daemon")
        with place.index():
            pass  # brought up to date, so that there is something to show
    sources = Sources(place.repo, place.layout, place.followed.ref)
    server.serve(sources, address, clock=lambda: datetime.now(UTC), announce=_announce)
    return 0


def _announce(url: str) -> None:
    click.echo(terminal.plain(f"procctl: the view is at {url}"), err=True)
