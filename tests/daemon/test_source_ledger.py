"""The daemon's two sides on real repositories: what git declares, and what is written down."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.daemon.ledger import PUBLISH, QUIET, RETRY, SAVE, Ledger
from reconciler.daemon.source import Source
from reconciler.decision import Track
from reconciler.errors import NotFoundError, UserError
from reconciler.execution import Execution, Outcome, Trigger, finish
from reconciler.repo.repository import Repository
from reconciler.store import schedules
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.store.requests import Request
from reconciler.sync import publishing
from reconciler.sync.versions import Progress

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MAIN = "refs/heads/main"


def request(name: str, reference: str | None = None, *, force: bool = False) -> Request:
    return Request("0" * 8, name, reference, None, "why", NOW, None, force, "ada")


def test_targets_are_what_is_enabled_and_of_this_environment(source: Source) -> None:
    desired = source.desired(["A", "OFF", "TEST_ONLY", "HELD", "UNKNOWN"])
    assert set(desired.targets) == {"A", "HELD"}
    target = desired.targets["A"]
    assert (target.schedule, target.commit, target.version, target.held) == (
        {"cron": ["0 6 * * *"], "timezone": "UTC"},
        None,
        1,
        None,
    )
    assert "runAs" in str(desired.targets["HELD"].held)


def test_a_look_costs_nothing_until_the_branch_moves(source: Source, workshop: Any) -> None:
    assert source.look() == set()
    workshop.git("branch", "other")
    assert source.look() == set()
    commit = workshop.commit({"processes/B.yaml": "script: a.sh\n"})
    assert source.look() == {"B"}
    assert source.commit == commit
    workshop.git("pack-refs", "--all")
    assert source.look() == set()


def test_another_zone_for_all_changes_all(source: Source, workshop: Any) -> None:
    workshop.commit({"procctl.yaml": "timezone: Europe/Berlin\nmax_running: 7\n"})
    assert source.look() >= {"A", "HELD"}
    desired = source.desired(["A"])
    assert desired.targets["A"].schedule["timezone"] == "Europe/Berlin"
    assert desired.max_running == 7


def test_a_rewind_is_refused_once_and_the_way_back_is_open(source: Source, workshop: Any) -> None:
    first = source.commit
    second = workshop.commit({"processes/B.yaml": "script: a.sh\n"})
    source.look()
    workshop.git("reset", "-q", "--hard", first)
    assert source.look() == set()
    assert (source.commit, source.refused) == (second, first)
    workshop.git("reset", "-q", "--hard", second)
    third = workshop.commit({"processes/B.yaml": None})
    assert source.look() == {"B"}
    assert (source.commit, source.refused) == (third, None)


def test_a_commit_that_cannot_be_applied_now_is_applied_later(
    repo: Repository, layout: Layout, workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.store.database._PATIENCE", 0)
    with (
        closing(Index.open(layout.index, environment="production", release="test")) as index,
        closing(Index.open(layout.index, environment="production", release="test")) as other,
    ):
        source = Source(repo, index, MAIN, "production", "host")
        source.begin(Progress(), allow_rewind=False)
        applied = source.commit
        newest = workshop.commit({"processes/B.yaml": "script: a.sh\n"})
        with other.transaction():
            assert source.look() == set()
            assert (source.commit, source.refused) == (applied, None), "it is not the commit's fault"
        assert source.look() == {"B"}
        assert source.commit == newest


def test_a_branch_that_is_deleted_leaves_what_was_applied(source: Source, workshop: Any) -> None:
    commit = source.commit
    workshop.git("checkout", "-q", "--detach")
    workshop.git("branch", "-D", "main")
    assert source.look() == set()
    assert source.commit == commit


@pytest.mark.parametrize(
    ("name", "reference", "error"),
    [
        ("UNKNOWN", None, "no process"),
        ("A", "2", "no version 2"),
        ("OFF", None, "--force"),
        ("TEST_ONLY", None, "test"),
        ("HELD", None, "runAs"),
    ],
)
def test_what_cannot_run_is_refused_with_the_reason(
    source: Source, name: str, reference: str | None, error: str
) -> None:
    with pytest.raises((UserError, NotFoundError), match=error):
        source.choose(request(name, reference))


def test_force_runs_what_is_disabled_and_a_version_runs_where_its_set_is_whole(source: Source, workshop: Any) -> None:
    assert source.choose(request("OFF", force=True)).version == 1
    first = source.commit
    broken = workshop.commit({"processes/scripts/a.sh": None})
    mended = workshop.commit({"processes/scripts/a.sh": "#!/bin/sh\necho 2\n"})
    workshop.commit({"processes/A.yaml": "script: a.sh\n"})
    source.look()
    assert source.choose(request("A", "1")).commit == mended
    assert source.choose(request("A", first[:10])).commit == first
    with pytest.raises(UserError, match=r"a\.sh"):
        source.choose(request("A", broken))


def ended(number: int, outcome: Outcome = Outcome.SUCCESS) -> Execution:
    at = NOW + timedelta(seconds=number)
    execution_id = f"{number:08}-0000-4000-8000-000000000000"
    one = Execution(execution_id, "default", "A", "production", Trigger.MANUAL, "r", at, commit="c" * 40, host="h")
    return finish(one, Outcome.FAILED, at, "no") if outcome is Outcome.FAILED else one


def test_a_slot_that_is_taken_stays_with_whoever_took_it(ledger: Ledger) -> None:
    one, two = ended(1), ended(2)
    assert ledger.create([one]) == [one]
    assert ledger.create([one, two]) == [two]


def test_finished_records_wait_for_others_but_not_for_long(ledger: Ledger, workshop: Any) -> None:
    one = ended(1, Outcome.FAILED)
    ledger.create([one])
    ledger.enter([one])
    assert ledger.publish(NOW, quiet_until=None) == NOW + PUBLISH
    assert ledger.publish(NOW + PUBLISH, quiet_until=NOW + PUBLISH + QUIET / 2) == NOW + PUBLISH + QUIET / 2
    assert ledger.publish(NOW + PUBLISH + timedelta(seconds=1.1), quiet_until=NOW + PUBLISH) is None
    assert workshop.git("log", "--format=%s", "executions", "--") == "A failed"
    assert ledger.publish(NOW + timedelta(minutes=1), quiet_until=None) is None


def test_when_many_wait_they_are_published_at_once_and_all_of_them(
    ledger: Ledger, workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "BATCH", 3)
    many = [ended(number, Outcome.FAILED) for number in range(7)]
    ledger.create(many)
    ledger.enter(many[:2])
    assert ledger.publish(NOW, quiet_until=NOW) is not None, "two may wait while a slot is near"
    ledger.enter(many[2:])
    assert ledger.publish(NOW, quiet_until=NOW) is None
    assert workshop.git("log", "--format=%s", "executions", "--").splitlines() == ["A failed", *["A failed (3)"] * 2]
    ledger.recount()
    assert ledger.publish(NOW + timedelta(hours=1), quiet_until=None) is None


def test_what_others_have_ended_is_counted_too(ledger: Ledger, layout: Layout, workshop: Any) -> None:
    with closing(Index.open(layout.index, environment="production", release="test")) as other:
        beside = Ledger(ledger.repo, layout, other, MAIN)
        one = ended(1, Outcome.FAILED)
        beside.create([one])
        beside.enter([one])
    assert ledger.publish(NOW, quiet_until=None) is None
    ledger.recount()
    assert ledger.publish(NOW, quiet_until=None) == NOW + PUBLISH
    ledger.publish(NOW + PUBLISH, quiet_until=None)
    assert workshop.git("log", "--format=%s", "executions", "--") == "A failed"


def test_the_state_goes_with_the_records_though_it_was_not_saved_yet(ledger: Ledger, workshop: Any) -> None:
    track = Track({"every": "1s", "timezone": "UTC"}, NOW, NOW)
    later = Track(track.schedule, NOW, NOW + timedelta(seconds=1))
    ledger.move({"A": track}, ledger.progress, NOW)
    ledger.move({"A": later}, ledger.progress, NOW)
    one = ended(1, Outcome.FAILED)
    ledger.create([one])
    ledger.enter([one])
    ledger.publish_all(NOW)
    published = schedules.decode(workshop.git("show", "executions:state/production.json").encode())
    assert published.tracks == {"A": later}


def test_a_publication_that_fails_is_tried_again_later(ledger: Ledger, workshop: Any) -> None:
    workshop.git("worktree", "add", "-q", "--orphan", "-b", "executions", str(workshop.root.parent / "elsewhere")) if (
        tuple(map(int, workshop.git("version").split()[2].split(".")[:2])) >= (2, 42)
    ) else workshop.git("worktree", "add", "-q", "-b", "executions", str(workshop.root.parent / "elsewhere"))
    one = ended(1, Outcome.FAILED)
    ledger.create([one])
    ledger.enter([one])
    ledger.publish_all(NOW)
    assert ledger.publish(NOW, quiet_until=None) == NOW + RETRY + PUBLISH
    workshop.git("worktree", "remove", "--force", str(workshop.root.parent / "elsewhere"))
    ledger.publish_all(NOW + RETRY)
    assert workshop.git("log", "-1", "--format=%s", "executions", "--") == "A failed"


def test_tracks_are_saved_at_once_where_a_schedule_is_new_else_soon(ledger: Ledger, layout: Layout) -> None:
    track = Track({"every": "1s", "timezone": "UTC"}, NOW, NOW)
    later = Track(track.schedule, NOW, NOW + timedelta(seconds=1))
    progress = Progress("c" * 40)

    def saved() -> Track:
        state = schedules.read(layout)
        assert state is not None
        assert state.applied == "c" * 40
        return state.tracks["A"]

    ledger.move({"A": track}, progress, NOW)
    assert saved() == track
    ledger.move({"A": later}, progress, NOW)
    assert saved() == track
    ledger.move({}, progress, NOW + SAVE)
    assert saved() == later
    ledger.move({"A": None}, progress, NOW + SAVE)
    assert schedules.read(layout) == schedules.State("c" * 40, MAIN, {})


def test_next_slots_are_remembered_while_nothing_moved(ledger: Ledger) -> None:
    track = Track({"every": "1h", "timezone": "UTC"}, NOW, NOW)
    ledger.tracks = {"A": track, "B": track}
    ledger.remember({"A": NOW + timedelta(hours=1), "B": NOW + timedelta(hours=1)})
    ledger.tracks["B"] = Track({"every": "2h", "timezone": "UTC"}, NOW, NOW)
    assert ledger.upcoming() == {"A": NOW + timedelta(hours=1)}


def test_a_process_that_is_gone_leaves_no_slot_behind(ledger: Ledger, index: Index) -> None:
    track = Track({"every": "1h", "timezone": "UTC"}, NOW, NOW)
    ledger.tracks = {"A": track, "B": track}
    soon = NOW + timedelta(hours=1)
    ledger.remember({"A": soon, "B": soon})
    ledger.move({"B": None}, ledger.progress, NOW)
    ledger.remember({"A": soon, "B": soon})
    assert index.slots().keys() == {"A"}


def test_a_slot_that_is_not_known_is_never_taken_for_the_end_of_a_schedule(ledger: Ledger) -> None:
    """A stop may come while a process is on no agenda: its turn had begun, and the disk was full."""
    track = Track({"every": "1h", "timezone": "UTC"}, NOW, NOW)
    ledger.tracks = {"A": track, "B": track}
    ledger.remember({"A": NOW + timedelta(hours=1)})
    assert "B" not in ledger.upcoming()
