"""Renames in one commit: which processes go on under another name, by marks or by what their files say (SPEC 9)."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence

from reconciler.book import Book, stem
from reconciler.marks import Rename

Claims = Mapping[str, Mapping[str, str]]
"""The files (path: blob), after a commit, of each name that it touches, in lower case."""


class Renames:
    """What is renamed: ``renamed`` has old and new names, in lower case; ``idle`` the marks that do not hold, and why.

    A change of case is none of them: it needs no mark, and is no matter of two names.
    """

    def __init__(self, book: Book, files: Claims, given: Sequence[Rename]) -> None:
        self._book = book
        self._files = files
        self._into: dict[str, list[Rename]] = {}
        for mark in given:
            self._into.setdefault(mark.new.lower(), []).append(mark)
        self.renamed: dict[str, str] = {}
        held = {mark for mark in given if self._is_of_case(mark)}
        went = {key for key, there in files.items() if not there and key in book.last and book.last[key].current}
        came = [key for key, there in files.items() if len(there) == 1 and not self._was_there(key)]
        if went and came:
            held |= self._marked(went, came)
            self._recognise(went - self.renamed.keys(), [key for key in came if key not in self.renamed.values()])
        self.idle = {mark: self._why_not(mark) for mark in given if mark not in held}

    def _was_there(self, key: str) -> bool:
        return key in self._book.last and bool(self._book.last[key].files)

    def _is_of_case(self, mark: Rename) -> bool:
        """Whether a mark tells a change of case."""
        key = mark.old.lower()
        last, files = self._book.last.get(key), self._files.get(key, {})
        if last is None or key != mark.new.lower() or len(files) != 1:
            return False
        return bool(last.current) and last.name == mark.old and stem(next(iter(files))) == mark.new != mark.old

    def _marked(self, went: Iterable[str], came: Iterable[str]) -> set[Rename]:
        """Take what marks say as far as they hold; give those."""
        rest = set(went)
        held: set[Rename] = set()
        for new in came:
            old, way = self._origin(new, rest)
            if old is not None:
                rest.discard(old)
                held.update(way)
                self.renamed[old] = new
        return held

    def _origin(self, new: str, went: set[str]) -> tuple[str | None, tuple[Rename, ...]]:
        """Follow marks back from a name that came to one that went, by the shortest way."""
        ways: deque[tuple[str, tuple[Rename, ...]]] = deque([(new, ())])
        seen = {new}
        while ways:
            key, way = ways.popleft()
            for mark in self._into.get(key, ()):
                old = mark.old.lower()
                if old in went and self._book.is_free(new, self._book.last[old]):
                    return old, (*way, mark)
                if old not in seen:
                    seen.add(old)
                    ways.append((old, (*way, mark)))
        return None, ()

    def _recognise(self, went: Iterable[str], came: Sequence[str]) -> None:
        """Find what was renamed without a mark."""
        book = self._book
        going = {key: book.last[key].files[0] for key in sorted(went) if len(book.last[key].files) == 1}
        coming = {key: next(iter(self._files[key].items())) for key in came}
        if not (going and coming):
            return
        if len(going) == len(coming) == 1 and self._is_equal(going, coming):
            pairs = [(old, new) for old in going for new in coming]
        else:
            pairs = _pairs(
                {key: book.facts.values(*file) for key, file in going.items()},
                {key: book.facts.values(*file) for key, file in coming.items()},
            )
        self.renamed.update((old, new) for old, new in pairs if book.is_free(new, book.last[old]))

    def _is_equal(self, going: Iterable[str], coming: Mapping[str, tuple[str, str]]) -> bool:
        """Whether not even the content is another: then nothing has to be parsed."""
        old = {self._book.last[key].content for key in going}
        return old == {self._book.facts.content(blob) for _, blob in coming.values()}

    def _why_not(self, mark: Rename) -> str:
        old, new = self._book.last.get(mark.old.lower()), self._book.last.get(mark.new.lower())
        if old is None or not old.number:
            return f"there was no process {mark.old}"
        if new is not None and new.number:
            return f"{mark.new} is or was another process"
        return f"the file of {mark.old} does not go, or that of {mark.new} does not come, with this commit"


def _pairs(gone: Mapping[str, str], here: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pair what went with what is here where just one of each has a value."""
    goers, comers = Counter(gone.values()), Counter(here.values())
    new_of = {value: key for key, value in here.items()}
    return [(old, new_of[value]) for old, value in gone.items() if goers[value] == comers[value] == 1]
