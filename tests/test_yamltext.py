"""Reading YAML: the core schema's values, the places of everything, and every limit."""

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.problem import Problem, Severity
from reconciler.yamltext import read
from reconciler.yamltree import TELLING, Document


def document(text: str) -> Document:
    found, problems = read("f.yaml", text.encode())
    assert problems == ()
    assert found is not None
    return found


def value(text: str) -> Any:
    return document(text).value


def refused(data: bytes | str) -> Problem:
    """The one problem of a file that cannot be read to its end."""
    found, problems = read("f.yaml", data.encode() if isinstance(data, str) else data)
    assert found is None
    assert len(problems) == 1
    return problems[0]


@pytest.mark.parametrize("text", ["null", "Null", "NULL", "~", ""])
def test_null(text: str) -> None:
    assert value(f"a: {text}\n") == {"a": None}


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("True", True), ("TRUE", True), ("False", False)])
def test_booleans(text: str, *, expected: bool) -> None:
    assert value(f"a: {text}") == {"a": expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("-19", -19), ("+12", 12), ("0o7", 7), ("0x3A", 58), ("9223372036854775807", 2**63 - 1)],
)
def test_integers(text: str, expected: int) -> None:
    found = value(f"a: {text}")["a"]
    assert found == expected
    assert type(found) is int


@pytest.mark.parametrize(
    ("text", "expected"), [("1.10", 1.1), (".5", 0.5), ("5.", 5.0), ("-2E+2", -200.0), ("1e3", 1e3)]
)
def test_floats(text: str, expected: float) -> None:
    found = value(f"a: {text}")["a"]
    assert found == expected
    assert type(found) is float


@pytest.mark.parametrize(
    "text",
    [
        *("on", "off", "yes", "No", "y", "n", "NO", "tRUE", "nULL"),
        *("12:30", "12:30:45", "190:20:30", "2021-07-01", "2021-07-01T16:30:00Z", "2001-12-14 21:59:43.10 -5"),
        *("0b101", "1_000", "0o8", "0xg", "1.2.3", "1e", "+", ".", "--1", "=", "<<", "0x", "-0x1"),
        *("30 16 ? * MON-FRI *", "15W", "١٢"),
    ],
)
def test_whatever_only_yaml_1_1_takes_for_something_stays_a_text(text: str) -> None:
    assert value(f"a: {text}") == {"a": text}


@pytest.mark.parametrize("text", ['"1"', "'true'", '"~"', "|-\n  1", ">-\n  null"])
def test_whatever_is_quoted_or_a_block_is_a_text(text: str) -> None:
    assert isinstance(value(f"a: {text}")["a"], str)


def test_keys_of_old_booleans_are_texts() -> None:
    assert value("on: 1\nyes: 2\nn: 3\n2021-07-01: 4\n") == {"on": 1, "yes": 2, "n": 3, "2021-07-01": 4}


def test_a_leading_zero_is_read_and_warned_of() -> None:
    found, problems = read("f.yaml", b"a: 0755\n")
    assert found is not None
    assert found.value == {"a": 755}
    assert [(each.severity, each.line, each.column) for each in problems] == [(Severity.WARNING, 1, 4)]


def test_places_count_from_one_in_characters() -> None:
    found = document('é: 1\nlist:\n  - "日本"\n  - {a: [x, y]}\n')
    assert found.find(["é"]).place == (1, 4)
    assert found.find(["list", 0]).place == (3, 5)
    assert found.find(["list", 1, "a"]).key == (4, 6)
    assert found.find(["list", 1, "a", 1]).place == (4, 13)
    assert found.root.place == (1, 1)


def test_a_byte_order_mark_and_windows_line_ends_do_not_move_places() -> None:
    found, _ = read("f.yaml", b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert found is not None
    assert found.value == {"a": 1, "b": 2}
    assert (found.find(["a"]).key, found.find(["b"]).place) == ((1, 1), (2, 4))


def test_a_path_that_does_not_exist_leads_to_the_last_node_on_the_way() -> None:
    found = document("a: {b: 1}\n")
    assert found.find(["a", "z", 3]) is found.find(["a"])
    assert found.find(["a", "b", "c"]) is found.find(["a", "b"])
    assert found.find([5]) is found.root


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "---\n...\n", "null"])
def test_a_file_without_a_value_is_a_document_all_the_same(text: str) -> None:
    assert document(text).value is None


@pytest.mark.parametrize("text", ["a: b\n---\nc: d\n", "---\n---\na: b\n", "a: b\n...\n---\n"])
def test_a_second_document_is_refused(text: str) -> None:
    assert "second document" in refused(text).message


@pytest.mark.parametrize("text", ["a: &x 1\n", "a: *x\n", "a: &x [1]\nb: *x\n", "<<: *x\n", "a: [*x]\n", "- &x {}\n"])
def test_anchors_and_aliases_are_errors_and_told_all(text: str) -> None:
    _, problems = read("f.yaml", text.encode())
    assert len(problems) == text.count("&") + text.count("*")
    assert {each.severity for each in problems} == {Severity.ERROR}


