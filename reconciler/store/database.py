"""One connection to SQLite: transactions, and its errors in terms of what to do next."""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reconciler.criteria import SQL_FUNCTIONS
from reconciler.errors import LaterError, ProcctlError, UserError

_PATIENCE = 10.0
"""Seconds to wait for another writer: only a rebuild holds the index for longer than milliseconds."""
_USUAL, _ROOMY = -2_000, -16_000
"""Pages that are kept in memory, in KiB (negative, as SQLite has it)."""

_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA}
_REFUSED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_CANTOPEN}


class BrokenIndexError(UserError):
    """The index is corrupt, or of another release, and has to be built anew; nothing is lost by that."""


class Database:
    """An open index. ``environment`` keeps the rows of reconcilers apart, ``release`` the results of parsers.

    Every method raises ``BrokenIndexError``, ``UserError`` or ``LaterError``, never an error of SQLite.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, environment: str, release: str) -> None:
        self._connection = connection
        self.path = path
        self.environment = environment
        self.release = release

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def meta(self, key: str, *, shared: bool = False) -> str | None:
        """Read a remembered text of this environment, or one that environments share."""
        owner = "" if shared else self.environment
        rows = self._read("SELECT value FROM meta WHERE environment = ? AND key = ?", (owner, key))
        return rows[0][0] if rows else None

    def set_meta(self, key: str, value: str | None, *, shared: bool = False) -> None:
        """Remember a text for this environment, or for all; ``None`` forgets it."""
        owner = "" if shared else self.environment
        if value is None:
            self._write("DELETE FROM meta WHERE environment = ? AND key = ?", (owner, key))
        else:
            self._write("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (owner, key, value))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what is done inside happen as a whole or not at all; inside another one it is part of that."""
        if self._connection.in_transaction:
            yield
            return
        self._write("BEGIN IMMEDIATE")
        try:
            yield
            self._write("COMMIT")
        finally:
            self._roll_back()

    def _roll_back(self) -> None:
        """Undo what was not committed; SQLite itself has ended a transaction that met some errors."""
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def roomy(self) -> Iterator[None]:
        """Keep more of the file in memory while very much is written."""
        self._write(f"PRAGMA cache_size = {_ROOMY}")
        try:
            yield
        finally:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute(f"PRAGMA cache_size = {_USUAL}")
                self._connection.execute("PRAGMA shrink_memory")

    def _read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def _write(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        try:
            self._connection.execute(sql, parameters)
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def _write_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with self.transaction():
            try:
                self._connection.executemany(sql, rows)
            except sqlite3.Error as error:
                raise explain(error, self.path) from error


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Connect to a file; ``mode`` is ``rw``, ``rwc`` (creates it) or ``ro`` (then threads may share it)."""
    with contextlib.ExitStack() as unless_ready:
        connection = sqlite3.connect(
            f"file:{quote(os.fspath(path))}?mode={mode}",
            uri=True,
            timeout=_PATIENCE,
            isolation_level=None,
            check_same_thread=mode != "ro",
        )
        unless_ready.enter_context(contextlib.closing(connection))
        for name, (arguments, function) in SQL_FUNCTIONS.items():
            connection.create_function(name, arguments, function, deterministic=True)
        connection.execute("PRAGMA synchronous = NORMAL")
        # a rebuild's log would otherwise keep its size for ever
        connection.execute("PRAGMA journal_size_limit = 67108864")
        unless_ready.pop_all()
    return connection


def explain(error: sqlite3.Error, path: Path) -> ProcctlError:
    """Say what to do about an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    where = str(path)
    if code in _BROKEN or "no such" in str(error):
        return BrokenIndexError(f"the index is broken ({error})", where=where, todo="run `procctl reindex`")
    if code == sqlite3.SQLITE_FULL:
        return LaterError("the disk is full", where=where, todo="free some space")
    if code in _REFUSED:
        return UserError(f"the index cannot be used ({error})", where=where, todo="check who owns it")
    return LaterError(f"the index cannot be used now ({error})", where=where, todo="try again")
