"""``procctl plan``: what a range of commits would do, before it is merged."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler.cli import commands, failures, formats, plan_blocks, plan_document, report
from reconciler.cli.report import Report
from reconciler.errors import ProcctlError
from reconciler.problem import errors
from reconciler.repo.repository import Repository, open_repository
from reconciler.settings import ENVIRONMENT
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.sync import comparison, parsing, snapshots
from reconciler.sync.comparison import Comparison


@commands.command("plan")
@click.argument("span", metavar="[BASE..HEAD]", required=False, default=None)
@commands.ref_option
@commands.environment_option
@formats.option
def plan_command(span: str | None, ref: str | None, environment: str | None, form: str) -> int:
    """Show what the commits BASE..HEAD do to processes, and to the time at which they run.

    BASE...HEAD begins where HEAD left BASE. A single revision, by default HEAD, is compared with where it left the
    followed branch. Nothing is written, and no reconciler is needed. Exits 1 where HEAD has errors that BASE has not.
    """
    repo = open_repository(commands.chosen_repo() or Path(), os.environ)
    found = comparison.span(repo, span, lambda: snapshots.follow(repo, None, ref))
    if found.base == found.head:
        failures.note(f"{found.head_name} has nothing that {found.base_name} has not: name both, as main..feature")
    chosen = environment or snapshots.settings_at(repo, None, found.head).environment or ENVIRONMENT
    with _index(repo, chosen) as index:
        compared = comparison.compare(repo, index, found, datetime.now(UTC), chosen)
    formats.show(_report(compared), form)
    return failures.FAILED if errors(compared.preview.new) else 0


@contextmanager
def _index(repo: Repository, environment: str) -> Iterator[Index | None]:
    """Open the index that is there, for reading; whatever keeps it from being read, it does without."""
    path = Layout.of(repo.common_dir, None, environment).index
    try:
        index = Index.open_readonly(path, environment=environment, release=parsing.release())
    except ProcctlError:
        yield None
        return
    with closing(index):
        yield index


def _report(compared: Comparison) -> Report:
    return Report(
        "plan",
        plan_blocks.summary(compared.preview),
        (*report.findings(compared.preview.new), *plan_blocks.notices(compared.preview)),
        plan_document.to_document(compared),
        plan_blocks.blocks(compared),
        compared.warnings,
    )
