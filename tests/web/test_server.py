"""The view as it runs: a process with a socket, that ends when it is told to."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.web.edge import HEADERS

PROGRAM = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from reconciler.repo.repository import open_repository
from reconciler.store.layout import Layout
from reconciler.web.binding import parse
from reconciler.web.server import serve
from reconciler.web.sources import Sources
repository = open_repository(Path(sys.argv[1]), os.environ)
layout = Layout.of(repository.common_dir, repository.worktree / "executions", "production")
sources = Sources(repository, layout, "refs/heads/main")
serve(sources, parse(sys.argv[2]), clock=lambda: datetime.now(UTC), announce=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def start(root: Path, address: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PROGRAM, str(root), address]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)


def url_of(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


@pytest.fixture
def server(stage: Any) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A view of one process, on a port of the system's choice."""
    stage.workshop.commit({"processes/A.yaml": "script: a.py\n"})
    stage.apply()
    with start(stage.workshop.root, "127.0.0.1:0") as child:
        yield child, url_of(child)
        child.kill()


def raw(url: str, request: bytes) -> bytes:
    """Send exactly these bytes and read the answer to its end."""
    host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_it_answers_over_a_socket_and_ends_cleanly(server: Any) -> None:
    child, url = server
    with urllib.request.urlopen(f"{url}api/process/v1", timeout=10) as answer:  # noqa: S310 - our own address
        assert [one["_id"] for one in json.loads(answer.read())] == ["A"]
        assert answer.headers["x-total-count"] == "1"
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert {name: headers.get(name) for name in HEADERS} == HEADERS | {"cache-control": "no-cache"}
        assert "server" not in {name.lower() for name in answer.headers}
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=10)
    assert (child.returncode, out, err) == (0, "ended\n", "")


def test_raw_requests(server: Any) -> None:
    for line, status in (
        (b"HEAD / HTTP/1.1", b"200"),
        (b"GET /api/process/v1/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1", b"400"),
        (b"GET /api/process/v1/%252e%252e/x HTTP/1.1", b"400"),
        (b"GET /../../../../etc/passwd HTTP/1.1", b"400"),
        (b"GET //etc/passwd HTTP/1.1", b"400"),
        (b"GET http://evil.example/ HTTP/1.1", b"400"),
        (b"GET /%00 HTTP/1.1", b"400"),
        (b"GET /na\xc3\xafve HTTP/1.1", b"400"),
        (b"OPTIONS * HTTP/1.1", b"400"),
        (b"POST /api/process-exec/v1 HTTP/1.1", b"405"),
        (b"NONSENSE / HTTP/1.1", b"405"),
    ):
        answer = raw(server[1], line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.split()[1] == status, line
        assert b"root:" not in body
        if line.startswith(b"HEAD"):
            assert body == b""
    answer = raw(server[1], b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"x-odsl-error: [4002]" in answer


def test_ctrl_c_reaches_the_caller(server: Any) -> None:
    child, _ = server
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=10)
    assert "KeyboardInterrupt" in err
