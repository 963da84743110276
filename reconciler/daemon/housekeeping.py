"""What is done once in a while, between slots: the heartbeat, a look for strays, retention, leftovers."""

import json
import logging
import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from reconciler import instant
from reconciler.daemon.activity import Activity
from reconciler.daemon.ledger import QUIET, Ledger
from reconciler.daemon.source import Source
from reconciler.repo import publish
from reconciler.store import claims, files
from reconciler.sync import parsing, records, retention

LOG = logging.getLogger("procctl")

BEAT = timedelta(seconds=5)
STRAYS = timedelta(minutes=1)
TIDY = timedelta(hours=1)
UNUSED = timedelta(days=1)
CALM = timedelta(seconds=1)
"""How far away the next slot is when something may be done that takes a fifth of a second."""


@dataclass(slots=True)
class Housekeeping:
    """The slow timers. ``wake`` is the socket that others poke; it is named in the heartbeat."""

    source: Source
    ledger: Ledger
    activity: Activity
    wake: Path
    started: datetime
    _done: dict[str, datetime] = field(default_factory=dict)
    _warm: bool = False

    def turn(self, now: datetime, quiet_until: datetime) -> None:
        """Do what is due, unless a slot is near; the heartbeat beats in any case."""
        if self._due("beat", BEAT, now):
            self.beat(now)
        if quiet_until - now < QUIET:
            return
        if not self._warm and quiet_until - now > CALM:
            self._warm = True
            parsing.warm()
            return
        if self._due("strays", STRAYS, now):
            self.strays(now)
        elif self._due("tidy", TIDY, now):
            self.tidy(now)

    def beat(self, now: datetime) -> None:
        """Say that the loop turns, for ``/readyz``, ``status`` and whoever wants to poke."""
        document = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "boot": claims.boot_id(),
            "turned": instant.text(now),
            "wake": str(self.wake),
            "ref": self.ledger.ref,
            "follow": self.ledger.follow,
            "applied": self.source.commit,
            "refused": self.source.refused,
        }
        files.replace(self.ledger.layout.daemon_file, json.dumps(document).encode(), durable=False)

    def strays(self, now: datetime) -> None:
        """Find records that nobody told of: a ``procctl run`` that died between its record and its runner."""
        found = records.refresh(self.ledger.index, self.ledger.layout, now - 2 * STRAYS)
        for path, why in found.faults.items():
            LOG.warning("%s: %s", path, why)
        for row in self.ledger.index.active(self.ledger.layout.environment):
            execution = row.execution
            if execution.id not in self.activity and now - execution.trigger_time > STRAYS:
                self.activity.add(execution)
        self.ledger.recount()

    def tidy(self, now: datetime) -> None:
        """Remove what retention allows, and what nobody needs; let git pack."""
        ledger, settings = self.ledger, self.source.settings
        before = retention.horizon(now, settings.retention, settings.catchup_window)
        while retention.remove_records(ledger.index, ledger.layout, ledger.repo, before):
            pass
        retention.remove_work(ledger.index, ledger.layout, now - retention.WORK_KEPT)
        begun = min([now, *(one.execution.trigger_time for one in self.activity.active(now, 0))])
        kept = self.source.applied.snapshot.scripts_tree
        retention.remove_checkouts(ledger.layout, kept, min(begun, now - UNUSED) - STRAYS)
        retention.sweep(ledger.layout, now)
        publish.tidy(ledger.repo)

    def stop(self) -> None:
        """Leave no heartbeat behind: there is nobody to poke."""
        with suppress(FileNotFoundError):
            self.ledger.layout.daemon_file.unlink()

    def _due(self, what: str, period: timedelta, now: datetime) -> bool:
        last = self._done.setdefault(what, self.started if what != "beat" else now - period)
        if not timedelta(0) <= now - last < period:
            self._done[what] = now
            return True
        return False
