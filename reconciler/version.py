"""Versions: the states of a process's file, numbered from 1 along the followed branch (SPEC 9).

A version is one commit of the first-parent history that changed the content of the process's file; comments count,
``name`` and the path do not. How they are counted stands in ``numbering``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from reconciler import names
from reconciler.marks import Mark

_FOLDER = "processes"
_NO_PROCESSES = frozenset({"workflows", "scripts"})
_SUFFIXES = frozenset({".yaml", ".yml"})
RENAMED = "renamed to "
"""How what was done to the versions of a process that has another name now begins."""

_NAMES = (b"name:", b"_id:")
_NAME_LINE = re.compile(rb"^(?:name|_id):(?:[ \t\r][^\n]*)?(?:\n|\Z)", re.MULTILINE)
_SHA256 = 64


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit did to one file of a process; ``blob`` is ``None`` where the file went."""

    name: str
    path: str
    blob: str | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the first-parent history; ``time`` is the committer's, ``changes`` are against its parent.

    ``marks`` are those of its message, after those of the commits that it brings in, oldest first. ``place`` says which
    commit of the history it is, the first being 0.
    """

    id: str
    author: str
    time: datetime
    subject: str
    changes: tuple[Change, ...]
    marks: tuple[Mark, ...] = ()
    place: int = 0


@dataclass(frozen=True, slots=True)
class Gone:
    """That a version is no more: since which commit (and its place), and what was done: ``was <why> by <commit>``."""

    commit: str
    why: str
    place: int = 0

    @property
    def renamed_to(self) -> str | None:
        """The name under which the process goes on, if that is what was done."""
        return self.why.removeprefix(RENAMED) if self.why.startswith(RENAMED) else None


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a process's configuration: its number, the commit that made it, and the file's content there.

    ``content`` is equal where two files differ in their name alone; ``blob`` is what is read and run. ``place`` is its
    commit's.
    """

    name: str
    number: int
    commit: str
    blob: str
    path: str
    author: str
    time: datetime
    subject: str
    content: str
    gone: Gone | None = None
    place: int = 0

    @property
    def live(self) -> bool:
        """Whether it still lists and resolves."""
        return self.gone is None


def current_at(versions: Iterable[Version], place: int) -> Version | None:
    """The version that was the current one at a place of the history; it may be gone since."""
    made = (one for one in versions if one.place <= place and (one.gone is None or one.gone.place > place))
    return max(made, key=lambda one: one.number, default=None)


def name_of(path: str) -> str | None:
    """The process that a path declares, or ``None``: ``processes/etl/ECB_FX.yaml`` declares ``ECB_FX``."""
    parts = PurePosixPath(path).parts
    if len(parts) < 2 or parts[0] != _FOLDER or parts[1] in _NO_PROCESSES:  # noqa: PLR2004 - a folder and a file
        return None
    stem, dot, suffix = parts[-1].rpartition(".")
    return stem if f"{dot}{suffix}" in _SUFFIXES and names.is_process(stem) else None


def content_of(blob: str, data: bytes) -> str:
    """The digest of what counts in a file: the blob id that it would have without its lines ``name:`` and ``_id:``.

    Only lines that begin with the key count as such (block style, at the top level); the whole line is left out.
    """
    if b"\nname:" not in data and b"\n_id:" not in data and not data.startswith(_NAMES):
        return blob  # most have none, and searching for an expression takes ten times as long
    rest = _NAME_LINE.sub(b"", data)
    if len(rest) == len(data):
        return blob
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which takes longer than reading all versions of a process

    digest = hashlib.sha256 if len(blob) == _SHA256 else hashlib.sha1
    return digest(b"blob %d\0%b" % (len(rest), rest)).hexdigest()
