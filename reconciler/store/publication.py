"""Where records lie beside the index: in files, on the branch, or both."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from reconciler import instant
from reconciler.store.executions import ExecutionTable
from reconciler.store.rows import Row


class PublicationTable(ExecutionTable):
    """What the index knows of the files of records and of the branch."""

    @property
    def seen(self) -> str | None:
        """The commit of the branch of which this index knows every path, if there is one."""
        return self.meta("seen", shared=True)

    def set_seen(self, commit: str | None) -> None:
        """Note of which commit every path is known."""
        self.set_meta("seen", commit, shared=True)

    def unpublished(self, environment: str, limit: int) -> list[Row]:
        """Ended records of an environment that the branch has not, in the order of their ends."""
        where = "environment = ? AND published = 0 AND end_time IS NOT NULL"
        return self.executions(where, (environment,), order="end_time, path", limit=limit)

    def count_unpublished(self, environment: str) -> int:
        """How many ended records of an environment the branch has not."""
        return self.count("environment = ? AND published = 0 AND end_time IS NOT NULL", (environment,))

    def mark_published(self, paths: Mapping[str, str]) -> None:
        """Note that records are on the branch: their paths, and what they are called there (a double's differs)."""
        with self.transaction():
            self._write_many(
                "UPDATE OR REPLACE executions SET published = 1, path = ? WHERE path = ?",
                ((there, path) for path, there in paths.items()),
            )
            self._write_many(
                "UPDATE OR REPLACE documents SET path = ? WHERE path = ?",
                ((there, path) for path, there in paths.items() if there != path),
            )

    def mark_unpublished(self, paths: Iterable[str]) -> None:
        """Note that the branch has lost records."""
        self._write_many("UPDATE executions SET published = 0 WHERE path = ?", ((path,) for path in paths))

    def removable(self, environment: str, before: datetime, limit: int) -> list[Row]:
        """Published records of an environment whose files still lie here although they ended before an instant."""
        where = "environment = ? AND published = 1 AND mtime_ns > 0 AND end_time < ?"
        return self.executions(where, (environment, instant.text(before)), order="end_time, path", limit=limit)

    def set_files(self, files: Iterable[tuple[str, int, int]]) -> None:
        """Note where records lie in files too: path, time (ns) and size."""
        self._write_many(
            "UPDATE executions SET mtime_ns = ?, size = ? WHERE path = ?",
            ((mtime_ns, size, path) for path, mtime_ns, size in files),
        )

    def forget_files(self, paths: Iterable[str]) -> None:
        """Note that the files of records were removed: the branch alone has them."""
        self._write_many("UPDATE executions SET mtime_ns = 0, size = 0 WHERE path = ?", ((path,) for path in paths))

    def files(self, folder: str) -> dict[str, tuple[int, int]]:
        """Path, time (ns) and size of the record files known below a folder such as ``2021/07/01/ECB_FX``."""
        rows = self._read(
            "SELECT path, mtime_ns, size FROM executions WHERE path > ? AND path < ? AND mtime_ns > 0",
            (f"{folder}/", f"{folder}0"),
        )
        return {path: (mtime_ns, size) for path, mtime_ns, size in rows}
