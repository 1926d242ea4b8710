"""One stored workload in its two wire forms: an inference's detail, and the list's item. Source: runai §4.1, §5.1."""

from __future__ import annotations

from typing import Any, Final

from reconciler.emulator.runai.catalogue import TENANT
from reconciler.emulator.runai.lifecycle import DELETE_S, State, is_gone, revision_phases, state_of
from reconciler.emulator.runai.merge import shown_spec
from reconciler.emulator.runai.replies import project_id_out, timestamp
from reconciler.emulator.runai.versions import has, release_of
from reconciler.emulator.store import Tx

__all__ = ["FACE", "detail", "face", "list_item", "revisions"]

FACE: Final = frozenset(
    {"id", "type", "name", "clusterId", "projectId", "projectName", "departmentId", "departmentName"}
    | {"submittedBy", "createdAt"}
)
"""What a list may be filtered and sorted by without a look at each item's state and spec."""


def detail(tx: Tx, item: dict[str, Any]) -> dict[str, Any]:
    """What create, get and update answer."""
    state = state_of(tx, item)
    body = {
        "name": item["name"],
        "requestedName": item["requested"],
        "workloadId": item["id"],
        "projectId": project_id_out(tx, item["project"]),
        "departmentId": "2",
        "clusterId": item["cluster"],
        "createdBy": item["by"],
        "createdAt": timestamp(item["created"]),
        "desiredPhase": state.desired,
        "actualPhase": state.actual,
        "spec": shown_spec(tx, item),
    }
    if has(release_of(tx).version, "2.21"):
        body["deletedAt"] = timestamp(item["deleted"] + DELETE_S) if is_gone(item, tx.now) else None
    return body


def face(tx: Tx, item: dict[str, Any], project_id: str = "") -> dict[str, Any]:
    """What of `list_item` asks neither for the state nor for the spec, in a tenth of its time."""
    return {
        "tenantId": TENANT,
        "id": item["id"],
        "type": item["type"],
        "name": item["name"],
        "clusterId": item["cluster"],
        "projectId": project_id_out(tx, project_id or item["project"]),
        "projectName": item["project_name"],
        "departmentId": "2",
        "departmentName": "default",
        "submittedBy": item["by"],
        "createdAt": timestamp(item["created"]),
    }


def list_item(tx: Tx, item: dict[str, Any], project_id: str = "") -> dict[str, Any]:
    """What the list of all workload types shows: no annotations, no labels, no sections of `spec`."""
    state, spec = state_of(tx, item), shown_spec(tx, item)
    updated = max(item["created"], item["revisions"][-1]["created"], item["deleted"] or 0, item["stopped"] or 0)
    scaling, compute = spec.get("autoscaling") or {}, spec.get("compute") or {}
    running = int(scaling.get("minReplicas", 1)) if state.actual in {"Running", "Updating", "Degraded"} else 0
    body = {
        **face(tx, item, project_id),
        "namespace": f"runai-{item['project_name']}",
        "source": "Control-plane",
        "priorityClassName": spec.get("priorityClass", "inference"),
        "updatedAt": timestamp(updated),
        "deletedAt": timestamp(item["deleted"] + DELETE_S) if is_gone(item, tx.now) else None,
        "phase": state.actual,
        "phaseUpdatedAt": timestamp(state.since),
        "phaseMessage": state.message,
        "k8sPhase": _k8s(state),
        "k8sPhaseUpdatedAt": timestamp(state.since),
        "conditions": [],
        "runningPods": running,
        "requestedPods": {"number": running, "min": scaling.get("minReplicas"), "max": scaling.get("maxReplicas")},
        "workloadRequestedResources": _resources(compute),
        "requestedNodePools": spec.get("nodePools") or [],
        "currentNodePools": (spec.get("nodePools") or [])[:1] if running else [],
        "images": [spec["image"]] if spec.get("image") else [],
        "command": spec.get("command", ""),
        "arguments": spec.get("args", ""),
        "environmentVariables": {
            str(entry["name"]): str(entry["value"])
            for entry in spec.get("environmentVariables") or ()
            if entry.get("value") is not None
        },
        "urls": _urls(item, spec),
        "actionsSupport": {"delete": True, "suspend": "suspend" in release_of(tx).batch},
        "preemptible": spec.get("preemptibility") == "preemptible",
        "childrenIds": [],
    }
    if state.reason:
        body["phaseReason"] = state.reason
    if has(release_of(tx).version, "2.22"):
        body["priority"] = 125
        body["category"] = spec.get("category") or "Deploy"
    return body


def revisions(tx: Tx, item: dict[str, Any]) -> list[dict[str, Any]]:
    """Revisions, newest first."""
    found = [
        {
            "type": item["type"],
            "name": f"{item['name']}-{number:05}",
            "id": revision["id"],
            "workloadId": item["id"],
            "tenantId": TENANT,
            "clusterId": item["cluster"],
            "projectId": item["project"],
            "departmentId": "2",
            "createdAt": timestamp(revision["created"]),
            "deletedAt": None,
            "images": [revision["image"]] if revision.get("image") else [],
            "runningPods": 1 if phase == "Running" else 0,
            "phase": phase,
            "phaseMessage": message,
            "conditions": [],
        }
        for number, (revision, phase, message) in enumerate(revision_phases(tx, item), 1)
    ]
    return found[::-1]


def _resources(compute: dict[str, Any]) -> dict[str, Any]:
    devices = compute.get("gpuDevicesRequest") or 0
    return {
        "gpu": {"request": devices * (compute.get("gpuPortionRequest") or 1), "limit": None},
        "cpu": {"request": compute.get("cpuCoreRequest"), "limit": compute.get("cpuCoreLimit")},
        "cpuMemory": {"request": compute.get("cpuMemoryRequest"), "limit": compute.get("cpuMemoryLimit")},
    }


def _urls(item: dict[str, Any], spec: dict[str, Any]) -> list[str]:
    port = spec.get("servingPort")
    if item["type"] != "Inference" or port is None or port.get("clusterLocalAccessOnly"):
        return []
    return [f"https://{item['name']}-runai-{item['project_name']}.inference.runai.example.com"]


def _k8s(state: State) -> str:
    return {"Creating": "Pending", "Pending": "Pending", "Initializing": "Pending"}.get(state.actual, "Running")
