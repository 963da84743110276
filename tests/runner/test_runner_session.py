"""At most one start: the order of claim, record and work, whoever else is at it, and whatever the disk does."""

import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.execution import Outcome, finish, running
from reconciler.runner import job as jobs
from reconciler.runner import live, session, starting
from reconciler.runner.work import Work
from reconciler.store import claims, records
from reconciler.store.claims import Claim
from reconciler.workflow import Phase

NOW = datetime(2021, 7, 1, 17, tzinfo=UTC)


def trace(bench: Any) -> str:
    """Write a script that leaves one line for each time it is started."""
    path: str = bench.sh('echo started >> "$PROCCTL_DATA/started"')
    return path


def starts(bench: Any) -> int:
    path = bench.layout.data_of("ECB_FX") / "started"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_of_many_runners_of_one_execution_one_works(bench: Any) -> None:
    job = bench.job(trace(bench))
    pids = [bench.start(job) for _ in range(8)]
    assert [bench.wait(pid, job).code for pid in pids] == [0] * 8
    assert starts(bench) == 1
    assert bench.record(job)["outcome"] == "success"


def test_a_claimed_execution_is_left_alone(bench: Any) -> None:
    job = bench.job(trace(bench))
    claim = Claim(job.id, str(job.record), *claims.mine(), "here")
    assert claims.take(bench.layout, job.id, claim)
    before = job.record.read_bytes()
    ran = bench.wait(bench.start(job), job)
    assert (ran.code, starts(bench), job.record.read_bytes()) == (0, 0, before)
    assert claims.read(bench.layout, job.id) == claim


@pytest.mark.parametrize("state", ["running", "ended"])
def test_what_does_not_wait_for_a_runner_is_left_alone(bench: Any, state: str) -> None:
    job = bench.job(trace(bench))
    execution = running(records.read(job.record), NOW, host="here", run_as="ada")
    if state == "ended":
        execution = finish(execution, Outcome.INTERRUPTED, NOW, "Interrupted")
    records.write(bench.layout, execution, durable=True)
    before = job.record.read_bytes()
    ran = bench.wait(bench.start(job), job)
    assert (ran.code, starts(bench), job.record.read_bytes()) == (0, 0, before)
    assert claims.all(bench.layout) == ()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"_id": "x"}', None])
def test_a_record_that_is_none_is_left_alone(bench: Any, content: bytes | None) -> None:
    job = bench.job(trace(bench))
    job.record.unlink()
    if content is not None:
        job.record.write_bytes(content)
    pid = bench.start(job)
    os.waitpid(pid, 0)
    bench.pids.remove(pid)
    assert starts(bench) == 0
    assert claims.all(bench.layout) == ()
    assert (job.record.read_bytes() if job.record.exists() else None) == content
    job.record.unlink(missing_ok=True)


def test_running_is_on_disk_before_the_script_starts(bench: Any) -> None:
    ran = bench.run(bench.sh(f'cat {bench.root}/executions/*/*/*/*/*.json; ls "{bench.layout.claims}"'))
    seen = json.loads("\n".join(line.removeprefix("info ") for line in ran.log[:-2]))
    assert seen["status"] == "running"
    assert [(phase["name"], phase["status"]) for phase in seen["phases"]] == [("MAIN", "running")]
    assert seen["message"] == "Initialising Phase: MAIN"
    assert ran.log[-2] == f"info {ran.job.id}.json"


