"""What git declares, kept current: the followed branch, what is in force there, and what to reconcile.

A change costs what it changed. A commit that does not descend from the applied one is refused; the old state stays.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from reconciler.daemon.lookout import Lookout
from reconciler.decision import Target
from reconciler.errors import LaterError, NotFoundError, ProcctlError
from reconciler.execution import Execution
from reconciler.reconcile import Desired
from reconciler.reference import parse_reference
from reconciler.repo import refs
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
_TOLD = 20


@dataclass(slots=True)
class Source:
    """The git side of one reconciler: it follows ``ref`` for ``environment`` on ``host``.

    With ``follow`` each process is in force as it is at its tag of that text. ``heard`` counts what the watch on git's
    refs has heard; without one, the tags are looked at in every turn.
    """

    repo: Repository
    index: Index
    ref: str
    environment: str
    host: str
    max_running: int | None = None
    follow: str | None = None
    heard: Callable[[], int] = time.monotonic_ns
    applied: Applied = field(init=False)
    refused: str | None = None
    lookout: Lookout = field(init=False)

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
        self.lookout = Lookout(self.repo, self.ref, self.follow, self.heard)
        seen = self.lookout.look()
        self.applied = applying.apply(
            self.repo, self.index, self._tip(), remembered=remembered, allow_rewind=allow_rewind
        )
        if seen is not None:
            self.lookout.remember(seen)

    def look(self) -> set[str]:
        """Apply the branch's tip and the followed tags, if they moved; give the processes that may be another now."""
        seen = self.lookout.look()
        if seen is None:
            return set()
        try:
            changed = self._take_up(self.lookout.moved(seen))
        except LaterError as error:
            LOG.warning("%s: it is tried again", error)
            return set()
        self.lookout.remember(seen)
        return changed

    def _take_up(self, moved: frozenset[str] | None) -> set[str]:
        """Apply the tip, or where it is refused or did not move, the tags that did."""
        refused = None
        self.lookout.unsure, unsure = False, self.lookout.unsure
        try:
            followed = self._tip()
            refused = followed.commit
            if followed.commit not in (self.commit, self.refused):
                changed = self._apply(replace(followed, moved=moved))
                self.refused = None
                return changed
            if followed.commit == self.commit:
                self.refused = None
        except LaterError:
            self.lookout.unsure = unsure
            raise
        except ProcctlError as error:
            LOG.error("not applied, %s stays in force: %s", self.commit[:12], error)  # noqa: TRY400 - the user's to mend
            self.refused = refused
        return set() if self.follow is None else self._follow(moved)

    def _follow(self, moved: frozenset[str] | None) -> set[str]:
        """Apply the tags alone."""
        try:
            return self._apply(Followed(self.ref, self.commit, self.follow, moved))
        except LaterError:
            self.lookout.unsure = True
            raise
        except ProcctlError as error:
            self.lookout.unsure = True
            LOG.error("what was in force stays so: %s", error)  # noqa: TRY400 - the user's to mend, no bug
        return set()

    def _apply(self, followed: Followed) -> set[str]:
        before = self.applied
        self.applied = applying.apply(self.repo, self.index, followed, before=before)
        _tell_moved(before, self.applied)
        if self.commit != before.commit or self.applied.changed:
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
        return Followed(self.ref, commit, self.follow)

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
            tag=force.tag,
        )


def _tell_moved(before: Applied, after: Applied) -> None:
    """Say which tags moved: they decide what runs, and git keeps no history of them."""
    was = before.following.stands if before.following else {}
    now = after.following.stands if after.following else {}
    moved = sorted(name for name in was.keys() | now.keys() if was.get(name) is not now.get(name))
    for name in moved[:_TOLD]:
        there, here = was.get(name), now.get(name)
        said = f"{here.tag.name} at {str(here.tag.commit)[:12]}" if here else "it has no tag any more"
        LOG.info("%s: %s%s", name, said, f", before at {str(there.tag.commit)[:12]}" if there and here else "")
    if len(moved) > _TOLD:
        LOG.info("and %s more tags moved", len(moved) - _TOLD)


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    rest = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return f"{len(ordered)} changed{': ' if ordered else ''}{', '.join(ordered[:_SHOWN])}{rest}"
