"""What start, stop, restart, the queue and a delete do to an instance, and when they are refused.

Source: modelarts-notebooks §1 (6304-6308, 6327, 6357), §2, §8.
"""

from __future__ import annotations

from typing import Any

from reconciler.emulator.modelarts.notebooks_catalogue import FLAVORS
from reconciler.emulator.modelarts.notebooks_checks import Rejected
from reconciler.emulator.modelarts.notebooks_create import QUEUE_S
from reconciler.emulator.modelarts.notebooks_life import GONE, PASSING, QUEUED, enter

__all__ = ["act", "remove"]


def act(doc: dict[str, Any], action: str, now: float) -> None:
    """Do one `action`.

    Raises:
        Rejected: 6336 for an unknown action; else what the present status forbids.
    """
    handler = {"start": _start, "stop": _stop, "restart": _restart, "queue": _queue, "dequeue": _dequeue}.get(action)
    if handler is None:
        raise Rejected(6336, "action")
    handler(doc, now)


def remove(doc: dict[str, Any], now: float, *, lasts_s: float, running_too: bool) -> None:
    """Begin to delete; a passing state but a queue must end first.

    Raises:
        Rejected: 6304 while it runs, 6357 in a passing state.
    """
    if doc["status"] == "RUNNING" and not running_too:
        raise Rejected(6304)
    if doc["status"] in PASSING - QUEUED:
        raise Rejected(6357)
    enter(doc, "DELETING", now, lasts_s=lasts_s, then=GONE)


def _start(doc: dict[str, Any], now: float) -> None:
    status = doc["status"]
    if status == "RUNNING":
        raise Rejected(6305)
    if status in {"STARTING", "START_QUEUING", "RESTARTING"}:
        raise Rejected(6306)
    if status not in {"STOPPED", "START_FAILED", "READY_TO_START"}:
        raise Rejected(6308 if status == "STOPPING" else 6357)
    if doc["plan"]["started"] == "START_FAILED":
        doc["failure"] = {"code": "ModelArts.6360", "message": Rejected(6360).message}
    flavor = FLAVORS[doc["flavor"]]
    if flavor.is_free and flavor.status == "soldOut":
        enter(doc, "START_QUEUING", now, lasts_s=QUEUE_S, then="STARTING")
    else:
        enter(doc, "STARTING", now, lasts_s=doc["plan"]["starting_s"], then=doc["plan"]["started"])


def _stop(doc: dict[str, Any], now: float) -> None:
    status = doc["status"]
    if status == "STOPPED":
        raise Rejected(6307)
    if status == "STOPPING":
        raise Rejected(6308)
    if status in PASSING:
        raise Rejected(6357)
    if status != "RUNNING":
        raise Rejected(6327)
    enter(doc, "STOPPING", now, lasts_s=doc["plan"]["stopping_s"], then="STOPPED")


def _restart(doc: dict[str, Any], now: float) -> None:
    if doc["status"] != "RUNNING":
        raise Rejected(6357 if doc["status"] in PASSING else 6327)
    enter(doc, "RESTARTING", now, lasts_s=doc["plan"]["starting_s"], then="RUNNING")


def _queue(doc: dict[str, Any], now: float) -> None:
    if not FLAVORS[doc["flavor"]].is_free or doc["status"] != "STOPPED":
        raise Rejected(6357)
    enter(doc, "START_QUEUING", now, lasts_s=QUEUE_S, then="STARTING")


def _dequeue(doc: dict[str, Any], now: float) -> None:
    if doc["status"] not in QUEUED:
        raise Rejected(6357)
    enter(doc, "STOPPED", now)
