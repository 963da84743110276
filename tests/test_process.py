"""A process's typed values over its document, and the canonical form of its schedule."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.process import Catchup, Overlap, Process
from reconciler.schedule import Schedule


def process(**document: Any) -> Process:
    return Process.of("X", {"script": "tick.sh", **document})


def test_what_is_left_out_has_its_default() -> None:
    smallest = process()
    assert smallest.service == "default"
    assert smallest.description == ""
    assert (smallest.script, smallest.workflow) == ("tick.sh", None)
    assert smallest.enabled
    assert smallest.environment is None
    assert (smallest.input, smallest.settings, smallest.properties, smallest.tags) == ({}, {}, {}, ())
    assert (smallest.timeout, smallest.retries, smallest.delay) == (None, 0, timedelta(seconds=30))
    assert (smallest.overlap, smallest.catchup) == (Overlap.SKIP, Catchup.LATEST)
    assert (smallest.crons, smallest.instants, smallest.scheduled) == ((), (), False)


def test_what_is_given_is_typed() -> None:
    full = process(
        service="ETL", description="d", enabled=False, environment="test", input={"a": 1}, settings={"B": 2},
        properties={"c": 3}, tags=["x"], timeout="1h30m", retries=2, delay="PT10S", overlap="queue", catchup="all",
        cron="0 8 * * *", at=["2026-12-24T19:00:00+01:00"],
    )  # fmt: skip
    assert (full.service, full.description, full.enabled, full.environment) == ("ETL", "d", False, "test")
    assert (full.input, full.settings, full.properties, full.tags) == ({"a": 1}, {"B": 2}, {"c": 3}, ("x",))
    assert (full.timeout, full.retries, full.delay) == (timedelta(minutes=90), 2, timedelta(seconds=10))
    assert (full.overlap, full.catchup) == (Overlap.QUEUE, Catchup.ALL)
    assert full.crons == ("0 8 * * *",)
    assert full.instants == (datetime(2026, 12, 24, 18, tzinfo=UTC),)


@pytest.mark.parametrize(("written", "name"), [("#wf_xml", "wf_xml"), ("wf", "wf")])
def test_a_leading_hash_is_no_part_of_a_name(written: str, name: str) -> None:
    assert Process.of("X", {"workflow": written}).workflow == name
    assert Process.of("X", {"script": written}).script == name


@pytest.mark.parametrize(
    ("document", "timeout"),
    [
        ({}, None),
        ({"processType": "Lungo"}, None),
        ({"processType": "Ristretto"}, timedelta(minutes=6)),
        ({"processType": "Ristretto", "timeout": "1h"}, timedelta(hours=1)),
        ({"processType": "Lungo", "timeout": "30s"}, timedelta(seconds=30)),
    ],
)
def test_a_timeout_wins_over_the_type(document: Mapping[str, Any], timeout: timedelta | None) -> None:
    assert process(**document).timeout == timeout


def test_a_whole_number_with_a_point_is_one() -> None:
    assert isinstance(process(retries=2.0).retries, int)


@pytest.mark.parametrize("key", ["cron", "every", "at"])
def test_any_of_three_keys_is_a_schedule(key: str) -> None:
    value: Any = {"cron": ["* * * * *"], "every": "1m", "at": ["2026-01-01T00:00:00Z"]}[key]
    assert process(**{key: value}).scheduled
    assert not process(cron=[], at=[]).scheduled


def test_the_schedule_of_nothing_is_its_zone() -> None:
    assert process().schedule_document("Europe/Paris") == {"timezone": "Europe/Paris"}
    assert process(cron=[], at=[], dst={}).schedule_document("UTC") == {"timezone": "UTC"}


def test_a_schedule_in_one_form() -> None:
    document = process(
        cron=["0  8 * * *", "0 8 * * *", " 5 8 * * * "],
        every="90m",
        at=["2026-12-24T19:00:00.5+01:00", "2026-01-01T00:00:00Z", "2026-12-24T18:00:00.500Z"],
        timezone="Europe/Berlin",
        dst={"gap": "skip", "x-why": "tests"},
    ).schedule_document("UTC")
    assert document == {
        "cron": ["0 8 * * *", "5 8 * * *"],
        "every": "1h30m",
        "at": ["2026-01-01T00:00:00Z", "2026-12-24T18:00:00.500000Z"],
        "timezone": "Europe/Berlin",
        "dst": {"gap": "skip"},
    }


SAME: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = [
    ({"every": "60s"}, {"every": "PT1M"}),
    ({"every": "7d"}, {"every": "1w"}),
    ({"cron": "0 8 * * *"}, {"cron": ["0 8   * * *"]}),
    ({"at": ["2026-01-01T01:00:00+01:00"]}, {"at": ["2026-01-01T00:00:00.000Z"]}),
    ({"timezone": "UTC"}, {}),
    ({"description": "a", "retries": 1, "enabled": False}, {"description": "b"}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_does_not_move_slots_does_not_change_the_schedule(
    one: Mapping[str, Any], other: Mapping[str, Any]
) -> None:
    assert process(**one).schedule_document("UTC") == process(**other).schedule_document("UTC")


CRONS = st.sampled_from(["0 8 * * *", "*/5 * * * *", "30 16 ? * MON-FRI *", "@daily"])
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@given(st.lists(CRONS), st.lists(INSTANTS, max_size=3), st.sampled_from([None, "1s", "1h30m", "3650d"]))
def test_a_schedule_reads_what_a_process_gives(crons: list[str], instants: list[datetime], every: str | None) -> None:
    given_at = [at.isoformat() for at in instants]
    document: dict[str, Any] = {"cron": crons, "at": given_at} | ({"every": every} if every else {})
    canonical = process(**document).schedule_document("UTC")
    schedule = Schedule.of(canonical, "X")
    slots = {at for one in instants for at in schedule.between(one - timedelta(microseconds=1), one)}
    assert set(instants) <= slots
    assert process(**canonical).schedule_document("UTC") == canonical


def test_keys_are_shared_by_all_processes() -> None:
    text = '{"description": "a", "input": {"url": [{"key_in_a_list": 1}]}}'
    made = [Process.of("X", json.loads(text)) for _ in range(2)]
    keys = [[*each.document, *each.input, *each.input["url"][0]] for each in made]
    assert all(one is other for one, other in zip(*keys, strict=True))


def test_ten_thousand_processes_fit_into_twenty_megabytes() -> None:
    document = {"name": "X", "service": "ETL", "workflow": "wf", "cron": "0 8 * * *", "input": {"url": "u", "tx": "t"}}
    made = Process.of("X", document)
    assert not hasattr(made, "__dict__")
    size = sys.getsizeof(made) + sys.getsizeof(made.document) + sys.getsizeof(made.input)
    assert size < 1000
