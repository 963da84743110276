"""The two services over HTTP: addresses, parameters, headers, and errors as the service's clients read them."""

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.reference import parse_reference
from reconciler.web import faults, resources
from reconciler.web.app import PREFIXES

Ask = Callable[..., Any]
ID = "00000001-0000-5000-8000-000000000000"


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("service", ["process", "process-exec"])
def test_build_information(served: Any, ask: Ask, prefix: str, service: str) -> None:
    answer = ask(served.app, f"{prefix}/{service}".encode())
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "service": service,
        "version": answer.json["version"],
        "api": "v1",
        "commit": served.workshop.git("rev-parse", "HEAD"),
        "ref": "refs/heads/main",
        "environment": "production",
    }


class TestAddresses:
    @pytest.mark.parametrize("prefix", PREFIXES)
    @pytest.mark.parametrize("source", ["", "/private", "/all"])
    def test_every_way_to_a_list_and_to_one(self, served: Any, ask: Ask, prefix: str, source: str) -> None:
        base = f"{prefix}/process/v1{source}"
        assert [one["_id"] for one in ask(served.app, base.encode()).json] == ["ECB_FX", "TEST"]
        assert ask(served.app, f"{base}/ECB_FX".encode()).json["_id"] == "ECB_FX"
        assert ask(served.app, f"{base}/ECB_FX/1".encode()).json["_version"] == 1
        assert len(ask(served.app, f"{base}/ECB_FX/*".encode()).json) == 2
        base = f"{prefix}/process-exec/v1{source}"
        assert len(ask(served.app, base.encode()).json) == 3
        assert ask(served.app, f"{base}/{ID}".encode()).json["_id"] == ID

    @pytest.mark.parametrize("service", ["process", "process-exec"])
    def test_public_is_empty(self, served: Any, ask: Ask, service: str) -> None:
        answer = ask(served.app, f"/api/{service}/v1/public".encode())
        assert (answer.json, answer.headers["x-total-count"]) == ([], "0")
        assert ask(served.app, f"/api/{service}/v1/public/ECB_FX".encode()).check_problem()["code"] == 4041

    @pytest.mark.parametrize(
        "path", ["/api/process/v2", "/api/process/v2/ECB_FX", "/process-exec/V1", "/service/process/latest"]
    )
    def test_other_releases_are_404_and_name_v1(self, served: Any, ask: Ask, path: str) -> None:
        problem = ask(served.app, path.encode()).check_problem()
        assert problem["status"] == 404
        assert "v1" in problem["todo"]

    @pytest.mark.parametrize(
        "path",
        [
            "/api",
            "/v1",
            "/service",
            "/api/v1/process",
            "/api/process/v1/A/1/PROD",
            f"/api/process-exec/v1/{ID}/log",
            "/metrics",
        ],
    )
    def test_everything_else_is_404(self, served: Any, ask: Ask, path: str) -> None:
        assert ask(served.app, path.encode()).check_problem()["status"] == 404

    def test_a_slash_at_the_end_is_forgiven(self, served: Any, ask: Ask) -> None:
        assert ask(served.app, b"/api/process/v1/").json == ask(served.app, b"/api/process/v1").json

    def test_processes_is_the_page_and_process_the_service(self, served: Any, ask: Ask) -> None:
        assert ask(served.app, b"/processes/ECB_FX").headers["content-type"] == "text/html; charset=utf-8"
        assert ask(served.app, b"/process/v1/ECB_FX").headers["content-type"] == "application/json"


class TestReferences:
    @pytest.mark.parametrize("reference", ["2", "~LATEST", "%7ELATEST"])
    def test_the_current_version_has_its_name_as_id(self, served: Any, ask: Ask, reference: str) -> None:
        answer = ask(served.app, f"/api/process/v1/ECB_FX/{reference}".encode())
        assert answer.json == ask(served.app, b"/api/process/v1/ECB_FX").json
        assert answer.json["_id"] == "ECB_FX"

    def test_an_older_one_its_commit(self, served: Any, ask: Ask) -> None:
        commit = served.workshop.git("rev-parse", "HEAD~")
        by_number = ask(served.app, b"/api/process/v1/ECB_FX/1").json
        assert (by_number["_id"], by_number["_oid"], by_number["_version"]) == (commit, commit, 1)
        assert by_number["cron"] == "30 16 * * *"
        for length in (7, 12, 39):
            assert ask(served.app, f"/api/process/v1/ECB_FX/{commit[:length]}".encode()).json == by_number

    @pytest.mark.parametrize("reference", ["PROD", "v1.2", "LATEST"])
    def test_a_tag_that_is_not_there_is_not_found(self, served: Any, ask: Ask, reference: str) -> None:
        problem = ask(served.app, f"/api/process/v1/ECB_FX/{reference}".encode()).check_problem()
        assert problem["status"] == 404
        assert f"ECB_FX has no tag {reference}" in problem["detail"]

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("ECB_FX/3", 404),
            ("ECB_FX/0", 400),
            ("ECB_FX/999999999", 404),
            ("ECB_FX/" + "9" * 64, 404),
            ("ECB_FX/abcdef0", 404),
            ("ECB_FX/" + "0" * 40, 404),
            ("ECB_FX/-1", 400),
            ("NOBODY", 404),
            ("NOBODY/1", 404),
            ("NOBODY/*", 404),
            ("ecb_fx", 404),
            ("A" * 129, 400),
            ("9A", 400),
            ("a.lock", 400),
        ],
    )
    def test_what_does_not_exist_or_cannot(self, served: Any, ask: Ask, path: str, status: int) -> None:
        assert ask(served.app, f"/api/process/v1/{path}".encode()).check_problem()["status"] == status


