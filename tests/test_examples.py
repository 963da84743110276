"""Every file of tests/examples, with exactly the problems that stand beside it.

``valid/KIND/NAME.yaml`` and ``invalid/KIND/NAME.yaml``; ``NAME.txt`` holds the problems: line, column, pointer,
severity, message, and indented the hint. Without it there are none.
"""

import json
from pathlib import Path

import pytest

from reconciler.problem import Problem
from reconciler.validation import Kind, Parsed, Validator

EXAMPLES = Path(__file__).parent / "examples"
SCHEMAS = Path(__file__).parents[1] / "schemas"
PATHS = {
    Kind.PROCESS: "processes/{}",
    Kind.WORKFLOW: "processes/workflows/{}",
    Kind.SETTINGS: "procctl.yaml",
}
FILES = sorted(EXAMPLES.rglob("*.yaml"))


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator({path.name.split(".")[0]: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")})


def check(validator: Validator, file: Path) -> Parsed:
    kind = Kind(file.parent.name)
    return validator.check(kind, PATHS[kind].format(file.name), file.read_bytes())


def rendered(problem: Problem) -> str:
    pointer = repr(problem.pointer)[1:-1] or "-"
    holds = " (holds)" if problem.holds else ""
    hint = f"    {problem.hint}\n" if problem.hint else ""
    return f"{problem.line}:{problem.column} {pointer} {problem.severity}{holds}: {problem.message}\n{hint}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(EXAMPLES)))
def test_an_example_has_the_problems_that_stand_beside_it(file: Path, validator: Validator) -> None:
    parsed = check(validator, file)
    expected = file.with_suffix(".txt")
    assert "".join(map(rendered, parsed.problems)) == (expected.read_text() if expected.exists() else "")
    assert (parsed.document is not None) == (file.parents[1].name == "valid")


def test_both_folders_have_every_kind() -> None:
    folders = {(file.parents[1].name, file.parent.name) for file in FILES}
    assert folders == {(side, str(kind)) for side in ("valid", "invalid") for kind in Kind}


def test_every_invalid_example_has_an_expectation() -> None:
    assert [
        file.name for file in FILES if file.parents[1].name == "invalid" and not file.with_suffix(".txt").exists()
    ] == []


def test_the_words_are_our_own(validator: Validator) -> None:
    said = [problem.message for file in FILES for problem in check(validator, file).problems]
    theirs = ("is not valid under", "is not of type", "does not match any", "is a required property", "does not fit")
    assert [message for message in said if any(words in message for words in theirs)] == []
