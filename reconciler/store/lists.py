"""What people ask of the table of executions, in the words of ``query``."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from reconciler.aggregation import ENTRY
from reconciler.criteria import Sql
from reconciler.query import ALL, Query
from reconciler.store.database import explain
from reconciler.store.executions import NEWEST_FIRST, ExecutionTable, row_of, rows_of
from reconciler.store.rows import SOURCE, Row

_AT_ONCE = 200
"""Records that are in memory while many are read."""
_NONE = -1
_COVERED = {"name", "service", "status", "outcome", "trigger", "environment", "start"}
"""Fields that ``executions_happened`` has: to sort by them, reading it whole beats reading many rows one by one."""
_UNINDEXED = {name: replace(SOURCE.columns[name], sql=f"+{name}") for name in ("status", "outcome")}
_SCANNED = replace(SOURCE, columns={**SOURCE.columns, **_UNINDEXED})


class RecordLists(ExecutionTable):
    """Lists and summaries of records. All SQL is of this program; what a user wrote is bound."""

    def find(self, asked: Query) -> tuple[list[Row], int]:
        """Give the asked page of records, and how many there are on all pages."""
        where, values = asked.where.to_sql(SOURCE)
        total = self.count(where, values)
        return list(self.each(asked)), total if asked.first is None else min(total, asked.first)

    def each(self, asked: Query) -> Iterator[Row]:
        """Give the asked page of records one by one, however many they are; of one state of the index."""
        chosen, values = self._chosen(asked)
        try:
            cursor = self._connection.execute(rows_of(chosen), values)
            while found := cursor.fetchmany(_AT_ONCE):
                yield from map(row_of, found)
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def summarize(self, asked: Query) -> list[Any]:
        """Give the values that a query asks for instead of records; all pages."""
        if asked.summary is None:
            raise ValueError("the query asks for no summary")
        select = asked.summary.to_sql(SOURCE)
        where, values = asked.where.to_sql(SOURCE)
        columns, bound = _listed(select.columns)
        tables, more = select.tables
        groups, most = _listed(select.groups)
        rows = f"(SELECT rowid AS {ENTRY}, * FROM executions WHERE {where}) AS executions"  # noqa: S608 - see class
        sql = f"SELECT {columns} FROM {rows}{f', {tables}' if tables else ''} WHERE {select.test}"  # noqa: S608 - see class
        sql += f" GROUP BY {groups}" if groups else ""
        return asked.summary.gather(self._read(sql, [*bound, *values, *more, *most]))

    def _chosen(self, asked: Query) -> Sql:
        """Select which rows make the page, in its order; without the records, which would have to be sorted too."""
        sorted_by = [".".join(one.path) for one in asked.order]
        scans = sorted_by[:1] != ["start"] and _COVERED.issuperset(sorted_by) and bool(sorted_by)
        where, values = asked.where.to_sql(_SCANNED if scans else SOURCE)
        orders, bound = _listed([one.to_sql(SOURCE) for one in asked.order])
        order = f"{orders}, {NEWEST_FIRST}" if orders else NEWEST_FIRST
        limit = _NONE if asked.limit == ALL else asked.limit
        if asked.first is not None:
            left = max(asked.first - asked.skip, 0)
            limit = left if limit == _NONE else min(left, limit)
        sql = f"SELECT rowid AS {ENTRY} FROM executions WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608 - see class
        return sql, [*values, *bound, limit, asked.skip]


def _listed(parts: Any) -> Sql:
    """Join SQL expressions with commas."""
    found = list(parts)
    return ", ".join(text for text, _ in found), [value for _, bound in found for value in bound]
