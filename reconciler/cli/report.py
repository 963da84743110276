"""What a check reports, in parts that every format can render: for people, for pull requests, for programs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reconciler import validation
from reconciler.problem import Problem, Severity
from reconciler.store import schemas


class Level(StrEnum):
    """How much a finding matters: what fails a check, what may, and what is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to show beside a file. ``rule`` names its kind for good; ``line`` and ``column`` are 0 for the file."""

    level: Level
    rule: str
    path: str
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of what follows, as ours (``text``) and as written by somebody else (``name``).

    ``depth`` 1 is a section, 2 an item of one.
    """

    text: str
    name: str = ""
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Lines:
    """Facts, one a line; they may hold what somebody else wrote."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Facts in columns, all of them ours: instants, numbers, names of zones; nothing that a file could choose."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Problems:
    """Problems of files."""

    problems: tuple[Problem, ...]


Block = Heading | Lines | Grid | Problems


@dataclass(frozen=True, slots=True)
class Report:
    """What a command found: ``summary`` in one line of ours, ``document`` for programs, ``blocks`` for people.

    ``warnings`` are about no file, such as marks in messages that do not hold; they are among ``blocks`` as well.
    """

    command: str
    summary: str
    findings: tuple[Finding, ...]
    document: Mapping[str, Any]
    blocks: tuple[Block, ...]
    warnings: tuple[str, ...] = ()


def findings(problems: Iterable[Problem]) -> tuple[Finding, ...]:
    """Problems as findings; the hint is part of the message."""
    return tuple(
        Finding(
            Level.ERROR if one.severity is Severity.ERROR else Level.WARNING,
            rule(one),
            one.path,
            one.line,
            one.column,
            f"{one.message} ({one.hint})" if one.hint else one.message,
        )
        for one in problems
    )


def rule(problem: Problem) -> str:
    """Name the kind of a problem by what it is about: ``process/cron``; only names of ours, none of a file."""
    kind = validation.kind_of(problem.path)
    if kind is None:
        return "repository/file"
    if not problem.pointer:
        return f"{kind}/document" if problem.line else f"{kind}/file"
    key = problem.pointer.split("/")[1].replace("~1", "/").replace("~0", "~")
    return f"{kind}/{key}" if key in schemas.load()[kind]["properties"] else f"{kind}/unknown-key"


_FIXED = {
    "document": "The file as a whole: its syntax, and that it is a mapping.",
    "file": "The file's name, its place, and what stands there.",
    "unknown-key": "A key that the schema does not know.",
}
_OTHER = {"plan/times": "The next slots of a process change."}


def meaning(rule_id: str) -> str:
    """Say what a rule is about."""
    kind, _, key = rule_id.partition("/")
    if rule_id in _OTHER or key in _FIXED:
        return _OTHER.get(rule_id) or _FIXED[key]
    described: str = schemas.load()[kind]["properties"][key].get("description", f"The key {key}.")
    return described
