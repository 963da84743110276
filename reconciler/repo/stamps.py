"""What is known of files until they change, told by their stamps: git is not asked again for what did not move."""

import os
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

Seen = tuple[int, int, int]
"""A file's or folder's inode, time of its last change in nanoseconds, and size."""
Value = TypeVar("Value")

_FINE = 0.1
"""Seconds after which a change has another time for sure, where times have fractions of a millisecond."""
_COARSE = 2.5
"""The same where they may be whole seconds, or two."""
_MOST = 20_000


def seen(path: Path | str) -> Seen | None:
    """Look at a file or folder; ``None`` where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - half the price of Path.stat, at every turn
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Value]):
    stamp: tuple[Seen | None, ...]
    since: float
    value: Value
    settled: bool


@dataclass(frozen=True, slots=True)
class Memo(Generic[Value]):
    """Values that hold as long as the stamp they were read under does.

    Two changes that follow each other closely may leave one time: a value counts only once it was read when its stamp
    had been there for longer than that. Threads may share it.
    """

    clock: Callable[[], float] = time.monotonic
    _entries: dict[Hashable, _Entry[Value]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable, stamp: tuple[Seen | None, ...]) -> Value | None:
        """Give what is known, ``None`` where it has to be read again; the stamp was taken now."""
        with self._lock:
            entry = self._entries.get(key)
        return entry.value if entry is not None and entry.stamp == stamp and entry.settled else None

    def put(self, key: Hashable, stamp: tuple[Seen | None, ...], value: Value, begun: float) -> None:
        """Remember what was read; the stamp was taken before, and then, by ``clock``, reading was begun."""
        fine = all(one is None or one[1] % 1_000_000 for one in stamp)
        with self._lock:
            before = self._entries.get(key)
            since = before.since if before is not None and before.stamp == stamp else begun
            if len(self._entries) >= _MOST:
                self._entries.clear()
            self._entries[key] = _Entry(stamp, since, value, begun - since > (_FINE if fine else _COARSE))
