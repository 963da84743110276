"""The way from a plan to a runner and back: what was asked, handed out, could not start, or lost its runner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.daemon.activity import Activity
from reconciler.daemon.handing import Handing
from reconciler.daemon.ledger import Ledger
from reconciler.daemon.source import Source
from reconciler.errors import LaterError
from reconciler.execution import Execution, Outcome, Status, Trigger, finish, running
from reconciler.executors.local import LocalExecutor
from reconciler.runner import census
from reconciler.runner.job import Job
from reconciler.store import claims, records, requests
from reconciler.store.claims import Claim
from reconciler.store.requests import Request

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PATIENCE = 60
Make = Callable[..., Execution]


class Refusing(LocalExecutor):
    """Takes no jobs, as one whose launcher cannot be started."""

    def start(self, job: Job) -> None:
        raise LaterError(f"no runner for {job.id}")


@pytest.fixture
def handing(source: Source, ledger: Ledger, activity: Activity, tmp_path: Path) -> Iterator[Handing]:
    with closing(LocalExecutor()) as executor:
        yield Handing(source, ledger, activity, executor, dict(os.environ), tmp_path / "wake", "host")


@pytest.fixture
def waiting(handing: Handing) -> Make:
    """Leave the record of an execution that waits, and watch it."""

    def make(number: int = 1, **chosen: Any) -> Execution:
        fields: dict[str, Any] = {
            "id": f"{number:08}-0000-4000-8000-000000000000",
            "service": "default",
            "name": "A",
            "environment": "production",
            "trigger": Trigger.SCHEDULED,
            "reason": "r",
            "trigger_time": NOW,
            "commit": handing.source.commit,
            "version": 1,
            "host": "host",
        }
        made = Execution(**fields | chosen)
        assert handing.ledger.create([made]) == [made]
        handing.activity.add(made)
        return made

    return make


def recorded(handing: Handing, execution: Execution) -> Execution:
    return records.read(handing.ledger.layout.record(execution))


def wait_for(answer: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answer():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def asks(handing: Handing, number: int = 1, **chosen: Any) -> Request:
    fields: dict[str, Any] = {
        "id": f"{number:08}-0000-4000-8000-000000000000",
        "name": "A",
        "reference": None,
        "body": {"day": 1},
        "reason": "manual(ada)",
        "asked": NOW,
        "not_before": None,
        "force": False,
        "user": "ada",
    }
    request = Request(**fields | chosen)
    assert requests.leave(handing.ledger.layout, request)
    return request


def test_a_request_becomes_the_execution_that_it_names(handing: Handing) -> None:
    later = NOW + timedelta(hours=1)
    asks(handing, 1)
    asks(handing, 2, not_before=later)
    first, second = handing.asked()
    execution = first.execution
    assert (execution.id, execution.name, execution.trigger) == (asks_id(1), "A", Trigger.MANUAL)
    assert (execution.commit, execution.version) == (handing.source.commit, 1)
    assert (execution.body, execution.reason, execution.run_as) == ({"day": 1}, "manual(ada)", "ada")
    assert (first.due, first.refusal, second.due) == (NOW, None, later)


def asks_id(number: int) -> str:
    return f"{number:08}-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"name": "UNKNOWN"}, "no process"),
        ({"reference": "9"}, "no version 9"),
        ({"name": "OFF"}, "--force"),
        ({"body": ["x"]}, "must be a mapping"),
        ({"body": "x"}, "must be a mapping"),
    ],
)
def test_a_request_that_cannot_be_granted_says_why(handing: Handing, chosen: dict[str, Any], why: str) -> None:
    asks(handing, **chosen)
    (asked,) = handing.asked()
    assert why in str(asked.refusal)


def test_force_grants_what_is_disabled(handing: Handing) -> None:
    asks(handing, name="OFF", force=True)
    (asked,) = handing.asked()
    assert asked.refusal is None


def test_a_request_is_asked_until_it_has_a_record_and_then_never_again(handing: Handing) -> None:
    request = asks(handing)
    (asked,) = handing.asked()
    assert [one.execution for one in handing.asked()] == [asked.execution], "to ask is to change nothing"
    handing.activity.add(asked.execution)
    assert handing.asked() == [], "it waits already"
    handing.taken([replace(asked.execution, trigger=Trigger.SCHEDULED)])
    assert handing.ledger.layout.request(request.id).exists(), "a slot takes no request away"
    handing.taken([asked.execution])
    handing.taken([asked.execution])
    assert not handing.ledger.layout.request(request.id).exists()


def test_a_request_that_cannot_be_read_is_told_and_left_alone(
    handing: Handing, caplog: pytest.LogCaptureFixture
) -> None:
    asks(handing, 1)
    foreign = handing.ledger.layout.request(asks_id(2))
    foreign.write_text("{")
    assert [asked.execution.id for asked in handing.asked()] == [asks_id(1)]
    assert foreign.name in caplog.text
    assert foreign.exists()


def test_what_is_handed_out_runs_to_its_end(handing: Handing, waiting: Make) -> None:
    execution = waiting()
    assert handing.start([execution.id], NOW) == set()
    (active,) = handing.activity.active(NOW, most=1)
    assert (active.execution.id, active.handed) == (execution.id, True), "it is not handed out twice"
    wait_for(lambda: recorded(handing, execution).ended)
    assert recorded(handing, execution).outcome is Outcome.SUCCESS
    wait_for(lambda: not claims.all(handing.ledger.layout))
    assert handing.activity.look(NOW).ended == {"A"}


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        ({"name": "GONE"}, "GONE"),
        ({"commit": "f" * 40}, "not a tree"),
        ({"body": ["x"]}, "must be a mapping, is a list"),
        ({"body": {"day": "x"}}, "must be a whole number"),
    ],
    ids=["no such process", "no such commit", "no input at all", "no such input"],
)
def test_what_cannot_be_prepared_ends_as_failed_with_the_reason_and_the_next_still_starts(
    handing: Handing, waiting: Make, workshop: Any, chosen: dict[str, Any], why: str
) -> None:
    if chosen.get("body"):
        workflow = "phases: [{name: X, script: a.sh}]\ninput: {day: {type: integer}}\nrequired: [day]\n"
        workshop.commit({"processes/B.yaml": "workflow: w\n", "processes/workflows/w.yaml": workflow})
        handing.source.look()
        chosen = chosen | {"name": "B", "commit": handing.source.commit}
    broken, sound = waiting(1, **chosen), waiting(2)
    assert handing.start([broken.id, sound.id], NOW) == {broken.name}
    ended = recorded(handing, broken)
    assert (ended.outcome, ended.end) == (Outcome.FAILED, NOW)
    assert str(ended.message).startswith("Cannot start: ")
    assert why in str(ended.message)
    assert broken.id not in handing.activity
    row = handing.ledger.index.execution(broken.id)
    assert row is not None
    assert row.execution == ended
    wait_for(lambda: recorded(handing, sound).outcome is Outcome.SUCCESS)


def test_what_no_executor_takes_ends_as_failed(handing: Handing, waiting: Make) -> None:
    handing.executor = Refusing()
    execution = waiting()
    assert handing.start([execution.id], NOW) == {"A"}
    assert "no runner" in str(recorded(handing, execution).message)


DYING = """
import os, signal, subprocess, sys
from reconciler.store import claims
print(*claims.mine(), flush=True)
subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=sys.stdout).wait()
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


