"""Which state a command shows: the reconciler's where one has applied something, and never another branch's."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.store import schedules
from reconciler.store.layout import Layout
from reconciler.store.schedules import State

FILES = {"processes/A.yaml": "script: a.sh\n", "processes/scripts/a.sh": "#!/bin/sh\n"}


@pytest.fixture
def root(workshop: Any) -> Path:
    workshop.commit(FILES)
    path: Path = workshop.root
    return path


def applied(root: Path, commit: str, ref: str = "refs/heads/main") -> None:
    """Leave the state of a reconciler that applied a commit and ended."""
    layout = Layout.of(root / ".git", root / "executions", "production")
    schedules.write(layout, State(applied=commit, ref=ref))


def names(here: Any, root: Path, *arguments: str) -> list[str]:
    return str(here("list", "-o", "name", *arguments, cwd=root).stdout).split()


def test_a_rewound_branch_leaves_what_was_applied_in_force(here: Any, root: Path, workshop: Any) -> None:
    commit = workshop.commit({"processes/B.yaml": "script: a.sh\n"})
    applied(root, commit)
    workshop.git("reset", "-q", "--hard", "HEAD~1")
    done = here("list", "-o", "name", cwd=root)
    assert done.stdout.split() == ["A", "B"]
    assert "main was rewound" in done.stderr
    assert "procctl daemon --allow-rewind" in done.stderr
    assert here("status", cwd=root).stdout.startswith("OutOfSync\n")


def test_a_newer_commit_takes_effect_on_top_of_what_was_applied(here: Any, root: Path, workshop: Any) -> None:
    applied(root, workshop.git("rev-parse", "HEAD"))
    workshop.commit({"processes/B.yaml": "script: a.sh\n"})
    assert names(here, root) == ["A", "B"]
    workshop.git("reset", "-q", "--hard", "HEAD~1")
    assert names(here, root) == ["A"], "what only a command has seen was never applied"


def test_choices_at_pulled_merges_outlive_the_index(here: Any, root: Path, workshop: Any, tmp_path: Path) -> None:
    """They are in the state, here or on the branch ``executions``: without them every number could mean another."""
    workshop.git("branch", "theirs")
    old = workshop.commit({"processes/B.yaml": "script: a.sh\n"}, "Ours")
    workshop.git("checkout", "-q", "theirs")
    for number in (1, 2):
        workshop.commit({"processes/A.yaml": f"script: a.sh\n# {number}\n"}, f"Theirs {number}")
    workshop.git("merge", "-q", "--no-edit", "-m", "Pulled", "main")
    new = workshop.git("rev-parse", "HEAD")
    workshop.git("checkout", "-q", "-B", "main")
    layout = Layout.of(root / ".git", root / "executions", "production")
    schedules.write(layout, State(applied=new, ref="refs/heads/main", mainline={new: old}))

    def subjects(where: Path) -> list[str]:
        return [one["subject"] for one in json.loads(here("versions", "A", "-o", "json", cwd=where).stdout)]

    counted = ["Pulled", "Change"]
    assert subjects(root) == counted
    shutil.rmtree(root / ".git/procctl/cache")
    assert subjects(root) == counted
    here("reindex", cwd=root)
    assert subjects(root) == counted
    blob = workshop.git("hash-object", "-w", str(layout.schedules))
    tree = subprocess.run(
        ["git", "mktree"],
        cwd=root,
        input=f"100644 blob {blob}\tproduction.json\n",
        capture_output=True,
        text=True,
        check=True,
    )
    tree = subprocess.run(
        ["git", "mktree"],
        cwd=root,
        input=f"040000 tree {tree.stdout.strip()}\tstate\n",
        capture_output=True,
        text=True,
        check=True,
    )
    workshop.git("branch", "executions", workshop.git("commit-tree", "-m", "State", tree.stdout.strip()))
    workshop.git("clone", "-q", str(root), str(tmp_path / "clone"))
    assert subjects(tmp_path / "clone") == counted
    assert here("set", "A", "timeout=1m", cwd=tmp_path / "clone").stdout.startswith("A@3 ")


def test_another_branch_is_shown_without_touching_the_first(here: Any, root: Path, workshop: Any) -> None:
    applied(root, workshop.git("rev-parse", "HEAD"))
    workshop.git("checkout", "-q", "--orphan", "other")
    workshop.commit({"processes/A.yaml": None, "processes/B.yaml": "script: a.sh\n"})
    workshop.git("checkout", "-q", "main")
    for _ in range(2):
        assert names(here, root) == ["A"]
        assert names(here, root, "--ref", "other") == ["B"]
        assert names(here, root, "--ref", "refs/heads/other") == ["B"]
    assert "A@" not in here("run", "B", "--ref", "other", cwd=root).stderr
    assert here("executions", "-o", "name", cwd=root).stdout.count("\n") == 1


@pytest.mark.parametrize("ref", ["nope", "--help", "../x", "a..b", "@{-1}", "HEAD", "refs/tags/x", "\x1b"])
def test_a_branch_that_is_none_is_refused(here: Any, root: Path, ref: str) -> None:
    done = here("list", f"--ref={ref}", cwd=root, code=1)
    assert "--ref" in done.stderr
    assert "\x1b" not in done.stderr


def test_environments_are_kept_apart(here: Any, root: Path, workshop: Any) -> None:
    workshop.commit(
        {"procctl.yaml": "environment: staging\n", "processes/A.yaml": "script: a.sh\nenvironment: staging\n"}
    )
    here("run", "A", cwd=root)
    assert json.loads(here("status", "-o", "json", cwd=root).stdout)["environment"] == "staging"
    elsewhere = json.loads(here("status", "--environment", "production", "-o", "json", cwd=root).stdout)
    assert elsewhere["environment"] == "production"
    assert [one["state"] for one in elsewhere["processes"]] == ["elsewhere"]
    assert "staging" in here("run", "A", "--environment", "production", cwd=root, code=1).stderr


def test_a_state_that_is_broken_is_a_clear_error(here: Any, root: Path) -> None:
    path = root / ".git/procctl/state/production/schedules.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    done = here("list", cwd=root, code=1)
    assert "schedules.json" in done.stderr
    assert "  next: " in done.stderr
