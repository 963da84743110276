r"""Regular expressions that cannot hang: the simple ones, whose worst case can be reckoned before they run.

Python's engine backtracks and cannot be interrupted, so one pattern in a workflow's ``input`` could stop a reconciler
(attack class 10). Repeated may be a character, a set, or a group without repetition or choice in it. What is left has
at most as many ways through a text as its repetitions can share the text's characters among them.

JSON Schema means the expressions of ECMA-262, where ``$`` is the very end and ``\d`` has ten digits.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from math import comb

LONGEST = 256
"""The longest pattern, in characters."""
_MOST = 1000  # the largest {count}, and the most choices that are worth reckoning with
_TOKEN = re.compile(
    r"(?P<escape>\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.))|(?P<set>\[\^?(?:\\.|[^\]\\])*\])"
    r"|(?P<open>\((?:\?:|(?!\?)))|(?P<close>\))|(?P<or>\|)|(?P<anchor>[\^$])"
    r"|(?P<repeat>[*+?]|\{[0-9]+(?:,[0-9]*)?\})\??|(?P<plain>[^\\()\[|*+?{])",
    re.DOTALL,
)
_END = r"(\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)|.)"
_MEMBER = re.compile(f"{_END}(?:-{_END})?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that may be matched, and what its worst case follows from.

    ``repeats`` is how many of its parts may take any number of characters (where a match begins is one of them),
    ``choices`` how many ways there are through its alternatives, ``width`` how many characters it names.
    """

    regex: re.Pattern[str]
    repeats: int
    choices: int
    width: int

    def cost(self, length: int) -> int:
        """Steps that a search in a text of so many characters takes at worst; a million take about a millisecond."""
        return self.width * self.choices * comb(length + self.repeats, self.repeats)


@dataclass(slots=True)
class _Group:
    """A group while it is read. ``repeatable``: so far it has neither choice nor repetition in it."""

    alternatives: int = 1
    repeatable: bool = True


@lru_cache(maxsize=256)
def ecma(text: str) -> re.Pattern[str]:
    """Compile a pattern as ECMA-262 means it; ``ValueError`` where it is none. For patterns we trust."""
    translated = _TOKEN.sub(_translated, text)
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"is no regular expression: {error}") from None


def _translated(token: re.Match[str]) -> str:
    if token.lastgroup == "set":
        head = "[^" if token[0].startswith("[^") else "["
        members = token[0][len(head) : -1]
        return f"{head}{_MEMBER.sub(_escaped, members)}]" if members else {"[": "(?!)", "[^": r"[\s\S]"}[head]
    return r"\Z" if token[0] == "$" else token[0]


def _escaped(member: re.Match[str]) -> str:
    """A member of a set, so that it means nothing else to Python: it has plans for ``[[`` and ``&&``."""
    return "-".join(end if len(end) > 1 else re.escape(end) for end in member.groups() if end is not None)


@lru_cache(maxsize=256)
def simple(text: str) -> Pattern:
    """Compile a pattern of a stranger; ``ValueError`` says why it is none, or none that can be afforded."""
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    return _Reader().read(text)


class _Reader:
    """Goes through a pattern once, part by part, and adds up what it may cost."""

    def __init__(self) -> None:
        self._groups = [_Group()]
        self._last: _Group | str | None = None  # what a repetition would repeat: a group, a character, or nothing
        self._repeats = 0
        self._choices = 1
        self._width = 1

    def read(self, text: str) -> Pattern:
        """Read a whole pattern; ``ValueError`` says what of it cannot be afforded, or is no pattern."""
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                raise ValueError(f"has at {text[at : at + 3]} what is not read here (look-around, names, flags)")
            self._take(token)
            at = token.end()
        if len(self._groups) > 1:
            raise ValueError("has a ( without )")
        anchored = text.startswith("^") and self._groups[0].alternatives == 1
        self._close()
        if self._choices > _MOST:
            raise ValueError("has too many choices")
        return Pattern(ecma(text), self._repeats + (not anchored), self._choices, self._width)

    def _take(self, token: re.Match[str]) -> None:
        match token.lastgroup:
            case "open":
                self._groups.append(_Group())
                self._last = None
            case "close":
                if len(self._groups) == 1:
                    raise ValueError("has a ) without (")
                self._last = self._close()
            case "or":
                self._groups[-1].alternatives += 1
                self._last = None
            case "anchor":
                self._last = None
            case "repeat":
                self._repeat(token["repeat"])
            case _:
                if token[0][:1] == "\\" and token[0][1] in "123456789kbBAZ":
                    raise ValueError(f"has {token[0]}, which is not read here")
                self._width += 1
                self._last = token[0]

    def _close(self) -> _Group:
        group = self._groups.pop()
        self._choices = min(self._choices * group.alternatives, _MOST + 1)
        if self._groups and (group.alternatives > 1 or not group.repeatable):
            self._groups[-1].repeatable = False
        group.repeatable = group.repeatable and group.alternatives == 1
        return group

    def _repeat(self, written: str) -> None:
        least, most = _bounds(written)
        if self._last is None:
            raise ValueError(f"has {written} where nothing can be repeated")
        if isinstance(self._last, _Group) and not self._last.repeatable and most > 1:
            raise ValueError(f"repeats with {written} what has a choice or a repetition in it, which may take for ever")
        if least == most:
            if most > _MOST:
                raise ValueError(f"has a count above {_MOST}")
            self._width += least * LONGEST if isinstance(self._last, _Group) else least
        elif most == 1:
            self._choices = min(self._choices * 2, _MOST + 1)
        else:
            self._repeats += 1
        self._groups[-1].repeatable = False
        self._last = None


def _bounds(written: str) -> tuple[int, float]:
    if written[0] != "{":
        return (1 if written == "+" else 0), (1 if written == "?" else float("inf"))
    least, comma, most = written[1:-1].partition(",")
    return int(least), float(most) if most else float("inf") if comma else int(least)
