"""Snapshots of a repository at its commits: what is declared there, and which settings hold (SPEC 2, 3).

A commit is put together from what the index already knows, so it costs what is new in it.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from reconciler.entry import SUBMODULE, SYMLINK, File
from reconciler.problem import Problem, errors
from reconciler.repo import history, objects, refs
from reconciler.repo.history import Edit
from reconciler.repo.objects import Tree
from reconciler.repo.refs import Followed
from reconciler.repo.repository import Repository
from reconciler.settings import PATH as SETTINGS
from reconciler.settings import Settings
from reconciler.snapshot import Snapshot, assemble
from reconciler.store.index import Index
from reconciler.sync import collecting, past, versions
from reconciler.sync.parsing import Parser
from reconciler.validation import Kind, kind_of


def load(repo: Repository, index: Index | None, commit: str, *, workers: int | None = None) -> Snapshot:
    """Put the snapshot of a commit together; only what the index does not know is parsed, by ``workers`` processes.

    With errors in ``procctl.yaml`` the settings are those of its last valid version.
    """
    tree = objects.list_tree(repo, commit)
    return _assembled(repo, index, commit, tree, workers=workers)


def update(previous: Snapshot, repo: Repository, index: Index | None, commit: str) -> Snapshot:
    """Put the snapshot of a commit together from another one: what is the same in both is shared.

    Where only files of processes differ, it costs those; where workflows, scripts or settings do, the whole listing.
    """
    edits = history.diff(repo, previous.commit, commit)
    files = _files_of_edited(previous, edits)
    if files is None:
        return _assembled(repo, index, commit, objects.list_tree(repo, commit), previous)
    rest = (*(one.file for one in previous.workflows.values()), *previous.scripts.values())
    new = _assembled(repo, index, commit, Tree((*files, *rest), previous.scripts_tree), previous)
    names = past.declared_in(edit.path for edit in edits)
    kept = {name: one for name, one in previous.processes.items() if name.lower() not in names}
    edited = {edit.path for edit in edits} | {file.path for file in files}
    problems = {problem for problem in previous.problems if problem.path not in edited} | {*new.problems}
    return replace(previous, commit=commit, processes={**kept, **new.processes}, problems=tuple(sorted(problems)))


def part(repo: Repository, index: Index | None, commit: str, names: Iterable[str]) -> Snapshot:
    """Put together only what some processes need at a commit: they resolve as in the whole snapshot."""
    tree = objects.list_tree(repo, commit)
    needed = past.Needed.by(names, tree.files)
    return _assembled(repo, index, commit, Tree(needed.of(needed.names), tree.scripts))


def parts(
    repo: Repository, index: Index | None, wanted: Mapping[str, Collection[str]], previous: Snapshot
) -> Iterator[Snapshot]:
    """``part`` of many commits, in their order: one listing, then what differs from each to the next.

    ``wanted`` are the names of processes by commit. The settings are those of each commit, and what is the same in
    another snapshot, ``previous``, is shared.
    """
    if not wanted:
        return
    commits = list(wanted)
    tree = objects.list_tree(repo, commits[0])
    needed = past.Needed.by({name for names in wanted.values() for name in names}, tree.files)
    settings = [file for file in tree.files if file.path == SETTINGS]
    trees = []
    scripts = objects.scripts_trees(repo, commits)
    steps = chain([()], history.differences(repo, commits))
    for (commit, names), scripts_tree, edits in zip(wanted.items(), scripts, steps, strict=True):
        needed.redo(edits)
        for edit in edits:
            if edit.path == SETTINGS:
                settings = [past.after(edit)] if edit.exists else []
        files = (*needed.of({name.lower() for name in names}), *settings)
        trees.append((commit, Tree(tuple(sorted(files, key=lambda file: file.path)), scripts_tree)))
    parser = Parser(repo, index, os.cpu_count() or 1)
    known = {one.file.path: one.file for one in previous.processes.values()}
    parser.prepare(file for _, tree in trees for file in tree.files if known.get(file.path) != file)
    for commit, tree in trees:
        yield _with_settings(repo, index, assemble(commit, tree.files, tree.scripts, parser, previous))


def settings_at(repo: Repository, index: Index | None, commit: str) -> Settings:
    """The settings in force at a commit: those of ``procctl.yaml``, or of its last valid version."""
    parser = Parser(repo, index)
    found = objects.find(repo, commit, (SETTINGS,))[SETTINGS]
    if found is None or found[1] != "blob":
        return Settings()
    document = parser(File(SETTINGS, "100644", found[0], -1)).document
    return _settings_before(repo, index, commit) if document is None else Settings.of(document)


def follow(repo: Repository, index: Index | None, ref: str | None) -> Followed:
    """Find the branch to follow: ``ref``, else the one that ``procctl.yaml`` names at HEAD's commit, else HEAD's."""
    return refs.followed(repo, ref, lambda commit: settings_at(repo, index, commit).branch)


def _assembled(
    repo: Repository,
    index: Index | None,
    commit: str,
    tree: Tree,
    previous: Snapshot | None = None,
    workers: int | None = None,
) -> Snapshot:
    parser = Parser(repo, index, workers or os.cpu_count() or 1)
    known = {one.file.path: one.file for one in previous.processes.values()} if previous else {}
    with collecting.paused():
        parser.prepare(file for file in tree.files if known.get(file.path) != file)
        snapshot = assemble(commit, tree.files, tree.scripts, parser, previous)
    return _with_settings(repo, index, snapshot)


def _with_settings(repo: Repository, index: Index | None, snapshot: Snapshot) -> Snapshot:
    if errors(snapshot.settings_problems):
        return replace(snapshot, settings=_settings_before(repo, index, snapshot.commit))
    return snapshot


def _files_of_edited(previous: Snapshot, edits: Iterable[Edit]) -> tuple[File, ...] | None:
    """The files of the processes that were edited, as they are now; ``None`` where more may have to be looked at."""
    if any(kind_of(edit.path) is not Kind.PROCESS for edit in edits):
        return None
    names = past.declared_in(edit.path for edit in edits)
    # Of a name that is used twice, the snapshot does not know all files.
    if any(_is_of_whole_file(problem) and _concerns(problem.path, names) for problem in previous.problems):
        return None
    files = {one.file.path: one.file for name, one in previous.processes.items() if name.lower() in names}
    for edit in edits:
        files.pop(edit.path, None)
        if edit.exists:
            files[edit.path] = File(edit.path, edit.mode, edit.blob, -1)
    return tuple(files[path] for path in sorted(files))


def _is_of_whole_file(problem: Problem) -> bool:
    return not problem.line and not problem.pointer


def _concerns(path: str, names: Collection[str]) -> bool:
    return kind_of(path) is not Kind.PROCESS or bool(past.declared_in((path,)) & set(names))


def _settings_before(repo: Repository, index: Index | None, commit: str) -> Settings:
    """Walk back to the last valid ``procctl.yaml``; where it was not there, that counts as one."""
    parser = Parser(repo, index)
    mainline = versions.progress(index).mainline if index is not None else {}
    for step in history.walk(repo, commit, mainline=mainline):
        for edit in step.edits:
            if edit.path != SETTINGS or edit.old_mode in {SYMLINK, SUBMODULE}:
                continue
            document = parser(past.before(edit)).document if edit.existed else {}
            if document is not None:
                return Settings.of(document)
    return Settings()
