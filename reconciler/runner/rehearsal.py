"""A rehearsal: a runner works on an execution of nobody's, so that its first true one finds at hand what it needs.

A forked process shares its memory until it writes to it, and Python writes wherever it looks. What a rehearsal has
touched is this process's own; the first job would pay for that otherwise, at the very instant when it is due.
"""

import tempfile
from contextlib import suppress
from pathlib import Path

from reconciler import instant
from reconciler.execution import Execution, Trigger
from reconciler.runner import environment, session
from reconciler.runner import job as jobs
from reconciler.runner.job import Job
from reconciler.runner.signals import Signals
from reconciler.store import records
from reconciler.store.layout import Layout
from reconciler.workflow import MAIN, Phase

_ID = "00000000-0000-4000-8000-000000000000"


def rehearse(signals: Signals) -> None:
    """Run a script that does nothing, with all that belongs to it, in a temporary folder that goes again."""
    with suppress(OSError), tempfile.TemporaryDirectory(prefix="procctl-rehearsal-") as folder:
        _run(Path(folder), signals)


def _run(folder: Path, signals: Signals) -> None:
    script = folder / "nothing.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o700)
    layout = Layout(folder / "home", folder / "records", "rehearsal")
    execution = Execution(
        id=_ID,
        service="rehearsal",
        name="REHEARSAL",
        environment=layout.environment,
        trigger=Trigger.SCHEDULED,
        reason="rehearsal",
        trigger_time=instant.EPOCH,
    )
    records.create(layout, execution)
    job = Job(_ID, layout.record(execution), layout, folder, (Phase(MAIN, script.name),), environ=environment.base({}))
    session.run(jobs.parse(job.to_json()), signals)
