"""Where each part of a YAML text begins and ends, and how it is written: what an edit in place has to know.

For a text that ``yamltext`` has read to its end, so that its limits hold here too. PyYAML's events say where a list or
mapping in block style begins, but not where it ends: its last part does.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

BLOCK, FLOW, PLAIN = "block", "flow", ""
"""How a value is written; a scalar else by its quote or indicator: ``'`` ``"`` ``|`` ``>``."""

_COLON = re.compile(r"\s*(?:#[^\n]*\n\s*)*:")
_DASH = re.compile(r"\s*(?:#[^\n]*\n\s*)*-")
_HEADER = re.compile(r"[|>][-0-9]*\+")
_BLANK_LINES = re.compile(r"(?:\r\n?|\n)[ \r\n]*\Z")
_LAST_BREAK = re.compile(r"(?:\r\n?|\n)\Z")


@dataclass(slots=True)
class Span:
    """One value in a text: ``text[start:end]``, without the line end behind it.

    ``key`` is where its key stands, ``mark`` the index behind the ``:`` or ``-`` that announces it (-1: there is none),
    and ``parts`` what a list or a mapping holds.
    """

    start: int
    end: int
    style: str
    key: tuple[int, int] | None = None
    mark: int = -1
    parts: Any = None

    @property
    def begin(self) -> int:
        """Where the whole part begins: at its key, at its dash, or at the value."""
        return self.key[0] if self.key else self.mark - 1 if self.mark > 0 else self.start

    @property
    def is_lines(self) -> bool:
        """Whether the value takes lines of its own: a list or mapping in block style, or a block text."""
        return self.style in {BLOCK, "|", ">"}


def find(text: str) -> Span | None:
    """Find the spans of a document; ``None`` where it holds no value at all. Of a key given twice, the first counts."""
    parser: Any = yaml.CBaseLoader(text)
    stack: list[_Open] = []
    root: Span | None = None
    while (event := parser.get_event()) is not None:
        end: Any = event.end_mark
        if isinstance(event, yaml.CollectionEndEvent):
            stack.pop().close(end.index)
        elif isinstance(event, yaml.NodeEvent):
            if stack and stack[-1].wants_key:
                stack[-1].take_key(event)
                continue
            span = _span(text, event)
            if stack:
                stack[-1].add(text, span)
            elif root is None:
                root = span
            if span.parts is not None:
                stack.append(_Open(span))
    return None if root is None or (root.parts is None and root.start == root.end) else root


def _span(text: str, event: Any) -> Span:
    start, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, yaml.CollectionStartEvent):
        parts: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        return Span(start, end, FLOW if event.flow_style else BLOCK, parts=parts)
    style = getattr(event, "style", None) or PLAIN
    if style in {"|", ">"}:
        # Blank lines behind it are part of the text only where it keeps them.
        ending = _LAST_BREAK if _HEADER.match(text, start) else _BLANK_LINES
        end = start + len(ending.sub("", text[start:end]))
    return Span(start, end, style)


class _Open:
    """A list or mapping whose parts are being found."""

    __slots__ = ("_key", "_last", "_span", "wants_key")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._last = span.start
        self._key: tuple[str, int, int] | None = None
        self.wants_key = isinstance(span.parts, dict)

    def take_key(self, event: Any) -> None:
        """Remember the key of the part to come."""
        name = event.value if isinstance(event, yaml.ScalarEvent) else ""
        self._key, self.wants_key = (name, event.start_mark.index, event.end_mark.index), False

    def add(self, text: str, span: Span) -> None:
        """Take the next part in."""
        self._settle()
        if self._key is None:
            if self._span.style is BLOCK:
                span.mark = _behind(_DASH, text, self._last)
            self._span.parts.append(span)
            return
        name, *place = self._key
        span.key = (place[0], place[1])
        span.mark = _behind(_COLON, text, place[1])
        self._key, self.wants_key = None, True
        self._span.parts.setdefault(name, span)

    def close(self, end: int) -> None:
        """End where the last part does, or where the bracket closes."""
        self._settle()
        self._span.end = end if self._span.style is FLOW else self._last

    def _settle(self) -> None:
        """The part before is whole now: its own end is known."""
        parts = self._span.parts
        if parts:
            last = next(reversed(parts.values())) if isinstance(parts, dict) else parts[-1]
            self._last = max(self._last, last.end)


def _behind(mark: re.Pattern[str], text: str, index: int) -> int:
    found = mark.match(text, index)
    return found.end() if found else -1
