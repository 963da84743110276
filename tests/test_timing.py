"""What a schedule does to the time of one process, looked at from one instant."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler import timing

NOW = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def cron(text: str, zone: str = "Europe/Berlin") -> dict[str, Any]:
    return {"cron": [text], "timezone": zone}


def test_the_next_slots_are_few_and_in_utc() -> None:
    found = timing.times(cron("0 6 * * *"), "A", NOW)
    assert (len(found.slots), found.zone, found.idle) == (timing.NEXT, "Europe/Berlin", "")
    assert found.slots[0] == datetime(2026, 11, 23, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"timezone": "UTC"}, "it has no schedule"),
        ({"at": ["2001-01-01T00:00:00Z"], "timezone": "UTC"}, "its schedule is over"),
        ({"cron": ["0 0 1 1 * 2001"], "timezone": "UTC"}, "its schedule is over"),
    ],
)
def test_without_slots_it_says_why(document: dict[str, Any], why: str) -> None:
    assert timing.times(document, "A", NOW) == timing.Times("UTC", (), why)


def test_dates_of_daylight_saving_are_told_once_each() -> None:
    spring, autumn = timing.daylight(cron("30 2 * * *"), "A", NOW)
    assert (spring.first, spring.count, spring.effect) == (datetime(2027, 3, 28, 2, 30), 1, "shifted")  # noqa: DTZ001 - a wall clock
    assert autumn.first.date().isoformat() == "2027-10-31"
    often = timing.daylight(cron("0/15 2 * * * *"), "A", NOW)
    assert [(one.first.date().isoformat(), one.count) for one in often] == [("2027-03-28", 4), ("2027-10-31", 4)]
    assert often[0].last - often[0].first == 45 * MINUTE
    assert timing.daylight(cron("30 2 * * *", "UTC"), "A", NOW) == ()
    assert timing.daylight({"every": "1h", "timezone": "Europe/Berlin"}, "A", NOW) == ()


def test_runs_longer_than_the_smallest_distance_of_slots_overlap() -> None:
    document = {"cron": ["0 6 * * *", "10 6 * * *"], "timezone": "UTC"}
    assert timing.overrun(document, "A", NOW, 11 * MINUTE) == timing.Overrun(11 * MINUTE, 10 * MINUTE)
    assert timing.overrun(document, "A", NOW, 10 * MINUTE) is None
    assert timing.overrun(document, "A", NOW, None) is None
    assert timing.overrun({"timezone": "UTC"}, "A", NOW, 11 * MINUTE) is None
