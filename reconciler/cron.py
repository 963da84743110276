"""Cron expressions: three dialects read into one inner form (SPEC 4).

5 fields are Debian's cron, 6 and 7 the service's ``MINUTE HOUR DOM MONTH DOW YEAR [ZONE]``; 6 that are impossible so,
and possible as ``SECOND MINUTE HOUR DOM MONTH DOW``, are read that way with a warning. ``cronfield`` rewrites each
field to plain ranges, croniter expands those with steps (this module is its only importer), and the rest is
``recurrence``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache

from reconciler import cronwords, daylight
from reconciler.cronfield import DAY, HOUR, MINUTE, MONTH, SECOND, WEEKDAY, YEAR, CronError, Field, Terms, read
from reconciler.daylight import Fold, Gap
from reconciler.recurrence import Days, Recurrence

__all__ = ["Cron", "CronError", "Dialect", "parse"]

_LONGEST = 1000
_SPACE = re.compile(r"[ \t\r\n]+")
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ZONES = {"UTC": "UTC", "EU1": "Europe/London", "EU2": "Europe/Berlin"}
_H = re.compile(r"(?<![A-Za-z])[Hh](?![A-Za-z])")
# Where croniter has each field.
_COLUMNS = {MINUTE: 0, HOUR: 1, DAY: 2, MONTH: 3, WEEKDAY: 4, SECOND: 5}


class Dialect(StrEnum):
    """How the fields of a text are ordered: by their number, and for 6 by what is possible."""

    UNIX = "unix"
    SERVICE = "service"
    SECONDS = "seconds"


_KINDS = {
    Dialect.UNIX: (MINUTE, HOUR, DAY, MONTH, WEEKDAY),
    Dialect.SERVICE: (MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR),
    Dialect.SECONDS: (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY),
}
_ORDER = "5 fields are MINUTE HOUR DAY MONTH WEEKDAY; 6 end with a YEAR, 7 with a YEAR and a zone"


@dataclass(frozen=True, slots=True)
class Cron:
    """One cron expression, read.

    ``gap`` and ``fold`` are what daylight saving does to it unless a process's ``dst`` says otherwise, ``zone`` its
    seventh field, ``spread`` whether ``H`` places it by the process's name. ``warnings`` are (message, hint).
    """

    text: str
    dialect: Dialect
    recurrence: Recurrence
    gap: Gap
    fold: Fold
    zone: str | None = None
    spread: bool = False
    warnings: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def describe(self) -> str:
        """Say in words when it is due: ``daily at 12:46``, ``every hour at :46:12``."""
        words = cronwords.describe(self.recurrence)
        return f"{words} ({self.zone})" if self.zone else words


def parse(text: str, name: str) -> Cron:
    """Read an expression of a process; its ``name`` decides where ``H`` falls.

    Raises ``CronError`` where the text is none, or can never be due whatever the year. A year that is over is no error.
    """
    if len(text) > _LONGEST:
        raise CronError(
            f"a cron expression of {len(text)} characters", f"{_LONGEST} at most; a process may have several"
        )
    if not text.isascii():
        raise CronError(f"{text!r} has characters that no cron expression has")
    text = _SPACE.sub(" ", text.strip(" \t\r\n"))
    return _parse(text, name if _H.search(text) else "")


# Many processes share an expression: they share what it means, too.
@lru_cache(maxsize=2048)
def _parse(text: str, name: str) -> Cron:
    if text.startswith("@"):
        return replace(_read(Dialect.UNIX, _nickname(text).split(), name), text=text)
    fields = text.split(" ")
    match len(fields):
        case 5:
            cron = _hinted(Dialect.UNIX, fields, name)
        case 6:
            cron = _six(fields, name)
        case 7:
            cron = replace(_hinted(Dialect.SERVICE, fields[:6], name), zone=_zone(fields[6]))
        case count:
            raise CronError(f"{text!r} has {count if text else 0} fields; a cron expression has 5, 6 or 7", _ORDER)
    return replace(cron, text=text)


def _nickname(text: str) -> str:
    found = _NICKNAMES.get(text.lower())
    if found is None:
        hint = (
            "write `every: 5m` instead" if text.lower().startswith("@every") else f"there are {', '.join(_NICKNAMES)}"
        )
        raise CronError(f"{text!r} is no nickname of a schedule", hint)
    return found


def _zone(text: str) -> str:
    name = _ZONES.get(text.upper(), text)
    try:
        daylight.zone(name)
    except ValueError as error:
        raise CronError(str(error), "the 7th field is UTC, EU1, EU2 or an IANA name") from None
    return name


def _hinted(dialect: Dialect, fields: Sequence[str], name: str) -> Cron:
    try:
        return _read(dialect, fields, name)
    except CronError as error:
        meant = None if error.hint else _swapped(dialect, fields, name)
        raise CronError(error.message, meant or error.hint or _ORDER) from None


def _six(fields: Sequence[str], name: str) -> Cron:
    try:
        return _read(Dialect.SERVICE, fields, name)
    except CronError as error:
        try:
            cron = _read(Dialect.SECONDS, ["*" if text == "?" else text for text in fields], name)
        except CronError:
            raise CronError(error.message, _with_year(fields) or error.hint or _ORDER) from None
        message = (
            f"impossible as MINUTE HOUR DAY MONTH WEEKDAY YEAR ({error.message}); read as SECOND MINUTE HOUR DAY MONTH"
            f" WEEKDAY: {cron.describe()}"
        )
        hint = _swapped(Dialect.SERVICE, fields, name) or _without_seconds(fields, name)
        return replace(cron, warnings=((message, hint),))


def _swapped(dialect: Dialect, fields: Sequence[str], name: str) -> str | None:
    """What was meant, if minute and hour only changed places."""
    meant = [fields[1], fields[0], *fields[2:]]
    try:
        words = _read(dialect, meant, name).describe()
    except CronError:
        return None
    return f"was `{' '.join(meant)}`, {words}, meant? The minute comes first"


def _with_year(fields: Sequence[str]) -> str | None:
    """What was meant, if the last of six fields is a zone."""
    try:
        _zone(fields[5])
    except CronError:
        return None
    return f"a zone comes after the year: `{' '.join(fields[:5])} * {fields[5]}`"


def _without_seconds(fields: Sequence[str], name: str) -> str:
    same = [*fields[1:], "*"]
    try:
        _read(Dialect.SERVICE, same, name)
    except CronError:
        return _ORDER
    return f"`{' '.join(same)}` is the same" + ("" if fields[0].strip("0") == "" else " without the seconds")


def _read(dialect: Dialect, fields: Sequence[str], name: str) -> Cron:
    terms = {kind: read(kind, text, name) for kind, text in zip(_KINDS[dialect], fields, strict=True)}
    recurrence = Recurrence(
        seconds=_mask(SECOND, terms[SECOND].plain) if SECOND in terms else 1,
        minutes=_mask(MINUTE, terms[MINUTE].plain),
        hours=_mask(HOUR, terms[HOUR].plain),
        days=_days(terms[DAY], terms[WEEKDAY], unix=dialect is Dialect.UNIX),
        months=_mask(MONTH, terms[MONTH].plain),
        years=_years(terms[YEAR].plain) if YEAR in terms else (),
    )
    if not recurrence.possible():
        kinds = [kind for kind in (DAY, MONTH, WEEKDAY, YEAR) if kind in terms and not terms[kind].star]
        written = dict(zip(_KINDS[dialect], fields, strict=True))
        named = ", ".join(f"{kind.name} {written[kind]}" for kind in kinds)
        raise CronError(
            f"no date ever matches {named}", "choose days that come in one of the months, in one of the years"
        )
    if dialect is Dialect.UNIX:
        fixed = not (terms[MINUTE].star or terms[HOUR].star)
        gap, fold = (Gap.FIRST, Fold.FIRST) if fixed else (Gap.SKIP, Fold.BOTH)
    else:
        gap, fold = Gap.SHIFT, Fold.BOTH if fields[_KINDS[dialect].index(HOUR)] == "*" else Fold.FIRST
    text = " ".join(fields)
    return Cron(text, dialect, recurrence, gap, fold, spread=_H.search(text) is not None)


def _days(dates: Terms, weekdays: Terms, *, unix: bool) -> Days:
    return Days(
        dates=_mask(DAY, dates.plain),
        weekdays=_mask(WEEKDAY, weekdays.plain),
        both=not unix or dates.star or weekdays.star,
        last=dates.last,
        nearest=dates.nearest,
        nth=weekdays.nth,
    )


@lru_cache(maxsize=4096)
def _mask(kind: Field, plain: str) -> int:
    if not plain:
        return 0
    if "/" not in plain:
        spans = [term.split("-") for term in plain.split(",")]
        return sum(
            1 << value for value in {value for span in spans for value in range(int(span[0]), int(span[-1]) + 1)}
        )
    from croniter import croniter  # noqa: PLC0415 - costs 50 ms, more than all that most commands do

    column = _COLUMNS[kind]
    fields = ["*"] * max(5, column + 1)
    fields[column] = plain
    values = croniter.expand(" ".join(fields))[0][column]
    whole = range(kind.low, kind.low + kind.size)
    return sum(1 << value for value in (whole if values == ["*"] else values))


@lru_cache(maxsize=256)
def _years(plain: str) -> tuple[int, ...]:
    """Years by hand: croniter's end in 2099."""
    years: set[int] = set()
    for term in plain.split(","):
        bounds, _, step = term.partition("/")
        low, _, high = bounds.partition("-")
        years.update(range(int(low), int(high or low) + 1, int(step or 1)))
    return () if len(years) == YEAR.high - YEAR.low + 1 else tuple(sorted(years))
