"""Time zones and their clock changes: which instants a wall-clock time stands for (SPEC 4, daylight saving).

A zone's wall clock is a row of pieces in which local time runs beside UTC at one distance. What happens where they
meet is decided once, as pieces: a *gap* (clocks forward: local times that never come) may add a piece, a *fold* (clocks
back: local times that come twice) may trim one. So no slot is moved after it was found, and none is found twice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reconciler.recurrence import ALL_HOURS, DAY, LAST_YEAR, Recurrence, new_year, year_of

_NAME = re.compile(
    r"(?!posix/|right/|localtime\Z|posixrules\Z)[A-Za-z][A-Za-z0-9_+-]{0,30}(?:/[A-Za-z0-9_+-]{1,30}){0,3}"
)
# No zone has changed back within less (6.9 days, America/Boa_Vista in 2000; a test looks at every zone).
_PROBE = 5 * DAY
# A change reaches at most this far into the neighbouring year (the date line moved by a day in Samoa and Kiribati).
_REACH = 2 * DAY
# Years to look on for an expression that may lie wholly in skipped gaps, such as 02:30 on the last Sunday of March.
_PATIENCE = 50
# Slots shown for one change of one expression.
_SHOWN = 100


class Gap(StrEnum):
    """What a slot does whose local time is missing: fire at the first instant after, shifted by the gap, or not."""

    FIRST = "first"
    SHIFT = "shift"
    SKIP = "skip"


class Fold(StrEnum):
    """What a slot does whose local time comes twice: fire at the first pass, the second, or both."""

    FIRST = "first"
    SECOND = "second"
    BOTH = "both"


class Effect(StrEnum):
    """What a clock change does to one local time: ``once`` is one firing where the time comes twice."""

    SHIFTED = "shifted"
    SKIPPED = "skipped"
    DOUBLED = "doubled"
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class Change:
    """One clock change: the instant, and the offsets from UTC before and after it, all in seconds."""

    at: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Piece:
    """Instants ``[start, end)`` whose local time is ``offset`` seconds on.

    ``extra``: the piece stands for a gap and lies over its neighbour. ``missing``: so many seconds of local time all
    fire at ``start`` (0: each at its own instant).
    """

    start: int
    end: int
    offset: int
    extra: bool = False
    missing: int = 0


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """A zone by its IANA name; ``ValueError`` where there is none.

    Names whose meaning depends on the host (``localtime``) or counts leap seconds (``right/…``) are none.
    """
    if _NAME.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise ValueError(f"{name!r} is no time zone; zones have IANA names such as Europe/Berlin or UTC")


@lru_cache(maxsize=4096)
def changes(name: str, year: int) -> tuple[Change, ...]:
    """The clock changes of a zone in a year (UTC) and two days either side, oldest first."""
    found = []
    info = zone(name)
    at, end = new_year(year) - _REACH, new_year(year + 1) + _REACH
    offset = _offset(info, at)
    while at < end:
        upto = min(at + _PROBE, end)
        while (after := _offset(info, upto)) != offset:
            early, late = at, upto
            while late - early > 1:
                middle = (early + late) // 2
                early, late = (middle, late) if _offset(info, middle) == offset else (early, middle)
            after = _offset(info, late)
            found.append(Change(late, offset, after))
            at, offset = late, after
        at = upto
    return tuple(found)


@dataclass(frozen=True, slots=True)
class WallClock:
    """A zone's clock under one rule for gaps and one for folds. Instants are seconds since 1970-01-01T00:00:00Z."""

    zone: str
    gap: Gap
    fold: Fold

    def next(self, recurrence: Recurrence, after: int) -> int | None:
        """The first instant strictly after ``after`` at which the clock shows a member; None where there is no more.

        No slot lies before 1970 or after 2999.
        """
        after = max(after, -1)
        year = year_of(after + 1)
        for _ in range(_PATIENCE):
            if year > LAST_YEAR:
                return None
            found = self._in_year(recurrence, after, year)
            if found is not None:
                return found
            # Between here and the next member there is nothing, whatever the clocks do: go straight to its year.
            coming = recurrence.next(new_year(year + 1) - _REACH)
            if coming is None:
                return None
            year = max(year + 1, year_of(coming - DAY))
        return None

    def count(self, recurrence: Recurrence, after: int, until: int) -> int:
        """How many slots lie in ``(after, until]``, without walking them, clock changes apart."""
        total = 0
        after = max(after, -1)
        for year in range(year_of(after + 1), min(year_of(until), LAST_YEAR) + 1):
            counted = after + 1
            for piece in _pieces(self.zone, self.gap, self.fold, year):
                start, end = max(piece.start, counted), min(piece.end, until + 1)
                if end <= start:
                    continue
                if piece.extra:
                    total += self._walked(recurrence, start - 1, end)
                    counted = end
                else:
                    total += recurrence.count(start + piece.offset, end + piece.offset)
        return total

    def affected(self, recurrence: Recurrence, since: int, until: int) -> Iterator[tuple[Effect, int, tuple[int, ...]]]:
        """Each local time that a clock change in ``(since, until]`` touches, and the instants at which it fires.

        An expression of every hour is left out where the change leaves its rhythm alone; 100 a change at most.
        """
        for year in range(year_of(since), min(year_of(until), LAST_YEAR) + 1):
            for change in changes(self.zone, year):
                if since < change.at <= until and year_of(change.at) == year:
                    yield from self._touched(recurrence, change)

    def _touched(self, recurrence: Recurrence, change: Change) -> Iterator[tuple[Effect, int, tuple[int, ...]]]:
        missing = change.after - change.before
        steady = recurrence.hours == ALL_HOURS and missing % 3600 == 0
        start, end = sorted((change.at + change.before, change.at + change.after))
        for shown, local in enumerate(recurrence.walk(start, end)):
            if shown == _SHOWN:
                return
            if missing > 0:
                effect, fires = self._missing(local, change)
                due = not fires or recurrence.next(fires[0] + change.after, fires[0] + change.after + 1) is not None
            else:
                effect, fires = self._repeated(local, change)
                due = effect is Effect.DOUBLED
            if not (steady and due):
                yield effect, local, fires

    def _missing(self, local: int, change: Change) -> tuple[Effect, tuple[int, ...]]:
        if self.gap is Gap.SKIP:
            return Effect.SKIPPED, ()
        return Effect.SHIFTED, (change.at if self.gap is Gap.FIRST else local - change.before,)

    def _repeated(self, local: int, change: Change) -> tuple[Effect, tuple[int, ...]]:
        passes = local - change.before, local - change.after
        if self.fold is Fold.BOTH:
            return Effect.DOUBLED, passes
        return Effect.ONCE, passes[:1] if self.fold is Fold.FIRST else passes[1:]

    def _in_year(self, recurrence: Recurrence, after: int, year: int) -> int | None:
        best = None
        for piece in _pieces(self.zone, self.gap, self.fold, year):
            if best is not None and piece.start >= best:
                break
            start = max(piece.start, after + 1)
            if start >= piece.end:
                continue
            end = start + piece.missing if piece.missing else piece.end
            local = recurrence.next(start + piece.offset, end + piece.offset)
            if local is not None:
                slot = start if piece.missing else local - piece.offset
                best = slot if best is None else min(best, slot)
        return best

    def _walked(self, recurrence: Recurrence, after: int, end: int) -> int:
        total = 0
        slot = self.next(recurrence, after)
        while slot is not None and slot < end:
            total += 1
            slot = self.next(recurrence, slot)
        return total


