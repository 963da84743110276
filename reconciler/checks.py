"""What a schema cannot say about one file: names, expressions, durations, graphs, and what is not supported yet.

Each check looks at one document alone, whatever else lies in the repository, and gives findings. A document here may
lack keys, and ``None`` may stand for elements of its lists: what the schema found wrong is taken out beforehand, so
what is there has the right type.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from reconciler import cron, daylight, duration, inputs, instant, names, pattern
from reconciler.problem import Severity
from reconciler.schema import Finding, label, near

_NOTHING = timedelta()
_SECOND = timedelta(seconds=1)
_LATER = "until a release supports it, nothing that uses it starts"

Document = Mapping[str, Any]


def process(stem: str, document: Document) -> Iterator[Finding]:
    """Check a process whose file has that stem."""
    yield from _names(stem, document)
    yield from _crons(stem, document)
    yield from _instants(document)
    yield from _timezone(document)
    yield from _length(document, "every", at_least=_SECOND)
    yield from _length(document, "timeout", above=_NOTHING)
    yield from _length(document, "delay")
    if document.get("retry_on_lost"):
        yield _later(("retry_on_lost",), "retry_on_lost")
    for key, default in _PROCESS_LATER.items():
        if key in document and document[key] != default:
            yield _later((key,), f"{key} {document[key]}".lower() if default else key)


def workflow(stem: str, document: Document) -> Iterator[Finding]:
    """Check a workflow whose file has that stem."""
    yield from _names(stem, document)
    yield from _schemas(document)
    yield from _phases(document.get("phases", ()))


def settings(_stem: str, document: Document) -> Iterator[Finding]:
    """Check the settings of a repository."""
    yield from _timezone(document)
    yield from _length(document, "retention", above=_NOTHING)
    yield from _length(document, "catchup_window")


_PROCESS_LATER: Document = {
    "subscriptions": [],
    "secrets": [],
    "runAs": None,
    "queue": None,
    "overlap": "skip",
    "catchup": "latest",
}
"""Keys of a process whose behaviour comes later, with the values that change nothing."""


def _later(path: tuple[str | int, ...], what: str) -> Finding:
    return Finding(path, f"{what} is not supported yet", _LATER, severity=Severity.WARNING, holds=True)


def _names(stem: str, document: Document) -> Iterator[Finding]:
    if not names.is_process(stem):
        hint = "letters, digits and _ . - only, at most 128; no digit, . or - first, no .. in it, no . or .lock last"
        reserved = stem.lower() in names.RESERVED
        yield Finding((), f"{stem!r} cannot be a name", "it is reserved" if reserved else hint)
    for key in ("_id", "name"):
        if key in document and document[key] != stem:
            yield Finding((key,), f"{key} must equal the file's name, {stem}", f"rename the file, or write {stem}")


def _crons(name: str, document: Document) -> Iterator[Finding]:
    written = document.get("cron", ())
    listed = (
        [(("cron",), written)] if isinstance(written, str) else [(("cron", n), text) for n, text in enumerate(written)]
    )
    for path, text in listed:
        if text is None:
            continue
        try:
            read = cron.parse(text, name)
        except cron.CronError as error:
            yield Finding(path, error.message, error.hint)
        else:
            for message, hint in read.warnings:
                yield Finding(path, message, hint, severity=Severity.WARNING)


def _instants(document: Document) -> Iterator[Finding]:
    for index, text in enumerate(document.get("at", ())):
        try:
            instant.parse(text or "1970-01-01T00:00:00Z")
        except (ValueError, OverflowError):
            yield Finding(("at", index), f"at[{index}] is no instant that exists: {text}")


def _timezone(document: Document) -> Iterator[Finding]:
    if "timezone" in document:
        try:
            daylight.zone(document["timezone"])
        except ValueError as error:
            hint = near(document["timezone"], [name for name in _zones() if name != document["timezone"]])
            yield Finding(("timezone",), str(error), hint)


@cache
def _zones() -> list[str]:
    return sorted(available_timezones())


def _length(
    document: Document, key: str, *, at_least: timedelta = _NOTHING, above: timedelta | None = None
) -> Iterator[Finding]:
    if key not in document:
        return
    try:
        length = duration.parse(document[key])
    except ValueError as error:
        yield Finding((key,), f"{key}: {error}")
        return
    if length < at_least or (above is not None and length <= above):
        bound = "longer than 0s" if above is not None else f"at least {duration.text(at_least)}"
        yield Finding((key,), f"{key} must be {bound}")


def _schemas(document: Document) -> Iterator[Finding]:
    declared = document.get("input", {})
    for name, schema in declared.items():
        for path, text in inputs.patterns(schema, ("input", name)):
            try:
                pattern.simple(text)
            except ValueError as error:
                yield Finding(path, f"{label(path)} {error}", "use a simpler one, or check the value in the script")
    if "input" in document:
        for index, name in enumerate(document.get("required", ())):
            if name not in declared:
                hint = near(name, declared) or "declare it under input"
                yield Finding(("required", index), f"required names {name[:40]}, which is no input", hint)


def _phases(phases: Sequence[Document]) -> Iterator[Finding]:
    places: dict[str, int] = {}
    for index, phase in enumerate(phases):
        name = phase.get("name")
        if name in places:
            yield Finding(("phases", index, "name"), f"two phases have the name {name}", "give each its own")
        elif name is not None:
            places[name] = index
        for finding in _phase(phase):
            yield _within(("phases", index), finding)
        default = [phases[index - 1].get("name")] if index else []
        if "needs" in phase and phase["needs"] != default:
            yield _later(("phases", index, "needs"), f"phases[{index}].needs other than the phase above")
        if "when" in phase and not phase.get("needs", default):
            yield Finding(
                ("phases", index, "when"), f"phases[{index}].when has no phase to look at", "name one under needs"
            )
    if len(places) == len(phases):
        yield from _graph(phases, places)


def _phase(phase: Document) -> Iterator[Finding]:
    yield from _length(phase, "timeout", above=_NOTHING)
    yield from _length(phase, "delay")
    yield from _length(phase, "reschedule", above=_NOTHING)
    for key, default in (("when", {"exit": "ok"}), ("run", None), ("workflow", None), ("reschedule", None)):
        if key in phase and phase[key] != default:
            yield _later((key,), key)
    if phase.get("backoff", "constant") != "constant":
        yield _later(("backoff",), f"backoff {phase['backoff']}")


def _within(path: tuple[str | int, ...], finding: Finding) -> Finding:
    message = f"{label(path)}.{finding.message}"
    return Finding((*path, *finding.path), message, finding.hint, severity=finding.severity, holds=finding.holds)


def _graph(phases: Sequence[Document], places: Mapping[str, int]) -> Iterator[Finding]:
    """Unknown names and cycles among ``needs``."""
    order = [phase["name"] for phase in phases]
    needs = {name: list(phase.get("needs", ())) for name, phase in zip(order, phases, strict=True)}
    for above, name in pairwise(order):
        if "needs" not in phases[places[name]]:
            needs[name] = [above]
    for name, needed in needs.items():
        for index, each in enumerate(needed):
            if each not in places:
                path = ("phases", places[name], "needs", index)
                yield Finding(path, f"needs names {each}, which is no phase", near(each, order))
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle = error.args[1]
        place = ("phases", places[circle[0]])
        yield Finding(place, f"phases need each other in a circle: {', '.join(circle[:10])}", "cut it at one of them")


CHECKS: Mapping[str, Callable[[str, Document], Iterator[Finding]]] = {
    "process": process,
    "workflow": workflow,
    "settings": settings,
}
"""The checks of each kind of file."""
