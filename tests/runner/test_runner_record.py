"""What becomes of a record when all goes well: its steps, its words, its phases (SPEC 6, 8)."""

import json
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.store import claims
from reconciler.workflow import Phase

EXAMPLE = Path(__file__).parents[1] / "ecb" / "execution-example.json"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_a_script_that_says_nothing_leaves_one_line(bench: Any) -> None:
    ran = bench.run(bench.sh(":"))
    record = ran.record
    assert (ran.code, record["status"], record["outcome"], record["message"]) == (
        0,
        "success",
        "success",
        "Completed Successfully",
    )
    assert ran.told == [("MAIN", "success", "Completed MAIN")]
    assert ran.log == ["info Completed MAIN"]
    assert not {"notRun", "data", "loaderMessage"} & record.keys()
    assert not {"attempts", "exitCode"} & ran.phase.keys()


def test_times_are_in_order_and_in_the_form_of_the_service(bench: Any) -> None:
    ran = bench.run(Phase("A", bench.sh(":")), Phase("B", bench.sh(":")))
    first, second = ran.record["phases"]
    times = [ran.record["start"], first["start"], first["end"], second["start"], second["end"], ran.record["end"]]
    assert times == sorted(times)
    assert all(INSTANT.fullmatch(time) for time in times)
    assert ran.record["start"] == first["start"]
    assert ran.record["end"] == second["end"]
    assert second["log"][0].startswith(second["end"][:-1])
    assert re.fullmatch(r"\S+\.\d{9}Z\[UTC\] info Completed B", second["log"][0])


def test_it_says_who_and_where(bench: Any) -> None:
    record = bench.run(bench.sh(":")).record
    assert record["host"] == socket.gethostname()
    assert record["runAs"]
    assert (record["version"], record["commit"]) == (3, "a" * 40)


def test_the_service_s_example_comes_out_as_it_stands(bench: Any) -> None:
    """All but times, ids and who: the phases of a loader, told by its reports."""
    example = json.loads(EXAMPLE.read_text())
    data = json.dumps({"data": {"series": example["data"]["series"]}})
    quiet = bench.sh(":", "quiet.sh")
    load = bench.sh(
        f"""echo '{{"loaderMessage": "{example["loaderMessage"]}"}}' >> "$PROCCTL_REPORT"
echo '{data}' >> "$PROCCTL_REPORT" """,
        "load.sh",
    )
    ran = bench.run(*(Phase(name, quiet) for name in ("EXTRACT", "TRANSFORM", "SEND")), Phase("LOAD", load))
    record = dict(ran.record)
    for key in ("status", "message", "loaderMessage", "data"):
        assert record[key] == example[key]
    assert [list(phase) for phase in record["phases"]] == [list(phase) for phase in example["phases"]]
    for phase, other in zip(record["phases"], example["phases"], strict=True):
        assert [phase[key] for key in ("name", "status", "message")] == [
            other[key] for key in ("name", "status", "message")
        ]
        assert [line.partition("[UTC]")[2] or line for line in phase["log"]] == [
            line.partition("[UTC]")[2] or line for line in other["log"]
        ]


def test_output_becomes_log_lines_by_where_it_was_written(bench: Any) -> None:
    ran = bench.run(bench.sh("echo out; echo; printf 'no end' ; sleep 0.05; echo err >&2"))
    assert sorted(ran.log) == sorted(["info out", "info ", "info no end", "warn err", "info Completed MAIN"])
    assert ran.log[-1] == "info Completed MAIN"


def test_outputs_reach_later_phases_and_the_input_says_all(bench: Any) -> None:
    extract = bench.sh('echo \'{"output": {"file": "x", "n": 1}}\n{"output": {"n": 2}}\' >> "$PROCCTL_REPORT"', "e.sh")
    show = bench.sh('cat "$PROCCTL_INPUT"', "s.sh")
    ran = bench.run(
        Phase("EXTRACT", extract),
        Phase("NOTHING", bench.sh(":", "n.sh")),
        Phase("SHOW", show),
        input={"url": "file:///ü", "n": 7},
        settings={"region": "EU", "deep": {"a": [1]}},
    )
    assert json.loads(ran.log_of("SHOW")[0].removeprefix("info ")) == {
        "url": "file:///ü",
        "n": 7,
        "settings": {"region": "EU", "deep": {"a": [1]}},
        "outputs": {"EXTRACT": {"file": "x", "n": 2}},
    }


