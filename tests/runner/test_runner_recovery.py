"""What a killed runner leaves behind is found and ended; nobody else's process is (SPEC 10)."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.runner import recovery
from reconciler.store import claims
from reconciler.store.claims import Claim


def orphans(bench: Any, script: str, count: int = 1) -> tuple[Claim, list[int]]:
    """Kill a runner whose script has noted the pids of its processes; give its claim and those."""
    job = bench.job(bench.sh(script))
    pid = bench.start(job)
    noted = bench.layout.data_of("ECB_FX") / "pids"
    bench.until(lambda: noted.exists() and len(noted.read_text().splitlines()) >= count)
    claim = claims.read(bench.layout, job.id)
    os.kill(pid, signal.SIGKILL)
    bench.wait(pid, job)
    assert claim is not None
    assert not claims.alive(claim)
    return claim, [int(line) for line in noted.read_text().splitlines()]


def runs(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_every_process_of_the_session_ends(bench: Any) -> None:
    script = 'sleep 60 & echo $! >> "$PROCCTL_DATA/pids"; echo $$ >> "$PROCCTL_DATA/pids"; wait'
    claim, pids = orphans(bench, script, 2)
    assert all(map(runs, pids))
    assert recovery.end_session(claim) == 2
    assert not any(map(runs, pids))
    assert recovery.end_session(claim) == 0


def test_one_that_does_not_listen_is_killed(bench: Any) -> None:
    script = "trap '' TERM; echo $$ >> \"$PROCCTL_DATA/pids\"; while :; do sleep 0.05; done"
    claim, pids = orphans(bench, script)
    recovery.end_session(claim, grace=0.2)
    assert not any(map(runs, pids))


@pytest.mark.parametrize(
    "change",
    [
        {"boot_id": "another boot"},
        {"execution": "00000000-0000-0000-0000-000000000000"},
        {"started": 2**62},
        {"pid": 1},
        {"pid": 0},
    ],
)
def test_what_is_not_the_dead_runners_own_is_left_alone(bench: Any, change: dict[str, Any]) -> None:
    """Another boot, somebody else's session of that number, processes older than the claim, a claim of nobody."""
    claim, pids = orphans(bench, 'echo $$ >> "$PROCCTL_DATA/pids"; exec sleep 60')
    assert recovery.end_session(replace(claim, **change)) == 0
    assert all(map(runs, pids))
    recovery.end_session(claim)


def test_a_session_whose_leader_lives_is_somebody_elses(bench: Any) -> None:
    """The number of a dead runner is in use again, by a session that even carries the mark."""
    job = bench.job(bench.sh(":"))
    environ = {"PROCCTL_EXECUTION_ID": job.id, "PATH": os.environ["PATH"]}
    code = "import subprocess; subprocess.run(['sleep', '60'])"
    with subprocess.Popen([sys.executable, "-c", code], start_new_session=True, env=environ) as other:
        boot_id, _, _ = claims.mine()
        claim = Claim(job.id, str(job.record), boot_id, other.pid, 0, "here")
        assert recovery.end_session(claim) == 0
        assert other.poll() is None
        os.killpg(other.pid, signal.SIGKILL)
