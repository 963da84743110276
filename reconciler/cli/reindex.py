"""``procctl reindex``: build the index anew from git, the branch of records, and the record files."""

from contextlib import ExitStack

import click

from reconciler.cli import commands, failures, terminal, workspace
from reconciler.store.index import Index
from reconciler.sync import parsing, records


@commands.command("reindex")
@commands.ref_option
@commands.environment_option
def reindex_command(ref: str | None, environment: str | None) -> int:
    """Rebuild the index, which is a copy of what git and the record files say; nothing else is touched.

    A reconciler that is at work goes on, and takes the new index up.
    """
    place = workspace.open_workspace(ref, environment)
    workspace.announce(place)
    path = place.layout.index
    with ExitStack() as whole_or_nothing:
        index = Index.build(path, environment=place.layout.environment, release=parsing.release())
        whole_or_nothing.callback(index.path.unlink, missing_ok=True)
        whole_or_nothing.callback(index.close)
        applied = place.apply(index)
        found = records.rebuild(index, place.layout, place.repo)
        total = index.count()
        index.install(path)
    for file, why in sorted(found.faults.items()):
        failures.warn(f"{file}: {why}")
    processes = len(applied.snapshot.processes)
    click.echo(terminal.plain(f"Indexed {processes} processes and {total} records in {path}"))
    return 0
