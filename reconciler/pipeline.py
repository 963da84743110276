"""``_aggregate``: a list of stages in JSON, ``[{"$match": …}, {"$group": …}, {"$sort": …}, {"$limit": 10}]``.

Before ``$group`` there may be ``$match``, and without ``$group`` also ``$sort`` and ``$limit``, in this order. After it
they come in any order, as there are few groups.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler import conditions, fieldpath, matchdocument, ordering
from reconciler.aggregation import Accumulator, Grouping
from reconciler.conditions import Expression
from reconciler.fieldpath import Path
from reconciler.functions import MalformedError
from reconciler.ordering import Order

MOST = 32
"""Stages of a pipeline, keys of a group, and results of a group."""
STAGES = ("$match", "$group", "$sort", "$limit")
OPERATORS = ("$sum", "$avg", "$min", "$max", "$count")
_NAME = re.compile(r"[\w-]{1,64}")

Stage = Callable[[list[Any]], list[Any]]


@dataclass(slots=True)
class Pipeline:
    """What the stages ask for; ``rest`` is done with the groups."""

    matches: list[Expression] = field(default_factory=list)
    order: tuple[Order, ...] = ()
    limit: int | None = None
    grouping: Grouping | None = None
    rest: list[Stage] = field(default_factory=list)

    @property
    def where(self) -> Expression:
        """What documents have to meet."""
        return conditions.every(self.matches)

    @property
    def summary(self) -> Grouping | None:
        """What is made of the documents, if it is not they themselves."""
        return replace(self.grouping, rest=tuple(self.rest)) if self.grouping else None


def read(written: str) -> Pipeline:
    """Read a pipeline; ``MalformedError`` says where it is none."""
    stages = matchdocument.load(written)
    if not isinstance(stages, list) or not all(isinstance(stage, dict) and len(stage) == 1 for stage in stages):
        todo = 'write [{"$match": {"status": "failed"}}, {"$group": {"_id": "$name"}}]'
        raise MalformedError("no list of stages", 0, todo)
    if len(stages) > MOST:
        raise MalformedError(f"more than {MOST} stages")
    found = Pipeline()
    for stage in stages:
        ((name, asked),) = stage.items()
        if name not in STAGES:
            at = matchdocument.place(written, name)
            raise MalformedError(f"unknown stage {name[:40]}", at, f"there are {', '.join(STAGES)}")
        if found.grouping is None:
            _take(found, name, asked, written)
        else:
            found.rest.append(_afterwards(name, asked, written))
    return found


def _take(found: Pipeline, name: str, asked: Any, written: str) -> None:
    """Take a stage that is done with documents."""
    at = matchdocument.place(written, name)
    if found.limit is not None or (found.order and name != "$limit"):
        raise MalformedError(f"{name} comes too late", at, "the order is $match, $group; or $match, $sort, $limit")
    match name:
        case "$match":
            found.matches.append(matchdocument.read(asked, written))
        case "$sort":
            found.order = ordering.of_document(asked, written)
        case "$limit":
            found.limit = _count(asked, at)
        case _:
            found.grouping = _grouping(asked, written)


def _afterwards(name: str, asked: Any, written: str) -> Stage:
    """Give what a stage does with groups."""
    at = matchdocument.place(written, name)
    if name == "$match":
        where = matchdocument.read(asked, written)
        return lambda groups: [group for group in groups if where.matches(group)]
    if name == "$sort":
        order = ordering.of_document(asked, written)
        return lambda groups: ordering.arrange(groups, order, lambda group: group)
    if name == "$limit":
        limit = _count(asked, at)
        return lambda groups: groups[:limit]
    raise MalformedError("$group comes twice", at, "group by several keys at once")


def _count(asked: Any, at: int) -> int:
    if not isinstance(asked, int) or isinstance(asked, bool) or not 0 < asked < 10**9:
        raise MalformedError("$limit takes a number from 1 to 999999999", at)
    return asked


def _grouping(asked: Any, written: str) -> Grouping:
    if not isinstance(asked, dict) or "_id" not in asked:
        raise MalformedError(
            "$group takes an object with _id", matchdocument.place(written, "$group"), '{"_id": "$name"}'
        )
    by = asked["_id"]
    keys: list[tuple[str | None, Path]] = []
    if isinstance(by, dict):
        keys = [(_name(name, written), _field(value, "_id", written)) for name, value in by.items()]
    elif by is not None:
        keys = [(None, _field(by, "_id", written))]
    results = {name: value for name, value in asked.items() if name != "_id"}
    if len(keys) > MOST or len(results) > MOST:
        raise MalformedError(f"$group has more than {MOST} keys or results", matchdocument.place(written, "$group"))
    return Grouping(tuple(keys), tuple(_accumulator(name, value, written) for name, value in results.items()))


def _accumulator(name: str, asked: Any, written: str) -> Accumulator:
    at = matchdocument.place(written, name)
    if not isinstance(asked, dict) or len(asked) != 1 or next(iter(asked)) not in OPERATORS:
        raise MalformedError(f"{name[:40]} is no result", at, f'write {{"$sum": 1}}; there are {", ".join(OPERATORS)}')
    ((operator, operand),) = asked.items()
    word = operator[1:]
    if word == "count":
        if operand != {}:
            raise MalformedError("$count takes {}", at)
        return Accumulator(_name(name, written), word)
    if isinstance(operand, int | float) and not isinstance(operand, bool) and abs(operand) < 2**53:
        return Accumulator(_name(name, written), word, constant=operand)
    return Accumulator(_name(name, written), word, _field(operand, name, written))


def _field(asked: Any, near: str, written: str) -> Path:
    if not isinstance(asked, str) or not asked.startswith("$"):
        raise MalformedError(f"{str(asked)[:40]!r} is no field", matchdocument.place(written, near), 'write "$name"')
    try:
        return fieldpath.read(asked[1:])
    except ValueError as error:
        raise MalformedError(str(error), matchdocument.place(written, near)) from None


def _name(name: str, written: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise MalformedError(f"{name[:40]!r} is no name of a key or result", matchdocument.place(written, name))
    return name
