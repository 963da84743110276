"""The launcher: jobs in, runners out, whatever else comes in; and runners that outlive it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.runner import recovery, starting
from reconciler.runner.frames import HEADER, LARGEST, Frames, frame
from reconciler.store import claims


@given(st.lists(st.binary(max_size=20), max_size=6), st.integers(1, 30))
def test_frames_come_out_as_they_went_in_however_they_are_cut(sent: list[bytes], size: int) -> None:
    data = b"".join(map(frame, sent))
    frames = Frames()
    assert [one for start in range(0, len(data), size) for one in frames.feed(data[start : start + size])] == sent


@pytest.mark.parametrize("size", [1000, 65536, 10**9])
def test_a_frame_that_is_too_long_is_skipped(size: int) -> None:
    frames = Frames()
    data = b"x" * (LARGEST + 1)
    seen = list(frames.feed((LARGEST + 1).to_bytes(HEADER)))
    for start in range(0, len(data), size):
        seen += frames.feed(data[start : start + size])
    seen += frames.feed(frame(b"next"))
    assert seen == [b"", b"next"]


@pytest.fixture
def launcher() -> Iterator[subprocess.Popen[bytes]]:
    with starting.launcher() as process:
        yield process
        process.kill()


def send(launcher: subprocess.Popen[bytes], data: bytes) -> None:
    assert launcher.stdin is not None
    launcher.stdin.write(data)
    launcher.stdin.flush()


def hold(bench: Any) -> str:
    path: str = bench.sh('while ! [ -e "$PROCCTL_DATA/go" ]; do sleep 0.02; done', "hold.sh")
    return path


def test_each_job_gets_a_runner_that_leads_a_session(bench: Any, launcher: subprocess.Popen[bytes]) -> None:
    jobs = [bench.job(bench.sh("ps -o sid= -p $$")) for _ in range(5)]
    send(launcher, b"".join(frame(job.to_json()) for job in jobs))
    for job in jobs:
        bench.until(lambda job=job: bench.record(job)["status"] == "success")
    sessions = {bench.record(job)["phases"][0]["log"][0].split()[-1] for job in jobs}
    assert len(sessions) == 5
    assert str(os.getsid(launcher.pid)) not in sessions
    bench.until(lambda: not children(launcher.pid))  # they are reaped


def test_a_broken_job_is_an_error_line_and_no_more(bench: Any) -> None:
    job = bench.job(bench.sh(":"))
    frames = map(frame, (b"nonsense", b"", b"[" * 100_000, b"{}", job.to_json()))
    command = [sys.executable, "-m", "reconciler.runner.launcher"]
    done = subprocess.run(command, input=b"".join(frames), capture_output=True, check=True)
    bench.until(lambda: bench.record(job)["status"] == "success")
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 4
    assert all("no job of a runner: " in line for line in lines)


def test_nobody_who_reads_its_errors_is_no_harm(bench: Any) -> None:
    job = bench.job(bench.sh(":"))
    read, write = os.pipe()
    command = [sys.executable, "-m", "reconciler.runner.launcher"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=write) as process:
        os.close(read)
        os.close(write)
        send(process, frame(b"nonsense") + frame(job.to_json()))
        bench.until(lambda: bench.record(job)["status"] == "success")


@pytest.mark.parametrize("how", ["end of input", "SIGKILL"])
def test_runners_outlive_it(bench: Any, launcher: subprocess.Popen[bytes], how: str) -> None:
    job = bench.job(hold(bench))
    send(launcher, frame(job.to_json()))
    bench.until(lambda: bench.record(job)["status"] == "running")
    if how == "SIGKILL":
        launcher.kill()
    elif launcher.stdin is not None:
        launcher.stdin.close()
    assert launcher.wait(10) in {0, -signal.SIGKILL}
    bench.until(bench.layout.data_of("ECB_FX").exists)
    (bench.layout.data_of("ECB_FX") / "go").touch()
    bench.until(lambda: bench.record(job)["status"] == "success")
    bench.until(lambda: not claims.all(bench.layout))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_what_a_terminal_sends_does_not_end_it(
    bench: Any, launcher: subprocess.Popen[bytes], number: signal.Signals
) -> None:
    first, second = bench.job(bench.sh(":")), bench.job(bench.sh(":"))
    send(launcher, frame(first.to_json()))
    bench.until(lambda: bench.record(first)["status"] == "success")
    launcher.send_signal(number)
    send(launcher, frame(second.to_json()))
    bench.until(lambda: bench.record(second)["status"] == "success")


def test_a_killed_runner_cannot_speak_so_the_launcher_does(bench: Any, launcher: subprocess.Popen[bytes]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(bench.root / "wake"))
        ear.settimeout(10)
        job = bench.job(hold(bench), wake=bench.root / "wake")
        send(launcher, frame(job.to_json()))
        bench.until(lambda: bench.record(job)["status"] == "running")
        claim = claims.read(bench.layout, job.id)
        assert claim is not None
        os.kill(claim.pid, signal.SIGKILL)
        assert ear.recv(16)
        recovery.end_session(claim)


def test_it_is_small_and_has_one_thread(launcher: subprocess.Popen[bytes], bench: Any) -> None:
    job = bench.job(bench.sh(":"))
    send(launcher, frame(job.to_json()))
    bench.until(lambda: bench.record(job)["status"] == "success")
    assert len(list(Path(f"/proc/{launcher.pid}/task").iterdir())) == 1
    rollup = Path(f"/proc/{launcher.pid}/smaps_rollup").read_text()
    assert int(rollup.partition("Pss:")[2].split()[0]) < 30 * 1024


def children(pid: int) -> str:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text()
