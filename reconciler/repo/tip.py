"""Whether a ref may have moved, without asking git: a reconciler looks at every turn, and a process costs 3 ms."""

import os
from pathlib import Path

from reconciler.repo.repository import Repository
from reconciler.repo.stamps import Seen, seen
from reconciler.repo.tags import TAGS

Stamp = tuple[Seen | None, ...]
TagsStamp = tuple[tuple[str, Seen], ...]


def stamp(repo: Repository, ref: str) -> Stamp:
    """What changes whenever the ref does, be it loose, packed, or in a reftable; equal stamps mean an equal ref."""
    folder = repo.common_dir
    return tuple(seen(folder / file) for file in (ref, "packed-refs", "reftable/tables.list"))


def tags_stamp(repo: Repository, text: str) -> TagsStamp:
    """What changes whenever a loose tag ``KEY/TEXT`` or ``TEXT`` does; packed ones change ``stamp``.

    It costs a look at each process that has loose tags: some milliseconds for a thousand.
    """
    folder = repo.common_dir / TAGS
    try:
        with os.scandir(folder) as entries:
            paths = sorted(f"{entry.path}/{text}" for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return ()
    found = ((path, seen(path)) for path in (os.fspath(folder / text), *paths))
    return tuple((path, there) for path, there in found if there is not None)


def tag_of(repo: Repository, path: str) -> str:
    """The full name of the tag that a path of ``tags_stamp`` is."""
    return os.path.relpath(path, repo.common_dir / TAGS)


def folders(repo: Repository) -> list[Path]:
    """The folders to watch for moved refs; a packed or reftable ref moves in one of these too."""
    return [folder for folder in (repo.common_dir / "refs", repo.common_dir / "reftable") if folder.is_dir()]
