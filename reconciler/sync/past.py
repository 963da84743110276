"""Walking back through what some processes need: one listing, then only what each commit changed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.repo import history, objects
from reconciler.repo.history import Mainline
from reconciler.repo.repository import Repository
from reconciler.scripts import FOLDER, File
from reconciler.validation import Kind, kind_of, stem_of


@dataclass(frozen=True, slots=True)
class Past:
    """What was declared just before one commit, ``undone``; ``commit`` is the one before it, ``None`` for nothing.

    ``files`` are those that are needed; it is one mapping for the whole walk, and changes with the next step.
    ``touched`` are the paths in it that changed, added and removed ones too.
    """

    undone: str
    commit: str | None
    files: Mapping[str, File]
    touched: tuple[str, ...]


def walk(
    repo: Repository, commit: str, names: frozenset[str], since: str | None = None, mainline: Mainline | None = None
) -> Iterator[Past]:
    """Walk back from a commit to ``since``, or to the beginning; the first is what was declared before the newest.

    ``names`` are the processes that it is about, in lower case.
    """
    files = {file.path: file for file in needed_by(objects.list_tree(repo, commit).files, names)}
    for step in history.walk(repo, commit, since, mainline or {}):
        edits = [edit for edit in step.edits if _is_needed(edit.path, names)]
        for edit in edits:
            files.pop(edit.path, None)
        files |= {edit.path: File(edit.path, edit.old_mode, edit.old, -1) for edit in edits if edit.existed}
        yield Past(step.id, step.parent, files, tuple(edit.path for edit in edits))


def needed_by(files: Iterable[File], names: frozenset[str]) -> tuple[File, ...]:
    """Choose the files that processes may need, by their names in lower case: theirs, all workflows and scripts."""
    return tuple(file for file in files if _is_needed(file.path, names))


def declared_in(paths: Iterable[str]) -> frozenset[str]:
    """The names, in lower case, of the processes that some paths declare."""
    return frozenset(stem_of(path).lower() for path in paths if kind_of(path) is Kind.PROCESS)


def _is_needed(path: str, names: frozenset[str]) -> bool:
    if path.startswith(FOLDER):
        return True
    kind = kind_of(path)
    return kind is Kind.WORKFLOW or (kind is Kind.PROCESS and stem_of(path).lower() in names)
