"""A read-only checkout of the scripts of a commit, stored once for each tree id (SPEC 6, 11; attack classes 1, 4, 6).

Git's own checkout is not used: it would run filters, follow attributes and make symlinks. Here, regular files with safe
names are written from their blobs, and nothing else.
"""

import os
import shutil
import tempfile
from pathlib import Path

from reconciler import names
from reconciler.entry import File
from reconciler.errors import UserError
from reconciler.repo import objects, paths
from reconciler.repo.repository import Repository

LARGEST = 64 << 20
"""Bytes of one script, and an eighth of what all scripts of a commit may have together."""

_MODES = {"100644": 0o444, "100664": 0o444, "100755": 0o555}
_FOLDER = 0o555


def ensure(repo: Repository, tree: str, folder: Path) -> Path:
    """Check a tree of scripts out to ``folder/<tree id>``, unless it is there, and give that folder.

    Symlinks, submodules and names that could lead elsewhere are left out. It is safe when several do this at once: the
    first one's rename wins. Raises ``UserError`` where the tree is malformed or larger than eight times ``LARGEST``,
    ``OSError`` where the disk refuses.
    """
    if not names.is_commit(tree):
        raise ValueError(f"{tree!r} is no tree id")
    target = folder / tree
    if target.is_dir():
        os.utime(target)  # it is in use: whoever removes old ones looks at this
        return target
    files = {file.path: file for file in objects.list_below(repo, tree) if _is_wanted(file)}
    folder.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{tree[:12]}-", dir=folder))
    try:
        _fill(repo, made, files)
        _rename(made, target)
    except (FileExistsError, NotADirectoryError) as error:
        what = f"a file and a folder want one name: {error.filename}"
        raise UserError(what, where=f"tree {tree}", todo="see what `git fsck` says") from error
    finally:
        _remove(made)
    return target


def _rename(made: Path, target: Path) -> None:
    try:
        made.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    _sync(target.parent)


def _is_wanted(file: File) -> bool:
    return file.mode in _MODES and paths.is_safe(file.path)


def _fill(repo: Repository, made: Path, files: dict[str, File]) -> None:
    by_blob: dict[str, list[File]] = {}
    for file in files.values():
        by_blob.setdefault(file.blob, []).append(file)
    left = LARGEST * 8
    for blob, data in objects.read_blobs(repo, by_blob, LARGEST):
        left -= len(data) * len(by_blob[blob])
        if len(data) > LARGEST or left < 0:
            todo = "keep large data outside the repository"
            raise UserError("the scripts are too large", where=f"processes/scripts/{by_blob[blob][0].path}", todo=todo)
        for file in by_blob[blob]:
            _write(made / file.path, data, _MODES[file.mode])
    for parent, _, _ in os.walk(made):
        Path(parent).chmod(_FOLDER)
        _sync(Path(parent))


def _write(path: Path, data: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fchmod(handle, mode)
        os.fsync(handle)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(folder: Path) -> None:
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
