"""The log of a phase: what fits into the record, and beside the record the whole of it (SPEC 8).

A record keeps the first and the last part of a long log, with a line between them that says how much was left out.
Only then is there a ``.log`` file, and it holds everything the execution wrote, up to its own limit.
"""

import contextlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from reconciler.runner.text import LINE_LIMIT, cut

LINES = 1000
"""Lines of one phase in the record, the one that tells what was left out among them."""

BYTES = 256 * 1024
"""Bytes of one phase's log in the record, as UTF-8."""

WHOLE_BYTES = 64 * 1024 * 1024
"""Bytes of the ``.log`` file beside the record."""

_LONGEST = LINE_LIMIT + 512  # a line, its time and level, and what `cut` says at its end
_HEAD_LINES = LINES // 2
_HEAD_BYTES = BYTES // 2
_TAIL_LINES = LINES - _HEAD_LINES
_TAIL_BYTES = BYTES - _HEAD_BYTES - 128  # less the line that tells what was left out


class WholeLog:
    """The file beside a record that holds all an execution wrote; made only once a record cannot hold it all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._room = WHOLE_BYTES
        self.begun = False
        self.where = "see the .log beside the record"

    @property
    def full(self) -> bool:
        """Whether it takes no more: its limit is reached, or the disk's."""
        return self.begun and self._file is None

    def begin(self, lines: Iterable[str]) -> None:
        """Make the file, with what the record has held so far."""
        self.begun = True
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            self._fail(error)
            return
        self._file = os.fdopen(descriptor, "wb")
        self.write(lines)

    def write(self, lines: Iterable[str]) -> None:
        """Append lines; a full disk ends the file, never the work."""
        if self._file is None:
            return
        data = "".join(f"{line}\n" for line in lines).encode(errors="replace")
        full = len(data) > self._room
        if full:
            data = data[: data.rfind(b"\n", 0, self._room) + 1]
            data += f"[the rest is left out: a log holds {WHOLE_BYTES >> 20} MiB at most]\n".encode()
        self._room -= len(data)
        try:
            self._file.write(data)
        except OSError as error:
            self._fail(error)
            return
        if full:
            self.close()

    def flush(self) -> None:
        """Let readers see what was written."""
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        """End the file."""
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        """Give the file up; what it lacks is lost, the record's part of it is not."""
        self.where = f"and the .log beside the record lacks some: {error.strerror}"
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


class PhaseLog:
    """The lines of one phase that its record keeps."""

    def __init__(self) -> None:
        self._head: list[str] = []
        self._head_room = _HEAD_BYTES
        self._tail: deque[tuple[str, int]] = deque()
        self._tail_bytes = 0
        self.dropped = 0

    def add(self, lines: Iterable[str]) -> list[str]:
        """Append lines that are ready for the record; give those that it has no room for any more."""
        dropped: list[str] = []
        for line in lines:
            self._append(line, dropped)
        return dropped

    def add_last(self, prefix: str, block: str) -> None:
        """Append a block of whole lines of which only the last can matter: what lies before them is only counted."""
        count = block.count("\n")
        if count > _TAIL_LINES:
            self.dropped += count - _TAIL_LINES
            block = "\n".join(block.rsplit("\n", _TAIL_LINES + 1)[1:])
        self.add(written(prefix, block))

    @property
    def head_is_full(self) -> bool:
        """Whether new lines can only push out others."""
        return self._head_room <= 0 or len(self._head) >= _HEAD_LINES

    def around(self, dropped: Sequence[str]) -> Iterator[str]:
        """Give the lines with those that were left out between them."""
        yield from self._head
        yield from dropped
        for line, _ in self._tail:
            yield line

    def lines(self, where: str) -> tuple[str, ...]:
        """What the record shows: all lines, or the first, how many are left out (and where they are), and the last."""
        return tuple(self.around((f"[{self.dropped} lines left out, {where}]",) if self.dropped else ()))

    def _append(self, line: str, dropped: list[str]) -> None:
        size = len(line) if line.isascii() else len(line.encode(errors="replace"))
        if not self.head_is_full:
            if size <= self._head_room:
                self._head.append(line)
                self._head_room -= size
                return
            self._head_room = 0
        self._tail.append((line, size))
        self._tail_bytes += size
        while self._tail_bytes > _TAIL_BYTES or len(self._tail) > _TAIL_LINES - bool(self.dropped):
            oldest, size = self._tail.popleft()
            self._tail_bytes -= size
            self.dropped += 1
            dropped.append(oldest)


def written(prefix: str, block: str) -> list[str]:
    """Split a block of whole lines (each ends with LF) into log lines; ``prefix`` is their time and level."""
    return [
        prefix + (line.rstrip() if len(line) <= _LONGEST else cut(line))
        for line in block.removesuffix("\n").split("\n")
    ]
