"""Answers are sent again only where they are other ones: entity tags and conditional requests (RFC 9110, 9111)."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.web import caching

Ask = Callable[..., Any]
ID = "00000001-0000-5000-8000-000000000000"
ADDRESSES = (
    "/api/process",
    "/api/process/v1",
    "/api/process/v1?_limit=1",
    "/api/process/v1/ECB_FX",
    "/api/process/v1/ECB_FX/1",
    "/api/process/v1/ECB_FX/*",
    "/api/process-exec/v1",
    f"/api/process-exec/v1/{ID}",
    "/processes/ECB_FX",
    "/executions",
    "/?_format=json",
)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_asker_has_is_not_sent_again(served: Any, ask: Ask, address: str, method: str) -> None:
    first = ask(served.app, address.encode())
    etag = first.headers["etag"]
    assert first.status == 200
    assert etag.startswith('"')
    assert first.headers["cache-control"] == "no-cache"
    for given_tag in (etag, f"W/{etag}", f'"other", {etag}', f'"a,b" ,W/{etag},"x"', "*"):
        again = ask(served.app, address.encode(), method, if_none_match=given_tag)
        assert (again.status, again.body) == (304, b"")
        kept = ("etag", "cache-control", "x-total-count", "content-security-policy")
        assert [again.headers.get(name) for name in kept] == [first.headers.get(name) for name in kept]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("given_tag", ['"other"', 'W/"other"', "garbage", '"', "", '"other" *', "**", '* , "x"'])
def test_what_the_asker_has_not_is_sent(served: Any, ask: Ask, address: str, given_tag: str) -> None:
    first = ask(served.app, address.encode())
    again = ask(served.app, address.encode(), if_none_match=given_tag)
    assert (again.status, again.body, again.headers) == (200, first.body, first.headers)


def test_an_error_is_neither_tagged_nor_kept(served: Any, ask: Ask) -> None:
    for address in ("/api/process/v1/NOBODY", "/api/process/v1/ECB_FX/99", "/nowhere", "/api/process/v1?_x=1"):
        answer = ask(served.app, address.encode(), if_none_match="*")
        assert answer.check_problem()["status"] in (400, 404)
        assert "etag" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"


def test_a_list_that_grew_behind_its_page_is_another_answer(served: Any, ask: Ask, finished: Any) -> None:
    address = b"/api/process-exec/v1?_limit=1&_skip=1&name=ECB_FX"
    first = ask(served.app, address)
    served.record(finished(1, id="0000000a-0000-5000-8000-000000000000"))  # older than those shown
    again = ask(served.app, address, if_none_match=first.headers["etag"])
    assert again.body == first.body
    assert (again.status, again.headers["x-total-count"]) == (200, "4")


OPAQUE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f')).filter(
    lambda text: not any(0x7F <= ord(character) < 0x80 for character in text)
)


@given(st.lists(st.tuples(st.booleans(), OPAQUE), max_size=5), st.binary())
def test_a_tag_matches_where_the_list_has_it(others: list[tuple[bool, str]], body: bytes) -> None:
    etag = caching.tag(body)
    field = ", ".join(f'{"W/" if weak else ""}"{opaque}"' for weak, opaque in others)
    own = etag.strip('"')
    assert caching.matches([field], etag) == any(opaque == own for _, opaque in others)
    assert caching.matches([field, f"W/{etag}"], etag)
    assert caching.matches([etag, field], etag)


@given(st.binary(), st.binary(), st.none() | st.integers(0, 99), st.none() | st.integers(0, 99))
def test_one_answer_has_one_tag_and_another_another(
    one: bytes, two: bytes, total: int | None, other: int | None
) -> None:
    assert (caching.tag(one, total) == caching.tag(two, other)) == ((one, total) == (two, other))


@given(st.lists(st.text(max_size=30)))
def test_no_header_breaks_it(fields: list[str]) -> None:
    assert caching.matches(fields, '"never"') in (True, False)
