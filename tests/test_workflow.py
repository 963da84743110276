"""Workflows and their phases, and the check of an execution's input."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.process import Process
from reconciler.workflow import MAIN, Phase, Workflow, check_input, phases_of


def workflow(**document: Any) -> Workflow:
    return Workflow("wf", {"phases": [{"name": "A", "script": "a.py"}], **document})


def test_a_phase_has_defaults() -> None:
    assert workflow().phases == (Phase("A", script="a.py", retries=0, delay=timedelta(seconds=30), timeout=None),)


def test_a_phase_has_all_that_it_declares() -> None:
    declared = {
        "name": "B",
        "script": "#b.py",
        "retries": 2.0,
        "delay": "0s",
        "timeout": "2m",
        "needs": ["A"],
        "when": {"exit": "empty"},
        "backoff": "exponential",
        "reschedule": "1h",
    }
    phase = Phase.of(declared)
    assert phase == Phase(
        name="B",
        script="b.py",
        retries=2,
        delay=timedelta(),
        timeout=timedelta(minutes=2),
        needs=("A",),
        when={"exit": "empty"},
        backoff="exponential",
        reschedule=timedelta(hours=1),
    )
    assert isinstance(phase.retries, int)


def test_a_phase_may_run_a_line_or_a_workflow() -> None:
    assert Phase.of({"name": "A", "run": "echo"}).run == "echo"
    assert Phase.of({"name": "A", "workflow": "#wf"}).workflow == "wf"
    assert Phase.of({"name": "A", "script": "a", "needs": []}).needs == ()


def test_a_script_process_has_one_phase_with_its_retries() -> None:
    process = Process("X", {"script": "#tick.sh", "retries": 3, "delay": "5s", "timeout": "1h"})
    assert phases_of(process, None) == (Phase(MAIN, script="tick.sh", retries=3, delay=timedelta(seconds=5)),)


def test_a_workflow_process_has_the_phases_of_its_workflow() -> None:
    assert phases_of(Process("X", {"workflow": "wf"}), workflow()) == workflow().phases


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"url": "u"}, ()),
        ({"url": "u", "extra": [1]}, ()),
        ({}, ("input.url is missing",)),
        ({"url": None}, ("input.url must be a text, is empty",)),
        ({"limit": "9"}, ("input.url is missing", "input.limit must be a whole number, is a text")),
        ({"url": "u", "list": ["a", 1]}, ("input.list.1 must be a text, is a whole number",)),
    ],
)
def test_an_input_is_checked_before_anything_runs(given: dict[str, Any], wrong: tuple[str, ...]) -> None:
    schemas = {
        "url": {"type": "string"},
        "limit": {"type": "integer"},
        "list": {"type": "array", "items": {"type": "string"}},
    }
    assert check_input(workflow(input=schemas, required=["url"]), given) == wrong


def test_without_schemas_every_input_fits() -> None:
    assert workflow().input == {}
    assert workflow().required == ()
    assert workflow(description="d").description == "d"
    assert check_input(workflow(), {"a": object()}) == ()


def test_a_default_is_shown_and_not_filled_in() -> None:
    declared = workflow(input={"limit": {"type": "integer", "default": 5}}, required=["limit"])
    assert check_input(declared, {}) == ("input.limit is missing",)
