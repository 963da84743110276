"""``schedules.json``: what was applied last, and how far each schedule has been decided (SPEC 2). It cannot be derived.

One process stands on one line, so that the copies on the branch ``executions`` differ in few lines.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reconciler import names
from reconciler.decision import Track
from reconciler.store import files
from reconciler.store.layout import Layout

_LARGEST = 256 * 2**20
_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class State:
    """What one environment has to remember: the commit applied last, the ref it followed, a track per process.

    ``mainline`` are the merges whose history is not that of their first parent, and the parent it is; ``follow`` is the
    tag that processes are followed at, if one is (SPEC 9).
    """

    applied: str | None = None
    ref: str | None = None
    tracks: Mapping[str, Track] = field(default_factory=dict)
    mainline: Mapping[str, str] = field(default_factory=dict)
    follow: str | None = None


def read(layout: Layout) -> State | None:
    """Read the state; ``None`` where there is none yet. ``ValueError`` where the file is something else."""
    try:
        data = files.read(layout.schedules, _LARGEST)
    except FileNotFoundError:
        return None
    try:
        return decode(data)
    except ValueError as error:
        raise ValueError(f"{layout.schedules}: {error}") from error


def write(layout: Layout, state: State) -> None:
    """Replace the state, atomically and durably; ``OSError``."""
    files.replace(layout.schedules, encode(state), durable=True)


def encode(state: State) -> bytes:
    """Write the state as JSON, one line a process, in the order of their names."""
    tracks = ",\n".join(f"{json.dumps(name)}: {_track(track)}" for name, track in sorted(state.tracks.items()))
    head = f'"applied": {json.dumps(state.applied)},\n"ref": {json.dumps(state.ref)}'
    head += f',\n"mainline": {json.dumps(dict(state.mainline), sort_keys=True)}'
    head += f',\n"follow": {json.dumps(state.follow)}' if state.follow is not None else ""
    return f'{{\n{head},\n"tracks": {{\n{tracks}\n}}\n}}\n'.encode()


def decode(data: bytes) -> State:
    """Read the state's JSON; ``ValueError`` where it is something else."""
    try:
        document = json.loads(data)
        tracks = {name: _read_track(line) for name, line in document["tracks"].items()}
        mainline = dict(document.get("mainline", {}))
        state = State(document["applied"], document["ref"], tracks, mainline, document.get("follow"))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ValueError(f"no state of schedules: {type(error).__name__}: {error}") from error
    if not all(names.is_process(name) for name in tracks):
        raise ValueError("no state of schedules: a name is wrong")
    if state.follow is not None and not names.is_tag(str(state.follow)):
        raise ValueError("no state of schedules: what should be a tag is none")
    commits = [*state.mainline, *state.mainline.values(), *([] if state.applied is None else [state.applied])]
    if not all(names.is_commit(str(commit)) for commit in commits):
        raise ValueError("no state of schedules: what should be a commit is none")
    return state


def _track(track: Track) -> str:
    document = {"schedule": track.schedule, "since": _text(track.since), "decided": _text(track.decided)}
    if track.held is not None:
        document["held"] = track.held
    return _encode(document)


def _read_track(document: Mapping[str, Any]) -> Track:
    schedule = document["schedule"]
    if not isinstance(schedule, dict):
        raise TypeError("a schedule is no object")
    held = document.get("held")
    if not isinstance(held, str | None):
        raise TypeError("held is no text")
    return Track(schedule, since=_instant(document["since"]), decided=_instant(document["decided"]), held=held)


def _text(at: datetime) -> str:
    """Write every digit: a record's three decimals would move an instant to before itself."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _instant(written: str) -> datetime:
    at = datetime.fromisoformat(written)
    if at.tzinfo is None:
        raise ValueError(f"{written!r} has no zone")
    return at.astimezone(UTC)
