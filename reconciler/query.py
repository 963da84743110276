"""The query language of lists: parameters of a URL become conditions on JSON documents (SPEC 12).

One query is asked in two places, of dictionaries (``Query.matches``) and of SQLite (``Query.to_sql``), and both answer
alike: a test holds them together. Nothing a user wrote is ever pasted into SQL: values and paths are bound, and a field
has to meet a strict pattern first (attack class 12).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from reconciler import instant
from reconciler.errors import UsageError

DEFAULT_LIMIT = 100
ALL = -1
META = frozenset({"_id", "_type", "_version", "_oid", "_timestamp", "_user", "_tag"})
"""Fields of documents that begin with an underscore; every other such word is a parameter of the list itself."""
_MOST_PARAMETERS = 32
_LONGEST_VALUE = 2000
_FIELD = re.compile(r"[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,7}")
_CALL = re.compile(r"([A-Za-z_]+)\((.*)\)", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,299})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MILLISECOND = timedelta(milliseconds=1)
_WORDS = 63
"""Integers of more bits than SQLite's are compared as floats, on both sides."""

Item = TypeVar("Item")


class Kind(StrEnum):
    """The type of a JSON value that a condition asks for; arrays are looked into, objects and null never match."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"


_SQL_TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "('text')",
    Kind.NUMBER: "('integer', 'real')",
    Kind.BOOLEAN: "('true', 'false')",
}


@dataclass(frozen=True, slots=True)
class Interval:
    """Values of one kind from ``low`` up to ``high``; both ends belong to it, unless ``open_end``."""

    kind: Kind
    low: Any
    high: Any
    open_end: bool = False

    def accepts(self, value: Any) -> bool:
        """Whether a JSON value lies inside."""
        if _kind(value) is not self.kind:
            return False
        value = _number(value) if self.kind is Kind.NUMBER else value
        return bool(self.low <= value and (value < self.high if self.open_end else value <= self.high))

    def to_sql(self, value: str) -> tuple[str, list[Any]]:
        """Compare an SQL expression of this kind with the ends."""
        if self.low == self.high and not self.open_end:
            return f"{value} = ?", [self.low]
        return f"{value} >= ? AND {value} {'<' if self.open_end else '<='} ?", [self.low, self.high]


Function = Callable[[str], tuple[Interval, ...]]
"""Reads the text between a function's parentheses. A value matches where any of the intervals accepts it;
``ValueError`` says what is wrong with the text."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What one parameter asks of one field, whose path looks into arrays as it goes (``phases.name=LOAD``)."""

    path: tuple[str, ...]
    intervals: tuple[Interval, ...]

    def matches(self, document: Mapping[str, Any]) -> bool:
        """Whether any value at the path is accepted."""
        nodes: list[Any] = [document]
        for key in self.path:
            found = [node[key] for node in nodes if isinstance(node, Mapping) and key in node]
            nodes = [item for value in found for item in (value if isinstance(value, list) else (value,))]
        return any(interval.accepts(node) for interval in self.intervals for node in nodes)

    def to_sql(self, document: str) -> tuple[str, list[Any]]:
        """Ask the same of an SQL expression that gives the JSON document."""
        tables: list[str] = []
        parameters: list[Any] = []
        for level, key in enumerate(self.path):
            node = f"node{level - 1}.value" if level else document
            inside = (
                f"CASE json_type({node}, ?) WHEN 'array' THEN json_extract({node}, ?) "
                # Two paths make an array, which keeps true apart from 1.
                f"ELSE json_extract({node}, ?, ?) END"
            )
            inside = f"CASE node{level - 1}.type WHEN 'object' THEN {inside} ELSE '[]' END" if level else inside
            tables.append(f"json_each({inside}) AS node{level}")
            parameters += [f'$."{key}"'] * 4
        last = f"node{len(self.path) - 1}"
        tests = []
        for interval in self.intervals:
            value = f"({last}.type = 'true')" if interval.kind is Kind.BOOLEAN else f"{last}.atom"
            test, ends = interval.to_sql(value)
            tests.append(f"({last}.type IN {_SQL_TYPES[interval.kind]} AND {test})")
            parameters += ends
        return f"EXISTS (SELECT 1 FROM {', '.join(tables)} WHERE {' OR '.join(tests)})", parameters  # noqa: S608 - made of levels, fixed words and the caller's expression; keys and values are bound

    def column_to_sql(self, column: str) -> tuple[str, list[Any]]:
        """Ask the same of a text column that copies the field, so that an index can answer."""
        tests = [interval.to_sql(column) for interval in self.intervals if interval.kind is Kind.TEXT]
        text = " OR ".join(f"({test})" for test, _ in tests) or "0"
        return f"({text})", [end for _, ends in tests for end in ends]


