"""The routes: each service below ``/api``, ``/service`` and ``/``, health, the pages; nothing else, and nothing writes.

Handlers are plain functions (Starlette runs them in threads), so that a slow disk holds up one request and no other.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from reconciler.errors import ProcctlError
from reconciler.web import edge, faults, instead
from reconciler.web.api import Api
from reconciler.web.faults import NO_SUCH_ADDRESS, READ_ONLY, Failure
from reconciler.web.pages import Pages
from reconciler.web.rendering import render, static
from reconciler.web.sources import Sources

PREFIXES = ("/api", "/service", "")
"""Where the services are; the last two are how clients of the service this descends from find them."""
STATIC = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
METHODS = ("GET", "HEAD")
_MACHINES = frozenset({"api", "service", "process", "process-exec", "livez", "readyz", "static"})
"""First segments of addresses that are for programs: their errors are problem+json whatever is asked for."""
_LONGEST_INSTANCE = 200
_START = "start at / for the pages, at /api/process and /api/process-exec for the services"


def create(sources: Sources, *, hosts: Iterable[str], clock: Callable[[], datetime]) -> Starlette:
    """Make the application; it answers requests to loopback names and ``hosts``, and reads time from ``clock``."""
    allowed = (*edge.LOOPBACK, *hosts)
    return Starlette(
        routes=[*_services(Api(sources, clock)), *_pages(Pages(sources, clock)), *(_file(name) for name in STATIC)],
        middleware=[Middleware(edge.Edge, hosts=allowed, clock=clock, respond=_respond)],
        exception_handlers={HTTPException: _http_error, ProcctlError: _procctl_error},
    )


def _services(api: Api) -> list[Route]:
    routes = [Route("/livez", api.livez), Route("/readyz", api.readyz)]
    for prefix in PREFIXES:
        for service, build, handler in (
            ("process", api.process_build, api.processes),
            ("process-exec", api.execution_build, api.executions),
        ):
            routes += [
                Route(f"{prefix}/{service}", build, name=service),
                Route(f"{prefix}/{service}/{{release}}", handler, name=service),
                Route(f"{prefix}/{service}/{{release}}/{{rest:path}}", handler, name=service),
            ]
    return routes


def _pages(pages: Pages) -> list[Route]:
    return [
        Route("/", pages.overview, name="page"),
        Route("/processes/{name}", pages.process, name="page"),
        Route("/executions", pages.executions, name="page"),
        Route("/executions/{execution}", pages.execution, name="page"),
    ]


def _file(name: str) -> Route:
    # Read once, here: no request's text ever names a file.
    content = static(name)

    async def file(_request: Request) -> Response:
        """Answer with the content; browsers may keep it for a while."""
        return Response(content, media_type=STATIC[name], headers={"cache-control": "max-age=300"})

    return Route(f"/static/{name}", file)


def _respond(failure: Failure, scope: Scope) -> Response:
    """Answer a failure as a page to a browser that asked for a page, and as problem+json to everybody else."""
    path: str = scope["path"][:_LONGEST_INSTANCE]
    wanted = Headers(scope=scope).get("accept", "")
    if path.strip("/").partition("/")[0] in _MACHINES or "text/html" not in wanted:
        return faults.respond(failure, path)
    document = failure.to_document(path) | {"section": ""}
    status = failure.fault.status
    return HTMLResponse(render("problem.html", document), status, failure.to_headers())


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer what the router refuses: an address without a route, or a method that would write."""
    if isinstance(error, HTTPException) and error.status_code == READ_ONLY.status:
        detail = f"{request.method} would write, and this view only reads"
        todo = instead.advice(request.method, request.scope["path"])
        return _respond(Failure(READ_ONLY, detail, todo=todo, headers={"allow": ", ".join(METHODS)}), request.scope)
    return _respond(Failure(NO_SUCH_ADDRESS, "there is nothing here", todo=_START), request.scope)


async def _procctl_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProcctlError):
        raise error
    return _respond(faults.of(error), request.scope)
