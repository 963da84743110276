"""One query gives one answer, whether SQLite is asked or the dictionaries themselves."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import query
from reconciler.aggregation import Values
from reconciler.conditions import Column, Source
from reconciler.criteria import SQL_FUNCTIONS
from reconciler.fieldpath import Kind
from reconciler.query import Query, parse

KEYS = st.sampled_from(["a", "b", "start", "version", "2021-07-01", "_id", "größe", "x/y:#@"])
TIMES = st.sampled_from(
    [
        *(
            "2021-07-19",
            "2021-07-19T00:00:00.000Z",
            "2021-07-23T23:59:59.999Z",
            "2021-07-24",
            "2021-07-19T02:00:00+02:00",
        ),
        *(
            "2021-07-18T23:59:59.9999Z",
            "0000-01-01",
            "9999-12-31T23:59:59.999Z",
            "0001-01-01T00:00:00+10:00",
            "2021-02-30",
        ),
    ]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=4)
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([0, 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**53 + 1, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.sampled_from(["true", "1", "null", "[]", "{}"]), TIMES)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)
FIELDS = st.lists(KEYS, min_size=1, max_size=3).filter(lambda keys: keys[0] != "_id" or len(keys) == 1).map(".".join)
UNTYPED = FIELDS.filter(lambda name: name not in ("start", "version"))


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


WRITTEN = st.one_of(
    NUMBERS.map(str).filter(lambda text: "e" not in text),
    TEXTS.map(quoted),
    TIMES,
    st.sampled_from(["null", "true", "false", "'it''", "-0", "0.0"]).filter(lambda text: text.count("'") != 3),
)
SIGNS = st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"])
ASKED = st.one_of(
    st.builds(lambda sign, value: f"{sign}({value})", SIGNS, WRITTEN),
    st.lists(WRITTEN, min_size=1, max_size=4).map(lambda values: f"in({', '.join(values)})"),
    st.sampled_from(
        [
            *("range(2021-07-19,2021-07-23)", "range(0,1)", "range(-5,9e30)", "range(2021-07-19T00:00:00Z,2021-07-24)"),
            *("regex(^2)", "regex([a-z0]$)", "regex((?i)É|x)", "ne(null)", "null", ""),
        ]
    ),
)
CONDITIONS = st.builds(lambda field, asked: f"{field}={asked or quoted('')}", UNTYPED, ASKED)
FILTERS = st.recursive(
    CONDITIONS,
    lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
        lambda parts: st.sampled_from([" and ", " or "]).map(lambda word: f"({word.join(parts)})")
    ),
    max_leaves=5,
)
PLAIN = Source("document", {}, {("b",): "whole"})
COPIED = Source(
    "document",
    {"start": Column("start", Kind.INSTANT), "_id": Column("_id"), "version": Column("version", Kind.NUMBER)},
    {("b",): "whole"},
)


@contextlib.contextmanager
def table(documents: Sequence[Any]) -> Iterator[sqlite3.Connection]:
    """A table as the index has one: what columns copy, and what is below b, is not in the smaller document."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for name, (arguments, function) in SQL_FUNCTIONS.items():
            connection.create_function(name, arguments, function, deterministic=True)
        connection.execute(
            "CREATE TABLE t (entry INTEGER, document TEXT, whole TEXT, start TEXT, _id TEXT, version REAL)"
        )
        for number, document in enumerate(documents):
            copied = [document.get(column) for column in ("start", "_id", "version")]
            small = {key: value for key, value in document.items() if key != "b"}
            texts = [json.dumps(one, ensure_ascii=False) for one in (small, document)]
            simple = [value if isinstance(value, str | int | float) else None for value in copied]
            fitting = [float(one) if isinstance(one, int) and one.bit_length() > 63 else one for one in simple]
            connection.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", [number, *texts, *fitting])
        yield connection


def found(connection: sqlite3.Connection, asked: Query, source: Source = PLAIN) -> list[int]:
    where, bound = asked.where.to_sql(source)
    orders = [one.to_sql(source) for one in asked.order]
    order = ", ".join([text for text, _ in orders] + ["entry"])
    values = [*bound, *(value for _, more in orders for value in more)]
    return [row[0] for row in connection.execute(f"SELECT entry FROM t WHERE {where} ORDER BY {order}", values)]  # noqa: S608 - what is under test


def summarized(connection: sqlite3.Connection, asked: Query, source: Source = PLAIN) -> list[Any]:
    assert asked.summary is not None
    select = asked.summary.to_sql(source)
    where, bound = asked.where.to_sql(source)
    columns = ", ".join(text for text, _ in select.columns)
    tables = f", {select.tables[0]}" if select.tables[0] else ""
    groups = f"GROUP BY {', '.join(text for text, _ in select.groups)}" if select.groups else ""
    values = [value for _, more in select.columns for value in more]
    values += [*bound, *select.tables[1], *(value for _, more in select.groups for value in more)]
    inner = f"(SELECT * FROM t WHERE {where})"  # noqa: S608 - what is under test
    return asked.summary.gather(
        connection.execute(f"SELECT {columns} FROM {inner}{tables} WHERE {select.test} {groups}", values).fetchall()  # noqa: S608 - the same
    )


