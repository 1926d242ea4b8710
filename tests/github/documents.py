"""Documents of a step before: plans, results, problems and drift, as small as they can be."""

from __future__ import annotations

import hashlib
from typing import Any

from reconciler.plan.digest import plan_digest
from reconciler.render.seal import seal

ACTIONS = ("create", "update", "replace", "delete", "adopt", "none", "blocked", "unknown")


def change(name: str, action: str = "update", **more: Any) -> dict[str, Any]:
    """A change of a plan."""
    return {
        "address": f"theta/Deployment/{name}",
        "action": action,
        "reason": "fields-differ",
        "message": "",
        "digest": hashlib.sha256(f"{name} {action}".encode()).hexdigest(),
        "id": "id-1",
        "interruption": "rolling",
        "fields": [],
        "cost": None,
        "source": f"resources/{name}.yaml:3:1",
        "kind": "theta/Deployment",
        "title": "deployment",
        "intended": None,
        "notices": [],
        "candidates": [],
        "replace_order": None,
        "leftover": None,
        "former_address": None,
        "run_state": None,
        "last_applied": None,
        **more,
    }


def plan(*changes: dict[str, Any], none: int = 0, **more: Any) -> dict[str, Any]:
    """A sealed plan with these changes."""
    counts = {action: sum(one["action"] == action for one in changes) for action in ACTIONS}
    return seal(
        {
            "format": "reconciler-plan/1",
            "owner": "shop/dev",
            "environment": "dev",
            "digest": plan_digest(str(one["digest"]) for one in changes),
            "spec_digest": "5" * 64,
            "revision": None,
            "summary": counts | {"none": none},
            "changes": list(changes),
            "remarks": [],
            "steps": [],
            "order": [one["address"] for one in changes],
            "problems": [],
            "warnings": [],
            "notes": [],
            "partial": False,
            "totals": {"cost": {}, "gpus_before": None, "gpus_after": None, "unpriced": []},
            **more,
        }
    )


def envelope(command: str = "plan", **more: Any) -> dict[str, Any]:
    """A result file of a command that ended well."""
    return {
        "format": "reconciler-result/1",
        "command": command,
        "owner": "shop/dev",
        "environment": "dev",
        "revision": None,
        "finished": True,
        "exit_code": 0,
        "message": "",
        "problems": [],
        "plan": None,
        "report": None,
        "drift": None,
        **more,
    }


def problem(message: str = "unknown field", **more: Any) -> dict[str, Any]:
    """A problem, as JSON."""
    return {
        "code": "unknown-field",
        "message": message,
        "origin": "resources/chat.yaml:4:7",
        "address": "theta/Deployment/chat",
        "file": "resources/chat.yaml",
        "line": 4,
        "column": 7,
        "wrong": message,
        "expected": "another",
        "nearest": None,
        "related": [],
        **more,
    }


def drift(*states: str, verdict: str = "", name: str = "chat", **more: Any) -> dict[str, Any]:
    """A drift document with one resource in these states, or none."""
    known = ("in-sync", "drifted", "vanished", "run-state", "failed", "unhealthy", "pending", "unknown", "unmanaged")
    failing = ["drifted", "run-state", "vanished"]
    resource = {
        "address": f"theta/Deployment/{name}",
        "kind": "theta/Deployment",
        "title": "deployment",
        "states": list(states),
        "id": "id-1",
        "status": "Running",
        "fields": [],
        "run_state": None,
        "message": "",
        "action": "update",
        "last_applied": None,
        "source": "resources/chat.yaml:1:1",
    }
    told = "drift" if set(states) & set(failing) else "in-sync"
    return {
        "format": "reconciler-drift/1",
        "owner": "shop/dev",
        "environment": "dev",
        "revision": None,
        "checked_at": 1764000000.0,
        "verdict": verdict or told,
        "summary": {state: int(state in states) for state in known},
        "failing": failing,
        "resources": [resource] if states else [],
        "unmanaged": [],
        "coverage": {"live": 1, "ours": 1, "other_owners": 0, "unmanaged": 0, "percent": "100.0"},
        "last_run": None,
        "problems": [],
        "notes": [],
        "partial": False,
        **more,
    }
