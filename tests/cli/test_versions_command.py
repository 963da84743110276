"""``procctl versions``, ``tags`` and ``get KEY@REF``: what a process was, by number, tag and commit."""

import contextlib
import importlib
import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler import instant, marks
from reconciler.cli import beside, commands, reading
from reconciler.repo.repository import open_repository
from reconciler.store import claims, files, past
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.sync import parsing
from reconciler.web import resources

PATH = "processes/A.yaml"


def body(number: int) -> str:
    return f"script: a.sh\ndescription: state {number}\n"


@pytest.fixture
def root(workshop: Any) -> Path:
    """A process of three versions, the first of them tagged."""
    workshop.commit({PATH: body(1), "processes/scripts/a.sh": "#!/bin/sh\n"}, "One")
    workshop.git("tag", "-a", "-m", "Let it run\n\nat last", "A/PROD")
    workshop.commit({PATH: body(2)}, "Zwei größere")
    workshop.commit({PATH: body(3)}, "Three")
    found: Path = workshop.root
    return found


def index_of(root: Path) -> Index:
    repo = open_repository(root, os.environ)
    layout = Layout.of(repo.common_dir, root / "executions", "production")
    return Index.open_readonly(layout.index, environment="production")


def mark(root: Path, text: str, number: int) -> str:
    """Write a mark about a version of A."""
    index = index_of(root)
    found = next(one for one in index.versions("A") if one.number == number)
    index.close()
    line: str = getattr(marks, text)(found)
    return line


def test_versions_come_newest_first_with_tags(here: Any, root: Path) -> None:
    lines = here("versions", "A", cwd=root).stdout.splitlines()
    assert lines[0].split() == ["VERSION", "COMMIT", "AUTHOR", "TIME", "TAGS", "SUBJECT"]
    assert [line.split()[0] for line in lines[1:]] == ["3", "2", "1"]
    assert "Zwei größere" in lines[2]
    assert "PROD" in lines[3]
    assert "Ada Lovelace" in lines[3]
    assert here("versions", "A", "-o", "name", cwd=root).stdout.split() == ["A@3", "A@2", "A@1"]


def test_json_is_what_the_http_view_answers(here: Any, root: Path, workshop: Any) -> None:
    here("versions", "A", cwd=root)
    workshop.commit({}, f"Away\n\n{mark(root, 'delete', 2)}")
    live = json.loads(here("versions", "A", "-o", "json", cwd=root).stdout)
    every = json.loads(here("versions", "A", "--deleted", "-o", "json", cwd=root).stdout)
    tagged = json.loads(here("get", "A@PROD", "-o", "json", cwd=root).stdout)
    index, repo = index_of(root), open_repository(root, os.environ)
    assert live == resources.history(index, repo, "A").items
    assert every == resources.history(index, repo, "A", [("_deleted", "true")]).items
    assert (len(live), len(every), tagged["_tag"]) == (2, 3, ["PROD"])
    index.close()


def test_deleted_versions_say_why(here: Any, root: Path, workshop: Any) -> None:
    here("versions", "A", cwd=root)
    commit = workshop.commit({PATH: body(2)}, f"Back\n\n{mark(root, 'rollback', 3)}")
    assert [line.split()[0] for line in here("versions", "A", cwd=root).stdout.splitlines()[1:]] == ["2", "1"]
    shown = here("versions", "A", "--deleted", cwd=root).stdout
    assert f"rolled back by {commit[:12]}" in shown
    gone = here("get", "A@3", cwd=root, code=1)
    assert f"A@3 was rolled back by {commit[:12]}" in gone.stderr
    assert "procctl versions A --deleted" in gone.stderr
    workshop.commit({PATH: None}, "Remove")
    for command in (("versions", "A"), ("get", "A"), ("get", "A@1"), ("get", "A@PROD"), ("tags", "A")):
        assert "was removed with its file by" in here(*command, cwd=root, code=1).stderr, command
    assert len(here("versions", "A", "--deleted", cwd=root).stdout.splitlines()) == 4


