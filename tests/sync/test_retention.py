"""Only what is safe elsewhere, or of no more use, is ever removed."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.execution import Outcome
from reconciler.repo import publish
from reconciler.store import claims
from reconciler.store.claims import Claim
from reconciler.store.layout import log_of
from reconciler.sync import records, retention

SLOT = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)
LATER = SLOT + timedelta(days=30)


def remove(archive: Any, before: datetime = LATER) -> int:
    return retention.remove_records(archive.index, archive.layout, archive.repo, before)


@pytest.mark.parametrize(
    ("retention_", "catchup", "kept"),
    [
        (timedelta(days=30), timedelta(days=1), timedelta(days=30)),
        (timedelta(days=1), timedelta(days=7), timedelta(days=8)),
        (timedelta(0), timedelta(0), timedelta(days=1)),
    ],
)
def test_records_are_kept_for_as_long_as_a_schedule_may_ask_for_them(
    retention_: timedelta, catchup: timedelta, kept: timedelta
) -> None:
    assert retention.horizon(LATER, retention_, catchup) == LATER - kept


def test_an_old_published_record_goes_with_its_log_and_its_folders(archive: Any) -> None:
    execution = archive.ended()
    path = archive.layout.record(execution)
    log_of(path).write_text("the whole output")
    leftover = path.with_name(".163000-00000000.json.1.2.tmp")
    leftover.write_text("half")
    os.utime(leftover, (SLOT.timestamp(), SLOT.timestamp()))
    archive.publish()
    assert remove(archive) == 1
    assert list(archive.layout.records.iterdir()) == []
    row = archive.index.execution(execution.id)
    assert (row.execution, row.published, row.mtime_ns) == (execution, True, 0)
    assert archive.table() == archive.rebuilt()
    assert remove(archive) == 0


def test_everything_else_stays(archive: Any) -> None:
    waiting = archive.make()
    archive.write(waiting)
    ended_later = archive.ended(trigger_time=LATER)
    foreign = archive.ended(environment="staging")
    archive.publish()
    unpublished = archive.ended()
    note = archive.layout.record(unpublished).with_name("notes.txt")
    note.write_text("mine")
    assert remove(archive) == 0
    for kept in (waiting, ended_later, foreign, unpublished):
        assert archive.layout.record(kept).exists()
    assert note.exists()


def test_a_folder_that_holds_something_else_stays(archive: Any) -> None:
    execution = archive.ended()
    archive.publish()
    note = archive.layout.record(execution).with_name("notes.txt")
    note.write_text("mine")
    assert remove(archive) == 1
    assert not archive.layout.record(execution).exists()
    assert note.read_text() == "mine"


def test_what_the_branch_has_lost_is_kept_and_published_again(archive: Any) -> None:
    execution = archive.ended()
    archive.publish()
    archive.repo.git.run("update-ref", "-d", publish.BRANCH)
    assert remove(archive) == 0
    assert archive.layout.record(execution).exists()
    assert archive.index.count_unpublished("production") == 1
    archive.publish()
    assert archive.branch() == {archive.path(execution): archive.data(execution)}
    assert remove(archive) == 1


def test_what_the_branch_has_otherwise_is_kept(archive: Any) -> None:
    execution = archive.ended()
    archive.publish()
    archive.rival({archive.path(execution): b"{}"})
    assert remove(archive) == 0
    assert archive.layout.record(execution).exists()
    archive.publish()
    assert len(archive.branch()) == 2
    assert remove(archive) == 1


def test_a_file_that_was_changed_after_it_was_published_is_kept_until_that_is_too(archive: Any) -> None:
    execution = archive.ended()
    archive.publish()
    path = archive.layout.record(execution)
    path.write_bytes(archive.data(archive.ran(archive.make(id=execution.id), Outcome.FAILED)))
    assert remove(archive) == 0
    assert path.exists()
    archive.publish()
    assert remove(archive) == 1
    assert archive.table() == archive.rebuilt()


def test_a_double_goes_too(archive: Any) -> None:
    execution = archive.ended()
    archive.rival({archive.path(execution): archive.data(execution).replace(b'"alpha"', b'"beta"')})
    archive.publish()
    assert remove(archive) == 1
    assert not archive.layout.record(execution).exists()
    assert len(archive.branch()) == 2
    assert archive.table() == archive.rebuilt()


def test_removal_goes_in_steps(archive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    for number in range(5):
        archive.ended(trigger_time=SLOT + timedelta(seconds=number))
    archive.publish()
    assert [remove(archive) for _ in range(4)] == [2, 2, 1, 0]


def test_work_folders_go_a_while_after_their_executions_ended(archive: Any) -> None:
    old = archive.ended(Outcome.FAILED)
    late = archive.ended(Outcome.FAILED, trigger_time=LATER)
    waiting = archive.make()
    archive.write(waiting)
    claimed = archive.ended(Outcome.FAILED)
    claims.take(archive.layout, claimed.id, Claim(claimed.id, "r", "b", 1, 1, "alpha"))
    unknown = archive.make()
    for execution in (old, late, waiting, claimed, unknown):
        folder = archive.layout.work_of(execution.id)
        (folder / "closed").mkdir(parents=True)
        (folder / "closed").chmod(0o500)
        os.utime(folder, (SLOT.timestamp(), SLOT.timestamp()))
    (archive.layout.work / "notes").mkdir()
    assert retention.remove_work(archive.index, archive.layout, SLOT + retention.WORK_KEPT) == 2
    left = sorted(path.name for path in archive.layout.work.iterdir())
    assert left == sorted([late.id, waiting.id, claimed.id, "notes"])


def test_there_may_be_no_work_folders_yet(archive: Any) -> None:
    assert retention.remove_work(archive.index, archive.layout, LATER) == 0


def test_a_killed_writers_leftovers_are_swept_where_writers_write(archive: Any) -> None:
    execution = archive.ended()
    now = SLOT + timedelta(hours=3)
    places = [
        archive.layout.record(execution).parent,
        archive.layout.claims,
        archive.layout.requests,
        archive.layout.state,
    ]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        (place / ".a.json.1.2.tmp").write_text("half")
        os.utime(place / ".a.json.1.2.tmp", (SLOT.timestamp(), SLOT.timestamp()))
    work = archive.layout.work_of(execution.id)
    work.mkdir(parents=True)
    (work / ".a.json.1.2.tmp").write_text("a script's own")
    os.utime(work / ".a.json.1.2.tmp", (SLOT.timestamp(), SLOT.timestamp()))
    (places[0] / ".b.json.1.2.tmp").write_text("being written")
    assert retention.sweep(archive.layout, now) == 4
    assert (work / ".a.json.1.2.tmp").exists()
    assert (places[0] / ".b.json.1.2.tmp").exists()
    assert records.refresh(archive.index, archive.layout, SLOT).faults == {}
