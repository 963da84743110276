"""The data an execution says it touched: ids by date, merged, sorted, each once (SPEC 6, 8)."""

from collections.abc import Mapping
from typing import Any

LIMIT = 100_000
"""Ids of one execution; a record is read by people and lies in git for ever."""


class Data:
    """What the reports of one execution named so far."""

    def __init__(self) -> None:
        self._name: str | None = None
        self._ids: dict[str, dict[str, set[str]]] = {"curves": {}, "series": {}}
        self._count = 0
        self._document: dict[str, Any] | None = None
        self._changed = False

    def add(self, entry: Mapping[str, Any]) -> bool:
        """Add what one report named; ``False`` if not all of it fitted."""
        self._changed = True
        self._name = entry.get("name", self._name)
        for kind, days in self._ids.items():
            for day, ids in entry.get(kind, {}).items():
                known = days.setdefault(day, set())
                new = set(ids) - known
                if self._count + len(new) > LIMIT:
                    return False
                known |= new
                self._count += len(new)
        return True

    def document(self) -> Mapping[str, Any] | None:
        """Give the record's form; ``None`` if nothing was named."""
        if self._changed:
            self._changed = False
            self._document = {} if self._name is None else {"name": self._name}
            for kind, days in self._ids.items():
                self._document[kind] = {day: sorted(days[day]) for day in sorted(days)}
        return self._document