def test_a_mark_that_does_not_hold_is_told(here: Any, root: Path, workshop: Any) -> None:
    line = "Procctl-Rollback: A@9 0123456789ab"
    commit = workshop.commit({}, f"By hand\n\n{line}")
    done = here("versions", "A", cwd=root)
    assert f"commit {commit[:12]}: the mark `{line}` does not hold" in done.stderr
    assert [row.split()[0] for row in done.stdout.splitlines()[1:]] == ["3", "2", "1"]
    workshop.commit({"processes/B.yaml": body(1)})
    assert "does not hold" not in here("versions", "B", cwd=root).stderr


def test_all_tags_with_what_they_name(here: Any, root: Path, workshop: Any) -> None:
    workshop.git("tag", "V1")
    workshop.git("tag", "A/FILE", "HEAD:processes/A.yaml")
    workshop.git("tag", "other/x")
    documents = json.loads(here("tags", "-o", "json", cwd=root).stdout)
    shown = [(one["name"], one["tag"], one["version"]) for one in documents]
    assert shown == [(None, "V1", None), ("A", "FILE", None), ("A", "PROD", 1), ("other", "x", None)]
    prod = documents[2]
    assert (prod["tagger"], prod["message"], prod["ref"]) == (
        "Ada Lovelace",
        "Let it run\n\nat last",
        "refs/tags/A/PROD",
    )
    assert prod["commit"] == workshop.git("rev-parse", "HEAD~2")
    own = json.loads(here("tags", "A", "-o", "json", cwd=root).stdout)
    assert [(one["tag"], one["version"]) for one in own] == [("FILE", None), ("PROD", 1), ("V1", 3)]
    assert here("tags", "-o", "name", cwd=root).stdout.split() == ["V1", "A/FILE", "A/PROD", "other/x"]
    table = here("tags", cwd=root).stdout
    assert "Let it run" in table
    assert "at last" not in table


def test_tags_outlive_a_rename(here: Any, root: Path, workshop: Any) -> None:
    workshop.commit({PATH: None, "processes/B.yaml": body(3)}, f"Rename\n\n{marks.rename('A', 'B')}")
    assert [row.split()[:3] for row in here("tags", cwd=root).stdout.splitlines()[1:]] == [["B", "PROD", "1"]]
    assert json.loads(here("get", "B@PROD", "-o", "json", cwd=root).stdout)["description"] == "state 1"
    assert "renamed to B" in here("versions", "A", cwd=root, code=1).stderr


def test_without_tags_it_says_how_to_make_one(here: Any, workshop: Any) -> None:
    workshop.commit({PATH: body(1)})
    assert "procctl tag" in here("tags", cwd=workshop.root).stdout
    assert json.loads(here("tags", "-o", "json", cwd=workshop.root).stdout) == []


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (("versions", "B"), 1, "there is no process B"),
        (("versions", "a"), 1, "did you mean A?"),
        (("versions", "A@1"), 2, "is one version"),
        (("versions", "../A"), 2, "no name of a process"),
        (("versions",), 2, "Missing argument"),
        (("tags", "B"), 1, "there is no process B"),
        (("tags", "A@PROD"), 2, "is one version"),
        (("get", "A@PROT"), 1, "did you mean A@PROD?"),
    ],
)
def test_what_is_not_there_is_a_clear_error(
    here: Any, root: Path, command: tuple[str, ...], code: int, says: str
) -> None:
    done = here(*command, cwd=root, code=code)
    assert says in done.stderr
    assert done.stdout == ""


