"""The promises of ``_filter``, ``_search``, ``_sort``, ``_project`` and ``_aggregate``: and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.query import parse, parse_whole

RECORD = {
    "_id": "05f1ec1a",
    "name": "ECB_FX",
    "service": "ETL",
    "status": "success",
    "message": "Completed Successfully",
    "reason": "manual(ada)",
    "start": "2021-07-23T16:30:07.858Z",
    "version": 3,
    "tags": ["fx", "daily"],
    "phases": [{"name": "EXTRACT", "exitCode": 0}, {"name": "LOAD", "exitCode": 1}],
    "body": {"when": "2021-07-23T18:30:07.858+02:00", "ratio": 0.5, "text": "3", "none": None},
}


def ask(parameter: str, value: str) -> bool:
    return parse([(parameter, value)]).matches(RECORD)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("name=ECB_FX", True),
        ("(name=ECB_FX)", True),
        ("name=TEST or service=ETL and status=success", True),
        ("(name=TEST or service=ETL) and status=failed", False),
        ("name=TEST or (service=ETL and (status=failed or version=gte(3)))", True),
        ('message="Completed Successfully" AND NAME=x', False),
        ("message='Completed Successfully'", True),
        ("reason=eq(manual(ada))", True),
        ('reason="manual(ada)" and version=in(1, 3)', True),
        ("phases.name=LOAD and phases.exitCode=gt(0)", True),
        ("tags=ne(fx)", False),
        ("tags=ne(weekly) and nowhere=null and body.none=null", True),
        ("name=ne(null) and nowhere=ne(null)", False),
        ("body.when=2021-07-23T16:30:07.858Z", True),
        ("body.when=2021-07-23", True),
        ("body.when=gt(2021-07-23)", False),
        ("body.when=gt(2021-07-22)", True),
        ("body.when=lte(2021-07-23) and body.when=lt(2021-07-23)", False),
        ("body.when=lte(2021-07-23) and body.when=gte(2021-07-23)", True),
        ("body.text=3 and body.text=eq('3') and version=3", True),
        ("body.ratio='0.5'", False),
        ("name=gt(ECB) and name=lt(ECC) and name=regex(^ECB_[A-Z]+$)", True),
        ('name=regex("[(]") or name=regex((?i)^ecb)', True),
        ('{"status": "success", "$or": [{"name": "TEST"}, {"version": {"$gte": 3, "$lt": 4}}]}', True),
        ('{"$nor": [{"name": "ECB_FX"}]}', False),
        ('{"name": {"$regex": "ecb", "$options": "i"}, "version": {"$in": [1, 3]}, "tags": {"$ne": "x"}}', True),
        ('{"start": {"$gte": "2021-07-23", "$lte": "2021-07-23"}, "body.none": null}', True),
    ],
)
def test_a_filter_joins_conditions(asked: str, found: bool) -> None:  # noqa: FBT001 - a table's column
    assert ask("_filter", asked) is found


@pytest.mark.parametrize(
    ("asked", "at", "what"),
    [
        ("", 1, "expected a condition"),
        ("name", 1, "expected a condition"),
        ("name=", 6, "a value is missing"),
        ("name=A status=B", 8, "expected and, or"),
        ("name=A and", 11, "expected a condition"),
        ("name=A or or", 11, "expected a condition"),
        ("(name=A", 1, "closing parenthesis is missing"),
        ("name=A)", 7, "a ) without ("),
        ("()", 2, "expected a condition"),
        ("a=1 and start=range(2021-07-19", 31, "closing parenthesis is missing"),
        ("a=1 and start=range(2021-07-19,x)", 32, "'x' is not an instant"),
        ("a=near(1)", 3, "unknown function near()"),
        ("a=regex((a)", 12, "closing parenthesis is missing"),
        ('a=regex("(a")', 9, "missing )"),
        ("a=regex((?=a))", 9, "invalid perl operator"),
        ("start=regex(2021)", 13, "looks into texts"),
        ("version=yes", 9, "is not a number"),
        ("enabled=1", 9, "is not true or false"),
        ("a=in()", 6, "a value is missing"),
        ("a=in(1,,2)", 8, "a value is missing"),
        ('a=in("x" 1)', 6, "expected a comma"),
        ('a="x', 3, "the quotes are not closed"),
        ("a.=1", 1, "is no field"),
        ("__proto__=1", 1, "there is no field"),
        ("a=gt(1)x", 8, "expected and, or"),
        ("a=\x00", 3, "NUL"),
        ('{"a": }', 7, "no JSON"),
        ('{"a": {"$where": 1}}', 2, "unknown operator $where"),
        ('{"$where": 1}', 2, "is no field"),
        ('{"a": {"b": 1}}', 2, "unknown operator b"),
        ('{"a": NaN}', 1, "NaN"),
        ("[" * 5000, 1, "expected a condition"),
        ('{"a":' * 1500, 1, "nested too deeply"),
    ],
)
def test_a_malformed_filter_says_where(asked: str, at: int, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        ask("_filter", asked)
    assert what in refused.value.what
    assert refused.value.where.endswith(f"character {at}")


def test_deep_filters_are_right_or_refused() -> None:
    """One that is read in a time that grows faster than the filter would not end within a test's."""
    assert ask("_filter", "(" * 1000 + "name=ECB_FX" + ")" * 1000)
    for deep in (
        "(" * 9999,
        "(a=1 or (b=2 and " * 500,
        "a=in(" + "1," * 4000,
        "a=" + '"' * 9000,
        "a=regex(" + "(" * 900 + ")" * 901,
    ):
        with pytest.raises(UsageError):
            ask("_filter", deep)
    with pytest.raises(UsageError, match="nested more than 40 deep"):
        ask("_filter", "(a=1 or (b=2 and " * 60 + "c=3" + "))" * 60)
    with pytest.raises(UsageError, match="more than 200 conditions"):
        ask("_filter", " or ".join(["a=1"] * 201))


