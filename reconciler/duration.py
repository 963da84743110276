"""Durations as configurations write them: ``30s``, ``10m``, ``1h30m``, ``7d``, ``PT10M`` (ISO 8601)."""

import re
from datetime import timedelta

PATTERN = (
    r"(?=.)(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+(?:\.\d{1,3})?s)?"
    r"|P(?=.)(?:\d+W)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d{1,3})?S)?)?"
)
_PARTS = re.compile(r"(\d+(?:\.\d{1,3})?)([wdhms])")
_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_LONGEST = timedelta(days=3650)


def parse(written: str) -> timedelta:
    """Read a duration; ``ValueError`` where it is none or longer than ten years."""
    if re.fullmatch(PATTERN, written, re.ASCII) is None:
        raise ValueError(f"{written!r} is no duration such as 30s, 10m, 1h30m or PT10M")
    parts = _PARTS.findall(written.lower().replace("p", "").replace("t", ""))
    if any(len(number) > 12 for number, _ in parts):  # noqa: PLR2004 - far beyond the limit, before it overflows
        raise ValueError(f"{written!r} is longer than ten years")
    length = timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))
    if length > _LONGEST:
        raise ValueError(f"{written!r} is longer than ten years")
    return length


def text(length: timedelta) -> str:
    """Write a duration in its shortest form, ``1h30m``; ``parse`` reads it back."""
    milliseconds = round(length / timedelta(milliseconds=1))
    seconds, rest = divmod(milliseconds, 1000)
    written = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        count, seconds = divmod(seconds, size)
        written += f"{count}{unit}" if count else ""
    if rest:
        return f"{written}{seconds}.{rest:03d}s"
    return written + f"{seconds}s" if seconds or not written else written
