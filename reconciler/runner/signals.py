"""Signals as events: a runner waits for pipes and signals in one place, so none arrives in the middle of a write."""

import os
import select
import signal
from types import FrameType

INHERITED = (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that a runner or Python ignores, and that a script must find at their defaults."""


class Signals:
    """What came for this process. SIGTERM and SIGINT mean cancel; SIGHUP means nothing: a runner outlives its starter.

    ``descriptor`` is readable once something came, until ``clear``.
    """

    def __init__(self) -> None:
        self.cancelled = False
        self.descriptor, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._cancel)
        signal.signal(signal.SIGINT, self._cancel)
        signal.signal(signal.SIGCHLD, _note)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def clear(self) -> None:
        """Take note of what came, and wait for the next."""
        try:
            os.read(self.descriptor, 4096)
        except BlockingIOError:
            return

    def wait(self, seconds: float) -> None:
        """Sleep, but not through a signal."""
        if not self.cancelled and select.select([self.descriptor], [], [], max(0.0, seconds))[0]:
            self.clear()

    def _cancel(self, _number: int, _frame: FrameType | None) -> None:
        self.cancelled = True


def _note(_number: int, _frame: FrameType | None) -> None:
    """Have the signal wake whoever polls; ignoring it would take the child's exit code with it."""
