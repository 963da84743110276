"""The first-parent history: merges, moves, rewinds of the chain, and configuration that would bend it."""

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.errors import UserError
from reconciler.repo import commits, history
from reconciler.repo.repository import Repository
from reconciler.version import Change


def subjects(repo: Repository, old: str | None, new: str, mainline: history.Mainline | None = None) -> list[str]:
    return [commit.subject for commit in commits.commits(repo, old, new, mainline or {})]


def head(workshop: Any) -> str:
    commit: str = workshop.git("rev-parse", "HEAD")
    return commit


def test_a_commit_tells_who_when_and_what(workshop: Any, repo: Repository) -> None:
    workshop.git("config", "user.name", "Zoë <Ünï>")
    first = workshop.commit({"processes/A.yaml": "a", "processes/deep/B.yml": "b", "README": "x"}, "Añadir\n\nbody")
    workshop.commit({"README": "y"})
    second = workshop.commit({"processes/A.yaml": None, "processes/C.yaml": "c"}, ":100644 not a change")
    one, between, two = commits.commits(repo, None, second)
    blob = workshop.git("rev-parse", f"{first}:processes/A.yaml")
    assert (one.id, one.author, one.subject) == (first, "Zoë Ünï", "Añadir")
    assert one.time == datetime.fromtimestamp(int(workshop.git("log", "-1", "--format=%ct", first)), UTC)
    assert Change("A", "processes/A.yaml", blob) in one.changes
    assert [change.name for change in one.changes] == ["A", "B"]
    assert between.changes == (), "every commit of the history is one"
    assert (two.id, two.subject) == (second, ":100644 not a change")
    assert [(change.name, change.blob is None) for change in two.changes] == [("A", True), ("C", False)]


def test_only_what_came_after_is_read(workshop: Any, repo: Repository) -> None:
    ids = [workshop.commit({"processes/A.yaml": str(number)}, str(number)) for number in range(4)]
    assert subjects(repo, ids[1], ids[3]) == ["2", "3"]
    assert subjects(repo, None, ids[1]) == ["0", "1"]
    assert subjects(repo, ids[3], ids[3]) == []


def test_what_touches_no_process_is_no_commit_of_one(workshop: Any, repo: Repository) -> None:
    workshop.commit({"processes/workflows/w.yaml": "w", "processes/scripts/s.yaml": "s", "procctl.yaml": "p"}, "1")
    workshop.commit({"processes/no process.yaml": "x", "processes/A.txt": "x", "processes/private.yaml": "x"}, "2")
    workshop.commit({"processes/scripts.yaml": "a process of that name"}, "3")
    assert [len(one.changes) for one in commits.commits(repo, None, head(workshop))] == [0, 0, 1]


def test_a_merge_is_one_commit_against_its_first_parent(workshop: Any, repo: Repository) -> None:
    workshop.commit({"processes/A.yaml": "1"}, "start")
    workshop.git("checkout", "-q", "-b", "side")
    workshop.commit({"processes/A.yaml": "2"}, "side 1")
    workshop.commit({"processes/A.yaml": "3", "processes/B.yaml": "b"}, "side 2")
    workshop.git("checkout", "-q", "main")
    workshop.commit({"processes/C.yaml": "c"}, "main 1")
    workshop.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    found = list(commits.commits(repo, None, head(workshop)))
    assert [commit.subject for commit in found] == ["start", "main 1", "merge"]
    assert [change.name for change in found[-1].changes] == ["A", "B"]


def test_an_octopus_is_one_commit(workshop: Any, repo: Repository) -> None:
    workshop.commit({"processes/A.yaml": "1"}, "start")
    for branch in ("x", "y", "z"):
        workshop.git("checkout", "-q", "-b", branch, "main")
        workshop.commit({f"processes/{branch.upper()}.yaml": branch}, branch)
    workshop.git("checkout", "-q", "main")
    workshop.git("merge", "-q", "--no-ff", "-m", "octopus", "x", "y", "z")
    found = list(commits.commits(repo, None, head(workshop)))
    assert [commit.subject for commit in found] == ["start", "octopus"]
    assert [change.name for change in found[-1].changes] == ["X", "Y", "Z"]


