"""Versions and tags over HTTP, from real repositories: what there is, what is gone, and what never changes."""

from collections.abc import Callable
from typing import Any

import pytest

from reconciler import marks
from reconciler.version import Version

Ask = Callable[..., Any]
PATH = "processes/A.yaml"
ALWAYS = ("_version", "_oid", "_timestamp", "_user", "_tag")


def body(number: int) -> str:
    return f"script: a.py\ndescription: state {number}\n"


def version(stage: Any, number: int, name: str = "A") -> Version:
    found: Version = next(one for one in stage.index.versions(name) if one.number == number)
    return found


@pytest.fixture
def three(stage: Any) -> Any:
    """A process of three versions."""
    for number in (1, 2, 3):
        stage.workshop.commit({PATH: body(number)}, f"State {number}")
    stage.apply()
    return stage


def get(stage: Any, ask: Ask, path: str, **headers: str) -> Any:
    return ask(stage.app, f"/api/process/v1/{path}".encode(), **headers)


class TestTags:
    def test_every_answer_has_the_tags_of_what_it_shows(self, three: Any, ask: Ask) -> None:
        git = three.workshop.git
        git("tag", "-a", "-m", "tested", "A/TEST", version(three, 2).commit)
        git("tag", "-a", "-m", "promoted", "A/PROD", version(three, 2).commit)
        git("tag", "V1", "HEAD")
        assert get(three, ask, "A/2").json["_tag"] == ["PROD", "TEST"]
        assert get(three, ask, "A").json["_tag"] == ["V1"]
        assert get(three, ask, "A/1").json["_tag"] == []
        assert [one["_tag"] for one in get(three, ask, "").json] == [["V1"]]
        assert [one["_tag"] for one in get(three, ask, "A/*").json] == [["V1"], ["PROD", "TEST"], []]
        assert [one["_version"] for one in get(three, ask, "A/*?_tag=PROD").json] == [2]
        assert get(three, ask, "?_tag=PROD").json == []
        assert [one["_id"] for one in get(three, ask, "?_tag=V1").json] == ["A"]

    def test_a_tag_picks_the_version_that_it_names(self, three: Any, ask: Ask) -> None:
        three.workshop.git("tag", "-a", "-m", "x", "A/PROD", version(three, 1).commit)
        answer = get(three, ask, "A/PROD")
        assert answer.json == get(three, ask, "A/1").json
        assert answer.json.keys() >= set(ALWAYS)
        assert answer.headers["cache-control"] == "no-cache"

    def test_moving_a_tag_is_another_answer_and_not_moving_it_is_not(self, three: Any, ask: Ask) -> None:
        git = three.workshop.git
        git("tag", "-a", "-m", "x", "A/PROD", version(three, 1).commit)
        addresses = ("A", "A/PROD", "A/1", "A/*", "")
        before = {path: get(three, ask, path) for path in addresses}
        for path, answer in before.items():
            assert get(three, ask, path, if_none_match=answer.headers["etag"]).status == 304
        git("tag", "-f", "-a", "-m", "y", "A/PROD", version(three, 3).commit)
        for path, answer in before.items():
            again = get(three, ask, path, if_none_match=answer.headers["etag"])
            assert (again.status, again.headers["etag"] != answer.headers["etag"]) == (200, True), path
        assert get(three, ask, "A/PROD").json["_version"] == 3

    def test_a_tag_that_looks_like_a_commit_comes_first(self, three: Any, ask: Ask) -> None:
        prefix = version(three, 1).commit[:7]
        assert get(three, ask, f"A/{prefix}").json["_version"] == 1
        if prefix.isdigit():
            return  # a number, which no tag can be
        three.workshop.git("tag", "-a", "-m", "x", f"A/{prefix}", version(three, 2).commit)
        assert get(three, ask, f"A/{prefix}").json["_version"] == 2

    def test_a_number_is_a_number_whatever_git_has(self, three: Any, ask: Ask) -> None:
        three.workshop.git("tag", "A/1", version(three, 3).commit)
        three.workshop.git("tag", "1", version(three, 3).commit)
        assert get(three, ask, "A/1").json["_version"] == 1
        assert all("1" not in one["_tag"] for one in get(three, ask, "A/*").json)

    def test_a_tag_beside_a_process_of_that_name(self, three: Any, ask: Ask) -> None:
        three.workshop.git("tag", "A", version(three, 1).commit)
        assert get(three, ask, "A/A").check_problem()["status"] == 404
        assert [one["_tag"] for one in get(three, ask, "A/*").json] == [[], [], []]

    def test_a_tag_that_no_path_can_name_is_no_obstacle(self, three: Any, ask: Ask) -> None:
        three.workshop.git("tag", "A/größer", version(three, 1).commit)
        three.workshop.git("tag", "A/a/b", version(three, 1).commit)
        assert get(three, ask, "A/1").json["_tag"] == []
        for text in ("gr%C3%B6%C3%9Fer", "größer", "a%2Fb", "a/b", "..%2FA%2Fa"):
            assert get(three, ask, f"A/{text}").check_problem()["status"] in (400, 404)

    def test_tags_of_a_commit_off_the_history(self, three: Any, ask: Ask) -> None:
        git = three.workshop.git
        git("checkout", "-q", "-b", "side", "HEAD~2")
        side = three.workshop.commit({PATH: body(9)}, "Aside")
        git("tag", "-a", "-m", "x", "A/TRY", side)
        answer = get(three, ask, f"A/{side}")
        assert (answer.json["_tag"], answer.json["_id"]) == (["TRY"], side)
        assert "_version" not in answer.json
        assert answer.headers["cache-control"] == "no-cache"
        assert get(three, ask, "A/TRY").json == answer.json


