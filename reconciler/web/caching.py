"""Answers that need not be sent twice: entity tags, conditional requests and how long to keep what (RFC 9110, 9111).

Nothing is ever taken from a cache unasked, but what is addressed by a commit of the followed history: a commit's id is
a digest of all that it holds, so the answer is the same for good.
"""

import hashlib
import re

from starlette.requests import Request
from starlette.responses import Response

ASK = "no-cache"
"""Keep it, and ask each time whether it is still so: a 304 costs no body."""
FOR_GOOD = "private, max-age=31536000, immutable"
"""Keep it and never ask again; private, as everything here is."""

_TAGS = re.compile(r'[ \t,]*(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|\Z)')
_DIGITS = 32


def answer(
    request: Request,
    body: bytes,
    media_type: str = "application/json",
    *,
    total: int | None = None,
    keep: str = ASK,
) -> Response:
    """Answer with a body, or with 304 where the asker has this very one; ``total`` is how many a list has in all."""
    headers = {"cache-control": keep, "etag": tag(body, total)}
    if total is not None:
        headers["x-total-count"] = str(total)
    if matches(request.headers.getlist("if-none-match"), headers["etag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def tag(body: bytes, total: int | None = None) -> str:
    """Make the strong entity tag of an answer; the length of the whole list belongs to it, though it is a header."""
    digest = hashlib.sha256(body)
    if total is not None:
        digest.update(b"\0%d" % total)
    return f'"{digest.hexdigest()[:_DIGITS]}"'


def matches(given: list[str], etag: str) -> bool:
    """Whether the fields ``If-None-Match`` name a tag, by weak comparison; what is malformed names none."""
    field = ",".join(given)
    if field.strip() == "*":
        return True
    place, opaque = 0, etag.removeprefix("W/").strip('"')
    while found := _TAGS.match(field, place):
        if found[1] == opaque:
            return True
        place = found.end()
    return False
