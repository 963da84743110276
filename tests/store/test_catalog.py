"""What is applied, as readers find it: one change costs one row, and environments stay apart."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.problem import Problem, Severity
from reconciler.store.catalog import ProcessRow, SlotRow
from reconciler.store.index import Index
from reconciler.store.layout import Layout

AT = datetime(2021, 7, 1, 16, 30, 0, 123456, tzinfo=UTC)
PROBLEM = Problem("processes/B.yaml", 3, 7, "/cron", "hour 46", "0 to 23 — ja", Severity.WARNING, holds=True)
A = ProcessRow("A", "processes/A.yaml", "a" * 40, "c" * 40, 3, {"script": "a.sh", "input": {"ä": [1, None]}})
B = ProcessRow("b", "processes/b.yaml", "b" * 40, None, None, None, (PROBLEM, PROBLEM), valid=False, held="hour 46")


@pytest.fixture
def indexes(layout: Layout) -> Iterator[tuple[Index, Index]]:
    with contextlib.ExitStack() as stack:
        one, other = (
            stack.enter_context(contextlib.closing(Index.open(layout.index, environment=name, release="1")))
            for name in ("production", "staging")
        )
        yield one, other


def test_a_snapshot_takes_the_place_of_the_one_before(indexes: tuple[Index, Index]) -> None:
    index, other = indexes
    other.replace_processes([replace(A, version=9)])
    index.replace_processes([B, A])
    assert index.processes() == (A, B)
    index.replace_processes([B])
    assert index.processes() == (B,)
    assert other.processes() == (replace(A, version=9),)


def test_one_change_is_one_row(indexes: tuple[Index, Index]) -> None:
    index, _ = indexes
    many = [replace(A, name=f"P{number:03d}") for number in range(100)]
    index.replace_processes(many)
    before = index._connection.total_changes
    index.update_processes([replace(many[7], version=4), B], ["P008"])
    assert index._connection.total_changes - before == 3
    seven = index.process("P007")
    assert seven is not None
    assert seven.version == 4
    assert index.process("P008") is None
    assert len(index.processes()) == 100


def test_a_name_is_found_without_regard_to_case(indexes: tuple[Index, Index]) -> None:
    index, _ = indexes
    index.replace_processes([A, B])
    assert index.process("B") == B
    assert index.process("a") == A
    assert index.process("C") is None
    index.update_processes([replace(B, name="B", path="processes/B.yaml")], [])
    assert [row.name for row in index.processes()] == ["A", "B"]


def test_problems_are_kept_by_file(indexes: tuple[Index, Index]) -> None:
    index, other = indexes
    settings = Problem("procctl.yaml", 1, 1, "/retention", "no duration")
    second = replace(PROBLEM, line=1, column=1)
    index.replace_problems([PROBLEM, settings, second])
    other.replace_problems([settings])
    assert index.problems() == (settings, second, PROBLEM)
    index.replace_problems([second], ["processes/B.yaml", "processes/C.yaml"])
    assert index.problems() == (settings, second)
    index.replace_problems([])
    assert index.problems() == ()
    assert other.problems() == (settings,)


def test_next_slots_are_remembered_to_the_microsecond(indexes: tuple[Index, Index]) -> None:
    index, other = indexes
    rows = [SlotRow("A", "f1", AT, AT + timedelta(microseconds=1)), SlotRow("B", "f2", AT, AT + timedelta(days=1))]
    index.replace_slots(rows)
    other.replace_slots(rows[:1])
    assert index.slots() == {"A": rows[0], "B": rows[1]}
    later = replace(rows[0], after=AT + timedelta(days=1), next=AT + timedelta(days=2))
    index.replace_slots([later])
    assert index.slots() == {"A": later}, "what is not among them is gone"
    assert other.slots() == {"A": rows[0]}
