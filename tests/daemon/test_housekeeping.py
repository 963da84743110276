"""What is done once in a while: in time, never beside a slot, and never to what somebody may still need."""

import json
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.daemon.activity import Activity
from reconciler.daemon.housekeeping import BEAT, STRAYS, TIDY, UNUSED, Housekeeping
from reconciler.daemon.ledger import Ledger
from reconciler.daemon.source import Source
from reconciler.execution import Execution, Outcome, Trigger, finish, running
from reconciler.repo import checkout
from reconciler.store import records
from reconciler.store.layout import Layout, log_of
from reconciler.sync import retention

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CALM = timedelta(hours=9)
Make = Callable[..., Execution]


@pytest.fixture
def housekeeping(source: Source, ledger: Ledger, activity: Activity, tmp_path: Path) -> Housekeeping:
    """One that has been at work since ``NOW``, and is warm."""
    made = Housekeeping(source, ledger, activity, tmp_path / "wake", NOW)
    made.turn(NOW, NOW + CALM)
    return made


@pytest.fixture
def ran(ledger: Ledger) -> Make:
    """Leave the record of an execution that ended some time ago, by default written into the index too."""

    def make(ago: timedelta, number: int = 1, *, indexed: bool = True) -> Execution:
        at = NOW - ago
        one = Execution(
            id=f"{number:08}-0000-4000-8000-000000000000",
            service="default",
            name="A",
            environment="production",
            trigger=Trigger.SCHEDULED,
            reason="r",
            trigger_time=at,
            commit="c" * 40,
            host="host",
        )
        ended = finish(running(one, at, host="host", run_as="ada"), Outcome.FAILED, at, "it failed")
        records.write(ledger.layout, ended, durable=False)
        if indexed:
            ledger.enter([ended])
        return ended

    return make


def beat(layout: Layout) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(layout.daemon_file.read_text())
    return document


def tidy_at(housekeeping: Housekeeping, now: datetime) -> None:
    """Turn as the loop does, so that all that is due at an instant is done."""
    for _ in range(3):
        housekeeping.turn(now, now + CALM)


def kept(layout: Layout, *executions: Execution) -> list[bool]:
    return [layout.record(execution).exists() for execution in executions]


def test_the_heart_beats_from_the_first_turn_and_though_a_slot_is_near(
    housekeeping: Housekeeping, layout: Layout, source: Source
) -> None:
    assert beat(layout) | {"boot": ""} == {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "boot": "",
        "turned": "2026-11-22T12:00:00.000Z",
        "wake": str(housekeeping.wake),
        "ref": "refs/heads/main",
        "follow": None,
        "applied": source.commit,
        "refused": None,
    }
    housekeeping.turn(NOW + BEAT / 2, NOW + BEAT / 2)
    assert beat(layout)["turned"].startswith("2026-11-22T12:00:00")
    housekeeping.turn(NOW + BEAT, NOW + BEAT)
    assert beat(layout)["turned"].startswith("2026-11-22T12:00:05")


def test_a_clock_that_was_set_back_does_not_stop_the_heart(housekeeping: Housekeeping, layout: Layout) -> None:
    housekeeping.turn(NOW - timedelta(days=1), NOW)
    assert beat(layout)["turned"].startswith("2026-11-21T12:00:00")


def test_the_heartbeat_says_what_was_refused(
    housekeeping: Housekeeping, layout: Layout, source: Source, workshop: Any
) -> None:
    applied = source.commit
    workshop.git("commit", "--amend", "-q", "-m", "Rewritten")
    source.look()
    housekeeping.turn(NOW + BEAT, NOW + CALM)
    assert (beat(layout)["applied"], beat(layout)["refused"]) == (applied, workshop.git("rev-parse", "HEAD"))


def test_nobody_finds_a_heartbeat_after_the_end(housekeeping: Housekeeping, layout: Layout) -> None:
    housekeeping.stop()
    assert not layout.daemon_file.exists()
    housekeeping.stop()


def test_old_records_go_once_the_branch_has_them_and_not_before(
    housekeeping: Housekeeping, ledger: Ledger, ran: Make
) -> None:
    published = ran(timedelta(days=31), 1)
    log_of(ledger.layout.record(published)).write_text("the whole output")
    ledger.publish_all(NOW)
    waiting = ran(timedelta(days=31), 2)
    tidy_at(housekeeping, NOW + TIDY)
    assert kept(ledger.layout, published, waiting) == [False, True]
    assert not log_of(ledger.layout.record(published)).exists()
    row = ledger.index.execution(published.id)
    assert row is not None
    assert row.execution == published, "it is known as before"
    ledger.publish_all(NOW)
    tidy_at(housekeeping, NOW + 2 * TIDY)
    assert kept(ledger.layout, waiting) == [False]


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        ("{}", 30),
        ("retention: 3d", 3),
        ("retention: 1d\ncatchup_window: 7d", 8),
        ("retention: 1d\ncatchup_window: 0s", 1),
    ],
)
def test_records_stay_for_as_long_as_the_settings_say_and_a_schedule_may_ask(
    housekeeping: Housekeeping, ran: Make, workshop: Any, settings: str, days: int
) -> None:
    workshop.commit({"procctl.yaml": f"{settings}\n"})
    housekeeping.source.look()
    ledger = housekeeping.ledger
    older, younger = ran(timedelta(days=days), 1), ran(timedelta(days=days) - 2 * TIDY, 2)
    ledger.publish_all(NOW)
    tidy_at(housekeeping, NOW + TIDY)
    assert kept(ledger.layout, older, younger) == [False, True]


