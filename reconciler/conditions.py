"""Conditions on JSON documents, joined by and, or and not: asked of dictionaries and, as SQL, of SQLite.

Both answer alike; a test holds them together. SQLite asks a column where one copies the field, and looks into the
document itself elsewhere.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconciler import regex
from reconciler.criteria import Criteria, Sql
from reconciler.fieldpath import Kind, Path, values

SEARCHED = ("_id", "name", "description", "message", "reason")
"""Fields in whose texts ``_search`` looks."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that copies a field; its values are all of one kind, or null.

    ``present`` is SQL that tells whether there is a value, where the column itself does not.
    """

    sql: str
    kind: Kind = Kind.TEXT
    present: str = ""

    @property
    def value(self) -> str:
        """SQL of the value, or of null where there is none."""
        return f"CASE WHEN {self.present} THEN {self.sql} END" if self.present else self.sql


@dataclass(frozen=True, slots=True)
class Source:
    """Where SQL finds what is asked for. All of it is SQL of this program, never of a user.

    ``columns`` is by dotted field; ``document`` gives the JSON document, which may leave out the fields that columns
    copy, and those below the paths of ``details``, which have documents of their own. ``searched`` is the text in which
    ``_search`` looks: those of ``SEARCHED`` that there are, a line each. ``order`` is by field that is sorted by.
    ``compact``: the document is written as ``fragment`` writes texts, unless it begins with a space.
    """

    document: str
    columns: Mapping[str, Column] = field(default_factory=dict)
    details: Mapping[Path, str] = field(default_factory=dict)
    searched: str = "''"
    order: Mapping[str, str] = field(default_factory=dict)
    compact: bool = False

    def column(self, path: Path) -> Column | None:
        """Find the column that copies a field."""
        return self.columns.get(".".join(path))

    def holder(self, path: Path) -> str:
        """Give the SQL of the document that has a field."""
        found = (document for prefix, document in self.details.items() if path[: len(prefix)] == prefix)
        return next(found, self.document)


class Expression(Protocol):
    """Something that a document meets or does not."""

    @property
    def depth(self) -> int:
        """How many expressions lie in each other, this one included."""

    @property
    def size(self) -> int:
        """How many conditions it is made of."""

    @property
    def paths(self) -> frozenset[Path]:
        """The fields that it looks at."""

    def matches(self, document: Mapping[str, Any]) -> bool:
        """Whether a document meets it."""

    def to_sql(self, source: Source) -> Sql:
        """Ask the same in SQL: true, or else false or null."""


class _Single:
    """An expression that holds no others."""

    __slots__ = ()

    @property
    def depth(self) -> int:
        """One."""
        return 1

    @property
    def size(self) -> int:
        """One."""
        return 1


@dataclass(frozen=True, slots=True)
class Condition(_Single):
    """What is asked of one field: one of its values meets the criteria, or, ``negated``, none does."""

    path: Path
    criteria: Criteria
    negated: bool = False

    @property
    def paths(self) -> frozenset[Path]:
        """The field."""
        return frozenset((self.path,))

    def matches(self, document: Mapping[str, Any]) -> bool:
        """Whether a document meets it."""
        found = list(values(document, self.path))
        met = any(self.criteria.accepts(value) for value in found)
        if self.criteria.nothing and not met:
            met = all(value is None for value in found)
        return met is not self.negated

    def to_sql(self, source: Source) -> Sql:
        """Ask the same in SQL."""
        column = source.column(self.path)
        test, bound = _ask_column(self.criteria, column) if column else self._ask_document(source)
        return f"({test}) IS NOT TRUE" if self.negated else test, bound

    def _ask_document(self, source: Source) -> Sql:
        holder = source.holder(self.path)
        test, bound = self._ask(holder, 0)
        texts = self.criteria.texts
        if not source.compact or holder != source.document or texts is None:
            return test, bound
        # Looking for the characters of a text is ten times as fast as taking a document apart, and mostly enough.
        near = " OR ".join(f"instr({holder}, ?)" for _ in texts)
        return f"(({near} OR substr({holder}, 1, 1) = ' ') AND {test})", [*map(fragment, texts), *bound]

    def _ask(self, document: str, level: int) -> Sql:
        """Ask what lies at the path, level by level: the way through arrays is dear, so it is for arrays alone."""
        where = json_path(self.path[: level + 1])
        absent: Sql = ("1" if self.criteria.nothing else "0", [])
        kinds = {"array": self._ask_all(document)}
        if level < len(self.path) - 1:
            kinds["object"] = self._ask(document, level + 1)
        else:
            kinds |= {"object": ("0", []), **self._kinds((f"json_extract({document}, ?)", [where]))}
        return _case((f"json_type({document}, ?)", [where]), kinds, absent)

    def _kinds(self, value: Sql) -> dict[str, Sql]:
        """What to ask an SQL expression, by the type of JSON that it is."""
        text, number = self.criteria.text_to_sql(value), self.criteria.number_to_sql(value)
        true, false = ("1" if self.criteria.accepts(value) else "0" for value in (True, False))
        return {"text": text, "integer": number, "real": number, "true": (true, []), "false": (false, [])}

    def _ask_all(self, document: str) -> Sql:
        tables, bound = json_tables(document, self.path)
        last = f"node{len(self.path) - 1}"
        tests, asked = _case((f"{last}.type", []), self._kinds((f"{last}.atom", [])), ("0", []))
        met = f"EXISTS (SELECT 1 FROM {tables} WHERE {tests})"  # noqa: S608 - levels, fixed words, the caller's expression
        if not self.criteria.nothing:
            return met, [*bound, *asked]
        nothing = f"NOT EXISTS (SELECT 1 FROM {tables} WHERE {last}.type <> 'null')"  # noqa: S608 - the same
        return f"({met} OR {nothing})", [*bound, *asked, *bound]


@dataclass(frozen=True, slots=True)
class Search(_Single):
    """A regular expression that is looked for in the fields that say what something is."""

    written: str

    @property
    def paths(self) -> frozenset[Path]:
        """The fields in which it looks."""
        return frozenset((name,) for name in SEARCHED)

    def matches(self, document: Mapping[str, Any]) -> bool:
        """Whether it is found."""
        texts = (document.get(name) for name in SEARCHED)
        return regex.found(self.written, "\n".join(text for text in texts if isinstance(text, str)))

    def to_sql(self, source: Source) -> Sql:
        """Ask the same in SQL."""
        return f"procctl_regex(?, {source.searched})", [self.written]


@dataclass(frozen=True, slots=True)
class Group:
    """Expressions joined: every one of them has to hold (``all``), or one of them (``any``); none of none (``not``)."""

    join: Callable[[Any], bool]
    parts: tuple[Expression, ...]
    negated: bool = False
    depth: int = 1

    @property
    def size(self) -> int:
        """How many conditions it is made of."""
        return sum(part.size for part in self.parts)

    @property
    def paths(self) -> frozenset[Path]:
        """The fields that the parts look at."""
        return frozenset[Path]().union(*(part.paths for part in self.parts))

    def matches(self, document: Mapping[str, Any]) -> bool:
        """Whether a document meets it."""
        return self.join(part.matches(document) for part in self.parts) is not self.negated

    def to_sql(self, source: Source) -> Sql:
        """Ask the same in SQL."""
        found = [part.to_sql(source) for part in self.parts]
        word, empty = (" AND ", "1") if self.join is all else (" OR ", "0")
        text = word.join(f"({test})" for test, _ in found) or empty
        return f"({text}) IS NOT TRUE" if self.negated else text, [value for _, bound in found for value in bound]


def every(parts: Sequence[Expression]) -> Expression:
    """Join expressions that all have to hold."""
    return _joined(all, parts)


def either(parts: Sequence[Expression]) -> Expression:
    """Join expressions one of which has to hold."""
    return _joined(any, parts)


def opposite(part: Expression) -> Expression:
    """Turn an expression round."""
    return Group(all, (part,), negated=True, depth=part.depth + 1)


def _joined(join: Callable[[Any], bool], parts: Sequence[Expression]) -> Expression:
    if len(parts) == 1:
        return parts[0]
    flat: list[Expression] = []
    for part in parts:
        flat += part.parts if isinstance(part, Group) and part.join is join and not part.negated else (part,)
    return Group(join, tuple(flat), depth=1 + max((part.depth for part in flat), default=0))


def fragment(text: str) -> str:
    """Write a text as compact documents do."""
    return json.dumps(text, ensure_ascii=False)


def json_path(path: Path) -> str:
    """Write a path as SQLite does; fields hold no quotes."""
    return "$" + "".join(f'."{key}"' for key in path)


def json_tables(document: str, path: Path) -> Sql:
    """Join tables ``node0``, ``node1`` … of the values at each level of a path, those in arrays each by itself."""
    tables: list[str] = []
    bound: list[Any] = []
    for level, key in enumerate(path):
        node = f"node{level - 1}.value" if level else document
        inside = (
            f"CASE json_type({node}, ?) WHEN 'array' THEN json_extract({node}, ?) "
            # Two paths make an array, which keeps true apart from 1.
            f"ELSE json_extract({node}, ?, ?) END"
        )
        inside = f"CASE node{level - 1}.type WHEN 'object' THEN {inside} ELSE '[]' END" if level else inside
        tables.append(f"json_each({inside}) AS node{level}")
        bound += [json_path((key,))] * 4
    return ", ".join(tables), bound


def _ask_column(criteria: Criteria, column: Column) -> Sql:
    asks = {Kind.NUMBER: criteria.number_to_sql, Kind.INSTANT: criteria.moment_to_sql}
    test, bound = asks.get(column.kind, criteria.text_to_sql)((column.sql, []))
    if column.present:
        test = f"({test} AND {column.present})"
        return (f"({test} OR NOT {column.present})" if criteria.nothing else test), bound
    return (f"({test} OR {column.sql} IS NULL)" if criteria.nothing else test), bound


def _case(subject: Sql, kinds: Mapping[str, Sql], otherwise: Sql) -> Sql:
    """Write a CASE, and leave out what is as it is otherwise."""
    kept = [(f"WHEN '{kind}' THEN {test} ", bound) for kind, (test, bound) in kinds.items() if test != otherwise[0]]
    if not kept:
        return otherwise
    text = f"CASE {subject[0]} {''.join(test for test, _ in kept)}ELSE {otherwise[0]} END"
    return text, [*subject[1], *(value for _, bound in kept for value in bound), *otherwise[1]]
