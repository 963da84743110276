"""The texts of ``_filter`` and ``_search`` as conditions: read once from left to right, without recursion.

``_filter``: ``(service=ETL or service=RISK) and start=range(2021-07-19,2021-07-23)``. ``_search``: words that all have
to be found, ``|`` for or, ``-`` for not. ``and`` binds closer than ``or``.
"""

import re
from dataclasses import dataclass, field

from reconciler import conditions, fieldpath, functions, matchdocument, regex
from reconciler.conditions import Condition, Expression, Search
from reconciler.functions import MalformedError
from reconciler.matchdocument import DEEPEST, MOST

_SPACE = re.compile(r"\s*+")
_WORD = re.compile(r"(and|or)(?![^\s()])", re.IGNORECASE)
_FIELD = re.compile(r"([^\s()=\"']++)\s*+=\s*+")
_CALL = re.compile(r"[A-Za-z_]++\(")
_BARE = re.compile(r"[^\s()]++")
_TERM = re.compile(rf"({functions.QUOTED.pattern})|([^\s()|\"]++)", re.DOTALL)
_SKIP = re.compile(rf"{functions.QUOTED.pattern}|\\.|[^()\\\"']++|[\"'\\]", re.DOTALL)


@dataclass(slots=True)
class _Frame:
    """What stands between two parentheses, while it is read: parts joined by and, in groups joined by or."""

    opened: int = 0
    negated: bool = False
    groups: list[list[Expression]] = field(default_factory=lambda: [[]])

    def close(self) -> Expression:
        """Join what was read."""
        found = conditions.either([conditions.every(group) for group in self.groups])
        return conditions.opposite(found) if self.negated else found


class _Tree:
    """Builds an expression from parts and parentheses in the order in which they stand."""

    def __init__(self) -> None:
        self._frames = [_Frame()]
        self._parts = 0
        self.wants_part = True

    @property
    def fresh(self) -> bool:
        """Whether nothing stands yet in the innermost parentheses."""
        return self._frames[-1].groups == [[]]

    def add(self, part: Expression, at: int) -> None:
        """Take in a condition that stands at ``at``; ``MalformedError`` where they are too many, or too deep."""
        self._parts += 1
        if self._parts > MOST:
            raise MalformedError(f"more than {MOST} conditions", at)
        self._put(part, at)

    def open(self, at: int, *, negated: bool = False) -> None:
        """Begin a parenthesis; ``negated`` turns what it holds around."""
        self._frames.append(_Frame(at, negated))
        self.wants_part = True

    def join(self, *, either: bool) -> None:
        """Go on behind an ``and``, or behind an ``or`` where ``either``."""
        if either:
            self._frames[-1].groups.append([])
        self.wants_part = True

    def close(self, at: int) -> None:
        """End a parenthesis; ``MalformedError`` where none is open, or it holds too much."""
        if len(self._frames) == 1:
            raise MalformedError("a ) without (", at)
        self._put(self._frames.pop().close(), at)

    def end(self) -> Expression:
        """Give all that was read; ``MalformedError`` where a parenthesis is still open."""
        if len(self._frames) > 1:
            raise MalformedError("the closing parenthesis is missing", self._frames[-1].opened)
        return self._frames[0].close()

    def _put(self, part: Expression, at: int) -> None:
        if part.depth > DEEPEST:
            raise MalformedError(f"nested more than {DEEPEST} deep", at)
        self._frames[-1].groups[-1].append(part)
        self.wants_part = False


def read_filter(written: str) -> Expression:
    """Read a ``_filter``, as text or as JSON; ``MalformedError`` says where it is none."""
    if written.lstrip().startswith("{"):
        return matchdocument.read(matchdocument.load(written), written)
    tree = _Tree()
    at = _past(_SPACE, written, 0)
    while at < len(written):
        word = _WORD.match(written, at)
        if tree.wants_part:
            if written[at] == "(":
                tree.open(at)
                at += 1
            else:
                part, end = _condition(written, at)
                tree.add(part, at)
                at = end
        elif written[at] == ")":
            tree.close(at)
            at += 1
        elif word:
            tree.join(either=word[1].lower() == "or")
            at = word.end()
        else:
            raise MalformedError("expected and, or, or a closing parenthesis", at, 'put quotes around "two words"')
        at = _past(_SPACE, written, at)
    if tree.wants_part:
        raise MalformedError("expected a condition, as in status=failed", at)
    return tree.end()