def test_nothing_else_is_done_while_a_slot_is_near_and_everything_soon_after(
    housekeeping: Housekeeping, ledger: Ledger, ran: Make
) -> None:
    old = ran(timedelta(days=31))
    ledger.publish_all(NOW)
    later = NOW + TIDY
    for step in range(5):
        now = later + timedelta(seconds=step)
        housekeeping.turn(now, now + timedelta(milliseconds=100))
    assert kept(ledger.layout, old) == [True]
    tidy_at(housekeeping, later + timedelta(seconds=5))
    assert kept(ledger.layout, old) == [False]


def test_what_has_just_begun_tidies_nothing(housekeeping: Housekeeping, ledger: Ledger, ran: Make) -> None:
    old = ran(timedelta(days=31))
    ledger.publish_all(NOW)
    tidy_at(housekeeping, NOW + TIDY - timedelta(seconds=1))
    assert kept(ledger.layout, old) == [True]


def test_a_record_that_nobody_told_of_is_found_and_watched(
    housekeeping: Housekeeping, ledger: Ledger, activity: Activity
) -> None:
    """``procctl run`` was killed between its record and its runner."""
    at = NOW + timedelta(seconds=1)
    lost = Execution(
        "0" * 8 + "-0000-4000-8000-" + "0" * 12, "default", "A", "production", Trigger.MANUAL, "r", at, host="host"
    )
    records.create(ledger.layout, lost)
    tidy_at(housekeeping, NOW + STRAYS)
    assert lost.id not in activity, "it may be about to begin"
    tidy_at(housekeeping, NOW + 2 * STRAYS)
    assert lost.id in activity


def test_an_end_that_nobody_told_of_is_published(
    housekeeping: Housekeeping, ledger: Ledger, ran: Make, workshop: Any
) -> None:
    ran(timedelta(seconds=-1), indexed=False)
    assert ledger.publish(NOW, None) is None, "nothing is known to wait"
    tidy_at(housekeeping, NOW + STRAYS)
    ledger.publish(NOW + STRAYS, None)
    ledger.publish(NOW + 2 * STRAYS, None)
    assert workshop.git("log", "--format=%s", "executions", "--") == "A failed"


def test_a_broken_record_is_told_and_holds_up_nothing(
    housekeeping: Housekeeping, ledger: Ledger, ran: Make, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = ledger.layout.records / f"{NOW:%Y/%m/%d}" / "A" / "120000-00000000.json"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("{")
    ran(timedelta(seconds=-1), indexed=False)
    tidy_at(housekeeping, NOW + STRAYS)
    assert ledger.index.count_unpublished("production") == 1
    assert foreign.name in caplog.text
    foreign.unlink()


def old_checkout(layout: Layout, source: Source, workshop: Any, text: str, age: timedelta) -> Path:
    """Check out some scripts as they once were, for the last time a while ago."""
    workshop.commit({"processes/scripts/a.sh": f"#!/bin/sh\n{text}\n"})
    tree = workshop.git("rev-parse", "HEAD:processes/scripts")
    folder = checkout.ensure(source.repo, tree, layout.checkouts)
    used = (NOW - age).timestamp()
    os.utime(folder, (used, used))
    return folder


def test_checkouts_go_when_nobody_can_need_them(
    housekeeping: Housekeeping, layout: Layout, source: Source, workshop: Any
) -> None:
    old = old_checkout(layout, source, workshop, "old", timedelta(days=9))
    recent = old_checkout(layout, source, workshop, "recent", UNUSED / 2)
    in_force = old_checkout(layout, source, workshop, "in force", timedelta(days=9))
    source.look()
    tidy_at(housekeeping, NOW + TIDY)
    assert [folder.exists() for folder in (old, recent, in_force)] == [False, True, True]


def test_a_checkout_stays_while_an_execution_that_may_use_it_runs(
    housekeeping: Housekeeping, ledger: Ledger, source: Source, activity: Activity, workshop: Any
) -> None:
    used = old_checkout(ledger.layout, source, workshop, "used", timedelta(days=9))
    workshop.commit({"processes/scripts/a.sh": "#!/bin/sh\n"})
    source.look()
    at = NOW - timedelta(days=9)
    long = Execution(
        "1" * 8 + "-0000-4000-8000-" + "0" * 12, "default", "A", "production", Trigger.SCHEDULED, "r", at, host="host"
    )
    begun = running(long, at, host="host", run_as="ada")
    records.write(ledger.layout, begun, durable=False)
    activity.add(begun)
    tidy_at(housekeeping, NOW + TIDY)
    assert used.exists()
    activity.forget(long.id)
    tidy_at(housekeeping, NOW + 2 * TIDY)
    assert not used.exists()


def test_work_folders_of_failures_and_leftovers_of_killed_writers_go(
    housekeeping: Housekeeping, ledger: Ledger, ran: Make
) -> None:
    old, recent = ran(retention.WORK_KEPT, 1), ran(retention.WORK_KEPT - 2 * TIDY, 2)
    for one in (old, recent):
        ledger.layout.work_of(one.id).mkdir(parents=True)
    half = ledger.layout.claims / ".a.json.1.2.tmp"
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_text("half")
    long_ago = (NOW - TIDY).timestamp()
    os.utime(half, (long_ago, long_ago))
    tidy_at(housekeeping, NOW + TIDY + timedelta(seconds=1))
    assert not half.exists()
    assert [ledger.layout.work_of(one.id).exists() for one in (old, recent)] == [False, True]
