"""Versions: the states of a process's file, numbered from 1 along the followed branch (SPEC 9), and references to them.

A version is one commit of the first-parent history that changed the content of the process's file; comments count, the
path does not. Folding is pure: two steps over parts of a history equal one step over the whole.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath

from reconciler import names
from reconciler.errors import UsageError

_FOLDER = "processes"
_NO_PROCESSES = frozenset({"workflows", "scripts"})
_SUFFIXES = frozenset({".yaml", ".yml"})
_LONGEST_NUMBER = 9
"""Digits of a version number: no process has a billion versions, so more digits can only be a commit id."""


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


class Kind(StrEnum):
    """By what a reference picks a version."""

    LATEST = "latest"
    NUMBER = "number"
    COMMIT = "commit"


@dataclass(frozen=True, slots=True)
class Reference:
    """What picks a version of a process: a number, a commit id of 7 or more digits, or nothing: the current one."""

    name: str
    kind: Kind = Kind.LATEST
    value: str = ""

    @property
    def number(self) -> int | None:
        """The version number it asks for, if it asks for one."""
        return int(self.value) if self.kind is Kind.NUMBER else None

    def __str__(self) -> str:
        """Write it as the command line takes it."""
        return f"{self.name}@{self.value}" if self.value else self.name


def parse_reference(text: str) -> Reference:
    """Read ``NAME``, ``NAME@3``, ``NAME@<7 or more hex digits>`` or ``NAME@~LATEST``.

    Raises ``UsageError`` for a text that is none of these; tags among them, which are not supported yet.
    """
    name, at, value = text.partition("@")
    if not names.is_process(name):
        raise UsageError(f"{name!r} is no name of a process", todo="name one that `procctl list` shows")
    if not at or value == "~LATEST":
        return Reference(name)
    if re.fullmatch(r"[0-9]+", value) and len(value) <= _LONGEST_NUMBER:
        if int(value) == 0:
            raise UsageError("versions count from 1", where=text)
        return Reference(name, Kind.NUMBER, str(int(value)))
    if names.ABBREVIATED.fullmatch(value):
        return Reference(name, Kind.COMMIT, value)
    if names.TAG.fullmatch(value):
        todo = "use a version number, a commit id of at least 7 digits, or ~LATEST"
        raise UsageError(f"tags are not supported yet, and {value!r} would be one", where=text, todo=todo)
    todo = "write NAME, NAME@3, NAME@<commit id> or NAME@~LATEST"
    raise UsageError(f"{value!r} picks no version", where=text, todo=todo)
