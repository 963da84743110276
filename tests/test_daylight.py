"""Zones and their clock changes: the documented table, and every zone there is."""

import struct
import zoneinfo
from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler import daylight
from reconciler.daylight import Effect, Fold, Gap, WallClock
from reconciler.recurrence import ALL_HOURS, ALL_MINUTES, Days, Recurrence, new_year, year_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(text: str) -> int:
    return int((datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH).total_seconds())


def daily(hour: int, minute: int) -> Recurrence:
    return Recurrence(1, 1 << minute, 1 << hour, Days())


def slots(clock: WallClock, recurrence: Recurrence, after: str, until: str) -> list[str]:
    found = []
    slot = clock.next(recurrence, at(after))
    while slot is not None and slot <= at(until):
        found.append((EPOCH + timedelta(seconds=slot)).strftime("%m-%d %H:%M"))
        slot = clock.next(recurrence, slot)
    return found


# Zone, a local time that is missing, the change; then what fires under first, shift and skip (UTC).
GAPS = [
    ("Europe/Berlin", (2, 30), "2026-03-29", "01:00", "01:30"),
    ("America/New_York", (2, 30), "2026-03-08", "07:00", "07:30"),
    ("Australia/Lord_Howe", (2, 15), "2025-10-04", "15:30", "15:45"),
    ("America/Sao_Paulo", (0, 30), "2018-11-04", "03:00", "03:30"),
    ("Antarctica/Troll", (2, 30), "2026-03-29", "01:00", "02:30"),
]
# Zone, a local time that comes twice, the day; then its first and its second pass (UTC).
FOLDS = [
    ("Europe/Berlin", (2, 30), "2026-10-25", "00:30", "01:30"),
    ("America/New_York", (1, 30), "2026-11-01", "05:30", "06:30"),
    ("Australia/Lord_Howe", (1, 45), "2025-04-05", "14:45", "15:15"),
    ("America/Sao_Paulo", (23, 30), "2018-02-18", "01:30", "02:30"),
]


@pytest.mark.parametrize(("zone", "local", "day", "first", "shifted"), GAPS)
def test_a_missing_time_fires_as_its_rule_says(
    zone: str, local: tuple[int, int], day: str, first: str, shifted: str
) -> None:
    around = f"{day}T00:00", f"{day}T23:00"
    expected = {Gap.FIRST: [f"{day[5:]} {first}"], Gap.SHIFT: [f"{day[5:]} {shifted}"], Gap.SKIP: []}
    for gap, fires in expected.items():
        assert slots(WallClock(zone, gap, Fold.FIRST), daily(*local), *around) == fires


@pytest.mark.parametrize(("zone", "local", "day", "first", "second"), FOLDS)
def test_a_time_that_comes_twice_fires_as_its_rule_says(
    zone: str, local: tuple[int, int], day: str, first: str, second: str
) -> None:
    around = f"{day}T00:00", f"{day}T23:00"
    passes = [f"{day[5:]} {first}", f"{day[5:]} {second}"]
    for fold, fires in {Fold.FIRST: passes[:1], Fold.SECOND: passes[1:], Fold.BOTH: passes}.items():
        assert slots(WallClock(zone, Gap.SKIP, fold), daily(*local), *around) == fires


def test_a_day_that_never_came_is_one_gap() -> None:
    # Samoa went from 29 to 31 December 2011.
    minutely = Recurrence(1, ALL_MINUTES, ALL_HOURS, Days(dates=1 << 30), 1 << 12, (2011,))
    around = "2011-12-29T00:00", "2012-01-03T00:00"
    assert slots(WallClock("Pacific/Apia", Gap.FIRST, Fold.FIRST), minutely, *around) == ["12-30 10:00"]
    assert slots(WallClock("Pacific/Apia", Gap.SKIP, Fold.FIRST), minutely, *around) == []
    shifted = slots(WallClock("Pacific/Apia", Gap.SHIFT, Fold.FIRST), minutely, *around)
    assert (shifted[0], shifted[-1], len(shifted)) == ("12-30 10:00", "12-31 09:59", 1440)