class TestTheShortWay:
    @pytest.fixture(autouse=True)
    def _closed(self, here: Any, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Bring the index up to date, then let the long way fail."""
        here("versions", "A", cwd=root)

        def closed(name: str) -> Any:
            if name.endswith(".beside"):
                return beside
            raise AssertionError(f"{name} was loaded")

        monkeypatch.setattr(commands, "chosen_repo", lambda: root)
        monkeypatch.setattr(importlib, "import_module", closed)

    def open(self, root: Path, monkeypatch: pytest.MonkeyPatch, ref: str | None, environment: str | None) -> str:
        """Read on the short way; gives the environment."""
        monkeypatch.chdir(root)
        with reading.reading(ref, environment) as at:
            return at.index.environment

    def test_it_is_taken_where_all_is_up_to_date(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.open(root, monkeypatch, None, None) == "production"
        assert self.open(root, monkeypatch, "main", "production") == "production"

    def test_a_new_commit_goes_the_long_way(self, root: Path, monkeypatch: pytest.MonkeyPatch, workshop: Any) -> None:
        workshop.commit({"README": "x"})
        with pytest.raises(AssertionError, match="workspace was loaded"):
            self.open(root, monkeypatch, None, None)

    @pytest.mark.parametrize(("ref", "away"), [("refs/heads/main", 0), ("refs/heads/side", 0), ("refs/heads/main", 90)])
    def test_beside_a_reconciler_what_it_applied_is_enough(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, ref: str, away: int
    ) -> None:
        layout = Layout.of(root / ".git", None, "production")
        with contextlib.closing(Index.open(layout.index, environment="production", release=parsing.release())) as index:
            index.set_meta("shown", "")  # as where a tag is followed
        turned = instant.text(datetime.now(UTC) - timedelta(seconds=away))
        document = {"pid": os.getpid(), "host": socket.gethostname(), "boot": claims.boot_id(), "turned": turned}
        files.replace(layout.daemon_file, json.dumps(document | {"ref": ref}).encode(), durable=False)
        if ref == "refs/heads/main" and not away:
            assert self.open(root, monkeypatch, None, None) == "production"
        else:
            with pytest.raises(AssertionError, match="workspace was loaded"):
                self.open(root, monkeypatch, None, None)

    def test_so_does_another_branch(self, root: Path, monkeypatch: pytest.MonkeyPatch, workshop: Any) -> None:
        workshop.git("branch", "side")
        with pytest.raises(AssertionError, match="workspace was loaded"):
            self.open(root, monkeypatch, "side", None)

    def test_so_does_another_environment(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(AssertionError, match="workspace was loaded"):
            self.open(root, monkeypatch, None, "test")

    def test_so_does_no_index(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for path in (root / ".git" / "procctl" / "cache").iterdir():
            path.unlink()
        with pytest.raises(AssertionError, match="workspace was loaded"):
            self.open(root, monkeypatch, None, None)


def test_settings_are_found_on_either_way(here: Any, root: Path, workshop: Any) -> None:
    workshop.commit({"procctl.yaml": "environment: test\nbranch: main\n"})
    for _ in range(2):
        assert "in test" in here("versions", "A", cwd=root).stderr
    workshop.commit({"procctl.yaml": "environment: [\n"})
    for _ in range(2):
        assert "in test" in here("versions", "A", cwd=root).stderr


def test_the_short_way_leads_to_the_very_index(tmp_path: Path) -> None:
    assert past.path_of(tmp_path) == Layout.of(tmp_path, None, "production").index


def test_the_short_way_loads_nothing_that_takes_long(root: Path, here: Any) -> None:
    here("versions", "A", cwd=root)
    program = "import sys\nfrom reconciler.cli import main\nmain(['versions', 'A'])\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1].split()[0] == "3"
    loaded = set(done.stdout.splitlines()[-1].split())
    heavy = {"git", "jinja2", "jsonschema", "multiprocessing", "starlette", "uvicorn", "watchfiles", "yaml", "zoneinfo"}
    ours = {"cli.workspace", "execution", "query", "schedule", "store.layout", "sync.applying", "validation"}
    assert loaded & (heavy | {f"reconciler.{module}" for module in ours}) == set()
