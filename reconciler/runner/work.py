"""The work of one execution: its phases in order, each with its attempts, until one fails or time is up (SPEC 5)."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler import duration
from reconciler.execution import Execution, Outcome
from reconciler.runner import cancel, command, environment
from reconciler.runner.attempt import TICK, Attempt, Ending, Stop
from reconciler.runner.command import NotRunnableError
from reconciler.runner.folders import Folders
from reconciler.runner.job import Job
from reconciler.runner.live import LiveRecord
from reconciler.runner.phase import LivePhase
from reconciler.runner.places import Places
from reconciler.runner.report import Report
from reconciler.runner.signals import Signals
from reconciler.store import files
from reconciler.workflow import MAIN, Phase


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something failed; ``final`` means that another attempt is out of the question."""

    message: str
    outcome: Outcome = Outcome.FAILED
    code: int | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """How an execution ended, and when: nanoseconds since 1970. ``message`` is ``None`` where all went well."""

    outcome: Outcome
    message: str | None
    ended: int
    not_run: tuple[str, ...]


class Work:
    """Runs the phases of one execution; the first has begun already, together with the execution."""

    def __init__(self, job: Job, live: LiveRecord, signals: Signals, folders: Folders) -> None:
        self._job = job
        self._live = live
        self._signals = signals
        self._folders = folders
        self._report = Report(folders.report)
        self._deadline = time.monotonic() + job.timeout.total_seconds() if job.timeout else float("inf")
        self._environ = _environ(job, live.execution, folders)
        self._outputs: dict[str, Mapping[str, Any]] = {}
        self._prepared = False

    def run(self) -> Result:
        """Run phase after phase."""
        phases = self._job.phases
        ended = 0
        for place, phase in enumerate(phases):
            index = 0
            if place and (failure := self._interruption()):
                return self._failed(failure, place, ended)
            if place:
                index = self._live.begin_phase(phase.name, time.time_ns())
                self._live.publish()
            prefix = "" if len(phases) == 1 and phase.name == MAIN else f"{phase.name}/"
            listener = LivePhase(self._live, Places(self._live, phase.name, index, prefix), self._report)
            failure = self._phase(phase, listener)
            ended = time.time_ns()
            if failure is not None:
                listener.places.fail(failure.message, failure.code, ended)
                return self._failed(failure, place + 1, ended)
            listener.places.complete(ended)
            if listener.outputs:
                self._outputs[phase.name] = listener.outputs
                self._prepared = False
        return Result(Outcome.SUCCESS, None, ended, ())

    def _failed(self, failure: Failure, begun: int, ended: int) -> Result:
        """End with a failure; ``begun`` counts the phases that have begun."""
        not_run = tuple(phase.name for phase in self._job.phases[begun:])
        return Result(failure.outcome, failure.message, ended, not_run)

    def _phase(self, phase: Phase, listener: LivePhase) -> Failure | None:
        attempts = phase.retries + 1
        for attempt in range(1, attempts + 1):
            failure = self._interruption() or self._attempt(phase, listener, attempt)
            if failure is None or failure.final or attempt == attempts:
                return failure
            delay = duration.text(phase.delay)
            listener.say(failure.message)
            listener.note("warn", f"{failure.message} (attempt {attempt} of {attempts}, the next one in {delay})")
            self._live.publish()
            self._pause(phase.delay.total_seconds())
        raise AssertionError("a phase has at least one attempt")

    def _attempt(self, phase: Phase, listener: LivePhase, number: int) -> Failure | None:
        listener.begin(number)
        try:
            self._prepare()
            argv = command.of(self._job.tree, phase.script or "", self._environ["PATH"])
        except NotRunnableError as error:
            return Failure(f"{phase.name} failed: {error}", final=True)
        except OSError as error:
            return Failure(f"{phase.name} failed: {files.explain(error, self._folders.work)}")
        environ = self._environ | {"PROCCTL_PHASE": phase.name, "PROCCTL_ATTEMPT": str(number)}
        began = time.monotonic()
        try:
            attempt = Attempt(argv, environ, listener, self._signals)
        except OSError as error:
            return Failure(f"{phase.name} failed: {command.explain(error, argv)}")
        limit = began + phase.timeout.total_seconds() if phase.timeout else float("inf")
        ending = attempt.wait(min(limit, self._deadline))
        listener.hear_the_rest()
        return self._judge(phase, listener, ending)

    def _judge(self, phase: Phase, listener: LivePhase, ending: Ending) -> Failure | None:
        """Say whether an attempt failed, in the words of whoever knows best why."""
        name, code = listener.places.name, ending.code or None
        if listener.aborted is not None:
            return Failure(f"{name} aborted: {listener.aborted}", code=code, final=True)
        if ending.stopped is Stop.CANCELLED or (ending.stopped and time.monotonic() >= self._deadline):
            return self._interruption()
        if ending.stopped is Stop.TIMEOUT and phase.timeout:
            why = f"timed out after {duration.text(phase.timeout)}"
            return Failure(f"{name} failed: {why}", Outcome.TIMEOUT, code)
        if listener.failed is not None:
            return Failure(f"{name} failed: {listener.failed}", code=code)
        if code is not None:
            return Failure(f"{name} failed: {_ending(code, listener.last_words())}", code=code)
        message = listener.places.failure()
        return None if message is None else Failure(message)

    def _interruption(self) -> Failure | None:
        """Say whether the execution has to end now, whatever its phases do."""
        if self._signals.stopped:
            return Failure(cancel.message(self._job.layout, self._job.id), Outcome.CANCELLED, final=True)
        if time.monotonic() >= self._deadline and self._job.timeout:
            return Failure(f"Timed out after {duration.text(self._job.timeout)}", Outcome.TIMEOUT, final=True)
        return None

    def _pause(self, seconds: float) -> None:
        """Wait for the next attempt, but not through a cancel nor beyond the execution's time."""
        until = min(time.monotonic() + seconds, self._deadline)
        while not self._signals.stopped and (left := until - time.monotonic()) > 0:
            self._signals.wait(min(left, TICK))
            self._live.tick()

    def _prepare(self) -> None:
        """Have the folders and the input file ready; ``OSError``."""
        self._folders.enter()
        if not self._prepared:
            given = {**self._job.input, "settings": self._job.settings, "outputs": self._outputs}
            self._folders.write_input(given)
            self._prepared = True


def _environ(job: Job, execution: Execution, folders: Folders) -> dict[str, str]:
    return {
        **environment.base(job.environ),
        **environment.of_settings(job.settings),
        **environment.of_execution(execution),
        "PROCCTL_DATA": os.fspath(folders.data),
        "PROCCTL_TREE": os.fspath(job.tree),
        "PROCCTL_INPUT": os.fspath(folders.input),
        "PROCCTL_REPORT": os.fspath(folders.report),
    }


def _ending(code: int, words: str) -> str:
    """Put an exit code into words, with the last ones of the script."""
    if code > 0:
        return f"exit code {code}: {words or 'it wrote nothing that says why'}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    clue = " (by the kernel, if memory ran out, or by somebody)" if -code == signal.SIGKILL else ""
    return f"killed by {name}{clue}" + (f": {words}" if words else "")