def test_missing_times_fire_once_together_with_what_is_due_anyway() -> None:
    both = Recurrence(1, 1 | 1 << 30, 0b1100, Days())
    berlin = "2026-03-28T23:00", "2026-03-29T22:00"
    assert slots(WallClock("Europe/Berlin", Gap.FIRST, Fold.FIRST), both, *berlin) == ["03-29 01:00", "03-29 01:30"]
    assert slots(WallClock("Europe/Berlin", Gap.SHIFT, Fold.FIRST), both, *berlin) == ["03-29 01:00", "03-29 01:30"]


@pytest.mark.parametrize("gap", Gap)
@pytest.mark.parametrize("fold", Fold)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Pacific/Kiritimati", "UTC"])
def test_counting_equals_walking_over_clock_changes(zone: str, gap: Gap, fold: Fold) -> None:
    clock = WallClock(zone, gap, fold)
    recurrence = Recurrence(1, 1 | 1 << 15 | 1 << 40, ALL_HOURS & ~(1 << 5), Days())
    # Kiritimati crossed the date line on the first of January 1995.
    for after, until in [("1994-12-30T12:00", "1995-04-09T07:13"), ("1995-09-01T00:00", "1995-12-01T00:00")]:
        walked = slots(clock, recurrence, after, until)
        assert clock.count(recurrence, at(after), at(until)) == len(walked) > 3000
        assert len(set(walked)) == len(walked) or fold is Fold.BOTH


def test_an_expression_that_lies_in_skipped_gaps_for_ever_is_given_up() -> None:
    never = Recurrence(1, 1 << 30, 1 << 2, Days(dates=sum(1 << n for n in range(25, 32)), weekdays=1), 1 << 3)
    assert WallClock("Europe/Berlin", Gap.SKIP, Fold.FIRST).next(never, at("2026-01-01")) is None
    assert WallClock("Europe/Berlin", Gap.FIRST, Fold.FIRST).next(never, at("2026-01-01")) == at("2026-03-29T01:00")


def test_slots_lie_from_1970_to_2999() -> None:
    midnight = WallClock("Europe/Berlin", Gap.FIRST, Fold.FIRST)
    assert midnight.next(daily(1, 0), at("1931-01-01")) == 0
    assert midnight.next(daily(0, 0), at("2999-12-31T20:00")) is None
    assert midnight.next(daily(0, 0), at("7000-01-01")) is None
    assert midnight.count(daily(0, 0), at("1931-01-01"), at("1970-01-02")) == 1
    assert midnight.count(daily(0, 0), at("2999-12-29T23:30"), at("7000-01-01")) == 1


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati", "Etc/GMT+12"])
@pytest.mark.parametrize(("month", "day", "hour"), [(1, 1, 0), (12, 31, 23)])
def test_a_lone_slot_at_new_year_is_found_from_years_before(zone: str, month: int, day: int, hour: int) -> None:
    lone = Recurrence(1, 1, 1 << hour, Days(dates=1 << day), 1 << month, (2040,))
    expected = datetime(2040, month, day, hour, tzinfo=zoneinfo.ZoneInfo(zone)).timestamp()
    assert WallClock(zone, Gap.FIRST, Fold.FIRST).next(lone, at("2026-11-22")) == expected


def test_affected_times_are_those_of_the_gap_and_of_the_fold() -> None:
    year = at("2026-01-01"), at("2026-12-31")
    clock = WallClock("Europe/Berlin", Gap.SHIFT, Fold.BOTH)
    assert list(clock.affected(daily(2, 30), *year)) == [
        (Effect.SHIFTED, at("2026-03-29T02:30"), (at("2026-03-29T01:30"),)),
        (Effect.DOUBLED, at("2026-10-25T02:30"), (at("2026-10-25T00:30"), at("2026-10-25T01:30"))),
    ]
    assert list(clock.affected(daily(4, 30), *year)) == []
    once = WallClock("Europe/Berlin", Gap.SKIP, Fold.SECOND)
    assert list(once.affected(daily(2, 0), *year)) == [
        (Effect.SKIPPED, at("2026-03-29T02:00"), ()),
        (Effect.ONCE, at("2026-10-25T02:00"), (at("2026-10-25T01:00"),)),
    ]


