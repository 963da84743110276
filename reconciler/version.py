"""Versions: the states of a process's file, numbered from 1 along the followed branch (SPEC 9).

A version is one commit of the first-parent history that changed the content of the process's file; comments count, the
path does not. Folding is pure: two steps over parts of a history equal one step over the whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from reconciler import names

_FOLDER = "processes"
_NO_PROCESSES = frozenset({"workflows", "scripts"})
_SUFFIXES = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit did to one file of a process; ``blob`` is ``None`` where the file went."""

    name: str
    path: str
    blob: str | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the first-parent history; ``time`` is the committer's, ``changes`` are against its parent."""

    id: str
    author: str
    time: datetime
    subject: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a process's configuration: its number, the commit that made it, and the file's content there."""

    name: str
    number: int
    commit: str
    blob: str
    path: str
    author: str
    time: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Last:
    """Where numbering stands for one name, which is all that folding needs to go on.

    ``number`` is the last one given, ``blob`` what it numbered, or ``None`` since the file went. ``files`` are the
    files of that name as (path, blob), in order: none where it is deleted, two or more where a name is used twice.
    """

    number: int = 0
    blob: str | None = None
    files: tuple[tuple[str, str], ...] = ()


def name_of(path: str) -> str | None:
    """The process that a path declares, or ``None``: ``processes/etl/ECB_FX.yaml`` declares ``ECB_FX``."""
    parts = PurePosixPath(path).parts
    if len(parts) < 2 or parts[0] != _FOLDER or parts[1] in _NO_PROCESSES:  # noqa: PLR2004 - a folder and a file
        return None
    stem, dot, suffix = parts[-1].rpartition(".")
    return stem if f"{dot}{suffix}" in _SUFFIXES and names.is_process(stem) else None


def fold(state: Mapping[str, Last], commits: Iterable[Commit]) -> tuple[tuple[Version, ...], dict[str, Last]]:
    """Number what commits (oldest first) made of processes; gives the new versions, and where numbering stands then.

    A deleted file makes no version, and created again its numbers go on. While two files claim one name there is no
    process to number; the commit that settles it makes a version, unless the content is as before.
    """
    last = dict(state)
    versions: list[Version] = []
    for commit in commits:
        touched: dict[str, list[Change]] = {}
        for change in commit.changes:
            touched.setdefault(change.name, []).append(change)
        for name, changes in touched.items():
            last[name], version = _step(last.get(name, Last()), commit, changes)
            if version is not None:
                versions.append(version)
    return tuple(versions), last


def _step(before: Last, commit: Commit, changes: Sequence[Change]) -> tuple[Last, Version | None]:
    files = dict(before.files)
    for change in changes:
        if change.blob is None:
            files.pop(change.path, None)
    files |= {change.path: change.blob for change in changes if change.blob is not None}
    kept = tuple(sorted(files.items()))
    if not kept:
        return Last(before.number), None
    path, blob = kept[0]
    if len(kept) > 1 or blob == before.blob:
        return Last(before.number, before.blob, kept), None
    number = before.number + 1
    made = Version(changes[0].name, number, commit.id, blob, path, commit.author, commit.time, commit.subject)
    return Last(number, blob, kept), made


def version_at(versions: Iterable[Version], chain: Sequence[str], commit: str) -> Version | None:
    """The version a process has at a commit: its newest whose commit is that one or lies before it.

    ``chain`` is the first-parent history, newest first. ``None`` for a commit off the chain or before all versions.
    """
    places = {id_: place for place, id_ in enumerate(chain)}
    if commit not in places:
        return None
    reached = [version for version in versions if places.get(version.commit, -1) >= places[commit]]
    return max(reached, key=lambda version: version.number, default=None)