def _condition(written: str, at: int) -> tuple[Expression, int]:
    """Read ``FIELD=VALUE`` at a place, and tell where it ends."""
    named = _FIELD.match(written, at)
    if named is None:
        raise MalformedError("expected a condition, as in status=failed", at)
    try:
        path = fieldpath.read(named[1])
    except ValueError as error:
        raise MalformedError(str(error), at) from None
    at = named.end()
    if quoted := functions.QUOTED.match(written, at):
        text = functions.Argument(functions.unquote(quoted[0]), at, quoted=True)
        return Condition(path, functions.equality(path, [text])), quoted.end()
    if written[at : at + 1] in ("'", '"'):
        raise MalformedError("the quotes are not closed", at)
    end = _past(_BARE, written, at)
    if called := _CALL.match(written, at):
        end = _closing(written, called.end())
    if end == at:
        raise MalformedError("a value is missing", at, 'write "" for an empty text')
    try:
        asked = functions.read(path, written[at:end])
    except MalformedError as error:
        raise error.moved(at) from None
    return Condition(path, asked.criteria, asked.negated), end


def _closing(written: str, at: int) -> int:
    r"""Find where the parentheses end that were opened before a place; what is quoted or behind ``\\`` is no end."""
    opened = 1
    while at < len(written):
        if skipped := _SKIP.match(written, at):
            at = skipped.end()
            continue
        opened += 1 if written[at] == "(" else -1
        at += 1
        if not opened:
            return at
    raise MalformedError("the closing parenthesis is missing", at)


def read_search(written: str) -> Expression:
    """Read a ``_search``; ``MalformedError`` says where it is none."""
    tree = _Tree()
    at = _past(_SPACE, written, 0)
    while at < len(written):
        negated = written[at] == "-" and written[at + 1 : at + 2].strip() not in ("", "|", ")")
        start = at + negated
        if written[start] == "(":
            tree.open(start, negated=negated)
            at = start + 1
        elif written[at] == ")":
            if tree.wants_part:
                raise MalformedError("expected a word to look for", at)
            tree.close(at)
            at += 1
        elif written[at] == "|":
            if tree.wants_part:
                raise MalformedError("expected a word to look for", at)
            tree.join(either=True)
            at += 1
        else:
            part, at = _term(written, start)
            tree.add(conditions.opposite(part) if negated else part, start)
        at = _past(_SPACE, written, at)
    if tree.wants_part and not tree.fresh:
        raise MalformedError("expected a word to look for", at)
    return tree.end()


def _term(written: str, at: int) -> tuple[Expression, int]:
    """Read a word: an expression to look for, or ``FIELD=EXPRESSION``, or ``FIELD==VALUE``."""
    match = _TERM.match(written, at)
    if match is None:
        raise MalformedError("the quotes are not closed", at)
    quoted, bare = match.groups()
    try:
        if quoted is not None:
            return _search(re.escape(functions.unquote(quoted))), match.end()
        name, equals, wanted = bare.partition("=")
        if not equals or fieldpath.FIELD.fullmatch(name) is None:
            return _search(bare), match.end()
        path = fieldpath.read(name)
        if wanted.startswith("="):
            return Condition(path, functions.equality(path, [functions.Argument(wanted[1:])])), match.end()
        return Condition(path, functions.matching(path, f"(?i){wanted}")), match.end()
    except MalformedError as error:
        raise error.moved(at) from None
    except ValueError as error:
        raise MalformedError(str(error), at) from None


def _search(written: str) -> Search:
    expression = f"(?im){written}"
    regex.read(expression)
    return Search(expression)


def _past(pattern: re.Pattern[str], written: str, at: int) -> int:
    match = pattern.match(written, at)
    return match.end() if match else at
