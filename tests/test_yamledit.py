"""Edits in place: the value is what was asked for, and every line that the edit is not about stays byte for byte."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import yamledit, yamlspan, yamltext
from reconciler.errors import UserError
from reconciler.yamledit import REMOVED

DOCUMENT = b"""\
# the head
name: A   # the name
cron: '0 0 * * *'  # quoted
input:  # in
  # about the url
  url: http://x/y # u
  list:
  - a
  - b # bb
text: | # words
  hello

  world

flow: {a: 1, b: [x, y]}  # f
empty:
steps:
  - name: one   # first
    # about run
    run: echo
  - name: two
# the tail
"""


def put(path: str, value: Any, data: bytes = DOCUMENT) -> str:
    return yamledit.put("processes/A.yaml", data, yamledit.steps_of(path), value).decode()


def changed(old: bytes, new: str) -> tuple[str, str]:
    """The lines that went and those that came, between what is the same before and after."""
    was, now = old.decode().splitlines(keepends=True), new.splitlines(keepends=True)
    while was and now and was[0] == now[0]:
        del was[0], now[0]
    while was and now and was[-1] == now[-1]:
        del was[-1], now[-1]
    return "".join(was), "".join(now)


@pytest.mark.parametrize(
    ("path", "value", "went", "came"),
    [
        ("cron", "5 5 * * *", "cron: '0 0 * * *'  # quoted\n", "cron: '5 5 * * *'  # quoted\n"),
        ("cron", "it's", "cron: '0 0 * * *'  # quoted\n", "cron: 'it''s'  # quoted\n"),
        ("cron", ["a b", "*"], "cron: '0 0 * * *'  # quoted\n", 'cron:  # quoted\n  - a b\n  - "*"\n'),
        ("cron", [], "cron: '0 0 * * *'  # quoted\n", "cron: []  # quoted\n"),
        ("name", "B", "name: A   # the name\n", "name: B   # the name\n"),
        ("name", "yes", "name: A   # the name\n", 'name: "yes"   # the name\n'),
        ("name", 7, "name: A   # the name\n", "name: 7   # the name\n"),
        ("name", 1e-05, "name: A   # the name\n", "name: 1.0e-05   # the name\n"),
        ("input.url", "b", "  url: http://x/y # u\n", "  url: b # u\n"),
        ("input.new", {"a": [1, {"b": 2}]}, "", "  new:\n    a:\n      - 1\n      - b: 2\n"),
        ("/input/a.b", None, "", "  a.b: null\n"),
        ("input.list.2", "c", "", "  - c\n"),
        ("input.list.0", "c", "  - a\n", "  - c\n"),
        ("input.list.0", REMOVED, "  - a\n", ""),
        ("input.list", 5, "  list:\n  - a\n  - b # bb\n", "  list: 5\n"),
        ("text", "one\n\ntwo\n", "  hello\n\n  world\n", "  one\n\n  two\n"),
        ("text", "one\ntwo", "text: | # words\n  hello\n\n  world\n", "text: |- # words\n  one\n  two\n"),
        ("text", "one", "text: | # words\n  hello\n\n  world\n", "text: one # words\n"),
        ("text", REMOVED, "text: | # words\n  hello\n\n  world\n", ""),
        ("flow.a", REMOVED, "flow: {a: 1, b: [x, y]}  # f\n", "flow: {b: [x, y]}  # f\n"),
        ("flow.b.1", REMOVED, "flow: {a: 1, b: [x, y]}  # f\n", "flow: {a: 1, b: [x]}  # f\n"),
        ("flow.c.d", "v w", "flow: {a: 1, b: [x, y]}  # f\n", 'flow: {a: 1, b: [x, y], c: {d: "v w"}}  # f\n'),
        ("flow", "x", "flow: {a: 1, b: [x, y]}  # f\n", "flow: x  # f\n"),
        ("empty", True, "empty:\n", "empty: true\n"),
        ("empty.a.b", 1, "", "  a:\n    b: 1\n"),
        ("steps.0.name", REMOVED, "  - name: one   # first\n", "  -\n"),
        ("steps.1.name", REMOVED, "  - name: two\n", "  - {}\n"),
        ("steps.1", {"a": 1, "b": 2}, "  - name: two\n", "  - a: 1\n    b: 2\n"),
        ("steps", REMOVED, "".join(DOCUMENT.decode().splitlines(keepends=True)[-6:-1]), ""),
        ("last", "x", "", "last: x\n"),
    ],
)
def test_an_edit_touches_its_own_lines(path: str, value: Any, went: str, came: str) -> None:
    assert changed(DOCUMENT, put(path, value)) == (went, came)


def test_a_document_keeps_its_line_ends_its_marks_and_its_end() -> None:
    assert put("a.b", 1, b"x: 1\r\na:\r\n  c: 2\r\n") == "x: 1\r\na:\r\n  c: 2\r\n  b: 1\r\n"
    assert put("b", [1], b"%YAML 1.2\n---\na: 1\n...\n") == "%YAML 1.2\n---\na: 1\nb:\n  - 1\n...\n"
    assert put("b", 2, b"a: 1") == "a: 1\nb: 2"
    assert put("b", REMOVED, b"a: 1\nb: 2") == "a: 1"
    assert put("b", REMOVED, b"b: 2") == "{}"
    assert yamledit.put("p", b"\xef\xbb\xbfa: 1\n", ("a",), 2) == b"\xef\xbb\xbfa: 2\n"


@pytest.mark.parametrize(
    ("data", "path", "left"),
    [
        (b"a:\n  a: 1\n  # about it\n  b: 2\n\nb: []\n", "a.b", "a:\n  a: 1\n  # about it\n\nb: []\n"),
        (b"a:\n- x\n# at the left\n- y\n\nb: 1\n", "a.1", "a:\n- x\n# at the left\n\nb: 1\n"),
        (b"a:\n  # first\n  a: 1\n  # second\n  b: 2\n", "a.a", "a:\n  # first\n  # second\n  b: 2\n"),
    ],
)
def test_a_comment_on_a_line_of_its_own_outlives_what_it_stands_above(data: bytes, path: str, left: str) -> None:
    """What it says may be about more than the one part that goes; only somebody who reads it can tell."""
    assert put(path, REMOVED, data) == left


def test_json_stays_json() -> None:
    data = b'{\n  "name": "A",\n  "input": {"a": [1]}\n}\n'
    for path, value in [("name", "B"), ("input.a.1", "x y"), ("input.b", {"c": None}), ("cron", "0 0 * * *")]:
        assert yamledit.at(json.loads(put(path, value, data)), path.split(".")) == value
    assert put("cron", "x", data) == '{\n  "name": "A",\n  "input": {"a": [1]},\n  "cron": "x"\n}\n'
    assert put("input", REMOVED, data) == '{\n  "name": "A"\n}\n'
    assert put("name", REMOVED, data) == '{\n  "input": {"a": [1]}\n}\n'


def test_an_empty_document_takes_its_first_key() -> None:
    assert put("name", "A", b"# nothing yet") == "# nothing yet\nname: A\n"
    assert put("name", "A", b"{}\n") == "{name: A}\n"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("name.first", 1, "no mapping"),
        ("input.list.9", 1, "number from 0 to 2"),
        ("input.list.one", 1, "one is no item"),
        ("nothing", REMOVED, "there is no nothing"),
        ("input.list.2", REMOVED, "number from 0 to 1"),
        ("name", float("inf"), "cannot be written"),
        ("name", 2**70, "cannot be written"),
        ("name", "\ud800", "cannot be written"),
    ],
)
def test_what_cannot_be_is_said(path: str, value: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        put(path, value)


@pytest.mark.parametrize("path", ["", ".", "a..b", "a.", "/", "/a//b"])
def test_a_path_has_no_empty_parts(path: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        yamledit.steps_of(path)


def test_a_broken_file_is_not_edited() -> None:
    with pytest.raises(UserError, match="a quote is opened"):
        put("a", 1, b'a: "x\n')


def test_a_whole_document_is_edited_where_it_differs() -> None:
    _, value = yamledit._read("p", DOCUMENT)
    value = {**value, "name": "B", "input": {"url": "z", "list": ["a", "b", "c"]}, "more": {"x": 1}}
    del value["flow"]
    made = yamledit.become("p", DOCUMENT, value).decode()
    expected = (
        DOCUMENT.decode()
        .replace("name: A ", "name: B ")
        .replace("http://x/y", "z")
        .replace("  - b # bb\n", "  - b # bb\n  - c\n")
        .replace("flow: {a: 1, b: [x, y]}  # f\n", "")
        .replace("  - name: two\n", "  - name: two\nmore:\n  x: 1\n")
    )
    assert made == expected
    assert yamledit.become("p", made.encode(), value) == made.encode()


def test_equal_means_equal_as_json() -> None:
    assert yamledit.same({"a": 1, "b": [None]}, {"b": [None], "a": 1})
    assert not yamledit.same([1], [True])
    assert not yamledit.same(1, 1.0)


WORDS = st.sampled_from(
    ["a", "name", "yes", "A b", "it's", 'say "x"', "- x", "# no", "12:30", "007", "é\u2028", "*", ""]
)
KEYS = st.sampled_from(["a", "b", "c", "d.e", "f g", "no", "1", "x-é", "'", "#k"])
LINES = st.sampled_from(["one\ntwo\n", "one\n\n  two", "x\n"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-9, 10**6) | st.floats(-10, 10).map(lambda x: round(x, 3)) | WORDS | LINES
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


class Hand:
    """Somebody who writes a value as YAML in a way of their own: every choice is drawn."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.step = draw(st.sampled_from([2, 3, 4]))
        self.indents_lists = draw(st.booleans())

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def seldom(self) -> bool:
        return not self.one_of(0, 1, 2)

    def comment(self) -> str:
        return str(self.one_of("", "", "  # c", " # d: [e"))

    def scalar(self, value: Any, *, flow: bool) -> str:
        if isinstance(value, str):
            plain = value.isalpha() and value != "yes"
            choices = [json.dumps(value)] + ([value] if plain else [])
            if value.isprintable():
                choices.append("'" + value.replace("'", "''") + "'")
            return str(self.one_of(*choices))
        if value is None:
            return str(self.one_of("null", "~")) if flow else ""
        return json.dumps(value)

    def flow(self, value: Any) -> str:
        gap = str(self.one_of("", " "))
        if isinstance(value, dict):
            return "{" + gap + ", ".join(f"{json.dumps(k)}: {self.flow(v)}" for k, v in value.items()) + gap + "}"
        if isinstance(value, list):
            return "[" + gap + ", ".join(map(self.flow, value)) + gap + "]"
        return self.scalar(value, flow=True)

    def value(self, value: Any, indent: int, *, in_list: bool = False) -> list[str]:
        """The rest of the line behind ``:`` or ``-``, and the lines that follow."""
        if isinstance(value, str) and value.endswith("\n") and self.draw(st.booleans()):
            lines = [" " * (indent + self.step) + line for line in value[:-1].split("\n")]
            return [f" |{self.comment()}", *(line.rstrip() for line in lines), *self.one_of([], [""])]
        if not isinstance(value, (dict, list)) or not value or self.seldom():
            written = self.flow(value) if isinstance(value, (dict, list)) else self.scalar(value, flow=False)
            return [f" {written}{self.comment()}".rstrip() if written else ""]
        inner = indent + self.step if isinstance(value, dict) or self.indents_lists or in_list else indent
        lines = self.lines(value, inner)
        if in_list and self.draw(st.booleans()) and not lines[0].strip().startswith("#"):
            # behind the dash, as most write it: what follows stands below
            return [" " * (self.step - 1) + lines[0].lstrip(), *lines[1:]]
        return [self.comment(), *lines]

    def lines(self, value: Any, indent: int) -> list[str]:
        pad = " " * indent
        found: list[str] = []
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            if found and self.seldom():
                found += self.one_of([""], [f"{pad}# about it"], ["# at the left"])
            is_list = isinstance(value, list)
            head = "-" if is_list else f"{key if str(key).isalpha() and key != 'no' else json.dumps(key)}:"
            first, *rest = self.value(part, indent, in_list=is_list)
            found += [f"{pad}{head}{first}", *rest]
        return found


