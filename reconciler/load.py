"""How many runs are due in one minute: where a change of schedules piles them up.

Pure. A process's load is its canonical schedule document; equal ones are walked once, however many processes have them.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.schedule import Schedule

WEEK = timedelta(days=7)
DAY = timedelta(days=1)
FEWEST = 5
"""Runs in one minute from which on they are a pile."""

_MOST = 200_000
"""Slots that are walked for a week; where there are more, a day has to do."""
_WORSE = 1.25
_SHOWN = 5
_SPREAD = re.compile(r"(?<![A-Za-z])[Hh](?![A-Za-z])")
_INSTANT = timedelta(microseconds=1)

Loads = Counter[tuple[str, str]]
"""How many processes have a schedule: by its document as JSON, and by name where the name moves its slots."""


@dataclass(frozen=True, slots=True)
class Pile:
    """A minute of the day (UTC) at which clearly more runs are due than before.

    ``minute`` is the worst one in the span, ``before`` and ``after`` are the runs due in it, ``days`` is at how many
    days of the span it got worse.
    """

    minute: datetime
    before: int
    after: int
    days: int


@dataclass(frozen=True, slots=True)
class Piles:
    """The worst minutes, worst first, and the span that was looked at; ``left_out`` counts those not told."""

    span: timedelta
    minutes: tuple[Pile, ...] = ()
    left_out: int = 0


def loads(schedules: Iterable[tuple[str, Mapping[str, Any]]]) -> Loads:
    """Count processes, given as name and canonical schedule document, by their schedules."""
    return Counter(_key(name, document) for name, document in schedules)


def piles(old: Loads, new: Loads, now: datetime) -> Piles:
    """Find the minutes from ``now`` on at which at least ``FEWEST`` runs are due, and a quarter more than before."""
    came, gone, kept = new - old, old - new, old & new
    if not came:
        return Piles(WEEK)
    begin = now.replace(second=0, microsecond=0)
    schedules = {key: Schedule.of(json.loads(key[0]), key[1]) for key in (*came, *gone, *kept)}
    span = _span(schedules.values(), begin)

    def per_minute(counted: Loads) -> Counter[datetime]:
        """Count the runs that some schedules have in each minute."""
        return _per_minute(((schedules[key], many) for key, many in counted.items()), begin, span)

    more, less = per_minute(came), per_minute(gone)
    worse = {minute: rise for minute, count in more.items() if (rise := count - less[minute]) > 0}
    before = less + per_minute(kept)
    days: dict[tuple[int, int], list[Pile]] = defaultdict(list)
    for minute, rise in worse.items():
        pile = Pile(minute, before[minute], before[minute] + rise, 1)
        if pile.after >= FEWEST and pile.after >= pile.before * _WORSE:
            days[minute.hour, minute.minute].append(pile)
    found = [replace(min(piles, key=_worst_first), days=len(piles)) for piles in days.values()]
    found.sort(key=_worst_first)
    return Piles(span, tuple(found[:_SHOWN]), max(0, len(found) - _SHOWN))


def _key(name: str, document: Mapping[str, Any]) -> tuple[str, str]:
    spread = any(_SPREAD.search(text) for text in document.get("cron", ()))
    return json.dumps(document, sort_keys=True), name if spread else ""


def _worst_first(pile: Pile) -> tuple[int, int, datetime]:
    return pile.before - pile.after, -pile.after, pile.minute


def _span(schedules: Iterable[Schedule], begin: datetime) -> timedelta:
    total = 0
    for schedule in schedules:
        total += schedule.count(begin, begin + WEEK)
        if total > _MOST:
            return DAY
    return WEEK


def _per_minute(counted: Iterable[tuple[Schedule, int]], begin: datetime, span: timedelta) -> Counter[datetime]:
    minutes: Counter[datetime] = Counter()
    for schedule, many in counted:
        # The instant just before counts as passed, so that the first minute is a whole one.
        for slot in schedule.between(begin - _INSTANT, begin + span - _INSTANT):
            minutes[slot.replace(second=0, microsecond=0)] += many
    return minutes
