"""The index: the SQLite file that daemon, command line and HTTP view ask instead of reading files and git (SPEC 2).

It is a cache: a file of another version, or a broken one, is deleted and begun anew. Whoever opens the file holds its
door shared, whoever puts another file in its place holds it alone, so that nobody can pair the new database with the
write-ahead log of the old one.
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
from reconciler.store.lists import RecordLists
from reconciler.store.publication import PublicationTable

_SCHEMA = Path(__file__).with_name("index.sql").read_text()
_VERSION = zlib.crc32(_SCHEMA.encode()) & 0x7FFFFFFF
"""What an index was made from stands in its ``user_version``; one made from another text is built anew."""

_REBUILD = "run `procctl reindex`"


class Index(RecordLists, PublicationTable, HistoryTables, CatalogTables):
    """All tables of one index.

    It may be deleted or rebuilt by another process at any time: ask ``replaced`` before each turn or answer.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, environment: str, release: str) -> None:
        super().__init__(connection, path, environment, release)
        self._inode = _inode(path)

    @classmethod
    def open(cls, path: Path, *, environment: str, release: str) -> Self:
        """Open the index for writing; where there is none, or a broken one, begin an empty one for the caller to fill.

        Raises ``UserError`` or ``LaterError``.
        """
        _make_folder(path)
        with contextlib.suppress(BrokenIndexError, NotFoundError), _door(path, alone=False):
            return cls._connect(path, environment, release)
        with _door(path, alone=True):
            # another may have been faster
            with contextlib.suppress(BrokenIndexError, NotFoundError):
                return cls._connect(path, environment, release)
            _discard(path)
            _create(path, journal="WAL")
            return cls._connect(path, environment, release)

    @classmethod
    def open_readonly(cls, path: Path, *, environment: str, release: str = "") -> Self:
        """Open the index for reading only; threads may share it. ``release`` is needed for results of parsers only.

        Raises ``NotFoundError`` where there is none yet, ``BrokenIndexError`` where it is of no use.
        """
        with _door(path, alone=False):
            return cls._connect(path, environment, release, mode="ro")

    @classmethod
    def build(cls, path: Path, *, environment: str, release: str) -> Self:
        """Begin an empty index beside the one at ``path``, whatever state that is in; ``install`` puts it there.

        It is written without a journal: of a build that was killed nothing is used, and the next one removes it.
        """
        _make_folder(path)
        fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
        for left in path.parent.glob(f"{path.name}.*.new"):
            if left == fresh or not Path("/proc", left.name.split(".")[-2]).exists():
                left.unlink()
        _create(fresh, journal="OFF")
        with contextlib.ExitStack() as unless_begun:
            index = unless_begun.enter_context(contextlib.closing(cls._connect(fresh, environment, release)))
            for pragma in ("journal_mode = OFF", "synchronous = OFF"):
                index._write(f"PRAGMA {pragma}")  # noqa: SLF001 - of this very class
            unless_begun.pop_all()
        return index

    def install(self, path: Path) -> None:
        """Put this index, which ``build`` began, in the place of the one at ``path``, and close it.

        Whoever has the old one open goes on with it until they ask ``replaced``.
        """
        self._write("PRAGMA journal_mode = WAL")
        self.close()
        with self.path.open("rb") as file:
            os.fsync(file)
        with _door(path, alone=True):
            _discard(path)
            self.path.rename(path)

    @property
    def replaced(self) -> bool:
        """Whether another index, or none, lies where this one was opened: close it and open that one."""
        return _inode(self.path) != self._inode

    @classmethod
    def _connect(cls, path: Path, environment: str, release: str, mode: str = "rw") -> Self:
        if not path.exists():
            raise NotFoundError("there is no index yet", where=str(path), todo=_REBUILD)
        try:
            with contextlib.ExitStack() as unless_opened:
                connection = unless_opened.enter_context(contextlib.closing(connect(path, mode)))
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                connection.execute("SELECT count(*) FROM meta").fetchone()
                if version != _VERSION:
                    raise BrokenIndexError("the index is of another release", where=str(path), todo=_REBUILD)
                unless_opened.pop_all()
        except sqlite3.Error as error:
            raise explain(error, path) from error
        return cls(connection, path, environment, release)


def _create(path: Path, journal: str) -> None:
    """Make an empty index; its version comes with its tables, so one half made is no index."""
    try:
        with contextlib.closing(connect(path, "rwc")) as connection:
            connection.execute(f"PRAGMA journal_mode = {journal}")
            connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
    except sqlite3.Error as error:
        raise explain(error, path) from error


def _discard(path: Path) -> None:
    # the database first: whoever opens now finds none, and waits at the door
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        todo = "check who owns it"
        raise UserError(f"the index cannot be made ({error.strerror})", where=str(path), todo=todo) from error


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def _door(path: Path, *, alone: bool) -> Iterator[None]:
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
