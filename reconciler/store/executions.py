"""The table of executions: a copy of the records, to be asked by id, time, status, process and environment."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from reconciler import instant
from reconciler.execution import NEVER_RAN, Execution
from reconciler.store.database import Database
from reconciler.store.rows import Brief, Latest, Row

NEWEST_FIRST = "happened DESC, path DESC"
"""By start, or by trigger time before that."""

_ROW = "path, document, mtime_ns, size, published"
_BRIEF = "name, id, path, status, outcome, trigger_time, start_time, end_time"
_MARKS = ", ".join(["?"] * 25)
_WAS_PUBLISHED = "coalesce((SELECT old.published FROM executions AS old WHERE old.path = ?), 0)"
_RAN = f"(outcome IS NULL OR outcome NOT IN ({', '.join(repr(str(outcome)) for outcome in sorted(NEVER_RAN))}))"
_ENDED_LAST = f"""
WITH newest AS (
  SELECT (
    SELECT rowid FROM executions WHERE environment = ? AND name = wanted.value AND reach < '9' AND {_RAN}
    ORDER BY reach DESC LIMIT 1
  ) AS entry FROM json_each(?) AS wanted
)
SELECT {_BRIEF} FROM newest JOIN executions ON executions.rowid = newest.entry
"""  # noqa: S608 - made of fixed words


class ExecutionTable(Database):
    """Records of all environments; ``where`` and ``order`` are SQL of this program, never a user's text."""

    def upsert_executions(self, rows: Iterable[Row]) -> None:
        """Add records, or replace those of the same paths; what is published stays so."""
        kept = list(rows)
        with self.transaction():
            self._write_many(
                f"INSERT OR REPLACE INTO executions VALUES ({_MARKS}, max(?, {_WAS_PUBLISHED}))",  # noqa: S608 - fixed
                ((row.path, *row.columns, row.mtime_ns, row.size, row.published, row.path) for row in kept),
            )
            self._write_many("INSERT OR REPLACE INTO documents VALUES (?, ?)", ((row.path, row.text) for row in kept))

    @property
    def filled(self) -> bool:
        """Whether every record there was has been read into this index since it was made, for all environments."""
        return self.meta("filled", shared=True) is not None

    def set_filled(self, *, filled: bool) -> None:
        """Note that reading all records has ended, or begins."""
        self.set_meta("filled", "1" if filled else None, shared=True)

    def clear_executions(self) -> None:
        """Forget every record, to read them all again."""
        with self.transaction():
            self._write("DELETE FROM executions")
            self._write("DELETE FROM documents")

    def remove_executions(self, paths: Iterable[str]) -> None:
        """Forget records that are neither in a file nor on the branch."""
        gone = [(path,) for path in paths]
        with self.transaction():
            self._write_many("DELETE FROM executions WHERE path = ?", gone)
            self._write_many("DELETE FROM documents WHERE path = ?", gone)

    def records_at(self, paths: Sequence[str]) -> dict[str, Row]:
        """The records at these paths, by path."""
        rows = self.executions("path IN (SELECT value FROM json_each(?))", (json.dumps(paths),), order="path", limit=-1)
        return {row.path: row for row in rows}

    def records_of(self, file: str) -> list[Row]:
        """The record at the path of a file, and its doubles."""
        stem = file.removesuffix(".json")
        return self.executions("path = ? OR (path > ? AND path < ?)", (file, f"{stem}~", f"{stem}~~"), limit=-1)

    def execution(self, execution_id: str) -> Row | None:
        """The record of an execution; where it has doubles, the one that was published first."""
        rows = self.executions("id = ?", (execution_id,), order="length(path), path", limit=1)
        return rows[0] if rows else None

    def executions(
        self,
        where: str = "1",
        parameters: Sequence[Any] = (),
        *,
        order: str = NEWEST_FIRST,
        limit: int = 100,
        skip: int = 0,
    ) -> list[Row]:
        """Records that meet a condition; ``limit`` -1 gives all."""
        # Only the records of the page are read; their order is that of the inner query, as it is the outer loop.
        chosen = f"SELECT rowid AS entry FROM executions WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608 - see class
        return [row_of(found) for found in self._read(rows_of(chosen), (*parameters, limit, skip))]

    def count(self, where: str = "1", parameters: Sequence[Any] = ()) -> int:
        """How many records meet a condition."""
        rows = self._read(f"SELECT count(*) FROM executions WHERE {where}", parameters)  # noqa: S608 - see class
        return int(rows[0][0])

    def active(self, environment: str) -> list[Row]:
        """Every record of an environment that has not ended, oldest first."""
        return self.executions(
            "environment = ? AND end_time IS NULL", (environment,), order="trigger_time, path", limit=-1
        )

    def durations(self, environment: str, name: str, most: int = 100) -> list[float]:
        """How long, in seconds, the last runs of a process took that really ran, newest first."""
        sql = (
            f"SELECT duration FROM executions WHERE environment = ? AND name = ? AND duration IS NOT NULL AND {_RAN} "  # noqa: S608 - fixed words
            f"ORDER BY {NEWEST_FIRST} LIMIT ?"
        )
        return [float(row[0]) for row in self._read(sql, (environment, name, most))]

    def unended(self) -> list[Row]:
        """Every record of any environment that has not ended."""
        return self.executions("environment > '' AND end_time IS NULL", order="environment, +path", limit=-1)

    def records_between(self, name: str, after: datetime, until: datetime) -> list[Execution]:
        """Executions and gaps of a process of this environment that say something about (after, until].

        Those are: a slot of theirs lies in it, they ran in it, or they have not ended. They come without their phases.
        """
        rows = self.executions(
            "environment = ? AND name = ? AND reach > ? AND trigger_time <= ?",
            (self.environment, name, instant.text(after), instant.text(until)),
            order="trigger_time, path",
            limit=-1,
        )
        return [row.outline for row in rows]

    def last_of(self, names: Iterable[str]) -> dict[str, Latest]:
        """The latest execution of each process in this environment; processes that have none are left out."""
        wanted = list(names)
        ended = self._read(_ENDED_LAST, (self.environment, json.dumps(wanted)))
        active = self._read(
            f"SELECT {_BRIEF} FROM executions WHERE environment = ? AND end_time IS NULL ORDER BY happened",  # noqa: S608 - fixed words
            (self.environment,),
        )
        found = {row[0]: Latest(ended=_brief(row)) for row in ended}
        for row in active:
            found[row[0]] = replace(found.get(row[0], Latest()), active=_brief(row))
        return {name: found[name] for name in wanted if name in found}


def rows_of(chosen: str) -> str:
    """Give the SQL of what ``row_of`` takes, for the rows whose ``entry`` another query chose, in their order."""
    return (
        f"SELECT {_ROW} FROM ({chosen}) CROSS JOIN executions ON executions.rowid = entry JOIN documents USING (path)"  # noqa: S608 - fixed words around the callers' SQL
    )


def row_of(found: tuple[Any, ...]) -> Row:
    """Make a row of what was selected of it."""
    path, text, mtime_ns, size, published = found
    return Row(path, text, mtime_ns, size, bool(published))


def _brief(found: tuple[Any, ...]) -> Brief:
    name, execution_id, path, status, outcome, trigger_time, start, end = found
    triggered = datetime.fromisoformat(trigger_time)
    return Brief(name, execution_id, path, status, outcome, triggered, _instant(start), _instant(end))


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
