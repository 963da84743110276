"""What lists of the view have in common, and what every answer about a version says of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler import instant
from reconciler.version import Version

TYPE = "VarProcess"
Document = dict[str, Any]
Parameters = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list, and how many there are on all pages (``x-total-count``)."""

    items: list[Document]
    total: int


def meta(version: Version | None, tags: Sequence[str]) -> Document:
    """Say which version something is, who made it and when, and the tags that name it."""
    if version is None:
        return {}
    return {
        "_version": version.number,
        "_oid": version.commit,
        "_timestamp": instant.text(version.time),
        "_user": version.author,
        "_tag": list(tags),
    }


def gone(version: Version) -> Document:
    """Say of a version that is gone since which commit, and what was done; of any other, nothing."""
    return {"_deleted": {"commit": version.gone.commit, "why": version.gone.why}} if version.gone else {}
