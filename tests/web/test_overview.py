"""How a process and a repository stand: one table of states, worst first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.execution import Gap, Outcome, finish
from reconciler.problem import Problem, Severity
from reconciler.store.catalog import ProcessRow
from reconciler.store.rows import Brief, Latest
from reconciler.web import overview
from reconciler.web.overview import State

NOW = datetime(2021, 7, 23, 12, tzinfo=UTC)
ROW = ProcessRow("A", "processes/A.yaml", "b", "c", 1, {"script": "a.py"})
ERROR = Problem("processes/A.yaml", 1, 1, "/cron", "the hour 46 never comes")
HELD = Problem("processes/A.yaml", 1, 1, "/queue", "queue is not supported yet", "", Severity.WARNING, holds=True)


def brief(status: str, outcome: str | None = None) -> Brief:
    end = None if status in ("running", "triggered") else NOW
    start = None if status == "triggered" else NOW - timedelta(seconds=5)
    return Brief("A", "00000001-0000-5000-8000-000000000000", "p", status, outcome, NOW, start, end)


SUCCESS, FAILED = brief("success", "success"), brief("failed", "timeout")
RUNNING = brief("running")


@pytest.mark.parametrize(
    ("changes", "latest", "state", "why"),
    [
        ({}, Latest(), State.NEW, ""),
        ({}, Latest(SUCCESS), State.OK, ""),
        ({}, Latest(FAILED), State.FAILED, ""),
        ({}, Latest(FAILED, RUNNING), State.RUNNING, ""),
        ({}, Latest(None, brief("triggered")), State.RUNNING, ""),
        ({"document": {"enabled": False}}, Latest(FAILED), State.DISABLED, ""),
        ({"document": {"environment": "production"}}, Latest(SUCCESS), State.OK, ""),
        ({"document": {"environment": "test"}}, Latest(FAILED), State.ELSEWHERE, "belongs to the environment test"),
        ({"held": "p:1:1: warning: x", "problems": (HELD,)}, Latest(FAILED), State.HELD, "queue is not supported yet"),
        ({"held": "x"}, Latest(), State.HELD, "x"),
        ({"held": "x", "document": {"enabled": False}}, Latest(), State.DISABLED, ""),
        (
            {"valid": False, "problems": (HELD, ERROR)},
            Latest(SUCCESS),
            State.INVALID,
            "the hour 46 never comes; the last valid version stays in force",
        ),
        ({"valid": False, "document": None, "problems": (ERROR,)}, Latest(), State.INVALID, "the hour 46 never comes"),
        ({"valid": False, "document": None}, Latest(), State.INVALID, "not valid"),
        ({"document": None, "unsynced": "no tag PROD"}, Latest(SUCCESS), State.UNTAGGED, "no tag PROD"),
        ({"tag": "A/PROD", "unsynced": "deleted on main"}, Latest(FAILED), State.FAILED, "deleted on main"),
        (
            {"tag": "A/PROD", "valid": False, "document": None, "problems": (ERROR,)},
            Latest(),
            State.INVALID,
            ERROR.message,
        ),
    ],
)
def test_the_state_of_a_process(changes: dict[str, Any], latest: Latest, state: State, why: str) -> None:
    found = overview.entry(replace(ROW, **changes), latest, "production", NOW)
    assert (found["state"], found["why"]) == (state, why)


def test_what_runs_is_shown_before_what_ended() -> None:
    last = overview.entry(ROW, Latest(SUCCESS, RUNNING), "production", NOW)["last"]
    assert (last["outcome"], last["took"]) == ("running", "5s")
    last = overview.entry(ROW, Latest(FAILED), "production", NOW)["last"]
    assert (last["outcome"], last["took"]) == ("timeout", "5s")
    assert overview.entry(ROW, Latest(), "production", NOW)["last"] is None


def test_status_counts_and_names_what_is_wrong(stage: Any, finished: Any) -> None:
    names = [f"P{number}" for number in range(8)]
    stage.workshop.commit({f"processes/{name}.yaml": "script: a.py\n" for name in names})
    errors = {name: {"valid": False, "problems": (replace(ERROR, path=name),)} for name in names[:7]}
    stage.apply(**errors)
    stage.record(finished(1, name="P7"))
    status = overview.status(stage.index, stage.repository, "refs/heads/main", stage.now)
    assert status["reasons"] == ["invalid: P0, P1, P2, P3, P4 and 2 more", "7 errors in the applied commit"]
    assert (status["state"], status["unpublished"], len(status["problems"])) == ("Degraded", 1, 7)
    assert [one["name"] for one in status["processes"]] == names


def test_warnings_alone_do_not_degrade(stage: Any) -> None:
    stage.workshop.commit({"processes/A.yaml": "script: a.py\n"})
    stage.apply(A={"problems": (replace(HELD, holds=False),)})
    status = overview.status(stage.index, stage.repository, "refs/heads/main", stage.now)
    assert (status["state"], status["reasons"], len(status["problems"])) == ("Synced", [], 1)


def test_gaps_and_other_environments_do_not_count_as_failures(stage: Any, finished: Any, triggered: Any) -> None:
    stage.workshop.commit({"processes/ECB_FX.yaml": "script: a.py\n"})
    stage.apply()
    stage.record(finished(1))
    failed = replace(finished(2), status="failed", outcome="failed")
    stage.record(replace(failed, environment="test"))
    at = triggered(3).trigger_time
    stage.record(finish(triggered(3, gap=Gap(at, at, 1, (at,))), Outcome.MISSED, at, "nothing was reconciling"))
    assert overview.status(stage.index, stage.repository, "refs/heads/main", stage.now)["state"] == "Synced"


def test_next_runs_are_added_to_what_is_shown(stage: Any) -> None:
    stage.workshop.commit({"processes/A.yaml": "script: a.py\nevery: 1h\n", "processes/B.yaml": "script: b.py\n"})
    stage.apply()
    entries = overview.status(stage.index, stage.repository, "refs/heads/main", stage.now)["processes"]
    overview.add_next_runs(stage.index, entries, stage.now)
    assert [one["nextRun"] for one in entries] == ["2021-07-23T13:00:00.000Z", None]


def test_a_branch_that_is_gone_is_out_of_sync(stage: Any) -> None:
    stage.apply()
    status = overview.status(stage.index, stage.repository, "refs/heads/gone", stage.now)
    assert (status["state"], status["commit"]) == ("OutOfSync", None)
