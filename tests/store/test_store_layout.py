"""Where things lie; and that nothing but checked names and ids is ever joined to a path (attack class 2)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import names
from reconciler.errors import UserError
from reconciler.execution import Execution
from reconciler.store.layout import Layout, is_record_path, log_of, original

ID = "05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6"
EVIL = [
    "",
    ".",
    "..",
    "../../etc/passwd",
    "a/b",
    "a\\b",
    "a%2Fb",
    "%2e%2e",
    "a\0b",
    "a\n",
    " a",
    "~root",
    "-rf",
    "a" * 129,
    "private",
    "x.lock",
    "ä",
]


def test_the_state_of_an_environment_lies_apart_from_the_cache(tmp_path: Path) -> None:
    layout = Layout.of(tmp_path / ".git", tmp_path / "executions", "staging")
    state = tmp_path / ".git/procctl/state/staging"
    assert layout.schedules == state / "schedules.json"
    kept = (layout.requests, layout.claims, layout.work, layout.data, layout.checkouts, layout.lock, layout.daemon_file)
    assert {path.parent for path in kept} == {state}
    assert layout.index == tmp_path / ".git/procctl/cache/index.sqlite"
    assert not state.is_relative_to(layout.cache)


def test_a_bare_repository_keeps_its_records_inside(tmp_path: Path) -> None:
    assert Layout.of(tmp_path, None, "production").records == tmp_path / "procctl/executions"


def test_what_belongs_to_one_execution_is_named_by_it(layout: Layout, execution: Callable[..., Execution]) -> None:
    one = execution(id=ID)
    assert layout.record(one) == layout.records / "2021/07/01/ECB_FX/163000-05f1ec1a.json"
    assert layout.claim(ID) == layout.claims / f"{ID}.json"
    assert layout.request(ID) == layout.requests / f"{ID}.json"
    assert layout.work_of(ID) == layout.work / ID
    assert layout.data_of("ECB_FX") == layout.data / "ECB_FX"
    assert log_of(layout.record(one)).name == "163000-05f1ec1a.log"


@pytest.mark.parametrize("name", [*EVIL, "Production", "1st", "a_b", "a" * 64])
def test_an_environment_has_a_plain_name(tmp_path: Path, name: str) -> None:
    if name == "private":
        Layout.of(tmp_path, None, name)  # a fine name for an environment
        return
    with pytest.raises(UserError, match="environment"):
        Layout.of(tmp_path, None, name)


@pytest.mark.parametrize("name", EVIL)
def test_no_foreign_name_becomes_a_path(layout: Layout, execution: Callable[..., Execution], name: str) -> None:
    for reach in (layout.claim, layout.request, layout.work_of, layout.data_of, layout.below):
        with pytest.raises(UserError):
            reach(name)
    for one in (execution(name=name), execution(id=name)):
        with pytest.raises(UserError):
            layout.record(one)


@given(st.text(max_size=60) | st.sampled_from(EVIL).map(lambda evil: f"2021/07/01/{evil}/163000-05f1ec1a.json"))
def test_whatever_passes_for_a_records_path_stays_below_the_records(text: str) -> None:
    layout = Layout.of(Path("/repository/.git"), Path("/repository/executions"), "production")
    if is_record_path(text):
        assert len(Path(text).parts) == 5
        assert names.is_process(Path(text).parts[3])
        assert layout.below(text).is_relative_to(layout.records)
    else:
        with pytest.raises(UserError):
            layout.below(text)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("2021/07/01/ECB_FX/163000-05f1ec1a.json", True),
        ("2021/07/01/ECB_FX/163000-05f1ec1a~alpha.example.json", True),
        ("2021/07/01/ECB_FX/163000-05f1ec1a.log", False),
        ("2021/07/01/ECB_FX/.163000-05f1ec1a.json.12.3.tmp", False),
        ("2021/07/01/ECB_FX/163000-05f1ec1a.json.bak", False),
        ("2021/07/01/ECB_FX/163000-05f1ec1a~../x.json", False),
        ("2021/7/1/ECB_FX/163000-05f1ec1a.json", False),
        ("/2021/07/01/ECB_FX/163000-05f1ec1a.json", False),
        ("state/production.json", False),
        ("२०२१/07/01/ECB_FX/163000-05f1ec1a.json", False),
    ],
)
def test_records_are_told_from_other_files_by_their_paths(path: str, *, meant: bool) -> None:
    assert is_record_path(path) is meant


def test_a_double_lies_in_the_file_of_its_original() -> None:
    layout = Layout.of(Path("/r/.git"), Path("/r/executions"), "production")
    double = "2021/07/01/ECB_FX/163000-05f1ec1a~alpha-2.json"
    assert original(double) == "2021/07/01/ECB_FX/163000-05f1ec1a.json"
    assert original(original(double)) == original(double)
    assert layout.below(double) == layout.records / original(double)
