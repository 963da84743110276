"""What a script may report, line by line, and how it shows in the record (SPEC 6)."""

import json
from datetime import timedelta
from typing import Any

import pytest

from reconciler.runner import data, places, report
from reconciler.workflow import Phase


def reporting(bench: Any, *lines: Any, then: str = "", name: str = "a.py") -> str:
    """Write a script that reports these lines (texts as they stand, the rest as JSON)."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    code = (
        "import os, sys\nwith open(os.environ['PROCCTL_REPORT'], 'a') as file:\n"
        f"    file.write({chr(10).join(texts) + chr(10)!r})\n{then}\n"
    )
    path: str = bench.script(code, name, 0o644)
    return path


def test_logs_have_levels_and_lines(bench: Any) -> None:
    lines = [{"log": "plain"}, {"log": "deep", "level": "debug"}, {"log": "two\nlines", "level": "fatal"}]
    ran = bench.run(reporting(bench, *lines))
    assert ran.log == ["info plain", "debug deep", "fatal two", "fatal lines", "info Completed MAIN"]


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[1]",
        '"text"',
        "{}",
        '{"unknown": 1}',
        '{"message": 1}',
        '{"message": "x", "unknown": 1}',
        '{"log": "x", "level": "loud"}',
        '{"level": "info"}',
        '{"status": "running"}',
        '{"phase": "A"}',
        '{"phase": "", "status": "running"}',
        '{"phase": "A", "status": "done"}',
        '{"phase": "A\\u001b[2J", "status": "running"}',
        '{"output": [1]}',
        '{"output": {"n": NaN}}',
        '{"exit": 3}',
        '{"data": {}}',
        '{"data": {"series": ["a"]}}',
        '{"data": {"series": {"yesterday": ["a"]}}}',
        '{"data": {"series": {"2021-07-01": [1]}}}',
        '{"data": {"series": {"2021-07-01": [""]}}}',
        '{"data": {"other": {}}}',
        "[" * 10_000,
        '{"output": {"a": ' + "[" * 700 + "]" * 700 + "}}",
    ],
)
def test_what_is_no_report_is_kept_as_a_warning(bench: Any, line: str) -> None:
    ran = bench.run(reporting(bench, line, {"log": "next"}))
    assert ran.record["status"] == "success"
    assert ran.log[1:] == ["info next", "info Completed MAIN"]
    assert ran.log[0].startswith("warn ")
    assert "\x1b" not in ran.log[0]


def test_an_unfinished_last_line_counts(bench: Any) -> None:
    script = bench.sh('printf \'{"log": "a"}\\n\\n  \\n{"log": "b"}\' >> "$PROCCTL_REPORT"')
    assert bench.run(script).log == ["info a", "info b", "info Completed MAIN"]


def test_a_report_written_anew_instead_of_appended_to_counts_too(bench: Any) -> None:
    script = bench.sh('echo \'{"log": "a longer first line"}\' > "$PROCCTL_REPORT"; echo x; sleep 0.7\n'
                      'echo \'{"log": "b"}\' > "$PROCCTL_REPORT"')  # fmt: skip
    assert bench.run(script).log == ["info a longer first line", "info x", "info b", "info Completed MAIN"]


@pytest.mark.parametrize(
    "trick", ['mkfifo "$PROCCTL_REPORT"', 'mkdir "$PROCCTL_REPORT"', 'ln -s /etc/passwd "$PROCCTL_REPORT"']
)
def test_a_report_that_is_no_file_is_left_alone(bench: Any, trick: str) -> None:
    assert bench.run(bench.sh(f"{trick}; echo x")).log == ["info x", "info Completed MAIN"]


def test_a_huge_report_is_read_up_to_its_limit(bench: Any) -> None:
    line = json.dumps({"message": "x" * 1000}) + "\n"
    script = reporting(bench, then=f"open(os.environ['PROCCTL_REPORT'], 'a').write({line!r} * 17_000)")
    ran = bench.run(script)
    assert ran.log[-2:] == [
        "warn the rest of the report is left out: it is longer than 16 MiB",
        "info Completed MAIN",
    ]
    assert report.LIMIT == 16 * 2**20


def test_loader_messages_stand_in_place_of_the_completed_line(bench: Any) -> None:
    quiet = bench.sh(":", "quiet.sh")
    ran = bench.run(Phase("A", quiet), Phase("LOAD", reporting(bench, {"loaderMessage": "Updated 2\nseries"})))
    assert ran.record["loaderMessage"] == "Updated 2 series"
    assert ran.record["phases"][1]["log"] == ["Updated 2 series"]
    assert ran.told[1] == ("LOAD", "success", "Completed LOAD")
    assert ran.log_of("A") == ["info Completed A"]


def test_data_is_merged_sorted_and_unique(bench: Any) -> None:
    first = reporting(bench, {"data": {"series": {"2021-07-02": ["b", "a", "b"]}}}, name="1.py")
    second = reporting(
        bench,
        {"data": {"series": {"2021-07-02": ["c", "a"], "2021-07-01": ["z"]}}},
        {"data": {"curves": {"2021-07-01": ["k"]}, "name": "rates"}},
        name="2.py",
    )
    ran = bench.run(Phase("A", first), Phase("B", second))
    assert ran.record["data"] == {
        "name": "rates",
        "curves": {"2021-07-01": ["k"]},
        "series": {"2021-07-01": ["z"], "2021-07-02": ["a", "b", "c"]},
    }
    assert list(ran.record["data"]) == ["name", "curves", "series"]
    assert list(ran.record["data"]["series"]) == ["2021-07-01", "2021-07-02"]


def test_a_record_names_only_so_much_data() -> None:
    touched = data.Data()
    assert touched.document() is None
    ids = [str(number) for number in range(data.LIMIT)]
    assert touched.add({"series": {"2021-07-01": ids}})
    assert touched.add({"series": {"2021-07-01": ids[:5]}})
    assert not touched.add({"series": {"2021-07-01": ["new"]}})
    document = touched.document()
    assert document is not None
    assert document["series"]["2021-07-01"] == sorted(ids)


@pytest.mark.parametrize("code", [0, 4])
def test_fail_names_the_reason_whatever_the_exit_code(bench: Any, code: int) -> None:
    ran = bench.run(reporting(bench, {"fail": "no rates today"}, then=f"sys.exit({code})"))
    assert ran.record["message"] == "MAIN failed: no rates today"
    assert ran.phase.get("exitCode", 0) == code


def test_fail_is_tried_again_and_abort_is_not(bench: Any) -> None:
    soon = timedelta(milliseconds=10)
    fail = bench.run(Phase("A", reporting(bench, {"fail": "busy"}), retries=1, delay=soon))
    assert (fail.phase["attempts"], fail.record["message"]) == (2, "A failed: busy")
    abort = bench.run(Phase("A", reporting(bench, {"abort": "gone"}), retries=1, delay=soon), Phase("B", "x"))
    assert "attempts" not in abort.phase
    assert (abort.record["outcome"], abort.record["message"]) == ("failed", "A aborted: gone")
    assert abort.record["notRun"] == ["B"]


def test_abort_ends_the_execution_at_once(bench: Any) -> None:
    script = reporting(bench, {"abort": "gone"}, then="import time; time.sleep(60)")
    ran = bench.run(script)
    assert ran.record["message"] == "MAIN aborted: gone"


def test_exit_is_accepted(bench: Any) -> None:
    assert bench.run(reporting(bench, {"exit": "empty"})).log == ["info Completed MAIN"]


def test_one_line_may_say_several_things(bench: Any) -> None:
    ran = bench.run(reporting(bench, {"mask": "s3cret", "log": "with s3cret", "loaderMessage": "and s3cret"}))
    assert ran.log == ["info with ***", "and ***"]


def own(name: str, status: str, **more: str) -> dict[str, str]:
    return {"phase": name, "status": status, **more}


def test_a_script_with_phases_of_its_own_has_no_other(bench: Any) -> None:
    ran = bench.run(
        reporting(
            bench,
            own("GET", "running", message="Getting it"),
            {"log": "in GET"},
            own("GET", "success"),
            own("LOAD", "running"),
            {"loaderMessage": "Updated 1 series"},
            own("LOAD", "success", message="Loaded"),
        )
    )
    assert ran.told == [("GET", "success", "Completed GET"), ("LOAD", "success", "Loaded")]
    assert ran.log_of("GET") == ["info in GET", "info Completed GET"]
    assert ran.log_of("LOAD") == ["Updated 1 series"]


def test_the_next_phase_ends_the_one_before_and_the_end_of_the_script_the_last(bench: Any) -> None:
    ran = bench.run(reporting(bench, own("A", "running"), own("B", "running"), {"log": "in B"}))
    assert ran.told == [("A", "success", "Completed A"), ("B", "success", "Completed B")]
    assert ran.log_of("B") == ["info in B", "info Completed B"]


def test_in_a_workflow_they_stand_below_the_declared_phase(bench: Any) -> None:
    script = reporting(bench, own("X", "running"), own("Y", "success"))
    ran = bench.run(Phase("EXTRACT", script), Phase("LOAD", bench.sh(":")))
    assert [name for name, _, _ in ran.told] == ["EXTRACT/X", "EXTRACT/Y", "LOAD"]


def test_a_phase_of_its_own_that_failed_fails_the_execution(bench: Any) -> None:
    ran = bench.run(reporting(bench, own("A", "failed", message="no rates"), own("B", "success")))
    assert ran.told == [("A", "failed", "A failed: no rates"), ("B", "success", "Completed B")]
    assert (ran.record["status"], ran.record["message"]) == ("failed", "A failed: no rates")


def test_a_script_that_dies_fails_the_phase_it_was_in(bench: Any) -> None:
    ran = bench.run(reporting(bench, own("A", "success"), own("B", "running"), then="sys.exit('disk gone')"))
    assert ran.told == [("A", "success", "Completed A"), ("B", "failed", "B failed: exit code 1: disk gone")]
    assert ran.record["phases"][1]["exitCode"] == 1


def test_another_attempt_goes_on_in_the_same_phases(bench: Any) -> None:
    first = [own("A", "success"), own("B", "failed", message="busy")]
    again = [own("A", "running"), own("A", "success"), own("B", "success")]
    script = bench.script(
        "import json, os\nwith open(os.environ['PROCCTL_REPORT'], 'a') as file:\n"
        f"    for line in ({first!r} if os.environ['PROCCTL_ATTEMPT'] == '1' else {again!r}):\n"
        "        file.write(json.dumps(line) + '\\n')\n",
        "a.py",
    )
    ran = bench.run(Phase("MAIN", script, retries=1, delay=timedelta(milliseconds=10)))
    assert ran.told == [("A", "success", "Completed A"), ("B", "success", "Completed B")]
    assert [phase.get("attempts") for phase in ran.record["phases"]] == [2, 2]


def test_there_is_a_limit_to_phases_of_its_own(bench: Any) -> None:
    ran = bench.run(reporting(bench, *(own(f"P{number}", "running") for number in range(places.LIMIT + 3))))
    assert len(ran.record["phases"]) == places.LIMIT
    assert ran.record["phases"][-1]["log"][0].endswith("is left out: a record has room for 200")


def test_messages_are_one_line_of_bounded_length(bench: Any) -> None:
    ran = bench.run(reporting(bench, {"fail": "a\n\x1b[31mb\x07" + "x" * 5000}))
    assert ran.record["message"].startswith("MAIN failed: a bxxx")
    assert len(ran.record["message"]) < 2100
