"""The record: what people review reads the same whoever wrote it, and nothing but a record is read as one."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler import execution as steps
from reconciler import record
from reconciler.execution import NEXT, Execution, Gap, Outcome, PhaseRun, Status, Trigger

SEED = json.loads((Path(__file__).parent / "ecb" / "execution-example.json").read_text())
AT = datetime(2026, 11, 22, 12, 30, 15, 123000, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


def triggered(**changes: Any) -> Execution:
    base = Execution("05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6", "ETL", "ECB_FX", "production", Trigger.MANUAL, "why", AT)
    return replace(base, commit="c" * 40, host="h", **changes)


def test_the_services_own_record_is_read_and_written_back_key_by_key() -> None:
    written = record.to_document(record.from_document(SEED))
    assert written.pop("triggerTime") == SEED["start"]
    assert written == SEED
    assert list(written) == list(SEED)


@given(JSON)
def test_encoding_is_the_indented_json_of_the_standard_library(value: Any) -> None:
    assert record.encode({"key": value}) == (json.dumps({"key": value}, indent=2, ensure_ascii=False) + "\n").encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [{"deep": float("-inf")}]])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        record.encode({"value": value})


def test_a_path_follows_from_name_id_and_trigger_time() -> None:
    assert record.path_of(triggered()) == PurePosixPath("2026/11/22/ECB_FX/123015-05f1ec1a.json")
    begun = steps.running(triggered(), AT + timedelta(days=1), host="other", run_as="me")
    assert record.path_of(steps.finish(begun, Outcome.FAILED, AT + timedelta(days=2))) == record.path_of(triggered())


def walk(*outcomes: str) -> Execution:
    """An execution with one phase for each outcome, ended."""
    one = steps.running(triggered(), AT, host="h", run_as="me")
    for number, outcome in enumerate(outcomes):
        one = steps.start_phase(one, f"P{number}", AT)
        assert one.message == f"Initialising Phase: P{number}"
        changes = {"status": Status(outcome), "message": f"said {number}", "end": AT, "log": ("a", "b")}
        one = steps.change_phase(one, number, **changes)
        assert one.message == f"said {number}"
    return one


def test_every_state_is_a_valid_record_and_is_read_back(execution_schema: Draft202012Validator) -> None:
    begun = walk("success")
    gap = Gap(AT, AT + timedelta(hours=1), 2, (AT, AT + timedelta(hours=1)))
    states = [
        triggered(),
        begun,
        steps.finish(walk("success", "failed"), Outcome.TIMEOUT, AT, "Timed out"),
        steps.finish(replace(begun, body={"a": [1]}, not_run=("P1",), loader_message="x"), Outcome.SUCCESS, AT),
        replace(steps.finish(triggered(trigger=Trigger.SCHEDULED), Outcome.MISSED, AT, "Missed"), gap=gap),
        steps.finish(triggered(), Outcome.CANCELLED, AT),
    ]
    for state in states:
        document = record.to_document(state)
        assert [error.message for error in execution_schema.iter_errors(document)] == []
        assert record.from_document(json.loads(record.encode(document))) == state


def test_an_end_ends_the_phases_that_run() -> None:
    one = steps.start_phase(walk("success"), "LAST", AT)
    ended = steps.finish(one, Outcome.INTERRUPTED, AT + timedelta(seconds=1), "gone")
    first, last = ended.phases
    assert (first.status, first.message) == (Status.SUCCESS, "said 0")
    assert (last.status, last.message, last.end) == (Status.FAILED, "gone", AT + timedelta(seconds=1))
    assert isinstance(last, PhaseRun)


def test_what_has_ended_changes_no_more() -> None:
    ended = steps.finish(walk(), Outcome.SUCCESS, AT)
    assert ended.message == "Completed Successfully"
    for outcome in Outcome:
        with pytest.raises(ValueError, match="cannot become"):
            steps.finish(ended, outcome, AT)
    with pytest.raises(ValueError, match="cannot become"):
        steps.running(ended, AT, host="h", run_as="me")


def test_the_table_of_steps_knows_every_status() -> None:
    assert set(NEXT) == set(Status)
    assert {status for status in Status if not NEXT[status]} == {Status.SUCCESS, Status.FAILED}


@pytest.mark.parametrize("key", ["_id", "name", "trigger", "status", "message", "reason"])
def test_a_document_without_what_every_record_has_is_none(key: str) -> None:
    broken = {name: value for name, value in SEED.items() if name != key}
    with pytest.raises(KeyError):
        record.from_document(broken)
