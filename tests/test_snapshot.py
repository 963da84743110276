"""A commit's files as one snapshot: what shows only between files, whose problem it is, and what changed."""

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import NotFoundError, UserError
from reconciler.problem import Severity, errors
from reconciler.settings import Settings
from reconciler.snapshot import Changes, File, Snapshot, assemble, diff
from reconciler.validation import Parsed, Validator, kind_of

VALIDATOR = Validator(
    {
        path.name.split(".")[0]: json.loads(path.read_text())
        for path in (Path(__file__).parents[1] / "schemas").glob("*.json")
    }
)
Files = Mapping[str, str | tuple[str, str]]
"""Texts by path; with a git mode in front, where it is another than 100644."""
TICK = {"processes/scripts/tick.sh": ""}


class Commit:
    """A commit's files, and the count of those that were parsed for its snapshot."""

    def __init__(self, files: Files) -> None:
        self.parsed: list[str] = []
        self.texts: dict[str, str] = {}
        self.files: list[File] = []
        for path, content in sorted(files.items()):
            mode, text = content if isinstance(content, tuple) else ("100644", content)
            self.texts[path] = text
            self.files.append(File(path, mode, f"{hash(text):x}", len(text)))

    def parse(self, file: File) -> Parsed:
        self.parsed.append(file.path)
        kind = kind_of(file.path)
        assert kind is not None
        return VALIDATOR.check(kind, file.path, self.texts[file.path].encode())

    def snapshot(self, previous: Snapshot | None = None) -> Snapshot:
        scripts = [file for file in self.files if file.path.startswith("processes/scripts/")]
        tree = f"{hash(tuple(scripts)):x}" if scripts else None
        return assemble("c" * 40, self.files, tree, self.parse, previous)


def snap(files: Files, previous: Snapshot | None = None) -> Snapshot:
    return Commit(files).snapshot(previous)


def told(snapshot: Snapshot) -> list[tuple[str, int, str]]:
    return [(problem.path, problem.line, problem.pointer) for problem in snapshot.problems]


def one(files: Files, name: str = "X") -> list[str]:
    """What is said of one process of a snapshot."""
    return [problem.message for problem in snap(files).processes[name].set_problems]


def test_an_empty_commit_declares_nothing() -> None:
    empty = snap({})
    assert (empty.processes, empty.workflows, empty.scripts, empty.problems) == ({}, {}, {}, ())
    assert empty.settings == Settings()
    assert empty.scripts_tree is None


def test_a_process_with_its_script_is_valid_and_resolves() -> None:
    snapshot = snap({"processes/a/b/X.yml": "script: tick.sh\nretries: 2\n", **TICK})
    declared = snapshot.processes["X"]
    assert (declared.valid, declared.held, declared.problems, declared.set_problems) == (True, None, (), ())
    resolved = snapshot.resolve("X")
    assert resolved.process is declared.process
    assert resolved.workflow is None
    assert resolved.scripts_tree == snapshot.scripts_tree
    assert [(phase.name, phase.script, phase.retries) for phase in resolved.phases] == [
        ("MAIN", "processes/scripts/tick.sh", 2)
    ]


def test_a_process_resolves_the_phases_of_its_workflow() -> None:
    snapshot = snap(
        {
            "processes/X.yaml": 'workflow: "#wf"\n',
            "processes/workflows/wf.yaml": "phases: [{name: A, script: etl/a}, {name: B, script: tick, delay: 1s}]\n",
            "processes/scripts/etl/a.py": "",
            **TICK,
        }
    )
    phases = snapshot.resolve("X").phases
    assert [phase.script for phase in phases] == ["processes/scripts/etl/a.py", "processes/scripts/tick.sh"]
    assert phases[1].delay == timedelta(seconds=1)


@pytest.mark.parametrize(
    "path", ["processes/README.md", "processes/X.YAML", "processes/.gitkeep", "processes/a/data.json"]
)
def test_what_is_no_yaml_is_left_alone(path: str) -> None:
    commit = Commit({path: "- ["})
    assert commit.snapshot().problems == ()
    assert commit.parsed == []


def test_nothing_under_scripts_is_a_process() -> None:
    commit = Commit({"processes/scripts/X.yaml": "- [", "processes/scripts/workflows/wf.yaml": "- ["})
    assert commit.snapshot().processes == {}
    assert commit.parsed == []


def test_a_workflow_lies_directly_in_its_folder() -> None:
    snapshot = snap({"processes/workflows/a/wf.yaml": "phases: [{name: A, script: tick.sh}]\n", **TICK})
    assert snapshot.workflows == {}
    (problem,) = snapshot.problems
    assert "directly in processes/workflows/" in problem.message
    assert "processes/workflows/wf.yaml" in problem.hint


