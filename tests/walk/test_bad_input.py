"""What people get wrong with versions, names, marks and clones: it is refused or ignored, and said what to do."""

import json
import subprocess
from pathlib import Path
from typing import Any

A, B = "processes/A.yaml", "processes/B.yaml"
SCRIPT = {"processes/scripts/a.sh": "#!/bin/sh\n"}


def text(number: int) -> str:
    return f"script: a.sh\ndescription: state {number}\n"


def three(site: Any) -> None:
    """A process A with three versions, after a commit without it."""
    site.workshop.commit(SCRIPT, "Begin")
    for number in (1, 2, 3):
        site.workshop.commit({A: text(number)}, f"State {number}")


def refused(site: Any, *arguments: str) -> str:
    """Run a command that fails; gives the error, which says what to do next."""
    done = site.procctl(*arguments, check=False)
    assert done.returncode in (1, 2), done.stdout + done.stderr
    assert "\n  next: " in done.stderr
    return str(done.stderr)


def live(site: Any, name: str = "A", *options: str) -> list[int]:
    found = json.loads(site.procctl("versions", name, "-o", "json", *options).stdout)
    return [one["_version"] for one in found]


def test_names_that_are_taken_or_differ_only_in_case(site: Any) -> None:
    three(site)
    site.workshop.commit({B: text(9)})
    tip = site.workshop.git("rev-parse", "HEAD")
    for new in ("B", "b"):
        assert "there is a process B already" in refused(site, "rename", "A", new)
    file = site.root.parent / "a.yaml"
    file.write_text("name: a\nscript: a.sh\n")
    assert "processes/A.yaml has it too" in refused(site, "apply", "-f", str(file))
    assert site.workshop.git("rev-parse", "HEAD") == tip
    # by hand: both are named, and the last valid version of the one that was there stays in force
    site.workshop.commit({"processes/sub/a.yaml": text(4)}, "In another case")
    said = site.procctl("validate", check=False)
    assert (said.returncode, said.stdout.count("is used twice")) == (1, 2)
    assert json.loads(site.procctl("get", "A", "-o", "json").stdout)["description"] == "state 3"
    assert live(site) == [3, 2, 1]
    for command in ("get", "versions"):
        other = site.procctl(command, "a", check=False)
        assert (other.returncode, "did you mean A?" in other.stderr) == (1, True)
    shown = json.loads(site.procctl("list", "-o", "json").stdout)
    assert "A" in {one["name"] for one in shown}
    site.workshop.commit({"processes/sub/a.yaml": None, A: text(5)}, "Mended")
    assert live(site) == [4, 3, 2, 1]


def test_tags_in_the_wrong_place(site: Any) -> None:
    three(site)
    site.workshop.git("tag", "OLD", "HEAD~3")
    site.workshop.git("tag", "-m", "x", "A/OLDER", "HEAD~3")
    for tag, full in (("OLD", "OLD"), ("OLDER", "A/OLDER")):
        for command in (["get", f"A@{tag}"], ["run", f"A@{tag}"], ["diff", "A", tag], ["tag", "A", tag, "NEW"]):
            said = refused(site, *command)
            assert f"the tag {full} names commit" in said
            assert "where there is no process A" in said
    listed = json.loads(site.procctl("tags", "A", "-o", "json").stdout)
    assert [(one["tag"], one["version"]) for one in listed] == [("OLD", None), ("OLDER", None)]
    site.procctl("untag", "A", "OLDER")
    site.workshop.git("tag", "A")
    assert "the repository's tag A does not count, as A is a process" in refused(site, "get", "A@A")
    assert "cannot be made beside the tag A" in refused(site, "tag", "A", "3", "PROD")


