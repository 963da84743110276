"""Pushing over git's own transport, to a real daemon on loopback: nothing is overwritten, and nothing else is used."""

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import LaterError, UserError
from reconciler.repo import push as door
from reconciler.repo.push import Ref, push
from reconciler.repo.repository import open_repository

MAIN = Ref("refs/heads/main")
TAG = "refs/tags/A/PROD"


def there(origin: str) -> dict[str, str]:
    out = subprocess.check_output(["git", "ls-remote", origin], text=True)
    return {line.split()[1]: line.split()[0] for line in out.splitlines()}


def test_a_branch_moves_forward_only(workshop: Any, origin: str, tmp_path: Path) -> None:
    first = workshop.commit({"a": "1"})
    workshop.git("remote", "add", "origin", origin)
    repo = open_repository(workshop.root, os.environ)
    push(repo, os.environ, "origin", [MAIN])
    assert there(origin)["refs/heads/main"] == first
    subprocess.run(["git", "clone", "-q", origin, str(tmp_path / "other")], check=True)
    for arguments in (["commit", "-q", "--allow-empty", "-m", "Theirs"], ["push", "-q", "origin", "main"]):
        subprocess.run(["git", *arguments], cwd=tmp_path / "other", check=True)
    theirs = there(origin)["refs/heads/main"]
    workshop.commit({"a": "2"})
    with pytest.raises(LaterError, match="somebody else was first") as caught:
        push(repo, os.environ, "origin", [MAIN])
    assert "git pull origin main" in caught.value.todo
    assert there(origin)["refs/heads/main"] == theirs


def test_a_tag_moves_only_from_where_it_is_known_to_be(workshop: Any, origin: str) -> None:
    workshop.commit({"a": "1"})
    workshop.git("remote", "add", "origin", origin)
    repo = open_repository(workshop.root, os.environ)
    workshop.git("tag", "-a", "-m", "first", "A/PROD")
    old = workshop.git("rev-parse", TAG)
    push(repo, os.environ, "origin", [Ref(TAG, "")])
    workshop.git("tag", "-f", "-a", "-m", "second", "A/PROD")
    for wrong in ("", "0" * 39 + "1"):
        with pytest.raises(LaterError, match="not there as this clone knows it"):
            push(repo, os.environ, "origin", [Ref(TAG, wrong)])
        assert there(origin)[TAG] == old
    push(repo, os.environ, "origin", [Ref(TAG, old)])
    assert there(origin)[TAG] == workshop.git("rev-parse", TAG) != old
    with pytest.raises(LaterError):
        push(repo, os.environ, "origin", [MAIN, Ref(TAG, old, gone=True)])
    assert "refs/heads/main" not in there(origin)
    push(repo, os.environ, "origin", [MAIN, Ref(TAG, workshop.git("rev-parse", TAG), gone=True)])
    assert there(origin).keys() == {"HEAD", "refs/heads/main"}
    tip = workshop.commit({"a": "2"})
    push(repo, os.environ, "origin", [MAIN, Ref(TAG, old, gone=True)])  # gone already
    push(repo, os.environ, "origin", [Ref(TAG, old, gone=True)])
    assert there(origin)["refs/heads/main"] == tip


@pytest.mark.parametrize("url", ["{path}", "file://{path}", "ext::sh -c 'touch {canary}'", "foo::bar"])
def test_only_the_transports_of_git_are_used(workshop: Any, tmp_path: Path, canary: Path, url: str) -> None:
    bare = tmp_path / "bare"
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    workshop.commit({"a": "1"})
    workshop.git("remote", "add", "origin", url.format(path=bare, canary=canary))
    workshop.git("config", "protocol.allow", "always")
    with pytest.raises(UserError, match="could run anything") as caught:
        push(open_repository(workshop.root, os.environ), os.environ, "origin", [MAIN])
    assert "`git push`" in caught.value.todo
    assert not canary.exists()
    assert not list((bare / "refs/heads").iterdir())


