"""Laws over made-up histories: a step equals a fresh start, and what is in force follows from the history alone."""

import os
import random
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.repo.repository import Repository, open_repository
from reconciler.snapshot import Snapshot
from reconciler.store.index import Index
from reconciler.sync import inforce, parsing, snapshots, versions
from reconciler.sync.inforce import InForce

State = dict[str, tuple[str, bytes]]
STEPS = 60

PATHS = [f"processes/{folder}{stem}" for folder in ("", "deep/") for stem in ("A.yaml", "a.yml", "B.yaml", "C.yaml")]
CONTENTS = [
    b"script: one.sh\n",
    b"script: two.sh # another\n",
    b"script: two\nenabled: false\n",
    b"workflow: wf\ncron: 0 3 * * *\n",
    b"workflow: wf\nenabled: false\n",
    b"script: one.sh\noverlap: queue\n",
    b"script: [one.sh\n",
    b"script: one.sh\nname: OTHER\n",
    b"nonsense: 1\n",
]
WORKFLOWS = [b"phases: [{name: X, script: one.sh}]\n", b"phases: [{name: X, script: two.sh}]\n", b"phases: 7\n"]
SETTINGS = [b"timezone: Europe/Berlin\n", b"max_running: 3\n", b"timezone: Mars/Phobos\n", b"[\n"]


def choose(chance: random.Random, state: State) -> None:
    """Change one thing or several."""
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        path, contents = chance.choice(
            [(chance.choice(PATHS), CONTENTS)] * 6
            + [("processes/workflows/wf.yaml", WORKFLOWS)] * 2
            + [(f"processes/scripts/{name}.sh", [b"#!/bin/sh\n"]) for name in ("one", "one", "two", "two")]
            + [("procctl.yaml", SETTINGS), ("README", [b"a", b"b"])]
        )
        if path in state and chance.random() < 0.4:
            del state[path]
        else:
            state[path] = (chance.choice(["100644"] * 9 + ["120000"]), chance.choice(contents))


def stream(states: list[State]) -> Iterator[bytes]:
    for number, state in enumerate(states):
        yield f"commit refs/heads/main\ncommitter Ada <a@b> {1_600_000_000 + number} +0000\ndata 1\nx\n".encode()
        yield b"deleteall\n"
        for path, (mode, data) in state.items():
            yield f"M {mode} inline {path}\ndata {len(data)}\n".encode() + data + b"\n"


@pytest.fixture(params=[1, 2, 3])
def chain(request: pytest.FixtureRequest, workshop: Any) -> list[str]:
    """Commits of a made-up history, oldest first."""
    chance = random.Random(request.param)  # noqa: S311 - the same histories each time
    state: State = {"processes/scripts/one.sh": ("100755", b"#!/bin/sh\n")}
    states = []
    for _ in range(STEPS):
        choose(chance, state)
        states.append(dict(state))
    given = b"".join(stream(states))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=workshop.root, input=given, check=True)
    commits: str = workshop.git("rev-list", "--reverse", "main")
    return commits.split()


@pytest.fixture
def repo(workshop: Any) -> Repository:
    return open_repository(workshop.root, os.environ)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = Index.open(tmp_path / "index.sqlite", environment="test", release=parsing.release())
    yield opened
    opened.close()


def substance(snapshot: Snapshot) -> tuple[object, ...]:
    return (
        snapshot.commit,
        dict(snapshot.processes),
        dict(snapshot.workflows),
        dict(snapshot.scripts),
        snapshot.scripts_tree,
        snapshot.settings,
        snapshot.problems,
    )


def test_a_step_equals_a_fresh_start(repo: Repository, index: Index, chain: list[str]) -> None:
    stepped = snapshots.load(repo, index, chain[0])
    for commit in chain[1:]:
        stepped = snapshots.update(stepped, repo, index, commit)
        assert substance(stepped) == substance(snapshots.load(repo, index, commit))
    leapt = snapshots.update(snapshots.load(repo, index, chain[0]), repo, index, chain[-1])
    assert substance(leapt) == substance(stepped)


def by_definition(before: Mapping[str, InForce], snapshot: Snapshot, parent: str, index: Index) -> dict[str, InForce]:
    """What is in force at a commit, from what was at its parent."""
    force = {}
    for name, declared in snapshot.processes.items():
        process = declared.process
        if declared.valid or (process is not None and not process.enabled and not used_twice(snapshot, name)):
            assert process is not None
            number = index.versions(name)[0].number
            file = declared.file
            force[name] = InForce(process, None, number, file.blob, file.path, declared.set_problems, declared.held)
        elif name in before:
            old = before[name]
            force[name] = InForce(
                old.process, old.commit or parent, old.version, old.blob, old.path, declared.set_problems, old.held
            )
    return force


def used_twice(snapshot: Snapshot, name: str) -> bool:
    return any("used twice" in problem.message for problem in snapshot.processes[name].set_problems)


def test_what_is_in_force_follows_from_the_history_alone(repo: Repository, index: Index, chain: list[str]) -> None:
    expected: dict[str, InForce] = {}
    stepped: dict[str, InForce] | None = None
    parent = ""
    older = 0
    for commit in chain:
        versions.extend(repo, index, commit)
        snapshot = snapshots.load(repo, index, commit)
        expected = by_definition(expected, snapshot, parent, index)
        assert inforce.in_force(repo, index, snapshot) == expected, "as after a restart"
        stepped = inforce.in_force(repo, index, snapshot, stepped, parent or None)
        assert stepped == expected, "as in a reconciler that goes on"
        older += sum(one.commit is not None for one in expected.values())
        parent = commit
    assert older > STEPS / 3, "the histories have what this is about"


def test_a_leap_over_many_commits_equals_the_steps(repo: Repository, index: Index, chain: list[str]) -> None:
    middle = chain[STEPS // 2]
    versions.extend(repo, index, middle)
    before = inforce.in_force(repo, index, snapshots.load(repo, index, middle))
    versions.extend(repo, index, chain[-1])
    last = snapshots.load(repo, index, chain[-1])
    assert inforce.in_force(repo, index, last, before, middle) == inforce.in_force(repo, index, last)


def test_a_part_resolves_as_the_whole(repo: Repository, index: Index, chain: list[str]) -> None:
    for commit in chain[::7]:
        whole = snapshots.load(repo, index, commit)
        for name, declared in whole.processes.items():
            part = snapshots.part(repo, index, commit, [name])
            assert part.processes[name] == declared
            if declared.valid and declared.held is None:
                assert part.resolve(name) == whole.resolve(name)


def test_parts_of_many_commits_are_as_the_wholes(repo: Repository, index: Index, chain: list[str]) -> None:
    previous = snapshots.load(repo, index, chain[-1])
    commits = [*chain[::7], *chain[3:20:5][::-1], chain[-1]]
    wholes = {commit: snapshots.load(repo, index, commit) for commit in commits}
    wanted = {commit: sorted(whole.processes)[place % 2 :: 2] for place, (commit, whole) in enumerate(wholes.items())}
    found = list(snapshots.parts(repo, index, wanted, previous))
    assert [one.commit for one in found] == list(wanted)
    for one in found:
        whole = wholes[one.commit]
        assert one.settings == whole.settings
        for name in wanted[one.commit]:
            assert one.processes[name] == whole.processes[name]
            if one.processes[name].valid and one.processes[name].held is None:
                assert one.resolve(name) == whole.resolve(name)
    assert list(snapshots.parts(repo, index, {}, previous)) == []
