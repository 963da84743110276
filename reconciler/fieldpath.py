"""Fields of JSON documents: names joined by dots, which look into objects and, on the way, into arrays.

Also what is known of the fields of both services: whose values are instants, texts, numbers or booleans. A question
that such a field can never answer is refused instead of finding nothing.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

DEEPEST = 8
META = frozenset({"_id", "_type", "_version", "_oid", "_timestamp", "_user", "_tag"})
"""Fields of documents that begin with an underscore; every other such word is a parameter of the list itself."""
FIELD = re.compile(r"[\w@:/#+~-]{1,64}(?:\.[\w@:/#+~-]{1,64}){0,7}")

Path = tuple[str, ...]


class Kind(StrEnum):
    """The type of a value that a criterion asks for. An instant is a text in JSON."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "instant"


_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("start", "end", "triggerTime", "nextRun", "_timestamp"), Kind.INSTANT),
    **dict.fromkeys(("phases.start", "phases.end", "gap.first", "gap.last", "gap.slots"), Kind.INSTANT),
    **dict.fromkeys(("_type", "_oid", "name", "service", "environment", "trigger", "status"), Kind.TEXT),
    **dict.fromkeys(("outcome", "message", "reason", "runAs", "commit", "tag", "parentId", "host"), Kind.TEXT),
    **dict.fromkeys(("version", "_version", "attempt", "gap.count", "phases.attempts"), Kind.NUMBER),
    **dict.fromkeys(("phases.exitCode",), Kind.NUMBER),
    "enabled": Kind.BOOLEAN,
}


def read(written: str) -> Path:
    """Take a field apart; ``ValueError`` where it is none."""
    if FIELD.fullmatch(written) is None:
        raise ValueError(f"{written[:80]!r} is no field: write a name, or up to {DEEPEST} joined by dots")
    path = tuple(written.split("."))
    if path[0].startswith("_") and path[0] not in META:
        raise ValueError(f"there is no field {path[0][:80]}; of those with an underscore, {', '.join(sorted(META))}")
    return path


def kind(path: Path) -> Kind | None:
    """Tell of which kind every value of a field is, where that is known."""
    return _KINDS.get(".".join(path))


def values(document: Any, path: Path) -> Iterator[Any]:
    """Find every value at a path; of an array its items are the values."""
    nodes: list[Any] = [document]
    for key in path:
        found = [node[key] for node in nodes if isinstance(node, Mapping) and key in node]
        nodes = [item for value in found for item in (value if isinstance(value, list) else (value,))]
    return iter(nodes)


def scalar(document: Any, path: Path) -> Any:
    """Give the one value at a path that looks into no array: a text, a number, a boolean, or ``None``."""
    for key in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(key)
    return document if isinstance(document, str | int | float) else None
