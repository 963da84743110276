"""One reconciler per repository and environment: a lock on a file that dies with its holder (SPEC 10)."""

import fcntl
import os
from pathlib import Path


class Lock:
    """A POSIX record lock (``lockf``) on ``path``; the file's text says who holds it.

    The kernel drops it with the process, however it dies, and children do not inherit it, unlike ``flock``. The file
    must be opened only here: closing any other descriptor of it would drop the lock.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def take(self, holder: str) -> bool:
        """Take the lock if it is free, and leave ``holder`` (pid and host) in the file."""
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # POSIX lets a system choose EAGAIN or EACCES
            return False
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, holder.encode(), 0)
        return True

    def holder(self) -> str:
        """Who holds the lock, as they wrote it."""
        return os.pread(self._fd, 1000, 0).decode(errors="replace") or "an unnamed process"

    def release(self) -> None:
        """Give the lock back."""
        os.ftruncate(self._fd, 0)
        os.close(self._fd)
