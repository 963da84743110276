"""What reaches a terminal: every character shown, none obeyed; tables that fit."""

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli import terminal
from reconciler.cli.terminal import Column

HOSTILE = [
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x9b2J",
    "over\rwritten",
    "back\x08space",
    "bell\x07",
    "right\u202eleft",
    "iso\u2066late",
    "line\u2028end",
    "zero\u200bwidth",
    "\ud800lone",
    "null\x00",
    "delete\x7f",
    "\U000e0041tag",
]


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("text", HOSTILE)
def test_control_characters_are_shown_and_never_sent(text: str) -> None:
    shown = terminal.plain(text)
    assert shown.isprintable()
    assert "\\" in shown


def test_ordinary_text_stays_as_it_is() -> None:
    text = "Müller & Söhne, 日本語, 10\u00a0€ (#1): 'x' \"y\" \\z"
    assert terminal.plain(text) == text


def test_a_tab_becomes_a_space() -> None:
    assert terminal.plain("a\tb") == "a b"


@given(st.text())
def test_no_text_whatever_reaches_the_terminal_with_a_control_character(text: str) -> None:
    assert not [c for c in terminal.plain(text) if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_made_safe_is_the_same_document(document: object) -> None:
    safe = terminal.escape_json(json.dumps(document, ensure_ascii=False, indent=2))
    assert json.loads(safe) == document
    assert not [c for c in safe if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


def test_a_table_is_as_wide_as_its_widest_cells() -> None:
    columns = [Column("NAME"), Column("RUNS", right=True), Column("MESSAGE")]
    rows = [["ECB_FX", "7", "Completed"], ["X", "123", ""]]
    assert terminal.table(columns, rows, None) == (
        "NAME    RUNS  MESSAGE\n"
        "ECB_FX     7  Completed\n"
        "X        123"
    )  # fmt: skip


def test_a_column_that_shrinks_gives_way_with_an_ellipsis() -> None:
    columns = [Column("NAME"), Column("MESSAGE", shrinks=True)]
    rows = [["ECB_FX", "a message that is far too long"]]
    lines = terminal.table(columns, rows, 20).splitlines()
    assert lines == ["NAME    MESSAGE", "ECB_FX  a message t…"]


def test_columns_that_do_not_shrink_are_never_cut() -> None:
    columns = [Column("NAME"), Column("MESSAGE", shrinks=True)]
    rows = [["a_name_that_is_longer_than_the_terminal", "message"]]
    assert "a_name_that_is_longer_than_the_terminal" in terminal.table(columns, rows, 20)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4), st.integers(min_value=30, max_value=100))
def test_no_line_of_a_table_whose_columns_shrink_is_wider_than_the_terminal(cells: list[str], width: int) -> None:
    columns = [Column("C", shrinks=True) for _ in cells]
    for line in terminal.table(columns, [cells], width).splitlines():
        assert terminal.cells_of(line) <= width


def test_wide_characters_take_two_cells_and_combining_ones_none() -> None:
    assert terminal.cells_of("日本") == 4
    assert terminal.cells_of("e\u0301") == 1
    assert terminal.cut("日本語日本語", 5) == "日本…"


def test_a_line_break_in_a_cell_does_not_break_the_table() -> None:
    assert len(terminal.table([Column("A")], [["one\ntwo"]], None).splitlines()) == 2


def test_colour_is_for_terminals_only() -> None:
    assert terminal.paint("x", "red", io.StringIO()) == "x"
    assert terminal.paint("x", "red", Screen()) == "\x1b[31mx\x1b[0m"
    assert terminal.paint_words("a failed b", Screen()) == "a \x1b[31mfailed\x1b[0m b"


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colour_gets_none(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    assert terminal.paint("x", "red", Screen()) == "x"


def test_an_empty_no_color_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert terminal.coloured(Screen())
