"""Conditions written as JSON, ``{"status": "failed", "start": {"$gte": "2021-07-19"}}``: what ``$match`` takes."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from reconciler import conditions, fieldpath, functions, nesting
from reconciler.conditions import Condition, Expression
from reconciler.functions import MalformedError

DEEPEST = 40
"""Expressions in expressions."""
MOST = 200
"""Conditions of one query."""
_JOINS: Mapping[str, Callable[[list[Expression]], Expression]] = {
    "$and": conditions.every,
    "$or": conditions.either,
    "$nor": lambda parts: conditions.opposite(conditions.either(parts)),
}
_SIGNS = ("$gt", "$gte", "$lt", "$lte")
OPERATORS = ("$eq", "$ne", "$in", *_SIGNS, "$regex")


def load(written: str) -> Any:
    """Read JSON; ``MalformedError`` says where it is none."""
    try:
        nesting.check(written)
    except ValueError as error:
        raise MalformedError(str(error)) from None
    try:
        return json.loads(written, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise MalformedError(f"no JSON: {error.msg}", error.pos) from None
    except ValueError as error:  # a constant, or an integer of thousands of digits
        raise MalformedError(f"no JSON: {str(error).partition(';')[0]}") from None


def read(document: Any, written: str) -> Expression:
    """Turn an object of a ``written`` text into conditions that all hold; ``MalformedError`` with a place in it."""
    return _read(document, written, 1)


def place(written: str, key: str) -> int:
    """Find where a key stands first in the text of an object."""
    return max(written.find(json.dumps(key)), 0)


def _read(document: Any, written: str, depth: int) -> Expression:
    if not isinstance(document, dict):
        raise MalformedError(f"{json.dumps(document)[:80]} is no object of conditions", 0, 'write {"status": "failed"}')
    if depth > DEEPEST:
        raise MalformedError(f"nested more than {DEEPEST} deep")
    parts: list[Expression] = []
    for key, value in document.items():
        if key in _JOINS:
            if not isinstance(value, list) or not value:
                raise MalformedError(f"{key} takes a list of objects", place(written, key))
            parts.append(_JOINS[key]([_read(one, written, depth + 1) for one in value]))
            continue
        try:
            path = fieldpath.read(key)
            asked = value if isinstance(value, dict) else {"$eq": value}
            parts += [_condition(path, operator, operand, asked) for operator, operand in asked.items()]
        except MalformedError as error:
            raise MalformedError(f"{key}: {error.what}", place(written, key), error.todo) from None
        except ValueError as error:
            raise MalformedError(str(error), place(written, key), f"there are also {', '.join(_JOINS)}") from None
    if len(parts) > MOST:
        raise MalformedError(f"more than {MOST} conditions")
    return conditions.every(parts)


def _condition(path: fieldpath.Path, operator: str, operand: Any, beside: Mapping[str, Any]) -> Expression:
    values = operand if operator == "$in" and isinstance(operand, list) else [operand]
    if any(isinstance(value, dict | list) for value in values) or (operator == "$in" and values is not operand):
        raise MalformedError(f"{operator} takes {'a list of values' if operator == '$in' else 'one value'}")
    if operator in ("$eq", "$ne", "$in"):
        found = functions.equality(path, [functions.plain(value) for value in values])
        return Condition(path, found, negated=operator == "$ne")
    if operator in _SIGNS:
        return Condition(path, functions.compared(path, operator[1:], functions.plain(operand)))
    if operator == "$options" and operand in ("", "i") and "$regex" in beside:
        return conditions.every([])
    if operator == "$regex" and isinstance(operand, str):
        flag = "(?i)" if beside.get("$options") == "i" else ""
        return Condition(path, functions.matching(path, flag + operand))
    raise MalformedError(f"unknown operator {operator[:40]}", 0, f"there are {', '.join(OPERATORS)}")


def _no_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
