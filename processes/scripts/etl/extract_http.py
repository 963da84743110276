"""EXTRACT: bring the document at ``input.url`` into the work folder.

Only https and file are spoken, redirects stay on the same https host, and a document has a size limit. A failure that
another attempt may mend is reported as ``fail`` (the workflow says how often to try again), one that it cannot as
``abort``.
"""

import ssl
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    url2pathname,
)

from reconciler import script

DOCUMENT = "document.xml"
LIMIT = 32 * 1024 * 1024
"""Bytes; the ECB's whole history since 1999 has 9 million."""
PATIENCE = 20.0
"""Seconds without a byte; how long the whole phase may take is the workflow's ``timeout``."""


class RefusedError(Exception):
    """The input asks for something that no further attempt will make right."""


class FailedError(Exception):
    """The document could not be had this time."""


class SameHost(HTTPRedirectHandler):
    """Follow a redirect only to https on the host that was asked: it cannot lead to a file or into another network."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """Give the request that follows, or refuse."""
        if origin(urlsplit(newurl)) != origin(urlsplit(req.full_url)):
            raise RefusedError(f"{place(urlsplit(req.full_url))} redirects to {place(urlsplit(newurl))}: not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def origin(url: SplitResult) -> tuple[str, str | None, int]:
    """Scheme, host and port of a URL."""
    return url.scheme, url.hostname, url.port or 443


def place(url: SplitResult) -> str:
    """Give a URL for a message, without its query, which may hold a token."""
    return f"{url.scheme}://{url.hostname or ''}{url.path}"


def extract(url: str) -> bytes:
    """Fetch one document; RefusedError or FailedError says why not."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RefusedError(f"input.url is no URL: {error}") from error
    if parts.username is not None or parts.password is not None:
        raise RefusedError("input.url holds credentials; they do not belong in a repository")
    if parts.scheme == "file" and not parts.netloc:
        data = read(Path(url2pathname(parts.path)))
    elif parts.scheme == "https" and parts.hostname and port != 0:
        data = fetch(url, parts)
    else:
        raise RefusedError(f"input.url must be https://HOST/… or file:///…, not {place(parts)}")
    if not data.strip():
        raise FailedError(f"{place(parts)} is empty")
    return data


def read(path: Path) -> bytes:
    """Read a regular file up to the limit."""
    if not path.is_file():
        raise FailedError(f"{path} is no file")
    try:
        with path.open("rb") as file:
            return limited(file.read(LIMIT + 1), str(path))
    except OSError as error:
        raise FailedError(f"{path}: {error.strerror}") from error


def fetch(url: str, parts: SplitResult) -> bytes:
    """GET an https document up to the limit; certificates are checked, and nothing but https can be opened."""
    opener = OpenerDirector()
    handlers = (ProxyHandler(), HTTPSHandler(context=ssl.create_default_context()), SameHost())
    for handler in (*handlers, HTTPDefaultErrorHandler(), HTTPErrorProcessor()):
        opener.add_handler(handler)
    headers = {"User-Agent": "procctl", "Accept": "application/xml, text/xml"}
    where = place(parts)
    try:
        with opener.open(Request(url, headers=headers), timeout=PATIENCE) as answer:  # noqa: S310 - https, see above
            data = limited(answer.read(LIMIT + 1), where)
            if answer.length:
                raise FailedError(f"{where} broke off {answer.length} bytes before its end")
    except HTTPError as error:
        raise FailedError(f"{where} answered {error.code} {error.reason}") from error
    except URLError as error:
        raise FailedError(f"{where} cannot be reached: {error.reason}") from error
    except (HTTPException, OSError, ValueError) as error:
        raise FailedError(f"{where} cannot be read: {error}") from error
    return data


def limited(data: bytes, where: str) -> bytes:
    """Give the data back if it is within the limit."""
    if len(data) > LIMIT:
        raise RefusedError(f"{where} has more than {LIMIT // 1024 // 1024} MiB")
    return data


def main() -> None:
    """Run the phase."""
    try:
        Path(DOCUMENT).write_bytes(extract(script.input()["url"]))
    except RefusedError as error:
        script.abort(str(error))
    except FailedError as error:
        script.fail(str(error))
    script.output(document=DOCUMENT)


if __name__ == "__main__":
    main()
