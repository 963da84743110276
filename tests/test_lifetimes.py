"""From where to where versions were current: the same as ``version.current_at`` says of each."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from reconciler.lifetimes import Lifetime, Lifetimes
from reconciler.version import Gone, Version, current_at

AT = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def histories(draw: st.DrawFn) -> list[Lifetime]:
    """Versions of one process, each at a later place than the one before, gone at a later place or not at all."""
    begins = sorted(draw(st.sets(st.integers(0, 30), max_size=8)))
    ends = [draw(st.none() | st.integers(begin + 1, 40)) for begin in begins]
    numbered = [(number, *span) for number, span in enumerate(zip(begins, ends, strict=True), 1)]
    return draw(st.permutations(numbered))


def version(number: int, place: int, end: int | None) -> Version:
    gone = None if end is None else Gone("b" * 40, "deleted", end)
    return Version("A", number, "a" * 40, "c" * 40, "processes/A.yaml", "Ada", AT, "", "", gone, place)


@given(histories(), st.integers(-1, 45))
def test_they_say_what_the_versions_say(history: list[Lifetime], place: int) -> None:
    said, known = Lifetimes.of(history), current_at([version(*one) for one in history], place)
    assert said.at(place) == (known.number if known else None)
    assert said.live_at(place) == (known.number if known and known.live else None)


def test_a_version_that_is_gone_gives_way_to_the_one_before() -> None:
    said = Lifetimes.of([(1, 0, None), (2, 3, 5)])
    assert [said.at(place) for place in (0, 3, 4, 5, 9)] == [1, 2, 2, 1, 1]
    assert said.live_at(4) is None, "it was current there, and is gone since"