@pytest.mark.parametrize(
    "tag", ["!x", "!!str", "!!binary", "!!python/object/apply:os.system", "!<tag:x,2026:y>", "!", "!!map", "!!null"]
)
@pytest.mark.parametrize("node", ["text", "[1]", "{a: 1}"])
def test_every_tag_is_an_error(tag: str, node: str) -> None:
    _, problems = read("f.yaml", f"a: {tag} {node}\n".encode())
    assert problems
    assert all(each.severity is Severity.ERROR for each in problems)


def test_what_has_a_tag_is_read_as_plain_yaml() -> None:
    found, _ = read("f.yaml", b"a: !!int 'x'\nb: !!str 5\n")
    assert found is not None
    assert found.value == {"a": "x", "b": "5"}


def test_a_key_given_twice_keeps_its_first_value() -> None:
    found, problems = read("f.yaml", b"a: 1\nb: {c: 1, c: {d: [2]}}\na: 3\n")
    assert found is not None
    assert found.value == {"a": 1, "b": {"c": 1}}
    assert [(each.pointer, each.line, each.column) for each in problems] == [("/b/c", 2, 11), ("/a", 3, 1)]


@pytest.mark.parametrize("key", ["1", "1.5", "true", "null", "~", "0x1F", ".inf"])
def test_a_key_that_is_no_text_is_an_error(key: str) -> None:
    _, problems = read("f.yaml", f"{key}: a\n".encode())
    assert [each.message for each in problems] == [f"the key {key} is no text"]


@pytest.mark.parametrize("text", ["? [a]\n: b\n", "? {a: b}\n: c\n", "{[a]: b}", "? - a\n: b\n"])
def test_a_key_that_is_a_collection_is_refused(text: str) -> None:
    assert refused(text).message == "a key must be a text"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("cron: */5 * * * *", "*/5 * * * *"),
        ("cron: * * * * *  # always", "* * * * *"),
        ("- cron:\n  - * 5 * * *", "* 5 * * *"),
        ("cron: ? 5 * * *", "? 5 * * *"),
        ("cron: @daily", "@daily"),
        ("a: %x", "%x"),
        ("a: `x`", "`x`"),
        ("a: b: c", "b: c"),
        ('a: *"x"', '*\\"x\\"'),
    ],
)
def test_a_value_to_quote_gets_the_hint_with_itself_in_quotes(text: str, quoted: str) -> None:
    assert refused(text).hint == f'quote the value: "{quoted}"'


def test_a_text_behind_a_hash_is_kept_with_its_value() -> None:
    found = document("cron: 0 0 * * 5 #3\nworkflow: #wf  \nfine: x # comment\nlist:\n- a\t#b\n'c': 'd' #e\n")
    assert [(each.pointer, each.text, each.comment) for each in found.cuts] == [
        ("/cron", "0 0 * * 5", "#3"),
        ("/workflow", "", "#wf"),
        ("/list/0", "a", "#b"),
    ]


def test_a_tab_is_named() -> None:
    assert refused("a:\n\tb: 1\n").message == "a tab cannot indent YAML"


def test_problems_stop_where_nobody_reads_them_any_more() -> None:
    _, problems = read("f.yaml", b"a: 1\n" * 1000)
    assert len(problems) == TELLING + 1
    assert "may have more" in problems[-1].message


def test_pointers_are_json_pointers() -> None:
    _, problems = read("f.yaml", b"a/b: {c~d: [x, *y]}\n")
    assert [each.pointer for each in problems] == ["/a~1b/c~0d/1"]


def core(text: str) -> Any:
    """What the whole loader makes of one plain scalar."""
    found, _ = read("f.yaml", f"a: {text}\n".encode())
    return found.value["a"] if found is not None else None


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufeff"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_json_writes_is_read_as_json_reads_it(given_value: Any) -> None:
    found, problems = read("f.json", json.dumps({"": given_value}, ensure_ascii=False).encode())
    assert problems == ()
    assert found is not None
    assert found.value == {"": given_value}


@given(st.binary(max_size=400) | st.text(alphabet="ab:-?*&!|>'\"%@`{}[],# \n\t\\0~", max_size=200).map(str.encode))
@example(b"? ? ?")
@example(b"%TAG ! x\n" * 200)
@example(b"- *")
@example(b"a: !<")
def test_any_bytes_give_a_document_or_problems(data: bytes) -> None:
    found, problems = read("f.yaml", data)
    assert found is not None or problems
    assert all(each.line >= 0 and each.column >= 0 and each.message for each in problems)


@given(st.text(alphabet="0123456789.eE+-oxabc:_", min_size=1, max_size=12))
def test_a_plain_scalar_is_a_number_only_where_python_agrees(text: str) -> None:
    try:
        found = core(text)
    except yaml.YAMLError:
        return
    if isinstance(found, float):
        assert math.isclose(found, float(text))
    elif isinstance(found, int):
        assert found == (int(text, 0) if "x" in text or "o" in text else int(text))
