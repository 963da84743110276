"""``procctl daemon`` and ``procctl serve``, and how the other commands work beside them."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

PROCCTL = Path(sys.executable).with_name("procctl")
FILES = {
    "processes/GOOD.yaml": "script: good.sh\n",
    "processes/LONG.yaml": "script: long.sh\n",
    "processes/scripts/good.sh": "#!/bin/sh\necho hello\n",
    "processes/scripts/long.sh": "#!/bin/sh\nexec sleep 1000\n",
}
Start = Callable[..., tuple["subprocess.Popen[bytes]", Path]]


@pytest.fixture
def root(workshop: Any) -> Path:
    workshop.commit(FILES)
    path: Path = workshop.root
    return path


@pytest.fixture
def start(root: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a command that stays, its words in a file; ended, with what it runs, when the test is over."""
    children: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: str) -> tuple["subprocess.Popen[bytes]", Path]:
        said = tmp_path / f"said-{len(children)}"
        with said.open("w") as log:
            children.append(subprocess.Popen([PROCCTL, *arguments], cwd=root, stdout=log, stderr=log))
        return children[-1], said

    yield begin
    for child in children:
        child.kill()
        child.wait()
    for claim in root.glob(".git/procctl/state/*/claims/*.json"):
        os.killpg(json.loads(claim.read_text())["pid"], signal.SIGKILL)


def address(said: Path) -> str:
    """The address of a view, once it has said so."""
    found = re.search(r"http://127\.0\.0\.1:\d+", said.read_text())
    return found[0] if found else ""


def get(url: str) -> Any:
    with urlopen(url, timeout=10) as answer:  # noqa: S310 - our own loopback address
        return json.load(answer)


def test_commands_work_beside_a_daemon(procctl: Any, root: Path, workshop: Any, start: Start, until: Any) -> None:
    daemon, said = start("daemon", "--http", "127.0.0.1:0")
    until(lambda: " ready" in said.read_text())
    assert "following main at" in said.read_text()
    url = until(lambda: address(said))
    until(lambda: "at work" in procctl("status", cwd=root).stdout)

    workshop.commit({"processes/NEW.yaml": "script: good.sh\n"})
    assert "NEW" in procctl("list", "-o", "name", cwd=root).stdout.split(), "the newest commit is waited for"

    detached = procctl("run", "NEW", "--detach", cwd=root)
    assert "warning" not in detached.stderr
    ended = until(lambda: [one for one in get(f"{url}/api/process-exec/v1?name=NEW") if one.get("end")])
    assert [one["_id"] for one in ended] == [detached.stdout.strip()]

    procctl("run", "GOOD", cwd=root)
    until(lambda: get(f"{url}/api/process-exec/v1?name=GOOD"))
    assert json.loads(procctl("executions", "-o", "json", cwd=root).stdout) == get(f"{url}/api/process-exec/v1")
    assert json.loads(procctl("list", "-o", "json", cwd=root).stdout) == get(f"{url}/api/process/v1")

    long = procctl("run", "LONG", "--detach", cwd=root).stdout.strip()
    until(lambda: any(one["status"] == "running" for one in get(f"{url}/api/process-exec/v1?name=LONG")))
    assert procctl("cancel", long[:8], cwd=root).stdout == f"Cancelled LONG {long}\n"

    daemon.terminate()
    assert daemon.wait(30) == 0
    assert " stopping" in said.read_text()
    assert "Traceback" not in said.read_text()
    with pytest.raises(OSError, match="refused"):
        get(f"{url}/livez")
    assert "at work" not in procctl("status", cwd=root, code=None).stdout


@pytest.mark.parametrize("loss", ["reindex", "deleted"])
def test_a_new_index_is_taken_up_by_a_daemon(procctl: Any, root: Path, start: Start, until: Any, loss: str) -> None:
    _, said = start("daemon")
    until(lambda: " ready" in said.read_text())
    if loss == "reindex":
        procctl("reindex", cwd=root)
    else:
        shutil.rmtree(root / ".git/procctl/cache")
    asked = procctl("run", "GOOD", "--detach", cwd=root).stdout.strip()
    until(lambda: asked in procctl("executions", "--status", "success", "-o", "name", cwd=root).stdout)


def test_the_view_ends_with_a_daemon_that_is_killed(start: Start, until: Any) -> None:
    daemon, said = start("daemon", "--http", "127.0.0.1:0")
    url = until(lambda: address(said))
    daemon.kill()

    def gone() -> bool:
        try:
            get(f"{url}/livez")
        except OSError:
            return True
        return False

    until(gone)


def test_serve_alone_shows_what_is_there_and_says_so(root: Path, here: Any, start: Start, until: Any) -> None:
    here("run", "GOOD", cwd=root)
    server, said = start("serve", "--http", "127.0.0.1:0")
    url = until(lambda: address(said))
    assert "no reconciler is at work" in said.read_text()
    assert {one["name"] for one in get(f"{url}/api/process/v1")} == {"GOOD", "LONG"}
    assert [one["name"] for one in get(f"{url}/api/process-exec/v1")] == ["GOOD"]
    server.terminate()
    assert server.wait(30) == 0


def test_ctrl_c_ends_the_view(start: Start, until: Any) -> None:
    server, said = start("serve", "--http", "127.0.0.1:0")
    until(lambda: address(said))
    server.send_signal(signal.SIGINT)
    assert server.wait(30) in {0, 130}
    assert "Traceback" not in said.read_text()


@pytest.mark.parametrize("command", ["daemon", "serve"])
@pytest.mark.parametrize(("written", "code"), [("0.0.0.0:7071", 1), ("nonsense", 2), ("127.0.0.1:99999", 2), ("", 2)])
def test_an_address_that_will_not_do_is_refused(here: Any, root: Path, command: str, written: str, code: int) -> None:
    done = here(command, "--http", written, cwd=root, code=code)
    assert "procctl: error: " in done.stderr
    assert "  next: " in done.stderr


def test_an_environment_that_is_no_name_is_refused(here: Any, root: Path) -> None:
    here("daemon", "--environment", "No", cwd=root, code=1)


def test_what_commands_looked_at_before_is_no_obstacle_for_a_daemon(
    here: Any, root: Path, workshop: Any, start: Start, until: Any
) -> None:
    workshop.commit({"processes/NEW.yaml": "script: good.sh\n"})
    here("list", cwd=root)
    workshop.git("commit", "-q", "--amend", "-m", "amended before any reconciler applied it")
    daemon, said = start("daemon")
    until(lambda: " ready" in said.read_text() or daemon.poll() is not None)
    assert daemon.poll() is None, said.read_text()
