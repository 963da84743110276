"""Writes beside daemons, and over a remote: what one says is what the others see."""

import json
import subprocess
from pathlib import Path
from typing import Any

A = "processes/A.yaml"
FILES = {A: "script: a.sh\nevery: 1h\n", "processes/scripts/a.sh": "#!/bin/sh\n", "procctl.yaml": "environment: test\n"}


def test_a_write_takes_effect_at_once_in_a_running_daemon(site: Any) -> None:
    site.workshop.commit(FILES)
    site.start("--environment", "test")
    assert site.procctl("disable", "A").stdout.startswith("A@2 committed as")
    assert json.loads(site.procctl("get", "A", "-o", "json").stdout)["enabled"] is False
    assert site.procctl("rename", "A", "B").stdout.startswith("A renamed to B@2")
    assert "B@1 is the current version" in site.procctl("rollback", "B").stdout
    assert json.loads(site.procctl("get", "B", "-o", "json").stdout).get("enabled", True) is True
    assert site.workshop.git("status", "--porcelain") == ""


def test_what_a_reconciler_runs_at_a_tag_is_not_deleted(site: Any) -> None:
    site.workshop.commit(FILES)
    site.procctl("disable", "A")
    site.procctl("enable", "A")
    for version, tag in (("2", "PROD"), ("2", "OTHER"), ("3", "PROD")):
        site.procctl("tag", "A", version, tag)
    daemon = site.start("--environment", "production", "--follow", "PROD")
    tip = site.workshop.git("rev-parse", "HEAD")
    for arguments in (["rollback", "A"], ["delete", "A", "--version", "3"], ["delete", "A", "--all"]):
        said = site.procctl(*arguments, check=False)
        assert said.returncode == 1
        assert "the reconciler of production runs A@3, which the tag PROD names" in said.stderr
    assert site.workshop.git("rev-parse", "HEAD") == tip
    assert "tag A/OTHER removed" in site.procctl("delete", "A", "--version", "2").stdout
    site.stop(daemon)
    assert "tag A/PROD removed" in site.procctl("rollback", "A").stdout


def test_a_push_carries_the_branch_and_its_tags(site: Any, origin: str, tmp_path: Path) -> None:
    def there() -> dict[str, str]:
        out = subprocess.check_output(["git", "ls-remote", "--refs", origin], text=True)
        return {line.split()[1]: line.split()[0] for line in out.splitlines()}

    def local(*names: str) -> dict[str, str]:
        return {name: site.workshop.git("rev-parse", name) for name in names}

    main, prod = "refs/heads/main", "refs/tags/A/PROD"
    site.workshop.commit(FILES)
    site.workshop.git("remote", "add", "origin", origin)
    site.workshop.git("tag", "local")
    assert "pushed to origin" in site.procctl("disable", "A", "--push").stdout
    assert there() == local(main)
    assert "pushed to origin" in site.procctl("tag", "A", "1", "PROD", "--push").stdout
    site.procctl("tag", "A", "2", "PROD", "--push")
    site.procctl("tag", "A", "2", "MINE")
    assert there() == local(main, prod)
    said = site.procctl("rollback", "A", "--push", "-o", "json")
    assert json.loads(said.stdout)["pushed"] == "origin"
    assert there() == local(main)
    site.procctl("set", "A", "every=2h", "--branch", "pr", "--push")
    assert there() == local(main, "refs/heads/pr")
    # another clone comes first
    other = type(site.workshop)(tmp_path / "other")
    subprocess.run(["git", "clone", "-q", origin, str(other.root)], check=True)
    other.commit({"theirs": "1"})
    other.git("push", "-q", "origin", "main")
    theirs = there()
    done = site.procctl("set", "A", "every=3h", "--push", check=False)
    assert done.returncode == 3
    assert "committed as" in done.stdout
    assert "somebody else was first" in done.stderr
    assert "it is done here all the same" in done.stderr
    assert there() == theirs
    site.workshop.git("pull", "-q", "--no-rebase", "origin", "main")
    assert "pushed to origin" in site.procctl("set", "A", "every=4h", "--push").stdout
    assert there()[main] == site.workshop.git("rev-parse", "HEAD")
    # a tag that somebody else moved
    site.procctl("tag", "A", "1", "PROD", "--push")
    other.git("fetch", "-q", "--tags")
    other.git("tag", "-f", "-m", "moved", "A/PROD", "origin/main")
    other.git("push", "-q", "-f", "origin", prod)
    moved = there()
    done = site.procctl("tag", "A", "~LATEST", "PROD", "--push", check=False)
    assert done.returncode == 3
    assert "not there as this clone knows it" in done.stderr
    assert there() == moved


def test_a_push_to_a_path_is_refused_before_git_does_anything_there(site: Any, tmp_path: Path) -> None:
    site.workshop.commit(FILES)
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "bare")], check=True)
    site.workshop.git("remote", "add", "origin", str(tmp_path / "bare"))
    done = site.procctl("disable", "A", "--push", check=False)
    assert done.returncode == 1
    assert "committed as" in done.stdout
    assert "path on this machine" in done.stderr
    done = site.procctl("enable", "A", "--push", "--remote", "none", check=False)
    assert "there is no remote 'none'" in done.stderr


def test_many_tags_on_one_version_and_names_in_the_way(site: Any) -> None:
    site.workshop.commit(FILES)
    site.procctl("disable", "A")
    for number in range(100):
        site.workshop.git("tag", "-m", "x", f"A/T{number}", "HEAD~1")
    site.workshop.git("update-index", "--refresh")
    said = site.procctl("delete", "A", "--version", "1", "-o", "json")
    assert len(json.loads(said.stdout)["tags"]) == 100
    assert site.workshop.git("tag") == ""
    site.workshop.git("tag", "A")
    done = site.procctl("tag", "A", "2", "PROD", check=False)
    assert done.returncode == 1
    assert "cannot be made beside the tag A" in done.stderr


def test_a_partial_clone_is_written_to(site: Any, origin: str, tmp_path: Path) -> None:
    bare = tmp_path / "served" / "origin.git"
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        subprocess.run(["git", "config", key, "true"], cwd=bare, check=True)
    site.workshop.commit(FILES)
    site.workshop.commit({A: "script: a.sh\nevery: 2h\n"})
    site.workshop.git("push", "-q", origin, "main")
    clone = type(site.workshop)(tmp_path / "partial")
    subprocess.run(["git", "clone", "-q", "--filter=blob:none", origin, str(clone.root)], check=True)
    done = subprocess.run(["procctl", "disable", "A"], cwd=clone.root, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "committed as" in done.stdout
    assert "enabled: false" in (clone.root / A).read_text()
