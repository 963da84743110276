"""Record files: one JSON document for each execution, at a path that follows from it alone (SPEC 8)."""

import json
import os
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from reconciler import names, record
from reconciler.execution import Execution
from reconciler.store import files
from reconciler.store.layout import Layout, is_record_path, original

LARGEST = 64 * 2**20
"""Bytes; a record's logs are limited, its data is not, and a file beyond this is none of procctl's."""

_MOST_VERSIONS = 2**63


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)
"""Made once: ``json.loads`` with an option makes one each time."""


def create(layout: Layout, execution: Execution) -> bool:
    """Create a record durably, and with it take the execution's slot; ``False`` if somebody has. ``OSError``."""
    return files.create(layout.record(execution), _encode(execution))


def create_many(layout: Layout, executions: Sequence[Execution]) -> list[bool]:
    """Create many records as ``create`` does, for a burst; durable when this returns."""
    return files.create_many([(layout.record(one), _encode(one)) for one in executions])


def write(layout: Layout, execution: Execution, *, durable: bool) -> None:
    """Replace a record atomically; ``durable`` for ``running`` and the end, not for the changes between."""
    files.replace(layout.record(execution), _encode(execution), durable=durable)


def read(path: Path) -> Execution:
    """Read a record's file; ``ValueError`` says why it is none, ``OSError`` that it cannot be read."""
    return parse(files.read(path, LARGEST), path.as_posix())


def parse(data: bytes, path: str) -> Execution:
    """Read a record's bytes; ``ValueError`` where they are no record, or not the one that belongs at ``path``."""
    document = load(data, path)
    try:
        execution = record.from_document(document)
        sound = _sound(execution)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is no record: {type(error).__name__}: {error}") from error
    if not sound or not f"/{original(path)}".endswith(f"/{record.path_of(execution)}"):
        raise ValueError(f"{path} is no record: its name, id or time is not what its path says")
    return execution


def load(data: bytes, path: str) -> dict[str, Any]:
    """Read the JSON object of a record's bytes; ``ValueError`` where it is truncated or something else."""
    try:
        document = _DECODER.decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no record: {error}") from error
    if not isinstance(document, dict):
        raise ValueError(f"{path} is no record: not an object")  # noqa: TRY004 - the bytes are wrong, not a type
    return document


def scan(layout: Layout, since: date | None = None) -> Iterator[str]:
    """Find record files in dated folders from ``since`` on, oldest day first; symlinks and foreign names are left out.

    A folder's date is that of the record's trigger time (UTC). Paths come as text: as objects they are dear where
    there are millions.
    """
    prefix = len(os.fspath(layout.records)) + 1
    for folder in days(layout, since):
        for name in _folders(folder):
            for entry in _entries(f"{folder}/{name}"):
                if is_record_path(entry.path[prefix:]) and entry.is_file(follow_symlinks=False):
                    yield entry.path


def days(layout: Layout, since: date | None = None) -> Iterator[Path]:
    """The dated folders from ``since`` on, oldest first."""
    first = f"{since:%Y/%m/%d}" if since else ""
    for year in _folders(layout.records):
        for month in _folders(layout.records / year):
            for day in _folders(layout.records / year / month):
                if f"{year}/{month}/{day}" >= first:
                    yield layout.records / year / month / day


def _folders(folder: Path) -> list[str]:
    return sorted(entry.name for entry in _entries(folder) if entry.is_dir(follow_symlinks=False))


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _encode(execution: Execution) -> bytes:
    return record.encode(record.to_document(execution))


def _sound(execution: Execution) -> bool:
    """Whether the fields that are joined to paths or stored in columns are of their types and patterns."""
    texts = (execution.id, execution.name, execution.environment, execution.service, execution.reason)
    others = (execution.run_as, execution.commit, execution.tag, execution.parent_id, execution.host)
    written = [text for text in (*texts, *others) if text is not None]
    if len(written) < len(texts) or not all(isinstance(text, str) for text in written):
        return False
    "".join(written).encode()  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
    version = execution.version
    return (
        names.is_execution(execution.id)
        and names.is_process(execution.name)
        and names.is_environment(execution.environment)
        and (version is None or (isinstance(version, int) and 0 <= version < _MOST_VERSIONS))
    )
