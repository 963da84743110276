"""The view as a process of its own: one uvicorn server on a loopback address, until it is told to end."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from reconciler.web import app, binding
from reconciler.web.binding import Address
from reconciler.web.sources import Sources

_GRACE = 5
"""Seconds that answers under way have to end after SIGTERM."""


def serve(
    sources: Sources, address: Address, *, clock: Callable[[], datetime], announce: Callable[[str], None]
) -> None:
    """Answer requests until SIGTERM (returns) or SIGINT (raises ``KeyboardInterrupt``).

    ``announce`` is given the URL once connections are accepted. ``UserError`` or ``LaterError`` where the address
    cannot be had (``binding.bind``).
    """
    listener = binding.bind(address)
    try:
        bound = Address(address.host, listener.getsockname()[1])
        application = app.create(sources, hosts=(bound.name,), clock=clock)
        announce(f"http://{bound}/")
        server = uvicorn.Server(_config(application))
        with _ended_by_sigterm(server):
            server.run(sockets=[listener])
    finally:
        listener.close()
        sources.close()


def _config(application: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Nothing stands before us, so nobody's X-Forwarded-For is to be believed.
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
    )


@contextmanager
def _ended_by_sigterm(server: uvicorn.Server) -> Iterator[None]:
    """Let SIGTERM end in a return.

    uvicorn takes the signal while it serves, and raises it again after its clean end, which would kill the process; and
    a signal that comes before it listens to any must not be lost.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        """Ask the server to end, as its own handler of the signal does."""
        server.should_exit = True

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
