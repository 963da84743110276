"""What comes after a write: versions are counted, tags of versions that are gone go too, and what was done is said."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.cli import failures, output
from reconciler.cli.workspace import Workspace
from reconciler.cli.writing import Asked, Desk
from reconciler.errors import ProcctlError, UserError
from reconciler.repo import push as pushing
from reconciler.repo import tags
from reconciler.repo.edit import Committed
from reconciler.repo.push import Ref
from reconciler.repo.tags import Tag
from reconciler.store import files
from reconciler.store.index import Index
from reconciler.sync import naming
from reconciler.web import health

_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write did, for people (``line``) and programs, and the refs that ``--push`` pushes."""

    name: str
    line: str
    document: Mapping[str, Any]
    pushed: tuple[Ref, ...] = ()
    more: tuple[str, ...] = ()


def unchanged(wanted: Asked, name: str) -> int:
    """Say that nothing was to do."""
    document: dict[str, Any] = {"name": name, "version": None, "commit": None, "branch": None, "tags": []}
    text = f"{name} is like that already: nothing to commit"
    output.show(wanted.form, document, names=[name], table=lambda: text)
    return 0


def finish(place: Desk, outcome: Outcome) -> int:
    """Print what was done; push it where that was asked for."""
    document = dict(outcome.document)
    remote = place.asked.remote
    failed: ProcctlError | None = None
    if remote is not None and outcome.pushed:
        try:
            pushing.push(place.place.repo, os.environ, remote, outcome.pushed)
        except ProcctlError as error:
            failed = error
        document["pushed"] = None if failed else remote
    said = [outcome.line, *outcome.more]
    said += [f"pushed to {remote}"] if document.get("pushed") else []
    output.show(place.asked.form, document, names=[outcome.name], table=lambda: "\n".join(said))
    if failed is not None:
        failures.note("it is done here all the same")
        raise failed
    return 0


def committed(
    place: Desk, name: str, done: Committed, line: Callable[[str, str], str], gone: Mapping[str, Tag] | None = None
) -> int:
    """Bring the versions up to date after a commit, take tags of versions that are gone away, and say what was done.

    ``line`` makes the sentence, of how the process is called now (``A@4``) and where (``1234abcd5678 on main``).
    """
    number = _counted(place, name, done.commit) if place.counts else None
    which = name if number is None else f"{name}@{number}"
    dropped = _drop(place, gone or {}) if place.counts else {}
    document = {"name": name, "version": number, "commit": done.commit, "branch": done.branch, "tags": sorted(dropped)}
    more = [
        f"tag {tag} removed; it was at {old.commit[:12] if old.commit else old.object[:12]}"
        for tag, old in dropped.items()
    ]
    if gone and not place.counts:
        more.append(f"tags stay until it is on {place.place.followed.branch}: {', '.join(sorted(gone))}")
    pushed = (Ref(place.ref), *(Ref(tags.TAGS + tag, old.object, gone=True) for tag, old in dropped.items()))
    sentence = line(which, f"{done.commit[:12]} on {done.branch}")
    return finish(place, Outcome(name, sentence, document, pushed, tuple(more)))


def doomed_tags(place: Desk, index: Index, name: str, numbers: Iterable[int]) -> dict[str, Tag]:
    """The tags of one process that name versions which are about to go, by their full names.

    Tags of the whole repository stay: they name versions of others too. ``UserError`` where a reconciler that is at
    work runs the process at one of them.
    """
    repo, gone = place.place.repo, frozenset(numbers)
    stay = any(one.live and one.number not in gone for one in index.versions(name))
    found, following = naming.named(repo, index, name), followers(place.place)
    for number, texts in naming.tags_of(repo, index, name).items():
        for text in texts:
            if number in gone and text in following:
                what = f"the reconciler of {following[text]} runs {name}@{number}, which the tag {text} names"
                off = f"procctl untag {name} {text}" if "/" in found[text].name else f"git tag -d {text}"
                todo = f"move the tag first: procctl tag {name} N {text}" if stay else f"take the tag off first: {off}"
                raise UserError(what, where=f"{name}@{number}", todo=todo)
    return {full: tag for full, tag in naming.own(repo, index, name).items() if _number(index, name, tag) in gone}


def _number(index: Index, name: str, tag: Tag) -> int | None:
    version = index.version_at(name, tag.commit) if tag.commit else None
    return version.number if version is not None and version.live else None


def followers(place: Workspace) -> dict[str, str]:
    """The tags that reconcilers which are at work here follow, and the environment of each."""
    now = datetime.now(UTC)
    found: dict[str, str] = {}
    for folder in sorted(place.layout.state.parent.glob("*")):
        layout = replace(place.layout, environment=folder.name)
        try:
            tag = json.loads(files.read(layout.daemon_file, _LARGEST)).get("follow")
        except (OSError, ValueError, AttributeError):
            continue
        if isinstance(tag, str) and health.check(layout, now).ready:
            found[tag] = folder.name
    return found


def _drop(place: Desk, gone: Mapping[str, Tag]) -> dict[str, Tag]:
    dropped = {}
    for tag, old in gone.items():
        try:
            tags.remove(place.place.repo, tag, old.object)
        except ProcctlError as error:
            failures.warn(f"the tag {tag} stays: {error.what}", error.todo)
        else:
            dropped[tag] = old
    return dropped


def _counted(place: Desk, name: str, commit: str) -> int | None:
    """Count the versions that a commit made; gives the number that the process has there, if it is a new one."""
    try:
        with place.index(commit) as index:
            for one in index.ignored_marks(name):
                if one.commit == commit:
                    failures.warn(f"the mark does not hold: {one.why}", f"see `procctl versions {name} --deleted`")
            version = index.current_version(name)
            return version.number if version is not None and index.version_at(name, commit) == version else None
    except ProcctlError as error:  # the commit is there all the same
        failures.warn(f"versions could not be counted: {error.what}", error.todo)
        return None