class TestGone:
    def check(self, stage: Any, ask: Ask, path: str, *words: str) -> None:
        answer = get(stage, ask, path)
        problem = answer.check_problem()
        assert (problem["status"], problem["code"]) == (410, 4100), path
        for word in words:
            assert word in problem["detail"]
            assert word in answer.headers["x-odsl-error"]

    def test_rolled_back(self, three: Any, ask: Ask) -> None:
        commit = three.workshop.commit({PATH: body(2)}, f"Back\n\n{marks.rollback(version(three, 3))}")
        three.workshop.git("tag", "A/LATE", "HEAD~")
        three.apply()
        self.check(three, ask, "A/3", "A@3 was rolled back by", commit[:12])
        self.check(three, ask, "A/LATE", "A@3 was rolled back by")
        assert get(three, ask, "A").json["_version"] == 2
        assert [one["_version"] for one in get(three, ask, "A/*").json] == [2, 1]

    def test_deleted(self, three: Any, ask: Ask) -> None:
        commit = three.workshop.commit({}, f"Away\n\n{marks.delete(version(three, 1))}")
        three.apply()
        self.check(three, ask, "A/1", "A@1 was deleted by", commit[:12])
        assert [one["_version"] for one in get(three, ask, "A/*").json] == [3, 2]
        assert get(three, ask, f"A/{version(three, 1).commit}").json["description"] == "state 1"
        shown = get(three, ask, f"A/{version(three, 1).commit[:12]}").json
        assert shown["_deleted"] == {"commit": commit, "why": "deleted"}

    def test_removed_with_its_file(self, three: Any, ask: Ask) -> None:
        commit = three.workshop.commit({PATH: None}, "Remove")
        three.apply()
        for path in ("A", "A/~LATEST", "A/1", "A/3", "A/*"):
            self.check(three, ask, path, "was removed with its file by", commit[:12])
        page = ask(three.app, b"/processes/A", accept="text/html")
        assert page.status == 410
        listed = get(three, ask, "A/*?_deleted=true").json
        assert [one["_version"] for one in listed] == [3, 2, 1]
        assert {one["_deleted"]["commit"] for one in listed} == {commit}
        assert [one["_id"] for one in listed] == [one["_oid"] for one in listed]
        three.workshop.commit({PATH: body(4)}, "Again")
        three.apply()
        assert get(three, ask, "A").json["_version"] == 4
        assert [one["_version"] for one in get(three, ask, "A/*").json] == [4]

    def test_renamed(self, three: Any, ask: Ask) -> None:
        three.workshop.git("tag", "A/PROD", version(three, 2).commit)
        three.workshop.commit({PATH: None, "processes/B.yaml": body(3)}, f"Rename\n\n{marks.rename('A', 'B')}")
        three.apply()
        for path in ("A", "A/1", "A/*"):
            self.check(three, ask, path, "renamed to B")
        assert [one["_version"] for one in get(three, ask, "B/*").json] == [3, 2, 1]
        assert get(three, ask, "B/PROD").json["_version"] == 2
        assert get(three, ask, "B/2").json["_tag"] == ["PROD"]

    def test_what_never_was_is_not_gone(self, three: Any, ask: Ask) -> None:
        for path in ("A/4", "B", "B/1", "B/*", "B/*?_deleted=true", "A/NOTAG", "a", "a/1"):
            assert get(three, ask, path).check_problem()["status"] == 404, path


