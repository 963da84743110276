"""Cutting and pasting in a YAML text: one value at a path is written, added or removed, and all else stays as it is.

This only goes by how the text is written. Whether it still reads as it should is proved by ``yamledit``, which is why
a strange way of writing may be missed here, and must not be anticipated.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from reconciler import yamlspan, yamlwrite
from reconciler.yamlspan import BLOCK, FLOW, PLAIN, Span

REMOVED: Any = object()
"""In place of a value: the key or the item is to go."""

_COMMENT = re.compile(r"[|>][-+0-9]*[ \t]+(#[^\r\n]*)")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_LINE_END = re.compile(r"\r\n?|\n")
_LAST_LINE_END = re.compile(r"(?:\r\n?|\n)\Z")


def put(text: str, steps: Sequence[str], value: Any) -> str:
    """Write ``value`` at a path that leads somewhere, or begins in an empty value; ``REMOVED`` takes away."""
    span, owner = yamlspan.find(text), None
    if span is None:
        return _at_end(text, yamlwrite.block(_nested(steps, value)))
    for number, step in enumerate(steps):
        rest = steps[number + 1 :]
        parts = span.parts
        if parts is None:  # an empty value, in which a mapping begins
            return _replace(text, span, owner, _nested(steps[number:], value))
        known = step in parts if isinstance(parts, dict) else int(step) < len(parts)
        if not known:
            return _add(text, span, step, _nested(rest, value))
        span, owner = parts[step if isinstance(parts, dict) else int(step)], span
    if value is not REMOVED:
        return _replace(text, span, owner, value)
    return _remove(text, span, owner)


def _nested(steps: Sequence[str], value: Any) -> Any:
    for step in reversed(steps):
        value = {step: value}
    return value


def _replace(text: str, span: Span, owner: Span | None, value: Any) -> str:
    if owner is None:
        return (
            text[: span.start] + yamlwrite.flow(value, as_json=_is_json(text, span)) + text[_line_end(text, span.end) :]
        )
    if owner.style == FLOW:
        written = _in_line(text, span, value, flow=True, as_json=_is_json(text, owner))
        if span.start < span.end:
            return text[: span.start] + written + text[span.end :]
        key_end = span.key[1] if span.key else span.start
        place = span.mark if 0 < span.mark <= span.start else key_end
        return text[:place] + (" " if place == span.mark else ": ") + written + text[place:]
    literal = isinstance(value, str) and span.style in {"|", ">"} and _is_literal(value)
    if literal or (isinstance(value, (dict, list)) and value and span.style != FLOW):
        text, place = _cleared(text, span)
        column = _column(text, owner.start)
        return _lines_at(text, place, column, value, in_list=isinstance(owner.parts, list))
    written = _in_line(text, span, value, flow=False, as_json=_is_json(text, span))
    if span.is_lines or span.start == span.end:
        text, place = _cleared(text, span)
        return f"{text[:place]} {written}{text[place:]}"
    return text[: span.start] + written + text[span.end :]


def _in_line(text: str, span: Span, value: Any, *, flow: bool, as_json: bool) -> str:
    """Write a value on one line, a text in the quotes that the one before it has."""
    if isinstance(value, str) and span.style == '"':
        return yamlwrite.in_quotes(value)
    if isinstance(value, str) and span.style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, str) and span.style == PLAIN and not as_json and text[span.start : span.end] == value:
        return value
    if flow or isinstance(value, (dict, list)):
        return yamlwrite.flow(value, as_json=as_json)
    return yamlwrite.scalar(value)


def _cleared(text: str, span: Span) -> tuple[str, int]:
    """Take a value away that stands in a block, and leave an empty one; gives the place behind its ``:`` or ``-``."""
    mark, end = span.mark, _line_end(text, span.end)
    if not span.is_lines:
        return text[:mark] + text[span.end :], mark
    line = _line_start(text, span.start)
    if line <= mark:
        comment = _COMMENT.match(text, span.start)
        return text[:mark] + (f" {comment[1]}" if comment else "") + text[end:], mark
    return _without_lines(text, line, end), mark


def _lines_at(text: str, place: int, column: int, value: Any, *, in_list: bool) -> str:
    """Write a value that takes lines of its own behind the ``:`` or ``-`` at ``place``, the comment there kept."""
    end = _line_end(text, place)
    comment = text[place:end].rstrip()
    if isinstance(value, str):
        head, lines = f" |{'' if value.endswith(chr(10)) else '-'}", value.removesuffix("\n").split("\n")
        lines = [f"  {line}" if line else "" for line in lines]
    else:
        head, lines = "", [f"  {line}" for line in yamlwrite.block(value)]
        if in_list and not comment:
            head, lines = f" {lines[0].strip()}", lines[1:]
    return (
        text[:place]
        + head
        + comment
        + _joined(text, [" " * column + line if line else "" for line in lines])
        + text[end:]
    )


def _add(text: str, span: Span, step: str, value: Any) -> str:
    """Add a key or an item at the end of a list or mapping."""
    parts = span.parts
    is_list = isinstance(parts, list)
    if span.style == BLOCK:
        last = parts[-1] if is_list else next(reversed(parts.values()))
        end = _line_end(text, last.end)
        first = parts[0].begin if is_list else span.start
        lines = yamlwrite.item(value) if is_list else yamlwrite.entry(step, value)
        indent = " " * _column(text, first)
        return text[:end] + _joined(text, [indent + line for line in lines]) + text[end:]
    as_json = _is_json(text, span)
    written = yamlwrite.flow(value, as_json=as_json)
    if not is_list:
        written = f"{yamlwrite.flow(step, as_json=as_json)}: {written}"
    if not parts:
        return text[: span.start + 1] + written + text[span.end - 1 :]
    last = parts[-1] if is_list else next(reversed(parts.values()))
    line = _line_start(text, last.begin)
    apart = "," + _newline(text) + text[line : last.begin] if not text[line : last.begin].strip() else ", "
    return text[: last.end] + apart + written + text[last.end :]


def _remove(text: str, span: Span, owner: Span | None) -> str:
    if owner is None:
        return text
    parts = list(owner.parts.values()) if isinstance(owner.parts, dict) else owner.parts
    place = next(number for number, each in enumerate(parts) if each is span)
    after = parts[place + 1] if place + 1 < len(parts) else None
    if owner.style == FLOW:
        return _remove_in_line(text, span, parts[place - 1] if place else None, is_last=after is None)
    if len(parts) == 1:
        return _emptied(text, owner)
    begin, end = span.begin, _line_end(text, span.end)
    line = _line_start(text, begin)
    if not text[line:begin].strip():
        return _without_lines(text, line, end)
    if after is not None and not text[end : after.begin].strip():  # the first part of what begins behind a dash
        return text[:begin] + text[after.begin :]
    return text[:begin].rstrip(" ") + text[end:]


def _emptied(text: str, owner: Span) -> str:
    """Write a list or mapping in block style as an empty one."""
    empty = "{}" if isinstance(owner.parts, dict) else "[]"
    if owner.mark < 0:
        return text[: owner.start] + empty + text[_line_end(text, owner.end) :]
    text, place = _cleared(text, owner)
    return f"{text[:place]} {empty}{text[place:]}"


def _remove_in_line(text: str, span: Span, before: Span | None, *, is_last: bool) -> str:
    begin = span.begin if span.key else span.start
    # JSON wants no comma at the end; a comment behind the comma, which only YAML has, stays.
    if before is not None and is_last and text[before.end : begin].strip() == ",":
        return text[: before.end] + text[span.end :]
    comma = _COMMA.match(text, span.end)
    end = comma.end() if comma else span.end
    line, line_end = _line_start(text, begin), _line_end(text, end)
    if not text[line:begin].strip() and not text[end:line_end].strip():
        return _without_lines(text, line, line_end)
    return text[:begin] + text[end:]


def _at_end(text: str, lines: list[str]) -> str:
    """Write lines behind a text that holds no value: only comments, or nothing."""
    kept = text if not text or text.endswith("\n") else text + _newline(text)
    return kept + _newline(text).join(lines) + _newline(text)


def _is_json(text: str, span: Span) -> bool:
    """Whether a list or mapping in brackets is written as JSON: all its keys and texts are in double quotes."""
    if span.style != FLOW:
        return False
    try:
        json.loads(text[span.start : span.end])
    except (ValueError, RecursionError):
        return False
    return '"' in text[span.start : span.end]


def _is_literal(value: str) -> bool:
    """Whether a text can stand as lines behind ``|``."""
    lines = value.removesuffix("\n").split("\n")
    plain = all(line.isprintable() and line == line.rstrip() for line in lines)
    return len(lines) > 1 and plain and bool(lines[-1]) and bool(lines[0]) and not lines[0].startswith(" ")


def _newline(text: str) -> str:
    found = _LINE_END.search(text)
    return found[0] if found else "\n"


def _joined(text: str, lines: Sequence[str]) -> str:
    """Lines to stand behind the end of a line, with the line ends of the text."""
    newline = _newline(text)
    return "".join(f"{newline}{line}" for line in lines)


def _line_start(text: str, index: int) -> int:
    return max(text.rfind("\n", 0, index), text.rfind("\r", 0, index)) + 1


def _line_end(text: str, index: int) -> int:
    """Where a line ends, in front of its line end."""
    found = _LINE_END.search(text, index)
    return found.start() if found else len(text)


def _column(text: str, index: int) -> int:
    return index - _line_start(text, index)


def _without_lines(text: str, begin: int, end: int) -> str:
    """Take whole lines away; what ended without a line end does so still."""
    newline = _LINE_END.match(text, end)
    if newline is None:
        return _LAST_LINE_END.sub("", text[:begin])
    return text[:begin] + text[newline.end() :]
