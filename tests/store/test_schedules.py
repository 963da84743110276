"""schedules.json: read back exactly, one process a line, never half-written."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.decision import Track
from reconciler.store import schedules
from reconciler.store.layout import Layout
from reconciler.store.schedules import State

SINCE = datetime(2021, 7, 1, 16, 30, 0, 123456, tzinfo=UTC)
TRACK = Track({"cron": ["30 16 * * 1-5"], "timezone": "UTC"}, SINCE, SINCE + timedelta(seconds=1), held="ECB: ä")
STATE = State("a" * 40, "refs/heads/main", {"ECB_FX": TRACK, "TEST": Track({"timezone": "UTC"}, SINCE, SINCE)})


def test_there_is_no_state_at_first(layout: Layout) -> None:
    assert schedules.read(layout) is None


def test_a_state_is_read_back_to_the_microsecond(layout: Layout) -> None:
    schedules.write(layout, STATE)
    assert schedules.read(layout) == STATE
    schedules.write(layout, replace(STATE, follow="PROD"))
    assert schedules.read(layout) == replace(STATE, follow="PROD")
    schedules.write(layout, State())
    assert schedules.read(layout) == State()


def test_an_instant_is_written_in_utc_whatever_its_zone() -> None:
    east = SINCE.astimezone(timezone(timedelta(hours=9)))
    assert schedules.encode(State(tracks={"A": Track({}, east, east)})) == schedules.encode(
        State(tracks={"A": Track({}, SINCE, SINCE)})
    )


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(
            lambda name: name.lower() not in {"private", "public", "all"}
        ),
        st.builds(
            Track,
            st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
            st.datetimes(timezones=st.just(UTC)),
            st.datetimes(timezones=st.just(UTC)),
            st.none() | st.text(max_size=20),
        ),
        max_size=5,
    )
)
def test_every_state_survives_writing_and_reading(tracks: dict[str, Track]) -> None:
    state = State("b" * 64, "refs/heads/main", tracks)
    assert schedules.decode(schedules.encode(state)) == state


def test_a_change_of_one_process_is_a_change_of_one_line() -> None:
    tracks = {f"P{number}": TRACK for number in range(50)}
    before = schedules.encode(State(tracks=tracks)).splitlines()
    tracks["P7"] = Track(TRACK.schedule, SINCE, SINCE + timedelta(days=1))
    after = schedules.encode(State(tracks=tracks)).splitlines()
    assert len(before) == len(after)
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


GOOD = json.loads(schedules.encode(STATE))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "null",
        "[" * 100_000,
        schedules.encode(STATE).decode()[:-10],
        json.dumps(GOOD | {"tracks": []}),
        json.dumps(GOOD | {"tracks": {"../evil": GOOD["tracks"]["TEST"]}}),
        json.dumps(GOOD | {"tracks": {"A": {}}}),
        json.dumps(GOOD | {"tracks": {"A": GOOD["tracks"]["TEST"] | {"schedule": "daily"}}}),
        json.dumps(GOOD | {"tracks": {"A": GOOD["tracks"]["TEST"] | {"since": "2021-07-01T16:30:00"}}}),
        json.dumps(GOOD | {"tracks": {"A": GOOD["tracks"]["TEST"] | {"decided": 5}}}),
        json.dumps(GOOD | {"applied": "HEAD; rm -rf /"}),
        json.dumps(GOOD | {"applied": 5}),
    ],
)
def test_what_is_no_state_is_told_with_its_place(layout: Layout, text: str) -> None:
    layout.schedules.parent.mkdir(parents=True)
    layout.schedules.write_text(text)
    with pytest.raises(ValueError, match=r"schedules\.json: no state of schedules"):
        schedules.read(layout)


@pytest.mark.parametrize("follow", ["1", "a b", "A/PROD", "", 7])
def test_a_tag_that_is_none_is_no_state(follow: object) -> None:
    document = json.loads(schedules.encode(STATE)) | {"follow": follow}
    with pytest.raises(ValueError, match="what should be a tag is none"):
        schedules.decode(json.dumps(document).encode())
