"""The four schemas as documents: closed, described, read alike by both drafts, and at one with the code."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from referencing.exceptions import Unresolvable

from reconciler import duration, names
from reconciler.inputs import KINDS
from reconciler.pattern import ecma
from reconciler.schema import Schema

ROOT = Path(__file__).parents[1]
SCHEMAS: Mapping[str, dict[str, Any]] = {
    path.name.split(".")[0]: json.loads(path.read_text()) for path in sorted((ROOT / "schemas").glob("*.json"))
}
EXAMPLES = sorted((ROOT / "tests" / "examples").rglob("*.yaml"))
APPLIED = ("if", "then", "else", "allOf", "not")
"""Keywords whose schemas only narrow what another place describes."""


def parts(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within a schema, less those that only narrow, with its path."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from parts(inner, f"{path}/{name}")
    for name, inner in schema.get("$defs", {}).items():
        yield from parts(inner, f"{path}/$defs/{name}")
    for keyword in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(keyword), dict):
            yield from parts(schema[keyword], f"{path}/{keyword}")


def everything(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema, those that only narrow too."""
    if isinstance(schema, dict):
        yield schema
        for keyword, inner in schema.items():
            if keyword in ("properties", "patternProperties", "$defs"):
                for each in inner.values():
                    yield from everything(each)
            elif keyword in (*APPLIED, "items", "additionalProperties", "propertyNames"):
                for each in inner if isinstance(inner, list) else [inner]:
                    yield from everything(each)


PARTS = [(name, path, part) for name, schema in SCHEMAS.items() for path, part in parts(schema)]


def test_there_are_four_each_with_its_own_id() -> None:
    assert [*SCHEMAS] == ["execution", "process", "settings", "workflow"]
    assert {schema["$id"] for schema in SCHEMAS.values()} == {f"urn:procctl:schema:{name}" for name in SCHEMAS}
    assert {schema["$schema"] for schema in SCHEMAS.values()} == {"https://json-schema.org/draft/2020-12/schema"}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=[*SCHEMAS])
@pytest.mark.parametrize("draft", [Draft202012Validator, Draft7Validator])
def test_each_is_a_schema_in_both_drafts(schema: dict[str, Any], draft: Any) -> None:
    draft.check_schema(schema)


@pytest.mark.parametrize(("name", "path", "part"), PARTS, ids=lambda each: each if isinstance(each, str) else "")
def test_every_property_is_described_for_editors(name: str, path: str, part: dict[str, Any]) -> None:
    if "$ref" in part:
        assert part == {"$ref": part["$ref"]}, "draft-07 ignores what stands beside a reference"
    elif "additionalProperties" not in path.rsplit("/", 1)[-1]:
        assert len(part["description"]) > 4
        assert part["description"][0].isupper() or part["description"].split()[0].rstrip(":") in (
            "false",
            "true",
            "constant",
        )
    assert name


FREE = {"input", "properties", "settings", "body", "default", "const", "curves", "series"}
"""Objects whose keys are the user's own."""


@pytest.mark.parametrize(("name", "path", "part"), PARTS, ids=lambda each: each if isinstance(each, str) else "")
def test_every_object_is_closed(name: str, path: str, part: dict[str, Any]) -> None:
    if part.get("type") == "object" and path.rsplit("/", 1)[-1] not in FREE:
        assert part["additionalProperties"] is False
        if name != "execution":
            assert "^x-" in part["patternProperties"]
    elif path.endswith("/$defs/input"):
        assert part["additionalProperties"] is False


def test_only_what_both_drafts_know_is_used() -> None:
    ours = {"errorMessage", "patternErrorMessage"}
    known = set(Draft7Validator.VALIDATORS) & set(Draft202012Validator.VALIDATORS)
    annotations = {"$schema", "$id", "$defs", "title", "description", "default", "examples", "then", "else"}
    used = {keyword for schema in SCHEMAS.values() for part in everything(schema) for keyword in part}
    assert used - known - annotations == ours


def test_nothing_is_said_by_one_of_or_any_of() -> None:
    used = {keyword for schema in SCHEMAS.values() for part in everything(schema) for keyword in part}
    assert used & {"oneOf", "anyOf"} == set()


def test_no_check_takes_longer_than_its_document() -> None:
    used = {
        keyword
        for name in ("process", "workflow", "settings")
        for part in everything(SCHEMAS[name])
        for keyword in part
    }
    assert "uniqueItems" not in used, "jsonschema compares each with each"


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parents[1].name}/{file.parent.name}/{file.stem}")
def test_a_draft_07_reader_comes_to_the_same_verdict(file: Path) -> None:
    try:
        document = yaml.load(file.read_bytes(), Loader=yaml.BaseLoader)  # noqa: S506 - makes only texts, lists and dicts
    except (yaml.YAMLError, ValueError):
        return
    schema = SCHEMAS[file.parent.name]
    assert Draft7Validator(schema).is_valid(document) == Draft202012Validator(schema).is_valid(document)


PATTERNS = sorted({part["pattern"] for schema in SCHEMAS.values() for part in everything(schema) if "pattern" in part})


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_mean_the_same_in_python_and_in_editors(pattern: str) -> None:
    assert pattern.startswith("^"), "an editor would look anywhere in the text"
    assert pattern.endswith("$")
    assert re.search(r"\\[dwsDWSbBAZ]|\(\?P|\(\?<[a-z]|\(\?i", pattern) is None
    assert ecma(pattern).search("\n") is None


def property_of(name: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMAS[name]["properties"][key]
    return found


PHASE = SCHEMAS["workflow"]["properties"]["phases"]["items"]["properties"]
DURATIONS = [
    *(property_of("process", key) for key in ("every", "timeout", "delay")),
    *(property_of("settings", key) for key in ("retention", "catchup_window")),
    *(PHASE[key] for key in ("delay", "timeout", "reschedule")),
]


@pytest.mark.parametrize("schema", DURATIONS)
def test_durations_are_those_of_the_code(schema: dict[str, Any]) -> None:
    assert schema["pattern"] == f"^(?:{duration.PATTERN.replace(chr(92) + 'd', '[0-9]')})$"


@given(st.from_regex(r"[A-Za-z_.][A-Za-z0-9_.-]{0,5}", fullmatch=True) | st.text(max_size=6))
@example("a" * 128)
@example("a" * 129)
@example("a\n")
def test_names_are_those_of_the_code(text: str) -> None:
    for schema in (property_of("process", "name"), property_of("process", "_id"), property_of("workflow", "name")):
        if names.is_process(text):
            assert ecma(schema["pattern"]).search(text)
    for name in ("process", "settings", "execution"):
        matches = ecma(property_of(name, "environment")["pattern"]).search(text) is not None
        assert matches == names.is_environment(text)
    assert (ecma(property_of("execution", "_id")["pattern"]).search(text) is not None) == names.is_execution(text)
    assert (ecma(property_of("execution", "commit")["pattern"]).search(text) is not None) == names.is_commit(text)


def test_the_words_for_types_are_complete() -> None:
    used: set[str] = set()
    for part in (part for schema in SCHEMAS.values() for part in everything(schema)):
        kinds = part.get("type", [])
        used |= {kinds} if isinstance(kinds, str) else set(kinds)
    assert used <= set(KINDS)


def test_a_reference_to_elsewhere_is_never_fetched() -> None:
    with pytest.raises(Unresolvable):
        Schema({"$ref": "https://example.org/schema.json"}).findings({})