@dataclass(frozen=True, slots=True)
class Query:
    """What a list was asked for: all conditions hold, ``skip`` are left out, then at most ``limit`` given (-1: all)."""

    conditions: tuple[Condition, ...] = ()
    limit: int = DEFAULT_LIMIT
    skip: int = 0

    def matches(self, document: Mapping[str, Any]) -> bool:
        """Whether a document meets every condition."""
        return all(condition.matches(document) for condition in self.conditions)

    def to_sql(self, document: str, columns: Mapping[str, str]) -> tuple[str, list[Any]]:
        """Give the conditions as an SQL expression and the values to bind, in order.

        ``document`` is the SQL of the JSON document; ``columns`` maps fields (dotted) to text columns that copy them.
        Both come from code, never from a user.
        """
        tests: list[str] = []
        parameters: list[Any] = []
        for condition in self.conditions:
            column = columns.get(".".join(condition.path))
            test, values = condition.column_to_sql(column) if column else condition.to_sql(document)
            tests.append(test)
            parameters += values
        return " AND ".join(tests) or "1", parameters

    def page(self, found: Sequence[Item]) -> Sequence[Item]:
        """Cut the asked page out of all that was found."""
        return found[self.skip :] if self.limit == ALL else found[self.skip : self.skip + self.limit]


def parse(parameters: Iterable[tuple[str, str]]) -> Query:
    """Read the parameters of a list; ``UsageError`` names the parameter, the place in it, and what to write instead."""
    conditions: list[Condition] = []
    counts: dict[str, int] = {}
    for number, (name, value) in enumerate(parameters, 1):
        if number > _MOST_PARAMETERS:
            raise UsageError(f"more than {_MOST_PARAMETERS} parameters", where="query", todo="ask for less at once")
        if len(value) > _LONGEST_VALUE:
            raise UsageError(f"longer than {_LONGEST_VALUE} characters", where=f"parameter {name[:80]}")
        if name in _COUNTS:
            if name in counts:
                raise UsageError("given twice", where=f"parameter {name}", todo="give it once")
            counts[name] = _count(name, value)
        else:
            conditions.append(Condition(_path(name), _intervals(name, value)))
    return Query(tuple(conditions), counts.get("_limit", DEFAULT_LIMIT), counts.get("_skip", 0))


def _count(name: str, written: str) -> int:
    if _COUNTS[name].fullmatch(written) is None:
        what = "a number up to 999999999" + (", or -1 for all" if name == "_limit" else "")
        raise UsageError(f"{written[:80]!r} is not {what}", where=f"parameter {name}")
    return int(written)


def _path(name: str) -> tuple[str, ...]:
    where = f"parameter {name[:80]}"
    if _FIELD.fullmatch(name) is None:
        raise UsageError("not a field", where=where, todo="write a name, or names joined by dots as in input.url")
    path = tuple(name.split("."))
    if name.startswith("_") and path[0] not in META:
        todo = f"there are {', '.join(_COUNTS)}, and the fields {', '.join(sorted(META))}"
        raise UsageError("unknown parameter", where=where, todo=todo)
    return path


