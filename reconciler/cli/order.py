"""What somebody asks to run, read from the command line: a process, which version of it, with which body."""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from reconciler import nesting
from reconciler.errors import UsageError

RESERVED = ("outputs", "settings", "subscription")
"""Keys of the input that are filled by procctl itself (SPEC 3)."""

_LARGEST = 8 * 2**20
_POST = {"name", "body", "input"}


def read_body(written: str) -> dict[str, Any]:
    """Read ``--body``: a JSON object, or ``@FILE`` (``@-`` is standard input) that holds one."""
    text = _text(written[1:], "--body") if written.startswith("@") else written
    return _object(text, "--body")


def read_post(path: str) -> tuple[str, dict[str, Any] | None]:
    """Read what one POSTs to the service: ``name``, and ``input`` with ``body`` laid over it by top-level keys."""
    document = _object(_text(path, "-f"), "-f")
    unknown = sorted(document.keys() - _POST)
    if unknown:
        raise UsageError(f"unknown key {unknown[0][:80]!r}", where="-f", todo="name, body and input are known")
    name = document.get("name")
    if not isinstance(name, str):
        raise UsageError("the key name is missing, or no text", where="-f", todo='write {"name": "ECB_FX"}')
    parts = [document[key] for key in ("input", "body") if document.get(key) is not None]
    if not all(isinstance(part, dict) for part in parts):
        raise UsageError("body and input must be objects", where="-f", todo='write {"name": …, "body": {…}}')
    return name, {key: value for part in parts for key, value in part.items()} if parts else None


def lay_over(body: Mapping[str, Any] | None, pairs: Iterable[tuple[str, Any]]) -> dict[str, Any] | None:
    """Lay what ``-i`` gave over a body; ``None`` where nothing was given at all. ``UsageError`` for a reserved key."""
    given = dict(pairs)
    if body is None and not given:
        return None
    whole = {**(body or {}), **given}
    for key in RESERVED:
        if key in whole:
            raise UsageError(f"{key} is filled by procctl itself", where="input", todo="give it another name")
    return whole


class Pair(click.ParamType[tuple[str, Any]]):
    """One input: ``key=text`` or ``key:=JSON``."""

    name = "pair"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """Split the text at its first ``=``; a usage error where it has none, or where the JSON is none."""
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        if not equals or key in {"", ":"}:
            self.fail(f"{value!r} is neither key=text nor key:=JSON", param, ctx)
        if not key.endswith(":"):
            return key, text
        return key[:-1], read_json(text, f"-i {key[:-1]}")


def read_bytes(path: str, most: int, where: str) -> bytes:
    """Read a file, or standard input for ``-``, but no more than one byte beyond ``most``; ``UsageError``."""
    try:
        if path == "-":
            return sys.stdin.buffer.read(most + 1)
        with Path(path).open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", where=where, todo="name a file that can be read") from error


def _text(path: str, where: str) -> str:
    data = read_bytes(path, _LARGEST, where)
    if len(data) > _LARGEST:
        raise UsageError(f"more than {_LARGEST} bytes", where=where, todo="hand over a path to big data instead")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError("is not UTF-8", where=where, todo="save it as UTF-8") from error


def _object(text: str, where: str) -> dict[str, Any]:
    document = read_json(text, where)
    if not isinstance(document, dict):
        raise UsageError("is no JSON object", where=where, todo='write {"key": "value"}')
    return document


def read_json(text: str | bytes, where: str) -> Any:
    """Read JSON as the standard has it, each key once; ``UsageError`` where it is none."""
    try:
        nesting.check(text)
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    except ValueError as error:
        raise UsageError(f"is no JSON: {error}", where=where, todo="quote it for the shell: '{\"a\": 1}'") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
