"""A process's schedule: its cron expressions, its period and its instants as one row of slots."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.cron import CronError
from reconciler.daylight import Effect
from reconciler.schedule import Schedule

NOW = datetime(2026, 11, 22, 14, 0, 17, tzinfo=UTC)
YEAR = timedelta(days=365)


def of(**document: Any) -> Schedule:
    return Schedule.of(document, "ECB_FX")


def instants(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(text).astimezone(UTC) for text in texts]


def test_the_next_slot_is_strictly_after_and_in_utc() -> None:
    schedule = of(cron=["30 16 * * *"], timezone="Europe/Berlin")
    (slot,) = instants("2026-11-22T15:30:00Z")
    assert schedule.next(NOW) == slot
    assert schedule.next(slot - timedelta(microseconds=1)) == slot
    assert schedule.next(slot) == slot + timedelta(days=1)
    berlin = schedule.next(NOW.astimezone(timezone(timedelta(hours=1))))
    assert berlin == slot
    assert berlin.tzinfo is UTC


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(TypeError):
        of(cron=["* * * * *"]).next(NOW.replace(tzinfo=None))


def test_every_is_counted_from_1970_so_that_a_restart_moves_nothing() -> None:
    schedule = of(every="7s")
    slot = schedule.next(NOW)
    assert slot is not None
    assert slot.timestamp() % 7 == 0
    assert list(schedule.between(NOW, NOW + timedelta(seconds=21))) == [
        slot,
        slot + timedelta(seconds=7),
        slot + timedelta(seconds=14),
    ]
    assert of(every="1h").next(NOW) == instants("2026-11-22T15:00:00Z")[0]
    assert of(every="PT15M").next(NOW) == instants("2026-11-22T14:15:00Z")[0]
    assert of(every="1.5s").next(NOW) == NOW + timedelta(seconds=1)
    assert of(every="7d").next(NOW) == instants("2026-11-26T00:00:00Z")[0]


def test_every_ignores_the_zone_and_its_clock_changes() -> None:
    berlin, utc = of(every="90m", timezone="Europe/Berlin"), of(every="90m")
    start = datetime(2026, 3, 28, tzinfo=UTC)
    assert list(berlin.between(start, start + timedelta(days=2))) == list(utc.between(start, start + timedelta(days=2)))


def test_at_names_instants_in_any_order_and_offset() -> None:
    schedule = of(at=["2027-01-01T00:00:00+01:00", "2026-12-24T18:00:00.25Z", "2026-12-31T23:00:00Z"])
    assert list(schedule.between(NOW, NOW + YEAR)) == instants("2026-12-24T18:00:00.250Z", "2026-12-31T23:00:00Z")


def test_the_slots_of_all_sources_are_one_row_each_instant_once() -> None:
    schedule = of(cron=["0 12 * * *", "0,30 12 * * *"], every="6h", at=["2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z"])
    assert list(schedule.between(NOW, NOW + timedelta(days=1))) == instants(
        "2026-11-22T18:00:00Z",
        "2026-11-23T00:00:00Z",
        "2026-11-23T06:00:00Z",
        "2026-11-23T12:00:00Z",
        "2026-11-23T12:30:00Z",
        "2026-11-23T13:00:00Z",
    )
    assert schedule.count(NOW, NOW + timedelta(days=1)) == 6


def test_a_reason_names_the_first_source_cron_then_every_then_at() -> None:
    schedule = of(cron=["30 16 * * *"], every="30m", at=["2021-07-01T16:30:00Z", "2021-07-01T17:00:00Z"])
    half, full = instants("2021-07-01T16:30:00Z", "2021-07-01T17:00:00Z")
    assert schedule.reason(half) == "crontab(ECB_FX,Thu Jul 01 2021 16:30:00 GMT+0000 (Greenwich Mean Time))"
    assert schedule.reason(full) == "every(ECB_FX,30m,2021-07-01T17:00:00.000Z)"
    assert of(at=["2021-07-01T17:00:00Z"]).reason(full) == "at(ECB_FX,2021-07-01T17:00:00.000Z)"
    assert of(every="PT5S").reason(full) == "every(ECB_FX,5s,2021-07-01T17:00:00.000Z)"
    with pytest.raises(ValueError, match=r"2021-07-01T16:30:01.000Z is no slot of ECB_FX"):
        schedule.reason(half + timedelta(seconds=1))


def test_neighbouring_slots_each_have_their_reason() -> None:
    schedule = of(every="1s", cron=["* * * * *"])
    told = [schedule.reason(slot)[:5] for slot in schedule.between(NOW, NOW + timedelta(seconds=44))]
    assert told == ["every"] * 42 + ["cront", "every"]


def test_a_slot_shifted_by_a_gap_has_its_reason() -> None:
    schedule = of(cron=["30 2 * * *"], timezone="Europe/Berlin")
    slot = schedule.next(datetime(2026, 3, 29, tzinfo=UTC))
    assert slot is not None
    assert schedule.reason(slot) == "crontab(ECB_FX,Sun Mar 29 2026 01:00:00 GMT+0000 (Greenwich Mean Time))"


def test_between_is_lazy_and_excludes_its_start_but_not_its_end() -> None:
    endless = of(every="1s", cron=["* * * * *"]).between(NOW, NOW + YEAR * 900)
    assert next(endless) == NOW + timedelta(seconds=1)
    minute = of(cron=["* * * * *"])
    first, second = instants("2026-11-22T14:01:00Z", "2026-11-22T14:02:00Z")
    assert list(minute.between(first, second)) == [second]
    assert list(minute.between(second, first)) == []


def test_a_schedule_of_nothing_has_no_slots_and_is_not_over() -> None:
    schedule = of(timezone="Europe/Berlin")
    assert schedule.next(NOW) is None
    assert list(schedule.between(NOW, NOW + YEAR)) == []
    assert (schedule.count(NOW, NOW + YEAR), schedule.last(NOW, NOW + YEAR)) == (0, None)
    assert not schedule.over(NOW)
    assert schedule.affected(NOW, NOW + YEAR) == ()


def test_over_means_slots_that_all_lie_behind() -> None:
    assert of(cron=["0 0 1 1 ? 2020-2025"]).over(NOW)
    assert of(at=["2026-11-22T14:00:17Z"]).over(NOW)
    assert not of(at=["2026-11-22T14:00:18Z"]).over(NOW)
    assert not of(cron=["0 0 1 1 ? 2020"], every="1d").over(NOW)
    assert of(cron=["30 2 25-31 3 SUN *"], timezone="Europe/Berlin", dst={"gap": "skip"}).over(NOW)


def test_the_last_slot_of_an_interval_is_found_without_walking_it() -> None:
    assert of(every="1s").last(NOW - YEAR * 50, NOW) == NOW
    daily = of(cron=["30 16 * * *"])
    (slot,) = instants("2026-11-21T16:30:00Z")
    assert daily.last(NOW - YEAR, NOW) == slot
    assert daily.last(slot, NOW) is None
    assert daily.last(slot - timedelta(microseconds=1), slot) == slot
    assert daily.last(NOW, NOW - YEAR) is None


def test_counting_a_long_gap_costs_no_walk() -> None:
    decade = timedelta(days=3653)
    assert of(every="1s").count(NOW - decade, NOW) == 3653 * 86400
    assert of(cron=["* * * * *"], timezone="Europe/Berlin").count(NOW - decade, NOW) == 3653 * 1440
    assert of(cron=["30 2 * * *"], timezone="Europe/Berlin").count(NOW - decade, NOW) == 3653
    # Two sources: the denser one by arithmetic, the other only where it adds.
    assert of(every="1s", cron=["0 12 * * *"], at=["2026-11-22T12:00:00.5Z"]).count(NOW - decade, NOW) == (
        3653 * 86400 + 1
    )


DOCUMENTS = st.fixed_dictionaries(
    {"timezone": st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"])},
    optional={
        "cron": st.lists(
            st.sampled_from(
                ["*/20 * * * *", "30 2 * * *", "0 0 L * ?", "15 0/4 ? * MON-FRI *", "7 46 ? * * *", "H H * * *"]
            ),
            max_size=3,
        ),
        "every": st.sampled_from(["20m", "7h", "1d"]),
        "at": st.lists(
            st.datetimes(datetime(2017, 10, 1), datetime(2018, 4, 1)).map(lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}"),  # noqa: DTZ001 - written with its Z
            max_size=3,
        ),
        "dst": st.fixed_dictionaries(
            {},
            optional={"gap": st.sampled_from(["first", "shift", "skip"]), "fold": st.sampled_from(["second", "both"])},
        ),
    },
)
STARTS = st.integers(0, 200 * 86400).map(lambda seconds: datetime(2017, 9, 1, tzinfo=UTC) + timedelta(seconds=seconds))
LENGTHS = st.integers(0, 10 * 86400).map(lambda seconds: timedelta(seconds=seconds))


@settings(max_examples=80, deadline=None)
@given(DOCUMENTS, STARTS, LENGTHS, LENGTHS)
def test_an_interval_splits_anywhere(document: dict[str, Any], a: datetime, first: timedelta, more: timedelta) -> None:
    schedule = Schedule.of(document, "LAW")
    b, c = a + first, a + first + more
    left, right, whole = (list(schedule.between(*ends)) for ends in ((a, b), (b, c), (a, c)))
    assert left + right == whole
    assert whole == sorted(set(whole))
    assert all(a < slot <= c for slot in whole)
    assert schedule.count(a, c) == len(whole)
    assert schedule.last(a, c) == (whole[-1] if whole else None)
    assert all(schedule.reason(slot).startswith(("crontab(LAW,", "every(LAW,", "at(LAW,")) for slot in whole[:5])


@settings(max_examples=80, deadline=None)
@given(DOCUMENTS, STARTS)
def test_next_is_strictly_after_and_walks_the_same_slots(document: dict[str, Any], start: datetime) -> None:
    schedule = Schedule.of(document, "LAW")
    at: datetime | None = start
    walked = []
    for _ in range(8):
        assert at is not None
        found = schedule.next(at)
        assert found is None or found > at
        if found is None:
            break
        walked.append(found)
        at = found
    assert walked == list(islice(schedule.between(start, start + YEAR * 3), 8))


def test_affected_slots_name_what_happens_in_the_year_to_come() -> None:
    schedule = of(cron=["30 2 * * *", "*/5 * * * *", "0 2 ? * * * EU1"], timezone="Europe/Berlin", every="1h")
    found = schedule.affected(NOW, NOW + YEAR)
    told = [(slot.cron, slot.effect, slot.zone, f"{slot.local:%m-%d %H:%M}", list(slot.utc)) for slot in found]
    assert told == [
        ("30 2 * * *", Effect.SHIFTED, "Europe/Berlin", "03-28 02:30", instants("2027-03-28T01:00:00Z")),
        ("30 2 * * *", Effect.ONCE, "Europe/Berlin", "10-31 02:30", instants("2027-10-31T00:30:00Z")),
    ]
    assert found[0].local.tzinfo is None


def test_what_affected_says_is_what_next_gives() -> None:
    for gap in ("first", "shift", "skip"):
        for fold in ("first", "second", "both"):
            dst = {"gap": gap, "fold": fold}
            schedule = of(cron=["15,45 1-3 * * *"], timezone="America/New_York", dst=dst)
            for slot in schedule.affected(NOW, NOW + YEAR):
                for at in slot.utc:
                    assert schedule.next(at - timedelta(seconds=1)) == at


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"cron": ["0 0 30 2 *"]}, "no date ever matches"),
        ({"cron": ["@daily"], "timezone": "Mars/Olympus"}, "'Mars/Olympus' is no time zone"),
        ({"cron": ["@daily"], "dst": {"gap": "later"}}, "later"),
        ({"cron": ["@daily"], "dst": {"fold": "third"}}, "third"),
        ({"every": "999ms"}, "no duration"),
        ({"every": "0.5s"}, "1s is the shortest period"),
        ({"every": "soon"}, "no duration"),
        ({"at": ["tomorrow"]}, "no RFC 3339 instant"),
        ({"at": ["2026-02-30T00:00:00Z"]}, "day"),
        ({"at": ["0001-01-01T00:00:00+05:00"]}, "before the year 1 or after 9999"),
        ({"at": ["9999-12-31T23:59:59-05:00"]}, "before the year 1 or after 9999"),
    ],
)
def test_what_is_no_schedule_is_a_value_error(document: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        of(**document)


def test_a_cron_error_keeps_its_hint() -> None:
    with pytest.raises(CronError) as caught:
        of(cron=["12 46 * * *"])
    assert "daily at 12:46" in caught.value.hint


def test_slots_end_with_the_year_2999() -> None:
    assert of(every="10d", cron=["@daily"]).next(datetime(2999, 12, 31, 12, tzinfo=UTC)) is None
    assert of(every="1d").count(datetime(2999, 12, 30, 12, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)) == 1
    assert of(every="1d").next(datetime(9999, 12, 31, tzinfo=UTC)) is None
    assert of(every="1d").next(datetime(1, 1, 1, tzinfo=UTC)) == datetime(1970, 1, 1, tzinfo=UTC)
    assert of(at=["9000-01-01T00:00:00Z"]).next(NOW) == datetime(9000, 1, 1, tzinfo=UTC)


def test_processes_with_one_expression_share_it() -> None:
    first, second = (Schedule.of({"cron": "30 16 * * *", "timezone": "Europe/Berlin"}, name) for name in ("a", "b"))
    assert first.sources[0] == second.sources[0]
    assert first.sources[0].cron is second.sources[0].cron  # type: ignore[attr-defined]  # a Crontab, by the line above
    assert not hasattr(first, "__dict__")
