"""The short way to the index, for commands that only read and answer at once.

Where the index is up to date, nothing is loaded that could bring it there, which is most of what a command takes.
Whatever is not plain, a reconciler that is behind or settings nobody read yet, goes the long way, by ``workspace``.
"""

import importlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.cli import commands, failures
from reconciler.errors import NotFoundError
from reconciler.repo import objects, refs
from reconciler.repo.refs import Followed
from reconciler.repo.repository import Repository, open_repository
from reconciler.settings import PATH, Settings
from reconciler.store import past, schemas
from reconciler.store.database import BrokenIndexError
from reconciler.store.past import Past

ENVIRONMENT = "production"
REF, SHOWN, APPLIED = "ref", "shown", "applied"
"""What the index's ``meta`` says of the branch it is about, and of what it was brought up to date with."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A repository, and its index as of the newest commit of the followed branch."""

    repo: Repository
    index: Past


class _NotPlainError(Exception):
    """The short way does not lead there."""


@contextmanager
def reading(ref: str | None, environment: str | None) -> Iterator[Reading]:
    """Open the index for reading, up to date; say on standard error which branch was chosen."""
    repo = open_repository(commands.chosen_repo() or Path(), os.environ)
    with ExitStack() as held:
        try:
            index, followed = _plainly(held, repo, ref, environment)
        except _NotPlainError:
            # Most of the package: what is loaded only here is not missed where the short way is open.
            workspace: Any = importlib.import_module("reconciler.cli.workspace")
            place = workspace.open_workspace(ref, environment)
            index, followed = held.enter_context(place.index()), place.followed
        announce(followed, index.environment)
        yield Reading(repo, index)


def announce(followed: Followed, environment: str) -> None:
    """Say on standard error which branch was chosen."""
    failures.note(f"following {followed.branch} at {followed.commit[:12]} in {environment}")


def _plainly(held: ExitStack, repo: Repository, ref: str | None, environment: str | None) -> tuple[Past, Followed]:
    release = schemas.release()
    index = held.enter_context(closing(_open(repo, environment or ENVIRONMENT, release)))
    known: dict[str, Settings] = {}

    def settings_at(commit: str) -> Settings:
        """Find out what the settings say at a commit, from what the index knows already."""
        if commit not in known:
            known[commit] = _settings_at(repo, index, commit)
        return known[commit]

    followed = refs.followed(repo, ref, lambda commit: settings_at(commit).branch)
    chosen = environment or settings_at(followed.commit).environment or ENVIRONMENT
    if chosen != index.environment:
        index = held.enter_context(closing(_open(repo, chosen, release)))
    if index.meta(REF) != followed.ref:
        raise _NotPlainError
    if index.meta(SHOWN) != f"{release} {followed.commit}" and not _is_kept(repo, index, followed):
        raise _NotPlainError
    return index, followed


def _is_kept(repo: Repository, index: Past, followed: Followed) -> bool:
    """Whether a reconciler keeps the index, and has applied the newest commit: of what is at tags, only it knows."""
    if index.meta(APPLIED) != followed.commit:
        return False
    beside: Any = importlib.import_module("reconciler.cli.beside")
    return bool(beside.keeps(repo, index.environment, followed))


def _open(repo: Repository, environment: str, release: str) -> Past:
    try:
        return Past.open_readonly(past.path_of(repo.common_dir), environment=environment, release=release)
    except (NotFoundError, BrokenIndexError) as error:
        raise _NotPlainError from error


def _settings_at(repo: Repository, index: Past, commit: str) -> Settings:
    found = objects.find(repo, commit, (PATH,))[PATH]
    if found is None or found[1] != "blob":
        return Settings()
    for (document, _), _ in index.parsed([(found[0], PATH)]).values():
        if document is not None:
            return Settings.of(document)
    raise _NotPlainError
