"""The index follows the record files: what was created, changed or removed, whoever did it."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.execution import Outcome, running
from reconciler.store import records as record_files
from reconciler.sync import records

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
SLOT = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)


def refresh(archive: Any, since: datetime = LONG_AGO) -> records.Found:
    return records.refresh(archive.index, archive.layout, since)


def test_a_record_that_another_process_made_is_found(archive: Any) -> None:
    execution = archive.make()
    record_files.create(archive.layout, execution)
    assert refresh(archive).count == 1
    assert archive.index.execution(execution.id).execution == execution
    assert refresh(archive).count == 0


def test_what_runs_is_followed_to_its_end_however_old_its_folder_is(archive: Any) -> None:
    execution = archive.make()
    archive.write(execution)
    begun = running(execution, SLOT, host="alpha", run_as="ada")
    record_files.write(archive.layout, begun, durable=False)
    future = datetime.now(UTC) + timedelta(days=300)
    assert refresh(archive, future).count == 1
    assert archive.index.active("production")[0].execution == begun
    record_files.write(archive.layout, archive.ran(execution), durable=False)
    assert refresh(archive, future).count == 1
    assert archive.index.active("production") == []


def test_only_folders_changed_since_then_are_looked_into(archive: Any) -> None:
    old, new = archive.make(name="OLD"), archive.make(name="NEW")
    for execution in (old, new):
        record_files.create(archive.layout, execution)
    os.utime(archive.layout.record(old).parent, (SLOT.timestamp(), SLOT.timestamp()))
    assert refresh(archive, SLOT + timedelta(hours=1)).count == 1
    assert archive.index.execution(new.id) is not None
    assert archive.index.execution(old.id) is None
    assert refresh(archive, SLOT).count == 1


def test_only_days_from_the_day_before_are_looked_into(archive: Any) -> None:
    days = [SLOT - timedelta(days=number) for number in range(4)]
    for at in days:
        record_files.create(archive.layout, archive.make(trigger_time=at))
    assert refresh(archive, SLOT - timedelta(days=1)).count == 3


def test_foreign_and_truncated_files_are_reported_and_harm_no_neighbour(archive: Any) -> None:
    good = archive.make()
    record_files.create(archive.layout, good)
    folder = archive.layout.record(good).parent
    (folder / "163000-00000000.json").write_text('{"foreign": tr')
    (folder / "163000-11111111.json").write_text("{}")
    (folder / "163000-22222222.json").symlink_to("/etc/passwd")
    (folder / "163000-33333333.json").mkdir()
    found = refresh(archive)
    assert found.count == 1
    assert sorted(found.faults) == [f"2021/07/01/ECB_FX/163000-{digit * 8}.json" for digit in "01"]
    assert all(found.faults.values())
    for name in ("00000000", "11111111", "22222222"):
        (folder / f"163000-{name}.json").unlink()
    (folder / "163000-33333333.json").rmdir()


def test_a_record_that_broke_later_keeps_its_last_whole_state(archive: Any) -> None:
    execution = archive.make()
    path = archive.write(execution)
    path.write_bytes(path.read_bytes()[:50])
    assert list(refresh(archive).faults) == [archive.path(execution)]
    assert archive.index.execution(execution.id).execution == execution
    path.unlink()


def test_a_record_that_was_removed_by_hand_is_forgotten_unless_it_still_tells_something(archive: Any) -> None:
    waiting = archive.make()
    ended = archive.ended()
    published = archive.ended()
    archive.write(waiting)
    archive.index.mark_published({archive.path(published): archive.path(published)})
    for execution in (waiting, ended, published):
        archive.layout.record(execution).unlink()
    refresh(archive)
    assert archive.index.execution(waiting.id) is None
    assert archive.index.execution(ended.id).mtime_ns == 0
    assert archive.index.execution(published.id).mtime_ns == 0
    assert refresh(archive).count == 0


def test_the_branch_and_a_file_that_was_edited_since_are_two_records(archive: Any) -> None:
    execution = archive.ended(Outcome.FAILED)
    archive.publish()
    record_files.write(archive.layout, archive.ran(archive.make(id=execution.id)), durable=False)
    refresh(archive)
    path = archive.path(execution)
    assert archive.paths() == {path: True, path.replace(".json", "~alpha.json"): False}
    assert archive.table() == archive.rebuilt()
    archive.publish()
    assert archive.table() == archive.rebuilt()
    assert len(archive.branch()) == 2


def test_records_of_all_environments_are_in_the_index(archive: Any) -> None:
    record_files.create(archive.layout, archive.make(environment="staging"))
    assert refresh(archive).count == 1
    assert archive.index.active("production") == []
    assert len(archive.index.active("staging")) == 1


def test_an_empty_repository_has_nothing_to_refresh(archive: Any) -> None:
    found = refresh(archive)
    assert (found.count, found.faults) == (0, {})
