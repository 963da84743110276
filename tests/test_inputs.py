"""The inputs of workflows: the same verdict as jsonschema's, in bounded time, in our own words."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.inputs import findings, kind, patterns, same

Calls = Callable[[Callable[[], object]], int]
MOMENT = 1_000_000
"""Calls: a tenth of a second. What spends time between calls, as a regular expression might, meets the timeout."""

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas" / "workflow.schema.json").read_text())
NUMBERS = st.integers(-5, 5) | st.sampled_from([0.5, 1.0, -2.5, 2.0])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(alphabet="ab1", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
COUNTS = st.integers(0, 3)
TYPES = st.sampled_from(["string", "number", "integer", "boolean", "object", "array", "null"])


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas with any of the keywords that a workflow's input may have."""
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=3),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": VALUES,
            "minimum": NUMBERS,
            "maximum": NUMBERS,
            "exclusiveMinimum": NUMBERS,
            "exclusiveMaximum": NUMBERS,
            "multipleOf": st.sampled_from([1, 2, 0.5, 3]),
            "minLength": COUNTS,
            "maxLength": COUNTS,
            "pattern": st.sampled_from(["^a", "b$", "^[ab]*$", "1"]),
            "items": inner,
            "minItems": COUNTS,
            "maxItems": COUNTS,
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "additionalProperties": st.booleans(),
            "minProperties": COUNTS,
            "maxProperties": COUNTS,
            "description": st.just("x"),
            "default": VALUES,
        },
    )


SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.recursive(st.just({}), keywords, max_leaves=4)


@settings(max_examples=300)
@given(SCHEMAS, VALUES)
def test_the_verdict_is_that_of_jsonschema(schema: dict[str, Any], value: Any) -> None:
    oracle = Draft202012Validator(schema)
    assert (findings({"v": schema}, (), {"v": value}) == []) == oracle.is_valid(value)


@given(SCHEMAS)
def test_all_those_keywords_are_allowed_in_a_workflow(schema: dict[str, Any]) -> None:
    document = {"phases": [{"name": "A", "script": "a.py"}], "input": {"v": schema}}
    assert Draft202012Validator(SCHEMA).is_valid(document)


def test_every_keyword_that_is_allowed_is_known_here() -> None:
    source = (Path(__file__).parents[1] / "reconciler" / "inputs.py").read_text()
    annotations = {"title", "description", "default", "examples", "format"}
    allowed = set(SCHEMA["$defs"]["input"]["properties"]) - annotations
    assert {keyword for keyword in allowed if f'"{keyword}"' not in source} == set()


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "string"}, 5, "must be a text, is a whole number"),
        ({"type": ["integer", "null"]}, "x", "must be a whole number or empty, is a text"),
        ({"type": "integer"}, 1.5, "must be a whole number, is a number"),
        ({"type": "boolean"}, 1, "must be true or false, is a whole number"),
        ({"enum": ["full", "delta"]}, "all", "must be one of full, delta"),
        ({"const": True}, 1, "must be true"),
        ({"minimum": 1}, 0, "must be at least 1"),
        ({"maximum": 1}, 2, "must be at most 1"),
        ({"exclusiveMinimum": 1}, 1, "must be greater than 1"),
        ({"exclusiveMaximum": 1}, 1, "must be less than 1"),
        ({"multipleOf": 0.1}, 0.35, "must be a multiple of 0.1"),
        ({"minLength": 1}, "", "must have at least 1 character, has 0"),
        ({"maxItems": 2}, [1, 2, 3], "must have at most 2 elements, has 3"),
        ({"minProperties": 1}, {}, "must have at least 1 key, has 0"),
        ({"pattern": "^https?://"}, "ftp://", "must match ^https?://"),
    ],
)
def test_the_words(schema: dict[str, Any], value: Any, message: str) -> None:
    assert findings({"v": schema}, (), {"v": value}) == [(("v",), message)]


