"""``python -m reconciler.cli.companion PID …``: a ``procctl`` that ends with the process PID, however that dies."""

import os
import select
import signal
import sys
import threading

from reconciler.cli.program import main


def accompany(pid: int) -> None:
    """End this process as SIGTERM does once the other one is gone; at once, where it is gone already."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        sys.exit(0)
    threading.Thread(target=_watch, args=(descriptor,), daemon=True).start()


def _watch(descriptor: int) -> None:
    select.select([descriptor], [], [])
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    accompany(int(sys.argv[1]))
    sys.exit(main([*sys.argv[2:], "--beside-daemon"]))
