"""What is remembered until it changes: never an old answer, and git is asked no more often than need be."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.repo import tags
from reconciler.repo.git import Git
from reconciler.repo.repository import open_repository
from reconciler.repo.stamps import Memo, Seen, seen

FINE: tuple[Seen | None, ...] = ((1, 1_000_000_000_000_001, 1), None)
COARSE: tuple[Seen | None, ...] = ((1, 1_000_000_000_000_000, 1),)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("stamp", "wait"), [(FINE, 0.1), (COARSE, 2.5)])
def test_a_value_counts_once_it_was_read_after_its_stamp_had_settled(
    stamp: tuple[Seen | None, ...], wait: float
) -> None:
    clock = Clock()
    memo: Memo[str] = Memo(clock)
    assert memo.get("k", stamp) is None
    memo.put("k", stamp, "early", clock.now)
    assert memo.get("k", stamp) is None
    clock.now = wait
    memo.put("k", stamp, "not later than that", clock.now)
    assert memo.get("k", stamp) is None
    clock.now = wait + 0.001
    memo.put("k", stamp, "late", clock.now)
    assert memo.get("k", stamp) == "late"
    assert memo.get("k", (None,)) is None
    assert memo.get("other", stamp) is None
    memo.put("k", (None,), "moved", clock.now)
    assert memo.get("k", stamp) is None


@given(st.lists(st.tuples(st.sampled_from(["move", "read"]), st.floats(0, 0.2)), max_size=30))
def test_no_row_of_moves_and_reads_gives_an_old_answer(steps: list[tuple[str, float]]) -> None:
    """Times of files tick every 10 ms here: two moves within one tick leave the same stamp."""
    clock = Clock()
    memo: Memo[int] = Memo(clock)
    value, stamp = 0, 1
    for step, pause in steps:
        clock.now += pause
        if step == "move":
            value, stamp = value + 1, int(clock.now * 100) * 10_000_000 + 1
            continue
        at: tuple[Seen | None, ...] = ((1, stamp, 1),)
        known = memo.get("k", at)
        assert known in (None, value)
        if known is None:
            memo.put("k", at, value, clock.now)


def test_a_look_at_a_file(tmp_path: Path) -> None:
    assert seen(tmp_path / "none") is None
    (tmp_path / "a").write_text("a")
    before = seen(tmp_path / "a")
    assert before == seen(str(tmp_path / "a"))
    (tmp_path / "b").write_text("bb")
    (tmp_path / "b").replace(tmp_path / "a")
    assert seen(tmp_path / "a") != before


class TestTags:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
        """Note what git is asked for."""
        calls: list[tuple[str, ...]] = []
        ask = Git.ask

        def noting(self: Git, *args: str, **given_input: Any) -> Any:
            calls.append(args)
            return ask(self, *args, **given_input)

        monkeypatch.setattr(Git, "ask", noting)
        monkeypatch.setattr(tags, "_READ", Memo())
        return calls

    def settle(self, repo: Any, *keys: str) -> dict[str, Any]:
        """Read until it is remembered."""
        tags.of(repo, *keys)
        time.sleep(0.12)
        return tags.of(repo, *keys)

    def test_git_is_not_asked_where_there_are_none(self, workshop: Any, asked: list[tuple[str, ...]]) -> None:
        workshop.commit()
        repo = open_repository(workshop.root, os.environ)
        (workshop.root / ".git" / "refs" / "tags").rmdir()
        asked.clear()
        assert tags.of(repo, "A") == {}
        assert asked == []

    def test_git_is_asked_again_only_where_something_moved(self, workshop: Any, asked: list[tuple[str, ...]]) -> None:
        first, second = workshop.commit({"a": "1"}), workshop.commit({"a": "2"})
        for name in ("A/PROD", "B/PROD", "V1"):
            workshop.git("tag", name, first)
        repo = open_repository(workshop.root, os.environ)
        assert set(self.settle(repo, "A")) == {"A/PROD", "V1"}
        asked.clear()
        assert tags.of(repo, "A")["A/PROD"].commit == first
        assert asked == []
        workshop.git("tag", "-f", "B/PROD", second)
        assert set(tags.of(repo, "A")) == {"A/PROD", "V1"}
        assert asked == []
        for name in ("A/PROD", "V1"):
            workshop.git("tag", "-f", name, second)
            assert tags.of(repo, "A")[name].commit == second
        workshop.git("tag", "-d", "A/PROD")
        assert set(tags.of(repo, "A")) == {"V1"}
        workshop.git("pack-refs", "--all")
        assert set(tags.of(repo, "A", "B")) == {"V1", "B/PROD"}
        workshop.git("tag", "-d", "V1")
        assert set(self.settle(repo, "A", "B")) == {"B/PROD"}

    @pytest.mark.usefixtures("asked")
    def test_tags_that_move_at_once_are_never_missed(self, workshop: Any) -> None:
        commits = [workshop.commit({"a": str(number)}) for number in range(6)]
        workshop.git("tag", "A/PROD", commits[0])
        repo = open_repository(workshop.root, os.environ)
        self.settle(repo, "A")
        for commit in commits:
            workshop.git("tag", "-f", "A/PROD", commit)
            assert tags.of(repo, "A")["A/PROD"].commit == commit
            assert tags.of(repo, "A")["A/PROD"].commit == commit
