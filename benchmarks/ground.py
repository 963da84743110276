"""Ground to measure on: process repositories of any size, a daemon, and what the kernel says of processes."""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

GIT = ["git", "-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"]
TICKS = os.sysconf("SC_CLK_TCK")
PROCCTL = str(Path(sys.executable).with_name("procctl"))


@contextlib.contextmanager
def repository(files: Mapping[str, str]) -> Iterator[Path]:
    """A fresh repository on the branch main with these files in one commit; a shebang gives the run bit."""
    with tempfile.TemporaryDirectory(prefix="procctl-bench-") as folder:
        root = Path(folder)
        subprocess.run([*GIT, "init", "-q", "-b", "main", folder], check=True)
        commit(root, {".gitignore": "executions/\n"} | dict(files))
        yield root


def commit(root: Path, files: Mapping[str, str]) -> str:
    """Write files and commit them; give the commit's id."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if text.startswith("#!"):
            file.chmod(0o755)
    subprocess.run([*GIT, "-C", root, "add", "-A"], check=True)
    subprocess.run([*GIT, "-C", root, "commit", "-qm", "Change"], check=True)
    return subprocess.run(
        [*GIT, "-C", root, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()


class Daemon:
    """A running ``procctl daemon`` and its log."""

    def __init__(self, root: Path, *options: str) -> None:
        self.log = root.with_suffix(".log")
        self.started = time.monotonic()
        with self.log.open("w") as log:
            self.process = subprocess.Popen([PROCCTL, "--repo", root, "daemon", *options], stderr=log)

    def wait_for(self, text: str, seconds: float = 60) -> float:
        """Wait until the log says ``text``; give the seconds since the daemon was started."""
        deadline = time.monotonic() + seconds
        while text not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the daemon never said {text!r}:\n{self.log.read_text()}")
            time.sleep(0.002)
        return time.monotonic() - self.started

    def family(self) -> list[int]:
        """The daemon's process, those it started, and those that they did: launcher and runners."""
        found = [self.process.pid]
        for pid in found:
            found += children(pid)
        return found

    def stop(self) -> None:
        """End it cleanly."""
        self.process.terminate()
        self.process.wait(30)
        self.log.unlink()


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, user and system, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_mib(pid: int) -> float:
    """Proportional set size of a process in MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no PSS for {pid}")


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def row(name: str, value: str, aim: str, *, met: bool) -> None:
    """Print one line of the table."""
    print(f"{name:<58} {value:>16} {aim:>22}   {'ok' if met else 'MISSED'}", flush=True)


def median(values: list[float]) -> float:
    """The middle of the values."""
    return statistics.median(values)
