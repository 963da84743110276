"""The tables that say what is applied: processes as readers see them, problems, and the next slot of each process."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.problem import Problem
from reconciler.store.database import Database
from reconciler.store.parsed import dump, read_problems, write_problems


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process of the applied snapshot. ``path`` and ``blob`` are its file at the applied commit.

    ``document`` and ``version`` are those in force, ``None`` where none is: it was never valid. ``commit`` is where
    they are from, ``None`` for the applied commit itself.
    ``valid`` says that the applied commit's own set is; ``held`` is the problem that keeps it from running.

    Where a tag is followed, all is from the tag's commit: ``tag`` is the full name of the one that counts for this
    process, ``None`` where it has none and is not scheduled. ``unsynced`` says how that differs from the branch.
    """

    name: str
    path: str
    blob: str
    commit: str | None
    version: int | None
    document: Mapping[str, Any] | None
    problems: tuple[Problem, ...] = ()
    valid: bool = True
    held: str | None = None
    tag: str | None = None
    unsynced: str | None = None


@dataclass(frozen=True, slots=True)
class SlotRow:
    """The first slot of a process after an instant.

    ``schedule`` is a fingerprint of the schedule it was computed from.
    """

    name: str
    schedule: str
    after: datetime
    next: datetime


class CatalogTables(Database):
    """What one environment's reconciler applied last. One change of one process costs one row."""

    def replace_processes(self, rows: Iterable[ProcessRow]) -> None:
        """Put a whole snapshot in the place of the one before."""
        with self.transaction():
            self._write("DELETE FROM processes WHERE environment = ?", (self.environment,))
            self.update_processes(rows, ())

    def update_processes(self, changed: Iterable[ProcessRow], removed: Iterable[str]) -> None:
        """Replace or add some processes, and remove others by name."""
        with self.transaction():
            self._write_many(
                "DELETE FROM processes WHERE environment = ? AND name = ? COLLATE BINARY",
                ((self.environment, name) for name in removed),
            )
            self._write_many(
                "INSERT OR REPLACE INTO processes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (_values(self.environment, row) for row in changed),
            )

    def processes(self) -> tuple[ProcessRow, ...]:
        """Every process, by name without regard to case."""
        return tuple(map(_process, self._read(f"{_SELECT} ORDER BY name", (self.environment,))))

    def process(self, name: str) -> ProcessRow | None:
        """One process; its name is compared without regard to case, as names are unique that way."""
        rows = self._read(f"{_SELECT} AND name = ?", (self.environment, name))
        return _process(rows[0]) if rows else None

    def replace_problems(self, problems: Iterable[Problem], paths: Iterable[str] | None = None) -> None:
        """Put problems in the place of those of the given files, or of all."""
        with self.transaction():
            if paths is None:
                self._write("DELETE FROM problems WHERE environment = ?", (self.environment,))
            else:
                self._write_many(
                    "DELETE FROM problems WHERE environment = ? AND path = ?",
                    ((self.environment, path) for path in paths),
                )
            self._write_many(
                "INSERT INTO problems VALUES (?, ?, ?)",
                ((self.environment, problem.path, write_problems([problem])) for problem in problems),
            )

    def problems(self) -> tuple[Problem, ...]:
        """Every problem of the applied commit, in the order of files and places."""
        rows = self._read("SELECT problem FROM problems WHERE environment = ?", (self.environment,))
        return tuple(sorted(problem for (text,) in rows for problem in read_problems(text)))

    def slots(self) -> dict[str, SlotRow]:
        """The next slots as they were saved last."""
        rows = self._read("SELECT name, schedule, after, next FROM slots WHERE environment = ?", (self.environment,))
        return {
            name: SlotRow(name, schedule, datetime.fromisoformat(after), datetime.fromisoformat(slot))
            for name, schedule, after, slot in rows
        }

    def replace_slots(self, rows: Iterable[SlotRow]) -> None:
        """Remember these next slots in the place of all that were saved before."""
        with self.transaction():
            self._write("DELETE FROM slots WHERE environment = ?", (self.environment,))
            self._write_many(
                "INSERT INTO slots VALUES (?, ?, ?, ?, ?)",
                (
                    (self.environment, row.name, row.schedule, row.after.isoformat(), row.next.isoformat())
                    for row in rows
                ),
            )


_SELECT = (
    "SELECT name, path, blob, commit_id, version, document, problems, valid, held, tag, unsynced FROM processes "
    "WHERE environment = ?"
)


def _values(environment: str, row: ProcessRow) -> tuple[Any, ...]:
    document = None if row.document is None else dump(row.document)
    problems = write_problems(row.problems)
    return (
        environment,
        row.name,
        row.path,
        row.blob,
        row.commit,
        row.version,
        document,
        problems,
        row.valid,
        row.held,
        row.tag,
        row.unsynced,
    )


def _process(row: tuple[Any, ...]) -> ProcessRow:
    name, path, blob, commit, version, document, problems, valid, held, tag, unsynced = row
    parsed = None if document is None else json.loads(document)
    found = read_problems(problems)
    return ProcessRow(name, path, blob, commit, version, parsed, found, bool(valid), held, tag, unsynced)
