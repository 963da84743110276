"""What the tests of the view share: asking an application with exactly the bytes that a server would hand over."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.types import ASGIApp, Message


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
        asyncio.run(app(scope, receive, send))
        start = messages[0]
        answered = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], answered, b"".join(message.get("body", b"") for message in messages[1:]))

    return ask
