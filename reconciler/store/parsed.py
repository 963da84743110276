"""What each file parses to: the same for every environment, so that a file is parsed once in its life."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from reconciler.problem import Problem
from reconciler.store.database import Database

Key = tuple[str, str]
"""A file's blob id and its path: its problems name the path, so its bytes alone do not decide them."""

_AT_ONCE = 400
"""Keys in one question; SQLite binds at most 32,766 values, and older ones 999."""


class ParsedTable(Database):
    """Parsed files, shared by the environments."""

    def parsed(self, keys: Iterable[Key]) -> dict[Key, tuple[Any, tuple[Problem, ...]]]:
        """What the given files parse to, as far as this release has parsed them: document (or ``None``), problems."""
        found = {}
        for chunk in _chunks(keys):
            wanted = ", ".join(["(?, ?)"] * len(chunk))
            rows = self._read(
                f"WITH wanted (blob, path) AS (VALUES {wanted}) "  # noqa: S608 - question marks only
                "SELECT parsed.blob, parsed.path, document, problems FROM wanted JOIN parsed "
                "ON parsed.blob = wanted.blob AND parsed.path = wanted.path AND release = ?",
                [part for key in chunk for part in key] + [self.release],
            )
            # read as one text, so that equal keys of many documents are one string, at a third of the price
            documents = json.loads(f"[{','.join(row[2] or 'null' for row in rows)}]")
            for (blob, path, _, problems), document in zip(rows, documents, strict=True):
                found[blob, path] = (document, read_problems(problems))
        return found

    def save_parsed(self, rows: Mapping[Key, tuple[Any, Sequence[Problem]]]) -> None:
        """Remember what files parse to; what other releases made of anything is forgotten."""
        with self.transaction():
            self._write("DELETE FROM parsed WHERE release <> ?", (self.release,))
            self._write_many(
                "INSERT OR REPLACE INTO parsed VALUES (?, ?, ?, ?, ?)",
                (
                    (blob, path, self.release, None if document is None else dump(document), write_problems(problems))
                    for (blob, path), (document, problems) in rows.items()
                ),
            )


dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Write JSON in its shortest form."""


def write_problems(problems: Iterable[Problem]) -> str:
    """Write problems as a JSON array."""
    return dump([problem.to_document() for problem in problems])


def read_problems(text: str) -> tuple[Problem, ...]:
    """Read problems back."""
    return tuple(Problem.from_document(document) for document in json.loads(text)) if text != "[]" else ()


def _chunks(keys: Iterable[Key]) -> Iterator[list[Key]]:
    rest = iter(keys)
    while chunk := list(islice(rest, _AT_ONCE)):
        yield chunk
