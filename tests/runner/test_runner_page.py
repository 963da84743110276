"""docs/reference/scripts.md tells all a script sees and may report, and nothing that is not so."""

import re
from pathlib import Path

import pytest

from reconciler import script
from reconciler.runner import attempt, data, environment, log, places, report
from reconciler.runner.phase import MESSAGE_LIMIT
from reconciler.runner.text import LINE_LIMIT

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "scripts.md").read_text()


def section(heading: str) -> str:
    """Give the text below a heading."""
    found = re.search(rf"^#+ {heading}\n(.*?)(?=^#)", PAGE + "\n#", re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def first_cells(text: str) -> set[str]:
    return {name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)}


def test_every_key_of_a_report_is_listed() -> None:
    assert first_cells(section("Reports")) == set(report._KINDS)


def test_every_variable_is_listed() -> None:
    listed = first_cells(section("Variables"))
    source = "".join((Path(environment.__file__).parent / name).read_text() for name in ("environment.py", "work.py"))
    assert {name for name in listed if name.startswith("PROCCTL_")} == set(re.findall(r'"(PROCCTL_[A-Z_]+)"', source))
    assert listed >= environment._KEPT
    assert listed >= environment._PROXIES


def test_every_function_of_a_python_script_is_listed() -> None:
    named = {name.partition("(")[0] for name in first_cells(section("Python"))}
    assert named == set(script.__all__)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (LINE_LIMIT, "16,384 characters"),
        (log.LINES, "1,000 lines"),
        (log.BYTES >> 10, "256 KiB"),
        (log.WHOLE_BYTES >> 20, "64 MiB"),
        (report.LIMIT >> 20, "16 MiB"),
        (report._LONGEST_NAME, "128 characters"),
        (MESSAGE_LIMIT, "2,000"),
        (data.LIMIT, "100,000"),
        (places.LIMIT, "200 phases"),
        (attempt.GRACE, "10 seconds later"),
    ],
)
def test_limits_are_as_they_are(limit: float, said: str) -> None:
    assert said in PAGE
    assert f"{limit:,.0f}" in said
