"""What one commit declares: processes and workflows, each with the problems of all that it needs to run (SPEC 3, 8).

A process's set is its file, its workflow with those inside it, and all their scripts. A problem anywhere in the set is
the process's too; a problem anywhere else is not.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from reconciler import crosschecks, names
from reconciler.entry import SUBMODULE, SYMLINK, File
from reconciler.problem import Problem, Severity, errors
from reconciler.process import Process
from reconciler.scripts import FOLDER, Scripts
from reconciler.settings import Settings
from reconciler.validation import Kind, Parsed, kind_of, stem_of
from reconciler.workflow import Workflow

Each = TypeVar("Each", "Declared", "DeclaredWorkflow")

_WORKFLOW_DEPTH = 2
"""Slashes in the path of a workflow: ``processes/workflows/NAME.yaml``."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A process as one commit declares it. ``process`` is ``None`` where its own file has errors.

    ``problems`` are of its own file, ``set_problems`` of all that it needs to run: file, workflows and scripts.
    """

    name: str
    file: File
    process: Process | None
    problems: tuple[Problem, ...] = ()
    set_problems: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether its whole set is free of errors."""
        return not errors(self.set_problems)

    @property
    def held(self) -> Problem | None:
        """The first warning that keeps it from running, if there is one."""
        return next((problem for problem in self.set_problems if problem.holds), None)


@dataclass(frozen=True, slots=True)
class DeclaredWorkflow:
    """A workflow as one commit declares it. ``workflow`` is ``None`` where its own file has errors.

    ``set_problems`` are of its file, of the workflows inside it, and of all their scripts.
    """

    name: str
    file: File
    workflow: Workflow | None
    problems: tuple[Problem, ...] = ()
    set_problems: tuple[Problem, ...] = ()


