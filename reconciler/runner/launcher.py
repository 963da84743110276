"""A warm process that forks runners: ``python -m reconciler.runner.launcher``, jobs on its standard input.

A job is a big-endian length of four bytes and that many bytes of JSON. The launcher is single-threaded, so forking is
safe, and small, so it is cheap; everything a runner needs is imported before. At the end of its input it exits, and
runners live on, each in a session of its own.
"""

import gc
import os
import select
from collections.abc import Iterator

from reconciler.runner import job as jobs
from reconciler.runner import session
from reconciler.runner.signals import Signals
from reconciler.runner.wake import Wake

HEADER = 4
LARGEST = 64 * 1024 * 1024
"""Bytes of a job; what claims to be longer is skipped."""

_CHUNK = 256 * 1024


class Frames:
    """Cuts a stream of bytes into jobs."""

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


class Launcher:
    """Forks a runner for each job and reaps it."""

    def __init__(self) -> None:
        self._signals = Signals()
        self._runners: dict[int, Wake] = {}

    def serve(self, descriptor: int) -> None:
        """Fork a runner for each job that comes, until no more can come or somebody says stop."""
        frames = Frames()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._signals.descriptor, select.POLLIN)
        while not self._signals.stopped:
            for ready, _ in poll.poll():
                if ready != descriptor:
                    self._signals.clear()
                    self._reap()
                    continue
                chunk = os.read(descriptor, _CHUNK)
                if not chunk:
                    return
                for frame in frames.feed(chunk):
                    self._start(frame)

    def _start(self, frame: bytes) -> None:
        try:
            job = jobs.parse(frame)
            pid = os.fork()
        except (ValueError, OSError) as error:
            session.complain(f"launcher: {error}")
            return
        if not pid:
            session.lead(job, self._signals)
        self._runners[pid] = Wake(job.wake)

    def _reap(self) -> None:
        """Take the runners that have ended; one that did not end by itself could not send its word."""
        while self._runners:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            wake = self._runners.pop(pid, None)
            if status and wake is not None:
                wake.send()


def main() -> None:
    """Serve jobs from standard input."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    session.identity()
    gc.collect()
    gc.freeze()
    gc.disable()
    Launcher().serve(0)


if __name__ == "__main__":
    main()
