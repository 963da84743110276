"""The program as a whole: help, exit codes, where errors go, the repository from anywhere, what is loaded when."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from reconciler.cli import failures, program
from reconciler.cli.commands import Command
from reconciler.errors import LaterError, NotFoundError, UsageError, UserError

HEAVY = {"jsonschema", "uvicorn", "starlette", "jinja2", "watchfiles", "asyncio"}


def commands() -> list[tuple[str, click.Command]]:
    context = click.Context(program.program)
    found = [(name, program.program.get_command(context, name)) for name in program.COMMANDS]
    return [(name, command) for name, command in found if command is not None]


def loaded(code: str, cwd: Path) -> set[str]:
    """The modules that are loaded once some code has run in an interpreter of its own."""
    script = f"import sys\n{code}\nprint(*sys.modules, sep='\\n', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], cwd=cwd, check=True, capture_output=True, text=True)
    return set(done.stderr.splitlines())


def test_no_command_prints_the_help(procctl: Any) -> None:
    assert procctl().stdout == procctl("--help").stdout == procctl("-h").stdout


def test_the_version_is_printed(here: Any) -> None:
    assert re.fullmatch(r"procctl \d+\.\d+\.\d+\n", here("--version").stdout)


@pytest.mark.parametrize("name", program.COMMANDS)
def test_the_line_in_the_help_is_what_the_command_is_for(name: str) -> None:
    command = dict(commands())[name]
    assert command.name == name
    assert command.help, "every command says what it does"


def test_every_option_has_help_a_default_and_is_of_one_spelling() -> None:
    for name, command in commands():
        assert isinstance(command, Command), name
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name}"
                assert not (option.is_flag and option.default is None), f"{name} {option.name}"
                assert option.hidden or option.help[0].isupper(), f"{name} {option.name}"


def test_help_imports_no_command(tmp_path: Path) -> None:
    modules = loaded("from reconciler.cli import main; main(['--help'])", tmp_path)
    assert not [name for name in modules if name in {module for module, _ in program.COMMANDS.values()}]
    assert not HEAVY & modules
    assert "git" not in modules
    assert "yaml" not in modules


def test_a_simple_command_imports_little(workshop: Any) -> None:
    workshop.commit({"processes/A.yaml": "script: a.sh\n", "processes/scripts/a.sh": "#!/bin/sh\n"})
    code = "from reconciler.cli import main; assert main(['list']) == 0"
    loaded(code, workshop.root)
    assert not HEAVY & loaded(code, workshop.root), "with a warm index"


def test_an_unknown_command_is_a_usage_error_that_names_the_nearest(procctl: Any) -> None:
    done = procctl("lis", code=2)
    assert "procctl: error: No such command 'lis'. Did you mean 'list'?" in done.stderr
    assert "  next: procctl --help" in done.stderr
    assert done.stdout == ""


def test_an_unknown_option_names_the_command_and_its_help(procctl: Any) -> None:
    done = procctl("run", "--forse", code=2)
    assert "procctl: error: run: No such option '--forse'" in done.stderr
    assert "  next: procctl run --help" in done.stderr


def test_outside_of_a_repository_every_command_says_so(here: Any, tmp_path: Path) -> None:
    for arguments in (["list"], ["run", "X"], ["status"], ["validate"], ["executions"], ["daemon"], ["reindex"]):
        done = here(*arguments, code=1)
        assert f"procctl: error: {tmp_path}: this is no git repository" in done.stderr
        assert "procctl init" in done.stderr


def test_an_empty_repository_says_what_to_do(here: Any, workshop: Any) -> None:
    done = here("list", cwd=workshop.root, code=1)
    assert "no commit yet" in done.stderr
    assert "  next: " in done.stderr


def test_a_detached_head_is_an_error_unless_a_branch_is_named(here: Any, workshop: Any) -> None:
    workshop.commit({"a": "1"})
    workshop.git("checkout", "-q", "--detach")
    done = here("list", cwd=workshop.root, code=1)
    assert "detached" in done.stderr
    assert "following main at" in here("list", "--ref", "main", cwd=workshop.root).stderr
    workshop.commit({"procctl.yaml": "branch: main\n"})
    assert "following main at" in here("list", cwd=workshop.root).stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError("x"), 1),
        (NotFoundError("x"), 1),
        (UsageError("x"), 2),
        (LaterError("x"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_kind_of_failure_has_its_exit_code(error: BaseException, code: int) -> None:
    assert failures.answer(error) == code


def test_an_error_says_what_where_and_what_next(capsys: pytest.CaptureFixture[str]) -> None:
    failures.answer(UserError("is\nwrong", where="a.yaml:1", todo="mend it"))
    assert capsys.readouterr().err == "procctl: error: a.yaml:1: is\n  wrong\n  next: mend it\n"


def test_an_error_never_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    failures.answer(UserError("\x1b[2J", where="\x1b]0;x\x07", todo="\x9bm"))
    assert "\x1b" not in (shown := capsys.readouterr().err)
    assert "\x9b" not in shown


def test_a_bug_leaves_a_private_report_and_no_traceback(
    procctl: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "sitecustomize.py").write_text(
        "import reconciler.cli.failures as f\n"
        "import reconciler.repo.repository as r\n"
        "def broken(*a): raise RuntimeError('a \\x1b[31mbug')\n"
        "r.open_repository = broken\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = procctl("list", "--where", "name=secret", code=70)
    assert "this is a bug: RuntimeError: a \\x1b[31mbug" in done.stderr
    (report,) = tmp_path.glob("procctl-bug-*.txt")
    assert str(report) in done.stderr
    text = report.read_text()
    assert "Traceback" in text
    assert "arguments: list --where" in text
    assert "secret" not in text.split("Traceback")[0]
    assert report.stat().st_mode & 0o077 == 0


def test_a_closed_pipe_is_quiet(workshop: Any) -> None:
    names = {f"processes/P{number}.yaml": "script: a.sh\n" for number in range(300)}
    workshop.commit(names | {"processes/scripts/a.sh": "#!/bin/sh\n"})
    command = f"{Path(sys.executable).with_name('procctl')} list -o json | head -1"
    done = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"],
        cwd=workshop.root,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "[\n"
    assert "Error" not in done.stderr
    assert "Exception" not in done.stderr
    assert done.returncode in {0, 141}


def test_a_full_disk_behind_the_output_is_an_error(workshop: Any) -> None:
    workshop.commit({"a": "1"})
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [Path(sys.executable).with_name("procctl"), "--help"],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


@pytest.fixture
def two(workshop: Any, tmp_path: Path) -> tuple[Path, Path]:
    """Two repositories with one process each, named after them."""
    workshop.commit({"processes/FIRST.yaml": "script: a.sh\n", "processes/scripts/a.sh": "#!/bin/sh\n"})
    second = tmp_path / "second"
    subprocess.run(["git", "clone", "-q", workshop.root, second], check=True)
    (second / "processes/FIRST.yaml").rename(second / "processes/SECOND.yaml")
    subprocess.run(["git", "commit", "-qam", "x"], cwd=second, check=True)
    subprocess.run(["git", "add", "-A"], cwd=second, check=True)
    subprocess.run(["git", "commit", "-qm", "x"], cwd=second, check=True)
    return workshop.root, second


def test_the_repository_may_be_named_anywhere_and_the_nearest_wins(
    here: Any, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two

    def names(*arguments: str | Path, cwd: Path | None = None) -> str:
        return str(here(*arguments, "-o", "name", cwd=cwd).stdout).strip()

    assert names("list", cwd=first) == "FIRST"
    assert names("--repo", second, "list", cwd=first) == "SECOND"
    assert names("list", "--repo", second, cwd=first) == "SECOND"
    assert names("--repo", first, "list", "--repo", second) == "SECOND"
    monkeypatch.setenv("PROCCTL_REPO", str(second))
    assert names("list", cwd=first) == "SECOND"
    assert names("--repo", first, "list") == "FIRST"
    monkeypatch.setenv("PROCCTL_LIST_REPO", str(first))
    assert names("list") == "FIRST"
    assert names("--repo", second, "list") == "SECOND"


def test_each_option_has_a_variable_of_its_own_spelling() -> None:
    for name, command in commands():
        for option in command.params:
            if isinstance(option, click.Option):
                long = next(one for one in option.opts if one.startswith("--"))
                assert option.envvar == f"PROCCTL_{name.upper()}_{long[2:].upper().replace('-', '_')}"


def test_every_option_is_a_variable_too(here: Any, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCCTL_LIST_OUTPUT", "json")
    assert json.loads(here("list", cwd=two[0]).stdout)[0]["name"] == "FIRST"
    monkeypatch.setenv("PROCCTL_LIST_OUTPUT", "nonsense")
    assert "nonsense" in here("list", cwd=two[0], code=2).stderr


def test_names_are_completed_from_the_index(
    procctl: Any, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    procctl("list", cwd=two[0])
    monkeypatch.setenv("_PROCCTL_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "procctl run F")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert procctl(cwd=two[0], code=None).stdout == "plain,FIRST\n"


def test_completion_outside_of_a_repository_says_nothing(procctl: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_PROCCTL_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "procctl run F")
    monkeypatch.setenv("COMP_CWORD", "2")
    done = procctl(code=None)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_output_that_no_locale_can_write_is_shown_escaped(
    procctl: Any, workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.commit({"processes/A.yaml": "script: a.sh\ndescription: 日本\n", "processes/scripts/a.sh": "#!/bin/sh\n"})
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    assert "\\u65e5" in procctl("get", "A", cwd=workshop.root).stdout


def test_no_message_names_a_module(capsys: pytest.CaptureFixture[str]) -> None:
    failures.answer(OSError(28, os.strerror(28), "/x/y"))
    assert capsys.readouterr().err.startswith("procctl: error: /x/y: ")
