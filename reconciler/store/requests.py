"""Requests: manual runs left for the reconciler, one file each, named by the execution's id (SPEC 10)."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler import instant, names
from reconciler.store import files
from reconciler.store.layout import Layout

_LARGEST = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Request:
    """A manual run that somebody asked for. ``id`` is the execution's; ``not_before`` is for ``--delay``.

    ``reference`` picks a version (``None``: the one in force), ``force`` runs a disabled process, ``user`` asked.
    """

    id: str
    name: str
    reference: str | None
    body: Any
    reason: str
    asked: datetime
    not_before: datetime | None
    force: bool
    user: str


def leave(layout: Layout, request: Request) -> bool:
    """Leave a request durably; ``False`` if one of that id lies there already. ``OSError``."""
    document = asdict(request) | {
        "asked": instant.text(request.asked),
        "not_before": request.not_before and instant.text(request.not_before),
    }
    return files.create(layout.request(request.id), json.dumps(document, ensure_ascii=False).encode())


def all(layout: Layout) -> tuple[list[Request], dict[Path, str]]:  # noqa: A001 - read as requests.all
    """Every request in the order of their ids; and the files beside them that are none, with the reason."""
    found: list[Request] = []
    faults: dict[Path, str] = {}
    try:
        listed = os.listdir(layout.requests)  # noqa: PTH208 - names are wanted, at every turn of a reconciler
    except FileNotFoundError:
        return found, faults
    for path in sorted(layout.requests / name for name in listed if name.endswith(".json")):
        if files.is_temporary(path.name):
            continue
        try:
            found.append(_parse(files.read(path, _LARGEST), path.stem))
        except FileNotFoundError:
            continue  # withdrawn meanwhile
        except (OSError, ValueError, RecursionError) as error:
            faults[path] = str(error)
    return found, faults


def remove(layout: Layout, execution_id: str) -> None:
    """Remove a request: it became a record, or was cancelled before it did."""
    with suppress(FileNotFoundError):
        layout.request(execution_id).unlink()


def _parse(data: bytes, execution_id: str) -> Request:
    document = json.loads(data)
    try:
        not_before = document["not_before"]
        times = {"asked": instant.parse(document["asked"]), "not_before": not_before and instant.parse(not_before)}
        request = Request(**document | times)
        texts = [request.id, request.name, request.reason, request.user, request.reference or ""]
        "".join(texts).encode()  # no text: TypeError; a lone surrogate: UnicodeEncodeError
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no request: {type(error).__name__}: {error}") from error
    if request.id != execution_id or not names.is_execution(execution_id) or not names.is_process(request.name):
        raise ValueError("no request: its id or name is wrong")
    if not isinstance(request.force, bool):
        raise ValueError("no request: force is neither true nor false")  # noqa: TRY004 - the file is wrong, no type
    return request
