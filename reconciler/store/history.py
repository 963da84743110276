"""The tables that git's history fills: the versions of each process, and the commits they are counted along."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler.book import Ignored, Last
from reconciler.lifetimes import Lifetime, Lifetimes
from reconciler.store.chain import ChainTable
from reconciler.store.parsed import dump
from reconciler.version import Gone, Version


class HistoryTables(ChainTable):
    """Versions, which belong to the followed branch and so to an environment."""

    def versions(self, name: str) -> tuple[Version, ...]:
        """All versions of a process, newest first, those that are gone too."""
        return self._versions("WHERE v.environment = ? AND v.name = ? ORDER BY v.number DESC", (self.environment, name))

    def page_of_versions(self, name: str, *, deleted: bool, first: int, many: int) -> tuple[Version, ...]:
        """Some of the versions of a process, newest first, without or with those that are gone; all where -1."""
        live = "" if deleted else "AND v.gone_commit IS NULL "
        clause = f"WHERE v.environment = ? AND v.name = ? {live}ORDER BY v.number DESC LIMIT ? OFFSET ?"
        return self._versions(clause, (self.environment, name, many, first))

    def count_versions(self, name: str) -> tuple[int, int]:
        """How many versions a process has that are not gone, and how many it had in all."""
        counted = "SELECT count(*) - count(gone_commit), count(*) FROM versions WHERE environment = ? AND name = ?"
        live, ever = self._read(counted, (self.environment, name))[0]
        return live, ever

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
            "WHERE v.environment = ? AND v.name = ? AND v.place <= ? AND (v.gone_place IS NULL OR v.gone_place > ?) "
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

    def lifetimes(self, names: Iterable[str] | None = None) -> dict[str, Lifetimes]:
        """Where the versions of some processes, or of all, begin and end: of all at once, it costs one look at each."""
        select = "SELECT name, number, place, gone_place FROM versions"
        if names is None:
            rows = self._read(f"{select} NOT INDEXED WHERE environment = ?", (self.environment,))
        else:
            clause = "WHERE environment = ? AND name IN (SELECT value FROM json_each(?))"
            rows = self._read(f"{select} {clause}", (self.environment, dump(sorted(set(names)))))
        by_name: dict[str, list[Lifetime]] = defaultdict(list)
        for name, number, begin, end in rows:
            by_name[name].append((number, begin, end))
        return {name: Lifetimes.of(found) for name, found in by_name.items()}

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
            "INSERT OR REPLACE INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_values(self.environment, one) for one in versions),
        )

    def set_last_versions(self, last: Mapping[str, Last]) -> None:
        """Write where numbering stands for some names, by the name in lower case."""
        self._write_many(
            "INSERT OR REPLACE INTO last_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_last_values(self.environment, key, one) for key, one in last.items()),
        )

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
            f"v.gone_commit, v.gone_why, v.place, v.gone_place FROM versions AS v {clause}",
            parameters,
        )
        return tuple(_version(row) for row in rows)


def _version(row: Sequence[Any]) -> Version:
    name, number, commit, blob, path, author, time, subject, content, gone_commit, why, place, gone_place = row
    gone = Gone(gone_commit, why, gone_place) if gone_commit is not None else None
    at = datetime.fromisoformat(time)
    return Version(name, number, commit, blob, path, author, at, subject, content, gone, place)


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
        one.place,
        one.gone.place if one.gone else None,
    )


def _last_values(environment: str, key: str, one: Last) -> tuple[Any, ...]:
    files, former = dump(one.files), dump(one.former)
    return environment, key, one.name, one.number, one.current, one.content, files, one.line, one.moved, former


def _last(row: Sequence[Any]) -> Last:
    _, name, number, current, content, files, line, moved, former = row
    kept = tuple((path, blob) for path, blob in json.loads(files))
    return Last(name, number, current, content, kept, line, bool(moved), tuple(json.loads(former)))
