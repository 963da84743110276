"""``procctl run``: what it shows, what it leaves, what it refuses before it leaves anything, and how it is stopped."""

import errno
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.store import files

PROCCTL = Path(sys.executable).with_name("procctl")
REPORT = 'cat "$PROCCTL_INPUT" >"$PROCCTL_DATA/input.json"\n'
FILES = {
    "processes/GOOD.yaml": "script: good.sh\ninput: {a: 1, b: 2}\nservice: ETL\n",
    "processes/BAD.yaml": "script: bad.sh\n",
    "processes/LONG.yaml": "script: long.sh\n",
    "processes/OFF.yaml": "script: good.sh\nenabled: false\n",
    "processes/HELD.yaml": "script: good.sh\nrunAs: ada\n",
    "processes/BROKEN.yaml": "script: good.sh\ncron: 'x'\n",
    "processes/ELSEWHERE.yaml": "script: good.sh\nenvironment: staging\n",
    "processes/STEPS.yaml": "workflow: wf\ninput: {n: 3}\n",
    "processes/workflows/wf.yaml": (
        "input: {n: {type: integer}}\nrequired: [n]\n"
        "phases: [{name: ONE, script: good.sh}, {name: TWO, script: bad.sh}, {name: THREE, script: good.sh}]\n"
    ),
    "processes/scripts/good.sh": f"#!/bin/sh\necho hello\n{REPORT}",
    "processes/scripts/bad.sh": "#!/bin/sh\necho 'it hurts' >&2\nexit 3\n",
    "processes/scripts/long.sh": '#!/bin/sh\ntouch "$PROCCTL_DATA/started"\nexec sleep 1000\n',
}


WAITING = """#!/bin/sh
touch "$PROCCTL_DATA/started"
while [ ! -e "$PROCCTL_DATA/go" ]; do sleep 0.05; done
"""


@pytest.fixture
def root(workshop: Any) -> Path:
    workshop.commit(FILES)
    path: Path = workshop.root
    return path


@pytest.fixture
def records(root: Path, recorded: Any) -> Callable[[], list[dict[str, Any]]]:
    return lambda: recorded(root)


def data(root: Path, name: str) -> Path:
    return root / ".git/procctl/state/production/data" / name


def given(root: Path, name: str = "GOOD") -> dict[str, Any]:
    """The input that the last run of a process had."""
    document: dict[str, Any] = json.loads((data(root, name) / "input.json").read_text())
    return {key: value for key, value in document.items() if key not in {"settings", "outputs"}}


@pytest.fixture
def long_run(root: Path, until: Any) -> Iterator["subprocess.Popen[str]"]:
    """A run of LONG whose script runs; nothing of it is left when the test is over."""
    pipe = subprocess.PIPE
    run = subprocess.Popen([PROCCTL, "run", "LONG"], cwd=root, stdout=pipe, stderr=pipe, text=True)
    until((data(root, "LONG") / "started").exists)
    yield run
    for claim in root.glob(".git/procctl/state/*/claims/*.json"):
        os.kill(json.loads(claim.read_text())["pid"], signal.SIGTERM)
    run.communicate(timeout=60)


def test_a_success_is_shown_and_recorded_and_published(here: Any, root: Path, workshop: Any, records: Any) -> None:
    done = here("run", "GOOD", "--reason", "to see it", cwd=root)
    (record,) = records()
    assert record["_id"] in done.stdout
    assert re.search(r"^MAIN success in ", done.stdout, re.MULTILINE)
    assert re.search(r"^  hello$", done.stdout, re.MULTILINE)
    assert re.search(r"^success in \S+: Completed Successfully$", done.stdout, re.MULTILINE)
    assert "following main at" in done.stderr
    assert (record["status"], record["outcome"], record["service"]) == ("success", "success", "ETL")
    assert (record["trigger"], record["reason"], record["version"]) == ("manual", "to see it", 1)
    assert record["commit"] == workshop.git("rev-parse", "HEAD")
    (path,) = root.glob("executions/*/*/*/*/*.json")
    published = workshop.git("show", f"refs/heads/executions:{path.relative_to(root / 'executions')}")
    assert json.loads(published) == record
    assert workshop.git("status", "--porcelain") == ""
    assert not list(root.glob(".git/procctl/state/*/claims/*"))


def test_a_failure_exits_1_and_says_why(here: Any, root: Path, records: Any) -> None:
    done = here("run", "BAD", cwd=root, code=1)
    assert "it hurts" in done.stdout
    assert re.search(r"^failed in .*exit code 3", done.stdout, re.MULTILINE)
    assert records()[0]["outcome"] == "failed"


def test_the_phases_of_a_workflow_are_shown_in_order(here: Any, root: Path, records: Any) -> None:
    done = here("run", "STEPS", cwd=root, code=1)
    shown = [line for line in done.stdout.splitlines() if re.match(r"(ONE|TWO|THREE) ", line)]
    assert [line.split(" in ")[0] for line in shown] == ["ONE …", "ONE success", "TWO …", "TWO failed"]
    assert records()[0]["notRun"] == ["THREE"]


