"""A snapshot: everything that one commit declares, and every problem found in it (SPEC 1, 2, 3).

Pure: the files of the commit and what each holds come in as values. What one file holds follows from its bytes, so the
caller keeps it by blob; what follows from several files is found by ``declaration``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from reconciler.declaration import Declared, DeclaredWorkflow, Gathering
from reconciler.entry import File
from reconciler.errors import NotFoundError, UserError
from reconciler.problem import Problem, errors
from reconciler.process import Process
from reconciler.scripts import Scripts
from reconciler.settings import Settings
from reconciler.validation import Parsed
from reconciler.workflow import Phase, Workflow, phases_of

__all__ = ["Changes", "Declared", "DeclaredWorkflow", "File", "Resolved", "Snapshot", "assemble", "diff"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """All that one execution runs, from one commit. The phases' scripts are full paths in the repository.

    ``scripts_tree`` is the id of the tree ``processes/scripts`` (without its name in front).
    """

    process: Process
    workflow: Workflow | None
    phases: tuple[Phase, ...]
    scripts_tree: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything declared at one commit. ``problems`` are all of it, in the order of files and lines.

    With errors in ``settings_problems`` the settings are the defaults: the last valid ones are the caller's to find.
    """

    commit: str
    settings: Settings
    settings_problems: tuple[Problem, ...]
    processes: Mapping[str, Declared]
    workflows: Mapping[str, DeclaredWorkflow]
    found: Scripts
    scripts_tree: str | None
    problems: tuple[Problem, ...]

    @property
    def scripts(self) -> Mapping[str, File]:
        """All files under ``processes/scripts/``, by path."""
        return self.found.files

    def resolve(self, name: str) -> Resolved:
        """Gather what an execution of a process runs.

        Raises ``NotFoundError`` for an unknown name, ``UserError`` with the problem where it cannot run.
        """
        declared = self.processes.get(name)
        if declared is None:
            near = get_close_matches(name, self.processes, n=1)
            todo = f"did you mean {near[0]}?" if near else "`procctl list` shows the names"
            raise NotFoundError(f"there is no process {name}", todo=todo)
        wrong = next(iter(errors(declared.set_problems)), declared.held)
        if wrong is not None or declared.process is None or self.scripts_tree is None:
            wrong = wrong or Problem(declared.file.path, 0, 0, "", f"{name} has no script to run")
            where = f"{wrong.path}:{wrong.line}" if wrong.line else wrong.path
            raise UserError(wrong.message, where=where, todo=wrong.hint)
        used = self.workflows[declared.process.workflow].workflow if declared.process.workflow else None
        phases = (self._placed(phase) for phase in phases_of(declared.process, used))
        return Resolved(declared.process, used, tuple(phases), self.scripts_tree)

    def _placed(self, phase: Phase) -> Phase:
        file = self.found.find(phase.script or "")
        return replace(phase, script=file.path) if isinstance(file, File) else phase


def assemble(
    commit: str,
    files: Iterable[File],
    scripts_tree: str | None,
    parsed: Callable[[File], Parsed],
    previous: Snapshot | None = None,
) -> Snapshot:
    """Put a commit's snapshot together from its files (``processes/**`` and ``procctl.yaml``) and what each holds.

    ``parsed`` is asked once for each YAML file that ``previous``, an earlier snapshot, does not have as it is; so a
    change of one file costs little, and what did not change is shared.
    """
    known = (previous.processes, previous.workflows) if previous is not None else ({}, {})
    gathering = Gathering(parsed, *known, same_scripts=previous is not None and previous.scripts_tree == scripts_tree)
    for file in files:
        gathering.add(file)
    gathering.finish()
    return Snapshot(
        commit=commit,
        settings=gathering.settings,
        settings_problems=gathering.settings_problems,
        processes=gathering.processes,
        workflows=gathering.workflows,
        found=gathering.scripts,
        scripts_tree=scripts_tree,
        problems=tuple(sorted({*gathering.problems, *gathering.settings_problems})),
    )


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of processes that one snapshot has otherwise than another, each sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def diff(old: Snapshot, new: Snapshot) -> Changes:
    """Say which processes come, go, or run something else: their file, workflow, scripts or problems changed."""
    here, there = old.processes, new.processes
    changed = (name for name in here.keys() & there.keys() if _substance(old, name) != _substance(new, name))
    return Changes(
        tuple(sorted(there.keys() - here.keys())), tuple(sorted(changed)), tuple(sorted(here.keys() - there.keys()))
    )


def _substance(snapshot: Snapshot, name: str) -> tuple[object, ...]:
    declared = snapshot.processes[name]
    if declared.process is None:
        return declared.file.blob, declared.set_problems
    used = snapshot.workflows.get(declared.process.workflow or "")
    workflow = used.workflow if used is not None else None
    phases = () if declared.process.workflow and workflow is None else phases_of(declared.process, workflow)
    scripts = tuple(snapshot.found.find(phase.script) for phase in phases if phase.script is not None)
    return declared.file.blob, declared.set_problems, used and used.file.blob, scripts
