"""What a process of the pool does: check configurations. It imports little: it starts when there is much to do."""

import functools
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection

from reconciler.store import schemas
from reconciler.validation import Parsed, Validator, kind_of

Named = tuple[str, bytes]
"""A path and the bytes there."""


def serve(given: Connection) -> None:
    """Check batches until the other end is closed, or its process is gone."""
    # Ctrl-C reaches the whole process group; the one that asked says what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while True:
            given.send(check(given.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def check(batch: Sequence[Named]) -> list[Parsed]:
    """Check each file of a batch as what its path says it is."""
    validator = _validator()
    kinds = ((kind_of(path), path, data) for path, data in batch)
    return [validator.check(kind, path, data) if kind else Parsed(None) for kind, path, data in kinds]


@functools.cache
def _validator() -> Validator:
    return Validator(schemas.load())