@given(
    st.text(st.sampled_from("()\"'\\=, and|-$[]{}:0a.\x00é"), max_size=30),
    st.sampled_from(["_filter", "_search", "_sort", "_project", "_aggregate", "a"]),
)
def test_any_text_is_read_or_refused(written: str, parameter: str) -> None:
    try:
        assert parse([(parameter, written)]).matches(RECORD) in (True, False)
    except UsageError as error:
        assert error.where.startswith(f"parameter {parameter}")  # noqa: PT017 - either is right, and nothing else


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", True),
        ("ecb", True),
        ("ecb completed", True),
        ("ecb -completed", False),
        ("boe | ecb", True),
        ("boe | (ecb -test)", True),
        ("-(boe | ecb)", False),
        ('"completed successfully"', True),
        ('"completed  successfully"', False),
        ('"manual(ada)"', True),
        ("^ecb_..$", True),
        ("service=et service==ETL", True),
        ("service==etl", False),
        ("a - b", False),
    ],
)
def test_a_search_looks_for_words(asked: str, found: bool) -> None:  # noqa: FBT001 - a table's column
    assert ask("_search", asked) is found


@pytest.mark.parametrize("asked", ["(", ")", "|", "a |", "()", "a)", "(a", "[", '"a', "a**"])
def test_a_malformed_search_says_where(asked: str) -> None:
    with pytest.raises(UsageError, match="character"):
        ask("_search", asked)


def test_an_expression_that_explodes_elsewhere_comes_to_its_end() -> None:
    """Where all ways to match are tried one after the other, there are more of them than a test has time for."""
    document = {"a": "a" * 100_000, "name": "x" * 100_000}
    assert not parse([("a", "regex((a+)+$b)")]).matches(document)
    assert not parse([("_search", "x+x+y")]).matches(document)
    assert not parse([("a", "regex((a|aa)*c)")]).matches(document)


ROWS: list[dict[str, Any]] = [
    {"_id": "1", "name": "B", "n": 2, "deep": {"x": 1, "y": [{"z": 1, "w": 2}, 3]}},
    {"_id": "2", "name": "A", "n": 10},
    {"_id": "3", "n": "text"},
    {"_id": "4", "name": "A", "n": None},
]


def listed(*parameters: tuple[str, str]) -> str:
    return "".join(one["_id"] for one in parse(parameters).select(ROWS, lambda one: one))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("name", "3241"),
        ("-name", "1243"),
        ("name,-n", "3241"),
        ('{"name": -1, "n": 1}', "1423"),
        (" n , _id", "4123"),
        ("-n,_id", "3214"),
    ],
)
def test_a_list_is_sorted(asked: str, found: str) -> None:
    assert listed(("_sort", asked)) == found


