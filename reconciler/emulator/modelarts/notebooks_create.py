"""A notebook instance from its create request, and how its life begins. Source: modelarts-notebooks §3, §8."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from reconciler.emulator.modelarts.iam import PROJECT_ID
from reconciler.emulator.modelarts.notebooks_catalogue import FLAVORS, profile_for
from reconciler.emulator.modelarts.notebooks_checks import Rejected
from reconciler.emulator.modelarts.notebooks_life import enter

__all__ = ["QUEUE_S", "begin", "new_instance"]

QUEUE_S: Final = 300.0
"""How long a free flavor that is sold out makes one wait, in seconds."""
_NODE: Final = 0x0255AC10003B
"""Last part of the ids, as in the samples."""
_AUTO_STOP: Final = ("enable", "duration", "prompt")
_ENDS: Final = {"failed": "CREATE_FAILED", "unavailable": "UNAVAILABLE"}


def new_instance(
    body: Mapping[str, Any], user: Mapping[str, str], now: float, switches: Mapping[str, Any]
) -> dict[str, Any]:
    """A stored instance from a checked request, not yet in any state."""
    spec, profile, pool = body["spec"], profile_for(body["profile_id"]), body.get("pool")
    auto_stop = spec.get("auto_stop") or {}
    return {
        "id": f"DE-{uuid.uuid1(node=_NODE)}",
        "name": body["name"],
        "description": body.get("description") or "",
        "profile": profile.request if profile else "",
        "flavor": body["flavor"],
        "storage": spec["storage"],
        "extend_storage": spec.get("extend_storage") or [],
        "auto_stop": {key: auto_stop[key] for key in _AUTO_STOP if auto_stop.get(key) is not None},
        "annotations": spec.get("annotations") or {},
        "workspace": (body.get("workspace") or {}).get("id") or "0",
        "pool": _pool(pool) if pool else None,
        "ai_project": {"id": (body.get("ai_project") or {}).get("id") or "default-ai-project"},
        "user": dict(user),
        "created": now,
        "failure": {"code": "", "message": ""},
        "plan": {
            "creating_s": float(switches["creating_s"]),
            "starting_s": float(switches["starting_s"]),
            "stopping_s": float(switches["stopping_s"]),
            "created": "RUNNING",
            "started": "RUNNING",
        },
    }


def begin(doc: dict[str, Any], now: float, outcome: str) -> None:
    """CREATING, or the queue of a free flavor that is sold out; `outcome` is the switch `create_outcome`."""
    plan = doc["plan"]
    plan["created"] = _ENDS.get(outcome, "RUNNING")
    if outcome == "failed":
        doc["failure"] = {"code": "ModelArts.6360", "message": Rejected(6360).message}
    if outcome == "stuck":
        plan["creating_s"] = float("inf")
    flavor = FLAVORS[doc["flavor"]]
    if flavor.is_free and flavor.status == "soldOut":
        enter(doc, "CREATE_QUEUING", now, lasts_s=QUEUE_S, then="CREATING")
    else:
        enter(doc, "CREATING", now, lasts_s=plan["creating_s"], then=plan["created"])


def _pool(pool: Mapping[str, Any]) -> dict[str, Any]:
    """A pool as shown: a dedicated one (`USER_DEFINED`) with its owner. Source: §3."""
    shown = {key: pool[key] for key in ("id", "type", "name") if pool.get(key)}
    if shown.get("type") == "USER_DEFINED":
        shown["owner"] = pool.get("owner") or {"project_id": PROJECT_ID}
    return shown
