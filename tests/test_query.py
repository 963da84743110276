"""The promises of the query language: what a parameter means, what is refused, and that SQL and Python agree."""

import json
import sqlite3
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import query
from reconciler.errors import UsageError
from reconciler.query import Query, parse

REASON = "crontab(ECB_FX,Thu Jul 01 2021 16:30:00 GMT+0000 (Greenwich Mean Time))"
RECORD = {
    "_id": "05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6",
    "name": "ECB_FX",
    "status": "success",
    "reason": REASON,
    "start": "2021-07-23T16:30:07.858Z",
    "version": 3,
    "body": {"url": "file:///a", "deep": {"on": True, "ratio": 0.5, "none": None}},
    "tags": ["fx", "daily"],
    "phases": [{"name": "EXTRACT", "exitCode": 0}, {"name": "LOAD", "exitCode": 1, "log": ["a", "b"]}],
    "data": {"series": {"2021-07-01": ["#ECB_FX.EURUSD:SPOT"]}},
}


def ask(*parameters: tuple[str, str]) -> bool:
    return parse(parameters).matches(RECORD)


class TestEquality:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("_id", "05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6"),
            ("name", "ECB_FX"),
            ("version", "3"),
            ("version", "3.0"),
            ("body.url", "file:///a"),
            ("body.deep.on", "true"),
            ("body.deep.ratio", "0.5"),
            ("body.deep.ratio", "5e-1"),
            ("data.series.2021-07-01", "#ECB_FX.EURUSD:SPOT"),
        ],
    )
    def test_a_value_equals_its_text(self, name: str, value: str) -> None:
        assert ask((name, value))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("name", "ecb_fx"),
            ("name", "ECB"),
            ("name", ""),
            ("version", "03"),
            ("version", "true"),
            ("body.deep.on", "1"),
            ("body.deep.none", "null"),
            ("body.deep", "{}"),
            ("body", ""),
            ("nowhere", ""),
            ("name.deeper", "ECB_FX"),
        ],
    )
    def test_and_nothing_else(self, name: str, value: str) -> None:
        assert not ask((name, value))

    @pytest.mark.parametrize(
        ("name", "value", "found"),
        [
            ("tags", "daily", True),
            ("tags", "weekly", False),
            ("phases.name", "LOAD", True),
            ("phases.exitCode", "1", True),
            ("phases.log", "b", True),
            ("phases.log", "c", False),
        ],
    )
    def test_arrays_are_looked_into(self, name: str, value: str, found: bool) -> None:  # noqa: FBT001 - a table's column
        assert ask((name, value)) is found

    def test_several_parameters_must_all_hold(self) -> None:
        assert ask(("tags", "fx"), ("tags", "daily"), ("status", "success"))
        assert not ask(("tags", "fx"), ("tags", "weekly"))

    def test_a_text_that_looks_like_a_function_is_written_with_eq(self) -> None:
        with pytest.raises(UsageError) as refused:
            ask(("reason", REASON))
        assert "unknown function crontab()" in refused.value.what
        assert "reason=eq(crontab(ECB_FX" in refused.value.todo
        assert ask(("reason", f"eq({REASON})"))

    def test_a_parenthesis_alone_makes_no_function(self) -> None:
        assert parse([("message", "gone (again")]).matches({"message": "gone (again"})
        assert parse([("message", "a f(x)")]).matches({"message": "a f(x)"})


