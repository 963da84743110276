"""The phases of the record that one declared phase stands for: itself, or those that its script reports (SPEC 6).

A script that reports phases of its own replaces the declared one: under their own names in a script process, as
``PARENT/CHILD`` in a workflow. One of them runs at a time; the next one's beginning is the end of the one before.
"""

import time

from reconciler.execution import Status
from reconciler.runner.live import LiveRecord, at

LIMIT = 200
"""Phases in a record beyond which no script may report more of its own: a record has to stay readable."""


class Places:
    """Where a declared phase stands in the record. ``index`` is the place that output goes to."""

    def __init__(self, live: LiveRecord, name: str, index: int, prefix: str) -> None:
        self.index = index
        self._live = live
        self._prefix = prefix
        self._places = {name: index}
        self._own = False
        self._attempt = 1
        self._loaded: set[int] = set()

    @property
    def name(self) -> str:
        """The name of the phase that runs, or ran last."""
        return self._name(self.index)

    def retry(self, attempt: int) -> None:
        """Begin another attempt: what had not succeeded runs again."""
        self._attempt = attempt
        self._loaded.clear()
        for index in self._places.values():
            if index == self.index or self._live.status(index) is not Status.SUCCESS:
                self._reopen(index)

    def turn(self, name: str, status: str, said: str) -> bool:
        """Begin or end a phase of the script's own; ``False`` if there are too many."""
        name = self._prefix + name
        if not self._own or name not in self._places:
            if self._own and len(self._live.execution.phases) >= LIMIT:
                return False
            self._enter(name)
        elif self.index != self._places[name]:
            self._leave()
            self.index = self._places[name]
        match status:
            case "success":
                self._complete(self.index, said or f"Completed {name}", time.time_ns())
            case "failed":
                self._fail(self.index, f"{name} failed: {said}" if said else f"{name} failed", None, time.time_ns())
            case _ if self._live.status(self.index) is not Status.RUNNING:
                self._reopen(self.index)
        if status == "running" and said:
            self._live.change_phase(self.index, message=said)
        self._live.publish()
        return True

    def loaded(self) -> None:
        """Note that a loader's message stands where the line ``Completed …`` would."""
        self._loaded.add(self.index)

    def failure(self) -> str | None:
        """The message of the last phase reported as failed, if there is one."""
        failed = self._of(Status.FAILED)
        return self._live.execution.phases[failed[-1]].message if failed else None

    def complete(self, now: int) -> None:
        """End as successful whatever still runs."""
        for index in self._of(Status.RUNNING):
            self._complete(index, f"Completed {self._name(index)}", now)

    def fail(self, message: str, code: int | None, now: int) -> None:
        """End as failed whatever still runs; if nothing does and nothing has failed, what ran last."""
        last = [] if self._of(Status.FAILED) else [self.index]
        for index in self._of(Status.RUNNING) or last:
            self._fail(index, message, code, now)

    def _of(self, status: Status) -> list[int]:
        return [index for index in self._places.values() if self._live.status(index) is status]

    def _name(self, index: int) -> str:
        return self._live.execution.phases[index].name

    def _enter(self, name: str) -> None:
        if self._own:
            self._leave()
            self.index = self._live.begin_phase(name, time.time_ns())
        else:
            self._own = True
            self._places.clear()
            self._live.change_phase(self.index, name=name, message=f"Initialising Phase: {name}")
        self._places[name] = self.index

    def _leave(self) -> None:
        if self._live.status(self.index) is Status.RUNNING:
            self._complete(self.index, f"Completed {self._name(self.index)}", time.time_ns())

    def _complete(self, index: int, message: str, now: int) -> None:
        if index not in self._loaded:
            self._live.log(index, "info", message, now)
        self._live.change_phase(index, status=Status.SUCCESS, message=message, exit_code=None, end=at(now))

    def _fail(self, index: int, message: str, code: int | None, now: int) -> None:
        self._live.log(index, "fatal", message, now)
        self._live.change_phase(index, status=Status.FAILED, message=message, exit_code=code, end=at(now))

    def _reopen(self, index: int) -> None:
        message = f"Initialising Phase: {self._name(index)}"
        self._live.change_phase(index, status=Status.RUNNING, message=message, attempts=self._attempt, end=None)
