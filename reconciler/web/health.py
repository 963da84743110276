"""Whether the scheduling loop turns, read from what the daemon writes about itself at every turn."""

import json
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler import instant
from reconciler.store import claims, files
from reconciler.store.layout import Layout

STALE = timedelta(seconds=60)
"""A loop that has not turned for so long is stuck; it turns at least every few seconds when nothing happens."""
_LARGEST = 64 * 1024
_START = "start `procctl daemon`"


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of the reconciler of one repository and environment: ``reason`` says why it is not ready.

    ``refused`` is a newest commit that it did not apply, because the applied one is not in its history.
    """

    ready: bool
    reason: str = ""
    todo: str = ""
    turned: datetime | None = None
    refused: str | None = None

    def to_document(self) -> dict[str, Any]:
        """Give the JSON form."""
        turned = self.turned and instant.text(self.turned)
        document = {"ready": self.ready, "reason": self.reason, "turned": turned, "refused": self.refused}
        return {key: value for key, value in document.items() if value not in ("", None)}


def check(layout: Layout, now: datetime) -> Health:
    """Read the heartbeat: ready where its process lives and turned less than ``STALE`` ago."""
    try:
        document = json.loads(files.read(layout.daemon_file, _LARGEST))
        pid, host, boot = int(document["pid"]), str(document["host"]), str(document["boot"])
        turned = instant.parse(document["turned"])
        refused = document.get("refused")
    except FileNotFoundError:
        return Health(ready=False, reason="no reconciler runs here", todo=_START)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Health(ready=False, reason=f"{layout.daemon_file.name} cannot be understood", todo=_START)
    if host == socket.gethostname():
        # Of a process elsewhere (a shared disk, another container) only its clock can be seen.
        if boot != claims.boot_id():
            return Health(ready=False, reason="this machine restarted, and no reconciler since", todo=_START)
        if not Path(f"/proc/{pid}").exists():
            return Health(ready=False, reason=f"the reconciler (pid {pid}) has ended", todo=_START)
    age = now - turned
    if age > STALE:
        reason = f"the scheduling loop (pid {pid} on {host}) last turned {age.total_seconds():.0f} s ago"
        return Health(ready=False, reason=reason, todo="look at its log", turned=turned)
    return Health(ready=True, turned=turned, refused=refused if isinstance(refused, str) else None)
