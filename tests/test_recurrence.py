"""Recurrences: the search by bit masks equals looking at every day and second in turn."""

import calendar
from datetime import date, datetime, timedelta
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.recurrence import (
    ALL_DAYS,
    ALL_HOURS,
    ALL_MINUTES,
    ALL_MONTHS,
    ALL_WEEKDAYS,
    DAY,
    LAST,
    Days,
    Recurrence,
    members,
    new_year,
    year_of,
)

EPOCH = datetime.fromisoformat("1970-01-01")


def seconds(at: datetime) -> int:
    return int((at - EPOCH).total_seconds())


def moment(at: int) -> datetime:
    return EPOCH + timedelta(seconds=at)


def masks(low: int, high: int) -> st.SearchStrategy[int]:
    return st.sets(st.integers(low, high), min_size=1, max_size=5).map(lambda numbers: sum(1 << n for n in numbers))


DAYS = st.builds(
    Days,
    dates=st.just(ALL_DAYS) | masks(1, 31) | st.just(0),
    weekdays=st.just(ALL_WEEKDAYS) | masks(0, 6) | st.just(0),
    both=st.booleans(),
    last=st.booleans(),
    nearest=st.lists(st.integers(0, 31), max_size=2, unique=True).map(tuple),
    nth=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5)), max_size=2, unique=True).map(tuple),
)
RECURRENCES = st.builds(
    Recurrence,
    seconds=st.just(1) | masks(0, 59),
    minutes=st.just(ALL_MINUTES) | masks(0, 59),
    hours=st.just(ALL_HOURS) | masks(0, 23),
    days=DAYS,
    months=st.just(ALL_MONTHS) | masks(1, 12),
    years=st.just(()) | st.lists(st.integers(2018, 2030), min_size=1, max_size=4, unique=True).map(sorted).map(tuple),
)
STARTS = st.integers(new_year(2020) - 31 * DAY, new_year(2024) + 70 * DAY)