def test_json_is_the_record_and_progress_goes_elsewhere(here: Any, root: Path, records: Any) -> None:
    done = here("run", "GOOD", "-o", "json", cwd=root)
    assert [json.loads(done.stdout)] == records()
    assert "MAIN success" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (["-i", "b=x"], {"b": "x"}),
        (["-i", "b:=[1, null]", "-i", "c=a=b:=c"], {"b": [1, None], "c": "a=b:=c"}),
        (["--body", '{"b": {"c": 1}}'], {"b": {"c": 1}}),
        (["--body", '{"b": 1, "d": 2}', "-i", "b:=3"], {"b": 3, "d": 2}),
        (["--body", "{}"], {}),
        (["--body", "@body.json"], {"é": "日本"}),
    ],
)
def test_a_body_lies_over_the_input(
    here: Any, root: Path, records: Any, arguments: list[str], body: dict[str, Any]
) -> None:
    (root / "body.json").write_text('{"é": "日本"}')
    here("run", "GOOD", *arguments, cwd=root)
    assert given(root) == {"a": 1, "b": 2} | body
    assert records()[0]["body"] == body


def test_without_a_body_the_record_has_none(here: Any, root: Path, records: Any) -> None:
    here("run", "GOOD", cwd=root)
    assert "body" not in records()[0]
    assert given(root) == {"a": 1, "b": 2}


def test_what_one_posts_to_the_service_runs_too(procctl: Any, root: Path) -> None:
    procctl("run", "-f", "-", cwd=root, input='{"name": "GOOD", "body": {"b": 7}, "input": {"b": 6, "c": 5}}')
    assert given(root) == {"a": 1, "b": 7, "c": 5}
    (root / "post.json").write_text('{"name": "GOOD"}')
    procctl("run", "-f", "post.json", "-i", "b=8", cwd=root)
    assert given(root) == {"a": 1, "b": "8"}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["GOD"], 1, "did you mean GOOD?"),
        (["nothing_like_it"], 1, "procctl list"),
        (["OFF"], 1, "--force"),
        (["HELD"], 1, "runAs"),
        (["HELD", "--force"], 1, "runAs"),
        (["BROKEN"], 1, "never been valid"),
        (["ELSEWHERE"], 1, "staging"),
        (["GOOD@7"], 1, "no version 7"),
        (["GOOD@abcdef0"], 1, "there is no commit of that id"),
        (["GOOD@PROD"], 1, "GOOD has no tag PROD"),
        (["../GOOD"], 2, "no name of a process"),
        (["\x1b[2JGOOD"], 2, "no name of a process"),
        (["GOOD", "-i", "b"], 2, "key=text"),
        (["GOOD", "-i", "b:={"], 2, "no JSON"),
        (["GOOD", "-i", "b:=NaN"], 2, "no JSON"),
        (["GOOD", "-i", "outputs=1"], 2, "outputs"),
        (["GOOD", "--body", "[]"], 2, "no JSON object"),
        (["GOOD", "--body", '{"a": 1, "a": 2}'], 2, "twice"),
        (["GOOD", "--body", "@missing.json"], 2, "missing.json"),
        (["GOOD", "--body", "[" * 100_000], 2, "no JSON"),
        (["GOOD", "-f", "-"], 2, "-f"),
        (["STEPS", "-i", "n=x"], 1, "input.n"),
        (["STEPS", "--body", '{"n": null}'], 1, "input.n"),
        (["GOOD", "--delay", "soon"], 2, "soon"),
        (["GOOD", "--ref", "nope"], 1, "no branch 'nope'"),
        (["GOOD", "--environment", "No/Where"], 1, "environment"),
        ([], 2, "which process"),
    ],
)
@pytest.mark.parametrize("detach", [False, True])
def test_what_is_refused_is_refused_before_anything_is_written(
    here: Any, root: Path, arguments: list[str], code: int, says: str, *, detach: bool
) -> None:
    done = here("run", *arguments, *(["--detach"] if detach else []), cwd=root, code=code)
    assert says in done.stderr
    assert "procctl: error: " in done.stderr
    assert "\x1b" not in done.stderr
    assert not (root / "executions").exists()
    assert not list(root.glob(".git/procctl/state/*/requests/*"))


def test_force_runs_what_is_disabled_or_belongs_elsewhere(here: Any, root: Path, records: Any) -> None:
    here("run", "OFF", "--force", cwd=root)
    here("run", "ELSEWHERE", "--force", cwd=root)
    here("run", "ELSEWHERE", "--environment", "staging", cwd=root)
    assert [record["environment"] for record in records()] == ["production", "production", "staging"]


def test_an_older_version_runs_with_the_scripts_of_its_time(here: Any, root: Path, workshop: Any, records: Any) -> None:
    first = workshop.git("rev-parse", "HEAD")
    workshop.commit({"processes/GOOD.yaml": "script: bad.sh\n", "processes/scripts/good.sh": "#!/bin/sh\necho new\n"})
    here("run", "GOOD", cwd=root, code=1)
    assert "hello" in here("run", "GOOD@1", cwd=root).stdout
    assert "hello" in here("run", f"GOOD@{first[:8]}", cwd=root).stdout
    here("run", "GOOD@~LATEST", cwd=root, code=1)
    assert [record["version"] for record in records()] == [2, 1, 1, 2]


