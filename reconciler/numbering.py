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
     Where more rollbacks hold in the opposite order, that is taken (a squash has the newest first).
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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler import marks, rollbacks
from reconciler.book import Book, Facts, Files, Ignored, Last, stem
from reconciler.marks import Delete, Mark, Rename, Rollback, Unclear
from reconciler.renaming import Renames
from reconciler.version import Commit, Version

REMOVED = "removed with its file"


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
    book = Book(state, facts)
    for commit in commits:
        if not _edit(book, commit):
            _Step(book, commit).take()
    made = tuple(version for versions in book.made.values() for version in versions.values())
    return Folded(made, book.last, tuple(book.ignored))


def _edit(book: Book, commit: Commit) -> bool:
    """Take a commit that does what nearly all do: it edits the one file of one process, and says nothing of it."""
    if commit.marks or len(commit.changes) != 1:
        return False
    (change,) = commit.changes
    key = change.name.lower()
    last = book.last.get(key)
    if last is None or change.blob is None or last.current is None or last.name != change.name:
        return False
    if len(last.files) != 1 or last.files[0][0] != change.path:
        return False
    files, content = ((change.path, change.blob),), book.facts.content(change.blob)
    book.last[key] = (
        replace(last, files=files) if content == last.content else book.number(last, commit, files, content)
    )
    return True


class _Step:
    """One commit: first the names that change, then the marks that hold, then the versions that it makes."""

    def __init__(self, book: Book, commit: Commit) -> None:
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

    def _settle(self, key: str, given: Sequence[Rollback | Delete]) -> None:
        """Number what one name has after the commit."""
        book, last = self._book, self._book.last.get(key)
        files = tuple(sorted(self._files[key].items())) if key in self._files else last.files if last else ()
        if last is None:
            last = Last(stem(files[0][0]) if files else given[0].name if given else key)
        if len(files) > 1:
            for mark in given:
                self._ignore(mark, "more than one file claims the name")
            book.last[key] = replace(last, files=files)
            return
        if files and last.name != (name := stem(files[0][0])):
            if last.current:
                book.hand_over(key, key, name, self._commit)
            last = replace(book.last.get(key, last), name=name)
        content = self._content(last, files)
        if given:
            last = self._marked(last, given, content)
        if not files:
            last = self._removed(last)
        elif content != last.content:
            last = book.number(last, self._commit, files, content or "")
        if last.number or files:
            book.last[key] = last if last.files == files else replace(last, files=files)

    def _content(self, last: Last, files: Files) -> str | None:
        if not files:
            return None
        if last.content and len(last.files) == 1 and last.files[0][1] == files[0][1]:
            return last.content
        return self._book.facts.content(files[0][1])

    def _removed(self, last: Last) -> Last:
        if last.current:
            live = [one.number for one in self._book.versions(last.name).values() if one.live]
            self._book.end(last.name, dict.fromkeys(live, REMOVED), self._commit)
        return replace(last, current=None, content=None, files=())

    def _marked(self, last: Last, given: Sequence[Rollback | Delete], content: str | None) -> Last:
        """Do what marks about one name say, as far as they hold."""
        chain = rollbacks.taken(given, self._book.versions(last.name), content, self._book.facts)
        for mark in given:
            if mark in chain.idle:
                self._ignore(mark, chain.idle[mark])
        self._book.end(last.name, chain.gone, self._commit)
        return replace(last, current=chain.current, content=chain.content)

    def _ignore(self, mark: Mark, why: str) -> None:
        self._book.ignored.append(Ignored(self._commit.id, str(mark), marks.names_in(mark), why))

    def _rename(self, given: Sequence[Rename]) -> None:
        found = Renames(self._book, self._files, given)
        self._renamed = found.renamed
        for old, new in found.renamed.items():
            self._book.hand_over(old, new, stem(next(iter(self._files[new]))), self._commit)
        for mark, why in found.idle.items():
            self._ignore(mark, why)
