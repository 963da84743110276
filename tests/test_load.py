"""Runs per minute: where a change of schedules piles them up, and where it does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.load import DAY, FEWEST, WEEK, Pile, loads, piles
from reconciler.schedule import Schedule

NOW = datetime(2026, 11, 22, 17, 30, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CRONS = st.sampled_from(["0 6 * * *", "30 6 * * *", "0 * * * *", "0 6 * * 1", "H 6 * * *"])


def crons(*texts: str, prefix: str = "P") -> list[tuple[str, dict[str, Any]]]:
    return [(f"{prefix}{number}", {"cron": [text], "timezone": "UTC"}) for number, text in enumerate(texts)]


def minutes(old: list[tuple[str, dict[str, Any]]], new: list[tuple[str, dict[str, Any]]]) -> list[Pile]:
    return list(piles(loads(old), loads(new), NOW).minutes)


def test_many_at_one_minute_are_a_pile_told_once_for_all_days() -> None:
    new = crons(*["0 6 * * *"] * 6)
    assert minutes([], new) == [Pile(datetime(2026, 11, 23, 6, tzinfo=UTC), 0, 6, 7)]


def test_what_is_there_already_counts() -> None:
    old = crons(*["0 6 * * *"] * 4)
    assert minutes(old, [*old, *crons("0 6 * * *", prefix="NEW")]) == [
        Pile(datetime(2026, 11, 23, 6, tzinfo=UTC), 4, 5, 7)
    ]


def test_a_little_more_on_much_is_not_clearly_worse() -> None:
    old = crons(*["0 6 * * *"] * 20)
    assert minutes(old, [*old, *crons("0 6 * * *", prefix="NEW")]) == []
    assert minutes(old, [*old, *crons(*["0 6 * * *"] * 5, prefix="NEW")]) != []


@pytest.mark.parametrize("count", [1, FEWEST - 1])
def test_a_few_are_no_pile(count: int) -> None:
    assert minutes([], crons(*["0 6 * * *"] * count)) == []


def test_the_same_load_by_others_is_no_change() -> None:
    assert minutes(crons(*["0 6 * * *"] * 9), crons(*["0 6 * * *"] * 9, prefix="Q")) == []


def test_fewer_are_no_pile() -> None:
    old = crons(*["0 6 * * *"] * 9)
    assert minutes(old, old[:6]) == []


def test_one_day_a_week_is_met_too_and_the_worst_comes_first() -> None:
    new = crons(*["0 6 * * *"] * 5, *["0 6 * * 3"] * 5, *["0 7 * * *"] * 7)
    found = minutes([], new)
    assert found == [
        Pile(datetime(2026, 11, 25, 6, tzinfo=UTC), 0, 10, 7),
        Pile(datetime(2026, 11, 23, 7, tzinfo=UTC), 0, 7, 7),
    ]


def test_runs_every_few_seconds_count_each() -> None:
    found = piles(loads([]), loads([("E", {"every": "5s", "timezone": "UTC"})]), NOW)
    assert found.minutes[0].after == 12
    assert found.left_out == 1440 - len(found.minutes)


def test_a_name_that_moves_slots_counts_by_itself() -> None:
    spread = [(f"P{number}", {"cron": ["H H * * *"], "timezone": "UTC"}) for number in range(200)]
    assert len(loads(spread)) == 200
    assert len(loads(crons(*["0 6 * * THU"] * 200))) == 1
    assert minutes([], spread) == []


def test_very_many_slots_are_looked_at_for_a_day_only() -> None:
    few, many = crons(*["0 6 * * *"] * 5), [("E", {"every": "1s", "timezone": "UTC"})]
    assert piles(loads([]), loads(few), NOW).span == WEEK
    assert piles(loads([]), loads(many), NOW).span == DAY


@given(st.lists(CRONS, max_size=12), st.lists(CRONS, max_size=12))
def test_a_pile_is_what_counting_process_by_process_finds(old: list[str], new: list[str]) -> None:
    for pile in minutes(crons(*old), crons(*new)):
        assert (due(old, pile.minute), due(new, pile.minute)) == (pile.before, pile.after)
        assert pile.after >= FEWEST
        assert pile.after > pile.before


def due(texts: list[str], minute: datetime) -> int:
    before = minute - timedelta(microseconds=1)
    return sum(Schedule.of(document, name).count(before, before + MINUTE) for name, document in crons(*texts))
