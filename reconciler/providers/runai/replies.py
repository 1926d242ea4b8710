"""The vendor's words as ours: error bodies, times, texts without secrets. Source: runai §1.2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

__all__ = ["explain", "scrub", "seconds"]


def explain(body: Any) -> tuple[str, str]:
    """An error body → (the provider's own code, sentence): `{code, message, details?}`, or OAuth's `{error, …}`."""
    if not isinstance(body, Mapping):
        return "", str(body)
    if "error" in body:
        return str(body["error"]), str(body.get("error_description") or "")
    message, details = str(body.get("message") or ""), str(body.get("details") or "")
    return "", f"{message}: {details}" if message and details else message or details


def scrub(text: str, secrets: Iterable[str]) -> str:
    """A text in which no secret value is left: a server may repeat what it was sent."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "(secret)")
    return text


def seconds(text: Any) -> float:
    """An RFC 3339 time in seconds since the epoch; 0 when it can't be read."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0