def test_symlinks_and_submodules_are_no_content(workshop: Any, repo: Repository) -> None:
    first = workshop.commit({"processes/A.yaml": "1", "processes/B.yaml": "1"})
    (workshop.root / "processes" / "A.yaml").unlink()
    (workshop.root / "processes" / "A.yaml").symlink_to("B.yaml")
    workshop.git("add", "-A")
    workshop.git("rm", "-q", "--cached", "processes/B.yaml")
    workshop.git("update-index", "--add", "--cacheinfo", f"160000,{first},processes/B.yaml")
    workshop.git("commit", "-q", "-m", "replaced")
    (commit,) = commits.commits(repo, first, head(workshop))
    assert [(change.name, change.blob) for change in commit.changes] == [("A", None), ("B", None)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("diff.renames", "copies"),
        ("diff.relative", "true"),
        ("diff.noprefix", "true"),
        ("diff.orderFile", "/nonexistent"),
        ("diff.ignoreSubmodules", "all"),
        ("log.showRoot", "false"),
        ("log.showSignature", "true"),
        ("log.follow", "true"),
        ("log.diffMerges", "off"),
        ("log.mailmap", "true"),
        ("log.date", "relative"),
        ("format.pretty", "%s"),
        ("i18n.logOutputEncoding", "latin1"),
        ("core.quotePath", "true"),
        ("color.ui", "always"),
    ],
)
def test_configuration_does_not_bend_history(key: str, value: str, workshop: Any, repo: Repository) -> None:
    workshop.commit({"processes/ünï/A.yaml": "a\n" * 50}, "Añadir")
    (workshop.root / "processes" / "B.yaml").write_text("a\n" * 50)
    workshop.commit({"processes/ünï/A.yaml": None}, "move")
    plain = list(history.walk(repo, head(workshop)))
    workshop.git("config", key, value)
    assert list(history.walk(repo, head(workshop))) == plain
    assert [edit.path for edit in plain[0].edits] == ["processes/B.yaml", "processes/ünï/A.yaml"]
    assert plain[1].subject == "Añadir"


def test_grafts_and_replacements_count_for_nothing(workshop: Any, repo: Repository) -> None:
    first = workshop.commit({"processes/A.yaml": "1"}, "1")
    second = workshop.commit({"processes/A.yaml": "2"}, "2")
    third = workshop.commit({"processes/A.yaml": "3"}, "3")
    workshop.git("replace", second, first)
    workshop.write(".git/info/grafts", f"{third}\n")
    assert subjects(repo, None, third) == ["1", "2", "3"]


def test_walking_back_names_the_commit_before(workshop: Any, repo: Repository) -> None:
    first = workshop.commit({"processes/A.yaml": "1"})
    between = workshop.commit({"README": "x"})
    second = workshop.commit({"processes/scripts/a.sh": "2", "procctl.yaml": "x"})
    steps = list(history.walk(repo, second))
    assert [(step.id, step.parent) for step in steps] == [(second, between), (first, None)]
    assert [(edit.path, edit.existed, edit.exists) for edit in steps[0].edits] == [
        ("procctl.yaml", False, True),
        ("processes/scripts/a.sh", False, True),
    ]


def test_what_differs_between_two_commits(workshop: Any, repo: Repository) -> None:
    first = workshop.commit({"processes/A.yaml": "1", "processes/B.yaml": "b", "other": "x"})
    second = workshop.commit({"processes/A.yaml": "2", "processes/B.yaml": None, "other": "y", "procctl.yaml": "p"})
    assert [edit.path for edit in history.diff(repo, first, second)] == [
        "procctl.yaml",
        "processes/A.yaml",
        "processes/B.yaml",
    ]
    assert history.diff(repo, first, first) == ()
    back = {edit.path: (edit.existed, edit.exists) for edit in history.diff(repo, second, first)}
    assert back["processes/B.yaml"] == (False, True)


