"""References: how people name one version of a process (SPEC 9)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from reconciler import names
from reconciler.errors import UsageError

LATEST = "~LATEST"
_LONGEST_NUMBER = 9
"""Digits of a version number: no process has a billion versions, so more digits can only be a commit id."""


class Kind(StrEnum):
    """By what a reference picks a version; whether a name is a tag or a commit id is decided by looking."""

    LATEST = "latest"
    NUMBER = "number"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class Reference:
    """What picks a version of a process: a number, a tag, 7 or more digits of a commit id, or nothing: the current."""

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
    """Read ``NAME``, ``NAME@3``, ``NAME@TAG``, ``NAME@<7 or more hex digits>`` or ``NAME@~LATEST``.

    Raises ``UsageError`` for a text that is none of these.
    """
    name, at, value = text.partition("@")
    if not names.is_process(name):
        raise UsageError(f"{name!r} is no name of a process", todo="name one that `procctl list` shows")
    if not at or value == LATEST:
        return Reference(name)
    is_id = value.startswith("0") and names.ABBREVIATED.fullmatch(value)
    if re.fullmatch(r"[0-9]+", value) and len(value) <= _LONGEST_NUMBER and not is_id:
        if int(value) == 0:
            raise UsageError("versions count from 1", where=text)
        return Reference(name, Kind.NUMBER, str(int(value)))
    if names.ABBREVIATED.fullmatch(value) or names.is_tag(value):
        return Reference(name, Kind.NAMED, value)
    todo = "write NAME, NAME@3, NAME@TAG, NAME@<commit id> or NAME@~LATEST"
    raise UsageError(f"{value!r} picks no version", where=text, todo=todo)
