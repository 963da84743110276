"""``procctl plan``: what a range of commits would do, in real repositories of every kind."""

import ctypes
import functools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

CRON = "script: a.sh\ncron: '0 6 * * *'\n"
BASE = {
    "processes/A.yaml": CRON,
    "processes/B.yaml": "workflow: wf\n",
    "processes/OLD.yaml": "script: a.sh\nevery: 5m\n",
    "processes/workflows/wf.yaml": "phases: [{name: X, script: b.py}]\n",
    "processes/scripts/a.sh": "#!/bin/sh\n",
    "processes/scripts/b.py": "1\n",
}


@pytest.fixture
def feature(workshop: Any) -> Any:
    """A repository with the branches main and feature, on the latter."""
    workshop.commit(BASE)
    workshop.git("checkout", "-q", "-b", "feature")
    return workshop


def planned(here: Any, root: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = here("plan", *arguments, "--format", "json", cwd=root, code=code)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def changes(document: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["change"] for one in document["processes"]}


def test_everything_that_a_change_does_is_told(here: Any, feature: Any) -> None:
    feature.commit(
        {
            "processes/A.yaml": CRON.replace("0 6", "30 2") + "timezone: Europe/Berlin\n",
            "processes/NEW.yaml": CRON,
            "processes/OLD.yaml": None,
            "processes/scripts/b.py": "2\n",
            "processes/workflows/wf.yaml": "phases: [{name: X, script: b.py, retries: 1}]\n",
            "procctl.yaml": "max_running: 3\n",
        }
    )
    done = here("plan", "main..HEAD", cwd=feature.root)
    for line in (
        'cron: "0 6 * * *" -> "30 2 * * *"',
        'timezone: added "Europe/Berlin"',
        "the clock skips it: fires later",
        "comes twice: fires once",
        "it will be version 2",
        "phases[0].retries: added 1",
        "used by 1 process: B",
        "max_running: added 3",
    ):
        assert line in done.stdout, line
    assert re.search(r"^    next before \(UTC\) +next after \(UTC\) +Europe/Berlin$", done.stdout, re.MULTILINE)
    assert done.stdout.splitlines()[-1].startswith("processes: 1 added, 1 changed, 0 renamed, 1 removed, 0 affected; ")
    assert done.stderr == ""


def test_the_document_has_the_parts_that_the_reference_names(here: Any, feature: Any) -> None:
    feature.commit({"processes/A.yaml": CRON + "retries: 1\n", "processes/OLD.yaml": None})
    found = planned(here, feature.root, "main..")
    assert set(found) == {
        *("base", "head", "environment", "warnings", "processes", "workflows", "scripts", "settings", "load"),
        "problems",
    }
    changed, removed = found["processes"]
    assert changed["fields"] == [{"field": "retries", "path": ["retries"], "new": 1}]
    assert changed["version"] == 2
    assert "times" not in changed
    assert len(removed["times"]["before"]["slots"]) == 5
    assert removed["times"]["after"] is None
    page = (Path(__file__).parents[2] / "docs/reference/cli.md").read_text()
    named = {key for one in (changed, removed, removed["times"], found["load"]) for key in one} | set(found)
    assert named - set(re.findall(r"`(\w+)`", page)) == set()


def test_an_error_that_is_new_fails_and_an_old_one_does_not(here: Any, feature: Any) -> None:
    feature.commit({"processes/BAD.yaml": "script: nope.sh\n"})
    found = planned(here, feature.root, "main..", code=1)
    assert [problem["path"] for problem in found["problems"]["new"]] == ["processes/BAD.yaml"]
    feature.commit({"processes/A.yaml": CRON + "# why\n"})
    assert planned(here, feature.root, "HEAD~1..")["problems"] == {"new": [], "fixed": []}
    feature.commit({"processes/BAD.yaml": "script: a.sh\n"})
    assert len(planned(here, feature.root, "HEAD~1..")["problems"]["fixed"]) == 1


@pytest.mark.parametrize(
    ("span", "seen"),
    [
        ("main..feature", {"F": "added", "M": "removed"}),
        ("main...feature", {"F": "added"}),
        ("main...", {"F": "added"}),
        ("...main", {"M": "added"}),
        ("main..", {"F": "added", "M": "removed"}),
        ("..main", {"F": "removed", "M": "added"}),
        ("main~1..feature", {"F": "added"}),
    ],
)
def test_ranges_are_those_of_git(here: Any, feature: Any, span: str, seen: dict[str, str]) -> None:
    feature.commit({"processes/F.yaml": CRON})
    feature.git("checkout", "-q", "main")
    feature.commit({"processes/M.yaml": CRON.replace("6", "7")})
    feature.git("checkout", "-q", "feature")
    found = planned(here, feature.root, span)
    assert changes(found) == seen
    assert bool(found["warnings"]) == (span in {"main..feature", "main..", "..main"}), (
        "it says what is shown as removed"
    )


def test_one_revision_and_none_begin_where_they_left_the_followed_branch(here: Any, feature: Any) -> None:
    feature.commit({"processes/F.yaml": CRON})
    assert changes(planned(here, feature.root, "--ref", "main")) == {"F": "added"}
    feature.git("checkout", "-q", "main")
    assert changes(planned(here, feature.root, "feature")) == {"F": "added"}
    nothing = here("plan", cwd=feature.root)
    assert "name both" in nothing.stderr
    assert nothing.stdout.splitlines()[-1].startswith("processes: 0 added")


@pytest.mark.parametrize("span", ["nope..HEAD", "HEAD..nope", "nope", "--", "HEAD^{tree}..HEAD", "a\nb..HEAD"])
def test_what_is_no_revision_is_a_clear_error(here: Any, feature: Any, span: str) -> None:
    done = here("plan", "--", span, cwd=feature.root, code=1)
    assert "is no commit here" in done.stderr
    assert "  next: " in done.stderr


def test_four_dots_are_a_usage_error(here: Any, feature: Any) -> None:
    assert "is no range" in here("plan", "main....HEAD", cwd=feature.root, code=2).stderr


def test_renames_are_told_with_and_without_a_mark(here: Any, feature: Any) -> None:
    feature.commit({"processes/A.yaml": None, "processes/etl/N.yaml": f"name: N\n{CRON}"})
    (one,) = planned(here, feature.root, "main..")["processes"]
    assert (one["change"], one["formerName"], one["formerPath"]) == ("renamed", "A", "processes/A.yaml")
    text = "script: a.sh\nevery: 10m\n"
    feature.commit({"processes/OLD.yaml": None, "processes/NEU.yaml": text}, "Rename\n\nProcctl-Rename: OLD NEU")
    found = planned(here, feature.root, "main..")
    assert changes(found) == {"N": "renamed", "NEU": "renamed"}
    neu = next(one for one in found["processes"] if one["name"] == "NEU")
    assert neu["version"] == 2, "the number goes on, as more than the name changed"
    assert found["warnings"] == []


def test_a_mark_that_does_not_hold_is_warned_of(here: Any, feature: Any) -> None:
    mark = f"Procctl-Rollback: A@7 {'0' * 12}"
    feature.commit({"processes/A.yaml": CRON + "retries: 1\n"}, f"Change\n\n{mark}")
    (warning,) = planned(here, feature.root, "main..")["warnings"]
    assert mark in warning
    assert "no version A@7" in warning
    said = here("plan", "main..", "--format", "github", cwd=feature.root, code=None).stdout
    assert f"::warning title=plan::{warning}" in said.splitlines()


@pytest.mark.parametrize("indexed", [False, True])
def test_a_rollback_that_holds_makes_no_version_and_no_warning(here: Any, feature: Any, *, indexed: bool) -> None:
    feature.git("checkout", "-q", "main")
    feature.commit({"processes/A.yaml": CRON + "retries: 1\n"})
    blob = feature.git("rev-parse", "HEAD:processes/A.yaml")
    if indexed:
        here("list", "-o", "name", cwd=feature.root)
    feature.git("checkout", "-q", "-b", "back")
    feature.commit({"processes/A.yaml": CRON}, f"Roll back\n\nProcctl-Rollback: A@2 {blob[:12]}")
    found = planned(here, feature.root, "main..back")
    assert found["warnings"] == []
    (one,) = found["processes"]
    assert one["fields"] == [{"field": "retries", "path": ["retries"], "old": 1}]
    assert "version" not in one


@pytest.mark.parametrize("indexed", [False, True])
def test_numbers_are_those_that_a_merge_really_makes(here: Any, feature: Any, *, indexed: bool) -> None:
    for number in range(3):
        feature.commit({"processes/A.yaml": CRON + f"retries: {number}\n"})
    feature.commit({"processes/NEW.yaml": CRON})
    feature.git("checkout", "-q", "main")
    feature.commit({"processes/A.yaml": CRON + "# meanwhile\n"})
    feature.commit({"processes/A.yaml": CRON})
    if indexed:
        here("list", "-o", "name", cwd=feature.root)
    feature.git("merge", "-q", "--no-ff", "-m", "Merge", "feature")
    found = {one["name"]: one["version"] for one in planned(here, feature.root, "HEAD~1..HEAD")["processes"]}
    for name, number in found.items():
        assert here("diff", name, str(number), cwd=feature.root).stdout.splitlines()[-1] == "  no field differs"
        here("diff", name, str(number + 1), cwd=feature.root, code=1)
    assert found == {"A": 4, "NEW": 1}


def test_a_merge_made_by_git_pull_is_warned_of_and_one_of_a_pull_request_is_not(here: Any, feature: Any) -> None:
    feature.commit({"processes/F.yaml": CRON})
    feature.git("checkout", "-q", "main")
    feature.commit({"processes/M.yaml": CRON.replace("6", "7")})
    feature.git("checkout", "-q", "feature")
    feature.git("merge", "-q", "-m", "Merge branch 'main'", "main")
    (warning,) = planned(here, feature.root, "main..feature")["warnings"]
    assert "git pull" in warning
    assert feature.git("rev-parse", "HEAD")[:12] in warning
    feature.git("checkout", "-q", "main")
    feature.git("merge", "-q", "--no-ff", "-m", "Merge pull request", "feature~1")
    assert planned(here, feature.root, "HEAD~1..HEAD")["warnings"] == []


def test_it_works_in_a_bare_repository_and_a_detached_clone_and_leaves_no_trace(
    here: Any, feature: Any, tmp_path: Path
) -> None:
    feature.commit({"processes/F.yaml": CRON})
    bare, clone = tmp_path / "bare.git", tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--bare", feature.root, bare], check=True)
    subprocess.run(["git", "clone", "-q", feature.root, clone], check=True)
    subprocess.run(["git", "checkout", "-q", "--detach"], cwd=clone, check=True)
    for root, span in ((bare, "main..feature"), (clone, "origin/main...HEAD")):
        before = sorted(root.rglob("*"))
        assert changes(planned(here, root, span)) == {"F": "added"}
        assert sorted(root.rglob("*")) == before
    assert "HEAD is detached" in here("plan", cwd=clone, code=1).stderr


def bound_by_permissions() -> None:
    """Take the right to write everywhere from the program that this process becomes; only root has it."""
    bounding_set_drop, dac_override = 24, 1
    ctypes.CDLL(None).prctl(bounding_set_drop, dac_override, 0, 0, 0)


def test_it_needs_no_right_to_write(here: Any, procctl: Any, feature: Any) -> None:
    feature.commit({"processes/F.yaml": CRON})
    here("list", cwd=feature.root)
    folders = [feature.root, *(path for path in feature.root.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    run = functools.partial(procctl, preexec_fn=bound_by_permissions)
    try:
        refused = run("set", "A", "retries=1", "--branch", "other", cwd=feature.root, code=1)
        assert "readonly" in refused.stderr
        assert changes(planned(run, feature.root, "main..feature")) == {"F": "added"}
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_an_index_of_use_to_nobody_is_no_obstacle(here: Any, feature: Any) -> None:
    feature.commit({"processes/F.yaml": CRON})
    index = feature.write(".git/procctl/cache/index.sqlite", b"no database")
    assert changes(planned(here, feature.root, "main..feature")) == {"F": "added"}
    assert index.read_bytes() == b"no database"


def test_a_shallow_clone_says_what_is_missing(here: Any, feature: Any, tmp_path: Path) -> None:
    feature.commit({"processes/F.yaml": CRON})
    clone = tmp_path / "clone"
    url = f"file://{feature.root}"
    subprocess.run(["git", "clone", "-q", "--depth=1", "--no-single-branch", url, clone], check=True)
    for span in ("origin/main...HEAD", "HEAD~1..HEAD"):
        assert "fetch-depth: 0" in here("plan", span, cwd=clone, code=1).stderr
    found = planned(here, clone, "origin/main..HEAD")
    assert changes(found) == {"F": "added"}
    assert ["fetch-depth: 0" in warning for warning in found["warnings"]] == [True]
    assert "version" not in found["processes"][0]


def test_unrelated_histories_can_be_compared_as_they_are(here: Any, feature: Any) -> None:
    feature.git("checkout", "-q", "--orphan", "other")
    feature.commit({"processes/A.yaml": CRON + "retries: 1\n"})
    assert "no commit in common" in here("plan", "main...other", cwd=feature.root, code=1).stderr
    assert changes(planned(here, feature.root, "main..other")) == {"A": "changed"}


def test_names_of_files_may_hold_any_letters(here: Any, feature: Any) -> None:
    feature.commit(
        {
            "processes/größe 日本/N.yaml": CRON,
            "processes/`|<b>, ::/M.yaml": CRON.replace("6", "7"),
            "processes/line\nbreak/L.yaml": CRON.replace("6", "8") + "input: {'::error::x': 1, '<b>`|': 2}\n",
            "processes/%0A::error.yaml": CRON,
            "processes/scripts/\x1b[2J.sh": "#!/bin/sh\n",
        }
    )
    for form in ("text", "github", "markdown", "sarif", "json"):
        done = here("plan", "main..", "--format", form, cwd=feature.root, code=1)
        assert "\x1b" not in done.stdout
        if form == "github":
            assert all(
                re.match(r"::(error|warning|notice) file=|processes: ", line) for line in done.stdout.splitlines()
            )
        if form == "markdown":
            assert "\n<" not in done.stdout
        if form in {"json", "sarif"}:
            json.loads(done.stdout)


def test_a_settings_file_that_is_broken_leaves_the_last_valid_one(here: Any, feature: Any) -> None:
    feature.commit({"procctl.yaml": "timezone: Europe/Berlin\nenvironment: test\n"})
    feature.commit({"procctl.yaml": "timezone: Middle/Earth\n"})
    found = planned(here, feature.root, "HEAD~1..", code=1)
    assert (found["processes"], found["settings"], found["environment"]) == ([], [], "test")


def test_many_processes_stay_readable(here: Any, feature: Any) -> None:
    many = {f"processes/{number % 20}/P{number}.yaml": CRON for number in range(1000)}
    feature.commit(many)
    feature.commit({path: text.replace("0 6", "0 7") for path, text in many.items()})
    text = here("plan", "HEAD~1..", cwd=feature.root).stdout
    assert "… and 900 more" in text
    assert text.count("next before (UTC)") == 100
    assert "1000 changed" in text
    found = planned(here, feature.root, "HEAD~1..")
    assert len(found["processes"]) == 1000
    (pile,) = found["load"]["minutes"]
    assert (pile["before"], pile["after"], pile["days"]) == (1, 1001, 7)
    notices = here("plan", "HEAD~1..", "--format", "github", cwd=feature.root).stdout
    assert notices.count("::notice file=") == 100
    page = here("plan", "HEAD~1..", "--format", "markdown", cwd=feature.root).stdout
    assert len(page.encode()) < 2**20


def test_the_first_processes_of_all_are_added(here: Any, workshop: Any) -> None:
    workshop.commit({"README.md": "nothing yet\n"})
    workshop.commit(BASE)
    found = planned(here, workshop.root, "HEAD~1..")
    assert changes(found) == {"A": "added", "B": "added", "OLD": "added"}
    assert [one["version"] for one in found["processes"]] == [1, 1, 1]
    assert changes(planned(here, workshop.root, "HEAD..HEAD~1")) == {"A": "removed", "B": "removed", "OLD": "removed"}
