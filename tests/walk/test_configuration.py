"""What a commit does to a running reconciler: broken files, edits, removals, rewinds (SPEC 3, 4, 9)."""

import json
from typing import Any

HELLO = {
    "processes/scripts/hello.sh": "#!/bin/sh\necho hello\n",
    "processes/scripts/other.sh": "#!/bin/sh\necho other\n",
}
GOOD = "script: hello.sh\nevery: 1s\n"


def last(site: Any, name: str) -> dict[str, Any]:
    record: dict[str, Any] = site.ended(name)[-1]
    return record


def test_a_broken_file_leaves_its_last_valid_version_in_force_and_its_neighbours_alone(site: Any) -> None:
    good = site.workshop.commit({"processes/A.yaml": GOOD, "processes/B.yaml": GOOD, **HELLO})
    daemon = site.start()
    site.wait_for(lambda: site.ended("A") and site.ended("B"))
    broken = site.workshop.commit({"processes/A.yaml": "script: hello.sh\nevery: nonsense\n"})
    site.wait_for(lambda: f"applied {broken[:12]}" in site.said())
    site.wait_for(lambda: last(site, "B")["commit"] == broken)
    seen = len(site.ended("A"))
    site.wait_for(lambda: len(site.ended("A")) > seen + 1)
    assert (last(site, "A")["commit"], last(site, "A")["version"]) == (good, 1)
    status = site.procctl("status", check=False)
    assert status.returncode == 1
    assert "Degraded" in status.stdout

    site.stop(daemon)
    daemon = site.start()
    seen = len(site.ended("A"))
    site.wait_for(lambda: len(site.ended("A")) > seen)
    assert (last(site, "A")["commit"], last(site, "A")["version"]) == (good, 1), "a restart changes nothing"

    site.workshop.commit({"processes/A.yaml": GOOD + "description: mended\n"})
    site.wait_for(lambda: last(site, "A")["version"] == 3)
    site.stop(daemon)


def test_a_script_takes_effect_without_a_new_version(site: Any) -> None:
    site.workshop.commit({"processes/A.yaml": GOOD, **HELLO})
    site.start()
    site.wait_for(lambda: site.ended("A"))
    commit = site.workshop.commit({"processes/scripts/hello.sh": "#!/bin/sh\necho changed\n"})
    site.wait_for(lambda: last(site, "A")["commit"] == commit)
    assert last(site, "A")["version"] == 1
    assert last(site, "A")["phases"][0]["log"][0].endswith(" info changed")


def test_removal_and_disabling_take_effect_though_the_rest_of_the_set_is_broken(site: Any) -> None:
    site.workshop.commit({"processes/A.yaml": GOOD, "processes/B.yaml": GOOD, **HELLO})
    daemon = site.start()
    site.wait_for(lambda: site.ended("A") and site.ended("B"))
    commit = site.workshop.commit(
        {
            "processes/A.yaml": "script: missing.sh\nevery: 1s\nenabled: false\n",
            "processes/B.yaml": None,
        }
    )
    site.wait_for(lambda: f"applied {commit[:12]}" in site.said())
    site.wait_for(lambda: len(site.records()) == len(site.ended()))
    before = len(site.records())
    witness = site.workshop.commit({"processes/C.yaml": GOOD})
    site.wait_for(lambda: len(site.ended("C")) > 2)
    assert witness
    assert len(site.records("A")) + len(site.records("B")) == before
    refused = site.procctl("run", "A", check=False)
    assert refused.returncode == 1
    assert "missing.sh" in refused.stderr
    site.stop(daemon)


def test_a_held_process_runs_nothing_and_its_slots_are_told(site: Any) -> None:
    site.workshop.commit({"processes/A.yaml": GOOD + "runAs: somebody\n", **HELLO})
    site.start()
    status = site.wait_for(lambda: site.procctl("status", check=False).stdout)
    assert "runAs" in status
    refused = site.procctl("run", "A", "--force", check=False)
    assert refused.returncode == 1
    assert "runAs" in refused.stderr
    commit = site.workshop.commit({"processes/A.yaml": GOOD})
    site.wait_for(lambda: [one for one in site.ended("A") if one["outcome"] == "success"])
    gaps = [record for record in site.records("A") if "gap" in record]
    assert [record["outcome"] for record in gaps] == ["skipped"] * len(gaps)
    assert all("runAs" in record["message"] for record in gaps)
    assert last(site, "A")["commit"] == commit


