"""What a dead runner left behind: the processes of its session, found and ended (SPEC 10)."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from reconciler.runner.attempt import GRACE
from reconciler.store import claims
from reconciler.store.claims import Claim

_PAUSE = 0.02
_PROC = Path("/proc")


def end_session(claim: Claim, grace: float = GRACE) -> int:
    """End what remains of a dead runner's session: SIGTERM, and after ``grace`` seconds SIGKILL. Says how many.

    The session is the runner's own only if nobody else has got its number since: then a process of that number lives,
    or none of its processes is of this execution. Nothing older than the claim is touched.
    """
    if claim.boot_id != claims.boot_id():
        return 0
    left = set(_members(claim))
    count = len(left)
    _signal(left, signal.SIGTERM)
    until = time.monotonic() + grace
    while left:
        time.sleep(_PAUSE)
        left = set(_members(claim))
        if time.monotonic() >= until:
            _signal(left, signal.SIGKILL)
    return count


def _members(claim: Claim) -> list[int]:
    """The processes of a dead runner's session; none if the number of the session is somebody else's by now."""
    found: list[int] = []
    ours = False
    for pid in _pids():
        with suppress(OSError):  # it has ended meanwhile, or belongs to another user
            stat = (_PROC / str(pid) / "stat").read_bytes()
            # the command's name stands in brackets and may itself contain any of them: proc(5)
            fields = stat[stat.rindex(b")") + 2 :].split()
            if int(fields[3]) != claim.pid or fields[0] in b"ZXx" or int(fields[19]) < claim.started:
                continue
            if pid == claim.pid:
                return []
            found.append(pid)
            mark = f"PROCCTL_EXECUTION_ID={claim.execution}".encode()
            ours = ours or mark in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    return found if ours else []


def _pids() -> Iterator[int]:
    with os.scandir(_PROC) as entries:
        yield from (int(entry.name) for entry in entries if entry.name.isdigit())


def _signal(pids: set[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
