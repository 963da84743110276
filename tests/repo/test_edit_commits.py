"""Commits to a user's branch: nothing but the edited file moves, and nobody's commit is lost."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import LaterError, UserError
from reconciler.repo import edit, standing
from reconciler.repo.edit import Edit
from reconciler.repo.repository import Repository, open_repository

MAIN = "refs/heads/main"
A, B = "processes/A.yaml", "processes/B.yaml"


def write(repo: Repository, changes: Mapping[str, bytes | None], message: str = "Edit") -> edit.Committed:
    done = edit.commit(repo, MAIN, lambda _: Edit(message, changes))
    assert done is not None
    return done


def state(root: Path) -> dict[str, bytes]:
    """All that an edit must not touch: the files, and the index by its entries."""
    files = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file() and ".git" not in p.parts}
    index = subprocess.run(["git", "ls-files", "-s", "-v"], cwd=root, capture_output=True, check=True).stdout
    return files | {f"index {line.split(chr(9))[1]}": line.encode() for line in index.decode().splitlines()}


def test_only_the_edited_file_and_its_index_entry_change(workshop: Any, repo: Repository) -> None:
    workshop.commit({A: "a: 1\n", B: "b: 1\n", "other": "1", "stashed": "1"})
    workshop.write("stashed", "2")
    workshop.git("stash")
    workshop.write("other", "staged")
    workshop.git("add", "other")
    workshop.write("other", "and edited")
    workshop.write("new", "untracked")
    before, stash = state(workshop.root), workshop.git("rev-parse", "stash@{0}")
    done = write(repo, {A: b"a: 2\n"}, "Let a be 2\n\nBecause.\n")
    after = state(workshop.root)
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} == {A, f"index {A}"}
    assert (workshop.root / A).read_bytes() == b"a: 2\n"
    assert workshop.git("rev-parse", "HEAD", "stash@{0}").split() == [done.commit, stash]
    assert workshop.git("status", "--porcelain", "--", A) == ""
    assert workshop.git("diff", "--cached", "--name-only") == "other"
    shown = workshop.git("log", "-1", "--format=%an <%ae>|%cn|%B", "--name-only")
    assert shown.split("\n") == ["Ada Lovelace <ada@example.org>|Ada Lovelace|Let a be 2", "", "Because.", "", "", A]
    assert (done.branch, done.hooks) == ("main", ())
    assert "commit (procctl)" in workshop.git("reflog", "-1")


def test_files_come_and_go(workshop: Any, repo: Repository) -> None:
    workshop.commit({A: "a: 1\n", "processes/deep/er/C.yaml": "c\n"})
    write(repo, {"processes/new/N.yaml": b"n\n", "processes/deep/er/C.yaml": None})
    assert (workshop.root / "processes/new/N.yaml").read_bytes() == b"n\n"
    assert not (workshop.root / "processes/deep").exists()
    assert workshop.git("status", "--porcelain") == ""
    assert edit.commit(repo, MAIN, lambda _: None) is None


def test_an_empty_commit_is_one(workshop: Any, repo: Repository) -> None:
    tip = workshop.commit({A: "a: 1\n"})
    done = write(repo, {}, "Procctl-Delete: A@1 0123456789ab")
    assert workshop.git("rev-parse", f"{done.commit}^", f"{done.commit}^{{tree}}").split() == [
        tip,
        workshop.git("rev-parse", f"{tip}^{{tree}}"),
    ]


def test_a_file_mode_stays(workshop: Any, repo: Repository) -> None:
    workshop.commit({A: "#!a: 1\n"})
    write(repo, {A: b"a: 2\n"})
    assert workshop.git("ls-tree", "HEAD", A).startswith("100755")
    assert os.access(workshop.root / A, os.X_OK)
    assert workshop.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    "how", ["edited", "staged", "staged and put back", "deleted", "untracked", "link", "linked folder"]
)
def test_uncommitted_changes_of_the_file_are_never_run_over(workshop: Any, repo: Repository, how: str) -> None:
    workshop.commit({A: "a: 1\n", B: "b: 1\n"})
    path = A
    if how in {"edited", "staged", "staged and put back"}:
        workshop.write(A, "a: mine\n")
    if how.startswith("staged"):
        workshop.git("add", A)
    if how == "staged and put back":
        workshop.write(A, "a: 1\n")
    if how == "deleted":
        (workshop.root / A).unlink()
    if how == "untracked":
        path = "processes/N.yaml"
        workshop.write(path, "mine\n")
    if how == "link":
        (workshop.root / A).unlink()
        (workshop.root / A).symlink_to("B.yaml")
    if how == "linked folder":
        shutil.move(workshop.root / "processes", workshop.root / "elsewhere")
        (workshop.root / "processes").symlink_to("elsewhere")
    before, tip = state(workshop.root), workshop.git("rev-parse", "HEAD")
    with pytest.raises(UserError, match="the worktree has") as caught:
        write(repo, {B: b"b: 2\n", path: b"a: 2\n"})
    assert path in str(caught.value) or "linked" in how
    assert "git restore" in caught.value.todo
    assert (state(workshop.root), workshop.git("rev-parse", "HEAD")) == (before, tip)


def test_what_lies_there_as_it_is_to_be_is_no_obstacle(workshop: Any, repo: Repository) -> None:
    workshop.commit({A: "a: 1\n"})
    workshop.write(A, "a: 2\n")
    workshop.git("add", A)
    workshop.write(B, "b: 2\n")
    write(repo, {A: b"a: 2\n", B: b"b: 2\n"})
    assert workshop.git("status", "--porcelain") == ""


@pytest.mark.parametrize("what", ["merge", "rebase", "cherry-pick", "revert", "bisect"])
def test_nothing_is_written_in_the_middle_of_something(workshop: Any, repo: Repository, what: str) -> None:
    first = workshop.commit({A: "a: 1\n", "x": "1"})
    workshop.git("checkout", "-q", "-b", "side")
    side = workshop.commit({"x": "2"})
    workshop.git("checkout", "-q", "main")
    tip = workshop.commit({"x": "3"})
    arguments = {
        "merge": [side],
        "rebase": [side],
        "cherry-pick": [side],
        "revert": [first],
        "bisect": ["start", tip, first],
    }
    subprocess.run(["git", what, *arguments[what]], cwd=workshop.root, capture_output=True, check=False)
    with pytest.raises(UserError, match=f"a {what} is not finished here"):
        write(repo, {A: b"a: 2\n"})
    assert workshop.git("rev-parse", "main") == tip
    done = edit.commit(repo, "refs/heads/side", lambda _: Edit("Elsewhere", {A: b"a: 2\n"}))
    assert done is not None
    assert workshop.git("rev-parse", "side") == done.commit


def test_every_worktree_that_stands_on_the_branch_is_brought_up_to_date(
    workshop: Any, repo: Repository, tmp_path: Path
) -> None:
    workshop.commit({A: "a: 1\n"})
    workshop.git("branch", "side")
    workshop.git("worktree", "add", "-q", str(tmp_path / "linked"), "side")
    linked = open_repository(tmp_path / "linked", os.environ)
    write(linked, {A: b"a: 2\n"})
    assert (workshop.root / A).read_bytes() == b"a: 2\n"
    assert workshop.git("status", "--porcelain") == ""
    assert (tmp_path / "linked" / A).read_bytes() == b"a: 1\n"
    done = edit.commit(repo, "refs/heads/side", lambda _: Edit("There", {A: None}))
    assert done is not None
    assert not (tmp_path / "linked" / A).exists()
    assert subprocess.check_output(["git", "status", "--porcelain"], cwd=tmp_path / "linked") == b""
    assert [(place.folder, place.ref) for place in standing.worktrees(repo)] == [
        (workshop.root, MAIN),
        (tmp_path / "linked", "refs/heads/side"),
    ]
    shutil.rmtree(tmp_path / "linked")
    edit.commit(repo, "refs/heads/side", lambda _: Edit("Nobody there", {B: b"b"}))
    assert workshop.git("show", f"side:{B}") == "b"


def test_a_bare_repository_takes_commits_too(workshop: Any, tmp_path: Path) -> None:
    workshop.commit({A: "a: 1\n"})
    workshop.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    bare = open_repository(tmp_path / "bare", os.environ)
    done = write(bare, {A: b"a: 2\n"})
    assert bare.git.run("show", f"{done.commit}:{A}") == b"a: 2\n"


def test_a_shallow_clone_takes_commits_too(workshop: Any, tmp_path: Path) -> None:
    for number in range(3):
        workshop.commit({A: f"a: {number}\n"})
    workshop.git("clone", "-q", "--depth", "1", f"file://{workshop.root}", str(tmp_path / "shallow"))
    write(open_repository(tmp_path / "shallow", os.environ), {A: b"a: 9\n"})
    assert (tmp_path / "shallow" / A).read_bytes() == b"a: 9\n"


def test_a_branch_begins_where_it_is_told(workshop: Any, repo: Repository) -> None:
    tip = workshop.commit({A: "a: 1\n"})
    done = edit.commit(repo, "refs/heads/pr", lambda _: Edit("For a pull request", {A: b"a: 2\n"}), start=tip)
    assert done is not None
    assert workshop.git("rev-parse", "pr^") == tip
    assert (workshop.root / A).read_bytes() == b"a: 1\n"
    with pytest.raises(UserError, match="there is no branch 'none'"):
        edit.commit(repo, "refs/heads/none", lambda _: Edit("", {}))


def test_line_ends_and_sparse_checkouts_stay_as_the_user_has_them(workshop: Any, repo: Repository) -> None:
    workshop.commit({A: "a: 1\nb: 1\n", "processes/deep/C.yaml": "c: 1\n"})
    workshop.write(A, b"a: 1\r\nb: 1\r\n")
    workshop.git("update-index", "--skip-worktree", "processes/deep/C.yaml")
    (workshop.root / "processes/deep/C.yaml").unlink()
    write(repo, {A: b"a: 2\nb: 1\n", "processes/deep/C.yaml": b"c: 2\n"})
    assert (workshop.root / A).read_bytes() == b"a: 2\r\nb: 1\r\n"
    assert workshop.git("show", f"HEAD:{A}") == "a: 2\nb: 1"
    assert not (workshop.root / "processes/deep").exists() or not (workshop.root / "processes/deep/C.yaml").exists()
    assert workshop.git("ls-files", "-t", "processes/deep/C.yaml").startswith("S ")
    assert workshop.git("diff", "--cached") == ""


def test_filters_of_the_repository_do_not_run(workshop: Any, repo: Repository, canary: Path) -> None:
    workshop.commit({A: "a: 1\n", ".gitattributes": "*.yaml filter=evil\n"})
    workshop.git("config", "filter.evil.clean", f"touch {canary}; cat")
    workshop.git("config", "filter.evil.smudge", f"touch {canary}; cat")
    write(repo, {A: b"a: 2\n"})
    assert not canary.exists()


def test_hooks_do_not_run_and_are_named(workshop: Any, repo: Repository, canary: Path) -> None:
    workshop.commit({A: "a: 1\n"})
    for hook in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-index-change"):
        workshop.write(f".git/hooks/{hook}", f"#!/bin/sh\ntouch {canary}\nexit 1\n", 0o755)
    assert write(repo, {A: b"a: 2\n"}).hooks == ("pre-commit", "commit-msg", "post-commit")
    workshop.write("mine/prepare-commit-msg", f"#!/bin/sh\ntouch {canary}\n", 0o755)
    workshop.git("config", "core.hooksPath", "mine")
    assert write(repo, {A: b"a: 3\n"}).hooks == ("prepare-commit-msg",)
    assert not canary.exists()


def test_whoever_is_first_is_not_lost(workshop: Any, repo: Repository) -> None:
    workshop.commit({A: "a: 1\n", B: "b: 1\n"})
    asked: list[str] = []

    def make(tip: str) -> Edit:
        asked.append(tip)
        if len(asked) == 1:
            workshop.commit({B: "b: 2\n"}, "The other")
        return Edit("Mine", {A: b"a: 2\n"}, rests_on=(A,))

    edit.commit(repo, MAIN, make)
    assert workshop.git("log", "--format=%s", "-2").split("\n") == ["Mine", "The other"]
    assert workshop.git("show", f"HEAD:{B}") == "b: 2"
    assert asked[1:] == [workshop.git("rev-parse", "HEAD^")]
    assert workshop.git("status", "--porcelain") == ""


def test_an_edit_is_not_made_up_anew_from_something_else(workshop: Any, repo: Repository) -> None:
    workshop.commit({A: "a: 1\n"})

    def make(_: str) -> Edit:
        if workshop.git("log", "-1", "--format=%s") != "The other":
            workshop.commit({A: "a: theirs\n"}, "The other")
        return Edit("Mine", {A: b"a: 2\n"}, rests_on=(A,))

    with pytest.raises(LaterError, match="changed by another commit in the same moment"):
        edit.commit(repo, MAIN, make)
    assert workshop.git("log", "-1", "--format=%s") == "The other"
    assert (workshop.root / A).read_bytes() == b"a: theirs\n"
    assert workshop.git("status", "--porcelain") == ""


def test_a_branch_that_cannot_move_leaves_the_files_as_they_were(workshop: Any, repo: Repository) -> None:
    tip = workshop.commit({A: "a: 1\n"})
    stop = threading.Event()
    (workshop.root / ".git/refs/heads/main.lock").touch()
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(write, repo, {A: b"a: 2\n"})
        stop.wait(0.3)
        assert not later.done()
        assert workshop.git("rev-parse", "main") == tip
        (workshop.root / ".git/refs/heads/main.lock").unlink()
        later.result(30)
    assert (workshop.root / A).read_bytes() == b"a: 2\n"
    tip, before = workshop.git("rev-parse", "main"), state(workshop.root)
    (workshop.root / ".git/refs/heads/main.lock").touch()
    with pytest.raises(LaterError, match="another git holds the branch") as caught:
        write(repo, {A: b"a: 3\n", B: b"new\n"})
    assert "main.lock" in caught.value.where
    assert (workshop.git("rev-parse", "main"), state(workshop.root)) == (tip, before)


def test_a_message_that_git_cannot_take_leaves_everything(workshop: Any) -> None:
    workshop.commit({A: "a: 1\n"})
    nobody = open_repository(workshop.root, {"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    workshop.git("config", "user.useConfigOnly", "true")
    before = state(workshop.root)
    with pytest.raises(UserError, match=r"git does not know who you are.*user\.email"):
        write(nobody, {A: b"a: 2\n"})
    workshop.git("config", "user.name", "Ada")
    workshop.git("config", "user.email", "ada@example.org")
    workshop.git("config", "commit.gpgSign", "true")
    workshop.git("config", "gpg.format", "ssh")
    workshop.git("config", "user.signingKey", "/nonexistent")
    with pytest.raises(UserError, match="git could not sign the commit"):
        write(nobody, {A: b"a: 2\n"})
    assert state(workshop.root) == before


def test_commits_are_signed_where_the_user_signs(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    workshop.commit({A: "a: 1\n"})
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    for name, value in {"commit.gpgSign": "yes", "gpg.format": "ssh", "user.signingKey": str(key)}.items():
        workshop.git("config", name, value)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    workshop.git("config", "gpg.ssh.allowedSignersFile", str(allowed))
    write(repo, {A: b"a: 2\n"}, "Signé — 署名")
    assert workshop.git("log", "-1", "--format=%G? %s") == "G Signé — 署名"


RACER = """
import os, sys
from pathlib import Path
from reconciler.repo import edit
from reconciler.repo.repository import open_repository
repo = open_repository(Path(sys.argv[1]), os.environ)
for number in range(5):
    path = f"processes/{sys.argv[2]}{number}.yaml"
    edit.commit(repo, "refs/heads/main", lambda _: edit.Edit(path, {path: b"x: 1\\n"}))
