"""Cron expressions: what each dialect accepts, what it means, and what is said where it is wrong."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from reconciler import cron, cronfield
from reconciler.cron import Cron, CronError, Dialect
from reconciler.daylight import Fold, Gap
from reconciler.recurrence import ALL_DAYS, ALL_WEEKDAYS, LAST, Days, members
from reconciler.schedule import Schedule

START = datetime(2026, 11, 22, 14, 0, 17, tzinfo=UTC)  # a Sunday


def read(text: str, name: str = "ECB_FX") -> Cron:
    return cron.parse(text, name)


def slots(text: str, count: int = 3, start: datetime = START, name: str = "ECB_FX") -> list[str]:
    found = Schedule.of({"cron": text}, name).between(start, start + timedelta(days=366 * 60))
    return [f"{slot:%a %Y-%m-%d %H:%M:%S}" for slot in islice(found, count)]


def sets(text: str) -> tuple[tuple[int, ...], ...]:
    """Seconds, minutes, hours, dates, months and weekdays of an expression."""
    found = read(text).recurrence
    days = found.days
    masks = found.seconds, found.minutes, found.hours, days.dates, found.months, days.weekdays
    return tuple(members(mask) for mask in masks)


# Every expression found in the service's documentation and in the specification, and what it comes to.
GOLDEN = {
    "12 46 ? * * *": ["Sun 2026-11-22 14:46:12", "Sun 2026-11-22 15:46:12", "Sun 2026-11-22 16:46:12"],
    "46 12 ? * * *": ["Mon 2026-11-23 12:46:00", "Tue 2026-11-24 12:46:00", "Wed 2026-11-25 12:46:00"],
    "25 12 ? * MON-FRI *": ["Mon 2026-11-23 12:25:00", "Tue 2026-11-24 12:25:00", "Wed 2026-11-25 12:25:00"],
    "38 07 ? * * *": ["Mon 2026-11-23 07:38:00", "Tue 2026-11-24 07:38:00", "Wed 2026-11-25 07:38:00"],
    "0 17 ? * MON,TUE,WED,THU,FRI *": ["Mon 2026-11-23 17:00:00", "Tue 2026-11-24 17:00:00", "Wed 2026-11-25 17:00:00"],
    "0 16 ? * MON,TUE,WED,THU,FRI *": ["Mon 2026-11-23 16:00:00", "Tue 2026-11-24 16:00:00", "Wed 2026-11-25 16:00:00"],
    "22 13-15 ? * MON-FRI *": ["Mon 2026-11-23 13:22:00", "Mon 2026-11-23 14:22:00", "Mon 2026-11-23 15:22:00"],
    "0/15 13 ? * FRI-SUN *": ["Fri 2026-11-27 13:00:00", "Fri 2026-11-27 13:15:00", "Fri 2026-11-27 13:30:00"],
    "0 0/4 ? * FRI-SUN *": ["Sun 2026-11-22 16:00:00", "Sun 2026-11-22 20:00:00", "Fri 2026-11-27 00:00:00"],
    "0 0 1/5 * FRI-SUN *": ["Sun 2026-12-06 00:00:00", "Fri 2026-12-11 00:00:00", "Sat 2026-12-26 00:00:00"],
    "0 0 5 1/3 FRI-SUN *": ["Fri 2029-01-05 00:00:00"],
    "0 0 15W 1 ? *": ["Fri 2027-01-15 00:00:00", "Fri 2028-01-14 00:00:00", "Mon 2029-01-15 00:00:00"],
    "0 0 ? 1 6#3 *": ["Sat 2027-01-16 00:00:00", "Sat 2028-01-15 00:00:00", "Sat 2029-01-20 00:00:00"],
    "0 0 ? 1 6#1,6#3 *": ["Sat 2027-01-02 00:00:00", "Sat 2027-01-16 00:00:00", "Sat 2028-01-01 00:00:00"],
    "0 0 L 1 ? *": ["Sun 2027-01-31 00:00:00", "Mon 2028-01-31 00:00:00", "Wed 2029-01-31 00:00:00"],
    "0 0 * 1 L *": ["Sat 2027-01-02 00:00:00", "Sat 2027-01-09 00:00:00", "Sat 2027-01-16 00:00:00"],
    "00 20 ? * 3#1,3#3 *": ["Wed 2026-12-02 20:00:00", "Wed 2026-12-16 20:00:00", "Wed 2027-01-06 20:00:00"],
    "45 23 ? * MON-FRI * EU1": ["Mon 2026-11-23 23:45:00", "Tue 2026-11-24 23:45:00", "Wed 2026-11-25 23:45:00"],
    "45 23 ? * MON-FRI * EU2": ["Mon 2026-11-23 22:45:00", "Tue 2026-11-24 22:45:00", "Wed 2026-11-25 22:45:00"],
    "00 23 ? * MON-FRI *": ["Mon 2026-11-23 23:00:00", "Tue 2026-11-24 23:00:00", "Wed 2026-11-25 23:00:00"],
    "00 02 ? * MON-FRI *": ["Mon 2026-11-23 02:00:00", "Tue 2026-11-24 02:00:00", "Wed 2026-11-25 02:00:00"],
    "0 6 * * MON *": ["Mon 2026-11-23 06:00:00", "Mon 2026-11-30 06:00:00", "Mon 2026-12-07 06:00:00"],
    "0 * * * MON-FRI": ["Mon 2026-11-23 00:00:00", "Mon 2026-11-23 01:00:00", "Mon 2026-11-23 02:00:00"],
    "0 18 * * MON-FRI": ["Mon 2026-11-23 18:00:00", "Tue 2026-11-24 18:00:00", "Wed 2026-11-25 18:00:00"],
    "0 0 * * *": ["Mon 2026-11-23 00:00:00", "Tue 2026-11-24 00:00:00", "Wed 2026-11-25 00:00:00"],
    "*/15 * * * *": ["Sun 2026-11-22 14:15:00", "Sun 2026-11-22 14:30:00", "Sun 2026-11-22 14:45:00"],
    "0 30 16 ? * MON-FRI": ["Mon 2026-11-23 16:30:00", "Tue 2026-11-24 16:30:00", "Wed 2026-11-25 16:30:00"],
    "0 16 * * MON-FRI": ["Mon 2026-11-23 16:00:00", "Tue 2026-11-24 16:00:00", "Wed 2026-11-25 16:00:00"],
    "30 16 1 7 ? 2027 Europe/Berlin": ["Thu 2027-07-01 14:30:00"],
    "0 0 LW * ? *": ["Mon 2026-11-30 00:00:00", "Thu 2026-12-31 00:00:00", "Fri 2027-01-29 00:00:00"],
    "0 0 ? * 1#1 *": ["Mon 2026-12-07 00:00:00", "Mon 2027-01-04 00:00:00", "Mon 2027-02-01 00:00:00"],
    "0 0 ? * 6L *": ["Sat 2026-11-28 00:00:00", "Sat 2026-12-26 00:00:00", "Sat 2027-01-30 00:00:00"],
    "0 22-4 ? * * *": ["Sun 2026-11-22 22:00:00", "Sun 2026-11-22 23:00:00", "Mon 2026-11-23 00:00:00"],
    "0 0 29 2 ? *": ["Tue 2028-02-29 00:00:00", "Sun 2032-02-29 00:00:00", "Fri 2036-02-29 00:00:00"],
    "0 0 29 2 MON *": ["Mon 2044-02-29 00:00:00", "Mon 2072-02-29 00:00:00"],
}


@pytest.mark.parametrize("text", GOLDEN)
def test_what_documented_expressions_come_to(text: str) -> None:
    expected = GOLDEN[text]
    assert slots(text, len(expected)) == expected


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@Hourly", "0 * * * *"),
        ("05 009 * jan-Mar mon-FRI", "5 9 * 1-3 1-5"),
        ("0 0 * * SUN", "0 0 * * 7"),
        ("0 0 * * 5-7", "0 0 * * FRI-SUN"),
        ("0 0 * * 6-1", "0 0 * * 0,1,6"),
        ("0 0 * * 7-2", "0 0 * * 0-2"),
        ("0 0 * * 0-7", "0 0 * * *"),
        ("0 0 * * 5/2", "0 0 * * 5,7"),
        ("0 0 * * */2", "0 0 * * 0,2,4,6"),
        ("0 0 * * 0-7/7", "0 0 * * 0"),
        ("0 0 * * SAT/1", "0 0 * * 6,0"),
        ("0 22-4/2 * * *", "0 22,0,2,4 * * *"),
        ("50-10/15 * * * *", "50,5 * * * *"),
        ("0 23-7/3 * * *", "0 23,2,5 * * *"),
        ("0 0 25-5/4 * *", "0 0 25,29,2 * *"),
        ("0 0 * NOV-FEB *", "0 0 * 11,12,1,2 *"),
        ("0/15 * * * *", "0,15,30,45 * * * *"),
        ("59/15 * * * *", "59 * * * *"),
        ("*/90 * * * *", "0 * * * *"),
        ("0-30,31-59 0-5,6-23 1-15,16-31 1-6,7-12 0-3,4-6", "* * 1-31 * 0-6"),
        ("7-7 * * * *", "7 * * * *"),
        ("7-7/20 * * * *", "7 * * * *"),
        ("0 0 1-1 JAN-JAN SUN-SUN", "0 0 1 1 0"),
        ("1,1,3-5,4 * * * *", "1,3,4,5 * * * *"),
        ("0 0 ? * MON", "0 0 * * 1"),
        ("0 0 1 * ?", "0 0 1 * *"),
        ("  0\t 0  * *   * \n", "0 0 * * *"),
    ],
)
def test_different_ways_to_write_the_same(text: str, same: str) -> None:
    assert read(text).recurrence == read(same).recurrence or sets(text) == sets(same)


def test_a_range_from_a_value_to_itself_is_that_value() -> None:
    # croniter reads 1-1 as every, and 59/15 was every fifteen minutes before its 7.0.0.
    assert sets("1-1 2-2 3-3 4-4 5-5") == ((0,), (1,), (2,), (3,), (4,), (5,))
    assert sets("59/15 23/5 31/2 12/3 6/4") == ((0,), (59,), (23,), (31,), (12,), (6,))


def test_days_are_either_or_in_unix_unless_one_begins_with_a_star() -> None:
    assert slots("0 0 1 * MON") == ["Mon 2026-11-23 00:00:00", "Mon 2026-11-30 00:00:00", "Tue 2026-12-01 00:00:00"]
    assert slots("0 0 */2 * MON") == ["Mon 2026-11-23 00:00:00", "Mon 2026-12-07 00:00:00", "Mon 2026-12-21 00:00:00"]
    assert slots("0 0 1 * */2") == ["Tue 2026-12-01 00:00:00", "Thu 2027-04-01 00:00:00", "Sat 2027-05-01 00:00:00"]
    # A list that only ends in a star does not begin with one: every day or Monday.
    assert slots("0 0 2,* * MON", 2) == ["Mon 2026-11-23 00:00:00", "Tue 2026-11-24 00:00:00"]


def test_days_are_both_in_six_and_seven_fields() -> None:
    assert slots("0 0 1 * MON *", 2) == ["Mon 2027-02-01 00:00:00", "Mon 2027-03-01 00:00:00"]
    assert slots("0 0 1 * MON * UTC", 2) == ["Mon 2027-02-01 00:00:00", "Mon 2027-03-01 00:00:00"]


def test_special_days_may_stand_in_lists_and_in_unix() -> None:
    days = read("0 0 L,15W,LW,3-5 * 1#1,FRI#5,0L,7#2,WEDL,SAT").recurrence.days
    assert members(days.dates) == (3, 4, 5)
    assert (days.last, days.nearest) == (True, (LAST, 15))
    assert members(days.weekdays) == (6,)
    assert days.nth == ((0, LAST), (0, 2), (1, 1), (3, LAST), (5, 5))
    assert days.both is False


def test_a_month_without_the_day_has_no_workday_near_it() -> None:
    assert slots("0 0 31W * ? *", 3) == [
        "Thu 2026-12-31 00:00:00",
        "Fri 2027-01-29 00:00:00",
        "Wed 2027-03-31 00:00:00",
    ]
    # The first of a month is never left for the month before: Saturday 1 May 2027 becomes Monday the 3rd.
    assert slots("0 0 1W 5 ? *", 1) == ["Mon 2027-05-03 00:00:00"]


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("12 46 ? * * *", "every hour at :46:12", "was `46 12 ? * * *`, daily at 12:46, meant?"),
        ("0 30 16 ? * MON-FRI", "at 16:30 on Monday to Friday", "`30 16 ? * MON-FRI *` is the same"),
        ("15 30 16 ? * MON-FRI", "at 16:30:15 on Monday to Friday", "is the same without the seconds"),
        ("0 0 12 1 * ?", "at 12:00 on the 1st of the month", "`0 12 1 * ? *` is the same"),
        ("0/20 * ? * * ?", "every 20 seconds", "5 fields are MINUTE HOUR"),
        ("0 0 9 * * MON-FRI", "at 09:00 on Monday to Friday", "`0 9 * * MON-FRI *` is the same"),
    ],
)
def test_six_fields_with_seconds_first_are_read_with_a_warning(text: str, says: str, hint: str) -> None:
    found = read(text)
    assert found.dialect is Dialect.SECONDS
    assert found.describe() == says
    ((message, advice),) = found.warnings
    assert "impossible as MINUTE HOUR DAY MONTH WEEKDAY YEAR" in message
    assert message.endswith(f"read as SECOND MINUTE HOUR DAY MONTH WEEKDAY: {says}")
    assert hint in advice


@pytest.mark.parametrize("text", ["46 12 ? * * *", "0 0 5 1/3 FRI-SUN *", "0 0 12 1 * 2027", "* * * * * *"])
def test_six_fields_that_are_possible_with_minutes_first_are_read_so_in_silence(text: str) -> None:
    assert read(text).dialect is Dialect.SERVICE
    assert read(text).warnings == ()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "0 fields", "5 fields are MINUTE HOUR DAY MONTH WEEKDAY"),
        ("* * * *", "has 4 fields", "5 fields are MINUTE HOUR DAY MONTH WEEKDAY"),
        ("25 12 ? MON-FRI", "has 4 fields", "5 fields are"),
        ("* * * * * * UTC x", "has 8 fields", "5 fields are"),
        ("12 46 * * *", "hour 46 is not 0-23", "was `46 12 * * *`, daily at 12:46, meant?"),
        ("12 46 ? * * * UTC", "hour 46 is not 0-23", "was `46 12 ? * * *`, daily at 12:46, meant?"),
        ("60 0 * * *", "minute 60 is not 0-59", "5 fields are"),
        ("0 0 0 * *", "day of month 0 is not 1-31", "5 fields are"),
        ("0 0 32 * *", "day of month 32 is not 1-31", "5 fields are"),
        ("0 0 32W * *", "day of month 32 is not 1-31", "5 fields are"),
        ("0 0 1 0 *", "month 0 is not 1-12", "5 fields are"),
        ("0 0 1 13 *", "month 13 is not 1-12", "5 fields are"),
        ("0 0 * * 8", "day of week 8 is not 0-7", "5 fields are"),
        ("0 0 * * 1#6", "day of week 6 is not 1-5", "5 fields are"),
        ("0 0 30 2 *", "no date ever matches day of month 30, month 2", "choose days that come"),
        ("0 0 31 4,6,9-SEP,11 *", "no date ever matches day of month 31", "choose days that come"),
        ("0 0 30W 2 ? *", "no date ever matches day of month 30W, month 2", "choose days that come"),
        ("0 0 29 2 ? 2021,2023", "no date ever matches day of month 29, month 2, year 2021,2023", "choose days"),
        ("0 0 1 1 MON 2026", "no date ever matches", "choose days that come"),
        ("0 0 8-14 * 1#1 *", "no date ever matches day of month 8-14, day of week 1#1", "choose days that come"),
        ("*/0 * * * *", "a step of 0 never moves", "count from 1"),
        ("H/0 * * * *", "a step of 0 never moves", "count from 1"),
        ("*-5 * * * *", "'*-5' cannot be read", "* stands alone or with a step"),
        ("? * * * *", "'?' cannot be read", "? stands alone, in a day field"),
        ("0 0 ?/2 * *", "'?/2' cannot be read", "? stands alone, in a day field"),
        ("1, * * * *", "'' cannot be read", "a comma is left over"),
        ("1--2 * * * *", "'1--2' cannot be read", "values are 0-59"),
        ("-1 * * * *", "'-1' cannot be read", "values are 0-59"),
        ("1.5 * * * *", "'1.5' cannot be read", "values are 0-59"),
        ("0 0 * JANUARY *", "'JANUARY' cannot be read", "names have three letters: JAN"),
        ("0 0 * * Mondays", "'MONDAYS' cannot be read", "names have three letters: MON"),
        ("0 0 MON * *", "'MON' cannot be read", "values are 1-31"),
        ("0 0 L-3 * *", "'L' cannot be read", "values are 1-31"),
        ("0 0 1-5W * *", "'1-5W' cannot be read", "values are 1-31"),
        ("0 0 * * FRIL#2", "cannot be read", ""),
        ("R * * * *", "'R' cannot be read", "values are 0-59"),
        ("0 0 ? * MON 1969", "year 1969 is not 1970-2999", ""),
        ("0 0 ? * MON 3000", "year 3000 is not 1970-2999", ""),
        ("0 0 ? * MON 2030-2026", "runs backwards", "earlier year first"),
        ("0 0 ? * MON H", "H needs a range here", "H(2026-2030)"),
        ("0 9 ? * MON Europe/London", "year 'EUROPE/LONDON' cannot be read", "year: `0 9 ? * MON * Europe/London`"),
        ("0 9 ? * MON * Mars/Olympus", "'Mars/Olympus' is no time zone", "UTC, EU1, EU2 or an IANA name"),
        ("0 9 ? * MON * right/UTC", "'right/UTC' is no time zone", "UTC, EU1, EU2 or an IANA name"),
        ("@reboot", "'@reboot' is no nickname", "@hourly"),
        ("@every 5m", "'@every 5m' is no nickname", "write `every: 5m` instead"),
        ("0 0 * * \u00d7", "has characters that no cron expression has", ""),
        ("0 0 * * \u017fun", "has characters that no cron expression has", ""),
        ("0 \u0663 * * *", "has characters that no cron expression has", ""),
        ("0\u00a00 * * *", "has characters that no cron expression has", ""),
        ("0," * 600 + "0 * * * *", "a cron expression of 1209 characters", "1000 at most"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write_instead(text: str, message: str, hint: str) -> None:
    with pytest.raises(CronError) as caught:
        read(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert str(caught.value) == caught.value.message


def test_a_year_that_is_over_is_no_error() -> None:
    assert read("0 0 1 1 ? 1999").recurrence.years == (1999,)
    assert Schedule.of({"cron": "0 0 1 1 ? 1999"}, "OLD").over(START)


def test_years_take_lists_ranges_and_increments() -> None:
    assert read("0 0 1 1 ? 2026,2028-2030").recurrence.years == (2026, 2028, 2029, 2030)
    assert read("0 0 1 1 ? 2990/4").recurrence.years == (2990, 2994, 2998)
    assert read("0 0 1 1 ? */500").recurrence.years == (1970, 2470, 2970)
    assert read("0 0 1 1 ? *").recurrence.years == ()
    assert read("0 0 1 1 ? 1970-2999").recurrence.years == ()


@pytest.mark.parametrize(
    ("text", "gap", "fold"),
    [
        # 5 fields, as Debian's cron: fixed where neither minute nor hour begins with a star.
        ("30 2 * * *", Gap.FIRST, Fold.FIRST),
        ("0,30 1-3 * * *", Gap.FIRST, Fold.FIRST),
        ("0-59/15 2 * * *", Gap.FIRST, Fold.FIRST),
        ("5,* 2 * * *", Gap.FIRST, Fold.FIRST),
        ("H H * * *", Gap.FIRST, Fold.FIRST),
        ("@daily", Gap.FIRST, Fold.FIRST),
        ("@hourly", Gap.SKIP, Fold.BOTH),
        ("*/20 2 * * *", Gap.SKIP, Fold.BOTH),
        ("30 */2 * * *", Gap.SKIP, Fold.BOTH),
        ("*,5 2 * * *", Gap.SKIP, Fold.BOTH),
        # 6 and 7 fields, as the service: shifted by the gap; the first pass, unless the hour is `*`.
        ("30 2 ? * * *", Gap.SHIFT, Fold.FIRST),
        ("*/5 2 ? * * *", Gap.SHIFT, Fold.FIRST),
        ("30 */2 ? * * *", Gap.SHIFT, Fold.FIRST),
        ("30 * ? * * *", Gap.SHIFT, Fold.BOTH),
        ("30 * ? * * * EU2", Gap.SHIFT, Fold.BOTH),
        ("12 46 ? * * *", Gap.SHIFT, Fold.BOTH),
        ("0 30 16 ? * MON", Gap.SHIFT, Fold.FIRST),
    ],
)
def test_how_each_dialect_meets_clock_changes(text: str, gap: Gap, fold: Fold) -> None:
    assert (read(text).gap, read(text).fold) == (gap, fold)


def test_the_seventh_field_is_a_zone() -> None:
    zones = {"UTC": "UTC", "utc": "UTC", "EU1": "Europe/London", "eu2": "Europe/Berlin", "Asia/Tokyo": "Asia/Tokyo"}
    for written, zone in zones.items():
        assert read(f"0 9 ? * * * {written}").zone == zone
    assert read("0 9 ? * * *").zone is None
    assert read("0 9 ? * * * EU1").describe() == "daily at 09:00 (Europe/London)"


def test_h_is_the_same_for_a_name_for_ever() -> None:
    # A change of these moves every user's schedules.
    assert sets("H H H H H") == sets("16 19 4 7 0")
    assert sets("H/15 H(0-5) * * *")[:3] == sets("1,16,31,46 1 * * *")[:3]


def test_h_spreads_over_what_it_may() -> None:
    names = [f"p{number}" for number in range(600)]
    seen: dict[str, set[int]] = {"minute": set(), "hour": set(), "day": set(), "month": set(), "weekday": set()}
    for name in names:
        found = read("H H H H H", name).recurrence
        masks = found.minutes, found.hours, found.days.dates, found.months, found.days.weekdays
        for key, mask in zip(seen, masks, strict=True):
            seen[key].update(members(mask))
    assert len(seen["minute"]) == 60
    assert seen["hour"] == set(range(24))
    # Days that every month has.
    assert seen["day"] == set(range(1, 29))
    assert seen["month"] == set(range(1, 13))
    assert seen["weekday"] == set(range(7))


@pytest.mark.parametrize(
    ("text", "among", "count"),
    [
        ("H(0-29) 0 * * *", range(30), 1),
        ("H(50-10) 0 * * *", [*range(50, 60), *range(11)], 1),
        ("H/15 0 * * *", range(60), 4),
        ("H/7 0 * * *", range(60), 9),
        ("H/90 0 * * *", range(60), 1),
        ("H(0-29)/10 0 * * *", range(30), 3),
        ("H(50-10)/10 0 * * *", [*range(50, 60), *range(11)], 2),
    ],
)
def test_h_takes_ranges_and_increments(text: str, among: range | list[int], count: int) -> None:
    for name in ("ECB_FX", "TEST", "a", "b", "job1"):
        found = members(read(text, name).recurrence.minutes)
        assert set(found) <= set(among)
        assert len(found) in (count, count - 1, count + 1) if count > 1 else len(found) == 1


def test_h_works_in_every_field_and_in_lists() -> None:
    assert len(members(read("0 0 * * H(MON-FRI)").recurrence.days.weekdays)) == 1
    assert set(members(read("0 0 * H(NOV-FEB) *").recurrence.months)) < {11, 12, 1, 2}
    assert read("0 0 1 1 ? H(2026-2029)").recurrence.years[0] in range(2026, 2030)
    assert members(read("H(0-9),30 * * * *").recurrence.minutes)[-1] == 30
    assert read("H 46 12 * * MON").dialect is Dialect.SECONDS


def test_only_h_depends_on_the_name() -> None:
    assert read("H * * * *", "a") != read("H * * * *", "b")
    assert read("H * * * *", "a").spread
    assert read("0 0 * MAR THU", "a") is read("0 0 * MAR THU", "b")
    assert not read("0 0 * MAR THU * EU1").spread


def test_reading_its_own_text_again_changes_nothing() -> None:
    for text in [*GOLDEN, " 0  0 * *\t* ", "@daily", "H/15 H(0-5) L,15W * 6L", "0 9 ? * * 2027 EU1"]:
        once = read(text)
        assert read(once.text) == once
        assert read(once.text).warnings == once.warnings


def test_every_day_is_told_from_no_day() -> None:
    assert read("0 0 * * *").recurrence.days == Days(ALL_DAYS, ALL_WEEKDAYS)
    assert read("0 0 L * *").recurrence.days == Days(0, ALL_WEEKDAYS, last=True)


def test_values_are_written_plainly_for_croniter() -> None:
    # The library's own ways with wraps, equal ranges and day 7 must never be asked for.
    texts = {"22-4/2": "22,0-4/2", "23-7/3": "23,2-7/3", "5-5": "5", "20/3": "20-23/3", "*": "0-23", "*/100": "0"}
    for text, plain in texts.items():
        assert cronfield.read(cronfield.HOUR, text, "x").plain == plain
    assert cronfield.read(cronfield.WEEKDAY, "5-7", "x").plain == "5-6,0"
    assert cronfield.read(cronfield.WEEKDAY, "FRI-MON/2", "x").plain == "5,0"
