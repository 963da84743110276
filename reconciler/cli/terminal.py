"""Text for terminals: tables that fit, colour where it is wanted, and nothing that steers the terminal.

Every name, message and log line was written by somebody else; control characters in it are shown, never obeyed
(attack class 13).
"""

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_STYLES = {
    "success": "green",
    "Synced": "green",
    "running": "cyan",
    "triggered": "cyan",
    "failed": "red",
    "error": "red",
    "Degraded": "red",
    "timeout": "red",
    "interrupted": "red",
    "cancelled": "yellow",
    "missed": "yellow",
    "skipped": "yellow",
    "held": "yellow",
    "warning": "yellow",
    "OutOfSync": "yellow",
    "disabled": "dim",
}
_GAP = "  "
_NARROWEST = 6
_ASTRAL = 0x10000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; one that ``shrinks`` gives way where the terminal is too narrow for all."""

    title: str
    shrinks: bool = False
    right: bool = False


def prepare() -> None:
    """Make standard output and error accept every character, whatever the locale can write."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def plain(text: str) -> str:
    r"""Show one line's control characters (``\x1b``, ``\u202e``) in place of obeying them; a tab becomes a space."""
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def escape_json(text: str) -> str:
    """Escape what a terminal would obey in JSON text; the document it stands for stays the same."""
    return _escape(text, _json_escape)


def escape_yaml(text: str) -> str:
    """Escape what a terminal would obey in YAML text that holds it in double quotes only."""
    return _escape(text, lambda code: f"\\u{code:04x}" if code < _ASTRAL else f"\\U{code:08x}")


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> str:
    """Lay out rows under their titles; ``width`` (cells, None: as wide as needed) is what the lines may take."""
    cells = [[column.title for column in columns], *([plain(cell) for cell in row] for row in rows)]
    sizes = [[cells_of(cell) for cell in row] for row in cells]
    widths = [max(column) for column in zip(*sizes, strict=True)]
    fitting = widths if width is None else _fit(columns, widths, width)
    if fitting != widths:
        cells = [[cut(cell, most) for cell, most in zip(row, fitting, strict=True)] for row in cells]
        sizes = [[cells_of(cell) for cell in row] for row in cells]
    return "\n".join(_line(columns, row, size, fitting) for row, size in zip(cells, sizes, strict=True))


def width_of(stream: TextIO) -> int | None:
    """The width of the terminal behind a stream; None where it is no terminal: nothing is cut in a pipe."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def coloured(stream: TextIO) -> bool:
    """Whether a stream wants colour: a terminal that is not dumb, and no ``NO_COLOR``."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str | None, stream: TextIO) -> str:
    """Colour text (``bold``, ``dim``, ``red`` …) if the stream wants it."""
    if style is None or not coloured(stream):
        return text
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


def paint_words(line: str, stream: TextIO) -> str:
    """Colour the words of a table's line that name a status."""
    if not coloured(stream):
        return line
    return " ".join(paint(word, _STYLES.get(word), stream) for word in line.split(" "))


def style_of(word: str) -> str | None:
    """The colour of a status word, if it has one."""
    return _STYLES.get(word)


def cells_of(text: str) -> int:
    """How many cells a text takes on a terminal: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def cut(text: str, width: int) -> str:
    """Shorten a text to so many cells, with an ellipsis where something is left out."""
    if cells_of(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += _cells(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + "…"


def _escape(text: str, escape: Callable[[int], str]) -> str:
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c == "\n" or _harmless(c) else escape(ord(c)) for c in text)


def _json_escape(code: int) -> str:
    return f"\\u{code:04x}" if code < _ASTRAL else json.dumps(chr(code))[1:-1]


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _harmless(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _shown(character: str) -> str:
    if character == "\t":
        return " "
    return character if _harmless(character) else character.encode("unicode_escape").decode()


def _fit(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    """Narrow the widest column that shrinks, again and again, until the line fits or none can give more."""
    widths = list(widths)
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - width
    giving = [index for index, column in enumerate(columns) if column.shrinks]
    while excess > 0:
        giving = [index for index in giving if widths[index] > _NARROWEST]
        if not giving:
            break
        widest = max(giving, key=lambda index: widths[index])
        widths[widest] -= 1
        excess -= 1
    return widths


def _line(columns: Sequence[Column], row: Sequence[str], sizes: Sequence[int], widths: Sequence[int]) -> str:
    padded = []
    for column, text, size, width in zip(columns, row, sizes, widths, strict=True):
        space = " " * (width - size)
        padded.append(space + text if column.right else text + space)
    return _GAP.join(padded).rstrip()
