"""Durable files: made once or replaced whole, so that neither a crash nor a full disk leaves half of one (SPEC 8).

Everything is written to a temporary file beside its target first. A temporary name begins with a dot and ends in
``.tmp``, which no record, claim or request does; what a killed writer leaves is swept later (``sweep``).
"""
# Paths as text and bare system calls, because a record has to cost less than 150 us of CPU:
# ruff: noqa: PTH101, PTH102, PTH105, PTH108, PTH112, PTH114, PTH120

import errno
import itertools
import os
import re
import shutil
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.errors import LaterError, ProcctlError, UserError

_TEMPORARY = re.compile(r"\..+\.\d+\.\d+\.tmp", re.DOTALL)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_WRONG = {errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EOPNOTSUPP, errno.EXDEV}
_AT_ONCE = 100
"""Files open at once; a process is often allowed no more than 1,024."""
_CHUNK = 1 << 12
_counter = itertools.count()


def create(path: Path, data: bytes) -> bool:
    """Create a file durably, whole or not at all; ``False`` if it exists. Of several at once exactly one wins.

    ``link(2)`` is what takes the name: unlike rename it fails if the name is taken. Raises ``OSError`` (``explain``).
    """
    return create_many([(path, data)])[0]


def create_many(files: Sequence[tuple[Path, bytes]]) -> list[bool]:
    """Create many files as ``create`` does, at half the price: the disk is waited for once, not once for each.

    All are durable when this returns. Where it raises, some may have been created; trying again finds them.
    """
    made: list[bool] = []
    dirty: dict[str, None] = {}
    try:
        for first in range(0, len(files), _AT_ONCE):
            made += _create_some(files[first : first + _AT_ONCE], dirty)
    finally:
        for folder in dirty:
            _sync_folder(folder)
    return made


def replace(path: Path, data: bytes, *, durable: bool) -> None:
    """Put a file in place of another (or of none) atomically; ``durable`` also survives a loss of power.

    Raises ``OSError`` (``explain``); then the old file is untouched.
    """
    target = os.fspath(path)
    dirty: dict[str, None] = {}
    temporary, descriptor = _open(target, dirty)
    try:
        try:
            _fill(descriptor, data)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, target)
    except OSError:
        _remove(temporary)
        raise
    if durable:
        for folder in (*dirty, os.path.dirname(target)):
            _sync_folder(folder)


def read(path: Path, limit: int) -> bytes:
    """Read a regular file, no symlink, of at most ``limit`` bytes; ``ValueError`` where it is another thing."""
    return load(os.fspath(path), limit)[0]


def load(path: str, limit: int) -> tuple[bytes, os.stat_result]:
    """Read a file as ``read`` does, and with it the time and size of what was read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path} is no regular file")
        data = bytearray()
        expected = min(status.st_size, limit) + 1
        while len(data) <= limit and (chunk := os.read(descriptor, max(expected - len(data), _CHUNK))):
            data += chunk
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise ValueError(f"{path} is larger than {limit} bytes")
    return bytes(data), status


def sweep(folder: Path, before: float, *, deep: bool = True) -> int:
    """Remove the temporary files that killed writers left in ``folder`` until ``before`` (seconds since 1970).

    ``before`` keeps clear of writers at work; ``deep`` goes into the folders in it too, not through symlinks. Says how
    many it removed.
    """
    count = 0
    for place, folders, found in os.walk(folder):
        if not deep:
            folders.clear()
        for name in found:
            if _TEMPORARY.fullmatch(name) is None:
                continue
            path = f"{place}/{name}"
            with suppress(FileNotFoundError):
                if os.lstat(path).st_mtime < before:
                    os.unlink(path)
                    count += 1
    return count


def is_temporary(name: str) -> bool:
    """Whether a file's name is one of a file that is still being written."""
    return _TEMPORARY.fullmatch(name) is not None


def remove_tree(folder: Path) -> None:
    """Remove a folder in which a script could do anything: read-only folders go too; symlinks are not followed."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except PermissionError:
        _unlock(folder)
        shutil.rmtree(folder)


def explain(error: OSError, path: Path) -> ProcctlError:
    """Say in a user's words why a file could not be written, and what to do."""
    where = str(path)
    if error.errno in _FULL:
        return LaterError("the disk is full", where=where, todo="free some space; nothing half-written was left")
    reason = error.strerror or str(error)
    if error.errno in _REFUSED:
        todo = "let the user that runs procctl write there"
        return UserError(f"cannot be written ({reason})", where=where, todo=todo)
    if error.errno in _WRONG:
        return UserError(f"cannot be a file of procctl ({reason})", where=where, todo="move what is in the way")
    return LaterError(f"cannot be written ({reason})", where=where, todo="try again")


def _create_some(files: Sequence[tuple[Path, bytes]], dirty: dict[str, None]) -> list[bool]:
    """Write all, then sync all, then link all; adds the folders to be synced to ``dirty``."""
    written: dict[str, tuple[str, int]] = {}
    targets = [os.fspath(path) for path, _ in files]
    linked: set[str] = set()
    try:
        for target, (_, data) in zip(targets, files, strict=True):
            if target not in written and not os.path.lexists(target):
                written[target] = _open(target, dirty)
                _fill(written[target][1], data)
        for _, descriptor in written.values():
            os.fsync(descriptor)
        for target, (temporary, _) in written.items():
            with suppress(FileExistsError):
                os.link(temporary, target)
                linked.add(target)
                dirty[os.path.dirname(target)] = None
    finally:
        for temporary, descriptor in written.values():
            os.close(descriptor)
            _remove(temporary)
    made = []
    for target in targets:
        made.append(target in linked)
        linked.discard(target)  # of two of one name in this batch, only the first made it
    return made


def _open(target: str, dirty: dict[str, None]) -> tuple[str, int]:
    """Open a temporary file beside ``target``, making its folder if need be; adds what to sync to ``dirty``."""
    folder, name = os.path.split(target)
    while True:
        temporary = f"{folder}/.{name}.{os.getpid()}.{next(_counter)}.tmp"
        try:
            return temporary, os.open(temporary, _WRITE, 0o644)
        except FileNotFoundError:
            _make_folders(folder, dirty)
        except FileExistsError:
            continue  # left by a killed writer that had our pid


def _fill(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _make_folders(folder: str, dirty: dict[str, None]) -> None:
    parent = os.path.dirname(folder)
    try:
        os.mkdir(folder)
    except FileNotFoundError:
        _make_folders(parent, dirty)
        _make_folders(folder, dirty)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder) from None
    # even where another made it: that one may not have got as far as syncing it
    dirty[parent] = None


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _unlock(folder: Path) -> None:
    """Make every folder in a tree writable; ``os.walk`` goes from the top, so each is opened before it is entered."""
    os.chmod(folder, 0o700)
    for place, inner, _ in os.walk(folder):
        for name in inner:
            if not os.path.islink(f"{place}/{name}"):
                os.chmod(f"{place}/{name}", 0o700)
