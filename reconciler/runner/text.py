"""What a script wrote, made harmless: UTF-8, no terminal control, whole lines of bounded length (SPEC 8, 11).

A log line reaches terminals, a web page and a git branch for ever, so escape sequences, control characters and
bidirectional overrides go before anything is kept. Tab and newline stay; a carriage return ends a line.
"""

import codecs
import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.runner.masks import Masks

LINE_LIMIT = 16_384
"""Characters of one line that are kept; what was cut is said at its end."""

_DELETED = bytes(code for code in (*range(0x20), 0x7F) if chr(code) not in "\t\n\r\x1b\x07")
_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, screen
    r"|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)"  # OSC: titles, links, clipboard
    r"|\x1b[PX^_][^\x1b\n]*\x1b\\"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"  # two characters, and character sets
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\n]*\x1b?|[ -/]*)\Z")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_LONGEST_SEQUENCE = 4096


def clean(text: str) -> str:
    """Take escape sequences, control characters and bidirectional overrides out of a whole text; lines end in LF."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", _SEQUENCES.sub("", text) if "\x1b" in text else text)


def cut(line: str, limit: int = LINE_LIMIT, more: int = 0) -> str:
    """Cut a line to the limit and say how much is missing; ``more`` characters are missing already."""
    missing = len(line) - limit + more if len(line) > limit else more
    return f"{line[:limit]} [{missing} more characters]" if missing else line


class Stream:
    """One pipe of a script: chunks of bytes in, whole lines of harmless, masked text out.

    Nothing grows with the output: a line without an end keeps its first ``LINE_LIMIT`` characters, a secret that may
    have begun keeps as many as the secret is long.
    """

    def __init__(self, masks: "Masks") -> None:
        self._masks = masks
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
        self._sequence = ""
        self._held = ""
        self._line = ""
        self._cut = 0

    def feed(self, chunk: bytes, *, final: bool = False) -> str:
        """Give the lines a chunk completed, as one text in which each ends with LF; ``final`` ends the last one."""
        text = self._clean(self._decoder.decode(chunk.translate(None, _DELETED), final), final=final)
        if self._masks:
            text, self._held = self._masks.part(self._held + text, final=final)
        elif self._held:
            text, self._held = self._held + text, ""
        whole, newline, rest = text.rpartition("\n")
        lines = self._join(whole) if newline else ""
        self._line += rest
        if len(self._line) > LINE_LIMIT:
            self._cut += len(self._line) - LINE_LIMIT
            self._line = self._line[:LINE_LIMIT]
        if final and self._line:
            lines += self._join("")
        return lines

    def _join(self, text: str) -> str:
        """Put the beginning kept from earlier chunks before the lines that complete it."""
        if not self._line:
            return text + "\n"
        first, newline, others = text.partition("\n")
        first = cut(self._line + first, more=self._cut)
        self._line, self._cut = "", 0
        return first + newline + others + "\n"

    def _clean(self, text: str, *, final: bool) -> str:
        text = self._sequence + text if self._sequence else text
        self._sequence = ""
        if "\x1b" in text:
            text = _SEQUENCES.sub("", text)
            unfinished = _UNFINISHED.search(text, max(0, len(text) - _LONGEST_SEQUENCE))
            if unfinished and not final:
                self._sequence = unfinished[0]
                text = text[: unfinished.start()]
        elif text.isascii() and "\x07" not in text:
            return text
        return _CONTROLS.sub("", text)
