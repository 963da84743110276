"""The example as a whole: a run of ECB_FX leaves the record that the service before procctl left on that day."""

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler import instant
from reconciler.process import Process
from reconciler.schedule import Schedule

ROOT = Path(__file__).parents[2]
PROCCTL = str(Path(sys.executable).with_name("procctl"))
EXAMPLE = json.loads(Path(__file__).with_name("execution-example.json").read_text())
DAILY = ROOT / "demo" / "eurofxref-2021-07-01.xml"
LATER = Path(__file__).with_name("eurofxref-2026-10-30.xml")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z\[UTC\] ")


@pytest.fixture
def repository(workshop: Any) -> Any:
    """A process repository with this project's own processes."""
    shutil.copytree(ROOT / "processes", workshop.root / "processes", ignore=shutil.ignore_patterns("__pycache__"))
    workshop.commit(message="Load the rates of the European Central Bank")
    return workshop


def procctl(repository: Any, *arguments: str) -> str:
    done = subprocess.run(
        [PROCCTL, *arguments], cwd=repository.root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def record(repository: Any, document: Path) -> dict[str, Any]:
    """Run ECB_FX on a document and give its record."""
    procctl(repository, "run", "ECB_FX", "-i", f"url={document.as_uri()}")
    path = max(repository.root.glob("executions/*/*/*/ECB_FX/*.json"), key=lambda path: path.stat().st_mtime_ns)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def timeless(found: dict[str, Any]) -> dict[str, Any]:
    """Give what of a record does not depend on when, where and by whom."""
    phases = [
        {key: phase[key] for key in ("name", "status", "message")}
        | {"log": [TIME.sub("", line) for line in phase["log"]]}
        for phase in found["phases"]
    ]
    kept = ("service", "name", "environment", "status", "message", "loaderMessage", "data")
    return {key: found[key] for key in kept} | {"phases": phases}


def test_the_record_of_that_day_is_the_one_the_service_left(repository: Any) -> None:
    found = record(repository, DAILY)
    assert timeless(found) == timeless(EXAMPLE)
    lines = [line for phase in found["phases"] for line in phase["log"]]
    assert [bool(TIME.match(line)) for line in lines] == [True, True, True, False]


def test_its_keys_stand_in_the_examples_order(repository: Any) -> None:
    found = record(repository, DAILY)
    assert [key for key in found if key in EXAMPLE] == [key for key in EXAMPLE if key in found]


def test_a_day_with_fewer_currencies_is_recorded_as_it_is(repository: Any) -> None:
    found = record(repository, LATER)
    assert found["loaderMessage"] == "Updated 29 series for 2026-10-30"
    assert len(found["data"]["series"]["2026-10-30"]) == 29


def test_a_document_that_is_none_fails_the_execution_with_the_reason(repository: Any, tmp_path: Path) -> None:
    page = tmp_path / "maintenance.html"
    page.write_text("<html><body>Back soon</body></html>")
    arguments = [PROCCTL, "run", "ECB_FX", "-i", f"url={page.as_uri()}"]
    assert subprocess.run(arguments, cwd=repository.root, capture_output=True, check=False).returncode == 1
    (path,) = repository.root.glob("executions/*/*/*/ECB_FX/*.json")
    found = json.loads(path.read_text())
    assert (found["status"], found["outcome"]) == ("failed", "failed")
    assert "its root is html" in found["message"]
    assert [phase["name"] for phase in found["phases"]] == ["EXTRACT", "TRANSFORM"]
    assert found["notRun"] == ["SEND", "LOAD"]


@pytest.mark.parametrize("body", ["url=http://localhost/", "url:=7", "tx=BOE_FX"])
def test_an_input_the_workflow_does_not_know_starts_nothing(repository: Any, body: str) -> None:
    arguments = [PROCCTL, "run", "ECB_FX", "-i", body]
    done = subprocess.run(arguments, cwd=repository.root, capture_output=True, text=True, check=False)
    assert done.returncode in {1, 2}
    assert body.partition("=")[0].rstrip(":") in done.stderr
    assert "Traceback" not in done.stderr


def test_the_example_is_free_of_problems(repository: Any) -> None:
    procctl(repository, "validate", "--strict")


def test_its_slot_of_that_day_gives_the_reason_the_service_gave() -> None:
    document = yaml.safe_load((ROOT / "processes" / "ECB_FX.yaml").read_text())
    schedule = Schedule.of(Process.of("ECB_FX", document).schedule_document("UTC"), "ECB_FX")
    slot = schedule.next(datetime(2021, 7, 1, tzinfo=UTC))
    assert slot is not None
    assert schedule.reason(slot) == EXAMPLE["reason"]


def test_it_is_due_when_the_rates_are_out(repository: Any) -> None:
    upcoming = json.loads(procctl(repository, "next", "ECB_FX", "-n", "10", "-o", "json"))
    days = [instant.parse(slot["utc"]) for slot in upcoming["slots"]]
    assert len(days) == 10
    assert {(day.hour, day.minute, day.weekday() < 5) for day in days} == {(16, 30, True)}
    assert days[0] > datetime.now(UTC)
