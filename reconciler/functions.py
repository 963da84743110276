"""What a person writes after ``FIELD=``, as criteria: a value, or a function of values such as ``range(1,3)``."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from reconciler import fieldpath, instant, regex
from reconciler.criteria import Criteria, Interval, Matching, number
from reconciler.fieldpath import Kind, Path

MOST_VALUES = 1000
"""Values of one ``in()``."""
_CALL = re.compile(r"([A-Za-z_]+)\((.*)\)", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,299})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")
_INTEGER = re.compile("-?[0-9]+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SPACED = re.compile(r"[0-9] [0-9]{2}:[0-9]{2}$")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"' + r"|'(?:[^'\\]|\\.)*+'", re.DOTALL)
_ARGUMENT = re.compile(rf"\s*+(?:({QUOTED.pattern})|([^,]*+))\s*+(,|$)", re.DOTALL)
_ALMOST = timedelta(microseconds=999)
"""What a millisecond has beyond its first microsecond."""
_WANTED: Mapping[Kind, str] = {
    Kind.INSTANT: "an instant: write a date (2021-07-19) or an instant (2021-07-19T16:30:00Z)",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.TEXT: "a text",
}


class MalformedError(ValueError):
    """What cannot be read, with the character at which that shows, counted from 0, and what to write instead."""

    def __init__(self, what: str, offset: int = 0, todo: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.offset = offset
        self.todo = todo

    def moved(self, by: int) -> "MalformedError":
        """Give the same for a text in which this one begins so many characters later."""
        return MalformedError(self.what, self.offset + by, self.todo)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a field is asked: one of its values meets the criteria, or, ``negated``, none does."""

    criteria: Criteria
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """A value as written, and where; what stands in quotes is a text whatever it looks like."""

    text: str
    offset: int = 0
    quoted: bool = False


def read(path: Path, written: str) -> Asked:
    """Read what stands after ``FIELD=``; ``MalformedError``."""
    call = _CALL.fullmatch(written)
    if call is None:
        opened = written.partition("(")[0]
        if opened in FUNCTIONS and opened != written:
            raise MalformedError("the closing parenthesis is missing", len(written))
        return Asked(_equal(fieldpath.kind(path), _single(written)))
    function, arguments = call.groups()
    if function not in FUNCTIONS:
        known = ", ".join(f"{known}()" for known in FUNCTIONS)
        example = f"{'.'.join(path)}=eq({written[:80]})"
        todo = f"there are {known}; for a text that looks like a function write {example}"
        raise MalformedError(f"unknown function {function[:40]}()", 0, todo)
    try:
        return FUNCTIONS[function](fieldpath.kind(path), arguments)
    except MalformedError as error:
        raise error.moved(call.start(2)) from None


def unquote(written: str) -> str:
    r"""Take the quotes off a text; ``\"`` and ``\\`` stand for what they hide, other backslashes for themselves."""
    return re.sub(rf"\\([\\{written[0]}])", r"\1", written[1:-1])


def plain(value: Any) -> Argument:
    """Give a JSON value as an argument: a text remains one, unless it reads like an instant, which JSON has not."""
    if isinstance(value, str):
        return Argument(value, quoted=_span(value) is None)
    return Argument(json.dumps(value))


def equality(path: Path, values: list[Argument]) -> Criteria:
    """Make the criteria of a value that is one of these; ``MalformedError``."""
    found = [_equal(fieldpath.kind(path), value) for value in values]
    return Criteria(tuple(test for one in found for test in one.tests), any(one.nothing for one in found))


def compared(path: Path, sign: str, value: Argument) -> Criteria:
    """Make the criteria of a value that is above or below another; ``MalformedError``. Signs are ``gt gte lt lte``."""
    return _compared(fieldpath.kind(path), sign, value)


def matching(path: Path, written: str) -> Criteria:
    """Make the criteria of a text in which an expression is found; ``MalformedError``."""
    return _matching(fieldpath.kind(path), written)


def _equal(kind: Kind | None, value: Argument) -> Criteria:
    """Find values whose text is this: the text itself, and the number, the boolean or the instant written so."""
    written = value.text
    if "\x00" in written:
        raise MalformedError("no text has the character NUL", value.offset + written.index("\x00"))
    typed = kind is not None or not value.quoted
    nothing = written == "null" and not value.quoted
    tests: list[Interval] = []
    if kind in (None, Kind.TEXT):
        tests.append(Interval.of(Kind.TEXT, written))
    if typed and kind in (None, Kind.NUMBER) and _NUMBER.fullmatch(written):
        tests.append(Interval.of(Kind.NUMBER, _number(written)))
    if typed and kind in (None, Kind.BOOLEAN) and written in ("true", "false"):
        tests.append(Interval.of(Kind.BOOLEAN, written == "true"))
    if typed and kind in (None, Kind.INSTANT) and (span := _span(written)):
        tests.append(span.inside if span.whole else Interval.of(Kind.INSTANT, span.last))
    if kind is not None and not tests and not nothing:
        raise _wrong(kind, value)
    return Criteria(tuple(tests), nothing)


@dataclass(frozen=True, slots=True)
class _Span:
    """The values from ``first`` to ``last`` that something written stands for: a date means its ``whole`` day."""

    kind: Kind
    first: Any
    last: Any
    whole: bool = False

    @property
    def inside(self) -> Interval:
        """All that lies within, the first and the last with it; of a day, up to the next one."""
        return Interval(self.kind, self.first, self.last, open_high=self.whole)


