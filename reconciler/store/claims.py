"""Claims: the marks by which a runner takes an execution, at most once (SPEC 10).

A claim names a process by the boot, the pid and the clock ticks from boot to its start: a pid alone is used again,
and a time of day may be set back.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reconciler import names
from reconciler.store import files, living
from reconciler.store.layout import Layout

_LARGEST = 64 * 1024
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Claim:
    """Who took an execution: ``started`` counts clock ticks from the boot, ``record`` is the record's absolute path."""

    execution: str
    record: str
    boot_id: str
    pid: int
    started: int
    host: str


def take(layout: Layout, execution_id: str, claim: Claim) -> bool:
    """Take an execution; ``False`` if somebody has. Durable before it returns; ``OSError``."""
    return files.create(
        layout.claim(execution_id), json.dumps({name: getattr(claim, name) for name in Claim.__slots__}).encode()
    )


def read(layout: Layout, execution_id: str) -> Claim | None:
    """Who took an execution, if anybody has."""
    try:
        return _parse(files.read(layout.claim(execution_id), _LARGEST), execution_id)
    except FileNotFoundError:
        return None
    except ValueError:
        return _unknown(execution_id)


def ids(layout: Layout) -> list[str]:
    """The executions that are claimed."""
    try:
        found = os.listdir(layout.claims)  # noqa: PTH208 - names are wanted, at every turn of a reconciler
    except FileNotFoundError:
        return []
    stems = (name.removesuffix(".json") for name in found if name.endswith(".json"))
    return [stem for stem in stems if names.is_execution(stem)]


def all(layout: Layout) -> tuple[Claim, ...]:  # noqa: A001 - read as claims.all
    """Every claim. One whose file cannot be understood is a claim still, of nobody alive: its execution was taken."""
    claims = (read(layout, execution_id) for execution_id in sorted(ids(layout)))
    return tuple(claim for claim in claims if claim is not None)


def release(layout: Layout, execution_id: str) -> None:
    """Give an execution back; nothing happens if it is not claimed."""
    with suppress(FileNotFoundError):
        layout.claim(execution_id).unlink()


def alive(claim: Claim) -> bool:
    """Whether the very process that made a claim still runs."""
    found = living.look(claim.pid) if claim.boot_id == boot_id() else None
    return found is not None and found.started == claim.started


def mine() -> tuple[str, int, int]:
    """Name this process as claims do: boot id, pid, start in clock ticks."""
    pid = os.getpid()
    me = living.look(pid)
    return boot_id(), pid, me.started if me else 0


@cache
def boot_id() -> str:
    """The kernel's name for the time since it started."""
    return _BOOT.read_text().strip()


def _parse(data: bytes, execution_id: str) -> Claim:
    document = json.loads(data)
    try:
        claim = Claim(**document)
    except TypeError as error:
        raise ValueError(str(error)) from error
    texts = {type(value) for value in (claim.execution, claim.record, claim.boot_id, claim.host)}
    numbers = {type(value) for value in (claim.pid, claim.started)}
    if (texts, numbers) != ({str}, {int}) or claim.execution != execution_id or claim.pid <= 0:
        raise ValueError("a field of the claim is wrong")
    return claim


def _unknown(execution_id: str) -> Claim:
    return Claim(execution_id, record="", boot_id="", pid=0, started=0, host="")
