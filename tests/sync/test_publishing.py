"""Finished records travel to the branch: each once, in readable commits, with the state of schedules."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.decision import Track
from reconciler.errors import LaterError
from reconciler.execution import Outcome
from reconciler.repo import publish
from reconciler.store import records as record_files
from reconciler.store import schedules
from reconciler.store.layout import Layout
from reconciler.store.schedules import State
from reconciler.sync import publishing

SLOT = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)
STATE = State("a" * 40, "refs/heads/main", {"ECB_FX": Track({"timezone": "UTC"}, SLOT, SLOT)})


def test_ended_records_are_published_byte_for_byte(archive: Any) -> None:
    first = archive.ended()
    second = archive.ended(Outcome.FAILED, name="TEST", trigger_time=SLOT + timedelta(seconds=9))
    archive.write(archive.make())
    published = archive.publish()
    assert published.count == 2
    assert archive.branch() == {archive.path(one): archive.data(one) for one in (first, second)}
    assert archive.subjects() == ["ECB_FX success, TEST failed"]
    assert published.commit == archive.repo.git.run("rev-parse", publish.BRANCH).decode().strip()
    assert archive.publish() == publishing.Published()
    assert archive.table() == archive.rebuilt()


def test_worktree_and_index_of_git_stay_as_they_are(archive: Any, workshop: Any) -> None:
    workshop.write("README.md", "an edit, not committed\n")
    workshop.write("staged", "staged\n")
    workshop.git("add", "staged")
    before = [workshop.git(*asked) for asked in (("status", "--porcelain=v2", "--branch"), ("stash", "list"))]
    archive.ended()
    archive.publish()
    assert [workshop.git(*asked) for asked in (("status", "--porcelain=v2", "--branch"), ("stash", "list"))] == before


def test_a_long_queue_goes_in_batches(archive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "BATCH", 3)
    made = [archive.ended(trigger_time=SLOT + timedelta(seconds=number)) for number in range(7)]
    counts = []
    while count := archive.publish().count:
        counts.append(count)
    assert counts == [3, 3, 1]
    assert archive.branch() == {archive.path(one): archive.data(one) for one in made}
    assert archive.subjects() == ["ECB_FX success", "ECB_FX success (3)", "ECB_FX success (3)"]


def test_records_of_another_environment_are_left_to_its_own_reconciler(archive: Any) -> None:
    foreign = archive.ended(environment="staging")
    assert archive.publish().count == 0
    mine = archive.ended()
    archive.publish()
    assert list(archive.branch()) == [archive.path(mine)]
    assert archive.index.execution(foreign.id).published is False


def test_the_state_travels_with_each_commit_that_finds_it_changed(archive: Any) -> None:
    archive.ended()
    archive.publish()
    assert "state/production.json" not in archive.branch()
    schedules.write(archive.layout, STATE)
    archive.ended()
    archive.publish()
    assert schedules.decode(archive.branch()["state/production.json"]) == STATE
    archive.ended()
    commit = archive.publish().commit
    touched = archive.repo.git.run("show", "--format=", "--name-only", commit).decode().split()
    assert len(touched) == 1
    assert schedules.decode(archive.branch()["state/production.json"]) == STATE


def test_a_crash_after_the_branch_moved_publishes_nothing_twice(archive: Any) -> None:
    execution = archive.ended()
    archive.publish()
    archive.index.mark_unpublished([archive.path(execution)])
    archive.index.set_seen(None)  # as it stands when the process dies before it notes anything
    assert archive.publish() == publishing.Published(1, None)
    assert archive.paths() == {archive.path(execution): True}
    assert len(archive.subjects()) == 1


def test_nothing_is_noted_before_the_branch_has_moved(archive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.ended()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publish, "commit", die)
        with pytest.raises(KeyboardInterrupt):
            archive.publish()
    assert archive.index.count_unpublished("production") == 1
    assert archive.publish().count == 1


def test_another_writer_who_was_first_is_built_upon(archive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = publish.commit
    rivals = [{"2021/07/01/OTHER/163000-00000000.json": b"theirs"}, {"state/staging.json": b"{}"}]

    def late(*arguments: Any) -> str | None:
        """Let a rival publish between the look at the tip and the commit."""
        if rivals:
            assert real(archive.repo, publish.tip(archive.repo), publish.Batch(rivals.pop(), "theirs", SLOT))
        return real(*arguments)

    archive.ended()
    archive.publish()
    execution = archive.ended()
    monkeypatch.setattr(publish, "commit", late)
    assert archive.publish().count == 1
    assert len(archive.branch()) == 4
    assert archive.branch()[archive.path(execution)] == archive.data(execution)
    assert archive.subjects() == ["ECB_FX success", "theirs", "theirs", "ECB_FX success"]


def test_where_others_are_first_every_time_it_is_told_and_tried_later(
    archive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.ended()
    with monkeypatch.context() as patch:
        patch.setattr(publish, "commit", lambda *_: None)
        with pytest.raises(LaterError, match="first each time"):
            archive.publish()
    assert archive.publish().count == 1


def test_a_lock_that_a_killed_git_left_costs_delay_and_no_record(archive: Any, workshop: Any) -> None:
    first, second = archive.ended(), archive.ended()
    archive.publish()
    third = archive.ended()
    lock = workshop.write(".git/refs/heads/executions.lock", "")
    with pytest.raises(LaterError, match="tried again"):
        archive.publish()
    assert archive.paths()[archive.path(third)] is False
    assert set(archive.branch()) == {archive.path(first), archive.path(second)}
    assert list((workshop.root / ".git").glob("fast_import_crash_*")) == []
    lock.unlink()
    assert archive.publish().count == 1
    assert archive.branch()[archive.path(third)] == archive.data(third)


def test_a_branch_that_was_deleted_begins_anew_and_takes_what_waits(archive: Any, workshop: Any) -> None:
    archive.ended()
    archive.publish()
    waiting = archive.ended()
    workshop.git("branch", "-D", "executions")
    assert archive.publish().count == 1
    assert archive.branch() == {archive.path(waiting): archive.data(waiting)}


def test_while_the_branch_is_checked_out_records_wait(archive: Any, workshop: Any) -> None:
    archive.ended()
    archive.publish()
    workshop.git("switch", "-q", "executions")
    archive.ended()
    with pytest.raises(LaterError, match="checked out"):
        archive.publish()
    assert archive.index.count_unpublished("production") == 1
    workshop.git("switch", "-q", "main")
    assert archive.publish().count == 1


def test_a_record_whose_file_changed_unnoticed_is_read_again_first(archive: Any) -> None:
    execution = archive.ended()
    newer = archive.ran(archive.make(id=execution.id, service="NEWER"))
    record_files.write(archive.layout, newer, durable=False)
    archive.publish()
    assert archive.branch() == {archive.path(newer): archive.data(newer)}


def test_a_record_whose_file_is_lost_or_broken_is_published_from_the_index(archive: Any) -> None:
    lost, broken = archive.ended(), archive.ended()
    archive.layout.record(lost).unlink()
    archive.layout.record(broken).write_text("foreign")
    assert archive.publish().count == 2
    assert archive.branch() == {archive.path(one): archive.data(one) for one in (lost, broken)}
    archive.layout.record(broken).unlink()


PUBLISHER = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from reconciler.repo.repository import open_repository
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.sync import publishing
repo = open_repository(Path(sys.argv[1]), os.environ)
layout = Layout.of(repo.common_dir, Path(sys.argv[1], "executions"), sys.argv[2])
index = Index.open(layout.index, environment=sys.argv[2], release="1")
publishing.BATCH = 4
print("ready", flush=True)
sys.stdin.readline()
while publishing.publish_batch(index, layout, repo, datetime.now(UTC)).count:
    pass
"""