def test_the_first_version_rolled_back_and_what_is_deleted(site: Any) -> None:
    three(site)
    site.procctl("tag", "A", "2", "PROD")
    site.workshop.git("tag", "ALL", "HEAD~1")
    assert "tag A/PROD removed" in site.procctl("delete", "A", "--version", "2").stdout
    assert "A@2 was deleted by" in refused(site, "get", "A@2")
    assert "A@2 was deleted by" in refused(site, "tag", "A", "2", "PROD")
    assert site.workshop.git("tag") == "ALL", "a tag of the whole repository names versions of others too"
    assert "A@1 is the current version" in site.procctl("rollback", "A").stdout
    assert "A is removed" in site.procctl("rollback", "A").stdout
    assert not (site.root / A).exists()
    for command in (["rollback", "A"], ["get", "A"], ["delete", "A", "--all"], ["get", "A@3"]):
        assert " was rolled back by " in refused(site, *command)
    site.workshop.commit({A: text(1)}, "Again")
    assert live(site) == [4]


def test_marks_that_do_not_hold_change_nothing_and_are_told(site: Any) -> None:
    three(site)
    git = site.workshop.git
    third, second = git("rev-parse", f"HEAD:{A}")[:12], git("rev-parse", f"HEAD~:{A}")[:12]
    nothing = ["Delete: A@9 " + third, "Delete: A@2 " + third, "Rollback: A@2 " + second, "Rename: A B", "Delete: A@1"]
    marks = [f"Procctl-{one}" for one in nothing]
    site.workshop.commit({}, "\n".join(["By hand", "", *marks]))
    assert live(site) == [3, 2, 1]
    told = json.loads(site.procctl("status", "-o", "json").stdout)["ignoredMarks"]
    assert {one["mark"] for one in told} == set(marks)
    assert all(one["why"] for one in told)
    # a rollback that holds, in the middle of the message of a squash
    message = f"Squashed (#7)\n\n* Not so\n\n  Procctl-Rollback: A@3 {third}\n\n* Another thing\n\nCo-authored-by: Ada"
    back = site.workshop.commit({A: text(2)}, message)
    assert live(site) == [2, 1]
    # picked to another branch, where the third version is another file, it is an ordinary change
    git("checkout", "-q", "-b", "other", "HEAD~2~")
    site.workshop.commit({A: text(7)}, "Another third")
    git("cherry-pick", "-X", "theirs", back)
    assert live(site, "A", "--ref", "other") == [4, 3, 2, 1]
    assert "does not hold" in site.procctl("versions", "A", "--ref", "other").stderr


def test_clones_that_lack_something_say_what_and_how_to_get_it(site: Any, origin: str, tmp_path: Path) -> None:
    three(site)
    site.workshop.git("branch", "-m", "main", "trunk")  # what clones name their branch after
    bare = tmp_path / "served" / "origin.git"
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        subprocess.run(["git", "config", key, "true"], cwd=bare, check=True)
    subprocess.run(["git", "symbolic-ref", "HEAD", "refs/heads/trunk"], cwd=bare, check=True)
    site.workshop.git("push", "-q", origin, "trunk")

    def clone(name: str, *options: str) -> Any:
        made = type(site)(type(site.workshop)(tmp_path / name))
        subprocess.run(["git", "clone", "-q", *options, origin, str(made.root)], check=True)
        return made

    shallow = clone("shallow", "--depth=1")
    for command in (["versions", "A"], ["get", "A@1"], ["rollback", "A"], ["tag", "A", "1", "X"], ["status"]):
        assert "this clone is shallow" in refused(shallow, *command)
    assert "git fetch --unshallow" in refused(shallow, "list")
    assert "fetch-depth: 0" in shallow.procctl("plan", "HEAD..HEAD").stdout
    shallow.workshop.git("fetch", "-q", "--unshallow")
    assert live(shallow) == [3, 2, 1]
    assert " on trunk" in shallow.procctl("disable", "A").stdout

    partial = clone("partial", "--filter=blob:none")
    partial.workshop.git("remote", "set-url", "origin", origin.replace("origin.git", "moved.git"))
    said = refused(partial, "versions", "A")
    assert "this clone is partial" in said
    assert "git fetch --refetch --no-filter" in said
    partial.workshop.git("remote", "set-url", "origin", origin)
    partial.workshop.git("fetch", "-q", "--refetch", "--no-filter")
    assert live(partial) == [3, 2, 1]
