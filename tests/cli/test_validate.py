"""``procctl validate``: the working tree or a commit, all problems, and where they are."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

GOOD = {
    "processes/A.yaml": "script: a.sh\ncron: '0 7 * * *'\n",
    "processes/scripts/a.sh": "#!/bin/sh\n",
}
BROKEN = {"processes/B.yaml": "script: a.sh\ncron: '0 7 30 2 *'\n", "processes/C.yaml": "script: missing.sh\n"}
HELD = {"processes/H.yaml": "script: a.sh\nrunAs: ada\n"}


def test_what_init_writes_is_valid_without_a_warning(here: Any, tmp_path: Path) -> None:
    here("init", "jobs")
    assert (
        here("validate", "--strict", cwd=tmp_path / "jobs").stdout == "2 processes, 1 workflow: 0 errors, 0 warnings\n"
    )
    here("validate", "--strict", "--rev", "HEAD", cwd=tmp_path / "jobs")


def test_all_problems_are_told_with_their_places(here: Any, workshop: Any) -> None:
    workshop.commit({**GOOD, **BROKEN})
    done = here("validate", cwd=workshop.root, code=1)
    lines = done.stdout.splitlines()
    assert any(line.startswith("processes/B.yaml:2:7: error: ") for line in lines)
    assert any(line.startswith("processes/C.yaml:1:") and "missing.sh" in line for line in lines)
    assert lines[-1] == "3 processes, 0 workflows: 2 errors, 0 warnings"
    assert done.stderr == ""


def test_the_working_tree_is_read_and_not_the_commit(here: Any, workshop: Any) -> None:
    workshop.commit(GOOD)
    workshop.write("processes/B.yaml", BROKEN["processes/B.yaml"])
    here("validate", cwd=workshop.root, code=1)
    here("validate", "--rev", "HEAD", cwd=workshop.root)
    workshop.commit({"processes/B.yaml": BROKEN["processes/B.yaml"]})
    here("validate", "--rev", "main", cwd=workshop.root, code=1)
    here("validate", "--rev", "HEAD~1", cwd=workshop.root)


def test_only_strict_fails_on_a_warning(here: Any, workshop: Any) -> None:
    workshop.commit({**GOOD, **HELD})
    assert "warning: " in here("validate", cwd=workshop.root).stdout
    assert "warning: " in here("validate", "--strict", cwd=workshop.root, code=1).stdout


def test_what_depends_on_the_day_is_a_warning(here: Any, workshop: Any) -> None:
    workshop.commit({**GOOD, "processes/D.yaml": "script: a.sh\nat: ['2001-01-01T00:00:00Z']\n"})
    done = here("validate", cwd=workshop.root)
    assert "processes/D.yaml:2:6: warning: at[0]" in done.stdout or "is past" in done.stdout


def test_files_limit_what_is_told(here: Any, workshop: Any) -> None:
    workshop.commit({**GOOD, **BROKEN})
    here("validate", "processes/A.yaml", cwd=workshop.root)
    only = here("validate", "processes/B.yaml", cwd=workshop.root, code=1).stdout
    assert "processes/B.yaml" in only
    assert "processes/C.yaml" not in only
    below = here("validate", ".", cwd=workshop.root / "processes", code=1).stdout
    assert "processes/B.yaml" in below
    assert "processes/C.yaml" in below
    here("validate", "../processes/A.yaml", cwd=workshop.root / "processes")


@pytest.mark.parametrize("path", ["README.md", "/etc/passwd", "..", "processes/nope.yaml"])
def test_a_file_that_is_not_checked_is_a_usage_error(here: Any, workshop: Any, path: str) -> None:
    workshop.commit({**GOOD, "README.md": "x"})
    done = here("validate", path, cwd=workshop.root, code=2)
    assert "procctl: error: " in done.stderr
    assert "  next: " in done.stderr


def test_json_has_every_part_of_a_problem(here: Any, workshop: Any) -> None:
    workshop.commit({**GOOD, **BROKEN, **HELD})
    found = json.loads(here("validate", "--format", "json", cwd=workshop.root, code=1).stdout)
    assert (found["errors"], found["warnings"]) == (2, 1)
    assert {problem["path"] for problem in found["problems"]} == {*BROKEN, *HELD}
    held = next(problem for problem in found["problems"] if problem["severity"] == "warning")
    assert held["holds"] is True
    assert held["pointer"] == "/runAs"


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "markdown"])
def test_every_format_says_the_same_and_ends_the_same(here: Any, workshop: Any, form: str) -> None:
    workshop.commit({**GOOD, **HELD})
    assert "runAs" in here("validate", "--format", form, cwd=workshop.root).stdout
    here("validate", "--format", form, "--strict", cwd=workshop.root, code=1)
    workshop.commit(BROKEN)
    told = here("validate", "--format", form, "--rev", "HEAD", cwd=workshop.root, code=1).stdout
    assert "B.yaml" in told
    assert "missing.sh" in told
    only = here("validate", "--format", form, "processes/A.yaml", cwd=workshop.root).stdout
    assert "B.yaml" not in only


def test_an_annotation_stands_at_its_line(here: Any, workshop: Any) -> None:
    workshop.commit({**GOOD, **BROKEN})
    lines = here("validate", "--format", "github", cwd=workshop.root, code=1).stdout.splitlines()
    assert lines[0].startswith("::error file=processes/B.yaml,line=2,col=7,title=process/cron::")
    assert lines[-1] == "3 processes, 0 workflows: 2 errors, 0 warnings"


def test_a_bare_repository_has_commits_to_check(here: Any, workshop: Any, tmp_path: Path) -> None:
    workshop.commit({**GOOD, **BROKEN})
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", workshop.root, bare], check=True)
    done = here("validate", "--repo", bare, code=1)
    assert "--rev" in done.stderr
    assert "processes/B.yaml" in here("validate", "--repo", bare, "--rev", "main", code=1).stdout


@pytest.mark.parametrize("rev", ["nope", "--help", "HEAD~99", "main\n", ""])
def test_an_unknown_revision_is_a_clear_error(here: Any, workshop: Any, rev: str) -> None:
    workshop.commit(GOOD)
    done = here("validate", f"--rev={rev}", cwd=workshop.root, code=1)
    assert "is no commit here" in done.stderr


def test_hostile_files_are_problems_and_no_failures(here: Any, workshop: Any) -> None:
    workshop.commit(GOOD)
    workshop.write("processes/depth.yaml", "[" * 100_000)
    workshop.write("processes/bytes.yaml", b"\xff\xfe\x00")
    workshop.write("processes/large.yaml", b"a" * (10 * 2**20))
    workshop.write("processes/bomb.yaml", "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n")
    workshop.write("processes/\x1b[2Jname.yaml", "script: a.sh\n")
    (workshop.root / "processes/link.yaml").symlink_to("/etc/passwd")
    (workshop.root / "processes/loop").symlink_to(".")
    done = here("validate", cwd=workshop.root, code=1)
    for name in ("depth", "bytes", "large", "bomb", "link"):
        assert f"processes/{name}.yaml" in done.stdout
    assert "root:" not in done.stdout, "what a symlink points at is not read"
    assert "\x1b" not in done.stdout + done.stderr


def test_two_files_of_one_name_are_both_wrong(here: Any, workshop: Any) -> None:
    workshop.commit({**GOOD, "processes/etl/a.yaml": "script: a.sh\n"})
    done = here("validate", cwd=workshop.root, code=1)
    assert "processes/A.yaml" in done.stdout
    assert "processes/etl/a.yaml" in done.stdout


def test_a_broken_settings_file_is_told(here: Any, workshop: Any) -> None:
    workshop.commit({**GOOD, "procctl.yaml": "timezone: Middle/Earth\n"})
    assert "procctl.yaml:1:" in here("validate", cwd=workshop.root, code=1).stdout
    assert "procctl.yaml" in here("validate", "procctl.yaml", cwd=workshop.root, code=1).stdout
