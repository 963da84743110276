"""The loop: observe, plan, apply, publish; then sleep until something is due or somebody pokes (SPEC 10)."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler import reconcile
from reconciler.daemon.activity import Activity
from reconciler.daemon.agenda import Agenda
from reconciler.daemon.handing import Handing
from reconciler.daemon.housekeeping import Housekeeping
from reconciler.daemon.ledger import QUIET, Ledger
from reconciler.daemon.source import Source
from reconciler.execution import Execution
from reconciler.reconcile import Desired, Observed, Plan
from reconciler.schedule import Schedule

LOG = logging.getLogger("procctl")

AT_ONCE = 64
"""Processes whose slots one turn decides: in a burst, the first start while the records of the next are written."""

PIPELINE = 4
"""Records that are written before their runners start: while these begin, the next records are written."""

SLOW = timedelta(seconds=10)
"""The loop turns at least so often, so that a wake-up that got lost costs no more than this."""


@dataclass(slots=True)
class Reconciler:
    """One reconciler at work. Each part owns one thing.

    ``source`` git, ``ledger`` disk, ``activity`` what runs, ``agenda`` when to look at what, ``handing`` the way to
    runners, ``housekeeping`` what is done once in a while. ``scope`` are the processes that the next turn looks at.
    """

    source: Source
    ledger: Ledger
    activity: Activity
    agenda: Agenda
    handing: Handing
    housekeeping: Housekeeping
    clock: Callable[[], datetime]
    scope: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Find out when to look at which process: at once where its configuration is another than its track's."""
        known = self.ledger.upcoming()
        entries = []
        for name in self.source.names() | self.ledger.tracks.keys():
            track, target = self.ledger.tracks.get(name), self.source.target(name)
            if track is None or target is None or (track.schedule, track.held) != (target.schedule, target.held):
                self.scope.add(name)
                continue
            slot = known[name] if name in known else self._next(name)
            if slot is not None:
                entries.append((name, slot))
        self.agenda.fill(entries)

    def turn(self) -> timedelta:
        """Bring what runs to what git declares, once; give how long to sleep unless something happens before."""
        now = self.clock()
        desired, observed = self.observe(now)
        plan = reconcile.plan(desired, observed, now)
        self.apply(plan, now)
        later = min(
            [self.publish(now, desired.max_running), *(asked.due for asked in observed.asked if asked.due > now)]
        )
        if self.scope:  # something ended in this very turn: what it held back may be due
            later = now
        return max(timedelta(0), min(later, now + SLOW) - self.clock())

    def observe(self, now: datetime) -> tuple[Desired, Observed]:
        """Re-read what is true: the followed commit, requests, claims, records, and which processes are due."""
        seen = self.activity.look(now)
        self.ledger.show(seen.rows)
        self.scope |= self.agenda.due(now, AT_ONCE) | self.source.look() | seen.ended
        desired = self.source.desired(self.scope)
        self.handing.executor.expect(desired.max_running)
        tracks = {name: self.ledger.tracks[name] for name in self.scope if name in self.ledger.tracks}
        observed = Observed(
            tracks=tracks,
            records={name: self.ledger.between(name, track.decided, now) for name, track in tracks.items()},
            active=self.activity.active(now, desired.max_running),
            asked=self.handing.asked(),
        )
        return desired, observed

    def apply(self, plan: Plan, now: datetime) -> None:
        """Do what the plan says: records first, so that the slots are taken before anything starts."""
        over = self.handing.interrupt(plan.interrupt, now)
        chosen = set(plan.hand_out)
        over |= self.handing.start(
            [execution_id for execution_id in plan.hand_out if execution_id in self.activity], now
        )
        first = [execution for execution in plan.begin if execution.id in chosen]
        for start in range(0, len(first), PIPELINE):
            made = self._create(first[start : start + PIPELINE])
            over |= self.handing.start([execution.id for execution in made], now)
        rest = [execution for execution in plan.begin if execution.id not in chosen]
        self._create([*rest, *plan.gaps, *plan.refused])
        self.ledger.enter((*plan.begin, *plan.gaps, *plan.refused))
        self.handing.taken((*plan.begin, *plan.refused))
        self.ledger.move(plan.tracks, self.source.applied.progress, now)
        for name in self.scope:
            self.agenda.put(name, plan.wakes.get(name) or self._next(name))
        self.scope = over

    def _create(self, executions: Sequence[Execution]) -> list[Execution]:
        """Create records and watch those that are new."""
        made = self.ledger.create(executions) if executions else []
        for execution in made:
            self.activity.add(execution)
        return made

    def publish(self, now: datetime, most: int) -> datetime:
        """Publish, and do what is done once in a while, unless a slot is near; give when to turn again.

        ``most`` executions may be due at the next slot: they find prepared what can be.
        """
        due = self.agenda.next() or now + SLOW
        if due - now >= QUIET:
            self.handing.prepare(most)
        again = self.ledger.publish(now, quiet_until=due)
        self.housekeeping.turn(now, quiet_until=due)
        return min(due, again or due, self.activity.next() or due)

    def stop(self) -> None:
        """Write down what is known; executions go on without this reconciler."""
        self.ledger.save()
        self.ledger.remember(self.agenda.entries())
        self.ledger.publish_all(self.clock())

    def _next(self, name: str) -> datetime | None:
        """When a process is due next: after what is decided."""
        track = self.ledger.tracks.get(name)
        return Schedule.of(track.schedule, name).next(track.decided) if track else None
