"""The checkout of scripts: regular files and nothing else, whatever the tree says (attack classes 1, 4 and 6)."""

import stat
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import UserError
from reconciler.repo import checkout, objects
from reconciler.repo.repository import Repository


def made_tree(workshop: Any, *entries: str) -> str:
    """Make a tree object out of ``mode type id<tab>name`` lines; git itself would refuse some of the names."""
    given = b"".join(
        entry.partition(" ")[0].lstrip("0").encode()
        + b" "
        + entry.partition("\t")[2].encode()
        + b"\0"
        + bytes.fromhex(entry.partition("\t")[0].split(" ")[2])
        for entry in entries
    )
    done = subprocess.run(
        ["git", "hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        cwd=workshop.root,
        input=given,
        check=True,
        capture_output=True,
    )
    return done.stdout.decode().strip()


def scripts(workshop: Any, repo: Repository) -> str:
    tree = objects.scripts_tree(repo, workshop.git("rev-parse", "HEAD"))
    assert tree is not None
    return tree


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_scripts_are_written_once_and_read_only(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    workshop.commit({"processes/scripts/a.sh": "#!/bin/sh\n", "processes/scripts/etl/ünï b.py": "b"})
    tree = scripts(workshop, repo)
    folder = checkout.ensure(repo, tree, tmp_path / "checkouts")
    assert folder == tmp_path / "checkouts" / tree
    assert contents(folder) == {"a.sh": "#!/bin/sh\n", "etl/ünï b.py": "b"}
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert modes == {tree: 0o555, "a.sh": 0o555, "etl": 0o555, "ünï b.py": 0o444}
    before = folder.stat()
    assert checkout.ensure(repo, tree, tmp_path / "checkouts") == folder
    assert folder.stat() == before
    assert [path.name for path in (tmp_path / "checkouts").iterdir()] == [tree], "nothing half made stays"


def test_symlinks_and_submodules_are_left_out(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    first = workshop.commit({"processes/scripts/good.sh": "good"})
    (workshop.root / "processes" / "scripts" / "link.sh").symlink_to("/etc/passwd")
    (workshop.root / "processes" / "scripts" / "folder").symlink_to("/etc")
    workshop.git("add", "-A")
    workshop.git("update-index", "--add", "--cacheinfo", f"160000,{first},processes/scripts/sub")
    workshop.git("commit", "-q", "-m", "links")
    folder = checkout.ensure(repo, scripts(workshop, repo), tmp_path)
    assert [path.name for path in folder.iterdir()] == ["good.sh"]


def test_filters_attributes_and_hooks_do_nothing(workshop: Any, repo: Repository, tmp_path: Path, canary: Path) -> None:
    workshop.git("config", "filter.evil.smudge", f"touch {canary}")
    workshop.git("config", "filter.evil.process", f"touch {canary}")
    workshop.git("config", "core.autocrlf", "true")
    workshop.git("config", "core.hooksPath", str(workshop.root))
    workshop.write("post-checkout", f"#!/bin/sh\ntouch {canary}\n", 0o755)
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=workshop.root, input=b"$Id$\nx\n", check=True, capture_output=True
    )
    entry = f"100644,{blob.stdout.decode().strip()},processes/scripts/a.sh"
    workshop.git("update-index", "--add", "--cacheinfo", entry)
    workshop.write(".gitattributes", "*.sh ident text eol=crlf filter=evil working-tree-encoding=UTF-16\n")
    workshop.git("update-index", "--add", ".gitattributes")
    workshop.git("commit", "-q", "-m", "attributes")
    canary.unlink(missing_ok=True)
    folder = checkout.ensure(repo, scripts(workshop, repo), tmp_path / "out")
    assert (folder / "a.sh").read_bytes() == b"$Id$\nx\n"
    assert not canary.exists()


@pytest.mark.parametrize(
    "name",
    ["..", ".", ".git", ".GIT", ".git ", "git~1", ".g\u200cit", "../evil", "/evil", "a\\..\\evil", "a\nb"],
)
def test_names_that_lead_elsewhere_are_left_out(name: str, workshop: Any, repo: Repository, tmp_path: Path) -> None:
    workshop.commit({"a": "a"})
    blob = workshop.git("rev-parse", "HEAD:a")
    inner = made_tree(workshop, f"100644 blob {blob}\tinner")
    tree = made_tree(workshop, f"100644 blob {blob}\t{name}", f"100644 blob {blob}\tgood")
    folder = checkout.ensure(repo, tree, tmp_path / "out")
    assert contents(folder) == {"good": "a"}
    tree = made_tree(workshop, f"40000 tree {inner}\t{name}", f"100644 blob {blob}\tgood")
    assert contents(checkout.ensure(repo, tree, tmp_path / "out")) == {"good": "a"}
    assert {path.name for path in tmp_path.iterdir()} == {"out", "repository"}


def test_a_symlink_cannot_turn_into_a_folder(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    workshop.commit({"a": "a", "target": str(tmp_path)})
    blob, target = workshop.git("rev-parse", "HEAD:a"), workshop.git("rev-parse", "HEAD:target")
    inner = made_tree(workshop, f"100644 blob {blob}\tevil")
    tree = made_tree(workshop, f"120000 blob {target}\tx", f"40000 tree {inner}\tx")
    assert contents(checkout.ensure(repo, tree, tmp_path / "out")) == {"x/evil": "a"}
    assert not (tmp_path / "evil").exists()


def test_a_file_and_a_folder_of_one_name_are_refused(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    workshop.commit({"a": "a"})
    blob = workshop.git("rev-parse", "HEAD:a")
    inner = made_tree(workshop, f"100644 blob {blob}\ty")
    entries = [f"100644 blob {blob}\tx", f"40000 tree {inner}\tx"]
    for _ in range(2):
        entries.reverse()
        with pytest.raises(UserError, match="a file and a folder want one name"):
            checkout.ensure(repo, made_tree(workshop, *entries), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_scripts_that_would_fill_the_disk_are_refused(
    workshop: Any, repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "LARGEST", 100)
    workshop.commit({f"processes/scripts/{number}": "x" * 99 for number in range(9)})
    with pytest.raises(UserError, match=r"scripts are too large.*outside the repository"):
        checkout.ensure(repo, scripts(workshop, repo), tmp_path / "out")
    workshop.commit({f"processes/scripts/{number}": "x" * 50 for number in range(9)})
    assert checkout.ensure(repo, scripts(workshop, repo), tmp_path / "out").is_dir()
    workshop.commit({"processes/scripts/large": "x" * 101})
    with pytest.raises(UserError, match="processes/scripts/large"):
        checkout.ensure(repo, scripts(workshop, repo), tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_many_at_once_get_one_whole_checkout(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    workshop.commit({f"processes/scripts/{number}.sh": str(number) for number in range(60)})
    tree = scripts(workshop, repo)
    start = threading.Barrier(6)
    found: list[dict[str, str]] = []

    def work() -> None:
        start.wait()
        found.append(contents(checkout.ensure(repo, tree, tmp_path / "out")))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{f"{number}.sh": str(number) for number in range(60)}] * 6
    assert [path.name for path in (tmp_path / "out").iterdir()] == [tree]


def test_only_ids_are_joined_to_the_folder(repo: Repository, tmp_path: Path) -> None:
    for tree in ("../evil", "", "HEAD", "-q"):
        with pytest.raises(ValueError, match="no tree id"):
            checkout.ensure(repo, tree, tmp_path)


def test_a_missing_tree_leaves_nothing_behind(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    workshop.commit()
    with pytest.raises(UserError, match="ls-tree"):
        checkout.ensure(repo, "1" * 40, tmp_path / "out")
    assert not (tmp_path / "out").exists()