class TestDeletedOnDemand:
    def test_gone_versions_are_added_and_marked(self, three: Any, ask: Ask) -> None:
        three.workshop.commit({}, f"Away\n\n{marks.delete(version(three, 2))}")
        three.apply()
        listed = get(three, ask, "A/*?_deleted=true")
        assert [("_deleted" in one, one["_version"]) for one in listed.json] == [(False, 3), (True, 2), (False, 1)]
        assert listed.headers["x-total-count"] == "3"
        assert get(three, ask, "A/*?_deleted=false").json == get(three, ask, "A/*").json
        assert get(three, ask, "A/*?_deleted=true&_limit=1&_skip=1").json == [listed.json[1]]
        page = ask(three.app, b"/processes/A?_deleted=true").body.decode()
        assert "deleted by <code>" in page
        assert "deleted by <code>" not in ask(three.app, b"/processes/A").body.decode()

    @pytest.mark.parametrize("query", ["_deleted=", "_deleted=1", "_deleted=TRUE", "_deleted=true&_deleted=true"])
    def test_anything_else_is_malformed(self, three: Any, ask: Ask, query: str) -> None:
        assert get(three, ask, f"A/*?{query}").check_problem()["code"] == 4001


class TestByCommit:
    def test_a_full_commit_id_of_the_history_is_kept_for_good(self, three: Any, ask: Ask) -> None:
        commit = version(three, 2).commit
        answer = get(three, ask, f"A/{commit}")
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert answer.json.keys() & {"_tag", "problems", "nextRun"} == set()
        assert (answer.json["_id"], answer.json["_version"]) == (commit, 2)
        assert get(three, ask, f"A/{commit}", if_none_match=answer.headers["etag"]).status == 304
        for other in (commit[:39], "2", "~LATEST"):
            assert get(three, ask, f"A/{other}").headers["cache-control"] == "no-cache"

    def test_whatever_happens_later_its_body_is_the_same(self, three: Any, ask: Ask) -> None:
        commits = [version(three, number).commit for number in (1, 2, 3)]
        before = [get(three, ask, f"A/{commit}").body for commit in commits]
        git = three.workshop.git

        def check() -> None:
            """Compare with what was answered first."""
            three.apply()
            assert [get(three, ask, f"A/{commit}").body for commit in commits] == before

        git("tag", "-a", "-m", "x", "A/PROD", commits[0])
        check()
        three.workshop.commit({}, f"Away\n\n{marks.delete(version(three, 1))}")
        check()
        three.workshop.commit({PATH: body(2)}, f"Back\n\n{marks.rollback(version(three, 3))}")
        check()
        three.workshop.commit({PATH: "script: [\n"}, "Break")
        check()
        three.workshop.commit({PATH: None}, "Remove")
        check()

    def test_a_full_id_that_is_a_tag_is_not_kept(self, three: Any, ask: Ask) -> None:
        commit = version(three, 2).commit
        three.workshop.git("update-ref", f"refs/tags/A/{commit}", version(three, 1).commit)
        answer = get(three, ask, f"A/{commit}")
        assert (answer.json["_version"], answer.headers["cache-control"]) == (1, "no-cache")


class TestPages:
    def test_where_the_applied_commit_runs_it_is_named(self, three: Any, ask: Ask) -> None:
        head = three.apply(A={"commit": None})
        assert ask(three.app, b"/processes/A?_format=json").json["commit"] == head
        three.apply(A={"commit": None, "version": None, "document": None})
        assert ask(three.app, b"/processes/A?_format=json").json["commit"] is None

    def test_a_page_shows_any_version(self, three: Any, ask: Ask) -> None:
        three.workshop.git("tag", "-a", "-m", "x", "A/PROD", version(three, 1).commit)
        for wanted in ("1", "PROD", version(three, 1).commit):
            page = ask(three.app, f"/processes/A?version={wanted}&_format=json".encode()).json
            assert (page["config"], page["chosen"]["version"]) == (body(1), 1)
        html = ask(three.app, b"/processes/A?version=PROD").body.decode()
        assert "of version 1, tagged PROD" in html
        assert "state 1" in html
        assert 'href="/processes/A?version=2"' in html
        assert ask(three.app, b"/processes/A?_format=json").json["config"] == body(3)

    def test_pages_of_versions_are_turned(self, three: Any, ask: Ask) -> None:
        page = ask(three.app, b"/processes/A?_limit=1&_format=json").json
        assert [one["_version"] for one in page["versions"]] == [3]
        assert page["page"]["next"] == "/processes/A?_limit=1&_skip=1"


@pytest.mark.parametrize("segment", ["..", "%2e%2e", "..%2f1", "1%2f..", "%00", "1%00", "%252e", "~", "~LATEST~", "-1"])
def test_what_is_no_reference_never_gets_to_git(three: Any, ask: Ask, segment: str) -> None:
    assert get(three, ask, f"A/{segment}").check_problem()["status"] == 400
