"""Rebuilt = live: whatever happened to records, a new index from branch and files is the one that lived through it."""

import contextlib
import random
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.execution import Execution, Gap, Outcome, change_phase, finish, running, start_phase
from reconciler.store.index import Index
from reconciler.sync import publishing, records, retention

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
SLOT = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)
NOW = datetime(2021, 7, 30, tzinfo=UTC)


@dataclass
class Life:
    """Things that happen to the records of a repository, one after the other."""

    archive: Any
    chance: random.Random
    waiting: list[Execution] = field(default_factory=list)
    running: list[Execution] = field(default_factory=list)
    ended: list[Execution] = field(default_factory=list)
    slots: int = 0

    def create(self) -> None:
        self.slots += 1
        at = SLOT + timedelta(hours=7 * self.slots)
        chosen = {"name": self.chance.choice(["ECB_FX", "TEST"]), "trigger_time": at}
        chosen["environment"] = self.chance.choice(["production", "production", "staging"])
        execution = self.archive.make(id=f"{self.chance.getrandbits(32):08x}-f2a1-4cba-87d4-b46e0f8e40b6", **chosen)
        self.archive.write(execution)
        self.waiting.append(execution)

    def begin(self) -> None:
        if self.waiting:
            execution = self.waiting.pop()
            self.running.append(running(execution, execution.trigger_time, host="alpha", run_as="ada"))
            self.archive.write(self.running[-1])

    def end(self) -> None:
        if self.running:
            execution = start_phase(self.running.pop(), "MAIN", SLOT)
            execution = change_phase(execution, 0, log=("a “log”\n",))
            outcome = self.chance.choice([Outcome.SUCCESS, Outcome.FAILED, Outcome.TIMEOUT])
            at = execution.trigger_time + timedelta(seconds=self.chance.randrange(100))
            self.ended.append(finish(execution, outcome, at, None if outcome is Outcome.SUCCESS else "it failed"))
            self.archive.write(self.ended[-1])

    def miss(self) -> None:
        self.slots += 1
        at = SLOT + timedelta(hours=7 * self.slots)
        gap = Gap(at, at + timedelta(minutes=9), 2, (at, at + timedelta(minutes=9)))
        waiting = self.archive.make(trigger_time=at, gap=gap)
        self.archive.write(finish(waiting, Outcome.MISSED, at + timedelta(hours=1), "Missed: nothing was reconciling"))

    def publish(self) -> None:
        self.archive.publish()

    def clash(self) -> None:
        """Another machine ran the same execution, and published it first."""
        rows = self.archive.index.unpublished("production", 1)
        if rows and not rows[0].double:
            theirs = rows[0].text.replace('"alpha"', '"beta"').encode()
            self.archive.rival({rows[0].path: theirs})
            self.archive.publish()

    def age(self) -> None:
        before = SLOT + timedelta(hours=7 * self.chance.randrange(self.slots + 1))
        retention.remove_records(self.archive.index, self.archive.layout, self.archive.repo, before)

    def lose(self) -> None:
        """Somebody deletes a published record's file by hand."""
        published = [row for row in self.archive.index.executions(limit=-1) if row.published and row.mtime_ns]
        if published:
            self.archive.layout.below(self.chance.choice(published).path).unlink()
            records.refresh(self.archive.index, self.archive.layout, LONG_AGO)


@pytest.mark.parametrize("seed", range(4))
def test_a_rebuilt_index_equals_the_one_that_lived(archive: Any, seed: int) -> None:
    life = Life(archive, random.Random(seed))  # noqa: S311 - a story to tell again, no secret
    events = [life.create] * 4 + [life.begin] * 4 + [life.end] * 4 + [life.miss, life.publish, life.clash, life.age]
    events.append(life.lose)
    for step in range(60):
        life.chance.choice(events)()
        if step % 12 == 11:
            assert archive.table() == archive.rebuilt()
            assert records.refresh(archive.index, archive.layout, LONG_AGO).count == 0
    while archive.publish().count:
        pass
    assert archive.table() == archive.rebuilt()
    assert archive.index.count("published = 1 AND environment = 'production'") > 5


def test_a_rebuild_keeps_what_is_only_on_the_branch_and_what_is_only_in_files(archive: Any) -> None:
    published, ended, waiting = archive.ended(), archive.ended(), archive.make()
    archive.write(waiting)
    archive.index.mark_published({archive.path(ended): archive.path(ended)})  # keep it from the branch
    archive.publish()
    archive.layout.record(published).unlink()
    fresh = Index.build(archive.layout.index, environment="production", release="1")
    with contextlib.closing(fresh):
        found = records.rebuild(fresh, archive.layout, archive.repo)
        assert found.count == 3
        rows = {row.execution.id: row for row in fresh.executions(limit=-1)}
    assert (rows[published.id].published, rows[published.id].mtime_ns) == (True, 0)
    assert (rows[ended.id].published, rows[ended.id].mtime_ns > 0) == (False, True)
    assert rows[waiting.id].execution == waiting


def test_a_rebuild_starts_from_the_remotes_branch_where_there_is_no_other(archive: Any) -> None:
    execution = archive.ended()
    archive.publish()
    git = archive.repo.git.run
    git("update-ref", "refs/remotes/origin/executions", "refs/heads/executions")
    git("update-ref", "-d", "refs/heads/executions")
    shutil.rmtree(archive.layout.records)
    records.rebuild(archive.index, archive.layout, archive.repo)
    assert archive.paths() == {archive.path(execution): True}


def test_foreign_files_on_the_branch_and_in_folders_are_reported(archive: Any) -> None:
    good = archive.ended()
    foreign = archive.path(archive.make())
    archive.rival({foreign: b'{"foreign": tr', "state/production.json": b"{}", "2021/notes.json": b"{}"})
    path = archive.layout.record(archive.make(name="TEST"))
    path.parent.mkdir(parents=True)
    path.write_text("foreign")
    found = records.rebuild(archive.index, archive.layout, archive.repo)
    assert set(archive.paths()) == {archive.path(good)}
    assert set(found.faults) == {foreign, "2021/notes.json", str(path.relative_to(archive.layout.records))}
    path.unlink()


def test_an_index_is_filled_when_a_rebuild_has_ended_and_not_before(
    archive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.ended()
    assert not archive.index.filled
    records.rebuild(archive.index, archive.layout, archive.repo)
    assert archive.index.filled

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(records, "note", fail)
    with pytest.raises(KeyboardInterrupt):
        records.rebuild(archive.index, archive.layout, archive.repo)
    assert not archive.index.filled


def test_records_are_published_after_a_rebuild_as_before(archive: Any) -> None:
    archive.ended()
    archive.publish()
    records.rebuild(archive.index, archive.layout, archive.repo)
    second = archive.ended()
    assert archive.publish().count == 1
    assert archive.branch()[archive.path(second)] == archive.data(second)
    assert len(archive.branch()) == 2
    assert publishing.BATCH == 500
