"""Numbering: which versions a history makes, and which of them are gone (SPEC 9).

The history is that of the followed branch along first parents, oldest first. What counts:

1. **A version** is made by each commit after which a process's file has other content than its current version.
   Content is the bytes without the lines ``name:`` and ``_id:``; comments count, the path and the file mode do not.
2. **The current version** is the newest one that is not gone. Numbers begin at 1 and are never given twice.
3. **A process** is what one file of its name declares; names that differ in case alone are one name. While two files
   claim a name, nothing of it is numbered or deleted and no mark about it holds; the commit that settles it makes a
   version, unless the content is the current one's again.
4. **A file that goes** takes all versions with it: they are gone. Created again, the numbers go on.
5. **Marks** (``marks``) are those of a commit's own message, after those of the commits that it brings in, oldest
   first. One that does not hold changes nothing, not even what other marks do, and is told as ``Ignored``.

   - ``Rename OLD NEW`` holds where OLD's file goes, NEW's comes, and NEW is *free*: no other process ever had a version
     of that name. Several may make a chain (A to B, B to C).
   - ``Rollback KEY@N`` and ``Delete KEY@N`` need a version N that is not gone and whose blob begins as the mark says.
     A name that is renamed in the same commit may be written either way.
   - A rollback needs N to be current. It restores the newest version below N that is not gone and whose own file is
     free of errors; those in between are passed over, and gone too. Where no version is left below N it restores no
     file; where only erroneous ones are, it does not hold. Rollbacks of one key follow each other in order, and the
     commit must hold the content that the last one restores: of a chain, the longest beginning for which it does holds.
   - A delete needs N not to be current after the commit.

6. **A rename without a mark** is recognised where one file goes and one comes whose values are equal but for ``name``
   and ``_id`` (whose content is, where it is no readable mapping), no third one that goes or comes has these values,
   and NEW is free. A change of case is always one.
7. **A rename** hands all versions over: NEW has the same numbers, OLD's are gone. A commit that changes more than the
   name makes a version of NEW as well. To rename back is free. Created again, OLD is another process, whose numbers go
   on after those that it handed over.
8. Everything else is an ordinary change: a reverted rollback is a new version, a swap of two files is two changes.

Folding is pure, and two steps over parts of a history equal one over the whole.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from reconciler import marks
from reconciler.marks import Delete, Mark, Rename, Rollback, Unclear
from reconciler.version import Commit, Gone, Version

ROLLED_BACK = "rolled back"
PASSED_OVER = "passed over by a rollback"
DELETED = "deleted"
REMOVED = "removed with its file"

Files = tuple[tuple[str, str], ...]
"""The files that claim one name, as (path, blob), in order."""


class Facts(Protocol):
    """What folding asks of the world; the answers must never change."""

    def content(self, blob: str) -> str:
        """The digest of what counts in a file: ``version.content_of``."""

    def values(self, path: str, blob: str) -> str:
        """A digest of a file's values but ``name`` and ``_id``; of its content where it has none that can be read."""

    def sound(self, path: str, blob: str) -> bool:
        """Whether a file, by itself, is free of errors."""

    def versions(self, name: str) -> Iterable[Version]:
        """All versions of a name that were folded before, those that are gone too."""


@dataclass(frozen=True, slots=True)
class Last:
    """Where numbering stands for one name, which is nearly all that folding needs to go on.

    ``number`` is the last one given, ``current`` the current version's and ``content`` its content. ``files`` are those
    that claim the name: none where it is deleted, two or more where it is used twice. ``line`` tells processes that
    follow each other under one name apart: it is the first version that the process had. ``moved`` says that the
    process goes on under another name; ``former`` are the names that it had, newest first.
    """

    name: str
    number: int = 0
    current: int | None = None
    content: str | None = None
    files: Files = ()
    line: str = ""
    moved: bool = False
    former: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """A mark that does not hold: in (or brought in by) which commit, about which names, and why."""

    commit: str
    line: str
    names: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Folded:
    """What commits made: versions that are new or otherwise than before, where numbering stands then, idle marks.

    ``state`` is by names in lower case.
    """

    versions: tuple[Version, ...]
    state: Mapping[str, Last]
    ignored: tuple[Ignored, ...] = ()


