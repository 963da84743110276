"""The book of numbering: where it stands for each name, and the versions that were made or changed (SPEC 9)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from reconciler.version import RENAMED, Commit, Gone, Version

Files = tuple[tuple[str, str], ...]
"""The files that claim one name, as (path, blob), in order."""


class Facts(Protocol):
    """What folding asks of the world; the answers must never change."""

    def content(self, blob: str) -> str:
        """The digest of what counts in a file: ``version.content_of``."""

    def values(self, path: str, blob: str) -> str:
        """A digest of a file's values but ``name`` and ``_id``; of its content where it has none that can be read."""

    def sound(self, path: str, blob: str) -> bool:
        """Whether a file, by itself, is free of errors."""

    def versions(self, name: str) -> Iterable[Version]:
        """All versions of a name that were folded before, those that are gone too."""


@dataclass(frozen=True, slots=True)
class Last:
    """Where numbering stands for one name, which is nearly all that folding needs to go on.

    ``number`` is the last one given, ``current`` the current version's and ``content`` its content. ``files`` are those
    that claim the name: none where it is deleted, two or more where it is used twice. ``line`` tells processes that
    follow each other under one name apart: it is the first version that the process had. ``moved`` says that the
    process goes on under another name; ``former`` are the names that it had, newest first.
    """

    name: str
    number: int = 0
    current: int | None = None
    content: str | None = None
    files: Files = ()
    line: str = ""
    moved: bool = False
    former: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A mark that does not hold: in (or brought in by) which commit, about which names, and why."""

    commit: str
    line: str
    names: tuple[str, ...]
    why: str


class Book:
    """What is known so far, and what this folding adds to it."""

    def __init__(self, state: Mapping[str, Last], facts: Facts) -> None:
        self.last = dict(state)
        self.facts = facts
        self.made: dict[str, dict[int, Version]] = {}
        self.ignored: list[Ignored] = []

    def put(self, version: Version) -> None:
        """Add a version, or put it in the place of the one of its number."""
        made = self.made.get(version.name)
        if made is None:
            made = self.made[version.name] = {}
        made[version.number] = version

    def versions(self, name: str) -> dict[int, Version]:
        """All versions of a name, by number."""
        return {version.number: version for version in self.facts.versions(name)} | self.made.get(name, {})

    def number(self, last: Last, commit: Commit, files: Files, content: str) -> Last:
        """Give the next number of a name to what its one file is after a commit."""
        number, ((path, blob),) = last.number + 1, files
        who = commit.author, commit.time, commit.subject
        self.put(Version(last.name, number, commit.id, blob, path, *who, content, None, commit.place))
        begins = last.moved or not last.line
        line = f"{last.name}@{number}" if begins else last.line
        return Last(last.name, number, number, content, files, line, former=() if begins else last.former)

    def end(self, name: str, whys: Mapping[int, str], commit: Commit) -> None:
        """Let versions of a name be gone."""
        versions = self.versions(name) if whys else {}
        for number, why in whys.items():
            self.put(replace(versions[number], gone=Gone(commit.id, why, commit.place)))

    def is_free(self, new: str, old: Last) -> bool:
        """Whether a process may go on under a name: nobody else ever had it."""
        there = self.last.get(new)
        return there is None or not there.number or (there.moved and there.line == old.line)

    def hand_over(self, old: str, new: str, name: str, commit: Commit) -> None:
        """Let a process go on under another name; keys are names in lower case."""
        was = self.last[old]
        for version in self.versions(was.name).values():
            self.put(replace(version, name=name))
            if version.live:
                self.put(replace(version, gone=Gone(commit.id, RENAMED + name, commit.place)))
        former = (was.name, *(one for one in was.former if one != name))
        self.last[old] = Last(was.name, was.number, line=was.line, moved=True)
        self.last[new] = replace(was, name=name, former=former)


def stem(path: str) -> str:
    """The name that the path of a process's file declares."""
    return path.rpartition("/")[2].rpartition(".")[0]
