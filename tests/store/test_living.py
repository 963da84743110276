"""Processes as the kernel shows them, whatever they call themselves, and however they ended."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.store import living


def test_this_very_process_lives_in_its_group_and_session() -> None:
    me = living.look(os.getpid())
    assert me is not None
    assert (me.pid, me.group, me.session) == (os.getpid(), os.getpgid(0), os.getsid(0))
    assert living.look(os.getpid()) == me, "its start stays the same"


@pytest.mark.parametrize("name", ["a b", "a) Z 1 1 1", "((", "x)", "Z"])
def test_a_name_deceives_nobody(name: str, tmp_path: Path) -> None:
    program = tmp_path / name
    shutil.copy(shutil.which("cat") or "cat", program)
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, bufsize=0
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"here\n")
        assert child.stdout.read(5) == b"here\n"
        called, found = Path(f"/proc/{child.pid}/comm").read_text(), living.look(child.pid)
    assert called == f"{name}\n"
    assert found is not None
    assert (found.group, found.session) == (child.pid, child.pid)


def test_of_two_processes_the_older_one_began_first() -> None:
    me = living.look(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        found = living.look(child.pid)
    assert me is not None
    assert found is not None
    assert found.started >= me.started


def test_who_has_ended_is_nobody_though_his_parent_did_not_ask_for_his_end() -> None:
    with subprocess.Popen(["true"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert Path(f"/proc/{child.pid}/stat").exists()
        assert living.look(child.pid) is None
    assert living.look(child.pid) is None
