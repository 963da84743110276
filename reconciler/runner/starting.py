"""Starting runners and launchers as processes of their own; ``LaterError`` where the system has no room for one."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from reconciler.errors import LaterError
from reconciler.runner.job import Job

_PYTHON = (sys.executable, "-P", "-m")
"""``-P``: whatever lies in the current folder is never imported."""


def launcher() -> "subprocess.Popen[bytes]":
    """Start a launcher; jobs go to its standard input (``launcher``), its errors to this process's."""
    return _start((*_PYTHON, "reconciler.runner.launcher"))


def runner(job: Job) -> "subprocess.Popen[bytes]":
    """Start one runner that outlives this process; it ends when its execution has ended, with ``session``'s codes."""
    process = _start((*_PYTHON, "reconciler.runner"))
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin as pipe:  # how it ended says more
            pipe.write(job.to_json())
    return process


def _start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(  # noqa: S603 - a fixed list of arguments
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd="/", start_new_session=True
        )
    except OSError as error:
        raise LaterError(f"no process can be started ({error.strerror})", todo="try again") from error
