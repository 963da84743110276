"""What numbering asks about files (``book.Facts``), answered from git's objects, each read once."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import Self

from reconciler import marks, version, yamltext
from reconciler.repo.reader import Reader
from reconciler.repo.repository import Repository
from reconciler.store.index import Index
from reconciler.sync import worker
from reconciler.version import Commit, Version

_STRIDE = 2000
"""Commits that are folded together: all that is held of them at a time."""

_NAMES = ("name", "_id")


def named_in(commits: Iterable[Commit]) -> set[str]:
    """All names that commits and their marks are about."""
    found: set[str] = set()
    for commit in commits:
        found.update(change.name for change in commit.changes)
        for mark in commit.marks:
            found.update(marks.names_in(mark))
    return found


class Facts:
    """Facts of one repository; what was folded before is in the index. Enter it, and leave it at the end."""

    def __init__(self, repo: Repository, index: Index) -> None:
        self._index = index
        self._ahead = Reader(repo)
        self._reader = Reader(repo)
        self._stack = ExitStack()
        self._contents: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Begin."""
        with ExitStack() as stack:
            stack.enter_context(self._ahead)
            stack.enter_context(self._reader)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stack.close()

    def strides(self, commits: Iterable[Commit]) -> Iterator[Sequence[Commit]]:
        """Cut a history into parts that are folded one after the other, each with what its files hold at hand.

        Git reads the files of the next part while this one is folded.
        """
        rest = iter(commits)
        asked = self._ask(list(islice(rest, _STRIDE)))
        while asked[0]:
            stride, found = asked
            contents = {blob: _content(blob, data) for blob, _, data in found}
            asked = self._ask(list(islice(rest, _STRIDE)))
            self._contents = contents
            yield stride

    def _ask(self, stride: Sequence[Commit]) -> tuple[Sequence[Commit], Iterator[tuple[str, str, bytes]]]:
        blobs = dict.fromkeys(change.blob for commit in stride for change in commit.changes if change.blob)
        return stride, self._ahead.read(tuple(blobs), yamltext.LARGEST)

    def content(self, blob: str) -> str:
        """The digest of what counts in a file; beyond the size of a configuration, its whole bytes count."""
        if blob not in self._contents:
            self._contents[blob] = _content(blob, self._data(blob))
        return self._contents[blob]

    def values(self, path: str, blob: str) -> str:
        """A digest of a file's values but its names, as YAML has them, whatever a release of this program requires."""
        document, _ = yamltext.read(path, self._data(blob))
        if document is None or not isinstance(document.value, dict):
            return self.content(blob)
        values = {key: value for key, value in document.value.items() if key not in _NAMES}
        return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()

    def _data(self, blob: str) -> bytes:
        ((_, _, data),) = self._reader.read((blob,), yamltext.LARGEST)
        return data

    def sound(self, path: str, blob: str) -> bool:
        """Whether a file, by itself, is free of errors."""
        known = self._index.parsed([(blob, path)])
        if known:
            ((document, _),) = known.values()
            return document[0] is not None
        (parsed,) = worker.check([(path, self._data(blob))])
        return parsed.document is not None

    def versions(self, name: str) -> tuple[Version, ...]:
        """All versions of a name that are in the index."""
        return self._index.versions(name)


def _content(blob: str, data: bytes) -> str:
    return blob if len(data) > yamltext.LARGEST else version.content_of(blob, data)
