"""The HTTP view beside the daemon: a process of its own, started here, and started again if it dies."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

_AGAIN = timedelta(seconds=10)
"""How long to wait before a view that ended is started again: its port may be taken for longer."""


class View:
    """``procctl serve`` with these arguments; it ends when this process does, however that dies."""

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        companion = [sys.executable, "-P", "-m", "reconciler.cli.companion", str(os.getpid())]
        self._command = [*companion, *arguments]
        self._environ = dict(environ)
        self._child: subprocess.Popen[bytes] | None = self._start()
        self._ended: datetime | None = None

    def check(self, now: datetime) -> int | None:
        """Start the view again a while after it ended; give what it exited with, once."""
        if self._child is None:
            if self._ended is None or not timedelta(0) <= now - self._ended < _AGAIN:
                self._child = self._start()
            return None
        code = self._child.poll()
        if code is not None:
            self._child, self._ended = None, now
        return code

    def stop(self) -> None:
        """End the view."""
        if self._child is not None:
            self._child.terminate()
            self._child.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        # its own session: Ctrl-C is for the daemon, which ends the view after itself
        return subprocess.Popen(self._command, stdin=subprocess.DEVNULL, env=self._environ, start_new_session=True)  # noqa: S603 - fixed words and our own arguments
