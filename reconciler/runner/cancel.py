"""Cancelling: a note that says who did, and a signal that has the runner look for it and stop its script (SPEC 10).

The signal alone means nothing: by the time it comes, its runner may work on another execution.
"""

import os
from contextlib import suppress
from pathlib import Path

from reconciler.runner.signals import LOOK
from reconciler.runner.text import clean, cut
from reconciler.store import claims, files
from reconciler.store.claims import Claim
from reconciler.store.layout import Layout

_LONGEST = 200


def cancel(layout: Layout, claim: Claim, user: str) -> bool:
    """Ask the runner that made a claim to end its execution; ``False`` if it does not run. ``OSError``."""
    if not claims.alive(claim):
        return False
    files.replace(note(layout, claim.execution), user.encode(errors="replace"), durable=False)
    with suppress(ProcessLookupError):
        os.kill(claim.pid, LOOK)
        return True
    return False


def message(layout: Layout, execution_id: str) -> str:
    """Say by whom an execution was cancelled, as far as that is known."""
    try:
        user = files.read(note(layout, execution_id), 4096).decode(errors="replace")
    except (OSError, ValueError):
        return "Cancelled by a signal"
    return f"Cancelled by {cut(' '.join(clean(user).split()), _LONGEST)}"


def forget(layout: Layout, execution_id: str) -> None:
    """Remove the note of an execution that has ended."""
    with suppress(OSError):
        note(layout, execution_id).unlink()


def note(layout: Layout, execution_id: str) -> Path:
    """Where the note lies that an execution is to end."""
    return layout.claim(execution_id).with_suffix(".cancel")