@lru_cache(maxsize=4096)
def _pieces(name: str, gap: Gap, fold: Fold, year: int) -> tuple[Piece, ...]:
    first, last = new_year(year), new_year(year + 1)
    pieces = []
    start, offset = first, _offset(zone(name), first - _REACH)
    for change in changes(name, year):
        missing = change.after - change.before
        pieces.append(Piece(start, change.at + (missing if missing < 0 and fold is Fold.SECOND else 0), offset))
        start, offset = change.at - (missing if missing < 0 and fold is Fold.FIRST else 0), change.after
        if missing > 0 and gap is Gap.SHIFT:
            pieces.append(Piece(change.at, change.at + missing, change.before, extra=True))
        if missing > 0 and gap is Gap.FIRST:
            pieces.append(Piece(change.at, change.at + 1, change.before, extra=True, missing=missing))
    pieces.append(Piece(start, last, offset))
    within = (
        Piece(max(piece.start, first), min(piece.end, last), piece.offset, piece.extra, piece.missing)
        for piece in pieces
    )
    return tuple(piece for piece in within if piece.start < piece.end)


def _offset(info: ZoneInfo, at: int) -> int:
    local = datetime.fromtimestamp(at, info)
    return int((local.replace(tzinfo=UTC) - local).total_seconds())
