"""A reconciler's source that follows a tag: what it sees of tags that move, and at which price."""

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from reconciler.daemon.source import Source
from reconciler.errors import LaterError
from reconciler.repo import refs, tags, tip
from reconciler.repo.repository import Repository, open_repository
from reconciler.store.index import Index
from reconciler.sync import parsing
from reconciler.sync.versions import Progress

MAIN = "refs/heads/main"
FILES = {
    "processes/scripts/a.sh": "#!/bin/sh\n",
    "processes/A.yaml": "script: a.sh\n",
    "processes/B.yaml": "script: a.sh\n",
}


@pytest.fixture
def following(workshop: Any) -> Iterator[Source]:
    """A source that follows PROD, at which A is and B is not; its watch has heard nothing yet."""
    workshop.commit(FILES)
    workshop.git("tag", "A/PROD")
    repo = open_repository(workshop.root, os.environ)
    path = repo.common_dir / "procctl/cache/index.sqlite"
    with closing(Index.open(path, environment="production", release=parsing.release())) as index:
        source = Source(repo, index, MAIN, "production", "host", follow="PROD")
        source.begin(Progress(), allow_rewind=False)
        yield source


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What git is asked for of tags: the names, or ``*`` for all of a text."""
    seen: list[list[str]] = []
    called, some = tags.called, tags.some

    def every(repo: Repository, text: str) -> dict[str, tags.Tag]:
        seen.append(["*"])
        return called(repo, text)

    def few(repo: Repository, wanted: list[str]) -> dict[str, tags.Tag]:
        seen.append(list(wanted))
        return some(repo, wanted)

    monkeypatch.setattr(tags, "called", every)
    monkeypatch.setattr(tags, "some", few)
    return seen


def test_a_target_names_its_tag(following: Source) -> None:
    targets = following.desired(["A", "B"]).targets
    assert set(targets) == {"A"}
    assert (targets["A"].tag, targets["A"].version, targets["A"].commit) == ("PROD", 1, following.commit)


def test_a_moved_tag_costs_itself(following: Source, workshop: Any, asked: list[list[str]]) -> None:
    assert following.look() == set()
    assert asked == []
    commit = workshop.commit({"processes/A.yaml": "script: a.sh\ndescription: two\n"})
    assert following.look() == set()
    assert following.commit == commit
    workshop.git("tag", "-f", "A/PROD")
    workshop.git("tag", "B/PROD")
    workshop.git("tag", "A/TEST")
    assert following.look() == {"A", "B"}
    workshop.git("tag", "-d", "A/PROD")
    assert following.look() == {"A"}
    workshop.git("tag", "PROD")
    assert following.look() == {"A"}
    assert asked == [[], ["A/PROD", "B/PROD"], ["*"], ["PROD"]], "git writes packed refs anew where one goes"


def test_packed_tags_are_looked_at_together(following: Source, workshop: Any, asked: list[list[str]]) -> None:
    workshop.git("tag", "B/PROD")
    workshop.git("pack-refs", "--all")
    assert following.look() == {"B"}
    workshop.git("tag", "-d", "A/PROD")
    assert following.look() == {"A"}
    assert asked == [["*"], ["*"]]


def test_tags_move_while_the_branch_is_refused_or_gone(following: Source, workshop: Any) -> None:
    applied = following.commit
    workshop.git("tag", "B/PROD")
    workshop.git("commit", "-q", "--amend", "-m", "Rewound")
    assert following.look() == {"B"}
    assert (following.commit, following.refused) == (applied, refs.read(following.repo, MAIN))
    workshop.git("tag", "-d", "B/PROD")
    assert following.look() == {"B"}
    workshop.git("update-ref", "-d", MAIN)
    workshop.git("tag", "B/PROD", applied)
    assert following.look() == {"B"}
    assert following.commit == applied


def test_what_could_not_be_read_is_looked_at_again(
    following: Source, workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> dict[str, tags.Tag]:
        raise LaterError("busy")

    workshop.git("tag", "B/PROD")
    with monkeypatch.context() as patch:
        patch.setattr(tags, "some", busy)
        patch.setattr(tags, "called", busy)
        assert following.look() == set()
        assert following.look() == set()
    assert following.look() == {"B"}
    assert following.look() == set()


def test_tags_are_looked_at_when_the_watch_heard_something(
    following: Source, workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = 0
    looks: list[str] = []
    stamp = tip.tags_stamp

    def counted(repo: Repository, text: str) -> tip.TagsStamp:
        looks.append(text)
        return stamp(repo, text)

    monkeypatch.setattr(tip, "tags_stamp", counted)
    following.lookout.heard = lambda: heard
    following.look()
    workshop.git("tag", "B/PROD")
    looks.clear()
    assert following.look() == set()
    assert looks == []
    heard += 1
    assert following.look() == {"B"}
    assert looks == ["PROD"]


def test_a_word_that_got_lost_costs_some_seconds(
    following: Source, workshop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    following.lookout.heard = lambda: 0
    following.look()
    workshop.git("tag", "B/PROD")
    assert following.look() == set()
    monkeypatch.setattr("reconciler.daemon.lookout.SLOW", 0.0)
    assert following.look() == {"B"}
