"""SEND and LOAD: the hand-over, the store, and what is said about them."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DAILY = (ROOT / "demo" / "eurofxref-2021-07-01.xml").read_text()
LATER = Path(__file__).with_name("eurofxref-2026-10-30.xml").read_text()
EXECUTION = "05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6"


def rows(store: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(store)) as database:
        return database.execute("SELECT date, series, value FROM observation ORDER BY date, series").fetchall()


def two_days(usd: str = "1.5") -> str:
    cubes = (
        f'<Cube time="{day}"><Cube currency="USD" rate="{usd}"/>{more}</Cube>'
        for day, more in (("2021-07-02", '<Cube currency="JPY" rate="2"/>'), ("2021-07-01", ""))
    )
    head, _, rest = DAILY.partition("<Cube>")
    return head + "<Cube>" + "".join(cubes) + "</Cube>" + rest[rest.rindex("</gesmes:Envelope>") :]


def test_a_days_rates_are_stored_and_reported(phases: Any) -> None:
    phases.transform(DAILY)
    assert phases.send().lines == [{"output": {"batch": str(phases.data / "batches" / f"{EXECUTION}.json")}}]
    ran = phases.load()
    assert (ran.code, ran.printed) == (0, "")
    assert ran.all("loaderMessage") == ["Updated 32 series for 2021-07-01"]
    (data,) = ran.all("data")
    expected = json.loads(Path(__file__).with_name("execution-example.json").read_text())["data"]
    assert data == expected
    stored = rows(phases.data / "series.sqlite")
    assert len(stored) == 32
    assert ("2021-07-01", "#ECB_FX.EURUSD:SPOT", "1.1884") in stored


def test_a_batch_is_gone_once_it_is_loaded(phases: Any) -> None:
    phases.transform(DAILY)
    phases.send()
    phases.load()
    assert list((phases.data / "batches").iterdir()) == []


def test_fewer_currencies_are_fewer_series(phases: Any) -> None:
    phases.transform(LATER)
    phases.send()
    assert phases.load().all("loaderMessage") == ["Updated 29 series for 2026-10-30"]


def test_loading_a_day_again_changes_nothing(phases: Any) -> None:
    store = phases.data / "series.sqlite"
    for _ in range(2):
        phases.transform(DAILY)
        phases.send()
        ran = phases.load()
        assert ran.all("loaderMessage") == ["Updated 32 series for 2021-07-01"]
    assert len(rows(store)) == 32


def test_a_revised_rate_replaces_the_old_one_and_other_days_stay(phases: Any) -> None:
    for document in (LATER, two_days("1.5"), two_days("1.6")):
        phases.transform(document)
        phases.send()
        phases.load()
    stored = rows(phases.data / "series.sqlite")
    assert ("2021-07-02", "#ECB_FX.EURUSD:SPOT", "1.6") in stored
    assert len(stored) == 29 + 3


def test_a_history_names_its_series_and_its_dates(phases: Any) -> None:
    phases.transform(two_days())
    phases.send()
    ran = phases.load()
    assert ran.all("loaderMessage") == ["Updated 2 series for 2 dates"]
    assert ran.all("data")[0]["series"] == {
        "2021-07-01": ["#ECB_FX.EURUSD:SPOT"],
        "2021-07-02": ["#ECB_FX.EURJPY:SPOT", "#ECB_FX.EURUSD:SPOT"],
    }


def test_a_day_without_rates_updates_nothing_and_says_so(phases: Any) -> None:
    head, _, rest = DAILY.partition("<Cube>")
    phases.transform(f'{head}<Cube><Cube time="2021-12-25"/></Cube>{rest[rest.rindex("</gesmes:Envelope>") :]}')
    phases.send()
    ran = phases.load()
    assert ran.code == 0
    assert ran.all("loaderMessage") == ["Updated 0 series for 2021-12-25"]
    assert ran.all("data") == [{"curves": {}, "series": {}}]


@pytest.mark.parametrize("store", ["rates.db", "new/folder/rates.db"])
def test_a_relative_store_lies_under_the_processs_data(phases: Any, store: str) -> None:
    phases.transform(DAILY)
    phases.send()
    assert phases.load(store=store).code == 0
    assert len(rows(phases.data / store)) == 32


def test_an_absolute_store_lies_where_it_says(phases: Any, tmp_path: Path) -> None:
    phases.transform(DAILY)
    phases.send()
    assert phases.load(store=str(tmp_path / "elsewhere.db")).code == 0
    assert len(rows(tmp_path / "elsewhere.db")) == 32


def test_a_store_that_is_no_database_fails_and_keeps_the_batch(phases: Any) -> None:
    phases.transform(DAILY)
    phases.send()
    (phases.data / "series.sqlite").write_text("this is a letter, and no database" * 100)
    ran = phases.load()
    assert (ran.code, ran.printed) == (1, "")
    assert "file is not a database" in ran.all("fail")[0]
    assert ran.all("loaderMessage") == []
    assert len(list((phases.data / "batches").iterdir())) == 1


def test_sending_again_leaves_one_batch_and_no_half_one(phases: Any) -> None:
    phases.transform(DAILY)
    phases.send()
    phases.transform(LATER)
    phases.send()
    (batch,) = (phases.data / "batches").iterdir()
    assert list(json.loads(batch.read_text())["observations"]) == ["2026-10-30"]


def test_a_batch_that_cannot_be_written_fails(phases: Any) -> None:
    phases.transform(DAILY)
    (phases.data / "batches").write_text("in the way")
    ran = phases.send()
    assert (ran.code, ran.printed) == (1, "")
    assert ran.all("fail")[0].endswith(os.strerror(17))
