"""Small texts on pages mean what they say; a command that is shown can be pasted into a shell."""

import json
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.web.wording import count, level, repeat, took

START = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (0.0384, "0.0384s"),
        (0.4, "0.4s"),
        (7.587, "7.59s"),
        (59.99, "60s"),
        (60, "1m"),
        (3725.4, "1h2m5s"),
        (-3, "0s"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert took(START, START + timedelta(seconds=seconds)) == words


def test_what_has_not_started_took_nothing() -> None:
    assert took(None, START) == took(START, None) == ""


def test_things_are_counted() -> None:
    assert [count(number, "error") for number in (0, 1, 2)] == ["0 errors", "1 error", "2 errors"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2021-07-01T16:30:13.390935800Z[UTC] warn slow", "warn"),
        ("2021-07-01T16:30:13.390935800Z[UTC] fatal broken", "fatal"),
        ("2021-07-01T16:30:13.390935800Z[UTC] shouting x", "info"),
        ("Updated 32 series for 2021-07-01", "info"),
        ("", "info"),
    ],
)
def test_levels_of_log_lines(line: str, expected: str) -> None:
    assert level(line) == expected


def test_an_execution_is_repeated_at_its_commit() -> None:
    assert repeat({"name": "A", "commit": "a" * 40}) == f"procctl run A@{'a' * 40}"
    assert repeat({"name": "A"}) == ""
    assert repeat({"name": "$(reboot)", "commit": "a" * 40}) == ""
    assert repeat({"name": "A", "commit": "; reboot"}) == ""


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_the_body_survives_the_shell(body: Any) -> None:
    command = repeat({"name": "A", "commit": "a" * 40, "body": body})
    assert command.isascii()
    assert command.isprintable()
    words = shlex.split(command)
    assert words[:4] == ["procctl", "run", f"A@{'a' * 40}", "--body"]
    assert json.loads(words[4]) == body