def test_a_rewound_branch_is_refused_and_the_old_state_stays_in_force(site: Any) -> None:
    first = site.workshop.commit({"processes/A.yaml": GOOD, **HELLO})
    second = site.workshop.commit({"processes/A.yaml": "script: other.sh\nevery: 1s\n"})
    daemon = site.start()
    site.wait_for(lambda: site.ended("A"))
    site.workshop.git("reset", "-q", "--hard", first)
    site.wait_for(lambda: "--allow-rewind" in site.said())
    told = "the newest commit is refused: the applied one is not in its history"
    site.wait_for(lambda: told in site.procctl("status", check=False).stdout)
    seen = len(site.ended("A"))
    site.wait_for(lambda: len(site.ended("A")) > seen)
    assert last(site, "A")["commit"] == second
    site.stop(daemon)
    refused = site.procctl("daemon", check=False)
    assert refused.returncode == 1
    assert "--allow-rewind" in refused.stderr
    daemon = site.start("--allow-rewind")
    site.wait_for(lambda: last(site, "A")["commit"] == first)
    site.stop(daemon)


def test_an_execution_that_runs_while_its_process_changes_finishes_as_it_began(site: Any) -> None:
    slow = '#!/bin/sh\necho begun\nwhile [ ! -e "$PROCCTL_DATA/go" ]; do sleep 0.05; done\ncat "$PROCCTL_TREE/word"\n'
    first = site.workshop.commit(
        {"processes/A.yaml": "script: slow.sh\n", "processes/scripts/slow.sh": slow, "processes/scripts/word": "old\n"}
    )
    site.start()
    site.procctl("run", "A", "--detach")
    site.wait_for(lambda: [one for one in site.records("A") if one["status"] == "running"])
    second = site.workshop.commit({"processes/scripts/word": "new\n"})
    site.wait_for(lambda: f"applied {second[:12]}" in site.said())
    (site.root / ".git/procctl/state/production/data/A/go").touch()
    (record,) = site.wait_for(lambda: site.ended("A"))
    assert record["commit"] == first
    assert record["phases"][0]["log"][1].endswith(" info old")


def test_a_manual_run_is_recorded_published_and_not_repeated_without_a_daemon(site: Any) -> None:
    commit = site.workshop.commit({"processes/A.yaml": "script: hello.sh\n", **HELLO})
    done = site.procctl("run", "A", "--reason", "to see")
    assert "Completed Successfully" in done.stdout
    (record,) = site.records("A")
    assert (record["trigger"], record["reason"], record["commit"], record["outcome"]) == (
        "manual",
        "to see",
        commit,
        "success",
    )
    assert list(site.published().values()) == [record]
    assert site.workshop.git("status", "--porcelain") == ""
    failed = site.procctl("run", "NOBODY", check=False)
    assert failed.returncode == 1
    assert "NOBODY" in failed.stderr
    assert len(site.records()) == 1


def test_readers_see_what_became_wrong_and_what_is_new(site: Any) -> None:
    site.workshop.commit({"processes/A.yaml": GOOD, **HELLO})
    site.start()
    commit = site.workshop.commit(
        {"processes/A.yaml": "script: hello.sh\nevery: never\n", "processes/BAD.yaml": "cron: 1\n"}
    )
    site.wait_for(lambda: f"applied {commit[:12]}" in site.said())
    listed = {one["name"]: one for one in json.loads(site.procctl("list", "-o", "json").stdout)}
    assert set(listed) == {"A", "BAD"}
    assert all(one["problems"] for one in listed.values())
    site.workshop.commit({"processes/A.yaml": GOOD, "processes/BAD.yaml": None})
    site.wait_for(lambda: len(json.loads(site.procctl("list", "-o", "json").stdout)) == 1)
    assert "problems" not in json.loads(site.procctl("list", "-o", "json").stdout)[0]
