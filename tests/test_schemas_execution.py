"""The schema of a record: SPEC section 8, key by key and case by case."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from reconciler import execution, record

ROOT = Path(__file__).parents[1]
SCHEMA: dict[str, Any] = json.loads((ROOT / "schemas" / "execution.schema.json").read_text())
RECORD: dict[str, Any] = json.loads((ROOT / "tests" / "ecb" / "execution-example.json").read_text())
EXECUTION = Draft202012Validator(SCHEMA)
ID = "0" * 40
OURS = {"commit": ID, "triggerTime": "2021-07-01T16:30:00.000Z", "host": "h", "outcome": "success"}
GAP: dict[str, Any] = {
    "first": "2021-07-01T16:30:00.000Z",
    "last": "2021-07-01T16:31:00.000Z",
    "count": 2,
    "slots": ["2021-07-01T16:30:00.000Z", "2021-07-01T16:31:00.000Z"],
}
MISSED = {"outcome": "missed", "status": "failed", "gap": GAP, "phases": None}


def changed(**changes: Any) -> dict[str, Any]:
    """The example with some keys changed; ``None`` removes one."""
    return {key: value for key, value in {**RECORD, **changes}.items() if value is not None}


VALID: dict[str, dict[str, Any]] = {
    "the service's own": {},
    "ours": OURS,
    "triggered": {"status": "triggered", "start": None, "end": None, "phases": []},
    "triggered, ours": {**OURS, "outcome": None, "status": "triggered", "start": None, "end": None, "phases": []},
    "running": {"status": "running", "end": None},
    "a running phase": {
        "status": "running",
        "end": None,
        "phases": [{"name": "A", "start": RECORD["start"], "status": "running", "message": "m", "log": []}],
    },
    "failed": {**OURS, "status": "failed", "outcome": "timeout", "notRun": ["LOAD"]},
    "a gap": {**OURS, **MISSED},
    "all keys": {
        **OURS, "version": 1, "tag": "PROD", "body": {"a": [1]}, "parentId": RECORD["_id"], "attempt": 2,
        "data": {"name": "ECB_FX", "curves": {}, "series": {"2021-07-01": ["#A.B:C"]}},
    },
    "a sha-256 repository": {**OURS, "commit": "a" * 64},
    "a body that is no object": {"body": [1, "x"]},
}  # fmt: skip
INVALID: dict[str, dict[str, Any]] = {
    **{f"without {key}": {key: None} for key in SCHEMA["required"]},
    "ours without triggerTime": {**OURS, "triggerTime": None},
    "ours without host": {**OURS, "host": None},
    "ours, ended, without outcome": {**OURS, "outcome": None},
    "ended without start": {"start": None},
    "ended without end": {"end": None},
    "running without start": {"status": "running", "start": None, "end": None},
    "running with end": {"status": "running"},
    "running with outcome": {"status": "running", "end": None, "outcome": "success"},
    "triggered with start": {"status": "triggered", "end": None},
    "triggered with outcome": {"status": "triggered", "start": None, "end": None, "outcome": "failed"},
    "success that failed": {**OURS, "outcome": "failed"},
    "failure that succeeded": {**OURS, "status": "failed"},
    "missed without gap": {**OURS, **MISSED, "gap": None},
    "a gap that ran": {**OURS, "gap": GAP, "phases": None},
    "a gap with phases": {**OURS, **MISSED, "phases": RECORD["phases"]},
    "a gap by hand": {**OURS, **MISSED, "trigger": "manual"},
    "a gap of nothing": {**OURS, **MISSED, "gap": {**GAP, "slots": []}},
    "a gap with 101 slots": {**OURS, **MISSED, "gap": {**GAP, "slots": GAP["slots"] * 51}},
    "a tag without commit": {"tag": "PROD"},
    "an unknown key": {"surprise": 1},
    "an unknown status": {"status": "warning"},
    "an unknown outcome": {**OURS, "outcome": "lost"},
    "an id that is none": {"_id": "6090915ad6a48d0b3c4f663d"},
    "a short commit": {**OURS, "commit": "abc1234"},
    "a time without milliseconds": {"start": "2021-07-01T16:30:07Z"},
    "a time elsewhere": {"start": "2021-07-01T16:30:07.858+01:00"},
    "version 0": {"version": 0},
    "a phase without end": {"phases": [{key: value for key, value in RECORD["phases"][0].items() if key != "end"}]},
    "a phase that still runs": {"phases": [{**RECORD["phases"][0], "status": "running"}]},
    "a phase with an unknown key": {"phases": [{**RECORD["phases"][0], "x-note": 1}]},
    "a phase tried once and counted": {"phases": [{**RECORD["phases"][0], "attempts": 1}]},
    "data with an unknown key": {"data": {"matrix": {}}},
    "data of no date": {"data": {"series": {"1 July": ["#A"]}}},
    "data twice": {"data": {"series": {"2021-07-01": ["#A", "#A"]}}},
}  # fmt: skip


@pytest.mark.parametrize("changes", VALID.values(), ids=[*VALID])
@pytest.mark.parametrize("draft", [Draft202012Validator, Draft7Validator])
def test_a_record_of_section_8_is_valid(changes: dict[str, Any], draft: Any) -> None:
    document = changed(**changes)
    assert [error.message for error in draft(SCHEMA).iter_errors(document)] == []


@pytest.mark.parametrize("changes", INVALID.values(), ids=[*INVALID])
@pytest.mark.parametrize("draft", [Draft202012Validator, Draft7Validator])
def test_a_record_that_breaks_section_8_is_not(changes: dict[str, Any], draft: Any) -> None:
    assert not draft(SCHEMA).is_valid(changed(**changes))


def test_what_is_always_there() -> None:
    required = ["_id", "service", "name", "environment", "trigger", "status", "message", "reason"]
    assert SCHEMA["required"] == required


def test_the_keys_of_a_record_stand_in_the_order_of_the_code() -> None:
    at = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)
    begun = execution.start_phase(
        execution.running(
            execution.Execution(
                id=RECORD["_id"], service="ETL", name="X", environment="production",
                trigger=execution.Trigger.MANUAL, reason="manual(me)", trigger_time=at, version=1, commit=ID, tag="T",
                body={"a": 1}, parent_id=RECORD["_id"], attempt=2, not_run=("LOAD",), loader_message="m", data={},
            ), at, host="h", run_as="me",
        ), "MAIN", at,
    )  # fmt: skip
    document = record.to_document(execution.finish(begun, execution.Outcome.FAILED, at, "no"))
    assert [*document] == [key for key in SCHEMA["properties"] if key in document]
    assert set(SCHEMA["properties"]) - set(document) == {"gap"}
    assert EXECUTION.is_valid(document)
    phase = SCHEMA["properties"]["phases"]["items"]["properties"]
    assert [*document["phases"][0]] == [key for key in phase if key in document["phases"][0]]
