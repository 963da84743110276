"""The depth of JSON is told without reading it, and what is refused is the same for every Python."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import nesting
from reconciler.nesting import DEEPEST

VALUES = st.recursive(
    st.none() | st.text(st.sampled_from('[]{}"\\a\n')) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('[{"\\'), max_size=3), inner),
)


@pytest.mark.parametrize(
    "text",
    ["", "[", "]", '"[', '"\\', "1", "[" * DEEPEST, "[{}" * (DEEPEST - 1), "[]" * 9999, "]" * 9999, '"' + "[" * 9999],
)
def test_what_is_not_deep_is_left_to_its_reader(text: str) -> None:
    nesting.check(text)
    nesting.check(text.encode())


@pytest.mark.parametrize("text", ["[" * (DEEPEST + 1), '{"a":' * 5000, "[" * 300 + "]" * 300, '"[" ' + "[" * 300])
def test_what_is_deep_is_refused_closed_or_not(text: str) -> None:
    for each in (text, text.encode(), b"\xff" + text.encode()):
        with pytest.raises(ValueError, match="nested too deeply, in more than 200"):
            nesting.check(each)


@given(VALUES, st.integers(0, 2 * DEEPEST), st.booleans())
def test_brackets_in_texts_do_not_count(value: Any, around: int, as_ascii: bool) -> None:  # noqa: FBT001 - drawn
    inner = json.dumps(value, ensure_ascii=as_ascii)
    text = "[" * around + inner + "]" * around
    if around + _depth(value) <= DEEPEST:
        nesting.check(text)
    else:
        with pytest.raises(ValueError, match="nested too deeply"):
            nesting.check(text)


def _depth(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(_depth, parts), default=0)