def fold(state: Mapping[str, Last], commits: Iterable[Commit], facts: Facts) -> Folded:
    """Number what commits, oldest first, made of processes.

    ``state`` has, by names in lower case, where numbering stands for all that the commits and their marks name.
    """
    book = _Book(state, facts)
    for commit in commits:
        _Step(book, commit).take()
    return Folded(tuple(book.made.values()), book.last, tuple(book.ignored))


class _Book:
    """What is known so far, and what this folding adds to it."""

    def __init__(self, state: Mapping[str, Last], facts: Facts) -> None:
        self.last = dict(state)
        self.facts = facts
        self.made: dict[tuple[str, int], Version] = {}
        self.ignored: list[Ignored] = []
        self._numbers: dict[str, list[int]] = {}

    def put(self, version: Version) -> None:
        """Add a version, or put it in the place of the one of its number."""
        key = version.name, version.number
        if key not in self.made:
            self._numbers.setdefault(version.name, []).append(version.number)
        self.made[key] = version

    def versions(self, name: str) -> dict[int, Version]:
        """All versions of a name, by number."""
        known = {version.number: version for version in self.facts.versions(name)}
        return known | {number: self.made[name, number] for number in self._numbers.get(name, ())}

    def end(self, name: str, whys: Mapping[int, str], commit: str) -> None:
        """Let versions of a name be gone."""
        versions = self.versions(name) if whys else {}
        for number, why in whys.items():
            self.put(replace(versions[number], gone=Gone(commit, why)))

    def is_free(self, new: str, old: Last) -> bool:
        """Whether a process may go on under a name: nobody else ever had it."""
        there = self.last.get(new)
        return there is None or not there.number or (there.moved and there.line == old.line)

    def hand_over(self, old: str, new: str, name: str, commit: str) -> None:
        """Let a process go on under another name; keys are names in lower case."""
        was = self.last[old]
        for version in self.versions(was.name).values():
            self.put(replace(version, name=name))
            if version.live:
                self.put(replace(version, gone=Gone(commit, f"renamed to {name}")))
        former = (was.name, *(one for one in was.former if one != name))
        self.last[old] = Last(was.name, was.number, line=was.line, moved=True)
        self.last[new] = replace(was, name=name, former=former)


