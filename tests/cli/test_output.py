"""The forms of an answer."""

import json
import unicodedata
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli import output

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
WORDS = [
    "yes",
    "No",
    "on",
    "null",
    "~",
    "1e3",
    "0x1f",
    "12:30",
    "2021-07-01",
    "a: b",
    "a #b",
    "- a",
    "{a}",
    "",
    " a",
    "a ",
]


@given(DOCUMENTS)
def test_yaml_reads_back_as_the_document(document: Any) -> None:
    assert yaml.safe_load(output.to_yaml(document)) == document


@pytest.mark.parametrize("word", WORDS)
def test_a_text_that_looks_like_something_else_is_quoted(word: str) -> None:
    assert output.to_yaml({"key": word}) == f"key: {json.dumps(word)}"


def test_yaml_is_for_people_to_read() -> None:
    document = {"name": "ECB_FX", "cron": ["46 12 * * *"], "input": {"url": "https://example.org"}, "tags": []}
    assert output.to_yaml(document) == (
        "name: ECB_FX\n"
        "cron:\n"
        '  - "46 12 * * *"\n'
        "input:\n"
        '  url: "https://example.org"\n'
        "tags: []"
    )  # fmt: skip


@given(st.text())
def test_yaml_never_steers_a_terminal(text: str) -> None:
    shown = output.to_yaml({"a": [text]})
    assert not [c for c in shown if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


def test_names_are_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.show("name", [{"a": 1}], names=["one", "two\x1b[2J"], table=lambda: "")
    assert capsys.readouterr().out == "one\ntwo\\x1b[2J\n"


def test_json_is_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    answer = [{"name": "ECB_FX", "message": "grün"}]
    output.show("json", answer, names=[], table=lambda: "")
    printed = capsys.readouterr().out
    assert json.loads(printed) == answer
    assert "grün" in printed


def test_an_instant_is_brief_in_tables() -> None:
    assert output.brief("2021-07-01T16:30:07.858Z") == "2021-07-01 16:30:07Z"
    assert output.brief(None) == "-"
