"""TRANSFORM: turn the ECB's reference rates into observations, one series for each currency.

The document is ``Envelope/Cube/Cube[@time]/Cube[@currency,@rate]``: one dated Cube in the daily file, many in the
histories. Observations carry the file's own date, whatever day it is today, and rates stay the text that was
published: a float would change some of them.
"""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

from reconciler import script

OBSERVATIONS = "observations.json"
ROOT = "{http://www.gesmes.org/xml/2002-08-01}Envelope"
CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
RATE = re.compile(r"(?=[\d.]*[1-9])\d{1,12}(\.\d{1,12})?", re.ASCII)


class DocumentError(Exception):
    """The document is not what the ECB publishes."""


def parse(data: bytes) -> ET.Element:
    """Parse XML without a document type, and so without entities to expand or to fetch.

    The parser must read the characters that are searched here. It gets decoded text, so an encoding declared inside
    does not count, and no NUL, by which it would still recognise UTF-16.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"not UTF-8: {error.reason} at byte {error.start}") from error
    if "\0" in text:
        raise DocumentError("it holds a NUL, which XML cannot")
    if "<!DOCTYPE" in text:
        raise DocumentError("it declares a document type, which may define entities: refused")
    try:
        return ET.fromstring(text)  # noqa: S314 - no DOCTYPE, see above
    except ET.ParseError as error:
        raise DocumentError(f"no well-formed XML: {error}") from error


def days(root: ET.Element) -> Iterator[tuple[str, dict[str, str]]]:
    """Give each date of a document with its rates by currency, in the document's order."""
    if root.tag != ROOT:
        raise DocumentError(f"its root is {root.tag}, not {ROOT}")
    seen = set()
    for cube in root.iterfind(f"{CUBE}/{CUBE}"):
        day = cube.get("time", "")
        if not is_date(day):
            raise DocumentError(f"time={day!r} is no date")
        if day in seen:
            raise DocumentError(f"{day} stands in it twice")
        seen.add(day)
        yield day, rates(cube, day)
    if not seen:
        raise DocumentError("no Cube in it has a time: these are no reference rates")


def rates(cube: ET.Element, day: str) -> dict[str, str]:
    """Give the rates of one date by currency."""
    found: dict[str, str] = {}
    for child in cube.iterfind(CUBE):
        currency, rate = child.get("currency", ""), child.get("rate", "")
        if CURRENCY.fullmatch(currency) is None:
            raise DocumentError(f"currency={currency!r} on {day} is no currency code")
        if RATE.fullmatch(rate) is None:
            raise DocumentError(f"rate={rate!r} of {currency} on {day} is no positive number")
        if currency in found:
            raise DocumentError(f"{currency} stands twice under {day}")
        found[currency] = rate
    return found


def is_date(text: str) -> bool:
    """Whether a text is a calendar date, written 2021-07-01."""
    try:
        return DAY.fullmatch(text) is not None and bool(date.fromisoformat(text))
    except ValueError:
        return False


def transform(data: bytes, tx: str) -> dict[str, dict[str, str]]:
    """Give the observations of a document: date, then series, then rate."""
    return {
        day: {f"{tx}.EUR{currency}:SPOT": rate for currency, rate in by_currency.items()}
        for day, by_currency in days(parse(data))
    }


def main() -> None:
    """Run the phase."""
    given = script.input()
    document = Path(given["outputs"]["EXTRACT"]["document"])
    try:
        observations = transform(document.read_bytes(), given["tx"])
    except DocumentError as error:
        script.fail(f"{document}: {error}")
    Path(OBSERVATIONS).write_text(json.dumps(observations))
    script.output(observations=OBSERVATIONS)
    if not any(observations.values()):
        script.log(f"no rates on {', '.join(observations)}", level="warn")
        script.report(exit="empty")


if __name__ == "__main__":
    main()
