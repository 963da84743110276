"""The frame around the code: what is tested, what is pinned, and what never stands in a file."""

import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import reconciler

ROOT = Path(__file__).parents[1]
SUFFIXES = {".cfg", ".in", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}
IGNORED = re.compile(r"#\s*(noqa|type:\s*ignore)")
REASONED = re.compile(r"# noqa: [A-Z]+[0-9]+(, [A-Z]+[0-9]+)* - \S|# type: ignore\[[a-z, -]+\]  # (?!noqa)\S")
USES = re.compile(r"^\s*(?:- )?uses: (\S+?)@(\S+)(?: # (\S+))?$", re.MULTILINE)


def texts() -> Iterator[tuple[str, str]]:
    """Every text file of the checkout that git knows or would take, with its path."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(asked, cwd=ROOT, check=False, capture_output=True, text=True)
    if found.returncode:
        pytest.skip("not a git checkout")
    for name in found.stdout.split("\0"):
        path = ROOT / name
        if name and path.is_file() and (path.suffix in SUFFIXES or path.name in {"Makefile", "run"}):
            yield name, path.read_text(errors="replace")  # examples of what is no text are among them


def test_what_is_tested_is_the_installed_wheel_or_this_checkout() -> None:
    """Never a third one, which happens to be on the way; by `make test` it is the wheel."""
    tested = Path(reconciler.__file__)
    if tested.is_relative_to(ROOT / "reconciler"):
        assert "TEST_INSTALLED" not in os.environ
    else:
        assert tested.is_relative_to(sysconfig.get_path("purelib"))


def test_the_schemas_are_in_the_package() -> None:
    shipped = {path.name: path.read_bytes() for path in (Path(reconciler.__file__).parent / "schemas").iterdir()}
    assert shipped == {path.name: path.read_bytes() for path in (ROOT / "schemas").iterdir()}
    assert {name.removesuffix(".schema.json") for name in shipped} == {"execution", "process", "settings", "workflow"}


def test_every_requirement_is_exact_and_hashed_and_names_no_index() -> None:
    text = (ROOT / "requirements" / "dev.txt").read_text()
    assert not re.search(r"://|index|find-links|trusted-host", text)
    for requirement in text.replace("\\\n", "").splitlines():
        assert re.match(r"[a-z0-9-]+==[^ ]+ (; .*? )?( *--hash=sha256:[0-9a-f]{64})+$", requirement), requirement[:80]


def test_no_file_chooses_a_package_index() -> None:
    chooses = re.compile(r"(?<!-no-emit)-index-url|--find-links|--trusted-host|PIP_INDEX|UV_INDEX")
    assert [name for name, text in texts() if not name.startswith("tests/") and chooses.search(text)] == []


def test_every_suppressed_finding_has_a_code_and_a_reason() -> None:
    silent = [
        f"{name}:{number}"
        for name, text in texts()
        if name.endswith(".py") and name != "tests/test_frame.py"
        for number, line in enumerate(text.splitlines(), 1)
        if IGNORED.search(line) and not REASONED.search(line)
    ]
    assert silent == []


def test_every_action_is_pinned_by_commit_and_once() -> None:
    pins = {(action, commit, version) for _, text in texts() for action, commit, version in USES.findall(text)}
    assert pins
    for action, commit, version in pins:
        assert re.fullmatch(r"[0-9a-f]{40}", commit), action
        assert re.fullmatch(r"v\d+\.\d+\.\d+", version), action
    assert len({action for action, _, _ in pins}) == len(pins)


def test_workflows_start_without_permissions() -> None:
    for path in (ROOT / ".github" / "workflows").iterdir():
        assert yaml.safe_load(path.read_text())["permissions"] == {}, path.name


def test_every_supported_python_is_tested() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert tested == re.findall(r'Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text())


def test_the_build_machines_script_is_sound_bash() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text()
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_make_lists_every_target_for_people() -> None:
    listed = subprocess.run(["make", "-s", "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert {line.split()[0] for line in listed.splitlines()} == set(phony[1].split())


def test_the_changelog_knows_this_version() -> None:
    headings = re.findall(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased" or headings[0] == reconciler.__version__
