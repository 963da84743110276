"""A commit's files as one snapshot: what shows only between files, whose problem it is, and what changed."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import NotFoundError, UserError
from reconciler.problem import Severity, errors
from reconciler.settings import Settings
from reconciler.snapshot import File, Snapshot, assemble
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
    """A commit's files, and the paths of those that were parsed for its snapshot."""

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

    def snapshot(self) -> Snapshot:
        scripts = [file for file in self.files if file.path.startswith("processes/scripts/")]
        tree = f"{hash(tuple(scripts)):x}" if scripts else None
        return assemble("c" * 40, self.files, tree, self.parse)


def snap(files: Files) -> Snapshot:
    return Commit(files).snapshot()


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


def test_a_script_that_is_missing_is_an_error_at_its_line() -> None:
    snapshot = snap({"processes/X.yaml": "service: a\nscript: etl/bb.sh\n", "processes/scripts/etl/b.sh": ""})
    (problem,) = snapshot.problems
    assert (problem.path, problem.line, problem.column, problem.pointer) == ("processes/X.yaml", 2, 9, "/script")
    assert problem.message == "there is no script etl/bb.sh under processes/scripts/"
    assert problem.hint == "did you mean etl/b.sh?"
    assert problem.severity is Severity.ERROR
    assert not snapshot.processes["X"].valid


def test_a_script_that_is_never_checked_out_is_an_error_of_its_processes_alone() -> None:
    files: Files = {
        "processes/X.yaml": "script: link.sh\n",
        "processes/Y.yaml": "script: tick.sh\n",
        "processes/scripts/link.sh": ("120000", "/bin/sh"),
        **TICK,
    }
    snapshot = snap(files)
    assert [problem.path for problem in snapshot.problems] == ["processes/X.yaml"]
    assert {name: declared.valid for name, declared in snapshot.processes.items()} == {"X": False, "Y": True}


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


WF = """input: {url: {type: string}, limit: {type: integer, minimum: 1}}
required: [url]
phases: [{name: A, script: tick.sh}]
"""


def test_a_workflow_inside_a_workflow_belongs_to_the_set() -> None:
    snapshot = snap(
        {
            "processes/X.yaml": "workflow: outer\n",
            "processes/workflows/outer.yaml": "phases: [{name: A, workflow: inner}]\n",
            "processes/workflows/inner.yaml": "phases: [{name: A, script: gone.sh}]\n",
        }
    )
    (problem,) = errors(snapshot.processes["X"].set_problems)
    assert problem.path == "processes/workflows/inner.yaml"


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


def test_all_problems_are_in_order_and_each_once() -> None:
    files = {f"processes/P{number}.yaml": "workflow: wf\n" for number in range(20)}
    snapshot = snap({**files, "processes/workflows/wf.yaml": "phases: [{name: A, script: gone}]\nx: 1\n"})
    assert list(snapshot.problems) == sorted(set(snapshot.problems))
    assert len(snapshot.problems) == 1
    assert all(len(declared.set_problems) == 1 for declared in snapshot.processes.values())
