"""Differences of documents: told field by field, in one order, and enough to make the one of the other."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.difference import ABSENT, Difference, differences

SCALARS = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 1.5]) | st.text("ab.\n", max_size=2)
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd."), inner, max_size=4)
)


def apply(document: Any, found: Iterable[Difference]) -> Any:
    """Do to a copy of a document what ``differences`` found."""
    changed: Any = [deepcopy(document)]
    # What came is put in from the front, what went is taken out from the back: so all places stay right.
    order = list(found)
    gone = [each for each in order if each.new is ABSENT]
    for each in (*(each for each in order if each.new is not ABSENT), *reversed(gone)):
        place: Any = changed
        last: Any = 0
        for step in each.path:
            place, last = place[last], step
        if each.new is ABSENT:
            del place[last]
        elif each.old is ABSENT and isinstance(place, list):
            place.insert(last, deepcopy(each.new))
        else:
            place[last] = deepcopy(each.new)
    return changed[0]


def texts(old: Any, new: Any) -> list[str]:
    return [each.text() for each in differences(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ({"cron": "0 6 * * *"}, {"cron": "0 7 * * *"}, ['cron: "0 6 * * *" -> "0 7 * * *"']),
        ({}, {"timeout": "10m"}, ['timeout: added "10m"']),
        ({"timeout": "10m"}, {}, ['timeout: removed (was "10m")']),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 3, "d": 2}}}, ["a.b.c: 1 -> 3"]),
        ({"a": None}, {}, ["a: removed (was null)"]),
        ({"a": 1}, {"a": True}, ["a: 1 -> true"]),
        ({"a": 1}, {"a": 1.0}, ["a: 1 -> 1.0"]),
        ({"a": 1}, {"a": {"b": 1}}, ['a: 1 -> {"b": 1}']),
        ({"tags": ["a", "b"]}, {"tags": ["a", "c"]}, ['tags: ["a", "b"] -> ["a", "c"]']),
        ({"tags": ["a", "b"]}, {"tags": ["a", "x", "b"]}, ['tags[1]: added "x"']),
        ({"tags": ["a", "b", "c"]}, {"tags": ["a"]}, ['tags[1]: removed (was "b")', 'tags[2]: removed (was "c")']),
        ({"tags": ["a", "b"]}, {"tags": ["c"]}, ['tags: ["a", "b"] -> ["c"]']),
        ({"tags": []}, {"tags": ["c"]}, ['tags: [] -> ["c"]']),
        (
            {"phases": [{"name": "A", "retries": 1}, {"name": "B"}]},
            {"phases": [{"name": "A", "retries": 2}, {"name": "B", "delay": "1s"}]},
            ["phases[0].retries: 1 -> 2", 'phases[1].delay: added "1s"'],
        ),
        ({"a.b": 1}, {"a.b": 2}, ['"a.b": 1 -> 2']),
        ({"a": {"": 1}}, {"a": {"": 2}}, ['a."": 1 -> 2']),
        (1, 2, [".: 1 -> 2"]),
        ({"größe": "ß"}, {"größe": "日本"}, ['größe: "ß" -> "日本"']),
        ({"run": "a\nb"}, {"run": "a\nc"}, [r'run: "a\nb" -> "a\nc"']),
        ({"b": 1, "a": 1}, {"a": 1, "b": 1}, []),
    ],
)
def test_each_field_is_told(old: Any, new: Any, told: list[str]) -> None:
    assert texts(old, new) == told


def test_the_order_is_that_of_the_old_document_and_then_of_the_new() -> None:
    old, new = {"z": 1, "m": 1, "a": 1}, {"q": 2, "a": 2, "m": 2, "b": 2}
    assert [each.field for each in differences(old, new)] == ["z", "m", "a", "q", "b"]


def test_a_long_value_is_cut_where_asked() -> None:
    found = Difference(("a",), "x" * 100, ABSENT)
    assert found.text(10) == 'a: removed (was "xxxxxxxx…)'
    assert "x" * 100 in found.text()


def test_the_document_has_only_the_sides_there_are() -> None:
    (came,) = differences({}, {"a": None})
    assert came.to_document() == {"field": "a", "path": ["a"], "new": None}
    (other,) = differences({"a": [{"b": 1}]}, {"a": [{"b": 2}]})
    assert other.to_document() == {"field": "a[0].b", "path": ["a", 0, "b"], "old": 1, "new": 2}


@given(DOCUMENTS)
def test_a_document_does_not_differ_from_itself(document: Any) -> None:
    assert differences(document, document) == ()


@given(DOCUMENTS, DOCUMENTS)
def test_what_differs_makes_the_one_of_the_other(old: Any, new: Any) -> None:
    before = repr(old)
    made = apply(old, differences(old, new))
    assert differences(made, new) == ()
    assert repr(old) == before


@given(st.lists(DOCUMENTS, max_size=4), st.lists(DOCUMENTS, max_size=6))
def test_lists_too(old: list[Any], new: list[Any]) -> None:
    assert differences(apply(old, differences(old, new)), new) == ()


@given(DOCUMENTS, DOCUMENTS)
def test_no_field_is_told_twice_and_none_in_another_order(old: Any, new: Any) -> None:
    found = differences(old, new)
    assert found == differences(old, new)
    assert len({(each.path, each.old is ABSENT) for each in found}) == len(found)
