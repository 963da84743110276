"""What is in force where a tag is followed: each process as it is at its tag (SPEC 9)."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.errors import UserError
from reconciler.reference import parse_reference
from reconciler.repo import refs
from reconciler.repo.refs import Followed
from reconciler.repo.repository import open_repository
from reconciler.store.index import Index
from reconciler.sync import applying, parsing, selection, snapshots
from reconciler.sync.applying import Applied

SCRIPT = "processes/scripts/a.sh"


def process(text: str, *lines: str) -> str:
    return "\n".join([f"description: {text}", "script: a.sh", *lines, ""])


class Plant:
    """A repository of which an environment follows the tag PROD, as its reconciler applies it."""

    def __init__(self, workshop: Any) -> None:
        self.workshop = workshop
        self.repo = open_repository(workshop.root, os.environ)
        path = self.repo.common_dir / "procctl/cache/index.sqlite"
        self.index = Index.open(path, environment="production", release=parsing.release())
        self.applied: Applied | None = None

    def commit(self, files: dict[str, str | None], message: str = "Change") -> str:
        """Commit processes by name, other files by path."""
        paths = {path if "/" in path or "." in path else f"processes/{path}.yaml": text for path, text in files.items()}
        return str(self.workshop.commit(paths, message))

    def tag(self, name: str, commit: str = "HEAD") -> None:
        self.workshop.git("tag", "-f", name, commit)

    def untag(self, name: str) -> None:
        self.workshop.git("tag", "-d", name)

    def apply(self) -> Applied:
        """Apply what moved, and hold the result to what a reconciler sees that begins now."""
        followed = Followed("refs/heads/main", str(refs.read(self.repo, "refs/heads/main")), "PROD")
        self.applied = applying.apply(self.repo, self.index, followed, before=self.applied)
        seen = self.index.processes(), self.index.problems()
        anew = applying.apply(self.repo, self.index, followed)
        assert dict(anew.in_force) == dict(self.applied.in_force)
        assert (self.index.processes(), self.index.problems()) == seen
        return self.applied

    def versions(self) -> dict[str, tuple[int | None, str]]:
        """The version in force of each process, and its description."""
        return {name: (one.version, one.process.description) for name, one in self.apply().in_force.items()}

    def unsynced(self) -> dict[str, str]:
        """What readers are told of each process that is not as on the branch."""
        self.apply()
        return {row.name: row.unsynced for row in self.index.processes() if row.unsynced is not None}


@pytest.fixture
def plant(workshop: Any) -> Iterator[Plant]:
    workshop.commit({SCRIPT: "#!/bin/sh\n"})
    made = Plant(workshop)
    with contextlib.closing(made.index):
        yield made


def test_without_its_tag_a_process_is_not_in_force(plant: Plant) -> None:
    plant.commit({"A": process("one"), "B": process("one")})
    assert plant.versions() == {}
    assert plant.unsynced() == dict.fromkeys("AB", "no tag PROD, so it is not scheduled")
    plant.tag("A/TEST")
    plant.tag("B/PROD")
    assert plant.versions() == {"B": (1, "one")}
    assert plant.unsynced() == {"A": "no tag PROD, so it is not scheduled"}


def test_a_tag_moves_forth_and_back_and_goes(plant: Plant) -> None:
    first = plant.commit({"A": process("one"), "B": process("one")})
    plant.tag("A/PROD")
    plant.tag("B/PROD")
    plant.apply()
    plant.commit({"A": process("two"), "B": process("two")})
    assert plant.versions() == {"A": (1, "one"), "B": (1, "one")}, "a commit changes nothing"
    assert plant.applied is not None
    assert not plant.applied.changed
    plant.tag("A/PROD")
    assert plant.versions() == {"A": (2, "two"), "B": (1, "one")}
    assert plant.applied.changed == {"A"}
    plant.tag("A/PROD", first)
    assert plant.versions() == {"A": (1, "one"), "B": (1, "one")}
    plant.untag("A/PROD")
    assert plant.versions() == {"B": (1, "one")}
    assert plant.applied.changed == {"A"}


def test_workflows_and_scripts_are_those_of_the_tag(plant: Plant) -> None:
    steps = "phases:\n  - name: {}\n    script: a.sh\n"
    workflow = "processes/workflows/STEPS.yaml"
    first = plant.commit({"A": "workflow: STEPS\n", workflow: steps.format("FIRST")})
    plant.tag("A/PROD")
    plant.commit({workflow: steps.format("SECOND"), SCRIPT: "#!/bin/sh\necho new\n"})
    applied = plant.apply()
    choice = selection.choose(plant.repo, plant.index, applied, parse_reference("A"))
    assert (choice.commit, choice.version, choice.tag) == (first, 1, "PROD")
    assert [phase.name for phase in choice.resolved.phases] == ["FIRST"]
    assert choice.resolved.scripts_tree == plant.workshop.git("rev-parse", f"{first}:processes/scripts")
    assert choice.resolved == snapshots.load(plant.repo, plant.index, first).resolve("A")


def test_the_zone_of_the_tag_decides_when_a_process_is_due(plant: Plant) -> None:
    plant.commit({"A": process("one", 'cron: "0 8 * * *"'), "procctl.yaml": "timezone: Europe/Madrid\n"})
    plant.tag("A/PROD")
    plant.commit({"procctl.yaml": "timezone: Asia/Tokyo\n"})
    applied = plant.apply()
    force = applied.in_force["A"]
    assert force.process.schedule_document(applied.settings.timezone)["timezone"] == "Europe/Madrid"
    plant.tag("A/PROD")
    applied = plant.apply()
    assert applied.in_force["A"].process.schedule_document(applied.settings.timezone)["timezone"] == "Asia/Tokyo"


def test_an_error_at_the_tag_keeps_a_process_out_of_force(plant: Plant) -> None:
    plant.commit({"A": process("one")})
    broken = plant.commit({"A": "script: missing.sh\n"})
    plant.commit({"A": process("three")})
    plant.tag("A/PROD", broken)
    assert plant.versions() == {}
    row = plant.index.process("A")
    assert row is not None
    assert (row.valid, row.tag, row.unsynced, row.document) == (False, "A/PROD", None, None)
    assert ["missing.sh" in problem.message for problem in plant.index.problems()] == [True]
    with pytest.raises(UserError, match=r"A is not in force at its tag: .*missing\.sh"):
        selection.choose(plant.repo, plant.index, plant.apply(), parse_reference("A"))


def test_an_error_on_the_branch_is_none_of_what_is_followed(plant: Plant) -> None:
    plant.commit({"A": process("one")})
    plant.tag("A/PROD")
    plant.commit({"A": "script: missing.sh\n", "B": "script: missing.sh\n"})
    assert plant.versions() == {"A": (1, "one")}
    assert plant.index.problems() == ()


def test_a_repositorys_tag_stands_for_all_that_have_none(plant: Plant) -> None:
    first = plant.commit({"A": process("one"), "B": process("one")})
    plant.commit({"A": process("two"), "B": process("two"), "C": process("one")})
    plant.tag("PROD", first)
    plant.tag("A/PROD")
    assert plant.versions() == {"A": (2, "two"), "B": (1, "one")}
    plant.tag("PROD")
    assert plant.versions() == {"A": (2, "two"), "B": (2, "two"), "C": (1, "one")}
    plant.untag("A/PROD")
    plant.tag("PROD", first)
    assert plant.versions() == {"A": (1, "one"), "B": (1, "one")}
    assert plant.unsynced() == {"C": "no tag PROD, so it is not scheduled"}


def test_a_repositorys_tag_costs_one_look(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant.tag("PROD", plant.commit({f"P{number}": process("one") for number in range(30)}))
    plant.commit({f"P{number}": process("two") for number in range(30)})
    plant.apply()
    looks: list[str] = []
    update = snapshots.update

    def counted(*arguments: Any) -> Any:
        looks.append(arguments[-1])
        return update(*arguments)

    monkeypatch.setattr(snapshots, "update", counted)
    followed = Followed("refs/heads/main", plant.workshop.git("rev-parse", "HEAD"), "PROD")
    assert len(applying.apply(plant.repo, plant.index, followed).in_force) == 30
    assert len(looks) == 1


def test_a_process_that_is_deleted_stays_until_its_tag_goes(plant: Plant) -> None:
    plant.commit({"A": process("one"), "B": process("one")})
    plant.tag("A/PROD")
    plant.commit({"A": None})
    assert plant.versions() == {"A": (1, "one")}
    left = "deleted on main, in force until its tag moves or goes"
    assert plant.unsynced() == {"A": left, "B": "no tag PROD, so it is not scheduled"}
    choice = selection.choose(plant.repo, plant.index, plant.apply(), parse_reference("A"))
    assert (choice.version, choice.process.description) == (1, "one")
    plant.untag("A/PROD")
    assert plant.versions() == {}
    assert plant.index.process("A") is None


def test_a_renamed_process_is_found_by_its_old_tag(plant: Plant) -> None:
    first = plant.commit({"OLD": process("one")})
    plant.tag("OLD/PROD")
    plant.commit({"OLD": process("two")})
    plant.commit({"OLD": None, "NEW": process("two")}, "Rename")
    assert plant.versions() == {"NEW": (1, "one")}
    assert plant.unsynced() == {}
    choice = selection.choose(plant.repo, plant.index, plant.apply(), parse_reference("NEW"))
    assert (choice.commit, choice.process.name) == (first, "NEW")
    plant.tag("NEW/PROD")
    assert plant.versions() == {"NEW": (2, "two")}
    plant.untag("NEW/PROD")
    plant.commit({"NEW": None})
    assert plant.versions() == {"NEW": (1, "one")}
    assert list(plant.unsynced()) == ["NEW"]
    plant.commit({"OLD": process("another")})
    assert plant.versions() == {"OLD": (1, "one")}, "it is that process's tag by now"


def test_a_repositorys_tag_finds_renamed_processes(plant: Plant) -> None:
    plant.commit({"OLD": process("one"), "GONE": process("one")})
    plant.tag("PROD")
    plant.commit({"OLD": None, "NEW": process("one")}, "Rename")
    plant.commit({"GONE": None})
    assert plant.versions() == {"NEW": (1, "one"), "GONE": (1, "one")}
    assert list(plant.unsynced()) == ["GONE"]


def test_tags_that_name_nothing(plant: Plant) -> None:
    before = plant.workshop.git("rev-parse", "HEAD")
    plant.commit({"A": process("one"), "B": process("one"), "C": process("one")})
    plant.tag("A/PROD", before)
    plant.tag("B/PROD", "HEAD^{tree}")
    plant.tag("X/PROD")
    plant.tag("deep/er/PROD")
    plant.tag("PROD.old")
    assert plant.versions() == {}
    said = {problem.path: problem.message for problem in plant.index.problems()}
    assert said == {
        "refs/tags/A/PROD": f"the tag A/PROD names commit {before[:12]}, where there is no process A",
        "refs/tags/B/PROD": "the tag B/PROD names no commit that is here",
    }
    assert plant.unsynced() == {"C": "no tag PROD, so it is not scheduled"}
    plant.tag("PROD", "HEAD^{tree}")
    assert plant.unsynced() == {}
    assert len(plant.index.problems()) == 3


def test_a_tag_named_as_a_process_is_not_the_repositorys(plant: Plant) -> None:
    plant.commit({"PROD": process("one"), "A": process("one")})
    plant.tag("PROD")
    assert plant.versions() == {}


def test_a_tag_off_the_history_runs_without_a_version(plant: Plant) -> None:
    plant.commit({"A": process("one")})
    plant.workshop.git("checkout", "-q", "-b", "hotfix")
    plant.commit({"A": process("mended"), "B": process("only there")})
    plant.tag("A/PROD")
    plant.tag("B/PROD")
    plant.workshop.git("checkout", "-q", "main")
    assert plant.versions() == {"A": (None, "mended")}, "what the branch never had is none of ours"


def test_many_tags_at_many_commits(plant: Plant) -> None:
    commits = [plant.commit({f"P{number}": process("one")}) for number in range(12)]
    for number, commit in enumerate(commits):
        plant.tag(f"P{number}/PROD", commit)
    plant.commit({f"P{number}": process("two") for number in range(12)})
    assert plant.versions() == {f"P{number}": (1, "one") for number in range(12)}


def test_packed_tags_are_found_as_well(plant: Plant) -> None:
    plant.commit({"A": process("one")})
    plant.tag("A/PROD")
    subprocess.run(["git", "pack-refs", "--all"], cwd=plant.workshop.root, check=True)
    assert plant.versions() == {"A": (1, "one")}