def _intervals(name: str, written: str) -> tuple[Interval, ...]:
    call = _CALL.fullmatch(written)
    if call is None:
        opened = written.partition("(")[0]
        if opened in FUNCTIONS and opened != written:
            raise UsageError("the closing parenthesis is missing", where=_place(name, written, len(written)))
        return _equal(written)
    function, arguments = call.groups()
    if function not in FUNCTIONS:
        known = ", ".join(f"{known}()" for known in FUNCTIONS)
        todo = f"there are {known}; for a text that looks like a function write {name}=eq({written[:80]})"
        raise UsageError(f"unknown function {function[:40]}()", where=_place(name, written, 0), todo=todo)
    try:
        return FUNCTIONS[function](arguments)
    except ValueError as error:
        raise UsageError(str(error), where=_place(name, written, len(function) + 1)) from error


def _place(name: str, written: str, offset: int) -> str:
    shown = written if len(written) <= 80 else written[:77] + "..."  # noqa: PLR2004 - one line of a terminal
    return f"parameter {name}={shown}, character {offset + 1}"


def _equal(written: str) -> tuple[Interval, ...]:
    """Find values whose text is this: the text itself, and the number or the boolean that is written so."""
    texts: list[tuple[Kind, Any]] = [(Kind.TEXT, written)]
    if _NUMBER.fullmatch(written):
        texts.append((Kind.NUMBER, _read_number(written)))
    if written in ("true", "false"):
        texts.append((Kind.BOOLEAN, written == "true"))
    return tuple(Interval(kind, value, value) for kind, value in texts)


def _range(written: str) -> tuple[Interval, ...]:
    """Find values between two dates, instants or numbers, both ends included; a date as end means its whole day."""
    ends = [end.strip() for end in written.split(",")]
    if len(ends) != 2:  # noqa: PLR2004 - a first and a last
        raise ValueError("range() takes a first and a last value, as in range(2021-07-19,2021-07-23)")
    low, high = ends
    if _NUMBER.fullmatch(low) and _NUMBER.fullmatch(high):
        interval = Interval(Kind.NUMBER, _read_number(low), _read_number(high))
    elif _DATE.fullmatch(high):
        # No instant of the day is as late as its hour T24, and the date alone is earlier.
        interval = Interval(
            Kind.TEXT, _time("first", low, up=True), _time("last", high, up=False) + "T24", open_end=True
        )
    else:
        interval = Interval(Kind.TEXT, _time("first", low, up=True), _time("last", high, up=False))
    if interval.low > interval.high:
        raise ValueError(f"the first value of range(), {low}, is after the last, {high}")
    return (interval,)


def _time(which: str, written: str, *, up: bool) -> str:
    """Write a date or an instant so that the texts of records sort around it; they are cut to milliseconds."""
    try:
        if _DATE.fullmatch(written):
            return date.fromisoformat(written).isoformat()
        at = instant.parse(written)
        at += (_MILLISECOND - timedelta(microseconds=1)) if up else timedelta()
    except (ValueError, OverflowError) as error:
        hint = "; write + as %2B in a URL" if re.search(r"[0-9] [0-9]{2}:[0-9]{2}$", written) else ""
        kinds = "a number, a date (2021-07-19) or an instant (2021-07-19T16:30:00Z)"
        raise ValueError(f"the {which} value of range(), {written[:80]!r}, is not {kinds}{hint}") from error
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_number(written: str) -> int | float:
    number = float(written)
    return _number(int(written)) if re.fullmatch("-?[0-9]+", written) else number


def _number(value: float) -> int | float:
    return float(value) if isinstance(value, int) and value.bit_length() > _WORDS else value


def _kind(value: Any) -> Kind | None:
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int | float):
        return Kind.NUMBER
    return Kind.TEXT if isinstance(value, str) else None


FUNCTIONS: Mapping[str, Function] = {"eq": _equal, "range": _range}
"""Every function that a value may call. ``field=value`` is short for ``field=eq(value)``."""

_COUNTS: Mapping[str, re.Pattern[str]] = {"_limit": re.compile(r"-1|[0-9]{1,9}"), "_skip": re.compile(r"[0-9]{1,9}")}
