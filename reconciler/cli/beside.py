"""The reconciler that a command works beside: what it follows, and whether its index can be taken as it is."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.repo.refs import Followed
from reconciler.repo.repository import Repository
from reconciler.store import files
from reconciler.store.layout import Layout
from reconciler.web import health

_LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reconciler:
    """The reconciler that is at work beside a command: the ref it follows, what it refused, where it can be woken.

    ``follow`` is the tag at which it follows processes, ``None`` where it follows the branch.
    """

    ref: str
    refused: str | None
    wake: Path | None
    follow: str | None = None


def read(layout: Layout) -> Reconciler | None:
    """Read what the reconciler wrote down of itself, whether it is at work or not."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        document: Mapping[str, Any] = json.loads(files.read(layout.daemon_file, _LARGEST))
        wake = document.get("wake")
        return Reconciler(
            document["ref"], document.get("refused"), Path(wake) if wake else None, document.get("follow")
        )
    return None


def keeps(repo: Repository, environment: str, followed: Followed) -> bool:
    """Whether a reconciler is at work there and follows this branch: its index is right once it has applied that."""
    layout = Layout.of(repo.common_dir, None, environment)
    if not health.check(layout, datetime.now(UTC)).ready:
        return False
    found = read(layout)
    return found is not None and found.ref == followed.ref
