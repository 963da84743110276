"""Versions kept in the index: counted once over the history of the followed branch, then only what is new (SPEC 9)."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler import numbering
from reconciler.errors import UserError
from reconciler.repo import commits, history, refs
from reconciler.repo.repository import Repository
from reconciler.store.index import Index
from reconciler.sync import collecting
from reconciler.sync.facts import Facts, named_in

_COMMIT = "versions.commit"
_MAINLINE = "versions.mainline"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far versions are counted: up to ``commit``, along ``mainline`` where that is not the first-parent chain.

    The index may be deleted, and the choices in ``mainline`` cannot be derived again: whoever applies commits keeps
    both in its state, and hands them to ``extend``.
    """

    commit: str | None = None
    mainline: Mapping[str, str] = field(default_factory=dict)


def progress(index: Index) -> Progress:
    """Say how far the versions in the index go."""
    return Progress(index.meta(_COMMIT), json.loads(index.meta(_MAINLINE) or "{}"))


def extend(
    repo: Repository, index: Index, commit: str, remembered: Progress | None = None, *, allow_rewind: bool = False
) -> Progress:
    """Number what came after the commit counted last, up to ``commit``; all of it where the index is empty.

    Raises ``UserError`` in a shallow clone, where numbers would be too small, in a partial one, and where ``commit``
    does not descend from what is remembered, unless ``allow_rewind``. What the index alone has is no obstacle: whoever
    looked at another history counted that, and all is counted anew.
    """
    if repo.shallow:
        what = "this clone is shallow, so versions cannot be counted"
        raise UserError(what, where=str(repo.git_dir), todo="run `git fetch --unshallow`")
    remembered = remembered or Progress()
    with index.transaction():
        known = progress(index)
        if known.commit == commit and remembered.commit in {None, commit} and _knows(known, remembered):
            return known
        rewound = _is_rewound(repo, remembered.commit, commit)
        if rewound and not allow_rewind:
            raise _rewind(repo, remembered.commit or "", commit)
        begin = known.commit
        mainline = {**remembered.mainline, **known.mainline}
        if rewound or _is_rewound(repo, begin, commit) or not _knows(known, remembered):
            index.clear_versions()
            begin, mainline = None, {} if rewound else dict(remembered.mainline)
        if base := begin or (None if rewound else remembered.commit):
            mainline |= history.choices(repo, base, commit)
        with _explained(repo):
            _count(repo, index, (begin, commit), mainline)
        index.set_meta(_COMMIT, commit)
        index.set_meta(_MAINLINE, json.dumps(mainline))
    return Progress(commit, mainline)


def _count(repo: Repository, index: Index, span: tuple[str | None, str], mainline: Mapping[str, str]) -> None:
    """Fold the commits of a span, part by part, into the index."""
    old, new = span
    first = (index.place(old) or 0) + 1 if old else 0
    ids: list[str] = []
    state = index.last_versions(())
    with collecting.paused(), index.roomy(), Facts(repo, index) as facts:
        for stride in facts.strides(commits.commits(repo, old, new, mainline, first)):
            if old:
                state |= index.last_versions({name.lower() for name in named_in(stride)} - state.keys())
            folded = numbering.fold(state, stride, facts)
            state = dict(folded.state)
            index.add_versions(folded.versions)
            index.add_ignored_marks(folded.ignored)
            ids += [one.id for one in stride]
    index.add_to_chain(ids, first)
    index.set_last_versions(state)


@contextmanager
def _explained(repo: Repository) -> Iterator[None]:
    """Say what a partial clone lacks, and how to get it: nothing here fetches on its own."""
    try:
        yield
    except UserError as error:
        if not _is_partial(repo):
            raise
        what = f"this clone is partial, so versions cannot be counted ({error.what})"
        todo = "get the rest with `git fetch --refetch --no-filter`, or clone it again in full"
        raise UserError(what, where=str(repo.git_dir), todo=todo) from error


def _is_partial(repo: Repository) -> bool:
    return repo.git.ask("config", "--get-regexp", r"^remote\..*\.promisor$", "true").status == 0


def _knows(known: Progress, remembered: Progress) -> bool:
    """Whether the index was counted along all choices that are remembered; somebody without them may have done it."""
    return remembered.mainline.items() <= known.mainline.items()


def _is_rewound(repo: Repository, applied: str | None, commit: str) -> bool:
    return applied is not None and applied != commit and not refs.is_ancestor(repo, applied, commit)


def _rewind(repo: Repository, old: str, commit: str) -> UserError:
    what = f"commit {commit[:12]} does not descend from {old[:12]}, which was applied before"
    todo = "if the branch was rewound, or another one chosen, on purpose, start again with --allow-rewind"
    return UserError(what, where=str(repo.git_dir), todo=todo)
