"""A few processes that check configurations, for as long as one load takes.

They are started anew rather than forked, since a reconciler may have threads. Each has a pipe to itself, so that all
end by themselves when the one that asked is killed.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import cast

from reconciler.errors import LaterError
from reconciler.sync import worker
from reconciler.validation import Parsed

_PATIENCE = 5.0
"""Seconds that a process may take to end when there is nothing more to do."""


def spread(batches: Sequence[Sequence[worker.Named]], workers: int) -> list[list[Parsed]]:
    """Have several processes check batches, each one at a time; gives the results in order.

    Raises ``LaterError`` where one of them dies.
    """
    results: list[list[Parsed]] = [[] for _ in batches]
    waiting = list(reversed(range(len(batches))))
    busy: dict[Connection, int] = {}

    def hand(one: Connection) -> None:
        """Give a worker the next batch, if one is left."""
        if waiting:
            busy[one] = waiting.pop()
            with _noticed():
                one.send(batches[busy[one]])

    with ExitStack() as stack:
        for _ in range(min(workers, len(batches))):
            hand(stack.enter_context(_hired()))
        while busy:
            for one in cast("list[Connection]", wait(list(busy))):
                with _noticed():
                    results[busy.pop(one)] = one.recv()
                hand(one)
    return results


@contextmanager
def _noticed() -> Iterator[None]:
    try:
        yield
    except (EOFError, BrokenPipeError, ConnectionResetError) as error:
        todo = "see whether the machine is short of memory"
        raise LaterError("a process that checks configurations was killed", todo=todo) from error


@contextmanager
def _hired() -> Iterator[Connection]:
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=worker.serve, args=(there,), daemon=True)
    process.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        process.join(_PATIENCE)
        process.kill()
        process.join()
