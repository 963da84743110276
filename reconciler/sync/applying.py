"""From a commit to what is in force: snapshot, versions, and the index that readers see. One way, whoever asks.

The reconciler applies commit after commit, or tags that moved, and pays for what changed; a command without a
reconciler applies once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.problem import Problem, errors
from reconciler.repo.refs import HEADS, Followed
from reconciler.repo.repository import Repository
from reconciler.settings import Settings
from reconciler.snapshot import Snapshot
from reconciler.store.catalog import ProcessRow
from reconciler.store.index import Index
from reconciler.sync import following as tagged
from reconciler.sync import inforce, snapshots, versions
from reconciler.sync.following import Following
from reconciler.sync.inforce import InForce
from reconciler.sync.versions import Progress

APPLIED, TIMEZONE, REF, FOLLOW = "applied", "timezone", "ref", "follow"
"""What readers ask the index's ``meta`` for; ``FOLLOW`` is the tag that is followed, or empty."""

_SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Applied:
    """What one commit brought into force, or the tags that are followed beside it.

    ``snapshot`` is the followed branch's. ``changed`` are the processes that are not what they were before.
    """

    ref: str
    snapshot: Snapshot
    in_force: Mapping[str, InForce]
    changed: frozenset[str]
    progress: Progress
    following: Following | None = None

    @property
    def commit(self) -> str:
        """The commit that was applied."""
        return self.snapshot.commit

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.snapshot.settings

    @property
    def shown(self) -> set[str]:
        """The processes that readers see: those on the branch, and those that only a tag has left."""
        return {*self.snapshot.processes, *(self.following.stands if self.following else ())}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong with what is in force: with the applied commit, or with what the followed tags name."""
        if self.following is None:
            return self.snapshot.problems
        return tuple(sorted({problem for stand in self.following.stands.values() for problem in stand.problems}))


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

    Where a tag is followed, processes are in force as they are at it, and the commit says what there is.
    Raises ``UserError`` where the commit does not descend from the one counted before, unless ``allow_rewind``.
    """
    commit = followed.commit
    remembered = before.progress if before else remembered
    progress = versions.extend(repo, index, commit, remembered, allow_rewind=allow_rewind)
    if before is None:
        snapshot = snapshots.load(repo, index, commit)
    elif before.commit == commit:
        snapshot = before.snapshot
    else:
        snapshot = snapshots.update(before.snapshot, repo, index, commit)
    following = None
    if followed.tag is not None:
        following = tagged.follow(repo, index, snapshot, followed, before.following if before else None)
        zone = snapshot.settings.timezone
        found = ((name, following.in_force(name, zone)) for name in following.stands)
        in_force: Mapping[str, InForce] = {name: force for name, force in found if force is not None}
    else:
        old = before.in_force if before else None
        in_force = inforce.in_force(repo, index, snapshot, old, before.commit if before else None)
    changed = _changed(in_force, snapshot, before)
    applied = Applied(followed.ref, snapshot, in_force, changed, progress, following)
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
    if before is None and applied.following is None and index.meta(_SHOWN) == stamp:
        return
    with index.transaction():
        if before is None:
            index.replace_processes(_rows(applied, applied.shown))
            index.replace_problems(applied.problems)
        else:
            now = applied.shown
            index.update_processes(_rows(applied, now & _seen_anew(applied, before)), before.shown - now)
            if applied.problems != before.problems:
                index.replace_problems(applied.problems)
        index.set_meta(APPLIED, applied.commit)
        index.set_meta(TIMEZONE, applied.settings.timezone)
        index.set_meta(REF, applied.ref)
        index.set_meta(FOLLOW, applied.following.text if applied.following else "")
        # what is at tags may change while the commit does not, so that is never taken for known
        index.set_meta(_SHOWN, "" if applied.following else stamp)


def _seen_anew(applied: Applied, before: Applied) -> set[str]:
    """The processes whose row may be another; what did not change is the very same value as before."""
    now, was = applied.snapshot.processes, before.snapshot.processes
    other = {name for name, declared in now.items() if declared is not was.get(name)}
    here = applied.following.stands if applied.following else {}
    there = before.following.stands if before.following else {}
    stands = {name for name in here.keys() | there.keys() if here.get(name) is not there.get(name)}
    return {*applied.changed, *other, *(was.keys() - now.keys()), *stands}


def _rows(applied: Applied, names: Iterable[str]) -> Iterator[ProcessRow]:
    stands = applied.following.stands if applied.following else {}
    # of names that differ in case alone the index keeps the last: the one in force, whatever order they come in
    for name in sorted(names, key=lambda one: (one in applied.in_force, one)):
        stand, branch, force = stands.get(name), applied.snapshot.processes.get(name), applied.in_force.get(name)
        declared = (stand.declared if stand else None) or branch
        if declared is None:
            raise ValueError(f"{name} is neither on the branch nor at a tag")
        held = force.held if force else None
        yield ProcessRow(
            name=name,
            path=declared.file.path,
            blob=declared.file.blob,
            commit=force.commit if force else None,
            version=force.version if force else None,
            document=force.process.document if force else None,
            problems=stand.problems if stand else () if applied.following else declared.set_problems,
            valid=not errors(stand.problems) if stand else declared.valid or applied.following is not None,
            held=str(held) if held else None,
            tag=stand.tag.name if stand else None,
            unsynced=_unsynced(applied, name),
        )


def _unsynced(applied: Applied, name: str) -> str | None:
    """What differs from the branch where a tag is followed, beside versions."""
    if applied.following is None:
        return None
    if name not in applied.following.stands:
        return f"no tag {applied.following.text}, so it is not scheduled"
    if name not in applied.snapshot.processes:
        return f"deleted on {applied.ref.removeprefix(HEADS)}, in force until its tag moves or goes"
    return None
