"""``procctl executions``, ``logs`` and ``cancel``: finding an execution, reading it, and stopping it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler import instant, record
from reconciler.execution import Execution, Gap, Outcome, Status, Trigger, finish, running

PROCCTL = Path(sys.executable).with_name("procctl")
FILES = {
    "processes/GOOD.yaml": "script: good.sh\nservice: ETL\n",
    "processes/BAD.yaml": "script: bad.sh\n",
    "processes/LONG.yaml": "script: long.sh\n",
    "processes/LOUD.yaml": "script: loud.sh\n",
    "processes/scripts/good.sh": "#!/bin/sh\necho hello\n",
    "processes/scripts/bad.sh": "#!/bin/sh\necho 'it hurts' >&2\nexit 3\n",
    "processes/scripts/long.sh": '#!/bin/sh\ntrap "" HUP\necho begun\ntouch "$PROCCTL_DATA/started"\nexec sleep 1000\n',
    "processes/scripts/loud.sh": "#!/bin/sh\nseq -f 'line %g' 1 5000\n",
}
DUE = "2021-07-01T16:30:00.000Z"


@pytest.fixture
def root(workshop: Any) -> Path:
    workshop.commit(FILES)
    path: Path = workshop.root
    return path


@pytest.fixture
def long_run(root: Path, until: Any) -> Iterator["subprocess.Popen[str]"]:
    """A run of LONG whose script runs, started by somebody else."""
    run = subprocess.Popen(
        [PROCCTL, "run", "LONG"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until((root / ".git/procctl/state/production/data/LONG/started").exists)
    yield run
    for claim in root.glob(".git/procctl/state/*/claims/*.json"):
        os.kill(json.loads(claim.read_text())["pid"], signal.SIGKILL)
    run.communicate(timeout=60)


def execution(number: int, **changes: Any) -> Execution:
    """An execution that was triggered by a schedule once."""
    fields: dict[str, Any] = {
        "id": f"{number:08x}-0000-4000-8000-000000000000",
        "service": "ETL",
        "name": "GOOD",
        "environment": "production",
        "trigger": Trigger.SCHEDULED,
        "reason": "at(GOOD,2021-07-01T16:30:00.000Z)",
        "trigger_time": instant.parse(DUE),
        "commit": "1" * 40,
        "host": "elsewhere",
    }
    return Execution(**(fields | changes))


def leave(root: Path, one: Execution) -> Path:
    """Leave a record as a reconciler would."""
    path = root / "executions" / record.path_of(one)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(record.encode(record.to_document(one)))
    return path


def test_executions_are_listed_newest_first_and_filtered(here: Any, root: Path) -> None:
    here("run", "GOOD", cwd=root)
    here("run", "BAD", cwd=root, code=1)
    here("run", "GOOD", cwd=root)
    listed = json.loads(here("executions", "-o", "json", cwd=root).stdout)
    assert [one["name"] for one in listed] == ["GOOD", "BAD", "GOOD"]
    assert listed == sorted(listed, key=lambda one: str(one["start"]), reverse=True)

    def ids(*arguments: str) -> list[str]:
        return str(here("executions", "-o", "name", *arguments, cwd=root).stdout).split()

    good_last, bad, good_first = (one["_id"] for one in listed)
    assert ids("GOOD") == [good_last, good_first]
    assert ids("--status", "failed") == [bad]
    assert ids("--outcome", "success", "-n", "1") == [good_last]
    assert ids("--where", "service=ETL") == [good_last, good_first]
    assert ids("--since", "1h") == [good_last, bad, good_first]
    assert ids("--until", "1h") == []
    assert ids("--since", listed[1]["triggerTime"], "--until", listed[1]["triggerTime"]) == [bad]
    table = here("executions", "-n", "2", cwd=root).stdout
    assert "… and 1 more" in table
    assert good_last[:8] in table


def test_slots_that_did_not_run_are_marked(here: Any, root: Path) -> None:
    at = instant.parse(DUE)
    gap = Gap(first=at, last=at, count=7, slots=(at,))
    leave(root, finish(execution(1, gap=gap), Outcome.MISSED, at, "nothing was reconciling"))
    assert "missed (7 slots)" in here("executions", cwd=root).stdout
    assert here("executions", "--outcome", "missed", "--since", "2021-07-01", "-o", "name", cwd=root).stdout


def test_an_unknown_name_is_told_from_one_that_never_ran(here: Any, root: Path) -> None:
    assert here("executions", "GOOD", cwd=root).stdout == "No executions.\n"
    assert "did you mean GOOD?" in here("executions", "GOD", cwd=root, code=1).stderr
    here("executions", "--since", "yesterday", cwd=root, code=2)
    assert here("executions", cwd=root).stdout == "No executions.\n"


def test_a_record_that_is_none_is_told_and_harms_nobody(here: Any, root: Path) -> None:
    here("run", "GOOD", cwd=root)
    leave(root, execution(9)).rename(root / "executions/2021/07/01/GOOD/163000-foreign0.json")
    broken = root / "executions/2021/07/01/GOOD/163000-0000000a.json"
    broken.write_text("{")
    shutil.rmtree(root / ".git/procctl/cache")
    done = here("executions", "-o", "name", cwd=root)
    assert len(done.stdout.split()) == 1
    assert "163000-0000000a.json" in done.stderr
    broken.unlink()


def test_logs_by_id_by_its_beginning_and_by_the_process(here: Any, root: Path) -> None:
    here("run", "BAD", cwd=root, code=1)
    (one,) = json.loads(here("executions", "-o", "json", cwd=root).stdout)
    by_id = here("logs", one["_id"], cwd=root).stdout
    assert " warn it hurts\n" in by_id
    assert "Initialising Phase: MAIN" in by_id
    assert here("logs", one["_id"][:8].upper(), cwd=root).stdout == by_id
    assert here("logs", "BAD", cwd=root).stdout == by_id
    assert here("logs", "BAD", "-f", cwd=root).stdout == by_id


def test_a_log_is_whole_where_the_record_has_no_room(here: Any, root: Path) -> None:
    here("run", "LOUD", cwd=root)
    lines = [line.rpartition(" info ")[2] for line in here("logs", "LOUD", cwd=root).stdout.splitlines()]
    assert lines[1:5001] == [f"line {number}" for number in range(1, 5001)]


def test_a_log_comes_from_the_branch_where_the_file_is_gone(here: Any, root: Path) -> None:
    here("run", "GOOD", cwd=root)
    shutil.rmtree(root / "executions")
    shutil.rmtree(root / ".git/procctl/cache")
    assert " info hello\n" in here("logs", "GOOD", cwd=root).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["logs", "GOOD"], 1, "has not run yet"),
        (["logs", "NOPE"], 2, "no execution id"),
        (["logs", "abcd"], 1, "no execution abcd"),
        (["logs", "../../x"], 2, "no execution id"),
        (["cancel", "abcdef"], 1, "no execution abcdef"),
        (["cancel", "\x1b[2J"], 2, "no execution id"),
        (["cancel", "%"], 2, "no execution id"),
        (["cancel"], 2, "Missing argument"),
    ],
)
def test_an_execution_that_is_not_there_is_a_clear_error(
    here: Any, root: Path, arguments: list[str], code: int, says: str
) -> None:
    done = here(*arguments, cwd=root, code=code)
    assert says in done.stderr
    assert "  next: " in done.stderr
    assert "\x1b" not in done.stderr


def test_a_beginning_that_fits_two_ids_is_refused(here: Any, root: Path) -> None:
    at = instant.parse(DUE)
    for number, second in ((0xABCD0001, 0), (0xABCD0002, 1)):
        leave(root, finish(execution(number, trigger_time=at.replace(second=second)), Outcome.CANCELLED, at))
    here("reindex", cwd=root)
    done = here("logs", "abcd", cwd=root, code=2)
    assert "abcd0001-" in done.stderr
    assert "abcd0002-" in done.stderr
    here("logs", "abcd0001", cwd=root)


def test_logs_follow_until_the_end(procctl: Any, root: Path, long_run: Any, until: Any, recorded: Any) -> None:
    (one,) = recorded(root)
    follower = subprocess.Popen([PROCCTL, "logs", "-f", "LONG"], cwd=root, stdout=subprocess.PIPE, text=True)
    assert follower.stdout is not None
    shown = [follower.stdout.readline(), follower.stdout.readline()]
    assert "begun" in "".join(shown)
    assert follower.poll() is None
    done = procctl("cancel", one["_id"][:6], cwd=root)
    assert done.stdout.startswith("Cancelled LONG ")
    rest, _ = follower.communicate(timeout=30)
    assert "Cancelled by " in rest
    assert follower.returncode == 0
    assert long_run.wait(30) == 1, "cancelled by somebody else is a failure of what was asked for"
    until(lambda: recorded(root)[0]["outcome"] == "cancelled")


def test_cancelling_what_has_ended_is_an_error(here: Any, root: Path) -> None:
    here("run", "GOOD", cwd=root)
    (one,) = json.loads(here("executions", "-o", "json", cwd=root).stdout)
    done = here("cancel", one["_id"], cwd=root, code=1)
    assert "has ended already: success" in done.stderr


def test_cancelling_what_has_not_begun_ends_its_record(here: Any, root: Path, recorded: Any) -> None:
    leave(root, execution(2))
    here("reindex", cwd=root)
    here("cancel", "00000002", cwd=root)
    (one,) = recorded(root)
    assert (one["status"], one["outcome"]) == ("failed", "cancelled")
    assert one["message"].startswith("Cancelled by ")
    assert not list(root.glob(".git/procctl/state/production/claims/*"))


def test_cancelling_a_request_withdraws_it(here: Any, root: Path) -> None:
    asked = here("run", "GOOD", "--detach", cwd=root).stdout.strip()
    assert "Withdrew" in here("cancel", asked[:8], cwd=root).stdout
    assert not list(root.glob(".git/procctl/state/production/requests/*"))
    here("cancel", asked, cwd=root, code=1)


def test_cancelling_what_a_dead_runner_left_ends_it(here: Any, root: Path, recorded: Any) -> None:
    at = instant.parse(DUE)
    leave(root, running(execution(3), at, host="elsewhere", run_as="ada"))
    here("reindex", cwd=root)
    done = here("cancel", "00000003", cwd=root, code=1)
    assert "interrupted" in done.stdout
    assert recorded(root)[0]["status"] == Status.FAILED
