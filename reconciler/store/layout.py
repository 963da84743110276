"""Where everything of one repository and environment lies on disk (SPEC 2); names and ids are checked on the way."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from reconciler import names, record
from reconciler.errors import UserError
from reconciler.execution import Execution

_RECORD = re.compile(
    r"\d{4}/\d\d/\d\d/(?P<name>[^/]+)/\d{6}-[0-9a-f]{8}(?:~(?P<host>[A-Za-z0-9.-]{1,70}))?\.json", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one repository and environment. ``home`` is ``procctl/`` in git's common directory.

    ``home/cache`` may be deleted at any time, ``home/state`` may not. Every method that takes a name or an id raises
    ``UserError`` where it does not meet its pattern, so nothing else is ever joined to a path.
    """

    home: Path
    records: Path
    environment: str

    @classmethod
    def of(cls, common_dir: Path, records: Path | None, environment: str) -> Self:
        """Lay out a repository; ``records`` is ``executions/`` of the main worktree, ``None`` in a bare repository."""
        if not names.is_environment(environment):
            todo = "use a lower-case letter, then letters, digits and -, 63 at most"
            raise UserError(f"{environment!r} is no name of an environment", todo=todo)
        home = common_dir / "procctl"
        return cls(home, records or home / "executions", environment)

    @property
    def cache(self) -> Path:
        """What can be derived again."""
        return self.home / "cache"

    @property
    def index(self) -> Path:
        """The SQLite index; environments share the file and keep their rows apart."""
        return self.cache / "index.sqlite"

    @property
    def state(self) -> Path:
        """What cannot be derived: of this environment alone."""
        return self.home / "state" / self.environment

    @property
    def schedules(self) -> Path:
        """How far each schedule has been decided."""
        return self.state / "schedules.json"

    @property
    def requests(self) -> Path:
        """Manual runs that wait for the reconciler, one file each."""
        return self.state / "requests"

    @property
    def claims(self) -> Path:
        """The marks by which runners take executions, one file each."""
        return self.state / "claims"

    @property
    def work(self) -> Path:
        """Scratch folders, one for each execution."""
        return self.state / "work"

    @property
    def data(self) -> Path:
        """Folders that outlive executions, one for each process."""
        return self.state / "data"

    @property
    def checkouts(self) -> Path:
        """Read-only checkouts of scripts; executions use them, so they are no cache."""
        return self.state / "checkouts"

    @property
    def lock(self) -> Path:
        """The lock by which there is one reconciler."""
        return self.state / "lock"

    @property
    def wake(self) -> Path:
        """The socket at which a running reconciler can be woken, unless this path is too long for one."""
        return self.state / "wake"

    @property
    def daemon_file(self) -> Path:
        """What a running reconciler says about itself."""
        return self.state / "daemon.json"

    def record(self, execution: Execution) -> Path:
        """The file of an execution's record."""
        _process(execution.name)
        _execution(execution.id)
        return self.records / record.path_of(execution)

    def below(self, path: str) -> Path:
        """The file of a record on this machine, by its path as the index and the branch spell it."""
        if not is_record_path(path):
            raise UserError(f"{path!r} is no path of a record")
        return self.records / original(path)

    def claim(self, execution_id: str) -> Path:
        """The claim of an execution."""
        return self.claims / f"{_execution(execution_id)}.json"

    def request(self, execution_id: str) -> Path:
        """The request for an execution."""
        return self.requests / f"{_execution(execution_id)}.json"

    def work_of(self, execution_id: str) -> Path:
        """The scratch folder of an execution."""
        return self.work / _execution(execution_id)

    def data_of(self, name: str) -> Path:
        """The folder of a process that outlives its executions."""
        return self.data / _process(name)


def is_record_path(path: str) -> bool:
    """Whether a text is spelt as a record's path below ``executions/``: ``2021/07/01/ECB_FX/163000-05f1ec1a.json``.

    A double (``…~<host>.json``) is one too.
    """
    match = _RECORD.fullmatch(path)
    return match is not None and names.is_process(match["name"])


def log_of(record_file: Path) -> Path:
    """The whole output of an execution, beside its record; not published."""
    return record_file.with_suffix(".log")


def original(path: str) -> str:
    """The path that a double's record has on its own machine; any other path is its own."""
    return f"{path.split('~', 1)[0]}.json" if "~" in path else path


def _process(name: str) -> str:
    if not names.is_process(name):
        raise UserError(f"{name!r} is no name of a process")
    return name


def _execution(execution_id: str) -> str:
    if not names.is_execution(execution_id):
        raise UserError(f"{execution_id!r} is no execution id", todo="give the whole id, as `procctl executions` shows")
    return execution_id
