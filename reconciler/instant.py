"""Instants as procctl writes and reads them: aware datetimes in UTC inside, four text forms outside (SPEC 8)."""

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def text(at: datetime) -> str:
    """Write an instant as records do: ``2021-07-01T16:30:07.858Z``."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse(written: str) -> datetime:
    """Read an RFC 3339 instant (any offset, up to nine decimals) as UTC; ``ValueError`` where it is none."""
    match = _RFC3339.fullmatch(written)
    if match is None:
        raise ValueError(f"{written!r} is no RFC 3339 instant such as 2021-07-01T16:30:00Z")
    day, time, fraction, zone = match.groups()
    offset = "+00:00" if zone in "Zz" else zone
    try:
        at = datetime.fromisoformat(f"{day}T{time}{offset}").astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{written!r} is before the year 1 or after 9999") from None
    return at + timedelta(microseconds=int(((fraction or "") + "000000")[:6]))


def log_line(nanoseconds: int, level: str, message: str) -> str:
    """Write a log line of a phase, ``2021-07-01T16:30:13.390935800Z[UTC] info Completed EXTRACT``.

    ``nanoseconds`` counts since the epoch; the service writes hundreds of nanoseconds, zero-padded to nine digits.
    """
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    at = (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None)
    return f"{at.isoformat()}.{rest:09d}Z[UTC] {level} {message}"


def javascript(at: datetime) -> str:
    """Write an instant as JavaScript's ``Date.toString()`` does at Greenwich, as in ``crontab(…)`` reasons."""
    at = at.astimezone(UTC)
    day = f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at:%d} {at.year:04d}"
    return f"{day} {at:%H:%M:%S} GMT+0000 (Greenwich Mean Time)"
