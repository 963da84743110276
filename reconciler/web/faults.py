"""Every way a request can fail, as one table of stable codes, and the answer it gets (RFC 9457).

A client of the service this descends from reads the header ``x-odsl-error: [code] message``; others read the body. The
codes are documented in docs/reference/http.md, and a test holds the two together.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from reconciler.errors import GoneError, LaterError, NotFoundError, ProcctlError, UsageError

_LONGEST_HEADER = 500
_UNSAFE = re.compile(r"[^\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of failure: its code (stable), HTTP status, slug (the end of its ``type``) and title."""

    code: int
    status: int
    slug: str
    title: str


MALFORMED_ADDRESS = Fault(4000, 400, "malformed-address", "The address is malformed")
MALFORMED_PARAMETER = Fault(4001, 400, "malformed-parameter", "A name, reference or parameter is malformed")
WRONG_HOST = Fault(4002, 400, "wrong-host", "The Host header names another machine")
NO_SUCH_ADDRESS = Fault(4040, 404, "no-such-address", "Nothing is at this address")
NOT_FOUND = Fault(4041, 404, "not-found", "What was named does not exist")
READ_ONLY = Fault(4050, 405, "read-only", "This view is read-only")
GONE = Fault(4100, 410, "gone", "What was named was deleted")
BUG = Fault(5000, 500, "bug", "A bug in procctl")
NOT_READY = Fault(5030, 503, "not-ready", "The scheduling loop does not turn")
TRY_LATER = Fault(5031, 503, "try-later", "Trying again later may work")
NEEDS_ATTENTION = Fault(5032, 503, "needs-attention", "Whoever runs procctl must change something")

FAULTS = (
    MALFORMED_ADDRESS,
    MALFORMED_PARAMETER,
    WRONG_HOST,
    NO_SUCH_ADDRESS,
    NOT_FOUND,
    READ_ONLY,
    GONE,
    BUG,
    NOT_READY,
    TRY_LATER,
    NEEDS_ATTENTION,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed request: the kind, and the three parts of an error text (what, where, what to do next)."""

    fault: Fault
    detail: str
    where: str = ""
    todo: str = ""
    headers: Mapping[str, str] | None = None

    def to_document(self, instance: str) -> dict[str, Any]:
        """Give the problem document; ``instance`` is the path that was asked for."""
        document = {
            "type": f"urn:procctl:problem:{self.fault.slug}",
            "title": self.fault.title,
            "status": self.fault.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.fault.code,
            "where": self.where,
            "todo": self.todo,
        }
        return {key: value for key, value in document.items() if value or key not in ("where", "todo")}

    def to_headers(self) -> dict[str, str]:
        """Give the header ``x-odsl-error`` (printable ASCII whatever the text) and those the status needs."""
        text = ": ".join(part for part in (self.where, self.detail) if part)
        message = _UNSAFE.sub("?", text)[:_LONGEST_HEADER]
        return {"x-odsl-error": f"[{self.fault.code}] {message}", **(self.headers or {})}


def of(error: ProcctlError) -> Failure:
    """Say which fault an error for users is here; the command line exits by the same classes."""
    if isinstance(error, UsageError):
        fault = MALFORMED_PARAMETER
    elif isinstance(error, GoneError):
        fault = GONE
    elif isinstance(error, NotFoundError):
        fault = NOT_FOUND
    elif isinstance(error, LaterError):
        fault = TRY_LATER
    else:
        fault = NEEDS_ATTENTION
    headers = {"retry-after": "5"} if fault is TRY_LATER else None
    return Failure(fault, error.what, error.where, error.todo, headers)


def respond(failure: Failure, instance: str) -> Response:
    """Answer with ``application/problem+json``."""
    body = to_json(failure.to_document(instance))
    return Response(body, failure.fault.status, failure.to_headers(), "application/problem+json")


def to_json(document: Any) -> bytes:
    """Write an answer: UTF-8; half a surrogate pair, which JSON can spell and UTF-8 cannot, becomes ``?``."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(errors="replace")
