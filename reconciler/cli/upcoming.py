"""``procctl next``: when a process is due, on its own clock and in UTC, and what daylight saving does to it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import click

from reconciler import instant
from reconciler.cli import commands, failures, lookup, output, workspace
from reconciler.cli.terminal import Column
from reconciler.process import Process
from reconciler.schedule import Affected, Schedule
from reconciler.web import declared

_YEAR = timedelta(days=366)
_SHOWN = 20
EFFECTS = {
    "shifted": "the clock skips it: fires later",
    "skipped": "the clock skips it: does not fire",
    "doubled": "comes twice: fires twice",
    "once": "comes twice: fires once",
}
"""What a clock change does to a local time, in words."""


@commands.command("next")
@click.argument("name", shell_complete=commands.complete_names)
@click.option(
    "-n", "--count", default=10, show_default=True, type=click.IntRange(1, 10_000), metavar="N", help="How many."
)
@commands.ref_option
@commands.environment_option
@commands.output_option()
def next_command(name: str, count: int, ref: str | None, environment: str | None, form: str) -> int:
    """Show the next slots of the process NAME, as it is in force, and the daylight-saving dates of the coming year."""
    place = workspace.open_workspace(ref, environment)
    workspace.announce(place)
    with place.index() as index:
        row = lookup.known(index, name)
        zone = declared.timezone(index)
    if row.document is None:
        failures.warn(f"{name} has never been valid, so it has no schedule", "procctl validate")
        return failures.FAILED
    process = Process(name, row.document)
    schedule = Schedule.of(process.schedule_document(zone), name)
    now = datetime.now(UTC)
    _explain(process, row.held, place.layout.environment)
    document = slots(schedule, now, count)
    names = [slot["utc"] for slot in document["slots"]]
    output.show(form, document, names=names, table=lambda: _table(process, document, now))
    return 0


def slots(schedule: Schedule, now: datetime, count: int) -> dict[str, Any]:
    """The next slots of a schedule, and the local times of the coming year that a clock change touches."""
    zone = ZoneInfo(schedule.timezone)
    touched = schedule.affected(now, now + _YEAR)
    effects = {at: str(one.effect) for one in touched for at in one.utc}
    found = [
        {"utc": instant.text(slot), "local": slot.astimezone(zone).isoformat()}
        | ({"effect": effects[slot]} if slot in effects else {})
        for slot in islice(_walk(schedule, now), count)
    ]
    return {
        "name": schedule.name,
        "timezone": schedule.timezone,
        "slots": found,
        "daylightSaving": [_affected(one) for one in touched],
    }


def _walk(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    slot = schedule.next(now)
    while slot is not None:
        yield slot
        slot = schedule.next(slot)


def _affected(one: Affected) -> dict[str, Any]:
    return {
        "cron": one.cron,
        "timezone": one.zone,
        "local": one.local.isoformat(),
        "effect": str(one.effect),
        "utc": [instant.text(at) for at in one.utc],
    }


def _explain(process: Process, held: str | None, environment: str) -> None:
    """Say why slots that are shown would not start anything."""
    if not process.enabled:
        failures.warn(f"{process.name} is disabled: nothing starts at these slots")
    elif process.environment not in (None, environment):
        failures.warn(f"{process.name} belongs to the environment {process.environment}: nothing starts here")
    elif held is not None:
        failures.warn(f"{process.name} is held: {held}")


def _table(process: Process, document: dict[str, Any], now: datetime) -> str:
    if not document["slots"]:
        return "The schedule is over." if process.scheduled else "No schedule: it starts by hand only (procctl run)."
    local = f"LOCAL ({document['timezone']})"
    rows = [[*_times(slot, now), EFFECTS.get(slot.get("effect", ""), "")] for slot in document["slots"]]
    columns = [Column(local), Column("UTC"), Column("IN")]
    if any(row[-1] for row in rows):
        columns.append(Column("DAYLIGHT SAVING", shrinks=True))
    rows = [row[: len(columns)] for row in rows]
    text = output.table(columns, rows, "")
    touched = document["daylightSaving"]
    if not touched:
        return text
    rows = [_touched(one) for one in touched[:_SHOWN]]
    columns = [Column("LOCAL"), Column("ZONE"), Column("EFFECT", shrinks=True), Column("FIRES AT (UTC)")]
    more = f"\n… and {len(touched) - _SHOWN} more (-o json shows all)" if len(touched) > _SHOWN else ""
    return f"{text}\n\nDaylight saving in the coming year:\n{output.table(columns, rows, '')}{more}"


def _times(slot: dict[str, Any], now: datetime) -> list[str]:
    local = slot["local"]
    return [f"{local[:10]} {local[11:19]} {local[-6:]}", output.brief(slot["utc"]), _until(slot["utc"], now)]


def _touched(one: dict[str, Any]) -> list[str]:
    fires = ", ".join(map(output.brief, one["utc"])) or "-"
    return [one["local"].replace("T", " "), one["timezone"], EFFECTS[one["effect"]], fires]


def _until(written: str, now: datetime) -> str:
    rest = max(0, round((instant.parse(written) - now).total_seconds()))
    days, rest = divmod(rest, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    shown = [f"{number} {unit}" for number, unit in parts if number][:2]
    return " ".join(shown) or "0 s"
