"""``procctl list``, ``get`` and ``next``: what is in force, wherever one stands, in the form one asks for."""

import json
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli import upcoming
from reconciler.reference import parse_reference
from reconciler.repo.repository import open_repository
from reconciler.schedule import Schedule
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.web import resources

PROCCTL = Path(sys.executable).with_name("procctl")
FILES = {
    "processes/DAILY.yaml": "script: a.sh\ncron: 30 2 * * *\ntimezone: Europe/Berlin\nservice: ETL\n",
    "processes/HAND.yaml": "script: a.sh\ndescription: Grüße\n",
    "processes/OFF.yaml": "script: a.sh\nevery: 1h\nenabled: false\n",
    "processes/scripts/a.sh": "#!/bin/sh\n",
}


@pytest.fixture
def root(workshop: Any) -> Path:
    workshop.commit(FILES)
    path: Path = workshop.root
    return path


def test_a_list_says_how_each_process_stands(here: Any, root: Path) -> None:
    done = here("list", cwd=root)
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert list(lines) == ["NAME", "DAILY", "HAND", "OFF"]
    assert "disabled" in lines["OFF"]
    assert re.search(r"\d{4}-\d\d-\d\d 0[01]:30:00Z", lines["DAILY"])
    assert done.stderr.startswith("procctl: following main at ")


def test_json_is_what_the_http_view_answers(here: Any, root: Path) -> None:
    listed = json.loads(here("list", "-o", "json", cwd=root).stdout)
    one = json.loads(here("get", "HAND", "-o", "json", cwd=root).stdout)
    layout = Layout.of(root / ".git", root / "executions", "production")
    index = Index.open_readonly(layout.index, environment="production")
    now = datetime.now(UTC)
    assert listed == resources.processes(index, open_repository(root, os.environ), [("_limit", "-1")], now).items
    assert one == resources.process(index, open_repository(root, os.environ), parse_reference("HAND"), now).document
    index.close()


def test_a_list_is_filtered_as_the_http_view_filters(here: Any, root: Path) -> None:
    assert here("list", "--where", "service=ETL", "-o", "name", cwd=root).stdout == "DAILY\n"
    assert here("list", "--where", "enabled=false", "-o", "name", cwd=root).stdout == "OFF\n"
    assert here("list", "--where", "_limit=1", "-o", "name", cwd=root).stdout == "DAILY\n"
    assert "unknown parameter" in here("list", "--where", "_what=1", cwd=root, code=2).stderr


def test_without_processes_it_says_what_to_do(here: Any, workshop: Any) -> None:
    workshop.commit({"README.md": "x"})
    assert "processes/NAME.yaml" in here("list", cwd=workshop.root).stdout
    assert json.loads(here("list", "-o", "json", cwd=workshop.root).stdout) == []


def test_a_process_is_shown_as_its_file_says(here: Any, root: Path) -> None:
    shown = yaml.safe_load(here("get", "HAND", cwd=root).stdout)
    assert (shown["script"], shown["description"], shown["_version"]) == ("a.sh", "Grüße", 1)
    assert "description  Grüße" in here("get", "HAND", "-o", "table", cwd=root).stdout
    assert here("get", "HAND", "-o", "name", cwd=root).stdout == "HAND\n"


def test_an_older_version_is_shown_by_number_and_commit(here: Any, root: Path, workshop: Any) -> None:
    first = workshop.git("rev-parse", "HEAD")
    workshop.commit({"processes/HAND.yaml": "script: a.sh\ndescription: new\n"})
    for reference in ("HAND@1", f"HAND@{first[:7]}", f"HAND@{first}"):
        shown = json.loads(here("get", reference, "-o", "json", cwd=root).stdout)
        assert (shown["description"], shown["_version"], shown["_id"]) == ("Grüße", 1, first)
    for reference in ("HAND", "HAND@2", "HAND@~LATEST"):
        assert json.loads(here("get", reference, "-o", "json", cwd=root).stdout)["description"] == "new"


@pytest.mark.parametrize(
    ("reference", "code", "says"),
    [
        ("HANT", 1, "did you mean HAND?"),
        ("hand", 1, "did you mean HAND?"),
        ("HAND@9", 1, "no version 9"),
        ("HAND@PROD", 1, "HAND has no tag PROD"),
        ("HAND@", 2, "picks no version"),
        ("a/../b", 2, "no name of a process"),
    ],
)
def test_what_is_not_there_is_a_clear_error(here: Any, root: Path, reference: str, code: int, says: str) -> None:
    done = here("get", reference, cwd=root, code=code)
    assert says in done.stderr
    assert done.stdout == ""


