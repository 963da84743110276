"""Which paths out of git may become files, and which may be written to git (attack classes 1, 2 and 6).

A tree object may hold any name, ``..`` and ``.git`` among them, and ``fast-import`` writes whatever it is told.
"""

import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029]")
_SHORT_NAME = re.compile(r"git~[0-9]+")
_PUBLISHED = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.~-]{0,254}(?:/[A-Za-z0-9_][A-Za-z0-9_.~-]{0,254}){0,15}")
_LONGEST_NAME = 255
_LONGEST_PATH = 4000


def text(path: bytes) -> str:
    """Give a path as git spells it as text; bytes that are no UTF-8 show with a backslash, which no safe path has."""
    return path.decode(errors="backslashreplace")


def is_safe(path: str) -> bool:
    """Whether a path can be made below a folder of ours: no way out of it, no ``.git`` in any disguise, no control."""
    return len(path) <= _LONGEST_PATH and all(_is_safe_name(part) for part in path.split("/"))


def is_published(path: str) -> bool:
    """Whether a path may be written to the branch of records: letters, digits and ``_.~-``, no part led by a dot."""
    return _PUBLISHED.fullmatch(path) is not None and is_safe(path)


def _is_safe_name(name: str) -> bool:
    if not name or name in {".", ".."} or _CONTROL.search(name) or len(name.encode()) > _LONGEST_NAME:
        return False
    # HFS+ ignores invisible characters; NTFS ignores dots and spaces at the end, has streams after a colon, and
    # keeps a short name for each: all of these can mean .git.
    visible = "".join(letter for letter in name if unicodedata.category(letter) != "Cf").casefold()
    bare = visible.split(":", 1)[0].rstrip(" .")
    return bare != ".git" and _SHORT_NAME.fullmatch(bare) is None