def test_two_reconcilers_that_publish_at_once_lose_nothing(archive: Any) -> None:
    made = [
        archive.ended(environment=environment, trigger_time=SLOT + timedelta(seconds=number))
        for environment in ("production", "staging")
        for number in range(20)
    ]
    command = [sys.executable, "-c", PUBLISHER, str(archive.root)]
    both = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in ("production", "staging")
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in both:
        assert process.communicate(timeout=60)[1] == b""
    assert archive.branch() == {archive.path(one): archive.data(one) for one in made}
    assert archive.table() == archive.rebuilt()


@pytest.mark.parametrize(
    ("groups", "subject"),
    [
        ([("ECB_FX", "success", 1)], "ECB_FX success"),
        ([("ECB_FX", "success", 1), ("TEST", "failed", 1)], "ECB_FX success, TEST failed"),
        ([("ECB_FX", "success", 3), ("TEST", "timeout", 1)], "ECB_FX success (3), TEST timeout"),
        (
            [(f"PROCESS_{number}", "success", 2) for number in range(50)] + [("LAST", "timeout", 1)],
            "PROCESS_0 success (2), PROCESS_1 success (2) and others: 100 success, 1 timeout",
        ),
        ([("A" * 128, "success", 1)], "1 success"),
    ],
)
def test_a_commit_says_what_it_holds(archive: Any, groups: list[tuple[str, str, int]], subject: str) -> None:
    rows = []
    for name, outcome, count in groups:
        for number in range(count):
            at = SLOT + timedelta(seconds=number)
            archive.ended(Outcome(outcome), name=name, trigger_time=at)
    rows = archive.index.executions(order="rowid", limit=-1)
    said = publishing.message(rows)
    first, _, body = said.partition("\n\n")
    assert first == subject
    assert len(first) <= 120
    if body:
        assert len(body.splitlines()) == len(groups)


