"""Recurring wall-clock times: which seconds of which days, and the next of them, by integer arithmetic alone.

The inner form of a cron expression (``cron`` makes it, ``daylight`` lays it on a zone's clock). Every set is a bit
mask, so that the next member is a shift and a lowest bit: a search costs a few microseconds whatever the expression,
and ten thousand of them share their masks. Local times count in seconds since 1970-01-01T00:00:00 on the wall clock.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

DAY = 86400
FIRST_YEAR = 1970
LAST_YEAR = 2999
ALL_MINUTES = (1 << 60) - 1
ALL_HOURS = (1 << 24) - 1
ALL_DAYS = (1 << 32) - 2
ALL_MONTHS = (1 << 13) - 2
ALL_WEEKDAYS = (1 << 7) - 1
LAST = 0
_EPOCH = date(1970, 1, 1).toordinal()
_END = (date(LAST_YEAR + 1, 1, 1).toordinal() - _EPOCH) * DAY
_LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKS = sum(1 << 7 * week for week in range(5))
_SATURDAY = 6


def year_of(at: int) -> int:
    """The year of a time in seconds since 1970."""
    return date.fromordinal(at // DAY + _EPOCH).year


def new_year(year: int) -> int:
    """The first second of a year, in seconds since 1970."""
    return (date(year, 1, 1).toordinal() - _EPOCH) * DAY


def members(mask: int) -> tuple[int, ...]:
    """The numbers whose bits are set, ascending."""
    return tuple(number for number in range(mask.bit_length()) if mask >> number & 1)


@dataclass(frozen=True, slots=True)
class Days:
    """Which days of a month: by date, by weekday (bit 0 is Sunday), by both (``both``) or by either.

    ``last`` is the last day; ``nearest`` holds days that move to the nearest Monday to Friday of the same month (0: the
    last day does); ``nth`` holds (weekday, n), the nth of the month (0: the last).
    """

    dates: int = ALL_DAYS
    weekdays: int = ALL_WEEKDAYS
    both: bool = True
    last: bool = False
    nearest: tuple[int, ...] = ()
    nth: tuple[tuple[int, int], ...] = ()

    def mask(self, first: int, length: int) -> int:
        """The days (bits 1 to 31) of a month of that length whose first day is weekday ``first`` (0 is Sunday)."""
        within = (2 << length) - 2
        dates = self.dates & within
        if self.last:
            dates |= 1 << length
        for day in self.nearest:
            if day <= length:
                dates |= 1 << _nearest_workday(day or length, first, length)
        week = (self.weekdays | self.weekdays << 7) >> first & ALL_WEEKDAYS
        weekdays = (week * _WEEKS << 1) & within
        for weekday, number in self.nth:
            day = 1 + (weekday - first) % 7
            day += (length - day) // 7 * 7 if number == LAST else (number - 1) * 7
            weekdays |= 1 << day & within
        return dates & weekdays if self.both else dates | weekdays


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Wall-clock times as masks of seconds, minutes, hours and months, days of the month, and years (empty: every)."""

    seconds: int
    minutes: int
    hours: int
    days: Days
    months: int = ALL_MONTHS
    years: tuple[int, ...] = ()

    def next(self, start: int, end: int = _END) -> int | None:
        """The first member in ``[start, end)``, in local seconds; None where there is none before the year 3000."""
        end = min(end, _END)
        if start >= end:
            return None
        day, second = divmod(start, DAY)
        if second:
            if day == self._day(day, day):
                time = self._time(second)
                if time is not None:
                    found = day * DAY + time
                    return found if found < end else None
            day += 1
        last = (end - 1) // DAY
        matching = self._day(day, last) if day <= last else None
        if matching is None:
            return None
        found = matching * DAY + self._first()
        return found if found < end else None

    def walk(self, start: int, end: int) -> Iterator[int]:
        """The members in ``[start, end)``, ascending."""
        at = self.next(start, end)
        while at is not None:
            yield at
            at = self.next(at + 1, end)

    def count(self, start: int, end: int) -> int:
        """How many members lie in ``[start, end)``, without walking them: a month costs a microsecond or two."""
        end = min(end, _END)
        if start >= end:
            return 0
        (first, since), (last, until) = divmod(start, DAY), divmod(end, DAY)
        whole = sum(mask.bit_count() for _, _, mask in self._months(first, last - 1)) * self._times(DAY)
        early = self._times(since) if since and self._day(first, first) is not None else 0
        late = self._times(until) if until and self._day(last, last) is not None else 0
        return whole - early + late

    def possible(self) -> bool:
        """Whether any date matches. Follows from the masks alone: every month can begin on every weekday."""
        lengths = {(month, length) for month in members(self.months) for length in _lengths(month)}
        if not any(self.days.mask(first, length) for _, length in lengths for first in range(7)):
            return False
        return not self.years or self._day(0, _END // DAY) is not None

    def _months(self, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """Each (year, month, days) with members, between two days that are both in."""
        since, until = (date.fromordinal(day + _EPOCH) for day in (first, last))
        year: int | None = self._year(since.year)
        while year is not None and year <= until.year:
            same = year == since.year
            months = self.months >> since.month << since.month if same else self.months
            while months:
                month = _lowest(months)
                months &= months - 1
                mask = self._mask(year, month)
                if same and month == since.month:
                    mask = mask >> since.day << since.day
                if year == until.year and month >= until.month:
                    mask = mask & ((2 << until.day) - 1) if month == until.month else 0
                    months = 0
                if mask:
                    yield year, month, mask
            year = self._year(year + 1)

    def _mask(self, year: int, month: int) -> int:
        length = _LENGTHS[month] + (month == 2 and _is_leap(year))  # noqa: PLR2004 - February
        return self.days.mask(date(year, month, 1).isoweekday() % 7, length)

    def _day(self, first: int, last: int) -> int | None:
        for year, month, mask in self._months(first, last):
            return date(year, month, _lowest(mask)).toordinal() - _EPOCH
        return None

    def _year(self, year: int) -> int | None:
        if not self.years:
            return year if year <= LAST_YEAR else None
        place = bisect_left(self.years, year)
        return self.years[place] if place < len(self.years) else None

    def _first(self) -> int:
        return _lowest(self.hours) * 3600 + _lowest(self.minutes) * 60 + _lowest(self.seconds)

    def _time(self, since: int) -> int | None:
        hour, rest = divmod(since, 3600)
        minute, second = divmod(rest, 60)
        if self.hours >> hour & 1:
            if self.minutes >> minute & 1 and (left := self.seconds >> second << second):
                return hour * 3600 + minute * 60 + _lowest(left)
            if left := self.minutes >> minute + 1 << minute + 1:
                return hour * 3600 + _lowest(left) * 60 + _lowest(self.seconds)
        if left := self.hours >> hour + 1 << hour + 1:
            return _lowest(left) * 3600 + _lowest(self.minutes) * 60 + _lowest(self.seconds)
        return None

    def _times(self, until: int) -> int:
        hour, rest = divmod(until, 3600)
        minute, second = divmod(rest, 60)
        seconds, minutes = self.seconds.bit_count(), self.minutes.bit_count()
        times = _below(self.hours, hour) * minutes * seconds
        if self.hours >> hour & 1:
            times += _below(self.minutes, minute) * seconds
            times += _below(self.seconds, second) if self.minutes >> minute & 1 else 0
        return times


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _below(mask: int, number: int) -> int:
    return (mask & ((1 << number) - 1)).bit_count()


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _lengths(month: int) -> tuple[int, ...]:
    return (28, 29) if month == 2 else (_LENGTHS[month],)  # noqa: PLR2004 - February


def _nearest_workday(day: int, first: int, length: int) -> int:
    weekday = (first + day - 1) % 7
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < length else day - 2
    return day
