"""What the command line says when something fails, and with which exit code (SPEC 13).

0 done; 1 what was asked for failed; 2 usage; 3 try again later; 70 a bug, with a report; 130 interrupted.
"""

import os
import platform
import sys
import tempfile
import traceback
from pathlib import Path

import click

from reconciler import __version__
from reconciler.cli import interrupts, terminal
from reconciler.errors import ProcctlError

FAILED = 1
LATER = 3
BUG = 70
INTERRUPTED = 130
PIPE_CLOSED = 141


class OutputClosedError(Exception):
    """Whoever read our output has gone (``procctl list | head -1``): nothing is left to say."""


def answer(error: BaseException) -> int:
    """Tell a person what ended the program; return the exit code. Whatever has no kind of its own is a bug."""
    match error:
        case BrokenPipeError() | OutputClosedError():
            interrupts.silence(sys.stdout)  # the interpreter's last flush says nothing
            code = PIPE_CLOSED
        case click.Abort() | KeyboardInterrupt():
            code = INTERRUPTED
        case click.ClickException():
            code = tell_usage(error)
        case ProcctlError():
            code = tell(error)
        case OSError():
            code = tell_system(error)
        case _:
            code = tell_bug(error)
    return code


def tell(error: ProcctlError) -> int:
    """Print an error as ``procctl: error: where: what`` and ``  next: what to do``; return the exit code."""
    where = f"{error.where}: " if error.where else ""
    say("error", f"{where}{error.what}", error.todo)
    return error.exit_code


def tell_usage(error: click.ClickException) -> int:
    """Print click's complaint about arguments in the same form."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return 0
    context = error.ctx if isinstance(error, click.UsageError) else None
    where = context.info_name if context and context.parent and context.info_name else ""
    command = context.command_path if context else "procctl"
    say("error", f"{where}: {error.format_message()}" if where else error.format_message(), f"{command} --help")
    return error.exit_code


def tell_bug(error: BaseException) -> int:
    """Write a report of an unexpected failure to a private file, and say where it is."""
    named = [word for word in sys.argv[1:] if word.isidentifier() or word.startswith("--")]
    lines = [
        f"procctl {__version__}, Python {platform.python_version()}, {platform.platform()}",
        # Values may be secrets; the names of commands and options are enough to find the way.
        "arguments: " + " ".join(word.partition("=")[0] for word in named),
        "",
        *traceback.format_exception(error),
    ]
    what = f"this is a bug: {type(error).__name__}: {error}"
    try:
        handle, path = tempfile.mkstemp(prefix="procctl-bug-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as report:
            report.write("\n".join(lines))
    except OSError:
        say("error", what, "report it with what follows")
        click.echo("\n".join(map(terminal.plain, "\n".join(lines).splitlines())), err=True)
    else:
        say("error", what, f"report it with {Path(path)}")
    return BUG


def tell_system(error: OSError) -> int:
    """Print what the operating system refused: a full disk, a permission."""
    return tell(ProcctlError(error.strerror or str(error), where=str(error.filename or "")))


def warn(what: str, todo: str = "") -> None:
    """Print a warning on standard error."""
    say("warning", what, todo)


def note(what: str) -> None:
    """Print on standard error what a person should know and a program need not."""
    click.echo(f"procctl: {terminal.plain(what)}", err=True)


def say(kind: str, what: str, todo: str) -> None:
    """Print one finding on standard error, its later lines indented."""
    first, *rest = what.splitlines() or [""]
    label = terminal.paint(kind, terminal.style_of(kind), sys.stderr)
    click.echo(f"procctl: {label}: {terminal.plain(first)}", err=True, color=True)
    for line in rest:
        click.echo(f"  {terminal.plain(line)}", err=True)
    for line in todo.splitlines():
        click.echo(f"  next: {terminal.plain(line)}", err=True)
