"""What git's history fills: parsed files by content and release, versions by process."""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.book import Last
from reconciler.lifetimes import Lifetimes
from reconciler.problem import Problem
from reconciler.store.index import Index
from reconciler.store.layout import Layout
from reconciler.version import Gone, Version

PROBLEM = Problem("processes/A.yaml", 3, 7, "/cron", "hour 46", "write 0 to 23")


def opened(layout: Layout, environment: str = "production", release: str = "1") -> Index:
    return Index.open(layout.index, environment=environment, release=release)


@pytest.fixture
def index(layout: Layout) -> Iterator[Index]:
    with contextlib.closing(opened(layout)) as made:
        yield made


def version(name: str, number: int) -> Version:
    at = datetime(2021, 7, number, tzinfo=UTC)
    return Version(
        name, number, f"{number:040x}", f"b{number:039x}", f"processes/{name}.yaml", "Ada", at, "Change ä", "c"
    )


def test_parsed_files_are_found_by_content_and_path(index: Index) -> None:
    rows = {
        ("b1", "processes/A.yaml"): ({"cron": ["@daily"], "n": [1, 2.5, None, True, "ä"]}, ()),
        ("b1", "processes/etl/A.yaml"): (None, (PROBLEM, PROBLEM)),
        ("b2", "procctl.yaml"): ({}, (PROBLEM,)),
    }
    index.save_parsed(rows)
    assert index.parsed(rows) == rows
    assert index.parsed([("b2", "processes/A.yaml"), ("b3", "procctl.yaml")]) == {}
    assert index.parsed([]) == {}


def test_thousands_of_files_are_asked_for_at_once(index: Index) -> None:
    keys = [(f"b{number}", f"processes/P{number}.yaml") for number in range(2500)]
    index.save_parsed({key: ({"name": key[0]}, ()) for key in keys})
    found = index.parsed([*keys[::-1], ("missing", "missing")])
    assert len(found) == 2500
    assert all(found[key] == ({"name": key[0]}, ()) for key in keys)


def test_another_release_parses_for_itself(layout: Layout, index: Index) -> None:
    key = ("b1", "processes/A.yaml")
    index.save_parsed({key: ({"old": 1}, ())})
    with contextlib.closing(opened(layout, release="2")) as newer:
        assert newer.parsed([key]) == {}
        newer.save_parsed({key: ({"new": 1}, ())})
        assert newer.parsed([key]) == {key: ({"new": 1}, ())}
    assert index.parsed([key]) == {}  # what no release in use has parsed is not kept


def test_parsed_files_are_shared_by_environments(layout: Layout, index: Index) -> None:
    key = ("b1", "processes/A.yaml")
    index.save_parsed({key: ({}, ())})
    with contextlib.closing(opened(layout, "staging")) as other:
        assert other.parsed([key]) == {key: ({}, ())}


def test_versions_come_newest_first_and_add_up(index: Index) -> None:
    index.add_versions([version("A", 1), version("A", 2), version("B", 1)])
    index.set_last_versions({"a": Last("A", 2), "b": Last("B", 1)})
    index.add_versions([version("A", 3)])
    index.set_last_versions({"a": Last("A", 3, 3, "c", (("processes/A.yaml", "b3"),), "A@1")})
    assert index.versions("A") == (version("A", 3), version("A", 2), version("A", 1))
    assert index.versions("C") == ()
    assert index.last_versions() == {"a": Last("A", 3, 3, "c", (("processes/A.yaml", "b3"),), "A@1"), "b": Last("B", 1)}


def test_pages_of_versions_leave_out_those_that_are_gone(index: Index) -> None:
    gone = replace(version("A", 2), gone=Gone("f" * 40, "deleted"))
    index.add_versions([version("A", 1), gone, version("A", 3), version("A", 4), version("B", 1)])
    assert index.count_versions("A") == (3, 4)
    assert index.count_versions("C") == (0, 0)

    def page(first: int, many: int, *, deleted: bool) -> list[int]:
        return [one.number for one in index.page_of_versions("A", deleted=deleted, first=first, many=many)]

    assert page(0, -1, deleted=False) == [4, 3, 1]
    assert page(1, 2, deleted=False) == [3, 1]
    assert page(1, 2, deleted=True) == [3, 2]
    assert page(9, 2, deleted=True) == page(0, 0, deleted=True) == []


def test_adding_a_version_twice_is_adding_it_once(index: Index) -> None:
    for _ in range(2):
        index.add_versions([version("A", 1)])
    assert index.versions("A") == (version("A", 1),)


def test_versions_belong_to_the_branch_that_an_environment_follows(layout: Layout, index: Index) -> None:
    index.add_versions([version("A", 1)])
    with contextlib.closing(opened(layout, "staging")) as other:
        assert other.versions("A") == ()
        other.add_versions([version("A", 2)])
        other.set_last_versions({"a": Last("A", 2)})
        other.clear_versions()
        assert other.last_versions() == {}
    assert index.versions("A") == (version("A", 1),)
    index.clear_versions()
    assert index.versions("A") == ()
    assert index.last_versions() == {}


def test_places_of_many_commits_are_found_at_once(index: Index) -> None:
    commits = [hashlib.sha1(b"%d" % number).hexdigest() for number in range(2500)]  # noqa: S324 - as git does
    index.add_to_chain(commits[:1500], 0)
    index.add_to_chain(commits[1500:], 1500)
    whole = {commit: place for place, commit in enumerate(commits)}
    assert index.places([*commits, "f" * 40, "HEAD"]) == whole
    few = [commits[0], commits[1023], commits[1024], commits[2499]]
    assert index.places([*few, "f" * 40, "abc"]) == {one: whole[one] for one in few}
    assert all(index.place(one) == whole[one] for one in few)
    assert index.places([]) == index.places(["HEAD"]) == {}


def test_lifetimes_of_some_processes_or_of_all(layout: Layout, index: Index) -> None:
    gone = replace(version("A", 2), place=4, gone=Gone("f" * 40, "deleted", 7))
    index.add_versions([gone, replace(version("A", 1), place=3), replace(version("B", 1), place=5)])
    a, b = Lifetimes.of([(1, 3, None), (2, 4, 7)]), Lifetimes.of([(1, 5, None)])
    assert index.lifetimes() == {"A": a, "B": b}
    assert index.lifetimes(["B", "C"]) == {"B": b}
    with contextlib.closing(opened(layout, "staging")) as other:
        assert other.lifetimes() == other.lifetimes(["A"]) == {}
