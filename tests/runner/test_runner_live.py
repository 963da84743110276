"""When the record is written while it is worked on, and what a write that fails does to it."""

import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.execution import Outcome, Status
from reconciler.runner import live
from reconciler.runner.live import LiveRecord
from reconciler.store import records

NOW = 1_625_157_007_858_000_000


class Clock:
    """The time a record believes in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.pass_)

    def pass_(self, seconds: float) -> None:
        self.now += seconds


class Subject:
    """A live record, and how often its file was replaced."""

    def __init__(self, bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock(monkeypatch)
        self.job = bench.job("processes/scripts/a.sh")
        self.live = LiveRecord(bench.layout, records.read(self.job.record))
        self.live.begin("A", NOW, host="here", user="ada")
        self.live.publish()
        self.writes = 0
        self._seen = self.stamp()

    def stamp(self) -> int:
        inode: int = self.job.record.stat().st_ino
        return inode

    def tick(self) -> bool:
        """Tick, and say whether the file was replaced."""
        self.live.tick()
        before, self._seen = self._seen, self.stamp()
        return before != self._seen

    def shown(self) -> list[str]:
        (phase,) = records.read(self.job.record).phases
        return [line.partition("[UTC] ")[2] for line in phase.log]


@pytest.fixture
def subject(bench: Any, monkeypatch: pytest.MonkeyPatch) -> Subject:
    return Subject(bench, monkeypatch)


def test_new_lines_are_shown_at_most_twice_a_second(subject: Subject) -> None:
    writes = 0
    for number in range(100):
        subject.live.block(0, "info", f"line {number}\n", NOW)
        writes += subject.tick()
        subject.clock.pass_(0.02)
    assert writes in {3, 4}  # in two seconds


def test_without_news_nothing_is_written(subject: Subject) -> None:
    subject.clock.pass_(60)
    assert not subject.tick()
    subject.live.change_phase(0, message="half way")
    assert subject.tick()
    assert records.read(subject.job.record).message == "half way"


def test_a_record_that_takes_long_to_write_is_written_less_often(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = records.write

    def slow(*given: Any, durable: bool) -> None:
        subject.clock.pass_(0.1)
        write(*given, durable=durable)

    monkeypatch.setattr(records, "write", slow)
    subject.live.log(0, "info", "a", NOW)
    subject.clock.pass_(1)
    assert subject.tick()
    subject.live.log(0, "info", "b", NOW)
    subject.clock.pass_(1)
    assert not subject.tick()
    subject.clock.pass_(1.1)
    assert subject.tick()


def blocked(subject: Subject) -> Path:
    """Put a file where the record's folder was: every write fails, truly, whoever asks."""
    folder: Path = subject.job.record.parent
    folder.rename(folder.with_name("aside"))
    folder.write_text("in the way")
    return folder


def unblock(folder: Path) -> None:
    folder.unlink()
    folder.with_name("aside").rename(folder)


def test_a_write_that_fails_is_made_up_for_by_the_next(subject: Subject) -> None:
    folder = blocked(subject)
    subject.live.log(0, "info", "a", NOW)
    subject.clock.pass_(1)
    subject.live.tick()
    subject.live.publish()
    unblock(folder)
    assert subject.shown() == []
    subject.clock.pass_(1)
    subject.live.tick()
    assert subject.shown() == ["info a"]


def test_the_end_waits_for_room(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = blocked(subject)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 6:
            unblock(folder)

    monkeypatch.setattr(time, "sleep", sleep)
    subject.live.finish(Outcome.SUCCESS, None, (), NOW)
    assert tuple(waited) == live.END_RETRIES[:6]
    execution = records.read(subject.job.record)
    assert (execution.status, execution.outcome) == (Status.SUCCESS, Outcome.SUCCESS)
    assert execution.phases[0].log == ("[the log is left out: the disk is full]",)


def test_it_gives_up_in_the_end(subject: Subject) -> None:
    folder = blocked(subject)
    before = subject.clock.now
    with pytest.raises(NotADirectoryError):
        subject.live.finish(Outcome.SUCCESS, None, (), NOW)
    assert subject.clock.now - before == pytest.approx(sum(live.END_RETRIES))
    unblock(folder)
    assert records.read(subject.job.record).status is Status.RUNNING


def test_an_end_closes_what_still_ran(subject: Subject) -> None:
    subject.live.finish(Outcome.TIMEOUT, "Timed out after 1m", ("B",), NOW)
    execution = records.read(subject.job.record)
    assert [(phase.status, phase.message) for phase in execution.phases] == [(Status.FAILED, "Timed out after 1m")]
    assert (execution.message, execution.not_run) == ("Timed out after 1m", ("B",))
