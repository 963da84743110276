"""The branch of finished records, written without touching any worktree or index (SPEC 8 "Publishing").

A batch is one ``fast-import``: the commit and the compare-and-swap of the branch in one process. While the branch is
checked out in a worktree nothing is published, as git itself refuses to fetch into such a branch: that worktree would
seem to delete every new record, and its next commit would.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from reconciler.errors import LaterError
from reconciler.repo import objects, paths, refs
from reconciler.repo.repository import Repository

BRANCH = "refs/heads/executions"
LARGEST = 64 << 20
"""Bytes of one record that are read back; procctl's own are far smaller."""

MOST_RECORDS = 10_000_000
"""Files of the branch that are read back; a branch so long should have been begun anew."""

_FALLBACK = "procctl <procctl@localhost>"
_CRASH = re.compile(r"fast_import_crash_[0-9]+")
_PART = 10_000
"""Records read with one git, so that a long branch never stands in memory whole."""
_UNFIT = re.compile(r"[<>\x00-\x1f\x7f]")
_RECORD = re.compile(r"[0-9]{4}/.*\.json")


@dataclass(frozen=True, slots=True)
class Tip:
    """Where records are read from: the newest commit, and the ref it is on, local or remote-tracking."""

    commit: str
    ref: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one commit publishes: the bytes of each path, the subject of the commit, and its time."""

    files: Mapping[str, bytes]
    message: str
    time: datetime


def tip(repo: Repository, remote: str = "origin") -> Tip | None:
    """Find the newest published commit: of the local branch, else of a remote's copy; ``None`` where there is none."""
    for ref in (BRANCH, f"refs/remotes/{remote}/executions"):
        commit = refs.read(repo, ref)
        if commit:
            return Tip(commit, ref)
    listed = repo.git.run("for-each-ref", "--count=1", "--format=%(objectname) %(refname)", "refs/remotes/*/executions")
    first = listed.decode(errors="surrogateescape").split()
    return Tip(first[0], first[1]) if first else None


def commit(repo: Repository, onto: Tip | None, batch: Batch) -> str | None:
    """Commit a batch onto a tip (``None``: begin the branch), and give the new commit's id.

    ``None`` where another writer was first: look at the new tip and try again. Raises ``ValueError`` for a path that
    may not be published, ``LaterError`` while the branch is checked out, ``GitError`` where git fails.
    """
    _check(batch.files)
    _refuse_if_checked_out(repo)
    given = b"".join(_commands(_identity(repo), onto, batch))
    answer = repo.git.ask("fast-import", "--quiet", "--done", "--date-format=raw", given=given)
    if answer.status == 0:
        return answer.out.decode().strip()
    for name in _CRASH.findall(answer.err):
        (repo.git_dir / name).unlink(missing_ok=True)
    if "Not updating" in answer.err or "cannot lock ref" in answer.err:
        return None
    raise repo.git.error(("fast-import",), answer.status, answer.err)


def lookup(repo: Repository, at: Tip | None, wanted: Sequence[str]) -> dict[str, str | None]:
    """Look up which blob each path has at a tip; ``None`` where it has none. ``ValueError`` for an unfit path."""
    _check(wanted)
    found = objects.find(repo, at.commit, wanted) if at and wanted else {}
    kept = {path: entry[0] for path, entry in found.items() if entry and entry[1] == "blob"}
    return {path: kept.get(path) for path in wanted}


def read(repo: Repository, at: Tip, path: str) -> bytes | None:
    """Read one published file, ``state/ENV.json`` or a record; ``None`` where it is not there."""
    _check((path,))
    return objects.read_file(repo, at.commit, path, LARGEST)


def records(repo: Repository, at: Tip) -> Iterator[tuple[str, str, bytes]]:
    """Read all published records, as (path, blob, bytes) in the order of their paths."""
    files = (file for file in objects.list_below(repo, at.commit, MOST_RECORDS) if _RECORD.fullmatch(file.path))
    while part := [(file.path, file.blob) for file in islice(files, _PART)]:
        blobs = objects.read_blobs(repo, [blob for _, blob in part], LARGEST)
        yield from ((path, blob, data) for (path, blob), (_, data) in zip(part, blobs, strict=True))


def tidy(repo: Repository) -> None:
    """Let git pack what has piled up, if it finds that worth it; it goes on in the background."""
    repo.git.run("gc", "--auto", "--quiet")


def _check(wanted: Iterable[str]) -> None:
    for path in wanted:
        if not paths.is_published(path):
            raise ValueError(f"{path!r} may not be published")


def _refuse_if_checked_out(repo: Repository) -> None:
    where = repo.git.run("for-each-ref", "--format=%(worktreepath)", BRANCH).decode(errors="replace").strip()
    # the HEAD of a bare repository is no worktree, though git calls it one
    if where and where != str(repo.common_dir):
        todo = "leave it with `git switch`, and read records with `git log executions --` instead"
        raise LaterError("the branch executions is checked out, so nothing is published", where=where, todo=todo)


def _identity(repo: Repository) -> str:
    """The user as git has it, else procctl."""
    answer = repo.git.ask("config", "-z", "--get-regexp", r"^user\.(name|email)$")
    entries = answer.out.decode(errors="replace").split("\0")
    found = {key: _UNFIT.sub("", value).strip() for key, _, value in (entry.partition("\n") for entry in entries)}
    name, email = found.get("user.name"), found.get("user.email")
    return f"{name} <{email}>" if name and email else _FALLBACK


def _commands(identity: str, onto: Tip | None, batch: Batch) -> Iterator[bytes]:
    who = f"{identity} {int(batch.time.timestamp())} +0000"
    message = batch.message.encode(errors="replace")
    yield f"commit {BRANCH}\nmark :1\nauthor {who}\ncommitter {who}\ndata {len(message)}\n".encode()
    yield message + b"\n"
    if onto is not None:
        yield f"from {onto.commit}\n".encode()
    for path, data in batch.files.items():
        yield f"M 100644 inline {path}\ndata {len(data)}\n".encode()
        yield data + b"\n"
    yield b"get-mark :1\ndone\n"
