"""What a commit would declare after a change that is not made yet: so that no command writes what does not validate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler import yamltext
from reconciler.entry import File
from reconciler.problem import Problem
from reconciler.repo import objects
from reconciler.repo.repository import Repository
from reconciler.snapshot import Snapshot, assemble
from reconciler.store.index import Index
from reconciler.sync import worker
from reconciler.sync.parsing import Parser
from reconciler.sync.past import Needed
from reconciler.validation import Kind, kind_of, stem_of

_FILE = "100644"


@dataclass(frozen=True, slots=True)
class Base:
    """The files of one commit, which a change is made from."""

    repo: Repository
    index: Index | None
    commit: str
    files: Mapping[str, File]
    scripts: str | None

    @classmethod
    def at(cls, repo: Repository, index: Index | None, commit: str) -> "Base":
        """List the files of a commit."""
        tree = objects.list_tree(repo, commit)
        return cls(repo, index, commit, {file.path: file for file in tree.files}, tree.scripts)

    def is_process(self, path: str) -> bool:
        """Whether a path declares a process."""
        return kind_of(path) is Kind.PROCESS

    def paths_of(self, name: str) -> tuple[str, ...]:
        """The files that declare a process of this name, whatever its case, in order."""
        key = name.lower()
        return tuple(sorted(path for path in self.files if self.is_process(path) and stem_of(path).lower() == key))

    def names(self) -> frozenset[str]:
        """The names of all processes."""
        return frozenset(stem_of(path) for path in self.files if self.is_process(path))

    def read(self, path: str) -> bytes:
        """The bytes of one of the files; of a file that is too large to be read, one byte more than may be."""
        return next(data for _, data in objects.read_blobs(self.repo, (self.files[path].blob,), yamltext.LARGEST))

    def changed(self, changes: Mapping[str, bytes | None], names: Iterable[str]) -> Snapshot:
        """What the commit would declare of some processes, with these files otherwise (``None``: without them)."""
        files = {path: file for path, file in self.files.items() if path not in changes}
        new = {path: data for path, data in changes.items() if data is not None}
        files |= {path: File(path, _FILE, f"new {path}", len(data)) for path, data in new.items()}
        checked = dict(zip(new, worker.check(list(new.items())), strict=True))
        needed = Needed.by(names, files.values())
        parser = Parser(self.repo, self.index)
        wanted = needed.of(needed.names)
        parser.prepare(file for file in wanted if file.path not in checked)
        return assemble(
            self.commit,
            wanted,
            self.scripts,
            lambda file: checked[file.path] if file.path in checked else parser(file),
        )

    def problems(self, changes: Mapping[str, bytes | None], name: str) -> tuple[Problem, ...]:
        """What would be wrong with all that a process needs to run, and with its name."""
        snapshot = self.changed(changes, (name,))
        declared = snapshot.processes.get(name)
        own = {problem for problem in snapshot.problems if problem.path in changes}
        return tuple(sorted(own | set(declared.set_problems if declared else ())))
