"""One git that gives object after object as long as it is needed: a new one for each costs milliseconds."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from typing import IO, Self

from reconciler.errors import UserError
from reconciler.repo.repository import Repository

_LINE = 65
"""Bytes of a question at most: an id of SHA-256 and the end of the line."""

_SKIPPED = 16 << 20
"""The rest of an object that is too long is read over up to here; beyond, it is cheaper to start git again."""

_WIDE = 1 << 20
"""Bytes that a pipe from git should hold, so that git works on while what it gave is worked at."""


class Reader:
    """Reads objects of a repository by full id; enter it to start git, leave it to end it."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._stack = contextlib.ExitStack()
        self._ask: IO[bytes] | None = None
        self._out: IO[bytes] | None = None
        self._ahead = 1

    def __enter__(self) -> Self:
        """Give it; git starts with the first question."""
        return self

    def __exit__(self, *_: object) -> None:
        """End git."""
        self._close()

    def read(self, ids: Sequence[str], limit: int) -> Iterator[tuple[str, str, bytes]]:
        """Give the id, kind and bytes of objects, in order; of a longer one ``limit + 1`` bytes. Read it to the end.

        Git is asked at once, and works while what it gives is not read yet. Raises ``UserError`` for a missing object.
        """
        return self._read(ids, limit, self._send(ids, 0) if ids else 0)

    def _read(self, ids: Sequence[str], limit: int, asked: int) -> Iterator[tuple[str, str, bytes]]:
        for place, id_ in enumerate(ids):
            if place == asked:
                asked = self._send(ids, place)
            out = self._out
            assert out is not None  # noqa: S101 - sent just now
            kind, size = self._header(id_, out.readline())
            if size <= limit:
                yield id_, kind, out.read(size + 1)[:-1]
                continue
            yield id_, kind, out.read(limit + 1)
            if size > _SKIPPED:
                self._close()
                asked = place + 1
            else:
                _skip(out, size - limit)

    def _send(self, ids: Sequence[str], place: int) -> int:
        if self._ask is None:
            self._open()
        assert self._ask is not None  # noqa: S101 - opened just now
        ahead = ids[place : place + self._ahead]
        self._ask.write("".join(f"{id_}\n" for id_ in ahead).encode())
        self._ask.flush()
        return place + len(ahead)

    def _open(self) -> None:
        given, ask = os.pipe()
        with os.fdopen(given, "rb") as source:
            self._ask = os.fdopen(ask, "wb")
            self._out = self._stack.enter_context(self._repo.git.stream("cat-file", "--batch", given=source))
        self._stack.enter_context(self._ask)
        widen(self._out)
        # questions that all fit into the pipe: neither side ever waits for the other
        self._ahead = widen(self._ask) // _LINE

    def _close(self) -> None:
        self._ask = self._out = None
        self._stack.close()
        self._stack = contextlib.ExitStack()

    def _header(self, id_: str, header: bytes) -> tuple[str, int]:
        words = header.split()
        if len(words) == 3:  # noqa: PLR2004 - the id, the kind and the size
            return words[1].decode(), int(words[2])
        raise UserError(
            f"git has not all of this repository: {id_[:12]} is missing",
            where=str(self._repo.git_dir),
            todo="if the clone is partial or broken, clone it again in full",
        )


def widen(pipe: IO[bytes]) -> int:
    """Let a pipe hold more, where the system allows it; give how many bytes it holds."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _WIDE)
    return fcntl.fcntl(pipe.fileno(), fcntl.F_GETPIPE_SZ)


def _skip(out: IO[bytes], count: int) -> None:
    while count > 0:
        count -= len(out.read(min(count, 1 << 20))) or count
