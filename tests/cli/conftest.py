"""The command line as a user meets it: the installed program, run as a child process."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROCCTL = Path(sys.executable).with_name("procctl")
Done = subprocess.CompletedProcess[str]
Call = Callable[..., Done]


@pytest.fixture
def procctl(tmp_path: Path) -> Call:
    """Run ``procctl`` in a folder (default: the test's own) and give its end; a traceback fails the test."""

    def call(*arguments: str | Path, cwd: Path | None = None, code: int | None = 0, **options: Any) -> Done:
        done = subprocess.run(
            [PROCCTL, *arguments],
            cwd=cwd or tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=None if "input" in options else subprocess.DEVNULL,
            **options,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert code is None or done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done

    return call
