"""The index for those who ask about versions and processes alone, without the tables of executions: less to load.

Whoever opens the file holds its door shared, whoever puts another file in its place holds it alone, so that nobody can
pair the new database with the write-ahead log of the old one.
"""

import contextlib
import fcntl
import os
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from reconciler.errors import NotFoundError, UserError
from reconciler.store.catalog import CatalogTables
from reconciler.store.database import BrokenIndexError, connect, explain
from reconciler.store.history import HistoryTables
from reconciler.store.parsed import ParsedTable

SCHEMA = Path(__file__).with_name("index.sql").read_text()
VERSION = zlib.crc32(SCHEMA.encode()) & 0x7FFFFFFF
"""What an index was made from stands in its ``user_version``; one made from another text is built anew."""
_REBUILD = "run `procctl reindex`"


def path_of(common_dir: Path) -> Path:
    """Where the index of a repository lies (``Layout.index``), for those who need nothing else of the layout."""
    return common_dir / "procctl" / "cache" / "index.sqlite"


class Past(ParsedTable, HistoryTables, CatalogTables):
    """The tables of versions and of what is applied.

    The index may be deleted or rebuilt by another process at any time: ask ``replaced`` before each turn or answer.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, environment: str, release: str) -> None:
        super().__init__(connection, path, environment, release)
        self._inode = inode(path)

    @classmethod
    def open_readonly(cls, path: Path, *, environment: str, release: str = "") -> Self:
        """Open the index for reading only; threads may share it. ``release`` is needed for results of parsers only.

        Raises ``NotFoundError`` where there is none yet, ``BrokenIndexError`` where it is of no use.
        """
        with door(path, alone=False):
            return cls._connect(path, environment, release, mode="ro")

    @property
    def replaced(self) -> bool:
        """Whether another index, or none, lies where this one was opened: close it and open that one."""
        return inode(self.path) != self._inode

    @classmethod
    def _connect(cls, path: Path, environment: str, release: str, mode: str = "rw") -> Self:
        if not path.exists():
            raise NotFoundError("there is no index yet", where=str(path), todo=_REBUILD)
        try:
            with contextlib.ExitStack() as unless_opened:
                connection = unless_opened.enter_context(contextlib.closing(connect(path, mode)))
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                connection.execute("SELECT count(*) FROM meta").fetchone()
                if version != VERSION:
                    raise BrokenIndexError("the index is of another release", where=str(path), todo=_REBUILD)
                unless_opened.pop_all()
        except sqlite3.Error as error:
            raise explain(error, path) from error
        return cls(connection, path, environment, release)


def inode(path: Path) -> tuple[int, int] | None:
    """Tell one file from another that is put in its place; ``None`` where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def door(path: Path, *, alone: bool) -> Iterator[None]:
    """Hold the door of an index. While nobody ever put a file there, there is no door and nothing to wait for."""
    flags = os.O_CLOEXEC | (os.O_RDWR | os.O_CREAT if alone else os.O_RDONLY)
    try:
        descriptor = os.open(path.with_suffix(".door"), flags, 0o644)
    except FileNotFoundError:
        yield
        return
    except OSError as error:
        todo = "check who owns it"
        raise UserError(f"the index cannot be used ({error.strerror})", where=str(path), todo=todo) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)
