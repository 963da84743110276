"""What an attempt says, by its output and by its report, on its way into the record (SPEC 6)."""

import time
from collections.abc import Mapping
from typing import Any

from reconciler.runner import report
from reconciler.runner.live import LiveRecord
from reconciler.runner.places import LIMIT, Places
from reconciler.runner.report import Report
from reconciler.runner.text import Stream, clean, cut

MESSAGE_LIMIT = 2000
"""Characters of a message."""


class LivePhase:
    """Listens to the attempts of one declared phase."""

    def __init__(self, live: LiveRecord, places: Places, report_file: Report) -> None:
        self.places = places
        self.outputs: dict[str, Any] = {}
        self.aborted: str | None = None
        self.failed: str | None = None
        self._live = live
        self._report = report_file
        self._last: dict[str, str] = {}
        self._streams: dict[str, Stream] = {}

    def begin(self, attempt: int) -> None:
        """Begin an attempt, counted from 1; of an earlier one only its log and the data it named are left."""
        self.outputs = {}
        self.aborted = self.failed = None
        self._last = {"info": "", "warn": ""}
        self._streams = {level: Stream(self._live.masks) for level in self._last}
        self._report.clear()
        if attempt > 1:
            self.places.retry(attempt)

    def output(self, level: str, chunk: bytes) -> None:
        """Take output; the report comes first, for it may say what to mask."""
        if chunk:
            self._hear()
        block = self._streams[level].feed(chunk, final=not chunk)
        if block:
            self._live.block(self.places.index, level, block, time.time_ns())
            self._last[level] = block.rstrip().rpartition("\n")[2] or self._last[level]

    def tick(self) -> None:
        """Look for reports, and let the record be written."""
        self._hear()
        self._live.tick()

    def hear_the_rest(self) -> None:
        """Take the reports that an ended attempt has left."""
        self._hear(final=True)

    def last_words(self) -> str:
        """The last line the attempt wrote, on standard error if it wrote there."""
        return cut(self._last["warn"] or self._last["info"], MESSAGE_LIMIT)

    def note(self, level: str, text: str) -> None:
        """Write to the log of the phase that runs."""
        for line in self._live.masks.text(clean(text)).split("\n"):
            self._live.log(self.places.index, level, cut(line), time.time_ns())

    def say(self, message: str) -> None:
        """Show a message beside the phase that runs."""
        self._live.change_phase(self.places.index, message=self._line(message))

    def _hear(self, *, final: bool = False) -> None:
        for line in self._report.lines(final=final):
            entry = report.parse(line)
            if entry is None:
                self.note("warn", line.decode(errors="replace"))
            else:
                self._apply(entry)

    def _apply(self, entry: Mapping[str, Any]) -> None:
        if "mask" in entry:
            self._live.masks.add(entry["mask"])
        if "phase" in entry:
            name, said = self._line(entry["phase"]), self._line(entry.get("message", ""))
            if not self.places.turn(name, entry["status"], said):
                self.note("warn", f"the phase {name} is left out: a record has room for {LIMIT}")
        elif "message" in entry:
            self.say(entry["message"])
        if "log" in entry:
            self.note(entry.get("level", "info"), entry["log"])
        if "loaderMessage" in entry:
            self._live.load(self.places.index, self._line(entry["loaderMessage"]))
            self.places.loaded()
        if "data" in entry and not self._live.add_data(entry["data"]):
            self.note("warn", "some of the data is left out: a record names 100,000 ids at most")
        self.outputs |= entry.get("output", {})
        if "fail" in entry:
            self.failed = self._line(entry["fail"])
        if "abort" in entry:
            self.aborted = self._line(entry["abort"])

    def _line(self, text: str) -> str:
        """Make one harmless line of what a script said."""
        return cut(" ".join(self._live.masks.text(clean(text)).split("\n")).strip(), MESSAGE_LIMIT)
