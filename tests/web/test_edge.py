"""Whatever bytes a path is made of: the application sees plain names or nothing (attack class 2)."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from reconciler.web import faults
from reconciler.web.edge import HEADERS, LOOPBACK, Edge
from reconciler.web.faults import Failure

Ask = Callable[..., Any]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Stand in for everything behind the edge: it says which path it was given."""
    if scope["path"] == "/bug":
        raise RuntimeError("the password is hunter2")
    await PlainTextResponse(scope["path"])(scope, receive, send)


def respond(failure: Failure, scope: Scope) -> Response:
    return faults.respond(failure, scope["path"])


def clock() -> datetime:
    return datetime(2021, 7, 1, 16, 30, tzinfo=UTC)


EDGE = Edge(echo, (*LOOPBACK, "127.7.7.7"), clock, respond)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/", "/"),
        (b"/api/process/v1/ECB_FX", "/api/process/v1/ECB_FX"),
        (b"/api/process/", "/api/process"),
        (b"/api/process/v1/ECB%5FFX/%7ELATEST", "/api/process/v1/ECB_FX/~LATEST"),
        (b"/api/process/v1/ECB_FX/%2A", "/api/process/v1/ECB_FX/*"),
        (b"/executions/05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6", "/executions/05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6"),
        (b"/...", "/..."),
    ],
)
def test_plain_names_pass_decoded_once(ask: Ask, raw: bytes, path: str) -> None:
    answer = ask(EDGE, raw)
    assert answer.status == 200
    assert answer.body.decode() == path


HOSTILE = [
    b"..",
    b".",
    b"%2e%2e",
    b"%2E.",
    b"%2e",
    b"..%2f..%2fetc%2fpasswd",
    b"..%5c..",
    b"%252e%252e",
    b"%25252e",
    b"a%2fb",
    b"a%2Fb",
    b"a%252fb",
    b"a%00",
    b"%00",
    b"a%0d%0aSet-Cookie:x",
    b"%ff%fe",
    b"%c0%ae%c0%ae",
    b"%c0%af",
    b"%e2%80%ae",
    b"%ed%a0%80",
    b"\xff",
    b"na\xc3\xafve",
    b"%",
    b"%zz",
    b"%u002e",
    b"a b",
    b"a+b",
    b"a;b",
    b"a:b",
    b"C:",
    b"~root/x%2f",
    b"<script>",
    b"%3Cscript%3E",
    b"%1b%5b31m",
    b"a" * 201,
]


@pytest.mark.parametrize("segment", HOSTILE)
@pytest.mark.parametrize("where", [b"/%b", b"/api/process/v1/%b", b"/api/process-exec/v1/private/%b", b"/processes/%b"])
def test_anything_else_is_400_and_goes_no_further(ask: Ask, where: bytes, segment: bytes) -> None:
    answer = ask(EDGE, where.replace(b"%b", segment))
    assert answer.status == 400
    assert answer.check_problem()["code"] == 4000


@pytest.mark.parametrize("raw", [b"", b"*", b"http://localhost/", b"//", b"//localhost/x", b"/a//b", b"/a" * 501])
def test_what_is_no_path_is_400(ask: Ask, raw: bytes) -> None:
    assert ask(EDGE, raw).check_problem()["code"] == 4000


PIECES = st.sampled_from(
    [b"..", b".", b"/", b"\\", b"\x00", b"%", b"%2e", b"%2f", b"etc", b"passwd", b"~", b"\xe2\x80\xae"]
)


@st.composite
def encoded(draw: st.DrawFn) -> bytes:
    """Bytes percent-encoded up to three times, each byte or not, in either case."""
    raw = draw(st.one_of(st.binary(max_size=30), st.lists(PIECES, max_size=8).map(b"".join)))
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()):
            raw = b"".join(b"%%%02x" % byte for byte in raw) if draw(st.booleans()) else quote_from_bytes(raw).encode()
        else:
            raw = quote_from_bytes(raw, safe="/.%").encode()
    return raw.replace(b"?", b"%3f")


@given(st.lists(encoded(), max_size=3))
def test_no_encoding_gets_more_than_names_past_the_edge(ask: Ask, segments: list[bytes]) -> None:
    answer = ask(EDGE, b"/api/process/v1/" + b"/".join(segments))
    if answer.status != 200:
        assert answer.check_problem()["code"] == 4000
        return
    for segment in answer.body.decode().split("/"):
        assert segment not in (".", "..")
        assert all(character.isascii() and (character.isalnum() or character in "_.~*-") for character in segment)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:7071", "127.0.0.1:80", "[::1]", "[::1]:7071", "127.7.7.7:7071"]
)
def test_our_own_names_are_answered(ask: Ask, host: str) -> None:
    assert ask(EDGE, b"/", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "localhost:7071:80",
        "127.0.0.1.nip.io",
        "evil.example:7071",
        "a@localhost",
    ],
)
def test_other_names_are_refused(ask: Ask, host: str) -> None:
    problem = ask(EDGE, b"/", host=host).check_problem()
    assert problem["code"] == 4002
    assert problem["status"] == 400


@pytest.mark.parametrize("raw", [b"/", b"/../", b"/bug"])
def test_every_answer_carries_the_security_headers(ask: Ask, raw: bytes) -> None:
    headers = ask(EDGE, raw).headers
    assert HEADERS.items() <= headers.items()
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert "script-src" not in policy


def test_a_bug_is_a_500_without_internals_and_a_log_with_them(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "procctl.web"):
        answer = ask(EDGE, b"/bug")
    problem = answer.check_problem()
    assert (answer.status, problem["code"]) == (500, 5000)
    assert b"hunter2" not in answer.body
    assert "hunter2" not in str(answer.headers)
    number = problem["detail"].split()[-1]
    assert number == "20210701T163000000000"
    assert number in caplog.text
    assert "hunter2" in caplog.text
