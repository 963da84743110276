"""The pages for people. Each has a JSON twin at the same address with ``_format=json``: one dict, two renderers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from reconciler import names
from reconciler.errors import NotFoundError, UsageError
from reconciler.web import caching, details, faults, health, overview
from reconciler.web.api import parameters
from reconciler.web.rendering import render
from reconciler.web.sources import Sources

FORMAT = "_format"
FORMATS = ("html", "json")


@dataclass(frozen=True, slots=True)
class Pages:
    """The handlers. ``clock`` gives the time, in UTC."""

    sources: Sources
    clock: Callable[[], datetime]

    def overview(self, request: Request) -> Response:
        """``/``: how the repository and its processes stand, problems first."""
        asked, form = _asked(request)
        now = self.clock()
        with self.sources.index() as index:
            status = overview.status(index, self.sources.repository, self.sources.ref, now)
            page = details.processes(status, asked)
            overview.add_next_runs(index, page["processes"], now)
        page["reconciler"] = health.check(self.sources.layout, now).to_document()
        return self._show("overview.html", page, request, form)

    def process(self, request: Request) -> Response:
        """``/processes/NAME``: one process with its file, versions, next slots and executions."""
        asked, form = _asked(request)
        name = request.path_params["name"]
        if not names.is_process(name):
            raise NotFoundError(f"{name!r} is no name of a process", todo="see the list of processes")
        with self.sources.index() as index:
            page = details.process(index, self.sources.repository, name, asked, self.clock())
        return self._show("process.html", page, request, form)

    def executions(self, request: Request) -> Response:
        """``/executions``: records, newest first, to filter and to leaf through."""
        asked, form = _asked(request)
        with self.sources.index() as index:
            page = details.executions(index, asked, self.clock())
        return self._show("executions.html", page, request, form)

    def execution(self, request: Request) -> Response:
        """``/executions/ID``: one record with its phases and logs."""
        asked, form = _asked(request)
        _refuse(asked)
        with self.sources.index() as index:
            page = details.execution(index, self.sources.layout, request.path_params["execution"], self.clock())
        return self._show("execution.html", page, request, form)

    def _show(self, template: str, page: dict[str, Any], request: Request, form: str) -> Response:
        if form == "json":
            return caching.answer(request, faults.to_json(page))
        asked = [(key, value) for key, value in parameters(request) if key != FORMAT]
        frame = {
            "section": "processes" if template in ("overview.html", "process.html") else "executions",
            "environment": self.sources.layout.environment,
            "self_json": details.link(request.scope["path"], [*asked, (FORMAT, "json")]),
        }
        return caching.answer(request, render(template, page | frame), "text/html")


def _asked(request: Request) -> tuple[list[tuple[str, str]], str]:
    """Read the parameters of a page, and apart from them in which form it is to come."""
    asked = parameters(request)
    forms = [value for key, value in asked if key == FORMAT] or ["html"]
    if len(forms) > 1 or forms[0] not in FORMATS:
        raise UsageError("not a form of pages", where=f"parameter {FORMAT}", todo=f"use {' or '.join(FORMATS)}")
    return [(key, value) for key, value in asked if key != FORMAT], forms[0]


def _refuse(asked: list[tuple[str, str]]) -> None:
    if asked:
        todo = f"leave it out; there is {FORMAT}"
        raise UsageError("this page takes no such parameter", where=f"parameter {asked[0][0][:80]}", todo=todo)
