"""Marks in messages: what is one, and that what is written is what is read."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import marks
from reconciler.marks import MOST, Delete, Mark, Rename, Rollback, Unclear, parse

BLOB = "0123456789ab"


@dataclass
class Numbered:
    name: str
    number: int
    blob: str


def test_what_is_written_is_what_is_read() -> None:
    version = Numbered("ECB_FX", 12, BLOB + "c" * 28)
    written = [marks.rollback(version), marks.delete(version), marks.rename("ECB_FX", "ecb.fx-2")]
    assert written[0] == "Procctl-Rollback: ECB_FX@12 0123456789ab"
    assert parse("Subject\n\nBody\n\n" + "\n".join(written)) == (
        Rollback("ECB_FX", 12, BLOB),
        Delete("ECB_FX", 12, BLOB),
        Rename("ECB_FX", "ecb.fx-2"),
    )


@pytest.mark.parametrize(
    "message",
    [
        f"Procctl-Delete: A@1 {BLOB}",
        f"Subject\n\nProcctl-Delete: A@1 {BLOB}\nSigned-off-by: Ada",
        f"Squashed commit of the following:\n\n    Procctl-Delete: A@1 {BLOB}\n\n* more",
        f"Subject\r\n\r\nProcctl-Delete: A@1 {BLOB}\r\n",
        f"Subject\n\tProcctl-Delete: A@1 {BLOB}  \t\nProcctl-Delete: A@1 {BLOB}\n",
    ],
)
def test_a_mark_is_a_whole_line_anywhere(message: str) -> None:
    assert parse(message) == (Delete("A", 1, BLOB),)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Procctl",
        f"> Procctl-Delete: A@1 {BLOB}",
        f"* Procctl-Delete: A@1 {BLOB}",
        f"procctl-delete: A@1 {BLOB}",
        "Procctl-less: it is a word\u2028Procctl-Delete".replace("Procctl-less:", "Procctl-less"),
    ],
)
def test_what_only_mentions_one_is_none(message: str) -> None:
    assert parse(message) == ()


@pytest.mark.parametrize(
    "line",
    [
        "Procctl-Rollback:",
        "Procctl-Rollback: A",
        f"Procctl-Rollback: A@0 {BLOB}",
        f"Procctl-Rollback: A@01 {BLOB}",
        f"Procctl-Rollback: A@1 {BLOB.upper()}",
        f"Procctl-Rollback: A@1 {BLOB}c",
        f"Procctl-Rollback: A@1  {BLOB}",
        f"Procctl-Rollback: ../A@1 {BLOB}",
        f"Procctl-Rollback: private@1 {BLOB}",
        f"Procctl-Rollback: A@1234567890 {BLOB}",
        "Procctl-Rename: A",
        "Procctl-Rename: A B C",
        "Procctl-Rename: A ünï",
        "Procctl-Undo: A@1",
    ],
)
def test_what_looks_like_one_and_is_none_is_told(line: str) -> None:
    assert parse(f"Subject\n\n{line}\n") == (Unclear(line),)
    assert marks.names_in(Unclear(line)) == ()


def test_a_message_full_of_them_is_read_in_no_time_and_not_to_the_end() -> None:
    found = parse("\n".join(f"Procctl-Delete: A@{number} {BLOB}" for number in range(1, 5000)))
    assert len(found) == MOST + 1
    assert isinstance(found[-1], Unclear)
    (spaces,) = parse("Procctl-X: " + " " * 1_000_000 + "x")
    assert isinstance(spaces, Unclear)
    assert len(spaces.line) < 1000
    assert parse(" " * 1_000_000 + "Procctl") == ()


NAMES = st.from_regex(r"[A-Z_][A-Za-z0-9_-]{0,9}", fullmatch=True).filter(lambda name: name.lower() != "all")
BLOBS = st.from_regex(r"[0-9a-f]{12}", fullmatch=True)
NUMBERS = st.integers(1, 10**9 - 1)
MARKS = st.one_of(
    st.builds(Rollback, NAMES, NUMBERS, BLOBS),
    st.builds(Delete, NAMES, NUMBERS, BLOBS),
    st.builds(Rename, NAMES, NAMES),
)


@given(
    st.lists(MARKS, unique=True), st.text(alphabet=st.characters(exclude_characters="\n", exclude_categories=["Cs"]))
)
def test_any_list_of_marks_comes_back(given_: list[Mark], between: str) -> None:
    lines = [part for mark in given_ for part in (str(mark), f"x{between}")]
    assert parse("\n".join(lines)) == tuple(given_)
