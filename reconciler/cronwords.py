"""A recurrence in plain words, so that a reader of a schedule need not read cron: ``daily at 12:46``."""

from collections.abc import Sequence

from reconciler.recurrence import (
    ALL_DAYS,
    ALL_HOURS,
    ALL_MONTHS,
    ALL_WEEKDAYS,
    LAST,
    Days,
    Recurrence,
    members,
)

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "",
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
# More times of the day than this are told by their hours and minutes.
_LISTED = 6
_RUN = 3
# Minutes of an hour, seconds of a minute.
_ROUND = 60


def describe(recurrence: Recurrence) -> str:
    """Say when a recurrence is due."""
    time = _time(recurrence)
    days = _days(recurrence.days)
    months = "" if recurrence.months == ALL_MONTHS else "in " + _spans(members(recurrence.months), _MONTHS)
    years = "in " + _spans(recurrence.years) if recurrence.years else ""
    if not days and not time.startswith(("every ", "at second")):
        time = f"daily {time}"
    return " ".join(part for part in (time, days, months, years) if part)


def _time(recurrence: Recurrence) -> str:
    hours, minutes, seconds = (members(mask) for mask in (recurrence.hours, recurrence.minutes, recurrence.seconds))
    within = _within(minutes, seconds)
    if recurrence.hours == ALL_HOURS:
        return within if within.startswith(("every ", "at second")) else f"every hour {within}"
    if _step(hours, 24) and within.startswith("at "):
        return f"every {_step(hours, 24)} hours {within}"
    if len(hours) * len(minutes) * len(seconds) <= _LISTED:
        tail = [
            f":{minute:02}" + (f":{second:02}" if seconds != (0,) else "") for minute in minutes for second in seconds
        ]
        return "at " + _listed([f"{hour:02}{rest}" for hour in hours for rest in tail])
    return f"{within} past {_counted('hour', hours)}"


def _within(minutes: Sequence[int], seconds: Sequence[int]) -> str:
    """What happens within an hour."""
    every = len(minutes) == _ROUND
    if seconds == (0,):
        if every:
            return "every minute"
        step = _step(minutes, _ROUND)
        return f"every {step} minutes" if step else "at " + _minutes(minutes)
    if len(seconds) == 1 and not every:
        return "at " + _listed([f":{minute:02}:{seconds[0]:02}" for minute in minutes])
    often = _seconds(seconds)
    if every:
        return f"{often} of every minute" if often.startswith("at ") else often
    return f"{often} of {_counted('minute', minutes)}"


def _seconds(seconds: Sequence[int]) -> str:
    if len(seconds) == _ROUND:
        return "every second"
    step = _step(seconds, _ROUND)
    return f"every {step} seconds" if step else f"at {_counted('second', seconds)}"


def _minutes(minutes: Sequence[int]) -> str:
    if len(minutes) <= 2 * _LISTED:
        return _listed([f":{minute:02}" for minute in minutes])
    return f"minutes {_spans(minutes)}"


def _days(days: Days) -> str:
    free = days.dates == ALL_DAYS, days.weekdays == ALL_WEEKDAYS
    if all(free) or (any(free) and not days.both):
        return ""
    dates, weekdays = _dates(days), _weekdays(days)
    if free[0]:
        return f"on {weekdays}"
    if free[1]:
        return f"on {dates}"
    return f"on {dates} if it is {weekdays}" if days.both else f"on {dates} or on {weekdays}"


def _dates(days: Days) -> str:
    parts = [f"the {_spans(members(days.dates), _ORDINALS)}"] if days.dates else []
    parts += ["the last day"] if days.last else []
    for day in days.nearest:
        parts.append("the last workday" if day == LAST else f"the workday nearest the {_ORDINALS[day]}")
    return _listed(parts) + " of the month"


def _weekdays(days: Days) -> str:
    # Monday first, so that Friday to Sunday is one run.
    week = (*_WEEKDAYS[1:], _WEEKDAYS[0])
    parts = (
        [_spans([place for place in range(7) if days.weekdays >> (place + 1) % 7 & 1], week)] if days.weekdays else []
    )
    for weekday, number in days.nth:
        parts.append(f"the {'last' if number == LAST else _ORDINALS[number]} {_WEEKDAYS[weekday]} of the month")
    return _listed(parts)


def _step(values: Sequence[int], size: int) -> int:
    """The step of values that divide a round evenly from 0 in three parts or more, else 0."""
    step = size // len(values)
    even = step > 1 and len(values) >= _RUN and tuple(values) == tuple(range(0, size, step)) and size % step == 0
    return step if even else 0


def _spans(values: Sequence[int], names: Sequence[str] = ()) -> str:
    """List ascending values, runs of three or more as ``first to last``."""
    spans: list[str] = []
    run: list[int] = []
    for value in [*values, None]:
        if run and value != run[-1] + 1:
            words = [names[place] if names else str(place) for place in run]
            spans += [f"{words[0]} to {words[-1]}"] if len(run) >= _RUN else words
            run = []
        if value is not None:
            run.append(value)
    return _listed(spans)


def _counted(word: str, values: Sequence[int]) -> str:
    return f"{word}{'' if len(values) == 1 else 's'} {_spans(values)}"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def _ordinal(day: int) -> str:
    ending = "th" if day // 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


_ORDINALS = tuple(_ordinal(day) for day in range(32))
