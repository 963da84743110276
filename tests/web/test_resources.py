"""The dicts that both the HTTP view and ``-o json`` show: what is in them, and where the truth comes from."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.errors import GoneError, NotFoundError, UsageError
from reconciler.execution import Gap, Outcome, finish, running
from reconciler.problem import Problem, Severity
from reconciler.reference import parse_reference
from reconciler.store import records
from reconciler.web import resources

ECB = "# rates\nname: ECB_FX\nservice: ETL\nscript: load.py\ncron: 30 16 * * *\ninput: {url: u}\n"
EXPECTED: dict[str, Any] = {
    "name": "ECB_FX",
    "service": "ETL",
    "script": "load.py",
    "cron": "30 16 * * *",
    "input": {"url": "u"},
}


def get(stage: Any, text: str) -> dict[str, Any]:
    return resources.process(stage.index, stage.repository, parse_reference(text), stage.now).document


def listed(stage: Any, *parameters: tuple[str, str]) -> list[dict[str, Any]]:
    return resources.processes(stage.index, stage.repository, parameters, stage.now).items


class TestProcesses:
    def test_a_process_is_its_file_and_what_procctl_knows(self, stage: Any) -> None:
        commit = stage.workshop.commit({"processes/ECB_FX.yaml": ECB}, "Begin")
        stage.apply()
        time = stage.workshop.git("log", "-1", "--date=format-local:%Y-%m-%dT%H:%M:%S.000Z", "--format=%cd")
        expected: dict[str, Any] = {"_id": "ECB_FX", "_type": "VarProcess"} | EXPECTED
        expected |= {"_version": 1, "_oid": commit, "_timestamp": time, "_user": "Ada Lovelace", "_tag": []}
        expected |= {"nextRun": "2021-07-23T16:30:00.000Z"}
        assert get(stage, "ECB_FX") == expected
        listed = resources.processes(stage.index, stage.repository, [], stage.now)
        assert (listed.items, listed.total) == ([expected], 1)
        assert list(expected)[:3] == list(listed.items[0])[:3]

    def test_keys_that_the_file_leaves_out_are_not_made_up(self, stage: Any) -> None:
        stage.workshop.commit({"processes/A.yaml": "script: a.py\n"})
        stage.apply()
        assert get(stage, "A").keys() == {
            *("_id", "_type", "name", "script", "_version", "_oid", "_timestamp", "_user", "_tag"),
        }

    def test_problems_stand_beside_what_is_in_force(self, stage: Any) -> None:
        stage.workshop.commit({"processes/ECB_FX.yaml": ECB})
        problem = Problem("processes/ECB_FX.yaml", 3, 1, "/cron", "no", "hint")
        stage.apply(ECB_FX={"problems": (problem,), "valid": False})
        assert get(stage, "ECB_FX")["problems"] == [problem.to_document()]
        assert get(stage, "ECB_FX")["cron"] == "30 16 * * *"

    def test_a_process_that_was_never_valid_shows_its_problems(self, stage: Any) -> None:
        stage.workshop.commit({"processes/ECB_FX.yaml": ECB})
        problem = Problem("processes/ECB_FX.yaml", 3, 1, "/cron", "no")
        stage.apply(ECB_FX={"document": None, "version": None, "commit": None, "problems": (problem,), "valid": False})
        expected = {"_id": "ECB_FX", "_type": "VarProcess", "name": "ECB_FX", "problems": [problem.to_document()]}
        assert get(stage, "ECB_FX") == expected
        assert listed(stage, ("problems.pointer", "/cron")) == [expected]

    @pytest.mark.parametrize(
        ("more", "changes"),
        [
            ("enabled: false\n", {}),
            ("environment: test\n", {}),
            ("", {"held": "not supported yet"}),
        ],
    )
    def test_what_does_not_start_has_no_next_run(self, stage: Any, more: str, changes: dict[str, Any]) -> None:
        stage.workshop.commit({"processes/ECB_FX.yaml": ECB + more})
        stage.apply(ECB_FX=changes)
        assert "nextRun" not in get(stage, "ECB_FX")

    def test_the_zone_of_the_settings_moves_the_next_run(self, stage: Any) -> None:
        stage.workshop.commit({"processes/ECB_FX.yaml": ECB})
        stage.apply()
        stage.index.set_meta("timezone", "Europe/Berlin")
        assert get(stage, "ECB_FX")["nextRun"] == "2021-07-23T14:30:00.000Z"

    def test_names_are_listed_in_order_whatever_their_case(self, stage: Any) -> None:
        stage.workshop.commit({f"processes/{name}.yaml": "script: a.py\n" for name in ("b", "A", "C")})
        stage.apply()
        assert [one["_id"] for one in listed(stage)] == ["A", "b", "C"]
        with pytest.raises(NotFoundError, match=r"did you mean A\?"):
            get(stage, "a")


class TestReferences:
    @pytest.fixture
    def commits(self, stage: Any) -> list[str]:
        """A process of three versions; the second moved the file, the third commit changed something else."""
        made = [
            stage.workshop.commit({"processes/ECB_FX.yaml": ECB}, "One"),
            stage.workshop.commit(
                {"processes/ECB_FX.yaml": None, "processes/etl/ECB_FX.yaml": ECB.replace("30", "31")}, "Two"
            ),
            stage.workshop.commit({"README": "x"}, "Elsewhere"),
            stage.workshop.commit({"processes/etl/ECB_FX.yaml": ECB.replace("30", "32")}, "Three"),
        ]
        stage.apply()
        return made

    def test_versions_newest_first(self, stage: Any, commits: list[str]) -> None:
        listed = resources.history(stage.index, stage.repository, "ECB_FX")
        assert listed.total == 3
        assert [one["_id"] for one in listed.items] == ["ECB_FX", commits[1], commits[0]]
        assert [one["_version"] for one in listed.items] == [3, 2, 1]
        assert [one["subject"] for one in listed.items] == ["Three", "Two", "One"]
        assert [one["path"] for one in listed.items][1:] == ["processes/etl/ECB_FX.yaml", "processes/ECB_FX.yaml"]

    def test_a_number_gives_what_the_file_said(self, stage: Any, commits: list[str]) -> None:
        assert get(stage, "ECB_FX@1")["cron"] == "30 16 * * *"
        assert get(stage, "ECB_FX@1")["_id"] == commits[0]
        assert "nextRun" not in get(stage, "ECB_FX@1")
        assert get(stage, "ECB_FX@3") == get(stage, "ECB_FX")

    def test_a_commit_gives_the_version_at_it(self, stage: Any, commits: list[str]) -> None:
        assert get(stage, f"ECB_FX@{commits[2][:12]}") == get(stage, "ECB_FX@2")
        assert get(stage, f"ECB_FX@{commits[3][:9]}") == get(stage, "ECB_FX")

    def test_what_a_full_commit_id_gives_never_changes(self, stage: Any, commits: list[str]) -> None:
        names = {
            "_id",
            "_type",
            "name",
            "service",
            "script",
            "cron",
            "input",
            "_version",
            "_oid",
            "_timestamp",
            "_user",
        }
        for commit, version in zip(commits, (1, 2, 2, 3), strict=True):
            found = get(stage, f"ECB_FX@{commit}")
            assert found.keys() == names
            assert (found["_version"], found["_id"]) == (version, found["_oid"])
        before = [get(stage, f"ECB_FX@{commit}") for commit in commits]
        stage.workshop.git("tag", "V1", commits[0])
        stage.workshop.commit({"processes/etl/ECB_FX.yaml": ECB.replace("30", "33")})
        stage.apply()
        assert [get(stage, f"ECB_FX@{commit}") for commit in commits] == before
        stage.workshop.commit({"processes/etl/ECB_FX.yaml": None})
        stage.apply()
        assert [get(stage, f"ECB_FX@{commit}") for commit in commits] == before

    def test_a_commit_off_the_history_works_without_a_version(self, stage: Any, commits: list[str]) -> None:
        stage.workshop.git("checkout", "-q", "-b", "side", commits[0])
        side = stage.workshop.commit({"processes/ECB_FX.yaml": ECB.replace("30", "59")})
        found = get(stage, f"ECB_FX@{side}")
        assert (found["_id"], found["_oid"], found["cron"]) == (side, side, "59 16 * * *")
        assert "_version" not in found

    def test_a_version_that_is_not_valid_is_shown_with_its_problems(self, stage: Any) -> None:
        stage.workshop.commit({"processes/ECB_FX.yaml": "_id: [evil]\nscript: a.py\ncorn: 30 16 * * *\n"})
        stage.workshop.commit({"processes/ECB_FX.yaml": "script: [\n"})
        commit = stage.workshop.git("rev-parse", "HEAD")
        stage.workshop.commit({"processes/ECB_FX.yaml": ECB})
        first, head = stage.workshop.git("rev-parse", "HEAD~2"), stage.workshop.git("rev-parse", "HEAD")
        stage.apply()
        shown = get(stage, "ECB_FX@1")
        assert (shown["_id"], shown["name"], shown["corn"]) == (first, "ECB_FX", "30 16 * * *")
        assert {problem["severity"] for problem in shown["problems"]} >= {"error"}
        broken = get(stage, "ECB_FX@2")
        assert (broken["_id"], broken["_version"]) == (commit, 2)
        assert broken["problems"]
        assert get(stage, f"ECB_FX@{head[:20]}")["_id"] == "ECB_FX"
        assert get(stage, f"ECB_FX@{head}")["_id"] == head
        assert "problems" not in get(stage, f"ECB_FX@{first}")

    def test_a_process_that_is_gone_is_found_by_a_commit_alone(self, stage: Any, commits: list[str]) -> None:
        gone = stage.workshop.commit({"processes/etl/ECB_FX.yaml": None})
        stage.apply()
        for text in ("ECB_FX", "ECB_FX@1"):
            with pytest.raises(GoneError, match=f"was removed with its file by {gone[:12]}"):
                get(stage, text)
        assert get(stage, f"ECB_FX@{commits[0]}")["cron"] == "30 16 * * *"
        with pytest.raises(NotFoundError, match="has no process ECB_FX"):
            get(stage, f"ECB_FX@{gone}")


class TestExecutions:
    def test_records_come_as_they_are_newest_first(
        self, stage: Any, finished: Any, execution_schema: Draft202012Validator
    ) -> None:
        paths = [stage.record(finished(day)) for day in (2, 1, 3)]
        listed = resources.executions(stage.index, [])
        assert listed.items == [records.load(paths[place].read_bytes(), "") for place in (2, 0, 1)]
        for document in listed.items:
            execution_schema.validate(document)
        one = listed.items[0]
        assert resources.execution(stage.index, stage.layout, one["_id"]) == one

    def test_a_record_that_has_not_ended_is_read_from_its_file(self, stage: Any, triggered: Any) -> None:
        begun = running(triggered(1), triggered(1).trigger_time, host="h", run_as="u")
        stage.record(begun)
        assert resources.execution(stage.index, stage.layout, begun.id)["status"] == "running"
        ended = finish(begun, Outcome.FAILED, begun.trigger_time, "it broke")
        records.write(stage.layout, ended, durable=False)
        assert resources.execution(stage.index, stage.layout, begun.id)["message"] == "it broke"
        assert resources.executions(stage.index, []).items[0]["status"] == "running"

    def test_a_file_that_is_gone_or_broken_leaves_what_the_index_has(self, stage: Any, triggered: Any) -> None:
        path = stage.record(triggered(1))
        path.unlink()
        assert resources.execution(stage.index, stage.layout, triggered(1).id)["status"] == "triggered"
        path.with_name("foreign.tmp").write_text("{")
        path.with_name("foreign.tmp").rename(path)
        assert resources.execution(stage.index, stage.layout, triggered(1).id)["status"] == "triggered"
        path.unlink()

    def test_gaps_are_records_too(self, stage: Any, triggered: Any) -> None:
        at = triggered(1).trigger_time
        missed = finish(triggered(1, gap=Gap(at, at, 1, (at,))), Outcome.MISSED, at, "nothing was reconciling")
        stage.record(missed)
        assert resources.executions(stage.index, [("outcome", "missed")]).total == 1
        assert resources.executions(stage.index, [("gap.count", "1")]).total == 1

    @pytest.mark.parametrize("text", ["", "x", "../../etc/passwd", "0" * 36, "00000001-0000-5000-8000-00000000000G"])
    def test_what_is_no_id_never_reaches_index_or_disk(self, stage: Any, text: str) -> None:
        with pytest.raises(UsageError, match="is no execution id"):
            resources.execution(stage.index, stage.layout, text)

    def test_an_unknown_id_is_not_found(self, stage: Any) -> None:
        with pytest.raises(NotFoundError, match="procctl executions"):
            resources.execution(stage.index, stage.layout, "00000001-0000-5000-8000-000000000000")


def test_a_warning_is_shown_as_one(stage: Any) -> None:
    stage.workshop.commit({"processes/ECB_FX.yaml": ECB})
    warning = Problem("processes/ECB_FX.yaml", 1, 1, "/queue", "not yet", severity=Severity.WARNING, holds=True)
    stage.apply(ECB_FX={"problems": (warning,), "held": "not yet"})
    assert get(stage, "ECB_FX")["problems"][0]["severity"] == "warning"
