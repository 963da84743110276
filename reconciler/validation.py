"""One file's bytes to a document or to problems: syntax, schema, and what a schema cannot say (SPEC 3).

What spans files (a missing script, a name used twice) is ``snapshot``'s; what depends on the day is ``dated``. So the
result follows from path and bytes alone, and can be kept for ever beside the blob's id and the release.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler import checks, cron, instant, yamltext
from reconciler.problem import Problem, Severity, errors
from reconciler.process import Process
from reconciler.recurrence import DAY
from reconciler.schema import Finding, Schema
from reconciler.settings import PATH as SETTINGS
from reconciler.yamltree import TELLING, Document, Place, escape, quoted

Schemas = Mapping[str, Mapping[str, Any]]
"""The four schemas by name: process, workflow, settings, execution."""


_LOOKED_AT = frozenset({"script", "workflow", "input", "cron", "at", "phases"})


class Kind(StrEnum):
    """What a file declares."""

    PROCESS = "process"
    WORKFLOW = "workflow"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds (``None`` where it has errors), and its problems.

    ``places`` are the lines and columns of the values that other files or the day may prove wrong, by JSON pointer.
    """

    document: Mapping[str, Any] | None
    problems: tuple[Problem, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)


def kind_of(path: str) -> Kind | None:
    """What a path of the repository declares; ``None`` for scripts and for files that are no YAML."""
    if path == SETTINGS:
        return Kind.SETTINGS
    parts = path.split("/")
    if len(parts) < 2 or parts[0] != "processes" or not parts[-1].endswith((".yaml", ".yml")):  # noqa: PLR2004 - a folder and a file
        return None
    folder = parts[1] if len(parts) > 2 else ""  # noqa: PLR2004 - a folder between
    return None if folder == "scripts" else Kind.WORKFLOW if folder == "workflows" else Kind.PROCESS


def stem_of(path: str) -> str:
    """The name that a path declares: ``processes/etl/ECB_FX.yaml`` declares ``ECB_FX``."""
    return path.rpartition("/")[2].rpartition(".")[0]