@pytest.mark.parametrize(
    "asked", ["", ",", "name,", "a..b", "{}", '{"a": 2}', '{"a": true}', "[1]", "a,b,c,d,e,f,g,h,i"]
)
def test_no_order_is_refused(asked: str) -> None:
    with pytest.raises(UsageError, match="parameter _sort"):
        listed(("_sort", asked))


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("name", {"_id": "1", "name": "B"}),
        ("deep.x,n", {"_id": "1", "n": 2, "deep": {"x": 1}}),
        ("deep.y.z", {"_id": "1", "deep": {"y": [{"z": 1}]}}),
        ('{"name": 1, "_id": 0}', {"name": "B"}),
        ('{"deep": 0, "n": 0}', {"_id": "1", "name": "B"}),
        ('{"deep.y": 0, "_id": 0}', {"name": "B", "n": 2, "deep": {"x": 1}}),
        ('{"_id": 1}', {"_id": "1"}),
    ],
)
def test_a_projection_shows_some_fields(asked: str, shown: dict[str, Any]) -> None:
    assert parse([("_project", asked)]).shown(ROWS[0]) == shown


@pytest.mark.parametrize("asked", ["", "a,", '{"a": 1, "b": 0}', "{}", '{"a": "x"}', "a b"])
def test_no_projection_is_refused(asked: str) -> None:
    with pytest.raises(UsageError, match="parameter _project"):
        parse([("_project", asked)])


def test_field_info_counts_documents_and_gives_their_filter() -> None:
    asked = parse([("_fieldinfo", "name")])
    assert asked.summary is not None
    assert asked.summary.of(ROWS) == [
        {"_id": "A", "count": 2, "filter": "name=A"},
        {"_id": "B", "count": 1, "filter": "name=B"},
    ]


@pytest.mark.parametrize(
    "stages",
    [
        *(
            "[]x",
            "{}",
            "[1]",
            '[{"$match": 1}]',
            '[{"$match": {}, "$limit": 1}]',
            '[{"$project": {}}]',
            '[{"$limit": 0}]',
        ),
        *('[{"$limit": 1}, {"$match": {}}]', '[{"$sort": {"a": 1}}, {"$group": {"_id": null}}]', '[{"$group": {}}]'),
        *('[{"$group": {"_id": "name"}}]', '[{"$group": {"_id": null, "a": {"$push": "$a"}}}]', '[{"$sort": {}}]'),
        *('[{"$group": {"_id": null}}, {"$group": {"_id": null}}]', '[{"$group": {"_id": null, "a b": {"$sum": 1}}}]'),
    ],
)
def test_no_pipeline_is_refused(stages: str) -> None:
    with pytest.raises(UsageError, match="parameter _aggregate"):
        parse([("_aggregate", stages)])


def test_a_pipeline_groups_what_matches() -> None:
    stages = [
        {"$match": {"name": {"$ne": None}}},
        {"$group": {"_id": "$name", "runs": {"$count": {}}, "most": {"$max": "$n"}, "mean": {"$avg": "$n"}}},
        {"$match": {"runs": {"$gte": 1}}},
        {"$sort": {"runs": -1}},
        {"$limit": 1},
    ]
    asked = parse([("_aggregate", json.dumps(stages))])
    assert asked.summary is not None
    found = asked.select(ROWS, lambda one: one)
    assert asked.summary.of(found) == [{"_id": "A", "runs": 2, "most": 10, "mean": 10}]


def test_a_pipeline_without_groups_is_a_list() -> None:
    assert listed(("_aggregate", '[{"$match": {"n": {"$gt": 1}}}, {"$sort": {"n": -1}}, {"$limit": 1}]')) == "2"


@pytest.mark.parametrize("beside", ["_sort", "_project", "_fieldinfo", "_aggregate"])
def test_what_does_not_go_together_is_refused(beside: str) -> None:
    value = "[]" if beside == "_aggregate" else "name"
    with pytest.raises(UsageError, match="does not go together with _distinct"):
        parse([("_distinct", "name"), (beside, value)])


@pytest.mark.parametrize(("name", "value"), [("_distinct", "a"), ("_project", "a"), ("_fieldinfo", "a")])
def test_readers_of_whole_documents_refuse_parts(name: str, value: str) -> None:
    with pytest.raises(UsageError, match="is for programs"):
        parse_whole([(name, value)])
    assert parse_whole([("_sort", "a")]).whole


def test_a_parameter_stands_once_and_a_field_as_often_as_needed() -> None:
    with pytest.raises(UsageError, match="given twice"):
        parse([("_filter", "a=1"), ("_filter", "a=2")])
    assert parse([("tags", "fx"), ("tags", "daily")]).matches(RECORD)
