"""The table of executions answers as the records say, by its indexes alone."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler import query, record
from reconciler.execution import Execution, Gap, Outcome, PhaseRun, Status, Trigger, finish, running
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.store.rows import SOURCE, Row

Make = Callable[..., Execution]
SLOT = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def index(layout: Layout) -> Iterator[Index]:
    with contextlib.closing(Index.open(layout.index, environment="production", release="1")) as made:
        yield made


def row(execution: Execution, **chosen: Any) -> Row:
    path = str(record.path_of(execution))
    return Row.of(chosen.pop("path", path), record.encode(record.to_document(execution)), **chosen)


def ran(execution: Execution, seconds: int = 1, outcome: Outcome = Outcome.SUCCESS) -> Execution:
    """Let an execution begin at its trigger time and end some seconds later."""
    begun = running(execution, execution.trigger_time, host="alpha", run_as="ada")
    return finish(begun, outcome, execution.trigger_time + seconds * SECOND, f"it was a {outcome}")


def test_a_record_is_found_by_its_id(index: Index, execution: Make) -> None:
    one = ran(execution())
    index.upsert_executions([row(one), row(ran(execution()))])
    found = index.execution(one.id)
    assert found is not None
    assert found.execution == one
    assert found.document == record.to_document(one)
    assert index.execution("00000000-0000-4000-8000-000000000000") is None


def test_a_newer_state_of_a_record_takes_the_place_of_the_old_one(index: Index, execution: Make) -> None:
    one = execution()
    index.upsert_executions([row(one, mtime_ns=1, size=2)])
    index.upsert_executions([row(ran(one), mtime_ns=3, size=4)])
    (found,) = index.executions()
    assert found.execution.ended
    assert (found.mtime_ns, found.size) == (3, 4)


def test_every_column_copies_its_field(index: Index, execution: Make) -> None:
    gap = Gap(SLOT, SLOT + SECOND, 2, (SLOT, SLOT + SECOND))
    full = ran(execution(tag="PROD", parent_id="p", body={"a": 1}))
    index.upsert_executions(row(one) for one in (execution(), full, ran(execution(gap=gap), 9, Outcome.MISSED)))
    for field, column in SOURCE.columns.items():
        read = f"SELECT {column.sql}, document FROM executions JOIN documents USING (path)"  # noqa: S608 - our own columns
        for value, document in index._read(f"{read} WHERE {column.present or 1}"):
            assert value == json.loads(document).get(field), field


def test_a_user_query_is_answered_by_columns_as_by_documents(index: Index, execution: Make) -> None:
    ends = [Outcome.SUCCESS, Outcome.FAILED, Outcome.TIMEOUT]
    made = [
        ran(execution(name=f"P{number % 3}", trigger_time=SLOT + number * SECOND), 1, ends[number % 3])
        for number in range(12)
    ]
    index.upsert_executions(map(row, made))
    for asked in (
        [("name", "P1")],
        [("status", "failed"), ("start", "range(2021-07-01T16:30:02Z,2021-07-01T16:30:07Z)")],
        [("triggerTime", "range(2021-07-01,2021-07-01)")],
        [("outcome", "timeout"), ("host", "alpha")],
        [("phases.name", "MAIN")],
    ):
        parsed = query.parse([*asked, ("_limit", "-1")])
        expected = [one.id for one in reversed(made) if parsed.matches(record.to_document(one))]
        rows, total = index.find(parsed)
        assert [found.execution.id for found in rows] == expected
        assert total == len(expected)


def test_lists_are_newest_first_and_come_in_pages(index: Index, execution: Make) -> None:
    made = [ran(execution(trigger_time=SLOT + number * SECOND)) for number in range(5)]
    waiting = execution(trigger_time=SLOT + 9 * SECOND)  # has not started, and is the newest all the same
    index.upsert_executions(map(row, [*made, waiting]))
    newest = [found.execution.id for found in index.executions(limit=3)]
    assert newest == [waiting.id, made[4].id, made[3].id]
    assert [found.execution.id for found in index.executions(limit=2, skip=3)] == [made[2].id, made[1].id]
    assert len(index.executions(limit=-1)) == index.count() == 6


def test_what_has_not_ended_is_active(index: Index, execution: Make) -> None:
    waiting = execution(trigger_time=SLOT + SECOND)
    begun = running(execution(), SLOT, host="alpha", run_as="ada")
    foreign = execution(environment="staging")
    index.upsert_executions(map(row, [waiting, begun, foreign, ran(execution())]))
    assert [found.execution for found in index.active("production")] == [begun, waiting]


def test_durations_are_those_of_runs_of_one_process_here_newest_first(index: Index, execution: Make) -> None:
    later = {"trigger_time": SLOT + 60 * SECOND}
    gap = Gap(SLOT, SLOT + SECOND, 2, (SLOT, SLOT + SECOND))
    made = [
        ran(execution(name="A"), 3),
        ran(execution(name="A", **later), 5, Outcome.FAILED),
        ran(execution(name="A", gap=gap), 9, Outcome.MISSED),
        ran(execution(name="A", environment="test"), 7),
        ran(execution(name="B"), 8),
        execution(name="A"),
    ]
    index.upsert_executions(map(row, made))
    assert index.durations("production", "A") == [5.0, 3.0]
    assert index.durations("production", "A", most=1) == [5.0]


def test_ended_records_wait_to_be_published_in_the_order_of_their_ends(index: Index, execution: Make) -> None:
    late, early = ran(execution(), 9), ran(execution(), 2)
    index.upsert_executions(map(row, [late, early, execution(), ran(execution(environment="staging"))]))
    waiting = index.unpublished("production", 10)
    assert [found.execution.id for found in waiting] == [early.id, late.id]
    assert index.count_unpublished("production") == 2
    assert len(index.unpublished("production", 1)) == 1
    index.mark_published({waiting[0].path: waiting[0].path})
    assert [found.execution.id for found in index.unpublished("production", 10)] == [late.id]
    index.mark_unpublished([waiting[0].path])
    assert index.count_unpublished("production") == 2


def test_what_is_published_stays_so_when_its_file_is_read_again(index: Index, execution: Make) -> None:
    one = row(ran(execution()), mtime_ns=1, size=2)
    index.upsert_executions([one])
    index.mark_published({one.path: one.path})
    index.upsert_executions([one])
    assert index.executions()[0].published is True


def test_a_double_is_published_beside_the_first(index: Index, execution: Make) -> None:
    mine = row(ran(execution()), mtime_ns=1, size=2)
    there = mine.path.replace(".json", "~alpha.json")
    index.upsert_executions([mine])
    index.mark_published({mine.path: there})
    first = row(ran(execution(id=mine.execution.id, host="beta"), 5), published=True)
    index.upsert_executions([first])
    assert {found.path: found.double for found in index.records_of(mine.path)} == {mine.path: False, there: True}
    chosen = index.execution(mine.execution.id)
    assert chosen is not None
    assert chosen.path == first.path
    assert index.records_at([there])[there].text == mine.text


def test_only_published_records_whose_files_are_here_may_go(index: Index, execution: Make) -> None:
    kept = [
        row(ran(execution()), mtime_ns=1, size=1),  # not published
        row(ran(execution()), published=True),  # no file
        row(ran(execution(), 90), mtime_ns=1, size=1, published=True),  # ended too late
        row(ran(execution(environment="staging")), mtime_ns=1, size=1, published=True),
    ]
    old = row(ran(execution()), mtime_ns=1, size=1, published=True)
    index.upsert_executions([*kept, old])
    assert [found.path for found in index.removable("production", SLOT + 60 * SECOND, 10)] == [old.path]
    index.forget_files([old.path])
    assert index.removable("production", SLOT + 60 * SECOND, 10) == []
    assert index.count() == 5


def test_records_of_a_time_are_those_that_say_something_about_it(index: Index, execution: Make) -> None:
    def at(seconds: int) -> datetime:
        return SLOT + seconds * SECOND

    gap = Gap(at(0), at(50), 3, (at(0), at(25), at(50)))
    said = {
        "slot before, ended before": ran(execution(trigger_time=at(-20)), 5),
        "slot before, ended inside": ran(execution(trigger_time=at(-10)), 15),
        "slot inside": ran(execution(trigger_time=at(10)), 100),
        "gap that reaches inside": finish(execution(trigger_time=at(0), gap=gap), Outcome.MISSED, at(51), "gone"),
        "by hand, inside": ran(execution(trigger_time=at(11), trigger=Trigger.MANUAL), 1),
        "slot after": ran(execution(trigger_time=at(40))),
        "still running since long ago": running(execution(trigger_time=at(-99)), at(-99), host="alpha", run_as="ada"),
        "waiting": execution(trigger_time=at(12)),
        "waiting for later": execution(trigger_time=at(33)),
        "of another process": ran(execution(name="TEST", trigger_time=at(10))),
        "of another environment": ran(execution(environment="staging", trigger_time=at(10))),
    }
    index.upsert_executions(map(row, said.values()))
    names = {one.id: what for what, one in said.items()}
    found = [names[one.id] for one in index.records_between("ECB_FX", at(0), at(30))]
    assert found == [
        "still running since long ago",
        "slot before, ended inside",
        "gap that reaches inside",
        "slot inside",
        "by hand, inside",
        "waiting",
    ]


def test_a_slot_at_the_first_end_is_decided_and_at_the_last_end_it_is_asked_for(index: Index, execution: Make) -> None:
    instant = execution(trigger_time=SLOT, outcome=Outcome.SKIPPED, status=Status.FAILED, start=SLOT, end=SLOT)
    index.upsert_executions([row(instant)])
    assert index.records_between("ECB_FX", SLOT, SLOT + SECOND) == []
    assert index.records_between("ECB_FX", SLOT - SECOND, SLOT) == [instant]


def test_the_last_execution_of_each_process_is_the_one_that_ended_last(index: Index, execution: Make) -> None:
    long = ran(execution(name="A", trigger_time=SLOT), 100, Outcome.FAILED)
    short = ran(execution(name="A", trigger_time=SLOT + SECOND), 1)
    missed = ran(execution(name="A", trigger_time=SLOT + 200 * SECOND), 1, Outcome.MISSED)
    begun = running(execution(name="A", trigger_time=SLOT + SECOND), SLOT + SECOND, host="alpha", run_as="ada")
    index.upsert_executions(
        map(
            row,
            [long, short, missed, begun, execution(name="B"), ran(execution(name="C", environment="staging"))],
        )
    )
    last = index.last_of(["A", "B", "C", "D"])
    assert list(last) == ["A", "B"]
    ended, active = last["A"].ended, last["A"].active
    assert ended is not None
    assert (ended.id, ended.outcome, ended.start, ended.end) == (long.id, "failed", long.start, long.end)
    assert active is not None
    assert (active.id, active.status, active.end) == (begun.id, "running", None)
    assert (last["B"].ended, last["B"].active is None) == (None, False)
    assert index.last_of([]) == {}


def test_known_files_are_told_folder_by_folder(index: Index, execution: Make) -> None:
    mine = row(ran(execution()), mtime_ns=1, size=2)
    others = [row(ran(execution(name="ECB_FX2")), mtime_ns=1, size=2), row(ran(execution()), published=True)]
    index.upsert_executions([mine, *others])
    assert index.files("2021/07/01/ECB_FX") == {mine.path: (1, 2)}
    index.set_files([(others[1].path, 5, 6)])
    assert len(index.files("2021/07/01/ECB_FX")) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"status": "success"},
        {"end": "2021-07-01T16:30:01.000Z"},
        {"outcome": "success"},
        {"outcome": "lucky", "status": "failed", "end": "2021-07-01T16:30:01.000Z"},
        {"gap": {"last": 5}},
        {"gap": "long"},
        {"host": 5},
        {"reason": None},
        {"version": True, "service": ["a"]},
        {"version": -1},
        {"name": "TEST"},
        {"triggerTime": "2021-07-01T16:30:60.000Z"},
        {"triggerTime": 5},
        {"phases": [5]},
    ],
)
def test_no_row_is_made_of_what_is_no_record(execution: Make, change: dict[str, Any]) -> None:
    one = execution()
    document = {**record.to_document(one), **change}
    with pytest.raises(ValueError, match="is no record"):
        Row.of(str(record.path_of(one)), record.encode(document))


def test_the_details_of_an_ended_record_are_not_needed_to_place_it(execution: Make) -> None:
    phases = (PhaseRun("MAIN", SLOT, Status.SUCCESS, "Completed MAIN", ("log",), SLOT),)
    made = row(ran(execution(phases=phases, data={"series": {}})))
    assert made.outline.phases == ()
    assert made.outline.end == made.execution.end
    assert made.execution.phases == phases
    broken = made.text.replace('"phases": [', '"phases": [7, ')
    kept = Row.of(made.path, broken.encode())
    assert kept.outline == made.outline
    with pytest.raises(ValueError, match="is no record"):
        _ = kept.execution


def test_instants_of_other_forms_sort_with_ours(execution: Make) -> None:
    one = ran(execution())
    document = record.to_document(one) | {"start": "2021-07-01T18:30:00+02:00"}
    kept = Row.of(str(record.path_of(one)), record.encode(document))
    assert "2021-07-01T16:30:00.000Z" in kept.columns


QUESTIONS: dict[str, tuple[Callable[[Index], object], str]] = {
    "one": (lambda index: index.execution("x"), "SEARCH executions_id"),
    "the newest": (lambda index: index.executions(), "SCAN executions_happened"),
    "of an environment": (lambda index: listed(index, environment="production"), "SCAN executions_happened"),
    "of a process": (lambda index: listed(index, environment="production", name="A"), "SEARCH executions_name"),
    "of a status": (lambda index: listed(index, status="failed"), "SEARCH executions_status"),
    "of a time": (lambda index: listed(index, start="range(2021-07-01,2021-07-02)"), "SEARCH executions_happened"),
    "durations": (lambda index: index.durations("production", "A"), "SEARCH executions_name"),
    "active": (lambda index: index.active("production"), "SEARCH executions_active"),
    "unended": (lambda index: index.unended(), "SEARCH executions_active"),
    "unpublished": (lambda index: index.unpublished("production", 500), "SEARCH executions_unpublished"),
    "how many unpublished": (lambda index: index.count_unpublished("production"), "SEARCH executions_unpublished"),
    "removable": (lambda index: index.removable("production", SLOT, 500), "SEARCH executions_files"),
    "between": (lambda index: index.records_between("A", SLOT, SLOT), "SEARCH executions_reach"),
    "last": (lambda index: index.last_of(["A", "B"]), "SEARCH executions_reach SEARCH executions_active"),
    "files": (lambda index: index.files("2021/07/01/A"), "SEARCH sqlite_autoindex_executions_1"),
    "at": (lambda index: index.records_at(["a", "b"]), "SEARCH sqlite_autoindex_executions_1"),
    "of a file": (lambda index: index.records_of("a"), "SEARCH sqlite_autoindex_executions_1"),
}


def listed(index: Index, **asked: str) -> list[Row]:
    return list(index.each(query.parse(asked.items())))


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_the_whole_history(index: Index, question: str) -> None:
    """Ask SQLite how it would answer what every turn and page asks; only a page may go along an index."""
    asked: list[str] = []
    ask, expected = QUESTIONS[question]
    index._connection.set_trace_callback(asked.append)
    ask(index)
    index._connection.set_trace_callback(None)
    steps: list[str] = []
    for sql in asked:
        steps += [step[3] for step in index._connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    found = [re.search(r"^(SCAN|SEARCH) executions(?: USING (?:COVERING )?INDEX (\w+))?", step) for step in steps]
    used = dict.fromkeys(f"{step[1]} {step[2]}" for step in found if step and "INTEGER PRIMARY KEY" not in step.string)
    assert " ".join(used) == expected, steps
