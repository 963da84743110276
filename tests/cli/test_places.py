"""Every command wherever one stands: a subfolder, another worktree, a bare repository, a path of any letters."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FILES = {
    "processes/GOOD.yaml": "script: good.sh\nevery: 1h\n",
    "processes/scripts/good.sh": "#!/bin/sh\necho hello\n",
    "sub/folder/file": "x",
}


def subfolder(root: Path) -> tuple[Path, Path]:
    return root / "sub/folder", root / "executions"


def linked(root: Path) -> tuple[Path, Path]:
    path = root.parent / "linked"
    subprocess.run(["git", "worktree", "add", "-q", "-b", "other", path], cwd=root, check=True)
    return path / "sub", root / "executions"


def bare(root: Path) -> tuple[Path, Path]:
    path = root.parent / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", root, path], check=True)
    return path, path / "procctl/executions"


def unicode(root: Path) -> tuple[Path, Path]:
    path = root.parent / "Prozeße 日本 'q\" -o"
    root.rename(path)
    return path, path / "executions"


def symlinked(root: Path) -> tuple[Path, Path]:
    path = root.parent / "link"
    path.symlink_to(root)
    return path, root / "executions"


def packed(root: Path) -> tuple[Path, Path]:
    subprocess.run(["git", "gc", "-q"], cwd=root, check=True)
    return root, root / "executions"


def inside_git(root: Path) -> tuple[Path, Path]:
    return root / ".git", root / "executions"


@pytest.mark.parametrize("place", [subfolder, linked, bare, unicode, symlinked, packed, inside_git])
def test_every_command_works(here: Any, workshop: Any, place: Callable[[Path], tuple[Path, Path]]) -> None:
    workshop.commit(FILES)
    folder, records = place(workshop.root)
    assert here("list", "-o", "name", cwd=folder).stdout == "GOOD\n"
    assert "good.sh" in here("get", "GOOD", cwd=folder).stdout
    assert here("next", "GOOD", "-n", "2", "-o", "name", cwd=folder).stdout.count("\n") == 2
    assert "hello" in here("run", "GOOD", cwd=folder).stdout
    assert len(list(records.glob("*/*/*/GOOD/*.json"))) == 1
    asked = here("run", "GOOD", "--detach", cwd=folder).stdout.strip()
    assert "Withdrew" in here("cancel", asked, cwd=folder).stdout
    (one,) = json.loads(here("executions", "-o", "json", cwd=folder).stdout)
    assert " info hello\n" in here("logs", one["_id"], cwd=folder).stdout
    assert here("status", cwd=folder).stdout.startswith("Synced\n")
    assert "1 processes and 1 records" in here("reindex", cwd=folder).stdout
    here("validate", "--rev", "HEAD", cwd=folder)
    published = subprocess.run(
        ["git", "log", "--format=%s", "refs/heads/executions"], cwd=folder, check=True, capture_output=True, text=True
    )
    assert published.stdout == "GOOD success\n"


def test_two_worktrees_share_state_and_records(here: Any, workshop: Any) -> None:
    workshop.commit(FILES)
    folder, _ = linked(workshop.root)
    here("run", "GOOD", cwd=folder)
    here("run", "GOOD", cwd=workshop.root)
    assert here("executions", "-o", "name", cwd=folder).stdout.count("\n") == 2
    assert not (folder.parent / "executions").exists()


def test_inherited_git_variables_do_not_lead_elsewhere(
    here: Any, workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.commit(FILES)
    elsewhere = tmp_path / "elsewhere"
    subprocess.run(["git", "init", "-q", elsewhere], check=True)
    monkeypatch.setenv("GIT_DIR", str(elsewhere / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(elsewhere))
    assert here("list", "-o", "name", cwd=workshop.root).stdout == "GOOD\n"
    here("validate", cwd=workshop.root)
    here("run", "GOOD", cwd=workshop.root)
    monkeypatch.undo()
    assert not (elsewhere / ".git/procctl").exists()
