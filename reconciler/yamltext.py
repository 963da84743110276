"""Strict reading of YAML 1.2 core: bytes in; a value, the place of each of its parts, and problems out (SPEC 3).

What can be read around (a key given twice, an alias, ``.nan``) is noted and the reading goes on, so that a file shows
all its problems at once; a broken syntax and a passed limit end it.
"""

import re
from typing import Any

import yaml

from reconciler.problem import Problem
from reconciler.yamltree import TELLING, Composer, Document, Place, Refused, quoted

LARGEST = 256 * 1024
"""The largest file that is read, in bytes."""

# c-printable of YAML 1.2 less the byte order mark, and less the separators that libyaml still takes for line ends
_FORBIDDEN = re.compile("[^\t\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_BEFORE = re.compile(r"[ \t]*(?:-[ \t]+)*(?:[^\s:#]+:[ \t]+)?(?:-[ \t]+)*")
_COMMENT = re.compile(r"[ \t]+#.*")
_LINE = 512  # characters of a line that are looked at for a hint
_SPECIAL = tuple("*?@`%&!|>,")


def read(path: str, data: bytes) -> tuple[Document | None, tuple[Problem, ...]]:
    """Read one file, within all limits of SPEC 3. The document is None where reading could not go on to the end.

    A file without any value (empty, or comments only) is a document whose value is None. Never raises.
    """
    problems: list[Problem] = []
    text = ""
    try:
        text = _decode(data)
        document = Composer(path, text, problems).compose()
    except Refused as refused:
        return None, (*problems, Problem(path, *refused.finding))
    except yaml.YAMLError as error:
        return None, (*problems, Problem(path, *_syntax(error, text)))
    return document, tuple(problems)


def _decode(data: bytes) -> str:
    if len(data) > LARGEST:
        raise Refused((0, 0), "the file is larger than 256 KiB", "keep data out of configurations")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(errors="replace")
        raise Refused(_place(before, len(before)), "the file is not UTF-8", "save it as UTF-8") from None
    found = _FORBIDDEN.search(text)
    if found is not None:
        message = f"the character U+{ord(found[0]):04X} cannot stand in YAML"
        raise Refused(_place(text, found.start()), message, "remove it")
    if text.count("%TAG") > TELLING:  # libyaml compares each directive with all before it
        raise Refused((1, 1), "%TAG directives are not read", "remove them")
    return text


def _place(text: str, index: int) -> Place:
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _syntax(error: yaml.YAMLError, text: str) -> tuple[int, int, str, str, str]:
    """Say in our words what libyaml could not read, and where."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return 1, 1, "", f"the file is no YAML: {error}", "quote what is no plain text"
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    line = lines[mark.line][:_LINE] if mark.line < len(lines) else ""
    column, message, hint = _explain(error, line, mark.column)
    return mark.line + 1, column + 1, "", message, hint


def _explain(error: Any, line: str, column: int) -> tuple[int, str, str]:
    before = _BEFORE.match(line)
    begin = before.end() if before else 0
    value = _COMMENT.sub("", line[begin:]).rstrip()
    if "\t" in line[: column + 1] and not line[:column].strip():
        return column, "a tab cannot indent YAML", "indent with spaces"
    if begin and value[:1] in _SPECIAL and column >= begin:
        return begin, f"a value cannot begin with {value[0]}", quoted(value)
    if error.problem.startswith("mapping values") and ": " in value:
        return column, "a value with ': ' in it is read as a key and its value", quoted(value)
    if "end of stream" in error.problem and "quoted" in (error.context or ""):
        return column, "a quote is opened and never closed", f"it begins in line {error.context_mark.line + 1}"
    context = f", {error.context} that begins in line {error.context_mark.line + 1}" if error.context else ""
    return column, f"the file is no YAML: {error.problem}{context}", "look at this line and the one before it"
