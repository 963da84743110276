"""Documents held against the JSON Schemas of ``schemas/``: every finding at once, in our own words.

jsonschema finds, this module says. Where a schema itself knows better words it has them in ``errorMessage`` or, for a
``pattern``, in ``patternErrorMessage``, which editors show too.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from reconciler.inputs import KINDS, kind
from reconciler.pattern import ecma
from reconciler.problem import Severity

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MOST = 100
"""How many findings are given; with more, the rest is noise."""
_LONGEST_KEY = 64  # of an unknown key that is compared with the known ones
_COMPARED = 20  # unknown keys for which the nearest known one is looked for: it takes a millisecond
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the value at a path, or (``at_key``) with the key that the path ends with."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    at_key: bool = False
    severity: Severity = Severity.ERROR
    holds: bool = False


class Schema:
    """One JSON Schema (2020-12), compiled. Nothing it refers to is ever looked for outside it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._validator = _compile(document)

    def findings(self, value: Any) -> list[Finding]:
        """What is wrong with a document: empty where it is valid, ``MOST`` findings at most."""
        errors = islice(self._validator.iter_errors(value), MOST)
        found = {finding: None for error in errors for finding in _words(error)}
        return list(islice(found, MOST))


def near(word: str, known: Mapping[str, Any] | list[str] | tuple[str, ...]) -> str:
    """Offer the nearest known word, as a hint: ``did you mean cron?``; empty where none is near."""
    small = {each.lower(): each for each in reversed([*known])}
    found = get_close_matches(word.lower(), small, n=1) if len(word) <= _LONGEST_KEY else []
    return f"did you mean {small[found[0]]}?" if found else ""


def label(path: tuple[str | int, ...]) -> str:
    """Name the value at a path as people do: ``phases[0].script``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return text if len(text) <= 2 * _SHOWN else f"…{text[-2 * _SHOWN :]}"


def _compile(document: Mapping[str, Any]) -> "Validator":
    # An empty registry: the default one would fetch a reference it does not know from the network.
    from referencing import Registry  # noqa: PLC0415 - as jsonschema below

    validator: Validator = _engine()(document, registry=Registry())
    return validator


@cache
def _engine() -> Any:
    """Draft 2020-12 with ECMA-262's patterns, and with no look at the parts of what has too many of them anyway."""
    from jsonschema import Draft202012Validator, ValidationError, validators  # noqa: PLC0415 - 150 ms, not always needed

    def matches(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        """Match a pattern as ECMA-262 means it."""
        if validator.is_type(instance, "string") and ecma(pattern).search(instance) is None:
            yield ValidationError("pattern")

    def bounded(keyword: str, limit: str) -> Callable[..., Any]:
        """Look into a list or mapping only where it is no longer than ``limit`` says."""
        inner = Draft202012Validator.VALIDATORS[keyword]

        def check(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
            """Check one keyword, as the library calls it."""
            sized = isinstance(instance, list | dict)
            return (
                ()
                if sized and len(instance) > schema.get(limit, len(instance))
                else inner(validator, value, instance, schema)
            )

        return check

    parts = {"items": "maxItems", "propertyNames": "maxProperties", "additionalProperties": "maxProperties"}
    changed: dict[str, Any] = {keyword: bounded(keyword, limit) for keyword, limit in parts.items()}
    changed["pattern"] = matches
    return validators.extend(Draft202012Validator, changed)  # type: ignore[no-untyped-call]  # jsonschema leaves it bare


def _words(error: Any) -> Iterator[Finding]:
    path = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    if "propertyNames" in error.absolute_schema_path and isinstance(error.instance, str):
        said = schema.get("patternErrorMessage", "is no name that can stand here")
        yield Finding((*path, error.instance), f"{label((*path, error.instance))} {said}", at_key=True)
    elif "errorMessage" in schema and error.validator in {"not", "required", "const", "enum", "maxItems"}:
        yield Finding(path, f"{label(path) or 'the file'} {schema['errorMessage']}")
    elif error.validator in _KEYWORDS:
        yield from _KEYWORDS[error.validator](error, path)
    else:
        yield Finding(path, f"{label(path) or 'the file'} does not fit: {error.message[:200]}")


def _unknown(error: Any, path: tuple[str | int, ...]) -> Iterator[Finding]:
    known = error.schema.get("properties", {})
    free = [ecma(pattern) for pattern in error.schema.get("patternProperties", {})]
    extra = (key for key in error.instance if key not in known and not any(each.search(key) for each in free))
    where = f" in {label(path)}" if path else ""
    for number, key in enumerate(islice(extra, MOST)):
        hint = (number < _COMPARED and near(key, known)) or "remove it, or begin it with x- if it is yours"
        yield Finding((*path, key), f"the key {key[:_SHOWN]} is not known{where}", hint, at_key=True)


def _missing(error: Any, path: tuple[str | int, ...]) -> Iterator[Finding]:
    for key in error.validator_value:
        if key not in error.instance:
            yield Finding(path, f"{label(path) or 'the file'} needs {key}")


def _type(error: Any, path: tuple[str | int, ...]) -> Iterator[Finding]:
    kinds = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
    must = " or ".join(KINDS[each] for each in kinds)
    hint = ""
    if error.instance is None:
        hint = "give it a value, or remove the key"
    elif "string" in kinds and isinstance(error.instance, bool | int | float):
        hint = f"quote it: {json.dumps(json.dumps(error.instance))}"
    elif isinstance(error.instance, str) and "boolean" in kinds:
        hint = "YAML 1.2 has only true and false"
    elif isinstance(error.instance, str) and "array" in kinds:
        hint = f"write [{error.instance[:_SHOWN]}]"
    elif isinstance(error.instance, str):
        hint = "remove the quotes" if error.instance.isdigit() else ""
    yield Finding(path, f"{label(path) or 'the file'} must be {must}, is {kind(error.instance)}", hint)


def _enum(error: Any, path: tuple[str | int, ...]) -> Iterator[Finding]:
    values = [str(value) for value in error.validator_value]
    hint = near(error.instance, values) if isinstance(error.instance, str) else ""
    yield Finding(path, f"{label(path)} must be one of {', '.join(values)}", hint)


def _pattern(error: Any, path: tuple[str | int, ...]) -> Iterator[Finding]:
    said = error.schema.get("patternErrorMessage", f"must match {error.validator_value}")
    yield Finding(path, f"{label(path)} {said}")


def _bound(words: str, unit: str = "") -> Callable[..., Iterator[Finding]]:
    def say(error: Any, path: tuple[str | int, ...]) -> Iterator[Finding]:
        """Say which bound was passed."""
        bound = error.validator_value
        units = f" {unit}{'s' * (bound != 1)}" if unit else ""
        yield Finding(path, f"{label(path) or 'the file'} must {words} {bound}{units}")

    return say


_KEYWORDS: Mapping[str, Callable[..., Iterator[Finding]]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "type": _type,
    "enum": _enum,
    "pattern": _pattern,
    "const": _bound("be"),
    "minimum": _bound("be at least"),
    "maximum": _bound("be at most"),
    "exclusiveMinimum": _bound("be greater than"),
    "minLength": _bound("have at least", "character"),
    "maxLength": _bound("have at most", "character"),
    "minItems": _bound("have at least", "element"),
    "maxItems": _bound("have at most", "element"),
    "minProperties": _bound("have at least", "key"),
    "maxProperties": _bound("have at most", "key"),
}