@pytest.fixture
def orphaned(handing: Handing, waiting: Make) -> Iterator[Execution]:
    """An execution that runs, as its record says, and whose runner was killed; a process of its own is left."""
    execution = waiting()
    command = [sys.executable, "-c", DYING, STUBBORN]
    marked = os.environ | {"PROCCTL_EXECUTION_ID": execution.id}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=marked) as runner:
        assert runner.stdout is not None
        boot_id, pid, started = runner.stdout.readline().split()
        assert runner.stdout.readline() == "up\n"
        layout = handing.ledger.layout
        claim = Claim(execution.id, str(layout.record(execution)), boot_id, int(pid), int(started), "host")
        assert claims.take(layout, execution.id, claim)
        records.write(layout, running(execution, NOW, host="host", run_as="ada"), durable=False)
        handing.activity.look(NOW)
        yield execution
        with suppress(ProcessLookupError):
            os.killpg(runner.pid, signal.SIGKILL)  # whatever a test that failed has left


def test_a_runner_that_lives_is_left_alone(handing: Handing, orphaned: Execution) -> None:
    claim = claims.read(handing.ledger.layout, orphaned.id)
    assert claim is not None
    assert handing.interrupt([orphaned.id], NOW) == set()
    assert recorded(handing, orphaned).status is Status.RUNNING
    assert claims.alive(claim)
    os.killpg(claim.pid, signal.SIGKILL)


def test_of_a_runner_that_is_gone_nothing_is_left_but_the_truth(handing: Handing, orphaned: Execution) -> None:
    claim = claims.read(handing.ledger.layout, orphaned.id)
    assert claim is not None
    os.kill(claim.pid, signal.SIGKILL)
    wait_for(lambda: not claims.alive(claim))
    assert handing.interrupt([orphaned.id], NOW) == {"A"}
    ended = recorded(handing, orphaned)
    assert (ended.outcome, ended.end) == (Outcome.INTERRUPTED, NOW)
    assert claims.all(handing.ledger.layout) == ()
    assert orphaned.id not in handing.activity
    assert [one for one in census.living() if one.session == claim.pid] == []


def dead_claim(handing: Handing, execution: Execution) -> None:
    boot_id, pid, started = claims.mine()
    record = str(handing.ledger.layout.record(execution))
    assert claims.take(
        handing.ledger.layout, execution.id, Claim(execution.id, record, boot_id, pid, started - 1, "host")
    )


def test_an_end_that_the_runner_still_wrote_stands(handing: Handing, waiting: Make) -> None:
    """It was killed between its last word and the release of its claim."""
    execution = waiting()
    dead_claim(handing, execution)
    ended = finish(running(execution, NOW, host="host", run_as="ada"), Outcome.SUCCESS, NOW + timedelta(seconds=1))
    records.write(handing.ledger.layout, ended, durable=False)
    assert handing.interrupt([execution.id], NOW + timedelta(minutes=1)) == {"A"}
    assert recorded(handing, execution) == ended
    assert claims.all(handing.ledger.layout) == ()


def test_a_runner_that_was_killed_before_its_first_word_is_never_followed_by_another(
    handing: Handing, waiting: Make
) -> None:
    """Whether a script had begun cannot be known: once claimed, an execution is not started again."""
    execution = waiting()
    dead_claim(handing, execution)
    assert handing.interrupt([execution.id], NOW) == {"A"}
    assert recorded(handing, execution).outcome is Outcome.INTERRUPTED


def test_a_record_that_was_broken_meanwhile_is_written_anew_from_what_was_seen(
    handing: Handing, waiting: Make, caplog: pytest.LogCaptureFixture
) -> None:
    execution = waiting()
    handing.ledger.layout.record(execution).write_text("{")
    assert handing.interrupt([execution.id], NOW) == {"A"}
    assert recorded(handing, execution) == finish(
        execution, Outcome.INTERRUPTED, NOW, "Interrupted: its runner ended without a word"
    )
    assert execution.id in caplog.text