class _Step:
    """One commit: first the names that change, then the marks that hold, then the versions that it makes."""

    def __init__(self, book: _Book, commit: Commit) -> None:
        self._book = book
        self._commit = commit
        self._files = self._claims()
        self._renamed: dict[str, str] = {}

    def take(self) -> None:
        """Bring the book up to this commit."""
        marks_ = tuple(dict.fromkeys(self._commit.marks))
        self._rename([mark for mark in marks_ if isinstance(mark, Rename)])
        by_key: dict[str, list[Rollback | Delete]] = {}
        for mark in marks_:
            if isinstance(mark, Unclear):
                self._ignore(mark, "it cannot be read")
            elif not isinstance(mark, Rename):
                key = mark.name.lower()
                by_key.setdefault(self._renamed.get(key, key), []).append(mark)
        for key in (*self._files, *(key for key in by_key if key not in self._files)):
            self._settle(key, by_key.get(key, ()))

    def _claims(self) -> dict[str, dict[str, str]]:
        """The files, after the commit, of each name that it touches."""
        claims: dict[str, dict[str, str]] = {}
        for change in self._commit.changes:
            key = change.name.lower()
            files = claims.get(key)
            if files is None:
                last = self._book.last.get(key)
                files = claims[key] = dict(last.files) if last else {}
            if change.blob is None:
                files.pop(change.path, None)
            else:
                files[change.path] = change.blob
        return claims

    # names

    def _rename(self, given: Sequence[Rename]) -> None:
        last = self._book.last
        went = {key for key, files in self._files.items() if not files and key in last and last[key].current}
        came = [key for key, files in self._files.items() if len(files) == 1 and not (key in last and last[key].files)]
        held: set[Rename] = {mark for mark in given if self._is_of_case(mark)}
        if went and came:
            for new in came:
                old, chain = self._origin(new, given, went)
                if old is not None:
                    held.update(chain)
                    went.discard(old)
                    self._renamed[old] = new
            self._recognise(went, [key for key in came if key not in self._renamed.values()])
        for old, new in self._renamed.items():
            self._book.hand_over(old, new, _stem(next(iter(self._files[new]))), self._commit.id)
        for mark in given:
            if mark not in held:
                self._ignore(mark, self._why_no_rename(mark))

    def _is_of_case(self, mark: Rename) -> bool:
        """Whether a mark tells a change of case, which needs none."""
        key = mark.old.lower()
        last, files = self._book.last.get(key), self._files.get(key, {})
        if last is None or key != mark.new.lower() or len(files) != 1:
            return False
        return bool(last.current) and last.name == mark.old and _stem(next(iter(files))) == mark.new != mark.old

    def _origin(self, new: str, given: Sequence[Rename], went: set[str]) -> tuple[str | None, tuple[Rename, ...]]:
        """Follow marks back from a name that came to one that went, by the shortest way."""
        into: dict[str, list[Rename]] = {}
        for mark in given:
            into.setdefault(mark.new.lower(), []).append(mark)
        ways: deque[tuple[str, tuple[Rename, ...]]] = deque([(new, ())])
        seen = {new}
        while ways:
            key, way = ways.popleft()
            for mark in into.get(key, ()):
                old = mark.old.lower()
                if old in went and self._book.is_free(new, self._book.last[old]):
                    return old, (*way, mark)
                if old not in seen:
                    seen.add(old)
                    ways.append((old, (*way, mark)))
        return None, ()

    def _recognise(self, went: set[str], came: Sequence[str]) -> None:
        """Find what was renamed without a mark."""
        if not (went and came):
            return
        book = self._book
        single = {key: book.last[key].files[0] for key in sorted(went) if len(book.last[key].files) == 1}
        coming = {key: next(iter(self._files[key].items())) for key in came}
        if len(single) == len(coming) == 1 and self._is_equal(went, coming):
            pairs = [(old, new) for old in single for new in coming]
        else:
            pairs = _pairs(
                {key: book.facts.values(*file) for key, file in single.items()},
                {key: book.facts.values(*file) for key, file in coming.items()},
            )
        self._renamed.update((old, new) for old, new in pairs if book.is_free(new, book.last[old]))

    def _is_equal(self, went: Iterable[str], coming: Mapping[str, tuple[str, str]]) -> bool:
        """Whether not even the content is another: then nothing has to be parsed."""
        old = {self._book.last[key].content for key in went}
        return old == {self._book.facts.content(blob) for _, blob in coming.values()}

    def _why_no_rename(self, mark: Rename) -> str:
        old, new = self._book.last.get(mark.old.lower()), self._book.last.get(mark.new.lower())
        if old is None or not old.number:
            return f"there was no process {mark.old}"
        if new is not None and new.number:
            return f"{mark.new} is or was another process"
        return f"the file of {mark.old} does not go, or that of {mark.new} does not come, with this commit"

    # versions

    def _settle(self, key: str, given: Sequence[Rollback | Delete]) -> None:
        """Number what one name has after the commit."""
        book, last = self._book, self._book.last.get(key)
        files = tuple(sorted(self._files[key].items())) if key in self._files else last.files if last else ()
        if last is None:
            last = Last(_stem(files[0][0]) if files else given[0].name if given else key)
        if len(files) > 1:
            for mark in given:
                self._ignore(mark, "more than one file claims the name")
            book.last[key] = replace(last, files=files)
            return
        if files and last.name != (name := _stem(files[0][0])):
            if last.current:
                book.hand_over(key, key, name, self._commit.id)
            last = replace(book.last.get(key, last), name=name)
        content = self._content(last, files)
        if given:
            last = self._marked(last, given, content)
        if not files:
            last = self._removed(last)
        elif content != last.content:
            last = self._numbered(last, files, content or "")
        if last.number or files:
            book.last[key] = last if last.files == files else replace(last, files=files)

    def _content(self, last: Last, files: Files) -> str | None:
        if not files:
            return None
        if last.content and len(last.files) == 1 and last.files[0][1] == files[0][1]:
            return last.content
        return self._book.facts.content(files[0][1])

    def _numbered(self, last: Last, files: Files, content: str) -> Last:
        number, commit, (path, blob) = last.number + 1, self._commit, files[0]
        who = commit.author, commit.time, commit.subject
        made = Version(last.name, number, commit.id, blob, path, *who, content)
        self._book.put(made)
        begins = last.moved or not last.line
        line = f"{last.name}@{number}" if begins else last.line
        return Last(last.name, number, number, content, files, line, former=() if begins else last.former)

    def _removed(self, last: Last) -> Last:
        if last.current:
            live = [one.number for one in self._book.versions(last.name).values() if one.live]
            self._book.end(last.name, dict.fromkeys(live, REMOVED), self._commit.id)
        return replace(last, current=None, content=None, files=())

    # marks

    def _marked(self, last: Last, given: Sequence[Rollback | Delete], content: str | None) -> Last:
        """Do what marks about one name say, as far as they hold."""
        versions = self._book.versions(last.name)
        dropped: dict[Mark, str] = {}
        while True:
            chain = _Chain(versions, self._book.facts)
            for mark in given:
                if mark not in dropped:
                    chain.take(mark)
            if not chain.rollbacks or chain.content == content:
                break
            dropped[chain.rollbacks[-1]] = "the commit does not hold what it restores"
        chain.finish(makes_version=content is not None and content != chain.content)
        for mark in given:
            if why := dropped.get(mark) or chain.idle.get(mark):
                self._ignore(mark, why)
        self._book.end(last.name, chain.gone, self._commit.id)
        return replace(last, current=chain.current, content=chain.content)

    def _ignore(self, mark: Mark, why: str) -> None:
        self._book.ignored.append(Ignored(self._commit.id, str(mark), marks.names_in(mark), why))


