"""The working tree: what a commit of it would hold, and what is not committed yet; no filter ever runs."""

import os
from pathlib import Path
from typing import Any

from reconciler.repo import objects, worktree
from reconciler.repo.repository import Repository, open_repository


def test_files_are_read_as_a_commit_would_hold_them(workshop: Any, repo: Repository) -> None:
    workshop.write("processes/deep/ünï.yaml", "a")
    workshop.write("processes/scripts/x.sh", "#!/bin/sh\n", 0o755)
    workshop.write("procctl.yaml", "b")
    workshop.write("README", "c")
    (workshop.root / "processes" / "LINK.yaml").symlink_to("/etc/passwd")
    (workshop.root / "processes" / "FOLDER").symlink_to("/etc")
    found = list(worktree.files(workshop.root))
    commit = workshop.commit()
    listed = objects.list_tree(repo, commit).files
    assert sorted((file.path, file.mode, file.blob) for file, _ in found) == sorted(
        (file.path, file.mode, file.blob) for file in listed
    )
    data = {file.path: data for file, data in found}
    assert data["processes/LINK.yaml"] == b"/etc/passwd"
    assert data["procctl.yaml"] == b"b"
    assert {file.path: file.size for file, _ in found}["processes/scripts/x.sh"] == 10


def test_odd_things_are_left_out_and_long_ones_cut(workshop: Any) -> None:
    workshop.write("processes/large.yaml", b"x" * (worktree.LARGEST + 5))
    os.mkfifo(workshop.root / "processes" / "pipe.yaml")
    ((file, data),) = worktree.files(workshop.root)
    assert (file.path, file.size, len(data)) == ("processes/large.yaml", worktree.LARGEST + 5, worktree.LARGEST + 1)
    assert file.blob == workshop.git("hash-object", "processes/large.yaml")
    assert list(worktree.files(workshop.root / "nowhere")) == []


def test_whatever_is_not_in_head_is_uncommitted(workshop: Any, repo: Repository) -> None:
    assert worktree.uncommitted(repo) == ()
    workshop.write("processes/B.yaml", "b")
    assert worktree.uncommitted(repo) == ("processes/B.yaml",), "there is no commit yet"
    workshop.write(".gitignore", "executions/\n*.pyc\n")
    workshop.commit({"processes/A.yaml": "a", "processes/C.yaml": "c", "procctl.yaml": "p", "README": "r"})
    assert worktree.uncommitted(repo) == ()
    workshop.write("processes/A.yaml", "edited")
    workshop.write("README", "edited")
    workshop.write("processes/new.yaml", "new")
    workshop.write("processes/scripts/cached.pyc", "ignored")
    workshop.write("processes/C.yaml", "staged")
    workshop.git("add", "processes/C.yaml")
    (workshop.root / "processes" / "B.yaml").unlink()
    edited = ("processes/A.yaml", "processes/B.yaml", "processes/C.yaml", "processes/new.yaml")
    assert worktree.uncommitted(repo) == edited


def test_ends_of_lines_are_no_edit_and_no_filter_runs(workshop: Any, repo: Repository, canary: Path) -> None:
    workshop.commit({"processes/A.yaml": "a\nb\n"})
    workshop.write(".gitattributes", "* filter=evil text eol=crlf\n")
    workshop.git("config", "filter.evil.clean", f"touch {canary}")
    workshop.git("config", "core.fsmonitor", f"touch {canary}")
    workshop.write("processes/A.yaml", "a\r\nb\r\n")
    workshop.write("processes/B.yaml", "new")
    assert worktree.uncommitted(repo) == ("processes/B.yaml",)
    assert not canary.exists()


def test_a_bare_repository_has_no_edits(workshop: Any, tmp_path: Path) -> None:
    workshop.commit({"processes/A.yaml": "a"})
    workshop.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    assert worktree.uncommitted(open_repository(tmp_path / "bare", os.environ)) == ()


def test_longer_ids_are_made_for_repositories_that_have_them(workshop: Any) -> None:
    workshop.git("init", "-q", "--object-format=sha256", "long")
    long = workshop.root / "long"
    (long / "processes").mkdir()
    (long / "processes" / "A.yaml").write_text("a")
    workshop.git("-C", "long", "add", "-A")
    workshop.git("-C", "long", "commit", "-q", "-m", "x")
    assert worktree.uncommitted(open_repository(long, os.environ)) == ()
    ((file, _),) = worktree.files(long, 64)
    assert file.blob == workshop.git("-C", "long", "rev-parse", "HEAD:processes/A.yaml")
