"""What a version is: whose file it is, and what of it counts."""

import hashlib
from datetime import UTC, datetime

import pytest

from reconciler.version import Gone, Version, content_of, name_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("processes/A.yaml", "A"),
        ("processes/A.yml", "A"),
        ("processes/deep/er/A.yaml", "A"),
        ("processes/workflows.yaml", "workflows"),
        ("processes/x/workflows/A.yaml", "A"),
        ("processes/A.b-c_1.yaml", "A.b-c_1"),
        ("processes/workflows/w.yaml", None),
        ("processes/scripts/etl/s.yaml", None),
        ("processes/A.json", None),
        ("processes/A", None),
        ("processes/.yaml", None),
        ("processes/1A.yaml", None),
        ("processes/private.yaml", None),
        ("processes/a b.yaml", None),
        ("processes/A.lock.yaml", None),
        ("A.yaml", None),
        ("other/processes/A.yaml", None),
        ("procctl.yaml", None),
    ],
)
def test_which_paths_declare_a_process(path: str, name: str | None) -> None:
    assert name_of(path) == name


def blob_id(data: bytes, algorithm: str = "sha1") -> str:
    return hashlib.new(algorithm, b"blob %d\0%b" % (len(data), data)).hexdigest()


def content(data: bytes) -> str:
    return content_of(blob_id(data), data)


PLAIN = b"service: ETL\ninput: {name: x}\n"


@pytest.mark.parametrize(
    "named",
    [
        b"name: A\n" + PLAIN,
        b"_id: A\nname: A # comment\n" + PLAIN,
        b"service: ETL\nname: 'A'\ninput: {name: x}\n",
        PLAIN + b"name: A",
        PLAIN + b"name:\n",
        PLAIN + b"_id:\tA\r\n",
    ],
)
def test_the_name_is_no_content(named: bytes) -> None:
    assert content(named) == content(PLAIN) == blob_id(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        PLAIN + b"# comment\n",
        PLAIN + b"names: A\n",
        PLAIN + b"name:A\n",
        PLAIN + b"  name: A\n",
        PLAIN + b"# name: A\n",
        PLAIN.replace(b"\n", b"\r\n"),
        b"",
    ],
)
def test_all_else_is_content(other: bytes) -> None:
    assert content(other) == blob_id(other) != content(PLAIN)


def test_content_is_told_in_the_digest_of_the_repository() -> None:
    data = b"name: A\n" + PLAIN
    assert content_of(blob_id(data, "sha256"), data) == blob_id(PLAIN, "sha256")


def test_a_version_is_live_until_it_is_gone() -> None:
    at = datetime(2021, 7, 1, tzinfo=UTC)
    made = Version("A", 1, "1", "b", "processes/A.yaml", "Ada", at, "One", "c")
    assert made.live
    assert not Version("A", 1, "1", "b", "processes/A.yaml", "Ada", at, "One", "c", Gone("2", "deleted")).live
