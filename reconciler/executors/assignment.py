"""From a record to a job: everything a runner needs is resolved here, once, whoever starts it."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.execution import Execution
from reconciler.repo import checkout
from reconciler.repo.repository import Repository
from reconciler.runner import environment
from reconciler.runner.job import Job
from reconciler.snapshot import Resolved
from reconciler.store.layout import Layout
from reconciler.sync.selection import given_input


def assign(
    repo: Repository,
    layout: Layout,
    execution: Execution,
    resolved: Resolved,
    environ: Mapping[str, str],
    wake: Path | None,
) -> Job:
    """Make the job of an execution whose record exists; the scripts of its commit are checked out if they are not.

    Raises ``UserError`` where the input does not fit the workflow, or the scripts cannot be checked out.
    """
    process = resolved.process
    return Job(
        id=execution.id,
        record=layout.record(execution),
        layout=layout,
        tree=checkout.ensure(repo, resolved.scripts_tree, layout.checkouts),
        phases=resolved.phases,
        input=given_input(resolved, execution.body),
        settings=process.settings,
        timeout=process.timeout,
        wake=wake,
        environ=environment.base(environ),
    )
