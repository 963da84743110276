"""How deep a JSON text is nested, told before it is read.

Readers recurse, and how deep they can differs between releases of Python: what one refuses another takes, and fails on
later. So the limit is one of our own, far below theirs.
"""

import re
from itertools import accumulate

DEEPEST = 200
"""Lists and objects in each other, in any JSON text that people or programs hand over."""

_TOKEN = re.compile(r'[\[{]|[\]}]|"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}


def check(text: str | bytes) -> None:
    """Raise ``ValueError`` where a text is nested deeper than ``DEEPEST``; whether it is JSON is for its reader."""
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text
    if plain.count("[") + plain.count("{") <= DEEPEST:
        return
    steps = (_STEP.get(token[0], 0) for token in _TOKEN.finditer(plain))
    if max(accumulate(steps), default=0) > DEEPEST:
        raise ValueError(f"nested too deeply, in more than {DEEPEST} lists and objects")