SCRIPTS: Files = {
    "processes/scripts/a.py": "",
    "processes/scripts/etl/b.sh": "",
    "processes/scripts/etl/deep/c.mjs": "",
    "processes/scripts/dup.py": "",
    "processes/scripts/dup.sh": "",
    "processes/scripts/x/twice.py": "",
    "processes/scripts/y/twice.py": "",
    "processes/scripts/plain": ("100755", ""),
    "processes/scripts/plain.txt": "",
    "processes/scripts/run.bin": ("100755", ""),
    "processes/scripts/near.js": "",
    "processes/scripts/far/near.js": "",
    "processes/scripts/a.b.py": "",
}


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("a.py", "a.py"),
        ("#a.py", "a.py"),
        ("a", "a.py"),
        ("etl/b", "etl/b.sh"),
        ("b", "etl/b.sh"),
        ("c", "etl/deep/c.mjs"),
        ("deep/c", "etl/deep/c.mjs"),
        ("dup.sh", "dup.sh"),
        ("x/twice", "x/twice.py"),
        ("plain", "plain"),
        ("run", "run.bin"),
        ("near", "near.js"),
        ("far/near", "far/near.js"),
        ("a.b", "a.b.py"),
    ],
)
def test_a_script_is_found_by_path_or_by_its_one_stem(written: str, path: str) -> None:
    snapshot = snap({"processes/X.yaml": f'script: "{written}"\n', **SCRIPTS})
    assert snapshot.problems == ()
    assert snapshot.resolve("X").phases[0].script == f"processes/scripts/{path}"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("none", "there is no script none under processes/scripts/"),
        ("b.py", "there is no script b.py under processes/scripts/"),
        ("B", "there is no script B under processes/scripts/"),
        ("eep/c", "there is no script eep/c under processes/scripts/"),
        ("etl", "there is no script etl under processes/scripts/"),
        ("dup", "the script dup may be any of dup.py, dup.sh"),
        ("twice", "the script twice may be any of x/twice.py, y/twice.py"),
        ("plain.txt", "the script plain.txt cannot be run: nothing says how"),
    ],
)
def test_a_script_that_is_missing_unclear_or_not_runnable_is_an_error_at_its_line(written: str, message: str) -> None:
    snapshot = snap({"processes/X.yaml": f"service: a\nscript: {written}\n", **SCRIPTS})
    (problem,) = snapshot.problems
    assert (problem.path, problem.line, problem.column, problem.pointer) == ("processes/X.yaml", 2, 9, "/script")
    assert problem.message == message
    assert problem.severity is Severity.ERROR
    assert problem.hint
    assert not snapshot.processes["X"].valid


def test_a_mistyped_script_gets_the_near_one() -> None:
    (problem,) = snap({"processes/X.yaml": "script: etl/bb.sh\n", **SCRIPTS}).problems
    assert problem.hint == "did you mean etl/b.sh?"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"processes/scripts/s.py": ("120000", "/etc/passwd")}, "is a symlink"),
        ({"processes/scripts/s.py": ("160000", "")}, "is a submodule"),
        ({"processes/scripts": ("120000", "/etc")}, "behind a symlink"),
        ({"processes/scripts": ("160000", "")}, "behind a submodule"),
    ],
)
def test_a_script_that_is_never_checked_out_is_an_error(files: Files, message: str) -> None:
    (said,) = one({"processes/X.yaml": "script: s.py\n", **files})
    assert message in said


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_a_script_behind_a_special_folder_is_an_error(mode: str) -> None:
    files: Files = {"processes/X.yaml": "script: a/b/s.py\n", "processes/scripts/a": (mode, ""), **TICK}
    (said,) = one(files)
    assert "lies behind a" in said
    assert snap({**files, "processes/X.yaml": "script: tick.sh\n"}).problems == ()  # others are not concerned


@pytest.mark.parametrize("mode", ["120000", "160000"])
@pytest.mark.parametrize("path", ["processes/X.yaml", "processes/workflows/wf.yaml", "procctl.yaml"])
def test_what_stands_in_the_place_of_a_yaml_file_is_an_error_and_never_read(path: str, mode: str) -> None:
    commit = Commit({path: (mode, "script: tick.sh"), **TICK})
    snapshot = commit.snapshot()
    assert commit.parsed == []
    (problem,) = snapshot.problems
    assert (problem.path, problem.severity) == (path, Severity.ERROR)
    if path == "processes/X.yaml":
        assert not snapshot.processes["X"].valid
        assert snapshot.processes["X"].process is None


