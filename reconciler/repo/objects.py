"""What git holds at a commit: the files of the process repository and their bytes, never a checkout (SPEC 11).

Every listing and every blob is read with a limit, so that no commit can fill the memory (attack class 15). Commits and
blobs are full ids, as ``refs`` gives them.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from reconciler.entry import File
from reconciler.errors import UserError
from reconciler.repo import paths
from reconciler.repo.git import fields
from reconciler.repo.repository import Repository

ROOTS = ("processes", "procctl.yaml")
"""What of a repository is read: everything else in it is the user's own."""

SCRIPTS = "processes/scripts"
MOST_ENTRIES = 250_000
"""Files below ``processes/`` in one commit; a few small trees that name each other can hold more than any disk."""

_SKIPPED = 16 << 20
"""The rest of a blob that is too long is read over up to here; beyond, it is cheaper to start git again."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a process repository at one commit, and the id of its tree of scripts, if it has one."""

    files: tuple[File, ...]
    scripts: str | None


def list_tree(repo: Repository, commit: str) -> Tree:
    """List ``processes/**`` and ``procctl.yaml`` at a commit, symlinks and submodules too, in one call.

    Sizes are not asked for (-1): they would cost git more than all the rest. ``UserError`` beyond ``MOST_ENTRIES``.
    """
    files: list[File] = []
    scripts = None
    for file, kind in _entries(repo, commit, *ROOTS):
        if kind != "tree":
            files.append(file)
        elif file.path == SCRIPTS:
            scripts = file.blob
    return Tree(tuple(files), scripts)


def list_below(repo: Repository, tree: str, most: int = MOST_ENTRIES) -> Iterator[File]:
    """List what one tree (or commit) holds, with paths below it. ``UserError`` beyond ``most`` entries."""
    return (file for file, kind in _entries(repo, tree, most=most) if kind != "tree")


def scripts_tree(repo: Repository, commit: str) -> str | None:
    """The id of the tree ``processes/scripts`` at a commit; ``None`` where it has none."""
    return scripts_trees(repo, (commit,))[0]


def scripts_trees(repo: Repository, commits: Sequence[str]) -> list[str | None]:
    """``scripts_tree`` of many commits, with one git for all."""
    found = _looked_up(repo, [f"{commit}:{SCRIPTS}" for commit in commits])
    return [one[0] if one is not None and one[1] == "tree" else None for one in found]


def find(repo: Repository, commit: str, wanted: Sequence[str]) -> dict[str, tuple[str, str] | None]:
    """Look many paths up at a commit: the id and the kind (``blob``, ``tree``, ``commit``) of each that exists."""
    if any(not paths.is_safe(path) for path in wanted):
        raise ValueError("a path with a line break would ask another question")
    return dict(zip(wanted, _looked_up(repo, [f"{commit}:{path}" for path in wanted]), strict=True))


def _looked_up(repo: Repository, asked: Sequence[str]) -> list[tuple[str, str] | None]:
    given = "".join(f"{one}\n" for one in asked).encode()
    lines = repo.git.run("cat-file", "--batch-check=%(objectname) %(objecttype)", given=given).splitlines()
    answers = (line.decode(errors="replace").rsplit(" ", 1) for _, line in zip(asked, lines, strict=True))
    return [None if kind == "missing" else (id_, kind) for id_, kind in answers]


def read_blobs(repo: Repository, ids: Iterable[str], limit: int) -> Iterator[tuple[str, bytes]]:
    """Read many blobs, in order, with one git. Of a blob longer than ``limit`` bytes come ``limit + 1``.

    Raises ``UserError`` for an object that is missing (a partial clone) or is no blob.
    """
    rest = list(ids)
    while rest:
        with tempfile.TemporaryFile() as asked:
            asked.write("".join(f"{id_}\n" for id_ in rest).encode())
            asked.seek(0)
            with repo.git.stream("cat-file", "--batch", "--buffer", given=asked) as out:
                read = 0
                for id_ in rest:
                    size = _size(repo, id_, out.readline())
                    kept = min(size, limit + 1)
                    yield id_, out.read(kept)
                    read += 1
                    if size - kept > _SKIPPED:
                        break
                    _skip(out, size - kept + 1)
        rest = rest[read:]


def read_file(repo: Repository, commit: str, path: str, limit: int = 1 << 20) -> bytes | None:
    """Read one file at a commit, ``limit + 1`` bytes at most; ``None`` where there is no file (a symlink is none)."""
    listed = repo.git.run("ls-tree", "-z", "--full-tree", "--end-of-options", commit, path)
    file, kind = _entry(listed.removesuffix(b"\0")) if listed else (None, "")
    if file is None or kind != "blob" or file.mode == "120000" or file.path != path:
        return None
    return next(data for _, data in read_blobs(repo, (file.blob,), limit))


def _entries(repo: Repository, tree: str, *roots: str, most: int = MOST_ENTRIES) -> Iterator[tuple[File, str]]:
    with repo.git.stream("ls-tree", "-r", "-t", "-z", "--full-tree", "--end-of-options", tree, *roots) as out:
        for count, entry in enumerate(fields(out)):
            if count >= most:
                todo = "move what is neither process, workflow nor script elsewhere"
                raise UserError(f"there are more than {most:,} files", where=tree, todo=todo)
            yield _entry(entry)


def _entry(entry: bytes) -> tuple[File, str]:
    facts, _, path = entry.partition(b"\t")
    mode, kind, id_ = facts.decode().split(" ")
    return File(paths.text(path), mode, id_, -1), kind


def _size(repo: Repository, id_: str, header: bytes) -> int:
    words = header.split()
    if len(words) == 3 and words[1] == b"blob":  # noqa: PLR2004 - the id, the kind and the size
        return int(words[2])
    said = header.decode(errors="replace").strip()
    todo = "if the clone is partial or broken, clone it again in full"
    raise UserError(f"a file's content cannot be read: {said or id_}", where=str(repo.git_dir), todo=todo)


def _skip(out: IO[bytes], count: int) -> None:
    while count > 0:
        count -= len(out.read(min(count, 1 << 20))) or count
