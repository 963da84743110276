"""``procctl rename``: a process goes on under another name, with its versions, in one commit."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from reconciler import marks, yamledit, yamltext
from reconciler.cli import commands, failures, outcome, writing
from reconciler.cli.change import own_path
from reconciler.errors import UsageError, UserError
from reconciler.problem import errors
from reconciler.repo.edit import Edit
from reconciler.snapshot import Snapshot
from reconciler.store.index import Index
from reconciler.sync.proposal import Base
from reconciler.validation import stem_of

_NAMES = ("name", "_id")


@commands.command("rename")
@click.argument("name", metavar="KEY", shell_complete=commands.complete_names)
@click.argument("new", metavar="NEW")
@writing.options()
def rename_command(name: str, new: str, **given: Any) -> int:
    """Rename the process KEY to NEW, in one commit: it keeps its versions, its folder and its tags.

    KEY@N is gone then, NEW@N is the same; NEW@TAG also finds the tag KEY/TAG.
    """
    wanted = writing.asked(given)
    writing.check_name(new, "NEW")
    if new == name:
        raise UsageError(f"{name} is its name already", where="NEW", todo="give another")
    desk = writing.desk(wanted)
    referring: list[str] = []

    def make(tip: str) -> Edit:
        """Move the file, and its name in it, as it stands at the tip."""
        with desk.index(tip if desk.counts else None) as index:
            base = Base.at(desk.place.repo, index, tip)
            path = own_path(base, name)
            _check_free(base, index, name, new)
            target = path[: len(path) - len(path.rpartition("/")[2])] + new + "." + path.rpartition(".")[2]
            data = base.read(path)
            renamed = with_name(path, data, new)
            before = errors(base.problems({path: data}, name))
            # A process that is broken already may be renamed; the name itself must be sound.
            writing.refuse([] if before else base.problems({path: None, target: renamed}, new), new)
            referring[:] = referring_to(base, name)
        mark = marks.rename(name, new)
        text = writing.message(wanted, f"Rename {name} to {new}", mark)
        return Edit(text, {path: None, target: renamed}, rests_on=(path, target))

    done = desk.commit(make)
    if done is None:  # a rename is never nothing
        return outcome.unchanged(wanted, name)
    warn_of(referring, name)
    return outcome.committed(desk, new, done, lambda which, where: f"{name} renamed to {which} in {where}")


def with_name(path: str, data: bytes, name: str) -> bytes:
    """A file's bytes with another name in ``name:`` and ``_id:``, where it has these keys; else as they are."""
    document, _ = yamltext.read(path, data)
    if document is None or not isinstance(document.value, dict):
        return data
    for key in _NAMES:
        if document.value.get(key, name) != name:
            data = yamledit.put(path, data, (key,), name)
    return data


def _check_free(base: Base, index: Index, name: str, new: str) -> None:
    """Raise ``UserError`` where another process has, or ever had, the new name."""
    if new.lower() != name.lower():
        taken = next(iter(base.paths_of(new)), None)
        if taken is not None:
            what = f"there is a process {stem_of(taken)} already"
            raise UserError(what, where=taken, todo="choose another name; case alone makes no difference")
    last = index.last_versions((name, new))
    old, there = last.get(name.lower()), last.get(new.lower())
    if there is None or not there.number or new.lower() == name.lower():
        return
    if old is None or not there.moved or there.line != old.line:
        what = f"{new} was another process, whose versions go up to {there.number}: the numbers would clash"
        raise UserError(what, where=new, todo=f"choose another name; see `procctl versions {new} --deleted`")


def referring_to(base: Base, name: str) -> list[str]:
    """The processes whose subscriptions name a process, sorted."""
    return sorted(_referring(base.changed({}, base.names()), name))


def warn_of(referring: Sequence[str], name: str) -> None:
    """Warn of processes that name one which is no more."""
    if referring:
        what = f"{', '.join(referring)} still {'name' if len(referring) > 1 else 'names'} {name} in subscriptions"
        failures.warn(what, f"edit {'them' if len(referring) > 1 else 'it'} as well")


def _referring(snapshot: Snapshot, name: str) -> Iterator[str]:
    for one in snapshot.processes.values():
        document = one.process.document if one.process is not None else {}
        causes = document.get("subscriptions") or ()
        if one.name != name and any(isinstance(each, dict) and each.get("process") == name for each in causes):
            yield one.name
