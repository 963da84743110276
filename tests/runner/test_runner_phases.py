"""Attempts and time: retries, delays, timeouts, cancelling, and how scripts are stopped (SPEC 5, 10)."""

import json
import os
import signal
from datetime import timedelta
from typing import Any

import pytest

from reconciler.runner import attempt, cancel
from reconciler.store import claims
from reconciler.workflow import Phase

SOON = timedelta(milliseconds=10)
FLAKY = 'echo try $PROCCTL_ATTEMPT; [ "$PROCCTL_ATTEMPT" = 3 ] && exit 0; echo "not yet" >&2; exit 9'


def test_a_phase_is_tried_again_as_often_as_it_says(bench: Any) -> None:
    ran = bench.run(Phase("A", bench.sh(FLAKY), retries=2, delay=SOON))
    assert ran.record["outcome"] == "success"
    assert ran.phase["attempts"] == 3
    assert "exitCode" not in ran.phase
    why = "A failed: exit code 9: not yet"
    assert sorted(ran.log) == sorted(
        [
            "info try 1",
            "warn not yet",
            f"warn {why} (attempt 1 of 3, the next one in 0.010s)",
            "info try 2",
            "warn not yet",
            f"warn {why} (attempt 2 of 3, the next one in 0.010s)",
            "info try 3",
            "info Completed A",
        ]
    )


def test_the_last_attempt_decides(bench: Any) -> None:
    ran = bench.run(Phase("A", bench.sh(FLAKY), retries=1, delay=SOON), Phase("B", bench.sh(":", "b.sh")))
    assert ran.told == [("A", "failed", "A failed: exit code 9: not yet")]
    assert (ran.phase["attempts"], ran.phase["exitCode"], ran.record["notRun"]) == (2, 9, ["B"])


def test_a_failed_attempt_leaves_no_outputs(bench: Any) -> None:
    report = 'echo "{\\"output\\": {\\"n$PROCCTL_ATTEMPT\\": 1}}" >> "$PROCCTL_REPORT"; [ $PROCCTL_ATTEMPT = 2 ]'
    ran = bench.run(
        Phase("A", bench.sh(report, "a.sh"), retries=1, delay=SOON),
        Phase("B", bench.sh('cat "$PROCCTL_INPUT"', "b.sh")),
    )
    given = json.loads(ran.log_of("B")[0].removeprefix("info "))
    assert given["outputs"] == {"A": {"n2": 1}}


def test_what_cannot_be_run_is_not_tried_again(bench: Any) -> None:
    ran = bench.run(Phase("A", "processes/scripts/gone.sh", retries=5, delay=timedelta(hours=1)))
    assert ran.record["outcome"] == "failed"
    assert "attempts" not in ran.phase


def test_a_phase_that_takes_too_long_is_stopped(bench: Any) -> None:
    script = bench.sh("trap 'echo bye; exit 0' TERM; echo hi; sleep 60 & wait")
    ran = bench.run(Phase("A", script, timeout=timedelta(seconds=1)), Phase("B", script))
    message = "A failed: timed out after 1s"
    assert (ran.record["status"], ran.record["outcome"], ran.record["message"]) == ("failed", "timeout", message)
    assert ran.log == ["info hi", "info bye", f"fatal {message}"]
    assert ran.record["notRun"] == ["B"]


def test_a_timeout_is_a_failure_that_is_tried_again(bench: Any) -> None:
    script = bench.sh("[ $PROCCTL_ATTEMPT = 2 ] || exec sleep 60")
    ran = bench.run(Phase("A", script, retries=1, delay=SOON, timeout=timedelta(seconds=1)))
    assert (ran.record["outcome"], ran.phase["attempts"]) == ("success", 2)


def test_the_whole_execution_has_a_time_as_well(bench: Any) -> None:
    phases = (Phase("A", bench.sh(":", "a.sh")), Phase("B", bench.sh("sleep 60", "b.sh"), retries=3))
    ran = bench.run(*phases, timeout=timedelta(seconds=1))
    message = "Timed out after 1s"
    assert (ran.record["outcome"], ran.record["message"]) == ("timeout", message)
    assert ran.told == [("A", "success", "Completed A"), ("B", "failed", message)]


def test_time_is_up_while_waiting_for_the_next_attempt(bench: Any) -> None:
    phase = Phase("A", bench.sh("exit 1"), retries=1, delay=timedelta(hours=1))
    ran = bench.run(phase, timeout=timedelta(seconds=1))
    assert (ran.record["outcome"], ran.record["message"]) == ("timeout", "Timed out after 1s")


def test_who_does_not_listen_is_killed(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "GRACE", 0.3)
    script = bench.sh("trap '' TERM; echo deaf; while :; do sleep 0.1; done")
    ran = bench.run(Phase("A", script, timeout=timedelta(seconds=1)))
    assert ran.record["outcome"] == "timeout"
    assert ran.phase["exitCode"] == -signal.SIGKILL


def test_what_a_script_began_has_the_same_time_to_stop_as_the_script(bench: Any) -> None:
    """A shell ends at once; the program it waits for cleans up first, even where it holds no pipe."""
    inner = bench.sh("trap 'sleep 0.5; echo clean > \"$PROCCTL_DATA/clean\"; exit' TERM; sleep 60 & wait", "inner.sh")
    outer = bench.sh(f'"$PROCCTL_TREE/{inner.rpartition("/")[2]}" >/dev/null 2>&1; echo never')
    ran = bench.run(Phase("A", outer, timeout=timedelta(seconds=1)))
    assert ran.record["outcome"] == "timeout"
    assert (bench.layout.data_of("ECB_FX") / "clean").read_text() == "clean\n"


