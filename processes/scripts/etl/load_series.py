"""LOAD: write a batch into the store of series, and say what was updated.

The store is one SQLite file: ``input.store``, or ``series.sqlite`` under PROCCTL_DATA. A series has one value on one
date, so that loading a batch again changes nothing; a revised value replaces the old one. Values are text, as
published.
"""

import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from reconciler import script

TABLE = """
CREATE TABLE IF NOT EXISTS observation (
    series TEXT NOT NULL,
    date TEXT NOT NULL,
    value TEXT NOT NULL,
    execution TEXT NOT NULL,
    PRIMARY KEY (series, date)
) WITHOUT ROWID
"""
UPDATE = """
INSERT INTO observation (series, date, value, execution) VALUES (?, ?, ?, ?)
ON CONFLICT (series, date) DO UPDATE SET value = excluded.value, execution = excluded.execution
WHERE value <> excluded.value
"""
PATIENCE = 30.0
"""Seconds to wait for another writer."""


def load(store: Path, observations: Mapping[str, Mapping[str, str]], execution: str) -> None:
    """Write observations (date, then series, then value) in one transaction."""
    store.parent.mkdir(parents=True, exist_ok=True)
    rows = [(series, day, value, execution) for day, values in observations.items() for series, value in values.items()]
    with closing(sqlite3.connect(store, timeout=PATIENCE)) as database, database:
        database.execute("BEGIN IMMEDIATE")
        database.execute(TABLE)
        database.executemany(UPDATE, rows)


def summary(observations: Mapping[str, Mapping[str, str]]) -> str:
    """Say what was updated: ``Updated 32 series for 2021-07-01``."""
    series = {name for values in observations.values() for name in values}
    dates = next(iter(observations)) if len(observations) == 1 else f"{len(observations)} dates"
    return f"Updated {len(series)} series for {dates}"


def main() -> None:
    """Run the phase."""
    given = script.input()
    path = Path(given["outputs"]["SEND"]["batch"])
    batch = json.loads(path.read_bytes())
    store = Path(os.environ["PROCCTL_DATA"], given.get("store", "series.sqlite"))
    try:
        load(store, batch["observations"], batch["execution"])
    except (OSError, sqlite3.Error) as error:
        script.fail(f"{store}: {error}")
    series = {day: sorted(values) for day, values in batch["observations"].items() if values}
    script.data(series=series)
    script.loader_message(summary(batch["observations"]))
    path.unlink()


if __name__ == "__main__":
    main()
