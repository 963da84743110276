"""Which configuration is in force after each kind of mistake, repair and decision (SPEC 3, 8)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.repo.repository import Repository, open_repository
from reconciler.store.index import Index
from reconciler.sync import inforce, parsing, snapshots, versions
from reconciler.sync.inforce import InForce

A, B = "processes/A.yaml", "processes/B.yaml"
SCRIPT, OTHER = "processes/scripts/x.sh", "processes/scripts/y.sh"
FLOW = "processes/workflows/wf.yaml"
GOOD = "script: x.sh\n"
BROKEN = "script: [x.sh\n"
SHELL = "#!/bin/sh\n"


@pytest.fixture
def repo(workshop: Any) -> Repository:
    return open_repository(workshop.root, os.environ)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = Index.open(tmp_path / "index.sqlite", environment="test", release=parsing.release())
    yield opened
    opened.close()


@pytest.fixture
def force(workshop: Any, repo: Repository, index: Index) -> Any:
    """Commit something, and say what is in force then."""

    def commit(files: dict[str, str | None], message: str = "Change") -> dict[str, InForce]:
        made = workshop.commit(files, message)
        versions.extend(repo, index, made)
        return inforce.in_force(repo, index, snapshots.load(repo, index, made))

    return commit


def brief(one: InForce | None) -> tuple[str | None, int | None] | None:
    return (one.commit, one.version) if one is not None else None


def test_an_error_leaves_the_last_valid_version_and_the_neighbours_alone(workshop: Any, force: Any) -> None:
    before = force({A: GOOD, B: GOOD, SCRIPT: SHELL})
    assert (brief(before["A"]), brief(before["B"])) == ((None, 1), (None, 1))
    valid = workshop.git("rev-parse", "HEAD")
    after = force({A: BROKEN})
    assert brief(after["A"]) == (valid, 1)
    assert after["A"].process == before["A"].process
    assert after["A"].problems, "it says what is wrong now"
    assert after["B"] == before["B"]
    again = force({A: "script: nowhere.sh\n", B: GOOD + "# comment\n"})
    assert (brief(again["A"]), brief(again["B"])) == ((valid, 1), (None, 2))
    mended = force({A: GOOD + "retries: 1\n"})
    assert brief(mended["A"]) == (None, 4), "broken versions are numbered too"
    assert mended["A"].problems == ()


def test_the_newest_commit_that_serves_is_the_one_before_the_mistake(workshop: Any, force: Any) -> None:
    force({A: GOOD, SCRIPT: SHELL})
    edited = workshop.commit({SCRIPT: SHELL + "echo better\n"})
    unrelated = workshop.commit({"README": "x"})
    assert brief(force({A: BROKEN})["A"]) == (unrelated, 1)
    assert edited != unrelated


def test_what_was_never_valid_is_not_in_force(workshop: Any, force: Any) -> None:
    workshop.commit({"README": "x"})
    assert "A" not in force({A: BROKEN, B: "script: nowhere.sh\n"})
    now = force({SCRIPT: SHELL, B: GOOD})
    assert "A" not in now
    assert brief(now["B"]) == (None, 2)


def test_a_mended_script_needs_no_new_version(workshop: Any, force: Any) -> None:
    force({A: "script: y.sh\n", B: GOOD, SCRIPT: SHELL, OTHER: SHELL})
    valid = workshop.git("rev-parse", "HEAD")
    gone = force({OTHER: None})
    assert (brief(gone["A"]), brief(gone["B"])) == ((valid, 1), (None, 1))
    assert brief(force({OTHER: SHELL + "echo new\n"})["A"]) == (None, 1)


def test_a_broken_workflow_holds_back_exactly_those_who_use_it(workshop: Any, force: Any) -> None:
    flow = "phases: [{name: X, script: x.sh}]\n"
    force({A: "workflow: wf\n", B: GOOD, SCRIPT: SHELL, FLOW: flow})
    valid = workshop.git("rev-parse", "HEAD")
    for broken in ("phases: []\n", "phases: [{name: X, script: nowhere.sh}]\n", None):
        now = force({FLOW: broken})
        assert (brief(now["A"]), brief(now["B"])) == ((valid, 1), (None, 1))
    assert brief(force({FLOW: flow})["A"]) == (None, 1)


def test_a_process_held_back_by_a_script_may_be_edited_meanwhile(workshop: Any, force: Any) -> None:
    force({A: GOOD, SCRIPT: SHELL})
    valid = workshop.git("rev-parse", "HEAD")
    force({SCRIPT: None})
    edited = force({A: GOOD + "retries: 3\n"})
    assert brief(edited["A"]) == (valid, 1)
    assert edited["A"].process.retries == 0


def test_a_decision_to_stop_takes_effect_whatever_else_is_broken(workshop: Any, force: Any) -> None:
    force({A: GOOD, B: GOOD, SCRIPT: SHELL})
    now = force({A: GOOD + "enabled: false\n", SCRIPT: None, B: None})
    assert brief(now["A"]) == (None, 2)
    assert not now["A"].process.enabled
    assert "B" not in now
    stopped = workshop.git("rev-parse", "HEAD")
    broken = force({A: BROKEN})
    assert brief(broken["A"]) == (stopped, 2), "a mistake after it does not start it again"
    assert not broken["A"].process.enabled


def test_a_file_that_returns_broken_brings_nothing_back(workshop: Any, force: Any) -> None:
    force({A: GOOD, SCRIPT: SHELL})
    assert "A" not in force({A: None})
    assert "A" not in force({A: BROKEN})
    assert brief(force({A: GOOD})["A"]) == (None, 3)
    valid = workshop.git("rev-parse", "HEAD")
    assert brief(force({A: BROKEN})["A"]) == (valid, 3)


def test_a_name_used_twice_leaves_the_last_that_was_its_own(workshop: Any, force: Any) -> None:
    force({A: GOOD, B: GOOD, SCRIPT: SHELL})
    valid = workshop.git("rev-parse", "HEAD")
    for other in ("processes/0/A.yaml", "processes/a.yml"):
        now = force({other: GOOD + "enabled: false\n"})
        assert brief(now["A"]) == (valid, 1)
        assert now["A"].process.enabled, "the second file decides nothing"
        assert brief(now["B"]) == (None, 1)
        force({other: None})
        valid = workshop.git("rev-parse", "HEAD")


def test_a_link_in_place_of_a_file_is_not_followed(workshop: Any, force: Any) -> None:
    force({A: GOOD, B: GOOD, SCRIPT: SHELL})
    valid = workshop.git("rev-parse", "HEAD")
    (workshop.root / A).unlink()
    (workshop.root / A).symlink_to("B.yaml")
    now = force({})
    assert brief(now["A"]) == (valid, 1)
    assert brief(now["B"]) == (None, 1)


def test_a_move_changes_nothing(force: Any) -> None:
    force({A: GOOD, SCRIPT: SHELL})
    moved = force({A: None, "processes/deep/A.yaml": GOOD})["A"]
    assert (brief(moved), moved.path) == ((None, 1), "processes/deep/A.yaml")


def test_a_held_process_is_in_force_and_says_so(force: Any) -> None:
    held = force({A: GOOD + "overlap: queue\n", SCRIPT: SHELL})["A"]
    assert brief(held) == (None, 1)
    assert held.held is not None
    assert "overlap" in held.held.pointer
    assert held.held in held.problems


def test_a_merge_counts_as_what_it_brings(workshop: Any, force: Any) -> None:
    force({A: GOOD, SCRIPT: SHELL})
    workshop.git("checkout", "-q", "-b", "topic")
    workshop.commit({A: GOOD + "retries: 1\n"})
    workshop.commit({A: BROKEN})
    workshop.git("checkout", "-q", "main")
    valid = workshop.commit({"README": "x"})
    workshop.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
    assert brief(force({})["A"]) == (valid, 1), "what stood on the topic alone was never followed"


def test_content_that_went_and_came_back_in_one_step_is_a_new_version(
    workshop: Any, repo: Repository, index: Index, force: Any
) -> None:
    force({A: GOOD, SCRIPT: SHELL})
    since = workshop.git("rev-parse", "HEAD")
    snapshot = snapshots.load(repo, index, since)
    before = inforce.in_force(repo, index, snapshot)
    workshop.commit({A: None})
    now = workshop.commit({A: GOOD})
    versions.extend(repo, index, now)
    snapshot = snapshots.update(snapshot, repo, index, now)
    assert inforce.in_force(repo, index, snapshot, before, since)["A"].version == 2


def test_what_did_not_change_is_the_very_same(workshop: Any, repo: Repository, index: Index, force: Any) -> None:
    before = force({A: GOOD, B: GOOD, SCRIPT: SHELL})
    since = workshop.git("rev-parse", "HEAD")
    snapshot = snapshots.load(repo, index, since)
    before = inforce.in_force(repo, index, snapshot)
    now = workshop.commit({A: GOOD + "retries: 1\n"})
    versions.extend(repo, index, now)
    after = inforce.in_force(repo, index, snapshots.update(snapshot, repo, index, now), before, since)
    assert after["B"] is before["B"]
    assert after["A"].version == 2


def test_many_processes_are_numbered_at_once(force: Any) -> None:
    many = {f"processes/P{number}.yaml": GOOD for number in range(inforce._FEW + 5)}
    now = force({SCRIPT: SHELL, **many})
    assert {one.version for one in now.values()} == {1}
    assert len(now) == len(many)


def test_a_pulled_merge_is_walked_back_along_what_was_followed(workshop: Any, index: Index, force: Any) -> None:
    force({A: GOOD, SCRIPT: SHELL})
    workshop.git("branch", "theirs")
    force({A: GOOD + "retries: 1\n"})
    ours = workshop.git("rev-parse", "HEAD")
    workshop.git("checkout", "-q", "theirs")
    workshop.commit({B: GOOD})
    workshop.git("merge", "-q", "--no-ff", "-m", "pull", "main")
    merge = workshop.git("rev-parse", "HEAD")
    pulled = force({})
    assert brief(pulled["A"]) == (None, 2)
    assert versions.progress(index).mainline == {merge: ours}
    later = workshop.git("rev-parse", "HEAD")
    assert brief(force({A: BROKEN})["A"]) == (later, 2)
