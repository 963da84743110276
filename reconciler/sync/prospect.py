"""Which versions a range of commits will make once it is merged, and which of its marks will hold (SPEC 9).

It is counted as pull requests are: all of the range as one commit of the followed branch.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconciler import numbering
from reconciler.book import Ignored
from reconciler.marks import Mark, Rename
from reconciler.repo import commits, history, refs
from reconciler.repo.repository import Repository
from reconciler.store.index import Index
from reconciler.sync import parsing, versions
from reconciler.sync.facts import Facts, named_in
from reconciler.version import Commit


@dataclass(frozen=True, slots=True)
class Prospect:
    """What will come: ``versions`` by process, ``renames`` (old, new) by marks that hold, marks that do not hold."""

    versions: Mapping[str, int]
    renames: tuple[tuple[str, str], ...]
    ignored: tuple[Ignored, ...]


def foresee(repo: Repository, index: Index | None, span: tuple[str, str], now: datetime) -> Prospect:
    """Fold a span of commits, its base and its head, onto the history that there is.

    In a shallow clone nothing can be counted: there, marks are believed.
    """
    base, head = span
    marks = tuple(mark for commit in commits.commits(repo, base, head) for mark in commit.marks)
    if repo.shallow:
        return Prospect({}, _renames(marks), ())
    merged = Commit(head, "", now, "", tuple(history.changes(history.diff(repo, base, head))), marks)
    if not merged.changes and not marks:
        return Prospect({}, (), ())
    with _counted(repo, index, span) as counted, Facts(repo, counted) as facts:
        (stride,) = facts.strides((merged,))
        folded = numbering.fold(counted.last_versions(named_in(stride)), stride, facts)
    idle = {one.line for one in folded.ignored}
    made = {one.name: one.number for one in folded.versions if one.commit == head and one.live}
    return Prospect(made, _renames(tuple(mark for mark in marks if str(mark) not in idle)), folded.ignored)


@contextmanager
def _counted(repo: Repository, index: Index | None, span: tuple[str, str]) -> Iterator[Index]:
    """An index that knows the versions up to the base or further, but not the head's; else one for the moment."""
    base, head = span
    known = versions.progress(index).commit if index is not None else None
    if index is not None and known is not None and _lies_between(repo, known, base, head):
        yield index
        return
    with tempfile.TemporaryDirectory(prefix="procctl-") as folder:
        path = Path(folder) / "index.sqlite"
        with closing(Index.build(path, environment="", release=parsing.release())) as fresh:
            versions.extend(repo, fresh, base)
            yield fresh


def _lies_between(repo: Repository, known: str, base: str, head: str) -> bool:
    return refs.is_ancestor(repo, base, known) and not refs.is_ancestor(repo, head, known)


def _renames(marks: tuple[Mark, ...]) -> tuple[tuple[str, str], ...]:
    """From which name to which, over all marks that follow each other."""
    steps = {mark.old: mark.new for mark in marks if isinstance(mark, Rename)}
    found = []
    for old in steps.keys() - set(steps.values()):
        seen, new = {old}, steps[old]
        while new in steps and new not in seen:
            seen.add(new)
            new = steps[new]
        found.append((old, new))
    return tuple(sorted(found))