class Validator:
    """Checks files against the schemas. Each schema is compiled when the first file needs it."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._compiled: dict[Kind, Schema] = {}

    def check(self, kind: Kind, path: str, data: bytes) -> Parsed:
        """Check one file. Never raises, whatever the bytes."""
        document, found = yamltext.read(path, data)
        if document is None:
            return Parsed(None, tuple(_few(path, found)))
        value = {} if document.value is None and kind is Kind.SETTINGS else document.value
        problems = list(found)
        if value is None:
            problems.append(Problem(path, 1, 1, "", "the file is empty", f"write the {kind}, or remove the file"))
        else:
            told = {problem.pointer for problem in errors(found)}
            problems += [
                problem
                for problem in (_problem(path, document, finding) for finding in self._findings(kind, path, value))
                if problem.pointer not in told
            ]
            problems += _cuts(path, document, {problem.pointer for problem in errors(problems)})
        problems = _few(path, problems)
        if errors(problems):
            return Parsed(None, tuple(problems), _places(document))
        return Parsed(value, tuple(problems), _places(document))

    def _findings(self, kind: Kind, path: str, value: Any) -> Iterator[Finding]:
        if kind not in self._compiled:
            self._compiled[kind] = Schema(self._schemas[kind])
        found = self._compiled[kind].findings(value)
        yield from found
        if isinstance(value, dict):
            sound = _without(value, [finding.path for finding in found]) if found else value
            yield from checks.CHECKS[kind](stem_of(path), sound)


def dated(process: Process, now: datetime, path: str, places: Mapping[str, Place]) -> tuple[Problem, ...]:
    """Warn of schedules that are over at ``now``: of a year that is past, or an ``at``.

    ``path`` and ``places`` (of ``Parsed``; may be empty) say where the process stands. Apart from ``check`` because
    what depends on the day must not be kept with the bytes.
    """
    found = []
    yesterday = int((now - instant.EPOCH).total_seconds()) - DAY  # so that it is past in every zone
    for index, text in enumerate(process.crons):
        if cron.parse(text, process.name).recurrence.next(yesterday) is None:
            pointer = "/cron" if isinstance(process.document["cron"], str) else f"/cron/{index}"
            found.append((pointer, f"{text} is over: its years are past", "remove it, or give it later years"))
    for index, at in enumerate(process.instants):
        if at < now:
            found.append((f"/at/{index}", f"{process.document['at'][index]} is past", "remove it"))
    return tuple(
        Problem(path, *places.get(pointer, (0, 0)), pointer, message, hint, Severity.WARNING)
        for pointer, message, hint in found
    )


def _without(value: Mapping[str, Any], wrong: Iterable[tuple[str | int, ...]]) -> dict[str, Any]:
    """A document less its keys with findings; of inputs and phases only the part that has them is left out."""
    kept = dict(value)
    if isinstance(kept.get("input"), dict):
        kept["input"] = dict(kept["input"])
    if isinstance(kept.get("phases"), list):
        kept["phases"] = [dict(phase) if isinstance(phase, dict) else {} for phase in kept["phases"]]
    for path in wrong:
        match path:
            case ("phases", int(index), *inner):
                if inner and "phases" in kept:
                    kept["phases"][index].pop(inner[0], None)
            case ("input", str(name), *_):
                kept.get("input", {}).pop(name, None)
            case ("cron" | "at" as key, int(index)):
                kept[key] = [None if number == index else each for number, each in enumerate(kept.get(key, ()))]
            case (str(key), *_):
                kept.pop(key, None)
            case _:
                pass
    return kept


def _problem(path: str, document: Document, finding: Finding) -> Problem:
    node = document.find(finding.path)
    place = node.key if finding.at_key else node.place
    pointer = "".join(f"/{escape(str(step))}" for step in finding.path)
    hint = finding.hint
    if finding.severity is Severity.ERROR:
        hint = next((_quote(cut.text, cut.comment) for cut in document.cuts if cut.pointer == pointer), hint)
    return Problem(path, *place, pointer, finding.message, hint, finding.severity, finding.holds)


def _cuts(path: str, document: Document, wrong: set[str]) -> Iterator[Problem]:
    """Warn of values that a comment cuts off, unless an error says so already."""
    for cut in document.cuts:
        if cut.pointer not in wrong:
            message = f"{cut.comment} is a comment, and no part of the value"
            hint = f"{_quote(cut.text, cut.comment)}, or put a blank after #"
            yield Problem(path, *cut.place, cut.pointer, message, hint, Severity.WARNING)


def _quote(text: str, comment: str) -> str:
    return quoted(f"{text} {comment}".strip())


def _few(path: str, problems: Iterable[Problem]) -> list[Problem]:
    """Problems in the order of the file, each once, fit to print, and not so many that nobody reads them."""
    ordered = sorted({_printable(problem) for problem in problems})
    if len(ordered) <= TELLING + 1:
        return ordered
    # Errors decide whether the file is valid, so they go first where not all can be told.
    told = sorted(ordered, key=lambda problem: problem.severity is Severity.WARNING)[:TELLING]
    more = Problem(path, 0, 0, "", f"and {len(ordered) - TELLING} more problems", "mend these first")
    return [*sorted(told), more if errors(told) else replace(more, severity=Severity.WARNING)]


def _printable(problem: Problem) -> Problem:
    """Escape what a file's own text could do to a terminal or a log (keys and values stand in messages)."""
    message, hint = (
        text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
        for text in (problem.message, problem.hint)
    )
    return (
        replace(problem, message=message, hint=hint) if (message, hint) != (problem.message, problem.hint) else problem
    )


def _places(document: Document) -> dict[str, Place]:
    """Where the values stand that other files or the day may prove wrong."""
    parts = document.root.parts
    if not isinstance(parts, dict):
        return {}
    found = {}
    for key in _LOOKED_AT.intersection(parts):
        found[f"/{key}"] = parts[key].place
        inner = parts[key].parts
        named = inner.items() if isinstance(inner, dict) else enumerate(inner or ())
        if key == "phases":
            found |= {
                f"/phases/{index}/{each}": phase.parts[each].place
                for index, phase in named
                if isinstance(phase.parts, dict)
                for each in ("script", "workflow")
                if each in phase.parts
            }
        else:
            found |= {f"/{key}/{escape(str(step))}": node.place for step, node in named}
    return found
