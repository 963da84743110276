"""Patterns of strangers: what is simple is matched as Python matches it, what could hang is refused."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.pattern import LONGEST, ecma, simple

AFFORDABLE = 20_000_000


@pytest.mark.parametrize(
    "text",
    [
        *("^https?://", "^[A-Z]{3}$", "^\\d{4}-\\d{2}-\\d{2}$", "^(EUR|USD|GBP)$", "^[^@]+@[^@]+\\.[^@]+$", "", "a|b"),
        *("^(?:ab){1,3}$", "(ab)+", "a*?b", "^#[A-Z_]+\\.[A-Z]+:[A-Z]+$", "[a\\]]"),
    ],
)
def test_what_people_write_is_simple(text: str) -> None:
    assert simple(text).cost(50) < AFFORDABLE


@pytest.mark.parametrize(
    "text",
    [
        *(
            "(a+)+$",
            "(a*)*",
            "(a|a)*",
            "(a|b)+",
            "((ab)+c)*",
            "(a?){20}a{20}",
            "(?:a+){2,}",
            "(a{1,3}){1,9}",
            "(x+x+)+y",
        ),
        *("(.*)*$", "([a-z]+)*", "((a))+" + "(b?)*", "(?:(?:a)+)+", "(a{2})*", "(^a|b)*"),
    ],
)
def test_a_repetition_or_choice_inside_a_repetition_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="for ever"):
        simple(text)


@pytest.mark.parametrize(
    "text", ["(?=a)b", "(?!a)", "(?<=a)b", "(?P<n>a)", "(?i)a", "(a)\\1", "(?#x)a", "\\k<a>", "(?>a)"]
)
def test_what_reaches_beyond_a_simple_walk_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not read here"):
        simple(text)


@pytest.mark.parametrize(
    "text", ["[", "(", ")", "*", "a**", "a*+", "a{2}{3}", "[b-a]", "a{2,1}", "\\", "(a", "a)", "|*", "{,3}"]
)
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        simple(text)


@pytest.mark.parametrize(
    "text", ["a" * (LONGEST + 1), "a{1001}", "a?" * 12, "(a|b)" * 12, "(" * 128 + ")" * 128 + "x" * 2]
)
def test_what_is_too_much_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        simple(text)


def test_the_end_is_the_very_end_and_digits_are_ten() -> None:
    assert ecma("^a$").search("a\n") is None
    assert ecma("^\\d$").search("٣") is None
    assert ecma("[$]\\$x$").search("$$x") is not None
    assert ecma("(?:a|b$)").search("b\n") is None


@pytest.mark.parametrize("text", ["(", "[", "a**", "\\p{L}"])
def test_a_broken_pattern_of_ours_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        ecma(text)


PATTERNS = st.text(alphabet="ab.?*+{}()|[]^$\\d12,-", max_size=14)


@given(st.text(alphabet="ab.?*+{}()|^$12,-", max_size=14), st.text(alphabet="ab1 \n", max_size=30))
def test_what_is_simple_matches_as_python_does(text: str, subject: str) -> None:
    try:
        read = simple(text)
    except ValueError:
        return
    expected = re.compile(text.replace("$", r"\Z"), re.ASCII)
    assert (read.regex.search(subject) is None) == (expected.search(subject) is None)


@given(PATTERNS)
def test_what_is_affordable_is_quick_on_texts_that_almost_match(text: str) -> None:
    try:
        read = simple(text)
    except ValueError:
        return
    length = 1
    while length < 4096 and read.cost(length * 2) < AFFORDABLE:
        length *= 2
    began = time.process_time()
    for subject in ("a" * length, "ab" * (length // 2), "b" * length + "\n", "1" * length):
        read.regex.search(subject)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("text", ["^a*a*a*$", "a*a*b", ".*.*.*x", "^a?a?a?a?a?a?a*a*b", "(ab)*(ab)*c"])
def test_many_repetitions_cost_what_they_may_take(text: str) -> None:
    assert simple(text).cost(10_000) > AFFORDABLE
    assert simple(text).cost(10) < AFFORDABLE
