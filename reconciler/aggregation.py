"""Lists of values instead of documents: ``_distinct``, ``_fieldinfo`` and ``_aggregate``.

SQLite groups, and what it gives is gathered here in the way in which documents are: as partial results that can be put
together, so that values which SQLite keeps apart (1 and 1.0) are one.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from reconciler import fieldpath
from reconciler.conditions import Source, json_path, json_tables
from reconciler.criteria import Sql, moment, number
from reconciler.fieldpath import Kind, Path

Document = Mapping[str, Any]
_BARE = re.compile(r"[^\s()\"'=][^\s()]*")
_TYPED = re.compile(r"-?[0-9.]+(?:[eE][+-]?[0-9]+)?|true|false|null")
ENTRY = "entry"
"""The column that tells rows apart where tables are joined to them."""


@dataclass(frozen=True, slots=True)
class Select:
    """What to select of the rows that were found: columns, what groups, tables joined to the rows, and a test."""

    columns: tuple[Sql, ...]
    groups: tuple[Sql, ...]
    tables: Sql = ("", [])
    test: str = "1"


class Summary(Protocol):
    """A list of values that is made of documents."""

    @property
    def paths(self) -> frozenset[Path]:
        """The fields that it looks at."""

    def of(self, documents: Iterable[Document]) -> list[Any]:
        """Make it of documents."""

    def to_sql(self, source: Source) -> Select:
        """Ask SQLite for its parts."""

    def gather(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Make it of what SQLite gave."""


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one field, each once; ``counted``: with how many documents have it, and the filter for them."""

    path: Path
    counted: bool = False

    @property
    def paths(self) -> frozenset[Path]:
        """The field."""
        return frozenset((self.path,))

    def of(self, documents: Iterable[Document]) -> list[Any]:
        """Make it of documents."""
        return self._listed(
            (rank, 1)
            for document in documents
            for rank in {_rank(value) for value in fieldpath.values(document, self.path)}
            if rank[0]
        )

    def to_sql(self, source: Source) -> Select:
        """Ask SQLite for its parts."""
        if column := source.column(self.path):
            columns: tuple[Sql, ...] = (("0", []), (column.value, []), ("count(*)", []))
            return Select(columns, ((column.value, []),), test=f"{column.value} IS NOT NULL")
        node = f"node{len(self.path) - 1}"
        groups: tuple[Sql, ...] = ((f"{node}.type IN ('true', 'false')", []), (f"{node}.atom", []))
        tables = json_tables(source.holder(self.path), self.path)
        return Select((*groups, (f"count(DISTINCT {ENTRY})", [])), groups, tables, f"{node}.atom IS NOT NULL")

    def gather(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Make it of what SQLite gave."""
        return self._listed((_rank(bool(value) if boolean else value), count) for boolean, value, count in rows)

    def _listed(self, found: Iterable[tuple[tuple[int, Any], int]]) -> list[Any]:
        counts: dict[tuple[int, Any], int] = {}
        for rank, count in found:
            counts[rank] = counts.get(rank, 0) + count
        if not self.counted:
            return [value for _, value in sorted(counts)]
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [{"_id": value, "count": count, "filter": self._filter(value)} for (_, value), count in ordered]

    def _filter(self, value: Any) -> str:
        """Write the ``_filter`` that finds a value and nothing else."""
        name = ".".join(self.path)
        if not isinstance(value, str):
            return f"{name}={json.dumps(value)}"
        if _BARE.fullmatch(value) and (fieldpath.kind(self.path) or not (_TYPED.fullmatch(value) or moment(value))):
            return f"{name}={value}"
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{escaped}"'


Part = tuple[Any, Any]
"""Part of a result: what it means is up to the accumulator."""


@dataclass(frozen=True, slots=True)
class Accumulator:
    """One result of each group: the ``operator`` (sum, avg, min, max, count) over a field, or over a constant."""

    name: str
    operator: str
    path: Path | None = None
    constant: float = 1

    def of(self, document: Document) -> Part:
        """Give the part of one document."""
        value = fieldpath.scalar(document, self.path) if self.path else self.constant
        amount = None if isinstance(value, bool | str) or value is None else number(value)
        if self.operator in ("min", "max"):
            return amount, value if isinstance(value, str) else None
        return (amount or 0, 0 if amount is None else 1)

    def join(self, one: Part, other: Part) -> Part:
        """Put two parts together."""
        if self.operator in ("min", "max"):
            choose = min if self.operator == "min" else max
            first, second = ([half for half in halves if half is not None] for halves in zip(one, other, strict=True))
            return choose(first, default=None), choose(second, default=None)
        return one[0] + other[0], one[1] + other[1]

    def result(self, part: Part) -> Any:
        """Make the result of what all parts are together: numbers are below texts."""
        match self.operator:
            case "min":
                return _whole(part[0]) if part[0] is not None else part[1]
            case "max":
                return part[1] if part[1] is not None else _whole(part[0])
            case "avg":
                return _whole(part[0] / part[1]) if part[1] else None
            case "count":
                return part[1]
        return _whole(part[0])

    def to_sql(self, source: Source) -> tuple[Sql, Sql]:
        """Ask SQLite for the part of each group."""
        if self.path is None and self.operator in ("min", "max"):
            return ("?", [self.constant]), ("NULL", [])
        if self.path is None:
            return ("? * count(*)", [self.constant]), ("count(*)", [])
        amount, text = _typed(source, self.path, numbers=True), _typed(source, self.path, numbers=False)
        if self.operator in ("min", "max"):
            return (f"{self.operator}({amount[0]})", amount[1]), (f"{self.operator}({text[0]})", text[1])
        return (f"total({amount[0]})", amount[1]), (f"count({amount[0]})", amount[1])


