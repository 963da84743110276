"""Names out of git that may become files, and names that may be written to git (attack classes 1, 2 and 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.repo import paths

DISGUISES = [
    ".git",
    ".GIT",
    ".Git",
    ".git.",
    ".git ",
    ".git . .",
    "git~1",
    "GIT~2",
    ".git::$INDEX_ALLOCATION",
    ".git:x",
]
INVISIBLE = [".g\u200cit", "\u200d.git", ".gi\ufefft", ".git\u2060"]
ESCAPES = ["", ".", "..", "a/../b", "../evil", "a/..", "/etc/passwd", "a//b", "a/", "./a", "a\\b", "..\\evil", "C:\\x"]
CONTROLS = ["a\nb", "a\x00b", "a\x1b[2Jb", "a\x7f", "a\x85b", "a\u2028b", "\t"]


@pytest.mark.parametrize("path", [*DISGUISES, *INVISIBLE, *ESCAPES, *CONTROLS, "x" * 256, "é" * 128, "a/" * 2001 + "a"])
def test_no_path_leads_out_or_means_git(path: str) -> None:
    assert not paths.is_safe(path)
    assert not paths.is_safe(f"scripts/{path}")
    assert not paths.is_safe(f"{path}/script.sh")
    assert not paths.is_published(f"2021/{path}")


@pytest.mark.parametrize(
    "path", ["a.sh", "etl/load xml.py", "ünï/日本.py", ".hidden", ".gitignore", "-rf", "a:b", "gitx"]
)
def test_ordinary_names_are_safe(path: str) -> None:
    assert paths.is_safe(path)


@pytest.mark.parametrize(
    "path",
    ["2021/07/01/ECB_FX/163000-05f1ec1a.json", "2021/07/01/A.b-c/163000-05f1ec1a~host-1.json", "state/prod-1.json"],
)
def test_records_and_state_may_be_published(path: str) -> None:
    assert paths.is_published(path)


@given(st.text(max_size=40))
def test_what_may_be_published_is_plain(path: str) -> None:
    if paths.is_published(path):
        assert paths.is_safe(path)
        assert path.isascii()
        assert not {'"', "'", " ", "\n", "\\", "*"} & set(path)


@pytest.mark.parametrize("path", ["a b", 'a"b', "é", ".a", "-a", "a/.b", "~a", "/a"])
def test_anything_else_may_not(path: str) -> None:
    assert not paths.is_published(path)


def test_bytes_that_are_no_text_are_never_safe() -> None:
    assert paths.text("ünï".encode()) == "ünï"
    assert not paths.is_safe(paths.text(b"a\xffb"))
