"""The files of the working tree: what ``validate`` reads, and which edits are not committed yet (SPEC 2).

Files are compared by their bytes: asking git would run the filters that ``.gitattributes`` names.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.entry import File
from reconciler.repo import objects, paths, refs
from reconciler.repo.git import Git
from reconciler.repo.repository import Repository

LARGEST = 1 << 20
"""Bytes that are given of one file; a configuration may have a quarter of it."""

_SHA1 = 40
_SUBMODULE = "160000"


def files(folder: Path, id_length: int = _SHA1) -> Iterator[tuple[File, bytes]]:
    """Read ``processes/**`` and ``procctl.yaml`` below a folder as a commit of them would hold them.

    Symlinks are not followed: their bytes are what they point at. Of a file longer than ``LARGEST`` come as many bytes
    and one more. ``id_length`` is the length of the repository's ids. ``OSError`` where a file cannot be read.
    """
    for path in _paths(folder):
        facts = path.lstat()
        if stat.S_ISREG(facts.st_mode) or stat.S_ISLNK(facts.st_mode):
            mode, blob, data = _read(path, facts, id_length)
            yield File(paths.text(os.fsencode(path.relative_to(folder))), mode, blob, facts.st_size), data


def uncommitted(repo: Repository) -> tuple[str, ...]:
    """Give the declared files that are not in the worktree that was opened as they are in its HEAD, sorted.

    New, changed and deleted ones, staged or not, without those that are ignored; that ends of lines differ is no edit.
    """
    if repo.here is None:
        return ()
    head = refs.read(repo, "HEAD")
    listed = objects.list_tree(repo, head).files if head else ()
    committed = {file.path: file.blob for file in listed if file.mode != _SUBMODULE}
    edited, new = set(committed), []
    for file, data in files(repo.here, len(head or "") or _SHA1):
        blob = committed.get(file.path)
        if blob is None:
            new.append(file.path)
        elif blob in {file.blob, _id(data.replace(b"\r\n", b"\n"), len(blob))}:
            edited.discard(file.path)
    ignored = _ignored(Git(repo.git.environ, repo.here)) if new else set()
    return tuple(sorted({*edited, *new} - ignored))


def _ignored(git: Git) -> set[str]:
    out = git.run("ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", *objects.ROOTS)
    return {paths.text(path) for path in out.split(b"\0")}


def _paths(folder: Path) -> Iterator[Path]:
    for top in (folder / root for root in objects.ROOTS):
        if top.is_symlink() or top.is_file():
            yield top
            continue
        for parent, folders, names in os.walk(top):
            folders.sort()
            links = [name for name in folders if Path(parent, name).is_symlink()]
            yield from (Path(parent, name) for name in sorted(names + links))


def _read(path: Path, facts: os.stat_result, id_length: int) -> tuple[str, str, bytes]:
    if stat.S_ISLNK(facts.st_mode):
        target = os.fsencode(path.readlink())
        return "120000", _id(target, id_length), target
    digest = _digest(facts.st_size, id_length)
    with path.open("rb") as source:
        data = source.read(LARGEST + 1)
        digest.update(data)
        while chunk := source.read(LARGEST):
            digest.update(chunk)
    return "100755" if facts.st_mode & stat.S_IXUSR else "100644", digest.hexdigest(), data


def _id(data: bytes, length: int) -> str:
    """The id that git gives a blob."""
    digest = _digest(len(data), length)
    digest.update(data)
    return digest.hexdigest()


def _digest(size: int, length: int) -> "hashlib._Hash":
    name = "sha1" if length == _SHA1 else "sha256"
    return hashlib.new(name, b"blob %d\0" % size, usedforsecurity=False)
