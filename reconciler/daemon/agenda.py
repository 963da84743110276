"""When to look at which process next: a heap of instants, so that a turn costs what is due, not what exists."""

import heapq
from collections.abc import Iterable
from datetime import datetime


class Agenda:
    """At most one instant for each name; the newest one put counts."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, str]] = []
        self._at: dict[str, datetime] = {}

    def put(self, name: str, at: datetime | None) -> None:
        """Look at a process at this instant, and not before; ``None``: not until something else calls for it."""
        if at is None:
            self._at.pop(name, None)
        elif self._at.get(name) != at:
            self._at[name] = at
            heapq.heappush(self._heap, (at, name))

    def fill(self, entries: Iterable[tuple[str, datetime]]) -> None:
        """Put many at once."""
        self._at.update(entries)
        self._heap = [(at, name) for name, at in self._at.items()]
        heapq.heapify(self._heap)

    def due(self, now: datetime, most: int) -> set[str]:
        """Take the names whose instant has come, ``most`` of them; the others stay due."""
        names: set[str] = set()
        while self._heap and self._heap[0][0] <= now and len(names) < most:
            at, name = heapq.heappop(self._heap)
            if self._at.get(name) == at:
                del self._at[name]
                names.add(name)
        return names

    def next(self) -> datetime | None:
        """The next instant at which anything is due."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def entries(self) -> dict[str, datetime]:
        """What lies ahead, by name."""
        return dict(self._at)
