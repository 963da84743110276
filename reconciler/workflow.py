"""A workflow: a named list of phases that a process can run instead of a single script (SPEC 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from reconciler import duration, inputs

MAIN = "MAIN"
"""The one phase of a process that runs a script."""
_DELAY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Phase:
    """The smallest part of an execution with its own timing, log and retries; exactly one of script, run, workflow.

    ``retries`` are attempts after the first, ``delay`` is the pause between them, ``timeout`` bounds one attempt.
    ``needs`` is ``None`` where the file leaves it out: the phase above.
    """

    name: str
    script: str | None = None
    retries: int = 0
    delay: timedelta = _DELAY
    timeout: timedelta | None = None
    run: str | None = None
    workflow: str | None = None
    needs: tuple[str, ...] | None = None
    when: Mapping[str, str] | None = None
    backoff: str = "constant"
    reschedule: timedelta | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Phase":
        """Read a validated phase."""
        needs = document.get("needs")
        return cls(
            name=document["name"],
            script=_bare(document.get("script")),
            retries=int(document.get("retries", 0)),
            delay=duration.parse(document["delay"]) if "delay" in document else _DELAY,
            timeout=_length(document.get("timeout")),
            run=document.get("run"),
            workflow=_bare(document.get("workflow")),
            needs=None if needs is None else tuple(needs),
            when=document.get("when"),
            backoff=document.get("backoff", "constant"),
            reschedule=_length(document.get("reschedule")),
        )


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow. ``document`` is validated: it has the keys and types of ``schemas/workflow.schema.json``."""

    name: str
    document: Mapping[str, Any]

    @property
    def description(self) -> str:
        """What it is for, in its author's words."""
        return str(self.document.get("description", ""))

    @property
    def input(self) -> Mapping[str, Any]:
        """JSON Schema of each input, by name."""
        return self.document.get("input") or {}

    @property
    def required(self) -> tuple[str, ...]:
        """The inputs that must be given."""
        return tuple(self.document.get("required") or ())

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Its phases, in order."""
        return tuple(Phase.of(phase) for phase in self.document["phases"])


class Single(Protocol):
    """What of a process its single phase follows from."""

    @property
    def script(self) -> str | None:
        """The script it runs."""

    @property
    def retries(self) -> int:
        """Attempts after the first."""

    @property
    def delay(self) -> timedelta:
        """The pause between them."""


def phases_of(process: Single, workflow: Workflow | None) -> tuple[Phase, ...]:
    """The phases of a process: its workflow's, or the one that runs its script."""
    if workflow is not None:
        return workflow.phases
    return (Phase(MAIN, script=process.script, retries=process.retries, delay=process.delay),)


def check_input(workflow: Workflow, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what is wrong with the input of an execution, before anything runs: one text for each value; none if it fits.

    Values that the workflow does not declare are no error: scripts may read them all the same.
    """
    found = inputs.findings(workflow.input, workflow.required, given)
    return tuple(f"{'.'.join(['input', *map(str, path)])} {message}" for path, message in found)


def _length(written: str | None) -> timedelta | None:
    return None if written is None else duration.parse(written)


def _bare(written: str | None) -> str | None:
    return None if written is None else written.removeprefix("#")
