"""The rules and the laws of numbering, on histories written down as values."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.book import Last
from reconciler.marks import Delete, Mark, Rename, Rollback, Unclear
from reconciler.numbering import REMOVED, Folded, fold
from reconciler.rollbacks import DELETED, PASSED_OVER, ROLLED_BACK
from reconciler.version import Change, Commit, Version, name_of

AT = datetime(2021, 7, 1, tzinfo=UTC)
A, MOVED, YML, LOWER = "processes/A.yaml", "processes/deep/er/A.yaml", "processes/A.yml", "processes/a.yaml"
B, C, D = "processes/B.yaml", "processes/C.yaml", "processes/D.yaml"


class World:
    """A history and all that it made so far; it is folded commit by commit, or as many at once as one likes.

    A blob ``x`` is also written ``x~name`` (another name line) and ``x#comment`` (the same values, other content); one
    that begins with ``!`` has errors, one that begins with ``?`` cannot be read at all.
    """

    def __init__(self) -> None:
        self.commits: list[Commit] = []
        self.state: dict[str, Last] = {}
        self.known: dict[tuple[str, int], Version] = {}
        self.ignored: list[tuple[str, str]] = []

    def content(self, blob: str) -> str:
        return blob.partition("~")[0]

    def values(self, path: str, blob: str) -> str:
        del path
        return self.content(blob) if blob.startswith("?") else self.content(blob).partition("#")[0]

    def sound(self, path: str, blob: str) -> bool:
        del path
        return not blob.startswith(("!", "?"))

    def versions(self, name: str) -> Iterable[Version]:
        return [version for (owner, _), version in self.known.items() if owner == name]

    def fold(self, *commits: Commit) -> Folded:
        self.commits += commits
        folded = fold(self.state, commits, self)
        self.state = dict(folded.state)
        self.known |= {(version.name, version.number): version for version in folded.versions}
        self.ignored += [(ignored.line, ignored.why) for ignored in folded.ignored]
        return folded

    def take(self, *changes: tuple[str, str | None], say: Iterable[Mark] = ()) -> None:
        """Commit changes under the next number as id."""
        self.fold(commit(str(len(self.commits) + 1), *changes, say=say))

    def live(self, name: str) -> dict[int, str]:
        return {one.number: one.blob for one in sorted(self.versions(name), key=lambda one: one.number) if one.live}

    def gone(self, name: str) -> dict[int, tuple[str, str]]:
        found = sorted(self.versions(name), key=lambda one: one.number)
        return {one.number: (one.gone.commit, one.gone.why) for one in found if one.gone}


def commit(id_: str, *changes: tuple[str, str | None], say: Iterable[Mark] = ()) -> Commit:
    named = tuple(Change(str(name_of(path)), path, blob) for path, blob in changes)
    return Commit(id_, "Ada", AT, f"Change {id_}", named, tuple(say))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def three(world: World) -> World:
    """A process with three versions."""
    for blob in ("x", "y", "z"):
        world.take((A, blob))
    return world


class TestOrdinaryChanges:
    def test_each_change_of_content_is_one_version(self, world: World) -> None:
        world.take((A, "x"), (B, "x"))
        world.take((A, "y"))
        world.take((A, "x"))
        assert world.live("A") == {1: "x", 2: "y", 3: "x"}
        assert world.live("B") == {1: "x"}
        assert [one.commit for one in world.versions("A")] == ["1", "2", "3"]

    def test_a_version_says_who_made_it_when_and_why(self, world: World) -> None:
        world.take((MOVED, "x~A"))
        assert list(world.versions("A")) == [Version("A", 1, "1", "x~A", MOVED, "Ada", AT, "Change 1", "x")]
        assert world.state == {"a": Last("A", 1, 1, "x", ((MOVED, "x~A"),), "A@1")}

    def test_a_move_is_no_version_but_a_move_with_an_edit_is(self, world: World) -> None:
        world.take((A, "x"))
        world.take((A, None), (MOVED, "x"))
        world.take((MOVED, None), (YML, "x"))
        assert world.live("A") == {1: "x"}
        world.take((A, "y"), (YML, None))
        assert world.live("A") == {1: "x", 2: "y"}

    def test_a_change_of_mode_or_of_the_name_alone_is_no_version(self, world: World) -> None:
        for blob in ("x", "x", "x~A", "x"):
            world.take((A, blob))
        assert world.live("A") == {1: "x"}
        world.take((A, "x~A"))
        world.take((A, "x#c"))
        assert world.live("A") == {1: "x", 2: "x#c"}

    def test_a_deleted_process_is_gone_and_goes_on_counting_when_it_returns(self, three: World) -> None:
        three.take((A, None))
        assert three.live("A") == {}
        assert three.gone("A") == dict.fromkeys((1, 2, 3), ("4", REMOVED))
        three.take((A, "z"))
        assert three.live("A") == {4: "z"}
        assert set(three.gone("A")) == {1, 2, 3}

    def test_while_two_files_claim_a_name_nothing_is_numbered_or_deleted(self, three: World) -> None:
        three.take((MOVED, "m"), say=[Rollback("A", 3, "z"), Delete("A", 1, "x")])
        three.take((A, "n"))
        assert three.live("A") == {1: "x", 2: "y", 3: "z"}
        assert [why for _, why in three.ignored] == ["more than one file claims the name"] * 2

    @pytest.mark.parametrize(
        ("changes", "live"),
        [
            ([(MOVED, None)], {1: "x", 2: "y", 3: "z"}),
            ([(A, None)], {1: "x", 2: "y", 3: "z", 4: "m"}),
            ([(A, None), (MOVED, None)], {}),
            ([(A, None), (MOVED, "z~A")], {1: "x", 2: "y", 3: "z"}),
        ],
    )
    def test_what_settles_a_name(
        self, three: World, changes: list[tuple[str, str | None]], live: dict[int, str]
    ) -> None:
        three.take((MOVED, "m"))
        three.take(*changes)
        assert three.live("A") == live

    def test_the_removal_of_what_was_never_there_is_nothing(self, world: World) -> None:
        world.take((A, None))
        assert (world.state, world.known) == ({}, {})


class TestRollbacks:
    def test_the_version_below_is_current_again(self, three: World) -> None:
        three.take((A, "y"), say=[Rollback("A", 3, "z")])
        assert three.live("A") == {1: "x", 2: "y"}
        assert three.gone("A") == {3: ("4", ROLLED_BACK)}
        assert three.state["a"].current == 2
        three.take((A, "w"))
        assert three.live("A") == {1: "x", 2: "y", 4: "w"}

    def test_a_second_one_goes_on_and_the_last_removes_the_file(self, three: World) -> None:
        three.take((A, "y"), say=[Rollback("A", 3, "z")])
        three.take((A, "x"), say=[Rollback("A", 2, "y")])
        assert three.live("A") == {1: "x"}
        three.take((A, None), say=[Rollback("A", 1, "x")])
        assert three.live("A") == {}
        assert three.gone("A") == {3: ("4", ROLLED_BACK), 2: ("5", ROLLED_BACK), 1: ("6", ROLLED_BACK)}
        assert three.ignored == []
        three.take((A, "x"))
        assert three.live("A") == {4: "x"}

    def test_a_reverted_one_is_a_new_version(self, three: World) -> None:
        three.take((A, "y"), say=[Rollback("A", 3, "z")])
        three.take((A, "z"))
        assert three.live("A") == {1: "x", 2: "y", 4: "z"}

    def test_what_is_restored_may_have_another_name_line(self, three: World) -> None:
        three.take((A, "y~A"), say=[Rollback("A", 3, "z")])
        assert three.live("A") == {1: "x", 2: "y"}
        three.take((A, "y"))
        assert three.live("A") == {1: "x", 2: "y"}, "its name line alone is no version"

    def test_erroneous_versions_are_passed_over(self, world: World) -> None:
        for blob in ("x", "!1", "!2", "z"):
            world.take((A, blob))
        world.take((A, "x"), say=[Rollback("A", 4, "z")])
        assert world.live("A") == {1: "x"}
        assert world.gone("A") == {2: ("5", PASSED_OVER), 3: ("5", PASSED_OVER), 4: ("5", ROLLED_BACK)}

    def test_an_erroneous_version_can_be_rolled_back(self, world: World) -> None:
        world.take((A, "x"))
        world.take((A, "!1"))
        world.take((A, "x"), say=[Rollback("A", 2, "!1")])
        assert world.live("A") == {1: "x"}

    def test_it_does_not_restore_an_erroneous_version(self, world: World) -> None:
        world.take((A, "!1"))
        world.take((A, "z"))
        world.take((A, "!1"), say=[Rollback("A", 2, "z")])
        assert world.live("A") == {1: "!1", 2: "z", 3: "!1"}

    def test_where_only_erroneous_ones_are_below_it_does_not_hold(self, world: World) -> None:
        world.take((A, "!1"))
        world.take((A, "z"))
        world.take((A, None), say=[Rollback("A", 2, "z")])
        assert world.gone("A") == dict.fromkeys((1, 2), ("3", REMOVED))
        assert world.ignored == [("Procctl-Rollback: A@2 z", "no version below it is free of errors")]

    def test_a_deleted_version_is_no_goal(self, three: World) -> None:
        three.take(say=[Delete("A", 2, "y")])
        three.take((A, "x"), say=[Rollback("A", 3, "z")])
        assert three.live("A") == {1: "x"}

    def test_a_chain_in_one_merge(self, three: World) -> None:
        three.take((A, "x"), say=[Rollback("A", 3, "z"), Rollback("A", 2, "y")])
        assert three.live("A") == {1: "x"}
        assert three.ignored == []

    def test_of_a_chain_the_longest_beginning_holds_that_the_commit_has(self, three: World) -> None:
        three.take((A, "y"), say=[Rollback("A", 3, "z"), Rollback("A", 2, "y")])
        assert three.live("A") == {1: "x", 2: "y"}
        assert three.ignored == [("Procctl-Rollback: A@2 y", "the commit does not hold what it restores")]

    def test_a_chain_to_the_end(self, three: World) -> None:
        three.take((A, None), say=[Rollback("A", number, blob) for number, blob in ((3, "z"), (2, "y"), (1, "x"))])
        assert {why for _, why in three.gone("A").values()} == {ROLLED_BACK}

    @pytest.mark.parametrize(
        ("mark", "why"),
        [
            (Rollback("A", 3, "y"), "A@3 has another blob: z"),
            (Rollback("A", 2, "y"), "A@2 is not the current version"),
            (Rollback("A", 4, "z"), "there is no version A@4"),
            (Rollback("Z", 1, "x"), "there is no version Z@1"),
            (Rollback("A", 3, "z"), "the commit does not hold what it restores"),
            (Unclear("Procctl-Rollback: A"), "it cannot be read"),
            (Rename("Z", "Y"), "there was no process Z"),
            (Rename("A", "Z"), "the file of A does not go, or that of Z does not come, with this commit"),
            (Delete("A", 3, "y"), "A@3 has another blob: z"),
        ],
    )
    def test_what_does_not_hold_makes_an_ordinary_version(self, three: World, mark: Mark, why: str) -> None:
        three.take((A, "w"), say=[mark])
        assert three.live("A") == {1: "x", 2: "y", 3: "z", 4: "w"}
        assert three.ignored == [(str(mark), why)]
        assert three.gone("A") == {}

    def test_one_that_is_picked_to_where_it_does_not_belong(self, three: World) -> None:
        three.take((A, "w"))
        three.take((A, "y"), say=[Rollback("A", 3, "z")])
        assert three.live("A") == {1: "x", 2: "y", 3: "z", 4: "w", 5: "y"}

    def test_a_removed_process_cannot_be_rolled_back(self, three: World) -> None:
        three.take((A, None))
        three.take(say=[Rollback("A", 3, "z")])
        assert three.ignored == [("Procctl-Rollback: A@3 z", "A@3 is gone")]


class TestDeletions:
    def test_a_version_that_is_not_current_goes_by_an_empty_commit(self, three: World) -> None:
        three.take(say=[Delete("A", 1, "x")])
        assert three.live("A") == {2: "y", 3: "z"}
        assert three.gone("A") == {1: ("4", DELETED)}

    def test_the_current_one_does_not(self, three: World) -> None:
        three.take(say=[Delete("A", 3, "z")])
        assert three.live("A") == {1: "x", 2: "y", 3: "z"}
        assert three.ignored == [("Procctl-Delete: A@3 z", "A@3 is the current version")]

    def test_one_that_a_merge_replaced_does(self, three: World) -> None:
        three.take((A, "w"), say=[Delete("A", 3, "z")])
        assert three.live("A") == {1: "x", 2: "y", 4: "w"}

    def test_deletes_and_rollbacks_of_one_merge_follow_each_other(self, three: World) -> None:
        three.take((A, "x"), say=[Delete("A", 2, "y"), Rollback("A", 3, "z")])
        assert three.live("A") == {1: "x"}
        assert three.gone("A") == {2: ("4", DELETED), 3: ("4", ROLLED_BACK)}

    def test_the_one_that_a_rollback_restores_is_current(self, three: World) -> None:
        three.take((A, "y"), say=[Rollback("A", 3, "z"), Delete("A", 2, "y"), Delete("A", 3, "z")])
        assert three.live("A") == {1: "x", 2: "y"}
        assert [why for _, why in three.ignored] == ["A@2 is the current version", "A@3 is gone"]

    def test_twice_is_once(self, three: World) -> None:
        three.take(say=[Delete("A", 1, "x"), Delete("A", 1, "x")])
        assert three.ignored == []
        three.take(say=[Delete("A", 1, "x")])
        assert three.ignored == [("Procctl-Delete: A@1 x", "A@1 is gone")]


class TestRenames:
    @pytest.mark.parametrize("say", [[Rename("A", "B")], []], ids=["marked", "recognised"])
    def test_versions_go_over(self, three: World, say: list[Mark]) -> None:
        three.take((A, None), (B, "z~B"), say=say)
        assert three.live("B") == {1: "x", 2: "y", 3: "z"}
        assert three.live("A") == {}
        assert three.gone("A") == dict.fromkeys((1, 2, 3), ("4", "renamed to B"))
        assert three.state["b"].former == ("A",)
        three.take((B, "w"))
        assert three.live("B") == {1: "x", 2: "y", 3: "z", 4: "w"}
        assert three.ignored == []

    def test_more_than_the_name_is_a_version_of_the_new_name(self, three: World) -> None:
        three.take((A, None), (B, "w"), say=[Rename("A", "B")])
        assert three.live("B") == {1: "x", 2: "y", 3: "z", 4: "w"}
        three.take((B, None), (C, "w#c"))
        assert three.live("C") == {1: "x", 2: "y", 3: "z", 4: "w", 5: "w#c"}, "recognised by values, comments aside"

    def test_without_a_mark_and_with_other_values_it_is_another_process(self, three: World) -> None:
        three.take((A, None), (B, "w"))
        assert three.live("B") == {1: "w"}
        assert {why for _, why in three.gone("A").values()} == {REMOVED}

    def test_what_cannot_be_read_is_recognised_by_its_content(self, world: World) -> None:
        world.take((A, "?"), (D, "?d"))
        world.take((A, None), (B, "?~B"), (D, None), (C, "?d#c"))
        assert world.live("B") == {1: "?"}
        assert (world.state["b"].former, world.state["c"].former) == (("A",), ())

    @pytest.mark.parametrize(
        "changes",
        [[(A, None), (B, "z"), (C, "z#c")], [(A, None), (D, None), (B, "z")]],
        ids=["two come", "two go"],
    )
    def test_ambiguity_is_no_rename(self, three: World, changes: list[tuple[str, str | None]]) -> None:
        three.take((D, "z#d"))
        three.take(*changes)
        assert three.live("B") == {1: "z"}
        assert three.state["b"].former == ()

    def test_a_mark_settles_ambiguity(self, three: World) -> None:
        three.take((A, None), (B, "z"), (C, "z"), say=[Rename("A", "C")])
        assert three.live("C") == {1: "x", 2: "y", 3: "z"}
        assert three.live("B") == {1: "z"}

    def test_and_back(self, three: World) -> None:
        three.take((A, None), (B, "z"))
        three.take((B, "w"))
        three.take((B, None), (A, "w"))
        assert three.live("A") == {1: "x", 2: "y", 3: "z", 4: "w"}
        assert three.gone("B") == dict.fromkeys((1, 2, 3, 4), ("6", "renamed to A"))
        assert (three.state["a"].former, three.state["b"].former) == (("B",), ())

    def test_over_several_names_and_back_to_the_first(self, three: World) -> None:
        three.take((A, None), (B, "z"))
        three.take((B, None), (C, "z"))
        assert three.state["c"].former == ("B", "A")
        three.take((C, None), (A, "z"))
        assert three.live("A") == {1: "x", 2: "y", 3: "z"}
        assert three.state["a"].former == ("C", "B")

    @pytest.mark.parametrize("say", [[Rename("A", "B")], []])
    def test_a_name_that_another_process_had_is_not_taken_over(self, three: World, say: list[Mark]) -> None:
        three.take((B, "b"))
        three.take((B, None))
        three.take((A, None), (B, "z"), say=say)
        assert three.live("B") == {2: "z"}
        assert three.gone("B") == {1: ("5", REMOVED)}
        assert {why for _, why in three.gone("A").values()} == {REMOVED}
        assert three.ignored == [("Procctl-Rename: A B", "B is or was another process")] * len(say)

    def test_the_old_name_begins_anew_after_its_numbers(self, three: World) -> None:
        three.take((A, None), (B, "z"))
        three.take((A, "n"))
        assert three.live("A") == {4: "n"}
        assert three.state["a"].former == ()
        three.take((B, None), (A, "z"), say=[Rename("B", "A")])
        assert three.live("A") == {4: "n", 5: "z"}, "it is another process now"
        three.take((A, None), (C, "z"))
        assert three.live("C") == {4: "n", 5: "z"}
        assert three.state["c"].former == ("A",)

    def test_in_a_chain_of_marks_of_one_merge(self, three: World) -> None:
        three.take((A, None), (C, "w"), say=[Rename("A", "B"), Rename("B", "C")])
        assert three.live("C") == {1: "x", 2: "y", 3: "z", 4: "w"}
        assert three.live("B") == {}
        assert three.ignored == []

    def test_an_idle_mark_beside_one_that_holds(self, three: World) -> None:
        three.take((A, None), (B, "w"), say=[Rename("Z", "B"), Rename("A", "Z"), Rename("A", "B")])
        assert three.live("B") == {1: "x", 2: "y", 3: "z", 4: "w"}
        assert [line for line, _ in three.ignored] == ["Procctl-Rename: Z B", "Procctl-Rename: A Z"]

    def test_a_swap_is_two_changes(self, three: World) -> None:
        three.take((B, "b"))
        three.take((A, "b"), (B, "z"), say=[Rename("A", "B"), Rename("B", "A")])
        assert three.live("A") == {1: "x", 2: "y", 3: "z", 4: "b"}
        assert three.live("B") == {1: "b", 2: "z"}

    @pytest.mark.parametrize("name", ["A", "B"])
    def test_a_rollback_in_the_same_merge_may_say_either_name(self, three: World, name: str) -> None:
        three.take((A, None), (B, "y"), say=[Rollback(name, 3, "z"), Rename("A", "B")])
        assert three.live("B") == {1: "x", 2: "y"}
        assert three.gone("B") == {3: ("4", ROLLED_BACK)}
        assert three.ignored == []

    @pytest.mark.parametrize("say", [[Rename("A", "a")], []])
    def test_a_change_of_case_is_one(self, three: World, say: list[Mark]) -> None:
        three.take((A, None), (LOWER, "w"), say=say)
        assert three.live("a") == {1: "x", 2: "y", 3: "z", 4: "w"}
        assert three.live("A") == {}
        assert three.state["a"].former == ("A",)
        assert three.ignored == []
        three.take((LOWER, None), (A, "w"))
        assert three.live("A") == {1: "x", 2: "y", 3: "z", 4: "w"}
        assert three.gone("a") == dict.fromkeys((1, 2, 3, 4), ("5", "renamed to A"))

    def test_names_that_differ_in_case_are_one_name(self, three: World) -> None:
        three.take((LOWER, "w"))
        assert three.live("a") == {}
        assert three.live("A") == {1: "x", 2: "y", 3: "z"}
        three.take((A, None))
        assert three.live("a") == {1: "x", 2: "y", 3: "z", 4: "w"}
        three.take((LOWER, None))
        three.take((A, "x"))
        assert three.live("A") == {5: "x"}


def two_steps(history: list[Commit], cut: int) -> World:
    world = World()
    world.fold(*history[:cut])
    world.fold(*history[cut:])
    return world


PATHS = st.sampled_from([A, MOVED, YML, LOWER, B, "processes/x/B.yaml", C])
BLOBS = st.sampled_from([None, None, "x", "x~n", "x#c", "y", "!z", "?"])
NAMES = st.sampled_from(["A", "a", "B", "C"])
NUMBERED = st.builds(
    lambda kind, name, number, blob: kind(name, number, blob),
    st.sampled_from([Rollback, Delete]), NAMES, st.integers(1, 4), st.sampled_from(["x", "y", "!z", "?"]),
)  # fmt: skip
MARKS = st.lists(st.one_of(NUMBERED, st.builds(Rename, NAMES, NAMES)), max_size=3)
COMMITS = st.tuples(st.lists(st.tuples(PATHS, BLOBS), max_size=3, unique_by=lambda one: one[0]), MARKS)
HISTORY = st.lists(COMMITS, max_size=12).map(
    lambda all_: [commit(str(place), *changes, say=say) for place, (changes, say) in enumerate(all_)]
)


@given(HISTORY, st.integers(0, 12))
def test_two_steps_equal_one(history: list[Commit], cut: int) -> None:
    one, two = World(), two_steps(history, cut)
    one.fold(*history)
    assert (two.known, two.state, two.ignored) == (one.known, one.state, one.ignored)


@given(HISTORY)
def test_numbers_only_grow_and_are_the_same_bytes_for_ever(history: list[Commit]) -> None:
    world = World()
    said: dict[tuple[str, int], str] = {}
    tops: dict[str, int] = {}
    for each in history:
        world.fold(each)
        for key, version in world.known.items():
            assert said.setdefault(key, version.blob) == version.blob
        for name in {last.name for last in world.state.values()}:
            top = max((version.number for version in world.versions(name)), default=0)
            assert top >= tops.get(name, 0)
            tops[name] = top


@given(HISTORY)
def test_one_file_is_always_the_current_version(history: list[Commit]) -> None:
    world = World()
    for each in history:
        world.fold(each)
        for last in world.state.values():
            live = world.live(last.name)
            assert last.current == max(live, default=None)
            if len(last.files) < 2:
                newest = [world.content(live[number]) for number in sorted(live)[-1:]]
                assert [world.content(blob) for _, blob in last.files] == newest


@given(HISTORY)
def test_a_mark_that_does_not_hold_changes_nothing(history: list[Commit]) -> None:
    world = World()
    world.fold(*history)
    idle = {(ignored, place) for place, each in enumerate(history) for ignored in _ignored(history, place)}
    kept = [
        Commit(each.id, each.author, each.time, each.subject, each.changes,
               tuple(mark for mark in each.marks if (mark, place) not in idle))
        for place, each in enumerate(history)
    ]  # fmt: skip
    other = World()
    other.fold(*kept)
    assert (other.known, other.state, other.ignored) == (world.known, world.state, [])


def _ignored(history: list[Commit], place: int) -> list[Mark]:
    world = World()
    world.fold(*history[:place])
    lines = {ignored.line for ignored in world.fold(history[place]).ignored}
    return [mark for mark in history[place].marks if str(mark) in lines]


def test_the_state_given_is_not_changed() -> None:
    state = {"a": Last("A", 1, 1, "x", ((A, "x"),), "A@1")}
    fold(state, [commit("1", (A, "y"))], World())
    assert state == {"a": Last("A", 1, 1, "x", ((A, "x"),), "A@1")}


def test_a_mark_tells_whom_it_is_about(three: World) -> None:
    folded = three.fold(commit("9", say=[Rename("A", "B"), Unclear("Procctl-")]))
    assert [(one.commit, one.names) for one in folded.ignored] == [("9", ("A", "B")), ("9", ())]
