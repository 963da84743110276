"""What a reconciler believes to be running, while runners begin and end between any two of its looks."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.daemon.activity import HANDED, SHOWN, Activity
from reconciler.execution import Execution, Outcome, Status, Trigger, finish, running
from reconciler.store import claims, records
from reconciler.store.claims import Claim
from reconciler.store.layout import Layout

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout.of(tmp_path / ".git", tmp_path / "executions", "production")


def execution(number: int = 1, trigger: Trigger = Trigger.SCHEDULED) -> Execution:
    execution_id = f"00000000-0000-4000-8000-{number:012}"
    at = NOW + timedelta(seconds=number)
    return Execution(execution_id, "default", "A", "production", trigger, "r", at, commit="c" * 40, host="h")


def claim_of(layout: Layout, one: Execution, *, dead: bool = False) -> Claim:
    boot_id, pid, started = claims.mine()
    return Claim(one.id, str(layout.record(one)), boot_id, pid, started - dead, "h")


def begin(layout: Layout, one: Execution, *, dead: bool = False) -> Execution:
    """Do what a runner does first."""
    claims.take(layout, one.id, claim_of(layout, one, dead=dead))
    begun = running(one, NOW + timedelta(minutes=1), host="h", run_as="me")
    records.write(layout, begun, durable=False)
    return begun


def watched(layout: Layout, *many: Execution) -> Activity:
    activity = Activity(layout)
    for one in many:
        assert records.create(layout, one)
        activity.add(one)
    return activity


def test_a_runner_that_claims_between_the_two_looks_is_alive(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    one = execution()
    activity = watched(layout, one)
    activity.hand(one.id, NOW)
    listed: Callable[[Layout], list[str]] = claims.ids

    def late(place: Layout) -> list[str]:
        """List the claims, and only then let the runner take its own."""
        found = listed(place)
        begin(layout, one)
        return found

    monkeypatch.setattr(claims, "ids", late)
    activity.look(NOW)
    (active,) = activity.active(NOW, most=4)
    assert (active.execution.status, active.claimed, active.alive) == (Status.RUNNING, True, True)


def test_a_runner_that_is_gone_is_not_alive(layout: Layout) -> None:
    one = execution()
    activity = watched(layout, one)
    activity.hand(one.id, NOW)
    begin(layout, one, dead=True)
    activity.look(NOW)
    (active,) = activity.active(NOW, most=4)
    assert (active.claimed, active.alive) == (True, False)


def test_an_execution_that_others_began_is_adopted(layout: Layout) -> None:
    one = execution(trigger=Trigger.MANUAL)
    records.create(layout, one)
    begin(layout, one)
    activity = Activity(layout)
    activity.look(NOW)
    assert one.id in activity
    assert activity.active(NOW, most=0)[0].alive


def test_an_end_is_seen_once_with_its_row_and_its_process(layout: Layout) -> None:
    one = execution()
    activity = watched(layout, one)
    activity.hand(one.id, NOW)
    ended = finish(begin(layout, one), Outcome.SUCCESS, NOW + timedelta(minutes=2))
    records.write(layout, ended, durable=False)
    claims.release(layout, one.id)
    seen = activity.look(NOW)
    assert seen.ended == {"A"}
    assert [row.document["outcome"] for row in seen.rows] == ["success"]
    assert one.id not in activity
    assert not activity.look(NOW).rows


def test_readers_are_shown_what_runs_a_little_later_but_in_time(layout: Layout) -> None:
    one = execution()
    activity = watched(layout, one)
    activity.hand(one.id, NOW)
    begin(layout, one)
    assert not activity.look(NOW).rows
    assert activity.next() == NOW + SHOWN
    (row,) = activity.look(NOW + SHOWN).rows
    assert row.document["status"] == "running"
    assert not activity.look(NOW + 2 * SHOWN).rows


def test_what_was_handed_out_may_take_its_time_but_not_for_ever(layout: Layout) -> None:
    one = execution()
    activity = watched(layout, one)
    activity.hand(one.id, NOW)
    activity.look(NOW)
    assert activity.active(NOW + HANDED / 2, most=4)[0].handed
    assert not activity.active(NOW + HANDED, most=4)[0].handed


def test_of_what_waits_only_the_oldest_and_the_manual_runs_are_told(layout: Layout) -> None:
    many = [execution(number) for number in (5, 3, 4, 2)]
    manual = execution(9, Trigger.MANUAL)
    activity = watched(layout, *many, manual)
    told = {active.execution.id for active in activity.active(NOW, most=2)}
    assert told == {execution(2).id, execution(3).id, manual.id}
    assert len(activity) == 5


def test_a_record_broken_by_hand_leaves_what_was_last_read(layout: Layout) -> None:
    one = execution()
    activity = watched(layout, one)
    activity.hand(one.id, NOW)
    begin(layout, one)
    activity.look(NOW)
    path = layout.record(one)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    activity.look(NOW + SHOWN)
    assert activity.get(one.id).status is Status.RUNNING
    path.write_bytes(whole)


def test_a_claim_that_names_a_record_elsewhere_is_left_alone(layout: Layout, tmp_path: Path) -> None:
    one = execution()
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text("{}")
    boot_id, _, _ = claims.mine()
    claims.take(layout, one.id, Claim(one.id, str(elsewhere), boot_id, os.getpid(), 1, "h"))
    activity = Activity(layout)
    activity.look(NOW)
    assert len(activity) == 0
