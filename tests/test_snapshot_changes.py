"""From one snapshot to the next: what is shared, what is parsed, and what runs otherwise."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def assembled(files: Files, previous: Snapshot | None = None) -> tuple[Snapshot, list[str]]:
    """The snapshot of some files, and the paths of those that were parsed for it."""
    parsed: list[str] = []
    texts = {path: content if isinstance(content, str) else content[1] for path, content in files.items()}
    modes = {path: "100644" if isinstance(content, str) else content[0] for path, content in files.items()}
    listed = [File(path, modes[path], f"{hash(texts[path]):x}", -1) for path in sorted(files)]

    def parse(file: File) -> Parsed:
        parsed.append(file.path)
        kind = kind_of(file.path)
        assert kind is not None
        return VALIDATOR.check(kind, file.path, texts[file.path].encode())

    scripts = tuple(file for file in listed if file.path.startswith("processes/scripts/"))
    tree = f"{hash(scripts):x}" if scripts else None
    return assemble("c" * 40, listed, tree, parse, previous), parsed


def snap(files: Files, previous: Snapshot | None = None) -> Snapshot:
    return assembled(files, previous)[0]


BASE: dict[str, str | tuple[str, str]] = {
    "procctl.yaml": "timezone: UTC\n",
    "processes/A.yaml": "script: tick.sh\n",
    "processes/B.yaml": "workflow: wf\n",
    "processes/C.yaml": "script: other.py\n",
    "processes/workflows/wf.yaml": "phases: [{name: A, script: a.py}]\n",
    "processes/scripts/a.py": "1",
    "processes/scripts/other.py": "1",
    "processes/scripts/tick.sh": "",
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
    after, asked = assembled(edited(edit), before)
    assert asked == parsed
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