def test_a_script_sees_what_the_contract_lists_and_nothing_else(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DAEMON", "hunter2")
    monkeypatch.setenv("LC_TIME", "C")
    monkeypatch.setenv("https_proxy", "http://proxy:1")
    ran = bench.run(bench.script(f"#!{sys.executable}\nimport os, json; print(json.dumps(dict(os.environ)))", "e"))
    seen = json.loads(ran.log[0].removeprefix("info "))
    assert "SECRET_OF_THE_DAEMON" not in seen
    assert (seen["LC_TIME"], seen["https_proxy"], seen["PATH"]) == ("C", "http://proxy:1", os.environ["PATH"])
    own = {name: value for name, value in seen.items() if name.startswith("PROCCTL_")}
    work = ran.work
    assert own == {
        "PROCCTL_EXECUTION_ID": ran.job.id,
        "PROCCTL_PROCESS": "ECB_FX",
        "PROCCTL_VERSION": "3",
        "PROCCTL_COMMIT": "a" * 40,
        "PROCCTL_ENVIRONMENT": "production",
        "PROCCTL_TRIGGER": "scheduled",
        "PROCCTL_REASON": "every(ECB_FX,5s,2021-07-01T16:30:00.000Z)",
        "PROCCTL_SLOT": "2021-07-01T16:30:00.000Z",
        "PROCCTL_PHASE": "MAIN",
        "PROCCTL_ATTEMPT": "1",
        "PROCCTL_INPUT": str(work / ".procctl-input.json"),
        "PROCCTL_REPORT": str(work / ".procctl-report.jsonl"),
        "PROCCTL_DATA": str(bench.layout.data_of("ECB_FX")),
        "PROCCTL_TREE": str(bench.tree),
    }
    known = {"HOME", "USER", "LANG", "TZ", "TMPDIR", "LC_CTYPE"}
    assert seen.keys() - own.keys() <= {"PATH", "LC_TIME", "https_proxy"} | known | {
        name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("LC_")
    }


def test_the_scratch_folder_is_private_shared_by_phases_and_gone_after_success(bench: Any) -> None:
    first = bench.sh('stat -c %a . ; ls; echo kept > file; mkdir -p deep/er; echo "$PWD"', "1.sh")
    second = bench.sh('cat file; echo "$PWD"; echo one > "$PROCCTL_DATA/lasting"', "2.sh")
    ran = bench.run(Phase("A", first), Phase("B", second))
    assert ran.log_of("A")[:2] == ["info 700", f"info {ran.work}"]
    assert ran.log_of("B")[:2] == ["info kept", f"info {ran.work}"]
    assert not ran.work.exists()
    assert (bench.layout.data_of("ECB_FX") / "lasting").read_text() == "one\n"


def test_the_scratch_folder_is_kept_after_a_failure(bench: Any) -> None:
    ran = bench.run(bench.sh("echo clue > file; exit 1"))
    assert (ran.work / "file").read_text() == "clue\n"


@pytest.mark.parametrize("trick", ["chmod 500 deep", "ln -s /etc deep/link", 'rm -rf "$PWD"', 'rm "$PROCCTL_INPUT"'])
def test_whatever_a_script_does_to_its_scratch_folder_it_goes(bench: Any, trick: str) -> None:
    ran = bench.run(bench.sh(f"mkdir deep; touch deep/file; {trick}"))
    assert ran.record["status"] == "success"
    assert not ran.work.exists()
    assert Path("/etc/passwd").exists()


def test_a_later_phase_gets_a_new_scratch_folder_if_one_removed_it(bench: Any) -> None:
    ran = bench.run(Phase("A", bench.sh('cd /; rm -rf "$OLDPWD"', "a.sh")), Phase("B", bench.sh("pwd", "b.sh")))
    assert ran.record["status"] == "success", ran.record
    assert ran.log_of("B")[0] == f"info {ran.work}"


def test_nothing_is_left_but_the_record_and_the_data(bench: Any) -> None:
    ran = bench.run(bench.sh("echo hello"))
    assert claims.all(bench.layout) == ()
    assert list(bench.layout.claims.iterdir()) == []
    assert list(bench.layout.work.iterdir()) == []
    assert [path for path in (bench.root / "executions").rglob("*") if path.is_file()] == [ran.job.record]


def test_the_reconciler_hears_of_the_end_of_what_it_handed_out(bench: Any) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(bench.root / "wake"))
        ear.settimeout(10)
        bench.run(Phase("A", bench.sh(":")), Phase("B", bench.sh(":")), wake=bench.root / "wake")
        assert ear.recv(16) == b"."
        ear.settimeout(0)
        with pytest.raises(BlockingIOError):
            ear.recv(16)


@pytest.mark.parametrize("name", ["nobody-listens", "x" * 200])
def test_nobody_to_tell_is_no_harm(bench: Any, name: str) -> None:
    assert bench.run(bench.sh(":"), wake=bench.root / name).record["status"] == "success"


@pytest.mark.parametrize(
    "value", ["$(touch $PROCCTL_DATA/ran)", "`touch ran`", "; touch ran", "a\nb=c", "'\"", "{{ 7 * 7 }}"]
)
def test_input_and_settings_are_never_code(bench: Any, value: str) -> None:
    """Attack class 20: whatever they hold, they reach a script as they are, by file and environment only."""
    script = bench.script(f"#!{sys.executable}\nimport os; print([os.environ['VALUE'], os.environ['PROCCTL_REASON']])")
    ran = bench.run(script, settings={"VALUE": value}, input={"value": value})
    assert ran.log[0] == f"info {[value, ran.record['reason']]}"
    assert not (bench.layout.data_of("ECB_FX") / "ran").exists()


def test_settings_cannot_stand_for_what_the_runner_says(bench: Any) -> None:
    ran = bench.run(
        bench.sh('echo "$PROCCTL_PHASE $PROCCTL_DATA"'), settings={"PROCCTL_DATA": "/", "PROCCTL_PHASE": "x"}
    )
    assert ran.log[0] == f"info MAIN {bench.layout.data_of('ECB_FX')}"