def test_a_lost_state_is_taken_over_from_the_branch(archive: Any) -> None:
    schedules.write(archive.layout, STATE)
    assert publishing.restore_state(archive.layout, archive.repo) == publishing.Restored()
    archive.ended()
    archive.publish()
    archive.layout.schedules.unlink()
    restored = publishing.restore_state(archive.layout, archive.repo)
    assert restored.state == STATE
    assert "refs/heads/executions" in restored.warning
    assert schedules.read(archive.layout) == STATE


def test_a_clone_takes_the_state_over_from_the_remotes_branch(archive: Any) -> None:
    schedules.write(archive.layout, STATE)
    archive.ended()
    archive.publish()
    git = archive.repo.git.run
    git("update-ref", "refs/remotes/upstream/executions", "refs/heads/executions")
    git("update-ref", "-d", "refs/heads/executions")
    archive.layout.schedules.unlink()
    assert publishing.restore_state(archive.layout, archive.repo).state == STATE
    archive.ended()
    archive.publish()
    assert len(archive.subjects()) == 2  # the local branch goes on from the remote's


@pytest.mark.parametrize("there", [None, b"", b"{", b"{}", b'{"applied": null, "ref": null, "tracks": {"../x": {}}}'])
def test_without_a_sound_state_every_schedule_is_new_and_that_is_told(archive: Any, there: bytes | None) -> None:
    if there is not None:
        archive.rival({"state/production.json": there})
    restored = publishing.restore_state(archive.layout, archive.repo)
    assert restored.state is None
    assert "every schedule counts as new" in restored.warning
    assert not archive.layout.schedules.exists()


def test_the_state_of_another_environment_is_not_ours(archive: Any) -> None:
    archive.rival({"state/staging.json": schedules.encode(STATE)})
    assert publishing.restore_state(archive.layout, archive.repo).state is None
    staging = Layout.of(archive.repo.common_dir, archive.layout.records, "staging")
    assert publishing.restore_state(staging, archive.repo).state == STATE


@pytest.mark.parametrize("data", [b"", b"hello\n", b"\0" * 100_000])
def test_ids_of_bytes_are_gits(archive: Any, data: bytes) -> None:
    given = archive.repo.git.run("hash-object", "--stdin", given=data).decode().strip()
    assert publishing.blob_id(data, "0" * 40) == given
    assert len(publishing.blob_id(data, "0" * 64)) == 64
