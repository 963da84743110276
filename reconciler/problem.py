"""A problem: one finding in one place of one file of the process repository (SPEC 3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """An error makes a configuration invalid; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding, placed so that an editor or a pull request can show it.

    ``line`` and ``column`` count from 1 (0: the file as a whole), ``pointer`` is a JSON pointer (RFC 6901) into the
    document, ``hint`` says what to do. ``holds`` marks a warning whose process cannot run: it is held.
    """

    path: str
    line: int
    column: int
    pointer: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    holds: bool = False

    def __str__(self) -> str:
        """Render as compilers do, so that editors find the place: ``path:line:column: error: message (hint)``."""
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {self.severity}: {self.message}{hint}"

    def to_document(self) -> dict[str, str | int | bool]:
        """Give the JSON form, as ``procctl validate --format json`` and the HTTP view show it."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "pointer": self.pointer,
            "severity": str(self.severity),
            "message": self.message,
            "hint": self.hint,
            "holds": self.holds,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Problem":
        """Read the JSON form back."""
        fields = {name: document[name] for name in cls.__slots__}
        return cls(**fields | {"severity": Severity(document["severity"])})


def errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Only the errors among problems."""
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)