def test_hooks_and_prompts_stay_away(workshop: Any, origin: str, canary: Path, tmp_path: Path) -> None:
    workshop.commit({"a": "1"})
    workshop.git("remote", "add", "origin", origin)
    workshop.write(".git/hooks/pre-push", f"#!/bin/sh\ntouch {canary}\nexit 1\n", 0o755)
    repo = open_repository(workshop.root, os.environ)
    push(repo, os.environ, "origin", [MAIN])
    assert not canary.exists()
    ssh = workshop.write(
        "ssh.sh", f'#!/bin/sh\necho "$@" > {tmp_path}/called\necho $SSH_ASKPASS >> {tmp_path}/called\nexit 1\n', 0o755
    )
    workshop.git("config", "core.sshCommand", str(ssh))
    workshop.git("remote", "add", "far", "ssh://git@example.invalid/r.git")
    with pytest.raises(LaterError, match="not pushed: Could not read from remote repository"):
        push(repo, os.environ, "far", [MAIN])
    assert (tmp_path / "called").read_text().split("\n")[-2] == "false"
    assert "git@example.invalid" in (tmp_path / "called").read_text()


def test_what_is_wrong_with_a_remote_is_said_without_its_password(workshop: Any, origin: str) -> None:
    workshop.commit({"a": "1"})
    workshop.git("remote", "add", "closed", "https://me:hunter2@127.0.0.1:9/r.git")
    workshop.git("remote", "add", "origin", origin)
    repo = open_repository(workshop.root, os.environ)
    with pytest.raises(LaterError, match="it was not pushed") as caught:
        push(repo, os.environ, "closed", [MAIN])
    assert "hunter2" not in str(caught.value)
    for name in ("none", "--upload-pack=x", "a/b", "https://example.org/x"):
        with pytest.raises(UserError, match="there is no remote"):
            push(repo, os.environ, name, [MAIN])


def test_a_remote_that_refuses_says_why(workshop: Any, origin: str, tmp_path: Path) -> None:
    hook = tmp_path / "served/origin.git/hooks/update"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    workshop.commit({"a": "1"})
    workshop.git("remote", "add", "origin", origin)
    with pytest.raises(UserError, match="the remote refused it: hook declined") as caught:
        push(open_repository(workshop.root, os.environ), os.environ, "origin", [MAIN])
    assert "--branch" in caught.value.todo


def test_a_remote_that_never_answers_is_given_up(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PATIENCE", 0.5)
    workshop.commit({"a": "1"})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        workshop.git("remote", "add", "origin", f"git://127.0.0.1:{silent.getsockname()[1]}/r.git")
        repo = open_repository(workshop.root, os.environ)
        for asked, verb in ((MAIN, "push"), (Ref(TAG, "", gone=True), "ls-remote")):
            with pytest.raises(LaterError, match=rf"git {verb} had no answer for 0\.5 seconds") as caught:
                push(repo, os.environ, "origin", [asked])
            assert "try again" in caught.value.todo


def test_what_git_started_for_a_remote_ends_with_it(
    workshop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PATIENCE", 0.5)
    workshop.commit({"a": "1"})
    # The pipe is held until the last of them has ended.
    held = tmp_path / "held"
    os.mkfifo(held)
    reader = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    ssh = workshop.write("ssh.sh", f"#!/bin/sh\nexec 9>{held}\ntouch {held}.by\nsleep 60 &\nwait\n", 0o755)
    workshop.git("config", "core.sshCommand", str(ssh))
    workshop.git("remote", "add", "origin", "ssh://git@example.invalid/r.git")
    with pytest.raises(LaterError, match="had no answer"):
        push(open_repository(workshop.root, os.environ), os.environ, "origin", [MAIN])
    assert (tmp_path / "held.by").exists()
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b"", "nobody holds it any more"
    os.close(reader)
