"""Jobs on a stream of bytes: a big-endian length of four bytes, and that many bytes."""

from collections.abc import Iterator

HEADER = 4
LARGEST = 64 * 1024 * 1024
"""Bytes of a frame; what claims to be longer is skipped."""


def frame(data: bytes) -> bytes:
    """Put its length before it."""
    return len(data).to_bytes(HEADER) + data


class Frames:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skip = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Give the frames that a chunk completes; an empty one stands for one that was too long."""
        if self._skip:
            skipped = min(self._skip, len(chunk))
            self._skip -= skipped
            chunk = chunk[skipped:]
        self._buffer += chunk
        while len(self._buffer) >= HEADER:
            end = HEADER + int.from_bytes(self._buffer[:HEADER])
            if end > HEADER + LARGEST:
                self._skip = max(0, end - len(self._buffer))
                del self._buffer[:end]
                yield b""
                continue
            if len(self._buffer) < end:
                return
            frame = bytes(self._buffer[HEADER:end])
            del self._buffer[:end]
            yield frame
