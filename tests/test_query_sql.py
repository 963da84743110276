"""One query gives one answer, whether SQLite is asked or the dictionary itself."""

import json
import sqlite3
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler import query
from reconciler.query import Query, parse

KEYS = st.sampled_from(["a", "b", "start", "2021-07-01", "_id"])
TIMES = st.sampled_from(["2021-07-19", "2021-07-19T00:00:00.000Z", "2021-07-23T23:59:59.999Z", "2021-07-24"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**53 + 1, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=4),
    st.sampled_from(["true", "1", "null", "[]", "{}"]),
    TIMES,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)
FIELDS = st.lists(KEYS, min_size=1, max_size=3).filter(lambda keys: keys[0] != "_id" or len(keys) == 1).map(".".join)
ASKED = st.one_of(
    st.sampled_from(
        ["range(2021-07-19,2021-07-23)", "range(0,1)", "range(-5,9e30)", "eq(true)", "1", "0.0", "true", ""]
    ),
    st.sampled_from([str(2**63), str(2**63 - 1), str(2**53 + 1), str(10**30), "-9223372036854775809", "-0"]),
    SCALARS.map(lambda value: f"eq({value})"),
)


def in_sql(asked: Query, document: Any, columns: dict[str, str]) -> bool:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE executions (document TEXT, start TEXT, _id TEXT)")
    copied = [document.get(column) if columns else None for column in ("start", "_id")]
    row = [json.dumps(document, ensure_ascii=False), *copied]
    connection.execute("INSERT INTO executions VALUES (?, ?, ?)", row)
    where, parameters = asked.to_sql("document", columns)
    found: int = connection.execute(f"SELECT count(*) FROM executions WHERE {where}", parameters).fetchone()[0]  # noqa: S608 - what is under test
    connection.close()
    return found == 1


@given(DOCUMENTS, st.lists(st.tuples(FIELDS, ASKED), max_size=2))
def test_sql_and_python_agree_on_documents(document: dict[str, Any], parameters: list[tuple[str, str]]) -> None:
    asked = parse(parameters)
    assert in_sql(asked, document, {}) is asked.matches(document)


@given(TIMES | st.none(), ASKED, st.text(st.characters(codec="ascii", exclude_characters="\x00"), max_size=3))
def test_sql_and_python_agree_on_copied_columns(start: str | None, value: str, key: str) -> None:
    document = {"_id": key} | ({"start": start} if start else {})
    for parameter in ([("start", value)], [("_id", f"eq({key})"), ("start", value)]):
        asked = parse(parameter)
        assert in_sql(asked, document, {"start": "start", "_id": "_id"}) is asked.matches(document)


@given(st.dictionaries(KEYS, SCALARS, min_size=1, max_size=4))
def test_every_scalar_is_found_by_its_own_text(document: dict[str, Any]) -> None:
    for key, value in document.items():
        if value is None:
            continue
        written = value if isinstance(value, str) else json.dumps(value)
        assert parse([(key, f"eq({written})")]).matches(document)


def test_values_are_bound_and_fields_never_pasted() -> None:
    where, parameters = parse([("a.b", "x'); DROP TABLE executions; --")]).to_sql("document", {})
    assert "DROP" not in where
    assert '$."a"' not in where
    assert parameters.count('$."a"') == 4
    assert query.FUNCTIONS.keys() == {"eq", "range"}
