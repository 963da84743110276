"""What a script imports: each test runs a real script, as a runner would."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler import script


class Desk:
    """The two files a runner gives a script."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.input = folder / "input.json"
        self.reported = folder / "report"
        monkeypatch.setenv("PROCCTL_INPUT", str(self.input))
        monkeypatch.setenv("PROCCTL_REPORT", str(self.reported))

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.reported.read_text().splitlines()]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_input_is_what_the_file_says(desk: Desk) -> None:
    desk.input.write_text('{"url": "https://example.org", "outputs": {"EXTRACT": {"file": "ü"}}}', encoding="utf-8")
    assert script.input() == {"url": "https://example.org", "outputs": {"EXTRACT": {"file": "ü"}}}


def test_a_broken_input_file_is_an_error_and_not_an_empty_input(desk: Desk) -> None:
    with pytest.raises(FileNotFoundError):
        script.input()
    desk.input.write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        script.input()


def test_run_by_hand_a_script_has_an_empty_input_and_reports_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROCCTL_INPUT", raising=False)
    monkeypatch.delenv("PROCCTL_REPORT", raising=False)
    assert script.input() == {}
    script.report(message="hello")
    assert capsys.readouterr() == ("", '{"message": "hello"}\n')


def test_each_report_is_one_line_whatever_it_contains(desk: Desk) -> None:
    script.report(message="two\nlines")
    script.report(log="ü ☃ \u2028", level="warn")
    assert desk.lines() == [{"message": "two\nlines"}, {"log": "ü ☃ \u2028", "level": "warn"}]
    assert desk.reported.read_bytes().count(b"\n") == 2


def test_every_kind_has_a_function_that_writes_it(desk: Desk) -> None:
    script.message("working")
    script.log("nothing new")
    script.log("odd", "warn")
    script.output(file="a.json", count=2)
    script.data(series={"2021-07-01": ("#A.B:C",)})
    script.loader_message("Updated 1 series for 2021-07-01")
    script.mask("hunter2")
    assert desk.lines() == [
        {"message": "working"},
        {"log": "nothing new", "level": "info"},
        {"log": "odd", "level": "warn"},
        {"output": {"file": "a.json", "count": 2}},
        {"data": {"series": {"2021-07-01": ["#A.B:C"]}, "curves": {}}},
        {"loaderMessage": "Updated 1 series for 2021-07-01"},
        {"mask": "hunter2"},
    ]


@pytest.mark.parametrize("end", [script.fail, script.abort])
def test_fail_and_abort_say_why_and_end_the_script(desk: Desk, end: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        end("no rates")
    assert ended.value.code == 1
    assert desk.lines() == [{end.__name__: "no rates"}]


@pytest.mark.parametrize(("value", "error"), [(float("nan"), ValueError), (object(), TypeError)])
def test_what_is_no_json_is_refused_before_anything_is_written(desk: Desk, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        script.output(value=value)
    assert not desk.reported.exists()


def test_processes_that_report_at_once_do_not_mix_their_lines(desk: Desk) -> None:
    code = "from reconciler.script import log\nfor number in range(50): log('x' * 5000 + str(number))"
    children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    assert len(desk.lines()) == 150


def test_importing_it_stays_cheap() -> None:
    code = "import sys; before = set(sys.modules); import reconciler.script; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pathlib", "typing", "dataclasses", "datetime", "asyncio", "subprocess", "click", "yaml", "git"}
    own = {name for name in done.stdout.split() if name.startswith("reconciler")}
    assert own == {"reconciler", "reconciler.script"}
    assert not heavy & set(done.stdout.split())
