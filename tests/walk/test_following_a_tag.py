"""Two reconcilers on one repository: one takes every commit, the other what a tag promotes (SPEC 9)."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(120)

TICK = "every: 1s\nscript: say.sh\ninput:\n  text: {}\n"
SAY = '#!/bin/sh\necho "this is $(basename "$0")"\n'


class Two:
    """A site with two daemons: ``test`` on the branch, ``production`` at the tags PROD."""

    def __init__(self, site: Any) -> None:
        self.site = site
        self.workshop = site.workshop
        self.root = site.root

    def start(self) -> None:
        self.site.start("--environment", "test")
        self.site.start("--environment", "production", "--follow", "PROD")

    def commit(self, name: str, text: str | None) -> str:
        content = None if text is None else TICK.format(text)
        return str(self.workshop.commit({f"processes/{name}.yaml": content}, f"{name} {text}"))

    def newest(self, environment: str, name: str = "TICK") -> dict[str, Any]:
        """The newest execution of a process that began in an environment."""
        found = [one for one in self.site.records(name) if one["environment"] == environment and "version" in one]
        return found[-1] if found else {}

    def wait_for(self, environment: str, version: int, name: str = "TICK") -> dict[str, Any]:
        """Wait until an environment runs a version; give the record."""
        self.site.wait_for(lambda: self.newest(environment, name).get("version") == version)
        return self.newest(environment, name)

    def status(self, environment: str = "production") -> dict[str, Any]:
        done = self.site.procctl("status", "--environment", environment, "-o", "json", check=False)
        return dict(json.loads(done.stdout))

    def standing(self, name: str) -> dict[str, Any]:
        """What ``procctl status`` says of one process in production."""
        return next((one for one in self.status()["processes"] if one["name"] == name), {})


@pytest.fixture
def two(site: Any) -> Two:
    site.workshop.commit({"processes/scripts/say.sh": SAY})
    return Two(site)


def test_promotion_is_moving_a_tag(two: Two) -> None:
    first = two.commit("TICK", "one")
    two.workshop.git("tag", "TICK/PROD")
    two.start()
    two.wait_for("test", 1)
    assert two.wait_for("production", 1)["tag"] == "PROD"

    second = two.commit("TICK", "two")
    record = two.wait_for("test", 2)
    assert (record["commit"], record.get("tag")) == (second, None)
    # what test began since, production has had the time to begin too
    mine = two.newest("production")
    two.site.wait_for(lambda: two.newest("production")["triggerTime"] > mine["triggerTime"])
    assert two.newest("production")["version"] == 1

    two.workshop.git("tag", "-f", "TICK/PROD")
    record = two.wait_for("production", 2)
    assert (record["commit"], record["tag"]) == (second, "PROD")

    two.workshop.git("tag", "-f", "TICK/PROD", first)
    record = two.wait_for("production", 1)
    assert (record["commit"], record["tag"]) == (first, "PROD")
    assert two.standing("TICK")["version"] == 1
    assert two.status("test")["follow"] is None

    two.workshop.git("tag", "-d", "TICK/PROD")
    two.site.wait_for(lambda: two.standing("TICK")["state"] == "untagged")
    assert two.standing("TICK")["why"] == "no tag PROD, so it is not scheduled"
    assert two.standing("TICK")["nextRun"] is None
    assert "no tag PROD" in two.site.procctl("status", "--environment", "production", check=False).stdout
    refused = two.site.procctl("run", "TICK", "--environment", "production", check=False)
    assert refused.returncode == 1
    assert "TICK has no tag PROD" in refused.stderr
    two.site.procctl("run", "TICK@2", "--environment", "production")
    manual = [one for one in two.site.records("TICK") if one["trigger"] == "manual"]
    assert [(one["version"], one.get("tag")) for one in manual] == [(2, None)]


def test_what_is_deleted_runs_on_at_its_tag(two: Two) -> None:
    two.commit("TICK", "one")
    two.workshop.git("tag", "TICK/PROD")
    two.start()
    two.wait_for("production", 1)
    two.commit("TICK", None)
    two.site.wait_for(lambda: two.status()["state"] == "OutOfSync")
    status = two.status()
    assert "deleted on the branch, and in force at a tag: TICK" in status["reasons"]
    mine = two.newest("production")
    two.site.wait_for(lambda: two.newest("production")["triggerTime"] > mine["triggerTime"])
    assert two.newest("production")["version"] == 1
    listed = json.loads(two.site.procctl("list", "--environment", "production", "-o", "json").stdout)
    assert [one["name"] for one in listed] == ["TICK"]
    assert json.loads(two.site.procctl("list", "--environment", "test", "-o", "json").stdout) == []
    two.workshop.git("tag", "-d", "TICK/PROD")
    two.site.wait_for(lambda: two.status()["processes"] == [])
    assert two.status()["state"] == "Synced"


def test_a_renamed_process_keeps_its_tag(two: Two) -> None:
    two.commit("OLD", "one")
    two.workshop.git("tag", "OLD/PROD")
    two.start()
    two.wait_for("production", 1, "OLD")
    text = (two.root / "processes/OLD.yaml").read_text()
    two.workshop.commit({"processes/OLD.yaml": None, "processes/NEW.yaml": text}, "Rename")
    record = two.wait_for("production", 1, "NEW")
    assert record["outcome" if "outcome" in record else "tag"] in {"success", "PROD"}
    assert two.standing("NEW")["tag"] == "OLD/PROD"
    assert two.standing("OLD") == {}


def test_another_tag_at_the_next_start_is_no_rewind(two: Two) -> None:
    first = two.commit("TICK", "one")
    two.workshop.git("tag", "TICK/PROD")
    two.commit("TICK", "two")
    two.workshop.git("tag", "v1", first)
    daemon = two.site.start("--follow", "PROD")
    two.wait_for("production", 1)
    two.site.stop(daemon)
    state = json.loads((two.root / ".git/procctl/state/production/schedules.json").read_text())
    assert state["follow"] == "PROD"
    assert two.standing("TICK")["version"] == 1, "without a reconciler it is as it will be"
    daemon = two.site.start()
    two.wait_for("production", 2)
    two.site.stop(daemon)
    daemon = two.site.start("--follow", "v1")
    assert two.wait_for("production", 1)["tag"] == "v1"
    two.site.stop(daemon)


def test_a_tag_that_is_none_is_refused(two: Two) -> None:
    for wrong in ("1", "a b", "--x", "all", "A/PROD"):
        done = two.site.procctl("daemon", f"--follow={wrong}", check=False)
        assert (done.returncode, "cannot be the name of a tag" in done.stderr) == (2, True)
