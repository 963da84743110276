"""Text from scripts made harmless: decoding, terminal control, lines (attack class 13)."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.runner.masks import Masks
from reconciler.runner.text import LINE_LIMIT, Stream, clean, cut

SEQUENCES = [
    "\x1b[31m",
    "\x1b[0;1;4m",
    "\x1b[2J",
    "\x1b[?25l",
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil\x1b\\",
    "\x1bP1$r\x1b\\",
    "\x1b(B",
    "\x1bc",
    "\x1b7",
    "\x9b31m"[:1],
]


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_escape_sequences_leave_nothing_however_they_are_cut(sequence: str, size: int) -> None:
    data = f"a{sequence}b\n".encode()
    stream = Stream(Masks())
    parts = [stream.feed(data[start : start + size]) for start in range(0, len(data), size)]
    assert "".join(parts) + stream.feed(b"", final=True) == "ab\n"
    assert clean(f"a{sequence}b") == "ab"


@given(st.binary(max_size=200), st.integers(1, 50))
def test_nothing_that_steers_a_terminal_survives_any_bytes(data: bytes, size: int) -> None:
    stream = Stream(Masks())
    out = "".join(stream.feed(data[start : start + size]) for start in range(0, len(data), size))
    out += stream.feed(b"", final=True)
    assert all(character.isprintable() or character in "\t\n \u2028" or ord(character) > 0xA0 for character in out)
    assert not set(out) & set(map(chr, [*range(9), *range(11, 32), *range(127, 160), 0x202E, 0x2066, 0x2028]))
    assert out == "" or out.endswith("\n")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=60), st.integers(1, 9))
def test_text_survives_being_cut_anywhere(text: str, size: int) -> None:
    data = text.encode()
    stream = Stream(Masks())
    out = "".join(stream.feed(data[start : start + size]) for start in range(0, len(data), size))
    assert out + stream.feed(b"", final=True) == (text + "\n" if text else "")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 100])
def test_every_kind_of_line_end_ends_one_line(end: str, size: int) -> None:
    data = f"a{end}b{end}".encode()
    stream = Stream(Masks())
    out = "".join(stream.feed(data[start : start + size]) for start in range(0, len(data), size))
    assert out + stream.feed(b"", final=True) == "a\nb\n"


def test_bidirectional_overrides_go() -> None:
    assert clean("user\u202e\u2066 txt.exe\u200f") == "user txt.exe"


def test_a_line_without_an_end_is_cut_and_says_so() -> None:
    stream = Stream(Masks())
    for _ in range(10):
        assert stream.feed(b"x" * 10_000) == ""
    assert stream.feed(b"\nnext\n") == f"{'x' * LINE_LIMIT} [{100_000 - LINE_LIMIT} more characters]\nnext\n"


def test_an_escape_sequence_without_an_end_holds_nothing_back_for_long() -> None:
    stream = Stream(Masks())
    assert stream.feed(b"a\x1b]0;" + b"x" * 5000) == ""
    assert stream.feed(b"\n").startswith("a]0;xxx")


@pytest.mark.parametrize("chunk", [b"x" * 65536, b"y\n" * 32768, b"\0" * 65536, b"\n" * 65536, b"\x1b]" * 32768])
def test_memory_stays_flat_whatever_comes(chunk: bytes) -> None:
    masks = Masks()
    masks.add("xy\nz" * 50)
    stream = Stream(masks)
    stream.feed(chunk)
    tracemalloc.start()
    for _ in range(20):
        stream.feed(chunk)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 300_000


def test_cut_says_how_much_is_missing() -> None:
    assert cut("abcdef", 4) == "abcd [2 more characters]"
    assert cut("abcd", 4) == "abcd"
    assert cut("abcdef", 4, more=5) == "abcd [7 more characters]"
