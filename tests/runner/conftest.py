"""Executions worked on by real runners, forked as a launcher forks them, in the test's own folder."""

import gc
import json
import os
import signal
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.execution import Execution, Trigger
from reconciler.runner import environment, leading
from reconciler.runner.job import Job
from reconciler.store import records
from reconciler.store.layout import Layout, log_of
from reconciler.workflow import MAIN, Phase

SLOT = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)
PATIENCE = 30.0


@dataclass
class Bench:
    """A place to run scripts: ``script`` writes one, ``run`` works on a job to its end, ``start`` does not wait."""

    root: Path
    layout: Layout
    tree: Path
    pids: list[int] = field(default_factory=list)

    def script(self, text: str, name: str = "a.sh", mode: int = 0o755) -> str:
        """Write a script of the checkout; give its path in the repository."""
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if "\0" not in text else text.encode("latin-1"))
        path.chmod(mode)
        return f"processes/scripts/{name}"

    def sh(self, text: str, name: str = "a.sh") -> str:
        """Write a shell script."""
        return self.script(f"#!/bin/sh\n{text}\n", name)

    def job(self, *phases: Phase | str, **changes: Any) -> Job:
        """Make an execution that waits for a runner; a path stands for a phase MAIN."""
        made = tuple(Phase(MAIN, phase) if isinstance(phase, str) else phase for phase in phases)
        execution = Execution(
            id=str(uuid.uuid4()),
            service="ETL",
            name="ECB_FX",
            environment="production",
            trigger=Trigger.SCHEDULED,
            reason="every(ECB_FX,5s,2021-07-01T16:30:00.000Z)",
            trigger_time=SLOT,
            version=3,
            commit="a" * 40,
            host="here",
        )
        assert records.create(self.layout, execution)
        record = self.layout.record(execution)
        environ = environment.base(os.environ)
        job = Job(execution.id, record, self.layout, self.tree, made, environ=environ)
        return replace(job, **changes)

    def start(self, job: Job) -> int:
        """Fork a runner, and give its pid."""
        pid = os.fork()
        if not pid:
            _become(job)
        self.pids.append(pid)
        return pid

    def run(self, *phases: Phase | str, **changes: Any) -> "Ran":
        """Work on a job to its end."""
        job = self.job(*phases, **changes)
        return self.wait(self.start(job), job)

    def wait(self, pid: int, job: Job) -> "Ran":
        """Wait for a runner's end."""
        _, status = os.waitpid(pid, 0)
        self.pids.remove(pid)
        return Ran(os.waitstatus_to_exitcode(status), job, json.loads(job.record.read_text()))

    def until(self, answer: Callable[[], Any]) -> Any:
        """Ask until the answer is true."""
        deadline = time.monotonic() + PATIENCE
        while not (given := answer()):
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.005)
        return given

    def record(self, job: Job) -> dict[str, Any]:
        """Read a record as it is now."""
        document: dict[str, Any] = json.loads(job.record.read_text())
        return document


@dataclass(frozen=True)
class Ran:
    """How a runner ended, and the record it wrote."""

    code: int
    job: Job
    record: Mapping[str, Any]

    @property
    def phase(self) -> Any:
        """The only phase."""
        (phase,) = self.record["phases"]
        return phase

    @property
    def log(self) -> list[str]:
        """The only phase's log, without the times."""
        return self.log_of(self.phase["name"])

    def log_of(self, name: str) -> list[str]:
        """A phase's log, without the times."""
        (phase,) = [phase for phase in self.record["phases"] if phase["name"] == name]
        return [line.partition("[UTC] ")[2] or line for line in phase["log"]]

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """Name, status and message of each phase."""
        return [(phase["name"], phase["status"], phase["message"]) for phase in self.record["phases"]]

    @property
    def whole(self) -> Path:
        return log_of(self.job.record)

    @property
    def work(self) -> Path:
        return self.job.layout.work_of(self.job.id)


def _become(job: Job) -> None:
    """Be a runner, as a launcher's child is; nothing of pytest may survive in it."""
    try:
        for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stderr = os.fdopen(2, "w", closefd=False)  # pytest's own has a descriptor that no runner keeps
        gc.disable()
        leading.lead(job)
    finally:
        traceback.print_exc()
        os._exit(99)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    layout = Layout.of(tmp_path / "git", tmp_path / "executions", "production")
    tree = tmp_path / "tree"
    tree.mkdir()
    made = Bench(tmp_path, layout, tree)
    yield made
    for pid in made.pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
