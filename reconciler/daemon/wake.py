"""Wake-ups: a datagram socket that anybody may poke, and a watch on git's refs. A wake-up carries nothing.

Missed or doubled wake-ups cost delay, never wrongness: each turn re-reads what is true, and a slow timer turns the
loop in any case.
"""

import contextlib
import os
import select
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import watchfiles

_LONGEST = 107


class Waker:
    """The daemon's ear: ``wait`` returns when someone poked ``path``, a watched folder changed, or time is up."""

    def __init__(self) -> None:
        self.path = Path(os.devnull)
        self._folder: Path | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(0)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._changed = self._pipe()
        self.stopping = False
        self.heard = 0
        """How many changes the watch has heard of."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        elif self.path.is_socket():
            self.path.unlink()

    def listen(self, path: Path) -> None:
        """Be pokable at ``path``, in the place of whoever was and died; only the holder of the lock does this.

        A socket's address has 107 bytes at most: a repository that lies deeper has its socket in a temporary folder.
        """
        if len(os.fsencode(path)) > _LONGEST:
            self._folder = Path(tempfile.mkdtemp(prefix="procctl-"))
            path = self._folder / "wake"
        path.unlink(missing_ok=True)
        self._socket.bind(os.fspath(path))
        self.path = path

    def stop_on(self, *signals: int) -> None:
        """Let these signals end the loop cleanly: they set ``stopping`` and wake it."""
        signal.set_wakeup_fd(self._pipe(), warn_on_full_buffer=False)
        for number in signals:
            signal.signal(number, self._on_signal)

    def watch(self, folders: Iterable[Path]) -> None:
        """Poke whenever something below these folders changes; a folder that is missing is left to the slow timer."""
        present = [folder for folder in folders if folder.is_dir()]
        thread = threading.Thread(target=self._watch, args=(present,), name="watch", daemon=True)
        thread.start()
        self._threads.append(thread)

    def wait(self, seconds: float, pause: float = 0) -> bool:
        """Sleep up to ``seconds``; whether something ended the sleep. All wake-ups that have come are one.

        Those that come within ``pause`` seconds after the first are waited for, as far as there is time.
        """
        until = time.monotonic() + seconds
        ready = self._poll.poll(max(0.0, seconds) * 1000)
        if ready and pause and not self.stopping:
            time.sleep(max(0.0, min(pause, until - time.monotonic())))
        for descriptor, _ in ready:
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.read(descriptor, 512)
        return bool(ready)

    def _watch(self, folders: list[Path]) -> None:
        changes = watchfiles.watch(
            *folders, watch_filter=None, debounce=50, step=5, stop_event=self._stop, rust_timeout=1000
        )
        for _ in changes:
            self.heard += 1
            with contextlib.suppress(OSError):
                os.write(self._changed, b"!")

    def _pipe(self) -> int:
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll.register(reader, select.POLLIN)
        return writer

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.stopping = True
