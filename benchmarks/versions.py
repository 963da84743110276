"""Versions: the first index over 100,000 commits beside git's own log over them, and what a new commit costs."""

import os
import resource
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import reads
from ground import GIT, median, row
from past import BUSY, repository, text

from reconciler.repo.repository import Repository, open_repository
from reconciler.store.index import Index
from reconciler.sync import parsing, versions

PROCESSES = 10_000
TRIES = 5
LOG = ("log", "--raw", "--first-parent", "--no-renames", "main")


def main() -> None:
    """Print the table: for folders as the docs advise them, and for one that holds all."""
    with repository(PROCESSES, folders=100, commits=100_000) as root:
        name = "10,000 processes, 100 folders, 100,000 commits"
        index = first_index(root, name, seconds=15)
        with closing(index):
            new_commits(root, index, f"processes/group000/{BUSY}.yaml")
        reads.rows(root)
    with (
        repository(PROCESSES, folders=1, commits=2_000) as root,
        closing(first_index(root, "one folder, 2,000 commits")),
    ):
        pass


def first_index(root: Path, name: str, seconds: float | None = None) -> Index:
    """Measure the first index beside git's own log; give the index."""
    row(name, "", "", met=True)
    logs, counts = [], []
    for attempt in range(3):
        logs.append(timed(lambda: log(root)))
        index = Index.open(root / f"index{attempt}.sqlite", environment="production", release=parsing.release())
        counts.append(timed(partial(extend, root, index)))
        if attempt < 2:
            index.close()
    raw, count = min(logs), min(counts)
    aim = f"< {seconds} s" if seconds else ""
    row(f"  raw: git {' '.join(LOG[:4])}", f"{raw:.2f} s", "", met=True)
    row("  first index", f"{count:.2f} s", aim, met=seconds is None or count < seconds)
    row("  of git's own log", f"{count / raw:.2f} x", "< 1.5 x", met=count < 1.5 * raw)
    row("  memory, at most", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB", "", met=True)
    return index


def new_commits(root: Path, index: Index, path: str) -> None:
    """Measure what each new commit costs: of one process, and a merge with marks to look for."""
    subprocess.run([*GIT, "-C", root, "reset", "-q", "--hard"], check=True)
    ordinary = []
    for number in range(TRIES):
        change(root, path, number)
        ordinary.append(timed(lambda: extend(root, index)))
    row("  a new commit, median", f"{median(ordinary) * 1000:.0f} ms", "< 50 ms", met=median(ordinary) < 0.05)
    merged = []
    for number in range(TRIES, 2 * TRIES):
        subprocess.run([*GIT, "-C", root, "checkout", "-q", "-b", f"topic{number}"], check=True)
        change(root, path, number)
        subprocess.run([*GIT, "-C", root, "checkout", "-q", "main"], check=True)
        subprocess.run([*GIT, "-C", root, "merge", "-q", "--no-ff", "-m", "Merge", f"topic{number}"], check=True)
        merged.append(timed(lambda: extend(root, index)))
    row("  a new merge, median", f"{median(merged) * 1000:.0f} ms", "< 50 ms", met=median(merged) < 0.05)


def change(root: Path, path: str, number: int) -> None:
    """Commit another state of a file."""
    (root / path).write_text(text(BUSY, 1_000_000 + number))
    subprocess.run([*GIT, "-C", root, "commit", "-q", "-a", "-m", f"Change {number}"], check=True)


def log(root: Path) -> None:
    """Let git itself tell the history."""
    subprocess.run([*GIT, "-C", root, *LOG], check=True, stdout=subprocess.DEVNULL)


def extend(root: Path, index: Index) -> None:
    """Count up to the tip of main, as the reconciler does: the repository is known already."""
    repo = opened(root)
    versions.extend(repo, index, repo.git.run("rev-parse", "main").decode().strip())


def opened(root: Path) -> Repository:
    """The repository, opened once."""
    if root not in _OPENED:
        _OPENED[root] = open_repository(root, os.environ)
    return _OPENED[root]


_OPENED: dict[Path, Repository] = {}


def timed(work: Callable[[], None]) -> float:
    """The seconds that something takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