@pytest.mark.parametrize(("mode", "severity"), [("120000", Severity.WARNING), ("160000", Severity.WARNING)])
def test_a_folder_that_is_not_followed_is_a_warning(mode: str, severity: Severity) -> None:
    (problem,) = snap({"processes/vendor": (mode, "")}).problems
    assert (problem.severity, problem.holds) == (severity, False)


NAMES = ["a/X.yaml", "b/X.yaml", "X.yml", "x.yaml", "c/x.yml"]


@pytest.mark.parametrize(("first", "second"), [*itertools.combinations(NAMES, 2)])
def test_a_name_used_twice_without_regard_to_case_is_an_error_at_both(first: str, second: str) -> None:
    snapshot = snap({f"processes/{first}": "script: tick.sh\n", f"processes/{second}": "script: tick.sh\n", **TICK})
    assert sorted(problem.path for problem in snapshot.problems) == sorted(
        [f"processes/{first}", f"processes/{second}"]
    )
    assert all("is used twice" in problem.message for problem in snapshot.problems)
    assert not any(declared.valid for declared in snapshot.processes.values())
    assert {name.lower() for name in snapshot.processes} == {"x"}


def test_workflows_have_names_of_their_own() -> None:
    files = {
        "processes/wf.yaml": "workflow: wf\n",
        "processes/workflows/wf.yaml": "phases: [{name: A, script: tick.sh}]\n",
        **TICK,
    }
    assert snap(files).problems == ()
    twice = snap({**files, "processes/workflows/WF.yml": "phases: [{name: A, script: tick.sh}]\n"})
    assert [problem.path for problem in twice.problems] == ["processes/workflows/WF.yml", "processes/workflows/wf.yaml"]
    assert not twice.processes["wf"].valid


def test_a_missing_workflow_is_an_error_with_the_near_one() -> None:
    workflows = {"processes/workflows/wf_xml.yaml": "phases: [{name: A, script: tick.sh}]\n", **TICK}
    (problem,) = snap({"processes/X.yaml": "workflow: wf_xlm\n", **workflows}).problems
    assert (problem.line, problem.column, problem.pointer) == (1, 11, "/workflow")
    assert problem.message == "there is no workflow wf_xlm"
    assert problem.hint == "did you mean wf_xml?"
    assert one({"processes/X.yaml": "workflow: WF_XML\n", **workflows}) == ["there is no workflow WF_XML"]


def test_a_broken_workflow_holds_back_exactly_the_processes_that_use_it() -> None:
    snapshot = snap(
        {
            "processes/A.yaml": "workflow: broken\n",
            "processes/B.yaml": "workflow: fine\n",
            "processes/C.yaml": "script: tick.sh\n",
            "processes/D.yaml": "workflow: lacking\n",
            "processes/workflows/broken.yaml": "phases: []\n",
            "processes/workflows/fine.yaml": "phases: [{name: A, script: tick.sh}]\n",
            "processes/workflows/lacking.yaml": "phases:\n- {name: A, script: tick.sh}\n- {name: B, script: gone.sh}\n",
            **TICK,
        }
    )
    assert {name: declared.valid for name, declared in snapshot.processes.items()} == {
        "A": False, "B": True, "C": True, "D": False,
    }  # fmt: skip
    assert all(declared.problems == () for declared in snapshot.processes.values())
    assert told(snapshot) == [
        ("processes/workflows/broken.yaml", 1, "/phases"),
        ("processes/workflows/lacking.yaml", 3, "/phases/1/script"),
    ]


def test_a_key_that_comes_later_in_a_workflow_holds_its_processes() -> None:
    snapshot = snap(
        {
            "processes/X.yaml": "workflow: wf\n",
            "processes/workflows/wf.yaml": "phases: [{name: A, script: tick.sh, reschedule: 1h}]\n",
            **TICK,
        }
    )
    declared = snapshot.processes["X"]
    assert declared.valid
    assert declared.held is not None
    assert declared.held.path == "processes/workflows/wf.yaml"
    with pytest.raises(UserError, match="not supported yet"):
        snapshot.resolve("X")


SUB = "phases: [{{name: A, workflow: {}}}]\n"


