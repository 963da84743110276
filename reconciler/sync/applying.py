"""From a commit to what is in force: snapshot, versions, and the index that readers see. One way, whoever asks.

The reconciler applies commit after commit and pays for what changed; a command without a reconciler applies once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.repo.refs import Followed
from reconciler.repo.repository import Repository
from reconciler.settings import Settings
from reconciler.snapshot import Snapshot
from reconciler.store.catalog import ProcessRow
from reconciler.store.index import Index
from reconciler.sync import inforce, snapshots, versions
from reconciler.sync.inforce import InForce
from reconciler.sync.versions import Progress

APPLIED, TIMEZONE, REF = "applied", "timezone", "ref"
"""What readers ask the index's ``meta`` for."""

_SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Applied:
    """What one commit brought into force. ``changed`` are the processes that are not what they were before."""

    ref: str
    snapshot: Snapshot
    in_force: Mapping[str, InForce]
    changed: frozenset[str]
    progress: Progress

    @property
    def commit(self) -> str:
        """The commit that was applied."""
        return self.snapshot.commit

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.snapshot.settings


def apply(
    repo: Repository,
    index: Index,
    followed: Followed,
    *,
    before: Applied | None = None,
    remembered: Progress | None = None,
    allow_rewind: bool = False,
) -> Applied:
    """Apply the commit that is followed, on top of what was ``before`` or from nothing; bring the index up to date.

    Raises ``UserError`` where the commit does not descend from the one counted before, unless ``allow_rewind``.
    """
    commit = followed.commit
    remembered = before.progress if before else remembered
    progress = versions.extend(repo, index, commit, remembered, allow_rewind=allow_rewind)
    if before is None:
        snapshot = snapshots.load(repo, index, commit)
    else:
        snapshot = snapshots.update(before.snapshot, repo, index, commit)
    old = before.in_force if before else None
    in_force = inforce.in_force(repo, index, snapshot, old, before.commit if before else None)
    applied = Applied(followed.ref, snapshot, in_force, _changed(in_force, snapshot, before), progress)
    _show(index, applied, before)
    return applied


def _changed(in_force: Mapping[str, InForce], snapshot: Snapshot, before: Applied | None) -> frozenset[str]:
    """Name the processes that schedule or run otherwise than before: all of them where the settings differ."""
    was = before.in_force if before else {}
    names = in_force.keys() | was.keys()
    if before is None or before.settings != snapshot.settings:
        return frozenset(names)
    return frozenset(name for name in names if in_force.get(name) != was.get(name))


def _show(index: Index, applied: Applied, before: Applied | None) -> None:
    """Write down for readers what is in force, and what is wrong; nothing where they have it already."""
    stamp = f"{index.release} {applied.commit}"
    if before is None and index.meta(_SHOWN) == stamp:
        return
    snapshot = applied.snapshot
    with index.transaction():
        if before is None:
            index.replace_processes(_rows(applied, snapshot.processes))
            index.replace_problems(snapshot.problems)
        else:
            now, was = snapshot.processes, before.snapshot.processes
            # what did not change is the very same value: a snapshot shares it with the one before
            other = [name for name, declared in now.items() if declared is not was.get(name)]
            shown = applied.changed.union(other) & now.keys()
            index.update_processes(_rows(applied, shown), was.keys() - now.keys())
            if snapshot.problems != before.snapshot.problems:
                index.replace_problems(snapshot.problems)
        index.set_meta(APPLIED, applied.commit)
        index.set_meta(TIMEZONE, snapshot.settings.timezone)
        index.set_meta(REF, applied.ref)
        index.set_meta(_SHOWN, stamp)


def _rows(applied: Applied, names: Iterable[str]) -> Iterable[ProcessRow]:
    for name in names:
        declared, force = applied.snapshot.processes[name], applied.in_force.get(name)
        held = force.held if force else None
        yield ProcessRow(
            name=name,
            path=declared.file.path,
            blob=declared.file.blob,
            commit=force.commit if force else None,
            version=force.version if force else None,
            document=force.process.document if force else None,
            problems=declared.set_problems,
            valid=declared.valid,
            held=str(held) if held else None,
        )
