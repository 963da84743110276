"""What a foreground run prints: each change once, whatever is looked at how often."""

import io
import os
import signal
from dataclasses import replace

from reconciler import execution as steps
from reconciler import instant
from reconciler.cli import interrupts
from reconciler.cli.progress import Progress
from reconciler.execution import Execution, Outcome, Status, Trigger

AT = instant.parse("2021-07-01T16:30:00Z")
LINE = "2021-07-01T16:30:00.000000000Z[UTC]"
TRIGGERED = Execution(
    id="05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6",
    service="ETL",
    name="ECB_FX",
    environment="production",
    trigger=Trigger.MANUAL,
    reason="manual(ada)",
    trigger_time=AT,
    version=3,
    commit="1234567890ab" + "0" * 28,
)


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def begun() -> Execution:
    return steps.start_phase(steps.running(TRIGGERED, AT, host="h", run_as="ada"), "EXTRACT", AT)


def test_each_change_is_printed_once() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.begin(TRIGGERED)
    one = begun()
    for log in ((), (f"{LINE} info first",), (f"{LINE} info first", f"{LINE} warn second", "raw loader line")):
        one = steps.change_phase(one, 0, log=log)
        progress.show(one)
        progress.show(one)
        progress.tick(one)
    done = steps.change_phase(one, 0, status=Status.SUCCESS, message="Completed EXTRACT", end=AT)
    ended = steps.finish(done, Outcome.SUCCESS, AT)
    progress.show(ended)
    progress.end(ended)
    assert stream.getvalue().splitlines() == [
        "ECB_FX version 3 at 1234567890ab in production: 05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6",
        "EXTRACT …",
        "  first",
        "  second",
        "  raw loader line",
        "EXTRACT success in 0s",
        "success in 0s: Completed Successfully",
    ]


def test_an_execution_off_the_history_has_no_version() -> None:
    stream = io.StringIO()
    Progress(stream).begin(replace(TRIGGERED, version=None))
    assert stream.getvalue().startswith("ECB_FX at 1234567890ab in production: ")


def test_a_failure_is_told_on_one_line() -> None:
    stream = io.StringIO()
    Progress(stream).end(steps.finish(begun(), Outcome.TIMEOUT, AT, "took too long\nsecond line\x1b[2J"))
    assert stream.getvalue() == "timeout in 0s: took too long / second line\\x1b[2J\n"


def test_a_log_whose_middle_was_left_out_repeats_nothing() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    long = steps.change_phase(begun(), 0, log=tuple(f"{LINE} info {number}" for number in range(10)))
    progress.show(long)
    progress.show(steps.change_phase(long, 0, log=(f"{LINE} info 0", "[… 8 lines]", f"{LINE} info 9")))
    assert stream.getvalue().count("  0\n") == 1


def test_a_terminal_shows_what_is_waited_for_and_wipes_it() -> None:
    screen = Screen()
    progress = Progress(screen)
    progress.tick(begun())
    progress.say("next")
    moving, permanent = screen.getvalue().split("Initialising Phase: EXTRACT")
    assert moving.startswith("\r\x1b[K")
    assert permanent.startswith("\r\x1b[K")
    assert permanent.endswith("next\n")


def test_signals_are_counted_while_something_is_waited_for_and_then_no_more() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts.listening() as heard:
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert heard.count == 2
    assert signal.getsignal(signal.SIGINT) == before
