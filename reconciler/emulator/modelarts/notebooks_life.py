"""The life of a notebook instance on the emulated clock: states are worked out from stored times when somebody looks.

A stored instance holds `status`, `since` (when it began), and for a passing state `until` and `next`. Source:
modelarts-notebooks §8, §10.1.
"""

from __future__ import annotations

import math
from typing import Any, Final

from reconciler.emulator.modelarts.notebooks_catalogue import FLAVORS

__all__ = [
    "GONE",
    "PASSING",
    "QUEUED",
    "advance",
    "auto_stop_at",
    "begin_countdown",
    "enter",
    "rank",
]

GONE: Final = "DELETED"
QUEUED: Final = frozenset({"CREATE_QUEUING", "START_QUEUING"})
PASSING: Final = frozenset({"CREATING", "STARTING", "RESTARTING", "STOPPING", "RESIZING", "DELETING"}) | QUEUED
"""States that end by themselves; writes meet 6306, 6308, 6347 or 6357 in them."""

_RANK_EVERY_S: Final = 60.0


def enter(doc: dict[str, Any], status: str, at: float, *, lasts_s: float | None = None, then: str = "") -> None:
    """Put the instance into a state from `at` on; with `lasts_s`, the state `then` follows (infinite: never)."""
    doc["status"] = status
    doc["since"] = at
    doc["updated"] = at
    doc["until"] = None if lasts_s is None or math.isinf(lasts_s) else at + lasts_s
    doc["next"] = then
    doc["countdown"] = None
    if status == "RUNNING":
        begin_countdown(doc, at)


def begin_countdown(doc: dict[str, Any], at: float) -> None:
    """Start to count towards the automatic stop, where one is due; a free flavor always has one."""
    free = FLAVORS[doc["flavor"]].free_stop_s
    seconds = doc["auto_stop"].get("duration") if doc["auto_stop"].get("enable") else None
    if free:
        seconds = min(free, seconds or free)
    doc["countdown"] = {"since": at, "seconds": seconds} if seconds else None


def auto_stop_at(doc: dict[str, Any]) -> float | None:
    """When a running instance will stop by itself, in seconds since the epoch."""
    countdown = doc["countdown"]
    return countdown["since"] + countdown["seconds"] if countdown and doc["status"] == "RUNNING" else None


def advance(doc: dict[str, Any], now: float) -> dict[str, Any]:
    """The instance as it is at `now`; the argument is changed and returned."""
    while True:
        due, status = _next(doc)
        if due is None or due > now:
            return doc
        _step(doc, status, due)


def _next(doc: dict[str, Any]) -> tuple[float | None, str]:
    """(when the next change of state is due or none, the state that follows)."""
    if doc["until"] is not None:
        return doc["until"], doc["next"]
    if doc["status"] == "RUNNING":
        return auto_stop_at(doc), "STOPPING"
    hours = FLAVORS[doc["flavor"]].free_store_h
    if doc["status"] == "STOPPED" and hours > 0:
        return doc["since"] + hours * 3600, GONE
    return None, ""


def _step(doc: dict[str, Any], status: str, due: float) -> None:
    after = doc["plan"]
    if status == "STOPPING":
        enter(doc, status, due, lasts_s=after["stopping_s"], then="STOPPED")
    elif status == "CREATING":
        enter(doc, status, due, lasts_s=after["creating_s"], then=after["created"])
    elif status == "STARTING":
        enter(doc, status, due, lasts_s=after["starting_s"], then=after["started"])
    else:
        enter(doc, status, due)


def rank(doc: dict[str, Any], now: float) -> tuple[int, int]:
    """(place in the queue from 1, seconds left) of a queued instance."""
    left = max(0.0, (doc["until"] or now) - now)
    return max(1, math.ceil(left / _RANK_EVERY_S)), math.ceil(left)