def test_a_broken_commit_leaves_the_last_valid_version_in_force(here: Any, root: Path, workshop: Any) -> None:
    workshop.commit({"processes/DAILY.yaml": "script: a.sh\ncron: nonsense\n"})
    assert json.loads(here("get", "DAILY", "-o", "json", cwd=root).stdout)["cron"] == "30 2 * * *"
    assert "invalid" in here("list", cwd=root).stdout
    assert "02:30:00" in here("next", "DAILY", "-n", "1", cwd=root).stdout


def test_next_shows_both_clocks(here: Any, root: Path) -> None:
    document = json.loads(here("next", "DAILY", "-n", "400", "-o", "json", cwd=root).stdout)
    assert (document["name"], document["timezone"], len(document["slots"])) == ("DAILY", "Europe/Berlin", 400)
    for slot in document["slots"]:
        assert datetime.fromisoformat(slot["local"]) == datetime.fromisoformat(slot["utc"])
    gap, fold = sorted(document["daylightSaving"], key=lambda one: str(one["effect"]), reverse=True)
    assert (gap["effect"], gap["local"][11:]) == ("shifted", "02:30:00")
    assert fold["effect"] == "once"
    marked = {slot["effect"] for slot in document["slots"] if "effect" in slot}
    assert marked == {"shifted", "once"}


def test_next_marks_what_daylight_saving_does() -> None:
    schedule = Schedule.of({"cron": ["30 2 * * *"], "timezone": "Europe/Berlin"}, "X")
    document = upcoming.slots(schedule, datetime(2025, 3, 29, tzinfo=UTC), 3)
    assert document["slots"] == [
        {"utc": "2025-03-29T01:30:00.000Z", "local": "2025-03-29T02:30:00+01:00"},
        {"utc": "2025-03-30T01:00:00.000Z", "local": "2025-03-30T03:00:00+02:00", "effect": "shifted"},
        {"utc": "2025-03-31T00:30:00.000Z", "local": "2025-03-31T02:30:00+02:00"},
    ]


def test_next_is_a_table_for_people(here: Any, root: Path) -> None:
    shown = here("next", "DAILY", "-n", "3", cwd=root).stdout
    assert shown.splitlines()[0].split() == ["LOCAL", "(Europe/Berlin)", "UTC", "IN"]
    assert "Daylight saving in the coming year:" in shown
    assert re.search(r"02:30:00 \+0[12]:00", shown)


def test_next_says_why_nothing_starts(here: Any, root: Path) -> None:
    assert "starts by hand only" in here("next", "HAND", cwd=root).stdout
    assert "disabled" in here("next", "OFF", cwd=root).stderr
    assert "did you mean DAILY?" in here("next", "DAYLI", cwd=root, code=1).stderr
    here("next", "DAILY", "-n", "0", cwd=root, code=2)


def test_a_table_fits_the_terminal(root: Path) -> None:
    parent, terminal = pty.openpty()
    environ = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    subprocess.run(["stty", "cols", "70"], stdin=terminal, check=True)
    subprocess.run(
        [PROCCTL, "list"], cwd=root, check=True, stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL, env=environ
    )
    os.close(terminal)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", os.read(parent, 65536).decode())
    os.close(parent)
    assert max(map(len, shown.splitlines())) <= 70
    assert "DAILY" in shown


def test_the_followed_branch_is_the_one_that_was_named(here: Any, root: Path, workshop: Any) -> None:
    workshop.git("checkout", "-q", "-b", "other")
    workshop.commit({"processes/OTHER.yaml": "script: a.sh\n"})
    assert "OTHER" in here("list", "-o", "name", cwd=root).stdout
    assert "OTHER" not in here("list", "--ref", "main", "-o", "name", cwd=root).stdout
    assert "OTHER" in here("list", "-o", "name", cwd=root).stdout
    workshop.commit({"procctl.yaml": "branch: main\n"})
    assert "OTHER" not in here("list", "-o", "name", cwd=root).stdout


def test_an_amended_commit_is_no_obstacle_without_a_reconciler(here: Any, root: Path, workshop: Any) -> None:
    workshop.commit({"processes/NEW.yaml": "script: a.sh\n"})
    here("list", cwd=root)
    workshop.git("commit", "-q", "--amend", "-m", "amended")
    done = here("list", "-o", "name", cwd=root)
    assert "NEW" in done.stdout
    assert "rewound" not in done.stderr
