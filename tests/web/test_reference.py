"""docs/reference/http.md, executed: its requests are answered, and it leaves nothing out."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.query import FUNCTIONS
from reconciler.web import faults
from reconciler.web.app import PREFIXES
from reconciler.web.overview import State

Ask = Callable[..., Any]
PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "http.md").read_text()
EXAMPLES = re.findall(r"^GET (\S+)$", PAGE, re.MULTILINE)
ECB = "service: ETL\nscript: load.py\ncron: 30 16 * * *\n"


@pytest.fixture
def served(stage: Any, finished: Any) -> Any:
    """What the examples ask for."""
    stage.workshop.commit({"processes/ECB_FX.yaml": ECB})
    stage.apply()
    stage.record(finished(1))
    return stage


def test_every_example_is_answered(served: Any, ask: Ask) -> None:
    assert len(EXAMPLES) > 12
    for path in EXAMPLES:
        assert ask(served.app, path.encode()).status == 200, path


def test_the_example_with_a_reason_finds_it(served: Any, ask: Ask) -> None:
    path = next(path for path in EXAMPLES if "reason=" in path)
    assert len(ask(served.app, path.encode()).json) == 1


def test_every_route_is_documented(served: Any) -> None:
    addresses = set(re.findall(r"`(/[^`\s]*)`", PAGE))
    known = {"NAME": "{name}", "ID": "{execution}"}
    documented = {re.sub("NAME|ID", lambda found: known[found[0]], address) for address in addresses}
    for route in served.app.routes:
        if route.name in ("process", "process-exec"):
            prefix = next(prefix for prefix in PREFIXES if route.path.startswith(f"{prefix}/process"))
            assert f"{prefix}/{route.name}" in documented | {address.rstrip("…") for address in documented}
        elif not route.path.startswith("/static/"):
            assert route.path in documented


def test_every_code_is_documented_as_it_is() -> None:
    rows = re.findall(r"^\| (\d+) \| (\d+) \| `urn:procctl:problem:([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert rows == [(str(fault.code), str(fault.status), fault.slug) for fault in faults.FAULTS]


def test_every_function_is_documented() -> None:
    assert set(re.findall(r"`FIELD=([a-z]+)\(", PAGE)) == FUNCTIONS.keys()


def test_every_state_has_a_colour_or_is_quiet_on_purpose() -> None:
    parts = (Path(__file__).parents[2] / "reconciler" / "web" / "templates" / "parts.html").read_text()
    quiet = {State.NEW, State.ELSEWHERE, State.DISABLED}
    assert {state for state in State if f'"{state}":' not in parts} == quiet
