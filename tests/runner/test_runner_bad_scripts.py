"""Scripts that are missing, broken or hostile: one clear message each, and a record that tells the truth."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.runner import attempt
from reconciler.workflow import Phase


def failed(ran: Any) -> str:
    """Check that an execution failed as a whole, and give its message without the phase's name."""
    record = ran.record
    assert ran.code == 0
    assert (record["status"], record["outcome"]) == ("failed", "failed")
    assert record["message"] == ran.phase["message"]
    assert ran.phase["status"] == "failed"
    assert ran.log[-1] == f"fatal {record['message']}"
    assert record["message"].startswith("MAIN failed: ")
    return str(record["message"].removeprefix("MAIN failed: "))


def test_a_missing_script(bench: Any) -> None:
    assert failed(bench.run("processes/scripts/etl/gone.py")) == (
        "the script etl/gone.py cannot be read: No such file or directory"
    )


def test_a_script_that_nothing_says_how_to_run(bench: Any) -> None:
    message = failed(bench.run(bench.script("hello", "thing.txt", 0o644)))
    assert message == (
        "the script thing.txt is not executable: "
        "give it a shebang (#!) and the run bit, or a suffix of .py, .sh, .js or .mjs"
    )


@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_a_shebang_counts_only_with_the_run_bit_and_the_bit_only_with_a_shebang(bench: Any, mode: int) -> None:
    text = "#!/bin/sh\necho hi" if mode == 0o644 else "echo hi"
    assert "is not executable" in failed(bench.run(bench.script(text, "thing", mode)))


def test_a_symlink_is_never_run(bench: Any) -> None:
    (bench.tree / "link.sh").symlink_to("/bin/true")
    assert "is no file" in failed(bench.run("processes/scripts/link.sh"))


def test_a_folder_is_never_run(bench: Any) -> None:
    (bench.tree / "folder.sh").mkdir()
    assert "is no file" in failed(bench.run("processes/scripts/folder.sh"))


def test_a_bad_interpreter_is_named(bench: Any) -> None:
    message = failed(bench.run(bench.script("#!/no/such/python -u\n", "a.py")))
    assert message == "the interpreter of a.py, '/no/such/python -u', cannot be run: No such file or directory"


def test_windows_line_endings_are_named(bench: Any) -> None:
    message = failed(bench.run(bench.script("#!/bin/sh\r\necho hi\r\n", "a.sh")))
    assert message == "the script a.sh has Windows line endings, so its interpreter '/bin/sh\\r' is not found"


def test_an_interpreter_that_may_not_be_executed_is_named(bench: Any) -> None:
    plain = bench.root / "plain"
    plain.write_text("text")
    message = failed(bench.run(bench.script(f"#!{plain}\n", "a")))
    assert message == f"the interpreter of a, '{plain}', cannot be run: Permission denied"


def test_an_environment_that_is_too_large_says_so(bench: Any) -> None:
    message = failed(bench.run(bench.sh(":"), settings={"HUGE": "x" * 200_000}))
    assert message.startswith("its environment is too large")


def test_what_the_environment_cannot_carry_stands_in_the_input_only(bench: Any) -> None:
    settings = {"NUL": "a\0b", "not a name": "x", "OK": True, "N": 1.5, "NONE": None, "DEEP": {"a": 1}}
    ran = bench.run(bench.sh('env | grep -E "NUL|name|OK|^N=|NONE|DEEP"; cat "$PROCCTL_INPUT"'), settings=settings)
    assert sorted(ran.log[:2]) == ["info N=1.5", "info OK=true"]
    assert '"DEEP": {"a": 1}' in ran.log[2]


def test_an_exit_code_comes_with_the_last_words(bench: Any) -> None:
    ran = bench.run(bench.sh("echo fine; echo first >&2; echo 'no such table' >&2; echo; exit 3"))
    assert failed(ran) == "exit code 3: no such table"
    assert ran.phase["exitCode"] == 3


