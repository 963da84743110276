"""The command line as a user meets it: the installed program, run as a child process."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import main

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


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Run ``procctl`` inside this process: many times faster, for what neither signals nor streams decide."""

    def call(*arguments: str | Path, cwd: Path | None = None, code: int | None = 0) -> Done:
        monkeypatch.chdir(cwd or tmp_path)
        capsys.readouterr()
        ended = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert code is None or ended == code, (ended, said.out, said.err)
        return subprocess.CompletedProcess(list(arguments), ended, said.out, said.err)

    return call


@pytest.fixture
def recorded() -> Callable[[Path], list[dict[str, Any]]]:
    """Read every record below a repository, oldest first."""

    def read(root: Path) -> list[dict[str, Any]]:
        found = (json.loads(path.read_text()) for path in root.glob("executions/*/*/*/*/*.json"))
        return sorted(found, key=lambda record: str(record["triggerTime"]))

    return read


@pytest.fixture
def until() -> Callable[..., Any]:
    """Ask until the answer is true; fail after a long time."""

    def ask(question: Callable[[], Any], patience: float = 30) -> Any:
        deadline = time.monotonic() + patience
        while not (answer := question()):
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.02)
        return answer

    return ask