def pulled(workshop: Any) -> tuple[str, str, str]:
    """Make a pushed ``git pull`` merge: the old tip is reached by the second parent alone. Gives old, theirs, new."""
    workshop.commit({"processes/A.yaml": "1", "processes/B.yaml": "1"}, "start")
    workshop.git("branch", "theirs")
    workshop.commit({"processes/A.yaml": "2"}, "ours")
    old = head(workshop)
    workshop.git("checkout", "-q", "theirs")
    theirs = workshop.commit({"processes/B.yaml": "2"}, "theirs")
    workshop.git("merge", "-q", "--no-ff", "-m", "pull", "main")
    return old, theirs, head(workshop)


def test_a_pulled_merge_follows_the_parent_that_has_the_old_tip(workshop: Any, repo: Repository) -> None:
    old, theirs, new = pulled(workshop)
    later = workshop.commit({"processes/C.yaml": "c"}, "later")
    mainline = history.choices(repo, old, later)
    assert mainline == {new: old}
    assert subjects(repo, old, later, mainline) == ["pull", "later"]
    assert subjects(repo, None, later, mainline) == ["start", "ours", "pull", "later"]
    pull = list(history.walk(repo, later, None, mainline))[1]
    assert (pull.parent, [edit.path for edit in pull.edits]) == (old, ["processes/B.yaml"])
    chain = history.chain(repo, later, mainline)
    assert chain[:3] == (later, new, old)
    assert theirs not in chain
    assert theirs in history.chain(repo, later)


def test_ordinary_progress_needs_no_choice(workshop: Any, repo: Repository) -> None:
    old = workshop.commit({"processes/A.yaml": "1"})
    workshop.git("checkout", "-q", "-b", "side")
    workshop.commit({"processes/A.yaml": "2"})
    workshop.git("checkout", "-q", "main")
    workshop.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    assert history.choices(repo, old, head(workshop)) == {}
    assert history.choices(repo, old, old) == {}
    workshop.git("checkout", "-q", "side")
    assert history.choices(repo, old, head(workshop)) == {}


def test_the_first_parent(workshop: Any, repo: Repository) -> None:
    old, _, new = pulled(workshop)
    assert history.parent(repo, new) == workshop.git("rev-parse", f"{new}^1") != old
    assert history.parent(repo, workshop.git("rev-list", "--max-parents=0", "HEAD")) is None


def test_a_commit_that_changes_more_than_any_disk_holds_is_refused(
    workshop: Any, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = workshop.commit({f"processes/A{number}.yaml": "x" for number in range(12)})
    later = workshop.commit({f"processes/A{number}.yaml": "y" for number in range(12)})
    monkeypatch.setattr(history, "MOST_ENTRIES", 10)
    with pytest.raises(UserError, match="one commit changes more than 10 files"):
        list(history.walk(repo, later))
    with pytest.raises(UserError, match="one commit changes more than 10 files"):
        history.diff(repo, commit, later)


def test_differences_are_those_from_each_to_the_next(workshop: Any, repo: Repository) -> None:
    first = workshop.commit({"processes/A.yaml": "script: a.sh\n", "processes/ü\n:1.yaml": "x"})
    second = workshop.commit({"README": "of no matter"})
    third = workshop.commit({"processes/A.yaml": None, "processes/:B.yaml": "b", "procctl.yaml": "{}\n"})
    commits = [first, second, third, third, first]
    assert list(history.differences(repo, commits)) == [
        history.diff(repo, old, new) for old, new in itertools.pairwise(commits)
    ]
    assert list(history.differences(repo, [first])) == list(history.differences(repo, [])) == []
