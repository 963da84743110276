"""What git declares, kept current: the followed branch, what is in force there, and what to reconcile.

A change costs what it changed. A commit that does not descend from the applied one is refused; the old state stays.
"""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.decision import Target
from reconciler.errors import LaterError, NotFoundError, ProcctlError
from reconciler.execution import Execution
from reconciler.reconcile import Desired
from reconciler.reference import parse_reference
from reconciler.repo import refs, tip
from reconciler.repo.refs import Followed
from reconciler.repo.repository import Repository
from reconciler.settings import Settings
from reconciler.snapshot import Resolved
from reconciler.store.index import Index
from reconciler.store.requests import Request
from reconciler.sync import applying, selection
from reconciler.sync.applying import Applied
from reconciler.sync.selection import Choice
from reconciler.sync.versions import Progress

LOG = logging.getLogger("procctl")

_SHOWN = 5


@dataclass(slots=True)
class Source:
    """The git side of one reconciler: it follows ``ref`` for ``environment`` on ``host``."""

    repo: Repository
    index: Index
    ref: str
    environment: str
    host: str
    max_running: int | None = None
    applied: Applied = field(init=False)
    refused: str | None = None
    _stamp: tip.Stamp = ()

    @property
    def commit(self) -> str:
        """The applied commit."""
        return self.applied.commit

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.applied.settings

    def begin(self, remembered: Progress, *, allow_rewind: bool) -> None:
        """Apply the branch's tip. ``UserError`` where it does not descend from what was applied before."""
        self._stamp = tip.stamp(self.repo, self.ref)
        self.applied = applying.apply(
            self.repo, self.index, self._tip(), remembered=remembered, allow_rewind=allow_rewind
        )

    def look(self) -> set[str]:
        """Apply the branch's tip if it moved; give the processes that may be another now."""
        stamp = tip.stamp(self.repo, self.ref)
        if stamp == self._stamp:
            return set()
        refused = None
        try:
            followed = self._tip()
            if followed.commit in (self.commit, self.refused):
                self._stamp = stamp
                return set()
            refused = followed.commit
            self.applied = applying.apply(self.repo, self.index, followed, before=self.applied)
        except LaterError as error:
            LOG.warning("%s: it is tried again", error)
            return set()
        except ProcctlError as error:
            LOG.error("not applied, %s stays in force: %s", self.commit[:12], error)  # noqa: TRY400 - the user's to mend
            self.refused, self._stamp = refused, stamp
            return set()
        self.refused, self._stamp = None, stamp
        LOG.info("applied %s: %s", self.commit[:12], _listed(self.applied.changed))
        return set(self.applied.changed)

    def desired(self, names: Iterable[str]) -> Desired:
        """What these processes are to be, for the plan."""
        targets = {name: target for name in names if (target := self.target(name)) is not None}
        return Desired(
            environment=self.environment,
            host=self.host,
            commit=self.commit,
            targets=targets,
            max_running=self.max_running or self.settings.max_running or 2 * (os.cpu_count() or 1),
            catchup_window=self.settings.catchup_window,
        )

    def names(self) -> set[str]:
        """Every process that is in force."""
        return set(self.applied.in_force)

    def resolve(self, execution: Execution) -> Resolved:
        """What an execution runs: its process at its commit. ``UserError`` where that cannot be."""
        return selection.resolve(self.repo, self.index, self.applied, execution.name, str(execution.commit))

    def choose(self, request: Request) -> Choice:
        """What a manual run means. ``UserError`` where it cannot run."""
        written = f"{request.name}@{request.reference}" if request.reference else request.name
        choice = selection.choose(self.repo, self.index, self.applied, parse_reference(written))
        selection.permit(choice, self.environment, request.body, force=request.force)
        return choice

    def _tip(self) -> Followed:
        commit = refs.read(self.repo, self.ref)
        if commit is None:
            raise NotFoundError("the followed branch is gone", where=self.ref, todo="create it again")
        return Followed(self.ref, commit)

    def target(self, name: str) -> Target | None:
        """What to reconcile for a process: nothing where it is gone, disabled or of another environment."""
        force = self.applied.in_force.get(name)
        if force is None or not force.process.enabled or force.process.environment not in (None, self.environment):
            return None
        return Target(
            name=name,
            service=force.process.service,
            schedule=force.process.schedule_document(self.settings.timezone),
            commit=force.commit,
            version=force.version,
            held=str(force.held) if force.held else None,
        )


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    rest = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return f"{len(ordered)} changed{': ' if ordered else ''}{', '.join(ordered[:_SHOWN])}{rest}"
