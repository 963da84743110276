"""Settings of a process repository: what ``procctl.yaml`` says, and what holds without it (SPEC 2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from reconciler import duration

PATH = "procctl.yaml"
"""Where settings lie: one file in the root of the repository."""
ENVIRONMENT = "production"
"""The environment where nothing names another."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings at one commit. ``None`` is left to whoever starts: HEAD's branch, production, twice the cores.

    ``retention`` is how long published records stay as files, ``catchup_window`` how far back missed slots are made
    up for. Passed along, never a global.
    """

    branch: str | None = None
    environment: str | None = None
    timezone: str = "UTC"
    retention: timedelta = timedelta(days=30)
    max_running: int | None = None
    catchup_window: timedelta = timedelta(days=1)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Settings":
        """Read a validated document. Records stay a day longer than slots can be made up for, whatever it says."""
        catchup_window = _length(document, "catchup_window", cls().catchup_window)
        retention = _length(document, "retention", cls().retention)
        max_running = document.get("max_running")
        return cls(
            branch=document.get("branch"),
            environment=document.get("environment"),
            timezone=document.get("timezone", "UTC"),
            retention=max(retention, catchup_window + timedelta(days=1)),
            max_running=None if max_running is None else int(max_running),
            catchup_window=catchup_window,
        )


def _length(document: Mapping[str, Any], key: str, default: timedelta) -> timedelta:
    return duration.parse(document[key]) if key in document else default
