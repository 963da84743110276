"""Instants in their text forms: what is written is read back, sorts as time does, and never raises anything odd."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import duration, instant

MOMENTS = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))


@given(MOMENTS)
def test_a_text_is_read_back(at: datetime) -> None:
    assert instant.parse(instant.text(at)) == at


@given(MOMENTS, MOMENTS)
def test_texts_sort_as_instants_do(one: datetime, other: datetime) -> None:
    assert (one < other) == (instant.text(one) < instant.text(other))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2021-07-01T16:30:07.858Z", "2021-07-01T16:30:07.858Z"),
        ("2021-07-01t16:30:07z", "2021-07-01T16:30:07.000Z"),
        ("2021-07-01T18:30:07.858999999+02:00", "2021-07-01T16:30:07.858Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_offsets_and_decimals_are_understood(written: str, expected: str) -> None:
    assert instant.text(instant.parse(written)) == expected


@pytest.mark.parametrize(
    "written",
    [
        "",
        "now",
        "2021-07-01",
        "2021-07-01T16:30:07",
        "2021-02-30T00:00:00Z",
        "2021-07-01T24:00:00Z",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        "2021-07-01T16:30:07.Z",
        "\uff12\uff10\uff12\uff11-07-01T16:30:07Z",
    ],
)
def test_anything_else_is_a_value_error(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        instant.parse(written)


@given(st.text(max_size=40))
def test_no_text_raises_anything_but_a_value_error(written: str) -> None:
    for parse in (instant.parse, duration.parse):
        try:
            parse(written)
        except ValueError:
            continue


def test_log_lines_and_reasons_are_those_of_the_service() -> None:
    at = datetime(2021, 7, 1, 16, 30, 13, tzinfo=UTC)
    nanoseconds = int(at.timestamp()) * 10**9 + 390935800
    line = instant.log_line(nanoseconds, "info", "Completed EXTRACT")
    assert line == "2021-07-01T16:30:13.390935800Z[UTC] info Completed EXTRACT"
    said = instant.javascript(at.replace(second=0).astimezone())
    assert said == "Thu Jul 01 2021 16:30:00 GMT+0000 (Greenwich Mean Time)"


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3650)))
def test_a_duration_is_read_back_to_the_millisecond(length: timedelta) -> None:
    assert abs(duration.parse(duration.text(length)) - length) <= timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("1h30m", 5400),
        ("PT10M", 600),
        ("7d", 604800),
        ("1w", 604800),
        ("P1DT1S", 86401),
        ("0.5s", 0.5),
    ],
)
def test_durations_are_written_in_two_ways(written: str, seconds: float) -> None:
    assert duration.parse(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", ["", "P", "PT", "10", "m", "-1s", "1h 30m", "99999999999999999999d", "4000d", "1s1m"]
)
def test_what_is_no_duration_says_so(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        duration.parse(written)
