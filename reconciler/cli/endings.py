"""Ends that a command writes itself: of what no runner has taken, and of what a dead one left (SPEC 10)."""

from contextlib import suppress
from datetime import UTC, datetime

from reconciler.execution import Execution, Outcome, finish
from reconciler.runner import recovery, session
from reconciler.store import claims, files, records
from reconciler.store.claims import Claim
from reconciler.store.layout import Layout


def take_back(layout: Layout, execution: Execution, outcome: Outcome, message: str) -> Execution | None:
    """End an execution that nobody has claimed, by claiming it; ``None`` where somebody was faster.

    Raises ``LaterError`` or ``UserError`` where that cannot be written.
    """
    boot_id, pid, started = claims.mine()
    claim = Claim(execution.id, str(layout.record(execution)), boot_id, pid, started, session.identity()[0])
    try:
        if not claims.take(layout, execution.id, claim):
            return None
    except OSError as error:
        raise files.explain(error, layout.claims) from error
    return _end(layout, execution, outcome, message)


def bury(layout: Layout, claim: Claim | None, execution: Execution) -> Execution:
    """End an execution whose runner is gone: what is left of its processes first, then its record.

    What the runner wrote last stands, if it wrote an end. Raises ``LaterError`` or ``UserError``.
    """
    if claim is not None:
        recovery.end_session(claim)
    with suppress(OSError, ValueError):  # broken by hand: what was last seen stands
        execution = records.read(layout.record(execution))
    if execution.ended:
        claims.release(layout, execution.id)
        return execution
    return _end(layout, execution, Outcome.INTERRUPTED, "Interrupted: its runner ended without a word")


def _end(layout: Layout, execution: Execution, outcome: Outcome, message: str) -> Execution:
    ended = finish(execution, outcome, datetime.now(UTC), message)
    try:
        records.write(layout, ended, durable=True)
        claims.release(layout, execution.id)
    except OSError as error:
        raise files.explain(error, layout.record(execution)) from error
    return ended
