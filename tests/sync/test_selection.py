"""Which commit a run of a process goes to, and which commit a version is tagged at (SPEC 8, "Which commit")."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.errors import GoneError, NotFoundError, UserError
from reconciler.reference import parse_reference
from reconciler.repo import refs
from reconciler.repo.refs import Followed
from reconciler.repo.repository import open_repository
from reconciler.store.index import Index
from reconciler.sync import applying, parsing, references, selection
from reconciler.sync.selection import Choice

A, SCRIPT = "processes/A.yaml", "processes/scripts/a.sh"


def process(text: str, script: str = "a.sh") -> str:
    return f"script: {script}\ndescription: {text}\n"


class Desk:
    """A repository whose processes are chosen from."""

    def __init__(self, workshop: Any) -> None:
        self.workshop = workshop
        self.repo = open_repository(workshop.root, os.environ)
        path = self.repo.common_dir / "procctl/cache/index.sqlite"
        self.index = Index.open(path, environment="production", release=parsing.release())

    def commit(self, message: str = "Change", **files: str | None) -> str:
        """Commit files; ``A`` is the process, ``a`` its script."""
        paths = {"A": A, "B": "processes/B.yaml", "a": SCRIPT, "b": "processes/scripts/b.sh"}
        return str(self.workshop.commit({paths[name]: text for name, text in files.items()}, message))

    def applied(self) -> applying.Applied:
        tip = refs.read(self.repo, "refs/heads/main")
        return applying.apply(self.repo, self.index, Followed("refs/heads/main", str(tip)), allow_rewind=True)

    def choose(self, text: str) -> Choice:
        return selection.choose(self.repo, self.index, self.applied(), parse_reference(text))

    def runs_at(self, name: str, number: int) -> str:
        self.applied()
        return selection.runs_at(self.repo, self.index, references.numbered(self.index, name, number))


@pytest.fixture
def desk(workshop: Any) -> Iterator[Desk]:
    made = Desk(workshop)
    with contextlib.closing(made.index):
        yield made


def test_a_version_runs_at_the_newest_commit_that_has_it(desk: Desk) -> None:
    desk.commit(A=process("one"), a="#!/bin/sh\n")
    mended = desk.commit(a="#!/bin/sh\necho mended\n")
    desk.commit(A=process("two"))
    tip = desk.commit("Nothing of ours")
    assert (desk.runs_at("A", 1), desk.runs_at("A", 2)) == (mended, tip)
    assert desk.choose("A@1").commit == mended
    assert desk.choose("A@2") == desk.choose("A")


def test_a_version_runs_where_its_set_was_sound(desk: Desk) -> None:
    first = desk.commit(A=process("one"), a="#!/bin/sh\n")
    desk.commit(a=None, b="#!/bin/sh\n")
    desk.commit(A=process("two"))
    assert desk.runs_at("A", 1) == first
    with pytest.raises(UserError, match=r"no commit serves A@2: .*a\.sh") as caught:
        desk.runs_at("A", 2)
    assert not isinstance(caught.value, NotFoundError)
    with pytest.raises(UserError, match="no commit serves A@2"):
        desk.choose("A@2")


def test_a_version_that_was_rolled_back_to_runs_at_the_newest_commit_again(desk: Desk) -> None:
    desk.commit(A=process("one"), a="#!/bin/sh\n")
    desk.commit(A=process("two"))
    blob = desk.workshop.git("rev-parse", f"HEAD:{A}")
    back = desk.commit(f"Back\n\nProcctl-Rollback: A@2 {blob[:12]}", A=process("one"))
    assert desk.runs_at("A", 1) == back
    with pytest.raises(GoneError):
        desk.choose("A@2")
    desk.commit(A=process("three"))
    assert (desk.runs_at("A", 1), desk.choose("A@3").version) == (back, 3)


def test_a_tag_runs_at_its_commit_whatever_is_newer(desk: Desk) -> None:
    first = desk.commit(A=process("one"), a="#!/bin/sh\n")
    desk.commit(a="#!/bin/sh\necho newer\n")
    desk.workshop.git("tag", "A/PROD", first)
    choice = desk.choose("A@PROD")
    assert (choice.commit, choice.version, choice.tag) == (first, 1, "PROD")
    assert desk.choose("A").tag is None
    assert desk.choose(f"A@{first[:10]}").tag is None


def test_a_tag_on_a_commit_with_errors_says_which(desk: Desk) -> None:
    desk.commit(A=process("one", "missing.sh"), a="#!/bin/sh\n")
    desk.workshop.git("tag", "A/PROD")
    desk.commit(A=process("two"))
    with pytest.raises(UserError, match=r"missing\.sh"):
        desk.choose("A@PROD")


def test_a_renamed_process_runs_what_it_was(desk: Desk) -> None:
    first = desk.commit(A=process("one"), a="#!/bin/sh\n")
    desk.commit(A=process("two"))
    desk.workshop.git("tag", "A/PROD", first)
    desk.commit("Rename", A=None, B=process("two"))
    choice = desk.choose("B@PROD")
    assert (choice.commit, choice.version, choice.process.name) == (first, 1, "B")
    assert choice.process.description == "one"
    assert desk.choose("B@1").commit == first
    assert desk.choose(f"B@{first}").process.name == "B"
    assert desk.choose("B@2").commit == desk.choose("B").commit
    with pytest.raises(GoneError, match="A@1 was renamed to B"):
        desk.choose("A@1")


def test_what_is_not_there_is_told(desk: Desk) -> None:
    desk.commit(A=process("one"), a="#!/bin/sh\n")
    for text, said in (("B", "there is no process B"), ("A@7", "has no version 7"), ("A@PROD", "A has no tag PROD")):
        with pytest.raises(NotFoundError, match=said):
            desk.choose(text)
