"""Which commit an execution runs at (SPEC 8): the one in force, the newest that serves a version, or a named one.

One commit serves process, workflow and scripts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.errors import NotFoundError, UserError
from reconciler.problem import errors
from reconciler.process import Process
from reconciler.reference import Kind, Reference
from reconciler.repo import history, refs
from reconciler.repo.repository import Repository
from reconciler.snapshot import Resolved
from reconciler.store.index import Index
from reconciler.sync import snapshots, versions
from reconciler.sync.applying import Applied
from reconciler.version import Version
from reconciler.workflow import check_input


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reference picked: the commit to run at, its version (``None`` off the followed history), what to run."""

    commit: str
    version: int | None
    resolved: Resolved

    @property
    def process(self) -> Process:
        """The configuration at that commit."""
        return self.resolved.process


def choose(repo: Repository, index: Index, applied: Applied, reference: Reference) -> Choice:
    """Pick the commit that a reference means for a run.

    ``NotFoundError`` where there is no such process, version or commit; ``UserError`` where no commit serves it.
    """
    name = reference.name
    if reference.kind is Kind.LATEST:
        return _in_force(repo, index, applied, name)
    if reference.kind is Kind.NUMBER:
        return _numbered(repo, index, applied, name, int(reference.value))
    commit = refs.resolve_commit(repo, reference.value)
    version = index.version_at(name, commit)
    return Choice(commit, version.number if version else None, resolve(repo, index, applied, name, commit))


def permit(choice: Choice, environment: str, body: Mapping[str, Any] | None, *, force: bool) -> None:
    """Raise ``UserError`` where a manual run of a choice is refused: disabled, of elsewhere, or with wrong input.

    ``force`` runs a disabled process, and one of another environment. Input is checked whatever it says.
    """
    process = choice.process
    if not force and not process.enabled:
        raise UserError(f"{process.name} is disabled", todo="enable it, or run it all the same with --force")
    if not force and process.environment not in (None, environment):
        what = f"{process.name} belongs to the environment {process.environment}, and this is {environment}"
        raise UserError(what, todo="run it there, or here all the same with --force")
    given_input(choice.resolved, body)


def given_input(resolved: Resolved, body: Mapping[str, Any] | None) -> dict[str, Any]:
    """The input of an execution, checked: ``UserError`` where the workflow refuses it."""
    given = overlaid(resolved.process.input, body)
    wrong = check_input(resolved.workflow, given) if resolved.workflow else ()
    if wrong:
        todo = "mend the process's input, or give it with -i NAME=VALUE"
        raise UserError("; ".join(wrong), where=resolved.process.name, todo=todo)
    return given


def overlaid(given: Mapping[str, Any], body: Mapping[str, Any] | None) -> dict[str, Any]:
    """Lay the body of a manual run over a process's input, by top-level keys (SPEC 10)."""
    return dict(given) | dict(body or {})


def resolve(repo: Repository, index: Index, applied: Applied, name: str, commit: str) -> Resolved:
    """What a process is at a commit; the applied one is at hand, any other is read again."""
    at = applied.snapshot if commit == applied.commit else snapshots.part(repo, index, commit, [name])
    return at.resolve(name)


def _in_force(repo: Repository, index: Index, applied: Applied, name: str) -> Choice:
    force = applied.in_force.get(name)
    if force is not None:
        commit = force.commit or applied.commit
        return Choice(commit, force.version, resolve(repo, index, applied, name, commit))
    declared = applied.snapshot.processes.get(name)
    if declared is None:
        raise NotFoundError(f"there is no process {name}", where=applied.commit[:12], todo="see `procctl list`")
    problem = next(iter(errors(declared.set_problems)), None)
    raise UserError(f"{name} has never been valid: {problem}", where=applied.commit[:12], todo="see `procctl validate`")


def _numbered(repo: Repository, index: Index, applied: Applied, name: str, number: int) -> Choice:
    known = {version.number: version for version in index.versions(name)}
    if number not in known:
        todo = f"see `procctl get {name}`" if known else "see `procctl list`"
        raise NotFoundError(f"{name} has no version {number}", where=applied.ref, todo=todo)
    problem = None
    for commit in _serving(repo, index, applied, known, number):
        at = snapshots.part(repo, index, commit, [name])
        declared = at.processes.get(name)
        if declared is None or declared.file.blob != known[number].blob:
            continue
        if declared.valid:
            return Choice(commit, number, at.resolve(name))
        problem = problem or next(iter(errors(declared.set_problems)), None)
    raise UserError(f"no commit serves {name}@{number}: {problem}", where=applied.ref, todo="run another version")


def _serving(
    repo: Repository, index: Index, applied: Applied, known: Mapping[int, Version], number: int
) -> Iterator[str]:
    """The commits at which a process's file may be version ``number``, newest first: one for each state between."""
    after = known.get(number + 1)
    if after is None:
        yield applied.commit
    top = after.commit if after else applied.commit
    for step in history.walk(repo, top, known[number].commit, versions.progress(index).mainline):
        if step.parent is not None:
            yield step.parent
