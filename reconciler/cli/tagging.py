"""``procctl tag`` and ``procctl untag``: names for versions, kept as git tags."""

from typing import Any

import click

from reconciler import names
from reconciler.cli import commands, failures, outcome, writing
from reconciler.cli.outcome import Outcome
from reconciler.errors import NotFoundError, UsageError, UserError
from reconciler.reference import parse_reference
from reconciler.repo import tags
from reconciler.repo.push import Ref
from reconciler.repo.repository import Repository
from reconciler.repo.tags import Tag
from reconciler.store.index import Index
from reconciler.sync import naming, references, selection


@commands.command("tag")
@click.argument("name", metavar="KEY", shell_complete=commands.complete_names)
@click.argument("version", metavar="N")
@click.argument("tag", metavar="TAG")
@writing.options(branch=False)
def tag_command(name: str, version: str, tag: str, **given: Any) -> int:
    """Name the version N of the process KEY: an annotated tag KEY/TAG. A tag that exists moves.

    N is a number, ~LATEST, or another tag of it. The tag stands on the commit that KEY@N runs at, so that script and
    workflow are named with it.
    """
    wanted = writing.asked(given)
    _check(tag)
    reference = parse_reference(f"{name}@{version}")
    desk = writing.desk_of_tags(wanted)
    full = f"{name}/{tag}"
    with desk.index() as index:
        picked = references.pick(desk.place.repo, index, reference)
        if picked.version is None:
            what = f"{reference} is no version on {desk.place.followed.branch}, so it cannot be tagged"
            raise UserError(what, where=str(reference), todo=f"see `procctl versions {name}`")
        one = references.alive(picked.version)
        commit = picked.commit if picked.tag else selection.runs_at(desk.place.repo, index, one)
        old = tags.some(desk.place.repo, [full]).get(full)
        was = _told(index, name, old)
    which = f"{name}@{one.number}"
    document = {"name": name, "tag": tag, "version": one.number, "commit": commit, "was": was or None}
    if old is not None and old.commit == commit:
        line = f"{which} is {tag} already, at {commit[:12]}"
        return outcome.finish(desk, Outcome(full, line, document, (Ref(tags.TAGS + full, ""),)))
    text = writing.message(wanted, f"{which} is {tag}", *([f"Moved from {was}"] if was else []))
    made = tags.put(desk.place.repo, full, commit, text, old.object if old else None)
    line = f"{which} tagged {tag} at {commit[:12]}" + (f"; it was {was}" if was else "")
    pushed = Ref(tags.TAGS + full, old.object if old else "")
    return outcome.finish(desk, Outcome(full, line, {**document, "object": made}, (pushed,)))


@commands.command("untag")
@click.argument("name", metavar="KEY", shell_complete=commands.complete_names)
@click.argument("tag", metavar="TAG")
@writing.options(branch=False)
def untag_command(name: str, tag: str, **given: Any) -> int:
    """Take the tag TAG off the process KEY; the version that it named stays."""
    wanted = writing.asked(given)
    _check(tag)
    desk = writing.desk_of_tags(wanted)
    repo = desk.place.repo
    with desk.index() as index:
        found = tags.some(repo, [f"{name}/{tag}"])
        # one under a former name would be found in its place from then on
        found |= {full: one for full, one in naming.own(repo, index, name).items() if full.endswith(f"/{tag}")}
        if not found:
            raise _not_its_own(repo, index, name, tag)
        was = {full: _told(index, name, one) for full, one in found.items()}
        following = outcome.followers(desk.place)
        for full, one in found.items():
            tags.remove(repo, full, one.object)
        left = references.find_tag(repo, index, name, tag)
    if left is not None:
        failures.warn(f"the tag {tag} of the whole repository stays, and names a version of {name} too")
    elif tag in following:
        failures.warn(f"the reconciler of {following[tag]} follows {tag}, so {name} is not scheduled there any more")
    first, *others = (f"tag {full} removed; it was {told}" for full, told in was.items())
    document = {"name": name, "tag": tag, "was": next(iter(was.values()))}
    pushed = tuple(Ref(tags.TAGS + full, one.object, gone=True) for full, one in found.items())
    return outcome.finish(desk, Outcome(next(iter(found)), first, document, pushed, tuple(others)))


def _not_its_own(repo: Repository, index: Index, name: str, tag: str) -> UserError:
    whole = references.find_tag(repo, index, name, tag)
    if whole is None:
        known = ", ".join(sorted(naming.named(repo, index, name))) or "none"
        return NotFoundError(f"{name} has no tag {tag}", where=f"{name}/{tag}", todo=f"it has {known}")
    todo = f"if you mean all of them: `git tag -d {whole.name}`"
    return UserError(f"{tag} is a tag of the whole repository, and names every process's version", todo=todo)


def _check(tag: str) -> None:
    if not names.is_tag(tag):
        reserved = tag.lower() in names.RESERVED
        todo = "use letters, digits, and _ . - between them, not digits alone"
        what = f"{tag!r} is reserved, and cannot be a tag" if reserved else f"{tag!r} cannot be a tag"
        raise UsageError(what, where="TAG", todo="choose another name" if reserved else todo)


def _told(index: Index, name: str, old: Tag | None) -> str:
    """Where a tag stands, for people and for the message of the next one."""
    if old is None:
        return ""
    if old.commit is None:
        return old.object[:12]
    version = index.version_at(name, old.commit)
    return f"{name}@{version.number} at {old.commit[:12]}" if version else old.commit[:12]
