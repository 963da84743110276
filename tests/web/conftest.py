"""What the tests of the view share: asking an application with exactly the bytes that a server would hand over."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message

from reconciler import instant, record, yamltext
from reconciler.execution import Execution, Outcome, Status, Trigger, change_phase, finish, running, start_phase
from reconciler.repo import objects
from reconciler.repo.repository import open_repository
from reconciler.store import records
from reconciler.store.catalog import ProcessRow
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.store.rows import Row
from reconciler.sync import versions
from reconciler.version import name_of
from reconciler.web.app import create
from reconciler.web.sources import Sources


@dataclass(frozen=True)
class Answer:
    """One answer: status, headers (lower case) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which has to be JSON."""
        return json.loads(self.body)

    def check_problem(self) -> dict[str, Any]:
        """Hold the body and the header of a failure together, as RFC 9457 and the service's clients read them."""
        problem: dict[str, Any] = self.json
        assert self.headers["content-type"] == "application/problem+json"
        assert problem["status"] == self.status
        assert {"type", "title", "status", "detail", "instance", "code"} <= problem.keys()
        assert self.headers["x-odsl-error"].startswith(f"[{problem['code']}] ")
        return problem


Ask = Callable[..., Answer]


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Ask with exactly these bytes as path; clients tidy what they send."""

    def ask(app: ASGIApp, raw_path: bytes, method: str = "GET", **headers: str) -> Answer:
        messages: list[Message] = []

        async def send(message: Message) -> None:
            messages.append(message)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        sent = {"host": "localhost"} | {name.replace("_", "-"): value for name, value in headers.items()}
        path, _, query = raw_path.partition(b"?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path.decode(errors="replace"),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items() if value],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 7071),
        }

        async def run() -> None:
            await app(scope, receive, send)

        asyncio.run(run())
        start = messages[0]
        answered = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], answered, b"".join(message.get("body", b"") for message in messages[1:]))

    return ask


NOW = datetime(2021, 7, 23, 12, 0, tzinfo=UTC)


class Stage:
    """A process repository with an index as a reconciler leaves it, and the application that shows it."""

    def __init__(self, workshop: Any, records: Path) -> None:
        self.workshop = workshop
        self.repository = open_repository(workshop.root, os.environ)
        self.layout = Layout.of(self.repository.common_dir, records, "production")
        self.index = Index.open(self.layout.index, environment="production", release="test")
        self.sources = Sources(self.repository, self.layout, "refs/heads/main")
        self.now = NOW
        self.app = create(self.sources, hosts=(), clock=lambda: self.now)

    def close(self) -> None:
        """Close what is open."""
        self.sources.close()
        self.index.close()

    def apply(self, **changes: dict[str, Any]) -> str:
        """Index what HEAD declares, every process valid and in force; ``changes`` are fields of rows by name."""
        head: str = self.workshop.git("rev-parse", "HEAD")
        versions.extend(self.repository, self.index, head)
        rows = []
        for file in objects.list_tree(self.repository, head).files:
            name = name_of(file.path)
            if name is None:
                continue
            data = objects.read_file(self.repository, head, file.path)
            document, _ = yamltext.read(file.path, data or b"")
            value = document.value if document is not None else {}
            version = self.index.current_version(name)
            row = ProcessRow(name, file.path, file.blob, head, version.number if version else None, value)
            rows.append(replace(row, **changes.get(name, {})))
        self.index.replace_processes(rows)
        self.index.replace_problems(problem for row in rows for problem in row.problems)
        self.index.set_meta("applied", head)
        return head

    def record(self, execution: Execution, *, write: bool = True) -> Path:
        """Write an execution's record, and copy it into the index."""
        path = self.layout.record(execution)
        if write:
            records.write(self.layout, execution, durable=False)
        data = record.encode(record.to_document(execution))
        self.index.upsert_executions([Row.of(path.relative_to(self.layout.records).as_posix(), data)])
        return path


@pytest.fixture
def stage(workshop: Any) -> Iterator[Stage]:
    """An empty repository with an empty index."""
    workshop.commit()
    made = Stage(workshop, workshop.root / "executions")
    yield made
    made.close()


def execution(number: int, **changes: Any) -> Execution:
    """One scheduled execution of ECB_FX at 16:30 on the ``number``-th of July 2021; later ones are newer."""
    at = datetime(2021, 7, number, 16, 30, tzinfo=UTC)
    begun = Execution(
        id=f"{number:08d}-0000-5000-8000-000000000000",
        service="ETL",
        name="ECB_FX",
        environment="production",
        trigger=Trigger.SCHEDULED,
        reason=f"crontab(ECB_FX,{instant.javascript(at)})",
        trigger_time=at,
        version=1,
        commit="0" * 40,
        host="here",
    )
    return replace(begun, **changes)


@pytest.fixture(scope="session")
def triggered() -> Callable[..., Execution]:
    """Make executions that have not started."""
    return execution


@pytest.fixture(scope="session")
def finished() -> Callable[..., Execution]:
    """Make executions that ran one phase for some seconds."""

    def finished(number: int, outcome: Outcome = Outcome.SUCCESS, seconds: float = 7.5, **changes: Any) -> Execution:
        begun = execution(number, **changes)
        start = begun.trigger_time + timedelta(milliseconds=40)
        end = start + timedelta(seconds=seconds)
        at = running(begun, start, host="here", run_as="ada")
        at = start_phase(at, "EXTRACT", start)
        line = instant.log_line(int(start.timestamp() * 1e9), "info", "Completed EXTRACT")
        status = Status.SUCCESS if outcome is Outcome.SUCCESS else Status.FAILED
        at = change_phase(at, 0, status=status, message="Completed EXTRACT", end=end, log=(line,))
        return finish(at, outcome, end)

    return finished


ECB = """\
service: ETL
description: Reference rates
script: load.py
cron: 30 16 * * *
input: {url: "https://example.org/rates.xml", deep: {list: [1, 2]}}
tags: [fx, daily]
"""


@pytest.fixture
def served(stage: Stage, finished: Any) -> Any:
    """Two processes, one of them with two versions, and three executions."""
    stage.workshop.commit({"processes/etl/ECB_FX.yaml": ECB, "processes/TEST.yaml": "script: test.py\n"}, "Begin")
    stage.workshop.commit({"processes/etl/ECB_FX.yaml": ECB.replace("30 16", "45 16")}, "Later")
    stage.apply()
    for day in (1, 2, 3):
        stage.record(finished(day))
    return stage
