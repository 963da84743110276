"""A repository with its record files and its index, as a reconciler has them."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler import record
from reconciler.execution import Execution, Outcome, Trigger, finish, running
from reconciler.repo import publish
from reconciler.repo.repository import Repository, open_repository
from reconciler.store import records as record_files
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.sync import publishing, records

SLOT = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)
NOW = datetime(2021, 7, 1, 17, 0, tzinfo=UTC)


class Archive:
    """The records of one repository: files, branch and index."""

    def __init__(self, root: Path, environment: str = "production") -> None:
        self.root = root
        self.repo: Repository = open_repository(root, os.environ)
        self.layout = Layout.of(self.repo.common_dir, root / "executions", environment)
        self.index = Index.open(self.layout.index, environment=environment, release="1")

    def make(self, **chosen: Any) -> Execution:
        """Make a triggered execution without writing it."""
        fields: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "service": "ETL",
            "name": "ECB_FX",
            "environment": self.layout.environment,
            "trigger": Trigger.SCHEDULED,
            "reason": "every(ECB_FX,5s,2021-07-01T16:30:00Z)",
            "trigger_time": SLOT,
            "commit": "c" * 40,
            "host": "alpha",
        }
        return Execution(**fields | chosen)

    def write(self, execution: Execution) -> Path:
        """Write a record's file and tell the index, as whoever made it does; give the file."""
        path = self.layout.record(execution)
        record_files.write(self.layout, execution, durable=False)
        records.note(self.index, self.layout, [path])
        return path

    def ended(self, outcome: Outcome = Outcome.SUCCESS, **chosen: Any) -> Execution:
        """Write a record that has ended one second after its slot."""
        execution = self.ran(self.make(**chosen), outcome)
        self.write(execution)
        return execution

    def publish(self) -> publishing.Published:
        """Publish one batch."""
        return publishing.publish_batch(self.index, self.layout, self.repo, NOW)

    def rival(self, files: dict[str, bytes]) -> None:
        """Let another machine publish something first."""
        tip = publish.tip(self.repo)
        assert publish.commit(self.repo, tip, publish.Batch(files, "from elsewhere", NOW))

    def branch(self) -> dict[str, bytes]:
        """Everything on the branch executions, by path."""
        tip = publish.tip(self.repo)
        if tip is None:
            return {}
        names = self.repo.git.run("ls-tree", "-r", "-z", "--name-only", tip.commit).decode().split("\0")[:-1]
        return {name: publish.read(self.repo, tip, name) or b"" for name in names}

    def subjects(self) -> list[str]:
        """The subjects of the branch's commits, newest first."""
        return self.repo.git.run("log", "--format=%s", publish.BRANCH).decode().splitlines()

    def rebuilt(self) -> list[tuple[Any, ...]]:
        """The table of executions as a rebuild from branch and files makes it."""
        fresh = Index.build(self.layout.index, environment=self.layout.environment, release="1")
        with contextlib.closing(fresh):
            records.rebuild(fresh, self.layout, self.repo)
            return self.table(fresh)

    def table(self, index: Index | None = None) -> list[tuple[Any, ...]]:
        """Every column of every record in an index, by default this one's."""
        return (index or self.index)._read("SELECT * FROM executions ORDER BY path")

    def paths(self) -> dict[str, bool]:
        """The paths of all records in the index, and whether they are published."""
        return {row.path: row.published for row in self.index.executions(order="path", limit=-1)}

    def ran(self, execution: Execution, outcome: Outcome = Outcome.SUCCESS, seconds: int = 1) -> Execution:
        """Let an execution run from its trigger time on."""
        begun = running(execution, execution.trigger_time, host=execution.host or "", run_as="ada")
        return finish(begun, outcome, execution.trigger_time + timedelta(seconds=seconds), f"it was a {outcome}")

    def data(self, execution: Execution) -> bytes:
        """A record's bytes."""
        return record.encode(record.to_document(execution))

    def path(self, execution: Execution) -> str:
        """A record's path below ``executions/``, which is its path on the branch."""
        return str(record.path_of(execution))


@pytest.fixture
def archive(workshop: Any) -> Iterator[Archive]:
    workshop.commit({"README.md": "a repository\n"})
    made = Archive(workshop.root)
    with contextlib.closing(made.index):
        yield made
