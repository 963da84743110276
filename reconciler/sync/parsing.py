"""What files hold, each parsed once: from the index, else checked now, by several processes where there are many."""

from collections.abc import Iterable, Sequence

from reconciler import yamltext
from reconciler.entry import SUBMODULE, SYMLINK, File
from reconciler.repo import objects
from reconciler.repo.repository import Repository
from reconciler.store.index import Index
from reconciler.store.schemas import release
from reconciler.sync import pool, worker
from reconciler.validation import Parsed, kind_of

MANY = 200
"""Files from which on several processes check them: starting those costs as much as checking so many."""

_BATCH = 50
__all__ = ["MANY", "Parser", "release", "warm"]


def warm() -> None:
    """Load what the first check needs (a fifth of a second), so that the first edit need not wait for it."""
    worker.check([(path, b"{}") for path in ("processes/A.yaml", "processes/workflows/A.yaml", "procctl.yaml")])


class Parser:
    """Says what a file of a repository holds; whatever is asked for twice is parsed once, across restarts too.

    Without an ``index``, and where it is not to ``keep`` anything, nothing outlives the parser. ``workers`` is how many
    processes may check files.
    """

    def __init__(self, repo: Repository, index: Index | None, workers: int = 1, *, keep: bool = True) -> None:
        self._repo = repo
        self._index = index
        self._workers = workers
        self._keep = keep
        self._known: dict[tuple[str, str], Parsed] = {}

    def __call__(self, file: File) -> Parsed:
        """Give what one file holds."""
        key = file.blob, file.path
        if key not in self._known:
            self.prepare((file,))
        return self._known[key]

    def prepare(self, files: Iterable[File]) -> None:
        """Make ready to be asked for these; those that hold no configuration are left out."""
        wanted = dict.fromkeys((file.blob, file.path) for file in files if _is_configuration(file))
        rest = [key for key in wanted if key not in self._known]
        found = self._index.parsed(rest) if self._index is not None and rest else {}
        for key, (kept, problems) in found.items():
            document, places = kept
            self._known[key] = Parsed(document, problems, places)
        rest = [key for key in rest if key not in found]
        if rest:
            self._known |= self._check(rest)

    def _check(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Parsed]:
        blobs = objects.read_blobs(self._repo, [blob for blob, _ in keys], yamltext.LARGEST)
        named = [(path, data) for (_, path), (_, data) in zip(keys, blobs, strict=True)]
        if len(named) < MANY or self._workers == 1:
            parsed = worker.check(named)
        else:
            batches = [named[first : first + _BATCH] for first in range(0, len(named), _BATCH)]
            parsed = [one for batch in pool.spread(batches, self._workers) for one in batch]
        checked = dict(zip(keys, parsed, strict=True))
        if self._index is not None and self._keep:
            self._index.save_parsed({key: ((one.document, one.places), one.problems) for key, one in checked.items()})
        return checked


def _is_configuration(file: File) -> bool:
    return file.mode not in {SYMLINK, SUBMODULE} and kind_of(file.path) is not None
