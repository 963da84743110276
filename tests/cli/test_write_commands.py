"""Every write by its outside: one commit each, comments kept, nothing else touched, and said what was done."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

A = "processes/A.yaml"
TEXT = """\
# about A
name: A
script: a.sh   # the script
every: 1h
enabled: true
retries: 1
input: {limit: 5, url: 'http://x'}
"""


@pytest.fixture
def root(workshop: Any) -> Path:
    """A repository with a process ``A`` (version 1), and a script for it."""
    workshop.commit({A: TEXT, "processes/scripts/a.sh": "#!/bin/sh\n"}, "Begin")
    path: Path = workshop.root
    return path


@pytest.fixture
def write(here: Any, root: Path) -> Any:
    """Run a command in that repository; gives what it printed."""

    def call(*arguments: str | Path, code: int = 0) -> str:
        done = here(*arguments, cwd=root, code=code)
        return str(done.stdout if code == 0 else done.stderr).strip()

    return call


def versions(write: Any, name: str = "A") -> list[tuple[int, bool]]:
    listed = json.loads(write("versions", name, "--deleted", "-o", "json"))
    return [(one["_version"], "deleted" in one or "_deleted" in one) for one in listed]


def test_set_changes_a_field_and_no_other_line(workshop: Any, write: Any, root: Path) -> None:
    said = write(
        "set", "A", "every=2h", "retries=3", "input.limit=7", "input.url=8", "input.on:=[true]", "--unset", "name"
    )
    tip = workshop.git("rev-parse", "HEAD")
    assert said == f"A@2 committed as {tip[:12]} on main"
    assert (root / A).read_text() == (
        '# about A\nscript: a.sh   # the script\nevery: "2h"\nenabled: true\nretries: 3\n'
        "input: {limit: 7, url: '8', \"on\": [true]}\n"
    )
    assert workshop.git("log", "-1", "--format=%an|%s") == "Ada Lovelace|Set 5 fields and remove name of A"
    assert workshop.git("status", "--porcelain") == ""
    assert write("set", "A", "every=2h") == "A is like that already: nothing to commit"
    assert workshop.git("rev-parse", "HEAD") == tip


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["A", "evry=2h"], 1, "evry"),
        (["A", "every=never"], 1, "is no duration"),
        (["A", "script=b.sh"], 1, "b.sh"),
        (["A", "enabled=maybe"], 1, "true or false"),
        (["A", "name=B"], 1, "name"),
        (["A", "input.limit.x=1"], 1, "no mapping"),
        (["A", "--unset", "nothing"], 1, "there is no nothing"),
        (["A", "x-y:=[" + "[" * 80 + "]" * 81], 1, "nested deeper"),
        (["A", "every"], 2, "neither key=text nor key:=JSON"),
        (["A", "a..b=1"], 2, "is no path"),
        (["A", "input:={bad}"], 2, "is no JSON"),
        (["A"], 2, "what is to be set?"),
        (["B", "every=2h"], 1, "there is no process B"),
        (["a", "every=2h"], 1, "did you mean A?"),
        (["A", "every=2h", "-m", "Because\nProcctl-Delete: A@1 0123456789ab"], 2, "would be read as a mark"),
        (["A", "every=2h", "-m", "   "], 2, "the reason is empty"),
        (["A", "every=2h", "--branch", "../x"], 2, "cannot take edits"),
        (["A", "every=2h", "--branch", "executions"], 2, "cannot take edits"),
    ],
)
def test_what_is_wrong_changes_nothing(
    workshop: Any, write: Any, root: Path, arguments: list[str], code: int, said: str
) -> None:
    tip = workshop.git("rev-parse", "HEAD")
    assert said in write("set", *arguments, code=code)
    assert workshop.git("rev-parse", "HEAD") == tip
    assert (root / A).read_text() == TEXT


def test_a_process_is_disabled_and_enabled_in_place(workshop: Any, write: Any, root: Path) -> None:
    write("disable", "A", "-m", "Ruhe — 静か\n\nZu viel los.")
    assert (root / A).read_text() == TEXT.replace("enabled: true", "enabled: false")
    assert workshop.git("log", "-1", "--format=%B").strip() == "Ruhe — 静か\n\nZu viel los."
    write("enable", "A")
    assert (root / A).read_text() == TEXT
    assert "nothing to commit" in write("enable", "A")
    assert versions(write) == [(3, False), (2, False), (1, False)]


def test_yaml_is_applied_byte_for_byte(workshop: Any, write: Any, root: Path, tmp_path: Path) -> None:
    odd = b"#  odd\r\nscript:   'a.sh'\r\nevery: 1h\r\n\r\n# no end"
    source = tmp_path / "NEW.yaml"
    source.write_bytes(odd)
    assert write("apply", "-f", source).startswith("NEW@1 committed as ")
    assert (root / "processes/NEW.yaml").read_bytes() == odd
    assert workshop.git("log", "-1", "--format=%s") == "Add NEW"
    assert "nothing to commit" in write("apply", "-f", source)
    source.write_bytes(odd + b"\n")
    assert write("apply", "-f", source, "-m", "End it").startswith("NEW@2")
    assert "leave --path out" in write("apply", "-f", source, "--path", "processes/x/NEW.yaml", code=2)
    write("apply", "-f", source, "--path", "processes/x/NEW.yaml", code=2)
    (tmp_path / "DEEP.yaml").write_text("script: a.sh\n")
    write("apply", "-f", tmp_path / "DEEP.yaml", "--path", "processes/x/y/DEEP.yml")
    assert (root / "processes/x/y/DEEP.yml").is_file()
    (tmp_path / "DEEP.yaml").write_text("script: a.sh\ndescription: more\n")
    write("apply", "-f", tmp_path / "DEEP.yaml")
    assert "more" in (root / "processes/x/y/DEEP.yml").read_text()
    assert workshop.git("status", "--porcelain") == ""


def test_json_is_a_value(write: Any, root: Path, tmp_path: Path) -> None:
    source = tmp_path / "p.json"
    document = {"name": "A", "script": "a.sh", "every": "1h", "enabled": True, "retries": 1}
    document["input"] = {"url": "http://x", "limit": 5}
    source.write_text(json.dumps(document))
    assert "nothing to commit" in write("apply", "-f", source)
    source.write_text(json.dumps({**document, "retries": 2}))
    write("apply", "-f", source)
    assert (root / A).read_text() == TEXT.replace("retries: 1", "retries: 2")
    source.write_text(json.dumps({"_type": "VarProcess", "name": "B", "script": "a.sh", "cron": "12 46 ? * * *"}))
    assert json.loads(write("apply", "-f", source, "-o", "json"))["version"] == 1
    assert (root / "processes/B.yaml").read_text().startswith("_type: VarProcess\nname: B\nscript: a.sh\ncron: ")


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_what_get_prints_applies_back_to_what_it_was(write: Any, root: Path, tmp_path: Path, form: str) -> None:
    write("disable", "A")
    for reference in ("A", "A@1"):
        source = tmp_path / f"got.{form}"
        source.write_text(write("get", reference, "-o", form))
        said = write("apply", "-f", source)
    assert said.startswith("A@3 committed as")
    assert (root / A).read_text() == TEXT


@pytest.mark.parametrize(
    ("name", "text", "code", "said"),
    [
        ("B.yaml", "script: [", 1, "cannot be read"),
        ("B.yaml", "- a\n", 1, "is no process"),
        ("B.yaml", "", 1, "is no process"),
        ("B.yaml", "script: none.sh\n", 1, "none.sh"),
        ("B.yaml", "name: C\nscript: a.sh\n", 0, "C@1"),
        ("9.yaml", "script: a.sh\n", 2, "no name of a process"),
        ("private.yaml", "script: a.sh\n", 2, "no name of a process"),
        ("a.yaml", "script: a.sh\n", 1, "A"),
        ("B.json", '{"name": "B", "script": "a.sh", "script": "b.sh"}', 2, "twice"),
        ("B.json", '{"name": "B", "script": "a.sh", "x-a": NaN}', 2, "no number of JSON"),
        ("B.json", '{"name": "B", "script": "a.sh", "x-a": ' + "[" * 200 + "]" * 200 + "}", 1, "nested deeper"),
    ],
)
def test_what_cannot_be_applied_is_said(write: Any, root: Path, name: str, text: str, code: int, said: str) -> None:
    (root.parent / name).write_text(text)
    assert said in write("apply", "-f", root.parent / name, code=code)
    subjects = subprocess.check_output(["git", "log", "--format=%s"], cwd=root, text=True)
    assert subjects.count("\n") == 1 + (code == 0)


def test_standard_input_is_a_file_too(procctl: Any, root: Path) -> None:
    done = procctl("apply", "-f", "-", cwd=root, input='{"name": "B", "script": "a.sh"}')
    assert done.stdout.startswith("B@1 committed as")
    done = procctl("apply", "-f", "-", cwd=root, code=2, input="script: a.sh\n")
    assert "which process is it?" in done.stderr


def test_rollback_goes_back_one_version_after_the_other(workshop: Any, write: Any, root: Path) -> None:
    for hours in (2, 3):
        write("set", "A", f"every={hours}h")
    blob = workshop.git("rev-parse", f"HEAD:{A}")
    write("tag", "A", "3", "TEST")
    said = write("rollback", "A")
    tip = workshop.git("rev-parse", "HEAD")
    assert said.split("\n")[0] == f"A@3 rolled back by {tip[:12]} on main: A@2 is the current version"
    assert said.split("\n")[1].startswith("tag A/TEST removed; it was at ")
    assert (
        workshop.git("log", "-1", "--format=%B").strip()
        == f"Roll back A to version 2\n\nProcctl-Rollback: A@3 {blob[:12]}"
    )
    write("rollback", "A", "-m", "Not that either")
    assert (root / A).read_text() == TEXT
    assert versions(write) == [(3, True), (2, True), (1, False)]
    assert "A is removed" in write("rollback", "A")
    assert not (root / A).exists()
    assert "rolled back" in write("rollback", "A", code=1)
    write("apply", "-f", _saved(root, TEXT))
    assert versions(write)[0] == (4, False)


def _saved(root: Path, text: str) -> Path:
    file = root.parent / "A.yaml"
    file.write_text(text)
    return file


def test_rollback_passes_over_versions_with_errors(workshop: Any, write: Any, root: Path) -> None:
    workshop.commit({A: "scrip: a.sh\n"}, "Break it")
    workshop.commit({A: TEXT + "delay: 1s\n"}, "Mend it")
    assert "(2 had errors, and went too)" in write("rollback", "A")
    assert versions(write) == [(3, True), (2, True), (1, False)]
    workshop.commit({"processes/B.yaml": "scrip: a.sh\n"}, "Broken from the start")
    workshop.commit({"processes/B.yaml": "script: a.sh\n"}, "Mended")
    assert "have errors, so there is none to go back to" in write("rollback", "B", code=1)
    assert (root / "processes/B.yaml").read_text() == "script: a.sh\n"


def test_one_version_is_deleted(workshop: Any, write: Any) -> None:
    for hours in (2, 3):
        write("set", "A", f"every={hours}h")
    write("tag", "A", "2", "OLD")
    workshop.git("tag", "WHOLE", "HEAD~1")
    said = write("delete", "A", "--version", "2", "-o", "json")
    assert json.loads(said)["tags"] == ["A/OLD"]
    assert workshop.git("diff", "HEAD~1", "--stat") == ""
    assert workshop.git("log", "-1", "--format=%s") == "Delete version 2 of A"
    assert versions(write) == [(3, False), (2, True), (1, False)]
    assert workshop.git("tag") == "WHOLE"
    assert "was deleted by" in write("get", "A@2", code=1)
    assert "was deleted by" in write("delete", "A", "--version", "2", code=1)
    assert "has no version 9" in write("delete", "A", "--version", "9", code=1)
    assert "A@1 is the current version" in write("delete", "A", "--version", "3")
    assert "one version, or all?" in write("delete", "A", code=2)
    assert "one version, or all?" in write("delete", "A", "--all", "--version", "1", code=2)


def test_all_of_a_process_is_deleted(workshop: Any, write: Any, root: Path) -> None:
    workshop.commit({"processes/B.yaml": "script: a.sh\nsubscriptions:\n  - {process: A}\n"})
    write("disable", "A")
    write("tag", "A", "1", "PROD")
    said = write("delete", "A", "--all")
    assert "with 2 versions" in said
    assert "tag A/PROD removed" in said
    assert not (root / A).exists()
    assert versions(write) == [(2, True), (1, True)]
    assert "removed with its file" in write("delete", "A", "--all", code=1)
    assert "there is no process NONE" in write("delete", "NONE", "--all", code=1)


def test_rename_carries_the_history(workshop: Any, write: Any, root: Path) -> None:
    write("disable", "A")
    write("tag", "A", "1", "PROD")
    said = write("rename", "A", "ECB.new")
    assert said.startswith("A renamed to ECB.new@2 in ")
    assert workshop.git("log", "-1", "--format=%B").strip() == "Rename A to ECB.new\n\nProcctl-Rename: A ECB.new"
    assert (root / "processes/ECB.new.yaml").read_text() == TEXT.replace("name: A", "name: ECB.new").replace(
        "true", "false"
    )
    assert versions(write, "ECB.new") == [(2, False), (1, False)]
    assert json.loads(write("get", "ECB.new@PROD", "-o", "json"))["enabled"] is True
    said = write("get", "A@1", code=1)
    assert "procctl: error: A@1 was renamed to ECB.new by " in said
    assert said.endswith("next: see `procctl versions ECB.new`")
    write("rename", "ECB.new", "A", "-m", "And back")
    assert versions(write) == [(2, False), (1, False)]
    write("rename", "A", "a")
    assert versions(write, "a") == [(2, False), (1, False)]
    assert workshop.git("status", "--porcelain") == ""
    # a rollback to before the rename keeps the new name
    write("rollback", "a")
    assert "name: a\n" in (root / "processes/a.yaml").read_text()
    assert versions(write, "a") == [(2, True), (1, False)]


def test_rename_refuses_a_name_that_is_or_was_anothers(workshop: Any, write: Any, here: Any, root: Path) -> None:
    workshop.commit(
        {"processes/B.yaml": "script: a.sh\nsubscriptions:\n  - {process: A}\n", "processes/C.yaml": "script: a.sh\n"}
    )
    workshop.commit({"processes/C.yaml": None})
    for new, code, said in [
        ("B", 1, "there is a process B already"),
        ("b", 1, "there is a process B already"),
        ("C", 1, "C was another process, whose versions go up to 1"),
        ("c", 1, "c was another process"),
        ("A", 2, "its name already"),
        ("9", 2, "no name of a process"),
        ("public", 2, "is reserved, and no name of a process"),
        ("x/y", 2, "no name of a process"),
    ]:
        assert said in write("rename", "A", new, code=code)
    assert "B still names A" in here("rename", "A", "D", cwd=root).stderr


def test_tags_name_versions_and_move(workshop: Any, write: Any) -> None:
    first = workshop.git("rev-parse", "HEAD")
    write("disable", "A")
    assert write("tag", "A", "1", "PROD") == f"A@1 tagged PROD at {first[:12]}"
    second = workshop.git("rev-parse", "HEAD")
    said = write("tag", "A", "~LATEST", "PROD", "-m", "Promote: tested")
    assert said == f"A@2 tagged PROD at {second[:12]}; it was A@1 at {first[:12]}"
    assert workshop.git("for-each-ref", "--format=%(objecttype) %(contents)", "refs/tags/A/PROD").split("\n") == [
        "tag Promote: tested",
        "",
        f"Moved from A@1 at {first[:12]}",
    ]
    assert "is PROD already" in write("tag", "A", "2", "PROD")
    write("tag", "A", "PROD", "LIVE")
    assert workshop.git("rev-parse", "A/LIVE^{}", "A/PROD^{}").split() == [second, second]
    assert write("untag", "A", "PROD") == f"tag A/PROD removed; it was A@2 at {second[:12]}"
    assert "has no tag PROD" in write("untag", "A", "PROD", code=1)
    workshop.git("tag", "WHOLE", first)
    assert "a tag of the whole repository" in write("untag", "A", "WHOLE", code=1)
    for version, tag, code, said in [
        ("9", "X", 1, "has no version 9"),
        ("1", "7", 2, "cannot be a tag"),
        ("1", "a/b", 2, "cannot be a tag"),
        ("1", "All", 2, "is reserved, and cannot be a tag"),
        ("1", "-x", 2, ""),
        ("nope", "X", 1, "has no tag nope"),
    ]:
        assert said in write("tag", "A", version, tag, code=code)


def test_tags_under_a_former_name_go_with_what_hides_them(workshop: Any, write: Any) -> None:
    """Else a version that somebody took the tag off would be found by it again."""

    def promoted(new: str) -> None:
        write("tag", "A", "1", "PROD")
        write("rename", "A", new)
        write("disable", new)
        write("tag", new, "~LATEST", "PROD")
        assert workshop.git("tag") == f"A/PROD\n{new}/PROD"

    promoted("B")
    said = write("untag", "B", "PROD").splitlines()
    assert [line.partition(";")[0] for line in said] == ["tag B/PROD removed", "tag A/PROD removed"]
    assert "has no tag PROD" in write("get", "B@PROD", code=1)
    write("rename", "B", "A")
    promoted("B")
    assert "tag A/PROD removed" in write("delete", "B", "--version", "1")
    write("tag", "B", "2", "OLD")
    workshop.git("tag", "A/PROD", "HEAD")
    said = write("delete", "B", "--all")
    assert workshop.git("tag") == ""
    for tag in ("A/PROD", "B/PROD", "B/OLD"):
        assert f"tag {tag} removed" in said


def test_taking_a_tag_off_says_that_one_of_the_repository_stays(
    workshop: Any, write: Any, here: Any, root: Path
) -> None:
    write("tag", "A", "1", "PROD")
    workshop.git("tag", "PROD")
    done = here("untag", "A", "PROD", cwd=root)
    assert "the tag PROD of the whole repository stays, and names a version of A too" in done.stderr


def test_a_version_that_nothing_serves_is_not_tagged(workshop: Any, write: Any) -> None:
    workshop.commit({"processes/scripts/a.sh": None, A: TEXT + "delay: 1s\n"}, "Without its script")
    assert "no commit serves A@2" in write("tag", "A", "2", "PROD", code=1)
    assert "a.sh" in write("tag", "A", "2", "PROD", code=1)


def test_another_branch_takes_a_write_for_a_pull_request(workshop: Any, write: Any, root: Path) -> None:
    tip = workshop.git("rev-parse", "HEAD")
    said = write("set", "A", "every=2h", "--branch", "pr")
    assert said == f"A committed as {workshop.git('rev-parse', 'pr')[:12]} on pr"
    write("disable", "A", "--branch", "pr")
    assert workshop.git("rev-parse", "main", "pr~2").split() == [tip, tip]
    assert (root / A).read_text() == TEXT
    assert workshop.git("status", "--porcelain") == ""
    workshop.git("checkout", "-q", "pr")
    workshop.commit({"procctl.yaml": "branch: main\n"})
    said = write("enable", "A", code=1)
    assert "this worktree stands on pr, and main is followed" in said
    assert "--branch pr" in said
    write("enable", "A", "--branch", "pr")
    assert "enabled: true" in (root / A).read_text()
    write("enable", "A", "--ref", "pr")
    assert "committed as" in write("disable", "A", "--ref", "main")
    assert "enabled: true" in (root / A).read_text()


def test_a_rollback_in_a_pull_request_counts_when_it_is_merged(workshop: Any, write: Any) -> None:
    write("disable", "A")
    write("tag", "A", "2", "PROD")
    assert "tags stay until it is on main: A/PROD" in write("rollback", "A", "--branch", "pr")
    assert versions(write) == [(2, False), (1, False)]
    workshop.git("merge", "-q", "--no-ff", "-m", "Merge the pull request", "pr")
    assert versions(write) == [(2, True), (1, False)]


def test_nothing_is_written_where_it_would_be_lost(workshop: Any, write: Any, root: Path) -> None:
    workshop.write(A, TEXT + "# mine\n")
    assert "changes that are not committed" in write("disable", "A", code=1)
    assert (root / A).read_text() == TEXT + "# mine\n"
    workshop.git("checkout", "-q", A)
    workshop.git("checkout", "-q", "--detach")
    said = write("disable", "A", "--ref", "main", code=1)
    assert "HEAD is detached here" in said
    assert "--ref FOLLOWED --branch WHERE-TO-COMMIT" in said
    assert "committed as" in write("disable", "A", "--ref", "main", "--branch", "main")
    workshop.git("checkout", "-q", "-b", "side", "main")
    workshop.commit({"x": "1"})
    workshop.git("checkout", "-q", "main")
    workshop.commit({"x": "2"})
    subprocess.run(["git", "rebase", "side"], cwd=root, capture_output=True, check=False)
    assert "a rebase is not finished here" in write("enable", "A", code=1)


@pytest.mark.usefixtures("root")
def test_a_bare_repository_is_written_to(workshop: Any, here: Any, tmp_path: Path) -> None:
    workshop.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    bare = tmp_path / "bare.git"
    for arguments in (["disable", "A"], ["rename", "A", "B"], ["tag", "B", "1", "X"], ["rollback", "B"]):
        here(*arguments, cwd=bare)
    shown = subprocess.check_output(["git", "show", "main:processes/B.yaml"], cwd=bare, text=True)
    assert shown == TEXT.replace("name: A", "name: B")


def test_a_shallow_clone_takes_plain_edits_alone(workshop: Any, here: Any, root: Path, tmp_path: Path) -> None:
    workshop.commit({A: TEXT + "delay: 1s\n"})
    workshop.git("clone", "-q", "--depth", "1", f"file://{root}", str(tmp_path / "shallow"))
    done = here("disable", "A", cwd=tmp_path / "shallow")
    assert done.stdout.startswith("A committed as")
    assert "git fetch --unshallow" in done.stderr
    for arguments in (["rollback", "A"], ["tag", "A", "1", "X"], ["delete", "A", "--all"], ["rename", "A", "B"]):
        assert "git fetch --unshallow" in here(*arguments, cwd=tmp_path / "shallow", code=1).stderr


def test_a_branch_of_any_name_is_followed(workshop: Any, write: Any) -> None:
    workshop.git("branch", "-m", "main", "trunk/next")
    assert write("disable", "A").endswith(" on trunk/next")


def test_by_hand_and_by_command_are_the_same(workshop: Any, here: Any, root: Path, tmp_path: Path) -> None:
    """What a commit holds, apart from its id, does not tell who made it."""
    workshop.git("clone", "-q", str(root), str(tmp_path / "hand"))
    hand = type(workshop)(tmp_path / "hand")
    here("set", "A", "every=2h", "-m", "Twice as long", cwd=root)
    hand.commit({A: TEXT.replace("every: 1h", 'every: "2h"')}, "Twice as long")
    blob = workshop.git("rev-parse", f"HEAD:{A}")[:12]
    here("rollback", "A", "-m", "Not so", cwd=root)
    hand.commit({A: TEXT}, f"Not so\n\nProcctl-Rollback: A@2 {blob}")
    here("rename", "A", "B", "-m", "Call it B", cwd=root)
    hand.commit({A: None, "processes/B.yaml": TEXT.replace("name: A", "name: B")}, "Call it B\n\nProcctl-Rename: A B")
    form = "--format=%T %an %ae %cn %ce %B"
    assert workshop.git("log", form) == hand.git("log", form)
    listed = [
        [
            (one["_version"], one.get("_oid"))
            for one in json.loads(here("versions", "B", "-o", "json", cwd=place).stdout)
        ]
        for place in (root, tmp_path / "hand")
    ]
    assert [number for number, _ in listed[0]] == [number for number, _ in listed[1]] == [1]


def test_hooks_are_named_and_do_not_run(workshop: Any, here: Any, root: Path) -> None:
    workshop.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n", 0o755)
    assert "hooks did not run: pre-commit" in here("disable", "A", cwd=root).stderr


def test_writers_at_once_both_get_through(workshop: Any, root: Path) -> None:
    """Ten fields by ten processes, all at once: each has its commit, and the file has them all."""
    program = Path(sys.executable).with_name("procctl")
    environ = {**os.environ}
    writers = [
        subprocess.Popen(
            [program, "set", "A", f"input.n{number}:={number}"],
            cwd=root,
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    assert [(writer.communicate()[1], writer.returncode)[1] for writer in writers] == [0] * 4
    text = (root / A).read_text()
    assert all(f"n{number}: {number}" in text for number in range(4))
    assert workshop.git("rev-list", "--count", "HEAD") == "5"
    assert workshop.git("status", "--porcelain") == ""
