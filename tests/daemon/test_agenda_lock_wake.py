"""The small parts of the daemon: the agenda, the lock, the waker."""

import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.daemon.agenda import Agenda
from reconciler.daemon.lock import Lock
from reconciler.daemon.wake import Waker

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PUTS = st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(-5, 5)))


@given(PUTS)
def test_the_newest_instant_put_for_a_name_counts(puts: list[tuple[str, int | None]]) -> None:
    agenda, expected = Agenda(), dict[str, datetime]()
    for name, seconds in puts:
        at = None if seconds is None else NOW + timedelta(seconds=seconds)
        agenda.put(name, at)
        expected.pop(name, None)
        if at is not None:
            expected[name] = at
    assert agenda.entries() == expected
    assert agenda.next() == min(expected.values(), default=None)
    come = {name for name, at in expected.items() if at <= NOW}
    first = agenda.due(NOW, 1)
    assert len(first) == min(1, len(come))
    assert first | agenda.due(NOW, 9) == come
    assert agenda.due(NOW, 9) == set()
    assert agenda.next() == min((at for at in expected.values() if at > NOW), default=None)


def test_a_filled_agenda_is_in_order() -> None:
    agenda = Agenda()
    agenda.fill((str(number), NOW + timedelta(seconds=number)) for number in (3, 1, 2))
    assert agenda.due(NOW + timedelta(seconds=2), 9) == {"1", "2"}
    assert agenda.next() == NOW + timedelta(seconds=3)


def test_a_lock_is_one_process_s_and_dies_with_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "lock"
    holding = (
        "import sys, pathlib; from reconciler.daemon.lock import Lock\n"
        "lock = Lock(pathlib.Path(sys.argv[1])); print(lock.take('somebody'), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        mine = Lock(path)
        assert not mine.take("me")
        assert mine.holder() == "somebody"
        other.kill()
        other.wait()
        assert mine.take("me")
        assert mine.holder() == "me"
        mine.release()


def test_a_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = Lock(tmp_path / "lock")
    assert lock.take("me")
    child = os.fork()
    if not child:
        signal.pause()
        os._exit(0)
    lock.release()
    taken = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import sys, pathlib; from reconciler.daemon.lock import Lock\n"
                "sys.exit(not Lock(pathlib.Path(sys.argv[1])).take('x'))"
            ),
            tmp_path / "lock",
        ],
        check=False,
    )
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert taken.returncode == 0


@pytest.mark.parametrize("name", ["short", "a folder whose name is too long for the address of a socket " * 3])
def test_a_poke_ends_the_wait_and_many_count_as_one(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "wake"
    path.parent.mkdir()
    path.touch()  # what a killed daemon left
    with Waker() as waker, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as poke:
        waker.listen(path)
        for _ in range(5):
            poke.sendto(b"", str(waker.path))
            poke.sendto(b"!", str(waker.path))
        assert waker.wait(60)
        assert not waker.wait(0)
    assert not waker.path.exists()


def test_a_changed_folder_ends_the_wait(tmp_path: Path) -> None:
    (tmp_path / "watched" / "below").mkdir(parents=True)
    with Waker() as waker:
        waker.watch([tmp_path / "watched", tmp_path / "missing"])
        touched = 0
        while not waker.wait(0.05):
            touched += 1
            assert touched < 400
            (tmp_path / "watched" / "below" / str(touched)).touch()


def test_a_signal_ends_the_wait_and_is_remembered() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with Waker() as waker:
        waker.stop_on(signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR1)
        waker.wait(60)
        assert waker.stopping
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGUSR1, before)
