"""What may be wrong between the files of one commit, though each is sound by itself (SPEC 3, 8).

Still nothing but bytes of that commit: a missing workflow or script, one that cannot be run, an input that the
workflow can never take.
"""

from collections.abc import Iterator, Mapping

from reconciler import inputs
from reconciler.problem import Problem
from reconciler.process import Process
from reconciler.schema import near
from reconciler.scripts import Scripts, Wrong
from reconciler.workflow import Workflow
from reconciler.yamltree import Place, escape

Places = Mapping[str, Place]
Found = tuple[str, str, str]
"""Pointer, message and hint of what is wrong."""


def of_process(process: Process, workflows: Mapping[str, Workflow | None], scripts: Scripts) -> Iterator[Found]:
    """Check a process against the rest of its commit.

    ``workflows`` has every name that is declared, with ``None`` for those that are broken themselves.
    """
    if process.workflow is None:
        yield from _script("/script", process.script, scripts)
    elif process.workflow not in workflows:
        yield from _workflow("/workflow", process.workflow, workflows)
    elif (workflow := workflows[process.workflow]) is not None:
        yield from _input(process, workflow)


def of_workflow(workflow: Workflow, workflows: Mapping[str, Workflow | None], scripts: Scripts) -> Iterator[Found]:
    """Check a workflow's phases against the rest of its commit."""
    for index, phase in enumerate(workflow.phases):
        if phase.script is not None:
            yield from _script(f"/phases/{index}/script", phase.script, scripts)
        if phase.workflow is not None and phase.workflow not in workflows:
            yield from _workflow(f"/phases/{index}/workflow", phase.workflow, workflows)
        elif phase.workflow is not None and workflow.name in _reached(phase.workflow, workflows):
            message = f"the workflow {phase.workflow} leads back to {workflow.name}, so it would never end"
            yield f"/phases/{index}/workflow", message, "cut the circle"


def within(workflow: Workflow, workflows: Mapping[str, Workflow | None]) -> list[str]:
    """The workflows that run inside one, however deep."""
    inner: dict[str, None] = {}
    for phase in workflow.phases:
        if phase.workflow is not None:
            inner |= dict.fromkeys(_reached(phase.workflow, workflows))
    return [name for name in inner if name != workflow.name]


def _reached(name: str, workflows: Mapping[str, Workflow | None]) -> list[str]:
    """A workflow and those that run inside it; names that are not declared are left out."""
    found: dict[str, None] = {}
    left = [name]
    while left:
        each = left.pop()
        if each in workflows and each not in found:
            found[each] = None
            inner = workflows[each]
            left += [phase.workflow for phase in (inner.phases if inner else ()) if phase.workflow is not None]
    return list(found)


def place(path: str, places: Places, finding: Found) -> Problem:
    """Make a problem of a finding, at its value or at the nearest one around it whose place is known."""
    pointer, message, hint = finding
    around = pointer
    while around and around not in places:
        around = around.rpartition("/")[0]
    return Problem(path, *places.get(around, (1, 1)), pointer, message, hint)


def _script(pointer: str, written: str | None, scripts: Scripts) -> Iterator[Found]:
    found = scripts.find(written or "")
    if isinstance(found, Wrong):
        yield pointer, found.message, found.hint


def _workflow(pointer: str, name: str, known: Mapping[str, object]) -> Iterator[Found]:
    hint = near(name, tuple(known)[:200]) or f"add processes/workflows/{name}.yaml"
    yield pointer, f"there is no workflow {name}", hint


def _input(process: Process, workflow: Workflow) -> Iterator[Found]:
    """A value of the wrong kind is an error; a missing one only where no body can bring it: on a schedule."""
    required = workflow.required if process.scheduled else ()
    for path, message in inputs.findings(workflow.input, required, process.input):
        pointer = "".join(f"/{escape(str(step))}" for step in ("input", *path))
        said = f"{'.'.join(['input', *map(str, path)])} {message}"
        hint = "a schedule brings no body: give it under input" if message == inputs.MISSING else ""
        yield pointer, f"{said}, says the workflow {workflow.name}", hint
