"""The query language of lists: parameters of a URL become a question to JSON documents (SPEC 12).

One query is asked of dictionaries (``Query.select``) and of SQLite (``Query.where.to_sql`` and the like).
Both answer alike; a test holds them together. Nothing a user wrote is ever pasted into SQL (attack class 12).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler import conditions, fieldpath, filtertext, functions, ordering, pipeline, projection
from reconciler.aggregation import Summary, Values
from reconciler.conditions import Condition, Expression
from reconciler.errors import UsageError
from reconciler.functions import FUNCTIONS, MalformedError
from reconciler.matchdocument import MOST
from reconciler.ordering import Order
from reconciler.projection import Projection

__all__ = ["ALL", "DEFAULT_LIMIT", "FUNCTIONS", "PARAMETERS", "Query", "parse", "parse_whole"]

DEFAULT_LIMIT = 100
ALL = -1
_MOST_PARAMETERS = 32
_LONGEST_VALUE = 10_000
_AROUND = 40
"""Characters of a long value that are shown before and after a place in it."""
_COUNTS: Mapping[str, re.Pattern[str]] = {"_limit": re.compile(r"-1|[0-9]{1,9}"), "_skip": re.compile(r"[0-9]{1,9}")}
_SUMMARIES = ("_distinct", "_fieldinfo", "_aggregate")
_READERS: Mapping[str, Callable[[str], Any]] = {
    "_filter": filtertext.read_filter,
    "_search": filtertext.read_search,
    "_sort": ordering.read,
    "_project": projection.read,
    "_distinct": lambda written: Values(fieldpath.read(written)),
    "_fieldinfo": lambda written: Values(fieldpath.read(written), counted=True),
    "_aggregate": pipeline.read,
}
PARAMETERS = (*_COUNTS, *_READERS)
"""What a list takes beside fields."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Query:
    """What a list was asked for: the documents that meet ``where``, in an order, or a summary of them.

    ``skip`` are left out of the result, then at most ``limit`` given (-1: all). A summary answers with values, not with
    documents.
    """

    where: Expression
    limit: int = DEFAULT_LIMIT
    skip: int = 0
    order: tuple[Order, ...] = ()
    projection: Projection | None = None
    summary: Summary | None = None
    first: int | None = None
    """How many of the documents there are at most, whatever page is asked for (``$limit``)."""

    def matches(self, document: Mapping[str, Any]) -> bool:
        """Whether a document is among those asked for."""
        return self.where.matches(document)

    @property
    def whole(self) -> bool:
        """Whether it is answered with documents as they are."""
        return self.projection is None and self.summary is None

    def asks_about(self, field: str) -> bool:
        """Whether a field, by the first word of its name, decides what is found or in which order."""
        paths = self.where.paths | {one.path for one in self.order} | (self.summary.paths if self.summary else set())
        return any(path[0] == field for path in paths)

    def select(self, items: Iterable[Item], view: Callable[[Item], Mapping[str, Any]]) -> list[Item]:
        """Find and arrange the items whose documents, as ``view`` gives them, meet the query: all pages."""
        found = ordering.arrange((item for item in items if self.matches(view(item))), self.order, view)
        return found if self.first is None else found[: self.first]

    def page(self, found: Sequence[Item]) -> Sequence[Item]:
        """Cut the asked page out of all that was found."""
        return found[self.skip :] if self.limit == ALL else found[self.skip : self.skip + self.limit]

    def shown(self, document: dict[str, Any]) -> dict[str, Any]:
        """Give what is shown of a document."""
        return self.projection.of(document) if self.projection else document


def parse_whole(parameters: Iterable[tuple[str, str]]) -> Query:
    """Read the parameters of a list for readers who need its documents as they are; ``UsageError``."""
    given = list(parameters)
    asked = parse(given)
    if not asked.whole:
        name = next(name for name, _ in given if name in (*_SUMMARIES, "_project"))
        raise UsageError("is for programs", where=f"parameter {name}", todo="ask for JSON (-o json, /api/...)")
    return asked


