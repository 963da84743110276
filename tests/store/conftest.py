"""A layout in a temporary folder, executions to write there, and children that do so in another process."""

import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.execution import Execution, Trigger
from reconciler.store.layout import Layout

SLOT = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout.of(tmp_path / "git", tmp_path / "executions", "production")


@pytest.fixture
def execution() -> Callable[..., Execution]:
    """Make a triggered execution; anything about it may be chosen."""

    def make(**chosen: Any) -> Execution:
        fields: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "service": "ETL",
            "name": "ECB_FX",
            "environment": "production",
            "trigger": Trigger.SCHEDULED,
            "reason": "every(ECB_FX,5s,2021-07-01T16:30:00Z)",
            "trigger_time": SLOT,
            "commit": "c" * 40,
            "version": 1,
            "host": "alpha",
        }
        return Execution(**fields | chosen)

    return make


@pytest.fixture
def child() -> Callable[..., "subprocess.Popen[str]"]:
    """Start a Python process that runs some code with arguments, its streams as pipes."""

    def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return start
