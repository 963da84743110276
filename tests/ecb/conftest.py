"""The scripts of the ECB example, run by path as a runner does, and a web server for them to ask."""

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "processes" / "scripts" / "etl"
CERTIFICATE = Path(__file__).with_name("localhost.pem")


@dataclass(frozen=True)
class Ran:
    """What one script did: its exit code, its report, and what it printed."""

    code: int
    lines: list[dict[str, Any]]
    printed: str

    def all(self, key: str) -> list[Any]:
        """Give what was reported under a key, line by line."""
        return [line[key] for line in self.lines if key in line]


@dataclass
class Phases:
    """One execution's work and data folders, and the outputs so far."""

    folder: Path
    input: dict[str, Any] = field(default_factory=lambda: {"tx": "#ECB_FX"})
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def run(self, script: str, **given: Any) -> Ran:
        """Run a script with this input beside what is there."""
        self.work.mkdir(exist_ok=True, parents=True)
        self.data.mkdir(exist_ok=True)
        (self.folder / "input.json").write_text(json.dumps(self.input | given | {"outputs": self.outputs}))
        report = self.folder / "report.jsonl"
        report.write_text("")
        environment = {
            "PATH": os.environ["PATH"],
            "SSL_CERT_FILE": str(CERTIFICATE),
            "PROCCTL_INPUT": str(self.folder / "input.json"),
            "PROCCTL_REPORT": str(report),
            "PROCCTL_DATA": str(self.data),
            "PROCCTL_EXECUTION_ID": "05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6",
        }
        done = subprocess.run(
            [sys.executable, SCRIPTS / script],
            cwd=self.work,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Ran(done.returncode, [json.loads(line) for line in report.read_text().splitlines()], done.stdout)

    def transform(self, document: str | bytes) -> Ran:
        """Run TRANSFORM on a document."""
        self.work.mkdir(exist_ok=True, parents=True)
        (self.work / "document.xml").write_bytes(document.encode() if isinstance(document, str) else document)
        self.outputs["EXTRACT"] = {"document": "document.xml"}
        return self._keep("TRANSFORM", self.run("transform_ecb.py"))

    def send(self) -> Ran:
        """Run SEND."""
        return self._keep("SEND", self.run("send_batch.py"))

    def load(self, **given: Any) -> Ran:
        """Run LOAD."""
        return self.run("load_series.py", **given)

    def _keep(self, phase: str, ran: Ran) -> Ran:
        self.outputs[phase] = {key: value for output in ran.all("output") for key, value in output.items()}
        return ran


@pytest.fixture
def phases(tmp_path: Path) -> Phases:
    return Phases(tmp_path / "execution")


Answer = tuple[int, Mapping[str, str], bytes]


@pytest.fixture
def https() -> Iterator[Callable[[Mapping[str, Answer]], str]]:
    """Serve answers by path over https on localhost; called with them, gives the address to put before a path."""
    servers = []

    def serve(answers: Mapping[str, Answer]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                code, headers, body = answers[self.path]
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is a test's point
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return f"https://localhost:{server.server_address[1]}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
