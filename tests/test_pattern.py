"""Patterns of strangers: what is simple is matched as Python matches it, what could hang is refused."""

import importlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.pattern import LONGEST, ecma, simple

PARSER: Any = importlib.import_module("re._parser")  # as the engine itself reads a pattern
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


class Walk:
    """Matches as a backtracking engine does that never gives up: every way through a text, every step counted."""

    def __init__(self, regex: re.Pattern[str], subject: str) -> None:
        self.steps = 0
        self._subject = subject
        self._parts = list(PARSER.parse(regex.pattern, re.ASCII))

    def search(self) -> int:
        """Take every way from every place; give the steps."""
        for start in range(len(self._subject) + 1):
            for _ in self._ways(self._parts, start):
                pass
        return self.steps

    def _ways(self, parts: list[Any], at: int) -> Iterator[int]:
        if not parts:
            yield at
            return
        kind, what = parts[0]
        for end in self._part(kind, what, at):
            yield from self._ways(parts[1:], end)

    def _part(self, kind: object, what: Any, at: int) -> Iterator[int]:
        match str(kind):
            case "BRANCH":
                for each in what[1]:
                    yield from self._ways(list(each), at)
            case "SUBPATTERN":
                yield from self._ways(list(what[3]), at)
            case "MAX_REPEAT" | "MIN_REPEAT":
                yield from self._repeat(what, at, 0)
            case "AT":
                self.steps += 1
                if at == (0 if str(what) == "AT_BEGINNING" else len(self._subject)):
                    yield at
            case "ASSERT_NOT" | "FAILURE":  # the empty set
                self.steps += 1
            case _:
                self.steps += 1
                if at < len(self._subject) and one_of(kind, what, self._subject[at]):
                    yield at + 1

    def _repeat(self, what: Any, at: int, count: int) -> Iterator[int]:
        least, most, inner = what
        if count >= least:
            yield at
        for end in self._ways(list(inner), at) if count < most else ():
            if end > at or count < least:
                yield from self._repeat(what, end, count + 1)


def one_of(kind: object, what: Any, character: str) -> bool:
    if str(kind) == "IN":
        rest = [each for each in what if str(each[0]) != "NEGATE"]
        return (len(rest) < len(what)) != any(one_of(each[0], each[1], character) for each in rest)
    found: dict[str, Callable[[], object]] = {
        "LITERAL": lambda: ord(character) == what,
        "NOT_LITERAL": lambda: ord(character) != what,
        "ANY": lambda: character != "\n",
        "RANGE": lambda: what[0] <= ord(character) <= what[1],
        "CATEGORY": lambda: character.isdigit() or "SPACE" in str(what),  # of [^] are both \s and \S
    }
    return bool(found[str(kind)]())


SUBJECTS = ("a" * 12, "ab" * 5, "b" * 9 + "\n", "1" * 9, "-,12ab")


@settings(max_examples=300)
@given(PATTERNS)
@example("a*a*b")
@example("^a*a*a*$")
@example("(ab)*(ab)*c")
@example("a?a?a?a?a*a*b")
@example("(a|b)(a|b)*")
@example("[^a]*[^1]*[a-b1]+,")
def test_no_text_costs_more_steps_than_were_reckoned(text: str) -> None:
    try:
        read = simple(text)
    except ValueError:
        return
    for subject in SUBJECTS:
        if read.cost(len(subject)) < 20_000:
            once = len(text) * (len(subject) + 1)  # each part looked at once from each place is not worth reckoning
            assert Walk(read.regex, subject).search() <= read.cost(len(subject)) + once


@given(PATTERNS)
def test_what_is_affordable_ends_on_texts_that_almost_match(text: str) -> None:
    """It has no clock: what were reckoned wrong by a power of the length would not end before the timeout."""
    try:
        read = simple(text)
    except ValueError:
        return
    length = 1
    while length < 4096 and read.cost(length * 2) < AFFORDABLE:
        length *= 2
    for subject in ("a" * length, "ab" * (length // 2), "b" * length + "\n", "1" * length):
        read.regex.search(subject)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("^[[]$", "[", "]"),
        ("^[a&&b]$", "&", "c"),
        ("^[a||b]$", "|", "&"),
        ("^[--/]$", ".", ","),
        ("^[^--/]$", ",", "."),
        ("^[a-]$", "-", "b"),
        ("^[\\]a]$", "]", "b"),
        ("^[a-c\\d_]$", "b", "-"),
        ("^[^^]$", "a", "^"),
        ("^[^]$", "\n", ""),
        ("^[]?$", "", "]"),
        ("^[\\u0041-\\x43]$", "B", "D"),
    ],
)
def test_a_set_means_what_ecma_says(text: str, inside: str, outside: str) -> None:
    assert ecma(text).search(inside)
    assert not ecma(text).search(outside)


@pytest.mark.parametrize("text", ["^a*a*a*$", "a*a*b", ".*.*.*x", "^a?a?a?a?a?a?a*a*b", "(ab)*(ab)*c"])
def test_many_repetitions_cost_what_they_may_take(text: str) -> None:
    assert simple(text).cost(10_000) > AFFORDABLE
    assert simple(text).cost(10) < AFFORDABLE
