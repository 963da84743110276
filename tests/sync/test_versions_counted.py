"""Versions in the index: every kind of history, extended step by step, refused where it was rewritten (SPEC 9)."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import UserError
from reconciler.repo.repository import Repository, open_repository
from reconciler.store.index import Index
from reconciler.sync import versions
from reconciler.sync.versions import Progress
from reconciler.version import Version


@pytest.fixture
def repo(workshop: Any) -> Repository:
    return open_repository(workshop.root, os.environ)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = Index.open(tmp_path / "index.sqlite", environment="test", release="1")
    yield opened
    opened.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Index]:
    """Another index, as if the cache had been deleted."""
    with closing(Index.open(tmp_path / "fresh.sqlite", environment="test", release="1")) as opened:
        yield opened


def all_versions(index: Index) -> dict[str, list[Version]]:
    return {last.name: list(index.versions(last.name)) for last in index.last_versions().values()}


def numbers(index: Index, name: str) -> list[tuple[int, str]]:
    return [(version.number, version.subject) for version in reversed(index.versions(name))]


def merge(workshop: Any, branch: str, *options: str) -> str:
    workshop.git("merge", "-q", "--no-ff", "-m", f"Merge {branch}", *options, branch)
    commit: str = workshop.git("rev-parse", "HEAD")
    return commit


def test_versions_are_counted_once_and_then_extended(workshop: Any, repo: Repository, index: Index) -> None:
    first = workshop.commit({"processes/A.yaml": "a: 1", "processes/B.yaml": "b: 1"}, "One")
    assert versions.progress(index) == Progress()
    assert versions.extend(repo, index, first) == versions.progress(index) == Progress(first, {})
    workshop.commit({"README": "x"}, "No version")
    third = workshop.commit({"processes/A.yaml": "a: 1 # comment"}, "Two")
    versions.extend(repo, index, third)
    assert numbers(index, "A") == [(1, "One"), (2, "Two")]
    assert numbers(index, "B") == [(1, "One")]
    newest = index.versions("A")[0]
    assert (newest.commit, newest.author, newest.path) == (third, "Ada Lovelace", "processes/A.yaml")
    assert newest.blob == workshop.git("rev-parse", "HEAD:processes/A.yaml")
    assert newest.time == datetime.fromtimestamp(int(workshop.git("log", "-1", "--format=%ct")), UTC)
    assert versions.extend(repo, index, third) == Progress(third, {})


def history(workshop: Any) -> list[str]:
    """Make a history with a bit of everything; gives every commit of its first-parent chain."""
    tips = [workshop.commit({"processes/A.yaml": "a: 1", "processes/B.yaml": "b: 1"}, "Begin")]
    workshop.git("checkout", "-q", "-b", "topic")
    workshop.commit({"processes/A.yaml": "a: 2"}, "Topic 1")
    workshop.commit({"processes/A.yaml": "a: 3", "processes/C.yaml": "c: 1"}, "Topic 2")
    workshop.git("checkout", "-q", "main")
    tips.append(workshop.commit({"processes/B.yaml": "b: 2"}, "Edit B"))
    tips.append(merge(workshop, "topic"))
    tips.append(workshop.commit({"processes/B.yaml": None}, "Delete B"))
    workshop.git("checkout", "-q", "-b", "squashed")
    workshop.commit({"processes/A.yaml": "a: 4"}, "Squashed 1")
    workshop.commit({"processes/A.yaml": "a: 5"}, "Squashed 2")
    workshop.git("checkout", "-q", "main")
    workshop.git("merge", "-q", "--squash", "squashed")
    tips.append(workshop.commit({}, "Squash"))
    tips.append(workshop.commit({"processes/B.yaml": "b: 2"}, "Create B again"))
    (workshop.root / "processes" / "deep").mkdir()
    workshop.git("mv", "processes/A.yaml", "processes/deep/A.yml")
    tips.append(workshop.commit({}, "Move A"))
    tips.append(workshop.commit({"processes/deep/A.yml": "a: 1"}, "Revert A"))
    return tips


def test_each_kind_of_commit_counts_as_it_should(workshop: Any, repo: Repository, index: Index) -> None:
    versions.extend(repo, index, history(workshop)[-1])
    assert numbers(index, "A") == [(1, "Begin"), (2, "Merge topic"), (3, "Squash"), (4, "Revert A")]
    assert numbers(index, "B") == [(1, "Begin"), (2, "Edit B"), (3, "Create B again")]
    assert numbers(index, "C") == [(1, "Merge topic")]
    assert index.versions("A")[0].path == "processes/deep/A.yml"


def test_step_by_step_equals_at_once(workshop: Any, repo: Repository, index: Index, fresh: Index) -> None:
    tips = history(workshop)
    for tip in tips:
        versions.extend(repo, index, tip)
    versions.extend(repo, fresh, tips[-1])
    assert all_versions(index) == all_versions(fresh)
    assert index.last_versions() == fresh.last_versions()


def test_adding_commits_never_renumbers(workshop: Any, repo: Repository, index: Index) -> None:
    seen: dict[str, list[Version]] = {}
    for tip in history(workshop):
        versions.extend(repo, index, tip)
        now = all_versions(index)
        for name, known in seen.items():
            assert [replace(one, gone=None) for one in now[name][-len(known) :]] == known
        seen = {name: [replace(one, gone=None) for one in made] for name, made in now.items()}


def test_a_rewritten_branch_is_refused_until_it_is_allowed(workshop: Any, repo: Repository, index: Index) -> None:
    first = workshop.commit({"processes/A.yaml": "a: 1"}, "One")
    second = workshop.commit({"processes/A.yaml": "a: 2"}, "Two")
    versions.extend(repo, index, second)
    workshop.git("reset", "-q", "--hard", first)
    other = workshop.commit({"processes/A.yaml": "a: 3", "processes/B.yaml": "b"}, "Other")
    for tip in (other, first):
        with pytest.raises(UserError, match=r"does not descend from .*--allow-rewind"):
            versions.extend(repo, index, tip, Progress(second))
        assert numbers(index, "A") == [(1, "One"), (2, "Two")], "the old state stays"
    versions.extend(repo, index, other, Progress(second), allow_rewind=True)
    assert numbers(index, "A") == [(1, "One"), (2, "Other")]
    versions.extend(repo, index, first)
    assert all_versions(index) == {"A": list(index.versions("A"))}
    assert numbers(index, "A") == [(1, "One")]


def test_a_rewind_is_refused_though_the_index_was_deleted(workshop: Any, repo: Repository, index: Index) -> None:
    first = workshop.commit({"processes/A.yaml": "a: 1"}, "One")
    second = workshop.commit({"processes/A.yaml": "a: 2"}, "Two")
    with pytest.raises(UserError, match="--allow-rewind"):
        versions.extend(repo, index, first, Progress(second))
    versions.extend(repo, index, first, Progress(second), allow_rewind=True)
    assert numbers(index, "A") == [(1, "One")]
    with pytest.raises(UserError, match="--allow-rewind"):
        versions.extend(repo, index, first, Progress(second))


def test_a_commit_that_was_pruned_is_a_rewind(workshop: Any, repo: Repository, index: Index) -> None:
    commit = workshop.commit({"processes/A.yaml": "a: 1"})
    with pytest.raises(UserError, match="does not descend from 111111111111"):
        versions.extend(repo, index, commit, Progress("1" * 40))


def pulled(workshop: Any) -> tuple[str, str]:
    """Make a pushed ``git pull`` merge, which puts the old tip on the second parent; gives the old and the new tip."""
    workshop.commit({"processes/A.yaml": "a: 1", "processes/B.yaml": "b: 1"}, "Begin")
    workshop.git("branch", "theirs")
    old = workshop.commit({"processes/A.yaml": "a: 2"}, "Ours")
    workshop.git("checkout", "-q", "theirs")
    workshop.commit({"processes/B.yaml": "b: 2"}, "Theirs 1")
    workshop.commit({"processes/B.yaml": "b: 3"}, "Theirs 2")
    return old, merge(workshop, "main")


def test_a_pulled_merge_renumbers_nothing(workshop: Any, repo: Repository, index: Index, fresh: Index) -> None:
    old, new = pulled(workshop)
    versions.extend(repo, index, old)
    progress = versions.extend(repo, index, new)
    assert progress == Progress(new, {new: old})
    assert numbers(index, "A") == [(1, "Begin"), (2, "Ours")]
    assert numbers(index, "B") == [(1, "Begin"), (2, "Merge main")], "what came with it is one version"
    later = workshop.commit({"processes/B.yaml": "b: 4"}, "Later")
    assert versions.extend(repo, index, later).mainline == {new: old}
    versions.extend(repo, fresh, later, progress)
    assert all_versions(fresh) == all_versions(index), "the choice, remembered, makes counting anew the same"


def test_what_was_counted_without_the_choices_is_counted_anew(workshop: Any, repo: Repository, index: Index) -> None:
    old, new = pulled(workshop)
    versions.extend(repo, index, new)
    assert len(index.versions("B")) == 3, "along the first parents alone"
    versions.extend(repo, index, new, Progress(new, {new: old}))
    assert numbers(index, "B") == [(1, "Begin"), (2, "Merge main")]


def test_a_pulled_merge_is_noticed_though_the_index_was_deleted(workshop: Any, repo: Repository, index: Index) -> None:
    old, new = pulled(workshop)
    versions.extend(repo, index, new, Progress(old))
    assert numbers(index, "A") == [(1, "Begin"), (2, "Ours")]
    assert versions.progress(index).mainline == {new: old}


def test_a_shallow_clone_is_not_counted(workshop: Any, index: Index, tmp_path: Path) -> None:
    workshop.commit({"processes/A.yaml": "a: 1"})
    commit = workshop.commit({"processes/A.yaml": "a: 2"})
    workshop.git("clone", "-q", "--depth=1", f"file://{workshop.root}", str(tmp_path / "shallow"))
    with pytest.raises(UserError, match=r"shallow.*git fetch --unshallow"):
        versions.extend(open_repository(tmp_path / "shallow", os.environ), index, commit)


def test_the_version_at_a_commit(workshop: Any, repo: Repository, index: Index) -> None:
    old, new = pulled(workshop)
    assert index.version_at("A", old) is None
    versions.extend(repo, index, old)
    versions.extend(repo, index, new)

    def at(name: str, commit: str) -> int | None:
        found = index.version_at(name, commit)
        return found.number if found is not None else None

    assert (at("A", new), at("A", old), at("A", f"{old}~1")) == (2, 2, None)
    assert at("A", workshop.git("rev-parse", f"{old}~1")) == 1
    assert (at("B", new), at("B", old)) == (2, 1)
    assert at("B", workshop.git("rev-parse", "theirs~1")) is None, "off the history there are no numbers"


def test_names_in_history_need_no_care(workshop: Any, repo: Repository, index: Index) -> None:
    workshop.commit({"processes/dir with 'quotes'\n/ünï/A.yaml": "a: 1"}, "Straße «x»")
    versions.extend(repo, index, workshop.commit({"processes/no name.yaml": "x", "processes/-rf.yaml": "x"}))
    assert numbers(index, "A") == [(1, "Straße «x»")]
    assert index.last_versions().keys() == {"a"}


@pytest.mark.parametrize("lacking", ["blob:none", "tree:0"])
def test_a_partial_clone_says_what_is_missing_and_how_to_get_it(
    lacking: str, workshop: Any, index: Index, tmp_path: Path
) -> None:
    workshop.commit({"processes/A.yaml": "a: 1"})
    commit = workshop.commit({"processes/A.yaml": "a: 2"})
    workshop.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial"
    workshop.git("clone", "-q", f"--filter={lacking}", f"file://{workshop.root}", str(clone))
    with pytest.raises(UserError, match=r"partial.*git fetch --refetch --no-filter") as error:
        versions.extend(open_repository(clone, os.environ), index, commit)
    assert error.value.todo
    assert versions.progress(index) == Progress(), "nothing half counted stays"
    workshop.git("-C", str(clone), "fetch", "-q", "--refetch", "--no-filter")
    versions.extend(open_repository(clone, os.environ), index, commit)
    assert [one.number for one in index.versions("A")] == [2, 1]
