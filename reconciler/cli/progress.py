"""An execution as it happens: a line for each thing that changed and, on a terminal, one that moves."""

import re
import time
from typing import TextIO

from reconciler.cli import interrupts, terminal
from reconciler.execution import Execution, PhaseRun
from reconciler.web import wording

_LOG_LINE = re.compile(r"\S+\[UTC\] (debug|info|warn|fatal) (.*)", re.DOTALL)
_LEVELS = {"debug": "dim", "warn": "yellow", "fatal": "red"}
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_FRAME = 0.1
_CLEAR = "\r\x1b[K"


class Progress:
    """Prints what is new in an execution each time it is shown one; keeps no more than how far it has printed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._moving = stream.isatty()
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._logged: dict[int, int] = {}
        self._width = 0

    def begin(self, execution: Execution) -> None:
        """Say what starts."""
        self._width = max((len(phase.name) for phase in execution.phases), default=0)
        version = f" version {execution.version}" if execution.version else ""
        commit = f" at {execution.commit[:12]}" if execution.commit else ""
        self._line(f"{execution.name}{version}{commit} in {execution.environment}: {execution.id}", "bold")

    def show(self, execution: Execution) -> None:
        """Print the phases, log lines and ends that were not printed yet."""
        for index, phase in enumerate(execution.phases):
            self._phase(index, phase)

    def tick(self, execution: Execution) -> None:
        """On a terminal, show that something is being waited for."""
        if not self._moving or execution.ended:
            return
        now = time.monotonic()
        frame = _FRAMES[int(now / _FRAME) % len(_FRAMES)]
        what = terminal.plain(execution.message)
        width = terminal.width_of(self._stream) or 80
        self._write(_CLEAR + terminal.cut(f"{frame} {what}", width - 1))

    def say(self, text: str, style: str | None = None) -> None:
        """Print a line between those of the execution."""
        self._line(text, style)

    def end(self, execution: Execution) -> None:
        """Say how it ended."""
        outcome = str(execution.outcome or execution.status)
        painted = terminal.paint(outcome, terminal.style_of(outcome), self._stream)
        self._raw(f"{painted} in {wording.took(execution.start, execution.end)}: {_message(execution.message)}")

    def _phase(self, index: int, phase: PhaseRun) -> None:
        if index not in self._begun:
            self._begun.add(index)
            self._line(f"{phase.name} …", "cyan")
        self._log(index, phase)
        if phase.end is not None and index not in self._ended:
            self._ended.add(index)
            status = terminal.paint(str(phase.status), terminal.style_of(str(phase.status)), self._stream)
            attempts = f" after {phase.attempts} attempts" if phase.attempts > 1 else ""
            what = "" if phase.message == f"Completed {phase.name}" else f": {_message(phase.message)}"
            self._raw(
                f"{terminal.plain(phase.name)} {status}{attempts} in {wording.took(phase.start, phase.end)}{what}"
            )

    def _log(self, index: int, phase: PhaseRun) -> None:
        """Print the new lines of a log; the middle of a long one is left out of the record, and so is not shown."""
        done = self._logged.get(index, 0)
        for line in phase.log[done:]:
            match = _LOG_LINE.fullmatch(line)
            level, text = match.groups() if match else ("info", line)
            if text == phase.message and phase.end is not None:
                continue  # the line of its end says so
            self._line(f"  {text}", _LEVELS.get(level))
        self._logged[index] = max(done, len(phase.log))

    def _line(self, text: str, style: str | None = None) -> None:
        self._raw(terminal.paint(terminal.plain(text), style, self._stream))

    def _raw(self, line: str) -> None:
        self._write(f"{_CLEAR if self._moving else ''}{line}\n")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:  # nobody reads any more; what is being watched goes on, and so does its record
            interrupts.silence(self._stream)


def _message(text: str) -> str:
    return terminal.plain(text.strip().replace("\n", " / "))
