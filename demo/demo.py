"""The main job, shown: a commit with a process goes in, records come out on disk, on a branch and over HTTP.

Everything happens in a temporary folder and on loopback; the rates come from the sample beside this file. With --keep
the reconciler stays when this script ends.
"""
# ruff: noqa: INP001, S603, S607, T201 - a script that runs procctl and git and shows what they print

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

HERE = Path(__file__).resolve().parent
PROCESSES = HERE.parent / "processes"
SAMPLE = "eurofxref-2021-07-01.xml"
T = TypeVar("T")
PATIENCE = 30.0
"""Seconds to wait for one step before the demo calls itself failed."""

TICK = """\
# yaml-language-server: $schema=../schemas/process.schema.json
service: demo
description: Say what time it is, every five seconds
script: tick.sh
every: 5s
"""
TICK_SCRIPT = """\
#!/bin/sh
echo "slot $PROCCTL_SLOT, on this machine it is $(date)"
"""


def main() -> int:
    """Show the main job; 0 where all of it worked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the reconciler running, and the folder in place")
    keep = parser.parse_args().keep
    folder = Path(tempfile.mkdtemp(prefix="procctl-demo-"))
    try:
        with reconciler(make(folder / "processes"), keep=keep) as (root, address, pid):
            show(root, address)
            print(
                f"\nThe page: {address}/" + ("" if keep else " (until this demo ends: `make demo KEEP=1` leaves it on)")
            )
            suggest(root, pid if keep else None)
    finally:
        if not keep:
            shutil.rmtree(folder)
    return 0


def make(root: Path) -> Path:
    """Make a process repository with the example of this project, reading the sample instead of the network."""
    step("A process repository, with the example ECB_FX")
    run("procctl", "init", str(root))
    shutil.copy(HERE / SAMPLE, root / SAMPLE)
    shutil.copytree(PROCESSES, root / "processes", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    process = root / "processes" / "ECB_FX.yaml"
    written = process.read_text()
    url = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"
    process.write_text(written.replace(url, (root / SAMPLE).as_uri()))
    commit(root, "Load the rates of the European Central Bank")
    run("procctl", "validate", "--strict", cwd=root)
    run("procctl", "list", cwd=root)
    return root


@contextlib.contextmanager
def reconciler(root: Path, *, keep: bool) -> Iterator[tuple[Path, str, int]]:
    """Run a daemon with its HTTP view on a free port; end it, unless it is kept or to be looked at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{free.getsockname()[1]}"
    step("The reconciler, with its page")
    log = root.parent / "daemon.log"
    command = ["procctl", "daemon", "--http", at]
    print(f"$ {' '.join(command)} &")
    with log.open("wb") as file:
        daemon = subprocess.Popen(command, cwd=root, stdout=file, stderr=file, start_new_session=True)
    try:
        wait(lambda: ready(f"http://{at}/readyz", daemon), f"the daemon to be ready; it said:\n{log.read_text()}")
        yield root, f"http://{at}", daemon.pid
    except BaseException:
        print(log.read_text(), file=sys.stderr)
        stop(daemon)
        raise
    if not keep:
        stop(daemon)


def show(root: Path, address: str) -> None:
    """Commit a process that is due at once, run another by hand, and show what is left behind."""
    step("A commit: from now on TICK is due every five seconds")
    (root / "processes" / "TICK.yaml").write_text(TICK)
    script = root / "processes" / "scripts" / "tick.sh"
    script.write_text(TICK_SCRIPT)
    script.chmod(0o755)
    commit(root, "Tick every five seconds")
    run("procctl", "next", "TICK", "-n", "3", cwd=root)

    step("ECB_FX by hand")
    run("procctl", "run", "ECB_FX", "--reason", "demo", cwd=root)

    step("The record of TICK, started by its schedule")
    tick = wait(lambda: finished(root, "TICK"), "TICK to run on schedule")
    print(tick.read_text())
    step("The record of ECB_FX, started by hand")
    rates = wait(lambda: finished(root, "ECB_FX"), "the record of ECB_FX")
    print(rates.read_text())
    check(json.loads(tick.read_text()), trigger="scheduled", status="success")
    check(json.loads(rates.read_text()), trigger="manual", loaderMessage="Updated 32 series for 2021-07-01")

    step("The branch of records")
    wait(lambda: published(root, rates), "the records to be on the branch executions")
    run("git", "log", "--oneline", "--stat=100", "executions", "--", cwd=root)

    step("The same over HTTP")
    url = f"{address}/api/process-exec/v1?name=ECB_FX"
    print(f"$ curl '{url}'")
    (over_http,) = json.loads(get(url))
    check(over_http, name="ECB_FX", status="success")
    print(f"{len(over_http['phases'])} phases, {over_http['loaderMessage']!r}")


