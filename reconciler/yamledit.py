"""Edits of a YAML text in place: one value changes; comments, order, quotes, indentation and line ends stay (SPEC 9).

Each edit is made by the spans of the text, and then proved: what was written is read again, and is what was asked for,
or nothing is changed. So a text written in a way that is not foreseen here is refused, never spoilt.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler import yamlsplice, yamltext
from reconciler.errors import UserError
from reconciler.yamlsplice import REMOVED
from reconciler.yamltree import DEEPEST

__all__ = ["REMOVED", "Steps", "at", "become", "check_depth", "put", "same", "steps_of"]

Steps = tuple[str, ...]

_BOM = b"\xef\xbb\xbf"
_MOST_STEPS = 200
"""Edits in place from which on a list or mapping is written anew: each reads the whole text."""
_BY_HAND = "edit the file by hand, and commit"


def steps_of(path: str) -> Steps:
    """Split a path to a value: ``input.url``, ``cron.0``, or a JSON pointer (``/input/a.b``) for keys with dots.

    ``ValueError`` where it is neither.
    """
    if path.startswith("/"):
        parts = tuple(part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/"))
    else:
        parts = tuple(path.split("."))
    if not all(parts):
        raise ValueError(f"{path!r} is no path such as input.url, cron.0 or /input/url")
    return parts


def put(path: str, data: bytes, steps: Steps, value: Any) -> bytes:
    """Give a file's bytes with ``value`` at a path of keys and indexes; mappings on the way to it are made.

    An index equal to a list's length adds to it; ``REMOVED`` takes the key or item away. ``path`` is the file's, for
    errors: ``UserError`` where the file cannot be read, the path leads nowhere, or the text cannot be edited in place.
    """
    check_depth(path, value)
    text, old = _read(path, data)
    wanted = _laid(path, old, steps, value)
    return _written(path, data, yamlsplice.put(text, steps, value), wanted)


def become(path: str, data: bytes, value: Mapping[str, Any]) -> bytes:
    """Give a file's bytes so edited that it holds ``value``: what is the same already stays as it is written.

    Raises ``UserError`` as ``put`` does.
    """
    check_depth(path, value)
    text, old = _read(path, data)
    if not isinstance(old, dict) or not isinstance(value, dict):
        raise UserError("the file holds no mapping", where=path, todo=_BY_HAND)
    for steps, part in _differences(old, value):
        text = yamlsplice.put(text, steps, part)
    return _written(path, data, text, value)


def check_depth(path: str, value: Any) -> None:
    """Raise ``UserError`` where a value is nested deeper than a file may be."""
    level, depth = [value], 0
    while level:
        level = [part for each in level for part in _parts(each)]
        depth += 1
        if depth > DEEPEST:
            raise UserError(f"the value is nested deeper than {DEEPEST}", where=path, todo="flatten it")


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON: ``1``, ``1.0`` and ``true`` differ, the order of keys does not count."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def at(value: Any, steps: Sequence[str]) -> Any:
    """What stands at a path in a value; ``REMOVED`` where nothing does."""
    for step in steps:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and _is_index(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return REMOVED
    return value


def _read(path: str, data: bytes) -> tuple[str, Any]:
    document, problems = yamltext.read(path, data)
    if document is None:
        raise UserError("; ".join(str(one) for one in problems), where="", todo="mend the file by hand, and commit")
    return data.decode("utf-8-sig"), document.value


def _written(path: str, data: bytes, text: str, wanted: Any) -> bytes:
    """Prove an edit: the bytes read as ``wanted``, or ``UserError``."""
    made = (_BOM if data.startswith(_BOM) else b"") + text.encode()
    document, problems = yamltext.read(path, made)
    if document is None or not same(document.value, wanted):
        why = f" ({problems[0].message})" if document is None and problems else ""
        raise UserError(f"this value cannot be written into the file as it stands{why}", where=path, todo=_BY_HAND)
    return made


def _parts(value: Any) -> Iterator[Any]:
    yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) <= 6  # noqa: PLR2004 - digits of the longest list


def _laid(path: str, old: Any, steps: Steps, value: Any) -> Any:
    """The value that a document has after an edit; ``UserError`` where the path leads nowhere."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if old is None and value is not REMOVED:
        old = {}
    if isinstance(old, dict) and (value is not REMOVED or step in old):
        if value is REMOVED and not rest:
            return {key: each for key, each in old.items() if key != step}
        return {**old, step: _laid(path, old.get(step), rest, value)}
    if isinstance(old, list):
        last = len(old) - (value is REMOVED)
        if not _is_index(step) or int(step) > last:
            todo = f"give a number from 0 to {last}" if last >= 0 else "the list is empty"
            raise UserError(f"{step} is no item of this list", where=path, todo=todo)
        index = int(step)
        if value is REMOVED and not rest:
            return old[:index] + old[index + 1 :]
        return [*old[:index], _laid(path, old[index] if index < len(old) else None, rest, value), *old[index + 1 :]]
    if value is REMOVED:
        raise UserError(f"there is no {step} to take away", where=path, todo="see `procctl get`")
    raise UserError(f"{step} would stand inside a value that is no mapping", where=path, todo="set that value first")


def _differences(old: Any, new: Any, at: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """The edits that make one mapping or list into another, in an order in which they can be made."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() & new.keys():
        edits = [((*at, key), REMOVED) for key in old if key not in new]
        for key in (key for key in old if key in new and not same(old[key], new[key])):
            edits += _differences(old[key], new[key], (*at, key))
        edits += [((*at, key), value) for key, value in new.items() if key not in old]
    elif isinstance(old, list) and isinstance(new, list) and old and new and _is_longer_or_alike(old, new):
        edits = [((*at, str(index)), REMOVED) for index in reversed(range(len(new), len(old)))]
        for index, (was, now) in enumerate(zip(old, new, strict=False)):
            edits += [] if same(was, now) else _differences(was, now, (*at, str(index)))
        edits += [((*at, str(index)), new[index]) for index in range(len(old), len(new))]
    else:
        edits = [(at, new)]
    yield from edits if len(edits) <= _MOST_STEPS or not at else [(at, new)]


def _is_longer_or_alike(old: list[Any], new: list[Any]) -> bool:
    """Whether items keep their places: lists of one length, or one that begins with the other."""
    return len(old) == len(new) or all(same(was, now) for was, now in zip(old, new, strict=False))
