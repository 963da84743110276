"""The table of the history that versions are counted along: which commit of it each is."""

from collections.abc import Iterable, Sequence

from reconciler.names import is_commit
from reconciler.store.database import Database

_TOGETHER = 1024
"""Commits of the history in one row."""
_FEW = 16
"""Commits that are sought one by one in each row; for more, all of a row are looked at."""


class ChainTable(Database):
    """Every commit of the followed history, from the first."""

    def place(self, commit: str) -> int | None:
        """Which commit of the history that was counted a full id is, the first being 0; ``None`` off it."""
        if not is_commit(commit):
            return None
        id_ = bytes.fromhex(commit)
        rows = self._read(
            "SELECT place, (instr(commits, ?) - 1) / ? FROM chain WHERE environment = ? AND instr(commits, ?) > 0",
            (id_, len(id_), self.environment, id_),
        )
        return sum(rows[0]) if rows else None

    def places(self, commits: Iterable[str]) -> dict[str, int]:
        """``place`` of many commits at once, as far as they have one: the history is read once."""
        left = {bytes.fromhex(commit) for commit in commits if is_commit(commit)}
        found: dict[str, int] = {}
        if not left:
            return found
        width = len(next(iter(left)))
        for begin, ids in self._read("SELECT place, commits FROM chain WHERE environment = ?", (self.environment,)):
            if len(left) <= _FEW:
                here = {id_: at for id_ in left if (at := ids.find(id_)) >= 0}
            else:
                here = {id_: at for at in range(0, len(ids), width) if (id_ := ids[at : at + width]) in left}
            found |= {id_.hex(): begin + at // width for id_, at in here.items()}
            left -= here.keys()
        return found

    def add_to_chain(self, commits: Sequence[str], place: int) -> None:
        """Add commits of the history, oldest first, from a place on."""
        if not commits:
            return
        begin = place - place % _TOGETHER
        rows = self._read("SELECT commits FROM chain WHERE environment = ? AND place = ?", (self.environment, begin))
        ids = (rows[0][0] if rows else b"") + bytes.fromhex("".join(commits))
        width = len(commits[0]) // 2
        parts = range(0, len(ids) // width, _TOGETHER)
        self._write_many(
            "INSERT OR REPLACE INTO chain VALUES (?, ?, ?)",
            ((self.environment, begin + part, ids[part * width : (part + _TOGETHER) * width]) for part in parts),
        )
