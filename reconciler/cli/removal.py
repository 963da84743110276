"""``procctl rollback`` and ``procctl delete``: versions that are no more, each by one commit that says so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click

from reconciler import marks
from reconciler.cli import commands, outcome, writing
from reconciler.cli.change import own_path
from reconciler.cli.renaming import referring_to, warn_of, with_name
from reconciler.cli.writing import Desk
from reconciler.errors import UsageError, UserError
from reconciler.repo import objects
from reconciler.repo.edit import Edit
from reconciler.repo.tags import Tag
from reconciler.store.index import Index
from reconciler.sync import naming, references
from reconciler.sync.facts import Facts
from reconciler.sync.proposal import Base
from reconciler.version import Version, content_of
from reconciler.yamltext import LARGEST


@dataclass(frozen=True, slots=True)
class Plan:
    """What a removal does: the commit, the sentence that says so (``{where}`` is the commit), the tags that go."""

    edit: Edit
    said: str
    tags: Mapping[str, Tag]


@commands.command("rollback")
@click.argument("name", metavar="KEY", shell_complete=commands.complete_names)
@writing.options()
def rollback_command(name: str, **given: Any) -> int:
    """Take the current version of the process KEY back: the version before it is the current one again.

    One commit restores its content. Where it is the only version, the file is removed. To undo a rollback is a new
    version.
    """
    wanted = writing.asked(given)
    desk = writing.desk(wanted)
    return _carried_out(desk, name, lambda tip, index: _rollback(desk, index, tip, references.current(index, name)))


@commands.command("delete")
@click.argument("name", metavar="KEY", shell_complete=commands.complete_names)
@click.option("--version", "number", metavar="N", type=click.IntRange(min=1), default=None, help="This version alone.")
@click.option("--all", "everything", is_flag=True, default=False, help="The process, with all its versions and tags.")
@writing.options()
def delete_command(name: str, number: int | None, *, everything: bool, **given: Any) -> int:
    """Delete a version of the process KEY, or the process as a whole, in one commit.

    What is deleted no longer lists or resolves, and its tags go. git keeps the content, and numbers are never used
    again. To delete the current version is to roll it back.
    """
    wanted = writing.asked(given)
    if everything is (number is not None):
        raise UsageError("one version, or all?", where="delete", todo="give --version N or --all")
    desk = writing.desk(wanted)

    def plan(tip: str, index: Index) -> Plan:
        """Say what goes, as it stands at the tip."""
        if number is None:
            return _remove(desk, index, tip, name)
        version = references.numbered(index, name, number)
        if version == index.current_version(name):
            return _rollback(desk, index, tip, version)
        text = writing.message(wanted, f"Delete version {number} of {name}", marks.delete(version))
        tags = outcome.doomed_tags(desk, index, name, (number,))
        return Plan(Edit(text, {}), f"{name}@{number} deleted by {{where}}", tags)

    return _carried_out(desk, name, plan)


def _carried_out(desk: Desk, name: str, plan: Callable[[str, Index], Plan]) -> int:
    plans: list[Plan] = []

    def make(tip: str) -> Edit:
        """Make the plan anew for this tip, and give its edit."""
        with desk.index(tip if desk.counts else None) as index:
            plans.append(plan(tip, index))
        return plans[-1].edit

    done = desk.commit(make)
    if done is None:  # a removal is never nothing
        return outcome.unchanged(desk.asked, name)
    last = plans[-1]
    return outcome.committed(desk, name, done, lambda _, where: last.said.format(where=where), last.tags)


def _rollback(desk: Desk, index: Index, tip: str, version: Version) -> Plan:
    name, number = version.name, version.number
    base = Base.at(desk.place.repo, index, tip)
    path = own_path(base, name)
    if content_of(base.files[path].blob, base.read(path)) != version.content:
        what = f"{name} is not as version {number} has it here, so that version cannot be taken back"
        raise UserError(what, where=f"{tip[:12]}:{path}", todo="roll back on the followed branch, or edit the file")
    below = [one for one in index.versions(name) if one.live and one.number < number]
    with Facts(desk.place.repo, index) as facts:
        restored = next((one for one in below if facts.sound(one.path, one.blob)), None)
    if below and restored is None:
        what = f"all versions of {name} below {number} have errors, so there is none to go back to"
        raise UserError(what, where=f"{name}@{number}", todo="mend the file with `procctl set` or `procctl apply`")
    gone = [number, *(one.number for one in below if restored is None or one.number > restored.number)]
    tags = outcome.doomed_tags(desk, index, name, gone)
    mark = marks.rollback(version)
    if restored is None:
        text = writing.message(desk.asked, f"Roll back {name}, which removes it", mark)
        return Plan(
            Edit(text, {path: None}, (path,)), f"{name}@{number} rolled back by {{where}}: {name} is removed", tags
        )
    ((_, data),) = objects.read_blobs(desk.place.repo, (restored.blob,), LARGEST)
    text = writing.message(desk.asked, f"Roll back {name} to version {restored.number}", mark)
    said = f"{name}@{number} rolled back by {{where}}: {name}@{restored.number} is the current version"
    passed = [str(one) for one in gone[1:]]
    said += f" ({', '.join(passed)} had errors, and went too)" if passed else ""
    return Plan(Edit(text, {path: with_name(path, data, name)}, (path,)), said, tags)


def _remove(desk: Desk, index: Index, tip: str, name: str) -> Plan:
    base = Base.at(desk.place.repo, index, tip)
    if not base.paths_of(name):
        references.current(index, name)
    path = own_path(base, name)
    live = [one.number for one in index.versions(name) if one.live]
    # also those that name no version
    tags = outcome.doomed_tags(desk, index, name, live) | naming.own(desk.place.repo, index, name)
    warn_of(referring_to(base, name), name)
    text = writing.message(desk.asked, f"Delete {name}")
    return Plan(Edit(text, {path: None}, (path,)), f"{name} deleted by {{where}}, with {_versions(len(live))}", tags)


def _versions(count: int) -> str:
    return f"{count} version" if count == 1 else f"{count} versions"
