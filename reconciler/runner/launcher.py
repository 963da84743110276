"""A warm process that keeps runners ready: ``python -m reconciler.runner.launcher``, frames on its standard input.

A frame is a job, or a number: how many runners to have ready before their jobs come. The launcher is single-threaded,
so forking is safe, and small, so it is cheap; everything a runner needs is imported before. At the end of its input it
exits: runners that wait for a job do too, those that work live on, each in a session of its own.
"""

import gc
import os
import select
import socket
from contextlib import suppress
from dataclasses import dataclass

from reconciler.runner import job as jobs
from reconciler.runner import leading, session
from reconciler.runner.frames import Frames, frame
from reconciler.runner.leading import NO_MORE
from reconciler.runner.signals import Signals
from reconciler.runner.wake import Wake

MOST = 32
"""Runners that wait for jobs at most: each has about 3.5 MiB of its own. Others are forked when their job comes."""

_CHUNK = 256 * 1024


@dataclass(slots=True, eq=False)
class _Runner:
    """A runner, the way to it, the job it works on, and whether it has ever been free for one."""

    pid: int
    channel: socket.socket
    job: bytes = b""
    proved: bool = False


class Launcher:
    """Forks runners, gives each job to one of them, and reaps them."""

    def __init__(self) -> None:
        self._signals = Signals()
        self._poll = select.poll()
        self._poll.register(self._signals.descriptor, select.POLLIN)
        self._runners: dict[int, _Runner] = {}
        self._idle: list[_Runner] = []
        self._ready = 0

    def serve(self, descriptor: int) -> None:
        """Start what comes, until no more can come or somebody says stop; fork ahead while nothing comes."""
        frames = Frames()
        self._poll.register(descriptor, select.POLLIN)
        while not self._signals.stopped:
            ahead = len(self._runners) < self._ready
            found = self._poll.poll(0 if ahead else None)
            if ahead and not found:
                self._fork_ahead()
            for ready, _ in sorted(found, key=lambda one: one[0] == descriptor):  # who is free, before what is to do
                if ready in self._runners:
                    self._hear(self._runners[ready])
                elif ready != descriptor:
                    self._signals.clear()
                elif chunk := os.read(descriptor, _CHUNK):
                    for data in frames.feed(chunk):
                        self._take(data)
                else:
                    return

    def _take(self, data: bytes) -> None:
        if data.isdigit():
            self._ready = min(int(data), MOST)
            return
        if not data:
            session.complain("launcher: no job of a runner: it is empty or too long")
            return
        while self._idle:  # the last one first: what it needs is still at hand
            if self._give(self._idle.pop(), data):
                return
        try:
            self._give(self._fork(), data)
        except OSError as error:
            session.complain(f"launcher: {error}")

    def _give(self, runner: _Runner, data: bytes) -> bool:
        """Send a job, and with it the standard error to complain to until the record can tell; whether it lives."""
        rest = memoryview(frame(data))
        runner.job = data
        try:
            rest = rest[socket.send_fds(runner.channel, [rest], [2]) :]
            runner.channel.sendall(rest)
        except OSError:
            return False  # its end is heard of soon
        return True

    def _hear(self, runner: _Runner) -> None:
        """Take a runner's word that it is free, or the end of its channel for its own."""
        try:
            free = bool(runner.channel.recv(1))
        except OSError:
            free = False
        if not free:
            self._bury(runner)
            return
        runner.job, runner.proved = b"", True
        if len(self._idle) < self._ready:
            self._idle.append(runner)
        else:
            with suppress(OSError):
                runner.channel.sendall(frame(NO_MORE))

    def _bury(self, runner: _Runner) -> None:
        """Reap a runner that has ended; one that did not end by itself could not send its word."""
        self._poll.unregister(runner.channel)
        del self._runners[runner.channel.fileno()]
        runner.channel.close()
        if runner in self._idle:
            self._idle.remove(runner)
        _, status = os.waitpid(runner.pid, 0)
        if status and runner.job:
            with suppress(ValueError):
                Wake(jobs.parse(runner.job).wake).send()
        elif status and not runner.proved:
            self._ready = 0  # another one would end as this one did

    def _fork_ahead(self) -> None:
        try:
            self._fork(ahead=True)  # it says itself when it is free
        except OSError:
            self._ready = len(self._runners)  # the system has no room now; a runner can still be forked for a job

    def _fork(self, *, ahead: bool = False) -> _Runner:
        mine, theirs = socket.socketpair()
        with theirs:
            pid = os.fork()
            if not pid:
                leading.serve(theirs, self._signals, ahead=ahead)
        runner = self._runners[mine.fileno()] = _Runner(pid, mine)
        self._poll.register(mine, select.POLLIN)
        return runner


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