def naive(asked: Query, documents: Sequence[Any]) -> list[int]:
    return asked.select(range(len(documents)), lambda number: documents[number])


@given(st.lists(DOCUMENTS, max_size=4), st.lists(st.tuples(UNTYPED, ASKED), max_size=2))
def test_sql_and_python_agree_on_documents(documents: list[Any], parameters: list[tuple[str, str]]) -> None:
    asked = parse(parameters)
    with table(documents) as connection:
        assert found(connection, asked) == naive(asked, documents)


@given(st.lists(DOCUMENTS, max_size=4), FILTERS)
def test_sql_and_python_agree_on_filters(documents: list[Any], written: str) -> None:
    asked = parse([("_filter", written)])
    with table(documents) as connection:
        assert found(connection, asked) == naive(asked, documents)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"_id": TEXTS}, optional={"start": TIMES.filter(lambda one: len(one) == 24), "version": NUMBERS}
        )
    ),
    st.sampled_from(["start", "version", "_id"]),
    st.one_of(
        st.sampled_from(["null", "ne(null)"]),
        st.builds(lambda sign, value: (sign, value), SIGNS, st.integers(-2, 9)),
    ),
)
def test_sql_and_python_agree_on_columns(documents: list[Any], field: str, asked: Any) -> None:
    if not isinstance(asked, str):
        sign, value = asked
        asked = f"{sign}({f'2021-07-{20 + value}' if field == 'start' else value})"
    parsed = parse([(field, asked), ("_sort", f"-{field},version")])
    with table(documents) as connection:
        assert found(connection, parsed, COPIED) == naive(parsed, documents)


@given(
    st.lists(DOCUMENTS, max_size=5),
    st.lists(st.tuples(FIELDS, st.booleans()), min_size=1, max_size=3, unique_by=lambda one: one[0]),
)
def test_sql_and_python_sort_alike(documents: list[Any], fields: list[tuple[str, bool]]) -> None:
    asked = parse([("_sort", ",".join(f"-{field}" if down else field for field, down in fields))])
    with table(documents) as connection:
        assert found(connection, asked) == naive(asked, documents)


@given(st.lists(DOCUMENTS, max_size=4), FIELDS, st.sampled_from(["_distinct", "_fieldinfo"]))
def test_sql_and_python_find_the_same_values(documents: list[Any], field: str, parameter: str) -> None:
    asked = parse([(parameter, field)])
    assert isinstance(asked.summary, Values)
    expected = asked.summary.of(documents)
    with table(documents) as connection:
        assert summarized(connection, asked) == expected
        for info in expected if parameter == "_fieldinfo" else ():
            if field in ("start", "version"):
                continue  # their values may be of no kind that can be asked for
            listed = parse([("_filter", info["filter"])])
            assert len(found(connection, listed)) >= info["count"]


SMALL: st.SearchStrategy[Any] = st.sampled_from([None, True, 0, 1, 1.0, 2.5, "1", "x", "true", [1], {}])
ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), SMALL, max_size=3), max_size=6)


@settings(max_examples=60)
@given(ROWS, st.sampled_from([None, "$a", {"x": "$a", "y": "$b"}]), st.sampled_from(["$b", "$c", 1, 2.5]))
def test_sql_and_python_group_alike(documents: list[Any], by: Any, over: Any) -> None:
    group = {"_id": by, "count": {"$count": {}}} | {word: {f"${word}": over} for word in ("sum", "avg", "min", "max")}
    asked = parse([("_aggregate", json.dumps([{"$group": group}, {"$sort": {"count": -1}}, {"$limit": 3}]))])
    assert asked.summary is not None
    with table(documents) as connection:
        assert summarized(connection, asked) == asked.summary.of(documents)


@given(st.dictionaries(KEYS.filter(lambda key: key not in ("start", "version")), SCALARS, min_size=1, max_size=4))
def test_every_scalar_is_found_by_its_own_text(document: dict[str, Any]) -> None:
    for key, value in document.items():
        written = quoted(value) if isinstance(value, str) else json.dumps(value)
        assert parse([(key, f"eq({written})")]).matches(document)
        assert not parse([(key, f"ne({written})")]).matches(document)


def test_values_are_bound_and_fields_never_pasted() -> None:
    evil = "x'); DROP TABLE executions; --"
    where, parameters = parse([("a.b", evil), ("_filter", "c=regex(Robert)"), ("_search", "Tables")]).where.to_sql(
        PLAIN
    )
    for word in ("DROP", '"a"', "Robert", "Tables"):
        assert word not in where
    assert evil in parameters


def test_all_functions_are_among_those_compared() -> None:
    assert query.FUNCTIONS.keys() == {"eq", "ne", "in", "range", "gt", "gte", "lt", "lte", "regex"}
