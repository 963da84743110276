"""The tables that git's history fills: what each file parses to, and the versions of each process."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from reconciler.book import Ignored, Last
from reconciler.problem import Problem
from reconciler.store.database import Database
from reconciler.version import Gone, Version

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
        """All versions of a process, newest first, those that are gone too."""
        return self._versions("WHERE v.environment = ? AND v.name = ? ORDER BY v.number DESC", (self.environment, name))

    def current_version(self, name: str) -> Version | None:
        """The newest version of a process that is not gone."""
        clause = "WHERE v.environment = ? AND v.name = ? AND v.gone_commit IS NULL ORDER BY v.number DESC LIMIT 1"
        return next(iter(self._versions(clause, (self.environment, name))), None)

    def version_at(self, name: str, commit: str) -> Version | None:
        """The version that was current for a process at a commit of the history that was counted, given in full.

        It may be gone since. ``None`` off that history, and where the process had none.
        """
        place = self.place(commit)
        if place is None:
            return None
        clause = (
            "JOIN chain AS c ON c.environment = v.environment AND c.commit_id = v.commit_id "
            "LEFT JOIN chain AS g ON g.environment = v.environment AND g.commit_id = v.gone_commit "
            "WHERE v.environment = ? AND v.name = ? AND c.place <= ? AND (g.place IS NULL OR g.place > ?) "
            "ORDER BY v.number DESC LIMIT 1"
        )
        return next(iter(self._versions(clause, (self.environment, name, place, place))), None)

    def versions_in_force(self) -> dict[str, Version]:
        """The version in force of each process of the applied snapshot; processes that have none are left out."""
        clause = (
            "JOIN processes AS p ON v.environment = p.environment AND v.name = p.name AND v.number = p.version "
            "WHERE p.environment = ?"
        )
        return {version.name: version for version in self._versions(clause, (self.environment,))}

    def place(self, commit: str) -> int | None:
        """Which commit of the history that was counted a full id is, the first being 0; ``None`` off it."""
        rows = self._read("SELECT place FROM chain WHERE environment = ? AND commit_id = ?", (self.environment, commit))
        return rows[0][0] if rows else None

    def former_names(self, name: str) -> tuple[str, ...]:
        """The names that a process had before, newest first; none where it has another name now."""
        rows = self._read(
            "SELECT former FROM last_versions WHERE environment = ? AND key = ? AND name = ?",
            (self.environment, name.lower(), name),
        )
        return tuple(json.loads(rows[0][0])) if rows else ()

    def renamed(self) -> dict[str, tuple[str, ...]]:
        """The former names of every process that has had others, newest first."""
        rows = self._read(
            "SELECT name, former FROM last_versions WHERE environment = ? AND former <> '[]'", (self.environment,)
        )
        return {name: tuple(json.loads(former)) for name, former in rows}

    def ignored_marks(self, name: str | None = None) -> tuple[Ignored, ...]:
        """The marks that do not hold, oldest first: all of them, or those about one process."""
        rows = self._read(
            "SELECT commit_id, line, names, why FROM ignored_marks WHERE environment = ? ORDER BY rowid",
            (self.environment,),
        )
        found = (Ignored(commit, line, tuple(json.loads(names)), why) for commit, line, names, why in rows)
        return tuple(one for one in found if name is None or name in one.names)

    def current_numbers(self) -> dict[str, int]:
        """The number of the current version of every process that has one."""
        rows = self._read(
            "SELECT name, current FROM last_versions WHERE environment = ? AND current IS NOT NULL",
            (self.environment,),
        )
        return dict(rows)

    def last_versions(self, names: Iterable[str] | None = None) -> dict[str, Last]:
        """Where numbering stands for these names, or for every name; by the name in lower case."""
        wanted = "" if names is None else " AND key IN (SELECT value FROM json_each(?))"
        rows = self._read(
            "SELECT key, name, number, current, content, files, line, moved, former FROM last_versions "  # noqa: S608 - fixed
            f"WHERE environment = ?{wanted}",
            (self.environment, *([] if names is None else [dump(sorted({name.lower() for name in names}))])),
        )
        return {row[0]: _last(row) for row in rows}

    def add_versions(self, versions: Iterable[Version]) -> None:
        """Write versions that are new or otherwise than before."""
        self._write_many(
            "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_values(self.environment, one) for one in versions),
        )

    def set_last_versions(self, last: Mapping[str, Last]) -> None:
        """Write where numbering stands for some names, by the name in lower case."""
        self._write_many(
            "INSERT OR REPLACE INTO last_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_last_values(self.environment, key, one) for key, one in last.items()),
        )

    def add_to_chain(self, commits: Iterable[str], place: int) -> None:
        """Add commits of the history, oldest first, from a place on."""
        # in the order of the table: one commit lands beside the other
        rows = sorted((self.environment, commit, number) for number, commit in enumerate(commits, place))
        self._write_many("INSERT OR REPLACE INTO chain VALUES (?, ?, ?)", rows)

    def add_ignored_marks(self, ignored: Iterable[Ignored]) -> None:
        """Add marks that do not hold."""
        rows = ((self.environment, one.commit, one.line, dump(one.names), one.why) for one in ignored)
        self._write_many("INSERT INTO ignored_marks VALUES (?, ?, ?, ?, ?)", rows)

    def clear_versions(self) -> None:
        """Forget all that was counted for this environment: it is about to be counted again."""
        with self.transaction():
            for table in ("versions", "last_versions", "chain", "ignored_marks"):
                self._write(f"DELETE FROM {table} WHERE environment = ?", (self.environment,))  # noqa: S608 - fixed

    def _versions(self, clause: str, parameters: Sequence[Any]) -> tuple[Version, ...]:
        rows = self._read(
            "SELECT v.name, v.number, v.commit_id, v.blob, v.path, v.author, v.time, v.subject, v.content, "  # noqa: S608 - the clauses of this class
            f"v.gone_commit, v.gone_why FROM versions AS v {clause}",
            parameters,
        )
        return tuple(_version(row) for row in rows)


def _version(row: Sequence[Any]) -> Version:
    name, number, commit, blob, path, author, time, subject, content, gone_commit, why = row
    gone = Gone(gone_commit, why) if gone_commit is not None else None
    return Version(name, number, commit, blob, path, author, datetime.fromisoformat(time), subject, content, gone)


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
        one.content,
        one.gone.commit if one.gone else None,
        one.gone.why if one.gone else None,
    )


def _last_values(environment: str, key: str, one: Last) -> tuple[Any, ...]:
    files, former = dump(one.files), dump(one.former)
    return environment, key, one.name, one.number, one.current, one.content, files, one.line, one.moved, former


def _last(row: Sequence[Any]) -> Last:
    _, name, number, current, content, files, line, moved, former = row
    kept = tuple((path, blob) for path, blob in json.loads(files))
    return Last(name, number, current, content, kept, line, bool(moved), tuple(json.loads(former)))


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
