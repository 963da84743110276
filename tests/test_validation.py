"""One file's bytes to a document or to problems; the examples have the many cases, this the promises."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.problem import Severity, errors
from reconciler.process import Process
from reconciler.validation import Kind, Parsed, Validator, dated, kind_of, stem_of

SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    path.name.split(".")[0]: json.loads(path.read_text())
    for path in (Path(__file__).parents[1] / "schemas").glob("*.json")
}
VALIDATOR = Validator(SCHEMAS)


def check(text: str, path: str = "processes/X.yaml", kind: Kind = Kind.PROCESS) -> Parsed:
    return VALIDATOR.check(kind, path, text.encode())


def told(text: str, **where: Any) -> list[tuple[str, str]]:
    return [(problem.pointer, problem.message) for problem in check(text, **where).problems]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("procctl.yaml", Kind.SETTINGS),
        ("procctl.yml", None),
        ("sub/procctl.yaml", None),
        ("processes/procctl.yaml", Kind.PROCESS),
        ("processes/X.yaml", Kind.PROCESS),
        ("processes/a/b/c/X.yml", Kind.PROCESS),
        ("processes/a/scripts/X.yaml", Kind.PROCESS),
        ("processes/a/workflows/X.yaml", Kind.PROCESS),
        ("processes/scripts.yaml", Kind.PROCESS),
        ("processes/workflows.yaml", Kind.PROCESS),
        ("processes/workflows/wf.yaml", Kind.WORKFLOW),
        ("processes/workflows/a/wf.yaml", Kind.WORKFLOW),
        ("processes/scripts/X.yaml", None),
        ("processes/scripts/a/X.yaml", None),
        ("processes/README.md", None),
        ("processes/X.YAML", None),
        ("processes/X.yaml.bak", None),
        ("other/processes/X.yaml", None),
        ("processes", None),
        ("X.yaml", None),
    ],
)
def test_a_path_says_what_a_file_declares(path: str, kind: Kind | None) -> None:
    assert kind_of(path) is kind


@pytest.mark.parametrize(
    ("path", "stem"), [("processes/a/X.yaml", "X"), ("processes/a.b.yml", "a.b"), ("processes/.yaml", "")]
)
def test_a_stem_is_the_name(path: str, stem: str) -> None:
    assert stem_of(path) == stem


@pytest.mark.parametrize(
    "stem", ["a b", "1a", "-a", ".a", "", "a..b", "a.lock", "a.", "é", "private", "ALL", "x" * 129, "a\n"]
)
@pytest.mark.parametrize("kind", [Kind.PROCESS, Kind.WORKFLOW])
def test_a_file_whose_stem_is_no_name_is_an_error(stem: str, kind: Kind) -> None:
    text = "script: a.py\n" if kind is Kind.PROCESS else "phases: [{name: A, script: a.py}]\n"
    parsed = check(text, path=f"processes/{stem}.yaml", kind=kind)
    assert parsed.document is None
    assert ["cannot be a name" in problem.message for problem in parsed.problems] == [True]


@pytest.mark.parametrize("stem", ["A", "_", "a.b-c_d", "x" * 128, "Public1"])
def test_a_file_whose_stem_is_a_name_is_fine(stem: str) -> None:
    assert check("script: a.py\n", path=f"processes/{stem}.yaml").problems == ()


def test_a_valid_file_is_its_document_as_it_stands() -> None:
    parsed = check('script: "#a.py"\nx-mine: {a: [1]}\n')
    assert parsed.document == {"script": "#a.py", "x-mine": {"a": [1]}}
    assert parsed.problems == ()


def test_a_file_with_errors_has_no_document_and_one_with_warnings_has() -> None:
    assert check("script: 5\n").document is None
    assert check("script: a.py\nrunAs: me\n").document is not None


def test_problems_come_in_the_order_of_the_file() -> None:
    parsed = check("retries: x\nscript: a.py\nruns: 1\ncron: 61 * * * *\nname: Y\nrunAs: me\ntimeout: 0s\n")
    places = [(problem.line, problem.column) for problem in parsed.problems]
    assert places == sorted(places)
    assert len(places) == 6


def test_one_place_has_one_error() -> None:
    assert len(check("script: a.py\ncron: &a 5\n").problems) == 1
    assert len(check("script: a.py\n1: &a x\n").problems) == 2  # the key is no text, the value has an anchor


LATER = {
    "subscriptions": "[{process: A}]",
    "secrets": "[KEY]",
    "runAs": "me",
    "queue": "large",
    "retry_on_lost": "true",
}


@pytest.mark.parametrize(("key", "value"), [*LATER.items()])
def test_a_key_that_comes_later_holds_the_process_and_says_so(key: str, value: str) -> None:
    (problem,) = check(f"script: a.py\n{key}: {value}\n").problems
    assert problem.severity is Severity.WARNING
    assert problem.holds
    assert problem.message == f"{key} is not supported yet"
    assert problem.line == 2


@pytest.mark.parametrize("key", ["overlap", "catchup"])
def test_of_two_keys_only_the_default_works_now(key: str) -> None:
    values: list[str] = SCHEMAS["process"]["properties"][key]["enum"]
    held = {value: check(f"script: a.py\n{key}: {value}\n").problems for value in values}
    default = SCHEMAS["process"]["properties"][key]["default"]
    assert {value for value, problems in held.items() if not problems} == {default}
    assert {(p.holds, p.message) for value in values if value != default for p in held[value]} == {
        (True, f"{key} {value} is not supported yet") for value in values if value != default
    }


@pytest.mark.parametrize(
    "key", [key for key, schema in SCHEMAS["process"]["properties"].items() if "default" in schema]
)
def test_no_key_of_a_process_is_a_warning_at_its_default(key: str) -> None:
    default = json.dumps(SCHEMAS["process"]["properties"][key]["default"])
    assert check(f"script: a.py\n{key}: {default}\n").problems == ()


NEEDS = "needs other than the phase above"
PHASE: Mapping[str, Any] = SCHEMAS["workflow"]["properties"]["phases"]["items"]["properties"]


@pytest.mark.parametrize("key", [key for key, schema in PHASE.items() if "default" in schema])
def test_no_key_of_a_phase_is_a_warning_at_its_default(key: str) -> None:
    text = f"phases: [{{name: A, script: a.py, {key}: {json.dumps(PHASE[key]['default'])}}}]\n"
    assert check(text, path="processes/workflows/wf.yaml", kind=Kind.WORKFLOW).problems == ()


@pytest.mark.parametrize(
    ("phases", "held"),
    [
        ("{name: A, script: a, needs: []}, {name: B, script: b, needs: [A]}, {name: C, script: c}", []),
        ("{name: A, script: a}, {name: B, script: b, needs: []}", [f"phases[1].{NEEDS}"]),
        ("{name: A, script: a}, {name: B, script: b}, {name: C, script: c, needs: [A]}", [f"phases[2].{NEEDS}"]),
        ("{name: A, script: a}, {name: B, script: b, when: {exit: ok}}", []),
        ("{name: A, script: a}, {name: B, script: b, when: {exit: empty}}", ["phases[1].when"]),
        ("{name: A, script: a}, {name: B, script: b, when: {status: failed}}", ["phases[1].when"]),
        ("{name: A, run: echo}", ["phases[0].run"]),
        ("{name: A, workflow: wf2}", ["phases[0].workflow"]),
        ("{name: A, script: a, reschedule: 1h}", ["phases[0].reschedule"]),
        ("{name: A, script: a, backoff: exponential}", ["phases[0].backoff exponential"]),
        ("{name: A, script: a, backoff: constant, x-when: {exit: empty}}", []),
    ],
)  # fmt: skip
def test_what_of_a_phase_comes_later_holds_its_processes(phases: str, held: list[str]) -> None:
    problems = check(f"phases: [{phases}]\n", path="processes/workflows/wf.yaml", kind=Kind.WORKFLOW).problems
    assert [problem.message for problem in problems] == [f"{what} is not supported yet" for what in held]
    assert all(problem.holds for problem in problems)


def test_the_unlikely_cron_of_the_service_is_read_and_warned_of() -> None:
    parsed = check("workflow: wf\ncron: 12 46 ? * * *\n")
    assert parsed.document is not None
    (problem,) = parsed.problems
    assert (problem.severity, problem.holds, problem.pointer) == (Severity.WARNING, False, "/cron")
    assert "46 12 ? * * *" in problem.hint


@pytest.mark.parametrize("text", ["script: a.py\n# schedule: none\n", "script: a.py # why\n", "script: a.py  # 3\n"])
def test_a_comment_that_looks_like_one_is_no_problem(text: str) -> None:
    assert check(text).problems == ()


@pytest.mark.parametrize(
    ("kind", "path"), [(Kind.PROCESS, "processes/X.yaml"), (Kind.WORKFLOW, "processes/workflows/X.yaml")]
)
@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n"])
def test_an_empty_file_is_an_error_but_for_settings(text: str, kind: Kind, path: str) -> None:
    (problem,) = check(text, path=path, kind=kind).problems
    assert problem.message == "the file is empty"
    assert check(text, path="procctl.yaml", kind=Kind.SETTINGS) == Parsed({}, ())


def test_what_a_file_says_cannot_steer_a_terminal() -> None:
    parsed = check('script: a.py\n"\\e[2J\\u202e": 1\n"a\\nb": 2\ncron: "\\e]0;x\\a"\noverlap: "\\e[31m"\n')
    assert len(parsed.problems) >= 3
    assert all((problem.message + problem.hint).isprintable() for problem in parsed.problems)
    assert all((str(problem)).isprintable() for problem in parsed.problems)


def test_many_problems_are_cut_and_counted() -> None:
    parsed = check("script: a.py\nrunAs: me\n" + "".join(f"k{number}: 1\n" for number in range(500)))
    assert parsed.document is None
    assert 100 <= len(parsed.problems) <= 102
    assert errors(parsed.problems)


def test_places_of_what_other_files_may_prove_wrong_are_kept() -> None:
    text = 'workflow: wf\ncron: ["0 8 * * *"]\nat: [2026-01-01T00:00:00Z]\ninput: {url: x, a/b: {c: 1}}\ntags: [x]\n'
    assert check(text).places == {
        "/workflow": (1, 11),
        "/cron": (2, 7),
        "/cron/0": (2, 8),
        "/at": (3, 5),
        "/at/0": (3, 6),
        "/input": (4, 8),
        "/input/url": (4, 14),
        "/input/a~1b": (4, 22),
    }
    wf = check(
        "phases:\n- {name: A, script: a.py}\n- {name: B, workflow: w}\n",
        path="processes/workflows/w.yaml",
        kind=Kind.WORKFLOW,
    )
    assert wf.places == {"/phases": (2, 1), "/phases/0/script": (2, 21), "/phases/1/workflow": (3, 23)}


def test_the_result_follows_from_path_and_bytes_alone() -> None:
    text = "script: a.py\nat: [2001-01-01T00:00:00Z]\ncron: 0 0 1 1 ? 2001\n"
    assert check(text) == Validator(SCHEMAS).check(Kind.PROCESS, "processes/X.yaml", text.encode())
    assert check(text).problems == ()


NOW = datetime(2026, 6, 1, tzinfo=UTC)


def over(now: datetime, **document: Any) -> list[tuple[str, int, int]]:
    found = dated(
        Process.of("X", {"script": "a.py", **document}), now, "processes/X.yaml", {"/at/0": (3, 5), "/cron": (2, 7)}
    )
    assert {(problem.severity, problem.holds) for problem in found} <= {(Severity.WARNING, False)}
    return [(problem.pointer, problem.line, problem.column) for problem in found]


def test_an_instant_in_the_past_is_a_warning_from_then_on() -> None:
    at = ["2026-06-01T00:00:00Z", "2026-06-02T00:00:00+02:00"]
    assert over(NOW, at=at) == []
    assert over(NOW + timedelta(seconds=1), at=at) == [("/at/0", 3, 5)]
    assert over(NOW + timedelta(days=9), at=at) == [("/at/0", 3, 5), ("/at/1", 0, 0)]


def test_a_year_that_is_over_is_a_warning_a_day_later_at_most() -> None:
    assert over(NOW, cron="0 8 ? * * 2026") == []
    assert over(datetime(2027, 1, 2, tzinfo=UTC), cron="0 8 ? * * 2026") == [("/cron", 2, 7)]
    assert over(datetime(2026, 12, 31, 20, tzinfo=UTC), cron="59 23 31 12 ? 2026") == []
    assert over(NOW, cron=["0 8 * * *", "0 8 ? * * 2020-2025"]) == [("/cron/1", 0, 0)]


def test_a_schedule_to_come_is_no_warning() -> None:
    assert over(NOW, cron="0 0 29 2 *", every="1s", at=[]) == []
