"""What a terminal and its user tell a command that waits: Ctrl-C means stop, a closed terminal means nothing."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TextIO


class Interrupts:
    """How often Ctrl-C (or SIGTERM) came since this was made."""

    def __init__(self) -> None:
        self.count = 0

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """Count a request to stop."""
        self.count += 1

    def hang_up(self, _number: int, _frame: FrameType | None) -> None:
        """Write to nobody from now on: a terminal that is gone would fail every write."""
        silence(sys.stdout)
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Let what is written to a stream go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def listening() -> Iterator[Interrupts]:
    """Take Ctrl-C, SIGTERM and SIGHUP as events while something is waited for; nothing is left half done by them."""
    interrupts = Interrupts()
    handlers = {
        signal.SIGINT: interrupts.stop,
        signal.SIGTERM: interrupts.stop,
        signal.SIGHUP: interrupts.hang_up,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
