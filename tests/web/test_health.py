"""Ready means that the scheduling loop turns; what the daemon last said about itself decides."""

import json
import os
import socket
import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from reconciler import instant
from reconciler.store import claims, files
from reconciler.web import health

Ask = Callable[..., Any]


def beat(stage: Any, **changes: Any) -> None:
    """Write a heartbeat as a daemon that turned just now, here, in this process."""
    document = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "boot": claims.boot_id(),
        "turned": instant.text(stage.now),
    } | changes
    files.replace(stage.layout.daemon_file, json.dumps(document).encode(), durable=False)


def ended_pid() -> int:
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def test_a_loop_that_turns_is_ready(stage: Any, ask: Ask) -> None:
    beat(stage)
    answer = ask(stage.app, b"/readyz")
    assert answer.status == 200
    assert answer.json == {"ready": True, "turned": "2021-07-23T12:00:00.000Z"}


@pytest.mark.parametrize(("age", "ready"), [(-5, True), (0, True), (60, True), (60.1, False), (3600, False)])
def test_it_has_to_turn_within_a_minute(stage: Any, ask: Ask, age: float, *, ready: bool) -> None:
    beat(stage)
    stage.now += timedelta(seconds=age)
    answer = ask(stage.app, b"/readyz")
    assert answer.status == (200 if ready else 503)
    if not ready:
        problem = answer.check_problem()
        assert problem["code"] == 5030
        assert f"last turned {age:.0f} s ago" in problem["detail"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pid": ended_pid()}, "has ended"),
        ({"boot": "another"}, "this machine restarted"),
        ({"turned": "yesterday"}, "cannot be understood"),
        ({"turned": None}, "cannot be understood"),
        ({"pid": "many"}, "cannot be understood"),
        ({"pid": []}, "cannot be understood"),
    ],
)
def test_who_does_not_live_is_not_ready(stage: Any, ask: Ask, changes: dict[str, Any], reason: str) -> None:
    beat(stage, **changes)
    assert reason in ask(stage.app, b"/readyz").check_problem()["detail"]


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"null", b"\xff", b"[" * 100_000, b" " * 100_000])
def test_a_broken_heartbeat_is_no_heartbeat(stage: Any, data: bytes) -> None:
    files.replace(stage.layout.daemon_file, data, durable=False)
    found = health.check(stage.layout, stage.now)
    assert (found.ready, found.reason) == (False, "daemon.json cannot be understood")


def test_without_a_reconciler_it_says_how_to_start_one(stage: Any, ask: Ask) -> None:
    problem = ask(stage.app, b"/readyz").check_problem()
    assert (problem["status"], problem["todo"]) == (503, "start `procctl daemon`")
    assert ask(stage.app, b"/livez").json["alive"] is True


def test_a_commit_that_was_refused_is_said_to_be(stage: Any, ask: Ask) -> None:
    stage.apply()
    newest = stage.workshop.commit()
    beat(stage, refused=newest)
    assert ask(stage.app, b"/readyz").json["refused"] == newest
    assert b"refused: it does not descend" in ask(stage.app, b"/").body
    beat(stage, refused=7)
    assert "refused" not in ask(stage.app, b"/readyz").json
    assert b"refused: it does not descend" not in ask(stage.app, b"/").body


def test_of_another_host_only_the_time_counts(stage: Any) -> None:
    beat(stage, host="elsewhere", pid=1, boot="another")
    assert health.check(stage.layout, stage.now).ready
    assert not health.check(stage.layout, stage.now + timedelta(hours=1)).ready
