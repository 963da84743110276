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
from reconciler.repo.tags import Tag
from reconciler.store.index import Index
from reconciler.sync import references, selection


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
        old = tags.some(repo, [f"{name}/{tag}"]).get(f"{name}/{tag}") or references.find_tag(repo, index, name, tag)
        if old is None:
            known = ", ".join(sorted(references.named(repo, index, name))) or "none"
            raise NotFoundError(f"{name} has no tag {tag}", where=f"{name}/{tag}", todo=f"it has {known}")
        was = _told(index, name, old)
    if "/" not in old.name:
        todo = f"if you mean all of them: `git tag -d {old.name}`"
        raise UserError(f"{tag} is a tag of the whole repository, and names every process's version", todo=todo)
    following = outcome.followers(desk.place)
    tags.remove(repo, old.name, old.object)
    if tag in following:
        failures.warn(f"the reconciler of {following[tag]} follows {tag}, so {name} is not scheduled there any more")
    document = {"name": name, "tag": tag, "was": was}
    pushed = Ref(tags.TAGS + old.name, old.object, gone=True)
    return outcome.finish(desk, Outcome(old.name, f"tag {old.name} removed; it was {was}", document, (pushed,)))


def _check(tag: str) -> None:
    if not names.is_tag(tag):
        todo = "use letters, digits, and _ . - between them, not digits alone"
        raise UsageError(f"{tag!r} cannot be a tag", where="TAG", todo=todo)


def _told(index: Index, name: str, old: Tag | None) -> str:
    """Where a tag stands, for people and for the message of the next one."""
    if old is None:
        return ""
    if old.commit is None:
        return old.object[:12]
    version = index.version_at(name, old.commit)
    return f"{name}@{version.number} at {old.commit[:12]}" if version else old.commit[:12]
