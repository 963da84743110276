"""What a change would do: processes, fields, times, load and problems, from two snapshots and an instant."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.preview import Change, Known, Preview, compare
from reconciler.shared import Kind, Part
from reconciler.snapshot import File, Snapshot, assemble
from reconciler.validation import Validator, dated, kind_of

VALIDATOR = Validator(
    {
        path.name.split(".")[0]: json.loads(path.read_text())
        for path in (Path(__file__).parents[1] / "schemas").glob("*.json")
    }
)
NOW = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
KNOWN = Known(NOW, "production")
Files = Mapping[str, str]
BASE: dict[str, str] = {
    "procctl.yaml": "timezone: UTC\n",
    "processes/A.yaml": "script: tick.sh\ncron: '0 6 * * *'\n",
    "processes/B.yaml": "workflow: wf\n",
    "processes/C.yaml": "script: other.py\n",
    "processes/workflows/wf.yaml": "phases: [{name: A, workflow: inner}]\n",
    "processes/workflows/inner.yaml": "phases: [{name: A, script: a.py}]\n",
    "processes/scripts/a.py": "1",
    "processes/scripts/other.py": "1",
    "processes/scripts/tick.sh": "",
}
A = "processes/A.yaml"
CRON = "script: tick.sh\ncron: '0 6 * * *'\n"


def snap(files: Files) -> Snapshot:
    listed = [File(path, "100644", f"{hash(files[path]):x}", -1) for path in sorted(files)]
    scripts = tuple(file for file in listed if file.path.startswith("processes/scripts/"))

    def parse(file: File) -> Any:
        kind = kind_of(file.path)
        assert kind is not None
        return VALIDATOR.check(kind, file.path, files[file.path].encode())

    return assemble("c" * 40, listed, f"{hash(scripts):x}" if scripts else None, parse)


def edited(edits: Mapping[str, str | None], base: Files = BASE) -> dict[str, str]:
    return {path: text for path, text in {**base, **edits}.items() if text is not None}


def previewed(edits: Mapping[str, str | None], base: Files = BASE, known: Known = KNOWN) -> Preview:
    return compare(snap(base), snap(edited(edits, base)), known)


def only(found: Preview) -> Change:
    (change,) = found.processes
    return change


def at(hour: int, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_nothing_is_nothing() -> None:
    found = previewed({})
    assert (found.processes, found.workflows, found.scripts, found.settings) == ((), (), (), ())
    assert (found.new, found.fixed, found.piles.minutes) == ((), (), ())


def test_a_changed_field_moves_the_slots() -> None:
    change = only(previewed({A: CRON.replace("6", "7") + "timezone: Europe/Berlin\n"}))
    assert (change.kind, change.name, change.path) == (Kind.CHANGED, "A", A)
    assert [each.text() for each in change.fields] == [
        'cron: "0 6 * * *" -> "0 7 * * *"',
        'timezone: added "Europe/Berlin"',
    ]
    assert change.timing is not None
    assert change.timing.before is not None
    assert change.timing.after is not None
    assert (change.timing.before.slots[0], change.timing.before.zone) == (at(6), "UTC")
    assert (change.timing.after.slots[0], change.timing.after.zone) == (at(6), "Europe/Berlin")


def test_what_leaves_the_schedule_alone_leaves_the_slots_alone() -> None:
    assert only(previewed({A: CRON + "retries: 3\n"})).timing is None
    comment = only(previewed({A: CRON + "# why\n"}))
    assert (comment.kind, comment.fields, comment.timing) == (Kind.CHANGED, (), None)


def test_the_same_slots_written_otherwise_are_told_as_fields_only() -> None:
    change = only(previewed({A: "script: tick.sh\ncron: ['0  6 * * *']\n"}))
    assert change.fields
    assert change.timing is None


def test_daylight_saving_dates_of_the_new_schedule_are_met() -> None:
    change = only(previewed({A: "script: tick.sh\ncron: '30 2 * * *'\ntimezone: Europe/Berlin\n"}))
    assert change.timing is not None
    assert [one.first.date().isoformat() for one in change.timing.daylight] == ["2027-03-28", "2027-10-31"]


def test_a_process_comes_and_goes() -> None:
    came = only(previewed({"processes/N.yaml": CRON}))
    assert (came.kind, came.fields) == (Kind.ADDED, ())
    assert came.timing is not None
    assert came.timing.before is None
    assert came.timing.after is not None
    went = only(previewed({A: None}))
    assert went.kind is Kind.REMOVED
    assert went.timing is not None
    assert went.timing.before is not None
    assert went.timing.after is None


def test_a_move_to_another_folder_is_a_change_of_the_path_only() -> None:
    change = only(previewed({A: None, "processes/etl/A.yaml": CRON}))
    assert (change.kind, change.path, change.former_path, change.fields) == (
        Kind.CHANGED,
        "processes/etl/A.yaml",
        A,
        (),
    )


def test_a_rename_with_equal_values_is_recognised() -> None:
    change = only(previewed({A: None, "processes/N.yaml": f"name: N\n{CRON}"}, edited({A: f"name: A\n{CRON}"})))
    assert (change.kind, change.name, change.former, change.former_path) == (Kind.RENAMED, "N", "A", A)
    assert (change.fields, change.timing) == ((), None)


def test_a_rename_moves_slots_that_the_name_spreads() -> None:
    text = "script: tick.sh\ncron: 'H H * * *'\n"
    change = only(previewed({A: None, "processes/N.yaml": text}, edited({A: text})))
    assert change.kind is Kind.RENAMED
    assert change.timing is not None


def test_an_ambiguous_rename_is_none() -> None:
    two = previewed({A: None, "processes/N.yaml": CRON, "processes/M.yaml": CRON})
    assert {(change.name, change.kind) for change in two.processes} == {
        ("A", Kind.REMOVED),
        ("M", Kind.ADDED),
        ("N", Kind.ADDED),
    }


def test_a_mark_makes_a_rename_of_what_changed_too() -> None:
    edits = {A: None, "processes/N.yaml": CRON.replace("6", "7"), "processes/M.yaml": CRON}
    found = previewed(edits, known=replace(KNOWN, renames=(("A", "N"), ("C", "D"), ("X", "M"))))
    assert [(change.name, change.kind) for change in found.processes] == [("M", Kind.ADDED), ("N", Kind.RENAMED)]
    assert [each.field for each in found.processes[1].fields] == ["cron"]


def test_with_an_error_what_was_before_stays() -> None:
    found = previewed({A: "script: tick.sh\ncron: 'x'\n"})
    change = only(found)
    assert (change.stays, change.timing, change.fields) == (True, None, ())
    assert [problem.path for problem in found.new] == [A]
    assert found.fixed == ()


def test_a_mended_error_is_fixed() -> None:
    found = previewed({A: CRON}, edited({A: "script: nope.sh\n"}))
    assert [problem.path for problem in found.fixed] == [A]
    assert found.new == ()
    change = only(found)
    assert change.timing is not None
    assert change.timing.before is None, "what was in force before an error is not known here"


def test_a_problem_that_only_moved_is_neither_new_nor_fixed() -> None:
    found = previewed({A: "# more\n\nscript: nope.sh\n"}, edited({A: "script: nope.sh\n"}))
    assert (found.new, found.fixed) == ((), ())
    moved = previewed({A: None, "processes/etl/A.yaml": "script: nope.sh\n"}, edited({A: "script: nope.sh\n"}))
    assert (moved.new, moved.fixed) == ((), ())
    renamed = previewed({A: None, "processes/N.yaml": "script: nope.sh\n"}, edited({A: "script: nope.sh\n"}))
    assert (renamed.new, renamed.fixed) == ((), ())


def test_what_becomes_held_and_free_is_told_with_its_slots() -> None:
    held = only(previewed({A: CRON + "runAs: ada\n"}))
    assert held.held is not None
    assert held.was_held is None
    assert held.timing is not None
    assert held.timing.after is not None
    assert held.timing.after.slots == ()
    assert "held" in held.timing.after.idle
    free = only(previewed({A: CRON}, edited({A: CRON + "runAs: ada\n"})))
    assert free.was_held == held.held
    assert free.held is None


def test_switching_off_ends_the_slots_even_where_the_set_has_errors() -> None:
    change = only(previewed({A: "script: nope.sh\ncron: '0 6 * * *'\nenabled: false\n"}))
    assert change.stays is False
    assert change.timing is not None
    assert change.timing.after is not None
    assert (change.timing.after.slots, change.timing.after.idle) == ((), "it is disabled")


def test_a_shared_part_is_told_with_those_it_touches() -> None:
    found = previewed({"processes/workflows/inner.yaml": "phases: [{name: A, script: a.py, retries: 2}]\n"})
    assert found.processes == ()
    (part,) = found.workflows
    assert (part.kind, part.name, part.processes) == (Kind.CHANGED, "inner", ("B",))
    assert [each.text() for each in part.fields] == ["phases[0].retries: added 2"]
    (script,) = previewed({"processes/scripts/a.py": "2"}).scripts
    path = "processes/scripts/a.py"
    assert script == Part(Kind.CHANGED, path, path, (), ("B",))
    (other,) = previewed({"processes/scripts/new.py": "2"}).scripts
    assert (other.kind, other.processes) == (Kind.ADDED, ())


def test_a_broken_workflow_affects_those_who_use_it() -> None:
    found = previewed({"processes/workflows/inner.yaml": "phases: []\n"})
    change = only(found)
    assert (change.name, change.kind, change.stays) == ("B", Kind.AFFECTED, True)
    gone = previewed({"processes/scripts/other.py": None})
    assert [(change.name, change.stays) for change in gone.processes] == [("C", True)]
    assert gone.scripts[0].processes == ("C",)


def test_another_time_zone_for_all_moves_those_that_have_none() -> None:
    base = edited({"processes/Z.yaml": CRON + "timezone: Asia/Tokyo\n"})
    found = previewed({"procctl.yaml": "timezone: Europe/Berlin\n"}, base)
    assert [each.text() for each in found.settings] == ['timezone: "UTC" -> "Europe/Berlin"']
    change = only(found)
    assert (change.name, change.kind) == ("A", Kind.AFFECTED)
    assert change.timing is not None
    assert change.timing.after is not None
    assert change.timing.after.slots[0] == at(5)


def test_past_durations_warn_of_overlaps() -> None:
    known = replace(KNOWN, durations={"A": timedelta(minutes=20)})
    change = only(previewed({A: "script: tick.sh\nevery: 10m\n"}, known=known))
    assert change.timing is not None
    assert change.timing.overrun is not None
    assert change.timing.overrun.distance == timedelta(minutes=10)
    renamed = only(
        previewed(
            {A: None, "processes/N.yaml": "script: tick.sh\nevery: 10m\n"},
            known=replace(known, renames=(("A", "N"),)),
        )
    )
    assert renamed.timing is not None
    assert renamed.timing.overrun is not None


def test_load_counts_what_really_starts_here() -> None:
    more: dict[str, str | None] = {f"processes/N{number}.yaml": CRON for number in range(5)}
    (pile,) = previewed(more).piles.minutes
    assert (pile.minute, pile.before, pile.after) == (at(6), 1, 6)
    for extra in ("enabled: false\n", "runAs: ada\n", "environment: test\n", "cron: x\n"):
        idle: dict[str, str | None] = {path: f"{text}{extra}" for path, text in more.items()}
        assert previewed(idle).piles.minutes == (), extra
    test: dict[str, str | None] = {path: f"{text}environment: test\n" for path, text in more.items()}
    assert previewed(test, known=replace(KNOWN, environment="test")).piles.minutes


def test_what_an_error_keeps_in_force_counts_as_load() -> None:
    base = edited({f"processes/N{number}.yaml": CRON for number in range(3)})
    broken: dict[str, str | None] = {A: "cron: x\n", "processes/N9.yaml": CRON}
    (pile,) = previewed(broken, base).piles.minutes
    assert (pile.before, pile.after) == (4, 5)


def test_warnings_of_the_day_are_compared_too() -> None:
    past = "script: tick.sh\nat: ['2001-01-01T00:00:00Z']\n"
    old, new = snap(BASE), snap(edited({A: past}))
    process = new.processes["A"].process
    assert process is not None
    found = compare(old, new, replace(KNOWN, dated=((), dated(process, NOW, A, {}))))
    assert ["is past" in problem.message for problem in found.new] == [True]


def test_numbers_of_versions_are_passed_on() -> None:
    assert only(previewed({A: CRON + "retries: 1\n"}, known=replace(KNOWN, versions={"A": 4}))).version == 4


EDITS: dict[str, Mapping[str, str | None]] = {
    "a field": {A: CRON + "retries: 1\n"},
    "a schedule": {A: CRON.replace("6", "7")},
    "broken": {A: "script: [\n"},
    "gone": {A: None},
    "renamed": {A: None, "processes/X.yaml": CRON},
    "new": {"processes/D.yaml": CRON},
    "twice": {"processes/sub/a.yml": CRON},
    "a workflow": {"processes/workflows/wf.yaml": "phases: [{name: A, script: a.py, retries: 1}]\n"},
    "no workflow": {"processes/workflows/wf.yaml": None},
    "no scripts": {path: None for path in BASE if path.startswith("processes/scripts/")},
    "settings": {"procctl.yaml": "timezone: Europe/Berlin\n"},
    "broken settings": {"procctl.yaml": "x"},
}
SIDES = st.lists(st.sampled_from(sorted(EDITS)), max_size=3, unique=True).map(
    lambda names: edited({path: text for name in names for path, text in EDITS[name].items()})
)


@given(SIDES, SIDES)
def test_there_and_back_tell_the_same(here: Files, there: Files) -> None:
    old, new = snap(here), snap(there)
    forth, back = compare(old, new, KNOWN), compare(new, old, KNOWN)
    assert (set(forth.new), set(forth.fixed)) == (set(back.fixed), set(back.new))
    assert {change.name for change in forth.of(Kind.ADDED)} == {change.name for change in back.of(Kind.REMOVED)}
    assert {(change.name, change.former) for change in forth.of(Kind.RENAMED)} == {
        (change.former, change.name) for change in back.of(Kind.RENAMED)
    }
    assert {part.name for part in forth.workflows} == {part.name for part in back.workflows}


@pytest.mark.parametrize("edit", sorted(EDITS))
def test_a_commit_compared_with_itself_is_nothing(edit: str) -> None:
    snapshot = snap(edited(EDITS[edit]))
    assert compare(snapshot, snapshot, KNOWN) == previewed({})
