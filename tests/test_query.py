"""The promises of the query language: what a parameter means, what is refused, and that SQL and Python agree."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import instant
from reconciler.errors import UsageError
from reconciler.query import parse

REASON = "crontab(ECB_FX,Thu Jul 01 2021 16:30:00 GMT+0000 (Greenwich Mean Time))"
RECORD = {
    "_id": "05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6",
    "name": "ECB_FX",
    "status": "success",
    "reason": REASON,
    "start": "2021-07-23T16:30:07.858Z",
    "version": 3,
    "body": {"url": "file:///a", "deep": {"on": True, "ratio": 0.5, "none": None}},
    "tags": ["fx", "daily"],
    "phases": [{"name": "EXTRACT", "exitCode": 0}, {"name": "LOAD", "exitCode": 1, "log": ["a", "b"]}],
    "data": {"series": {"2021-07-01": ["#ECB_FX.EURUSD:SPOT"]}},
}


def ask(*parameters: tuple[str, str]) -> bool:
    return parse(parameters).matches(RECORD)


class TestEquality:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("_id", "05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6"),
            ("name", "ECB_FX"),
            ("version", "3"),
            ("version", "3.0"),
            ("body.url", "file:///a"),
            ("body.deep.on", "true"),
            ("body.deep.ratio", "0.5"),
            ("body.deep.ratio", "5e-1"),
            ("data.series.2021-07-01", "#ECB_FX.EURUSD:SPOT"),
        ],
    )
    def test_a_value_equals_its_text(self, name: str, value: str) -> None:
        assert ask((name, value))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("name", "ecb_fx"),
            ("name", "ECB"),
            ("name", ""),
            ("body.deep.ratio", "0.50001"),
            ("body.deep.ratio", "00.5"),
            ("body.deep.on", "1"),
            ("body.deep", "{}"),
            ("body", ""),
            ("nowhere", ""),
            ("name.deeper", "ECB_FX"),
        ],
    )
    def test_and_nothing_else(self, name: str, value: str) -> None:
        assert not ask((name, value))

    @pytest.mark.parametrize(
        ("name", "value", "found"),
        [
            ("tags", "daily", True),
            ("tags", "weekly", False),
            ("phases.name", "LOAD", True),
            ("phases.exitCode", "1", True),
            ("phases.log", "b", True),
            ("phases.log", "c", False),
        ],
    )
    def test_arrays_are_looked_into(self, name: str, value: str, found: bool) -> None:  # noqa: FBT001 - a table's column
        assert ask((name, value)) is found

    def test_several_parameters_must_all_hold(self) -> None:
        assert ask(("tags", "fx"), ("tags", "daily"), ("status", "success"))
        assert not ask(("tags", "fx"), ("tags", "weekly"))

    def test_a_text_that_looks_like_a_function_is_written_with_eq(self) -> None:
        with pytest.raises(UsageError) as refused:
            ask(("reason", REASON))
        assert "unknown function crontab()" in refused.value.what
        assert "reason=eq(crontab(ECB_FX" in refused.value.todo
        assert ask(("reason", f"eq({REASON})"))

    def test_a_parenthesis_alone_makes_no_function(self) -> None:
        assert parse([("message", "gone (again")]).matches({"message": "gone (again"})
        assert parse([("message", "a f(x)")]).matches({"message": "a f(x)"})


class TestRange:
    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("range(2021-07-19,2021-07-23)", True),
            ("range(2021-07-23,2021-07-23)", True),
            ("range( 2021-07-19 , 2021-07-23 )", True),
            ("range(2021-07-19,2021-07-22)", False),
            ("range(2021-07-24,2021-07-25)", False),
            ("range(2021-07-23T16:30:07.858Z,2021-07-24)", True),
            ("range(2021-07-23T16:30:07.859Z,2021-07-24)", False),
            ("range(2021-07-23T16:30:07.8581Z,2021-07-24)", False),
            ("range(2021-07-01,2021-07-23T16:30:07.858Z)", True),
            ("range(2021-07-01,2021-07-23T16:30:07.8589Z)", True),
            ("range(2021-07-01,2021-07-23T16:30:07.857Z)", False),
            ("range(2021-07-23T18:00:00+02:00,2021-07-23T19:00:00+02:00)", True),
            ("range(2021-07-23T16:00:00+02:00,2021-07-23T17:00:00+02:00)", False),
            ("range(0001-01-01,9999-12-31)", True),
        ],
    )
    def test_both_ends_are_in_and_a_date_as_end_is_its_whole_day(
        self,
        value: str,
        found: bool,  # noqa: FBT001 - a table's column
    ) -> None:
        assert ask(("start", value)) is found

    def test_a_day_ends_with_its_last_millisecond(self) -> None:
        asked = parse([("start", "range(2021-07-19,2021-07-23)")])
        assert asked.matches({"start": "2021-07-19T00:00:00.000Z"})
        assert asked.matches({"start": "2021-07-23T23:59:59.999Z"})
        assert asked.matches({"start": "2021-07-23"})
        assert not asked.matches({"start": "2021-07-24T00:00:00.000Z"})
        assert not asked.matches({"start": "2021-07-18T23:59:59.999Z"})

    def test_numbers_have_ranges_too(self) -> None:
        assert ask(("version", "range(1,3)"))
        assert ask(("version", "range(-1.5,3e2)"))
        assert not ask(("version", "range(4,5)"))
        assert not ask(("name", "range(0,9)"))

    @pytest.mark.parametrize(
        ("value", "what", "where"),
        [
            ("range(2021-07-19)", "takes a first and a last value", "character 7"),
            ("range()", "a value is missing", "character 7"),
            ("range(1,2,3)", "takes a first and a last value", "character 7"),
            ("range(yesterday,2021-07-23)", "'yesterday' is not an instant", "character 7"),
            ("range(2021-07-19,2021-02-30)", "'2021-02-30' is not an instant", "character 18"),
            ("range(2021-07-19, 2021-02-30)", "'2021-02-30' is not an instant", "character 19"),
            ("range(2021-07-19,)", "a value is missing", "character 18"),
            ("range(1,2021-07-23)", "'1' is not an instant", "character 7"),
            ("range(0000-01-01,2021-07-23)", "'0000-01-01' is not an instant", "character 7"),
            ("range(0001-01-01T00:00:00+10:00,2021-07-23)", "is not an instant", "character 7"),
            ("range(2021-07-19,9999-12-31T23:59:59-10:00)", "is not an instant", "character 18"),
            ("range(9999-12-31T23:59:59.9999Z,9999-12-31)", "is not an instant", "character 7"),
            ("range(2021-07-19T00:00:00 02:00,2021-07-23)", "is not an instant", "character 7"),
            ("range(2021-07-24,2021-07-23)", "is after the last", "character 7"),
            ("range(2021-07-19,2021-07-23", "closing parenthesis is missing", "character 28"),
            ("between(1,2)", "unknown function between()", "character 1"),
            ("RANGE(1,2)", "unknown function RANGE()", "character 1"),
        ],
    )
    def test_a_malformed_value_says_where(self, value: str, what: str, where: str) -> None:
        with pytest.raises(UsageError) as refused:
            parse([("start", value)])
        assert what in refused.value.what
        assert refused.value.where.startswith("parameter start=")
        assert refused.value.where.endswith(where)


INSTANTS = st.datetimes(datetime(2021, 7, 1), datetime(2021, 7, 9), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
ZONES = st.sampled_from([0, 2, -5, 14]).map(lambda hours: timezone(timedelta(hours=hours)))
DAYS = st.dates(date(2021, 7, 1), date(2021, 7, 9))


@given(INSTANTS, st.one_of(DAYS, INSTANTS), st.one_of(DAYS, INSTANTS), ZONES)
def test_a_range_is_what_comparing_instants_gives(at: datetime, low: Any, high: Any, zone: timezone) -> None:
    def first(end: Any) -> datetime:
        return end if isinstance(end, datetime) else datetime(end.year, end.month, end.day, tzinfo=UTC)

    def last(end: Any) -> datetime:
        return end if isinstance(end, datetime) else first(end) + timedelta(days=1, microseconds=-1)

    def written(end: Any) -> str:
        return str(end.astimezone(zone).isoformat() if isinstance(end, datetime) else end.isoformat())

    at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # records keep milliseconds
    try:
        asked = parse([("start", f"range({written(low)},{written(high)})")])
    except UsageError:
        # Two ends within one millisecond may pass each other when they are cut to what records keep.
        assert first(low) > last(high) - timedelta(milliseconds=1)
        return
    assert asked.matches({"start": instant.text(at)}) is (first(low) <= at <= last(high))


@given(st.integers(-1, 50), st.integers(0, 50), st.integers(0, 60))
def test_pages_laid_side_by_side_are_the_list(limit: int, skip: int, count: int) -> None:
    everything = list(range(count))
    asked = parse([("_limit", str(limit)), ("_skip", str(skip))])
    expected = everything[skip:] if limit == -1 else everything[skip : skip + limit]
    assert list(asked.page(everything)) == expected


class TestParameters:
    def test_defaults(self) -> None:
        asked = parse([])
        assert (asked.limit, asked.skip, asked.order, asked.projection, asked.summary) == (100, 0, (), None, None)
        assert asked.matches({})

    def test_limit_and_skip_cut_a_page(self) -> None:
        everything = list(range(250))
        assert list(parse([]).page(everything)) == everything[:100]
        assert list(parse([("_limit", "-1"), ("_skip", "200")]).page(everything)) == everything[200:]
        assert list(parse([("_limit", "2"), ("_skip", "3")]).page(everything)) == [3, 4]
        assert list(parse([("_limit", "0")]).page(everything)) == []
        assert list(parse([("_skip", "999999999")]).page(everything)) == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("_limit", ""),
            ("_limit", "-2"),
            ("_limit", "ten"),
            ("_limit", "1.0"),
            ("_limit", "٣"),
            ("_limit", "9" * 30),
            ("_skip", "-1"),
            ("_skip", "9" * 30),
            ("_filters", "name=A"),
            ("_Limit", "1"),
            ("_", "1"),
            ("__proto__", "1"),
            ("", "1"),
            (".", "1"),
            ("a..b", "1"),
            ("a.", "1"),
            ("a b", "1"),
            ("a,b", "1"),
            ("a[0]", "1"),
            ("a\ud800", "1"),
            ('a"b', "1"),
            ("a'b", "1"),
            ("$.name", "1"),
            ("name)--", "1"),
            ("name\x00", "1"),
            ("name\n", "1"),
            ("a" * 65, "1"),
            (".".join("abcdefghi"), "1"),
            ("name", "x" * 10_001),
        ],
    )
    def test_what_is_no_parameter_is_refused_by_name(self, name: str, value: str) -> None:
        with pytest.raises(UsageError) as refused:
            parse([(name, value)])
        assert refused.value.where == f"parameter {name[:80]}"

    def test_a_count_given_twice_and_too_many_parameters_are_refused(self) -> None:
        with pytest.raises(UsageError, match="given twice"):
            parse([("_limit", "1"), ("_limit", "2")])
        with pytest.raises(UsageError, match="more than 32"):
            parse([("tags", "a")] * 33)

    @given(st.text(max_size=40), st.text(max_size=60))
    def test_any_text_is_a_query_or_a_usage_error(self, name: str, value: str) -> None:
        try:
            asked = parse([(name, value)])
        except UsageError as error:
            assert error.what  # noqa: PT017 - either is right, and neither is another exception
        else:
            assert asked.matches(RECORD) in (True, False)
