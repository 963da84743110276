"""What a reference picks (SPEC 9): one way for ``run``, ``get``, HTTP and every write.

In order: a number, ``~LATEST``, the process's own tag, a tag that it had under a former name, a tag of the repository,
a commit id.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from reconciler import names
from reconciler.errors import GoneError, NotFoundError, ProcctlError, UsageError, UserError
from reconciler.reference import Kind, Reference
from reconciler.repo import objects, refs, tags
from reconciler.repo.repository import Repository
from reconciler.repo.tags import Tag
from reconciler.store.past import Past
from reconciler.sync import naming
from reconciler.version import Version, name_of

_SHOWN = 5
_REGULAR = frozenset({"100644", "100755", "100664"})


@dataclass(frozen=True, slots=True)
class Picked:
    """What a reference picked: a process as it is at a commit, where its file is ``path``.

    ``path`` has the name that the process had there. ``version`` is ``None`` off the followed history. ``tag`` is the
    tag that picked it, as it is written after the ``@``.
    """

    name: str
    commit: str
    path: str
    version: Version | None
    tag: str | None = None


def pick(repo: Repository, index: Past, reference: Reference) -> Picked:
    """Find what a reference means; a number means the commit that made the version.

    Raises ``NotFoundError`` where there is no such process, version, tag or commit, ``GoneError`` where the version was
    deleted, and ``UsageError`` where the digits of a commit id are too few. A commit id finds deleted versions too.
    """
    name = reference.name
    if reference.kind is not Kind.NAMED and not _must_be_commit(index, reference):
        known = current(index, name) if reference.number is None else numbered(index, name, reference.number)
        return Picked(name, known.commit, known.path, known)
    if names.is_tag(reference.value):
        tag = find_tag(repo, index, name, reference.value)
        if tag is not None:
            return at_tag(repo, index, reference, tag)
    commit = _commit(repo, index, reference)
    version = index.version_at(name, commit)
    return Picked(name, commit, _path(repo, index, reference, commit, version), version)


def _must_be_commit(index: Past, reference: Reference) -> bool:
    """Whether a number is none of a version, but long enough for a commit id: one of 27 short ids has digits only."""
    if names.ABBREVIATED.fullmatch(reference.value) is None:
        return False
    return all(one.number != reference.number for one in index.versions(reference.name))


def current(index: Past, name: str) -> Version:
    """The current version of a process: the newest that is not gone."""
    version = index.current_version(name)
    if version is None:
        raise _without_version(index, name)
    return version


def numbered(index: Past, name: str, number: int) -> Version:
    """A version by its number; ``GoneError`` where it is gone."""
    known = index.versions(name)
    version = next((one for one in known if one.number == number), None)
    if version is not None:
        return alive(version)
    if not known:
        raise _without_version(index, name)
    raise NotFoundError(
        f"{name} has no version {number}", where=f"{name}@{number}", todo=f"see `procctl versions {name}`"
    )


def alive(version: Version) -> Version:
    """A version that is not gone; ``GoneError`` says what happened to any other."""
    gone = version.gone
    if gone is not None:
        what = f"{version.name}@{version.number} was {gone.why} by {gone.commit[:12]}"
        where = gone.renamed_to or f"{version.name} --deleted"
        raise GoneError(what, todo=f"see `procctl versions {where}`")
    return version


def at_tag(repo: Repository, index: Past, reference: Reference, tag: Tag) -> Picked:
    """What a process is at a tag; ``NotFoundError`` where it was not there, ``GoneError`` where its version is gone."""
    commit = tags.commit_of(tag)
    version = index.version_at(reference.name, commit)
    if version is not None:
        alive(version)
    path = _path(repo, index, reference, commit, version, by=f"the tag {tag.name} names ")
    return Picked(reference.name, commit, path, version, reference.value)


def find_tag(repo: Repository, index: Past, name: str, tag: str) -> Tag | None:
    """The tag that a text after ``@`` means for a process: its own, one under a former name, the repository's."""
    wanted = [f"{owner}/{tag}" for owner in naming.owners(index, name)] + ([] if naming.taken(index, [tag]) else [tag])
    return next(iter(tags.some(repo, wanted).values()), None)


def _path(
    repo: Repository, index: Past, reference: Reference, commit: str, version: Version | None, by: str = ""
) -> str:
    """The process's file at a commit, under the name that it had there."""
    if version is not None:
        found = objects.find(repo, commit, (version.path,))[version.path]
        if found is not None and found[1] == "blob":
            return version.path
    owners = (reference.name, *index.former_names(reference.name))
    paths: dict[str, str] = {}
    for file in objects.list_tree(repo, commit).files:
        owner = name_of(file.path) if file.mode in _REGULAR else None
        if owner in owners:
            paths.setdefault(owner, file.path)
    for owner in owners:
        if owner in paths:
            return paths[owner]
    what = f"{by}commit {commit[:12]}, where there is no process {reference.name}"
    if not by:
        what = f"commit {commit[:12]} has no process {reference.name}"
    raise NotFoundError(what, where=str(reference), todo=f"see `procctl versions {reference.name}`")


def _commit(repo: Repository, index: Past, reference: Reference) -> str:
    value = reference.value
    if names.ABBREVIATED.fullmatch(value) is None:
        raise _without_tag(repo, index, reference)
    try:
        return refs.resolve_commit(repo, value)
    except NotFoundError as error:
        raise _without_tag(repo, index, reference) from error
    except UserError as error:  # too few digits are the asker's, not the operator's, to mend
        raise UsageError(error.what, where=str(reference), todo=error.todo) from error


def _without_version(index: Past, name: str) -> ProcctlError:
    known = index.versions(name)
    if known:
        # what ended the process, rather than what befell its highest number before
        try:
            alive(max(known, key=lambda one: (one.gone.place if one.gone else -1, one.number)))
        except GoneError as error:
            return error
    row = index.process(name)
    if row is not None and row.name == name:
        return UserError(f"{name} has no version yet", where=row.path, todo="see `procctl validate`")
    return NotFoundError(f"there is no process {name}", todo=near(name, (one.name for one in index.processes())))


def _without_tag(repo: Repository, index: Past, reference: Reference) -> ProcctlError:
    name, value = reference.name, reference.value
    if not index.versions(name) and index.process(name) is None:
        return _without_version(index, name)
    may_be_commit = names.ABBREVIATED.fullmatch(value) is not None
    what = f"{name} has no tag {value}" + (", and there is no commit of that id" if may_be_commit else "")
    if naming.taken(index, [value]) and tags.some(repo, [value]):
        what += f"; the repository's tag {value} does not count, as {value} is a process"
    texts = sorted(naming.named(repo, index, name))
    close = get_close_matches(value, texts, n=3)
    if close:
        todo = f"did you mean {' or '.join(f'{name}@{one}' for one in close)}?"
    elif texts:
        more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
        todo = f"it has {', '.join(texts[:_SHOWN])}{more}"
    else:
        todo = f"see `procctl versions {name}`"
    return NotFoundError(what, where=str(reference), todo=todo)


def near(name: str, known: Iterable[str]) -> str:
    """What to do about a name that is unknown: the nearest ones, or the list."""
    folded = {one.lower(): one for one in known}
    found = [folded[one] for one in get_close_matches(name.lower(), folded, n=3)]
    return f"did you mean {' or '.join(found)}?" if found else "see `procctl list`"
