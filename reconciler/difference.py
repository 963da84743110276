"""How two documents differ, field by field: what people read instead of a difference of lines.

Pure. Documents are what YAML and JSON give: mappings with text keys, lists, texts, numbers, truth values, null.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

_PLAIN = re.compile(r"[^\s.\[\]\"\\]+")


class Absence(Enum):
    """Stands where a document has nothing: null is a value, this is none."""

    ABSENT = "absent"


ABSENT: Final = Absence.ABSENT
Step = str | int


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is otherwise: ``ABSENT`` as ``old`` means that it came, as ``new`` that it went.

    ``path`` leads to it: texts are keys, numbers are places in a list. Of an item that came, the place is that in the
    new list, of one that went that in the old list.
    """

    path: tuple[Step, ...]
    old: Any
    new: Any

    @property
    def field(self) -> str:
        """The path as people write it: ``input.urls[0]``; a key that would be unclear so is quoted."""
        parts = (f"[{step}]" if isinstance(step, int) else f".{_key(step)}" for step in self.path)
        return "".join(parts).removeprefix(".") or "."

    def text(self, most: int | None = None) -> str:
        """Render as one line, ``cron: "0 6 * * *" -> "0 7 * * *"``; values longer than ``most`` characters are cut."""
        if self.old is ABSENT:
            return f"{self.field}: added {_value(self.new, most)}"
        if self.new is ABSENT:
            return f"{self.field}: removed (was {_value(self.old, most)})"
        return f"{self.field}: {_value(self.old, most)} -> {_value(self.new, most)}"

    def to_document(self) -> dict[str, Any]:
        """Give the JSON form: ``field``, ``path``, and ``old`` and ``new`` where there is one."""
        sides = {"old": self.old, "new": self.new}
        return {"field": self.field, "path": list(self.path)} | {
            side: value for side, value in sides.items() if value is not ABSENT
        }


def differences(old: Any, new: Any) -> tuple[Difference, ...]:
    """Say what has to be done to ``old`` to have ``new``, in the order of the old document, then of the new one.

    Lists of one length are compared item by item where all that differ are nested, and where items only came or only
    went in one place, those are told; any other two lists differ as a whole.
    """
    return tuple(_between((), old, new))


def _between(path: tuple[Step, ...], old: Any, new: Any) -> Iterator[Difference]:
    if _same(old, new):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in (*old, *(key for key in new if key not in old)):
            if key not in old:
                yield Difference((*path, key), ABSENT, new[key])
            elif key not in new:
                yield Difference((*path, key), old[key], ABSENT)
            else:
                yield from _between((*path, key), old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(path, old, new)
    else:
        yield Difference(path, old, new)


def _lists(path: tuple[Step, ...], old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
    if len(old) == len(new):
        other = [place for place, pair in enumerate(zip(old, new, strict=True)) if not _same(*pair)]
        if all(_is_nested(old[place]) and _is_nested(new[place]) for place in other):
            for place in other:
                yield from _between((*path, place), old[place], new[place])
            return
        yield Difference(path, old, new)
        return
    shorter = min(len(old), len(new))
    front = next((place for place in range(shorter) if not _same(old[place], new[place])), shorter)
    back = next((place for place in range(shorter - front) if not _same(old[-1 - place], new[-1 - place])), None)
    back = shorter - front if back is None else back
    if front + back < shorter or not shorter:
        yield Difference(path, old, new)
        return
    for place in range(front, len(old) - back):
        yield Difference((*path, place), old[place], ABSENT)
    for place in range(front, len(new) - back):
        yield Difference((*path, place), ABSENT, new[place])


def _same(old: Any, new: Any) -> bool:
    """Whether two values are equal as JSON, where neither true is 1 nor 1 is 1.0; the order of keys does not count."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(value, new[key]) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return type(old) is type(new) and bool(old == new)


def _is_nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list))


def _key(key: str) -> str:
    return key if _PLAIN.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any, most: int | None) -> str:
    written = json.dumps(value, ensure_ascii=False)
    return written if most is None or len(written) <= most else f"{written[: most - 1]}…"
