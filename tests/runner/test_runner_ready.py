"""Runners that are ready before their jobs: whose they are, what they hold, and when one takes another job."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.runner import cancel, orphans, starting
from reconciler.runner.frames import frame
from reconciler.store import claims

READY = 3


@pytest.fixture
def launcher() -> Iterator[subprocess.Popen[bytes]]:
    with starting.launcher() as process:
        yield process
        process.kill()


@pytest.fixture
def idle(bench: Any, launcher: subprocess.Popen[bytes]) -> list[int]:
    """The pids of runners that wait for a job."""
    return ready(bench, launcher, READY)


def ready(bench: Any, launcher: subprocess.Popen[bytes], count: int) -> list[int]:
    send(launcher, str(count).encode())
    bench.until(lambda: len(children(launcher.pid)) == count and all(map(waits, children(launcher.pid))))
    return children(launcher.pid)


def send(launcher: subprocess.Popen[bytes], data: bytes) -> None:
    assert launcher.stdin is not None
    launcher.stdin.write(frame(data))
    launcher.stdin.flush()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def waits(pid: int) -> bool:
    """Whether a runner has rehearsed and sleeps: it holds null three times, its channel and both ends of a pipe."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
        return state == "S" and len(held(pid)) == 6 and held(pid)[:3] == [os.devnull] * 3
    except OSError:
        return False


def held(pid: int) -> list[str]:
    """What the descriptors of a process lead to, in their order."""
    folder = Path(f"/proc/{pid}/fd")
    return [str(one.readlink()) for one in sorted(folder.iterdir(), key=lambda one: int(one.name))]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def work(bench: Any, launcher: subprocess.Popen[bytes], script: str = 'ps -o sid= -p "$$"') -> int:
    """Have a job worked on until its runner waits for another or is gone; give the session it was worked on in."""
    job = bench.job(bench.sh(script))
    send(launcher, job.to_json())
    bench.until(lambda: bench.record(job)["status"] == "success")
    bench.until(lambda: not claims.all(bench.layout))
    pid = int(bench.record(job)["phases"][0]["log"][0].split()[-1])
    bench.until(lambda: waits(pid) or not lives(pid))
    return pid


def hold(bench: Any) -> Any:
    """Make a job that goes on until ``go``."""
    return bench.job(bench.sh('touch "$PROCCTL_DATA/on"; while ! [ -e "$PROCCTL_DATA/go" ]; do sleep 0.02; done'))


def data(bench: Any, name: str) -> Path:
    path: Path = bench.layout.data_of("ECB_FX") / name
    return path


def taken(bench: Any, launcher: subprocess.Popen[bytes]) -> tuple[Any, claims.Claim]:
    """Let a runner begin such a job, and see its claim as one who cancels does."""
    job = hold(bench)
    send(launcher, job.to_json())
    bench.until(data(bench, "on").exists)
    claim = claims.read(bench.layout, job.id)
    assert claim is not None
    return job, claim


@pytest.mark.parametrize("how", ["end of input", "SIGKILL"])
def test_those_that_wait_end_with_the_launcher_and_one_that_works_goes_on(
    bench: Any, launcher: subprocess.Popen[bytes], idle: list[int], how: str
) -> None:
    job = hold(bench)
    send(launcher, job.to_json())
    bench.until(data(bench, "on").exists)
    claim = claims.read(bench.layout, job.id)
    assert claim is not None
    assert claim.pid in idle
    if how == "SIGKILL":
        launcher.kill()
    elif launcher.stdin is not None:
        launcher.stdin.close()
    launcher.wait(10)
    bench.until(lambda: [pid for pid in idle if lives(pid)] == [claim.pid])
    data(bench, "go").touch()
    bench.until(lambda: bench.record(job)["status"] == "success")
    bench.until(lambda: not lives(claim.pid))


def test_each_holds_nothing_but_its_own_way_to_the_launcher(idle: list[int]) -> None:
    """Held by another, it would keep the first waiting for ever once the launcher is gone."""
    sockets = [one for pid in idle for one in held(pid) if one.startswith("socket:")]
    assert len(set(sockets)) == len(sockets) == READY


def test_each_leads_a_session(launcher: subprocess.Popen[bytes], idle: list[int]) -> None:
    assert [os.getsid(pid) for pid in idle] == idle
    assert os.getsid(launcher.pid) not in idle


@pytest.mark.usefixtures("idle")
def test_a_script_gets_nothing_of_the_runners(bench: Any, launcher: subprocess.Popen[bytes]) -> None:
    for _ in range(2):
        job = bench.job(bench.sh("echo /proc/$$/fd/*"))
        send(launcher, job.to_json())
        bench.until(lambda job=job: bench.record(job)["status"] == "success")
        opened = bench.record(job)["phases"][0]["log"][0].split()[2:]
        assert {path.rpartition("/")[2] for path in opened} <= {
            "0",
            "1",
            "2",
            "3",
            "10",
        }  # the shell's own: a folder, its script


