"""What the view refuses, on every route there is: to write, and to take anything but names (classes 2 and 12)."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.web.edge import HEADERS

Ask = Callable[..., Any]
ID = "00000001-0000-5000-8000-000000000000"
WRITING = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "MKCOL", "get")


def every_path(app: Any) -> list[str]:
    """An address for each route of the table."""
    samples = {"{release}": "v1", "{rest:path}": "ECB_FX", "{name}": "ECB_FX", "{execution}": ID}
    paths = []
    for route in app.routes:
        path = route.path
        for parameter, sample in samples.items():
            path = path.replace(parameter, ID if sample == "ECB_FX" and "process-exec" in path else sample)
        assert "{" not in path
        paths.append(path)
    return paths


def test_no_route_knows_a_method_that_writes(served: Any, ask: Ask) -> None:
    assert {method for route in served.app.routes for method in route.methods} == {"GET", "HEAD"}
    for path in every_path(served.app):
        for method in WRITING:
            answer = ask(served.app, path.encode(), method)
            assert answer.check_problem()["code"] == 4050, (method, path)
            assert answer.headers["allow"] == "GET, HEAD"


def test_every_route_answers_with_every_security_header_and_nothing_set(served: Any, ask: Ask) -> None:
    for path in every_path(served.app):
        answer = ask(served.app, path.encode())
        assert answer.status == (503 if path == "/readyz" else 200), path
        assert HEADERS.keys() <= answer.headers.keys()
        assert not answer.headers.keys() & {"set-cookie", "access-control-allow-origin", "location"}


def test_no_route_answers_to_another_name(served: Any, ask: Ask) -> None:
    for path in every_path(served.app):
        assert ask(served.app, path.encode(), host="evil.example").check_problem()["code"] == 4002


def test_a_method_on_nothing_is_404(served: Any, ask: Ask) -> None:
    for method in ("GET", *WRITING):
        assert ask(served.app, b"/nowhere", method).check_problem()["code"] == 4040


class TestMethods:
    @pytest.mark.parametrize(
        ("method", "path", "words"),
        [
            ("POST", "/api/process-exec/v1", "procctl run NAME"),
            ("DELETE", f"/api/process-exec/v1/{ID}", f"procctl cancel {ID}"),
            ("DELETE", "/service/process-exec/v1/../x", ""),
            ("PUT", f"/process-exec/v1/{ID}", "reconciler alone"),
            ("POST", "/api/process/v1", "procctl apply -f -"),
            ("POST", "/service/process/v1/private", "procctl apply -f -"),
            ("PUT", "/process/v1/ECB_FX", "procctl rename ECB_FX NEW"),
            ("PUT", "/api/process/v1/private/ECB_FX/1/PROD", "procctl tag ECB_FX 1 PROD"),
            ("PUT", "/api/process/v1/ECB_FX/001/v1.2", "procctl tag ECB_FX 1 v1.2"),
            ("PUT", "/api/process/v1/ECB_FX/1/~LATEST", "procctl tag ECB_FX 1 TAG"),
            ("PUT", "/api/process/v1/-x/PROD", "procctl tag NAME N TAG"),
            ("DELETE", "/api/process/v1/ECB_FX", "procctl rollback ECB_FX"),
            ("DELETE", "/api/process/v1/all/ECB_FX/3", "procctl delete ECB_FX --version 3"),
            ("DELETE", "/api/process/v1/ECB_FX/PROD", "procctl untag ECB_FX PROD"),
            ("DELETE", "/api/process/v1/ECB_FX/*", "procctl delete ECB_FX --all"),
            ("DELETE", "/api/process/v1/ECB_FX/%2A", "procctl delete ECB_FX --all"),
            ("PATCH", "/api/process/v1/ECB_FX", "procctl set ECB_FX FIELD=VALUE"),
            ("OPTIONS", "/api/process", "procctl apply"),
            ("POST", "/", "procctl run NAME"),
            ("POST", "/processes/ECB_FX", "commits"),
            ("POST", "/readyz", "commits"),
        ],
    )
    def test_writing_is_405_and_says_what_to_do(
        self, served: Any, ask: Ask, method: str, path: str, words: str
    ) -> None:
        answer = ask(served.app, path.encode(), method)
        if not words:
            assert answer.check_problem()["status"] == 400
            return
        problem = answer.check_problem()
        assert (problem["status"], problem["code"]) == (405, 4050)
        assert answer.headers["allow"] == "GET, HEAD"
        assert words in problem["todo"]

    @pytest.mark.parametrize(
        "path", ["/api/process", "/api/process/v1", f"/api/process-exec/v1/{ID}", "/", "/livez", "/static/style.css"]
    )
    def test_head_has_the_headers_of_get(self, served: Any, ask: Ask, path: str) -> None:
        head, got = ask(served.app, path.encode(), "HEAD"), ask(served.app, path.encode())
        assert (head.status, head.headers) == (got.status, got.headers)


WATCHED = ("open", "os.listdir", "os.scandir", "os.remove", "os.rename", "subprocess.Popen", "sqlite3.connect")
touched: list[str] = []
watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if watching and event in WATCHED:
        touched.append(f"{event} {arguments[0]!r}")


HOSTILE = ("..%2f..%2fetc%2fpasswd", "%2e%2e", "%252e%252e%252f", "a%00", "%ff", "%c0%ae%c0%ae", "%e2%80%ae", "x" * 201)


def test_what_is_no_name_touches_neither_disk_nor_index_nor_git(served: Any, ask: Ask) -> None:
    global watching  # noqa: PLW0603 - an audit hook stays for good, so it is switched
    sys.addaudithook(_watch)
    routes = (
        "/api/process/v1/%",
        "/api/process/v1/ECB_FX/%",
        "/api/process-exec/v1/%",
        "/processes/%",
        "/executions/%",
        "/%",
    )
    paths = [route.replace("%", segment).encode() for route in routes for segment in HOSTILE]
    ids = [
        "/api/process-exec/v1/ECB_FX",
        "/api/process/v1/9",
        "/api/process/v1/ECB_FX/-",
    ]
    for path in [*paths, *(path.encode() for path in ids)]:
        with served.sources.index():
            pass
        watching = True
        answer = ask(served.app, path)
        watching = False
        assert answer.check_problem()["status"] in (400, 404), path
        assert touched == [], path
