"""The contract of executors: one suite, every implementation (``EXECUTORS``)."""

import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.execution import Execution, Trigger
from reconciler.executors import EXECUTORS, Executor
from reconciler.runner import environment
from reconciler.runner.job import Job
from reconciler.store import claims, records
from reconciler.store.layout import Layout
from reconciler.workflow import MAIN, Phase

PATIENCE = 30.0


def wait_for(answer: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (given := answer()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
    return given


@dataclass
class Place:
    """A repository's folders, and jobs that run one script there."""

    root: Path
    layout: Layout
    made: list[Job] = field(default_factory=list)

    def job(self, text: str) -> Job:
        script = self.root / "tree" / f"{len(self.made)}.sh"
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
        execution = Execution(
            id=str(uuid.uuid4()),
            service="ETL",
            name="ECB_FX",
            environment="production",
            trigger=Trigger.MANUAL,
            reason="manual(ada)",
            trigger_time=datetime.now(UTC),
            commit="a" * 40,
            host="here",
        )
        assert records.create(self.layout, execution)
        job = Job(
            execution.id,
            self.layout.record(execution),
            self.layout,
            script.parent,
            (Phase(MAIN, f"processes/scripts/{script.name}"),),
            environ=environment.base(os.environ),
        )
        self.made.append(job)
        return job

    def held(self) -> Job:
        """Make a job whose script goes on until ``go``."""
        return self.job('echo x >> "$PROCCTL_DATA/started"; while ! [ -e "$PROCCTL_DATA/go" ]; do sleep 0.02; done')

    def started(self) -> int:
        path = self.layout.data_of("ECB_FX") / "started"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def go(self) -> None:
        wait_for(self.layout.data_of("ECB_FX").exists)
        (self.layout.data_of("ECB_FX") / "go").touch()

    def outcome(self, job: Job) -> Any:
        return json.loads(job.record.read_text()).get("outcome")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, Layout.of(tmp_path / "git", tmp_path / "executions", "production"))
    yield made
    for claim in claims.all(made.layout):
        os.kill(claim.pid, signal.SIGTERM)


@pytest.fixture(params=sorted(EXECUTORS))
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made = EXECUTORS[request.param]()
    yield made
    made.close()


def test_a_job_is_worked_on_and_nobody_waits_for_it(executor: Executor, place: Place) -> None:
    job = place.held()
    executor.start(job)
    assert place.outcome(job) is None
    place.go()
    assert wait_for(lambda: place.outcome(job)) == "success"


def test_jobs_run_side_by_side(executor: Executor, place: Place) -> None:
    executor.prepare()
    jobs = [place.held() for _ in range(4)]
    for job in jobs:
        executor.start(job)
    wait_for(lambda: place.started() == 4)
    place.go()
    wait_for(lambda: [place.outcome(job) for job in jobs] == ["success"] * 4)


def test_a_job_handed_over_twice_runs_once(executor: Executor, place: Place) -> None:
    job, last = place.held(), place.job(":")
    for one in (job, job, job, last):
        executor.start(one)
    assert wait_for(lambda: place.outcome(last)) == "success"
    place.go()
    assert wait_for(lambda: place.outcome(job)) == "success"
    executor.start(job)
    again = place.job(":")
    executor.start(again)
    assert wait_for(lambda: place.outcome(again)) == "success"
    assert place.started() == 1


def test_what_runs_goes_on_after_close(executor: Executor, place: Place) -> None:
    job = place.held()
    executor.start(job)
    wait_for(lambda: place.started() == 1)
    executor.close()
    assert place.outcome(job) is None
    place.go()
    assert wait_for(lambda: place.outcome(job)) == "success"


def test_close_may_come_twice_and_before_anything_else(executor: Executor) -> None:
    executor.close()
    executor.prepare()
    executor.close()
    executor.close()


def test_it_can_be_used_after_close(executor: Executor, place: Place) -> None:
    executor.prepare()
    executor.close()
    job = place.job(":")
    executor.start(job)
    assert wait_for(lambda: place.outcome(job)) == "success"


def test_the_claim_names_a_process_that_lives_as_long_as_the_execution(executor: Executor, place: Place) -> None:
    job = place.held()
    executor.start(job)
    wait_for(lambda: place.started() == 1)
    claim = claims.read(place.layout, job.id)
    assert claim is not None
    assert claims.alive(claim)
    assert claim.record == str(job.record)
    place.go()
    wait_for(lambda: not claims.all(place.layout))
    assert place.outcome(job) == "success"
    wait_for(lambda: not claims.alive(claim))