@dataclass(frozen=True, slots=True)
class Grouping:
    """``$group``: documents with the same values of ``keys`` together. Keys without a name make ``_id`` themselves."""

    keys: tuple[tuple[str | None, Path], ...]
    accumulators: tuple[Accumulator, ...]
    rest: tuple[Callable[[list[Any]], list[Any]], ...] = ()
    """What is done with the groups afterwards: stages such as ``$sort``."""

    @property
    def paths(self) -> frozenset[Path]:
        """The fields that it looks at."""
        return frozenset([path for _, path in self.keys] + [one.path for one in self.accumulators if one.path])

    def of(self, documents: Iterable[Document]) -> list[Any]:
        """Make it of documents."""
        return self._joined(
            (
                tuple(_rank(fieldpath.scalar(document, path)) for _, path in self.keys),
                [one.of(document) for one in self.accumulators],
            )
            for document in documents
        )

    def to_sql(self, source: Source) -> Select:
        """Ask SQLite for its parts."""
        keys = [_key(source, path) for _, path in self.keys]
        parts = [part for one in self.accumulators for part in one.to_sql(source)]
        columns = [source.column(path) for _, path in self.keys]
        groups = [(column.value, []) if column else key for column, key in zip(columns, keys, strict=True)]
        return Select((*keys, *parts, ("count(*)", [])), tuple(groups))

    def gather(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Make it of what SQLite gave."""
        count = len(self.keys)
        return self._joined(
            (
                tuple(_rank(json.loads(key)[0] if key is not None else None) for key in row[:count]),
                list(zip(row[count:-1:2], row[count + 1 : -1 : 2], strict=True)),
            )
            for row in rows
            if row[-1]  # without keys SQLite gives a row even of nothing
        )

    def _joined(self, found: Iterable[tuple[tuple[Any, ...], list[Part]]]) -> list[Any]:
        groups: dict[tuple[Any, ...], list[Part]] = {}
        for key, parts in found:
            known = groups.get(key)
            groups[key] = (
                [one.join(old, new) for one, old, new in zip(self.accumulators, known, parts, strict=True)]
                if known is not None
                else parts
            )
        listed = [self._document(key, groups[key]) for key in sorted(groups)]
        for stage in self.rest:
            listed = stage(listed)
        return listed

    def _document(self, key: tuple[Any, ...], parts: list[Part]) -> dict[str, Any]:
        named = {name: value for (name, _), (_, value) in zip(self.keys, key, strict=True) if name is not None}
        identity = named or (key[0][1] if key else None)
        results = zip(self.accumulators, parts, strict=True)
        return {"_id": identity} | {one.name: one.result(part) for one, part in results}


def _rank(value: Any) -> tuple[int, Any]:
    """Give what a value is compared and told apart by; 0 first where it is none."""
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, number(value)
    return (3, value) if isinstance(value, str) else (0, None)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _key(source: Source, path: Path) -> Sql:
    """Give the scalar at a path as a JSON array of two, which keeps true apart from 1; or null."""
    if column := source.column(path):
        return f"json_array({column.value}, 0)", []
    holder, where = source.holder(path), json_path(path)
    text = f"CASE WHEN json_type({holder}, ?) NOT IN ('array', 'object') THEN json_extract({holder}, ?, ?) END"
    return text, [where, where, where]


def _typed(source: Source, path: Path, *, numbers: bool) -> Sql:
    """Give the number, or else the text at a path; null where there is none."""
    if column := source.column(path):
        return (column.value if (column.kind is Kind.NUMBER) is numbers else "NULL"), []
    holder, where = source.holder(path), json_path(path)
    types = "'integer', 'real'" if numbers else "'text'"
    return f"CASE WHEN json_type({holder}, ?) IN ({types}) THEN json_extract({holder}, ?) END", [where, where]
