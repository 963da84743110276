"""The index that a command opens: whatever goes wrong with it, it is not left open."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from reconciler.cli import completion
from reconciler.cli.beside import Reconciler
from reconciler.cli.workspace import Workspace
from reconciler.repo.refs import Followed
from reconciler.repo.repository import open_repository
from reconciler.settings import Settings
from reconciler.store.database import BrokenIndexError
from reconciler.store.layout import Layout
from reconciler.web.health import Health

MAIN = "refs/heads/main"
Break = Callable[[str], None]


@pytest.fixture
def place(workshop: Any, here: Any) -> Workspace:
    """A repository with an index, as a command finds it where no reconciler is at work."""
    commit = workshop.commit({"processes/A.yaml": "script: a.sh\n", "processes/scripts/a.sh": "#!/bin/sh\n"})
    here("list", cwd=workshop.root)
    repo = open_repository(workshop.root, os.environ)
    layout = Layout.of(repo.common_dir, workshop.root / "executions", "production")
    return Workspace(repo, Followed(MAIN, commit), layout, Settings(), Health(ready=False), None)


@pytest.fixture
def spoil(place: Workspace) -> Break:
    """Change the tables of the index, so that it opens well and then fails."""

    def change(sql: str) -> None:
        with closing(sqlite3.connect(place.layout.index)) as connection:
            connection.execute(sql)
            connection.commit()

    return change


def held_open(place: Workspace) -> int:
    """How often this process has the database open."""
    return sum(os.path.realpath(f"/proc/self/fd/{each}") == str(place.layout.index) for each in range(256))


def beside(place: Workspace, ref: str = MAIN) -> Workspace:
    """The same place, with a reconciler at work that follows ``ref``."""
    reconciler = Reconciler(ref, None, None)
    return Workspace(place.repo, place.followed, place.layout, place.settings, Health(ready=True), reconciler)


def test_an_index_is_open_while_it_is_used_and_no_longer(place: Workspace) -> None:
    for one in (place, beside(place), beside(place, "refs/heads/other")):
        with one.index() as index:
            assert [row.name for row in index.processes()] == ["A"]
            assert held_open(place) == 1
        assert held_open(place) == 0
    with place.applied() as (index, applied):
        assert (set(applied.in_force), held_open(place)) == ({"A"}, 1)
    assert held_open(place) == 0


@pytest.mark.parametrize("reconcilers", [False, True])
def test_an_index_that_breaks_as_it_is_asked_is_closed(place: Workspace, spoil: Break, *, reconcilers: bool) -> None:
    spoil("ALTER TABLE meta RENAME COLUMN value TO lost")
    asked = beside(place) if reconcilers else place
    with pytest.raises(BrokenIndexError, match="reindex") as raised, asked.index():
        pass
    assert held_open(place) == 0, "while the traceback still holds all that was"
    assert raised.traceback


def test_an_index_that_breaks_as_it_is_brought_up_to_date_is_closed(place: Workspace, spoil: Break) -> None:
    spoil("DROP TABLE executions")
    with pytest.raises(BrokenIndexError, match="reindex") as raised, place.index():
        pass
    assert held_open(place) == 0, "while the traceback still holds all that was"
    assert raised.traceback


def test_completion_says_nothing_of_an_index_that_breaks(place: Workspace, spoil: Break) -> None:
    assert completion.names(place.repo.worktree, "") == ["A"]
    spoil("DROP TABLE processes")
    assert completion.names(place.repo.worktree, "") == []
    assert held_open(place) == 0


def test_a_rebuild_that_fails_leaves_no_half_built_index(place: Workspace, here: Any, workshop: Any) -> None:
    before = place.layout.index.stat().st_ino
    workshop.write(".git/refs/heads/executions", f"{'1' * 40}\n")  # a branch whose commit is lost
    assert here("reindex", cwd=workshop.root, code=1).stderr
    assert [path.name for path in place.layout.cache.glob("*.new")] == []
    assert place.layout.index.stat().st_ino == before
    assert held_open(place) == 0
