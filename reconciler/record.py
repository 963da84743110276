"""The record: an execution as the JSON document that people review and programs read (SPEC 8)."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from reconciler import instant
from reconciler.execution import Execution, Gap, Outcome, PhaseRun, Status, Trigger

_string = json.encoder.encode_basestring


def path(name: str, execution_id: str, trigger_time: datetime) -> PurePosixPath:
    """Where a record lies below ``executions/`` and on the branch: ``2021/07/01/ECB_FX/163000-05f1ec1a.json``."""
    return PurePosixPath(f"{trigger_time:%Y/%m/%d}", name, f"{trigger_time:%H%M%S}-{execution_id[:8]}.json")


def path_of(execution: Execution) -> PurePosixPath:
    """The path of an execution's record; it follows from name, id and trigger time alone, so it never moves."""
    return path(execution.name, execution.id, execution.trigger_time)


def encode(document: Mapping[str, Any]) -> bytes:
    """Write a record's bytes: UTF-8, two-space indent, keys in order, a final newline.

    The same text as ``json.dumps(indent=2)``, whose indenting encoder takes more than twice as long, at every step of
    every execution. ``ValueError`` for NaN and infinities, which are no JSON.
    """
    return (_text(document, "\n") + "\n").encode(errors="replace")


def _text(value: Any, line: str) -> str:
    if isinstance(value, str):
        return _string(value)
    if not value or not isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    inner = f"{line}  "
    if isinstance(value, dict):
        parts = [f"{_string(key)}: {_text(one, inner)}" for key, one in value.items()]
        return f"{{{inner}{f',{inner}'.join(parts)}{line}}}"
    return f"[{inner}{f',{inner}'.join([_text(one, inner) for one in value])}{line}]"


def to_document(execution: Execution) -> dict[str, Any]:
    """Give the JSON document of an execution, keys in the order of SPEC 8, absent ones left out."""
    at = instant.text
    document = {
        "_id": execution.id,
        "service": execution.service,
        "name": execution.name,
        "environment": execution.environment,
        "trigger": str(execution.trigger),
        "status": str(execution.status),
        "outcome": execution.outcome and str(execution.outcome),
        "message": execution.message,
        "reason": execution.reason,
        "triggerTime": at(execution.trigger_time),
        "start": execution.start and at(execution.start),
        "runAs": execution.run_as,
        "version": execution.version,
        "commit": execution.commit,
        "tag": execution.tag,
        "body": execution.body,
        "parentId": execution.parent_id,
        "attempt": execution.attempt,
        "host": execution.host,
        "phases": [_phase(phase) for phase in execution.phases] if execution.gap is None else None,
        "notRun": list(execution.not_run) or None,
        "gap": execution.gap and _gap(execution.gap),
        "end": execution.end and at(execution.end),
        "loaderMessage": execution.loader_message,
        "data": execution.data,
    }
    return {key: value for key, value in document.items() if value is not None}


def from_document(document: Mapping[str, Any]) -> Execution:
    """Read a record's document; ``KeyError``, ``TypeError`` or ``ValueError`` where it is none.

    A record of the service itself has no ``triggerTime``; its ``start`` stands in.
    """
    outcome, gap = document.get("outcome"), document.get("gap")
    return Execution(
        id=document["_id"],
        service=document["service"],
        name=document["name"],
        environment=document["environment"],
        trigger=Trigger(document["trigger"]),
        reason=document["reason"],
        trigger_time=instant.parse(document.get("triggerTime") or document["start"]),
        status=Status(document["status"]),
        outcome=Outcome(outcome) if outcome else None,
        message=document["message"],
        start=_instant(document.get("start")),
        run_as=document.get("runAs"),
        version=document.get("version"),
        commit=document.get("commit"),
        tag=document.get("tag"),
        body=document.get("body"),
        parent_id=document.get("parentId"),
        attempt=document.get("attempt"),
        host=document.get("host"),
        phases=tuple(_read_phase(phase) for phase in document.get("phases", ())),
        not_run=tuple(document.get("notRun", ())),
        gap=_read_gap(gap) if gap else None,
        end=_instant(document.get("end")),
        loader_message=document.get("loaderMessage"),
        data=document.get("data"),
    )


def _instant(written: str | None) -> datetime | None:
    return instant.parse(written) if written else None


def _phase(phase: PhaseRun) -> dict[str, Any]:
    document = {
        "name": phase.name,
        "start": instant.text(phase.start),
        "status": str(phase.status),
        "message": phase.message,
        "log": list(phase.log),
        "end": phase.end and instant.text(phase.end),
        "attempts": phase.attempts if phase.attempts > 1 else None,
        "exitCode": phase.exit_code,
    }
    return {key: value for key, value in document.items() if value is not None}


def _read_phase(document: Mapping[str, Any]) -> PhaseRun:
    return PhaseRun(
        name=document["name"],
        start=instant.parse(document["start"]),
        status=Status(document["status"]),
        message=document["message"],
        log=tuple(document["log"]),
        end=_instant(document.get("end")),
        attempts=document.get("attempts", 1),
        exit_code=document.get("exitCode"),
    )


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "first": instant.text(gap.first),
        "last": instant.text(gap.last),
        "count": gap.count,
        "slots": [instant.text(slot) for slot in gap.slots],
    }


def _read_gap(document: Mapping[str, Any]) -> Gap:
    slots = tuple(instant.parse(slot) for slot in document["slots"])
    return Gap(instant.parse(document["first"]), instant.parse(document["last"]), document["count"], slots)
