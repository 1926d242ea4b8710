"""Formats of texts, checked with the standard library alone: a verdict never depends on what is installed.

Source: cases C14.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from reconciler.fields import FieldPath

__all__ = ["FORMATS", "duration", "expiry", "is_date_time", "is_uri", "is_uuid"]

_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+\Z")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST: Final = 32
_MOST_SECONDS: Final = 366 * 86400.0
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?\Z")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")


def duration(text: str) -> float:
    """`20m`, `90s`, `1h30m` in seconds.

    Raises:
        ValueError: for anything else, such as `20 minutes`, and for more than a year.
    """
    if len(text) > _LONGEST or not _DURATION.match(text):
        raise ValueError(f"{text!r} is no time such as 20m")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if seconds > _MOST_SECONDS:
        raise ValueError(f"{text!r} is more than a year")
    return seconds


def is_duration(text: str) -> bool:
    """Whether `duration` reads it."""
    try:
        duration(text)
    except ValueError:
        return False
    return True


def expiry(text: str) -> float:
    """When something that expires at `text` has done so, in seconds since the epoch.

    A time with a zone is that moment; of a date the whole day is left, in UTC: `2027-03-31` ends with that day.

    Raises:
        ValueError: for anything else.
    """
    if is_date_time(text):
        return dt.datetime.fromisoformat(text.upper()).timestamp()
    if not _DATE.match(text):
        raise ValueError(f"{text!r} is no date such as 2027-03-31")
    day = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return day.timestamp() + 86400.0


def is_expiry(text: str) -> bool:
    """Whether `expiry` reads it."""
    try:
        expiry(text)
    except (ValueError, OverflowError):
        return False
    return True


def is_uuid(text: str) -> bool:
    """Whether it is a UUID with hyphens."""
    return _UUID.match(text) is not None and bool(uuid.UUID(text))


def is_uri(text: str) -> bool:
    """Whether it is an absolute address with a scheme and a host (or a path, for schemes without hosts)."""
    if re.search(r"[\s<>\"{}|\\^`]", text):
        return False
    try:
        parts = urlsplit(text)
        _port = parts.port
    except ValueError:
        return False
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", text):
        return False
    if parts.netloc:
        return _is_host(parts.hostname or "")
    return bool(parts.path) and "//" not in text[:12]


def _is_host(text: str) -> bool:
    """Whether it is a name or an address: labels of letters, digits and inner hyphens, or IPv6 (in brackets)."""
    return ":" in text or all(_LABEL.match(label) for label in text.removesuffix(".").split("."))


def is_date_time(text: str) -> bool:
    """Whether it is an RFC 3339 time with an offset."""
    if not _DATE_TIME.match(text):
        return False
    try:
        dt.datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def is_field_path(text: str) -> bool:
    """Whether it is a path such as `spec.config[*].instance_count`."""
    try:
        return bool(FieldPath.parse(text).segments)
    except ValueError:
        return False


FORMATS: Final[Mapping[str, tuple[Callable[[str], bool], str, str]]] = {
    "uuid": (is_uuid, "a UUID", "10eb0091-887f-4839-9929-cbc884f1e20e"),
    "uri": (is_uri, "an address with a scheme", "https://example.com/path"),
    "date-time": (is_date_time, "a time with a zone", "2026-11-25T08:00:00Z"),
    "expiry": (is_expiry, "a date, or a time with a zone", "2027-03-31"),
    "duration": (is_duration, "a time", "20m"),
    "field-path": (is_field_path, "a path of a field", "spec.config[*].instance_count"),
}
"""Format → check, what it is in words, an example."""
