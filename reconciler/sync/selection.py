"""Which commit an execution runs at (SPEC 8): the one in force, the newest that serves a version, or a named one.

One commit serves process, workflow and scripts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reconciler.errors import NotFoundError, UserError
from reconciler.inputs import kind
from reconciler.problem import Problem, errors
from reconciler.process import Process
from reconciler.reference import Kind, Reference
from reconciler.repo import history
from reconciler.repo.repository import Repository
from reconciler.snapshot import Resolved, Snapshot
from reconciler.store.index import Index
from reconciler.sync import references, snapshots, versions
from reconciler.sync.applying import Applied
from reconciler.sync.following import Following
from reconciler.version import Version, current_at
from reconciler.workflow import check_input


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reference picked: the commit to run at, its version (``None`` off the followed history), what to run.

    ``tag`` is the tag that picked it, if one did.
    """

    commit: str
    version: int | None
    resolved: Resolved
    tag: str | None = None

    @property
    def process(self) -> Process:
        """The configuration at that commit."""
        return self.resolved.process


def choose(repo: Repository, index: Index, applied: Applied, reference: Reference) -> Choice:
    """Pick the commit that a reference means for a run.

    Raises what ``references.pick`` does, and ``UserError`` where no commit serves what it means.
    """
    if reference.kind is Kind.LATEST:
        return _in_force(repo, index, applied, reference.name)
    if reference.number is not None:
        version = references.numbered(index, reference.name, reference.number)
        commit, resolved = _served(repo, index, version)
        return Choice(commit, version.number, resolved)
    picked = references.pick(repo, index, reference)
    resolved = resolve(repo, index, applied, picked.name, picked.commit)
    return Choice(picked.commit, picked.version.number if picked.version else None, resolved, picked.tag)


def runs_at(repo: Repository, index: Index, version: Version) -> str:
    """The commit that ``KEY@N`` runs at, which a tag of it names: the newest that has this version and no error in it.

    Raises ``UserError`` with the problem where there is none.
    """
    return _served(repo, index, version)[0]


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


def given_input(resolved: Resolved, body: Any) -> dict[str, Any]:
    """The input of an execution, checked: ``UserError`` where ``body`` can be none, or the workflow refuses it."""
    if not isinstance(body, Mapping | None):
        what = f"what is given to an execution must be a mapping, is {kind(body)}"
        raise UserError(what, where=resolved.process.name, todo="give it with -i NAME=VALUE")
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
    stand = applied.following.stands.get(name) if applied.following else None
    if stand is not None and stand.resolved is not None and stand.tag.commit == commit:
        return stand.resolved
    if commit == applied.commit and name in applied.snapshot.processes:
        return applied.snapshot.resolve(name)
    owners = (name, *index.former_names(name))
    return _resolved(snapshots.part(repo, index, commit, owners), owners)


def _resolved(at: Snapshot, owners: Sequence[str]) -> Resolved:
    """What a process is in a snapshot, where it may have had a former name."""
    called = next((owner for owner in owners if owner in at.processes), owners[0])
    resolved = at.resolve(called)
    return resolved if called == owners[0] else replace(resolved, process=replace(resolved.process, name=owners[0]))


def _in_force(repo: Repository, index: Index, applied: Applied, name: str) -> Choice:
    force = applied.in_force.get(name)
    if force is not None:
        commit = force.commit or applied.commit
        return Choice(commit, force.version, resolve(repo, index, applied, name, commit), force.tag)
    if applied.following is not None:
        raise _not_followed(index, applied.following, name)
    declared = applied.snapshot.processes.get(name)
    if declared is None:
        references.current(index, name)
        raise NotFoundError(f"there is no process {name}", where=applied.commit[:12], todo="see `procctl list`")
    problem = next(iter(errors(declared.set_problems)), None)
    raise UserError(f"{name} has never been valid: {problem}", where=applied.commit[:12], todo="see `procctl validate`")


def _not_followed(index: Index, following: Following, name: str) -> UserError:
    """Why a process is not in force where a tag is followed."""
    stand = following.stands.get(name)
    if stand is not None:
        problem = next(iter(errors(stand.problems)), None)
        return UserError(f"{name} is not in force at its tag: {problem}", where=stand.tag.name, todo="move the tag")
    number = references.current(index, name).number
    what = f"{name} has no tag {following.text}, and that is what is followed here"
    todo = f"promote a version: `procctl tag {name} {number} {following.text}`; or run one: {name}@{number}"
    return UserError(what, where=f"{name}@{following.text}", todo=todo)


def _served(repo: Repository, index: Index, version: Version) -> tuple[str, Resolved]:
    owners = (version.name, *index.former_names(version.name))
    problem: Problem | None = None
    for commit in _serving(repo, index, version):
        at = snapshots.part(repo, index, commit, owners)
        declared = next((at.processes[owner] for owner in owners if owner in at.processes), None)
        if declared is not None and declared.valid:
            return commit, _resolved(at, owners)
        problem = problem or next(iter(errors(declared.set_problems if declared else ())), None)
    which = f"{version.name}@{version.number}"
    raise UserError(f"no commit serves {which}: {problem}", where=which, todo="take another version")


def _serving(repo: Repository, index: Index, version: Version) -> Iterator[str]:
    """The commits at which a version was the current one, newest first: one for each state between."""
    counted = versions.progress(index)
    for begin, after in _spans(index, version):
        top = counted.commit
        if after is not None:
            top = counted.mainline.get(after) or history.parent(repo, after)
        if top is None:
            continue
        yield top
        for step in history.walk(repo, top, begin, counted.mainline):
            if step.parent is not None and step.parent != top:
                yield step.parent


def _spans(index: Index, version: Version) -> Iterator[tuple[str, str | None]]:
    """From which commit on a version was the current one, and which commit ended that; newest first.

    There may be several: after a rollback it is current again.
    """
    known = index.versions(version.name)
    events = {(one.place, one.commit) for one in known}
    events |= {(one.gone.place, one.gone.commit) for one in known if one.gone is not None}
    after: str | None = None
    for place, commit in sorted(events, reverse=True):
        then = current_at(known, place)
        if then is not None and then.number == version.number:
            yield commit, after
        after = commit