def suggest(root: Path, pid: int | None) -> None:
    """Say what to try next."""
    print("\nWhat to try next:")
    if pid is None:
        print("  make demo KEEP=1         leaves the reconciler running, to look around")
        print("  procctl init my-jobs     begins a repository of your own; docs/tutorial.md takes five minutes")
        return
    print(f"  cd {root}; PATH={Path(shutil.which('procctl') or '').parent}:$PATH")
    print("  edit processes/TICK.yaml and commit: the change is in force at once")
    print("  break it and commit: its last valid version stays in force, and the page says why")
    print("  procctl status; procctl executions; git log executions --")
    print(f"  kill {pid}; rm -r {root.parent}     when you have seen enough")


def run(*command: str, cwd: Path | None = None) -> None:
    """Show a command and what it prints; a failure ends the demo."""
    print(f"$ {' '.join(command)}", flush=True)
    subprocess.run(command, cwd=cwd, check=True)


def commit(root: Path, message: str) -> None:
    """Commit everything, whoever the user is."""
    person = ["-c", "user.name=procctl demo", "-c", "user.email=demo@example.org", "-c", "commit.gpgSign=false"]
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    subprocess.run(["git", *person, "commit", "--quiet", "--message", message], cwd=root, check=True)
    print(f"$ git commit --message {message!r}")


def finished(root: Path, name: str) -> Path | None:
    """Find the first record of a process that has ended."""
    records = sorted(root.glob(f"executions/*/*/*/{name}/*.json"))
    return next((path for path in records if json.loads(path.read_text())["status"] in {"success", "failed"}), None)


def published(root: Path, record: Path) -> bool:
    """Whether a record is on the branch, at the path it has on disk."""
    path = record.relative_to(root / "executions").as_posix()
    asked = ["git", "cat-file", "-e", f"executions:{path}"]
    return subprocess.run(asked, cwd=root, check=False, stderr=subprocess.DEVNULL).returncode == 0


def ready(url: str, daemon: "subprocess.Popen[bytes]") -> bool:
    """Whether the daemon says that its loop turns."""
    if daemon.poll() is not None:
        raise SystemExit(f"the daemon ended with {daemon.returncode}")
    try:
        get(url)
    except OSError:
        return False
    return True


def get(url: str) -> bytes:
    """GET from loopback, whatever proxy the environment names."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        body: bytes = answer.read()
        return body


def wait(ask: Callable[[], T | None], what: str) -> T:
    """Ask until there is an answer."""
    until = time.monotonic() + PATIENCE
    while not (answer := ask()):
        if time.monotonic() > until:
            raise SystemExit(f"waited {PATIENCE:.0f} s for {what}")
        time.sleep(0.1)
    return answer


def check(record: dict[str, Any], **expected: str) -> None:
    """End the demo where a record does not say what it should."""
    wrong = {key: record.get(key) for key, value in expected.items() if record.get(key) != value}
    if wrong:
        raise SystemExit(f"expected {expected}, got {wrong}")


def stop(daemon: "subprocess.Popen[bytes]") -> None:
    """Ask the daemon to end; insist after a while."""
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(daemon.pid, signal.SIGKILL)


def step(title: str) -> None:
    """Begin a part."""
    print(f"\n== {title}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
