"""Regular expressions of people who ask: RE2, whose time grows with the text alone, whatever the expression.

Python's engine backtracks: one ``(a+)+$`` in a URL could keep a processor busy for ever (attack class 10).
``pattern.simple`` refuses what it cannot reckon with, which is fair to those who write schemas and too narrow for those
who search: it knows no choice inside a repetition, and its cost still grows with a power of the text.
"""

from functools import lru_cache
from typing import Any

LONGEST = 1000
"""Characters of an expression: compiling it takes memory, at most RE2's own limit of 8 MiB."""


@lru_cache(maxsize=128)
def read(written: str) -> Any:
    """Compile an expression; ``ValueError`` says why it is none."""
    import re2  # noqa: PLC0415 - 9 ms and 2 MB that only a query with an expression needs

    if len(written) > LONGEST:
        raise ValueError(f"an expression of more than {LONGEST} characters")
    options = re2.Options()
    options.log_errors = False  # it would write to standard error
    # A set of one: whether it matches is all that is asked, and a set tells that in a sixth of the time.
    expressions = re2.Set.SearchSet(options)
    try:
        expressions.Add(written)
    except UnicodeEncodeError:
        raise ValueError("no regular expression: it is no text") from None
    except re2.error:
        raise ValueError(f"no regular expression of RE2: {_reason(re2, written, options)}") from None
    expressions.Compile()
    return expressions


def _reason(library: Any, written: str, options: Any) -> str:
    """Ask what is wrong with an expression: a set does not say."""
    try:
        library.compile(written, options)
    except library.error as error:
        said = error.args[0]
        return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return "it takes too much memory"


def found(written: str, text: str) -> bool:
    """Tell whether an expression that could be read (``read``) matches anywhere in a text."""
    try:
        return bool(read(written).Match(text))
    except UnicodeEncodeError:  # half a character, which JSON can hold and RE2 cannot
        return bool(read(written).Match(text.encode(errors="replace").decode()))