def test_a_workflow_inside_a_workflow_belongs_to_the_set() -> None:
    files = {
        "processes/X.yaml": "workflow: outer\n",
        "processes/workflows/outer.yaml": SUB.format("middle"),
        "processes/workflows/middle.yaml": SUB.format("inner"),
        "processes/workflows/inner.yaml": "phases: [{name: A, script: gone.sh}]\n",
    }
    snapshot = snap(files)
    assert [problem.path for problem in errors(snapshot.processes["X"].set_problems)] == [
        "processes/workflows/inner.yaml"
    ]
    files["processes/workflows/middle.yaml"] = SUB.format("none")
    assert [problem.message for problem in errors(snap(files).processes["X"].set_problems)] == [
        "there is no workflow none"
    ]


@pytest.mark.parametrize("circle", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_workflows_that_lead_back_to_themselves_are_errors(circle: list[str]) -> None:
    files = {
        f"processes/workflows/{name}.yaml": SUB.format(inner)
        for name, inner in zip(circle, [*circle[1:], circle[0]], strict=True)
    }
    snapshot = snap({**files, "processes/X.yaml": "workflow: a\n"})
    assert [problem.path for problem in errors(snapshot.problems)] == sorted(files)
    assert not snapshot.processes["X"].valid


WF = """input: {url: {type: string}, limit: {type: integer, minimum: 1}}
required: [url]
phases: [{name: A, script: tick.sh}]
"""


@pytest.mark.parametrize(
    ("process", "wrong"),
    [
        ("input: {url: u}\n", []),
        ("input: {url: u, limit: 5, other: [1]}\ncron: 0 8 * * *\n", []),
        ("{}", []),  # a body may bring what is missing
        ("cron: 0 8 * * *\n", ["input.url is missing, says the workflow wf"]),  # no body comes with a schedule
        ("every: 1h\ninput: {}\n", ["input.url is missing, says the workflow wf"]),
        ("at: [2030-01-01T00:00:00Z]\nenabled: false\n", ["input.url is missing, says the workflow wf"]),
        ("input: {url: 5}\n", ["input.url must be a text, is a whole number, says the workflow wf"]),
        ("input: {limit: 0}\n", ["input.limit must be at least 1, says the workflow wf"]),
    ],
)
def test_an_input_that_can_never_fit_is_an_error_of_the_process(process: str, wrong: list[str]) -> None:
    text = "workflow: wf\n" + (process if process != "{}" else "")
    files = {"processes/X.yaml": text, "processes/workflows/wf.yaml": WF, **TICK}
    assert one(files) == wrong
    assert {problem.path for problem in snap(files).problems} <= {"processes/X.yaml"}


def test_a_wrong_input_is_shown_at_its_line() -> None:
    files = {
        "processes/X.yaml": "workflow: wf\ninput:\n  url: x\n  limit: {a: 1}\n",
        "processes/workflows/wf.yaml": WF,
        **TICK,
    }
    assert told(snap(files)) == [("processes/X.yaml", 4, "/input/limit")]


def test_settings_are_read_and_a_broken_file_falls_back() -> None:
    good = snap({"procctl.yaml": "timezone: Europe/Berlin\nmax_running: 3\n"})
    assert good.settings == replace(Settings(), timezone="Europe/Berlin", max_running=3)
    assert good.settings_problems == ()
    broken = snap({"procctl.yaml": "timezone: Mars\nretentoin: 5d\n"})
    assert broken.settings == Settings()
    assert [problem.pointer for problem in broken.settings_problems] == ["/timezone", "/retentoin"]
    assert broken.problems == broken.settings_problems


def test_a_broken_process_leaves_its_neighbours_alone() -> None:
    snapshot = snap(
        {"processes/A.yaml": "- [", "processes/B.yaml": "script: tick.sh\n", "processes/no name.yaml": "x", **TICK}
    )
    assert {name: declared.valid for name, declared in snapshot.processes.items()} == {"A": False, "B": True}
    assert {problem.path for problem in snapshot.problems} == {"processes/A.yaml", "processes/no name.yaml"}
    assert snapshot.resolve("B")


def test_what_cannot_run_says_why() -> None:
    snapshot = snap({"processes/ECB_FX.yaml": "script: tick.sh\n", "processes/B.yaml": "script: 5\n", **TICK})
    with pytest.raises(NotFoundError, match="no process ECB_FY") as unknown:
        snapshot.resolve("ECB_FY")
    assert unknown.value.todo == "did you mean ECB_FX?"
    with pytest.raises(UserError, match="script must be a text") as broken:
        snapshot.resolve("B")
    assert broken.value.where == "processes/B.yaml:1"
    with pytest.raises(NotFoundError):
        snapshot.resolve("ecb_fx")


BASE: dict[str, str | tuple[str, str]] = {
    "procctl.yaml": "timezone: UTC\n",
    "processes/A.yaml": "script: tick.sh\n",
    "processes/B.yaml": "workflow: wf\n",
    "processes/C.yaml": "script: other.py\n",
    "processes/workflows/wf.yaml": "phases: [{name: A, script: a.py}]\n",
    "processes/scripts/a.py": "1",
    "processes/scripts/other.py": "1",
    **TICK,
}
EDITS: dict[str, Mapping[str, Any]] = {
    "nothing": {},
    "a process": {"processes/A.yaml": "script: tick.sh\nretries: 1\n"},
    "a comment": {"processes/A.yaml": "script: tick.sh # why\n"},
    "broken": {"processes/A.yaml": "script: [\n"},
    "gone": {"processes/A.yaml": None},
    "new": {"processes/D.yaml": "script: tick.sh\n"},
    "moved": {"processes/A.yaml": None, "processes/sub/A.yaml": "script: tick.sh\n"},
    "twice": {"processes/sub/a.yml": "script: tick.sh\n"},
    "a workflow": {"processes/workflows/wf.yaml": "phases: [{name: A, script: a.py, retries: 1}]\n"},
    "a broken workflow": {"processes/workflows/wf.yaml": "phases: []\n"},
    "no workflow": {"processes/workflows/wf.yaml": None},
    "a script": {"processes/scripts/a.py": "2"},
    "no script": {"processes/scripts/other.py": None},
    "a mode": {"processes/scripts/other.py": ("120000", "1")},
    "another script": {"processes/scripts/new.py": "1"},
    "no scripts": {path: None for path in BASE if path.startswith("processes/scripts/")},
    "settings": {"procctl.yaml": "timezone: Europe/Berlin\n"},
    "broken settings": {"procctl.yaml": "x"},
    "a symlink": {"processes/A.yaml": ("120000", "script: tick.sh\n")},
}


def edited(*edits: str) -> Files:
    files: dict[str, Any] = dict(BASE)
    for edit in edits:
        files |= EDITS[edit]
    return {path: content for path, content in files.items() if content is not None}


@given(st.lists(st.sampled_from([*EDITS]), max_size=3), st.lists(st.sampled_from([*EDITS]), max_size=3))
def test_from_an_earlier_snapshot_or_from_nothing_is_the_same(before: Iterable[str], after: Iterable[str]) -> None:
    assert snap(edited(*after), snap(edited(*before))) == snap(edited(*after))


@pytest.mark.parametrize(
    ("edit", "parsed"),
    [
        ("nothing", ["procctl.yaml"]),
        ("a process", ["procctl.yaml", "processes/A.yaml"]),
        ("a workflow", ["procctl.yaml", "processes/workflows/wf.yaml"]),
        ("another script", ["procctl.yaml"]),
    ],
)
def test_a_change_costs_what_changed(edit: str, parsed: list[str]) -> None:
    before = snap(edited())
    commit = Commit(edited(edit))
    after = commit.snapshot(before)
    assert commit.parsed == parsed
    assert after.processes["C"] is before.processes["C"]


CHANGES = {
    "nothing": Changes((), (), ()),
    "a process": Changes((), ("A",), ()),
    "a comment": Changes((), ("A",), ()),
    "broken": Changes((), ("A",), ()),
    "gone": Changes((), (), ("A",)),
    "new": Changes(("D",), (), ()),
    "moved": Changes((), (), ()),
    "a workflow": Changes((), ("B",), ()),
    "a broken workflow": Changes((), ("B",), ()),
    "no workflow": Changes((), ("B",), ()),
    "a script": Changes((), ("B",), ()),
    "no script": Changes((), ("C",), ()),
    "a mode": Changes((), ("C",), ()),
    "another script": Changes((), (), ()),
    "settings": Changes((), (), ()),
}


@pytest.mark.parametrize(("edit", "changes"), [*CHANGES.items()])
def test_the_difference_of_two_snapshots_is_what_runs_otherwise(edit: str, changes: Changes) -> None:
    before = snap(edited())
    assert diff(before, snap(edited(edit))) == changes
    assert diff(before, snap(edited(edit), before)) == changes
    assert diff(snap(edited(edit)), before) == Changes(changes.removed, changes.changed, changes.added)


def test_all_problems_are_in_order_and_each_once() -> None:
    files = {f"processes/P{number}.yaml": "workflow: wf\n" for number in range(20)}
    snapshot = snap({**files, "processes/workflows/wf.yaml": "phases: [{name: A, script: gone}]\nx: 1\n"})
    assert list(snapshot.problems) == sorted(set(snapshot.problems))
    assert len(snapshot.problems) == 1
    assert all(len(declared.set_problems) == 1 for declared in snapshot.processes.values())
