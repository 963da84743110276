"""The index: the SQLite file that daemon, command line and HTTP view ask instead of reading files and git (SPEC 2).

It is a cache: a file of another version, or a broken one, is deleted and begun anew.
"""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Self

from reconciler.errors import NotFoundError, UserError
from reconciler.store.database import BrokenIndexError, connect, explain
from reconciler.store.lists import RecordLists
from reconciler.store.past import SCHEMA, VERSION, Past, door
from reconciler.store.publication import PublicationTable


class Index(RecordLists, PublicationTable, Past):
    """All tables of one index.

    It may be deleted or rebuilt by another process at any time: ask ``replaced`` before each turn or answer.
    """

    @classmethod
    def open(cls, path: Path, *, environment: str, release: str) -> Self:
        """Open the index for writing; where there is none, or a broken one, begin an empty one for the caller to fill.

        Raises ``UserError`` or ``LaterError``.
        """
        _make_folder(path)
        with contextlib.suppress(BrokenIndexError, NotFoundError), door(path, alone=False):
            return cls._connect(path, environment, release)
        with door(path, alone=True):
            # another may have been faster
            with contextlib.suppress(BrokenIndexError, NotFoundError):
                return cls._connect(path, environment, release)
            _discard(path)
            _create(path, journal="WAL")
            return cls._connect(path, environment, release)

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
        with door(path, alone=True):
            _discard(path)
            self.path.rename(path)


def _create(path: Path, journal: str) -> None:
    """Make an empty index; its version comes with its tables, so one half made is no index."""
    try:
        with contextlib.closing(connect(path, "rwc")) as connection:
            connection.execute(f"PRAGMA journal_mode = {journal}")
            connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
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
