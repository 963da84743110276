"""The order of a list: what is not there first, then booleans and numbers, then texts; backwards with a minus."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from reconciler import fieldpath, matchdocument
from reconciler.conditions import Source, json_path
from reconciler.criteria import Sql, number
from reconciler.fieldpath import Path
from reconciler.functions import MalformedError

MOST = 8
"""Fields of one order."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Order:
    """One field that is sorted by; it looks into no arrays, and what is no scalar counts as not there."""

    path: Path
    descending: bool = False

    def key(self, document: Mapping[str, Any]) -> tuple[int, Any]:
        """Give what documents are compared by."""
        value = fieldpath.scalar(document, self.path)
        if value is None:
            return 0, 0
        return (2, value) if isinstance(value, str) else (1, number(value))

    def to_sql(self, source: Source) -> Sql:
        """Write the same as a term of ORDER BY."""
        way = " DESC" if self.descending else ""
        name = ".".join(self.path)
        column = source.columns.get(name)
        if name in source.order or column is not None:
            return f"{source.order.get(name) or (column.value if column else '')}{way}", []
        text, bound = scalar_to_sql(source, self.path)
        return f"{text}{way}", bound


def scalar_to_sql(source: Source, path: Path) -> Sql:
    """Give the scalar at a path of the document, else null."""
    holder, where = source.holder(path), json_path(path)
    text = f"CASE WHEN json_type({holder}, ?) IN ('array', 'object') THEN NULL ELSE json_extract({holder}, ?) END"
    return text, [where, where]


def arrange(items: Iterable[Item], orders: Iterable[Order], view: Callable[[Item], Mapping[str, Any]]) -> list[Item]:
    """Sort; what is equal keeps its order."""
    found = list(items)
    for order in reversed(list(orders)):
        found.sort(key=lambda item: order.key(view(item)), reverse=order.descending)
    return found


def read(written: str) -> tuple[Order, ...]:
    """Read ``name,-start`` or ``{"name": 1, "start": -1}``; ``MalformedError`` says where it is neither."""
    asked = _pairs(written) if written.lstrip().startswith("{") else list(_listed(written))
    if len(asked) > MOST:
        raise MalformedError(f"more than {MOST} fields", asked[MOST][2])
    return tuple(_order(*one) for one in asked)


def of_document(document: Any, written: str) -> tuple[Order, ...]:
    """Read an object of JSON, ``{"name": 1, "start": -1}``; ``MalformedError``."""
    if not isinstance(document, dict) or not document:
        raise MalformedError('no order: write {"name": 1, "start": -1}')
    found = []
    for name, way in document.items():
        at = matchdocument.place(written, name)
        if way not in (1, -1) or isinstance(way, bool):
            raise MalformedError(f"{name[:80]} is sorted neither by 1 (upwards) nor by -1 (downwards)", at)
        found.append(_order(name, way == -1, at))
    return tuple(found)


def _pairs(written: str) -> list[tuple[str, bool, int]]:
    orders = of_document(matchdocument.load(written), written)
    return [(".".join(one.path), one.descending, 0) for one in orders]


def _listed(written: str) -> Iterable[tuple[str, bool, int]]:
    at = 0
    for part in written.split(","):
        name = part.strip()
        yield name.removeprefix("-"), name.startswith("-"), at
        at += len(part) + 1


def _order(name: str, descending: bool, at: int) -> Order:  # noqa: FBT001 - a field of what was read
    try:
        return Order(fieldpath.read(name), descending)
    except ValueError as error:
        raise MalformedError(str(error), at) from None
