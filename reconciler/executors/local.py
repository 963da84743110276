"""Executions on this machine, forked by a launcher."""

from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.errors import LaterError
from reconciler.runner import starting
from reconciler.runner.frames import frame
from reconciler.runner.job import Job

if TYPE_CHECKING:
    import subprocess


class LocalExecutor:
    """Hands jobs to one launcher, and starts another if that died: its runners live on."""

    def __init__(self) -> None:
        self._launcher: subprocess.Popen[bytes] | None = None
        self._most = 0

    def prepare(self) -> None:
        """Have a launcher running."""
        if self._launcher is not None and self._launcher.poll() is None:
            return
        self.close()
        self._launcher = starting.launcher()
        if self._most:
            self._write(str(self._most).encode())

    def expect(self, most: int) -> None:
        """Have the launcher keep so many runners ready."""
        if most != self._most:
            self._most = most
            self._send(str(most).encode())

    def start(self, job: Job) -> None:
        """Hand a job over; a launcher that dies meanwhile is replaced once."""
        data = job.to_json()
        if not (self._send(data) or self._send(data)):
            raise LaterError("the launcher takes no jobs", todo="see the messages above, and try again")

    def close(self) -> None:
        """Let the launcher exit, and wait for it."""
        launcher, self._launcher = self._launcher, None
        if launcher is None or launcher.stdin is None:
            return
        with suppress(OSError):
            launcher.stdin.close()
        launcher.wait()

    def _send(self, data: bytes) -> bool:
        self.prepare()
        return self._write(data)

    def _write(self, data: bytes) -> bool:
        pipe = None if self._launcher is None else self._launcher.stdin
        try:
            if pipe is not None:
                pipe.write(frame(data))
                pipe.flush()
                return True
        except BrokenPipeError:
            self.close()
        return False
