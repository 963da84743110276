"""The program ``procctl``: the list of its commands, each loaded when called, and one end for all failures."""

import atexit
import gc
import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from reconciler import __version__
from reconciler.cli import commands, failures, terminal
from reconciler.sync import collecting

COMMANDS = {
    "init": ("reconciler.cli.init", "Make a process repository that works at once."),
    "validate": ("reconciler.cli.validate", "Check the configuration, in the working tree or at a commit."),
    "plan": ("reconciler.cli.plan", "Show what a range of commits would do."),
    "list": ("reconciler.cli.processes", "List the processes, with last and next run."),
    "get": ("reconciler.cli.processes", "Show one process, or an older version of it."),
    "diff": ("reconciler.cli.diff", "Show how two versions of a process differ."),
    "versions": ("reconciler.cli.versions", "Show the versions of a process."),
    "tags": ("reconciler.cli.versions", "Show which versions the tags name."),
    "apply": ("reconciler.cli.apply", "Write a process, as YAML or JSON."),
    "set": ("reconciler.cli.change", "Set fields of a process."),
    "enable": ("reconciler.cli.change", "Enable a process."),
    "disable": ("reconciler.cli.change", "Disable a process."),
    "tag": ("reconciler.cli.tagging", "Name a version of a process."),
    "untag": ("reconciler.cli.tagging", "Take a tag off a process."),
    "rename": ("reconciler.cli.renaming", "Rename a process, with its versions."),
    "rollback": ("reconciler.cli.removal", "Take the current version of a process back."),
    "delete": ("reconciler.cli.removal", "Delete a version of a process, or all of it."),
    "next": ("reconciler.cli.upcoming", "Show when a process is due next."),
    "run": ("reconciler.cli.run", "Run a process now."),
    "cancel": ("reconciler.cli.cancel", "Stop an execution."),
    "executions": ("reconciler.cli.executions", "List executions, newest first."),
    "logs": ("reconciler.cli.executions", "Show the log of an execution."),
    "status": ("reconciler.cli.status", "Show what is in force, what runs and what is wrong."),
    "daemon": ("reconciler.cli.daemon", "Run the reconciler."),
    "serve": ("reconciler.cli.serve", "Serve the read-only HTTP view."),
    "reindex": ("reconciler.cli.reindex", "Rebuild the index from git and the record files."),
}
"""Each command, the module that holds it, and its line in ``procctl --help``."""

_EPILOG = (
    "Every option can be given as a variable PROCCTL_<COMMAND>_<OPTION>; PROCCTL_REPO names the repository for all."
)


Resolved = tuple[str | None, click.Command | None, list[str]]


class Program(click.Group):
    """A group that knows its commands by name and imports one only when it is called: ``--help`` imports none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names, in the order of the help."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        with collecting.paused():  # modules that are loaded stay, too
            module = importlib.import_module(COMMANDS[cmd_name][0])
        found: click.Command = getattr(module, f"{cmd_name}_command")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name the nearest ones where there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command; a closed pipe is told apart from what click would make of it."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise failures.OutputClosedError from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=Program,
    params=[commands.repo_option()],
    epilog=_EPILOG,
    context_settings={
        "auto_envvar_prefix": "PROCCTL",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.version_option(__version__, prog_name="procctl", message="%(prog)s %(version)s")
def program() -> None:
    """Processes declared in git, run on schedule, recorded in git."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; return the exit code (SPEC 13). Nothing but a bug ends in a traceback."""
    terminal.prepare()
    atexit.register(gc.freeze)  # python would look through all that is loaded for garbage before it goes
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the outermost frame: each kind has its answer
        return failures.answer(error)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        answer: Any = program.main(arguments, prog_name="procctl", standalone_mode=False)
    except SystemExit as error:  # click ends the program itself after shell completion
        return error.code if isinstance(error.code, int) else 0
    return answer if isinstance(answer, int) else 0
