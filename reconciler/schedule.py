"""When a process is due: the slots of its cron expressions, its ``every`` and its ``at`` together (SPEC 4).

A slot is an instant; sources that name the same instant make one slot. Everything is computed from the canonical
schedule document and the arguments: no clock is read, and nothing is walked that arithmetic can skip.
"""

import heapq
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Protocol

from reconciler import cron, daylight, duration, instant
from reconciler.daylight import Effect, Fold, Gap, WallClock
from reconciler.recurrence import LAST_YEAR, new_year

_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_SHORTEST = timedelta(seconds=1)
_END = new_year(LAST_YEAR + 1) * _SECOND


@dataclass(frozen=True, slots=True)
class Affected:
    """One local time that a clock change touches: what happens to it, and the instants at which it fires (if any)."""

    cron: str
    effect: Effect
    zone: str
    local: datetime
    utc: tuple[datetime, ...]


class Source(Protocol):
    """What gives slots. Instants are microseconds since 1970-01-01T00:00:00Z."""

    def next(self, after: int) -> int | None:
        """The first slot strictly after."""

    def count(self, after: int, until: int) -> int:
        """How many slots lie in ``(after, until]``."""

    def reason(self, name: str, slot: datetime) -> str:
        """What a record of this source says as its reason."""


@dataclass(frozen=True, slots=True)
class Crontab:
    """A cron expression on a wall clock."""

    cron: cron.Cron
    clock: WallClock

    def next(self, after: int) -> int | None:
        """The first slot strictly after."""
        found = self.clock.next(self.cron.recurrence, after // _SECOND)
        return None if found is None else found * _SECOND

    def count(self, after: int, until: int) -> int:
        """How many slots lie in ``(after, until]``."""
        return self.clock.count(self.cron.recurrence, after // _SECOND, until // _SECOND)

    def reason(self, name: str, slot: datetime) -> str:
        """``crontab(NAME,<date as JavaScript writes it>)``."""
        return f"crontab({name},{instant.javascript(slot)})"


@dataclass(frozen=True, slots=True)
class Every:
    """Multiples of a period since 1970-01-01T00:00:00Z."""

    period: int

    def next(self, after: int) -> int | None:
        """The first multiple strictly after."""
        found = (max(after, -1) // self.period + 1) * self.period
        return found if found < _END else None

    def count(self, after: int, until: int) -> int:
        """How many multiples lie in ``(after, until]``."""
        after, until = max(after, -1), min(until, _END - 1)
        return max(0, until // self.period - after // self.period)

    def reason(self, name: str, slot: datetime) -> str:
        """``every(NAME,5s,<instant>)``."""
        return f"every({name},{duration.text(self.period * _MICROSECOND)},{instant.text(slot)})"


@dataclass(frozen=True, slots=True)
class At:
    """Single instants, ascending."""

    instants: tuple[int, ...]

    def next(self, after: int) -> int | None:
        """The first of them strictly after."""
        place = bisect_right(self.instants, after)
        return self.instants[place] if place < len(self.instants) else None

    def count(self, after: int, until: int) -> int:
        """How many lie in ``(after, until]``."""
        return max(0, bisect_right(self.instants, until) - bisect_right(self.instants, after))

    def reason(self, name: str, slot: datetime) -> str:
        """``at(NAME,<instant>)``."""
        return f"at({name},{instant.text(slot)})"


@dataclass(frozen=True, slots=True)
class Schedule:
    """All sources of one process's slots, in the order in which they are named as a reason: cron, every, at.

    Instants given and returned are aware; those returned are UTC. ``timezone`` is the process's own zone.
    """

    name: str
    sources: tuple[Source, ...]
    timezone: str = "UTC"

    @classmethod
    def of(cls, document: Mapping[str, Any], name: str) -> "Schedule":
        """Read a process's canonical schedule document (``cron``, ``every``, ``at``, ``timezone``, ``dst``).

        Raises ``CronError`` for an expression, ``ValueError`` for anything else that is none.
        """
        timezone = document.get("timezone", "UTC")
        daylight.zone(timezone)
        dst = document.get("dst", {})
        expressions = document.get("cron", [])
        if isinstance(expressions, str):
            expressions = [expressions]
        sources: list[Source] = []
        for text in expressions:
            read = cron.parse(text, name)
            gap, fold = Gap(dst.get("gap", read.gap)), Fold(dst.get("fold", read.fold))
            sources.append(Crontab(read, _clock(read.zone or timezone, gap, fold)))
        if document.get("every") is not None:
            sources.append(_every(document["every"]))
        if document.get("at"):
            sources.append(At(tuple(sorted({_instant(written) for written in document["at"]}))))
        return cls(name, tuple(sources), timezone)

    def next(self, after: datetime) -> datetime | None:
        """The first slot strictly after; None where there is no more."""
        found = self._next(_number(after))
        return None if found is None else _datetime(found)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The slots in ``(after, until]``, ascending, computed as they are asked for."""
        start, end = _number(after), _number(until)
        previous = None
        for slot in heapq.merge(*(_walk(source, start, end) for source in self.sources)):
            if slot != previous:
                yield _datetime(slot)
            previous = slot

    def last(self, after: datetime, until: datetime) -> datetime | None:
        """The last slot in ``(after, until]``, found by halving: a few dozen steps, however many slots there are."""
        low, high = _number(after), _number(until)
        found = self._next(low)
        if found is None or found > high:
            return None
        while True:
            middle = (found + high) // 2
            later = self._next(middle)
            if later is not None and later <= high:
                found = later
            elif middle == found:
                return _datetime(found)
            else:
                high = middle

    def count(self, after: datetime, until: datetime) -> int:
        """How many slots lie in ``(after, until]``.

        The densest source is counted by arithmetic; only the slots of the others are walked.
        """
        start, end = _number(after), _number(until)
        counts = [source.count(start, end) for source in self.sources]
        if not counts:
            return 0
        dense = self.sources[counts.index(max(counts))]
        others = (_walk(source, start, end) for source in self.sources if source is not dense)
        extra = {slot for slots in others for slot in slots if dense.next(slot - 1) != slot}
        return max(counts) + len(extra)

    def reason(self, slot: datetime) -> str:
        """Why a slot exists, by the first source that names it; ``ValueError`` where none does."""
        at = _number(slot)
        for source in self.sources:
            if source.next(at - 1) == at:
                return source.reason(self.name, slot)
        raise ValueError(f"{instant.text(slot)} is no slot of {self.name}")

    def affected(self, since: datetime, until: datetime) -> tuple[Affected, ...]:
        """The slots that clock changes in ``(since, until]`` shift, skip, double, or fire once of two times."""
        start, end = _number(since) // _SECOND, _number(until) // _SECOND
        found = [
            Affected(
                source.cron.text,
                effect,
                source.clock.zone,
                _datetime(local * _SECOND).replace(tzinfo=None),
                tuple(_datetime(at * _SECOND) for at in fires),
            )
            for source in self.sources
            if isinstance(source, Crontab)
            for effect, local, fires in source.clock.affected(source.cron.recurrence, start, end)
        ]
        return tuple(sorted(found, key=lambda affected: affected.local))

    def over(self, now: datetime) -> bool:
        """Whether it names slots but none to come: a year that is over, an ``at`` in the past."""
        return bool(self.sources) and self.next(now) is None

    def _next(self, after: int) -> int | None:
        best = None
        for source in self.sources:
            found = source.next(after)
            if found is not None and (best is None or found < best):
                best = found
        return best


@lru_cache(maxsize=1024)
def _clock(zone: str, gap: Gap, fold: Fold) -> WallClock:
    return WallClock(zone, gap, fold)


def _every(written: str) -> Every:
    period = duration.parse(written)
    if period < _SHORTEST:
        raise ValueError(f"every {written}: 1s is the shortest period")
    return Every(period // _MICROSECOND)


def _instant(written: str) -> int:
    try:
        return _number(instant.parse(written))
    except OverflowError:
        raise ValueError(f"{written!r} is before the year 1 or after 9999") from None


def _number(at: datetime) -> int:
    return (at - instant.EPOCH) // _MICROSECOND


def _datetime(number: int) -> datetime:
    return instant.EPOCH + timedelta(microseconds=number)


def _walk(source: Source, after: int, until: int) -> Iterator[int]:
    slot = source.next(after)
    while slot is not None and slot <= until:
        yield slot
        slot = source.next(slot)
