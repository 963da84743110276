"""``python -m reconciler.cli.companion ARGUMENTS``: procctl beside a daemon, ending when the daemon does.

However a daemon dies, its view must not outlive it and keep the port from the next one. Linux tells a process of its
parent's end (``PR_SET_PDEATHSIG``, prctl(2)).
"""

import ctypes
import os
import signal
import sys

from reconciler.cli import main

_PR_SET_PDEATHSIG = 1


def _run() -> None:
    parent, *arguments = sys.argv[1:]
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        return  # it died before the kernel was asked
    sys.argv[1:] = arguments
    main()


if __name__ == "__main__":
    _run()
