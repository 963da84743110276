"""``procctl daemon``: the reconciler, until it is told to end."""

import logging
import os
from datetime import UTC, datetime
from typing import Any

import click

from reconciler import names
from reconciler.cli import commands, terminal, workspace
from reconciler.daemon import service
from reconciler.daemon.service import Options
from reconciler.errors import UsageError
from reconciler.web import binding


@commands.command("daemon")
@commands.ref_option
@commands.environment_option
@click.option("--http", metavar="HOST:PORT", default=None, help="Serve the HTTP view there as well. [default: not]")
@click.option(
    "--max-running",
    type=click.IntRange(1),
    metavar="N",
    default=None,
    help="Scheduled executions at once. [default: max_running in procctl.yaml, else 2 x cores]",
)
@click.option(
    "--follow",
    metavar="TAG",
    default=None,
    help="Have each process in force as it is at its tag TAG. [default: as on the branch]",
)
@click.option("--no-wait", is_flag=True, default=False, help="Exit 3 where another reconciler is at work.")
@click.option("--allow-rewind", is_flag=True, default=False, help="Accept a branch that was rewound.")
def daemon_command(
    ref: str | None, environment: str | None, http: str | None, *, follow: str | None, **chosen: Any
) -> int:
    """Reconcile: run what is due, publish what has ended, and take up every commit on the followed branch.

    With --follow, a process takes effect when its tag is moved, not when it is committed; without the tag it is not
    scheduled.

    One reconciler is at work for each repository and environment; a second stands by. SIGTERM and Ctrl-C end it; what
    runs goes on.
    """
    if http is not None:
        binding.check(binding.parse(http))
    if follow is not None and not names.is_tag(follow):
        raise UsageError(f"{follow!r} cannot be the name of a tag", where="--follow", todo="name a tag such as PROD")
    place = workspace.open_workspace(ref, environment)
    workspace.announce(place)
    log_to_stderr()
    options = Options(
        repo=place.repo,
        layout=place.layout,
        ref=place.followed.ref,
        http=http,
        follow=follow,
        **chosen,
    )
    service.run(options, os.environ)
    return 0


def log_to_stderr() -> None:
    """Write what the reconciler logs as lines on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Line())
    logger = logging.getLogger("procctl")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


class _Line(logging.Formatter):
    """One line for each event: the time in UTC, the level, the text; nothing it quotes steers a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Write an event, and below it the traceback of a bug."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = " ".join(record.getMessage().splitlines())
        trace = self.formatException(record.exc_info).splitlines() if record.exc_info else []
        lines = [f"{at} {record.levelname.lower()} {text}", *(f"  {line}" for line in trace)]
        return "\n".join(map(terminal.plain, lines))
