"""Two records of one path: both are kept, side by side, and the index shows both."""

from typing import Any

import pytest

from reconciler.execution import Execution, Outcome
from reconciler.sync import records


def theirs(archive: Any, execution: Execution, host: str = "beta") -> bytes:
    """The record that another machine made of the same execution."""
    data: bytes = archive.data(execution).replace(b'"alpha"', f'"{host}"'.encode())
    return data


def beside(archive: Any, execution: Execution, name: str) -> str:
    return str(archive.path(execution)).replace(".json", f"~{name}.json")


def test_a_record_whose_path_is_taken_is_published_beside_it(archive: Any) -> None:
    execution = archive.ended()
    archive.rival({archive.path(execution): theirs(archive, execution)})
    assert archive.publish().count == 1
    double = beside(archive, execution, "alpha")
    assert archive.branch() == {
        archive.path(execution): theirs(archive, execution),
        double: archive.data(execution),
    }
    assert archive.paths() == {archive.path(execution): True, double: True}
    assert archive.index.records_at([double])[double].double
    assert archive.index.execution(execution.id).document["host"] == "beta"
    assert archive.table() == archive.rebuilt()
    assert archive.publish().count == 0


def test_the_same_record_from_elsewhere_is_no_double(archive: Any) -> None:
    execution = archive.ended()
    archive.rival({archive.path(execution): archive.data(execution)})
    archive.publish()
    assert len(archive.branch()) == 1
    assert archive.paths() == {archive.path(execution): True}
    assert archive.table() == archive.rebuilt()


def test_doubles_of_one_host_are_counted(archive: Any) -> None:
    execution = archive.ended()
    first, second = beside(archive, execution, "alpha"), beside(archive, execution, "alpha-2")
    taken = {archive.path(execution): theirs(archive, execution), first: theirs(archive, execution, "gamma")}
    archive.rival(taken)
    archive.publish()
    assert archive.branch() == taken | {second: archive.data(execution)}
    assert archive.layout.below(second) == archive.layout.record(execution)


def test_only_the_record_that_clashes_moves_aside(archive: Any) -> None:
    made = [archive.ended(name=name) for name in ("A", "B", "C")]
    archive.rival({archive.path(made[1]): theirs(archive, made[1])})
    archive.publish()
    expected = {archive.path(made[0]), archive.path(made[1]), beside(archive, made[1], "alpha"), archive.path(made[2])}
    assert set(archive.branch()) == expected


def test_what_is_no_record_is_not_overwritten_either(archive: Any) -> None:
    execution = archive.ended()
    archive.rival({archive.path(execution): b"notes"})
    archive.publish()
    assert archive.branch()[archive.path(execution)] == b"notes"
    assert archive.branch()[beside(archive, execution, "alpha")] == archive.data(execution)


def test_a_rebuild_knows_a_double_before_it_is_published(archive: Any) -> None:
    execution = archive.ended()
    archive.rival({archive.path(execution): theirs(archive, execution)})
    records.rebuild(archive.index, archive.layout, archive.repo)
    double = beside(archive, execution, "alpha")
    assert archive.paths() == {archive.path(execution): True, double: False}
    archive.publish()
    assert archive.branch()[double] == archive.data(execution)
    assert archive.paths() == {archive.path(execution): True, double: True}


def test_a_double_that_still_runs_is_followed_in_its_file(archive: Any) -> None:
    execution = archive.make()
    path = archive.write(execution)
    archive.rival({archive.path(execution): theirs(archive, archive.ran(execution))})
    records.rebuild(archive.index, archive.layout, archive.repo)
    (active,) = archive.index.active("production")
    assert active.path == beside(archive, execution, "alpha")
    assert archive.layout.below(active.path) == path
    archive.write(archive.ran(execution, Outcome.FAILED))
    assert archive.index.active("production") == []
    archive.publish()
    assert len(archive.branch()) == 2
    assert archive.table() == archive.rebuilt()


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("alpha", "alpha"),
        ("alpha.example.org", "alpha.example.org"),
        ("../../etc", "etc"),
        ("a b/c~d", "a-b-c-d"),
        ("", "unknown"),
        (None, "unknown"),
        ("…", "unknown"),
        ("x" * 300, "x" * 63),
    ],
)
def test_a_hosts_name_cannot_lead_a_double_astray(host: str | None, name: str) -> None:
    path = "2021/07/01/ECB_FX/163000-05f1ec1a.json"
    assert records.double(path, host) == f"2021/07/01/ECB_FX/163000-05f1ec1a~{name}.json"
    assert records.double(path, host, 2) == f"2021/07/01/ECB_FX/163000-05f1ec1a~{name}-2.json"
