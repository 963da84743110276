"""What the view reads: one repository, one environment, and its index, which others write and may replace."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.errors import LaterError, NotFoundError
from reconciler.repo.repository import Repository
from reconciler.store.index import Index
from reconciler.store.layout import Layout

_KEPT = 4
"""Connections kept open between requests; more than these are opened and closed by the requests that need them."""


@dataclass(slots=True)
class Sources:
    """One repository and environment, read-only. ``ref`` is the full name of the followed branch."""

    repository: Repository
    layout: Layout
    ref: str
    _free: list[Index] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    @contextmanager
    def index(self) -> Iterator[Index]:
        """Lend a connection to the index as it is now; ``LaterError`` where there is none yet.

        One connection answers one request at a time, so a slow question holds up no other. A rebuilt index is renamed
        over the old one, which an open connection would go on to read: that is noticed here.
        """
        index = self._take()
        try:
            yield index
        finally:
            self._give_back(index)

    def close(self) -> None:
        """Close the connections that are not lent, and those that are as they come back."""
        with self._lock:
            self._closed = True
            while self._free:
                self._free.pop().close()

    def _take(self) -> Index:
        with self._lock:
            while self._free:
                index = self._free.pop()
                if not index.replaced:
                    return index
                index.close()
        try:
            return Index.open_readonly(self.layout.index, environment=self.layout.environment)
        except NotFoundError as error:
            todo = "start `procctl daemon`, or run `procctl reindex`"
            raise LaterError("there is no index yet", where=str(self.layout.index), todo=todo) from error

    def _give_back(self, index: Index) -> None:
        with self._lock:
            if len(self._free) < _KEPT and not self._closed:
                self._free.append(index)
                return
        index.close()