def test_an_uncommitted_edit_is_never_run(here: Any, root: Path, workshop: Any) -> None:
    workshop.write("processes/scripts/good.sh", "#!/bin/sh\nexit 9\n", 0o755)
    here("run", "GOOD", cwd=root)


def test_ctrl_c_cancels_and_exits_130(long_run: Any, records: Any) -> None:
    long_run.send_signal(signal.SIGINT)
    out, err = long_run.communicate(timeout=30)
    assert long_run.returncode == 130, (out, err)
    (record,) = records()
    assert record["outcome"] == "cancelled"
    assert record["message"].startswith("Cancelled by ")
    assert "Traceback" not in err


def test_ctrl_c_while_waiting_leaves_nothing(root: Path) -> None:
    run = subprocess.Popen(
        [PROCCTL, "run", "GOOD", "--delay", "1h"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert "Waiting until" in run.stdout.readline()
    run.send_signal(signal.SIGINT)
    assert run.wait(30) == 130
    run.communicate()
    assert not (root / "executions").exists()


def test_a_closed_terminal_ends_nothing(root: Path, workshop: Any, records: Any, until: Any) -> None:
    workshop.commit({"processes/scripts/long.sh": WAITING})
    parent, terminal = pty.openpty()
    run = subprocess.Popen(
        [PROCCTL, "run", "LONG"], cwd=root, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    os.close(terminal)
    until((data(root, "LONG") / "started").exists)
    os.close(parent)
    run.send_signal(signal.SIGHUP)
    (data(root, "LONG") / "go").touch()
    assert run.wait(30) == 0
    assert records()[0]["outcome"] == "success"
    assert workshop.git("log", "-1", "--format=%s", "refs/heads/executions") == "LONG success"


def test_a_reader_that_goes_ends_nothing(root: Path, workshop: Any, records: Any) -> None:
    command = f"{PROCCTL} run GOOD | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=root, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("GOOD version 1")
    assert records()[0]["outcome"] == "success"
    assert workshop.git("log", "-1", "--format=%s", "refs/heads/executions") == "GOOD success"


def test_the_starters_death_ends_nothing(long_run: Any, root: Path, records: Any, until: Any) -> None:
    long_run.kill()
    long_run.communicate()
    (record,) = records()
    assert record["status"] == "running"
    (claim,) = root.glob(".git/procctl/state/production/claims/*.json")
    os.kill(json.loads(claim.read_text())["pid"], signal.SIGTERM)
    until(lambda: records()[0].get("outcome") == "cancelled")


def test_a_runner_that_is_killed_ends_as_interrupted(long_run: Any, root: Path, records: Any) -> None:
    (claim,) = root.glob(".git/procctl/state/production/claims/*.json")
    os.kill(json.loads(claim.read_text())["pid"], signal.SIGKILL)
    out, err = long_run.communicate(timeout=60)
    assert long_run.returncode == 1, (out, err)
    assert records()[0]["outcome"] == "interrupted"
    assert not claim.exists()


def test_a_terminal_sees_what_moves_and_a_pipe_does_not(procctl: Any, root: Path) -> None:
    assert "\r" not in procctl("run", "GOOD", cwd=root).stdout
    parent, terminal = pty.openpty()
    subprocess.run([PROCCTL, "run", "GOOD"], cwd=root, check=True, stdout=terminal, stderr=subprocess.DEVNULL)
    os.close(terminal)
    shown = os.read(parent, 65536).decode()
    os.close(parent)
    assert "\x1b[32msuccess\x1b[0m" in shown


def test_what_a_script_prints_never_steers_the_terminal(procctl: Any, root: Path, workshop: Any) -> None:
    script = "#!/bin/sh\nprintf '\\033]0;title\\007\\033[2J\\302\\233mseen\\342\\200\\256\\n'\n"
    workshop.commit({"processes/scripts/good.sh": script})
    for done in (procctl("run", "GOOD", cwd=root), procctl("logs", "GOOD", cwd=root)):
        assert "seen" in done.stdout
        assert all(line.isprintable() for line in done.stdout.splitlines())


def test_detach_leaves_a_request_and_warns_where_nobody_reconciles(here: Any, root: Path) -> None:
    done = here("run", "GOOD", "--detach", "-i", "b=x", "--delay", "10m", cwd=root)
    (path,) = root.glob(".git/procctl/state/production/requests/*.json")
    assert done.stdout == f"{path.stem}\n"
    assert "no reconciler" in done.stderr
    request = json.loads(path.read_text())
    assert (request["name"], request["body"], request["force"]) == ("GOOD", {"b": "x"}, False)
    assert request["not_before"] > request["asked"]
    assert not (root / "executions").exists()


def test_a_full_disk_leaves_no_record_and_says_so(here: Any, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "create_many", full)
    done = here("run", "GOOD", cwd=root, code=3)
    assert "the disk is full" in done.stderr
    assert not list(root.glob("executions/**/*.json"))
    here("run", "GOOD", "--detach", cwd=root, code=3)
