"""What is declared, beyond the rows of the index: when a process is due next, and what a file says at some commit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reconciler import yamltext
from reconciler.errors import NotFoundError
from reconciler.problem import Problem
from reconciler.process import Process
from reconciler.repo import objects
from reconciler.repo.repository import Repository
from reconciler.schedule import Schedule
from reconciler.store import schemas
from reconciler.store.catalog import ProcessRow
from reconciler.store.index import Index
from reconciler.sync import applying
from reconciler.validation import Kind, Validator

_SCHEDULES_KEPT = 20_000
"""Schedules of so many processes are kept read; a schedule takes a millisecond to read and a kilobyte to keep."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a file says at a commit: as much of the document as could be read, and the problems of the file alone."""

    commit: str
    path: str
    text: bytes
    document: Mapping[str, Any]
    problems: tuple[Problem, ...]


def applied(index: Index) -> str | None:
    """The commit that was applied last."""
    return index.meta(applying.APPLIED)


def timezone(index: Index) -> str:
    """The zone of processes that name none: the setting of the applied commit."""
    return index.meta(applying.TIMEZONE) or "UTC"


def schedule(row: ProcessRow, environment: str, zone: str) -> Schedule | None:
    """The schedule by which a process starts; ``None`` where none does: disabled, held, elsewhere, never valid."""
    if row.document is None or row.held is not None:
        return None
    process = Process(row.name, row.document)
    if not process.enabled or process.environment not in (None, environment):
        return None
    return _schedule(json.dumps(process.schedule_document(zone)), row.name)


def read(repository: Repository, commit: str, path: str) -> Declaration:
    """Read a process's file at a full commit id; what is wrong with it is among the problems."""
    data = objects.read_file(repository, commit, path, yamltext.LARGEST)
    if data is None:
        raise NotFoundError(f"commit {commit[:12]} has no file here", where=path)
    parsed = Validator(schemas.load()).check(Kind.PROCESS, path, data)
    document = parsed.document
    if document is None:
        # Not valid, but people want to see what it says as far as it can be read.
        tree, _ = yamltext.read(path, data)
        document = tree.value if tree is not None and isinstance(tree.value, dict) else {}
    return Declaration(commit, path, data, document, parsed.problems)


@lru_cache(maxsize=_SCHEDULES_KEPT)
def _schedule(document: str, name: str) -> Schedule:
    return Schedule.of(json.loads(document), name)
