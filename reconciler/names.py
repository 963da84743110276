"""The strict patterns that every name, id and reference meets at the edge (SPEC 3, 9, 11).

Nothing that fails its pattern reaches a path, a ref or a query: the rule that meets attack class 2, names from an API
joined to paths.
"""

import re

PROCESS = re.compile(r"(?!.*\.\.)(?!.*\.lock\Z)(?!.*\.\Z)[A-Za-z_][A-Za-z0-9_.-]{0,127}")
RESERVED = frozenset({"private", "public", "all"})
ENVIRONMENT = re.compile(r"[a-z][a-z0-9-]{0,62}")
EXECUTION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
ABBREVIATED = re.compile(r"[0-9a-f]{7,64}")
TAG = re.compile(r"(?!.*\.\.)(?!.*\.lock\Z)(?!.*\.\Z)(?![0-9]+\Z)[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def is_process(text: str) -> bool:
    """Whether a text can name a process: letters, digits, ``_.-``, 128 at most, not reserved."""
    return PROCESS.fullmatch(text) is not None and text.lower() not in RESERVED


def is_environment(text: str) -> bool:
    """Whether a text can name an environment."""
    return ENVIRONMENT.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether a text can name a tag of versions: as a process, or beginning with a digit, but no number."""
    return TAG.fullmatch(text) is not None and text.lower() not in RESERVED


def is_execution(text: str) -> bool:
    """Whether a text has the form of an execution id (a lower-case UUID)."""
    return EXECUTION.fullmatch(text) is not None


def is_commit(text: str) -> bool:
    """Whether a text is a full commit id (SHA-1 or SHA-256)."""
    return COMMIT.fullmatch(text) is not None
