"""The services for programs: addresses and parameters in, the dicts of ``resources`` out as JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

import reconciler
from reconciler.errors import NotFoundError, UsageError
from reconciler.reference import parse_reference
from reconciler.web import caching, faults, health, resources
from reconciler.web.listing import Listing
from reconciler.web.resources import API
from reconciler.web.sources import Sources

PRIVATE, PUBLIC = ("private", "all"), "public"
"""Segments that may stand before a key. Everything here is private; ``all`` has it too, ``public`` has nothing."""
VERSIONS = "*"
_MOST_PARAMETERS = 64


@dataclass(frozen=True, slots=True)
class Api:
    """The handlers. ``clock`` gives the time, in UTC."""

    sources: Sources
    clock: Callable[[], datetime]

    def process_build(self, request: Request) -> Response:
        """``/api/process``: what serves."""
        return self._build(request, "process")

    def execution_build(self, request: Request) -> Response:
        """``/api/process-exec``: what serves."""
        return self._build(request, "process-exec")

    def processes(self, request: Request) -> Response:
        """``/api/process/v1[/private][/KEY[/REF]]``: processes, one of them, or its versions."""
        public, keys = _address(request, most=2)
        asked, repository = parameters(request), self.sources.repository
        with self.sources.index() as index:
            if not keys:
                found = Listing([], 0) if public else resources.processes(index, repository, asked, self.clock())
                return _listing(request, found)
            if public:
                raise NotFoundError(f"there is no public process {keys[0]}", todo="leave out the segment public")
            reference = parse_reference("@".join(key for key in keys if key != VERSIONS))
            if keys[1:] == [VERSIONS]:
                return _listing(request, resources.history(index, repository, reference.name, asked))
            _none(asked)
            shown = resources.process(index, repository, reference, self.clock())
            keep = caching.FOR_GOOD if shown.lasting else caching.ASK
            return caching.answer(request, faults.to_json(shown.document), keep=keep)

    def executions(self, request: Request) -> Response:
        """``/api/process-exec/v1[/private][/ID]``: records, or one of them."""
        public, keys = _address(request, most=1)
        asked = parameters(request)
        with self.sources.index() as index:
            if not keys:
                return _listing(request, Listing([], 0) if public else resources.executions(index, asked))
            if public:
                raise NotFoundError(f"there is no public execution {keys[0]}", todo="leave out the segment public")
            _none(asked)
            return _json(request, resources.execution(index, self.sources.layout, keys[0]))

    async def livez(self, request: Request) -> Response:
        """``/livez``: this process answers; on the event loop, so that busy threads do not look like death."""
        return _json(request, {"alive": True, "version": reconciler.__version__})

    def readyz(self, request: Request) -> Response:
        """``/readyz``: the scheduling loop turns; 503 and the reason where it does not."""
        found = health.check(self.sources.layout, self.clock())
        if found.ready:
            return _json(request, found.to_document())
        failure = faults.Failure(faults.NOT_READY, found.reason, todo=found.todo)
        return faults.respond(failure, request.scope["path"])

    def _build(self, request: Request, service: str) -> Response:
        with self.sources.index() as index:
            return _json(request, resources.build(index, service, self.sources.ref))


def parameters(request: Request) -> list[tuple[str, str]]:
    """Read the parameters of a URL; ``UsageError`` where they are not UTF-8 or too many."""
    try:
        text = request.scope["query_string"].decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
    except ValueError as error:
        todo = f"percent-encode UTF-8, and give at most {_MOST_PARAMETERS} parameters"
        raise UsageError("the parameters cannot be read", where="query", todo=todo) from error


def _address(request: Request, most: int) -> tuple[bool, list[str]]:
    """Take an address apart: whether it asks for what is public, and the keys after that; ``NotFoundError``."""
    release = request.path_params["release"]
    if release != API:
        raise NotFoundError(f"there is no release {release} of this service", todo=f"use {API}")
    keys = request.path_params.get("rest", "").split("/") if "rest" in request.path_params else []
    public = keys[:1] == [PUBLIC]
    if public or keys[:1] in ([source] for source in PRIVATE):
        del keys[0]
    if len(keys) > most:
        raise NotFoundError("there is nothing here", where=request.scope["path"], todo=f"at most {most} keys, please")
    return public, keys


def _none(asked: list[tuple[str, str]]) -> None:
    if asked:
        raise UsageError("only lists take parameters", where=f"parameter {asked[0][0][:80]}", todo="leave it out")


def _listing(request: Request, found: Listing) -> Response:
    return caching.answer(request, faults.to_json(found.items), total=found.total)


def _json(request: Request, document: Any) -> Response:
    return caching.answer(request, faults.to_json(document))
