"""What every test may use: a hermetic git, a process repository to commit to, and the check of every record."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import settings
from jsonschema import Draft202012Validator

# No test is timed; a build finds what it found before, whoever changes the code finds more.
settings.register_profile("here", deadline=None)
settings.register_profile("build", deadline=None, derandomize=True)
settings.load_profile("build" if os.environ.get("CI") else "here")

SCHEMAS = Path(__file__).parents[1] / "schemas"


@pytest.fixture(autouse=True)
def _hermetic(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the user's git configuration, environment and settings out of every test."""
    home = tmp_path_factory.mktemp("home")
    config = home / ".gitconfig"
    config.write_text("[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n")
    for name in [name for name in os.environ if name.startswith(("GIT_", "PROCCTL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(scope="session")
def execution_schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / "execution.schema.json").read_text()))


@pytest.fixture(autouse=True)
def _records_are_valid(tmp_path: Path, execution_schema: Draft202012Validator) -> Iterator[None]:
    """Check every record that a test leaves behind against the schema, whatever the test was about."""
    yield
    for path in tmp_path.rglob("executions/*/*/*/*/*.json"):
        if "foreign" in path.name:  # a test's own broken record
            continue
        errors = [error.message for error in execution_schema.iter_errors(json.loads(path.read_text()))]
        assert not errors, f"{path}: {errors}"


@pytest.fixture(scope="session")
def calls() -> Callable[[Callable[[], object]], int]:
    """Count the calls that some code makes: work, which is the same on every machine, instead of time."""

    def count(work: Callable[[], object]) -> int:
        made = 0

        def see(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal made
            made += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(see)
        try:
            work()
        finally:
            sys.setprofile(before)
        return made

    return count


class Workshop:
    """A real git repository to write and commit in."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *arguments: str) -> str:
        """Run git here and give what it printed."""
        done = subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, path: str, text: str | bytes, mode: int = 0o644) -> Path:
        """Write one file, making its folders."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        file.chmod(mode)
        return file

    def commit(self, files: Mapping[str, str | bytes | None] | None = None, message: str = "Change") -> str:
        """Write these files (None removes one; a script gets its run bit from a shebang), commit, give the id."""
        for path, text in (files or {}).items():
            if text is None:
                (self.root / path).unlink()
            else:
                data = text.encode() if isinstance(text, str) else text
                self.write(path, data, 0o755 if data.startswith(b"#!") else 0o644)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """An empty repository on the branch main, records ignored."""
    root = tmp_path / "repository"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    made = Workshop(root)
    made.write(".gitignore", "executions/\n")
    return made


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[str]:
    """The URL of an empty bare repository that a git daemon serves."""
    bare = tmp_path / "served" / "origin.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", "--enable=receive-pack", "--export-all"]
    daemon = subprocess.Popen(
        [*command, f"--base-path={bare.parent}"], stderr=subprocess.DEVNULL, start_new_session=True
    )
    url = f"git://127.0.0.1:{port}/origin.git"
    try:
        while subprocess.run(["git", "ls-remote", url], capture_output=True, check=False).returncode:
            assert daemon.poll() is None
        yield url
    finally:
        daemon.terminate()
        daemon.wait()
