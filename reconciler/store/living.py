"""Who lives: operating-system processes as ``/proc`` shows them.

A zombie is nobody: where the first process of a container reaps no children, they stay for ever.
"""

import os
from dataclasses import dataclass

_DEAD = b"ZXx"


@dataclass(frozen=True, slots=True)
class Living:
    """One process: its group, its session, its start in clock ticks from the boot."""

    pid: int
    group: int
    session: int
    started: int


def look(pid: int) -> Living | None:
    """See a process; ``None`` if it runs no more, or is another user's and hidden. ``OSError``."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            stat = os.read(descriptor, 4096)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    # the command's name stands in brackets and may itself contain any of them: proc(5)
    state, _, group, session, *others = stat[stat.rindex(b")") + 2 :].split()
    return None if state in _DEAD else Living(pid, int(group), int(session), int(others[15]))
