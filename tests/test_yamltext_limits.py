"""Reading YAML: every limit of SPEC 3, from both sides (attack class 9)."""

from typing import Any

import pytest

from reconciler.problem import Problem
from reconciler.yamltext import LARGEST, read
from reconciler.yamltree import DEEPEST, MOST


def value(text: str) -> Any:
    found, problems = read("f.yaml", text.encode())
    assert problems == ()
    assert found is not None
    return found.value


def refused(data: bytes | str) -> Problem:
    """The one problem of a file that cannot be read to its end."""
    found, problems = read("f.yaml", data.encode() if isinstance(data, str) else data)
    assert found is None
    assert len(problems) == 1
    return problems[0]


@pytest.mark.parametrize(
    "nest",
    [
        lambda n: "[" * n + "]" * n,
        lambda n: "{a: " * n + "1" + "}" * n,
        lambda n: "- " * n + "1",
        lambda n: "[[{a: " * (n // 3),
    ],
    ids=["lists", "mappings", "blocks", "mixed"],
)
def test_deep_nesting_is_refused_before_anything_crashes(nest: Any) -> None:
    assert "nested deeper" in refused(nest(100_000)[:LARGEST]).message
    assert "nested deeper" in refused(nest(3 * DEEPEST)).message


def test_nesting_up_to_the_limit_is_read() -> None:
    assert read("f.yaml", ("[" * DEEPEST + "]" * DEEPEST).encode())[1] == ()
    assert "nested deeper" in refused("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)).message


def test_nodes_up_to_the_limit_are_read() -> None:
    assert len(value("[" + "x," * (MOST - 1) + "]")) == MOST - 1
    assert "nodes" in refused("[" + "x," * MOST + "]").message
    assert "nodes" in refused("".join(f"k{number}: v\n" for number in range(MOST // 2))).message


def test_bytes_up_to_the_limit_are_read() -> None:
    assert value("a: " + "x" * (LARGEST - 3)) == {"a": "x" * (LARGEST - 3)}
    problem = refused(b"a: " + b"x" * (LARGEST - 2))
    assert (problem.line, problem.message) == (0, "the file is larger than 256 KiB")


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"a: \xff", (1, 4)),
        (b"a: b\nc: \xc3\x28", (2, 4)),
        (b"\xfe\xff\x00a", (1, 1)),
        ("é: ".encode() + b"\xe9", (1, 4)),
    ],
)
def test_what_is_not_utf_8_is_refused_where_it_begins(data: bytes, place: tuple[int, int]) -> None:
    problem = refused(data)
    assert problem.message == "the file is not UTF-8"
    assert (problem.line, problem.column) == place


@pytest.mark.parametrize("character", [*"\x00\x01\x07\x08\x0b\x0c\x1b\x7f\x85\x9f", *"\u2028\u2029\ufeff\ufffe\uffff"])
def test_characters_that_yaml_forbids_or_that_move_lines_are_refused(character: str) -> None:
    problem = refused(f"a: 1\nb: 'x{character}'\n")
    assert f"U+{ord(character):04X}" in problem.message
    assert (problem.line, problem.column) == (2, 6)


@pytest.mark.parametrize("text", ['"\\0"', '{"\\0": 1}', '["a\\x00b"]'])
def test_an_escaped_null_is_refused_too(text: str) -> None:
    _, problems = read("f.yaml", f"a: {text}\n".encode())
    assert ["U+0000" in each.message for each in problems] == [True]


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.INF", "+.inf", "1e999", "-1e999", "9" * 4000 + ".0e1"])
def test_numbers_that_are_none_are_refused(text: str) -> None:
    _, problems = read("f.yaml", f"a: {text}\n".encode())
    assert len(problems) == 1


@pytest.mark.parametrize("text", ["9223372036854775808", "-9223372036854775809", "0xFFFFFFFFFFFFFFFF", "9" * 200_000])
def test_integers_beyond_64_bits_are_refused(text: str) -> None:
    _, problems = read("f.yaml", f"a: {text}\n".encode())
    assert [each.message for each in problems] == ["a number beyond 64 bits"]
