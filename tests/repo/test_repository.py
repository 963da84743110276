"""Opening: every kind of repository that git knows, and a clear word where there is none."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import UserError
from reconciler.repo.repository import Repository, open_repository


def opened(path: Path) -> Repository:
    return open_repository(path, os.environ)


def test_a_plain_repository_is_found_from_anywhere_in_it(workshop: Any) -> None:
    root = workshop.root
    workshop.write("processes/deep/A.yaml", "a")
    for place in (root, root / "processes" / "deep"):
        repo = opened(place)
        assert (repo.git_dir, repo.common_dir) == (root / ".git", root / ".git")
        assert (repo.worktree, repo.here, repo.shallow) == (root, root, False)
    inside = opened(root / ".git" / "refs")
    assert (inside.git_dir, inside.worktree, inside.here) == (root / ".git", root, None)


def test_a_symlink_leads_to_the_same_repository(workshop: Any, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(workshop.root)
    assert opened(link) == opened(workshop.root)


def test_a_linked_worktree_shares_the_common_folder_and_the_main_worktree(workshop: Any, tmp_path: Path) -> None:
    workshop.commit()
    workshop.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    repo = opened(tmp_path / "side")
    assert repo.git_dir == workshop.root / ".git" / "worktrees" / "side"
    assert (repo.common_dir, repo.worktree) == (workshop.root / ".git", workshop.root)
    assert repo.here == tmp_path / "side"


def test_a_bare_repository_has_no_worktree_and_its_linked_ones_know(workshop: Any, tmp_path: Path) -> None:
    workshop.commit()
    bare = tmp_path / "bare.git"
    workshop.git("clone", "-q", "--bare", ".", str(bare))
    repo = opened(bare)
    assert (repo.git_dir, repo.common_dir, repo.worktree, repo.here) == (bare, bare, None, None)
    subprocess.run(["git", "-C", str(bare), "worktree", "add", "-q", str(tmp_path / "tree"), "main"], check=True)
    linked = opened(tmp_path / "tree")
    assert (linked.common_dir, linked.worktree, linked.here) == (bare, None, tmp_path / "tree")


def test_a_git_folder_elsewhere(tmp_path: Path) -> None:
    root, git_dir = tmp_path / "tree", tmp_path / "elsewhere"
    subprocess.run(["git", "init", "-q", f"--separate-git-dir={git_dir}", str(root)], check=True)
    assert (opened(root).git_dir, opened(root).worktree) == (git_dir, root)
    with pytest.raises(UserError, match=r"does not say where the main worktree is.*core\.worktree"):
        opened(git_dir)
    subprocess.run(["git", "-C", str(root), "config", "core.worktree", str(root)], check=True)
    assert opened(git_dir).worktree == root
    assert opened(root).worktree == root


def test_a_submodule_is_a_repository_of_its_own(workshop: Any, tmp_path: Path) -> None:
    workshop.commit({"a": "a"})
    outer = tmp_path / "outer"
    subprocess.run(["git", "init", "-q", str(outer)], check=True)
    add = ["git", "-C", str(outer), "-c", "protocol.file.allow=always", "submodule", "--quiet", "add"]
    subprocess.run([*add, str(workshop.root), "inner"], check=True)
    repo = opened(outer / "inner")
    assert repo.git_dir == repo.common_dir == outer / ".git" / "modules" / "inner"
    assert repo.worktree == outer / "inner"


def test_a_shallow_clone_is_known_as_one(workshop: Any, tmp_path: Path) -> None:
    workshop.commit()
    workshop.commit()
    workshop.git("clone", "-q", "--depth=1", f"file://{workshop.root}", str(tmp_path / "shallow"))
    assert opened(tmp_path / "shallow").shallow


def test_ids_may_be_longer(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--object-format=sha256", str(tmp_path / "long")], check=True)
    assert opened(tmp_path / "long").worktree == tmp_path / "long"


def test_names_need_no_care(tmp_path: Path) -> None:
    root = tmp_path / "-- ünï 'code' \"$HOME\" \\ #"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    assert opened(root).worktree == root


def test_what_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"this is no git repository; .*procctl init"):
        opened(tmp_path)
    with pytest.raises(UserError, match="there is no such folder"):
        opened(tmp_path / "missing")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="there is no such folder"):
        opened(tmp_path / "file")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / ".git").write_text("gitdir: /nowhere\n")
    with pytest.raises(UserError, match="no git repository"):
        opened(tmp_path / "broken")


def test_a_line_break_in_a_path_is_refused_rather_than_misread(tmp_path: Path) -> None:
    root = tmp_path / "two\nlines"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    with pytest.raises(UserError, match="line break"):
        opened(root)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_is_not_read(workshop: Any) -> None:
    workshop.commit()
    for path in (workshop.root, workshop.root / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(UserError, match=r"belongs to another user.*safe\.directory"):
        opened(workshop.root)
    subprocess.run(["git", "config", "--global", "--add", "safe.directory", str(workshop.root)], check=True)
    assert opened(workshop.root).worktree == workshop.root
