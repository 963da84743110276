"""The door: what git gets, what it may do, and what its failures look like (attack classes 3, 4 and 15)."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import UserError
from reconciler.repo import git as door
from reconciler.repo.git import Git, GitError, check_version, fields
from reconciler.repo.repository import Repository, open_repository

ALLOWED = {"PATH", "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK", "TMPDIR", "GNUPGHOME"}
REDIRECTS = {
    "GIT_DIR": "/nowhere",
    "GIT_WORK_TREE": "/nowhere",
    "GIT_INDEX_FILE": "/nowhere",
    "GIT_OBJECT_DIRECTORY": "/nowhere",
    "GIT_NAMESPACE": "other",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.bare",
    "GIT_CONFIG_VALUE_0": "true",
    "GIT_EXEC_PATH": "/nowhere",
    "GIT_TRACE": "1",
    "PROCCTL_SECRET_TOKEN": "s3cret",
    "LD_LIBRARY_PATH": "/nowhere",
}


def fake_git(folder: Path, body: str) -> dict[str, str]:
    """An environment whose git is a shell script."""
    folder.mkdir()
    script = folder / "git"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "TERM": "xterm", **REDIRECTS}


@pytest.mark.parametrize("way", ["run", "given", "stream", "remote"])
def test_git_gets_nothing_but_what_is_listed(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REDIRECTS.items():
        monkeypatch.setenv(name, value)
    git = Git.at(tmp_path, fake_git(tmp_path / "bin", "exec env -0"))
    if way == "stream":
        with git.stream("version") as out:
            got = out.read()
    elif way == "remote":
        got = git.ask_remote("version", outside=os.environ, patience=60).out
    else:
        got = git.run("version", given=b"" if way == "given" else None)
    environment = dict(entry.split("=", 1) for entry in got.decode().rstrip("\0").split("\0"))
    inherited = {"PATH", "HOME", "PWD", "OLDPWD", "_", "SHLVL"}  # the last ones are the shell's own
    assert environment.keys() - door._FIXED.keys() <= inherited
    assert door._FIXED.items() <= environment.items()


def test_only_listed_names_are_ever_inherited(tmp_path: Path) -> None:
    assert Git.at(tmp_path, {**REDIRECTS, "PATH": "/bin", "http_proxy": "http://u:p@h"}).environ == {"PATH": "/bin"}
    everything = dict.fromkeys(ALLOWED, "x")
    assert Git.at(tmp_path, {**everything, "TERM": "x"}).environ == everything


def test_a_path_without_git_on_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"git cannot be run here.*install git 2\.31"):
        check_version(Git.at(tmp_path, {"PATH": str(tmp_path)}))


def test_a_machine_without_git_says_so_without_a_traceback(tmp_path: Path) -> None:
    program = (
        "import os\nfrom pathlib import Path\nfrom reconciler.errors import UserError\n"
        "from reconciler.repo.repository import open_repository\n"
        "try: open_repository(Path('.'), os.environ)\nexcept UserError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "PATH: git cannot be run here; install git 2.31 or newer\n"


@pytest.mark.parametrize("said", ["2.31.0", "2.39.5 (Apple Git-154)", "3.0"])
def test_a_new_enough_git_is_taken(said: str, tmp_path: Path) -> None:
    check_version(Git.at(tmp_path, fake_git(tmp_path / "bin", f"echo 'git version {said}'")))


def test_an_old_git_is_known_by_its_answer_without_asking_for_its_version(tmp_path: Path) -> None:
    # It echoes options that it does not know.
    body = "for one; do case $one in version) echo git version 2.30.9; exit;; --path*) echo $one;; esac; done"
    with pytest.raises(UserError, match=r"needs git 2\.31 or newer"):
        open_repository(tmp_path, fake_git(tmp_path / "bin", body))


@pytest.mark.parametrize("said", ["git version 2.30.9", "git version 1.9", "hello"])
def test_an_old_git_is_refused(said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"needs git 2\.31 or newer"):
        check_version(Git.at(tmp_path, fake_git(tmp_path / "bin", f"echo '{said}'")))


def test_a_redirected_environment_changes_nothing(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = workshop.commit({"a": "a"})
    for name, value in REDIRECTS.items():
        monkeypatch.setenv(name, value)
    repo = open_repository(workshop.root, os.environ)
    assert repo.git.run("rev-parse", "HEAD").decode().strip() == commit
    with repo.git.stream("rev-parse", "HEAD") as out:
        assert out.read().decode().strip() == commit
    answer = repo.git.run("cat-file", "--batch-check=%(objectname)", given=b"HEAD\n")
    assert answer.decode().strip() == commit


def test_configured_programs_do_not_run(workshop: Any, repo: Repository, canary: Path) -> None:
    workshop.commit({"processes/a.yaml": "a"})
    attack = workshop.write("attack", f"#!/bin/sh\ntouch {canary}\n", 0o755)
    for key in ("core.fsmonitor", "core.pager", "pager.log", "diff.external", "core.editor", "gpg.program"):
        workshop.git("config", key, str(attack))
    workshop.git("config", "core.hooksPath", str(workshop.root))
    workshop.git("config", "log.showSignature", "true")
    repo.git.run("log", "-p", "--no-ext-diff", "--end-of-options", "HEAD")
    Git.at(workshop.root, os.environ).run("ls-files", "--others")
    repo.git.run("for-each-ref")
    assert not canary.exists()


@pytest.mark.parametrize("url", ["ext::touch {canary}", "file://{root}", "{root}", "https://127.0.0.1:1/", "ssh://h/"])
def test_no_transport_is_allowed(url: str, workshop: Any, repo: Repository, canary: Path) -> None:
    workshop.commit()
    workshop.git("config", "protocol.ext.allow", "always")
    answer = repo.git.ask("ls-remote", url.format(canary=canary, root=workshop.root))
    assert "not allowed" in answer.err
    assert answer.status
    assert not canary.exists()


def test_a_failure_says_what_git_said_and_where(repo: Repository) -> None:
    with pytest.raises(GitError, match=r"git rev-parse failed with exit code 128: Needed a single") as caught:
        repo.git.run("rev-parse", "--verify", "nothing")
    assert caught.value.where == str(repo.git_dir)
    assert "git fsck" in caught.value.todo
    with pytest.raises(GitError, match="git cat-file failed"), repo.git.stream("cat-file", "-p", "nothing") as out:
        out.read()


def test_leaving_a_stream_early_ends_git(workshop: Any, repo: Repository) -> None:
    workshop.commit({"large": b"x" * (8 << 20)})
    with repo.git.stream("cat-file", "blob", "HEAD:large") as out:
        assert out.read(3) == b"xxx"
    with pytest.raises(KeyError), repo.git.stream("cat-file", "blob", "HEAD:large") as out:
        raise KeyError


def test_fields_are_split_across_reads(tmp_path: Path) -> None:
    parts = [b"a" * 70_000, b"", b"b", b"c" * 70_000]
    file = tmp_path / "parts"
    file.write_bytes(b"\0".join(parts) + b"\0")
    with file.open("rb") as out:
        assert list(fields(out)) == parts
    file.write_bytes(b"a\0b")
    with file.open("rb") as out:
        assert list(fields(out)) == [b"a", b"b"]
