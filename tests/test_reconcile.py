"""The laws of the plan (SPEC 4, 8, 10), on worlds that hypothesis makes up: turns, edits, crashes, long sleeps."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.decision import Target, Track, gap_id, slot_id
from reconciler.execution import Execution, Outcome, Status, Trigger, finish, running
from reconciler.reconcile import Active, Asked, Desired, Observed, Plan, plan
from reconciler.schedule import Schedule

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVERY_10S = {"every": "10s", "timezone": "UTC"}
EVERY_MINUTE = {"cron": ["* * * * *"], "timezone": "UTC"}


def target(schedule: dict[str, Any] = EVERY_10S, held: str | None = None, version: int = 1) -> Target:
    return Target("TEST", "default", schedule, commit="c" * 40, version=version, held=held)


def desired(*targets: Target, max_running: int = 4, window: timedelta = timedelta(days=1)) -> Desired:
    return Desired("production", "host", "c" * 40, {one.name: one for one in targets}, max_running, window)


@dataclass
class World:
    """What a plan acts on, and the acts."""

    now: datetime = START
    target: Target | None = field(default_factory=target)
    tracks: dict[str, Track] = field(default_factory=dict)
    records: dict[str, Execution] = field(default_factory=dict)
    handed: set[str] = field(default_factory=set)

    def observed(self) -> Observed:
        active = [
            Active(
                one, claimed=one.status is Status.RUNNING, alive=one.status is Status.RUNNING, handed=key in self.handed
            )
            for key, one in self.records.items()
            if not one.ended
        ]
        return Observed(dict(self.tracks), {"TEST": list(self.records.values())}, active)

    def turn(self, seconds: float = 0) -> Plan:
        self.now += timedelta(seconds=seconds)
        made = plan(desired(*([self.target] if self.target else [])), self.observed(), self.now)
        for record in (*made.begin, *made.gaps):
            assert record.id not in self.records, "a second record for one slot"
            self.records[record.id] = record
        for name, track in made.tracks.items():
            if track is None:
                del self.tracks[name]
            else:
                self.tracks[name] = track
        self.handed |= set(made.hand_out)
        for key in made.hand_out:
            self.records[key] = running(self.records[key], self.now, host="host", run_as="me")
        return made

    def end(self) -> None:
        for key, record in self.records.items():
            if record.status is Status.RUNNING:
                self.records[key] = finish(record, Outcome.SUCCESS, self.now)

    def covered(self) -> Counter[datetime]:
        """How many records each slot is in."""
        slots: Counter[datetime] = Counter()
        for record in self.records.values():
            if record.gap is not None:
                assert record.gap.count == len(record.gap.slots) or record.gap.count > 100
                slots.update(record.gap.slots)
            elif record.trigger is Trigger.SCHEDULED:
                slots[record.trigger_time] += 1
        return slots


def test_a_schedule_first_seen_owes_nothing_from_before() -> None:
    world = World(now=START - timedelta(days=400))
    assert world.turn().tracks["TEST"] == Track(EVERY_10S, since=world.now, decided=world.now)
    assert not world.records


def test_a_due_slot_starts_once_with_its_derived_id_and_its_reason() -> None:
    world = World()
    world.turn()
    made = world.turn(10)
    (begun,) = made.begin
    slot = START + timedelta(seconds=10)
    assert begun.id == slot_id("production", "TEST", slot)
    assert begun.trigger_time == slot
    assert begun.reason == "every(TEST,5s,2026-03-01T12:00:10.000Z)".replace("5s", "10s")
    assert begun.status is Status.TRIGGERED
    assert made.hand_out == (begun.id,)
    assert not world.turn()


def test_slots_that_fall_due_while_one_runs_become_one_skipped_gap_when_it_ends() -> None:
    world = World()
    world.turn()
    world.turn(10)
    made = world.turn(25)
    assert not made.gaps
    assert made.wakes == {"TEST": START + timedelta(seconds=20, hours=1)}
    world.end()
    (gap,) = world.turn(1).gaps
    assert (gap.outcome, gap.status) == (Outcome.SKIPPED, Status.FAILED)
    assert gap.gap is not None
    assert gap.gap.slots == (START + timedelta(seconds=20), START + timedelta(seconds=30))
    assert gap.id == gap_id("production", "TEST", gap.gap.first)
    assert "still running" in gap.message
    assert world.turn(5).begin[0].trigger_time == START + timedelta(seconds=40)


def test_an_open_gap_is_written_hourly() -> None:
    world = World(target=target(EVERY_MINUTE))
    world.turn()
    world.turn(60)
    for _ in range(60):
        assert not world.turn(60).gaps
    (gap,) = world.turn(60).gaps
    assert gap.gap is not None
    assert gap.gap.count == 61
    assert world.turn(60).gaps == ()


def test_after_a_sleep_the_last_slot_runs_and_the_rest_is_one_missed_record() -> None:
    world = World(target=target(EVERY_MINUTE))
    world.turn()
    made = world.turn(3 * 3600)
    (begun,), (gap,) = made.begin, made.gaps
    assert begun.trigger_time == START + timedelta(hours=3)
    assert gap.gap is not None
    assert (gap.outcome, gap.gap.count, len(gap.gap.slots)) == (Outcome.MISSED, 179, 100)
    assert gap.gap.last == START + timedelta(hours=3, minutes=-1)


def test_nothing_older_than_the_catchup_window_starts() -> None:
    world = World(target=target({"cron": ["0 0 1 * *"], "timezone": "UTC"}))
    world.turn()
    made = world.turn(35 * 86400)
    assert not made.begin
    assert [gap.outcome for gap in made.gaps] == [Outcome.MISSED]
    assert "catchup_window" in made.gaps[0].message


def test_a_year_of_seconds_is_counted_not_walked() -> None:
    world = World(target=target({"every": "1s", "timezone": "UTC"}))
    world.turn()
    made = world.turn(365 * 86400)
    (begun,) = made.begin
    stale, superseded = made.gaps
    assert begun.trigger_time == world.now
    assert stale.gap is not None
    assert superseded.gap is not None
    assert superseded.gap.count == 86400, "the window's slots but the last"
    assert stale.gap.count + superseded.gap.count + 1 == 365 * 86400
    assert stale.gap.last + timedelta(seconds=1) == superseded.gap.first
    assert (len(stale.gap.slots), stale.gap.slots[99]) == (100, START + timedelta(seconds=100))


def test_a_held_process_starts_nothing_and_its_gap_names_the_problem() -> None:
    world = World(target=target(EVERY_MINUTE, held="runAs is not supported yet"))
    world.turn()
    assert not world.turn(600).gaps
    (gap,) = world.turn(3600).gaps
    assert gap.outcome is Outcome.SKIPPED
    assert "runAs is not supported yet" in gap.message


def test_slots_held_in_their_time_do_not_run_once_the_problem_is_gone() -> None:
    world = World(target=target(EVERY_MINUTE, held="a problem"))
    world.turn()
    world.turn(150)
    world.target = target(EVERY_MINUTE)
    made = world.turn(1)
    assert not made.begin
    assert [(gap.outcome, gap.gap and gap.gap.count) for gap in made.gaps] == [(Outcome.SKIPPED, 2)]
    assert world.turn(60).begin


def test_an_edit_leaves_owed_slots_to_the_old_schedule_and_runs_them_at_the_new_version() -> None:
    world = World(target=target(EVERY_MINUTE))
    world.turn()
    world.target = target({"cron": ["30 4 * * *"], "timezone": "UTC"}, version=2)
    made = world.turn(150)
    (begun,) = made.begin
    assert (begun.trigger_time, begun.version) == (START + timedelta(minutes=2), 2)
    assert made.tracks["TEST"] == Track.begin(world.target, world.now)
    assert not world.turn(60).begin


@pytest.mark.parametrize("again", [False, True])
def test_slots_owed_to_a_process_that_is_gone_are_recorded_as_missed(again: bool) -> None:  # noqa: FBT001 - a case
    world = World(target=target(EVERY_MINUTE))
    world.turn()
    world.target = None
    made = world.turn(150)
    assert not made.begin
    assert [(gap.outcome, gap.gap and gap.gap.count) for gap in made.gaps] == [(Outcome.MISSED, 2)]
    assert not world.tracks
    if again:
        world.target = target(EVERY_MINUTE)
        world.turn(3600)
        assert world.turn(60).begin, "enabled again, its schedule counts from then"
        assert len(world.records) == 2


def test_the_clock_set_back_repeats_nothing() -> None:
    world = World()
    world.turn()
    world.turn(60)
    world.end()
    before = dict(world.records)
    for _ in range(30):
        world.turn(-50)
        world.turn(49)
    assert world.records == before


def test_max_running_holds_scheduled_work_back_oldest_first_but_not_manual_runs() -> None:
    def execution(number: int, trigger: Trigger) -> Execution:
        at = START + timedelta(seconds=number)
        return Execution(str(number), "default", "X", "production", trigger, "r", at)

    scheduled = [Active(execution(number, Trigger.SCHEDULED)) for number in (3, 1, 2)]
    busy = Active(replace(execution(0, Trigger.MANUAL), status=Status.RUNNING), claimed=True, alive=True)
    manual = Active(execution(9, Trigger.MANUAL))
    made = plan(desired(max_running=2), Observed(active=[*scheduled, busy, manual]), START)
    assert made.hand_out == ("1", "9")


def test_an_execution_handed_out_a_moment_ago_is_not_handed_out_again() -> None:
    waiting = Execution("1", "default", "X", "production", Trigger.SCHEDULED, "r", START)
    assert not plan(desired(), Observed(active=[Active(waiting, handed=True)]), START)
    assert plan(desired(), Observed(active=[Active(waiting)]), START).hand_out == ("1",)


def test_a_claim_without_its_runner_is_interrupted() -> None:
    lost = Execution("1", "default", "X", "production", Trigger.SCHEDULED, "r", START)
    assert plan(desired(), Observed(active=[Active(lost, claimed=True)]), START).interrupt == ("1",)
    assert not plan(desired(), Observed(active=[Active(lost, claimed=True, alive=True)]), START).interrupt


def test_a_request_waits_for_its_delay_and_a_refused_one_leaves_a_failed_record() -> None:
    execution = Execution("1", "default", "X", "production", Trigger.MANUAL, "r", START, commit="c" * 40, host="h")
    asked = Asked(execution, due=START + timedelta(seconds=5))
    assert not plan(desired(), Observed(asked=[asked]), START)
    made = plan(desired(), Observed(asked=[asked]), START + timedelta(seconds=5))
    assert made.begin == (execution,)
    assert made.hand_out == ("1",)
    (record,) = plan(
        desired(), Observed(asked=[replace(asked, refusal="X is gone")]), START + timedelta(hours=1)
    ).refused
    assert (record.outcome, record.message) == (Outcome.FAILED, "X is gone")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("turn"), st.sampled_from([0, 1, 5, 10, 10, 11, 35, 120, 4000])),
        st.tuples(st.just("end"), st.just(0)),
        st.tuples(st.just("edit"), st.sampled_from([10, 15, 60])),
        st.tuples(st.just("hold"), st.booleans()),
        st.tuples(st.just("disable"), st.booleans()),
        st.tuples(st.just("crash"), st.just(0)),
    ),
    max_size=25,
)


@given(STEPS)
def test_every_slot_is_in_exactly_one_record_whatever_happens(steps: list[tuple[str, Any]]) -> None:
    world = World()
    world.turn()
    saved, schedule = dict(world.tracks), world.tracks["TEST"].schedule
    for step, value in steps:
        take(world, step, value)
        if step == "crash" and world.tracks.get("TEST", saved["TEST"]).schedule == schedule:
            world.tracks = dict(saved)
        world.turn()
        assert not world.turn(), "planning twice is not empty"
        if world.tracks and world.tracks["TEST"].since != saved["TEST"].since:
            saved, schedule = dict(world.tracks), world.tracks["TEST"].schedule
    counted = world.covered()
    assert set(counted.values()) <= {1}, counted
    if world.tracks:
        track = world.tracks["TEST"]
        for slot in Schedule.of(track.schedule, "TEST").between(track.since, track.decided):
            inside = any(one.gap and one.gap.first <= slot <= one.gap.last for one in world.records.values())
            assert inside or slot in counted, slot


def take(world: World, step: str, value: Any) -> None:
    match step:
        case "turn":
            world.turn(value)
        case "end":
            world.end()
        case "edit" if world.target:
            world.target = target({"every": f"{value}s", "timezone": "UTC"})
        case "hold" if world.target:
            world.target = replace(world.target, held="a problem" if value else None)
        case "disable":
            world.target = None if value else target()


def test_ids_are_derived_from_environment_name_and_instant_alone() -> None:
    assert slot_id("production", "TEST", START) == slot_id("production", "TEST", START)
    others = {slot_id("test", "TEST", START), slot_id("production", "test", START), gap_id("production", "TEST", START)}
    assert len(others | {slot_id("production", "TEST", START)}) == 4
