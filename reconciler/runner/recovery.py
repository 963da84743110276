"""What a dead runner left behind: the processes of its session, found and ended (SPEC 10)."""

import os
import signal
import time
from contextlib import suppress

from reconciler.runner import census
from reconciler.runner.attempt import GRACE
from reconciler.store import claims
from reconciler.store.claims import Claim

_PAUSE = 0.02


def end_session(claim: Claim, grace: float = GRACE) -> int:
    """End what remains of a dead runner's session: SIGTERM, and after ``grace`` seconds SIGKILL. Says how many.

    The session is the runner's own only if nobody else has got its number since: then a process of that number lives,
    or none of its processes is of this execution. Nothing older than the claim is touched.
    """
    if claim.boot_id != claims.boot_id():
        return 0
    left = _members(claim)
    count = len(left)
    _signal(left, signal.SIGTERM)
    until = time.monotonic() + grace
    while left:
        time.sleep(_PAUSE)
        left = _members(claim)
        if time.monotonic() >= until:
            _signal(left, signal.SIGKILL)
    return count


def _members(claim: Claim) -> set[int]:
    """The processes of a dead runner's session; none if the number of the session is somebody else's by now."""
    found = [one for one in census.living() if one.session == claim.pid and one.started >= claim.started]
    mark = f"PROCCTL_EXECUTION_ID={claim.execution}"
    if any(one.pid == claim.pid for one in found) or not any(census.carries(one.pid, mark) for one in found):
        return set()
    return {one.pid for one in found}


def _signal(pids: set[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
