"""Any bytes at all: a verdict, for bounded work, and never an exception (attack classes 9 and 10).

A file that stops the one who checks it would stop every process of the repository.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.problem import errors
from reconciler.process import Process
from reconciler.settings import Settings
from reconciler.validation import Kind, Parsed, Validator
from reconciler.workflow import Workflow, phases_of
from reconciler.yamltext import LARGEST

Calls = Callable[[Callable[[], object]], int]
SCHEMAS = {
    path.name.split(".")[0]: json.loads(path.read_text())
    for path in (Path(__file__).parents[1] / "schemas").glob("*.json")
}
VALIDATOR = Validator(SCHEMAS)
PATHS = {Kind.PROCESS: "processes/X.yaml", Kind.WORKFLOW: "processes/workflows/X.yaml", Kind.SETTINGS: "procctl.yaml"}
MOMENT = 1_000_000
"""Calls: a tenth of a second or two. What spends time between calls, as a regular expression might, meets the timeout
of every test.
"""


def check(kind: Kind, data: bytes) -> Parsed:
    parsed = VALIDATOR.check(kind, PATHS[kind], data)
    assert (parsed.document is None) == bool(errors(parsed.problems))
    json.dumps(parsed.document, allow_nan=False)
    json.dumps([problem.to_document() for problem in parsed.problems]).encode()
    assert len(parsed.problems) <= 102
    return parsed


def use(kind: Kind, document: Any) -> None:
    """Read every typed value: what is valid never raises later."""
    if kind is Kind.SETTINGS:
        Settings.of(document)
    elif kind is Kind.WORKFLOW:
        assert Workflow("X", document).phases
    else:
        process = Process.of("X", document)
        values = [getattr(process, name) for name in vars(Process) if isinstance(vars(Process)[name], property)]
        assert values
        if process.workflow is None:
            assert phases_of(process, None)
        process.schedule_document("UTC")


KINDS = st.sampled_from(Kind)
KEYS = sorted({key for schema in SCHEMAS.values() for key in schema["properties"]} | {"run", "needs", "when", "x-y"})
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["a.py", "#wf", "30s", "PT1M", "P", "9" * 30 + "d", "0 8 * * *", "12 46 ? * * *", "@daily"])
    | st.sampled_from(["2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "UTC"])
    | st.sampled_from(["skip", "latest", "string", "X", "ok", "exponential", "first", "Ristretto", "VarProcess"])
)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=15,
)


@given(KINDS, st.binary(max_size=600))
def test_any_bytes_have_a_verdict(kind: Kind, data: bytes) -> None:
    check(kind, data)


@given(KINDS, st.text(alphabet="script:wokfl \n-[]{}#*&!|>'\"%@`?,0123456789~", max_size=200))
def test_any_text_has_a_verdict(kind: Kind, text: str) -> None:
    check(kind, text.encode())


@settings(max_examples=300)
@given(KINDS, st.dictionaries(st.sampled_from(KEYS), TREES, max_size=6))
def test_any_document_has_a_verdict_and_a_valid_one_can_be_used(kind: Kind, document: dict[str, Any]) -> None:
    if kind is Kind.PROCESS:
        document = {"script": "a.py", **document}
    parsed = check(kind, yaml.safe_dump(document, allow_unicode=True).encode())
    if parsed.document is not None:
        use(kind, parsed.document)


PROCESS_KEYS: dict[str, list[Any]] = {
    "cron": ["0 8 * * *", ["@daily", "12 46 ? * * *"], "0 0 30 2 *"],
    "every": ["1s", "PT0.5S", "36500d", "1w2d"],
    "at": [["2026-01-01T00:00:00.123456789Z"], ["0001-01-01T00:00:00+23:59"], ["2026-02-30T00:00:00Z"]],
    "timezone": ["UTC", "Europe/Berlin", "Factory", "posixrules", "right/UTC", "Etc/GMT+14", "a/../b"],
    "timeout": ["0s", "1ms", "10y", "3650d", "3651d"],
    "delay": ["0s", "P1W"],
    "retries": [0, 1000, 1001, 2.0, True],
    "settings": [{"A": "x" * 30000}, {"A": "x" * 30001}, {"A": None}],
    "processType": ["Ristretto"],
    "dst": [{"gap": "skip"}, {"fold": "both", "x-a": 1}],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in PROCESS_KEYS.items() for value in values])
def test_what_is_valid_at_a_border_can_be_used(key: str, value: Any) -> None:
    parsed = check(Kind.PROCESS, json.dumps({"script": "a.py", key: value}).encode())
    if parsed.document is not None:
        use(Kind.PROCESS, parsed.document)


def lines(head: str, line: str, count: int) -> str:
    return head + "".join(line.format(number, number % 60, number // 60 % 24) for number in range(count))


NEEDED = ",".join(f"A{number}" for number in range(90))
BOMBS = {
    "brackets": "[" * 100_000,
    "braces": "{a: " * 60_000,
    "dashes": "- " * 100_000,
    "questions": "? " * 100_000,
    "colons": ":" * 250_000,
    "stars": "*" * 250_000,
    "bangs": "!" * 250_000,
    "spaces": " " * 250_000,
    "spaces between": ("a" + " " * 500) * 500,
    "spaces in an error": "a: b: " + " " * 250_000 + "c",
    "tabs": "\t" * 250_000,
    "comments": "script: a.py\ntags:\n" + "- b #c\n" * 19_000,
    "aliases": "a: &a [x]\n" + "b: [*a, *a, *a, *a]\n" * 9_000,
    "laughs": "a: &a [x,x]\n" + "".join(f"k{n}: &k{n} [*k{n - 1},*k{n - 1}]\n" for n in range(1, 99)),
    "merges": "a: &a {x: 1}\n" + "b: {<<: [*a,*a,*a]}\n" * 99,
    "tag directives": "%TAG !a! x\n" * 20_000 + "---\na: b",
    "digits": "script: a.py\nretries: " + "9" * 200_000,
    "float digits": "script: a.py\nretries: " + "9" * 100_000 + "." + "9" * 100_000,
    "unknown keys": lines("script: a.py\n", "k{0}: v\n", 9_900),
    "own keys": lines("script: a.py\n", "x-{0}: v\n", 9_900),
    "a long key": "script: a.py\n? " + "cron" * 50_000 + "\n: b\n",
    "long keys, deep": "".join(" " * n + "k" * 200 + ":\n" for n in range(60)) + " " * 60 + "[" + "x," * 19_000 + "]",
    "crons": lines("script: a.py\ncron:\n", '- "{1} {2} * * *"\n', 100),
    "many crons": lines("script: a.py\ncron:\n", '- "{1} {2} * * *"\n', 9_000),
    "wrong crons": lines("script: a.py\ncron:\n", '- "{1} {2} 30 2 *"\n', 100),
    "instants": "script: a.py\nat:\n" + "- 2026-02-31T00:00:00Z\n" * 1_000,
    "tags of no sort": "script: a.py\ntags: [" + "{}, " * 9_000 + "]",
    "settings": lines("script: a.py\nsettings:\n", " A{0}: v\n", 9_000),
    "settings with wrong names": lines("script: a.py\nsettings:\n", " PATH-{0}: v\n", 500),
    "subscriptions": "script: a.py\nsubscriptions:\n" + "- {process: A, series: b, curve: c, path: d}\n" * 100,
    "a long script": 'script: "' + "a." * 120_000 + '"',
    "a long duration": "script: a.py\nevery: " + "1w" * 100_000,
    "a long zone": "script: a.py\ntimezone: " + "a/" * 100_000,
    "a long branch": "branch: " + "a/" * 100_000,
    "phases": "phases:\n" + "- {name: A, script: b}\n" * 4_000,
    "wrong phases": "phases:\n" + "- {nam: A, scrip: b, run: 5, needs: 7, when: {}}\n" * 100,
    "needs": lines("phases:\n", "- {{name: A{0}, script: b, needs: [" + NEEDED + "]}}\n", 90),
    "nested inputs": "phases: [{name: A, script: b}]\ninput: {a: " + "{items: " * 60 + "{}" + "}" * 61,
    "inputs": lines("phases: [{name: A, script: b}]\ninput:\n", " a{0}: {{type: string, pattern: 'a{0}'}}\n", 500),
    "patterns": lines("phases: [{name: A, script: b}]\ninput:\n", " a{0}: {{pattern: '" + 30 * "(a+)" + "+'}}\n", 400),
    "an enum": "phases: [{name: A, script: b}]\ninput: {a: {enum: [" + "x," * 15_000 + "]}}",
}  # fmt: skip


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_takes_longer_than_a_moment(name: str, kind: Kind, calls: Calls) -> None:
    data = BOMBS[name].encode()[:LARGEST]
    VALIDATOR.check(kind, PATHS[kind], b"")  # the library's import is no part of it
    assert calls(lambda: check(kind, data)) < MOMENT


@pytest.mark.parametrize("size", [LARGEST + 1, 10 << 20])
def test_a_file_that_is_too_large_is_not_even_read(size: int, calls: Calls) -> None:
    (problem,) = check(Kind.PROCESS, b"[" * size).problems
    assert "256 KiB" in problem.message
    assert calls(lambda: check(Kind.PROCESS, b"[" * size)) < 1000
