"""``procctl apply``: a whole process, as one POSTs it to the service, in one commit."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from reconciler import names, nesting, yamledit, yamltext, yamlwrite
from reconciler.cli import commands, order, outcome, writing
from reconciler.errors import UsageError, UserError
from reconciler.repo.edit import Edit
from reconciler.sync.proposal import Base
from reconciler.validation import Kind, kind_of, stem_of
from reconciler.yamltext import LARGEST

_ADDED = ("_oid", "_version", "_timestamp", "_user", "_tag", "nextRun", "problems")
"""What the HTTP view adds to a document: it is no part of the configuration."""

_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Given:
    """What was handed over: the process's name, its value, and the bytes where they are to be kept."""

    name: str
    value: dict[str, Any]
    data: bytes | None


@commands.command("apply")
@click.option("-f", "--file", "source", metavar="FILE|-", required=True, help="The process, as YAML or JSON.")
@click.option("--path", metavar="PATH", default=None, help="Where a new process goes. [default: processes/NAME.yaml]")
@writing.options()
def apply_command(source: str, path: str | None, **given: Any) -> int:
    """Write the process in FILE (- is standard input) into the repository, in one commit.

    It replaces the whole process, or makes a new one. YAML is taken byte for byte; JSON is written into the file that
    is there, where its comments stay. What `procctl get` and the HTTP view add is left out.
    """
    wanted = writing.asked(given)
    document = _read(source, path)
    name = document.name
    desk = writing.desk(wanted)
    made: list[str] = []

    def make(tip: str) -> Edit | None:
        """Put the file in place of the one at the tip; ``None`` where that is the same."""
        with desk.reading() as index:
            base = Base.at(desk.place.repo, index, tip)
            target, old = _target(base, name, path)
            new = _bytes(target, old, document)
            if new == old:
                return None
            writing.refuse(base.problems({target: new}, name), name)
        made[:] = ["Add" if old is None else "Change"]
        return Edit(writing.message(wanted, f"{made[0]} {name}"), {target: new}, rests_on=(target,))

    done = desk.commit(make)
    if done is None:
        return outcome.unchanged(wanted, name)
    return outcome.committed(desk, name, done, lambda which, where: f"{which} committed as {where}")


def _read(source: str, path: str | None) -> Given:
    data = _data(source)
    shown = "standard input" if source == "-" else source
    document = None if source.endswith(_YAML) else _json(data)
    as_value = document is not None
    if document is None:
        read, problems = yamltext.read(shown, data)
        if read is None:
            lines = "\n".join(str(problem) for problem in problems)
            raise UserError(f"it cannot be read, so nothing was changed\n{lines}", where="-f", todo="mend it")
        document = read.value
    if not isinstance(document, dict):
        raise UserError("it is no process: no mapping of keys and values", where=shown, todo="write `script: …`")
    extra = [key for key in _ADDED if key in document]
    extra += ["_id"] if names.is_commit(str(document.get("_id"))) else []
    value = {key: each for key, each in document.items() if key not in extra}
    yamledit.check_depth(shown, value)
    # What `get` printed is a value as JSON is, whatever its form: its bytes are nobody's.
    return Given(_name(value, source, path), value, None if as_value or extra else data)


def _data(source: str) -> bytes:
    data = order.read_bytes(source, LARGEST, "-f")
    if len(data) > LARGEST:
        raise UserError("it is larger than 256 KiB", where="-f", todo="keep data out of configurations")
    return data


def _json(data: bytes) -> dict[str, Any] | None:
    """The object that bytes are as JSON; ``None`` where they are none, and ``UsageError`` where it means two things."""
    try:
        nesting.check(data)
        document = json.loads(data) if data.lstrip().startswith(b"{") else None
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    read: dict[str, Any] = order.read_json(data, "-f")
    return read


def _name(value: dict[str, Any], source: str, path: str | None) -> str:
    """The process that a document is about: as it says itself, else by the name of its file."""
    found = value.get("name", value.get("_id"))
    if found is None and (path is not None or source != "-"):
        found = stem_of(path or Path(source).name) if "." in Path(path or source).name else Path(path or source).name
    if found is None:
        raise UsageError("which process is it?", where="-f", todo="write its name into it: `name: NAME`")
    writing.check_name(found if isinstance(found, str) else repr(found), "-f")
    return str(found)


def _target(base: Base, name: str, path: str | None) -> tuple[str, bytes | None]:
    """Where the process goes, and what is there now."""
    found = base.paths_of(name)
    if len(found) > 1:
        raise UserError(f"{' and '.join(found)} are both {name}", where=name, todo="remove or rename one, and commit")
    if found and stem_of(found[0]) == name:
        if path not in {None, found[0]}:
            todo = f"leave --path out, or move the file with `git mv {found[0]} {path}`, and commit"
            raise UsageError(f"{name} is {found[0]} already", where="--path", todo=todo)
        return found[0], base.read(found[0])
    target = path or f"processes/{name}.yaml"
    if kind_of(target) is not Kind.PROCESS or stem_of(target) != name:
        raise UsageError(
            f"{target!r} cannot be the file of {name}", where="--path", todo=f"name processes/…/{name}.yaml"
        )
    return target, None


def _bytes(path: str, old: bytes | None, document: Given) -> bytes:
    """What the file is to hold."""
    if document.data is not None:
        return document.data
    fresh = "\n".join(yamlwrite.block(document.value)).encode() + b"\n"
    if old is None:
        return fresh
    there, _ = yamltext.read(path, old)
    known = there.value if there is not None and isinstance(there.value, dict) else {}
    implied = {"_type": "VarProcess", "_id": document.name, "name": document.name}
    value = {key: each for key, each in document.value.items() if key in known or implied.get(key) != each}
    try:
        return yamledit.become(path, old, value)
    except UserError:  # it is replaced as a whole, whatever it was
        return fresh
