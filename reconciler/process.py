"""A process: what to run, when, and with which input (SPEC 3).

The document stays as it is in the file; typed values are read from it when asked for, so that ten thousand processes
cost little more than their documents.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from reconciler import duration, instant

RISTRETTO = timedelta(minutes=6)
"""How long a process of the type Ristretto may take, unless its ``timeout`` says otherwise."""
DELAY = "30s"
"""The pause between attempts where none is given."""


class Overlap(StrEnum):
    """What becomes of a slot that falls due while an execution of the process runs."""

    SKIP = "skip"
    QUEUE = "queue"
    REPLACE = "replace"
    ALLOW = "allow"


class Catchup(StrEnum):
    """What becomes of slots missed while nothing was reconciling."""

    LATEST = "latest"
    NONE = "none"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Process:
    """One process. ``document`` is validated: it has the keys and types of ``schemas/process.schema.json``."""

    name: str
    document: Mapping[str, Any]

    @classmethod
    def of(cls, name: str, document: Mapping[str, Any]) -> "Process":
        """Make a process of a document, sharing the texts of its keys with all other processes."""
        return cls(sys.intern(name), _shared(document))

    @property
    def service(self) -> str:
        """The category that lists and records show."""
        return str(self.document.get("service", "default"))

    @property
    def description(self) -> str:
        """What it is for, in its author's words."""
        return str(self.document.get("description", ""))

    @property
    def script(self) -> str | None:
        """The script as written, less a leading ``#``; ``None`` where it runs a workflow."""
        return _bare(self.document.get("script"))

    @property
    def workflow(self) -> str | None:
        """The workflow's name, less a leading ``#``; ``None`` where it runs a script."""
        return _bare(self.document.get("workflow"))

    @property
    def enabled(self) -> bool:
        """Whether schedules and subscriptions start it."""
        return bool(self.document.get("enabled", True))

    @property
    def environment(self) -> str | None:
        """The one environment it belongs to; ``None``: whichever the reconciler has."""
        return self.document.get("environment")

    @property
    def input(self) -> Mapping[str, Any]:
        """What every phase is given."""
        return self.document.get("input") or {}

    @property
    def settings(self) -> Mapping[str, Any]:
        """Variables set before it runs."""
        return self.document.get("settings") or {}

    @property
    def properties(self) -> Mapping[str, Any]:
        """Metadata, of any shape."""
        return self.document.get("properties") or {}

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by."""
        return tuple(self.document.get("tags") or ())

    @property
    def timeout(self) -> timedelta | None:
        """How long a whole execution may take; ``None``: without limit."""
        written = self.document.get("timeout")
        if written is not None:
            return duration.parse(written)
        return RISTRETTO if self.document.get("processType") == "Ristretto" else None

    @property
    def retries(self) -> int:
        """Attempts of its script after the first."""
        return int(self.document.get("retries", 0))

    @property
    def delay(self) -> timedelta:
        """The pause between attempts of its script."""
        return duration.parse(self.document.get("delay", DELAY))

    @property
    def overlap(self) -> Overlap:
        """What becomes of a slot that falls due while it runs."""
        return Overlap(self.document.get("overlap", Overlap.SKIP))

    @property
    def catchup(self) -> Catchup:
        """What becomes of slots missed while nothing was reconciling."""
        return Catchup(self.document.get("catchup", Catchup.LATEST))

    @property
    def scheduled(self) -> bool:
        """Whether it has any schedule at all."""
        return any(self.document.get(key) for key in ("cron", "every", "at"))

    def schedule_document(self, default_timezone: str) -> dict[str, Any]:
        """Give what decides its slots in one canonical form: equal documents have equal slots.

        Keys: ``cron`` (list, blanks single), ``every`` (shortest form), ``at`` (instants in UTC, sorted), ``dst``, each
        only if present, and always ``timezone``.
        """
        canonical: dict[str, Any] = {}
        if crons := self.crons:
            canonical["cron"] = list(dict.fromkeys(" ".join(cron.split()) for cron in crons))
        if "every" in self.document:
            canonical["every"] = duration.text(duration.parse(self.document["every"]))
        if instants := self.instants:
            canonical["at"] = [_written(at) for at in sorted(set(instants))]
        canonical["timezone"] = self.document.get("timezone", default_timezone)
        dst = {key: value for key, value in (self.document.get("dst") or {}).items() if key in ("gap", "fold")}
        if dst:
            canonical["dst"] = dst
        return canonical

    @property
    def crons(self) -> tuple[str, ...]:
        """Its cron expressions, as written."""
        cron = self.document.get("cron", ())
        return (cron,) if isinstance(cron, str) else tuple(cron)

    @property
    def instants(self) -> tuple[datetime, ...]:
        """Its one-off slots, in the order written, in UTC."""
        return tuple(instant.parse(at) for at in self.document.get("at", ()))


def _written(at: datetime) -> str:
    # Not instant.text: a slot may have microseconds, and cutting them would make two slots one.
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _bare(written: str | None) -> str | None:
    return None if written is None else written.removeprefix("#")


def _shared(value: Any) -> Any:
    # Plain types only, as YAML and JSON give them: asking for a Mapping would take most of a warm start.
    if value.__class__ is dict:
        return {sys.intern(key): _shared(inner) for key, inner in value.items()}
    return [_shared(inner) for inner in value] if value.__class__ is list else value
