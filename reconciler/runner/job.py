"""The job: what a runner needs beyond the record to work on one execution, resolved beforehand.

What the record says (name, version, commit, trigger, reason, slot) is not said again: the runner reads the record, so
the two cannot differ. A runner never touches git and never reads a configuration.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from reconciler import names
from reconciler.store.layout import Layout
from reconciler.workflow import Phase


@dataclass(frozen=True, slots=True)
class Job:
    """One execution to work on.

    ``id`` names the execution and ``record`` its file (absolute). ``tree`` is the read-only checkout of its commit's
    ``processes/scripts/``; ``phases`` name scripts by their path in the repository. ``input`` is the process's with the
    caller's body over it. ``timeout`` bounds the whole execution. ``wake`` is the unix datagram socket to tell when
    something happened. ``environ`` is what scripts get of the starter's environment (``environment.base``).
    """

    id: str
    record: Path
    layout: Layout
    tree: Path
    phases: tuple[Phase, ...]
    input: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    timeout: timedelta | None = None
    wake: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Write the job for a pipe."""
        document = {
            "id": self.id,
            "record": str(self.record),
            "layout": [str(self.layout.home), str(self.layout.records), self.layout.environment],
            "tree": str(self.tree),
            "phases": [
                [phase.name, phase.script, phase.retries, phase.delay.total_seconds(), _seconds(phase.timeout)]
                for phase in self.phases
            ],
            "input": self.input,
            "settings": self.settings,
            "timeout": _seconds(self.timeout),
            "wake": None if self.wake is None else str(self.wake),
            "environ": dict(self.environ),
        }
        return json.dumps(document).encode()


def parse(data: bytes) -> Job:
    """Read a job; ``ValueError`` says why it is none."""
    try:
        document = json.loads(data)
        home, records, environment = document["layout"]
        job = Job(
            id=document["id"],
            record=Path(document["record"]),
            layout=Layout(Path(home), Path(records), environment),
            tree=Path(document["tree"]),
            phases=tuple(
                Phase(name, script, retries, timedelta(seconds=delay), _duration(timeout))
                for name, script, retries, delay, timeout in document["phases"]
            ),
            input=document["input"],
            settings=document["settings"],
            timeout=_duration(document["timeout"]),
            wake=None if document["wake"] is None else Path(document["wake"]),
            environ=document["environ"],
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"no job of a runner: {type(error).__name__}: {error}") from error
    if not names.is_execution(job.id) or not job.phases:
        raise ValueError("no job of a runner: its id is none, or it has no phases")
    return job


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
