"""The index may be lost, broken or replaced at any time, and nobody is misled by that."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from reconciler.errors import LaterError, NotFoundError, UserError
from reconciler.store import database
from reconciler.store.database import BrokenIndexError
from reconciler.store.index import Index
from reconciler.store.layout import Layout

Child = Callable[..., Popen[str]]


def opened(layout: Layout, environment: str = "production") -> Index:
    return Index.open(layout.index, environment=environment, release="1")


@pytest.fixture
def index(layout: Layout) -> Iterator[Index]:
    with contextlib.closing(opened(layout)) as made:
        yield made


def test_an_index_is_made_when_it_is_first_opened_and_kept(layout: Layout) -> None:
    with contextlib.closing(opened(layout)) as index:
        assert index.meta("applied") is None
        index.set_meta("applied", "abc")
    with contextlib.closing(opened(layout)) as index:
        assert index.meta("applied") == "abc"
        index.set_meta("applied", None)
        assert index.meta("applied") is None


def test_environments_remember_apart_and_share_what_they_share(layout: Layout, index: Index) -> None:
    with contextlib.closing(opened(layout, "staging")) as other:
        index.set_meta("applied", "abc")
        index.set_meta("filled", "1", shared=True)
        assert other.meta("applied") is None
        assert other.meta("filled", shared=True) == "1"
        assert other.filled


def test_a_connection_that_cannot_be_set_up_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def keeping(*args: Any, **options: Any) -> sqlite3.Connection:
        made.append(connect(*args, **options))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", keeping)
    monkeypatch.setattr(database, "SQL_FUNCTIONS", {"f": (10_000, len)})
    with pytest.raises(sqlite3.Error):
        database.connect(tmp_path / "index.sqlite", "rwc")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        made[0].execute("SELECT 1")


GARBAGE: dict[str, Callable[[Path], object]] = {
    "no database": lambda path: path.write_bytes(b"hello world" * 1000),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: os.truncate(path, 5000),
    "another program's": lambda path: overwrite(path, "CREATE TABLE songs (title)"),
    "another release's": lambda path: overwrite(path, "PRAGMA user_version = 999"),
    "a table lost": lambda path: overwrite(path, "DROP TABLE meta"),
}


def overwrite(path: Path, sql: str) -> None:
    if "songs" in sql:
        path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
        connection.commit()


@pytest.mark.parametrize("kind", GARBAGE)
def test_a_broken_index_is_begun_anew_and_a_reader_is_told(layout: Layout, kind: str) -> None:
    with contextlib.closing(opened(layout)) as index:
        index.set_meta("applied", "abc")
    GARBAGE[kind](layout.index)
    with pytest.raises(BrokenIndexError, match="reindex"):
        Index.open_readonly(layout.index, environment="production")
    with contextlib.closing(opened(layout)) as index:
        assert index.meta("applied") is None
        index.set_meta("applied", "new")
    with contextlib.closing(Index.open_readonly(layout.index, environment="production")) as reader:
        assert reader.meta("applied") == "new"


def test_an_index_that_breaks_in_use_says_so(layout: Layout) -> None:
    keys = [(f"blob {number}", f"path {number}") for number in range(2000)]
    with contextlib.closing(opened(layout)) as index:
        index.save_parsed({key: ({"script": "x" * 100}, ()) for key in keys})
    with contextlib.closing(opened(layout)) as index:
        size = layout.index.stat().st_size
        with layout.index.open("r+b") as file:
            file.seek(size // 2)
            file.write(b"\xff" * (size // 2))
        with pytest.raises(BrokenIndexError, match="procctl reindex"):
            index.parsed(keys)


def held_open(index: Path) -> list[str]:
    """The files of an index that this process has open; the door is no part of it."""
    links = (Path("/proc/self/fd", number) for number in os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are wanted
    targets = (os.readlink(link) for link in links if link.is_symlink())  # noqa: PTH115 - a target may be no path
    return [target for target in targets if Path(target).name.startswith(index.name)]


@pytest.mark.parametrize("kind", GARBAGE)
def test_what_cannot_be_opened_does_not_stay_open(layout: Layout, kind: str) -> None:
    opened(layout).close()
    GARBAGE[kind](layout.index)
    with pytest.raises(BrokenIndexError) as raised:
        Index.open_readonly(layout.index, environment="production")
    assert held_open(layout.index) == [], "while the traceback still holds all that was"
    assert raised.traceback
    with contextlib.closing(opened(layout)):
        assert held_open(layout.index)


def test_a_transaction_that_cannot_be_committed_ends(layout: Layout, index: Index) -> None:
    def overfill() -> None:
        with index.transaction():
            index.set_meta("applied", "x" * 100_000)

    pages = index._read("PRAGMA page_count")[0][0]
    index._write(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(LaterError, match="full"):
        overfill()
    index._write("PRAGMA max_page_count = 100000")
    with contextlib.closing(opened(layout)) as other:
        other.set_meta("ref", "nobody holds the index")
    overfill()
    assert index.meta("ref") == "nobody holds the index"


def test_a_transaction_in_an_index_that_is_closed_fails_as_what_closed_it(index: Index) -> None:
    def fail() -> None:
        with index.transaction():
            index.close()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


def test_a_reader_needs_an_index_and_cannot_write(layout: Layout) -> None:
    with pytest.raises(NotFoundError, match="reindex"):
        Index.open_readonly(layout.index, environment="production")
    opened(layout).close()
    with contextlib.closing(Index.open_readonly(layout.index, environment="production")) as reader:
        with pytest.raises(UserError):
            reader.set_meta("applied", "abc")
        assert reader.meta("applied") is None


def test_a_reader_sees_what_was_committed_and_nothing_before(layout: Layout, index: Index) -> None:
    with contextlib.closing(Index.open_readonly(layout.index, environment="production")) as reader:
        with index.transaction():
            index.set_meta("applied", "abc")
            assert reader.meta("applied") is None
        assert reader.meta("applied") == "abc"


def test_a_transaction_happens_as_a_whole_or_not_at_all(index: Index) -> None:
    index.set_meta("applied", "old")

    def fail() -> None:
        with index.transaction():
            index.set_meta("applied", "new")
            with index.transaction():
                index.set_meta("ref", "new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert index.meta("applied") == "old"
    assert index.meta("ref") is None
    with index.transaction():
        index.set_meta("applied", "newer")
    assert index.meta("applied") == "newer"


def test_a_writer_that_waits_too_long_may_try_again(
    layout: Layout, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.store.database._PATIENCE", 0)
    with contextlib.closing(opened(layout)) as hasty, index.transaction():
        index.set_meta("applied", "abc")
        with pytest.raises(LaterError, match="locked"):
            hasty.set_meta("applied", "def")


def test_no_index_can_be_made_in_the_place_of_a_file(layout: Layout) -> None:
    layout.home.mkdir(parents=True)
    layout.cache.write_text("in the way")
    with pytest.raises(UserError, match="cannot be made"):
        opened(layout)


def test_a_deleted_cache_is_noticed_by_whoever_has_it_open(layout: Layout, index: Index) -> None:
    before = index.replaced
    shutil.rmtree(layout.cache)
    assert (before, index.replaced) == (False, True)
    index.set_meta("applied", "into the void")
    with contextlib.closing(opened(layout)) as fresh:
        assert fresh.meta("applied") is None
        assert index.replaced
        assert not fresh.replaced


def test_a_rebuilt_index_takes_the_place_of_the_old_one_at_once(layout: Layout, index: Index) -> None:
    index.set_meta("applied", "old")
    built = Index.build(layout.index, environment="production", release="1")
    built.set_meta("applied", "new")
    index.set_meta("ref", "lost")  # still unflushed in the log of the old one
    assert index.meta("applied") == "old"
    built.install(layout.index)
    assert index.replaced
    assert index.meta("applied") == "old"
    with contextlib.closing(opened(layout)) as fresh:
        assert fresh.meta("applied") == "new"
        assert fresh.meta("ref") is None
        index.set_meta("applied", "older")
        index.close()
        assert fresh.meta("applied") == "new"
    with contextlib.closing(opened(layout)) as again:
        assert again.meta("applied") == "new"
    assert sorted(path.name for path in layout.cache.iterdir()) == ["index.door", "index.sqlite"]


def test_a_rebuild_mends_what_is_broken(layout: Layout) -> None:
    layout.cache.mkdir(parents=True)
    layout.index.write_bytes(b"garbage")
    built = Index.build(layout.index, environment="production", release="1")
    built.install(layout.index)
    with contextlib.closing(Index.open_readonly(layout.index, environment="production")) as reader:
        assert reader.meta("applied") is None


KILLED_BUILDER = """
import os, signal, sys
from pathlib import Path
from reconciler.store.index import Index
index = Index.build(Path(sys.argv[1]), environment="production", release="1")
index.set_meta("applied", "half")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_of_a_killed_rebuild_nothing_is_used_and_the_next_one_clears_up(
    layout: Layout, index: Index, child: Child
) -> None:
    index.set_meta("applied", "old")
    child(KILLED_BUILDER, layout.index).communicate(timeout=60)
    assert index.meta("applied") == "old"
    assert not index.replaced
    assert len(list(layout.cache.glob("*.new"))) == 1
    Index.build(layout.index, environment="production", release="1").install(layout.index)
    assert list(layout.cache.glob("*.new")) == []


OPENER = """
import sys
from pathlib import Path
from reconciler.store.index import Index
print("ready", flush=True)
sys.stdin.readline()
index = Index.open(Path(sys.argv[1]), environment="production", release="1")
for number in range(20):
    index.set_meta(f"{sys.argv[2]} {number}", "here")
"""


@pytest.mark.parametrize("before", ["nothing", "garbage"])
def test_openers_at_the_same_moment_share_one_index(layout: Layout, child: Child, before: str) -> None:
    if before == "garbage":
        layout.cache.mkdir(parents=True)
        layout.index.write_bytes(b"garbage" * 1000)
    openers = [child(OPENER, layout.index, who) for who in range(4)]
    for process in openers:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in openers:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in openers:
        assert process.communicate(timeout=60)[1] == ""
    with contextlib.closing(opened(layout)) as index:
        missing = [(who, number) for who in range(4) for number in range(20) if index.meta(f"{who} {number}") is None]
    assert missing == []