class TestLists:
    def test_the_total_is_of_all_pages(self, served: Any, ask: Ask) -> None:
        answer = ask(served.app, b"/api/process-exec/v1?_limit=2&_skip=1")
        assert [one["_id"][:8] for one in answer.json] == ["00000002", "00000001"]
        assert answer.headers["x-total-count"] == "3"
        assert len(ask(served.app, b"/api/process-exec/v1?_limit=-1").json) == 3

    @pytest.mark.parametrize(
        ("service", "asked", "found"),
        [
            ("process", "name=ECB_FX", 1),
            ("process", "service=default", 1),
            ("process", "service=ETL&enabled=true", 1),
            ("process", "enabled=true", 2),
            ("process", "enabled=false", 0),
            ("process", "tags=fx", 1),
            ("process", "input.deep.list=2", 1),
            ("process", "_version=2", 1),
            ("process", "nextRun=range(2021-07-23,2021-07-23)", 1),
            ("process-exec", "name=ECB_FX&start=range(2021-07-01,2021-07-02)", 2),
            ("process-exec", "start=range(2021-07-02,2021-07-02)", 1),
            ("process-exec", "status=failed", 0),
            ("process-exec", "phases.name=EXTRACT", 3),
            ("process-exec", "phases.name=LOAD", 0),
            ("process-exec", "version=1", 3),
        ],
    )
    def test_filters(self, served: Any, ask: Ask, service: str, asked: str, found: int) -> None:
        answer = ask(served.app, f"/api/{service}/v1?{asked}".encode())
        assert len(answer.json) == found
        assert answer.headers["x-total-count"] == str(found)

    @pytest.mark.parametrize(
        ("asked", "where"),
        [
            ("start=range(2021-07-01", "character"),
            ("start=near(2021-07-01)", "character 1"),
            ("_filter=name", "parameter _filter"),
            ("_limit=many", "parameter _limit"),
            ("a%00b=1", "parameter a"),
            ("name=%ff", "query"),
            ("na%e2%80%aeme=1", "parameter na"),
            ("&".join(["a=1"] * 65), "query"),
        ],
    )
    @pytest.mark.parametrize("service", ["process", "process-exec"])
    def test_what_is_malformed_is_400_and_says_where(
        self, served: Any, ask: Ask, service: str, asked: str, where: str
    ) -> None:
        problem = ask(served.app, f"/api/{service}/v1?{asked}".encode()).check_problem()
        assert (problem["status"], problem["code"]) == (400, 4001)
        assert where in problem["where"]

    def test_only_lists_take_parameters(self, served: Any, ask: Ask) -> None:
        assert ask(served.app, b"/api/process/v1/ECB_FX?_project=name").check_problem()["code"] == 4001
        assert ask(served.app, f"/api/process-exec/v1/{ID}?a=1".encode()).check_problem()["code"] == 4001
        assert ask(served.app, b"/api/process/v1/ECB_FX/*?_limit=1").headers["x-total-count"] == "2"


def test_http_answers_what_the_command_line_prints(served: Any, ask: Ask) -> None:
    listed = resources.processes(served.index, served.repository, [("_limit", "1")], served.now)
    assert ask(served.app, b"/api/process/v1?_limit=1").json == listed.items
    one = resources.process(served.index, served.repository, parse_reference("ECB_FX@1"), served.now).document
    assert ask(served.app, b"/api/process/v1/ECB_FX/1").json == one
    assert list(ask(served.app, b"/api/process/v1/ECB_FX/1").json) == list(one)
    record = resources.execution(served.index, served.layout, ID)
    assert list(ask(served.app, f"/api/process-exec/v1/{ID}".encode()).json.items()) == list(record.items())


def test_errors_for_programs_are_problems_whatever_they_accept(served: Any, ask: Ask) -> None:
    ask(served.app, b"/api/process/v1/NOBODY", accept="text/html").check_problem()
    ask(served.app, b"/nowhere").check_problem()
    assert ask(served.app, b"/nowhere", accept="text/html").headers["content-type"].startswith("text/html")


def test_without_an_index_everything_else_still_answers(stage: Any, ask: Ask) -> None:
    stage.index.close()
    stage.layout.index.unlink()
    problem = ask(stage.app, b"/api/process/v1").check_problem()
    assert (problem["status"], problem["code"]) == (503, 5031)
    assert "procctl reindex" in problem["todo"]
    assert ask(stage.app, b"/api/process/v1").headers["retry-after"] == "5"
    assert ask(stage.app, b"/livez").status == 200
    assert ask(stage.app, b"/", accept="text/html").status == 503


def test_codes_are_unique_and_say_their_status() -> None:
    assert len({fault.code for fault in faults.FAULTS}) == len(faults.FAULTS)
    assert len({fault.slug for fault in faults.FAULTS}) == len(faults.FAULTS)
    assert all(fault.code // 10 == fault.status for fault in faults.FAULTS)


@pytest.mark.parametrize("text", ["a\r\nset-cookie: x", "naïve \u202e", "x" * 9000, "\ud800"])
def test_the_header_is_printable_ascii_whatever_the_text(text: str) -> None:
    header = faults.Failure(faults.BUG, text, where=text).to_headers()["x-odsl-error"]
    assert header.startswith("[5000] ")
    assert header.isascii()
    assert header.isprintable()
    assert len(header) < 600