def test_without_errors_the_last_line_of_output_has_to_do(bench: Any) -> None:
    assert failed(bench.run(bench.sh("echo 'cannot go on'; exit 1"))) == "exit code 1: cannot go on"


def test_a_silent_failure_is_still_no_bare_exit_code(bench: Any) -> None:
    assert failed(bench.run(bench.sh("exit 7"))) == "exit code 7: it wrote nothing that says why"


def test_a_python_script_that_raises_shows_its_error(bench: Any) -> None:
    ran = bench.run(bench.script("raise ValueError('no rates')", "a.py", 0o644))
    assert failed(ran) == "exit code 1: ValueError: no rates"
    assert "warn Traceback (most recent call last):" in ran.log


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGKILL, "killed by SIGKILL (by the kernel, if memory ran out, or by somebody): working"),
        (signal.SIGSEGV, "killed by SIGSEGV: working"),
        (signal.SIGTERM, "killed by SIGTERM: working"),
        (40, "killed by signal 40: working"),
    ],
)
def test_a_script_killed_by_a_signal(bench: Any, number: int, said: str) -> None:
    ran = bench.run(bench.sh(f"echo working; kill -{int(number)} $$"))
    assert failed(ran) == said
    assert ran.phase["exitCode"] == -number


def test_a_grandchild_that_holds_the_pipe_does_not_hold_the_execution(bench: Any) -> None:
    # It would hold the pipe for longer than a test may take.
    ran = bench.run(bench.sh('sleep 3600 & echo $! > "$PROCCTL_DATA/pid"; echo done'))
    assert ran.record["status"] == "success"
    assert ran.log == ["info done", "info Completed MAIN"]
    assert not alive(bench, "pid")


def test_a_grandchild_that_holds_nothing_is_ended_as_well(bench: Any) -> None:
    ran = bench.run(bench.sh('sleep 60 >/dev/null 2>&1 & echo $! > "$PROCCTL_DATA/pid"'))
    assert ran.record["status"] == "success"
    assert not alive(bench, "pid")


def test_one_that_left_the_group_keeps_its_pipe_but_not_the_execution(bench: Any) -> None:
    script = bench.script(
        "import os, subprocess\n"
        "child = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "open(os.environ['PROCCTL_DATA'] + '/pid', 'w').write(str(child.pid))\n"
        "print('done', flush=True)\n",
        "a.py",
    )
    ran = bench.run(script)
    os.kill(int((bench.layout.data_of("ECB_FX") / "pid").read_text()), signal.SIGKILL)
    assert ran.log == ["info done", "info Completed MAIN"]


def test_output_that_a_child_still_writes_is_waited_for_briefly(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "DRAIN", 10.0)  # a busy machine makes a moment long
    ran = bench.run(bench.sh("(sleep 0.05; echo late) &"))
    assert ran.log == ["info late", "info Completed MAIN"]


def test_a_script_that_closes_its_output_and_works_on_is_waited_for(bench: Any) -> None:
    ran = bench.run(bench.sh('exec >&- 2>&-; sleep 0.2; echo "{\\"message\\": \\"x\\"}" > "$PROCCTL_REPORT"; exit 4'))
    assert failed(ran) == "exit code 4: it wrote nothing that says why"


def test_bytes_that_are_no_text(bench: Any) -> None:
    ran = bench.run(bench.script("#!/bin/sh\nprintf 'a\\377\\376b\\000c\\n\\303'\n"))
    assert ran.log == ["info a\ufffd\ufffdbc", "info \ufffd", "info Completed MAIN"]


def test_what_would_steer_a_terminal_is_taken_out(bench: Any) -> None:
    ran = bench.run(bench.script("#!/bin/sh\nprintf '\\033[31mred\\033[0m \\033]0;title\\007x\\tt\\b\\rnext\\n'\n"))
    assert ran.log == ["info red x\tt", "info next", "info Completed MAIN"]


def test_standard_input_is_empty(bench: Any) -> None:
    assert bench.run(bench.sh("cat; echo end")).log == ["info end", "info Completed MAIN"]


