"""A stored notebook instance as the API shows it. Source: modelarts-notebooks §3 (response), §4, §10.1."""

from __future__ import annotations

import math
from typing import Any, Final

from reconciler.emulator.modelarts.notebooks_catalogue import FLAVORS, PROFILES
from reconciler.emulator.modelarts.notebooks_life import QUEUED, auto_stop_at, rank

__all__ = ["FAILED", "instance"]

FAILED: Final = frozenset({"CREATE_FAILED", "START_FAILED"})
_PROFILES: Final = {profile.request: profile for profile in PROFILES}
_DOMAIN: Final = "https://notebook-modelarts.emulator.invalid"


def instance(doc: dict[str, Any], now: float, switches: dict[str, Any], *, with_storage: bool = True) -> dict[str, Any]:
    """The whole instance; `switches` are `annotations_echo` and `auto_stop_read`."""
    body: dict[str, Any] = {
        "ai_project": dict(doc["ai_project"]),
        "creation_timestamp": _millis_text(doc["created"]),
        "description": doc["description"],
        "flavor": doc["flavor"],
        "flavor_details": FLAVORS[doc["flavor"]].wire(),
        "id": doc["id"],
        "latest_update_timestamp": _millis_text(doc["updated"]),
        "name": doc["name"],
        "profile": _PROFILES[doc["profile"]].wire(),
        "spec": _spec(doc, now, switches),
        "status": doc["status"],
        "user": dict(doc["user"]),
        "workspace": {"id": doc["workspace"]},
    }
    if not with_storage:
        del body["spec"]["storage"]
    if doc["pool"]:
        body["pool"] = dict(doc["pool"])
    if doc["status"] in FAILED:
        body["error_code"] = doc["failure"]["code"]
    if doc["status"] in QUEUED:
        place, left = rank(doc, now)
        body["queuing_info"] = {
            "id": doc["id"],
            "status": doc["status"],
            "rank": place,
            "remain_time": left,
            "begin_timestamp": _millis(doc["since"]),
            "end_timestamp": _millis(doc["until"] or now),
        }
    return body


def _spec(doc: dict[str, Any], now: float, switches: dict[str, Any]) -> dict[str, Any]:
    running = doc["status"] == "RUNNING"
    annotations = dict(doc["annotations"]) if switches["annotations_echo"] == "merge" else {}
    annotations |= {"target_domain": _DOMAIN, "url": f"{_DOMAIN}/{doc['id']}" if running else ""}
    return {
        "annotations": annotations,
        "auto_stop": _auto_stop(doc, now, switches),
        "extend_params": None,
        "extend_storage": doc["extend_storage"] or None,
        "failed_reasons": dict(doc["failure"]) | {"detail": {}} if doc["status"] in FAILED else None,
        "repository": None,
        "storage": doc["storage"],
    }


def _auto_stop(doc: dict[str, Any], now: float, switches: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"enable": False, "prompt": True} | doc["auto_stop"]
    stop_at = auto_stop_at(doc)
    if stop_at is not None:
        if switches["auto_stop_read"] == "old" and shown["enable"]:
            shown["duration"] = doc["countdown"]["seconds"]
        shown["stop_timestamp"] = _millis(stop_at)
        shown["remain_time"] = max(0, math.ceil(stop_at - now))
    return shown


def _millis(seconds: float) -> int:
    return int(seconds * 1000)


def _millis_text(seconds: float) -> str:
    return str(_millis(seconds))
