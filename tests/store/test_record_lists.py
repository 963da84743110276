"""What people ask of records is answered by the index as by the records themselves."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler import query, record
from reconciler.execution import Execution, Outcome, PhaseRun, Status, Trigger, finish, running
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.store.rows import Row

Make = Callable[..., Execution]
SLOT = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def index(layout: Layout) -> Iterator[Index]:
    with contextlib.closing(Index.open(layout.index, environment="production", release="1")) as made:
        yield made


@pytest.fixture
def records(index: Index, execution: Make) -> list[dict[str, Any]]:
    """Records of all kinds, newest first, as the index has them too."""
    outcomes = [Outcome.SUCCESS, Outcome.FAILED, Outcome.TIMEOUT]
    made = []
    for number in range(24):
        at = SLOT + number * HOUR
        one = execution(
            name=f"P{number % 4}",
            service=("ETL", "RISK")[number % 2],
            environment=("production", "staging")[number % 5 == 0],
            trigger=(Trigger.SCHEDULED, Trigger.MANUAL)[number % 3 == 0],
            trigger_time=at,
            version=number,
            body={"url": f"file:///{number}", "n": number, "on": number % 2 == 0, "größe": ["a", number]},
        )
        if number < 22:
            phase = PhaseRun(
                "LOAD", at, Status.SUCCESS, "Completed LOAD", (f"line {number}",), at, exit_code=number % 3
            )
            begun = replace(running(one, at, host="alpha", run_as="ada"), phases=(phase,))
            one = finish(begun, outcomes[number % 3], at + timedelta(seconds=number), f"took {number}")
        made.append(one)
    index.upsert_executions(Row.of(str(record.path_of(one)), record.encode(record.to_document(one))) for one in made)
    return [record.to_document(one) for one in reversed(made)]


def view(document: dict[str, Any]) -> dict[str, Any]:
    """What has not started sorts as if it had when it was triggered."""
    return {"start": document["triggerTime"]} | document


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "name=P1",
        "service=ne(ETL)&environment=staging",
        "status=in(failed,running)&outcome=ne(timeout)",
        "outcome=null",
        "outcome=ne(null)&trigger=manual",
        "start=null",
        "start=ne(null)",
        "start=range(2021-07-02,2021-07-02)",
        "start=ne(2021-07-02)",
        "end=gt(2021-07-01)",
        "version=gte(20)",
        "version=in(1,3)&_sort=-version",
        "phases.name=LOAD&phases.exitCode=gt(0)",
        "phases.name=ne(LOAD)",
        "phases.log=regex(1$)",
        "body.url=file:///3",
        "body.n=range(3,5)&_sort=body.n",
        "body.on=true",
        "body.größe=7",
        "body.größe=a&body.n=lt(3)",
        "message=regex(took 1)",
        "_search=p1 took",
        "_filter=(name=P1 or name=P2) and body.n=lt(9)",
        "_sort=name,-start",
        "_sort=-outcome,service&_skip=3",
        "_sort=start&_limit=5",
        "_limit=0",
        '_aggregate=[{"$match":{"service":"ETL"}},{"$sort":{"version":1}},{"$limit":4}]',
        "_distinct=name",
        "_distinct=body.größe",
        "_distinct=start",
        "_fieldinfo=outcome",
        "_fieldinfo=phases.exitCode&status=failed",
        '_aggregate=[{"$group":{"_id":"$outcome","count":{"$sum":1},"last":{"$max":"$start"},"n":{"$avg":"$body.n"}}}]',
        '_aggregate=[{"$group":{"_id":{"s":"$service","on":"$body.on"},"least":{"$min":"$version"}}}]',
        '_aggregate=[{"$match":{"name":"NONE"}},{"$group":{"_id":null,"count":{"$count":{}}}}]',
    ],
)
def test_a_list_is_that_of_the_records(index: Index, records: list[dict[str, Any]], asked: str) -> None:
    parsed = query.parse(tuple(part.split("=", 1)) for part in asked.split("&") if part)  # type: ignore[misc]  # two parts each
    expected = parsed.select(
        records, lambda one: one if parsed.order == () else view(one) if sorts_by_start(parsed) else one
    )
    if parsed.summary is not None:
        assert index.summarize(parsed) == parsed.summary.of(expected)
        return
    found, total = index.find(parsed)
    assert [row.document for row in found] == json.loads(json.dumps(list(parsed.page(expected))))
    assert total == len(expected)


def sorts_by_start(asked: query.Query) -> bool:
    return any(order.path == ("start",) for order in asked.order)


def test_a_list_of_any_length_comes_one_by_one_and_of_one_state(index: Index, records: list[dict[str, Any]]) -> None:
    rows = index.each(query.parse([("_limit", "-1")]))
    first = next(rows)
    assert first.document["_id"] == records[0]["_id"]
    assert [row.document["_id"] for row in rows] == [one["_id"] for one in records[1:]]


def test_what_no_short_text_can_hold_is_found_in_the_whole(index: Index, execution: Make) -> None:
    one = finish(running(execution(), SLOT, host="alpha", run_as="ada"), Outcome.SUCCESS, SLOT, "done")
    document = record.to_document(one) | {"body": {"half": "\ud800", "text": "é", "n": 1}}
    data = json.dumps(document).replace('"n": 1', '"n": 1e999').encode()
    index.upsert_executions([Row.of(str(record.path_of(one)), data)])
    for asked in (("body.text", "é"), ("body.n", "gt(1)"), ("phases.name", "null")):
        assert index.find(query.parse([asked]))[1] == 1, asked
