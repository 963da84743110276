"""A real repository, opened through the door."""

import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.repo.repository import Repository, open_repository


@pytest.fixture
def repo(workshop: Any) -> Repository:
    """The repository of the workshop; what is committed there later is seen."""
    return open_repository(workshop.root, os.environ)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that only comes into being if something ran that must not; ``touch <canary>`` is the attack."""
    return tmp_path / "canary"
