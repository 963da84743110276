"""Signals as events: what waits for pipes waits for signals in the same place, so none arrives amid a write.

A launcher installs the handlers once, and the runners that it forks inherit them.
"""

import os
import select
import signal
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

INHERITED = (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that runners, launchers or Python ignore, and that a script must find at their defaults."""

LOOK = signal.SIGUSR1
"""Asks a runner to look whether what it works on is to end (``cancel``)."""


class Signals:
    """What came for this process. SIGTERM asks it to end; SIGINT and SIGHUP, which terminals send, mean nothing.

    ``LOOK`` asks it to end if the file ``note`` exists. ``descriptor`` is readable once something came, until
    ``clear``.
    """

    def __init__(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGCHLD, self._pass)
        signal.signal(LOOK, self._look)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.renew()

    def renew(self) -> None:
        """Begin again in a forked child, whose signals are no longer its parent's."""
        self.stopped = False
        self.note: Path | None = None
        self.descriptor, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)

    def clear(self) -> None:
        """Take note of what came, and wait for the next."""
        try:
            os.read(self.descriptor, 4096)
        except BlockingIOError:
            return

    def wait(self, seconds: float) -> None:
        """Sleep, but not through a signal."""
        if not self.stopped and select.select([self.descriptor], [], [], max(0.0, seconds))[0]:
            self.clear()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopped = True

    def _look(self, _number: int, _frame: FrameType | None) -> None:
        if self.note is not None and self.note.exists():
            self.stopped = True

    @staticmethod
    def _pass(_number: int, _frame: FrameType | None) -> None:
        """Have the signal wake whoever polls; ignoring it would take the child's exit code with it."""
