"""Values as YAML 1.2 that every reader reads back the same, readers of YAML 1.1 too: in lines, or in one line."""

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+-]*(?: [A-Za-z0-9_./@(+-][A-Za-z0-9_./@,()+-]*)*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_STRINGS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def block(value: Any) -> list[str]:
    """Write a value in block style, one line after another; a scalar, or what is empty, is one line."""
    if isinstance(value, Mapping) and value:
        return [line for key, each in value.items() for line in entry(str(key), each)]
    if isinstance(value, (list, tuple)) and value:
        return [line for each in value for line in item(each)]
    return [scalar(value)]


def entry(key: str, value: Any) -> list[str]:
    """Write a key and its value in block style."""
    lines = block(value)
    if not isinstance(value, (Mapping, list, tuple)) or not value:
        return [f"{scalar(key)}: {lines[0]}"]
    return [f"{scalar(key)}:", *(f"  {line}" for line in lines)]


def item(value: Any) -> list[str]:
    """Write one item of a list in block style."""
    first, *rest = block(value)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def scalar(value: Any) -> str:
    """Write a text, a number, true, false, null, or what is empty; a text without quotes where it needs none."""
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and _is_text(value) else in_quotes(value)
    return in_line(value)


def flow(value: Any, *, as_json: bool = False) -> str:
    """Write a value on one line; ``as_json`` quotes every text, so that what is JSON stays JSON."""
    if isinstance(value, Mapping):
        pairs = (f"{flow(str(key), as_json=as_json)}: {flow(each, as_json=as_json)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(flow(each, as_json=as_json) for each in value)}]"
    if isinstance(value, str):
        return value if not as_json and _WORD.fullmatch(value) and _is_text(value) else in_quotes(value)
    return in_line(value)


def in_quotes(text: str) -> str:
    """Write a text in double quotes, on one line, with escapes for what YAML cannot hold."""
    written = json.dumps(text, ensure_ascii=False)
    return _unprintable().sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def in_line(value: Any) -> str:
    """Write a value as JSON on one line."""
    written = json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and "." not in written:
        return written.replace("e", ".0e")  # readers of YAML 1.1 take 1e-05 for a text
    return written


@functools.cache
def _unprintable() -> re.Pattern[str]:
    # takes some milliseconds to compile, and most commands write no YAML
    return re.compile("[^ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _is_text(text: str) -> bool:
    return text.lower() not in _NOT_STRINGS
