"""What is shown of each document: some fields, or all but some."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler import fieldpath, matchdocument
from reconciler.fieldpath import Path
from reconciler.functions import MalformedError

ID = "_id"
MOST = 64
"""Fields of one projection."""


@dataclass(frozen=True, slots=True)
class Projection:
    """The fields to show, or, where not ``shown``, to leave out; ``_id`` is shown unless ``identified`` is false."""

    paths: tuple[Path, ...]
    shown: bool = True
    identified: bool = True

    def of(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Give what is shown of a document, its keys in their order; objects in arrays are looked into."""
        if not self.shown:
            return dict(_without(document, self.paths)) if self.paths else dict(document)
        paths = (*self.paths, (ID,)) if self.identified else self.paths
        return dict(_only(document, paths))


def _only(node: Mapping[str, Any], paths: Iterable[Path]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.items():
        below = [path[1:] for path in paths if path[0] == key]
        if () in below:
            found[key] = value
        elif below and isinstance(value, Mapping):
            found[key] = _only(value, below)
        elif below and isinstance(value, list):
            found[key] = [_only(item, below) for item in value if isinstance(item, Mapping)]
    return found


def _without(node: Mapping[str, Any], paths: Iterable[Path]) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.items():
        below = [path[1:] for path in paths if path[0] == key]
        if () in below:
            continue
        if below and isinstance(value, Mapping):
            found[key] = _without(value, below)
        elif below and isinstance(value, list):
            found[key] = [_without(item, below) if isinstance(item, Mapping) else item for item in value]
        else:
            found[key] = value
    return found


def read(written: str) -> Projection:
    """Read ``name,start`` or ``{"name": 1, "_id": 0}``; ``MalformedError`` says where it is neither."""
    if written.lstrip().startswith("{"):
        return _of_document(matchdocument.load(written), written)
    paths = []
    at = 0
    for part in written.split(","):
        paths.append(_path(part.strip(), at))
        at += len(part) + 1
    return _limited(Projection(tuple(paths)))


def _of_document(document: Any, written: str) -> Projection:
    if not document:
        raise MalformedError('no projection: write {"name": 1}')
    marks = {name: mark for name, mark in document.items() if name != ID}
    wrong = next((name for name, mark in document.items() if mark not in (0, 1)), None)
    if wrong is not None:
        raise MalformedError(f"{wrong[:80]} is neither 1 (shown) nor 0 (left out)", matchdocument.place(written, wrong))
    if len({bool(mark) for mark in marks.values()}) > 1:
        raise MalformedError("some fields are shown and others left out", 0, "use only 1 or only 0, but for _id")
    shown = bool(next(iter(marks.values()), document.get(ID)))
    paths = tuple(_path(name, matchdocument.place(written, name)) for name in marks)
    identified = bool(document.get(ID, 1))
    if not shown and not identified:
        paths = (*paths, (ID,))
    return _limited(Projection(paths, shown, identified))


def _limited(found: Projection) -> Projection:
    if len(found.paths) > MOST:
        raise MalformedError(f"more than {MOST} fields")
    return found


def _path(name: str, at: int) -> Path:
    try:
        return fieldpath.read(name)
    except ValueError as error:
        raise MalformedError(str(error), at) from None
