"""Loading a commit: bad files beside good ones, the cache, the pool, settings, and the branch to follow."""

import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import LaterError, UserError
from reconciler.repo.repository import Repository, open_repository
from reconciler.settings import Settings
from reconciler.snapshot import File
from reconciler.store import schemas
from reconciler.store.index import Index
from reconciler.sync import parsing, pool, snapshots, worker
from reconciler.sync.parsing import Parser

GOOD = "script: x.sh\n"
SCRIPT = {"processes/scripts/x.sh": "#!/bin/sh\n"}


@pytest.fixture
def repo(workshop: Any) -> Repository:
    return open_repository(workshop.root, os.environ)


def opened(tmp_path: Path, release: str | None = None) -> Index:
    return Index.open(tmp_path / "index.sqlite", environment="test", release=release or parsing.release())


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    made = opened(tmp_path)
    yield made
    made.close()


def lose_blobs(workshop: Any) -> None:
    """Remove every blob from the repository: nothing can be parsed anew."""
    for line in workshop.git("cat-file", "--batch-all-objects", "--batch-check").splitlines():
        id_, kind, _ = line.split()
        if kind == "blob":
            (workshop.root / ".git" / "objects" / id_[:2] / id_[2:]).unlink()


BOMBS = {
    "alias": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "nested": "[" * 100_000,
    "large": "x: " + "y" * (10 << 20),
    "bytes": b"script: \xff\xfe\n",
    "nul": b"script: x\x00.sh\n",
    "text": "just text",
    "empty": "",
}


def test_bad_files_are_told_and_their_neighbours_load(workshop: Any, repo: Repository, index: Index) -> None:
    files = {f"processes/{name}.yaml": text for name, text in BOMBS.items()}
    first = workshop.commit({**SCRIPT, **files, "processes/GOOD.yaml": GOOD, "processes/deep/ünï/ALSO.yml": GOOD})
    (workshop.root / "processes" / "LINK.yaml").symlink_to("GOOD.yaml")
    workshop.git("add", "-A")
    workshop.git("update-index", "--add", "--cacheinfo", f"160000,{first},processes/SUB.yaml")
    workshop.git("commit", "-q", "-m", "more")
    snapshot = snapshots.load(repo, index, workshop.git("rev-parse", "HEAD"))
    assert {name for name, one in snapshot.processes.items() if one.valid} == {"GOOD", "ALSO"}
    assert snapshot.processes.keys() == {*BOMBS, "GOOD", "ALSO", "LINK", "SUB"}
    assert snapshot.resolve("ALSO").scripts_tree == workshop.git("rev-parse", "HEAD:processes/scripts")
    for name in (*BOMBS, "LINK", "SUB"):
        assert snapshot.processes[name].problems, name


