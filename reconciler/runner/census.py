"""Who is there: every living process, and what it was started with."""

import os
from collections.abc import Iterator
from pathlib import Path

from reconciler.store.living import Living, look

_PROC = Path("/proc")


def living() -> Iterator[Living]:
    """Every living process; one that ends meanwhile may be missing."""
    with os.scandir(_PROC) as entries:
        pids = [int(entry.name) for entry in entries if entry.name.isdigit()]
    return (found for pid in pids if (found := look(pid)) is not None)


def carries(pid: int, variable: str) -> bool:
    """Whether a process was started with a variable, written ``NAME=value``."""
    try:
        environ = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return variable.encode() in environ.split(b"\0")
