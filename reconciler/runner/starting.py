"""Starting runners and launchers as processes of their own."""

import subprocess
import sys
from collections.abc import Sequence

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
        with process.stdin as pipe:
            pipe.write(job.to_json())
    return process


def _start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - a fixed list of arguments
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd="/", start_new_session=True
    )