def test_what_was_parsed_once_is_never_read_again(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    files = {"processes/A.yaml": GOOD, "processes/B.yaml": "script: [\n", "processes/workflows/wf.yaml": "phases: 1\n"}
    commit = workshop.commit({**SCRIPT, **files, "procctl.yaml": "timezone: Europe/Berlin\n"})
    first = opened(tmp_path)
    loaded = snapshots.load(repo, first, commit)
    first.close()
    lose_blobs(workshop)
    again = opened(tmp_path)
    restarted = snapshots.load(repo, again, commit)
    assert restarted == loaded
    assert restarted.processes["A"].process == loaded.processes["A"].process
    again.close()
    other = opened(tmp_path, "another release")
    with pytest.raises(UserError, match="cannot be read"):
        snapshots.load(repo, other, commit)
    other.close()


def test_places_survive_the_cache(workshop: Any, repo: Repository, tmp_path: Path) -> None:
    commit = workshop.commit({"processes/A.yaml": "description: x\nscript: nowhere.sh\n"})
    problems = []
    for _ in range(2):
        index = opened(tmp_path)
        problems.append(snapshots.load(repo, index, commit).problems)
        index.close()
    assert problems[0] == problems[1]
    assert (problems[1][0].line, problems[1][0].column) == (2, 9)


def test_without_an_index_it_only_takes_longer(workshop: Any, repo: Repository, index: Index) -> None:
    commit = workshop.commit({**SCRIPT, "processes/A.yaml": GOOD, "processes/B.yaml": "x: 1\n"})
    assert snapshots.load(repo, None, commit) == snapshots.load(repo, index, commit)
    later = workshop.commit({"processes/B.yaml": GOOD})
    assert snapshots.update(snapshots.load(repo, None, commit), repo, None, later) == snapshots.load(repo, index, later)
    assert snapshots.part(repo, None, later, ["A"]).processes.keys() == {"A"}


def test_an_edit_of_one_process_reads_that_one(workshop: Any, repo: Repository, index: Index) -> None:
    flow = {"processes/workflows/wf.yaml": "phases: [{name: X, script: x.sh}]\n", "processes/W.yaml": "workflow: wf\n"}
    snapshot = snapshots.load(
        repo, index, workshop.commit({**SCRIPT, **flow, "processes/A.yaml": GOOD, "processes/B.yaml": "script: [\n"})
    )
    commit = workshop.commit({"processes/A.yaml": GOOD + "retries: 1\n", "processes/deep/N.yaml": GOOD, "README": "x"})
    updated = snapshots.update(snapshot, repo, index, commit)
    assert updated == snapshots.load(repo, index, commit)
    assert updated.processes["B"] is snapshot.processes["B"]
    assert updated.processes["W"] is snapshot.processes["W"]
    gone = workshop.commit({"processes/A.yaml": None})
    assert snapshots.update(updated, repo, index, gone).processes.keys() == {"B", "W", "N"}


def test_many_files_are_shared_out_and_come_back_in_order(workshop: Any, repo: Repository, index: Index) -> None:
    files = {f"processes/P{number:03d}.yaml": GOOD + f"retries: {number % 7}\n" for number in range(parsing.MANY + 60)}
    files["processes/P013.yaml"] = "[" * 100_000
    commit = workshop.commit({**SCRIPT, **files})
    snapshot = snapshots.load(repo, index, commit, workers=2)
    alone = snapshots.load(repo, None, commit, workers=1)
    assert snapshot == alone
    assert [name for name, one in snapshot.processes.items() if not one.valid] == ["P013"]
    assert gc.isenabled()


def test_the_pool_needs_no_more_than_there_is_to_do() -> None:
    batches = [[(f"processes/P{number}.yaml", GOOD.encode())] for number in range(3)]
    assert pool.spread(batches, 2) == [worker.check(batch) for batch in batches]
    assert pool.spread([], 2) == []


def test_a_worker_that_is_killed_is_said() -> None:
    mine = set(children())

    def kill() -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for pid in set(children()) - mine:
                if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text():
                    os.kill(pid, signal.SIGKILL)
                    return
            time.sleep(0.005)

    killer = threading.Thread(target=kill)
    killer.start()
    batches = [[(f"processes/P{number}.yaml", b"x" * 100_000)] for number in range(40)]
    with pytest.raises(LaterError, match=r"was killed.*memory"):
        pool.spread(batches, 1)
    killer.join()


def children() -> list[int]:
    found = []
    for task in Path("/proc/self/task").iterdir():
        found += [int(pid) for pid in (task / "children").read_text().split()]
    return found


def test_files_that_are_no_configuration_are_not_asked_for(repo: Repository) -> None:
    parser = Parser(repo, None)
    paths = [("processes/scripts/x.yaml", "100644"), ("processes/A", "100644"), ("processes/A.yaml", "120000")]
    parser.prepare(File(path, mode, "0" * 40, -1) for path, mode in paths)
    assert parser._known == {}


def test_the_release_follows_from_program_and_schemas(monkeypatch: pytest.MonkeyPatch) -> None:
    before = parsing.release()
    assert before == schemas.release.__wrapped__()
    monkeypatch.setattr(schemas, "__version__", "9.9.9")
    assert schemas.release.__wrapped__() != before
    parsing.warm()


def test_broken_settings_leave_the_last_valid_ones(workshop: Any, repo: Repository, index: Index) -> None:
    assert snapshots.load(repo, index, workshop.commit({"README": "x"})).settings == Settings()
    berlin = Settings(timezone="Europe/Berlin")
    workshop.commit({"procctl.yaml": "timezone: Europe/Berlin\n"})
    for broken in ("timezone: [", "timezone: Mars/Phobos\n", "unknown: 1\n"):
        commit = workshop.commit({"procctl.yaml": broken})
        snapshot = snapshots.load(repo, index, commit)
        assert snapshot.settings == berlin
        assert snapshot.settings_problems
        assert snapshots.settings_at(repo, index, commit) == snapshots.settings_at(repo, None, commit) == berlin
    commit = workshop.commit({"procctl.yaml": None})
    assert snapshots.load(repo, index, commit).settings == Settings() == snapshots.settings_at(repo, index, commit)
    assert snapshots.settings_at(repo, index, workshop.commit({"procctl.yaml": "x: ["})) == Settings()
    (workshop.root / "procctl.yaml").unlink()
    (workshop.root / "procctl.yaml").symlink_to("README")
    commit = workshop.commit({})
    assert snapshots.settings_at(repo, index, commit) == snapshots.load(repo, index, commit).settings == Settings()
    (workshop.root / "procctl.yaml").unlink()
    assert snapshots.settings_at(repo, index, workshop.commit({"procctl.yaml/x": "a folder"})) == Settings()


def test_settings_that_were_never_valid_are_the_defaults(workshop: Any, repo: Repository, index: Index) -> None:
    commit = workshop.commit({"procctl.yaml": "["})
    assert snapshots.load(repo, index, commit).settings == Settings()
    commit = workshop.commit({"procctl.yaml": "catchup_window: 2d\n"})
    updated = snapshots.load(repo, index, commit)
    assert updated.settings.catchup_window == timedelta(days=2)
    commit = workshop.commit({"procctl.yaml": "catchup_window: soon\n"})
    assert snapshots.update(updated, repo, index, commit).settings.catchup_window == timedelta(days=2)


def test_the_branch_to_follow_is_read_where_head_is(workshop: Any, repo: Repository, index: Index) -> None:
    workshop.commit({"procctl.yaml": "branch: release\n"})
    with pytest.raises(UserError, match=r"procctl\.yaml: there is no branch 'release'"):
        snapshots.follow(repo, index, None)
    assert snapshots.follow(repo, index, "main").branch == "main"
    workshop.git("branch", "release")
    workshop.commit({"procctl.yaml": "branch: [\n"})
    for one in (index, None):
        assert snapshots.follow(repo, one, None).branch == "release", "a broken file leaves its last valid version"
    workshop.git("checkout", "-q", "--detach")
    assert snapshots.follow(repo, index, None).ref == "refs/heads/release"
