"""One entry of a commit's tree, as git lists it."""

from dataclasses import dataclass

SYMLINK = "120000"
SUBMODULE = "160000"
"""Modes of entries that are no files."""


@dataclass(frozen=True, slots=True, order=True)
class File:
    """One entry of a commit: its path, git's mode (``100644``), the id of its blob, and its size (-1: not asked)."""

    path: str
    mode: str
    blob: str
    size: int