def test_a_bug_of_ours_is_told_and_ends_the_execution(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("oh no")

    monkeypatch.setattr(Work, "run", broken)
    ran = bench.run(bench.sh(":"))
    assert ran.record["message"] == "procctl failed, which is a bug: RuntimeError: oh no"
    assert ran.record["outcome"] == "failed"
    assert any("Traceback" in line for line in ran.log)
    assert claims.all(bench.layout) == ()


def limited(size: int) -> None:
    """Let no file grow beyond a size: this stands for a disk without room; any user may set it, and it hits truly."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.fixture
def _unlimited() -> Any:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("_unlimited")
@pytest.mark.parametrize("size", [0, 250])
def test_on_a_full_disk_nothing_begins_and_the_execution_waits(
    bench: Any, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Without room for the claim (0), or with room for the claim alone (250)."""
    monkeypatch.setattr(live, "BEGIN_RETRIES", (0.01,))
    job = bench.job(trace(bench))
    before = job.record.read_bytes()
    limited(size)
    pid = bench.start(job)
    ran = bench.wait(pid, job)
    assert (ran.code, starts(bench), job.record.read_bytes()) == (session.UNRECORDED, 0, before)
    assert leftovers(bench) == [job.record]


@pytest.mark.usefixtures("_unlimited")
def test_a_record_too_large_for_the_disk_ends_without_its_log(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "END_RETRIES", (0.01,) * 5)
    job = bench.job(bench.sh("i=0; while [ $i -lt 300 ]; do echo a line of the log; i=$((i+1)); done"))
    limited(5000)
    ran = bench.wait(bench.start(job), job)
    assert (ran.code, ran.record["outcome"], ran.record["message"]) == (0, "success", "Completed Successfully")
    assert ran.phase["log"] == ["[the log is left out: the disk is full]"]
    assert leftovers(bench) == [job.record]


@pytest.mark.usefixtures("_unlimited")
def test_a_disk_that_stays_full_leaves_the_claim_to_recovery(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "END_RETRIES", (0.01,) * 5)
    job = bench.job(
        bench.sh(f'"{sys.executable}" -c "import resource as r; r.prlimit($PPID, r.RLIMIT_FSIZE, (0, -1))"')
    )
    ran = bench.wait(bench.start(job), job)
    assert ran.code == session.UNRECORDED
    assert ran.record["status"] == "running"  # whole, and true as far as anybody could write it
    (claim,) = claims.all(bench.layout)
    assert not claims.alive(claim)
    assert [path for path in leftovers(bench) if path.suffix == ".tmp"] == []


def leftovers(bench: Any) -> list[Path]:
    """Every file below records and claims."""
    folders = (bench.root / "executions", bench.layout.claims)
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_a_job_survives_its_pipe(bench: Any) -> None:
    phases = (Phase("A", "processes/scripts/a.sh", 2, timedelta(seconds=1.5), timedelta(minutes=2)), Phase("B", "b"))
    job = bench.job(*phases, input={"ü": [1, None]}, settings={"a": True}, timeout=timedelta(hours=1))
    for given in (job, replace(job, timeout=None, wake=Path("/run/wake"))):
        assert jobs.parse(given.to_json()) == given


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"layout": 1}'])
def test_what_is_no_job_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no job of a runner"):
        jobs.parse(data)


@pytest.mark.parametrize("wrong", [{"id": "../../etc"}, {"phases": ()}])
def test_a_job_without_a_true_id_or_without_phases_is_refused(bench: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="its id is none, or it has no phases"):
        jobs.parse(replace(bench.job(bench.sh(":")), **wrong).to_json())


def test_a_runner_of_its_own_works_as_one_of_a_launcher(bench: Any) -> None:
    job = bench.job(bench.sh("echo hello; ps -o sid= -p $$"))
    process = starting.runner(job)
    assert process.wait(30) == 0
    record = bench.record(job)
    assert record["outcome"] == "success"
    assert int(record["phases"][0]["log"][1].split()[-1]) == process.pid


def test_it_outlives_its_starter_and_the_starters_session(bench: Any) -> None:
    """The starter leads a session and a group, starts a runner as a shell would, and is killed."""
    job = bench.job(bench.sh('while ! [ -e "$PROCCTL_DATA/go" ]; do sleep 0.02; done'))
    code = (
        "import os, subprocess, sys, time\n"
        "run = subprocess.Popen([sys.executable, '-m', 'reconciler.runner'], stdin=subprocess.PIPE, process_group=0)\n"
        "run.communicate(sys.stdin.buffer.read())\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, start_new_session=True) as starter:
        assert starter.stdin is not None
        starter.stdin.write(job.to_json())
        starter.stdin.close()
        bench.until(lambda: bench.record(job)["status"] == "running")
        os.killpg(starter.pid, 9)
    bench.until(bench.layout.data_of("ECB_FX").exists)
    (bench.layout.data_of("ECB_FX") / "go").touch()
    bench.until(lambda: bench.record(job)["status"] == "success")
    bench.until(lambda: not claims.all(bench.layout))


def test_a_runner_without_a_job_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler.runner"], input=b"nonsense", capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"procctl: error: no job of a runner: ")
    assert b"Traceback" not in done.stderr


def test_jobs_carry_no_more_of_the_environment_than_scripts_may_see(bench: Any) -> None:
    job = bench.job(bench.sh(":"))
    assert "PYTEST_CURRENT_TEST" in os.environ
    assert "PYTEST_CURRENT_TEST" not in job.environ