@st.composite
def documents(draw: Any) -> tuple[bytes, dict[str, Any]]:
    value = draw(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
    hand = Hand(draw)
    lines = [hand.flow(value)] if hand.seldom() and hand.seldom() else hand.lines(value, 0)
    newline = hand.one_of("\n", "\n", "\r\n")
    before, after = hand.one_of([], ["# head"], ["---"]), hand.one_of([], ["# tail"], ["", "# tail"], ["..."])
    text = newline.join([*before, *lines, *after]) + newline
    return text.encode(), value


def paths(value: Any, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every path in a value, and one beside each."""
    if isinstance(value, dict):
        inner = [path for key, part in value.items() for path in paths(part, (*at, key))]
        return [*inner, *((*at, key) for key in value), (*at, "new"), (*at, "new", "deep")]
    if isinstance(value, list):
        inner = [path for index, part in enumerate(value) for path in paths(part, (*at, str(index)))]
        return [*inner, *((*at, str(index)) for index in range(len(value) + 1))]
    return []


def laid(value: Any, steps: tuple[str, ...], new: Any) -> Any:
    """The oracle: the edit as Python makes it."""
    if not steps:
        return new
    if isinstance(value, list):
        copy, index = list(value), int(steps[0])
        if new is REMOVED and len(steps) == 1:
            del copy[index]
        elif index == len(copy):
            copy.append(laid(None, steps[1:], new))
        else:
            copy[index] = laid(copy[index], steps[1:], new)
        return copy
    whole = dict(value or {})
    if new is REMOVED and len(steps) == 1:
        del whole[steps[0]]
    else:
        whole[steps[0]] = laid(whole.get(steps[0]), steps[1:], new)
    return whole


@given(st.data())
def test_set_then_read_is_as_a_dict_has_it_and_other_lines_stay(data: Any) -> None:
    text, value = data.draw(documents())
    read, problems = yamltext.read("p", text)
    assert read is not None, (text, problems)
    assert read.value == value
    steps = data.draw(st.sampled_from(paths(value)))
    there = yamledit.at(value, steps) is not REMOVED
    new = data.draw(VALUES if not there else VALUES | st.just(REMOVED))
    made = yamledit.put("p", text, steps, new)
    after, problems = yamltext.read("p", made)
    assert after is not None, (made, problems)
    assert yamledit.same(after.value, laid(value, steps, new)), made
    # What goes may share its line with what stays: ``- a: 1`` above ``b: 2`` in one mapping.
    deepest = max(1, len(steps) - (new is REMOVED))
    for deep in range(1, deepest + 1):
        check_that_others_stay(text, made, steps[:deep])
        if _around(text, steps[:deep]) is None:
            break
    assert made.count(b"\r") == (made.count(b"\n") if b"\r" in text else 0)


@given(documents(), st.dictionaries(KEYS, VALUES, max_size=4))
def test_a_whole_document_becomes_another(document: tuple[bytes, dict[str, Any]], new: dict[str, Any]) -> None:
    text, value = document
    new = {**value, **new} if len(new) % 2 else new
    made = yamledit.become("p", text, new)
    after, _ = yamltext.read("p", made)
    assert after is not None
    assert yamledit.same(after.value, new)


def check_that_others_stay(text: bytes, made: bytes, steps: tuple[str, ...]) -> None:
    """Hold an edit at a path, or somewhere below it, to it: all that stands before and behind it does so still."""
    parts = _around(text, steps)
    if parts is None:  # it is new: without it the text is the old one
        new = _around(made, steps)
        assert new is not None
        assert [*new[0], *new[2]] == _lines(text)
        return
    before, inside, after = parts
    lines = _lines(made)
    assert lines[: len(before)] == before
    assert lines[len(lines) - len(after) :] == after
    left = lines[len(before) : len(lines) - len(after)]
    comments = [line for line in left if line.lstrip().startswith("#")]
    assert set(comments) <= set(inside), "no comment is made up"


def _lines(text: bytes) -> list[str]:
    return [line.rstrip("\r") for line in text.decode().split("\n") if line.strip()]


def _around(text: bytes, steps: tuple[str, ...]) -> tuple[list[str], list[str], list[str]] | None:
    """The lines before a part, its own, and those behind it; what is on one line is its own. ``None``: no such part."""
    whole = text.decode()
    span = yamlspan.find(whole)
    assert span is not None
    for step in steps:
        if span.style == yamlspan.FLOW:
            break
        if span.parts is None:
            return None
        try:
            span = span.parts[step if isinstance(span.parts, dict) else int(step)]
        except (KeyError, IndexError):
            return None
    lines = whole.split("\n")
    first, last = whole.count("\n", 0, span.begin), whole.count("\n", 0, max(span.end, span.begin)) + 1
    before, inside, after = ("\n".join(part).encode() for part in (lines[:first], lines[first:last], lines[last:]))
    return _lines(before), _lines(inside), _lines(after)
