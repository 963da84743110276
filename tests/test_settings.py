"""What procctl.yaml says, and what holds without it."""

from datetime import timedelta

import pytest

from reconciler.settings import Settings


def test_an_empty_file_is_all_defaults() -> None:
    assert Settings.of({}) == Settings()
    assert Settings() == Settings(
        branch=None,
        environment=None,
        timezone="UTC",
        retention=timedelta(days=30),
        max_running=None,
        catchup_window=timedelta(days=1),
    )


def test_every_key_is_read() -> None:
    document = {
        "branch": "release",
        "environment": "test",
        "timezone": "Europe/London",
        "retention": "90d",
        "max_running": 20,
        "catchup_window": "P7D",
        "x-owner": "team fx",
    }
    assert Settings.of(document) == Settings(
        "release", "test", "Europe/London", timedelta(days=90), 20, timedelta(days=7)
    )


@pytest.mark.parametrize(
    ("retention", "window", "kept"),
    [("1d", "1d", 2), ("1d", "0s", 1), ("30d", "60d", 61), ("8d", "7d", 8), ("7d", "7d", 8)],
)
def test_records_stay_a_day_longer_than_slots_can_be_made_up_for(retention: str, window: str, kept: int) -> None:
    assert Settings.of({"retention": retention, "catchup_window": window}).retention == timedelta(days=kept)


def test_a_window_of_nothing_is_one() -> None:
    assert Settings.of({"catchup_window": "0s"}).catchup_window == timedelta()


def test_a_whole_number_with_a_point_is_one() -> None:
    assert isinstance(Settings.of({"max_running": 4.0}).max_running, int)
