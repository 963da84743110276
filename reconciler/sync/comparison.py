"""Two commits of a repository compared: what a pull request would do, found without changing anything.

It works in a fresh clone and in a bare repository, beside a reconciler and without one; where there is an index, what
that knows is used.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler import preview, validation
from reconciler.errors import NotFoundError, UsageError, UserError
from reconciler.preview import Known, Preview
from reconciler.problem import Problem, errors
from reconciler.repo import history, objects, refs
from reconciler.repo.refs import Followed
from reconciler.repo.repository import Repository
from reconciler.snapshot import Snapshot, assemble
from reconciler.store.index import Index
from reconciler.sync import prospect, snapshots
from reconciler.sync.parsing import Parser

_DOTS = re.compile(r"(?P<base>.*?)(?P<dots>\.{2,3})(?P<head>.*)", re.DOTALL)
_NINE_OF_TEN = 0.9
_FEWEST_RUNS = 5
_SHALLOW = (
    "this clone is shallow: get the whole history with `git fetch --unshallow`, in a workflow with `fetch-depth: 0`"
)


@dataclass(frozen=True, slots=True)
class Span:
    """What is compared: two commits, each with how it was asked for."""

    base: str
    head: str
    base_name: str
    head_name: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a span of commits does, and warnings about the span itself."""

    span: Span
    environment: str
    preview: Preview
    warnings: tuple[str, ...]


def span(repo: Repository, written: str | None, followed: Callable[[], Followed]) -> Span:
    """Read a range as git does: ``A..B`` is both as they are, ``A...B`` begins where B left A; a missing end is HEAD.

    A single revision, and none (HEAD), begin where they left the followed branch. Raises ``NotFoundError`` for a
    revision that is none, ``UsageError`` for a text that is no range.
    """
    match = _DOTS.fullmatch(written or "")
    if match is None:
        branch, head = followed(), written or "HEAD"
        return _since(repo, Span(branch.commit, _commit(repo, head), branch.branch, head))
    if match["head"].startswith("."):
        raise UsageError(f"{written!r} is no range", todo="write BASE..HEAD or BASE...HEAD")
    base, head = match["base"] or "HEAD", match["head"] or "HEAD"
    found = Span(_commit(repo, base), _commit(repo, head), base, head)
    return found if match["dots"] == ".." else _since(repo, found)


def compare(repo: Repository, index: Index | None, found: Span, now: datetime, environment: str) -> Comparison:
    """Compare the ends of a span; load and past runs are those of an environment, which the index is about too."""
    parser = Parser(repo, index, os.cpu_count() or 1, keep=False)
    old = _snapshot(repo, parser, found.base)
    new = _snapshot(repo, parser, found.head, old)
    coming = prospect.foresee(repo, index, (found.base, found.head), now)
    known = Known(
        now,
        environment,
        renames=coming.renames,
        durations=_durations(index, environment, _otherwise(old, new)),
        versions=coming.versions,
        dated=(_dated(parser, old, new, now), _dated(parser, new, old, now)),
    )
    warnings = (*_warnings(repo, found), *(f"{one.line} does not hold: {one.why}" for one in coming.ignored))
    return Comparison(found, environment, preview.compare(old, new, known), warnings)


def _since(repo: Repository, found: Span) -> Span:
    """Begin a span where its ends part."""
    answer = repo.git.ask("merge-base", "--end-of-options", found.base, found.head)
    if answer.status:
        what = f"{found.base_name} and {found.head_name} have no commit in common"
        todo = _SHALLOW if repo.shallow else f"compare them as they are: {found.base_name}..{found.head_name}"
        raise UserError(what, where=str(repo.git_dir), todo=todo)
    return replace(found, base=answer.out.decode().split()[0])


def _commit(repo: Repository, revision: str) -> str:
    try:
        return refs.resolve_revision(repo, revision)
    except NotFoundError as error:
        if repo.shallow:
            raise NotFoundError(error.what, where=error.where, todo=_SHALLOW) from error
        raise


def _snapshot(repo: Repository, parser: Parser, commit: str, previous: Snapshot | None = None) -> Snapshot:
    tree = objects.list_tree(repo, commit)
    parser.prepare(tree.files)
    snapshot = assemble(commit, tree.files, tree.scripts, parser, previous)
    if errors(snapshot.settings_problems):
        return replace(snapshot, settings=snapshots.settings_at(repo, None, commit))
    return snapshot


def _otherwise(old: Snapshot, new: Snapshot) -> frozenset[str]:
    """The names of processes whose file is not the same in both."""
    here, there = old.processes, new.processes
    both = here.keys() & there.keys()
    return frozenset({name for name in both if here[name].file != there[name].file} | (here.keys() ^ there.keys()))


def _dated(parser: Parser, snapshot: Snapshot, other: Snapshot, now: datetime) -> tuple[Problem, ...]:
    """Warnings that depend on the day, of files that the other snapshot does not have: the rest is in both."""
    changed = _otherwise(snapshot, other)
    return tuple(
        problem
        for name, one in snapshot.processes.items()
        if name in changed and one.process is not None
        for problem in validation.dated(one.process, now, one.file.path, parser(one.file).places)
    )


def _durations(index: Index | None, environment: str, names: Iterable[str]) -> Mapping[str, timedelta]:
    """How long nine of ten past runs took at most; only of processes that ran a few times."""
    if index is None:
        return {}
    found = {}
    for name in names:
        seconds = sorted(index.durations(environment, name))
        if len(seconds) >= _FEWEST_RUNS:
            found[name] = timedelta(seconds=seconds[int((len(seconds) - 1) * _NINE_OF_TEN)])
    return found


def _warnings(repo: Repository, found: Span) -> Iterator[str]:
    """What is wrong with the span itself: how its commits would reach the branch."""
    if repo.shallow:
        yield f"versions cannot be counted, nor marks checked: {_SHALLOW}"
    elif not refs.is_ancestor(repo, found.base, found.head):
        yield (
            f"{found.head_name} does not contain {found.base_name}, so what only {found.base_name} has is shown as "
            f"removed; {found.base_name}...{found.head_name} compares with where they parted"
        )
    elif merges := history.choices(repo, found.base, found.head):
        commits = ", ".join(id_[:12] for id_ in merges)
        yield (
            f"{found.head_name} brings {found.base_name} in by a merge of its own ({commits}), as `git pull` makes "
            f"one: pushed as it is, versions are counted along {found.base_name}, and the commits beside it make one "
            "version together; rebase, or merge it by a pull request"
        )
