"""Record files: created once, read back as written, and told from everything else that may lie there."""

import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from reconciler import record
from reconciler.execution import Execution, Outcome, Trigger, finish, running
from reconciler.store import records
from reconciler.store.layout import Layout

Make = Callable[..., Execution]
SLOT = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)


def put(layout: Layout, execution: Execution, data: bytes) -> Path:
    path = layout.record(execution)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture(autouse=True)
def _leave_no_foreign_records(layout: Layout) -> object:
    """Clear away what these tests put in records' places, which no schema would accept."""
    yield
    for path in layout.records.rglob("*"):
        if path.is_symlink() or (path.is_file() and b"foreign" in path.read_bytes()):
            path.unlink()


def test_a_record_is_created_once_and_read_back(layout: Layout, execution: Make) -> None:
    one = execution()
    assert records.create(layout, one) is True
    assert records.create(layout, execution(id=one.id, reason="another")) is False
    assert records.read(layout.record(one)) == one


def test_a_burst_is_created_like_single_records(layout: Layout, execution: Make) -> None:
    burst = [execution(name=f"P{number}") for number in range(150)]
    records.create(layout, burst[3])
    assert records.create_many(layout, burst) == [number != 3 for number in range(150)]
    assert [records.read(layout.record(one)) for one in burst] == burst


@pytest.mark.parametrize("durable", [True, False])
def test_a_record_advances_in_place(layout: Layout, execution: Make, *, durable: bool) -> None:
    one = execution()
    records.create(layout, one)
    begun = running(one, SLOT + timedelta(seconds=1), host="alpha", run_as="ada")
    records.write(layout, begun, durable=durable)
    assert records.read(layout.record(one)) == begun
    ended = finish(begun, Outcome.SUCCESS, SLOT + timedelta(seconds=2))
    records.write(layout, ended, durable=durable)
    assert records.read(layout.record(one)) == ended
    assert [path.name for path in layout.record(one).parent.iterdir()] == [layout.record(one).name]


def damage(execution: Execution) -> dict[str, bytes]:
    """Everything that may stand where a record should, by what is wrong with it."""
    document = record.to_document(execution)
    whole = record.encode(document)

    def with_(**changes: object) -> bytes:
        return record.encode({**document, **changes})

    return {
        "empty": b"",
        "truncated": whole[: len(whole) // 2],
        "one byte short of its brace": whole.rstrip()[:-1],
        "NULs after a crash": b"\0" * len(whole),
        "two documents": whole + whole,
        "no JSON": b"name: ECB_FX\n",
        "no object": b"[1, 2]",
        "another object": b'{"hello": "world"}',
        "UTF-16": whole.decode().encode("utf-16"),
        "Latin-1": whole.replace(b"ETL", b"\xe9TL"),
        "NaN": whole.replace(b'"version": 1', b'"version": NaN'),
        "too deep": b'{"a":' + b"[" * 100_000,
        "a huge number": b'{"version": ' + b"1" * 10_000 + b"}",
        "status unknown": with_(status="paused"),
        "service of the wrong type": with_(service={"a": 1}),
        "version of the wrong type": with_(version="one"),
        "version too large for a column": with_(version=2**64),
        "a lone surrogate": whole.replace(b"every(", b"\\ud800("),
        "phases of the wrong type": with_(phases=[1]),
        "an id that is none": with_(_id="../../../etc"),
        "a name that is none": with_(name="../../../etc"),
        "an environment that is none": with_(environment="../prod"),
        "the record of another process": with_(name="TEST"),
        "the record of another time": with_(triggerTime="2021-07-01T16:30:01.000Z"),
        "the record of another id": with_(_id="00000000" + execution.id[8:]),
        "a time that is none": with_(triggerTime="yesterday"),
    }


KINDS = list(damage(Execution("", "ETL", "X", "x", Trigger.MANUAL, "every(", SLOT, version=1)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_record_is_reported_and_never_fatal(layout: Layout, execution: Make, kind: str) -> None:
    one = execution()
    path = put(layout, one, damage(one)[kind])
    with pytest.raises(ValueError, match=r"163000-.*\.json is no record") as caught:
        records.read(path)
    assert caught.type is ValueError
    path.unlink()


def test_a_copy_of_a_record_in_another_place_is_no_record(layout: Layout, execution: Make) -> None:
    one = execution()
    records.create(layout, one)
    copy = put(layout, execution(name="TEST", id=one.id), layout.record(one).read_bytes())
    with pytest.raises(ValueError, match="not what its path says"):
        records.read(copy)
    copy.unlink()


def test_a_record_beyond_all_bounds_is_not_read_into_memory(layout: Layout, execution: Make) -> None:
    path = put(layout, execution(), b"")
    os.truncate(path, records.LARGEST + 1)  # sparse: takes no room on the disk
    with pytest.raises(ValueError, match="larger than"):
        records.read(path)
    path.unlink()


def test_the_services_own_example_is_a_record() -> None:
    example = {
        "_id": "05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6",
        "service": "ETL",
        "name": "ECB_FX",
        "environment": "production",
        "trigger": "scheduled",
        "status": "success",
        "message": "Completed Successfully",
        "reason": "crontab(ECB_FX,Thu Jul 01 2021 16:30:00 GMT+0000 (Greenwich Mean Time))",
        "start": "2021-07-01T16:30:07.858Z",
        "runAs": "com_walkfares",
        "phases": [],
        "end": "2021-07-01T16:30:24.445Z",
    }
    read = records.parse(json.dumps(example).encode(), "executions/2021/07/01/ECB_FX/163007-05f1ec1a.json")
    assert read.start == datetime(2021, 7, 1, 16, 30, 7, 858000, tzinfo=UTC)


def test_a_scan_finds_records_by_day_and_nothing_else(layout: Layout, execution: Make) -> None:
    days = [SLOT + timedelta(days=number) for number in (-1, 0, 1, 31, 365)]
    made = [execution(trigger_time=at, name=name) for at in days for name in ("B", "A")]
    records.create_many(layout, made)
    first = layout.record(made[0])
    for name in (".163000-aaaaaaaa.json.1.2.tmp", "163000-aaaaaaaa.log", "notes.txt", "163000-AAAAAAAA.json"):
        first.with_name(name).write_text("foreign")
    (layout.records / "2021/07/README").write_text("foreign")
    first.with_name("163000-bbbbbbbb.json").mkdir()
    first.with_name("163000-cccccccc.json").symlink_to(first)
    (first.parent.parent / "LINK").symlink_to(first.parent)
    (layout.records / "2020").symlink_to(layout.records / "2021")
    found = [Path(path) for path in records.scan(layout)]
    assert sorted(found) == sorted(layout.record(one) for one in made)
    assert [path.parts[-5:-2] for path in found] == sorted(path.parts[-5:-2] for path in found)
    first.with_name("163000-bbbbbbbb.json").rmdir()
    recent = [Path(path) for path in records.scan(layout, date(2021, 7, 2))]
    assert sorted(recent) == sorted(layout.record(one) for one in made[4:])


def test_a_scan_of_nothing_finds_nothing(layout: Layout) -> None:
    assert list(records.scan(layout)) == []
    layout.records.parent.mkdir(parents=True, exist_ok=True)
    layout.records.write_text("foreign: a file in the place of the folder")
    assert list(records.scan(layout)) == []
