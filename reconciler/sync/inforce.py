"""Which configuration of each process is in force (SPEC 3, 8 "Which commit").

It follows from the history alone: no restart, and no other release of this program, brings an older version back.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from reconciler.problem import Problem, errors
from reconciler.process import Process
from reconciler.repo import history
from reconciler.repo.repository import Repository
from reconciler.snapshot import Declared, Snapshot, assemble
from reconciler.store.index import Index
from reconciler.sync import past, versions
from reconciler.sync.parsing import Parser
from reconciler.sync.past import Past

_FEW = 100
"""Processes whose numbers are asked for one by one; for more, all are read at once."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The configuration of one process that schedules and runs go by.

    ``commit`` is the newest one at which its set is free of errors: ``None`` for the applied commit itself, so that the
    value stays the same while others change. ``version``, ``blob``, ``path`` and ``held`` are those of that commit,
    ``problems`` those of the applied one. Where a tag is followed (``tag``), the commit is the tag's, all is of it, and
    there is no version where that commit is off the followed history.
    """

    process: Process
    commit: str | None
    version: int | None
    blob: str
    path: str
    problems: tuple[Problem, ...] = ()
    held: Problem | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class _Before:
    """What was in force at an earlier commit: further back nobody has to look."""

    force: Mapping[str, InForce]
    commit: str


def in_force(
    repo: Repository,
    index: Index,
    snapshot: Snapshot,
    before: Mapping[str, InForce] | None = None,
    since: str | None = None,
) -> dict[str, InForce]:
    """Say which configuration of each process is in force at a snapshot, up to which versions must be counted.

    A process whose set has errors keeps the newest configuration, on the way back, whose set has none. One that is
    removed has none, and one whose own sound file says ``enabled: false`` has that, whatever the rest of its set; so
    neither brings back what was before. ``before`` is what was in force at the commit ``since``: given both, only what
    came in between is looked at.
    """
    known = _Before(before, since) if before is not None and since is not None else None
    touched = _touched(repo, index, snapshot.commit, known) if known else frozenset()
    force: dict[str, InForce] = {}
    fresh: dict[str, Declared] = {}
    broken: dict[str, Declared] = {}
    for name, declared in snapshot.processes.items():
        old = known.force.get(name) if known else None
        if not stands(declared):
            broken[name] = declared
        elif old is not None and name.lower() not in touched and _is_same(old, declared):
            force[name] = old
        else:
            fresh[name] = declared
    numbers = _numbers(index, fresh)
    for name, declared in fresh.items():
        force[name] = _in_force(declared, None, numbers[name], declared.set_problems)
    if broken:
        force |= _Search(repo, index, broken).back_from(snapshot.commit, known)
    return force


class _Search:
    """Walks back once, for all broken processes, to the newest commit at which each of them stands."""

    def __init__(self, repo: Repository, index: Index, broken: Mapping[str, Declared]) -> None:
        self._repo = repo
        self._index = index
        self._broken = broken
        self._left = set(broken)
        # A process whose own file has errors can only be mended by an edit of that file.
        self._sound = {name for name, declared in broken.items() if declared.process is not None}
        self._found: dict[str, InForce] = {}
        self._parser = Parser(repo, index)

    def back_from(self, commit: str, known: _Before | None) -> dict[str, InForce]:
        """Look for what stands before a commit; from an earlier one on, what was in force there is."""
        span = (known.commit if known else None, commit)
        mainline = versions.progress(self._index).mainline
        for state in past.walk(self._repo, span, mainline, self._left, self._parser.prepare):
            self._look(state, [name for name in self._left if self._may_stand(name, state)])
            if not self._left:
                break
        if known is not None:
            for name in self._left & known.force.keys():
                old, problems = known.force[name], self._broken[name].set_problems
                self._found[name] = replace(old, commit=old.commit or known.commit, problems=problems)
        return self._found

    def _may_stand(self, name: str, state: Past) -> bool:
        return name.lower() in state.edited or (state.shared and name in self._sound)

    def _look(self, state: Past, names: Collection[str]) -> None:
        """See which of some processes stand in this state, and which are not there at all."""
        if not names:
            return
        files = state.needed.of({name.lower() for name in names})
        declared = assemble(state.commit or "", files, None, self._parser).processes
        for name in names:
            one = declared.get(name)
            if one is None:
                self._left.discard(name)
            elif stands(one):
                self._left.discard(name)
                problems = self._broken[name].set_problems
                self._found[name] = _in_force(one, state.commit, self._number(name, state.commit or ""), problems)
            elif one.process is not None:
                self._sound.add(name)
            else:
                self._sound.discard(name)

    def _number(self, name: str, commit: str) -> int:
        version = self._index.version_at(name, commit)
        if version is None:
            raise ValueError(f"{name} was counted at {commit} without a version")
        return version.number


def stands(declared: Declared) -> bool:
    """Whether a process can be in force as a commit declares it: without errors, or switched off by a sound file."""
    return declared.valid or _is_switched_off(declared)


def _is_switched_off(declared: Declared) -> bool:
    """Whether a sound file says so; a second file of the name is an error of the whole file, so neither is sound."""
    if declared.process is None or declared.process.enabled:
        return False
    return not any(
        problem.path == declared.file.path and not problem.pointer for problem in errors(declared.set_problems)
    )


def _in_force(declared: Declared, commit: str | None, number: int, problems: tuple[Problem, ...]) -> InForce:
    if declared.process is None:
        raise ValueError(f"{declared.name} cannot be in force: its file has errors")
    file = declared.file
    return InForce(declared.process, commit, number, file.blob, file.path, problems, declared.held)


def _is_same(old: InForce, declared: Declared) -> bool:
    same_file = old.process is declared.process and old.path == declared.file.path
    return old.commit is None and same_file and old.problems == declared.set_problems


def _touched(repo: Repository, index: Index, commit: str, known: _Before) -> frozenset[str]:
    """The names, in lower case, of processes whose files were edited since; perhaps only to be as they were again."""
    steps = history.walk(repo, commit, known.commit, versions.progress(index).mainline)
    return past.declared_in(edit.path for step in steps for edit in step.edits)


def _numbers(index: Index, names: Collection[str]) -> dict[str, int]:
    if len(names) > _FEW:
        return index.current_numbers()
    current = {name: index.current_version(name) for name in names}
    return {name: version.number for name, version in current.items() if version is not None}
