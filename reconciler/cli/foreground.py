"""A run in the foreground: the record, a runner of its own, and what it does, shown until it ends (SPEC 10).

The runner leads its own session, so nothing that happens to this process or its terminal touches it. Only Ctrl-C does,
because it is passed on as a cancellation.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli import endings, failures
from reconciler.cli.interrupts import Interrupts
from reconciler.cli.progress import Progress
from reconciler.errors import LaterError
from reconciler.execution import Execution, Outcome, Status
from reconciler.runner import cancel, session, starting
from reconciler.runner.job import Job
from reconciler.store import claims, files, records
from reconciler.store.layout import Layout

if TYPE_CHECKING:
    from subprocess import Popen

_PAUSE = 0.05
"""Seconds between two looks at the record."""
_PARTING = 5.0
"""Seconds that a runner may take to exit once its record has ended; it takes milliseconds."""


@dataclass(slots=True)
class Follower:
    """Follows one execution from its creation to its end. ``job`` is made before, so what can fail has not begun."""

    layout: Layout
    job: Job
    progress: Progress
    interrupts: Interrupts
    _cancelling: bool = False

    def run(self, execution: Execution) -> Execution:
        """Create the record, start the runner, show what happens, and give the execution as it ended.

        Raises ``LaterError`` or ``UserError`` where the record cannot be written; ``KeyboardInterrupt`` where the user
        does not even want to wait for the end of what was cancelled.
        """
        try:
            if not records.create(self.layout, execution):
                raise LaterError("an execution of this id exists already", where=execution.id, todo="run it again")
        except OSError as error:
            raise files.explain(error, self.job.record) from error
        self.progress.begin(execution)
        runner = starting.runner(self.job)
        stamp = None
        while not execution.ended:
            if (seen := _stamp(self.job.record)) != stamp:
                stamp, execution = seen, self._read(execution)
                self.progress.show(execution)
            elif runner.poll() is not None:
                execution = self._orphaned(runner, execution)
            else:
                self._interrupted()
                self.progress.tick(execution)
                time.sleep(_PAUSE)
        self._part(runner)
        self.progress.end(execution)
        return execution

    def _part(self, runner: "Popen[bytes]") -> None:
        """Wait until the runner has given its claim back; it has nothing else to do any more."""
        until = time.monotonic() + _PARTING
        while runner.poll() is None and time.monotonic() < until:
            time.sleep(_PAUSE / 10)

    def _read(self, before: Execution) -> Execution:
        with suppress(OSError, ValueError):  # somebody broke it by hand: the runner's next step mends it
            return records.read(self.job.record)
        return before

    def _interrupted(self) -> None:
        """Pass Ctrl-C on once the runner has its claim; give up waiting at the third."""
        if self.interrupts.count > 2:  # noqa: PLR2004 - once to cancel, once in impatience, once in earnest
            raise KeyboardInterrupt
        claim = claims.read(self.layout, self.job.id) if self.interrupts.count and not self._cancelling else None
        if claim is not None:
            self._cancelling = cancel.cancel(self.layout, claim, session.identity()[1])
            self.progress.say("Cancelling …", "yellow")

    def _orphaned(self, runner: "Popen[bytes]", execution: Execution) -> Execution:
        """Go on where the runner is gone: somebody else may have the execution, it may have ended, or nobody has it."""
        execution = self._read(execution)
        claim = claims.read(self.layout, self.job.id)
        if execution.ended:
            return execution
        if claim is None and execution.status is Status.TRIGGERED:
            return self._never_began(runner, execution)
        if claim is None or not claims.alive(claim):
            return endings.bury(self.layout, claim, execution)
        self._interrupted()
        time.sleep(_PAUSE)
        return execution

    def _never_began(self, runner: "Popen[bytes]", execution: Execution) -> Execution:
        if self.interrupts.count:
            outcome, message = Outcome.CANCELLED, f"Cancelled by {session.identity()[1]}"
        else:
            outcome, message = Outcome.FAILED, f"Cannot start: its runner ended with exit code {runner.returncode}"
        return endings.take_back(self.layout, execution, outcome, message) or execution


def exit_code(execution: Execution, interrupts: Interrupts) -> int:
    """What a run exits with: 0 success, 130 cancelled by Ctrl-C, 1 any other end."""
    if execution.status is Status.SUCCESS:
        return 0
    cancelled = interrupts.count and execution.outcome is Outcome.CANCELLED
    return failures.INTERRUPTED if cancelled else failures.FAILED


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns
