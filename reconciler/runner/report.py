"""The report file: the JSON lines by which a script says more than an exit code can (SPEC 6).

Reading it never trusts it: the file may be missing, replaced by a pipe, cut short, or huge.
"""

import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler import nesting

LIMIT = 16 * 1024 * 1024
"""Bytes of one attempt's report that are read."""

_CHUNK = 256 * 1024
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

_LONGEST_NAME = 128
"""Characters in the name of a phase, an exit or an id."""

LEVELS = frozenset({"debug", "info", "warn", "fatal"})
STATUSES = frozenset({"running", "success", "failed"})


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()


def _level(value: Any) -> bool:
    return isinstance(value, str) and value in LEVELS


def _status(value: Any) -> bool:
    return isinstance(value, str) and value in STATUSES


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _days(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _DATE.fullmatch(day) and isinstance(ids, list) and all(_name(one) for one in ids) for day, ids in value.items()
    )


def _data(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and value.keys() <= {"name", "curves", "series"}
        and all(isinstance(part, str) if key == "name" else _days(part) for key, part in value.items())
    )


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "message": _text,
    "log": _text,
    "level": _level,
    "output": _object,
    "exit": _name,
    "loaderMessage": _text,
    "data": _data,
    "phase": _name,
    "status": _status,
    "fail": _text,
    "abort": _text,
    "mask": _text,
}
_NEEDS = {"level": "log", "status": "phase"}
"""Keys that mean something only beside another."""


def parse(line: bytes) -> Mapping[str, Any] | None:
    """Read one line; ``None`` where it is no object of the kinds SPEC 6 names (then it is kept as a log line)."""
    try:
        nesting.check(line)
        entry = _DECODER.decode(line.decode())
    except ValueError:
        return None
    if not isinstance(entry, dict) or not entry:
        return None
    known = all(key in _KINDS and _KINDS[key](value) for key, value in entry.items())
    whole = all(need in entry for key, need in _NEEDS.items() if key in entry)
    return entry if known and whole and ("phase" not in entry or "status" in entry) else None


class Report:
    """What one attempt has reported so far, read as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._rest = b""
        self._room = LIMIT
        self._used = False

    def clear(self) -> None:
        """Begin anew for the next attempt."""
        if self._used:
            self._path.unlink(missing_ok=True)
        self._used = True
        self._read, self._rest, self._room = 0, b"", LIMIT

    def lines(self, *, final: bool = False) -> Iterator[bytes]:
        """Give the lines that have come since the last call; ``final`` gives an unfinished last line as well."""
        for chunk in self._chunks():
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            yield from filter(bytes.strip, lines)
        if final and self._rest.strip():
            line, self._rest = self._rest, b""
            yield line

    def _chunks(self) -> Iterator[bytes]:
        if self._room <= 0:
            return
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError:  # nothing reported yet, or nothing that can be read
            return
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return
            if status.st_size < self._read:  # written anew with `>` where `>>` was meant
                self._read, self._rest = 0, b""
            while self._room > 0 and (chunk := os.pread(descriptor, min(_CHUNK, self._room), self._read)):
                self._read += len(chunk)
                self._room -= len(chunk)
                yield chunk
        finally:
            os.close(descriptor)
        if self._room <= 0:
            yield b'\n{"log": "the rest of the report is left out: it is longer than 16 MiB", "level": "warn"}\n'