class Gathering:
    """A commit on its way from files to declarations: ``add`` each file, then ``finish`` once.

    ``processes_before`` and ``workflows_before`` are of an earlier commit; what is the same there is taken from there.
    """

    def __init__(
        self,
        parsed: Callable[[File], Parsed],
        processes_before: Mapping[str, Declared],
        workflows_before: Mapping[str, DeclaredWorkflow],
        *,
        same_scripts: bool,
    ) -> None:
        self.processes: dict[str, Declared] = {}
        self.workflows: dict[str, DeclaredWorkflow] = {}
        self.scripts = Scripts({})
        self.settings = Settings()
        self.settings_problems: tuple[Problem, ...] = ()
        self.problems: list[Problem] = []
        self._parsed = parsed
        self._before = (processes_before, workflows_before)
        self._same_scripts = same_scripts
        self._script_files: list[File] = []
        self._drafts: dict[str, list[Declared]] = defaultdict(list)
        self._workflow_drafts: dict[str, list[DeclaredWorkflow]] = defaultdict(list)

    def add(self, file: File) -> None:
        """Take one file of the commit in."""
        if file.path.startswith(FOLDER) or file.path == FOLDER.rstrip("/"):
            self._script_files.append(file)
            return
        match kind_of(file.path):
            case Kind.PROCESS:
                self._process(file)
            case Kind.WORKFLOW:
                self._workflow(file)
            case Kind.SETTINGS:
                self._settings(file)
            case None if file.mode in (SYMLINK, SUBMODULE) and "." not in file.path.rpartition("/")[2]:
                message = f"{_special(file)} is not followed: nothing behind it is read"
                self.problems.append(Problem(file.path, 0, 0, "", message, "put the files here", Severity.WARNING))

    def finish(self) -> None:
        """Find what only shows between the files."""
        self.scripts = Scripts.of(self._script_files)
        own: dict[str, tuple[Problem, ...]] = {}
        for drafts in self._workflow_drafts.values():
            for draft, twice in _told_apart(drafts):
                self.workflows.setdefault(draft.name, draft)
                own.setdefault(draft.name, twice)
                self.problems += (*draft.problems, *twice)
        usable = {name: declared.workflow for name, declared in self.workflows.items()}
        for name, declared in self.workflows.items():
            own[name] += self._checked(declared, usable)
        for name, declared in self.workflows.items():
            inner = crosschecks.within(declared.workflow, usable) if declared.workflow else ()
            found = dict.fromkeys(problem for each in (name, *inner) for problem in own[each])
            self.workflows[name] = replace(declared, set_problems=tuple(found))
        same = {name for name, declared in self.workflows.items() if self._before[1].get(name) == declared}
        for group in self._drafts.values():
            for one, twice in _told_apart(group):
                final = self._process_set(one, twice, usable, same)
                self.processes.setdefault(one.name, final)
                self.problems += final.set_problems

    def _process(self, file: File) -> None:
        name = stem_of(file.path)
        before = self._before[0].get(name)
        if before is not None and before.file == file:
            self._drafts[name.lower()].append(before)
        elif wrong := _in_place(file):
            self._drafts[name.lower()].append(Declared(name, file, None, (wrong,)))
        else:
            parsed = self._parsed(file)
            if not names.is_process(name):
                self.problems += parsed.problems
                return
            process = None if parsed.document is None else Process.of(name, parsed.document)
            self._drafts[name.lower()].append(Declared(name, file, process, parsed.problems))

    def _workflow(self, file: File) -> None:
        name = stem_of(file.path)
        wrong = _in_place(file)
        if wrong is None and file.path.count("/") != _WORKFLOW_DEPTH:
            message = "a workflow lies directly in processes/workflows/, not in a folder below it"
            wrong = Problem(file.path, 0, 0, "", message, f"move it to processes/workflows/{name}.yaml")
            self.problems.append(wrong)
            return
        before = self._before[1].get(name)
        if before is not None and before.file == file:
            self._workflow_drafts[name.lower()].append(before)
            return
        parsed = Parsed(None, (wrong,)) if wrong else self._parsed(file)
        if not names.is_process(name):
            self.problems += parsed.problems
            return
        workflow = None if parsed.document is None else Workflow(name, parsed.document)
        self._workflow_drafts[name.lower()].append(DeclaredWorkflow(name, file, workflow, parsed.problems))

    def _settings(self, file: File) -> None:
        wrong = _in_place(file)
        parsed = Parsed(None, (wrong,)) if wrong else self._parsed(file)
        self.settings_problems = parsed.problems
        if parsed.document is not None:
            self.settings = Settings.of(parsed.document)

    def _checked(self, declared: DeclaredWorkflow, usable: Mapping[str, Workflow | None]) -> tuple[Problem, ...]:
        """A workflow's own problems, and those of its phases' scripts."""
        if declared.workflow is None:
            return declared.problems
        found = list(crosschecks.of_workflow(declared.workflow, usable, self.scripts))
        places = self._parsed(declared.file).places if found else {}
        across = tuple(crosschecks.place(declared.file.path, places, each) for each in found)
        self.problems += across
        return (*declared.problems, *across)

    def _process_set(
        self, declared: Declared, twice: Sequence[Problem], usable: Mapping[str, Workflow | None], same: set[str]
    ) -> Declared:
        """A process with the problems of its whole set; the very same where nothing in it changed."""
        process = declared.process
        before = self._before[0].get(declared.name) is declared
        if process is None:
            return replace(declared, set_problems=(*declared.problems, *twice))
        if (
            before
            and not (twice or declared.set_problems)
            and (process.workflow in same if process.workflow else self._same_scripts)
        ):
            return declared
        found = list(crosschecks.of_process(process, usable, self.scripts))
        # Asked for again only where there is something to place: thousands of files keep no places.
        places = self._parsed(declared.file).places if found else {}
        across = (crosschecks.place(declared.file.path, places, each) for each in found)
        used = self.workflows.get(process.workflow or "")
        inner = used.set_problems if used is not None else ()
        problems = (*declared.problems, *twice, *across, *inner)
        return declared if problems == declared.set_problems else replace(declared, set_problems=problems)


def _told_apart(
    group: Sequence[Each],
) -> Iterator[tuple[Each, tuple[Problem, ...]]]:
    """Each declaration of one name, with an error at each where there are several."""
    for each in group:
        others = [other.file.path for other in group if other is not each]
        message = f"the name {each.name} is used twice: {', '.join(others[:3])} has it too"
        hint = "rename one of them: names are unique in the whole tree, without regard to case"
        yield each, (Problem(each.file.path, 0, 0, "", message, hint),) if others else ()


def _in_place(file: File) -> Problem | None:
    """An error where something stands in the place of a file."""
    if file.mode not in (SYMLINK, SUBMODULE):
        return None
    return Problem(file.path, 0, 0, "", f"{_special(file)} stands in the place of a file", "put the file itself there")


def _special(file: File) -> str:
    return "a symlink" if file.mode == SYMLINK else "a submodule"
