"""Files are whole or absent, whatever happens to their writer; a name is taken once."""

import errno
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.errors import LaterError, UserError
from reconciler.store import files

Child = Callable[..., "subprocess.Popen[str]"]

DATA = b"x" * 100_000


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if files.is_temporary(path.name)]


def test_a_file_is_created_with_its_folders(tmp_path: Path) -> None:
    target = tmp_path / "2021/07/01/ECB_FX/a.json"
    assert files.create(target, b"{}") is True
    assert target.read_bytes() == b"{}"
    assert [path.name for path in target.parent.iterdir()] == ["a.json"]
    assert target.stat().st_nlink == 1


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    assert files.create(tmp_path / "a", b"first") is True
    assert files.create(tmp_path / "a", b"second") is False
    assert (tmp_path / "a").read_bytes() == b"first"
    assert leftovers(tmp_path) == []


def test_a_symlink_takes_a_name_too_and_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    assert files.create(tmp_path / "a", b"mine") is False
    assert not (tmp_path / "elsewhere").exists()


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    assert files.create(tmp_path / "a", b"") is True
    assert files.read(tmp_path / "a", 10) == b""


def test_many_files_are_created_together(tmp_path: Path) -> None:
    files.create(tmp_path / "7/a", b"old")
    wanted = [(tmp_path / str(number) / "a", b"%d" % number) for number in range(250)]
    made = files.create_many([*wanted, (tmp_path / "3/a", b"again")])
    assert made == [number != 7 for number in range(250)] + [False]
    assert (tmp_path / "3/a").read_bytes() == b"3"
    assert (tmp_path / "7/a").read_bytes() == b"old"
    assert leftovers(tmp_path) == []


def test_twins_in_one_batch_are_made_once(tmp_path: Path) -> None:
    assert files.create_many([(tmp_path / "a", b"1"), (tmp_path / "a", b"2")]) == [True, False]
    assert (tmp_path / "a").read_bytes() == b"1"


def test_nothing_to_create_is_nothing_to_do() -> None:
    assert files.create_many([]) == []


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole(tmp_path: Path, *, durable: bool) -> None:
    target = tmp_path / "new/folder/a.json"
    files.replace(target, b"one", durable=durable)
    with target.open("rb") as old:
        files.replace(target, b"two", durable=durable)
        assert old.read() == b"one"
    assert target.read_bytes() == b"two"
    assert leftovers(tmp_path) == []


def test_a_replacement_takes_the_place_of_a_symlink_and_leaves_its_target_alone(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "a").symlink_to(tmp_path / "other")
    files.replace(tmp_path / "a", b"mine", durable=True)
    assert (tmp_path / "other").read_bytes() == b"other"
    assert not (tmp_path / "a").is_symlink()


@pytest.mark.parametrize("write", [files.create, lambda path, data: files.replace(path, data, durable=True)])
def test_a_file_in_the_place_of_a_folder_is_an_error_to_mend(
    tmp_path: Path, write: Callable[[Path, bytes], object]
) -> None:
    (tmp_path / "2021").write_text("in the way")
    target = tmp_path / "2021/07/a.json"
    with pytest.raises(OSError, match="Not a directory") as caught:
        write(target, b"{}")
    told = files.explain(caught.value, target)
    assert isinstance(told, UserError)
    assert str(target) in str(told)


def test_reading_has_a_limit_and_follows_no_symlink(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert files.read(tmp_path / "a", 5) == b"12345"
    with pytest.raises(ValueError, match="larger than 4 bytes"):
        files.read(tmp_path / "a", 4)
    with pytest.raises(OSError, match="symbolic links"):
        files.read(tmp_path / "link", 5)
    with pytest.raises(ValueError, match="no regular file"):
        files.read(tmp_path, 5)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="no regular file"):
        files.read(tmp_path / "pipe", 5)


WRITER = """
import os, signal, sys
from pathlib import Path
from reconciler.store import files
action, folder, call, half = sys.argv[1:]
write = os.write
def fatal(*arguments, **options):
    if half:
        write(arguments[0], bytes(arguments[1])[:50_000])
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, call, fatal)
path, data = Path(folder, "new/a.json"), b"x" * 100_000
files.create(path, data) if action == "create" else files.replace(path, data, durable=True)
"""


@pytest.mark.parametrize(
    ("action", "call", "half"),
    [("create", call, "") for call in ("mkdir", "open", "write", "fsync", "link", "close", "unlink")]
    + [("replace", call, "") for call in ("mkdir", "open", "write", "fsync", "close", "replace")]
    + [("create", "write", "half"), ("replace", "write", "half")],
)
def test_a_killed_writer_leaves_a_whole_file_or_none(
    tmp_path: Path, child: Child, action: str, call: str, half: str
) -> None:
    """Kill a real writer right before one of its system calls, or half through its write."""
    process = child(WRITER, action, tmp_path, call, half)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    target = tmp_path / "new/a.json"
    assert not target.exists() or target.read_bytes() == DATA
    left = leftovers(tmp_path)
    assert {path.name for path in target.parent.glob("*.json")} <= {"a.json"}
    assert files.sweep(tmp_path, before=2**40) == len(left)
    files.create(target, DATA)
    assert target.read_bytes() == DATA
    assert leftovers(tmp_path) == []


