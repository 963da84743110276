"""Attack classes 9 and 10 on schedules: no text raises anything but CronError, none costs more than its budget."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler import cron, daylight
from reconciler.cron import CronError
from reconciler.recurrence import Days
from reconciler.schedule import Schedule

NOW = datetime(2026, 11, 22, 14, 0, 17, tzinfo=UTC)
YEAR = timedelta(days=365)

TERMS = st.sampled_from(
    [
        *(
            "*",
            "?",
            "*/2",
            "*/7",
            "0/15",
            "H",
            "H/3",
            "H(1-5)",
            "H(5-1)/2",
            "L",
            "LW",
            "15W",
            "1W",
            "31W",
            "1#1",
            "7#5",
            "6L",
        ),
        *("0", "1", "00", "5", "12", "29", "30", "31", "46", "59", "60", "99", "1-5", "5-1", "1-1", "29-31", "22-4/3"),
        *(
            "MON",
            "fri-sun",
            "SAT/2",
            "FEB",
            "nov-feb",
            "FRIL",
            "2024",
            "2021-2023",
            "2999",
            "1970/400",
            "2100",
            "",
            "-",
        ),
        *(
            "1,2",
            "2,4,6",
            "L,LW,1W",
            "1#1,2#2",
            "30,31",
            "UTC",
            "EU1",
            "Europe/Berlin",
            "Australia/Lord_Howe",
            "Mars/X",
        ),
    ]
)
NEARLY = st.lists(TERMS, min_size=4, max_size=8).map(" ".join)


def field(*terms: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(terms), min_size=1, max_size=3).map(",".join)


ROUND = field("*", "0", "30", "59", "*/7", "0/15", "H", "H/20", "H(50-10)", "50-10/15", "0-29")
HOURS = field("*", "2", "0", "23", "*/2", "22-4", "H", "1-3")
DATES = field("*", "1", "29", "30", "31", "L", "LW", "15W", "31W", "25-5", "H", "29-31", "*/30") | st.just("?")
MONTHS = field("*", "2", "FEB", "4", "NOV-FEB", "H", "*/11", "DEC/2")
WEEKDAYS = field("*", "MON", "FRI-SUN", "7", "6L", "1#5", "0#1", "H", "L", "SAT/2") | st.just("?")
YEARS = field("*", "2024", "2021-2023", "2100", "2999", "1970/7", "2001/2", "1999", "H(2026-2090)")
ZONES = st.sampled_from(["UTC", "EU1", "EU2", "Australia/Lord_Howe", "Pacific/Apia"])
UNIX = ROUND, HOURS, DATES, MONTHS, WEEKDAYS
SHAPED = st.one_of(
    st.tuples(*UNIX), st.tuples(*UNIX, YEARS), st.tuples(*UNIX, YEARS, ZONES), st.tuples(ROUND, *UNIX)
).map(" ".join)
NOISE = st.text(alphabet="0123456789*/,-?LW#HJANMOSUTEFRI@() \t\n", max_size=40)
LONG = st.builds(lambda term, times: ",".join([term] * times) + " * * * *", TERMS, st.integers(1, 400))


class Work:
    """How often the dear steps were taken: looking at a month (about a microsecond) and at a zone (one or two)."""

    months = 0
    offsets = 0


@contextmanager
def counted() -> Iterator[Work]:
    """Count work, which is the same on every machine, instead of time, which is not."""
    work = Work()
    mask, offset = Days.mask, daylight._offset

    def month(days: Days, first: int, length: int) -> int:
        work.months += 1
        return mask(days, first, length)

    def look(info: ZoneInfo, at: int) -> int:
        work.offsets += 1
        return offset(info, at)

    with patch.object(Days, "mask", month), patch.object(daylight, "_offset", look):
        yield work


def budget(text: str, dst: dict[str, str], zone: str = "Europe/Berlin") -> None:
    daylight.changes.cache_clear()
    daylight._pieces.cache_clear()
    with counted() as work, suppress(CronError):
        found = cron.parse(text, "ECB_FX")
        assert found.describe()
        assert cron.parse(found.text, "ECB_FX") == found
        schedule = Schedule.of({"cron": [text], "timezone": zone, "dst": dst}, "ECB_FX")
        after = NOW
        for slot in islice(schedule.between(NOW, NOW + YEAR * 100), 3):
            assert slot > after
            after = slot
        schedule.affected(NOW, NOW + YEAR)
        schedule.over(NOW)
    # Some 30 ms in all, wherever the time went.
    assert work.months < 20_000
    assert work.offsets < 20_000


DST = st.fixed_dictionaries(
    {}, optional={"gap": st.sampled_from(["first", "skip"]), "fold": st.sampled_from(["second", "both"])}
)


@settings(max_examples=400, deadline=None)
@given(SHAPED | NEARLY | NOISE | LONG | st.text(max_size=30), DST)
@example("30 2 25-31 3 SUN *", {"gap": "skip"})
@example("30 2 25-31 3 SUN * Australia/Lord_Howe", {"gap": "skip"})
@example("* * 29 2 1#5 *", {})
@example("0 0 29 2 ? 2001-2999/4", {})
@example("0 0 31 2,4,6,9,11 ? 1970-2999", {})
@example("0 0 31W 1-12 L 1970-2999", {})
@example("9" * 900 + " * * * *", {})
@example("*/" + "9" * 900 + " * * * *", {})
@example("H(0-59)/" + "9" * 900 + " * * * *", {})
@example("0 0 " + ",".join(f"{n % 31 + 1}W" for n in range(200)) + " * ? *", {})
@example("0 0 ? * " + ",".join(f"{n % 7}#{n % 5 + 1}" for n in range(200)) + " *", {})
@example("0 0 ? * * " + ",".join(["1970-2999"] * 90), {})
@example("* * * * * *", {"fold": "second"})
@example("\N{ARABIC-INDIC DIGIT THREE} * * * *", {})
@example("\ud800 * * * *", {})
@example("0 0 * * *\0", {})
def test_no_text_raises_anything_else_or_costs_more(text: str, dst: dict[str, str]) -> None:
    budget(text, dst)


@pytest.mark.parametrize("year", [1970, 2026, 2399, 2999])
def test_the_rarest_slots_cost_little_from_any_year(year: int) -> None:
    schedule = Schedule.of({"cron": ["0 0 29 2 MON *"], "timezone": "Europe/Berlin"}, "RARE")
    with counted() as work:
        schedule.next(datetime(year, 3, 1, tzinfo=UTC))
    assert work.months < 500
    assert work.offsets < 2000
