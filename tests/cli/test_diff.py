"""``procctl diff``: how two versions of a process differ, by every way to name one."""

import json
from typing import Any

import pytest

SCRIPT = {"processes/scripts/a.sh": "#!/bin/sh\n"}


@pytest.fixture
def history(workshop: Any) -> Any:
    """A process with three versions: 1, 2 (a comment), 3; the second is tagged."""
    workshop.commit({**SCRIPT, "processes/A.yaml": "script: a.sh\ncron: '0 6 * * *'\ninput: {b: 1}\n"})
    workshop.commit({"processes/A.yaml": "script: a.sh # why\ncron: '0 6 * * *'\ninput: {b: 1}\n"})
    workshop.git("tag", "-a", "-m", "tested", "A/PROD")
    workshop.commit({"processes/A.yaml": "script: a.sh\ncron: '0 7 * * *'\ntimeout: 10m\ninput: {b: 2}\n"})
    return workshop


def test_fields_are_told_and_not_lines(here: Any, history: Any) -> None:
    done = here("diff", "A", "1", "3", cwd=history.root)
    head, *fields = done.stdout.splitlines()
    assert head.startswith("A@1 (version 1, ")
    assert fields == ['  cron: "0 6 * * *" -> "0 7 * * *"', "  input.b: 1 -> 2", '  timeout: added "10m"']
    assert here("diff", "A", "1", "2", cwd=history.root).stdout.splitlines()[1:] == ["  no field differs"]


def test_every_reference_works_and_the_current_version_is_the_default(here: Any, history: Any) -> None:
    first = history.git("rev-parse", "HEAD~2")
    expected = here("diff", "A", "1", "3", "-o", "name", cwd=history.root).stdout
    assert expected.split() == ["cron", "input.b", "timeout"]
    for old in ("1", first, first[:10], "PROD"):
        for rest in ([], ["~LATEST"], ["3"], [history.git("rev-parse", "HEAD")]):
            assert here("diff", "A", old, *rest, "-o", "name", cwd=history.root).stdout == expected


def test_the_document_names_both_sides(here: Any, history: Any) -> None:
    found = json.loads(here("diff", "A", "PROD", "-o", "json", cwd=history.root).stdout)
    assert found["name"] == "A"
    assert found["old"] == {
        "reference": "A@PROD",
        "version": 2,
        "commit": history.git("rev-parse", "HEAD~1"),
        "path": "processes/A.yaml",
    }
    assert (found["new"]["reference"], found["new"]["version"]) == ("A@~LATEST", 3)
    assert found["fields"][0] == {"field": "cron", "path": ["cron"], "old": "0 6 * * *", "new": "0 7 * * *"}
    assert "reference: A@PROD" in here("diff", "A", "PROD", "-o", "yaml", cwd=history.root).stdout


def test_the_lines_are_told_on_request(here: Any, history: Any) -> None:
    lines = here("diff", "A", "1", "2", "--yaml", cwd=history.root).stdout.splitlines()
    assert lines[:2] == ["--- A@1 processes/A.yaml", "+++ A@2 processes/A.yaml"]
    assert {"-script: a.sh", "+script: a.sh # why"} <= set(lines)
    assert here("diff", "A", "1", "1", "--yaml", cwd=history.root).stdout == ""


def test_a_version_with_errors_has_lines_and_no_fields(here: Any, history: Any) -> None:
    history.commit({"processes/A.yaml": b"script: [\x1b\n"})
    done = here("diff", "A", "3", "4", cwd=history.root, code=1)
    assert "A@4" in done.stderr
    assert "--yaml" in done.stderr
    lines = here("diff", "A", "3", "4", "--yaml", cwd=history.root).stdout
    assert "+script: [\\x1b" in lines


def test_a_renamed_process_keeps_what_it_was(here: Any, history: Any) -> None:
    text = (history.root / "processes/A.yaml").read_text()
    history.commit({"processes/A.yaml": None, "processes/new/N.yaml": text})
    done = here("diff", "N", "1", cwd=history.root)
    assert '  cron: "0 6 * * *" -> "0 7 * * *"' in done.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("A", "9"), 1), (("A", "NOPE"), 1), (("X", "1"), 1), (("A",), 2), (("A", "a b"), 2), (("A@1", "2"), 2)],
)
def test_what_is_not_there_is_a_clear_error(here: Any, history: Any, arguments: tuple[str, ...], code: int) -> None:
    done = here("diff", *arguments, cwd=history.root, code=code)
    assert "procctl: error: " in done.stderr
    assert "  next: " in done.stderr


def test_a_folder_may_have_any_name(here: Any, workshop: Any) -> None:
    path = "processes/line\nbreak. /A.yaml"
    workshop.commit({**SCRIPT, path: "script: a.sh\n"})
    workshop.commit({path: "script: a.sh\nretries: 1\n"})
    done = here("diff", "A", "1", cwd=workshop.root)
    assert done.stdout.splitlines()[1:] == ["  retries: added 1"]
    assert here("diff", "A", "1", "--yaml", cwd=workshop.root).stdout.count("line\\nbreak") == 2
