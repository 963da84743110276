"""Repositories with a long history, written by ``git fast-import``: a hundred thousand commits in some seconds."""

import contextlib
import hashlib
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ground import GIT

BUSY = "P00000"
"""The process with most versions."""

_BUSY_EVERY = 100
_WHO = "Grace Hopper <grace@example.org>"
_BEGIN = 1_500_000_000
_SCRIPT = "#!/bin/sh\necho It is loaded\n"
_BODY = """
The provider has announced new holidays, and its file comes later on the
days after them. Wait for it rather than load what is not complete.

Reviewed-by: Ada Lovelace <ada@example.org>
Ticket: DATA-{number}
"""


@contextlib.contextmanager
def repository(processes: int, folders: int, commits: int) -> Iterator[Path]:
    """A bare-bones repository with as many processes and commits on main: merges, renames, marks, tags among them."""
    with tempfile.TemporaryDirectory(prefix="procctl-bench-") as root:
        subprocess.run([*GIT, "init", "-q", "-b", "main", root], check=True)
        importer = subprocess.Popen([*GIT, "-C", root, "fast-import", "--quiet"], stdin=subprocess.PIPE)
        with importer.stdin or sys.stdout.buffer as out:
            _Past(out, processes, folders).write(commits)
        if importer.wait():
            raise SystemExit("git fast-import failed")
        yield Path(root)


def text(name: str, number: int) -> str:
    """What the file of a process says in one of its states."""
    return (
        f"# {name}: exchange rates of one provider\nservice: ETL\ndescription: Loads the rates that are due at noon\n"
        f"script: load\ncron: {number % 60} {number // 60 % 24} * * mon-fri\ntimezone: Europe/Berlin\n"
        f"timeout: 30m\nretries: 3\nx-change: {number}\ninput:\n  provider: https://rates.example.org/{name}\n"
        "  currencies: [USD, GBP, CHF, JPY, SEK, NOK, DKK]\n  history: 10\ntags: [rates, daily]\n"
    )


@dataclass(slots=True)
class _Process:
    name: str
    folder: str
    states: list[tuple[int, int, str]] = field(default_factory=list)
    """The versions that are left, as (number, state of the file, name in it), the current one last."""
    last: int = 0

    @property
    def path(self) -> str:
        return f"{self.folder}{self.name}.yaml"


class _Past:
    def __init__(self, out: IO[bytes], processes: int, folders: int) -> None:
        self._out = out
        self._dice = random.Random(1)  # noqa: S311 - the same history each time
        self._made = 0
        self._commits = 0
        self._names = processes
        self._tip = 0
        self._tagged: set[str] = set()
        width = -(-processes // folders)
        self._processes = [
            _Process(f"P{number:05}", "processes/" + (f"group{number // width:03}/" if folders > 1 else ""))
            for number in range(processes)
        ]

    def write(self, commits: int) -> None:
        self._made = 1
        self._put(f"blob\nmark :1\ndata {len(_SCRIPT)}\n{_SCRIPT}\n")
        step = max(1, len(self._processes) // 100)
        for first in range(0, len(self._processes), step):
            batch = self._processes[first : first + step]
            files = [self._edit(one) for one in batch]
            self._commit(f"Add {len(batch)} processes", [*files, "M 100755 :1 processes/scripts/load"])
        while self._commits < commits:
            self._one()

    def _one(self) -> None:
        process = self._dice.choice(self._processes)
        chance = self._dice.random()
        if not self._commits % _BUSY_EVERY:
            process = self._processes[0]
        elif chance < 0.02:  # of a hundred commits, two merges of two commits each
            self._merge(process)
            return
        elif chance < 0.03:  # one rename
            self._rename(process)
            return
        elif chance < 0.031 and len(process.states) > 1:  # and now and then a rollback
            self._roll_back(process)
            return
        self._commit(f"Change when {process.name} runs", [self._edit(process)])
        if chance > 0.99 and process.name not in self._tagged:  # and one tag
            self._tag(process)

    def _edit(self, process: _Process) -> str:
        process.last += 1
        process.states.append((process.last, self._commits + process.last, process.name))
        return f"M 100644 :{self._blob(process)} {process.path}"

    def _merge(self, process: _Process) -> None:
        before = self._tip
        first = self._edit(process)
        process.last -= 1
        process.states.pop()
        self._commit(f"Try another hour for {process.name}", [first], branch="refs/heads/side", parent=before)
        last = self._edit(process)
        side = self._commit(f"Settle the hour of {process.name}", [last], branch="refs/heads/side")
        self._commit(f"Merge branch 'hour-{process.name}'", [last], parent=before, merged=side)

    def _rename(self, process: _Process) -> None:
        old, gone = process.name, process.path
        process.name = f"P{self._names:05}"
        self._names += 1
        new = f"M 100644 :{self._blob(process)} {process.path}"
        said = f"\nProcctl-Rename: {old} {process.name}\n"
        self._commit(f"Rename {old}", [f"D {gone}", new], said=self._dice.choice([said, ""]))

    def _roll_back(self, process: _Process) -> None:
        number, state, name = process.states.pop()
        data = text(name, state).encode()
        blob = hashlib.sha1(b"blob %d\0%b" % (len(data), data)).hexdigest()  # noqa: S324 - as git does
        said = f"\nProcctl-Rollback: {process.name}@{number} {blob[:12]}\n"
        self._commit(f"Roll {process.name} back", [f"M 100644 :{self._blob(process)} {process.path}"], said=said)

    def _tag(self, process: _Process) -> None:
        self._tagged.add(process.name)
        said = f"{process.name} as it runs\n"
        who = f"{_WHO} {_BEGIN + self._commits * 60} +0000"
        self._put(f"tag {process.name}/PROD\nfrom :{self._tip}\ntagger {who}\ndata {len(said)}\n{said}\n")

    def _blob(self, process: _Process) -> int:
        _, state, name = process.states[-1]
        data = text(name, state)
        self._made += 1
        self._put(f"blob\nmark :{self._made}\ndata {len(data)}\n{data}\n")
        return self._made

    def _commit(
        self,
        subject: str,
        edits: list[str],
        said: str = "",
        branch: str = "refs/heads/main",
        parent: int = 0,
        merged: int = 0,
    ) -> int:
        self._made += 1
        self._commits += 1
        message = f"{subject}\n{_BODY.format(number=self._commits)}{said}"
        lines = [f"commit {branch}", f"mark :{self._made}", f"committer {_WHO} {_BEGIN + self._commits * 60} +0000"]
        lines += [f"data {len(message)}", message]
        lines += [f"from :{parent}"] * bool(parent) + [f"merge :{merged}"] * bool(merged)
        self._put("\n".join([*lines, *edits, "", ""]))
        if branch.endswith("main"):
            self._tip = self._made
        return self._made

    def _put(self, data: str) -> None:
        self._out.write(data.encode())
