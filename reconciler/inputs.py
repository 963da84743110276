"""The JSON Schemas of a workflow's inputs: what values they admit, said in our words (SPEC 5).

The part of JSON Schema that ``schemas/workflow.schema.json`` allows, without ``$ref`` and whatever else could make a
check take long. It is evaluated here, in bounded steps and without a library, because it runs in the reconciler, where
a value from a commit must never cost more than a moment, and before every execution, where 150 ms of import would be
the largest part. A test holds it against jsonschema.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from typing import Any

from reconciler import pattern

_STEPS = 150_000_000  # of a pattern, less than a tenth of a second
_STEP = 2000  # what looking at one value costs, in such steps

Step = str | int
Finding = tuple[tuple[Step, ...], str]

MISSING = "is missing"
"""What is said of a required value that is not there."""

KINDS = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "empty",
}
"""The types of JSON in the words that problems use."""


def findings(schemas: Mapping[str, Any], required: tuple[str, ...], value: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with an input: the path to each value, and what it must be. Never raises for validated schemas."""
    check = _Check()
    try:
        check.value({"type": "object", "properties": schemas, "required": list(required)}, value, ())
    except _TooLargeError:
        check.found.append(((), "is too large to be checked against the workflow's input"))
    return check.found


def patterns(schema: Mapping[str, Any], path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Every ``pattern`` in a schema, with its path."""
    if isinstance(schema.get("pattern"), str):
        yield (*path, "pattern"), schema["pattern"]
    if isinstance(schema.get("items"), dict):
        yield from patterns(schema["items"], (*path, "items"))
    properties = schema.get("properties")
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        if isinstance(inner, dict):
            yield from patterns(inner, (*path, "properties", name))


def kind(value: Any) -> str:
    """The type of a value in the words that problems use."""
    return KINDS[next(name for name, is_one in _TYPES.items() if is_one(value))]


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal in JSON: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    return bool(one == other)


class _TooLargeError(Exception):
    """The steps are used up."""


@dataclass(slots=True)
class _Check:
    found: list[Finding] = field(default_factory=list)
    left: int = _STEPS

    def value(self, schema: Mapping[str, Any], value: Any, path: tuple[Step, ...]) -> None:
        """Note what is wrong with a value and all that is in it; ``_TooLargeError`` where the steps are used up."""
        self._spend(_STEP * (1 + len(schema)))
        kinds = schema.get("type")
        if kinds is not None:
            kinds = [kinds] if isinstance(kinds, str) else kinds
            if not any(_TYPES[each](value) for each in kinds):
                self._say(path, f"must be {' or '.join(KINDS[each] for each in kinds)}, is {kind(value)}")
                return
        self._choice(schema, value, path)
        match value:
            case str():
                self._text(schema, value, path)
            case list():
                self._list(schema, value, path)
            case dict():
                self._object(schema, value, path)
            case bool() | None:
                pass
            case _:
                self._number(schema, value, path)

    def _choice(self, schema: Mapping[str, Any], value: Any, path: tuple[Step, ...]) -> None:
        if "const" in schema:
            self._spend(_STEP * _size(schema["const"]))
            if not same(value, schema["const"]):
                self._say(path, f"must be {_shown(schema['const'])}")
        if "enum" in schema:
            self._spend(_STEP * _size(schema["enum"]))
            if not any(same(value, each) for each in schema["enum"]):
                self._say(path, f"must be one of {', '.join(_shown(each) for each in schema['enum'][:10])}")

    def _text(self, schema: Mapping[str, Any], value: str, path: tuple[Step, ...]) -> None:
        self._limits(schema, len(value), path, ("minLength", "maxLength", "character"))
        if "pattern" in schema:
            read = pattern.simple(schema["pattern"])
            self._spend(read.cost(len(value)))
            if read.regex.search(value) is None:
                self._say(path, f"must match {schema['pattern']}")

    def _list(self, schema: Mapping[str, Any], value: list[Any], path: tuple[Step, ...]) -> None:
        self._limits(schema, len(value), path, ("minItems", "maxItems", "element"))
        if "items" in schema:
            for index, inner in enumerate(value):
                self.value(schema["items"], inner, (*path, index))

    def _number(self, schema: Mapping[str, Any], value: float, path: tuple[Step, ...]) -> None:
        for key, (holds, words) in _BOUNDS.items():
            if key in schema and not (isfinite(value) and holds(value, schema[key])):
                self._say(path, f"must be {words} {schema[key]}")

    def _object(self, schema: Mapping[str, Any], value: Mapping[str, Any], path: tuple[Step, ...]) -> None:
        self._spend(_STEP * len(value))
        self._limits(schema, len(value), path, ("minProperties", "maxProperties", "key"))
        declared = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                self._say((*path, name), MISSING)
        for name, inner in value.items():
            if name in declared:
                self.value(declared[name], inner, (*path, name))
            elif schema.get("additionalProperties") is False:
                self._say((*path, name), "is not known")

    def _limits(self, schema: Mapping[str, Any], size: int, path: tuple[Step, ...], keys: tuple[str, str, str]) -> None:
        least, most, unit = keys
        if size < schema.get(least, 0):
            self._say(path, f"must have at least {schema[least]} {unit}{'s' * (schema[least] != 1)}, has {size}")
        if size > schema.get(most, size):
            self._say(path, f"must have at most {schema[most]} {unit}{'s' * (schema[most] != 1)}, has {size}")

    def _say(self, path: tuple[Step, ...], message: str) -> None:
        self.found.append((path, message))
        self._spend(_STEP * 10)

    def _spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise _TooLargeError


def _size(value: Any) -> int:
    """How many values there are in a value, which is what comparing another with it may cost."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, inner))


def _shown(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value))[:40]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}

_BOUNDS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minimum": (lambda value, bound: value >= bound, "at least"),
    "maximum": (lambda value, bound: value <= bound, "at most"),
    "exclusiveMinimum": (lambda value, bound: value > bound, "greater than"),
    "exclusiveMaximum": (lambda value, bound: value < bound, "less than"),
    "multipleOf": (lambda value, bound: Fraction(str(value)) % Fraction(str(bound)) == 0, "a multiple of"),
}