@pytest.mark.usefixtures("idle")
def test_a_rehearsal_leaves_nothing(
    bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setenv("TMPDIR", str(scratch))
    with starting.launcher() as launcher:
        ready(bench, launcher, 2)
        bench.until(lambda: not list(scratch.iterdir()))
        launcher.kill()


def test_a_killed_one_costs_nothing(bench: Any, launcher: subprocess.Popen[bytes], idle: list[int]) -> None:
    for pid in idle:
        os.kill(pid, signal.SIGKILL)
    assert work(bench, launcher) not in idle
    bench.until(lambda: len([pid for pid in children(launcher.pid) if waits(pid)]) == READY)


def test_if_none_can_be_made_ready_each_job_has_one_of_its_own(bench: Any) -> None:
    code = (
        "from reconciler.runner import launcher, leading\n"
        "def broken(signals): raise RuntimeError('oh no')\n"
        "leading.rehearse = broken\n"
        "launcher.main()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as launcher:
        send(launcher, b"1")
        assert launcher.stderr is not None
        while b"RuntimeError: oh no" not in launcher.stderr.readline():
            pass
        bench.until(lambda: not children(launcher.pid))
        assert work(bench, launcher)
        assert b"Traceback" not in launcher.communicate()[1]


def test_a_job_whose_runner_dies_before_its_claim_still_waits_and_can_be_given_again(
    bench: Any, launcher: subprocess.Popen[bytes]
) -> None:
    (pid,) = ready(bench, launcher, 1)
    os.kill(pid, signal.SIGSTOP)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(bench.root / "wake"))
        ear.settimeout(10)
        job = bench.job(bench.sh('echo x >>"$PROCCTL_DATA/started"', "once.sh"), wake=bench.root / "wake")
        send(launcher, job.to_json())
        assert work(bench, launcher) != pid  # so the launcher is done with the first
        os.kill(pid, signal.SIGKILL)
        assert ear.recv(16)
    assert bench.record(job)["status"] == "triggered"
    assert claims.all(bench.layout) == ()
    send(launcher, job.to_json())
    bench.until(lambda: bench.record(job)["status"] == "success")
    assert data(bench, "started").read_text() == "x\n"


def test_one_takes_another_job_after_its_own(bench: Any, launcher: subprocess.Popen[bytes]) -> None:
    (pid,) = ready(bench, launcher, 1)
    assert [work(bench, launcher) for _ in range(3)] == [pid] * 3


def test_without_a_word_of_how_many_each_job_has_one_of_its_own(bench: Any, launcher: subprocess.Popen[bytes]) -> None:
    first, second = work(bench, launcher), work(bench, launcher)
    assert first != second
    bench.until(lambda: not children(launcher.pid))


@pytest.mark.parametrize("away", ["os.setsid()", "os.setpgid(0, 0)"])
def test_one_whose_script_left_a_process_takes_no_other(
    bench: Any, launcher: subprocess.Popen[bytes], away: str
) -> None:
    """What is found in a runner's session belongs to the execution it works on, and to no earlier one."""
    (pid,) = ready(bench, launcher, 1)
    code = (
        f"import os, time; {away}; open('left', 'w').write(str(os.getpid())); os.rename('left', 'away'); time.sleep(60)"
    )
    script = f"""ps -o sid= -p "$$"; exec >/dev/null 2>&1
cd "$PROCCTL_DATA"; {sys.executable} -c "{code}" & until [ -e away ]; do :; done"""
    assert work(bench, launcher, script) == pid
    bench.until(lambda: not lives(pid))
    left = int(data(bench, "away").read_text())
    assert lives(left)
    assert work(bench, launcher) != pid
    os.kill(left, signal.SIGKILL)


def test_one_whose_script_left_processes_that_end_with_it_takes_another(
    bench: Any, launcher: subprocess.Popen[bytes]
) -> None:
    (pid,) = ready(bench, launcher, 1)
    assert work(bench, launcher, 'ps -o sid= -p "$$"; (exit 0) & exec >/dev/null 2>&1; wait') == pid
    assert work(bench, launcher) == pid


def test_orphans_are_reaped_while_the_script_runs(bench: Any, launcher: subprocess.Popen[bytes]) -> None:
    (pid,) = ready(bench, launcher, 1)
    script = (
        "for i in 1 2 3 4 5; do (sh -c : &); done; touch $PROCCTL_DATA/on; until [ -e $PROCCTL_DATA/go ]; do :; done"
    )
    job = bench.job(bench.sh(script))
    send(launcher, job.to_json())
    bench.until(data(bench, "on").exists)
    bench.until(lambda: len(children(pid)) == 1)
    data(bench, "go").touch()
    bench.until(lambda: bench.record(job)["status"] == "success")


def test_a_late_cancel_does_not_hit_the_next_execution(bench: Any, launcher: subprocess.Popen[bytes]) -> None:
    """Who cancels has seen a claim; until his signal arrives, the runner may work on another execution."""
    (pid,) = ready(bench, launcher, 1)
    job, claim = taken(bench, launcher)
    assert cancel.cancel(bench.layout, replace(claim, execution="0" * 8 + claim.execution[8:]), "ada")
    data(bench, "go").touch()
    bench.until(lambda: bench.record(job)["status"] == "success")
    assert claim.pid == pid


def test_a_cancelled_one_takes_no_other_job(bench: Any, launcher: subprocess.Popen[bytes]) -> None:
    (pid,) = ready(bench, launcher, 1)
    job, claim = taken(bench, launcher)
    assert cancel.cancel(bench.layout, claim, "ada")
    bench.until(lambda: bench.record(job)["status"] == "failed")
    assert bench.record(job)["message"] == "Cancelled by ada"
    bench.until(lambda: not lives(pid))


def test_a_failed_script_is_no_reason_for_another_runner(bench: Any, launcher: subprocess.Popen[bytes]) -> None:
    (pid,) = ready(bench, launcher, 1)
    job = bench.job(bench.sh("exit 3"))
    send(launcher, job.to_json())
    bench.until(lambda: bench.record(job)["status"] == "failed")
    bench.until(lambda: not claims.all(bench.layout) and waits(pid))
    assert work(bench, launcher) == pid
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")


def test_who_was_not_asked_to_be_a_parent_has_no_orphans() -> None:
    pid = os.fork()
    if not pid:
        with subprocess.Popen(["sh", "-c", "(sleep 60 & echo $!)"], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            orphan = int(process.stdout.readline())
        none = orphans.none_left()
        os.kill(orphan, signal.SIGKILL)
        os._exit(0 if none else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
