"""``procctl set``, ``enable`` and ``disable``: one field of a process, in place, in one commit."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from reconciler import yamledit, yamltext
from reconciler.cli import assignment, commands, outcome, writing
from reconciler.cli.assignment import Assigned, Assignment, PathTo
from reconciler.errors import NotFoundError, UsageError, UserError
from reconciler.repo.edit import Edit
from reconciler.store import schemas
from reconciler.sync import references
from reconciler.sync.proposal import Base
from reconciler.validation import stem_of
from reconciler.yamledit import REMOVED, Steps

_FEW = 3

Change = Callable[[str, bytes], bytes]
"""What makes other bytes of a file, given its path and its bytes."""


@commands.command("set")
@click.argument("name", metavar="KEY", shell_complete=commands.complete_names)
@click.argument("assignments", metavar="[PATH=VALUE]...", nargs=-1, type=Assigned())
@click.option("--unset", metavar="PATH", multiple=True, type=PathTo(), help="Take this key or item away.")
@writing.options()
def set_command(name: str, assignments: tuple[Assignment, ...], unset: tuple[Steps, ...], **given: Any) -> int:
    """Set fields of the process KEY in its file, in one commit; comments, order and quotes stay as they are.

    PATH is a key, or keys and numbers of items with dots between: input.url, cron.0. PATH=VALUE sets a text (a number,
    true or false where the field takes no text), PATH:=JSON any value.
    """
    if not assignments and not unset:
        raise UsageError("what is to be set?", where="set", todo="write PATH=VALUE, for example cron='0 6 * * *'")
    schema = schemas.load()["process"]

    def change(path: str, data: bytes) -> bytes:
        """Set one field after the other, then take away."""
        for one in assignments:
            document, _ = yamltext.read(path, data)
            value = assignment.typed(one, document.value if document else None, schema)
            data = yamledit.put(path, data, one.steps, value)
        for steps in unset:
            data = yamledit.put(path, data, steps, REMOVED)
        return data

    parts = [("Set", [one.steps for one in assignments]), ("remove" if assignments else "Remove", unset)]
    what = " and ".join(f"{verb} {_listed(paths)}" for verb, paths in parts if paths)
    return _change(name, change, f"{what} of {name}", given)


@commands.command("enable")
@click.argument("name", metavar="KEY", shell_complete=commands.complete_names)
@writing.options()
def enable_command(name: str, **given: Any) -> int:
    """Enable the process KEY: its schedule and its subscriptions start it again."""

    def change(path: str, data: bytes) -> bytes:
        """Say so only where it is off."""
        document, _ = yamltext.read(path, data)
        is_off = document is not None and yamledit.at(document.value, ("enabled",)) is False
        return yamledit.put(path, data, ("enabled",), value=True) if is_off else data

    return _change(name, change, f"Enable {name}", given)


@commands.command("disable")
@click.argument("name", metavar="KEY", shell_complete=commands.complete_names)
@writing.options()
def disable_command(name: str, **given: Any) -> int:
    """Disable the process KEY: nothing starts it but `procctl run --force`."""
    return _change(
        name, lambda path, data: yamledit.put(path, data, ("enabled",), value=False), f"Disable {name}", given
    )


def own_path(base: Base, name: str) -> str:
    """The file of a process; ``NotFoundError`` where it has none, ``UserError`` where several files claim the name."""
    found = base.paths_of(name)
    if len(found) > 1:
        raise UserError(f"{' and '.join(found)} are both {name}", where=name, todo="remove or rename one, and commit")
    if not found or stem_of(found[0]) != name:
        known = [stem_of(path) for path in base.files if base.is_process(path)]
        raise NotFoundError(f"there is no process {name}", where=base.commit[:12], todo=references.near(name, known))
    return found[0]


def _change(name: str, change: Change, what: str, given: dict[str, Any]) -> int:
    wanted = writing.asked(given)
    desk = writing.desk(wanted)

    def make(tip: str) -> Edit | None:
        """Change the file as it stands at the tip; ``None`` where that changes nothing."""
        # Made up anew from what another writer has just written, it still sets these fields and no others.
        with desk.reading() as index:
            base = Base.at(desk.place.repo, index, tip)
            path = own_path(base, name)
            old = base.read(path)
            new = change(path, old)
            if new == old:
                return None
            writing.refuse(base.problems({path: new}, name), name)
        return Edit(writing.message(wanted, what), {path: new})

    done = desk.commit(make)
    if done is None:
        return outcome.unchanged(wanted, name)
    return outcome.committed(desk, name, done, lambda which, where: f"{which} committed as {where}")


def _listed(paths: Sequence[Steps]) -> str:
    shown = [assignment.written(steps) for steps in paths]
    if len(shown) > _FEW:
        return f"{len(shown)} fields"
    return ", ".join(shown[:-1]) + (" and " if len(shown) > 1 else "") + shown[-1]
