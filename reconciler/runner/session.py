"""One runner's life: claim, read, ``running``, work, end, release (SPEC 10).

The order is what makes a start happen at most once: the claim is exclusive and durable before anything else, and
``running`` is durable before the first script starts.
"""

import os
import pwd
import sys
import time
import traceback
from contextlib import suppress
from functools import cache

from reconciler.execution import Execution, Outcome, Status, Trigger
from reconciler.runner import cancel
from reconciler.runner.folders import Folders
from reconciler.runner.job import Job
from reconciler.runner.live import LiveRecord
from reconciler.runner.signals import Signals
from reconciler.runner.wake import Wake
from reconciler.runner.work import Result, Work
from reconciler.store import claims, files, records
from reconciler.store.claims import Claim

DONE, UNRECORDED, BUG = 0, 1, 70
"""Exit codes of a runner: its record tells all; the disk would not take the record; something that must not happen."""


@cache
def identity() -> tuple[str, str]:
    """Name host and user as records do."""
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return os.uname().nodename, user


def run(job: Job, signals: Signals) -> int:
    """Work on an execution that nobody has claimed; leave it alone where somebody has, or where it is not waiting.

    Standard error is let go of once ``running`` is recorded: from there on the record tells everything.
    """
    signals.note = cancel.note(job.layout, job.id)
    wake = Wake(job.wake)
    host, user = identity()
    boot_id, pid, started = claims.mine()
    claim = Claim(job.id, os.fspath(job.record), boot_id, pid, started, host)
    try:
        if not claims.take(job.layout, job.id, claim):
            return DONE
    except OSError as error:
        return _unrecorded(job, error)
    execution = _waiting(job)
    if execution is None:
        claims.release(job.layout, job.id)
        return DONE
    live = LiveRecord(job.layout, execution)
    try:
        live.begin(job.phases[0].name, time.time_ns(), host=host, user=user)
    except OSError as error:
        if _waiting(job):  # else `running` is there, though not surely durable: recovery has to look at it
            claims.release(job.layout, job.id)
        return _unrecorded(job, error)
    if execution.trigger is Trigger.MANUAL:
        wake.send()  # a reconciler need not know of a run in the foreground; of the others it has handed out
    os.dup2(0, 2)
    folders = Folders(job.layout, job.id, execution.name)
    result = _work(job, live, signals, folders)
    try:
        live.finish(result.outcome, result.message, result.not_run, result.ended)
    except OSError:
        return UNRECORDED  # the claim stays: recovery finds nobody alive behind it, and records `interrupted`
    folders.leave()
    if result.outcome is Outcome.SUCCESS:
        folders.remove()
    if signals.stopped:
        cancel.forget(job.layout, job.id)
    claims.release(job.layout, job.id)
    wake.send()
    return DONE


def _waiting(job: Job) -> Execution | None:
    """Read the record; ``None`` unless it waits for a runner."""
    try:
        execution = records.read(job.record)
    except (OSError, ValueError) as error:
        complain(f"{job.record}: {error}")
        return None
    return execution if execution.id == job.id and execution.status is Status.TRIGGERED else None


def _work(job: Job, live: LiveRecord, signals: Signals, folders: Folders) -> Result:
    try:
        return Work(job, live, signals, folders).run()
    except Exception as error:  # noqa: BLE001 - a bug of ours must not leave a record that says `running` for ever
        live.log(0, "fatal", live.masks.text(traceback.format_exc()), time.time_ns())
        message = live.masks.text(f"procctl failed, which is a bug: {type(error).__name__}: {error}")
        not_run = tuple(phase.name for phase in job.phases[len(live.execution.phases) :])
        return Result(Outcome.FAILED, message, time.time_ns(), not_run)


def complain(text: str) -> None:
    """Tell whoever started this process what is wrong, if he still listens."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"procctl: error: {text}\n")


def _unrecorded(job: Job, error: OSError) -> int:
    """Say why an execution could not be begun; its record still waits, so it will be handed out again."""
    complain(str(files.explain(error, job.record)))
    return UNRECORDED