def day_matches(days: Days, day: date) -> bool:
    """The definition, read aloud."""
    length = calendar.monthrange(day.year, day.month)[1]
    last = date(day.year, day.month, length)
    dates = bool(days.dates >> day.day & 1) or (days.last and day == last)
    for wanted in days.nearest:
        if wanted <= length:
            near = [d for d in (-2, -1, 0, 1, 2) if 1 <= (wanted or length) + d <= length]
            work = [(abs(d), (wanted or length) + d) for d in near if workday(day, (wanted or length) + d)]
            dates = dates or day.day == min(work)[1]
    weekday = day.isoweekday() % 7
    week = bool(days.weekdays >> weekday & 1)
    for wanted, number in days.nth:
        if weekday == wanted:
            week = week or (day.day + 7 > length if number == LAST else (day.day - 1) // 7 + 1 == number)
    return (dates and week) if days.both else (dates or week)


def workday(day: date, number: int) -> bool:
    return date(day.year, day.month, number).isoweekday() <= 5


def matches(recurrence: Recurrence, at: datetime) -> bool:
    return (
        bool(recurrence.seconds >> at.second & recurrence.minutes >> at.minute & recurrence.hours >> at.hour & 1)
        and bool(recurrence.months >> at.month & 1)
        and (not recurrence.years or at.year in recurrence.years)
        and day_matches(recurrence.days, at.date())
    )


@settings(deadline=None)
@given(DAYS, st.dates(date(2000, 1, 1), date(2103, 12, 1)))
def test_the_days_of_a_month_are_those_that_match_one_by_one(days: Days, month: date) -> None:
    length = calendar.monthrange(month.year, month.month)[1]
    first = date(month.year, month.month, 1)
    expected = tuple(n for n in range(1, length + 1) if day_matches(days, first.replace(day=n)))
    assert members(days.mask(first.isoweekday() % 7, length)) == expected


@settings(max_examples=60, deadline=None)
@given(RECURRENCES, STARTS)
def test_the_next_member_matches_and_no_day_between_does(recurrence: Recurrence, start: int) -> None:
    end = start + 90 * DAY
    found = recurrence.next(start, end)
    last = moment((end if found is None else found) - 1)
    if found is not None:
        assert start <= found < end
        assert matches(recurrence, moment(found))
    # Whole days between, by their date alone; the two days at the ends, second by second of the times they may hold.
    day = moment(start).date() + timedelta(days=1)
    while day < last.date():
        midnight = datetime.combine(day, datetime.min.time())
        anything = any(matches(recurrence, midnight + timedelta(seconds=t)) for t in times(recurrence))
        assert not anything
        day += timedelta(days=1)
    for day in {moment(start).date(), last.date()}:
        for time in times(recurrence):
            at = datetime.combine(day, datetime.min.time()) + timedelta(seconds=time)
            assert not (moment(start) <= at <= last and matches(recurrence, at))


def times(recurrence: Recurrence) -> list[int]:
    """A sample of the recurrence's times of day: the first three and the last of each hour."""
    return [
        hour * 3600 + minute * 60 + second
        for hour in members(recurrence.hours)
        for minute in {*members(recurrence.minutes)[:3], members(recurrence.minutes)[-1]}
        for second in {*members(recurrence.seconds)[:3], members(recurrence.seconds)[-1]}
    ]


@given(RECURRENCES, STARTS, st.integers(0, 40 * DAY), st.integers(0, 40 * DAY))
@settings(max_examples=60, deadline=None)
def test_counting_equals_walking_and_splits_anywhere(recurrence: Recurrence, start: int, first: int, more: int) -> None:
    middle, end = start + first, start + first + more
    assert recurrence.count(start, end) == recurrence.count(start, middle) + recurrence.count(middle, end)
    walked = list(islice(recurrence.walk(start, end), 500))
    assert walked == sorted(set(walked))
    if len(walked) < 500:
        assert recurrence.count(start, end) == len(walked)
    else:
        assert recurrence.count(start, walked[-1] + 1) == 500


@settings(max_examples=40, deadline=None)
@given(DAYS, masks(1, 12))
def test_possible_means_that_some_day_of_the_calendars_whole_cycle_matches(days: Days, months: int) -> None:
    recurrence = Recurrence(1, 1, 1, days, months)
    assert recurrence.possible() == (recurrence.next(new_year(2000), new_year(2400)) is not None)


def test_possible_looks_at_the_years_that_are_named() -> None:
    leap = Days(dates=1 << 29)
    assert Recurrence(1, 1, 1, leap, 1 << 2, (2021, 2024)).possible()
    assert not Recurrence(1, 1, 1, leap, 1 << 2, (2021, 2100)).possible()


def test_the_rarest_date_is_found_across_a_century_without_a_leap_day() -> None:
    monday = Recurrence(1, 1, 1, Days(dates=1 << 29, weekdays=1 << 1), 1 << 2)
    found = monday.next(new_year(2073))
    assert found is not None
    assert moment(found) == datetime.fromisoformat("2112-02-29")


def test_nothing_lies_after_the_year_2999() -> None:
    daily = Recurrence(1, 1, 1, Days())
    assert daily.next(new_year(3000)) is None
    assert daily.next(new_year(3000) - 1) is None
    assert daily.next(new_year(3000) - DAY) == new_year(3000) - DAY
    assert daily.count(new_year(3000) - DAY, new_year(3100)) == 1


def test_an_empty_interval_has_no_members() -> None:
    always = Recurrence(1, ALL_MINUTES, ALL_HOURS, Days())
    assert always.next(60, 60) is None
    assert always.count(60, 60) == 0
    assert always.count(120, 60) == 0


def test_years_turn_where_the_calendar_says() -> None:
    for year in (1970, 1999, 2000, 2024, 2100, 2999):
        assert year_of(new_year(year)) == year
        assert year_of(new_year(year) - 1) == year - 1
