"""What may be asked of one value: equality, intervals, regular expressions, absence; in Python and in SQL alike.

Instants are compared as instants, whatever offset they are written with, to the millisecond that records keep. What a
person wrote is never part of the SQL: values are bound (attack class 12).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler import instant, regex
from reconciler.fieldpath import Kind

_WORDS = 63
"""Integers of more bits than SQLite's are compared as floats, on both sides."""
_FEW = 8
_CANONICAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

Sql = tuple[str, list[Any]]
"""An SQL expression, and the values to bind in it, in order."""


def number(value: float) -> int | float:
    """Write a number as SQLite holds it."""
    return float(value) if isinstance(value, int) and value.bit_length() > _WORDS else value


def moment(written: str) -> str | None:
    """Write an instant or a date (its midnight in UTC) as records do, so that texts sort as instants; else ``None``."""
    with suppress(ValueError, OverflowError):
        if _CANONICAL.fullmatch(written):
            datetime.fromisoformat(written)
            return written
        if _DATE.fullmatch(written):
            written += "T00:00:00Z"
        return instant.text(instant.parse(written))
    return None


def regards(value: Any, kind: Kind) -> Any:
    """Give what is compared of a JSON value where a kind is asked for; ``None`` where the value is not of that kind."""
    if isinstance(value, bool):
        return value if kind is Kind.BOOLEAN else None
    if isinstance(value, int | float):
        return number(value) if kind is Kind.NUMBER else None
    if isinstance(value, str) and kind in (Kind.TEXT, Kind.INSTANT):
        return value if kind is Kind.TEXT else moment(value)
    return None


@dataclass(frozen=True, slots=True)
class Interval:
    """Values of one kind between two ends, each of which may be missing (``None``) or not belong to it (``open``)."""

    kind: Kind
    low: Any = None
    high: Any = None
    open_low: bool = False
    open_high: bool = False

    @classmethod
    def of(cls, kind: Kind, value: Any) -> "Interval":
        """Make the interval of one value."""
        return cls(kind, value, value)

    @property
    def point(self) -> bool:
        """Whether it holds one value alone."""
        return self.low == self.high and not (self.open_low or self.open_high)

    def accepts(self, value: Any) -> bool:
        """Whether a JSON value lies inside."""
        value = regards(value, self.kind)
        if value is None:
            return False
        if self.low is not None and not (value > self.low if self.open_low else value >= self.low):
            return False
        return bool(self.high is None or (value < self.high if self.open_high else value <= self.high))

    def to_sql(self, value: Sql) -> Sql:
        """Compare an SQL expression of this kind with the ends."""
        text, needed = value
        tests: list[str] = []
        bound: list[Any] = []
        for end, sign, is_open in ((self.low, ">", self.open_low), (self.high, "<", self.open_high)):
            if end is not None:
                tests.append(f"{text} {sign}{'' if is_open else '='} ?")
                bound += [*needed, end]
        return f"({' AND '.join(tests) or '1'})", bound


@dataclass(frozen=True, slots=True)
class Matching:
    """Texts in which a regular expression is found (``regex``)."""

    written: str

    def accepts(self, value: Any) -> bool:
        """Whether a JSON value is such a text."""
        return isinstance(value, str) and regex.found(self.written, value)

    def to_sql(self, value: Sql) -> Sql:
        """Look into an SQL expression that gives a text."""
        return f"procctl_regex(?, {value[0]})", [self.written, *value[1]]


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a value has to be: any of these; ``nothing`` also accepts that there is no value at all, or null."""

    tests: tuple[Interval | Matching, ...] = ()
    nothing: bool = False

    @property
    def texts(self) -> list[str] | None:
        """The few texts one of which a value has to be, if nothing else is accepted."""
        points = [
            test.low for test in self.tests if isinstance(test, Interval) and test.kind is Kind.TEXT and test.point
        ]
        return points if len(points) == len(self.tests) <= _FEW and points and not self.nothing else None

    def accepts(self, value: Any) -> bool:
        """Whether a JSON value meets any of the tests."""
        return any(test.accepts(value) for test in self.tests)

    def text_to_sql(self, value: Sql) -> Sql:
        """Ask an SQL expression that gives a text."""
        return self._text_to_sql(value, (f"procctl_instant({value[0]})", value[1]))

    def moment_to_sql(self, value: Sql) -> Sql:
        """Ask an SQL expression that gives an instant as records write it, or null."""
        return self._text_to_sql(value, value)

    def number_to_sql(self, value: Sql) -> Sql:
        """Ask an SQL expression that gives a number."""
        return _tests([test for test in self.tests if isinstance(test, Interval) and test.kind is Kind.NUMBER], value)

    def _text_to_sql(self, value: Sql, moments: Sql) -> Sql:
        texts = [test for test in self.tests if isinstance(test, Matching) or test.kind is Kind.TEXT]
        instants = [test for test in self.tests if isinstance(test, Interval) and test.kind is Kind.INSTANT]
        return _any([_tests(texts, value), _tests(instants, moments)])


def _tests(tests: Iterable[Interval | Matching], value: Sql) -> Sql:
    """Ask for any of the tests; many values at once, which an index can look up."""
    points: list[Any] = []
    asked: list[Sql] = []
    for test in tests:
        if isinstance(test, Interval) and test.point:
            points.append(test.low)
        else:
            asked.append(test.to_sql(value))
    if points:
        equal = f"IN ({', '.join('?' * len(points))})" if points[1:] else "= ?"
        asked.append((f"{value[0]} {equal}", [*value[1], *points]))
    return _any(asked)


def _any(tests: list[Sql]) -> Sql:
    kept = [(test, bound) for test, bound in tests if test != "0"]
    if len(kept) == 1:
        return kept[0]
    text = " OR ".join(test for test, _ in kept)
    return (f"({text})" if kept else "0"), [value for _, bound in kept for value in bound]


def _moment(value: Any) -> str | None:
    return moment(value) if isinstance(value, str) else None


def _found(written: str, value: Any) -> bool:
    return isinstance(value, str) and regex.found(written, value)


SQL_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "procctl_instant": (1, _moment),
    "procctl_regex": (2, _found),
}
"""What the SQL of queries calls, by name: the number of arguments and the function, which depends on them alone."""
