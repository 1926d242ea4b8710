"""Faults by route, by count and by moment, as `POST /_emulator/faults` takes them (DESIGN §9).

Moments: `before` (nothing of the request is done; with `drop`, its body is not even read), `after-commit` (done, and
the answer is another one or none), `mid-body` (done, and the answer breaks off), `between-pages` (the answer is made,
then others do what `then` says and `advance_s` pass, then it is sent: the next page is cut from another list).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["MOMENTS", "Fault", "Faults", "Wish"]

MOMENTS: Final = ("before", "after-commit", "mid-body", "between-pages")


@dataclass(frozen=True, slots=True)
class Wish:
    """A request of somebody else to the same API, sent with the credentials of the one that the fault hits."""

    method: str
    path: str
    body: Any = None


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault; `skip` matching requests pass first, then `count` are hit (`None`: all that follow)."""

    path: re.Pattern[str]
    provider: str = ""
    method: str = ""
    skip: int = 0
    count: int | None = 1
    when: str = "before"
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    has_body: bool = False
    delay_s: float = 0.0
    drop: bool = False
    then: tuple[Wish, ...] = ()
    advance_s: float = 0.0


class Faults:
    """The faults that wait to happen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def replace(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Set the list of faults; an empty one ends all.

        Raises:
            ValueError: for an entry that can't be read; says which and why.
        """
        parsed = [_parse(index, entry) for index, entry in enumerate(entries)]
        with self._lock:
            self._faults = parsed

    def take(self, provider: str, method: str, path: str) -> Fault | None:
        """The fault that hits this request, counted down; `path` is the vendor's path."""
        with self._lock:
            for fault in self._faults:
                if not _matches(fault, provider, method, path) or fault.count == 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.count is not None:
                    fault.count -= 1
                return fault
        return None


_KEYS: Final = frozenset(
    {
        *("provider", "method", "path", "skip", "count", "when", "status", "headers", "body", "delay_s", "drop"),
        *("then", "advance_s"),
    }
)


def _matches(fault: Fault, provider: str, method: str, path: str) -> bool:
    if fault.provider and fault.provider != provider and not provider.startswith(f"{fault.provider}-"):
        return False
    return (not fault.method or fault.method == method) and fault.path.search(path) is not None


def _parse(index: int, entry: Mapping[str, Any]) -> Fault:
    unknown = set(entry) - _KEYS
    if unknown:
        raise ValueError(f"fault {index}: unknown keys {sorted(unknown)}; known are {sorted(_KEYS)}")
    when = entry.get("when", "before")
    if when not in MOMENTS:
        raise ValueError(f"fault {index}: when is {when!r}; it must be one of {', '.join(MOMENTS)}")
    meanwhile = {"then", "advance_s"} & set(entry)
    if bool(meanwhile) != (when == "between-pages"):
        raise ValueError(f"fault {index}: then and advance_s belong to between-pages, and it needs one of them")
    try:
        pattern = re.compile(entry.get("path") or "")
    except re.error as error:
        raise ValueError(f"fault {index}: path is no regular expression: {error}") from None
    return Fault(
        path=pattern,
        provider=entry.get("provider") or "",
        method=(entry.get("method") or "").upper(),
        skip=int(entry.get("skip") or 0),
        count=None if entry.get("count", 1) is None else int(entry.get("count", 1)),
        when=when,
        status=entry.get("status"),
        headers={str(key): str(value) for key, value in (entry.get("headers") or {}).items()},
        body=entry.get("body"),
        has_body="body" in entry,
        delay_s=float(entry.get("delay_s") or 0.0),
        drop=bool(entry.get("drop")),
        then=tuple(_wish(index, wish) for wish in entry.get("then") or ()),
        advance_s=float(entry.get("advance_s") or 0.0),
    )


def _wish(index: int, wish: Mapping[str, Any]) -> Wish:
    if not {"method", "path"} <= set(wish) <= {"method", "path", "body"}:
        raise ValueError(f"fault {index}: an entry of then has method, path and perhaps body")
    return Wish(str(wish["method"]).upper(), str(wish["path"]), wish.get("body"))