def _span(written: str) -> _Span | None:
    """Read a date or an instant; records are cut to milliseconds, so an instant between two has one on each side."""
    try:
        if _DATE.fullmatch(written):
            date.fromisoformat(written)
            # No instant of the day is as late as its hour T24.
            return _Span(Kind.INSTANT, f"{written}T00:00:00.000Z", f"{written}T24", whole=True)
        at = instant.parse(written).astimezone(UTC)
        first = at + _ALMOST
        return _Span(Kind.INSTANT, instant.text(first), instant.text(at))
    except (ValueError, OverflowError):
        return None


def _end(kind: Kind | None, value: Argument) -> _Span:
    """Read an end of an interval."""
    typed = kind is not None or not value.quoted
    span = _span(value.text) if typed and kind in (None, Kind.INSTANT) else None
    if span is not None:
        return span
    if typed and kind in (None, Kind.NUMBER) and _NUMBER.fullmatch(value.text):
        return _Span(Kind.NUMBER, _number(value.text), _number(value.text))
    if kind in (None, Kind.TEXT) and "\x00" not in value.text:
        return _Span(Kind.TEXT, value.text, value.text)
    raise _wrong(kind or Kind.TEXT, value)


def _compared(kind: Kind | None, sign: str, value: Argument) -> Criteria:
    end = _end(kind, value)
    intervals = {
        "gt": Interval(end.kind, low=end.last, open_low=not end.whole),
        "gte": Interval(end.kind, low=end.first),
        "lt": Interval(end.kind, high=end.first, open_high=True),
        "lte": Interval(end.kind, high=end.last, open_high=end.whole),
    }
    return Criteria((intervals[sign],))


def _range(kind: Kind | None, written: str) -> Asked:
    """Find values between two, both ends included; a date as an end means its whole day."""
    ends = _arguments(written)
    if len(ends) != 2:  # noqa: PLR2004 - a first and a last
        raise MalformedError("range() takes a first and a last value, as in range(2021-07-19,2021-07-23)")
    low, high = (_end(kind, end) for end in ends)
    if kind is None and (low.kind is not high.kind or low.kind is Kind.TEXT):
        bad = ends[0] if low.kind is Kind.TEXT else ends[1]
        todo = "give two numbers, two dates (2021-07-19) or two instants (2021-07-19T16:30:00Z)" + _hint(bad.text)
        raise MalformedError(f"{bad.text[:80]!r} is no end of a range", bad.offset, todo)
    if low.first > high.last:
        what = f"the first value of range(), {ends[0].text[:80]}, is after the last, {ends[1].text[:80]}"
        raise MalformedError(what, ends[0].offset)
    return Asked(Criteria((Interval(low.kind, low.first, high.last, open_high=high.whole),)))


def _sign(sign: str) -> Callable[[Kind | None, str], Asked]:
    return lambda kind, written: Asked(_compared(kind, sign, _single(written)))


def _in(kind: Kind | None, written: str) -> Asked:
    found = _arguments(written)
    if len(found) > MOST_VALUES:
        raise MalformedError(f"more than {MOST_VALUES} values", found[MOST_VALUES].offset)
    each = [_equal(kind, one) for one in found]
    return Asked(Criteria(tuple(test for one in each for test in one.tests), any(one.nothing for one in each)))


def _regex(kind: Kind | None, written: str) -> Asked:
    return Asked(_matching(kind, _single(written).text))


def _matching(kind: Kind | None, written: str) -> Criteria:
    if kind not in (None, Kind.TEXT):
        raise MalformedError("regex() looks into texts, and this field has none", 0, f"it is {_WANTED[kind]}")
    try:
        regex.read(written)
    except ValueError as error:
        raise MalformedError(str(error), 0, "docs/reference/query.md says which expressions there are") from None
    return Criteria((Matching(written),))


def _single(written: str) -> Argument:
    """Read the one argument of a function, which may hold commas and parentheses."""
    if QUOTED.fullmatch(written):
        return Argument(unquote(written), quoted=True)
    return Argument(written)


def _arguments(written: str) -> list[Argument]:
    """Take arguments apart at their commas; ``MalformedError`` where one is empty or a quote is not closed."""
    found = []
    at = 0
    while True:
        match = _ARGUMENT.match(written, at)
        if match is None:
            raise MalformedError("expected a comma after the quotes, or the quotes are not closed", at)
        quoted, bare, comma = match.groups()
        text = unquote(quoted) if quoted else bare.strip()
        start = match.start(1) if quoted else match.start(2)
        if not quoted and not text:
            raise MalformedError("a value is missing", start, 'write "" for an empty text')
        if not quoted and text[0] in "\"'":
            raise MalformedError("expected a comma after the quotes, or the quotes are not closed", start)
        found.append(Argument(text, start, quoted=bool(quoted)))
        at = match.end()
        if not comma:
            return found


def _wrong(kind: Kind, value: Argument) -> MalformedError:
    todo = f"this field is {_WANTED[kind]}{_hint(value.text)}"
    return MalformedError(f"{value.text[:80]!r} is not {_WANTED[kind].partition(':')[0]}", value.offset, todo)


def _hint(written: str) -> str:
    return "; write + as %2B in a URL" if _SPACED.search(written) else ""


def _number(written: str) -> int | float:
    return number(int(written)) if _INTEGER.fullmatch(written) else float(written)


FUNCTIONS: Mapping[str, Callable[[Kind | None, str], Asked]] = {
    "eq": lambda kind, written: Asked(_equal(kind, _single(written))),
    "ne": lambda kind, written: Asked(_equal(kind, _single(written)), negated=True),
    "in": _in,
    "range": _range,
    "gt": _sign("gt"),
    "gte": _sign("gte"),
    "lt": _sign("lt"),
    "lte": _sign("lte"),
    "regex": _regex,
}
"""Every function that a value may call. ``field=value`` is short for ``field=eq(value)``."""
