"""``procctl list`` and ``procctl get``: what is declared, and how each process stands."""

from datetime import UTC, datetime
from typing import Any

import click

from reconciler import query, yamlwrite
from reconciler.cli import commands, lists, output, workspace
from reconciler.cli.terminal import Column
from reconciler.reference import parse_reference
from reconciler.store.index import Index
from reconciler.store.rows import Latest
from reconciler.sync import collecting
from reconciler.web import overview, resources

_COLUMNS = [
    Column("NAME"),
    Column("SERVICE", shrinks=True),
    Column("VERSION", shrinks=True, right=True),
    Column("STATE"),
    Column("LAST RUN", shrinks=True),
    Column("OUTCOME", shrinks=True),
    Column("NEXT RUN", shrinks=True),
    Column("PROBLEM", shrinks=True),
]


@commands.command("list")
@commands.where_option
@commands.ref_option
@commands.environment_option
@commands.output_option()
def list_command(filters: lists.Parameters, ref: str | None, environment: str | None, form: str) -> int:
    """List the processes of the followed branch, as they are in force."""
    asked = lists.paged(filters, form, query.ALL)
    place = workspace.open_workspace(ref, environment)
    workspace.announce(place)
    now = datetime.now(UTC)
    with place.index() as index, collecting.paused():
        found = resources.processes(index, place.repo, asked, now, tags=form in ("json", "yaml")).items
        names = [document["name"] for document in found] if form == "name" else []
        output.show(form, found, names=names, table=lambda: _table(index, found, now))
    return 0


@commands.command("get")
@click.argument("key", metavar="KEY[@REF]", shell_complete=commands.complete_names)
@commands.ref_option
@commands.environment_option
@commands.output_option("yaml")
def get_command(key: str, ref: str | None, environment: str | None, form: str) -> int:
    """Show the process KEY as it is in force, or as REF says: a version number, a tag, a commit id, or ~LATEST."""
    reference = parse_reference(key)
    place = workspace.open_workspace(ref, environment)
    workspace.announce(place)
    with place.index() as index:
        document = resources.process(index, place.repo, reference, datetime.now(UTC)).document
    output.show(form, document, names=[reference.name], table=lambda: _fields(document))
    return 0


def _table(index: Index, found: list[dict[str, Any]], now: datetime) -> str:
    last = index.last_of(document["name"] for document in found)
    known = {row.name: row for row in index.processes()}
    rows = []
    for document in found:
        name = document["name"]
        row = known.get(name)
        if row is None:
            continue  # removed since the list was read
        entry = overview.entry(row, last.get(name, Latest()), index.environment, now)
        shown = entry["last"] or {}
        version = document.get("_version")
        rows.append(
            [
                name,
                document.get("service", "default"),
                "-" if version is None else str(version),
                str(entry["state"]),
                output.brief(shown.get("triggerTime")),
                str(shown.get("outcome", "-")),
                output.brief(document.get("nextRun")),
                entry["why"],
            ]
        )
    return output.table(_COLUMNS, rows, "No processes: write processes/NAME.yaml and commit it.")


def _fields(document: dict[str, Any]) -> str:
    rows = [[key, value if isinstance(value, str) else yamlwrite.in_line(value)] for key, value in document.items()]
    return output.table([Column("FIELD"), Column("VALUE", shrinks=True)], rows, "")
