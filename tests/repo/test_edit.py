"""A new repository, and its first commit as git itself would make it."""

import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import UserError
from reconciler.repo import edit
from reconciler.repo.git import GitError
from reconciler.repo.repository import Repository, open_repository


def test_a_new_repository_begins_on_main(tmp_path: Path) -> None:
    repo = edit.init(tmp_path / "new" / "one", os.environ)
    assert repo.worktree == tmp_path / "new" / "one"
    assert (tmp_path / "new" / "one" / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"
    (tmp_path / "new" / "one" / "a").write_text("a")
    commit = edit.commit_paths(repo, ["a"], "Begin")
    assert repo.git.run("log", "--format=%H %an %s", "main").decode() == f"{commit} Ada Lovelace Begin\n"


def test_a_repository_that_exists_stays_as_it_is(workshop: Any) -> None:
    workshop.git("checkout", "-q", "-b", "other")
    commit = workshop.commit()
    repo = edit.init(workshop.root, os.environ)
    assert (workshop.git("rev-parse", "HEAD"), workshop.git("branch", "--show-current")) == (commit, "other")
    assert repo.worktree == workshop.root


def test_a_folder_inside_another_repository_becomes_its_own(workshop: Any) -> None:
    workshop.commit()
    assert edit.init(workshop.root / "inner", os.environ).worktree == workshop.root / "inner"


def test_only_the_paths_named_are_committed(workshop: Any, repo: Repository) -> None:
    workshop.commit({"staged": "1", "edited": "1"})
    workshop.write("staged", "2")
    workshop.git("add", "staged")
    workshop.write("edited", "2")
    workshop.write("processes/A.yaml", "a")
    workshop.write("-x", "dash")
    workshop.write("*", "star")
    edit.commit_paths(repo, ["processes/A.yaml", "-x", "*"], "-m is a message too")
    shown = workshop.git("show", "--format=%s", "--name-only").split("\n")
    assert shown == ["-m is a message too", "", "*", "-x", "processes/A.yaml"]
    assert workshop.git("diff", "--name-only") == "edited"
    assert workshop.git("diff", "--cached", "--name-only") == "staged"


def test_hooks_do_not_run(workshop: Any, repo: Repository, canary: Path) -> None:
    for hook in ("pre-commit", "commit-msg", "post-commit", "prepare-commit-msg", "reference-transaction"):
        workshop.write(f".git/hooks/{hook}", f"#!/bin/sh\ntouch {canary}\nexit 1\n", 0o755)
    workshop.write("a", "a")
    edit.commit_paths(repo, ["a"], "Begin")
    assert not canary.exists()


def test_what_stands_in_the_way_is_said(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    workshop.commit({"a": "a"})
    with pytest.raises(GitError, match="git commit failed"):
        edit.commit_paths(repo, ["a"], "Nothing changed")
    with pytest.raises(GitError, match="git add failed"):
        edit.commit_paths(repo, ["missing"], "No such file")
    nobody = open_repository(workshop.root, {"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    workshop.git("config", "user.useConfigOnly", "true")
    workshop.write("a", "b")
    with pytest.raises(UserError, match=r"git does not know who you are.*user\.email"):
        edit.commit_paths(nobody, ["a"], "By nobody")
    workshop.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    with pytest.raises(UserError, match="bare repository"):
        edit.commit_paths(open_repository(tmp_path / "bare", os.environ), ["a"], "Bare")
