"""Who is there: the living processes of a group or a session, as ``/proc`` shows them.

A zombie is nobody: where the first process of a container reaps no children, they stay for ever.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_DEAD = b"ZXx"


@dataclass(frozen=True, slots=True)
class Living:
    """One process: its group, its session, its start in clock ticks from the boot."""

    pid: int
    group: int
    session: int
    started: int


def living() -> Iterator[Living]:
    """Every living process; one that ends meanwhile may be missing."""
    with os.scandir(_PROC) as entries:
        pids = [int(entry.name) for entry in entries if entry.name.isdigit()]
    for pid in pids:
        try:
            stat = (_PROC / str(pid) / "stat").read_bytes()
        except OSError:
            continue
        # the command's name stands in brackets and may itself contain any of them: proc(5)
        state, _, group, session, *others = stat[stat.rindex(b")") + 2 :].split()
        if state not in _DEAD:
            yield Living(pid, int(group), int(session), int(others[15]))


def carries(pid: int, variable: str) -> bool:
    """Whether a process was started with a variable, written ``NAME=value``."""
    try:
        environ = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return variable.encode() in environ.split(b"\0")