RACER = """
import sys
from pathlib import Path
from reconciler.store import files
folder, who = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(200):
    if files.create(folder / str(number // 20) / f"{number}.json", f"{who} {number}".encode() * 500):
        print(number, flush=True)
"""


def test_of_writers_that_race_for_a_name_exactly_one_wins(tmp_path: Path, child: Child) -> None:
    racers = {who: child(RACER, tmp_path, who) for who in ("ada", "bea", "cleo")}
    for process in racers.values():
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in racers.values():
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    won = {who: [int(line) for line in process.communicate(timeout=60)[0].split()] for who, process in racers.items()}
    assert sorted(number for numbers in won.values() for number in numbers) == list(range(200))
    for who, numbers in won.items():
        for number in numbers:
            written = (tmp_path / str(number // 20) / f"{number}.json").read_text()
            assert written == f"{who} {number}" * 500
    assert leftovers(tmp_path) == []


LIMITED = """
import resource, sys
from pathlib import Path
from reconciler.store import files
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
path = Path(sys.argv[1])
try:
    files.create(path, b"x" * 100_000) if sys.argv[2] == "create" else files.replace(path, b"x" * 100_000, durable=True)
except OSError as error:
    print(type(files.explain(error, path)).__name__, files.explain(error, path))
"""


@pytest.mark.parametrize("action", ["create", "replace"])
def test_a_file_that_may_not_grow_any_more_is_not_there_at_all(tmp_path: Path, child: Child, action: str) -> None:
    out, err = child(LIMITED, tmp_path / "a.json", action).communicate(timeout=60)
    assert err == ""
    assert out.startswith("LaterError")
    assert "the disk is full" in out
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 64 KiB, which only root may do."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_harms_nothing_that_is_there(small_disk: Path) -> None:
    target = small_disk / "a.json"
    assert files.create(target, b"old" * 1000) is True
    for write in (
        lambda: files.create(small_disk / "b.json", DATA),
        lambda: files.replace(target, DATA, durable=True),
        lambda: files.create_many([(small_disk / f"{number}.json", b"x" * 3000) for number in range(50)]),
    ):
        with pytest.raises(OSError, match="No space left") as caught:
            write()
        told = files.explain(caught.value, target)
        assert isinstance(told, LaterError)
        assert told.todo
    assert [path.name for path in small_disk.iterdir()] == ["a.json"]
    assert target.read_bytes() == b"old" * 1000


DENIED = """
import os, sys
from pathlib import Path
from reconciler.store import files
if os.geteuid() == 0:
    os.setuid(65534)
path = Path(sys.argv[1])
try:
    files.create(path, b"{}")
except OSError as error:
    print(type(files.explain(error, path)).__name__, files.explain(error, path))
"""


def test_a_folder_that_may_not_be_written_to_is_the_users_to_mend(child: Child) -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o555)
        out, err = child(DENIED, Path(place, "a.json")).communicate(timeout=60)
        assert err == ""
        assert out.startswith("UserError")
        assert "Permission denied" in out
        assert list(Path(place).iterdir()) == []


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, LaterError),
        (errno.EDQUOT, LaterError),
        (errno.EIO, LaterError),
        (errno.EMFILE, LaterError),
        (errno.EROFS, UserError),
        (errno.EPERM, UserError),
        (errno.ENAMETOOLONG, UserError),
        (errno.EOPNOTSUPP, UserError),
    ],
)
def test_every_failure_says_whose_move_it_is(number: int, kind: type) -> None:
    told = files.explain(OSError(number, os.strerror(number)), Path("/repository/executions/a.json"))
    assert type(told) is kind
    assert told.where == "/repository/executions/a.json"
    assert told.todo


def test_sweeping_takes_only_old_temporary_files(tmp_path: Path) -> None:
    deep = tmp_path / "2021/07"
    deep.mkdir(parents=True)
    for path in (deep / ".a.json.123.4.tmp", tmp_path / ".b.json.5.6.tmp", deep / ".new.json.1.2.tmp"):
        path.write_text("half")
    for path in (deep / "a.json", deep / ".gitignore", deep / "x.tmp", deep / ".hidden.tmp"):
        path.write_text("kept")
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / ".c.json.1.2.tmp").write_text("another's")
    (deep / "link").symlink_to(outside)
    for path in tmp_path.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (1000, 1000))
    os.utime(deep / ".new.json.1.2.tmp", (3000, 3000))
    assert files.sweep(tmp_path, before=2000, deep=False) == 1
    assert files.sweep(tmp_path, before=2000) == 1
    assert sorted(path.name for path in deep.iterdir()) == [
        ".gitignore",
        ".hidden.tmp",
        ".new.json.1.2.tmp",
        "a.json",
        "link",
        "x.tmp",
    ]
    assert (outside / ".c.json.1.2.tmp").exists()
    assert files.sweep(tmp_path / "missing", before=2000) == 0


def test_a_tree_that_a_script_closed_is_removed_and_what_its_links_point_at_is_not(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    work = tmp_path / "work"
    (work / "a/b").mkdir(parents=True)
    (work / "a/b/file").write_text("x")
    (work / "a/link").symlink_to(outside)
    for folder in (work / "a/b", work / "a", work):
        folder.chmod(0o500)
    files.remove_tree(work)
    assert not work.exists()
    assert (outside / "kept").exists()
    files.remove_tree(work)
