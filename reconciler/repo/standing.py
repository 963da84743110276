"""The worktrees that stand on a branch, and how an edit of the branch reaches the files there (SPEC 9).

Only the edited files and their index entries are ever written, and only where they are as the branch has them. Files
are compared by their bytes: asking git would run the filters that ``.gitattributes`` names.
"""

import os
import stat
import time
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import LaterError, UserError
from reconciler.repo import refs
from reconciler.repo.git import Git
from reconciler.repo.repository import Repository

Entry = tuple[str, str]
"""The mode and the blob of a file, as trees and indexes hold it."""

_IN_PROGRESS = {
    "MERGE_HEAD": "merge",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "sequencer": "cherry-pick or revert",
    "BISECT_LOG": "bisect",
}
"""What stands in a worktree's git directory while something is not finished."""

_PATIENCE = 5.0
"""Seconds to wait for another git to let go of the index."""
_PAUSE = 0.02
_ABSENT = "0" * 40
_LARGEST = 1 << 24


@dataclass(frozen=True, slots=True)
class Standing:
    """One worktree: its folder, git aimed at it, and the full name of the branch it has checked out or is rebasing."""

    folder: Path
    git: Git
    ref: str | None

    @property
    def busy(self) -> str | None:
        """What is not finished here: ``merge``, ``rebase``, …; ``None`` where nothing is."""
        folder = self.git.git_dir or self.folder
        return next((what for name, what in _IN_PROGRESS.items() if os.path.lexists(folder / name)), None)


@dataclass(frozen=True, slots=True)
class Target:
    """One file that an edit writes: as the branch has it, and as it is to be; ``None`` where it is not there."""

    path: str
    entry: Entry | None
    data: bytes | None
    new_entry: Entry | None
    new_data: bytes | None


@dataclass(frozen=True, slots=True)
class Held:
    """How a worktree has a file: the bytes on disk, its index entry, and whether a sparse checkout leaves it out."""

    standing: Standing
    target: Target
    data: bytes | None
    entry: Entry | None
    sparse: bool


def worktrees(repo: Repository) -> tuple[Standing, ...]:
    """Every worktree that is there, the main one first."""
    found = [(repo.common_dir, repo.worktree)] if repo.worktree else []
    for folder in sorted((repo.common_dir / "worktrees").glob("*")):
        try:
            link = (folder / "gitdir").read_text().strip()
        except OSError:
            continue
        found.append((folder, (folder / link).parent))
    return tuple(_standing(repo, git_dir, folder) for git_dir, folder in found if folder.is_dir())


def here(repo: Repository) -> Standing | None:
    """The worktree that was opened; ``None`` outside of all."""
    return _standing(repo, repo.git_dir, repo.here) if repo.here else None


def look(standing: Standing, target: Target) -> Held:
    """See how a worktree has a file.

    ``UserError`` where an edit would run over changes that are not committed. A file that is there as it is to be is
    none: an edit loses nothing then.
    """
    entry, sparse = _index_entry(standing, target.path)
    if entry not in {target.entry, target.new_entry}:
        raise _uncommitted(standing, target.path, "staged changes that are not committed")
    data = _bytes(standing, target.path)
    if not (sparse and data is None) and not _is(data, target.data) and not _is(data, target.new_data):
        what = "changes that are not committed" if target.entry else "a file that git does not know"
        raise _uncommitted(standing, target.path, what)
    return Held(standing, target, data, entry, sparse)


def bring(held: Held) -> None:
    """Bring one file of a worktree up to date, and then its index entry."""
    target = held.target
    if not _is(held.data, target.new_data) and not (held.sparse and held.data is None):
        as_there = held.data is not None and held.data != target.data
        new = target.new_data
        _write(held.standing, target.path, new.replace(b"\n", b"\r\n") if new is not None and as_there else new)
    if held.entry != target.new_entry:
        _index(held, target.new_entry)


