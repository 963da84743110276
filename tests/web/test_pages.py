"""The pages: what they show, that each has its JSON twin, and that no text from outside can do anything (class 13)."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.execution import Gap, Outcome, finish, running, start_phase
from reconciler.problem import Problem, Severity
from reconciler.web.rendering import render, visible

Ask = Callable[..., Any]
ECB = "# twice a day\nname: ECB_FX\nscript: load.py\ncron: 30 16 * * *\ndescription: Reference rates\n"
ID = "00000001-0000-5000-8000-000000000000"
RUNS_CODE = {"script", "iframe", "object", "embed", "form", "base", "style", "foreignobject"}
VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """A page taken apart: tags with their attributes, and the text between them."""

    def __init__(self, answer: Any) -> None:
        super().__init__(convert_charrefs=True)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(answer.body.decode())
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> Iterator[str]:
        """Every address the page refers to."""
        for _, attributes in self.tags:
            yield from (attributes[name] or "" for name in ("href", "src") if name in attributes)

    def check(self) -> "Page":
        """Nothing that runs, nothing from elsewhere, no text that is not what it looks like."""
        for tag, attributes in self.tags:
            assert tag not in RUNS_CODE
            assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcdoc", "action")]
        assert all(re.fullmatch(r"/[^/\\].*|/|#content", link) for link in self.links()), list(self.links())
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", self.text)
        return self


@pytest.fixture
def shown(stage: Any, finished: Any, triggered: Any) -> Any:
    """Processes in every state, and executions of every kind."""
    more = {f"processes/{name}.yaml": "script: a.py\nevery: 5s\n" for name in ("BAD", "HELD", "BROKE", "NEW")}
    stage.workshop.commit({"processes/ECB_FX.yaml": ECB, "processes/OFF.yaml": "script: a\nenabled: false\n"} | more)
    bad = Problem("processes/BAD.yaml", 2, 3, "/every", "impossible", "use 1s or more")
    held = Problem(
        "processes/HELD.yaml", 1, 1, "/queue", "queue is not supported yet", "", Severity.WARNING, holds=True
    )
    stage.apply(
        BAD={"problems": (bad,), "valid": False},
        HELD={"problems": (held,), "held": "queue is not supported yet"},
    )
    stage.record(replace(finished(1), loader_message="Updated 2 series", body={"url": "it's"}))
    stage.record(finished(2, Outcome.FAILED, name="BROKE"))
    at = triggered(3).trigger_time
    stage.record(finish(triggered(3, gap=Gap(at, at, 101, (at,) * 100)), Outcome.MISSED, at, "nothing was reconciling"))
    begun = running(triggered(4), triggered(4).trigger_time, host="h", run_as="u")
    stage.record(start_phase(begun, "LOAD", begun.trigger_time))
    stage.record(triggered(5, environment="test"))
    return stage


def test_the_first_page_shows_problems_first(shown: Any, ask: Ask) -> None:
    page = Page(ask(shown.app, b"/")).check()
    names = [link.removeprefix("/processes/") for link in page.links() if link.startswith("/processes/")]
    assert names == ["BAD", "HELD", "BROKE", "ECB_FX", "NEW", "OFF"]
    for words in ("Degraded", "invalid: BAD", "held: HELD", "failed: BROKE", "1 error in the applied commit"):
        assert words in page.text
    for words in ("impossible; the last valid version stays in force", "not ready", "2021-07-23 16:30:00", "running"):
        assert words in page.text
    assert f"/executions/{ID.replace('1', '4', 1)}" in page.links()


@pytest.mark.parametrize(
    ("changes", "commit", "state"),
    [
        ({}, False, "Synced"),
        ({}, True, "OutOfSync"),
        ({"ECB_FX": {"held": "no"}}, False, "Degraded"),
        ({"ECB_FX": {"held": "no"}}, True, "Degraded"),
        ({"ECB_FX": {"valid": False, "problems": (Problem("p", 1, 1, "", "no"),)}}, False, "Degraded"),
    ],
)
def test_the_state_of_the_repository(stage: Any, ask: Ask, changes: Any, *, commit: bool, state: str) -> None:
    stage.workshop.commit({"processes/ECB_FX.yaml": ECB})
    applied = stage.apply(**changes)
    newest = stage.workshop.commit() if commit else applied
    page = ask(stage.app, b"/?_format=json").json
    assert (page["state"], page["commit"], page["applied"]) == (state, newest, applied)
    assert bool(page["reasons"]) is (state != "Synced")


def test_one_process(shown: Any, ask: Ask) -> None:
    page = Page(ask(shown.app, b"/processes/ECB_FX")).check()
    for words in (
        "# twice a day",
        "30 16 * * *",
        "2021-07-24 16:30:00",
        "Ada Lovelace",
        "procctl run ECB_FX",
        "missed",
    ):
        assert words in page.text
    assert f"/executions/{ID}" in page.links()
    assert "/executions?name=ECB_FX" in page.links()
    assert Page(ask(shown.app, b"/processes/BAD")).check().text.count("impossible") == 2
    assert "No version of this process" not in page.text


def test_a_process_that_was_never_valid_has_a_page(stage: Any, ask: Ask) -> None:
    stage.workshop.commit({"processes/ECB_FX.yaml": "script: ["})
    stage.workshop.commit({"processes/ECB_FX.yaml": ECB})
    problem = Problem("processes/ECB_FX.yaml", 1, 1, "", "not YAML")
    stage.apply(ECB_FX={"document": None, "version": None, "commit": None, "problems": (problem,), "valid": False})
    page = Page(ask(stage.app, b"/processes/ECB_FX")).check()
    assert "No version of this process is free of errors yet" in page.text
    assert "not YAML" in page.text


def test_one_execution(shown: Any, ask: Ask) -> None:
    page = Page(ask(shown.app, f"/executions/{ID}".encode())).check()
    expected = f"procctl run ECB_FX@{'0' * 40} --body "
    for words in ("Completed Successfully", "EXTRACT", "7.5s", "info Completed EXTRACT", "Updated 2 series", expected):
        assert words in page.text
    assert ("h1", {}) in page.tags
    gap = Page(ask(shown.app, f"/executions/{ID.replace('1', '3', 1)}".encode())).check()
    assert "101 from 2021-07-03 16:30:00" in gap.text
    assert "procctl run ECB_FX@" not in gap.text
    running_now = Page(ask(shown.app, f"/executions/{ID.replace('1', '4', 1)}".encode())).check()
    assert "Initialising Phase: LOAD" in running_now.text


def test_a_record_of_the_service_itself_has_a_page(stage: Any, ask: Ask, finished: Any) -> None:
    path = stage.record(finished(1))
    document = json.loads(path.read_bytes())
    for key in ("triggerTime", "commit", "version", "host", "outcome"):
        del document[key]
    stage.index._write("UPDATE documents SET document = ?", (json.dumps(document),))
    page = Page(ask(stage.app, f"/executions/{ID}".encode())).check()
    assert "procctl run ECB_FX@" not in page.text
    assert ask(stage.app, b"/executions").status == 200
    path.unlink()


def test_executions_are_filtered_by_links(shown: Any, ask: Ask) -> None:
    page = Page(ask(shown.app, b"/executions?name=ECB_FX")).check()
    assert "/executions?name=ECB_FX&outcome=missed" in page.links()
    assert "in test" in page.text
    missed = Page(ask(shown.app, b"/executions?name=ECB_FX&outcome=missed")).check()
    rows = [link for link in missed.links() if link.startswith("/executions/")]
    assert set(rows) == {f"/executions/{ID.replace('1', '3', 1)}"}
    current = [attributes["href"] for _, attributes in missed.tags if attributes.get("aria-current") == "true"]
    assert current == ["/executions?name=ECB_FX&outcome=missed"]
    assert "/processes/.." not in Page(ask(shown.app, b"/executions?name=..")).check().links()
    assert "No executions." in Page(ask(shown.app, b"/executions?name=NOBODY")).check().text


def test_lists_are_turned_page_by_page(shown: Any, ask: Ask) -> None:
    seen, path = [], "/executions?_limit=2"
    while path:
        page = ask(shown.app, f"{path}&_format=json".encode()).json
        seen += [one["_id"] for one in page["found"]]
        assert page["page"]["last"] == len(seen)
        assert f"to {len(seen)} of 5" in Page(ask(shown.app, path.encode())).check().text
        path = page["page"]["next"]
    assert len(seen) == len(set(seen)) == 5
    assert ask(shown.app, b"/executions?_limit=2&_skip=4&_format=json").json["page"]["previous"].endswith("_skip=2")


@pytest.mark.parametrize(
    "path", ["/", "/processes/ECB_FX", "/executions", f"/executions/{ID}", "/executions?_limit=1&name=ECB_FX"]
)
def test_every_page_has_a_json_twin(shown: Any, ask: Ask, path: str) -> None:
    page = Page(ask(shown.app, path.encode())).check()
    twins = [attributes["href"] for tag, attributes in page.tags if tag == "link" and attributes["rel"] == "alternate"]
    answer = ask(shown.app, (twins[0] or "").encode())
    assert answer.headers["content-type"] == "application/json"
    for name in ("ECB_FX",) if path != "/" else ("ECB_FX", "BAD", "HELD"):
        assert name in page.text
        assert name in answer.body.decode()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/processes/NOBODY", 404),
        ("/processes/9", 404),
        ("/processes", 404),
        ("/executions/x", 400),
        (f"/executions/{ID.replace('1', '9')}", 404),
        ("/executions?start=range(1", 400),
        ("/executions?_format=xml", 400),
        ("/executions?_format=json&_format=json", 400),
        ("/?a=%ff", 400),
        ("/processes/ECB_FX?_what=A", 400),
        ("/processes/ECB_FX?_deleted=maybe", 400),
        ("/processes/ECB_FX?version=1&version=1", 400),
        ("/processes/ECB_FX?version=..", 400),
        ("/processes/ECB_FX?version=9", 404),
        ("/processes/%2e%2e", 400),
        ("/%3Cscript%3E", 400),
    ],
)
def test_a_browser_gets_errors_as_pages_others_as_problems(shown: Any, ask: Ask, path: str, status: int) -> None:
    answer = ask(shown.app, path.encode(), accept="text/html,application/xhtml+xml")
    problem = ask(shown.app, path.encode()).check_problem()
    assert answer.status == problem["status"] == status
    assert problem["detail"] in Page(answer).check().text
    assert answer.headers["x-odsl-error"].startswith(f"[{problem['code']}]")


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "</title></style></pre><svg onload=alert(1)>",
    "\x1b[31mred\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\u202egnp.exe\u2066\u200f",
    "\x00\x08\x7f\x9b",
    "&lt;already&amp;",
)


def test_no_text_from_outside_does_anything(stage: Any, ask: Ask, finished: Any) -> None:
    for number, hostile in enumerate(HOSTILE, 1):
        text = hostile.encode(errors="replace").decode()  # as far as git, files and SQLite can hold it
        document = {"script": text, "description": text, "service": text, "x-any": text}
        row = {"document": document, "held": text, "path": f"processes/{number}/ECB_FX.yaml"}
        problem = Problem(text, 1, 1, text, text, text)
        file = {"processes/ECB_FX.yaml": ECB + "# " + text.replace("\x00", "")}
        stage.workshop.commit(file, message=text.replace("\x00", ""))
        stage.apply(ECB_FX=row | {"problems": (problem,)})
        made = finished(number, reason=text, run_as=text, host=text, service=text)
        phase = replace(made.phases[0], log=(text, f"2021-07-01T00:00:00.0Z[UTC] warn {text}"), message=text, name=text)
        data = {"series": {text: [text]}, "curves": {}}
        made = replace(made, message=text, phases=(phase,), body={text: text}, data=data, loader_message=text)
        stage.record(replace(made, not_run=(text,)), write=False)
        for path in ("/", "/processes/ECB_FX", "/executions", f"/executions/{made.id}"):
            answer = ask(stage.app, path.encode())
            assert answer.status == 200
            page = Page(answer).check()
            assert visible(text) in page.text
            assert ask(stage.app, f"{path}?_format=json".encode()).status == 200
        for path in ("/api/process/v1", "/api/process-exec/v1", f"/api/process-exec/v1/{made.id}"):
            assert ask(stage.app, path.encode()).status == 200


@given(st.text())
def test_any_text_stands_on_a_page_as_text(text: str) -> None:
    problem = {"title": text, "status": 400, "detail": text, "code": 4000, "section": ""}
    body = render("problem.html", problem).decode()
    assert _tags(body) == _tags(render("problem.html", problem | {"title": "x", "detail": "x"}).decode())
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", body)


def _tags(body: str) -> list[str]:
    found: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(f"{tag} {attrs}")

    Tags().feed(body)
    return found


def test_the_style_sheet_and_the_icon_are_served(shown: Any, ask: Ask) -> None:
    style = ask(shown.app, b"/static/style.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert b"@import" not in style.body
    assert b"url(" not in style.body
    assert ask(shown.app, b"/static/icon.svg").headers["content-type"] == "image/svg+xml"
    for name in ("style.css.map", "../app.py", "app.py", ""):
        assert ask(shown.app, f"/static/{name}".encode()).status in (400, 404)
