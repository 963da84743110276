"""``procctl diff``: how two versions of a process differ, field by field."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from reconciler.cli import commands, output, plan_document, terminal, workspace
from reconciler.difference import Difference, differences
from reconciler.errors import NotFoundError, UserError
from reconciler.problem import errors
from reconciler.reference import LATEST, Reference, parse_reference
from reconciler.repo import objects
from reconciler.repo.repository import Repository
from reconciler.store.index import Index
from reconciler.sync import references
from reconciler.sync.parsing import Parser
from reconciler.sync.references import Picked
from reconciler.yamltext import LARGEST


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two: how it was asked for, what that picked, and the file there."""

    reference: str
    picked: Picked
    data: bytes
    document: dict[str, Any] | None
    wrong: str


@commands.command("diff")
@click.argument("key", shell_complete=commands.complete_names)
@click.argument("old", metavar="A")
@click.argument("new", metavar="[B]", required=False, default=LATEST)
@click.option("--yaml", "lines", is_flag=True, default=False, help="Compare the lines of the files.")
@commands.ref_option
@commands.environment_option
@commands.output_option()
def diff_command(key: str, old: str, new: str, **chosen: Any) -> int:
    """Show which fields of the process KEY are otherwise in version B than in version A.

    A and B are version numbers, tags, commit ids, or ~LATEST, the current version, which is the default of B. Exits 0
    whether there are differences or not.
    """
    asked = [parse_reference(f"{key}@{written}") for written in (old, new)]
    place = workspace.open_workspace(chosen["ref"], chosen["environment"])
    workspace.announce(place)
    with place.index() as index:
        before, after = (_side(place.repo, index, reference) for reference in asked)
    if chosen["lines"]:
        for line in _lines(before, after):
            click.echo(terminal.plain(line))
        return 0
    found = differences(_document(before), _document(after))
    document = {
        "name": key,
        "old": _shown(before),
        "new": _shown(after),
        "fields": plan_document.fields(found),
    }
    output.show(
        chosen["form"], document, names=[one.field for one in found], table=lambda: _table(before, after, found)
    )
    return 0


def _side(repo: Repository, index: Index, reference: Reference) -> _Side:
    picked = references.pick(repo, index, reference)
    written = str(reference) if reference.value else f"{reference.name}@{LATEST}"
    file = next((one for one in objects.list_tree(repo, picked.commit).files if one.path == picked.path), None)
    if file is None:
        raise NotFoundError(
            f"{written} has no file", where=picked.path, todo=f"see `procctl versions {reference.name}`"
        )
    ((_, data),) = objects.read_blobs(repo, (file.blob,), LARGEST)
    parsed = Parser(repo, index, keep=False)(file)
    document = dict(parsed.document) if parsed.document is not None else None
    wrong = next((one.message for one in errors(parsed.problems)), "")
    return _Side(written, picked, data, document, wrong)


def _document(side: _Side) -> dict[str, Any]:
    if side.document is None:
        todo = "compare the lines with --yaml"
        raise UserError(f"its file has errors, so it has no fields: {side.wrong}", where=side.reference, todo=todo)
    return side.document


def _shown(side: _Side) -> dict[str, Any]:
    picked = side.picked
    return {
        "reference": side.reference,
        "version": picked.version.number if picked.version is not None else None,
        "commit": picked.commit,
        "path": picked.path,
    }


def _lines(before: _Side, after: _Side) -> Iterator[str]:
    old, new = (side.data.decode(errors="backslashreplace").splitlines() for side in (before, after))
    titles = [f"{side.reference} {side.picked.path}" for side in (before, after)]
    return difflib.unified_diff(old, new, titles[0], titles[1], lineterm="")


def _table(before: _Side, after: _Side, found: tuple[Difference, ...]) -> str:
    head = f"{_which(before)} -> {_which(after)}"
    lines = [terminal.plain(one.text()) for one in found] or ["no field differs"]
    return "\n".join([head, *(f"  {line}" for line in lines)])


def _which(side: _Side) -> str:
    version = side.picked.version
    number = f"version {version.number}" if version is not None else "no version"
    return f"{side.reference} ({number}, {side.picked.commit[:12]})"