class TestRange:
    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("range(2021-07-19,2021-07-23)", True),
            ("range(2021-07-23,2021-07-23)", True),
            ("range( 2021-07-19 , 2021-07-23 )", True),
            ("range(2021-07-19,2021-07-22)", False),
            ("range(2021-07-24,2021-07-25)", False),
            ("range(2021-07-23T16:30:07.858Z,2021-07-24)", True),
            ("range(2021-07-23T16:30:07.859Z,2021-07-24)", False),
            ("range(2021-07-23T16:30:07.8581Z,2021-07-24)", False),
            ("range(2021-07-01,2021-07-23T16:30:07.858Z)", True),
            ("range(2021-07-01,2021-07-23T16:30:07.8589Z)", True),
            ("range(2021-07-01,2021-07-23T16:30:07.857Z)", False),
            ("range(2021-07-23T18:00:00+02:00,2021-07-23T19:00:00+02:00)", True),
            ("range(2021-07-23T16:00:00+02:00,2021-07-23T17:00:00+02:00)", False),
            ("range(0001-01-01,9999-12-31)", True),
        ],
    )
    def test_both_ends_are_in_and_a_date_as_end_is_its_whole_day(
        self,
        value: str,
        found: bool,  # noqa: FBT001 - a table's column
    ) -> None:
        assert ask(("start", value)) is found

    def test_a_day_ends_with_its_last_millisecond(self) -> None:
        asked = parse([("start", "range(2021-07-19,2021-07-23)")])
        assert asked.matches({"start": "2021-07-19T00:00:00.000Z"})
        assert asked.matches({"start": "2021-07-23T23:59:59.999Z"})
        assert asked.matches({"start": "2021-07-23"})
        assert not asked.matches({"start": "2021-07-24T00:00:00.000Z"})
        assert not asked.matches({"start": "2021-07-18T23:59:59.999Z"})

    def test_numbers_have_ranges_too(self) -> None:
        assert ask(("version", "range(1,3)"))
        assert ask(("version", "range(-1.5,3e2)"))
        assert not ask(("version", "range(4,5)"))
        assert not ask(("name", "range(0,9)"))

    @pytest.mark.parametrize(
        ("value", "what", "where"),
        [
            ("range(2021-07-19)", "takes a first and a last value", "character 7"),
            ("range()", "takes a first and a last value", "character 7"),
            ("range(1,2,3)", "takes a first and a last value", "character 7"),
            ("range(yesterday,2021-07-23)", "the first value of range(), 'yesterday'", "character 7"),
            ("range(2021-07-19,2021-02-30)", "the last value of range(), '2021-02-30'", "character 7"),
            ("range(2021-07-19,)", "the last value of range(), ''", "character 7"),
            ("range(1,2021-07-23)", "the first value of range(), '1'", "character 7"),
            ("range(0000-01-01,2021-07-23)", "the first value", "character 7"),
            ("range(0001-01-01T00:00:00+10:00,2021-07-23)", "the first value", "character 7"),
            ("range(2021-07-19,9999-12-31T23:59:59-10:00)", "the last value", "character 7"),
            ("range(9999-12-31T23:59:59.9999Z,9999-12-31)", "the first value", "character 7"),
            ("range(2021-07-19T00:00:00 02:00,2021-07-23)", "write + as %2B", "character 7"),
            ("range(2021-07-24,2021-07-23)", "is after the last", "character 7"),
            ("range(3,1)", "is after the last", "character 7"),
            ("range(2021-07-19,2021-07-23", "closing parenthesis is missing", "character 28"),
            ("between(1,2)", "unknown function between()", "character 1"),
            ("RANGE(1,2)", "unknown function RANGE()", "character 1"),
        ],
    )
    def test_a_malformed_value_says_where(self, value: str, what: str, where: str) -> None:
        with pytest.raises(UsageError) as refused:
            parse([("start", value)])
        assert what in refused.value.what
        assert refused.value.where.startswith("parameter start=")
        assert refused.value.where.endswith(where)


class TestParameters:
    def test_defaults(self) -> None:
        assert parse([]) == Query((), 100, 0)

    def test_limit_and_skip_cut_a_page(self) -> None:
        everything = list(range(250))
        assert list(parse([]).page(everything)) == everything[:100]
        assert list(parse([("_limit", "-1"), ("_skip", "200")]).page(everything)) == everything[200:]
        assert list(parse([("_limit", "2"), ("_skip", "3")]).page(everything)) == [3, 4]
        assert list(parse([("_limit", "0")]).page(everything)) == []
        assert list(parse([("_skip", "999999999")]).page(everything)) == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("_limit", ""),
            ("_limit", "-2"),
            ("_limit", "ten"),
            ("_limit", "1.0"),
            ("_limit", "٣"),
            ("_limit", "9" * 30),
            ("_skip", "-1"),
            ("_skip", "9" * 30),
            ("_filter", "name=A"),
            ("_sort", "name"),
            ("_Limit", "1"),
            ("_", "1"),
            ("__proto__", "1"),
            ("", "1"),
            (".", "1"),
            ("a..b", "1"),
            ("a.", "1"),
            ("a b", "1"),
            ('a"b', "1"),
            ("a'b", "1"),
            ("$.name", "1"),
            ("name)--", "1"),
            ("name\x00", "1"),
            ("name\n", "1"),
            ("naïve", "1"),
            ("a" * 65, "1"),
            (".".join("abcdefghi"), "1"),
            ("name", "x" * 2001),
        ],
    )
    def test_what_is_no_parameter_is_refused_by_name(self, name: str, value: str) -> None:
        with pytest.raises(UsageError) as refused:
            parse([(name, value)])
        assert refused.value.where == f"parameter {name[:80]}"

    def test_a_count_given_twice_and_too_many_parameters_are_refused(self) -> None:
        with pytest.raises(UsageError, match="given twice"):
            parse([("_limit", "1"), ("_limit", "2")])
        with pytest.raises(UsageError, match="more than 32"):
            parse([("tags", "a")] * 33)

    @given(st.text(max_size=40), st.text(max_size=60))
    def test_any_text_is_a_query_or_a_usage_error(self, name: str, value: str) -> None:
        try:
            asked = parse([(name, value)])
        except UsageError as error:
            assert error.what  # noqa: PT017 - either is right, and neither is another exception
        else:
            assert asked.matches(RECORD) in (True, False)


# ---- SQL and Python agree -------------------------------------------------------------------------------------------

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
