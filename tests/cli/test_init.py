"""``procctl init``: a repository that works at once, and never a file that is overwritten."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli import scaffold

ROOT = Path(__file__).parents[2]
SKELETON = Path(scaffold.__file__).parent / "skeleton/workflow.yml.in"
FILES = {*scaffold.PARTS, *(f"schemas/{noun}.schema.json" for noun in ("execution", "process", "settings", "workflow"))}


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def committed(root: Path) -> set[str]:
    return set(git(root, "ls-tree", "-r", "--name-only", "-z", "HEAD").split("\0")) - {""}


def test_a_new_repository_has_one_commit_on_main_and_nothing_left_to_do(here: Any, tmp_path: Path) -> None:
    done = here("init", "jobs")
    root = tmp_path / "jobs"
    assert git(root, "symbolic-ref", "HEAD") == "refs/heads/main"
    assert git(root, "rev-list", "--count", "HEAD") == "1"
    assert git(root, "status", "--porcelain") == ""
    assert committed(root) == FILES
    assert "procctl run hello" in done.stdout
    assert done.stderr == ""


def test_the_examples_run_at_once(here: Any, tmp_path: Path) -> None:
    here("init", "jobs")
    assert "Hello, world" in here("run", "hello", cwd=tmp_path / "jobs").stdout
    here("run", "greetings", "-i", 'names:=["Ada", "Grace"]', cwd=tmp_path / "jobs")
    (kept,) = tmp_path.glob("jobs/.git/procctl/state/production/data/greetings/greetings.txt")
    assert kept.read_text() == "Hello, Ada\nHello, Grace\n"
    assert "names" in here("run", "greetings", "--body", '{"names": []}', cwd=tmp_path / "jobs", code=1).stderr


def test_scripts_with_a_shebang_may_be_executed(here: Any, tmp_path: Path) -> None:
    here("init", "jobs")
    listed = git(tmp_path / "jobs", "ls-tree", "HEAD", "processes/scripts/hello.sh")
    assert listed.startswith("100755 ")


def test_the_folder_may_be_where_one_stands_or_named_by_repo(here: Any, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    here("init", cwd=tmp_path / "here")
    here("init", "--repo", tmp_path / "there")
    here("--repo", tmp_path / "before", "init")
    assert committed(tmp_path / "here") == committed(tmp_path / "there") == committed(tmp_path / "before") == FILES


def test_a_path_may_hold_any_letters(here: Any, tmp_path: Path) -> None:
    here("init", "Prozeße 日本/-o")
    assert committed(tmp_path / "Prozeße 日本" / "-o") == FILES


def test_what_is_there_is_kept_and_only_what_is_missing_is_committed(here: Any, workshop: Any) -> None:
    workshop.commit({"README.md": "mine\n", "notes.txt": "a\n"})
    workshop.write("notes.txt", "b\n")
    workshop.write("staged.txt", "c\n")
    workshop.git("add", "staged.txt")
    done = here("init", cwd=workshop.root)
    assert (workshop.root / "README.md").read_text() == "mine\n"
    assert (workshop.root / ".gitignore").read_text() == "executions/\n"
    assert re.search(r"kept +README\.md", done.stdout)
    assert not re.search(r"added +README\.md", done.stdout)
    assert re.search(r"added +procctl\.yaml", done.stdout)
    assert workshop.git("status", "--porcelain").splitlines() == ["M notes.txt", "A  staged.txt"]
    changed = workshop.git("show", "--name-only", "--format=", "HEAD").splitlines()
    assert set(changed) == FILES - {"README.md", ".gitignore"}


def test_a_second_time_changes_nothing(here: Any, tmp_path: Path) -> None:
    here("init", "jobs")
    before = git(tmp_path / "jobs", "rev-parse", "HEAD")
    done = here("init", "jobs")
    assert "Nothing was missing" in done.stdout
    assert git(tmp_path / "jobs", "rev-parse", "HEAD") == before


def test_a_repository_with_processes_gets_no_example(here: Any, workshop: Any) -> None:
    workshop.commit({"processes/MINE.yaml": "script: mine.sh\n", "processes/scripts/mine.sh": "#!/bin/sh\n"})
    here("init", cwd=workshop.root)
    assert not (workshop.root / "processes/hello.yaml").exists()
    assert (workshop.root / "schemas/process.schema.json").is_file()


def test_records_are_ignored_even_where_a_gitignore_is_kept(here: Any, workshop: Any) -> None:
    workshop.commit({".gitignore": "*.pyc\n"})
    here("init", cwd=workshop.root)
    here("init", cwd=workshop.root)
    assert workshop.git("check-ignore", "executions/2021/x.json")
    assert (workshop.root / ".git/info/exclude").read_text().count("executions") == 1


def test_an_empty_repository_gets_its_first_commit_on_the_branch_it_has(here: Any, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(tmp_path / "jobs")], check=True)
    here("init", "jobs")
    assert git(tmp_path / "jobs", "log", "-1", "--format=%D") == "HEAD -> trunk"


def test_a_folder_inside_a_repository_is_refused(here: Any, workshop: Any) -> None:
    workshop.commit({"sub/file": ""})
    done = here("init", "sub", cwd=workshop.root, code=1)
    assert f"inside the repository {workshop.root}" in done.stderr
    assert "next: " in done.stderr
    assert list((workshop.root / "sub").iterdir()) == [workshop.root / "sub/file"]


def test_a_bare_repository_is_refused(here: Any, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "bare.git")], check=True)
    done = here("init", "bare.git", code=1)
    assert "bare repository" in done.stderr


def test_a_file_in_place_of_the_folder_is_a_usage_error(here: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    here("init", "file", code=2)


def test_a_symlink_in_place_of_a_folder_is_not_followed(here: Any, workshop: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    workshop.commit({"README.md": "mine\n"})
    (workshop.root / "schemas").symlink_to(outside)
    done = here("init", cwd=workshop.root, code=1)
    assert "symlink" in done.stderr
    assert list(outside.iterdir()) == []
    assert workshop.git("status", "--porcelain") == "?? schemas", "what was written before is taken back"


def test_a_folder_that_cannot_be_made_is_a_clear_error(here: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = here("init", "file/jobs", code=1)
    assert "file/jobs" in done.stderr
    assert "next: " in done.stderr


def test_it_works_where_git_knows_nobody(here: Any, tmp_path: Path) -> None:
    Path(os.environ["GIT_CONFIG_GLOBAL"]).write_text("[user]\n\tuseConfigOnly = true\n")
    done = here("init", "jobs")
    assert "git does not know who you are" in done.stderr
    assert git(tmp_path / "jobs", "log", "-1", "--format=%an") == "procctl"


def test_every_yaml_file_names_a_schema_that_is_there(here: Any, tmp_path: Path) -> None:
    here("init", "jobs")
    found = sorted((tmp_path / "jobs").rglob("*.yaml"))
    assert found
    for path in found:
        modeline = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
        assert modeline, path
        assert (path.parent / modeline[1]).is_file(), path


def test_the_workflow_installs_what_a_variable_names_and_checks_and_shows(here: Any, tmp_path: Path) -> None:
    here("init", "jobs")
    text = (tmp_path / "jobs/.github/workflows/procctl.yml").read_text()
    assert "vars.PROCCTL_SPEC || 'procctl'" in text
    assert "procctl validate --strict --format github" in text
    assert '--format markdown >> "$GITHUB_STEP_SUMMARY"' in text


@pytest.mark.parametrize(
    "name", [SKELETON, *sorted((ROOT / ".github/workflows").glob("*.yml"))], ids=lambda path: path.name
)
def test_a_workflow_gives_away_nothing(name: Path) -> None:
    workflow = yaml.safe_load(name.read_text())
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        uses = [step for step in job["steps"] if "uses" in step]
        assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]) for step in uses)
        assert uses[0]["with"]["persist-credentials"] is False
        scripts = "".join(step.get("run", "") for step in job["steps"])
        assert "${{" not in scripts, "a variable is never pasted into a shell"
        if "procctl plan" in scripts:
            assert uses[0]["with"]["fetch-depth"] == 0, "versions are counted from the whole history"


def test_this_project_is_tested_on_every_python_it_supports() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]
    supported = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert jobs["test"]["strategy"]["matrix"]["python"] == supported


def test_what_the_workflow_calls_works_where_it_is_called(here: Any, tmp_path: Path) -> None:
    """Do as a build machine does: a detached merge of the pull request, and the target as a remote branch."""
    here("init", "jobs")
    root, clone = tmp_path / "jobs", tmp_path / "clone"
    git(root, "checkout", "-q", "-b", "feature")
    (root / "processes/hello.yaml").write_text("script: hello.sh\ncron: '0 7 * * *'\n")
    git(root, "commit", "-q", "-a", "-m", "Change")
    subprocess.run(["git", "clone", "-q", "-b", "main", root, clone], check=True)
    git(clone, "checkout", "-q", "--detach")
    git(clone, "merge", "-q", "--no-ff", "-m", "Merge", "origin/feature")
    workflow = yaml.safe_load((root / ".github/workflows/procctl.yml").read_text())
    steps = [step["run"] for step in workflow["jobs"]["review"]["steps"] if step.get("run", "").startswith("procctl ")]
    place = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": os.environ["HOME"]}
    summary = tmp_path / "summary.md"
    variables = {**place, "GITHUB_BASE_REF": "main", "GITHUB_STEP_SUMMARY": str(summary)}
    for step in steps:
        subprocess.run(["bash", "-e", "-c", step], cwd=clone, env=variables, check=True)
    assert "#### changed `hello`" in summary.read_text()
    assert "it will be version 2" in summary.read_text()
    assert len(steps) == 2


def test_the_hook_for_pre_commit_works_with_and_without_names(procctl: Any, here: Any, tmp_path: Path) -> None:
    """Call the entry as pre-commit does: from the top of the repository, with the names of edited files or without."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    program, *arguments = hook["entry"].split()
    assert program == "procctl"
    here("init", "jobs")
    root = tmp_path / "jobs"
    tracked = sorted(committed(root))
    named = [path for path in tracked if re.search(hook["files"], path)]
    assert "procctl.yaml" in named
    assert not any(path.startswith((".github", "schemas", "README")) for path in named)
    procctl(*arguments, *named, cwd=root)
    procctl(*arguments, cwd=root)
    (root / "processes/scripts/hello.sh").unlink()
    assert "hello.sh" in procctl(*arguments, cwd=root, code=1).stdout
    assert "processes/hello.yaml:" in procctl(*arguments, "processes/hello.yaml", cwd=root, code=1).stdout
    assert hook["pass_filenames"] is False
