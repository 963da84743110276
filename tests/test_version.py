"""The laws of numbering."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.version import (
    Change,
    Commit,
    Last,
    Version,
    fold,
    name_of,
    version_at,
)

AT = datetime(2021, 7, 1, tzinfo=UTC)


def commit(id_: str, *changes: tuple[str, str | None]) -> Commit:
    named = tuple(Change(str(name_of(path)), path, blob) for path, blob in changes)
    return Commit(id_, "Ada", AT, f"Change {id_}", named)


def numbers(*commits: Commit) -> list[tuple[str, int, str, str]]:
    versions, _ = fold({}, commits)
    return [(version.name, version.number, version.commit, version.blob) for version in versions]


A, MOVED, YML, B = "processes/A.yaml", "processes/deep/er/A.yaml", "processes/A.yml", "processes/B.yaml"


def test_each_change_of_content_is_one_version() -> None:
    assert numbers(commit("1", (A, "a1"), (B, "b1")), commit("2", (A, "a2")), commit("3", (A, "a1"))) == [
        ("A", 1, "1", "a1"),
        ("B", 1, "1", "b1"),
        ("A", 2, "2", "a2"),
        ("A", 3, "3", "a1"),
    ]


def test_a_version_says_who_made_it_when_and_why() -> None:
    versions, last = fold({}, [commit("1", (MOVED, "a1"))])
    assert versions == (Version("A", 1, "1", "a1", MOVED, "Ada", AT, "Change 1"),)
    assert last == {"A": Last(1, "a1", ((MOVED, "a1"),))}


def test_a_move_is_no_version_but_a_move_with_an_edit_is() -> None:
    start = commit("1", (A, "a1"))
    assert numbers(start, commit("2", (A, None), (MOVED, "a1")), commit("3", (MOVED, None), (YML, "a1"))) == [
        ("A", 1, "1", "a1")
    ]
    assert numbers(start, commit("2", (MOVED, "a2"), (A, None)))[1:] == [("A", 2, "2", "a2")]


def test_a_change_of_mode_is_no_version() -> None:
    assert len(numbers(commit("1", (A, "a1")), commit("2", (A, "a1")))) == 1


def test_a_deleted_process_goes_on_counting_when_it_returns() -> None:
    gone = commit("2", (A, None))
    assert numbers(commit("1", (A, "a1")), gone, commit("3", (A, "a1")), commit("4", (A, "a2"))) == [
        ("A", 1, "1", "a1"),
        ("A", 2, "3", "a1"),
        ("A", 3, "4", "a2"),
    ]


def test_while_two_files_claim_a_name_nothing_is_numbered() -> None:
    start, second = commit("1", (A, "a1")), commit("2", (MOVED, "a2"))
    assert numbers(start, second) == [("A", 1, "1", "a1")]
    assert numbers(start, second, commit("3", (MOVED, None))) == [("A", 1, "1", "a1")]
    assert numbers(start, second, commit("3", (A, None)))[1:] == [("A", 2, "3", "a2")]
    assert numbers(start, second, commit("3", (A, None), (MOVED, None)), commit("4", (A, "a1")))[1:] == [
        ("A", 2, "4", "a1")
    ]


def test_the_removal_of_what_was_never_there_is_nothing() -> None:
    assert fold({}, [commit("1", (A, None))]) == ((), {"A": Last()})


PATHS = st.sampled_from([A, MOVED, YML, B, "processes/x/B.yaml", "processes/C.yml"])
CHANGES = st.lists(st.tuples(PATHS, st.sampled_from([None, "x", "y", "z"])), max_size=4, unique_by=lambda one: one[0])
HISTORY = st.lists(CHANGES, max_size=12).map(
    lambda all_: [commit(str(number), *changes) for number, changes in enumerate(all_)]
)


@given(HISTORY, st.integers(0, 12))
def test_two_steps_equal_one(history: list[Commit], cut: int) -> None:
    whole, last = fold({}, history)
    first, between = fold({}, history[:cut])
    second, then = fold(between, history[cut:])
    assert first + second == whole
    assert then == last


@given(HISTORY)
def test_numbers_have_no_holes_and_only_grow(history: list[Commit]) -> None:
    versions, last = fold({}, history)
    for name in "ABC":
        mine = [version for version in versions if version.name == name]
        assert [version.number for version in mine] == list(range(1, len(mine) + 1))
        assert last.get(name, Last()).number == len(mine)
        places = [int(version.commit) for version in mine]
        assert places == sorted(set(places)), "one commit makes one version at most"


@given(HISTORY)
def test_a_single_file_is_always_the_last_version(history: list[Commit]) -> None:
    versions, last = fold({}, history)
    for name, one in last.items():
        if len(one.files) == 1:
            newest = [version for version in versions if version.name == name][-1]
            assert (newest.blob, one.blob) == (one.files[0][1], one.files[0][1])


def test_the_state_given_is_not_changed() -> None:
    state = {"A": Last(1, "a1", ((A, "a1"),))}
    fold(state, [commit("1", (A, "a2"))])
    assert state == {"A": Last(1, "a1", ((A, "a1"),))}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (A, "A"),
        (YML, "A"),
        (MOVED, "A"),
        ("processes/workflows.yaml", "workflows"),
        ("processes/x/workflows/A.yaml", "A"),
        ("processes/A.b-c_1.yaml", "A.b-c_1"),
        ("processes/workflows/w.yaml", None),
        ("processes/scripts/etl/s.yaml", None),
        ("processes/A.json", None),
        ("processes/A", None),
        ("processes/.yaml", None),
        ("processes/1A.yaml", None),
        ("processes/private.yaml", None),
        ("processes/a b.yaml", None),
        ("processes/A.lock.yaml", None),
        ("A.yaml", None),
        ("other/processes/A.yaml", None),
        ("procctl.yaml", None),
    ],
)
def test_which_paths_declare_a_process(path: str, name: str | None) -> None:
    assert name_of(path) == name


CHAIN = ("5", "4", "3", "2", "1")


@pytest.mark.parametrize(("at", "number"), [("5", 2), ("4", 2), ("3", 1), ("2", 1), ("1", None), ("elsewhere", None)])
def test_the_version_at_a_commit(at: str, number: int | None) -> None:
    versions, _ = fold({}, [commit("2", (A, "a1")), commit("4", (A, "a2"))])
    found = version_at(reversed(versions), CHAIN, at)
    assert (found and found.number) == number
