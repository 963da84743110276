"""A file's value, built from YAML events in one pass, and the tree of where each of its parts stands.

Composing in C recurses and crashes the process on deep nesting, and PyYAML's own constructors follow YAML 1.1, where
``on``, ``12:30`` and ``2021-07-01`` are no texts: so this is a loop over events with a stack of its own, and scalars
are read by YAML 1.2's core schema.
"""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from reconciler.problem import Problem, Severity

DEEPEST = 64
"""How deep lists and mappings may be nested."""
MOST = 20_000
"""How many nodes (values and keys) a file may have."""
TELLING = 100
"""How many problems a file shows; with more, the rest is noise."""
_SHOWN = 40  # characters of a value that a message repeats

Place = tuple[int, int]

_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ENDLESS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_HASH = re.compile(r"[ \t]#\S")  # one blank only: a run of them would be searched again from each of its characters
_CUT = re.compile(r"[ \t]+(#\S[^\r\n]*)")


@dataclass(slots=True)
class Node:
    """Where one value stands: its own beginning and that of the key before it. Lines and columns count from 1.

    ``parts`` are the nodes of a list or a mapping.
    """

    place: Place
    key: Place
    parts: Any = None


@dataclass(frozen=True, slots=True)
class Cut:
    """A value with a text right behind it that YAML takes for a comment although it does not look like one.

    ``0 0 * * 5 #3`` has the text ``0 0 * * 5`` and the comment ``#3``.
    """

    pointer: str
    place: Place
    text: str
    comment: str


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds, and where. A tree, not a table of pointers: those would grow with the square of the depth."""

    value: Any
    root: Node
    cuts: tuple[Cut, ...] = ()
    """Values that a comment cuts off, up to ``TELLING`` of them."""

    def find(self, path: Iterable[str | int]) -> Node:
        """The node at a path of keys and indexes, or the last one on the way to it."""
        node = self.root
        for step in path:
            try:
                node = node.parts[step]
            except (KeyError, IndexError, TypeError):
                break
        return node


class Refused(Exception):  # noqa: N818 - a finding on its way to the top of the reading, where it ends
    """The reading of a file cannot go on. ``finding`` is line, column, pointer, message and hint of a problem."""

    def __init__(self, place: Place, message: str, hint: str, pointer: str = "") -> None:
        super().__init__(message)
        self.finding = (*place, pointer, message, hint)


def escape(key: str) -> str:
    """Give a key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def quoted(text: str) -> str:
    """Say how to write a value so that YAML takes it as a text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'quote the value: "{escaped}"' if len(text) <= 2 * _SHOWN else "put the value in quotes"


class Composer:
    """One file on its way from events to a value. ``stack`` holds the open lists and mappings, outermost first."""

    __slots__ = ("_cuts", "_cutting", "_nodes", "_path", "_problems", "_root", "_stack", "_text", "_value")

    def __init__(self, path: str, text: str, problems: list[Problem]) -> None:
        self._path = path
        self._text = text
        self._problems = problems
        self._cuts: list[Cut] = []
        self._cutting = _HASH.search(text) is not None
        self._stack: list[_Open] = []
        self._nodes = 0
        self._value: Any = None
        self._root = Node((1, 1), (1, 1))

    def compose(self) -> Document:
        """Read to the end; ``Refused`` at a limit, ``yaml.YAMLError`` at broken syntax."""
        parser = yaml.CBaseLoader(self._text)
        documents = 0
        while (event := parser.get_event()) is not None:
            kind = event.__class__
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._open(event, {}, {})
            elif kind is yaml.SequenceStartEvent:
                self._open(event, [], [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._stack.pop()
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                self._begin(event, documents)
        return Document(self._value, self._root, tuple(self._cuts))

    def _begin(self, event: Any, number: int) -> None:
        if number > 1:
            raise Refused(_start(event), "a second document begins here", "put each into a file of its own")
        if event.version is not None and event.version != (1, 2):
            self._problem(_start(event), "the file asks for an older YAML than 1.2", "remove the line %YAML")

    def _open(self, event: Any, container: Any, parts: Any) -> None:
        if len(self._stack) >= DEEPEST:
            raise Refused(_start(event), f"nested deeper than {DEEPEST}", "flatten it", self._pointer())
        if self._stack and self._stack[-1].wants_key:
            raise Refused(_start(event), "a key must be a text", "quote it")
        node = self._add(event, container)
        node.parts = parts
        self._check(event)
        self._stack.append(_Open(container, parts))

    def _scalar(self, event: Any) -> None:
        text, plain = event.value, event.implicit[0] and event.tag is None
        if self._stack and self._stack[-1].wants_key:
            self._key(event, text, plain=plain)
            return
        value = _plain(text) if plain else text
        node = self._add(event, None if value.__class__ is _Number else value)
        self._check(event)
        if "\0" in text:
            self._problem(node.place, "a text with the character U+0000", r"remove the escape \0")
        if not plain:
            return
        if value.__class__ is _Number:
            self._problem(node.place, value.message, quoted(text))
        elif value.__class__ is int and _LEADING_ZERO.fullmatch(text):
            self._problem(node.place, f"{text} is read as the number {value}", quoted(text), Severity.WARNING)
        if self._cutting and (cut := _CUT.match(self._text, event.end_mark.index)):
            self._cuts.append(Cut(self._pointer(), node.place, text, cut[1].rstrip()[: 2 * _SHOWN]))
            self._cutting = len(self._cuts) < TELLING

    def _key(self, event: Any, text: str, *, plain: bool) -> None:
        owner, shown = self._stack[-1], text[:_SHOWN]
        place = owner.key_place = _start(event)
        self._count(place)
        owner.key, owner.wants_key = sys.intern(text), False
        self._check(event)
        if plain and _plain(text).__class__ is not str:
            self._problem(place, f"the key {shown or 'of no text'} is no text", f'quote the key: "{shown}"')
        if "\0" in text:
            self._problem(place, "a key with the character U+0000", r"remove the escape \0")
        if text in owner.container:
            first = owner.parts[text].key[0]
            self._problem(place, f"the key {shown} stands here twice", f"line {first} has it too: remove one")
            owner.dropped = True

    def _alias(self, event: Any) -> None:
        text = f"*{event.anchor}"
        if self._stack and self._stack[-1].wants_key:
            raise Refused(_start(event), "a key that begins with * is an alias, and is not read", "quote the key")
        node = self._add(event, text)
        self._problem(node.place, "a value that begins with * is an alias, and is not read", quoted(text))

    def _add(self, event: Any, value: Any) -> Node:
        """Hang a value into what is open; gives its node."""
        place = _start(event)
        self._count(place)
        if not self._stack:
            self._value, self._root = value, Node(place, place)
            return self._root
        return self._stack[-1].add(value, place)

    def _check(self, event: Any) -> None:
        """Refuse what a node may carry besides its value."""
        if event.anchor is not None:
            self._problem(_start(event), f"an anchor (&{event.anchor[:_SHOWN]}) is not read", "remove it, or quote it")
        if event.tag is not None:
            self._problem(_start(event), f"a tag ({event.tag[:_SHOWN]}) is not read", "remove it, or quote it")

    def _count(self, place: Place) -> None:
        self._nodes += 1
        if self._nodes > MOST:
            raise Refused(place, f"the file has more than {MOST:,} nodes", "keep data out of configurations")

    def _problem(self, place: Place, message: str, hint: str, severity: Severity = Severity.ERROR) -> None:
        self._problems.append(Problem(self._path, *place, self._pointer(), message, hint, severity))
        if len(self._problems) >= TELLING:
            raise Refused(place, f"the file has {TELLING} problems up to here, and may have more", "mend these first")

    def _pointer(self) -> str:
        """The pointer of what was read last: one step for each open list or mapping that has begun a part."""
        return "".join(f"/{escape(str(step))}" for each in self._stack if (step := each.step()) is not None)


class _Open:
    """A list or mapping that is being filled. ``dropped``: the value of a key given twice is left out."""

    __slots__ = ("container", "dropped", "key", "key_place", "parts", "wants_key")

    def __init__(self, container: Any, parts: Any) -> None:
        self.container = container
        self.parts = parts
        self.key: str | None = None
        self.key_place: Place = (1, 1)
        self.wants_key = container.__class__ is dict
        self.dropped = False

    def step(self) -> str | int | None:
        """The key or index of the part that was begun last."""
        return self.key if self.container.__class__ is dict else len(self.container) - 1 if self.container else None

    def add(self, value: Any, place: Place) -> Node:
        """Take the next value in, and give its node."""
        if self.container.__class__ is list:
            node = Node(place, place)
            self.container.append(value)
            self.parts.append(node)
            return node
        node = Node(place, self.key_place)
        if not self.dropped:
            self.container[self.key] = value
            self.parts[self.key] = node
        self.dropped, self.wants_key = False, True
        return node


@dataclass(frozen=True, slots=True)
class _Number:
    """Why a number is none that JSON carries. It stands for the value until the problem is told."""

    message: str


def _start(event: Any) -> Place:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _plain(text: str) -> Any:
    """The value of an unquoted scalar in YAML 1.2's core schema."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "-+.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        base = {"o": 8, "x": 16}.get(text[1:2], 10)
        number = int(text, base) if len(text) <= 2 * _SHOWN else 2**64
        return number if abs(number) < 2**63 else _Number("a number beyond 64 bits")
    if _FLOAT.fullmatch(text):
        real = float(text)
        return real if abs(real) < float("inf") else _Number("a number too large for a computer")
    return _Number("not a finite number") if _ENDLESS.fullmatch(text) else text
