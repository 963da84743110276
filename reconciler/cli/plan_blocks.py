"""What ``procctl plan`` shows people: the parts of its report."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice, zip_longest
from zoneinfo import ZoneInfo

from reconciler import duration, instant
from reconciler.cli import output
from reconciler.cli.report import Block, Finding, Grid, Heading, Level, Lines, Problems
from reconciler.cli.upcoming import EFFECTS
from reconciler.difference import Difference
from reconciler.load import Piles
from reconciler.preview import Change, Preview
from reconciler.problem import Severity
from reconciler.shared import Kind, Part
from reconciler.sync.comparison import Comparison
from reconciler.timing import Meeting, Times, Timing

DETAILED = 100
"""Processes, workflows and scripts of which each detail is shown; of the rest only how many they are."""

_LONGEST = 200
_FEW = 20
_DATES = 6


def blocks(found: Comparison) -> tuple[Block, ...]:
    """Say everything, what matters most first."""
    return tuple(_blocks(found))


def summary(preview: Preview) -> str:
    """Say in one line what becomes of processes and problems."""
    kinds = ", ".join(f"{len(preview.of(kind))} {kind}" for kind in Kind)
    errors = sum(problem.severity is Severity.ERROR for problem in preview.new)
    warnings = len(preview.new) - errors
    problems = f"problems: {_count(errors, 'new error')}, {_count(warnings, 'new warning')}, {len(preview.fixed)} fixed"
    return f"processes: {kinds}; {problems}"


def notices(preview: Preview) -> Iterator[Finding]:
    """Say at its file what becomes of each process's time, of so many as anybody reads."""
    timed = (one for one in preview.processes if one.timing is not None and one.kind is not Kind.REMOVED)
    for one in islice(timed, DETAILED):
        if one.timing is not None:
            before, after = (_briefly(times) for times in (one.timing.before, one.timing.after))
            message = f"{one.name}: next {after}" + (f"; before this change: {before}" if one.timing.before else "")
            yield Finding(Level.NOTICE, "plan/times", one.path, 0, 0, message)


def _blocks(found: Comparison) -> Iterator[Block]:
    span, preview = found.span, found.preview
    ends = f"{span.base_name} ({span.base[:12]}) to {span.head_name} ({span.head[:12]})"
    yield Heading("From", f"{ends} in {found.environment}")
    if found.warnings:
        yield Heading("Warnings")
        yield Lines(found.warnings)
    for title, problems in (("New problems", preview.new), ("Fixed problems", preview.fixed)):
        if problems:
            yield Heading(title)
            yield Problems(problems[:DETAILED])
            yield from _more(len(problems))
    if preview.settings:
        yield Heading("Settings")
        yield Lines(_fields(preview.settings))
    yield from _load(preview.piles)
    if preview.processes:
        yield Heading("Processes")
        for change in preview.processes[:DETAILED]:
            yield from _change(change)
        yield from _more(len(preview.processes))
    yield from _parts("Workflows", preview.workflows)
    yield from _parts("Scripts", preview.scripts)


def _more(count: int) -> Iterator[Block]:
    if count > DETAILED:
        yield Lines((f"… and {count - DETAILED} more (--format json has all)",))


def _change(one: Change) -> Iterator[Block]:
    yield Heading(str(one.kind), f"{one.former} -> {one.name}" if one.former else one.name, 2)
    lines = [f"{one.former_path} -> {one.path}" if one.former_path else one.path]
    if one.version is not None:
        lines.append(f"it will be version {one.version}")
    if one.stays:
        lines.append("it has errors: what was in force before stays in force")
    if one.held != one.was_held:
        lines.append(f"it is held: {one.held}" if one.held else "it is held no longer")
    if one.kind is Kind.CHANGED and not one.fields and not one.stays and not one.former_path:
        lines.append("no value changes: comments or layout only")
    lines += _fields(one.fields)
    timing = one.timing
    if timing is not None:
        lines += _meets(timing, one)
    yield Lines(tuple(lines))
    if timing is not None and (timing.before or timing.after):
        yield from _slots(timing)


def _meets(timing: Timing, change: Change) -> Iterator[str]:
    for times, when, held in ((timing.before, "before", change.was_held), (timing.after, "after", change.held)):
        if times is not None and times.idle and not held:
            yield f"{when}: {times.idle}"
    if timing.overrun is not None:
        long, short = (duration.text(each) for each in (timing.overrun.duration, timing.overrun.distance))
        yield f"it will overlap: nine of ten past runs took up to {long}, and two slots are {short} apart"
    yield from map(_meeting, timing.daylight[:_DATES])
    if len(timing.daylight) > _DATES:
        yield f"… and {len(timing.daylight) - _DATES} more dates of daylight saving"


def _meeting(one: Meeting) -> str:
    local = f"{one.first:%Y-%m-%d %H:%M}"
    if one.count > 1:
        local += f" to {one.last:%H:%M} ({one.count} times)"
    fires = f", at {output.brief(instant.text(one.utc[0]))}" if one.utc and one.count == 1 else ""
    return f"daylight saving: {local} {one.zone}: {EFFECTS[one.effect]}{fires}"


def _slots(timing: Timing) -> Iterator[Block]:
    sides = [(side, times) for side, times in (("before", timing.before), ("after", timing.after)) if times is not None]
    if any(times.slots for _, times in sides):
        columns = [column for side, times in sides for column in _columns(side, times)]
        titles, *rows = zip_longest(*columns, fillvalue="-")
        yield Grid(titles, tuple(rows))


def _columns(side: str, times: Times) -> Iterator[Sequence[str]]:
    """The slots of one side under their titles, in UTC and on the process's own clock."""
    yield (f"next {side} (UTC)", *map(_utc, times.slots))
    zone = ZoneInfo(times.zone)
    if times.zone != "UTC":
        yield (times.zone, *(f"{slot.astimezone(zone):%Y-%m-%d %H:%M:%S %z}" for slot in times.slots))


def _utc(slot: datetime) -> str:
    return output.brief(instant.text(slot))


def _briefly(times: Times | None) -> str:
    if times is None or not times.slots:
        return f"never ({times.idle})" if times is not None and times.idle else "never"
    return ", ".join((*map(_utc, times.slots[:2]), *("…" for _ in times.slots[2:3])))


def _load(piles: Piles) -> Iterator[Block]:
    if not piles.minutes:
        return
    yield Heading(f"Runs in one minute, over the next {duration.text(piles.span)}")
    rows = [(f"{one.minute:%Y-%m-%d %H:%M}Z", str(one.before), str(one.after), str(one.days)) for one in piles.minutes]
    yield Grid(("worst minute", "before", "after", "days"), tuple(rows))
    if piles.left_out:
        yield Lines((f"… and {piles.left_out} more minutes of the day",))


def _parts(title: str, parts: Sequence[Part]) -> Iterator[Block]:
    if not parts:
        return
    yield Heading(title)
    for one in parts[:DETAILED]:
        yield Heading(str(one.kind), one.name, 2)
        yield Lines((*_fields(one.fields), _touches(one.processes)))
    yield from _more(len(parts))


def _touches(names: Sequence[str]) -> str:
    if not names:
        return "no process uses it"
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return f"used by {_count(len(names), 'process', 'processes')}: {', '.join(names[:_FEW])}{more}"


def _fields(found: Iterable[Difference]) -> tuple[str, ...]:
    lines = [one.text(_LONGEST) for one in found]
    more = [f"… and {len(lines) - DETAILED} more fields"] if len(lines) > DETAILED else []
    return (*lines[:DETAILED], *more)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