def test_a_stopped_script_can_be_stopped_for_good(bench: Any) -> None:
    ran = bench.run(Phase("A", bench.sh("kill -STOP $$"), timeout=timedelta(milliseconds=200)))
    assert ran.record["outcome"] == "timeout"


def cancelled(bench: Any, *phases: Any, when: Any, user: str | None = "ada") -> Any:
    """Cancel an execution once its record answers ``when``."""
    job = bench.job(*phases)
    pid = bench.start(job)
    bench.until(lambda: when(bench.record(job)))
    if user is None:
        os.kill(pid, signal.SIGTERM)
    else:
        claim = claims.read(bench.layout, job.id)
        assert claim is not None
        assert cancel.cancel(bench.layout, claim, user)
    return bench.wait(pid, job)


def begun(record: Any) -> bool:
    return bool(record["status"] == "running")


def test_cancel_stops_the_script_and_says_who_did(bench: Any) -> None:
    ran = cancelled(bench, bench.sh("exec sleep 60"), bench.sh(":", "b.sh"), when=begun)
    record = ran.record
    assert (record["status"], record["outcome"], record["message"]) == ("failed", "cancelled", "Cancelled by ada")
    assert ran.told == [("MAIN", "failed", "Cancelled by ada")]
    assert ran.log_of("MAIN") == ["fatal Cancelled by ada"]
    assert list(bench.layout.claims.iterdir()) == []


def test_a_bare_signal_cancels_too(bench: Any) -> None:
    ran = cancelled(bench, bench.sh("exec sleep 60"), when=begun, user=None)
    assert (ran.record["outcome"], ran.record["message"]) == ("cancelled", "Cancelled by a signal")


def test_a_cancel_that_comes_too_late_for_a_phase_holds_back_the_next(bench: Any) -> None:
    """The script itself cancels its execution and ends well: what ran has run, and nothing more begins."""
    first = bench.sh("kill -TERM $PPID; trap '' TERM; sleep 0.05", "first.sh")
    ran = bench.run(Phase("A", first), Phase("B", bench.sh(":", "b.sh")))
    assert ran.record["outcome"] == "cancelled"
    assert ran.record["notRun"] == ["B"]


def test_cancel_does_not_wait_for_the_next_attempt(bench: Any) -> None:
    phase = Phase("A", bench.sh("exit 1"), retries=9, delay=timedelta(hours=1))
    ran = cancelled(bench, phase, when=lambda record: any(phase["log"] for phase in record["phases"]))
    assert ran.record["outcome"] == "cancelled"
    assert "attempts" not in ran.phase


def test_a_name_that_would_steer_a_terminal_is_made_harmless(bench: Any) -> None:
    ran = cancelled(bench, bench.sh("exec sleep 60"), when=begun, user="a\x1b[2Jda\nb" + "x" * 900)
    assert ran.record["message"].startswith("Cancelled by ada bxxx")
    assert len(ran.record["message"]) < 300


def test_nobody_cancels_what_does_not_run(bench: Any) -> None:
    boot_id, _, _ = claims.mine()
    job = bench.job(bench.sh(":"))
    claim = claims.Claim(job.id, str(job.record), boot_id, 2**22 - 1, 5, "here")
    assert not cancel.cancel(bench.layout, claim, "ada")
    assert not bench.layout.claims.exists()


def test_hangup_and_the_starters_death_do_not_end_a_runner(bench: Any) -> None:
    job = bench.job(bench.sh('while ! [ -e "$PROCCTL_DATA/go" ]; do sleep 0.02; done'))
    pid = bench.start(job)
    bench.until(lambda: begun(bench.record(job)))
    assert os.getsid(pid) == pid
    os.kill(pid, signal.SIGHUP)
    bench.until(bench.layout.data_of("ECB_FX").exists)
    (bench.layout.data_of("ECB_FX") / "go").touch()
    assert bench.wait(pid, job).record["outcome"] == "success"


def test_the_record_shows_what_happens_while_it_happens(bench: Any) -> None:
    script = bench.sh(
        'echo one; echo \'{"message": "half way"}\' >> "$PROCCTL_REPORT"\n'
        'while ! [ -e "$PROCCTL_DATA/go" ]; do sleep 0.02; done'
    )
    job = bench.job(Phase("A", script))
    pid = bench.start(job)

    def shown() -> Any:
        (phase,) = bench.record(job).get("phases", [{}]) or [{}]
        return phase if phase.get("message") == "half way" else None

    phase = bench.until(shown)
    assert phase["status"] == "running"
    assert [line.partition("[UTC] ")[2] for line in phase["log"]] == ["info one"]
    assert bench.record(job)["message"] == "half way"
    (bench.layout.data_of("ECB_FX") / "go").touch()
    ran = bench.wait(pid, job)
    assert ran.told == [("A", "success", "Completed A")]


def test_the_next_phase_is_shown_as_it_begins(bench: Any) -> None:
    wait = bench.sh('while ! [ -e "$PROCCTL_DATA/go" ]; do sleep 0.02; done', "wait.sh")
    job = bench.job(Phase("A", bench.sh(":", "a.sh")), Phase("B", wait))
    pid = bench.start(job)
    record = bench.until(lambda: (seen := bench.record(job))["message"] == "Initialising Phase: B" and seen)
    assert [(phase["name"], phase["status"]) for phase in record["phases"]] == [("A", "success"), ("B", "running")]
    (bench.layout.data_of("ECB_FX") / "go").touch()
    assert bench.wait(pid, job).record["outcome"] == "success"


def test_a_script_that_heeds_the_first_signal_is_not_waited_for(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The grace is longer than a test may take, so a runner that let it pass would not come back."""
    monkeypatch.setattr(attempt, "GRACE", 3600)
    ran = cancelled(bench, bench.sh("exec sleep 3600"), when=begun)
    assert ran.record["outcome"] == "cancelled"
