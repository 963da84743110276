"""The tables that git's history fills: what each file parses to, and the versions of each process."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from reconciler.problem import Problem
from reconciler.store.database import Database
from reconciler.version import Last, Version

Key = tuple[str, str]
"""A file's blob id and its path: its problems name the path, so its bytes alone do not decide them."""

_AT_ONCE = 400
"""Keys in one question; SQLite binds at most 32,766 values, and older ones 999."""


class HistoryTables(Database):
    """Parsed files, shared by the environments, and versions, which belong to the followed branch."""

    def parsed(self, keys: Iterable[Key]) -> dict[Key, tuple[Any, tuple[Problem, ...]]]:
        """What the given files parse to, as far as this release has parsed them: document (or ``None``), problems."""
        found = {}
        for chunk in _chunks(keys):
            wanted = ", ".join(["(?, ?)"] * len(chunk))
            rows = self._read(
                f"WITH wanted (blob, path) AS (VALUES {wanted}) "  # noqa: S608 - question marks only
                "SELECT parsed.blob, parsed.path, document, problems FROM wanted JOIN parsed "
                "ON parsed.blob = wanted.blob AND parsed.path = wanted.path AND release = ?",
                [part for key in chunk for part in key] + [self.release],
            )
            # read as one text, so that equal keys of many documents are one string, at a third of the price
            documents = json.loads(f"[{','.join(row[2] or 'null' for row in rows)}]")
            for (blob, path, _, problems), document in zip(rows, documents, strict=True):
                found[blob, path] = (document, read_problems(problems))
        return found

    def save_parsed(self, rows: Mapping[Key, tuple[Any, Sequence[Problem]]]) -> None:
        """Remember what files parse to; what other releases made of anything is forgotten."""
        with self.transaction():
            self._write("DELETE FROM parsed WHERE release <> ?", (self.release,))
            self._write_many(
                "INSERT OR REPLACE INTO parsed VALUES (?, ?, ?, ?, ?)",
                (
                    (blob, path, self.release, None if document is None else dump(document), write_problems(problems))
                    for (blob, path), (document, problems) in rows.items()
                ),
            )

    def versions(self, name: str) -> tuple[Version, ...]:
        """The versions of a process, newest first."""
        rows = self._read(
            "SELECT name, number, commit_id, blob, path, author, time, subject FROM versions "
            "WHERE environment = ? AND name = ? ORDER BY number DESC",
            (self.environment, name),
        )
        return tuple(_version(row) for row in rows)

    def versions_in_force(self) -> dict[str, Version]:
        """The version in force of each process of the applied snapshot; processes that have none are left out."""
        rows = self._read(
            "SELECT v.name, v.number, v.commit_id, v.blob, v.path, v.author, v.time, v.subject FROM processes AS p "
            "JOIN versions AS v ON v.environment = p.environment AND v.name = p.name AND v.number = p.version "
            "WHERE p.environment = ?",
            (self.environment,),
        )
        return {row[0]: _version(row) for row in rows}

    def last_versions(self, names: Iterable[str] | None = None) -> dict[str, Last]:
        """Where numbering stands for these names, or for every name."""
        wanted = "" if names is None else " AND name IN (SELECT value FROM json_each(?))"
        rows = self._read(
            f"SELECT name, number, blob, files FROM last_versions WHERE environment = ?{wanted}",  # noqa: S608 - fixed
            (self.environment, *([] if names is None else [dump(sorted(names))])),
        )
        return {
            name: Last(number, blob, tuple((path, id_) for path, id_ in json.loads(files)))
            for name, number, blob, files in rows
        }

    def add_versions(self, versions: Iterable[Version], last: Mapping[str, Last]) -> None:
        """Add new versions, and say where numbering stands now for the names in ``last``."""
        with self.transaction():
            self._write_many(
                "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (_values(self.environment, one) for one in versions),
            )
            self._write_many(
                "INSERT OR REPLACE INTO last_versions VALUES (?, ?, ?, ?, ?)",
                ((self.environment, name, one.number, one.blob, dump(one.files)) for name, one in last.items()),
            )

    def clear_versions(self) -> None:
        """Forget all versions of this environment: they are about to be counted again."""
        with self.transaction():
            self._write("DELETE FROM versions WHERE environment = ?", (self.environment,))
            self._write("DELETE FROM last_versions WHERE environment = ?", (self.environment,))


def _version(row: Sequence[Any]) -> Version:
    name, number, commit, blob, path, author, time, subject = row
    return Version(name, number, commit, blob, path, author, datetime.fromisoformat(time), subject)


def _values(environment: str, one: Version) -> tuple[Any, ...]:
    return (
        environment,
        one.name,
        one.number,
        one.commit,
        one.blob,
        one.path,
        one.author,
        one.time.isoformat(),
        one.subject,
    )


dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Write JSON in its shortest form."""


def write_problems(problems: Iterable[Problem]) -> str:
    """Write problems as a JSON array."""
    return dump([problem.to_document() for problem in problems])


def read_problems(text: str) -> tuple[Problem, ...]:
    """Read problems back."""
    return tuple(Problem.from_document(document) for document in json.loads(text)) if text != "[]" else ()


def _chunks(keys: Iterable[Key]) -> Iterator[list[Key]]:
    rest = iter(keys)
    while chunk := list(islice(rest, _AT_ONCE)):
        yield chunk
