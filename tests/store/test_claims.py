"""A claim is taken once, and whether its maker lives is read off the kernel, not off a clock."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from subprocess import Popen

import pytest

from reconciler.store import claims
from reconciler.store.claims import Claim
from reconciler.store.layout import Layout

ID = "05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6"
OTHER = "15f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6"

Child = Callable[..., Popen[str]]


def mine(execution: str = ID) -> Claim:
    boot_id, pid, started = claims.mine()
    return Claim(execution, "/executions/a.json", boot_id, pid, started, "alpha")


def test_an_execution_is_taken_once_until_it_is_given_back(layout: Layout) -> None:
    assert claims.read(layout, ID) is None
    assert claims.take(layout, ID, mine()) is True
    assert claims.take(layout, ID, replace(mine(), pid=1)) is False
    assert claims.read(layout, ID) == mine()
    claims.release(layout, ID)
    claims.release(layout, ID)
    assert claims.read(layout, ID) is None
    assert claims.take(layout, ID, mine()) is True


def test_all_claims_are_listed(layout: Layout) -> None:
    assert claims.all(layout) == ()
    for execution in (OTHER, ID):
        claims.take(layout, execution, mine(execution))
    (layout.claims / f".{ID}.json.1.2.tmp").write_text("half")
    (layout.claims / "notes.json").write_text("{}")
    assert [claim.execution for claim in claims.all(layout)] == [ID, OTHER]


SLEEPER = """
from reconciler.store import claims
print(*claims.mine(), flush=True)
input()
"""


def claimed_by(process: Popen[str]) -> Claim:
    assert process.stdout is not None
    boot_id, pid, started = process.stdout.readline().split()
    return Claim(ID, "/executions/a.json", boot_id, int(pid), int(started), "alpha")


def test_a_claim_lives_exactly_as_long_as_the_process_that_made_it(child: Child) -> None:
    with child(SLEEPER) as process:
        claim = claimed_by(process)
        assert claim.pid == process.pid
        assert claims.alive(claim)
        process.send_signal(signal.SIGSTOP)
        assert claims.alive(claim)  # stopped is not dead
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not claims.alive(claim)  # dead, although nobody has asked for its end yet: a zombie
        process.wait()
        assert not claims.alive(claim)


def test_a_pid_used_again_is_another_process() -> None:
    assert claims.alive(mine())
    assert not claims.alive(replace(mine(), started=mine().started - 1))


def test_nothing_lives_through_a_reboot() -> None:
    assert not claims.alive(replace(mine(), boot_id="0b4dc0de-0000-4000-8000-000000000000"))


def test_a_command_may_have_any_name(child: Child) -> None:
    """The kernel writes the name in brackets, unescaped: the fields after it must still be found."""
    code = "import ctypes; ctypes.CDLL(None).prctl(15, b') Z 1 (evil'); " + SLEEPER.replace("\n", "; ").strip("; ")
    with child(code) as process:
        assert claims.alive(claimed_by(process))
        process.communicate("\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '"x"',
        "null",
        "[" * 100_000,
        json.dumps({"execution": OTHER, "record": "", "boot_id": "", "pid": 1, "started": 1, "host": ""}),
        json.dumps({"execution": ID, "record": "", "boot_id": "", "pid": "1", "started": 1, "host": ""}),
        json.dumps({"execution": ID, "record": "", "boot_id": "", "pid": 0, "started": 1, "host": ""}),
        json.dumps({"execution": ID, "record": "", "boot_id": "", "pid": -1, "started": 1, "host": ""}),
        json.dumps({"execution": ID, "record": None, "boot_id": "", "pid": 1, "started": 1, "host": ""}),
        "é".encode("latin-1").decode("latin-1"),
    ],
)
def test_a_claim_that_cannot_be_understood_is_nobodys_and_still_a_claim(layout: Layout, text: str) -> None:
    """What was taken is never handed out again, whatever became of the mark."""
    layout.claims.mkdir(parents=True)
    layout.claim(ID).write_text(text)
    found = claims.all(layout)
    assert [claim.execution for claim in found] == [ID]
    assert not claims.alive(found[0])
    assert claims.take(layout, ID, mine()) is False


TAKER = """
import sys
from pathlib import Path
from reconciler.store import claims
from reconciler.store.claims import Claim
from reconciler.store.layout import Layout
layout = Layout.of(Path(sys.argv[1]), Path(sys.argv[2]), "production")
boot_id, pid, started = claims.mine()
print("ready", flush=True)
sys.stdin.readline()
for number in range(100):
    execution = f"{number:08x}-f2a1-4cba-87d4-b46e0f8e40b6"
    if claims.take(layout, execution, Claim(execution, "r", boot_id, pid, started, "alpha")):
        print(execution, flush=True)
"""


def test_of_runners_that_race_for_an_execution_exactly_one_gets_it(layout: Layout, child: Child) -> None:
    takers = [child(TAKER, layout.home.parent, layout.records) for _ in range(3)]
    for process in takers:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in takers:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    won = {process.pid: process.communicate(timeout=60)[0].split() for process in takers}
    assert sum(map(len, won.values())) == 100
    for claim in claims.all(layout):
        assert claim.execution in won[claim.pid]
