"""Two other libraries as oracles: cronsim (Debian's rules, daylight saving too) and croniter (in UTC)."""

import random
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from croniter import CroniterBadDateError, croniter
from cronsim import CronSim, CronSimError

from reconciler.cron import CronError
from reconciler.schedule import Schedule

# Zones whose clocks change by whole hours, away from midnight: elsewhere cronsim loses slots.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Asia/Kolkata",
]
BATCHES = 8
BATCH = 2600
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


class Expressions:
    """Expressions of every form that both sides read, made from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a test wants the same numbers each time

    def unix(self) -> str:
        """Five fields; few of them so rare that an oracle that walks days would take seconds."""
        day, month, weekday = "*", "*", "*"
        kind = self.random.random()
        if kind < 0.25:
            day = self.field(1, 31, special=["L", "LW"])
        elif kind < 0.5:
            weekday = self.field(0, 7, WEEKDAYS, special=["5L", "1#1", "0#2", "7#3", "FRI#4", "2L"])
        elif kind < 0.65:
            day, weekday = self.field(1, 28, special=["L"]), self.field(0, 7, WEEKDAYS)
        if self.random.random() < 0.15:
            month = self.field(1, 12, MONTHS)
        return f"{self.field(0, 59)} {self.hours()} {day} {month} {weekday}"

    def hours(self) -> str:
        """Often near the hours in which clocks change."""
        if self.random.random() < 0.5:
            return self.random.choice(["1", "2", "3", "1-3", "*", "*/2", "0-4/2", "2,3", "1,2", "*/3", "02"])
        return self.field(0, 23)

    def field(self, low: int, high: int, names: list[str] | None = None, special: list[str] | None = None) -> str:
        terms = [self.term(low, high, names, special) for _ in range(self.random.choice([1, 1, 1, 1, 2, 3]))]
        return ",".join(terms)

    def term(self, low: int, high: int, names: list[str] | None, special: list[str] | None) -> str:
        first, last = sorted(self.random.sample(range(low, high + 1), 2))
        step = self.random.randint(1, high)
        forms = ["*", f"*/{step}", f"{first}-{last}", f"{first}-{last}/{step}", f"{first}/{step}", str(first)]
        forms += [f"{first:02}", *self.random.sample(special or [], min(2, len(special or [])))]
        if names and last - low < len(names):
            forms += [names[first - low], f"{names[first - low]}-{names[last - low]}".lower()]
        return self.random.choice(forms)

    def start(self) -> datetime:
        """An instant; half of them on a day, or the day before, on which clocks change somewhere."""
        if self.random.random() < 0.5:
            return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=self.random.randrange(4 * 366 * 86400))
        day = datetime.fromisoformat(self.random.choice(CHANGES)).replace(tzinfo=UTC)
        return day + timedelta(seconds=self.random.randrange(-86400, 86400))


CHANGES = [
    *("2026-03-29", "2026-10-25", "2025-03-30", "2025-10-26"),  # Europe
    *("2026-03-08", "2026-11-01", "2025-03-09", "2025-11-02"),  # North America
    *("2026-04-05", "2026-10-04", "2026-04-04", "2026-10-03"),  # Sydney
    *("2026-04-05", "2026-09-27", "2026-04-04", "2026-09-26"),  # Auckland
]


def ours(text: str, zone: str, start: datetime, count: int, **more: Any) -> list[datetime]:
    schedule = Schedule.of({"cron": text, "timezone": zone, **more}, "ORACLE")
    return list(islice(schedule.between(start, start + timedelta(days=50 * 366)), count))


def cronsims(text: str, zone: str, start: datetime, count: int) -> list[datetime]:
    """What cronsim gives; at a start in a second pass it begins with slots of the first, which lie behind."""
    coming = (slot.astimezone(UTC) for slot in CronSim(text, start.astimezone(ZoneInfo(zone))))
    return list(islice((slot for slot in coming if slot > start), count))


@pytest.mark.parametrize("batch", range(BATCHES))
def test_five_fields_equal_cronsim(batch: int) -> None:
    expressions = Expressions(batch)
    compared = 0
    for _ in range(BATCH):
        text, zone, start = expressions.unix(), expressions.random.choice(ZONES), expressions.start()
        try:
            expected = cronsims(text, zone, start, 4)
        except CronSimError:
            with pytest.raises(CronError):
                Schedule.of({"cron": text}, "ORACLE")
            continue
        assert ours(text, zone, start, 4) == expected, (text, zone, start)
        compared += 1
    assert compared * BATCHES > 20_000


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney"])
def test_a_whole_day_of_a_change_equals_cronsim(zone: str) -> None:
    expressions = Expressions(17)
    for change in CHANGES:
        start = datetime.fromisoformat(change).replace(tzinfo=UTC) - timedelta(hours=20)
        for _ in range(6):
            text = f"{expressions.field(0, 59)} {expressions.hours()} * * *"
            assert ours(text, zone, start, 80) == cronsims(text, zone, start, 80), (text, zone, start)


def croniters(text: str, start: datetime, count: int, **rules: bool) -> list[datetime]:
    found = croniter(text, start.replace(tzinfo=None), datetime, **rules)
    return [found.get_next(datetime).replace(tzinfo=UTC) for _ in range(count)]


def test_five_fields_equal_croniter_in_utc() -> None:
    expressions = Expressions(23)
    for _ in range(600):
        days = expressions.random.choice(["*", "L", "1,15", "10-20", "15W", "*/3", "?"])
        # croniter combines 1#1, L5 and 15W with another day field in a way of its own.
        special = ["1#1", "5#2", "L5"] if days == "*" else []
        plain = ["*", "?"] if days == "15W" else ["*", "MON-FRI", "0", "7", "6-7", "*/2", "?"]
        weekdays = expressions.random.choice([*plain, *special])
        text = f"{expressions.random.randrange(60)} {expressions.hours()} {days} * {weekdays}"
        start = expressions.start()
        expected = croniters(text, start, 3, implement_cron_bug=True)
        assert ours(text.replace("L5", "5L"), "UTC", start, 3) == expected, text


def test_six_and_seven_fields_equal_croniter_in_utc() -> None:
    expressions = Expressions(29)
    for _ in range(400):
        days = expressions.random.choice(["*", "?", "L", "1,15", "10-20", "15W"])
        weekdays = expressions.random.choice(["*", "?", "MON-FRI", "1#1", "FRI-SUN", "0-4/2"])
        years = expressions.random.choice(["*", "2025-2040", "2024-2050/2"])
        minutes, hours = expressions.random.randrange(60), expressions.hours()
        start = expressions.start()
        text = f"{minutes} {hours} {days} * {weekdays}"
        try:
            expected = croniters(f"{text} 0 {years}", start, 3, day_or=False)
        except CroniterBadDateError:  # the first Monday is never the last day
            with pytest.raises(CronError):
                ours(f"{text} {years}", "UTC", start, 1)
            continue
        assert ours(f"{text} {years} UTC", "Asia/Tokyo", start, 3) == expected, text


def test_seconds_first_equals_croniter_in_utc() -> None:
    expressions = Expressions(31)
    for _ in range(300):
        # A hour of 24 or more, were it an hour: no other reading.
        minutes = expressions.random.randrange(24, 60)
        seconds, hours = expressions.field(0, 59), expressions.random.choice(["2", "1-3", "*", "*/2", "22-23"])
        weekdays = expressions.random.choice(["*", "MON-FRI", "SAT,SUN"])
        text = f"{seconds} {minutes} {hours} * * {weekdays}"
        start = expressions.start()
        expected = croniters(text, start, 3, day_or=False, second_at_beginning=True)
        assert ours(text, "UTC", start, 3) == expected, text