def test_every_value_that_is_wrong_is_told_with_its_path() -> None:
    schema = {
        "type": "array",
        "items": {"required": ["id"], "properties": {"id": {"type": "string"}}, "additionalProperties": False},
    }
    found = findings({"list": schema, "n": {"type": "number"}}, ("url",), {"list": [{"id": 1}, {"x": 1}], "n": "1"})
    assert found == [
        (("url",), "is missing"),
        (("list", 0, "id"), "must be a text, is a whole number"),
        (("list", 1, "id"), "is missing"),
        (("list", 1, "x"), "is not known"),
        (("n",), "must be a number, is a text"),
    ]


def test_a_value_that_is_not_declared_is_free() -> None:
    assert findings({"a": {"type": "string"}}, (), {"b": {"anything": [1]}}) == []


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_numbers_that_json_does_not_have_never_raise(number: float) -> None:
    schema = {"minimum": 0, "multipleOf": 2, "type": ["number", "integer"]}
    assert findings({"v": schema}, (), {"v": number}) != []
    assert findings({"v": {"type": "integer"}}, (), {"v": number}) != []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"items": {"enum": list(range(1000))}}, ["x"] * 100_000),
        ({"items": {"pattern": "^a*a*a*$"}}, ["a" * 500 + "b"] * 1000),
        ({"pattern": "a*a*a*b"}, "a" * 100_000),
        ({"items": {"type": "string"}}, [1] * 1_000_000),
        ({"enum": [list(range(1000))] * 100}, [*range(999), "x"]),
        ({"items": {"enum": [list(range(100))] * 10}}, [[*range(99), "x"]] * 10_000),
        ({"items": {"const": list(range(1000))}}, [[*range(999), "x"]] * 10_000),
        ({"additionalProperties": False}, {str(number): 1 for number in range(100_000)}),
    ],
    ids=["enum", "pattern", "one pattern", "items", "long values", "values in many places", "one long value", "keys"],
)
def test_no_value_takes_long_to_check(schema: dict[str, Any], value: Any, calls: Calls) -> None:
    assert calls(lambda: findings({"v": schema}, (), {"v": value})) < MOMENT
    found = findings({"v": schema}, (), {"v": value})
    assert found[-1] == ((), "is too large to be checked against the workflow's input")


def test_patterns_are_found_at_every_depth_but_not_in_values() -> None:
    schema = {
        "pattern": "a",
        "items": {"pattern": "b", "default": {"pattern": "("}},
        "properties": {"pattern": {"pattern": "c"}, "x": {"properties": {"y": {"pattern": "d"}}}},
        "enum": [{"pattern": "("}],
    }
    assert list(patterns(schema)) == [
        (("pattern",), "a"),
        (("items", "pattern"), "b"),
        (("properties", "pattern", "pattern"), "c"),
        (("properties", "x", "properties", "y", "pattern"), "d"),
    ]


EQUAL: list[tuple[Any, Any]] = [(1, 1.0), ([1, [True]], [1.0, [True]]), (None, None), ({"a": [1]}, {"a": [1.0]})]
UNEQUAL: list[tuple[Any, Any]] = [(True, 1), (0, False), ({"a": 1}, {"a": True}), ({"a": 1}, {"b": 1}), ([1], [1, 2])]
UNEQUAL += [("1", 1), (None, False), ([], {}), ([True], [1])]


@pytest.mark.parametrize(
    ("one", "other", "equal"), [(*pair, True) for pair in EQUAL] + [(*pair, False) for pair in UNEQUAL]
)
def test_equality_is_that_of_json(one: Any, other: Any, *, equal: bool) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal


def test_every_value_has_a_kind() -> None:
    numbers = [kind(value) for value in (1, 1.0, 1.5)]
    others: list[Any] = ["a", True, None, [], {}]
    assert numbers == ["a whole number", "a whole number", "a number"]
    assert [kind(value) for value in others] == ["a text", "true or false", "empty", "a list", "a mapping"]
