"""The document of ``procctl plan``: what a change does, for programs."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from reconciler import duration, instant
from reconciler.difference import Difference
from reconciler.load import Piles
from reconciler.preview import Change
from reconciler.shared import Part
from reconciler.sync.comparison import Comparison, Span
from reconciler.timing import Meeting, Times, Timing


def to_document(found: Comparison) -> dict[str, Any]:
    """Give everything that was found."""
    preview = found.preview
    return {
        **_span(found.span),
        "environment": found.environment,
        "warnings": list(found.warnings),
        "processes": [_change(one) for one in preview.processes],
        "workflows": [_part(one) for one in preview.workflows],
        "scripts": [_part(one) for one in preview.scripts],
        "settings": fields(preview.settings),
        "load": _piles(preview.piles),
        "problems": {
            "new": [problem.to_document() for problem in preview.new],
            "fixed": [problem.to_document() for problem in preview.fixed],
        },
    }


def fields(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """Give differences as documents."""
    return [one.to_document() for one in differences]


def _span(span: Span) -> dict[str, Any]:
    return {
        "base": {"commit": span.base, "revision": span.base_name},
        "head": {"commit": span.head, "revision": span.head_name},
    }


def _change(one: Change) -> dict[str, Any]:
    found = {
        "name": one.name,
        "change": str(one.kind),
        "path": one.path,
        "formerName": one.former,
        "formerPath": one.former_path,
        "version": one.version,
        "fields": fields(one.fields),
        "keepsVersionBefore": one.stays,
        "held": one.held,
        "wasHeld": one.was_held,
        "times": _timing(one.timing) if one.timing is not None else None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _timing(one: Timing) -> dict[str, Any]:
    found = {
        "before": _times(one.before) if one.before is not None else None,
        "after": _times(one.after) if one.after is not None else None,
        "daylightSaving": [_meeting(each) for each in one.daylight],
    }
    if one.overrun is not None:
        lengths = {"nineOfTenRuns": one.overrun.duration, "shortestDistance": one.overrun.distance}
        found["overlap"] = {key: duration.text(length) for key, length in lengths.items()}
    return found


def _times(one: Times) -> dict[str, Any]:
    zone = ZoneInfo(one.zone)
    slots = [{"utc": instant.text(slot), "local": slot.astimezone(zone).isoformat()} for slot in one.slots]
    return {"timezone": one.zone, "slots": slots} | ({"idle": one.idle} if one.idle else {})


def _meeting(one: Meeting) -> dict[str, Any]:
    return {
        "timezone": one.zone,
        "first": one.first.isoformat(),
        "last": one.last.isoformat(),
        "count": one.count,
        "effect": str(one.effect),
        "utc": [instant.text(at) for at in one.utc],
    }


def _part(one: Part) -> dict[str, Any]:
    return {
        "name": one.name,
        "change": str(one.kind),
        "path": one.path,
        "fields": fields(one.fields),
        "processes": list(one.processes),
    }


def _piles(one: Piles) -> dict[str, Any]:
    return {
        "span": duration.text(one.span),
        "minutes": [
            {"minute": instant.text(each.minute), "before": each.before, "after": each.after, "days": each.days}
            for each in one.minutes
        ],
        "leftOut": one.left_out,
    }
