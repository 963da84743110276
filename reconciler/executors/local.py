"""Executions on this machine, forked by a launcher."""

from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.errors import LaterError
from reconciler.runner import starting
from reconciler.runner.job import Job
from reconciler.runner.launcher import HEADER

if TYPE_CHECKING:
    import subprocess


class LocalExecutor:
    """Hands jobs to one launcher, and starts another if that died: its runners live on."""

    def __init__(self) -> None:
        self._launcher: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Have a launcher running."""
        if self._launcher is not None and self._launcher.poll() is None:
            return
        self.close()
        self._launcher = starting.launcher()

    def start(self, job: Job) -> None:
        """Hand a job over; a launcher that dies meanwhile is replaced once."""
        data = job.to_json()
        frame = len(data).to_bytes(HEADER) + data
        if not (self._send(frame) or self._send(frame)):
            raise LaterError("the launcher takes no jobs", todo="see the messages above, and try again")

    def close(self) -> None:
        """Let the launcher exit, and wait for it."""
        launcher, self._launcher = self._launcher, None
        if launcher is None or launcher.stdin is None:
            return
        with suppress(OSError):
            launcher.stdin.close()
        launcher.wait()

    def _send(self, frame: bytes) -> bool:
        self.prepare()
        pipe = None if self._launcher is None else self._launcher.stdin
        try:
            if pipe is not None:
                pipe.write(frame)
                pipe.flush()
                return True
        except BrokenPipeError:
            self.close()
        return False
