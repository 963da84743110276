"""The edge that every request crosses first: host, path and method are checked, headers set, exceptions ended.

Paths are decoded here, once, and nothing that is left after it can be more than a name: no slash, dot-dot, percent sign
or NUL reaches a route (attack class 2). An ASGI application around another, so that nothing answers past it.
"""

import logging
import re
from collections.abc import Callable, Iterable, MutableMapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.web import faults
from reconciler.web.faults import Failure

LOG = logging.getLogger("procctl.web")
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""What every answer carries; pages show text of other people's repositories and logs (attack class 13)."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_SEGMENT = re.compile(rb"[A-Za-z0-9_.~*-]{1,200}")
_LONGEST_PATH = 1000
_PORT = re.compile(r":[0-9]{1,5}\Z")

Respond = Callable[[Failure, Scope], ASGIApp]
"""Makes the answer to a failure in the form that the request asks for."""


class Edge:
    """Checks requests to ``hosts`` (names without port) and answers what fails by ``respond``."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], clock: Callable[[], datetime], respond: Respond) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._clock = clock
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def guarded(message: Message) -> None:
            """Add the headers as the answer begins."""
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(message)
            await send(message)

        failure = self._host_failure(scope)
        path = _clean(scope) if failure is None else failure
        if isinstance(path, Failure):
            await self._respond(path, scope)(scope, receive, guarded)
            return
        scope = {**scope, "path": path, "raw_path": path.encode()}
        try:
            await self._app(scope, receive, guarded)
        except Exception:  # the one place that turns a bug into an answer: a 500 without internals, and a log with them
            bug = f"{self._clock():%Y%m%dT%H%M%S%f}"
            LOG.exception("bug %s while answering %s %s", bug, scope["method"], path)
            if started:
                raise
            detail = f"unexpected error {bug}"
            todo = "look for this number in the log of `procctl serve`, and report what stands there"
            await self._respond(Failure(faults.BUG, detail, todo=todo), scope)(scope, receive, guarded)

    def _host_failure(self, scope: Scope) -> Failure | None:
        """Refuse names that are not ours: a page elsewhere could point its own name at this address (DNS rebinding)."""
        named = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(named) == 1 and _PORT.sub("", named[0]).lower() in self._hosts:
            return None
        known = ", ".join(sorted(self._hosts))
        return Failure(faults.WRONG_HOST, "this machine is not called so", "header Host", f"known names: {known}")


def _clean(scope: Scope) -> str | Failure:
    """Decode the path once; a segment is a plain name or the request fails. One slash at the end is forgiven."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode(errors="replace")
    if not raw.startswith(b"/") or len(raw) > _LONGEST_PATH:
        return Failure(faults.MALFORMED_ADDRESS, f"a path begins with / and has at most {_LONGEST_PATH} characters")
    segments = [unquote_to_bytes(segment) for segment in raw.split(b"/")[1:]]
    if segments[-1] == b"":
        segments.pop()
    for number, segment in enumerate(segments, 1):
        if _SEGMENT.fullmatch(segment) is None or segment in (b".", b".."):
            todo = "use letters, digits and _ . - ~ *, 200 at most, between slashes"
            return Failure(faults.MALFORMED_ADDRESS, "not a name", f"segment {number} of the path", todo)
    return "/" + b"/".join(segments).decode("ascii")


def _add_headers(message: MutableMapping[str, Any]) -> None:
    present = {name for name, _ in message["headers"]}
    extra = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in present]
    message["headers"] = [*message["headers"], *extra]
