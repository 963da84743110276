"""The record while it is worked on: its execution, its logs, and when the file is written (SPEC 8).

``running`` and the end are durable. Between them the file is replaced at each change of phase, and for new lines at
most twice a second; such a write may fail (the next one tries again), the durable ones are retried.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from reconciler import execution as steps
from reconciler import instant
from reconciler.execution import Execution, Outcome, Status
from reconciler.runner.data import Data
from reconciler.runner.log import PhaseLog, WholeLog, written
from reconciler.runner.masks import Masks
from reconciler.store import records
from reconciler.store.layout import Layout, log_of

PAUSE = 0.5
"""Seconds between two writes for new lines alone."""

BEGIN_RETRIES = (0.2, 0.5, 1.0)
"""Seconds between attempts to write ``running``; after the last one the execution is given back."""

END_RETRIES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 20.0)
"""Seconds between attempts to write the end; after the last one the claim stays, and recovery says ``interrupted``."""

_WHOLE_TRIES = 3
"""How often the end is tried with its logs; after that without them, because a small record may still fit."""

_COST = 20
"""A write for new lines waits at least this many times as long as the last one took, so large records stay cheap."""


def at(nanoseconds: int) -> datetime:
    """Give the instant of a clock reading in nanoseconds since 1970."""
    return instant.EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _heading(phase: str, begun: int) -> str:
    return instant.log_line(begun, "info", f"Initialising Phase: {phase}")


class LiveRecord:
    """One execution's record, from ``running`` to its end. Every instant is nanoseconds since 1970."""

    def __init__(self, layout: Layout, execution: Execution) -> None:
        self.execution = execution
        self.masks = Masks()
        self._data = Data()
        self._layout = layout
        self._logs: list[PhaseLog] = []
        self._whole = WholeLog(log_of(layout.record(execution)))
        self._changed = False
        self._due = 0.0

    def begin(self, phase: str, now: int, *, host: str, user: str) -> None:
        """Write ``running`` durably, with the first phase begun; ``OSError`` once the retries are used up."""
        self.execution = steps.running(self.execution, at(now), host=host, run_as=user)
        self.begin_phase(phase, now)
        for seconds in BEGIN_RETRIES:
            with suppress(OSError):
                self._write(durable=True)
                break
            time.sleep(seconds)
        else:
            self._write(durable=True)

    def begin_phase(self, name: str, now: int) -> int:
        """Begin a phase and give its place in the record."""
        self.execution = steps.start_phase(self.execution, name, at(now))
        self._logs.append(PhaseLog())
        self._changed = True
        if self._whole.begun:
            self._whole.write((_heading(name, now),))
        return len(self._logs) - 1

    def publish(self) -> None:
        """Show a change of phase now."""
        self._save()

    def change_phase(self, index: int, **changes: Any) -> None:
        """Change fields of a phase."""
        self.execution = steps.change_phase(self.execution, index, **changes)
        self._changed = True

    def load(self, index: int, message: str) -> None:
        """Keep what the loader says it did, and write it to a phase's log as it is."""
        self.execution = replace(self.execution, loader_message=message)
        self._add(index, (message,))

    def add_data(self, entry: Mapping[str, Any]) -> bool:
        """Keep what data a report names; ``False`` if not all of it fitted."""
        self._changed = True
        mask = self.masks.text
        days = {kind: entry[kind] for kind in ("curves", "series") if kind in entry}
        masked = {kind: {day: [mask(one) for one in ids] for day, ids in part.items()} for kind, part in days.items()}
        return self._data.add(masked | ({"name": mask(entry["name"])} if "name" in entry else {}))

    def status(self, index: int) -> Status:
        """Where a phase stands."""
        return self.execution.phases[index].status

    def log(self, index: int, level: str, text: str, now: int) -> None:
        """Write lines to a phase's log."""
        self._add(index, written(instant.log_line(now, level, ""), text))

    def block(self, index: int, level: str, block: str, now: int) -> None:
        """Write a block of whole lines to a phase's log; cheap however many they are once nobody will read them."""
        prefix = instant.log_line(now, level, "")
        log = self._logs[index]
        if self._whole.full and log.head_is_full:
            log.add_last(prefix, block)
            self._changed = True
        else:
            self._add(index, written(prefix, block))

    def tick(self) -> None:
        """Write the record if something changed and the last write is long enough ago."""
        if self._changed and time.monotonic() >= self._due:
            self._save()
            self._whole.flush()

    def finish(self, outcome: Outcome, message: str | None, not_run: Sequence[str], now: int) -> None:
        """Write the end durably; ``OSError`` once the retries are used up."""
        self._whole.close()
        self.execution = steps.finish(self.execution, outcome, at(now), message)
        if not_run:
            self.execution = replace(self.execution, not_run=tuple(not_run))
        for tries, seconds in enumerate(END_RETRIES):
            with suppress(OSError):
                self._write(durable=True, logs=tries < _WHOLE_TRIES)
                return
            time.sleep(seconds)
        self._write(durable=True, logs=False)

    def _add(self, index: int, lines: Sequence[str]) -> None:
        dropped = self._logs[index].add(lines)
        self._changed = True
        if self._whole.begun:
            self._whole.write(lines)
        elif dropped:
            self._whole.begin(self._everything(index, dropped))

    def _everything(self, index: int, dropped: Sequence[str]) -> Iterator[str]:
        """Give all lines so far; ``dropped`` are the first that one phase's part of the record has no room for."""
        for place, (phase, log) in enumerate(zip(self.execution.phases, self._logs, strict=True)):
            begun = (phase.start - instant.EPOCH) // timedelta(microseconds=1) * 1000
            yield _heading(phase.name, begun)
            yield from log.around(dropped if place == index else ())

    def _save(self) -> None:
        """Replace the file, not durably; a failure leaves it a little behind the truth until the next change."""
        begun = time.monotonic()
        with suppress(OSError):
            self._write(durable=False)
        self._due = time.monotonic() + max(PAUSE, _COST * (time.monotonic() - begun))

    def _write(self, *, durable: bool, logs: bool = True) -> None:
        where = self._whole.where
        phases = tuple(
            replace(phase, log=log.lines(where) if logs else ("[the log is left out: the disk is full]",))
            for phase, log in zip(self.execution.phases, self._logs, strict=True)
        )
        shown = replace(self.execution, phases=phases, data=self._data.document())
        records.write(self._layout, shown, durable=durable)
        self._changed = False
