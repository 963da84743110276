"""Files and bytes at a commit, whatever the commit holds (attack classes 1 and 15)."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import UserError
from reconciler.repo import objects
from reconciler.repo.git import GitError
from reconciler.repo.repository import Repository


def tree_of(workshop: Any, *entries: str) -> str:
    """Make a tree object out of ``mode type id<tab>name`` lines, names as they are."""
    done = subprocess.run(
        ["git", "mktree", "-z"],
        cwd=workshop.root,
        input="".join(f"{entry}\0" for entry in entries).encode(),
        check=True,
        capture_output=True,
    )
    return done.stdout.decode().strip()


def commit_of(workshop: Any, tree: str) -> str:
    commit: str = workshop.git("commit-tree", "-m", "made", tree)
    return commit


def test_only_what_is_declared_is_listed(workshop: Any, repo: Repository) -> None:
    commit = workshop.commit(
        {
            "processes/A.yaml": "a",
            "processes/deep/er/B c.yml": "b",
            "processes/scripts/x.sh": "#!/bin/sh\n",
            "procctl.yaml": "c",
            "README": "d",
            "other/processes/C.yaml": "e",
            "procctl.yaml.bak": "f",
        }
    )
    tree = objects.list_tree(repo, commit)
    assert [(file.mode, file.path) for file in tree.files] == [
        ("100644", "procctl.yaml"),
        ("100644", "processes/A.yaml"),
        ("100644", "processes/deep/er/B c.yml"),
        ("100755", "processes/scripts/x.sh"),
    ]
    assert (
        tree.scripts == workshop.git("rev-parse", f"{commit}:processes/scripts") == objects.scripts_tree(repo, commit)
    )
    read = objects.read_blobs(repo, [file.blob for file in tree.files], 100)
    assert [data for _, data in read] == [b"c", b"a", b"b", b"#!/bin/sh\n"]


def test_a_repository_without_anything_declared(workshop: Any, repo: Repository) -> None:
    commit = workshop.commit({"README": "x"})
    assert objects.list_tree(repo, commit) == objects.Tree((), None)
    assert objects.scripts_tree(repo, commit) is None
    commit = workshop.commit({"processes/scripts": "a file, no folder"})
    assert objects.scripts_tree(repo, commit) is None
    assert objects.list_tree(repo, commit).scripts is None


def test_symlinks_and_submodules_are_listed_as_what_they_are(workshop: Any, repo: Repository) -> None:
    first = workshop.commit({"processes/A.yaml": "a"})
    (workshop.root / "processes" / "LINK.yaml").symlink_to("/etc/passwd")
    workshop.git("update-index", "--add", "--cacheinfo", f"160000,{first},processes/SUB.yaml")
    workshop.git("add", "processes/LINK.yaml")
    workshop.git("commit", "-q", "-m", "links")
    commit = workshop.git("rev-parse", "HEAD")
    modes = {file.path: file.mode for file in objects.list_tree(repo, commit).files}
    assert modes == {"processes/A.yaml": "100644", "processes/LINK.yaml": "120000", "processes/SUB.yaml": "160000"}
    assert objects.read_file(repo, commit, "processes/LINK.yaml") is None
    assert objects.read_file(repo, commit, "processes/SUB.yaml") is None


@pytest.mark.parametrize(
    "name", ["ünï.yaml", "two\nlines.yaml", "tab\t.yaml", '"quoted".yaml', "-x.yaml", ":(top)a.yaml"]
)
def test_names_need_no_care(name: str, workshop: Any, repo: Repository) -> None:
    commit = workshop.commit({f"processes/{name}": "x"})
    (file,) = objects.list_tree(repo, commit).files
    assert file.path == f"processes/{name}"
    assert objects.read_file(repo, commit, f"processes/{name}") == b"x"


def test_a_name_that_is_no_text_is_shown(workshop: Any, repo: Repository) -> None:
    (workshop.root / "processes").mkdir()
    Path(str(workshop.root).encode().decode(), "processes", "a\udcff.yaml").write_text("x")
    (file,) = objects.list_tree(repo, workshop.commit()).files
    assert file.path == r"processes/a\xff.yaml"


def test_a_blob_that_is_too_long_is_cut_and_the_next_is_whole(
    workshop: Any, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "_SKIPPED", 50_000)
    contents = [b"a" * 10, b"b" * 11, b"c" * 40_000, b"d", b"e" * 90_000, b"", b"f" * 90_000, b"g" * 9]
    workshop.commit({f"processes/{number}": data for number, data in enumerate(contents)})
    ids = [workshop.git("rev-parse", f"HEAD:processes/{number}") for number in range(len(contents))]
    read = list(objects.read_blobs(repo, ids, 10))
    assert [id_ for id_, _ in read] == ids
    assert [data for _, data in read] == [data[:11] for data in contents]
    assert list(objects.read_blobs(repo, [], 10)) == []


def test_one_file_is_read_at_a_commit(workshop: Any, repo: Repository) -> None:
    first = workshop.commit({"processes/A.yaml": "one"})
    second = workshop.commit({"processes/A.yaml": "two", "processes/B.yaml": "b" * 20})
    assert objects.read_file(repo, first, "processes/A.yaml") == b"one"
    assert objects.read_file(repo, second, "processes/A.yaml") == b"two"
    assert objects.read_file(repo, second, "processes/B.yaml", 10) == b"b" * 11
    for path in ("processes", "processes/C.yaml", "processes/A.yaml/x", "*", "--name-only"):
        assert objects.read_file(repo, second, path) is None


def test_many_paths_are_looked_up_at_once(workshop: Any, repo: Repository) -> None:
    commit = workshop.commit({"processes/scripts/a b.sh": "x"})
    found = objects.find(repo, commit, ["processes/scripts/a b.sh", "processes/scripts", "nope missing", "no"])
    blob, tree = (workshop.git("rev-parse", f"{commit}:processes/{path}") for path in ("scripts/a b.sh", "scripts"))
    assert found == {
        "processes/scripts/a b.sh": (blob, "blob"),
        "processes/scripts": (tree, "tree"),
        "nope missing": None,
        "no": None,
    }
    with pytest.raises(ValueError, match="another question"):
        objects.find(repo, commit, [f"a\n{commit}:b"])


def test_a_missing_object_says_what_to_do(workshop: Any, repo: Repository) -> None:
    commit = workshop.commit({"processes/A.yaml": "gone"})
    blob = workshop.git("rev-parse", "HEAD:processes/A.yaml")
    (workshop.root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(UserError, match=f"cannot be read: {blob} missing.*clone"):
        objects.read_file(repo, commit, "processes/A.yaml")
    with pytest.raises(UserError, match="cannot be read"):
        list(objects.read_blobs(repo, [workshop.git("rev-parse", "HEAD^{tree}")], 10))
    with pytest.raises(GitError, match="ls-tree"):
        objects.list_tree(repo, "1" * 40)


def test_a_tree_that_holds_more_than_any_disk_is_refused(workshop: Any, repo: Repository) -> None:
    workshop.commit({"a": "a"})
    blob = workshop.git("rev-parse", "HEAD:a")
    tree = tree_of(workshop, *(f"100644 blob {blob}\tf{number}" for number in range(10)))
    for _ in range(9):
        tree = tree_of(workshop, *(f"040000 tree {tree}\td{number}" for number in range(10)))
    commit = commit_of(workshop, tree_of(workshop, f"040000 tree {tree}\tprocesses"))
    with pytest.raises(UserError, match="more than 250,000 files"):
        objects.list_tree(repo, commit)


def test_replacement_objects_count_for_nothing(workshop: Any, repo: Repository) -> None:
    first = workshop.commit({"processes/A.yaml": "honest"})
    second = workshop.commit({"processes/A.yaml": "forged"})
    workshop.git("replace", first, second)
    assert objects.read_file(repo, first, "processes/A.yaml") == b"honest"
