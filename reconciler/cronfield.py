"""One field of a cron expression: the grammar of its terms, ``H``, and what names and numbers mean (SPEC 4).

A field is a list of terms. The special ones (``L``, ``15W``, ``1#1``, ``6L``) are taken out here; the rest is rewritten
to numbers and rising ranges, the part of cron that every library reads alike, so that no oddity of one reaches a slot.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from reconciler.recurrence import FIRST_YEAR, LAST, LAST_YEAR

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_VALUE = r"(?:[A-Z]+|\d+)"
_RANGE = re.compile(rf"(?:(\*)|({_VALUE})(?:-({_VALUE}))?)(?:/(\d+))?", re.ASCII)
_SPREAD = re.compile(rf"H(?:\(({_VALUE})-({_VALUE})\))?(?:/(\d+))?", re.ASCII)
_NEAREST = re.compile(r"(L|\d+)W", re.ASCII)
_NTH = re.compile(rf"({_VALUE})#(\d+)", re.ASCII)
_LAST = re.compile(r"([A-Z]{3}|\d+)L", re.ASCII)
_NTHS = range(1, 6)


class CronError(ValueError):
    """A text that is no cron expression, or one that can never be due: what is wrong, and what to write instead."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field: what messages call it, its lowest and highest value, the names of values, and what a plain ``H`` spans.

    ``size`` counts the values of a full round, for ranges that wrap; 0 where they must not.
    """

    name: str
    low: int
    high: int
    size: int
    names: Mapping[str, int] = field(default_factory=dict)
    spread: tuple[int, int] | None = None


SECOND = Field("second", 0, 59, 60, spread=(0, 59))
MINUTE = Field("minute", 0, 59, 60, spread=(0, 59))
HOUR = Field("hour", 0, 23, 24, spread=(0, 23))
# A plain H spreads over the days that every month has.
DAY = Field("day of month", 1, 31, 31, spread=(1, 28))
MONTH = Field("month", 1, 12, 12, {name: place for place, name in enumerate(_MONTHS, 1)}, (1, 12))
WEEKDAY = Field("day of week", 0, 7, 7, {name: place for place, name in enumerate(_WEEKDAYS)}, (0, 6))
YEAR = Field("year", FIRST_YEAR, LAST_YEAR, 0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a field says. ``plain``: numbers and rising ranges, ``1,10-20/5`` (empty: none); the rest as in ``Days``.

    ``star``: the field begins with ``*`` or is ``?``, which decides how two day fields combine and how clocks are met.
    """

    plain: str
    star: bool = False
    last: bool = False
    nearest: tuple[int, ...] = ()
    nth: tuple[tuple[int, int], ...] = ()


def read(kind: Field, text: str, name: str) -> Terms:
    """Read one field; ``name`` is the process's, by which ``H`` spreads. ``CronError`` where it is none."""
    text = text.upper()
    if text == "?" and kind in (DAY, WEEKDAY):
        text = "*"
    plain: list[str] = []
    nearest: list[int] = []
    nth: list[tuple[int, int]] = []
    last = False
    for term in text.split(","):
        if kind is DAY and term == "L":
            last = True
        elif kind is DAY and (match := _NEAREST.fullmatch(term)):
            nearest.append(LAST if match[1] == "L" else _value(kind, match[1]))
        elif kind is WEEKDAY and (match := _NTH.fullmatch(term)):
            nth.append((_value(kind, match[1]) % 7, _number(kind, match[2], _NTHS)))
        elif kind is WEEKDAY and (match := _LAST.fullmatch(term)):
            nth.append((_value(kind, match[1]) % 7, LAST))
        else:
            plain.append(_plain(kind, term, name))
    return Terms(
        ",".join(dict.fromkeys(plain)), text.startswith("*"), last, tuple(sorted({*nearest})), tuple(sorted({*nth}))
    )


def _plain(kind: Field, term: str, name: str) -> str:
    if kind is WEEKDAY and term == "L":
        return str(_WEEKDAYS.index("SAT"))
    if match := _SPREAD.fullmatch(term):
        return _spread(kind, match, name)
    match = _RANGE.fullmatch(term)
    if match is None:
        raise CronError(f"{kind.name} {term!r} cannot be read", _advice(kind, term))
    star, low, high, step = match.groups()
    every = int(step) if step else 1
    if every == 0:
        raise CronError(f"{kind.name} {term!r}: a step of 0 never moves", "steps count from 1")
    if star:
        return _walk(kind, kind.low, (kind.size or kind.high - kind.low + 1) - 1, every)
    first = _value(kind, low)
    # 0/15 runs on to the field's end; 5 alone is itself.
    until = _value(kind, high) if high else (kind.high if step else first)
    return _walk(kind, first, _span(kind, first, until, term), every)


def _spread(kind: Field, match: re.Match[str], name: str) -> str:
    low, high, step = match.groups()
    if low:
        first = _value(kind, low)
        span = _span(kind, first, _value(kind, high), match[0])
    elif kind.spread:
        first, span = kind.spread[0], kind.spread[1] - kind.spread[0]
    else:
        raise CronError(f"{kind.name} {match[0]!r}: H needs a range here", "such as H(2026-2030)")
    every = int(step) if step else 0
    if step and not every:
        raise CronError(f"{kind.name} {match[0]!r}: a step of 0 never moves", "steps count from 1")
    choices = min(span + 1, every or span + 1)
    digest = sha256(f"{name}\0{kind.name}".encode()).digest()
    offset = int.from_bytes(digest[:8]) % choices
    return _walk(kind, first + offset, span - offset if every else 0, every or 1)


def _span(kind: Field, first: int, last: int, term: str) -> int:
    if last >= first:
        return last - first
    if not kind.size:
        raise CronError(f"{kind.name} {term!r} runs backwards", "write the earlier year first")
    return last - first + kind.size


def _walk(kind: Field, first: int, span: int, step: int) -> str:
    """Every ``step``-th value from ``first`` over ``span`` values, rising ranges only: a wrap becomes two of them."""
    if not kind.size:
        return _rising(first, first + span, step)
    top = kind.low + kind.size - 1
    first = kind.low + (first - kind.low) % kind.size
    if first + span <= top:
        return _rising(first, first + span, step)
    again = first + -(-(top + 1 - first) // step) * step - kind.size
    rest = first + span - kind.size
    both = [_rising(first, top, step)] + ([_rising(again, rest, step)] if again <= rest else [])
    return ",".join(both)


def _rising(low: int, high: int, step: int) -> str:
    if low + step > high:
        return str(low)
    return f"{low}-{high}" if step == 1 else f"{low}-{high}/{step}"


def _value(kind: Field, text: str) -> int:
    if text in kind.names:
        return kind.names[text]
    if not text.isdigit():
        raise CronError(f"{kind.name} {text!r} cannot be read", _advice(kind, text))
    return _number(kind, text, range(kind.low, kind.high + 1))


def _number(kind: Field, text: str, within: range) -> int:
    number = int(text)
    if number not in within:
        raise CronError(f"{kind.name} {text} is not {within[0]}-{within[-1]}")
    return number


def _advice(kind: Field, term: str) -> str:
    if "?" in term:
        return "? stands alone, in a day field; elsewhere it is *"
    if "*" in term:
        return "* stands alone or with a step, as in */15"
    if not term:
        return "a comma is left over"
    known = next((name for name in kind.names if term.startswith(name)), None)
    if known:
        return f"names have three letters: {known}"
    return f"values are {kind.low}-{kind.high}" + (f" or {next(iter(kind.names))} and so on" if kind.names else "")
