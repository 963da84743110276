"""Which commit is followed, and what ids and names of branches mean (attack classes 3 and 19)."""

import subprocess
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.errors import NotFoundError, UserError
from reconciler.repo import refs
from reconciler.repo.refs import Followed
from reconciler.repo.repository import Repository

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def nothing(commit: str) -> None:
    assert commit


def test_the_order_in_which_a_branch_is_chosen(workshop: Any, repo: Repository) -> None:
    first = workshop.commit()
    workshop.git("branch", "release")
    workshop.git("branch", "other")
    second = workshop.commit()
    assert refs.followed(repo, "release", lambda _: "other") == Followed("refs/heads/release", first)
    assert refs.followed(repo, None, lambda _: "other") == Followed("refs/heads/other", first)
    assert refs.followed(repo, None, nothing) == Followed("refs/heads/main", second)
    assert refs.followed(repo, "refs/heads/release", nothing).branch == "release"
    asked: list[str] = []
    refs.followed(repo, None, asked.append)
    assert asked == [second], "the setting is read at HEAD's commit"


def test_a_detached_head_needs_a_name_from_elsewhere(workshop: Any, repo: Repository) -> None:
    commit = workshop.commit()
    workshop.git("checkout", "-q", "--detach")
    with pytest.raises(UserError, match=r"HEAD is detached.*--ref"):
        refs.followed(repo, None, nothing)
    assert refs.followed(repo, None, lambda _: "main").commit == commit
    assert refs.followed(repo, "main", nothing).commit == commit


def test_an_empty_repository_says_how_to_begin(workshop: Any, repo: Repository) -> None:
    with pytest.raises(UserError, match=r"no commit yet.*procctl init"):
        refs.followed(repo, None, nothing)
    with pytest.raises(UserError, match="--ref: there is no branch 'main'"):
        refs.followed(repo, "main", nothing)
    workshop.git("checkout", "-q", "--orphan", "unborn")
    workshop.commit()
    workshop.git("checkout", "-q", "--orphan", "another")
    assert refs.followed(repo, "unborn", nothing).branch == "unborn"


@pytest.mark.parametrize("name", ["nope", "-q", "--output=x", "main^{tree}", "main~1", "a b", "", "HEAD", "@{-1}"])
def test_what_is_no_branch_is_refused(name: str, workshop: Any, repo: Repository) -> None:
    workshop.commit()
    with pytest.raises(UserError, match="--ref: "):
        refs.followed(repo, name, nothing)
    with pytest.raises(UserError, match=r"procctl\.yaml: "):
        refs.followed(repo, None, lambda _: name)


def test_a_tag_never_stands_in_for_a_branch(workshop: Any, repo: Repository) -> None:
    first = workshop.commit()
    workshop.git("tag", "main")
    second = workshop.commit()
    workshop.git("tag", "onlytag", first)
    assert refs.followed(repo, "main", nothing).commit == second
    workshop.git("update-ref", "refs/tags/refs/heads/ghost", first)
    for name in ("onlytag", "ghost"):
        with pytest.raises(UserError, match=f"no branch '{name}'"):
            refs.followed(repo, name, nothing)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab-./~^:?*[\\ @{\x01\x7fé\n"), min_size=1, max_size=8))
@example("-a")
@example("a.lock")
@example("a.lock/b")
@example("@")
@example("a..b")
@example("é/ü")
@example("a./b")
@example("a./@")
@example("@/a.")
@example("a/b.")
def test_names_of_branches_are_those_of_git(name: str) -> None:
    said = subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True, check=False)
    assert refs.is_branch(name) == (said.returncode == 0 and said.stdout.decode().strip() == name)


def test_a_branch_whose_name_needs_care(workshop: Any, repo: Repository) -> None:
    commit = workshop.commit()
    for name in ("féature/ünï", "a;touch${IFS}x", "$(id)", "'quoted'", "deadbeef", "refs"):
        workshop.git("branch", name)
        assert refs.followed(repo, name, nothing) == Followed(f"refs/heads/{name}", commit)
    workshop.git("checkout", "-q", "féature/ünï")
    assert refs.followed(repo, None, nothing).branch == "féature/ünï"
    workshop.git("pack-refs", "--all")
    assert refs.followed(repo, "deadbeef", nothing).commit == commit


def test_ids_may_be_abbreviated(workshop: Any, repo: Repository) -> None:
    first, second = workshop.commit(), workshop.commit()
    assert refs.resolve_commit(repo, first[:7]) == first
    assert refs.resolve_commit(repo, second) == second
    tree = workshop.git("rev-parse", f"{first}^{{tree}}")
    for text in ("0000000", tree, "f" * 40):
        with pytest.raises(NotFoundError, match="there is no commit"):
            refs.resolve_commit(repo, text)
    for text in ("", "abc", "main", "-q12345", "HEAD", first.upper(), f"{first}^", "0" * 65):
        with pytest.raises(UserError, match="no commit id"):
            refs.resolve_commit(repo, text)


def test_a_branch_named_like_an_id_is_not_that_id(workshop: Any, repo: Repository) -> None:
    first = workshop.commit()
    workshop.commit()
    workshop.git("branch", first[:7])
    assert refs.resolve_commit(repo, first[:7]) == first


def test_an_ambiguous_id_asks_for_more(workshop: Any, repo: Repository) -> None:
    assert workshop.git("hash-object", "-w", "-t", "tree", "/dev/null") == EMPTY_TREE
    made = []
    for message in ("16420", "17215"):  # found by trying: the ids share their first 7 digits
        who = "A <a@b> 0 +0000"
        body = f"tree {EMPTY_TREE}\nauthor {who}\ncommitter {who}\n\n{message}\n"
        file = workshop.write("body", body)
        made.append(workshop.git("hash-object", "-w", "-t", "commit", str(file)))
    assert made[0][:7] == made[1][:7]
    with pytest.raises(UserError, match=r"begins 2 commits; give more digits"):
        refs.resolve_commit(repo, made[0][:7])
    assert refs.resolve_commit(repo, made[0][:10]) == made[0]


def test_revisions_are_for_users_at_the_command_line(workshop: Any, repo: Repository) -> None:
    first, second = workshop.commit(), workshop.commit()
    workshop.git("tag", "-a", "-m", "x", "v1")
    assert refs.resolve_revision(repo, "HEAD~1") == first
    assert refs.resolve_revision(repo, "v1") == second
    for text in ("nope", "--all", "-q", "HEAD\n", "", "HEAD:a"):
        with pytest.raises(NotFoundError, match="no commit here"):
            refs.resolve_revision(repo, text)


def test_ancestors(workshop: Any, repo: Repository) -> None:
    first, second = workshop.commit(), workshop.commit()
    assert refs.is_ancestor(repo, first, second)
    assert refs.is_ancestor(repo, first, first)
    assert not refs.is_ancestor(repo, second, first)
    assert not refs.is_ancestor(repo, "1" * 40, second), "a commit that was pruned is nobody's ancestor"
    assert refs.read(repo, "refs/heads/nope") is None
