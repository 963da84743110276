"""One attempt: a process group of its own, its two pipes, and the ladder by which it is stopped (SPEC 6, 10)."""

import os
import select
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from reconciler.runner import census
from reconciler.runner.signals import INHERITED, Signals

GRACE = 10.0
"""Seconds from SIGTERM to SIGKILL."""

TICK = 0.5
"""Seconds between looks at the report of a script that prints nothing."""

DRAIN = 0.25
"""Seconds for which output is awaited from processes that a script left behind holding its pipes."""

_CHUNK = 64 * 1024
_PATIENCE = 0.05


class Stop(Enum):
    """Why an attempt was stopped before its end."""

    TIMEOUT = auto()
    CANCELLED = auto()
    ABORTED = auto()


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended. A negative ``code`` is the signal that killed it."""

    code: int
    stopped: Stop | None = None


class Listener(Protocol):
    """Who is told what an attempt does."""

    aborted: str | None
    """Why the script wants the whole execution to end, if it does."""

    def output(self, level: str, chunk: bytes) -> None:
        """Take what was written to standard output (``info``) or error (``warn``); an empty chunk is its end."""

    def tick(self) -> None:
        """Look after what changes without output."""


class Attempt:
    """A running script. ``OSError`` if the kernel will not run it."""

    def __init__(
        self, command: tuple[str, ...], environ: Mapping[str, str], listener: Listener, signals: Signals
    ) -> None:
        self._listener = listener
        self._signals = signals
        self._poll = select.poll()
        self._pipes: dict[int, str] = {}
        self._stopped: Stop | None = None
        self._kill_at = float("inf")
        self._signalled = False
        self._reaped = False
        self._pid = self._spawn(command, environ)
        self._poll.register(signals.descriptor, select.POLLIN)

    def wait(self, deadline: float) -> Ending:
        """Listen until it has ended; stop it at ``deadline`` (monotonic), on a cancel and on an abort."""
        try:
            self._watch(deadline)
            code = self._drain()
        finally:
            if not self._reaped:
                self._signal(signal.SIGKILL)
        self._hear_the_rest()
        return Ending(code, self._stopped)

    def _watch(self, deadline: float) -> None:
        look_at = time.monotonic() + TICK
        while not self._ended():
            now = time.monotonic()
            if now >= look_at:
                self._listener.tick()
                look_at = now + TICK
            if self._stopped is None and (why := self._reason(now, deadline)):
                self._stop(why, now)
            elif now >= self._kill_at:
                self._kill_at = now + GRACE
                self._signal(signal.SIGKILL)
            due = look_at if self._stopped else min(look_at, deadline)
            self._listen(min(due, self._kill_at) - now)

    def _spawn(self, command: tuple[str, ...], environ: Mapping[str, str]) -> int:
        out, err = os.pipe(), os.pipe()
        try:
            pid = os.posix_spawn(
                command[0],
                command,
                environ,
                file_actions=((os.POSIX_SPAWN_DUP2, out[1], 1), (os.POSIX_SPAWN_DUP2, err[1], 2)),
                setpgroup=0,
                setsigmask=(),
                setsigdef=INHERITED,
            )
        except OSError:
            os.close(out[0])
            os.close(err[0])
            raise
        finally:
            os.close(out[1])
            os.close(err[1])
        for descriptor, level in ((out[0], "info"), (err[0], "warn")):
            self._pipes[descriptor] = level
            self._poll.register(descriptor, select.POLLIN)
        return pid

    def _reason(self, now: float, deadline: float) -> Stop | None:
        if self._signals.stopped:
            return Stop.CANCELLED
        if self._listener.aborted is not None:
            return Stop.ABORTED
        return Stop.TIMEOUT if now >= deadline else None

    def _stop(self, why: Stop, now: float) -> None:
        self._stopped = why
        self._kill_at = now + GRACE
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a stopped process must wake up to end

    def _signal(self, number: int) -> None:
        """Signal the whole group; its number is ours until the leader is reaped, or while it has members."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, number)

    def _ended(self) -> bool:
        """Whether the leader has ended; the kernel is asked only after a signal came."""
        if not self._signalled:
            return False
        self._signalled = False
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if ended.si_pid == self._pid:
                return True
            os.waitpid(ended.si_pid, 0)  # a process that the script left behind
        return False

    def _listen(self, seconds: float) -> None:
        """Wait for output or a signal, and pass it on."""
        for descriptor, _ in self._poll.poll(max(0.0, seconds) * 1000):
            level = self._pipes.get(descriptor)
            if level is None:
                self._signals.clear()
                self._signalled = True
                continue
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                self._close(descriptor)
            self._listener.output(level, chunk)

    def _drain(self) -> int:
        """After the leader's end: hear what is still being written, and end its group. Gives the exit code."""
        until = time.monotonic() + DRAIN
        while self._pipes and (left := until - time.monotonic()) > 0:
            self._listen(left)
        if self._stopped is None:
            self._signal(signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        self._reaped = True
        # what the leader began may take as long to stop as the leader itself
        while self._stopped and any(one.group == self._pid for one in census.living()):
            if time.monotonic() >= self._kill_at:
                self._signal(signal.SIGKILL)
                break
            self._listen(_PATIENCE)
        return os.waitstatus_to_exitcode(status)

    def _hear_the_rest(self) -> None:
        """Take what lies in pipes that somebody outside the group still holds, and leave him alone with them."""
        if self._pipes:
            self._listen(0)
        for descriptor, level in tuple(self._pipes.items()):
            self._close(descriptor)
            self._listener.output(level, b"")
        self._poll.unregister(self._signals.descriptor)

    def _close(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        os.close(descriptor)
        del self._pipes[descriptor]
