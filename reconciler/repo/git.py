"""The one hardened door to git (SPEC 11): argument lists, a fixed environment, no hooks, filters, monitors or network.

Git is started without a shell, and its environment is made from nothing: what this process has in its own could
redirect git to another repository. GitPython starts what goes to a remote: importing it takes a tenth
of a second, which only there does not count.
"""

import functools
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from reconciler.errors import LaterError, UserError

if TYPE_CHECKING:
    from git.cmd import Git as Launcher

OLDEST = (2, 31)
"""The oldest git that is used: the first with ``rev-parse --path-format``."""

INHERITED = frozenset({"PATH", "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK", "TMPDIR", "GNUPGHOME"})
"""All that git inherits. No proxies: nothing here may use the network, and their passwords would show in ``ps``."""

_FIXED = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_EDITOR": "false",
    "GIT_GRAFT_FILE": "/dev/null",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
}
_OPTIONS = (
    "core.bigFileThreshold=1m",
    "core.attributesFile=/dev/null",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "diff.relative=false",
    "log.follow=false",
    "log.showSignature=false",
    "protocol.allow=never",
    "submodule.recurse=false",
)
_ENV = "/usr/bin/env"
_INSTALL = "install git 2.31 or newer"
_CHUNK = 1 << 16


class GitError(UserError):
    """Git refused: a broken repository, a missing permission, a full disk. ``stderr`` is all that it said."""

    def __init__(self, verb: str, status: int, stderr: str, *, where: str) -> None:
        lines = [line for line in stderr.splitlines() if line.strip()]
        said = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
        what = f"git {verb} failed with exit code {status}: {said.removeprefix('fatal:').strip() or 'it said nothing'}"
        super().__init__(what, where=where, todo="see what `git fsck` says there")
        self.status = status
        self.stderr = stderr


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call of git gave: its exit status, its standard output, its standard error as text."""

    status: int
    out: bytes
    err: str


@dataclass(frozen=True, slots=True)
class Git:
    """Git aimed at one place: at the repository ``git_dir``, or at whatever repository ``folder`` belongs to.

    ``environ`` is all that git gets of this process's environment; ``Git.at`` makes one with the allowed part of it.
    ``protocols`` are the transports that it may use, between colons: none, but for a push that the user asked for.
    """

    environ: Mapping[str, str]
    folder: Path
    git_dir: Path | None = None
    protocols: str = "none"

    @classmethod
    def at(cls, folder: Path, environ: Mapping[str, str]) -> "Git":
        """Aim at the repository that a folder belongs to; of the environment, only the allowed part is kept."""
        inherited = {name: value for name, value in environ.items() if name in INHERITED}
        return cls({"PATH": "/usr/local/bin:/usr/bin:/bin"} | inherited, folder)

    def run(self, *args: str, given: bytes | None = None) -> bytes:
        """Run git and give its standard output; ``given`` is its standard input. ``GitError`` where it fails."""
        answer = self.ask(*args, given=given)
        if answer.status:
            raise self.error(args, answer.status, answer.err)
        return answer.out

    def ask(self, *args: str, given: bytes | None = None) -> Answer:
        """Run git and give whatever it answers, failures too: for questions whose answer is the exit status."""
        # Without input it must not wait for ours.
        source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
        try:
            call = subprocess.run(  # noqa: PLW1510, S603 - the status is the answer; a fixed command, arguments as a list
                self._command(args), env=self._environment(), capture_output=True, **source
            )
        except (FileNotFoundError, PermissionError) as error:
            raise _missing() from error
        return Answer(call.returncode, call.stdout, call.stderr.decode(errors="replace"))

    def ask_remote(self, *args: str, outside: Iterable[str], patience: float) -> Answer:
        """Run git against a remote and give whatever it answers, failures too; it asks for nothing at the terminal.

        ``outside`` are the names in this process's environment: GitPython hands on all of it, so what is not listed is
        taken out again (by name: values as arguments would show in ``ps``). ``LaterError`` where it takes longer than
        ``patience`` seconds; git is ended then, with all that it started.
        """
        environment = self._environment()
        foreign = sorted({*outside, "LANGUAGE"} - environment.keys() - {""})
        command = [_ENV, *(part for name in foreign for part in ("-u", name)), *self._command(args)]
        # Its own limit, kill_after_timeout, outlives a command that is interrupted, and keeps the program from ending.
        started = _launcher()("/").execute(
            command, env=environment, as_process=True, shell=False, start_new_session=True
        )
        with cast("subprocess.Popen[bytes]", started.proc) as call:
            try:
                out, err = call.communicate(timeout=patience)
            except subprocess.TimeoutExpired as error:
                what = f"git {args[0]} had no answer for {patience:g} seconds"
                raise LaterError(
                    what, where="the remote", todo="see whether it can be reached, and try again"
                ) from error
            finally:
                if call.poll() is None:
                    os.killpg(call.pid, signal.SIGKILL)
        return Answer(call.returncode, out, err.decode(errors="replace"))

    @contextmanager
    def stream(self, *args: str, given: IO[bytes] | None = None) -> Iterator[IO[bytes]]:
        """Run git and read its output as it comes; leaving early ends it. ``given`` is a file for standard input."""
        with tempfile.TemporaryFile() as err:
            source = subprocess.DEVNULL if given is None else given
            try:
                process = subprocess.Popen(  # noqa: S603 - a fixed command, arguments as a list
                    self._command(args), env=self._environment(), stdin=source, stdout=subprocess.PIPE, stderr=err
                )
            except (FileNotFoundError, PermissionError) as error:
                raise _missing() from error
            ended = False
            try:
                with cast("IO[bytes]", process.stdout) as out:
                    yield out
                    ended = not out.read(1)
            finally:
                if not ended:
                    process.kill()
                process.wait()
            if ended and process.returncode:
                err.seek(0)
                raise self.error(args, process.returncode, err.read().decode(errors="replace"))

    def error(self, args: tuple[str, ...], status: int, stderr: str) -> GitError:
        """Make the error of a call that failed."""
        return GitError(args[0], status, stderr, where=str(self.git_dir or self.folder))

    def _command(self, args: tuple[str, ...]) -> list[str]:
        # Below / no folder can be a prefix of a path that is given, whatever core.worktree says.
        place = "/" if self.git_dir else str(self.folder)
        options = [part for option in _OPTIONS for part in ("-c", option)]
        return ["git", "-C", place, "--no-pager", *options, *args]

    def _environment(self) -> dict[str, str]:
        place = {"GIT_DIR": str(self.git_dir)} if self.git_dir else {}
        return {**self.environ, **_FIXED, "GIT_ALLOW_PROTOCOL": self.protocols, **place}


def check_version(git: Git) -> None:
    """Raise ``UserError`` where git is missing or too old to be used safely."""
    answer = git.ask("version")
    said = answer.out.decode(errors="replace")
    match = re.search(r"(\d+)\.(\d+)", said)
    if match is None or (int(match[1]), int(match[2])) < OLDEST:
        raise UserError(f"procctl needs git 2.31 or newer, and this is {said.strip()!r}", where="PATH", todo=_INSTALL)


@functools.cache
def _launcher() -> "type[Launcher]":
    try:
        from git.cmd import Git as Launcher  # noqa: PLC0415 - costs 180 ms, and fails where there is no git
    except ImportError as error:
        raise _missing() from error
    return Launcher


def _missing() -> UserError:
    return UserError("git cannot be run here", where="PATH", todo=_INSTALL)


def fields(out: IO[bytes]) -> Iterator[bytes]:
    """Split what git writes with ``-z`` at its NULs, as it comes."""
    rest = b""
    while chunk := out.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    if rest:
        yield rest
