"""Where a command works: the repository, the branch it follows, the environment, and an index that is up to date.

Beside a reconciler a command reads what that keeps current. Without one it brings the index up to date itself, from
the same functions.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler import instant
from reconciler.cli import beside, commands, failures
from reconciler.cli.beside import Reconciler
from reconciler.errors import NotFoundError, UserError
from reconciler.repo import refs
from reconciler.repo.refs import Followed
from reconciler.repo.repository import Repository, open_repository
from reconciler.settings import ENVIRONMENT, Settings
from reconciler.store import files, schedules
from reconciler.store.database import BrokenIndexError
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.store.schedules import State
from reconciler.sync import applying, parsing, publishing, records, snapshots, versions
from reconciler.sync.applying import Applied
from reconciler.sync.versions import Progress
from reconciler.web import health
from reconciler.web.health import Health

_PATIENCE = 2.0
"""Seconds to wait for a reconciler to apply the newest commit; it takes a tenth of that."""
_PAUSE = 0.02
_LOOK_BACK = timedelta(days=1)
_LOOKED = "looked"


@dataclass(frozen=True, slots=True)
class Workspace:
    """One repository, environment and followed branch; ``reconciler`` is ``None`` where none is at work."""

    repo: Repository
    followed: Followed
    layout: Layout
    settings: Settings
    health: Health
    reconciler: Reconciler | None

    @contextmanager
    def index(self) -> Iterator[Index]:
        """Open the index for reading, up to date."""
        with closing(self._reconcilers() or self._own()) as index:
            yield index

    @contextmanager
    def as_it_is(self) -> Iterator[Index]:
        """Open the index for writing, with whatever it knows: to remember what files hold."""
        with closing(self._open()) as index:
            yield index

    @contextmanager
    def applied(self) -> Iterator[tuple[Index, Applied]]:
        """Open the index for writing, and give everything that is in force."""
        with closing(self._open()) as index:
            yield index, self.apply(index)

    def apply(self, index: Index) -> Applied:
        """Bring what the followed commit declares into the index.

        Where the branch was rewound behind what a reconciler has applied, that stays in force, with a warning.
        """
        followed, applied = self.followed, self._applied(index)
        if applied is not None and not refs.is_ancestor(self.repo, applied, followed.commit):
            what = f"{followed.branch} was rewound: {followed.commit[:12]} does not descend from {applied[:12]}"
            failures.warn(f"{what}, which stays in force", "procctl daemon --allow-rewind")
            followed = replace(followed, commit=applied)
        # What counts is what was applied for good; versions in the index are only a copy, and may be counted again.
        followed = replace(followed, tag=self.follow(index))
        return applying.apply(
            self.repo, index, followed, remembered=self._remembered(index, followed), allow_rewind=True
        )

    def follow(self, index: Index) -> str | None:
        """The tag that decides what is in force here: that of the reconciler, also of one that is to come back."""
        if self.reconciler is not None:
            return self.reconciler.follow if self.reconciler.ref == self.followed.ref else None
        if index.meta(applying.REF) == self.followed.ref:
            return index.meta(applying.FOLLOW) or None
        state = _state(self.layout)
        return state.follow if state is not None and state.ref == self.followed.ref else None

    def _remembered(self, index: Index, followed: Followed) -> Progress:
        """What commits alone cannot tell again: which parent numbering follows at pushed `git pull` merges."""
        state = _state(self.layout)
        if state is None and versions.progress(index).commit is None:
            state = publishing.published_state(self.layout, self.repo)
        if state is None or state.ref != followed.ref:
            return Progress()
        known = state.applied is not None and refs.is_ancestor(self.repo, state.applied, followed.commit)
        return Progress(state.applied if known else None, state.mainline)

    def _applied(self, index: Index) -> str | None:
        """The commit of the followed branch that a reconciler applied last, if one ever did."""
        shown = index.meta(applying.APPLIED)
        if shown is not None and self.reconciler is not None and self.reconciler.ref == self.followed.ref:
            return shown  # its state on disk may lag some seconds behind
        state = _state(self.layout)
        return state.applied if state is not None and state.ref == self.followed.ref else None

    def _reconcilers(self) -> Index | None:
        """The index as the reconciler keeps it, once it has applied the newest commit."""
        if self.reconciler is None or self.reconciler.ref != self.followed.ref:
            return None
        try:
            index = Index.open_readonly(self.layout.index, environment=self.layout.environment)
        except (NotFoundError, BrokenIndexError):
            return None
        until = time.monotonic() + _PATIENCE
        with ExitStack() as unless_read:
            unless_read.callback(index.close)
            while index.meta(applying.APPLIED) != self.followed.commit != self.reconciler.refused:
                if time.monotonic() > until:
                    break
                time.sleep(_PAUSE)
            unless_read.pop_all()
        return index

    def _own(self) -> Index:
        """The index, brought up to date by this command."""
        with ExitStack() as unless_current:
            index = unless_current.enter_context(closing(self._open()))
            shown = f"{index.release} {self.followed.commit}"
            # what is at tags may have changed while the commit did not
            if self.follow(index) or (index.meta("shown"), index.meta(applying.REF)) != (shown, self.followed.ref):
                self.apply(index)
            self._look(index)
            unless_current.pop_all()
        return index

    def _open(self) -> Index:
        """Open the index; a branch other than the one it is about gets one of its own."""
        environment, release = self.layout.environment, parsing.release()
        with ExitStack() as unless_ours:
            index = unless_ours.enter_context(
                closing(Index.open(self.layout.index, environment=environment, release=release))
            )
            if index.meta(applying.REF) in {None, self.followed.ref} or self.reconciler is None:
                unless_ours.pop_all()
                return index
        name = self.followed.branch.encode().hex()[:200]
        return Index.open(self.layout.cache / f"index-{name}.sqlite", environment=environment, release=release)

    def _look(self, index: Index) -> None:
        """Bring records into the index: those that changed since somebody last looked."""
        now = datetime.now(UTC)
        if index.filled:
            last = index.meta(_LOOKED)
            found = records.refresh(index, self.layout, instant.parse(last) if last else now - _LOOK_BACK)
        else:
            found = records.rebuild(index, self.layout, self.repo)
        for path, why in found.faults.items():
            failures.warn(f"{path}: {why}")
        index.set_meta(_LOOKED, instant.text(now))


def open_workspace(ref: str | None = None, environment: str | None = None) -> Workspace:
    """Find out where a command works; what is not given follows from the repository (SPEC 2)."""
    repo = open_repository(commands.chosen_repo() or Path(), os.environ)
    records_folder = repo.worktree and repo.worktree / "executions"
    layout = Layout.of(repo.common_dir, records_folder, environment or ENVIRONMENT)
    # Which environment it is stands in a file that the index knows already, whatever the environment.
    with closing(Index.open(layout.index, environment=layout.environment, release=parsing.release())) as index:
        followed = snapshots.follow(repo, index, ref)
        settings = snapshots.settings_at(repo, index, followed.commit)
    layout = replace(layout, environment=environment or settings.environment or ENVIRONMENT)
    found = health.check(layout, datetime.now(UTC))
    return Workspace(repo, followed, layout, settings, found, beside.read(layout) if found.ready else None)


def announce(workspace: Workspace) -> None:
    """Say on standard error which branch was chosen."""
    followed = workspace.followed
    failures.note(f"following {followed.branch} at {followed.commit[:12]} in {workspace.layout.environment}")


def _state(layout: Layout) -> State | None:
    try:
        return schedules.read(layout)
    except ValueError as error:
        todo = f"put `git show executions:state/{layout.environment}.json` in its place"
        raise UserError(str(error), where=str(layout.schedules), todo=todo) from error
    except OSError as error:
        raise files.explain(error, layout.schedules) from error
