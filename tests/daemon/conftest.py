"""A repository whose processes are in force, and the two sides of the reconciler that works on it."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from reconciler.daemon.activity import Activity
from reconciler.daemon.ledger import Ledger
from reconciler.daemon.source import Source
from reconciler.repo.repository import Repository, open_repository
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.sync.versions import Progress

MAIN = "refs/heads/main"
FILES = {
    "processes/A.yaml": "script: a.sh\ncron: '0 6 * * *'\n",
    "processes/OFF.yaml": "script: a.sh\nenabled: false\n",
    "processes/TEST_ONLY.yaml": "script: a.sh\nenvironment: test\n",
    "processes/HELD.yaml": "script: a.sh\nrunAs: nobody\n",
    "processes/scripts/a.sh": "#!/bin/sh\n:\n",
}


@pytest.fixture
def repo(workshop: Any) -> Repository:
    workshop.commit(FILES)
    return open_repository(workshop.root, {"PATH": "/usr/bin:/bin", "HOME": str(workshop.root)})


@pytest.fixture
def layout(repo: Repository) -> Layout:
    return Layout.of(repo.common_dir, repo.worktree and repo.worktree / "executions", "production")


@pytest.fixture
def index(layout: Layout) -> Iterator[Index]:
    with closing(Index.open(layout.index, environment="production", release="test")) as opened:
        yield opened


@pytest.fixture
def source(repo: Repository, index: Index) -> Source:
    made = Source(repo, index, MAIN, "production", "host")
    made.begin(Progress(), allow_rewind=False)
    return made


@pytest.fixture
def ledger(repo: Repository, layout: Layout, index: Index) -> Ledger:
    return Ledger(repo, layout, index, MAIN)


@pytest.fixture
def activity(layout: Layout) -> Activity:
    return Activity(layout)
