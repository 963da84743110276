"""What a change does to the time of one process: its next slots before and after, and what they meet.

Pure: the instant from which one looks is an argument.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from reconciler.daylight import Effect
from reconciler.schedule import Affected, Schedule

NEXT = 5
"""Slots that are shown before and after."""

YEAR = timedelta(days=366)
_WEEK = timedelta(days=7)
_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class Times:
    """When a process is due, by one configuration: the next slots in UTC, and the zone that its clock shows.

    ``idle`` says why nothing starts, where that is so; then there are no slots.
    """

    zone: str
    slots: tuple[datetime, ...] = ()
    idle: str = ""


@dataclass(frozen=True, slots=True)
class Overrun:
    """Nine of ten past runs took up to ``duration``, and two slots are only ``distance`` apart: they will overlap."""

    duration: timedelta
    distance: timedelta


@dataclass(frozen=True, slots=True)
class Meeting:
    """The local times of one schedule on one date that a clock change touches in one way.

    ``first`` and ``last`` are the local times, ``count`` how many there are, ``utc`` when the first one fires, if so.
    """

    zone: str
    first: datetime
    last: datetime
    count: int
    effect: Effect
    utc: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """A process's times ``before`` and ``after`` a change; ``None`` where it is not there, or not known.

    ``daylight`` are the dates of the coming year at which a clock change touches the new schedule.
    """

    before: Times | None
    after: Times | None
    daylight: tuple[Meeting, ...] = ()
    overrun: Overrun | None = None


def times(document: Mapping[str, Any], name: str, now: datetime) -> Times:
    """The next slots of a canonical schedule document."""
    schedule = Schedule.of(document, name)
    found = tuple(islice(schedule.between(now, now + 100 * YEAR), NEXT))
    if found:
        return Times(schedule.timezone, found)
    return Times(schedule.timezone, (), "its schedule is over" if schedule.sources else "it has no schedule")


def daylight(document: Mapping[str, Any], name: str, now: datetime) -> tuple[Meeting, ...]:
    """The dates of the coming year at which a clock change touches slots."""
    touched = Schedule.of(document, name).affected(now, now + YEAR)
    met: dict[tuple[str, date, Effect], list[Affected]] = defaultdict(list)
    for one in touched:
        met[one.zone, one.local.date(), one.effect].append(one)
    return tuple(
        Meeting(zone, found[0].local, found[-1].local, len(found), effect, found[0].utc)
        for (zone, _, effect), found in met.items()
    )


def overrun(document: Mapping[str, Any], name: str, now: datetime, duration: timedelta | None) -> Overrun | None:
    """Say whether runs as long as ``duration`` (of nine in ten) meet the next one, in the week to come."""
    if duration is None:
        return None
    slots = islice(Schedule.of(document, name).between(now, now + _WEEK), _LOOKED_AT)
    distance = min((later - slot for slot, later in pairwise(slots)), default=None)
    return Overrun(duration, distance) if distance is not None and duration > distance else None
