"""Where processes stand in an environment that follows a tag: each at its tag's commit, whole (SPEC 9).

A process's own tag counts before those under its former names, and these before the repository's. What did not move
since is taken from before; of the rest, each commit that is tagged is looked at once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler import names
from reconciler.declaration import Declared
from reconciler.errors import UserError
from reconciler.problem import Problem
from reconciler.process import Process
from reconciler.repo import tags
from reconciler.repo.refs import Followed
from reconciler.repo.repository import Repository
from reconciler.repo.tags import TAGS, Tag
from reconciler.snapshot import Resolved, Snapshot
from reconciler.store.index import Index
from reconciler.sync import collecting, snapshots
from reconciler.sync.inforce import InForce, stands

_MANY = 1000
"""Processes whose versions are looked up one by one; for more, all are read."""


@dataclass(frozen=True, slots=True)
class Stand:
    """One process at its tag.

    ``declared`` is what it is at the tag's commit, ``None`` where it is not there; ``problems`` are why it is not in
    force, or warnings. ``resolved`` is what its executions run. ``version`` is ``None`` off the followed history, and
    ``timezone`` the default of that commit.
    """

    tag: Tag
    declared: Declared | None
    problems: tuple[Problem, ...]
    resolved: Resolved | None = None
    version: int | None = None
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Following:
    """The tag that is followed, as it is written after ``@``, and where each process stands that has one.

    ``tags`` are all of that text, by full name.
    """

    text: str
    stands: Mapping[str, Stand]
    tags: Mapping[str, Tag]

    def in_force(self, name: str, timezone: str) -> InForce | None:
        """What is in force of a process; ``timezone`` is the default of the applied commit."""
        stand = self.stands.get(name)
        declared = stand.declared if stand is not None else None
        if stand is None or declared is None or declared.process is None or not stands(declared):
            return None
        process = declared.process
        if "timezone" not in process.document and stand.timezone != timezone:
            # the settings of its own commit decide when it is due, not those of the branch
            process = replace(process, document={**process.document, "timezone": stand.timezone})
        if process.name != name:
            process = Process.of(name, process.document)
        file = declared.file
        return InForce(
            process, stand.tag.commit, stand.version, file.blob, file.path, stand.problems, declared.held, self.text
        )


def follow(repo: Repository, index: Index, snapshot: Snapshot, followed: Followed, old: Following | None) -> Following:
    """Find where each process stands by the followed tag; ``snapshot`` is the branch's, ``old`` what was found last."""
    text = followed.tag or ""
    known = old if old is not None and old.text == text else Following(text, {}, {})
    if known is not old or followed.moved is None:
        found = tags.called(repo, text)
    else:
        kept = {name: tag for name, tag in known.tags.items() if name not in followed.moved}
        found = kept | tags.some(repo, sorted(followed.moved))
    book = _Book(repo, index, snapshot, text, found)
    stands: dict[str, Stand] = {}
    wanted: dict[str, dict[str, Tag]] = defaultdict(dict)
    for name, tag in book.chosen():
        before = known.stands.get(name)
        if before is not None and before.tag == tag:
            stands[name] = before
        elif tag.commit is None:
            stands[name] = Stand(tag, None, (_problem(tag, "names no commit that is here"),))
        else:
            wanted[tag.commit][name] = tag
    with collecting.paused():
        places = index.places(wanted)
        touched = {name for group in wanted.values() for name in group}
        lives = index.lifetimes(touched if len(touched) <= _MANY else None)
        for at in book.each({commit: wanted[commit] for commit in sorted(wanted, key=lambda one: places.get(one, -1))}):
            place = places.get(at.commit)
            for name, tag in wanted[at.commit].items():
                number = lives[name].at(place) if place is not None and name in lives else None
                stands[name] = _stand(at, tag, name, book.owners(name), number)
    return Following(
        text, {name: one for name, one in stands.items() if one.declared or name in snapshot.processes}, found
    )


class _Book:
    """The tags of one text, and whose they are."""

    def __init__(self, repo: Repository, index: Index, snapshot: Snapshot, text: str, found: Mapping[str, Tag]) -> None:
        self._repo, self._index, self._snapshot = repo, index, snapshot
        taken = any(name.lower() == text.lower() for name in snapshot.processes)
        self._whole = None if taken else found.get(text)
        self._own = {full.removesuffix(f"/{text}"): tag for full, tag in found.items() if full != text}
        live = snapshot.processes
        self._former = {
            name: tuple(old for old in former if old not in live) for name, former in index.renamed().items()
        }
        self._at_whole: Snapshot | None = None

    def owners(self, name: str) -> tuple[str, ...]:
        """The names under which a process has tags, newest first."""
        return (name, *self._former.get(name, ()))

    def chosen(self) -> Iterator[tuple[str, Tag]]:
        """Each process that has a tag of the text, and the tag that counts for it."""
        successors = {old: name for name, former in self._former.items() for old in former}
        left = {successors.get(key, key) for key in self._own} - self._snapshot.processes.keys()
        candidates = [*self._snapshot.processes, *sorted(name for name in left if self._was_here(name))]
        done = set()
        for name in candidates:
            tag = next((self._own[owner] for owner in self.owners(name) if owner in self._own), None)
            if tag is not None:
                done.add(name)
                yield name, tag
        if self._whole is None:
            return
        live = self._snapshot.processes
        there: Iterable[str] = live
        if self._whole.commit is not None:
            there = {successors.get(called, called) for called in self._at(self._whole.commit).processes}
        for name in there:
            if name not in done and (name in live or self._was_here(name)):
                yield name, self._whole

    def each(self, wanted: Mapping[str, Collection[str]]) -> Iterator[Snapshot]:
        """What some processes are at each of some commits; what is the same on the branch is shared."""
        whole = {self._snapshot.commit, self._whole.commit if self._whole is not None else None}
        yield from (self._at(commit) for commit in wanted if commit in whole)
        rest = {
            commit: {owner for name in names for owner in self.owners(name)}
            for commit, names in wanted.items()
            if commit not in whole
        }
        yield from snapshots.parts(self._repo, self._index, rest, self._snapshot)

    def _at(self, commit: str) -> Snapshot:
        """What is declared at the commit of the branch, or at that of the tag for all."""
        if commit == self._snapshot.commit:
            return self._snapshot
        if self._at_whole is None:
            self._at_whole = snapshots.update(self._snapshot, self._repo, self._index, commit)
        return self._at_whole

    def _was_here(self, name: str) -> bool:
        return names.is_process(name) and bool(self._index.versions(name))


def _stand(at: Snapshot, tag: Tag, name: str, owners: Iterable[str], number: int | None) -> Stand:
    called = next((owner for owner in owners if owner in at.processes), None)
    if called is None:
        said = f"names commit {at.commit[:12]}, where there is no process {name}"
        return Stand(tag, None, (_problem(tag, said),))
    declared = at.processes[called]
    try:
        resolved = at.resolve(called)
    except UserError:  # whoever runs it is told why
        resolved = None
    if resolved is not None and called != name:
        resolved = replace(resolved, process=Process.of(name, resolved.process.document))
    return Stand(tag, declared, declared.set_problems, resolved, number, at.settings.timezone)


def _problem(tag: Tag, said: str) -> Problem:
    return Problem(TAGS + tag.name, 0, 0, "", f"the tag {tag.name} {said}", "move it to a commit that has the process")
