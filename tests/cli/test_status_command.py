"""``procctl status`` and ``procctl reindex``: how things stand, and that the index is only a copy."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

FILES = {
    "processes/GOOD.yaml": "script: good.sh\nevery: 1h\n",
    "processes/BAD.yaml": "script: bad.sh\n",
    "processes/scripts/good.sh": "#!/bin/sh\n",
    "processes/scripts/bad.sh": "#!/bin/sh\nexit 3\n",
}


@pytest.fixture
def root(workshop: Any) -> Path:
    workshop.commit(FILES)
    path: Path = workshop.root
    return path


def test_what_is_well_is_synced(here: Any, root: Path, workshop: Any) -> None:
    here("run", "GOOD", cwd=root)
    done = here("status", cwd=root)
    commit = workshop.git("rev-parse", "--short=12", "HEAD")
    assert done.stdout.startswith("Synced\n")
    assert f"following    main at {commit}" in done.stdout
    assert f"applied      {commit}" in done.stdout
    assert "reconciler   none: " in done.stdout
    assert "unpublished  0 records" in done.stdout
    assert "\nNext:\n" in done.stdout
    assert "uncommitted" not in done.stdout


def test_marks_that_do_not_hold_are_told_and_degrade_nothing(here: Any, root: Path, workshop: Any) -> None:
    lines = [f"Procctl-Delete: NONE@{number} 0123456789ab" for number in range(1, 8)]
    workshop.commit({}, "By hand\n\n" + "\n".join(lines))
    commit = workshop.commit({}, "Typed badly\n\nProcctl-Delete: GOOD@1")
    shown = here("status", cwd=root).stdout
    assert shown.startswith("Synced\n")
    told = shown.partition("Marks that do not hold, and changed nothing:\n")[2].partition("\n\n")[0].splitlines()
    assert told[1].startswith(f"{commit[:12]}  Procctl-Delete: GOOD@1 ")
    assert told[-1] == "… and 3 more"
    document = json.loads(here("status", "-o", "json", cwd=root).stdout)
    assert [one["mark"] for one in document["ignoredMarks"]] == ["Procctl-Delete: GOOD@1", *lines[::-1]]


def test_a_failed_execution_degrades_until_one_succeeds(here: Any, root: Path, workshop: Any) -> None:
    here("run", "BAD", cwd=root, code=1)
    done = here("status", cwd=root, code=1)
    assert done.stdout.startswith("Degraded\n  failed: BAD\n")
    workshop.commit({"processes/scripts/bad.sh": "#!/bin/sh\n"})
    here("run", "BAD", cwd=root)
    here("status", cwd=root)


@pytest.mark.parametrize(
    ("text", "says"),
    [("script: good.sh\ncron: x\n", "invalid: GOOD"), ("script: good.sh\nrunAs: ada\n", "held: GOOD")],
)
def test_what_is_invalid_or_held_degrades_and_says_why(
    here: Any, root: Path, workshop: Any, text: str, says: str
) -> None:
    workshop.commit({"processes/GOOD.yaml": text})
    done = here("status", cwd=root, code=1)
    assert says in done.stdout
    assert "processes/GOOD.yaml:2" in done.stdout
    assert "Processes to look at:" in done.stdout


def test_a_disabled_process_that_failed_does_not_degrade(here: Any, root: Path, workshop: Any) -> None:
    here("run", "BAD", cwd=root, code=1)
    workshop.commit({"processes/BAD.yaml": "script: bad.sh\nenabled: false\n"})
    here("status", cwd=root)


def test_an_uncommitted_edit_is_named(here: Any, root: Path, workshop: Any) -> None:
    workshop.write("processes/GOOD.yaml", "script: bad.sh\n")
    workshop.write("processes/NEW.yaml", "script: bad.sh\n")
    done = here("status", cwd=root)
    assert "uncommitted  processes/GOOD.yaml, processes/NEW.yaml" in done.stdout
    assert json.loads(here("status", "-o", "json", cwd=root).stdout)["uncommitted"] == [
        "processes/GOOD.yaml",
        "processes/NEW.yaml",
    ]


def test_json_says_it_all_and_names_give_the_state(here: Any, root: Path, workshop: Any) -> None:
    document = json.loads(here("status", "-o", "json", cwd=root).stdout)
    assert document["state"] == "Synced"
    assert document["commit"] == document["applied"] == workshop.git("rev-parse", "HEAD")
    assert document["reconciler"]["ready"] is False
    assert {one["name"]: bool(one["nextRun"]) for one in document["processes"]} == {"GOOD": True, "BAD": False}
    assert here("status", "-o", "name", cwd=root).stdout == "Synced\n"


def test_a_broken_setting_leaves_the_last_valid_one_in_force(here: Any, root: Path, workshop: Any) -> None:
    workshop.commit({"procctl.yaml": "environment: staging\n"})
    workshop.commit({"procctl.yaml": "environment: [\n"})
    done = here("status", cwd=root, code=1)
    assert "environment  staging" in done.stdout
    assert "procctl.yaml" in done.stdout


def rows(root: Path) -> list[tuple[Any, ...]]:
    """Everything that the index says of executions, versions and processes."""
    found = []
    with sqlite3.connect(root / ".git/procctl/cache/index.sqlite") as connection:
        for table in ("executions", "versions", "last_versions", "processes", "problems"):
            found += [(table, *row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608 - fixed names
    connection.close()
    return sorted(found, key=repr)


def test_a_rebuilt_index_equals_the_live_one(here: Any, root: Path, workshop: Any) -> None:
    here("run", "GOOD", cwd=root)
    workshop.commit({"processes/GOOD.yaml": "script: good.sh\nevery: 2h\n", "processes/B.yaml": "script: nope.sh\n"})
    here("run", "BAD", cwd=root, code=1)
    here("list", cwd=root)
    live = rows(root)
    done = here("reindex", cwd=root)
    assert "Indexed 3 processes and 2 records" in done.stdout
    assert rows(root) == live
    shutil.rmtree(root / ".git/procctl/cache")
    here("list", cwd=root)
    assert rows(root) == live


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_broken_index_is_built_again_by_whoever_needs_it(here: Any, root: Path, damage: bytes) -> None:
    here("run", "GOOD", cwd=root)
    index = root / ".git/procctl/cache/index.sqlite"
    for path in index.parent.glob("index.sqlite*"):
        path.unlink()
    index.write_bytes(damage)
    assert "GOOD" in here("executions", "-o", "table", cwd=root).stdout
    index.write_bytes(damage)
    here("reindex", cwd=root)


def test_reindex_tells_of_files_that_are_no_records(here: Any, root: Path) -> None:
    here("run", "GOOD", cwd=root)
    (path,) = root.glob("executions/*/*/*/*/*.json")
    foreign = path.with_name("000000-00000000.json")
    foreign.write_text("{}")
    done = here("reindex", cwd=root)
    assert "000000-00000000.json" in done.stderr
    assert "and 1 records" in done.stdout
    foreign.unlink()
