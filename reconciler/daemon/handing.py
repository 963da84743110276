"""The way from a plan to a runner: requests become executions, executions become jobs, lost ones get their end."""

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconciler.daemon.activity import Activity
from reconciler.daemon.ledger import Ledger
from reconciler.daemon.source import Source
from reconciler.errors import ProcctlError
from reconciler.execution import Execution, Outcome, Trigger, finish
from reconciler.executors import Executor
from reconciler.executors.assignment import assign
from reconciler.reconcile import Asked
from reconciler.repo import checkout
from reconciler.runner import recovery
from reconciler.store import claims, records, requests
from reconciler.store.requests import Request

LOG = logging.getLogger("procctl")

GRACE = 2.0
"""Seconds that the orphans of a dead runner have between SIGTERM and SIGKILL; the loop waits for them."""


@dataclass(slots=True)
class Handing:
    """What reaches executors; ``host`` is this machine's name, ``wake`` where runners send their word.

    ``tree`` names the scripts that were checked out last.
    """

    source: Source
    ledger: Ledger
    activity: Activity
    executor: Executor
    environ: Mapping[str, str]
    wake: Path
    host: str
    tree: str | None = None

    def asked(self) -> list[Asked]:
        """The requests that lie there, each with the execution it becomes or the reason why it does not."""
        found, faults = requests.all(self.ledger.layout)
        for path, why in faults.items():
            LOG.error("%s: %s; it is left alone, remove it", path, why)
        return [self._asked(request) for request in found if request.id not in self.activity]

    def prepare(self, most: int) -> None:
        """Do before a slot what need not wait for it: have runners ready, and the scripts in force checked out."""
        self.executor.expect(most)
        tree = self.source.applied.snapshot.scripts_tree
        if tree in (None, self.tree):
            return
        self.tree = tree
        with suppress(OSError, ProcctlError):  # whoever needs them tries again, and tells
            checkout.ensure(self.ledger.repo, tree, self.ledger.layout.checkouts)

    def taken(self, executions: Iterable[Execution]) -> None:
        """Remove the requests that have become records."""
        for execution in executions:
            if execution.trigger is Trigger.MANUAL:
                requests.remove(self.ledger.layout, execution.id)

    def start(self, execution_ids: Iterable[str], now: datetime) -> set[str]:
        """Hand executions whose records exist to the executor; one that cannot be prepared ends as failed.

        Gives the processes of which one ended.
        """
        over = set()
        for execution_id in execution_ids:
            execution = self.activity.hand(execution_id, now)
            try:
                resolved = self.source.resolve(execution)
                job = assign(self.ledger.repo, self.ledger.layout, execution, resolved, self.environ, self.wake)
                self.executor.start(job)
            except ProcctlError as error:
                LOG.error("%s %s cannot start: %s", execution.name, execution.id, error)  # noqa: TRY400 - no bug
                self._end(execution, Outcome.FAILED, now, f"Cannot start: {error}")
                over.add(execution.name)
        return over

    def interrupt(self, execution_ids: Iterable[str], now: datetime) -> set[str]:
        """End executions whose runner is gone: first what is left of their processes, then their records.

        Gives their processes.
        """
        over = set()
        for execution_id in execution_ids:
            claim = claims.read(self.ledger.layout, execution_id)
            if claim is not None:
                if claims.alive(claim):
                    continue  # it was taken after all, between two looks
                recovery.end_session(claim, GRACE)
            execution = self.activity.get(execution_id)
            try:
                execution = records.read(self.ledger.layout.record(execution))
            except (OSError, ValueError):
                LOG.warning("the record of %s cannot be read; what was last seen stands", execution_id)
            if not execution.ended:
                LOG.warning("%s %s was interrupted: its runner is gone", execution.name, execution.id)
                self._end(execution, Outcome.INTERRUPTED, now, "Interrupted: its runner ended without a word")
            claims.release(self.ledger.layout, execution_id)
            over.add(execution.name)
        return over

    def _end(self, execution: Execution, outcome: Outcome, now: datetime, message: str) -> None:
        self.ledger.end(finish(execution, outcome, now, message))
        self.activity.forget(execution.id)

    def _asked(self, request: Request) -> Asked:
        commit, version, tag, service, refusal = self.source.commit, None, None, "default", None
        try:
            choice = self.source.choose(request)
            commit, version, tag, service = choice.commit, choice.version, choice.tag, choice.process.service
        except ProcctlError as error:
            refusal = str(error)
        execution = Execution(
            id=request.id,
            service=service,
            name=request.name,
            environment=self.ledger.layout.environment,
            trigger=Trigger.MANUAL,
            reason=request.reason,
            trigger_time=request.asked,
            run_as=request.user,
            version=version,
            commit=commit,
            tag=tag,
            body=request.body,
            host=self.host,
        )
        return Asked(execution, due=request.not_before or request.asked, refusal=refusal)
