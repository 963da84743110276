"""Black box: the installed ``procctl`` on real repositories; what comes out is read from files, git and HTTP."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import urlopen

import pytest

PROCCTL = Path(sys.executable).with_name("procctl")
PATIENCE = 30.0
T = TypeVar("T")


class Site:
    """A process repository with a reconciler that may be started, killed and asked."""

    def __init__(self, workshop: Any) -> None:
        self.workshop = workshop
        self.root: Path = workshop.root
        self.daemons: list[subprocess.Popen[bytes]] = []
        self.log = self.root.parent / "daemon.log"

    def wait_for(self, question: Callable[[], T]) -> T:
        """Ask until the answer is true; fail loudly after a long time."""
        deadline = time.monotonic() + PATIENCE
        while not (answer := question()):
            assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s in vain:\n{self.said()}"
            time.sleep(0.02)
        return answer

    def said(self) -> str:
        """What the daemons have logged so far."""
        return self.log.read_text() if self.log.exists() else ""

    def procctl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [PROCCTL, *arguments], cwd=self.root, capture_output=True, text=True, timeout=60, check=False
        )
        assert not check or done.returncode == 0, done.stderr + done.stdout
        assert "Traceback" not in done.stderr
        return done

    def start(self, *options: str, ready: bool = True) -> subprocess.Popen[bytes]:
        """Start a daemon and wait until its loop turns."""
        seen = self.said().count("ready")
        with self.log.open("a") as log:
            daemon = subprocess.Popen([PROCCTL, "daemon", *options], cwd=self.root, stderr=log)
        self.daemons.append(daemon)
        if ready:
            self.wait_for(lambda: self.said().count("ready") > seen or daemon.poll() is not None)
            assert daemon.poll() is None, self.said()
        return daemon

    def kill(self, daemon: "subprocess.Popen[bytes]") -> None:
        daemon.kill()
        daemon.wait()

    def stop(self, daemon: "subprocess.Popen[bytes]") -> None:
        daemon.terminate()
        assert daemon.wait(20) == 0, self.said()

    def records(self, name: str = "*") -> list[dict[str, Any]]:
        """Every record file, oldest first."""
        found = sorted(self.root.glob(f"executions/*/*/*/{name}/*.json"))
        return sorted((json.loads(path.read_text()) for path in found), key=lambda record: record["triggerTime"])

    def ended(self, name: str = "*") -> list[dict[str, Any]]:
        return [record for record in self.records(name) if "outcome" in record]

    def published(self) -> dict[str, dict[str, Any]]:
        """Every record on the branch, by path."""
        listed = subprocess.run(
            ["git", "ls-tree", "-r", "--name-only", "executions"],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        paths = [path for path in listed.stdout.splitlines() if not path.startswith("state/")]
        return {path: json.loads(self.workshop.git("show", f"executions:{path}")) for path in paths}

    def http(self) -> str:
        """The address of the view, from the daemon's log."""
        line = self.wait_for(lambda: next((one for one in self.said().splitlines() if "http://" in one), ""))
        return line[line.index("http://") :].split()[0].rstrip("/")

    def get(self, path: str) -> Any:
        with urlopen(self.http() + path, timeout=10) as answer:  # noqa: S310 - our own loopback address
            return json.load(answer)


@pytest.fixture
def site(workshop: Any) -> Iterator[Site]:
    """A process repository; daemons and runners are gone when the test is over."""
    made = Site(workshop)
    yield made
    for daemon in made.daemons:
        if daemon.poll() is None:
            daemon.kill()
            daemon.wait()
    for claim in made.root.glob(".git/procctl/state/*/claims/*.json"):
        try:
            os.killpg(json.loads(claim.read_text())["pid"], signal.SIGKILL)
        except (ProcessLookupError, FileNotFoundError):
            continue