def parse(parameters: Iterable[tuple[str, str]]) -> Query:
    """Read the parameters of a list; ``UsageError`` names the parameter, the place in it, and what to write instead."""
    wheres: list[Expression] = []
    given: dict[str, Any] = {}
    for number, (name, value) in enumerate(parameters, 1):
        if number > _MOST_PARAMETERS:
            raise UsageError(f"more than {_MOST_PARAMETERS} parameters", where="query", todo="ask for less at once")
        if len(value) > _LONGEST_VALUE:
            raise UsageError(f"longer than {_LONGEST_VALUE} characters", where=f"parameter {name[:80]}")
        if name in given:
            raise UsageError("given twice", where=f"parameter {name}", todo="give it once")
        if name in _COUNTS:
            given[name] = _count(name, value)
        elif name in _READERS:
            given[name] = _read(name, value, _READERS[name])
        else:
            wheres.append(_condition(name, value))
    wheres += [given[name] for name in ("_filter", "_search") if name in given]
    return _query(wheres, given)


def _query(wheres: list[Expression], given: Mapping[str, Any]) -> Query:
    """Put together what was given, where it goes together."""
    summaries = [name for name in _SUMMARIES if name in given]
    for name in [*summaries[1:], *(name for name in ("_sort", "_project") if summaries and name in given)]:
        todo = (
            "use $sort in the pipeline" if (name, summaries[0]) == ("_sort", "_aggregate") else "leave one of them out"
        )
        raise UsageError(f"does not go together with {summaries[0]}", where=f"parameter {name}", todo=todo)
    asked = given[summaries[0]] if summaries else None
    limit = given.get("_limit", ALL if summaries else DEFAULT_LIMIT)
    skip = given.get("_skip", 0)
    if isinstance(asked, pipeline.Pipeline):
        where = _every([*wheres, asked.where])
        return Query(where, limit, skip, asked.order, summary=asked.summary, first=asked.limit)
    return Query(_every(wheres), limit, skip, given.get("_sort", ()), given.get("_project"), asked)


def _every(wheres: list[Expression]) -> Expression:
    found = conditions.every(wheres)
    if found.size > MOST:
        raise UsageError(f"more than {MOST} conditions", where="query", todo="ask for less at once")
    return found


def _count(name: str, written: str) -> int:
    if _COUNTS[name].fullmatch(written) is None:
        what = "a number up to 999999999" + (", or -1 for all" if name == "_limit" else "")
        raise UsageError(f"{written[:80]!r} is not {what}", where=f"parameter {name}")
    return int(written)


def _condition(name: str, value: str) -> Expression:
    where = f"parameter {name[:80]}"
    if name.startswith("_") and name.partition(".")[0] not in fieldpath.META:
        todo = f"there are {', '.join(PARAMETERS)}, and the fields {', '.join(sorted(fieldpath.META))}"
        raise UsageError("unknown parameter", where=where, todo=todo)
    try:
        path = fieldpath.read(name)
    except ValueError as error:
        raise UsageError(str(error), where=where, todo="as in input.url") from None
    asked = _read(name, value, lambda written: functions.read(path, written))
    return Condition(path, asked.criteria, asked.negated)


def _read(name: str, written: str, reader: Callable[[str], Any]) -> Any:
    try:
        return reader(written)
    except MalformedError as error:
        where = _place(name, written, error.offset)
        raise UsageError(error.what, where=where, todo=error.todo or "") from None
    except ValueError as error:
        raise UsageError(str(error), where=_place(name, written, 0)) from None


def _place(name: str, written: str, offset: int) -> str:
    """Say where something is wrong, with what stands around it."""
    first = max(offset - _AROUND, 0) if len(written) > 2 * _AROUND else 0
    last = max(first + 2 * _AROUND, offset + 1)
    shown = ("..." if first else "") + written[first:last] + ("..." if last < len(written) else "")
    return f"parameter {name}={shown}, character {offset + 1}"
