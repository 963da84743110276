"""``procctl versions`` and ``procctl tags``: what a process was, and which names its versions have."""

import click

from reconciler.cli import commands, failures, output
from reconciler.cli.reading import reading
from reconciler.cli.terminal import Column
from reconciler.errors import UsageError
from reconciler.reference import parse_reference
from reconciler.store.past import Past
from reconciler.web import versions
from reconciler.web.listing import Document

_VERSIONS = [
    Column("VERSION", right=True),
    Column("COMMIT"),
    Column("AUTHOR", shrinks=True),
    Column("TIME"),
    Column("TAGS", shrinks=True),
    Column("SUBJECT", shrinks=True),
]
_DELETED = Column("DELETED", shrinks=True)
_TAGS = [
    Column("PROCESS", shrinks=True),
    Column("TAG"),
    Column("VERSION", right=True),
    Column("COMMIT"),
    Column("TAGGER", shrinks=True),
    Column("TIME"),
    Column("MESSAGE", shrinks=True),
]


@commands.command("versions")
@click.argument("key", metavar="KEY", shell_complete=commands.complete_names)
@click.option("--deleted", is_flag=True, default=False, help="Show deleted versions too, and why they are gone.")
@commands.ref_option
@commands.environment_option
@commands.output_option()
def versions_command(key: str, ref: str | None, environment: str | None, form: str, *, deleted: bool) -> int:
    """Show the versions of the process KEY, newest first, with the tags that name them."""
    name = _name(key)
    with reading(ref, environment) as at:
        made = versions.history(at.index, at.repo, name, deleted=deleted)
        _warn(at.index, name)
    found = [made.document(one) for one in made.versions]
    references = [f"{name}@{one['_version']}" for one in found]
    output.show(form, found, names=references, table=lambda: _versions(found, deleted=deleted))
    return 0


@commands.command("tags")
@click.argument("key", metavar="[KEY]", required=False, shell_complete=commands.complete_names)
@commands.ref_option
@commands.environment_option
@commands.output_option()
def tags_command(key: str | None, ref: str | None, environment: str | None, form: str) -> int:
    """Show all tags with the versions that they name, or those of the process KEY.

    A tag of the whole repository names a version of every process; with KEY it is shown which.
    """
    name = None if key is None else _name(key)
    with reading(ref, environment) as at:
        found = versions.all_tags(at.index, at.repo, name)
    names = [one["ref"].removeprefix("refs/tags/") for one in found]
    output.show(form, found, names=names, table=lambda: _tags(found))
    return 0


def _name(key: str) -> str:
    reference = parse_reference(key)
    if reference.value:
        raise UsageError(f"{key!r} is one version", todo=f"give the name alone, or see `procctl get {key}`")
    return reference.name


def _warn(index: Past, name: str) -> None:
    for one in index.ignored_marks(name):
        failures.warn(f"commit {one.commit[:12]}: the mark `{one.line}` does not hold: {one.why}")


def _versions(found: list[Document], *, deleted: bool) -> str:
    rows = []
    for one in found:
        row = [
            str(one["_version"]),
            one["_oid"][:12],
            one["_user"],
            output.brief(one["_timestamp"]),
            ", ".join(one["_tag"]) or "-",
            one["subject"],
        ]
        gone = one.get("_deleted")
        rows.append([*row, f"{gone['why']} by {gone['commit'][:12]}" if gone else "-"] if deleted else row)
    return output.table([*_VERSIONS, _DELETED] if deleted else _VERSIONS, rows, "No versions yet.")


def _tags(found: list[Document]) -> str:
    rows = [
        [
            one["name"] or "-",
            one["tag"],
            "-" if one["version"] is None else str(one["version"]),
            (one["commit"] or "-")[:12],
            one["tagger"] or "-",
            output.brief(one["time"]),
            next(iter(one["message"].splitlines()), "-"),
        ]
        for one in found
    ]
    return output.table(_TAGS, rows, "No tags: `procctl tag KEY N TAG` makes one.")
