"""Reading versions: ``procctl versions`` of a process with 1,000 of them, and ``/KEY/*`` over HTTP."""

import contextlib
import http.client
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from ground import PROCCTL, percentile, row
from past import BUSY, repository

COMMANDS = 25
REQUESTS = 1000
NOTHING = [sys.executable, "-c", "pass"]


def main() -> None:
    """Print the table for 100,000 commits of 10,000 processes in 100 folders."""
    with repository(10_000, 100, 100_000) as root:
        subprocess.run([PROCCTL, "--repo", root, "versions", BUSY], check=True, capture_output=True)
        rows(root)


def rows(root: Path) -> None:
    """Measure in a repository of ``past``, whose index is up to date."""
    listed = subprocess.run([PROCCTL, "--repo", root, "versions", BUSY], check=True, capture_output=True)
    count = len(listed.stdout.splitlines()) - 1
    nothing = fastest(NOTHING)
    beyond = (fastest([PROCCTL, "--repo", str(root), "versions", BUSY]) - nothing) * 1000
    name = f"versions of a process with {count}, beyond the interpreter"
    row(name, f"{beyond:.0f} ms", "< 100 ms", met=beyond < 100)
    row("  raw: the interpreter, fastest", f"{nothing * 1000:.0f} ms", "", met=True)
    with served(root) as port:
        names = [one["_id"] for one in ask(port, "/api/process/v1?_limit=-1")[1]]
        dice = random.Random(1)  # noqa: S311 - the same questions each time
        took = [ask(port, f"/api/process/v1/{dice.choice(names)}/*")[0] * 1000 for _ in range(REQUESTS)]
        late = percentile(took, 0.99)
        row("/KEY/* of any process, 99th percentile", f"{late:.1f} ms", "< 20 ms", met=late < 20)
        row("  median", f"{percentile(took, 0.5):.1f} ms", "", met=True)
        took = [ask(port, f"/api/process/v1/{BUSY}/*")[0] * 1000 for _ in range(REQUESTS // 5)]
        late = percentile(took, 0.99)
        row(f"/KEY/* of the one with {count}, 99th percentile", f"{late:.1f} ms", "< 20 ms", met=late < 20)


def fastest(command: list[str]) -> float:
    """The shortest of some runs in seconds: what a command takes by itself, whatever else the machine does."""
    took = []
    for _ in range(COMMANDS):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        took.append(time.perf_counter() - begun)
    return min(took)


@contextlib.contextmanager
def served(root: Path) -> Iterator[int]:
    """Serve the view on a free port."""
    command = [PROCCTL, "--repo", str(root), "serve", "--http", "127.0.0.1:0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        line = next(line for line in cast("IO[str]", process.stderr) if "http://" in line)
        yield int(line.rstrip().rstrip("/").rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(30)


def ask(port: int, path: str) -> tuple[float, list[dict[str, str]]]:
    """Ask for a list; give the seconds and the list."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begun = time.perf_counter()
    connection.request("GET", path)
    body = connection.getresponse().read()
    took = time.perf_counter() - begun
    connection.close()
    return took, json.loads(body)


if __name__ == "__main__":
    main()
