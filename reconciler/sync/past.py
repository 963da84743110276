"""Walking back through what some processes need: one listing, then only what each commit changed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from reconciler.entry import File
from reconciler.repo import history, objects
from reconciler.repo.history import Edit, Mainline, Step
from reconciler.repo.repository import Repository
from reconciler.scripts import FOLDER
from reconciler.validation import Kind, kind_of, stem_of

_LONGEST_STRIDE = 1024
"""Commits that are made ready together; the first strides are shorter, since most walks end soon."""


@dataclass(slots=True)
class Needed:
    """The files that processes of some names (in lower case) may need: their own, and all workflows and scripts."""

    names: frozenset[str]
    own: dict[str, dict[str, File]] = field(default_factory=lambda: defaultdict(dict))
    shared: dict[str, File] = field(default_factory=dict)

    @classmethod
    def by(cls, names: Iterable[str], files: Iterable[File]) -> "Needed":
        """Choose from the files of a commit."""
        needed = cls(frozenset(name.lower() for name in names))
        for file in files:
            if (place := needed.place(file.path)) is not None:
                place[file.path] = file
        return needed

    def of(self, names: Iterable[str]) -> tuple[File, ...]:
        """Give the files of some of the names, and all that is shared."""
        own = (file for name in names for file in self.own[name].values())
        return (*self.shared.values(), *own)

    def place(self, path: str) -> dict[str, File] | None:
        """Say among which files a path belongs; ``None`` where nobody needs it."""
        if _is_shared(path):
            return self.shared
        name = next(iter(declared_in((path,))), None)
        return self.own[name] if name in self.names else None

    def undo(self, edits: Sequence[Edit]) -> None:
        """Have the files as they were before some edits."""
        for edit in edits:
            if (place := self.place(edit.path)) is not None:
                place.pop(edit.path, None)
                if edit.existed:
                    place[edit.path] = before(edit)

    def redo(self, edits: Sequence[Edit]) -> None:
        """Have the files as they are after some edits."""
        for edit in edits:
            if (place := self.place(edit.path)) is not None:
                place.pop(edit.path, None)
                if edit.exists:
                    place[edit.path] = after(edit)


@dataclass(frozen=True, slots=True)
class Past:
    """What was declared just before one commit, ``undone``; ``commit`` is the one before it, ``None`` for nothing.

    ``edited`` are the names, in lower case, whose own files that commit edited; ``shared`` says whether it edited a
    workflow or a script. ``needed`` is one value for the whole walk and changes with the next step.
    """

    undone: str
    commit: str | None
    edited: frozenset[str]
    shared: bool
    needed: Needed


def walk(
    repo: Repository,
    span: tuple[str | None, str],
    mainline: Mainline,
    names: Iterable[str],
    prepare: Callable[[Iterable[File]], None],
) -> Iterator[Past]:
    """Walk back over a span of commits, from its end to its begin (``None``: the beginning of all).

    ``names`` are the processes that it is about; ``prepare`` is given, ahead, the files that may be asked for.
    """
    since, commit = span
    needed = Needed.by(names, objects.list_tree(repo, commit).files)
    for stride in _strides(history.walk(repo, commit, since, mainline)):
        edits = (edit for step in stride for edit in step.edits)
        prepare([before(edit) for edit in edits if edit.existed and needed.place(edit.path) is not None])
        for step in stride:
            needed.undo(step.edits)
            paths = [edit.path for edit in step.edits]
            yield Past(step.id, step.parent, declared_in(paths), any(map(_is_shared, paths)), needed)


def declared_in(paths: Iterable[str]) -> frozenset[str]:
    """The names, in lower case, of the processes that some paths declare."""
    return frozenset(stem_of(path).lower() for path in paths if kind_of(path) is Kind.PROCESS)


def before(edit: Edit) -> File:
    """The file that was at a path before an edit of it."""
    return File(edit.path, edit.old_mode, edit.old, -1)


def after(edit: Edit) -> File:
    """The file that is at a path after an edit of it."""
    return File(edit.path, edit.mode, edit.blob, -1)


def _is_shared(path: str) -> bool:
    return path.startswith(FOLDER) or kind_of(path) is Kind.WORKFLOW


def _strides(steps: Iterator[Step]) -> Iterator[Sequence[Step]]:
    length = 1
    while stride := list(islice(steps, length)):
        yield stride
        length = min(length * 2, _LONGEST_STRIDE)
