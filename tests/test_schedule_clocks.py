"""Schedules over clock changes, against an oracle that looks at every minute there is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.schedule import Schedule

MINUTE = timedelta(minutes=1)
# Every kind of change: an hour, half an hour, two, at midnight, back over midnight, a whole day, and for good.
CHANGES = [
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("America/New_York", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", "2025-04-05T15:00"),
    ("Australia/Lord_Howe", "2025-10-04T15:30"),
    ("America/Sao_Paulo", "2018-02-18T02:00"),
    ("America/Sao_Paulo", "2018-11-04T03:00"),
    ("Antarctica/Troll", "2026-03-29T01:00"),
    ("Antarctica/Troll", "2026-10-25T01:00"),
    ("Africa/Casablanca", "2026-02-15T02:00"),
    ("Europe/Dublin", "2026-10-25T01:00"),
    ("Asia/Pyongyang", "2018-05-04T15:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Pacific/Kiritimati", "1994-12-31T10:00"),
    ("America/Metlakatla", "2018-11-04T10:00"),
]


@dataclass(frozen=True)
class Times:
    """Minutes, hours and weekdays (0 is Sunday), and how to write them in a field each."""

    minutes: frozenset[int]
    hours: frozenset[int]
    weekdays: frozenset[int]
    fields: tuple[str, str, str]

    def match(self, local: datetime) -> bool:
        return local.minute in self.minutes and local.hour in self.hours and local.isoweekday() % 7 in self.weekdays


@st.composite
def times(draw: st.DrawFn) -> Times:
    """Sets with several spellings: what begins with a star behaves differently."""
    fields = []
    sets = []
    for high in (59, 23, 6):
        every = frozenset(range(high + 1))
        step = draw(st.integers(2, 20))
        some = frozenset(draw(st.sets(st.integers(0, high), min_size=1, max_size=6)))
        spelled = [
            ("*", every),
            (f"*/{step}", frozenset(range(0, high + 1, step))),
            (f"0/{step}", frozenset(range(0, high + 1, step))),
            (f"0-{high}", every),
            (",".join(map(str, some)), some),
        ]
        text, meant = draw(st.sampled_from(spelled if high > 6 else [("*", every), (",".join(map(str, some)), some)]))
        fields.append(text)
        sets.append(meant)
    return Times(sets[0], sets[1], sets[2], (fields[0], fields[1], fields[2]))


def oracle(
    zone: ZoneInfo, rules: tuple[str, str], match: Callable[[datetime], bool], around: datetime
) -> list[datetime]:
    """Look at every minute of two days, by PEP 495 alone."""
    gap, fold = rules
    found = set()
    at, end = around - timedelta(hours=26), around + timedelta(hours=26)
    before = at.astimezone(zone).utcoffset()
    while (at := at + MINUTE) <= end:
        local = at.astimezone(zone)
        after = local.utcoffset()
        assert before is not None
        assert after is not None
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        this_pass = not twice or fold == "both" or (fold == "first") == (local.fold == 0)
        if this_pass and match(local.replace(tzinfo=None)):
            found.add(at)
        missing = at.replace(tzinfo=None) + before
        while missing < at.replace(tzinfo=None) + after:
            if match(missing) and gap != "skip":
                found.add(at if gap == "first" else missing.replace(tzinfo=UTC) - before)
            missing += MINUTE
        before = after
    return sorted(slot for slot in found if slot <= end)


def defaults(fields: int, text: Times) -> tuple[str, str]:
    """The documented table."""
    minute, hour, _ = text.fields
    if fields == 5:
        fixed = not (minute.startswith("*") or hour.startswith("*"))
        return ("first", "first") if fixed else ("skip", "both")
    return "shift", "both" if hour == "*" else "first"


def check(change: tuple[str, str], chosen: Times, fields: int, dst: dict[str, str]) -> None:
    zone, instant = change
    around = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    minute, hour, weekday = chosen.fields
    text = f"{minute} {hour} * * {weekday}" + {5: "", 6: " *", 7: f" * {zone}"}[fields]
    document = {"cron": [text], "timezone": zone if fields < 7 else "UTC"} | ({"dst": dst} if dst else {})
    schedule = Schedule.of(document, "ORACLE")
    normal = defaults(fields, chosen)
    rules = dst.get("gap", normal[0]), dst.get("fold", normal[1])
    expected = oracle(ZoneInfo(zone), rules, chosen.match, around)
    start, end = around - timedelta(hours=26), around + timedelta(hours=26)
    assert list(schedule.between(start, end)) == expected
    assert schedule.count(start, end) == len(expected)
    assert schedule.last(start, end) == (expected[-1] if expected else None)


DST = st.fixed_dictionaries(
    {},
    optional={"gap": st.sampled_from(["first", "shift", "skip"]), "fold": st.sampled_from(["first", "second", "both"])},
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CHANGES), times(), st.sampled_from([5, 6, 7]), DST)
def test_every_change_of_every_kind_equals_the_minute_oracle(
    change: tuple[str, str], chosen: Times, fields: int, dst: dict[str, str]
) -> None:
    check(change, chosen, fields, dst)


ALWAYS = Times(frozenset(range(60)), frozenset(range(24)), frozenset(range(7)), ("0-59", "0-23", "*"))
HALF_PAST = Times(frozenset({0, 30}), frozenset(range(24)), frozenset(range(7)), ("0,30", "0-23", "*"))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("gap", ["first", "shift", "skip"])
def test_each_change_under_each_rule(change: tuple[str, str], gap: str) -> None:
    for fold in ("first", "second", "both"):
        check(change, HALF_PAST, 5, {"gap": gap, "fold": fold})


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(CHANGES), times(), DST, st.integers(-93600, 93600), st.integers(0, 999_999))
@example(CHANGES[1], ALWAYS, {"fold": "both"}, -1800, 0)
@example(CHANGES[1], ALWAYS, {"fold": "second"}, -1800, 1)
def test_next_from_any_instant_is_the_first_slot_after_it(
    change: tuple[str, str], chosen: Times, dst: dict[str, str], offset: int, micros: int
) -> None:
    zone, instant = change
    around = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    text = " ".join([*chosen.fields[:2], "* *", chosen.fields[2]])
    schedule = Schedule.of({"cron": [text], "timezone": zone, "dst": dst}, "ORACLE")
    start, end = around - timedelta(hours=37), around + timedelta(hours=200)
    slots = list(schedule.between(start, end))
    after = around + timedelta(seconds=offset, microseconds=micros)
    expected = next((slot for slot in slots if slot > after), None)
    found = schedule.next(after)
    assert found == expected or (expected is None and (found is None or found > end))
