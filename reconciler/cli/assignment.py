"""What ``procctl set`` is given: a path into the file, and a value in the type that belongs there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from reconciler import yamledit
from reconciler.cli.order import Pair
from reconciler.yamledit import Steps

_WORDS = {"true": True, "false": False, "null": None}
_KINDS: dict[str, Any] = {"boolean": bool, "integer": int, "number": (int, float), "null": type(None)}


@dataclass(frozen=True, slots=True)
class Assignment:
    """``path=text`` or ``path:=JSON``; ``value`` is a text that may stand for something else where ``is_text``."""

    steps: Steps
    value: Any
    is_text: bool


class Assigned(click.ParamType[Assignment]):
    """One assignment on the command line."""

    name = "assignment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Assignment:
        """Split the text as ``run -i`` does; a usage error where the path is none."""
        if isinstance(value, Assignment):
            return value
        path, read = Pair().convert(value, param, ctx)
        return Assignment(_steps(self, path, param, ctx), read, not value.partition("=")[0].endswith(":"))


class PathTo(click.ParamType[Steps]):
    """The path of a value on the command line."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Steps:
        """Split the text at its dots; a usage error where that leaves nothing between two of them."""
        return value if isinstance(value, tuple) else _steps(self, value, param, ctx)


def typed(given: Assignment, document: Any, schema: Mapping[str, Any]) -> Any:
    """The value to write: a text stays one, unless the schema has no texts there, or no text stood there before.

    So ``enabled=false`` and ``retries=3`` are no texts, nor is ``input.limit=5`` where a number stood; ``cron=5`` is.
    """
    text = given.value
    if not given.is_text:
        return text
    read = _scalar(text)
    if isinstance(read, str):
        return text
    kinds = _kinds(schema, given.steps)
    if kinds:
        return read if "string" not in kinds and any(_fits(read, kind) for kind in kinds) else text
    before = yamledit.at(document, given.steps)
    is_alike = isinstance(before, (bool, int, float)) and isinstance(before, bool) is isinstance(read, bool)
    return read if is_alike and read is not None else text


def written(steps: Steps) -> str:
    """A path as people write it."""
    if any("." in step or "/" in step for step in steps):
        return "/" + "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
    return ".".join(steps)


def _steps(kind: click.ParamType[Any], path: str, param: click.Parameter | None, ctx: click.Context | None) -> Steps:
    try:
        return yamledit.steps_of(path)
    except ValueError as error:
        kind.fail(str(error), param, ctx)


def _scalar(text: str) -> Any:
    """A number, true, false or null as JSON has them; any other text as it is."""
    if text in _WORDS:
        return _WORDS[text]
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return read if isinstance(read, (int, float)) and abs(read) < float("inf") else text


def _fits(value: Any, kind: str) -> bool:
    wanted = _KINDS.get(kind)
    return wanted is not None and isinstance(value, wanted) and (kind == "boolean" or not isinstance(value, bool))


def _kinds(schema: Mapping[str, Any], steps: Sequence[str]) -> tuple[str, ...]:
    """The types that a schema allows at a path; none where it does not say."""
    here: Any = schema
    for step in ("", *steps):
        if step:
            inner = here.get("properties", {}).get(
                step, here.get("items" if step.isdigit() else "additionalProperties")
            )
            here = inner if isinstance(inner, dict) else {}
        while isinstance(here.get("$ref"), str):
            here = schema.get("$defs", {}).get(here["$ref"].rpartition("/")[2], {})
    kinds = here.get("type", ())
    return (kinds,) if isinstance(kinds, str) else tuple(kinds)
