"""Marks: whole lines of a commit's message that say what the commit did to versions (SPEC 9).

A mark is only a claim. Whether it holds is for ``numbering`` to say, so that one which was written by hand, copied to
another branch or left over in a message changes nothing.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from reconciler import names

PREFIX = "Procctl-"
SHORT = 12
"""Digits of a blob's id in a mark."""

MOST = 1000
"""Marks of one message that are read: more than any merge brings in."""

_LONGEST = 300
"""Characters of a line that is no mark that are kept for the warning: more than two names have."""

_LINE = re.compile(rf"^[ \t]*({PREFIX}[A-Za-z]+:[^\n]*)", re.MULTILINE)
_NUMBERED = re.compile(rf"{PREFIX}(Rollback|Delete): (\S+)@([1-9][0-9]{{0,8}}) ([0-9a-f]{{{SHORT}}})")
_RENAMED = re.compile(rf"{PREFIX}Rename: (\S+) (\S+)")


class Numbered(Protocol):
    """What a mark about one version has to know of it."""

    @property
    def name(self) -> str:
        """The process."""

    @property
    def number(self) -> int:
        """The number."""

    @property
    def blob(self) -> str:
        """The whole id of the file's blob."""


@dataclass(frozen=True, slots=True)
class _OfVersion:
    """What the commit did to version ``number``; ``blob`` begins the id of that version's blob."""

    name: str
    number: int
    blob: str

    def __str__(self) -> str:
        """Write the line, which the class's own name says."""
        return f"{PREFIX}{type(self).__name__}: {self.name}@{self.number} {self.blob}"


class Rollback(_OfVersion):
    """The commit takes version ``number`` back; the newest sound one below is current again."""

    __slots__ = ()


class Delete(_OfVersion):
    """Version ``number``, which is not the current one, is no more from this commit on."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Rename:
    """The process ``old`` goes on as ``new``, with its versions."""

    old: str
    new: str

    def __str__(self) -> str:
        """Write the line."""
        return f"{PREFIX}Rename: {self.old} {self.new}"


@dataclass(frozen=True, slots=True)
class Unclear:
    """A line that looks like a mark and is none, for the warning that says so."""

    line: str

    def __str__(self) -> str:
        """Give the line."""
        return self.line


Mark = Rollback | Delete | Rename | Unclear


def parse(message: str) -> tuple[Mark, ...]:
    """Read the marks of a message, in order, each once. Spaces around a line do not count: squashing indents."""
    if PREFIX not in message:
        return ()
    found: dict[Mark, None] = {}
    for match in _LINE.finditer(message):
        found[_mark(match[1].rstrip())] = None
        if len(found) > MOST:
            return (*list(found)[:MOST], Unclear(f"{PREFIX}…: more than {MOST:,} marks in one message"))
    return tuple(found)


def names_in(mark: Mark) -> tuple[str, ...]:
    """The processes that a mark is about; none where it is unclear."""
    match mark:
        case Rename(old, new):
            return old, new
        case Rollback(name) | Delete(name):
            return (name,)
        case Unclear():
            return ()


def rollback(version: Numbered) -> str:
    """Write the line that takes a version back."""
    return str(Rollback(version.name, version.number, version.blob[:SHORT]))


def delete(version: Numbered) -> str:
    """Write the line that deletes a version."""
    return str(Delete(version.name, version.number, version.blob[:SHORT]))


def rename(old: str, new: str) -> str:
    """Write the line that renames a process."""
    return str(Rename(old, new))


def _mark(line: str) -> Mark:
    if match := _NUMBERED.fullmatch(line):
        kind, name, number, blob = match.groups()
        if names.is_process(name):
            return (Rollback if kind == "Rollback" else Delete)(name, int(number), blob)
    elif (match := _RENAMED.fullmatch(line)) and names.is_process(match[1]) and names.is_process(match[2]):
        return Rename(match[1], match[2])
    return Unclear(line[:_LONGEST])
