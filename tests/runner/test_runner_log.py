"""Logs with limits: the first and last parts in the record, the whole beside it, and memory that does not grow."""

import errno
import os
import resource
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.runner import log
from reconciler.runner.log import PhaseLog, WholeLog
from reconciler.workflow import Phase

COUNT = "i=0; while [ $i -lt {0} ]; do echo line $i; i=$((i+1)); done"


def sizes(lines: tuple[str, ...]) -> tuple[int, int]:
    return len(lines), sum(len(line.encode()) for line in lines)


@pytest.mark.parametrize("count", [1, 999, 1000])
def test_what_fits_is_kept_whole(count: int) -> None:
    phase = PhaseLog()
    lines = [f"line {number}" for number in range(count)]
    assert phase.add(lines) == []
    assert phase.lines("") == tuple(lines)


@pytest.mark.parametrize("count", [1001, 1002, 5000])
def test_of_more_lines_the_first_and_the_last_stay(count: int) -> None:
    phase = PhaseLog()
    lines = [f"line {number}" for number in range(count)]
    dropped = phase.add(lines)
    shown = phase.lines("see there")
    assert len(shown) == log.LINES
    assert shown[:500] == tuple(lines[:500])
    assert shown[500] == f"[{count - 999} lines left out, see there]"
    assert shown[501:] == tuple(lines[-499:])
    assert list(phase.around(dropped)) == lines


@pytest.mark.parametrize("line", ["x" * 16_000, "ü" * 16_000, "x" * 100, "☃" * 333])
def test_bytes_are_limited_too(line: str) -> None:
    phase = PhaseLog()
    for number in range(3000):
        phase.add([f"{number:04} {line}"])
    count, size = sizes(phase.lines("see the .log beside the record"))
    assert count <= log.LINES
    assert size <= log.BYTES
    assert size > log.BYTES * 0.8 or count == log.LINES
    assert phase.lines("")[0].startswith("0000")
    assert phase.lines("")[-1].startswith("2999")


def test_a_flood_is_counted_without_being_looked_at() -> None:
    slow, fast = PhaseLog(), PhaseLog()
    for phase in (slow, fast):
        phase.add([f"> {number}" for number in range(1200)])
    block = "".join(f"{number}\n" for number in range(5000))
    slow.add([f"> {number}" for number in range(5000)])
    fast.add_last("> ", block)
    assert slow.lines("") == fast.lines("")


def test_a_log_of_a_thousand_lines_has_no_file_beside_the_record(bench: Any) -> None:
    ran = bench.run(bench.sh(COUNT.format(999)))
    assert len(ran.log) == 1000
    assert not ran.whole.exists()


def test_a_longer_one_is_whole_in_a_file_of_its_own(bench: Any) -> None:
    ran = bench.run(
        Phase("A", bench.sh("echo first", "a.sh")),
        Phase("B", bench.sh(COUNT.format(1500), "b.sh")),
        Phase("C", bench.sh("echo last", "c.sh")),
    )
    whole = [line.partition("[UTC] ")[2] for line in ran.whole.read_text().splitlines()]
    assert whole == [
        "info Initialising Phase: A",
        "info first",
        "info Completed A",
        "info Initialising Phase: B",
        *(f"info line {number}" for number in range(1500)),
        "info Completed B",
        "info Initialising Phase: C",
        "info last",
        "info Completed C",
    ]
    shown = ran.log_of("B")
    assert len(shown) == 1000
    assert shown[500] == "[502 lines left out, see the .log beside the record]"
    assert shown[499:502:2] == ["info line 499", "info line 1002"]
    assert shown[-1] == "info Completed B"


def test_the_whole_log_ends_at_its_limit_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "WHOLE_BYTES", 1_048_576)
    whole = WholeLog(tmp_path / "a.log")
    whole.begin(["x" * 1023] * 4)
    for _ in range(1100):
        whole.write(["y" * 1023])
    assert whole.full
    lines = (tmp_path / "a.log").read_text().splitlines()
    assert lines[:-1] == ["x" * 1023] * 4 + ["y" * 1023] * 1020
    assert lines[-1] == "[the rest is left out: a log holds 1 MiB at most]"


def test_a_whole_log_that_cannot_be_made_is_told_and_harms_nothing(tmp_path: Path) -> None:
    whole = WholeLog(tmp_path / "missing" / "a.log")
    whole.begin(["x"])
    whole.write(["y"])
    whole.flush()
    whole.close()
    assert whole.full
    assert whole.where == f"and the .log beside the record lacks some: {os.strerror(errno.ENOENT)}"


def test_a_whole_log_never_follows_a_symlink(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine")
    (tmp_path / "a.log").symlink_to(tmp_path / "target")
    WholeLog(tmp_path / "a.log").begin(["x"])
    assert (tmp_path / "target").read_text() == "mine"


def test_a_full_disk_ends_the_whole_log_and_not_the_work(bench: Any) -> None:
    """The limit of this process and its children on the size of a file stands for a disk without room."""
    script = bench.sh(COUNT.format(30_000))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, before[1]))
        ran = bench.run(script)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert ran.record["status"] == "success"
    assert any("and the .log beside the record lacks some: File too large]" in line for line in ran.log)


@pytest.mark.parametrize(
    ("flood", "lines"),
    [("yes", 512 * 2**20), ("cat /dev/zero", 0)],
)
def test_a_gigabyte_does_not_fill_the_memory(bench: Any, flood: str, lines: int) -> None:
    job = bench.job(Phase("A", bench.sh(f"{flood} | head -c 1073741824; sleep 0.6; echo end")))
    pid = bench.start(job)
    peak = 0

    def ended() -> bool:
        nonlocal peak
        peak = max(peak, memory(pid))
        return not (bench.layout.claim(job.id).exists() or bench.record(job)["status"] == "triggered")

    began = memory(pid)
    deadline = time.monotonic() + 100
    while not ended():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    ran = bench.wait(pid, job)
    assert ran.record["status"] == "success"
    assert ran.log[-2:] == ["info end", "info Completed A"]
    assert len(ran.log) <= log.LINES
    assert (ran.whole.stat().st_size if ran.whole.exists() else 0) <= log.WHOLE_BYTES + 100
    assert peak - began < 40 * 2**20
    if lines:
        (left_out,) = [line for line in ran.log if "lines left out" in line]
        assert int(left_out[1:].split()[0]) == lines + 2 - (log.LINES - 1)


def memory(pid: int) -> int:
    """Anonymous memory of a process, in bytes."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024 if "RssAnon:" in status else 0
