"""The names of all versions at once: remembered, and never longer than they are true."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.repo import refs, tags
from reconciler.repo.refs import Followed
from reconciler.repo.repository import Repository, open_repository
from reconciler.repo.stamps import Memo
from reconciler.store.index import Index
from reconciler.sync import applying, naming, parsing


@pytest.fixture
def repo(workshop: Any) -> Repository:
    workshop.commit({"processes/A.yaml": "script: a.sh\n", "processes/B.yaml": "script: a.sh\n"})
    workshop.commit({"processes/A.yaml": "script: b.sh\n"})
    return open_repository(workshop.root, os.environ)


@pytest.fixture
def index(repo: Repository) -> Iterator[Index]:
    path = repo.common_dir / "procctl/cache/index.sqlite"
    with contextlib.closing(Index.open(path, environment="production", release=parsing.release())) as made:
        yield made


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[Repository]:
    """How often git was asked for all tags; by the clock of what is remembered a second passes with each question."""
    calls: list[Repository] = []
    every = tags.all

    def counted(repo: Repository) -> dict[str, tags.Tag]:
        calls.append(repo)
        return every(repo)

    monkeypatch.setattr(tags, "all", counted)
    monkeypatch.setattr(naming, "_ALL", Memo(clock=itertools.count(0.0, 10.0).__next__))
    return calls


def apply(repo: Repository, index: Index) -> None:
    tip = refs.read(repo, "refs/heads/main")
    applying.apply(repo, index, Followed("refs/heads/main", str(tip)))


def test_what_did_not_move_is_not_asked_again(
    repo: Repository, index: Index, listed: list[Repository], workshop: Any
) -> None:
    workshop.git("tag", "A/PROD", "HEAD~1")
    apply(repo, index)
    for _ in range(4):
        assert naming.all_tags(repo, index) == {"A": {1: ("PROD",)}}
    assert len(listed) == 2, "the second time is when it has stood for long enough"
    assert naming.all_tags(repo, index, ["B"]) == {}


@pytest.mark.parametrize("packed", [False, True])
def test_a_tag_that_moves_is_seen(
    repo: Repository, index: Index, listed: list[Repository], workshop: Any, *, packed: bool
) -> None:
    workshop.git("tag", "A/PROD", "HEAD~1")
    if packed:
        workshop.git("pack-refs", "--all")
    apply(repo, index)
    for _ in range(3):
        naming.all_tags(repo, index)
    workshop.git("tag", "-f", "A/PROD", "HEAD")
    assert naming.all_tags(repo, index) == {"A": {2: ("PROD",)}}
    workshop.git("tag", "v1", "HEAD~1")
    assert naming.all_tags(repo, index) == {"A": {1: ("v1",), 2: ("PROD",)}, "B": {1: ("v1",)}}
    assert len(listed) > 3


def test_versions_that_come_are_seen(repo: Repository, index: Index, listed: list[Repository], workshop: Any) -> None:
    workshop.commit({"processes/A.yaml": "script: c.sh\n"})
    workshop.git("tag", "v1")
    workshop.git("branch", "before", "HEAD~1")
    applying.apply(repo, index, Followed("refs/heads/main", str(refs.read(repo, "refs/heads/before"))))
    for _ in range(3):
        assert naming.all_tags(repo, index) == {}, "the commit was not counted yet"
    apply(repo, index)
    assert naming.all_tags(repo, index) == {"A": {3: ("v1",)}, "B": {1: ("v1",)}}
    assert listed