"""


def test_writers_at_once_lose_nothing(workshop: Any, tmp_path: Path) -> None:
    workshop.commit({A: "a: 1\n"})
    workshop.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    places = [workshop.root, workshop.root, tmp_path / "linked"]
    writers = [
        subprocess.Popen([sys.executable, "-c", RACER, place, f"W{number}x"], stderr=subprocess.PIPE)
        for number, place in enumerate(places)
    ]
    gits, pause = 0, threading.Event()
    while any(writer.poll() is None for writer in writers):
        done = subprocess.run(
            ["git", "commit", "-q", "--allow-empty", "-m", "by git"],
            cwd=workshop.root,
            capture_output=True,
            check=False,
        )
        gits += not done.returncode
        pause.wait(0.2)  # people do not commit faster
    assert [(writer.wait(), writer.communicate()[1]) for writer in writers] == [(0, b"")] * 3
    subjects = workshop.git("log", "--format=%s", "main").split("\n")
    assert sorted(s for s in subjects if "processes" in s) == sorted(
        f"processes/W{writer}x{number}.yaml" for writer in range(3) for number in range(5)
    )
    assert subjects.count("by git") == gits
    assert workshop.git("ls-tree", "-r", "--name-only", "main").count("W") == 15
    assert workshop.git("status", "--porcelain") == ""


KILLED = """
import os, signal, sys
from pathlib import Path
from reconciler.repo import edit
from reconciler.repo.git import Git
from reconciler.repo.repository import open_repository
ask = Git.ask
Git.ask = lambda git, *args, **rest: os.kill(os.getpid(), 9) if args[0] == "update-ref" else ask(git, *args, **rest)
repo = open_repository(Path(sys.argv[1]), os.environ)
edit.commit(repo, "refs/heads/main", lambda _: edit.Edit("Edit", {"processes/A.yaml": b"a: 2\\n"}))
"""


def test_killed_before_the_branch_moves_it_shows_what_was_asked_for_and_can_be_repeated(
    workshop: Any, repo: Repository
) -> None:
    tip = workshop.commit({A: "a: 1\n"})
    assert subprocess.run([sys.executable, "-c", KILLED, workshop.root], check=False).returncode == -9
    assert workshop.git("rev-parse", "HEAD") == tip
    assert workshop.git("diff", "--cached", "--stat").startswith(A)
    with pytest.raises(UserError, match="not committed"):
        write(repo, {A: b"a: 3\n"})
    write(repo, {A: b"a: 2\n"})
    assert workshop.git("status", "--porcelain") == ""


@pytest.mark.parametrize("path", ["../out.yaml", "/etc/x", ".git/config", "processes/../../x", "a\nb"])
def test_no_path_leads_out(workshop: Any, repo: Repository, path: str) -> None:
    workshop.commit({A: "a: 1\n"})
    with pytest.raises((UserError, ValueError), match="path"):
        write(repo, {path: b"x"})