def test_a_script_inherits_no_descriptors_and_default_signals(bench: Any) -> None:
    ran = bench.run(
        bench.script(
            f"#!{sys.executable}\nimport os, signal\n"
            "print(sorted(os.listdir('/proc/self/fd')))\n"
            "print(open('/proc/self/status').read().split('SigIgn:')[1].split()[0])\n",
            "fds",
        )
    )
    assert ran.log[0] == "info ['0', '1', '2', '3']"  # 3 is the listing itself
    ignored = int(ran.log[1].removeprefix("info "), 16)
    own = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)  # Python's own
    assert ignored & ~own & 0x7FFFFFFF == 0  # beyond them are the C library's own


@pytest.mark.parametrize(
    ("name", "text", "mode"),
    [
        ("a.py", "print('ran')", 0o644),
        ("a.sh", "echo ran", 0o644),
        ("noext", "#!/bin/sh\necho ran", 0o755),
        ("deep/er/b.py", "print('ran')", 0o444),
        ("a.py", "#!/bin/sh\necho ran", 0o755),
    ],
)
def test_how_a_script_is_run(bench: Any, name: str, text: str, mode: int) -> None:
    assert bench.run(bench.script(text, name, mode)).log == ["info ran", "info Completed MAIN"]


@pytest.mark.parametrize("name", ["a.js", "a.mjs"])
def test_scripts_for_node(bench: Any, name: str) -> None:
    tools = bench.root / "bin"
    tools.mkdir()
    (tools / "node").write_text('#!/bin/sh\necho "node $@"\n')
    (tools / "node").chmod(0o755)
    ran = bench.run(bench.script("console.log('ran')", name, 0o644), environ={"PATH": f"{tools}:/usr/bin:/bin"})
    assert ran.log == [f"info node {bench.tree}/{name}", "info Completed MAIN"]


def test_an_interpreter_that_is_not_on_the_path_is_named(bench: Any) -> None:
    ran = bench.run(bench.script("1", "a.js", 0o644), environ={"PATH": "relative::/nowhere"})
    assert failed(ran) == "the script a.js needs node, which is not on PATH (relative::/nowhere)"


def test_a_script_with_metadata_is_run_by_uv_if_there_is_one(bench: Any) -> None:
    tools = bench.root / "bin"
    tools.mkdir()
    (tools / "uv").write_text('#!/bin/sh\necho "uv $@"\n')
    (tools / "uv").chmod(0o755)
    script = bench.script("# /// script\n# dependencies = []\n# ///\nprint('python')", "a.py", 0o644)
    ran = bench.run(script, environ={"PATH": f"{tools}:/usr/bin:/bin"})
    assert ran.log[0] == f"info uv run --quiet --script {bench.tree}/a.py"
    assert bench.run(script, environ={"PATH": "/usr/bin:/bin"}, tree=bench.tree).log[0] == "info python"


def test_a_script_leaves_no_bytecode_in_the_checkout(bench: Any) -> None:
    bench.script("x = 1", "beside.py", 0o644)
    ran = bench.run(bench.script("import beside; print(beside.x)", "a.py", 0o644))
    assert ran.log[0] == "info 1"
    assert not (bench.tree / "__pycache__").exists()


def test_one_failed_phase_ends_the_execution_and_names_what_did_not_run(bench: Any) -> None:
    good, bad = bench.sh(":", "good.sh"), bench.sh("exit 1", "bad.sh")
    ran = bench.run(Phase("A", good), Phase("B", bad), Phase("C", good), Phase("D", good))
    message = "B failed: exit code 1: it wrote nothing that says why"
    assert ran.told == [("A", "success", "Completed A"), ("B", "failed", message)]
    assert (ran.record["message"], ran.record["notRun"]) == (message, ["C", "D"])


def alive(bench: Any, name: str) -> bool:
    """Whether the process a script noted still runs."""
    pid = (bench.layout.data_of("ECB_FX") / name).read_text().strip()
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] not in "ZX"
