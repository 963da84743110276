"""Secrets kept out of everything that is written: a value and the forms it is likely to take become ``***``.

Meets attack class 8 (secrets in run logs, here for ever, in git). Line breaks do not count: a value that a tool wrapped
over several lines, as base64 does, is found all the same.
"""

import base64
import json
import re
from bisect import bisect_right
from urllib.parse import quote, quote_plus

from reconciler.runner.text import clean

STARS = "***"
_LEAST = 4
"""Encoded forms and single lines of a value shorter than this would star out innocent text; the value never is."""

_SLACK = 1024
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}")


def forms(value: str) -> frozenset[str]:
    """A value and how it looks in base64 (at any of its three alignments), in a URL, in JSON, and line by line."""
    texts = {value, value.strip(), *(line.strip() for line in value.splitlines())}
    found = {text for text in (value, value.strip()) if text.strip()}
    for text in texts:
        encoded = {text, *_base64(text.encode(errors="replace")), *_url(text), *_json(text)}
        found |= {form for form in encoded if len(form) >= _LEAST}
    squeezed = {_alike(clean(form).replace("\n", "")) for form in found}
    return frozenset(form for form in squeezed if form)


def _alike(text: str) -> str:
    """Write hexadecimal escapes, of which both cases are in use, in small letters; no length changes."""
    return _ESCAPE.sub(lambda match: match[0].lower(), text) if "%" in text or "\\u" in text else text


def _base64(data: bytes) -> set[str]:
    """The part of base64 text that depends on the data alone, wherever in a group of three bytes the data begins."""
    found = set()
    for tail in (b"", b"\n"):  # `echo secret | base64` ends it with a newline
        for shift in range(3):
            text = base64.b64encode(b"\0" * shift + data + tail).decode()
            own = text[(0, 2, 3)[shift] : (shift + len(data + tail)) * 8 // 6]
            found |= {own, own.replace("+", "-").replace("/", "_")}
        whole = base64.b64encode(data + tail).decode().rstrip("=")
        found |= {whole, whole.replace("+", "-").replace("/", "_")}
    return found


def _url(text: str) -> set[str]:
    return {
        quote(text, safe="", errors="replace"),
        quote(text, errors="replace"),
        quote(text, safe="!'()*", errors="replace"),  # encodeURIComponent
        quote_plus(text, errors="replace"),
    }


def _json(text: str) -> set[str]:
    escaped = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return escaped | {form.replace("/", "\\/") for form in escaped}


class Masks:
    """The values an execution keeps secret. Empty, and so false, until one is added."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()
        self._longest = 0

    def __bool__(self) -> bool:
        """Whether there is anything to keep secret."""
        return bool(self._forms)

    def add(self, value: str) -> None:
        """Keep a value secret from here on; blank values are ignored."""
        self._forms = tuple(sorted({*self._forms, *forms(value)}, key=len, reverse=True))
        self._longest = len(self._forms[0]) if self._forms else 0

    def text(self, text: str) -> str:
        """Mask a whole text."""
        return self.part(text, final=True)[0] if self._forms else text

    def part(self, text: str, *, final: bool) -> tuple[str, str]:
        """Mask one part of a stream; give it, and the end that must wait because a value may have begun in it."""
        squeezed = _alike(text.replace("\n", ""))
        breaks = _breaks(text) if len(squeezed) < len(text) else []
        spans = [
            (start + bisect_right(breaks, start), end + bisect_right(breaks, end - 1))
            for start, end in self._spans(squeezed)
        ]
        stop = len(text)
        begun = len(squeezed) if final else self._begun(squeezed)
        if begun < len(squeezed):
            begun += bisect_right(breaks, begun)
            # A longer value may go on where a shorter one was found, so what overlaps waits too, but not for ever.
            begun = next((start for start, end in spans if start < begun < end), begun)
            stop = begun if stop - begun <= 4 * self._longest + _SLACK else stop
        parts: list[str] = []
        last = 0
        for start, end in spans:
            if end > stop:
                break
            parts += (text[last:start], STARS)
            last = end
        return "".join((*parts, text[last:stop])), text[stop:]

    def _spans(self, squeezed: str) -> list[tuple[int, int]]:
        """Where the values stand, in order, overlapping ones as one."""
        found = []
        for form in self._forms:
            start = squeezed.find(form)
            while start >= 0:
                found.append((start, start + len(form)))
                start = squeezed.find(form, start + 1)
        merged: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def _begun(self, squeezed: str) -> int:
        """Where the earliest value begins that the text ends in the middle of; its length if there is none."""
        earliest = len(squeezed)
        for form in self._forms:
            start = squeezed.find(form[0], max(0, len(squeezed) - len(form) + 1))
            while 0 <= start < earliest:
                if form.startswith(squeezed[start:]):
                    earliest = start
                start = squeezed.find(form[0], start + 1)
        return earliest


def _breaks(text: str) -> list[int]:
    """For each line break, how many other characters stand before it."""
    found, count = [], 0
    for line in text.split("\n")[:-1]:
        count += len(line)
        found.append(count)
    return found