def undo(held: Held) -> None:
    """Take ``bring`` back, as far as nobody has changed the file since."""
    target = held.target
    if _is(_bytes(held.standing, target.path), target.new_data) and not _is(held.data, target.new_data):
        _write(held.standing, target.path, held.data)
    if _index_entry(held.standing, target.path)[0] == target.new_entry != held.entry:
        _index(held, held.entry)


def _standing(repo: Repository, git_dir: Path, folder: Path) -> Standing:
    # Git's own work tree setting may be relative to somewhere else.
    git = replace(repo.git, git_dir=git_dir, environ={**repo.git.environ, "GIT_WORK_TREE": str(folder)})
    return Standing(folder, git, _ref(repo, git_dir))


def _ref(repo: Repository, git_dir: Path) -> str | None:
    """The branch that a worktree has checked out, or is about to come back to."""
    for file in ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"):
        try:
            name = (git_dir / file).read_text().strip()
        except OSError:
            continue
        return name if name.startswith(refs.HEADS) else refs.HEADS + name
    return refs.head_ref(replace(repo, git=replace(repo.git, git_dir=git_dir)))


def _is(data: bytes | None, wanted: bytes | None) -> bool:
    """Whether a file on disk is what it should be; that ends of lines differ is no edit."""
    if data is None or wanted is None:
        return data is wanted
    return wanted in {data, data.replace(b"\r\n", b"\n")}


def _bytes(standing: Standing, path: str) -> bytes | None:
    """What a file on disk holds; ``UserError`` where it, or a folder above it, is a link or no file at all."""
    file = standing.folder
    for part in path.split("/"):
        if file.is_symlink():
            raise _uncommitted(standing, path, "a link in place of a folder")
        file /= part
    try:
        facts = file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > _LARGEST:
        raise _uncommitted(standing, path, "something else than a file of configuration")
    return file.read_bytes()


def _write(standing: Standing, path: str, data: bytes | None) -> None:
    file = standing.folder / path
    if data is None:
        file.unlink(missing_ok=True)
        for parent in list(file.parents)[: path.count("/")]:
            try:
                parent.rmdir()
            except OSError:
                break
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.parent / f".procctl-{os.getpid()}"
    try:
        # made as any new file is, so that the user's umask holds
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        if file.exists():
            temporary.chmod(stat.S_IMODE(file.stat().st_mode))
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def _index_entry(standing: Standing, path: str) -> tuple[Entry | None, bool]:
    """A file's index entry, and whether a sparse checkout leaves the file out."""
    out = standing.git.run("ls-files", "-z", "-t", "--stage", "--", path)
    rows = [row.split(b"\t", 1) for row in out.split(b"\0") if row]
    facts = [row[0].decode().split() for row in rows if row[1] == os.fsencode(path)]
    if len(facts) > 1 or len(rows) != len(facts):
        raise _uncommitted(standing, path, "a conflict there, or a folder of that name")
    if not facts:
        return None, False
    tag, mode, blob, _ = facts[0]
    return (mode, blob), tag == "S"


def _index(held: Held, entry: Entry | None) -> None:
    """Write one index entry, and no other; waits while another git holds the index."""
    path, git = held.target.path, held.standing.git
    mode, blob = entry or ("0", "0" * len((held.target.new_entry or held.target.entry or ("", _ABSENT))[1]))
    until = time.monotonic() + _PATIENCE
    while True:
        answer = git.ask("update-index", "-z", "--index-info", given=f"{mode} {blob}\t{path}\0".encode())
        if not answer.status:
            break
        if "index.lock" not in answer.err:
            raise git.error(("update-index",), answer.status, answer.err)
        if time.monotonic() > until:
            where = str((git.git_dir or held.standing.folder) / "index.lock")
            raise LaterError("another git works on the index here", where=where, todo="wait for it, and try again")
        time.sleep(_PAUSE)
    if held.sparse and entry is not None:
        git.run("update-index", "--skip-worktree", "--", path)


def _uncommitted(standing: Standing, path: str, what: str) -> UserError:
    todo = f"commit it, or put it back with `git restore --staged --worktree {path}`"
    return UserError(f"the worktree has {what}", where=str(standing.folder / path), todo=todo)
