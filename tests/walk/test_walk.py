"""The walk of one item: a commit goes in; a record comes out on disk, on the branch ``executions``, and over HTTP."""

from typing import Any


def test_a_committed_process_runs_on_schedule_and_is_recorded_three_times_over(site: Any) -> None:
    site.workshop.commit(
        {
            "processes/TEST.yaml": "script: hello.sh\nevery: 1s\n",
            "processes/scripts/hello.sh": "#!/bin/sh\necho hello\n",
        }
    )
    commit = site.workshop.git("rev-parse", "HEAD")
    daemon = site.start("--http", "127.0.0.1:0")
    record = site.wait_for(lambda: site.ended("TEST"))[0]
    assert (record["status"], record["outcome"], record["message"]) == ("success", "success", "Completed Successfully")
    assert (record["trigger"], record["commit"], record["version"]) == ("scheduled", commit, 1)
    assert record["reason"] == f"every(TEST,1s,{record['triggerTime']})"
    assert [phase["name"] for phase in record["phases"]] == ["MAIN"]
    assert record["phases"][0]["log"][0].endswith(" info hello")
    path = site.wait_for(lambda: next((path for path, one in site.published().items() if one == record), ""))
    assert path == f"{record['triggerTime'][:10].replace('-', '/')}/TEST/{path.rpartition('/')[2]}"
    assert site.get(f"/api/process-exec/v1/{record['_id']}") == record
    assert record in site.get("/service/process-exec/v1?name=TEST&_limit=-1")
    assert site.get("/api/process/v1/TEST")["_version"] == 1
    assert site.workshop.git("status", "--porcelain") == "", "the worktree and the index stay untouched"
    site.stop(daemon)
