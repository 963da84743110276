"""10,000 processes: first start, later starts, one change in force, idle CPU, memory."""

import shutil
import subprocess
import time
from pathlib import Path

from ground import GIT, Daemon, commit, cpu_seconds, median, pss_mib, repository, row

COUNT = 10_000
IDLE_SECONDS = 20
TRIES = 5


def process(number: int, description: str = "Nothing") -> str:
    """One process of the kind people write: a daily schedule of its own, an input, tags."""
    return (
        f"service: ETL\ndescription: {description}\nscript: nothing.sh\n"
        f'cron: "{number % 60} {number // 60 % 24} * * MON-FRI"\ntimezone: Europe/Berlin\n'
        f"input: {{url: 'https://example.org/{number}', size: {number}}}\ntags: [bench, t{number % 10}]\n"
    )


def raw_listing(root: Path) -> float:
    """What git itself needs to list the tree, in seconds."""
    begun = time.perf_counter()
    subprocess.run([*GIT, "-C", root, "ls-tree", "-r", "-z", "HEAD"], check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    """Print the table."""
    made = {f"processes/group{number % 100:02}/P{number:05}.yaml": process(number) for number in range(COUNT)}
    with repository(made | {"processes/scripts/nothing.sh": "#!/bin/sh\n:\n"}) as root:
        listing = raw_listing(root)
        row("raw: git ls-tree -r of the tree", f"{listing * 1000:.0f} ms", "", met=True)
        first = start(root)
        row(f"{COUNT} processes, first start", f"{first:.2f} s", "< 12 s", met=first < 12)
        later = median([start(root) for _ in range(TRIES)])
        row("later start, median", f"{later:.2f} s", "< 1 s", met=later < 1)
        row("  of git's own listing", f"{later / listing:.0f} x", "", met=True)
        daemon = Daemon(root)
        daemon.wait_for("ready")
        changes = [in_force(root, daemon, number) for number in range(TRIES)]
        change = median(changes) * 1000
        row("one changed process in force after the commit, median", f"{change:.0f} ms", "< 200 ms", met=change < 200)
        row("  the first after a start", f"{changes[0] * 1000:.0f} ms", "< 200 ms", met=changes[0] < 0.2)
        idle(daemon)
        daemon.stop()
        shutil.rmtree(root / ".git" / "procctl")


def start(root: Path) -> float:
    """Start a daemon, wait until it is ready, stop it; give the seconds."""
    daemon = Daemon(root)
    seconds = daemon.wait_for("ready")
    daemon.stop()
    return seconds


def in_force(root: Path, daemon: Daemon, number: int) -> float:
    """Commit a change of one process; give the seconds until the daemon has applied it."""
    made = commit(root, {f"processes/group{number:02}/P{number:05}.yaml": process(number, f"Change {number}")})
    begun = time.monotonic()
    daemon.wait_for(f"applied {made[:12]}")
    return time.monotonic() - begun


def idle(daemon: Daemon) -> None:
    """Measure CPU and memory of a daemon with nothing to do."""
    time.sleep(5)
    family = daemon.family()
    before = sum(map(cpu_seconds, family))
    time.sleep(IDLE_SECONDS)
    share = (sum(map(cpu_seconds, family)) - before) / IDLE_SECONDS * 100
    row("idle, of one core", f"{share:.2f} %", "< 1 %", met=share < 1)
    memory = sum(map(pss_mib, family))
    row("PSS of daemon, launcher and runners that are ready", f"{memory:.0f} MiB", "< 120 MiB", met=memory < 120)


if __name__ == "__main__":
    main()
