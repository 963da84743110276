"""The branch of records: written beside the user's work, compare-and-swap, nothing lost (attack classes 1, 2 and 4)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import LaterError
from reconciler.repo import publish
from reconciler.repo.git import GitError
from reconciler.repo.publish import BRANCH, Batch, Tip
from reconciler.repo.repository import Repository, open_repository

AT = datetime(2021, 7, 1, 16, 30, 7, tzinfo=UTC)
ONE, TWO = "2021/07/01/ECB_FX/163000-05f1ec1a.json", "2021/07/01/ECB_FX/164000-aaaaaaaa~host.json"


def batch(*paths: str, data: bytes = b"{}\n", message: str = "ECB_FX success") -> Batch:
    return Batch(dict.fromkeys(paths, data), message, AT)


def published(repo: Repository, onto: Tip | None, *paths: str, data: bytes = b"{}\n") -> Tip:
    commit = publish.commit(repo, onto, batch(*paths, data=data))
    assert commit is not None
    return Tip(commit, BRANCH)


def test_a_first_batch_begins_a_branch_of_its_own(workshop: Any, repo: Repository) -> None:
    workshop.commit({"a": "a"})
    assert publish.tip(repo) is None
    tip = published(repo, None, ONE, "state/production.json")
    assert publish.tip(repo) == tip
    assert workshop.git("log", "--format=%s|%an|%ae|%cn|%at|%ct|%P", "executions") == (
        f"ECB_FX success|Ada Lovelace|ada@example.org|Ada Lovelace|{int(AT.timestamp())}|{int(AT.timestamp())}|"
    )
    assert workshop.git("ls-tree", "-r", "--name-only", "executions").split() == [ONE, "state/production.json"]
    assert publish.read(repo, tip, ONE) == b"{}\n"
    assert publish.read(repo, tip, TWO) is None


def test_without_a_user_procctl_signs_for_itself(workshop: Any) -> None:
    workshop.commit()
    nobody = open_repository(workshop.root, {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"})
    published(nobody, None, ONE)
    assert workshop.git("log", "-1", "--format=%an <%ae>", "executions") == "procctl <procctl@localhost>"


def test_a_user_cannot_forge_a_commit_by_a_name(workshop: Any, repo: Repository) -> None:
    workshop.git("config", "user.name", "Eve <eve@x> 0 +0000\ncommitter Mallory")
    published(repo, None, ONE)
    assert workshop.git("log", "-1", "--format=%ae %ct", "executions") == f"ada@example.org {int(AT.timestamp())}"
    message = "subject\n\nfrom refs/heads/main\nM 100644 inline evil\ndata 1\nx"
    publish.commit(repo, publish.tip(repo), batch(TWO, message=message))
    assert workshop.git("ls-tree", "-r", "--name-only", "executions").split() == [ONE, TWO]


def test_later_batches_keep_what_is_there(workshop: Any, repo: Repository) -> None:
    first = published(repo, None, ONE)
    second = published(repo, first, TWO, data=b"x" * 100_000)
    assert workshop.git("rev-parse", "executions~1") == first.commit
    assert [(path, data) for path, _, data in publish.records(repo, second)] == [(ONE, b"{}\n"), (TWO, b"x" * 100_000)]


def test_worktree_and_index_stay_untouched(workshop: Any, repo: Repository) -> None:
    workshop.commit({"a": "a", "b": "b"})
    workshop.write("a", "edited")
    workshop.write("new", "new")
    workshop.git("rm", "-q", "--cached", "b")
    index = (workshop.root / ".git" / "index").read_bytes()
    status, head = workshop.git("status", "--porcelain"), workshop.git("rev-parse", "HEAD")
    published(repo, published(repo, None, ONE), TWO)
    assert (workshop.root / ".git" / "index").read_bytes() == index
    assert (workshop.git("status", "--porcelain"), workshop.git("rev-parse", "HEAD")) == (status, head)
    assert sorted(path.name for path in workshop.root.iterdir()) == [".git", ".gitignore", "a", "b", "new"]


def test_the_first_of_two_writers_wins_and_the_other_is_told(workshop: Any, repo: Repository) -> None:
    assert publish.commit(repo, None, batch(ONE)) is not None
    first = publish.tip(repo)
    assert publish.commit(repo, None, batch(TWO)) is None, "the branch came into being in between"
    assert publish.commit(repo, first, batch(TWO)) is not None
    tip = publish.tip(repo)
    assert publish.commit(repo, first, batch("2021/07/02/A/000000-00000000.json")) is None
    assert publish.tip(repo) == tip
    lock = workshop.write(".git/refs/heads/executions.lock", "")
    assert publish.commit(repo, tip, batch("2021/07/02/A/000000-00000000.json")) is None
    lock.unlink()
    assert publish.commit(repo, tip, batch("2021/07/02/A/000000-00000000.json")) is not None


@pytest.mark.parametrize(
    "path",
    [
        *("../evil", "a/../../evil", "/evil", ".git/config", "a/.git/config", "A/.GIT/hooks/x", "git~1/config"),
        *("a\nM x", "", '"a"', "a b", "a\\b", "a/", "é.json", "-x", "a/.git./config", "\u202egit"),
    ],
)
def test_no_path_leads_out_of_the_branch(path: str, repo: Repository) -> None:
    with pytest.raises(ValueError, match="may not be published"):
        publish.commit(repo, None, batch(ONE, path))
    with pytest.raises(ValueError, match="may not be published"):
        publish.lookup(repo, None, [path])
    assert publish.tip(repo) is None


def test_nothing_is_published_under_a_users_feet(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    workshop.commit()
    tip = published(repo, None, ONE)
    workshop.git("worktree", "add", "-q", str(tmp_path / "reading"), "executions")
    with pytest.raises(LaterError, match=r"reading: the branch executions is checked out.*git switch"):
        publish.commit(repo, tip, batch(TWO))
    assert publish.tip(repo) == tip
    workshop.git("worktree", "remove", str(tmp_path / "reading"))
    assert publish.commit(repo, tip, batch(TWO)) is not None
    workshop.git("checkout", "-q", "executions")
    assert (workshop.root / ONE).is_file(), "paths lack the prefix, so live records are never met"
    with pytest.raises(LaterError, match=f"^{workshop.root}: "):
        publish.commit(repo, publish.tip(repo), batch("2021/07/02/A/000000-00000000.json"))


def test_a_bare_repository_is_published_to(workshop: Any, tmp_path: Path) -> None:
    workshop.commit()
    workshop.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    bare = open_repository(tmp_path / "bare", {"PATH": "/usr/bin:/bin"})
    tip = published(bare, None, ONE)
    assert publish.tip(bare) == tip
    bare.git.run("symbolic-ref", "HEAD", BRANCH)
    assert publish.commit(bare, tip, batch(TWO)) is not None


def test_no_hook_runs(workshop: Any, repo: Repository, canary: Path) -> None:
    for hook in ("reference-transaction", "post-commit", "pre-auto-gc", "update", "post-update"):
        workshop.write(f".git/hooks/{hook}", f"#!/bin/sh\ntouch {canary}\n", 0o755)
    published(repo, None, ONE)
    workshop.git("-c", "core.hooksPath=/dev/null", "config", "gc.auto", "1")
    publish.tidy(repo)
    assert not canary.exists()


def test_many_paths_are_looked_up_at_a_tip(workshop: Any, repo: Repository) -> None:
    tip = published(repo, None, ONE)
    blob = workshop.git("rev-parse", f"executions:{ONE}")
    assert publish.lookup(repo, tip, [ONE, TWO, "2021/07"]) == {ONE: blob, TWO: None, "2021/07": None}
    assert publish.lookup(repo, None, [ONE]) == {ONE: None}
    assert publish.lookup(repo, tip, []) == {}


def test_a_clone_goes_on_from_the_remotes_records(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    workshop.commit()
    first = published(repo, None, ONE, "state/production.json")
    workshop.git("clone", "-q", ".", str(tmp_path / "clone"))
    clone = open_repository(tmp_path / "clone", {"PATH": "/usr/bin:/bin"})
    tip = publish.tip(clone)
    assert tip == Tip(first.commit, "refs/remotes/origin/executions")
    assert publish.read(clone, tip, "state/production.json") == b"{}\n"
    second = publish.commit(clone, tip, batch(TWO))
    assert publish.tip(clone) == Tip(str(second), BRANCH)
    assert clone.git.run("rev-parse", f"{BRANCH}~1").decode().strip() == first.commit
    clone.git.run("update-ref", "-d", BRANCH)
    clone.git.run("update-ref", "refs/remotes/upstream/executions", first.commit)
    clone.git.run("update-ref", "-d", "refs/remotes/origin/executions")
    assert publish.tip(clone) == Tip(first.commit, "refs/remotes/upstream/executions")


def test_all_records_are_read_back_in_parts(workshop: Any, repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"2021/07/01/A/{number:06d}-00000000.json" for number in range(25)]
    files = {path: f"{number}\n".encode() for number, path in enumerate(paths)}
    tip = Tip(str(publish.commit(repo, None, Batch({**files, "state/production.json": b"{}"}, "x", AT))), BRANCH)
    monkeypatch.setattr(publish, "_PART", 10)
    assert {path: data for path, _, data in publish.records(repo, tip)} == files
    ids = {path: blob for path, blob, _ in publish.records(repo, tip)}
    assert ids[paths[3]] == workshop.git("rev-parse", f"executions:{paths[3]}")


def test_a_failure_leaves_no_crash_report_behind(workshop: Any, repo: Repository) -> None:
    with pytest.raises(GitError, match="fast-import"):
        publish.commit(repo, Tip("1" * 40, BRANCH), batch(ONE))
    assert list((workshop.root / ".git").glob("fast_import_crash_*")) == []
    assert publish.tip(repo) is None


def test_git_may_tidy_up(workshop: Any, repo: Repository) -> None:
    tip = published(repo, None, ONE)
    publish.tidy(repo)
    assert publish.tip(repo) == tip
    assert workshop.git("fsck", "--strict") == ""
