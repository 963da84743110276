"""EXTRACT: what may be fetched, from where, and what a failure says."""

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

Serve = Callable[[Mapping[str, Any]], str]
SCRIPT = "extract_http.py"


def test_a_document_comes_over_https(phases: Any, https: Serve) -> None:
    address = https({"/daily.xml?x=1": (200, {"Content-Length": "6"}, b"<a>1<b")})
    ran = phases.run(SCRIPT, url=f"{address}/daily.xml?x=1")
    assert (ran.code, ran.printed) == (0, "")
    assert ran.lines == [{"output": {"document": "document.xml"}}]
    assert (phases.work / "document.xml").read_bytes() == b"<a>1<b"


def test_a_document_comes_from_a_file(phases: Any, tmp_path: Path) -> None:
    (tmp_path / "r\u00e4tes 1.xml").write_bytes(b"<a/>")
    ran = phases.run(SCRIPT, url=(tmp_path / "r\u00e4tes 1.xml").as_uri())
    assert (ran.code, ran.printed) == (0, "")
    assert (phases.work / "document.xml").read_bytes() == b"<a/>"


def test_a_redirect_on_the_same_host_is_followed(phases: Any, https: Serve) -> None:
    answers = {"/old": (301, {"Location": "/new"}, b""), "/new": (200, {}, b"<a/>")}
    assert phases.run(SCRIPT, url=https(answers) + "/old").code == 0


@pytest.mark.parametrize(
    "target",
    ["http://localhost/", "https://127.0.0.1/", "https://localhost:1/", "file:///etc/hostname", "ftp://localhost/"],
)
def test_a_redirect_anywhere_else_is_not_followed(phases: Any, https: Serve, target: str) -> None:
    ran = phases.run(SCRIPT, url=https({"/": (302, {"Location": target}, b"")}) + "/")
    assert ran.code == 1
    assert ran.printed == ""
    (said,) = ran.all("abort") + ran.all("fail")
    assert "redirect" in said.lower()
    assert not (phases.work / "document.xml").exists()


def test_a_redirect_that_goes_in_circles_ends(phases: Any, https: Serve) -> None:
    ran = phases.run(SCRIPT, url=https({"/": (302, {"Location": "/"}, b"")}) + "/")
    assert ran.code == 1
    assert "infinite loop" in ran.all("fail")[0]


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/daily.xml",
        "ftp://localhost/daily.xml",
        "data:text/xml,<a/>",
        "file://elsewhere/daily.xml",
        "https:///daily.xml",
        "https://localhost:0/",
        "https://localhost:99999/",
        "https://[::1/",
        "daily.xml",
        "",
    ],
)
def test_other_urls_are_refused_for_good(phases: Any, url: str) -> None:
    ran = phases.run(SCRIPT, url=url)
    assert (ran.code, ran.printed) == (1, "")
    assert ran.all("abort")[0].startswith("input.url ")


def test_credentials_in_a_url_are_refused_and_not_repeated(phases: Any) -> None:
    ran = phases.run(SCRIPT, url="https://ada:engine@localhost/")
    assert "credentials" in ran.all("abort")[0]
    assert "engine" not in str(ran.lines)


@pytest.mark.parametrize(("code", "said"), [(404, "404 Not Found"), (503, "503 Service Unavailable")])
def test_an_error_answer_fails_with_its_status_and_without_the_query(
    phases: Any, https: Serve, code: int, said: str
) -> None:
    address = https({"/gone.xml?token=engine": (code, {}, b"sorry")})
    ran = phases.run(SCRIPT, url=f"{address}/gone.xml?token=engine")
    assert (ran.code, ran.printed) == (1, "")
    assert ran.all("fail") == [f"https://localhost/gone.xml answered {said}"]


def test_nobody_listening_fails(phases: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ran = phases.run(SCRIPT, url=f"https://localhost:{port}/")
    assert (ran.code, ran.printed) == (1, "")
    assert "cannot be reached" in ran.all("fail")[0]


def test_a_certificate_of_another_host_fails(phases: Any, https: Serve) -> None:
    address = https({"/": (200, {}, b"<a/>")}).replace("localhost", "localhost.localdomain")
    ran = phases.run(SCRIPT, url=address + "/")
    assert ran.code == 1
    assert "cannot be reached" in ran.all("fail")[0]


def test_an_answer_that_breaks_off_fails(phases: Any, https: Serve) -> None:
    ran = phases.run(SCRIPT, url=https({"/": (200, {"Content-Length": "100"}, b"<a>")}) + "/")
    assert (ran.code, ran.printed) == (1, "")
    assert ran.all("fail") == ["https://localhost/ broke off 97 bytes before its end"]


def test_a_huge_answer_is_refused(phases: Any, https: Serve) -> None:
    ran = phases.run(SCRIPT, url=https({"/": (200, {}, b" " * (33 * 1024 * 1024))}) + "/")
    assert (ran.code, ran.printed) == (1, "")
    assert ran.all("abort") == ["https://localhost/ has more than 32 MiB"]


def test_a_huge_file_is_refused(phases: Any, tmp_path: Path) -> None:
    huge = tmp_path / "huge.xml"
    with huge.open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    assert "more than 32 MiB" in phases.run(SCRIPT, url=huge.as_uri()).all("abort")[0]


@pytest.mark.parametrize("missing", ["nothing.xml", "a%00b", ""])
def test_what_is_no_file_fails(phases: Any, tmp_path: Path, missing: str) -> None:
    ran = phases.run(SCRIPT, url=f"{tmp_path.as_uri()}/{missing}")
    assert (ran.code, ran.printed) == (1, "")
    assert ran.all("fail")[0].endswith("is no file")


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_document_fails(phases: Any, https: Serve, body: bytes) -> None:
    ran = phases.run(SCRIPT, url=https({"/e.xml": (200, {}, body)}) + "/e.xml")
    assert ran.all("fail") == ["https://localhost/e.xml is empty"]