class _Chain:
    """Rollbacks and deletes of one name in one commit, taken one after the other."""

    def __init__(self, versions: Mapping[int, Version], facts: Facts) -> None:
        self._versions = versions
        self._facts = facts
        self._live = sorted(number for number, version in versions.items() if version.live)
        self._later: list[Delete] = []
        self.gone: dict[int, str] = {}
        self.idle: dict[Mark, str] = {}
        self.rollbacks: list[Rollback] = []

    @property
    def current(self) -> int | None:
        """The newest version that is left."""
        return self._live[-1] if self._live else None

    @property
    def content(self) -> str | None:
        """What the file must hold after the rollbacks; ``None`` for no file."""
        return self._versions[self._live[-1]].content if self._live else None

    def take(self, mark: Rollback | Delete) -> None:
        """Take one mark as far as it holds for itself."""
        if why := self._why_not(mark):
            self.idle[mark] = why
        elif isinstance(mark, Rollback):
            self._roll_back(mark)
        elif mark.number == self.current:
            self._later.append(mark)
        else:
            self._end(mark.number, DELETED)

    def finish(self, *, makes_version: bool) -> None:
        """Take the deletes of what was current: they hold where the commit makes a newer version."""
        for mark in self._later:
            if mark.number not in self._live:
                self.idle[mark] = f"{mark.name}@{mark.number} is gone"
            elif makes_version or mark.number != self.current:
                self._end(mark.number, DELETED)
            else:
                self.idle[mark] = f"{mark.name}@{mark.number} is the current version"

    def _why_not(self, mark: Rollback | Delete) -> str | None:
        version = self._versions.get(mark.number)
        if version is None:
            return f"there is no version {mark.name}@{mark.number}"
        if not version.blob.startswith(mark.blob):
            return f"{mark.name}@{mark.number} has another blob: {version.blob[: marks.SHORT]}"
        if mark.number not in self._live:
            return f"{mark.name}@{mark.number} is gone"
        if isinstance(mark, Rollback) and mark.number != self.current:
            return f"{mark.name}@{mark.number} is not the current version"
        return None

    def _roll_back(self, mark: Rollback) -> None:
        below = self._live[-2::-1]
        broken = []
        for number in below:
            if self._facts.sound(self._versions[number].path, self._versions[number].blob):
                break
            broken.append(number)
        if below and len(broken) == len(below):
            self.idle[mark] = "no version below it is free of errors"
            return
        self._end(mark.number, ROLLED_BACK)
        for number in broken:
            self._end(number, PASSED_OVER)
        self.rollbacks.append(mark)

    def _end(self, number: int, why: str) -> None:
        self._live.remove(number)
        self.gone[number] = why


def _pairs(gone: Mapping[str, str], here: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pair what went with what is here where just one of each has a value."""
    goers, comers = Counter(gone.values()), Counter(here.values())
    new_of = {value: key for key, value in here.items()}
    return [(old, new_of[value]) for old, value in gone.items() if goers[value] == comers[value] == 1]


def _stem(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[0]
