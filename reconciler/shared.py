"""What processes share, workflows and scripts: what becomes of them between two commits, and whom that touches."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler import crosschecks
from reconciler.difference import Difference, differences
from reconciler.entry import File
from reconciler.process import Process
from reconciler.snapshot import Snapshot
from reconciler.workflow import Workflow


class Kind(StrEnum):
    """What becomes of a process, workflow or script; ``affected``: its own file stays, what it depends on does not."""

    ADDED = "added"
    CHANGED = "changed"
    RENAMED = "renamed"
    REMOVED = "removed"
    AFFECTED = "affected"


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes of a workflow (by name) or of a script (by path), and the processes that use it, sorted.

    ``fields`` are a workflow's; empty where only comments or layout changed, and where either side has errors.
    """

    kind: Kind
    name: str
    path: str
    fields: tuple[Difference, ...]
    processes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uses:
    """The names of processes by the workflow (name) and the script (path) that they run, however deep inside.

    What a script loads by itself is not known.
    """

    workflows: Mapping[str, frozenset[str]]
    scripts: Mapping[str, frozenset[str]]


def uses(snapshot: Snapshot) -> Uses:
    """Look through all processes of a snapshot; those whose own file has errors use nothing."""
    usable = {name: declared.workflow for name, declared in snapshot.workflows.items()}
    reached = {name: _reached(name, usable) for name in usable}
    ran = {name: _scripts(one, snapshot) for name, one in usable.items()}
    workflows: dict[str, set[str]] = defaultdict(set)
    scripts: dict[str, set[str]] = defaultdict(set)
    for name, declared in snapshot.processes.items():
        if declared.process is None:
            continue
        for workflow in reached.get(declared.process.workflow or "", ()):
            workflows[workflow].add(name)
            for path in ran[workflow]:
                scripts[path].add(name)
        for path in _own(declared.process, snapshot):
            scripts[path].add(name)
    return Uses(
        {workflow: frozenset(names) for workflow, names in workflows.items()},
        {path: frozenset(names) for path, names in scripts.items()},
    )


def parts(old: Snapshot, new: Snapshot) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Say which workflows and which scripts come, change and go."""
    workflows = tuple(_kinds(*({name: one.file for name, one in each.workflows.items()} for each in (old, new))))
    scripts = tuple(_kinds(old.scripts, new.scripts))
    if not workflows and not scripts:
        return (), ()
    was, now = uses(old), uses(new)
    return (
        tuple(
            Part(kind, name, path, _fields(name, old, new), _users(name, was.workflows, now.workflows))
            for kind, name, path in workflows
        ),
        tuple(Part(kind, name, path, (), _users(name, was.scripts, now.scripts)) for kind, name, path in scripts),
    )


def _kinds(old: Mapping[str, File], new: Mapping[str, File]) -> Iterator[tuple[Kind, str, str]]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            yield Kind.ADDED, name, new[name].path
        elif name not in new:
            yield Kind.REMOVED, name, old[name].path
        elif old[name] != new[name]:
            yield Kind.CHANGED, name, new[name].path


def _fields(name: str, old: Snapshot, new: Snapshot) -> tuple[Difference, ...]:
    before, after = old.workflows.get(name), new.workflows.get(name)
    if before is None or after is None or before.workflow is None or after.workflow is None:
        return ()
    return differences(before.workflow.document, after.workflow.document)


def _users(name: str, *sides: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    return tuple(sorted(frozenset().union(*(side.get(name, frozenset()) for side in sides))))


def _reached(name: str, usable: Mapping[str, Workflow | None]) -> tuple[str, ...]:
    workflow = usable[name]
    return (name, *(crosschecks.within(workflow, usable) if workflow is not None else ()))


def _scripts(workflow: Workflow | None, snapshot: Snapshot) -> tuple[str, ...]:
    if workflow is None:
        return ()
    found = (snapshot.found.find(phase.script) for phase in workflow.phases if phase.script is not None)
    return tuple(file.path for file in found if isinstance(file, File))


def _own(process: Process, snapshot: Snapshot) -> tuple[str, ...]:
    found = snapshot.found.find(process.script) if process.script is not None else None
    return (found.path,) if isinstance(found, File) else ()
