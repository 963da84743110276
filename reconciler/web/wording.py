"""Small texts that pages show: how long something took, how many there are, which command does it again."""

import json
import re
import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from reconciler import duration, names

_LINE = re.compile(r"\S+\[UTC\] (debug|info|warn|fatal) ")
_MINUTE = 60


def took(start: datetime | None, end: datetime | None) -> str:
    """Say how long something took: ``7.59s``, and from a minute up without fractions, ``1h2m5s``."""
    if start is None or end is None:
        return ""
    seconds = max(end - start, timedelta()).total_seconds()
    return f"{seconds:.3g}s" if seconds < _MINUTE else duration.text(timedelta(seconds=round(seconds)))


def count(number: int, noun: str) -> str:
    """Count things: ``1 error``, ``2 errors``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def level(line: str) -> str:
    """Find the level of a log line; a line that has none, such as a loader's, is ``info``."""
    match = _LINE.match(line)
    return match[1] if match else "info"


def repeat(execution: Mapping[str, Any]) -> str:
    """Write the command that runs an execution again as it was: the same commit, the same body."""
    name, commit = str(execution["name"]), str(execution.get("commit", ""))
    if not names.is_process(name) or not names.is_commit(commit):
        return ""
    body = f" --body {shlex.quote(json.dumps(execution['body']))}" if "body" in execution else ""
    return f"procctl run {name}@{commit}{body}"
