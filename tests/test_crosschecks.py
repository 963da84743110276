"""What two sound files may have against each other: an input and its workflow, workflows and those inside them."""

from typing import Any

import pytest

from reconciler import crosschecks
from reconciler.entry import File
from reconciler.process import Process
from reconciler.scripts import Scripts
from reconciler.workflow import Workflow

SCRIPTS = Scripts.of([File("processes/scripts/tick.sh", "100644", "0" * 40, -1)])
WF = Workflow(
    "wf",
    {
        "input": {"url": {"type": "string"}, "limit": {"type": "integer", "minimum": 1}},
        "required": ["url"],
        "phases": [{"name": "A", "script": "tick.sh"}],
    },
)


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({"input": {"url": "u"}}, []),
        ({"input": {"url": "u", "limit": 5, "other": [1]}, "cron": "0 8 * * *"}, []),
        ({}, []),  # a body may bring what is missing
        ({"cron": [], "at": []}, []),
        ({"cron": "0 8 * * *"}, [("/input/url", "input.url is missing")]),  # no body comes with a schedule
        ({"every": "1h", "input": {}}, [("/input/url", "input.url is missing")]),
        ({"at": ["2030-01-01T00:00:00Z"], "enabled": False}, [("/input/url", "input.url is missing")]),
        ({"input": {"url": 5}}, [("/input/url", "input.url must be a text, is a whole number")]),
        ({"input": {"limit": 0}}, [("/input/limit", "input.limit must be at least 1")]),
    ],
)
def test_an_input_that_can_never_fit_is_an_error_of_the_process(
    document: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    process = Process("X", {"workflow": "wf", **document})
    found = [(pointer, message) for pointer, message, _ in crosschecks.of_process(process, {"wf": WF}, SCRIPTS)]
    assert found == [(pointer, f"{message}, says the workflow wf") for pointer, message in wrong]


def test_of_a_broken_workflow_a_process_says_nothing_more() -> None:
    assert list(crosschecks.of_process(Process("X", {"workflow": "wf"}), {"wf": None}, SCRIPTS)) == []


def workflows(**inner: list[str]) -> dict[str, Workflow | None]:
    """Workflows whose phases run other workflows."""
    return {
        name: Workflow(name, {"phases": [{"name": f"P{n}", "workflow": each} for n, each in enumerate(named)]})
        for name, named in inner.items()
    }


def told(name: str, known: dict[str, Workflow | None]) -> list[tuple[str, str]]:
    workflow = known[name]
    assert workflow is not None
    return [(pointer, message) for pointer, message, _ in crosschecks.of_workflow(workflow, known, SCRIPTS)]


def test_the_workflows_inside_one_are_found_however_deep() -> None:
    known = workflows(a=["b", "c"], b=["d"], c=["d"], d=[], e=["a"])
    assert known["a"] is not None
    assert sorted(crosschecks.within(known["a"], known)) == ["b", "c", "d"]
    assert told("a", known) == []


def test_a_workflow_that_is_missing_inside_another_is_an_error_there() -> None:
    known = workflows(a=["b", "gone"], b=["lost"])
    assert told("a", known) == [("/phases/1/workflow", "there is no workflow gone")]
    assert told("b", known) == [("/phases/0/workflow", "there is no workflow lost")]


@pytest.mark.parametrize("circle", ["a", "ab", "abc"])
def test_workflows_that_lead_back_to_themselves_are_errors(circle: str) -> None:
    known = workflows(**{name: [after] for name, after in zip(circle, circle[1:] + circle[0], strict=True)}, z=["a"])
    for name in circle:
        ((pointer, message),) = told(name, known)
        assert pointer == "/phases/0/workflow"
        assert "leads back to" in message
    assert told("z", known) == []  # it has no error of its own; its set has theirs
    assert known["z"] is not None
    assert set(crosschecks.within(known["z"], known)) == set(circle)


def test_a_problem_lies_at_the_nearest_place_that_is_known() -> None:
    places = {"/input": (3, 1), "/input/url": (4, 8)}
    found = [("/input/url/deep", "m", ""), ("/input/other", "m", ""), ("/script", "m", "h")]
    placed = [crosschecks.place("p.yaml", places, each) for each in found]
    assert [(problem.line, problem.column) for problem in placed] == [(4, 8), (3, 1), (1, 1)]
    assert placed[2].hint == "h"
