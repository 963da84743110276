"""Requests wait in files until the reconciler turns them into records."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.errors import UserError
from reconciler.store import requests
from reconciler.store.layout import Layout
from reconciler.store.requests import Request

ID = "05f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6"
ASKED = datetime(2021, 7, 1, 16, 30, tzinfo=UTC)
PLAIN = Request(ID, "ECB_FX", None, None, "manual(ada)", ASKED, None, force=False, user="ada")


@pytest.mark.parametrize(
    "request_",
    [
        PLAIN,
        replace(PLAIN, reference="3", body={"url": "file:///ä", "n": [1, 2.5, None, True]}, force=True),
        replace(PLAIN, not_before=ASKED + timedelta(minutes=5), reason="because “quoted”\n"),
    ],
)
def test_a_request_is_found_as_it_was_left(layout: Layout, request_: Request) -> None:
    assert requests.leave(layout, request_) is True
    assert requests.all(layout) == ([request_], {})


def test_an_id_is_asked_for_once(layout: Layout) -> None:
    assert requests.leave(layout, PLAIN) is True
    assert requests.leave(layout, replace(PLAIN, name="TEST")) is False
    assert requests.all(layout)[0][0].name == "ECB_FX"


def test_a_request_goes_when_it_has_become_a_record(layout: Layout) -> None:
    assert requests.all(layout) == ([], {})
    requests.leave(layout, PLAIN)
    requests.remove(layout, ID)
    requests.remove(layout, ID)
    assert requests.all(layout) == ([], {})


def test_requests_come_in_the_order_of_their_ids(layout: Layout) -> None:
    ids = [f"{number}{ID[1:]}" for number in (3, 1, 2)]
    for id_ in ids:
        requests.leave(layout, replace(PLAIN, id=id_))
    assert [request.id for request in requests.all(layout)[0]] == sorted(ids)


def document(**changes: Any) -> str:
    fields = {"id": ID, "name": "ECB_FX", "reference": None, "body": None, "reason": "r", "force": False, "user": "u"}
    return json.dumps({**fields, "asked": "2021-07-01T16:30:00Z", "not_before": None, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "[" * 100_000,
        document(id="15f1ec1a-f2a1-4cba-87d4-b46e0f8e40b6"),
        document(name="../evil"),
        document(name=None),
        document(asked="soon"),
        document(not_before=5),
        document(extra="field"),
        document(force="yes"),
        document(reference=3),
        document(reason=None),
    ],
)
def test_a_file_that_is_no_request_is_reported_beside_the_others(layout: Layout, text: str) -> None:
    other = replace(PLAIN, id=f"f{ID[1:]}")
    requests.leave(layout, other)
    layout.request(ID).write_text(text)
    (layout.requests / f".{ID}.json.1.2.tmp").write_text("half")
    found, faults = requests.all(layout)
    assert found == [other]
    assert list(faults) == [layout.request(ID)]
    assert all(faults.values())


def test_an_id_that_is_none_never_becomes_a_file(layout: Layout) -> None:
    with pytest.raises(UserError):
        requests.leave(layout, replace(PLAIN, id="../../evil"))
    with pytest.raises(UserError):
        requests.remove(layout, "../../evil")
