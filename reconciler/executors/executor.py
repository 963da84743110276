"""What an executor is: the contract that every one of them keeps, and that one test suite checks."""

from typing import Protocol

from reconciler.runner.job import Job


class Executor(Protocol):
    """Has executions worked on somewhere.

    Handing a job over is all it does: what becomes of it is in the claim and the record. A job may be handed over
    twice, or get lost when an executor dies; the claim makes the first harmless, the reconciler's next look the second.
    """

    def prepare(self) -> None:
        """Get ready, so that the first job starts as fast as the others; ``LaterError``."""

    def expect(self, most: int) -> None:
        """Be told how many jobs may come at one instant, so that they need not wait for each other; ``LaterError``."""

    def start(self, job: Job) -> None:
        """Have a runner work on a job, and do not wait for it; ``LaterError`` where none can be started."""

    def close(self) -> None:
        """Take no more jobs; what runs goes on."""
