"""What is particular to executions on this machine: the launcher between, which may die."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.errors import LaterError
from reconciler.executors.local import LocalExecutor
from reconciler.runner import starting

if TYPE_CHECKING:
    import subprocess


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> "list[subprocess.Popen[bytes]]":
    """The launchers started so far."""
    found: list[subprocess.Popen[bytes]] = []
    start = starting.launcher

    def noting() -> "subprocess.Popen[bytes]":
        found.append(start())
        return found[-1]

    monkeypatch.setattr(starting, "launcher", noting)
    return found


class Nothing:
    """A job that no runner takes."""

    def to_json(self) -> bytes:
        return b"{}"


def test_it_starts_a_launcher_at_the_first_job_and_keeps_it(started: Any) -> None:
    executor = LocalExecutor()
    assert started == []
    for _ in range(3):
        executor.start(Nothing())  # type: ignore[arg-type]  # all it needs of a job
    executor.prepare()
    (launcher,) = started
    executor.close()
    assert launcher.returncode == 0


def test_a_launcher_that_died_is_replaced(started: Any) -> None:
    executor = LocalExecutor()
    executor.prepare()
    started[0].kill()
    started[0].wait()
    executor.start(Nothing())  # type: ignore[arg-type]  # all it needs of a job
    executor.close()
    assert [launcher.returncode for launcher in started] == [-signal.SIGKILL, 0]


def test_one_that_dies_while_it_is_written_to_is_replaced_too(started: Any) -> None:
    """It has died, and nobody has noticed: the pipe says so."""
    executor = LocalExecutor()
    executor.prepare()
    started[0].poll = lambda: None
    started[0].kill()
    started[0].wait()
    executor.start(Nothing())  # type: ignore[arg-type]  # all it needs of a job
    executor.close()
    assert len(started) == 2


def test_every_launcher_is_told_how_many_runners_to_have_ready(started: Any) -> None:
    executor = LocalExecutor()
    executor.expect(2)
    wait_for(lambda: runners(started[0].pid) == 2)
    started[0].kill()
    started[0].wait()
    executor.prepare()
    wait_for(lambda: runners(started[1].pid) == 2)
    executor.expect(3)
    wait_for(lambda: runners(started[1].pid) == 3)
    executor.close()
    assert len(started) == 2


def runners(pid: int) -> int:
    return len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def wait_for(answer: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not answer():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def test_without_room_for_a_launcher_it_is_a_matter_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_PYTHON", ("/no/such/python",))
    with pytest.raises(LaterError, match="no process can be started"):
        LocalExecutor().prepare()
