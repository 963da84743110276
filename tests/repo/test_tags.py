"""Tags: listed in one call, made annotated, and moved by compare and swap."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import LaterError, NotFoundError, UserError
from reconciler.repo import tags
from reconciler.repo.repository import Repository, open_repository


def opened(root: Path) -> Repository:
    return open_repository(root, os.environ)


@pytest.fixture
def repo(workshop: Any) -> Repository:
    workshop.commit({"processes/A.yaml": "script: a\n"})
    return opened(workshop.root)


def head(workshop: Any) -> str:
    return str(workshop.git("rev-parse", "HEAD"))


def test_an_annotated_tag_says_what_who_when_and_why(repo: Repository, workshop: Any) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    made = tags.put(repo, "A/PROD", head(workshop), "A@1\n\nmoved from A@2 1234", None)
    tag = tags.all(repo)["A/PROD"]
    assert (tag.commit, tag.object, tag.tagger) == (head(workshop), made, "Ada Lovelace")
    assert tag.message == "A@1\n\nmoved from A@2 1234"
    assert tag.time is not None
    assert before <= tag.time <= datetime.now(UTC)
    assert workshop.git("cat-file", "-t", "A/PROD") == "tag"
    assert workshop.git("fsck", "--strict") == ""
    assert sorted(path.name for path in repo.common_dir.glob("procctl-tag-*")) == []


def test_what_git_alone_made_is_listed_too(repo: Repository, workshop: Any) -> None:
    workshop.git("tag", "v1")
    workshop.git("tag", "-a", "-m", "two\n\nlines", "v2")
    workshop.git("tag", "-a", "-m", "a tag of a tag of a tag", "v3", "v2")
    workshop.git("tag", "tree", "HEAD^{tree}")
    workshop.git("tag", "-a", "-m", "of a blob", "blob", "HEAD:processes/A.yaml")
    workshop.git("tag", "deep/er/still")
    found = tags.all(repo)
    commits = {name: tag.commit for name, tag in found.items()}
    here = head(workshop)
    assert commits == {"v1": here, "v2": here, "v3": here, "deep/er/still": here, "tree": None, "blob": None}
    assert (found["v1"].tagger, found["v1"].time, found["v1"].message) == ("", None, "")
    assert found["v2"].message == "two\n\nlines"
    workshop.git("pack-refs", "--all")
    assert tags.all(repo) == found


def test_a_tag_of_no_commit_picks_no_version(repo: Repository, workshop: Any) -> None:
    workshop.git("tag", "tree", "HEAD^{tree}")
    with pytest.raises(NotFoundError, match="names no commit that is here, so it picks no version"):
        tags.commit_of(tags.all(repo)["tree"])
    workshop.git("tag", "v1")
    assert tags.commit_of(tags.all(repo)["v1"]) == head(workshop)


def test_only_some_tags_are_asked_for(repo: Repository, workshop: Any) -> None:
    for name in ("A/PROD", "A/TEST", "AB/PROD", "PROD", "A/PROD.x"):
        workshop.git("tag", name)
    assert list(tags.some(repo, ["PROD", "A/PROD", "B/PROD"])) == ["PROD", "A/PROD"]
    assert tags.some(repo, []) == {}
    assert list(tags.some(repo, [*(f"X{number}/PROD" for number in range(500)), "A/PROD"])) == ["A/PROD"]
    assert set(tags.of(repo, "A")) == {"A/PROD", "A/TEST", "A/PROD.x", "PROD"}
    assert set(tags.of(repo, "A", "AB")) == {"A/PROD", "A/TEST", "A/PROD.x", "AB/PROD", "PROD"}
    assert set(tags.of(repo)) == {"PROD"}


def test_a_tag_moves_only_from_where_it_was_seen(repo: Repository, workshop: Any) -> None:
    first = head(workshop)
    made = tags.put(repo, "A/PROD", first, "A@1", None)
    second = workshop.commit({"processes/A.yaml": "script: b\n"})
    with pytest.raises(LaterError, match="somebody else moved the tag A/PROD") as caught:
        tags.put(repo, "A/PROD", second, "A@2", None)
    assert caught.value.exit_code == 3
    moved = tags.put(repo, "A/PROD", second, "A@2", made)
    for old in (made, first):
        with pytest.raises(LaterError, match="moved the tag"):
            tags.put(repo, "A/PROD", first, "A@1", old)
        with pytest.raises(LaterError, match="moved the tag"):
            tags.remove(repo, "A/PROD", old)
    assert tags.all(repo)["A/PROD"].commit == second
    tags.remove(repo, "A/PROD", moved)
    assert tags.all(repo) == {}
    with pytest.raises(LaterError):
        tags.remove(repo, "A/PROD", moved)


def test_a_packed_tag_moves_and_goes_as_well(repo: Repository, workshop: Any) -> None:
    made = tags.put(repo, "A/PROD", head(workshop), "A@1", None)
    workshop.git("pack-refs", "--all", "--prune")
    moved = tags.put(repo, "A/PROD", workshop.commit(), "A@1", made)
    workshop.git("pack-refs", "--all", "--prune")
    tags.remove(repo, "A/PROD", moved)
    assert tags.all(repo) == {}


def test_a_tag_in_the_way_is_named(repo: Repository, workshop: Any) -> None:
    workshop.git("tag", "A")
    with pytest.raises(UserError, match="the tag A/PROD cannot be made beside the tag A") as caught:
        tags.put(repo, "A/PROD", head(workshop), "A@1", None)
    assert "`git tag NEW A`, then `git tag -d A`" in caught.value.todo
    workshop.git("tag", "A.old", "A")
    workshop.git("tag", "-d", "A")
    tags.put(repo, "A/PROD", head(workshop), "A@1", None)
    with pytest.raises(UserError, match="the tag A cannot be made beside the tag A/PROD"):
        tags.put(repo, "A", head(workshop), "all", None)


@pytest.mark.parametrize("name", ["", "A/", "/PROD", "A/B/C", "A/../B", "A/1", "1", "A/x.lock", "-d", "A/-d", "A/a b"])
def test_names_that_are_no_tags_never_reach_git(repo: Repository, workshop: Any, name: str) -> None:
    with pytest.raises(UserError, match="cannot be the name of a tag"):
        tags.put(repo, name, head(workshop), "A@1", None)
    with pytest.raises(UserError, match="cannot be the name of a tag"):
        tags.remove(repo, name, "0" * 40)


def test_without_a_name_nobody_tags(workshop: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commit = workshop.commit({"processes/A.yaml": "script: a\n"})
    home = tmp_path / "nobody"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    monkeypatch.setenv("HOME", str(home))
    with pytest.raises(UserError, match="git does not know who you are"):
        tags.put(opened(workshop.root), "A/PROD", commit, "A@1", None)
    workshop.git("config", "user.name", "Grace Hopper")
    workshop.git("config", "user.email", "grace@example.org")
    tags.put(opened(workshop.root), "A/PROD", commit, "A@1", None)
    assert tags.all(opened(workshop.root))["A/PROD"].tagger == "Grace Hopper"


def test_tags_are_made_in_a_bare_repository_and_in_another_worktree(workshop: Any, tmp_path: Path) -> None:
    commit = workshop.commit({"processes/A.yaml": "script: a\n"})
    subprocess.run(["git", "clone", "-q", "--bare", str(workshop.root), str(tmp_path / "bare.git")], check=True)
    bare = opened(tmp_path / "bare.git")
    tags.put(bare, "A/PROD", commit, "A@1", None)
    assert tags.all(bare)["A/PROD"].commit == commit
    workshop.git("worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
    tags.put(opened(tmp_path / "other"), "A/PROD", commit, "A@1", None)
    assert tags.all(opened(workshop.root))["A/PROD"].commit == commit


def test_a_repository_of_long_ids(tmp_path: Path) -> None:
    root = tmp_path / "long"
    subprocess.run(["git", "init", "-q", "-b", "main", "--object-format=sha256", str(root)], check=True)
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "one"], cwd=root, check=True)
    repo = opened(root)
    commit = repo.git.run("rev-parse", "HEAD").decode().strip()
    assert len(tags.put(repo, "A/PROD", commit, "A@1", None)) == 64
    assert tags.all(repo)["A/PROD"].commit == commit


def test_a_tag_is_signed_where_git_is_told_so(repo: Repository, workshop: Any, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    workshop.git("config", "gpg.format", "ssh")
    workshop.git("config", "user.signingKey", str(key))
    workshop.git("config", "tag.gpgSign", "true")
    made = tags.put(repo, "A/PROD", head(workshop), "A@1", None)
    signers = workshop.write("signers", f"ada@example.org {key.with_suffix('.pub').read_text()}")
    workshop.git("config", "gpg.ssh.allowedSignersFile", str(signers))
    workshop.git("tag", "--verify", "A/PROD")
    assert "\n-----BEGIN SSH SIGNATURE" in workshop.git("cat-file", "tag", made)
    assert tags.all(repo)["A/PROD"].message == "A@1", "a signature is no message"
    workshop.git("config", "user.signingKey", str(tmp_path / "missing"))
    with pytest.raises(UserError, match=r"could not sign the tag|git tag failed"):
        tags.put(repo, "A/TEST", head(workshop), "A@1", None)
    assert list(tags.all(repo)) == ["A/PROD"]


def test_hooks_do_not_run(repo: Repository, workshop: Any, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    workshop.write(".git/hooks/reference-transaction", f"#!/bin/sh\ntouch {proof}\n", 0o755)
    made = tags.put(repo, "A/PROD", head(workshop), "A@1", None)
    tags.remove(repo, "A/PROD", made)
    assert not proof.exists()


def test_one_broken_tag_hides_no_other(repo: Repository, workshop: Any) -> None:
    gone = workshop.commit(message="to be lost")
    workshop.git("tag", "-a", "-m", "of what is lost", "lost")
    workshop.git("reset", "-q", "--hard", "HEAD^")
    workshop.git("tag", "A/PROD")
    workshop.git("tag", "-a", "-m", "kept", "A/TEST")
    (workshop.root / f".git/objects/{gone[:2]}/{gone[2:]}").unlink()
    here = head(workshop)
    found = {name: tag.commit for name, tag in tags.all(repo).items()}
    assert found == {"lost": None, "A/PROD": here, "A/TEST": here}


def test_a_date_that_is_none_is_left_out(repo: Repository, workshop: Any) -> None:
    text = (
        f"object {head(workshop)}\ntype commit\ntag odd\ntagger Ada <ada@example.org> 99999999999999999 +0000\n\nodd\n"
    )
    done = subprocess.run(
        ["git", "hash-object", "-t", "tag", "-w", "--stdin", "--literally"],
        cwd=workshop.root,
        input=text.encode(),
        check=True,
        capture_output=True,
    )
    workshop.git("update-ref", "refs/tags/odd", done.stdout.decode().strip())
    assert tags.all(repo)["odd"].time is None
    assert tags.all(repo)["odd"].commit == head(workshop)


def test_many_tags_cost_one_call(repo: Repository, workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = head(workshop)
    lines = "".join(f"create refs/tags/P{number}/PROD {here}\n" for number in range(1000))
    subprocess.run(["git", "update-ref", "--stdin"], cwd=workshop.root, input=lines.encode(), check=True)
    calls = []
    run = subprocess.run

    def counted(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        return run(*arguments, **named)

    monkeypatch.setattr(subprocess, "run", counted)
    assert len(tags.all(repo)) == 1000
    assert len(calls) == 1
