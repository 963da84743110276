"""The schemas ship with the package."""

import pytest
from jsonschema import Draft202012Validator

from reconciler.store import schemas


@pytest.mark.parametrize("noun", ["process", "workflow", "settings", "execution"])
def test_each_noun_has_a_sound_and_closed_schema(noun: str) -> None:
    schema = schemas.load()[noun]
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert schema.get("additionalProperties", schema.get("unevaluatedProperties")) is False


def test_nothing_else_is_taken_for_a_schema() -> None:
    assert set(schemas.load()) == {"process", "workflow", "settings", "execution"}
