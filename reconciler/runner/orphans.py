"""Processes that a script left behind: a runner is told of them if it asked to be their parent (prctl(2))."""

import ctypes
import os

_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt() -> bool:
    """Have this process be the parent of what its descendants leave behind; whether the kernel does that."""
    try:
        answer: int = ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (OSError, AttributeError):  # another C library, or another kernel
        return False
    return answer == 0


def none_left() -> bool:
    """Whether every descendant has ended; those that have are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False