def test_a_change_of_a_whole_hour_leaves_an_hourly_rhythm_alone() -> None:
    hourly = Recurrence(1, 1, ALL_HOURS, Days())
    year = at("2025-01-01"), at("2025-12-31")
    for gap in (Gap.SKIP, Gap.SHIFT, Gap.FIRST):
        assert list(WallClock("Europe/Berlin", gap, Fold.BOTH).affected(hourly, *year)) == []
    # Half an hour does not; nor does firing once where the hour comes twice.
    assert [found[0] for found in WallClock("Australia/Lord_Howe", Gap.SKIP, Fold.BOTH).affected(hourly, *year)] == [
        Effect.SKIPPED
    ]
    assert [found[0] for found in WallClock("Europe/Berlin", Gap.SKIP, Fold.FIRST).affected(hourly, *year)] == [
        Effect.ONCE
    ]


def test_affected_times_are_bounded() -> None:
    secondly = Recurrence(ALL_MINUTES, ALL_MINUTES, 1 << 2, Days())
    clock = WallClock("Europe/Berlin", Gap.SKIP, Fold.FIRST)
    assert len(list(clock.affected(secondly, at("2026-01-01"), at("2026-06-01")))) == 100


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "../../etc/passwd",
        "/etc/localtime",
        "Europe",
        "Europe/",
        "localtime",
        "posixrules",
        "right/Europe/Berlin",
        "posix/Europe/Berlin",
        "Europe/Berlin\0",
        "Europe/Berlin\n",
        "zone.tab",
        "leapseconds",
        "A" * 5000,
        "Zürich",
    ],
)
def test_what_is_no_zone_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        daylight.zone(name)


def zone_file(name: str) -> bytes:
    """The file that zoneinfo reads, wherever this machine has it."""
    for folder in zoneinfo.TZPATH:
        if (Path(folder) / name).is_file():
            return (Path(folder) / name).read_bytes()
    return (resources.files("tzdata") / "zoneinfo" / name).read_bytes()


def listed_changes(data: bytes) -> list[tuple[int, int, int]]:
    """The changes of offset that a TZif file lists (RFC 9636), read without zoneinfo."""
    counts = struct.unpack(">6l", data[20:44])
    isut, isstd, leaps, moments, kinds, letters = counts
    start = 44 + moments * 5 + kinds * 6 + letters + leaps * 8 + isstd + isut
    isut, isstd, leaps, moments, kinds, letters = struct.unpack(">6l", data[start + 20 : start + 44])
    start += 44
    times = struct.unpack(f">{moments}q", data[start : start + 8 * moments])
    places = data[start + 8 * moments : start + 9 * moments]
    offsets = [struct.unpack(">lBB", data[start + 9 * moments + 6 * n :][:6])[0] for n in range(kinds)]
    row = [offsets[0], *(offsets[place] for place in places)]
    return [(when, old, new) for when, (old, new) in zip(times, pairwise(row), strict=True) if old != new]


def test_every_change_of_every_zone_since_1970_is_found() -> None:
    seen = set()
    first, end = new_year(1970), new_year(2037)
    for name in sorted(zoneinfo.available_timezones() - {"localtime"}):
        data = zone_file(name)
        if data in seen:
            continue
        seen.add(data)
        wanted = [change for change in listed_changes(data) if first <= change[0] < end]
        for year in {year_of(change[0]) for change in wanted}:
            found = [
                (change.at, change.before, change.after)
                for change in daylight.changes(name, year)
                if new_year(year) <= change.at < new_year(year + 1)
            ]
            listed = [change for change in wanted if new_year(year) <= change[0] < new_year(year + 1)]
            assert [change for change in found if change[0] <= wanted[-1][0]] == listed, (name, year)
    assert len(seen) > 300


def test_a_change_near_new_year_is_known_in_both_years() -> None:
    # Kiritimati left out the 31st of December 1994, at 10:00 UTC that day.
    expected = daylight.Change(at("1994-12-31T10:00"), -10 * 3600, 14 * 3600)
    assert expected in daylight.changes("Pacific/Kiritimati", 1994)
    assert expected in daylight.changes("Pacific/Kiritimati", 1995)
