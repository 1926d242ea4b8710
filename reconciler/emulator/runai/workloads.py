"""Create, get, update and delete of inferences, and actions on several workloads. Source: runai §2, §3.1, §6, §8."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any, Final

from reconciler.emulator.runai.catalogue import Catalogue
from reconciler.emulator.runai.items import detail, revisions
from reconciler.emulator.runai.lifecycle import is_gone
from reconciler.emulator.runai.merge import policy_faults
from reconciler.emulator.runai.replies import fail, new_id, switch
from reconciler.emulator.runai.shapes import SPEC
from reconciler.emulator.runai.validation import described_faults, known_part, shape_faults, unknown_keys
from reconciler.emulator.runai.versions import PATCHABLE, has, release_of
from reconciler.emulator.store import Tx
from reconciler.emulator.wire import Request, Response

__all__ = ["WORKLOADS", "Workloads", "new_workload"]

WORKLOADS: Final = "runai/workloads"
_NAME_RULES: Final = {"dns-label-50": 50, "dns-label-63": 63}
_TOP_KEYS: Final = frozenset({"name", "useGivenNameAsPrefix", "projectId", "clusterId", "spec"})
_BATCH_LIMIT: Final = 100


def new_workload(
    spec: Mapping[str, Any], *, name: str, now: float, project: Mapping[str, Any], **more: Any
) -> dict[str, Any]:
    """A workload as it is stored."""
    return {
        "id": new_id(),
        "type": "Inference",
        "name": name,
        "requested": name,
        "project": project["id"],
        "project_name": project["name"],
        "cluster": project["clusterId"],
        "default_node_pools": project["pools"],
        "by": "gitops",
        "created": now,
        "deleted": None,
        "stopped": None,
        "resumed": None,
        "spec": dict(spec),
        "revisions": [{"id": new_id(), "created": now, "image": spec.get("image")}],
        "hidden_reads": 0,
        "seeded": False,
        **more,
    }


class Workloads:
    """Handlers that change workloads, or show one in full."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def create(self, tx: Tx, request: Request) -> Response:
        """`POST /api/v1/workloads/inferences`."""
        body = _object(request)
        if body is None:
            return fail(400, details="the body is no JSON object")
        version = release_of(tx).version
        spec = body.get("spec") or {}
        faults = self._top_faults(tx, body, version) or _spec_faults(tx, spec, version)
        if faults:
            return fail(400, _headline(faults), "; ".join(faults))
        project = {**(self._catalogue.project(str(body["projectId"])) or {}), "clusterId": body["clusterId"]}
        name = body["name"]
        if body.get("useGivenNameAsPrefix") is True:
            name += "-" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(5))
        if switch(tx, "duplicateName") != "allow" and self._taken(tx, name, project["id"]):
            return fail(409 if switch(tx, "duplicateName") == "409" else 400, "Resource with this name already exists")
        item = new_workload(known_part(SPEC, spec, version), name=name, now=tx.now, project=project)
        item["requested"] = body["name"]
        item["hidden_reads"] = int(float(switch(tx, "listLag")))
        tx.put(WORKLOADS, item["id"], item, name=name)
        return Response(status=release_of(tx).create, body=detail(tx, item))

    def get(self, tx: Tx, request: Request) -> Response:
        """`GET /api/v1/workloads/inferences/{workloadId}`."""
        item = self._inference(tx, request)
        if item is None or (is_gone(item, tx.now) and switch(tx, "getAfterDelete") == "404"):
            return fail(404)
        return Response(body=detail(tx, item))

    def update(self, tx: Tx, request: Request) -> Response:
        """`PATCH /api/v1/workloads/inferences/{workloadId}`: only the keys that this release can change."""
        release = release_of(tx)
        if not release.patch:
            return fail(405, "Method not allowed")
        item = self._inference(tx, request)
        if item is None or item["deleted"] is not None:
            return fail(404)
        patch = (_object(request) or {}).get("spec")
        if not isinstance(patch, dict):
            return fail(400, details="spec: is required")
        known = {key: value for key, value in patch.items() if has(release.version, PATCHABLE.get(key, "9.0"))}
        spec = _patched(tx, item["spec"], known)
        faults = _patch_faults(tx, patch, known) or _spec_faults(tx, spec, release.version)
        if faults:
            return fail(400, _headline(faults), "; ".join(faults))
        spec = known_part(SPEC, spec, release.version)
        if spec != item["spec"]:
            item["spec"] = spec
            item["revisions"].append({"id": new_id(), "created": tx.now, "image": spec.get("image")})
            tx.put(WORKLOADS, item["id"], item)
        return Response(status=release.patch, body=detail(tx, item))

    def delete(self, tx: Tx, request: Request) -> Response:
        """`DELETE /api/v1/workloads/inferences/{workloadId}`: done later."""
        item = self._inference(tx, request)
        if item is None or (item["deleted"] is not None and switch(tx, "secondDelete") == "404"):
            return fail(404)
        if item["deleted"] is None:
            item["deleted"] = tx.now
            tx.put(WORKLOADS, item["id"], item)
        status = release_of(tx).delete
        accepted = {"code": 202, "message": "The request has been accepted for processing"}
        return Response(status=status, body=None if status == 204 else accepted)  # noqa: PLR2004 - No Content

    def batch(self, tx: Tx, request: Request) -> Response:
        """`POST /api/v1/workloads/batch`: 200 also when some of them failed."""
        actions = release_of(tx).batch
        if not actions:
            return fail(404)
        body = _object(request) or {}
        ids, action = body.get("ids"), body.get("action")
        if not isinstance(ids, list) or not 1 <= len(ids) <= _BATCH_LIMIT:
            return fail(400, details=f"ids: must have 1 to {_BATCH_LIMIT} items")
        if action not in actions:
            return fail(400, details=f"action: must be one of {', '.join(actions)}")
        succeeded, failed = [], []
        for workload_id in map(str, ids):
            item = tx.get(WORKLOADS, workload_id)
            if item is None or item["deleted"] is not None:
                failed.append({"id": workload_id, "code": 404, "message": "Resource id not found."})
                continue
            _ACTIONS[action](item, tx.now)
            tx.put(WORKLOADS, workload_id, item)
            succeeded.append(workload_id)
        return Response(body={"id": new_id(), "succeeded": succeeded, "failed": failed})

    def revisions(self, tx: Tx, request: Request) -> Response:
        """`GET .../inferences/{workloadId}/revisions`."""
        item = self._inference(tx, request)
        if item is None or not release_of(tx).revisions:
            return fail(404)
        return Response(body={"revisions": revisions(tx, item)})

    def count_revisions(self, tx: Tx, request: Request) -> Response:
        """`GET .../inferences/{workloadId}/revisions/count`."""
        item = self._inference(tx, request)
        if item is None or not release_of(tx).revisions:
            return fail(404)
        return Response(body={"count": len(item["revisions"])})

    def revision(self, tx: Tx, request: Request) -> Response:
        """`GET .../inferences/revisions/{revisionId}`."""
        for _, item in tx.all(WORKLOADS) if release_of(tx).revisions else ():
            for found in revisions(tx, item):
                if found["id"] == request.params["revisionId"]:
                    return Response(body=found)
        return fail(404)

    # -- inside ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _inference(tx: Tx, request: Request) -> dict[str, Any] | None:
        item = tx.get(WORKLOADS, request.params["workloadId"])
        return item if item is not None and item["type"] == "Inference" else None

    def _top_faults(self, tx: Tx, body: dict[str, Any], version: str) -> list[str]:
        name, project, cluster = body.get("name"), body.get("projectId"), body.get("clusterId")
        faults = []
        if not isinstance(name, str) or not name:
            faults.append("name: Resource should have a name")
        else:
            limit = _NAME_RULES.get(switch(tx, "nameRule"))
            if limit and (len(name) > limit or re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name) is None):
                faults.append(f"name: must be a DNS label of at most {limit} characters")
        if isinstance(project, bool) or not isinstance(project, str | int):
            faults.append("projectId: is required")
        elif self._catalogue.project(str(project)) is None:
            faults.append("projectId: no such project")
        if not isinstance(cluster, str):
            faults.append("clusterId: is required")
        elif not self._catalogue.has_cluster(cluster):
            faults.append("clusterId: no such cluster")
        top = _TOP_KEYS | ({"templateId"} if has(version, "2.24") else set())
        if switch(tx, "createUnknownKeys") == "400":
            faults.extend(f"{key}: unknown" for key in sorted(set(body) - top))
        return faults

    def _taken(self, tx: Tx, name: str, project_id: str) -> bool:
        held = switch(tx, "nameHeldWhileDeleting") == "True"
        for item in tx.named(WORKLOADS, name):
            here = item["project"] == project_id or (self._catalogue.open and item["seeded"])
            going = item["deleted"] is not None
            if item["name"] == name and here and not is_gone(item, tx.now) and (held or not going):
                return True
        return False


def _patch_faults(tx: Tx, patch: dict[str, Any], known: dict[str, Any]) -> list[str]:
    faults = []
    if switch(tx, "patchUnknownKeys") == "400":
        faults = [f"spec.{key}: can't be updated" for key in sorted(set(patch) - set(known))]
    if switch(tx, "patchNull") == "400":
        faults.extend(f"spec.{key}: is null" for key, value in known.items() if value is None)
    return faults


def _spec_faults(tx: Tx, spec: Any, version: str) -> list[str]:
    strict = switch(tx, "strict")
    if not isinstance(spec, dict):
        return ["spec: must be an object"]
    faults = list(unknown_keys(SPEC, spec, version)) if switch(tx, "createUnknownKeys") == "400" else []
    faults = [f"{path}: unknown" for path in faults]
    if strict != "off":
        faults.extend(shape_faults(SPEC, spec, version))
    if strict == "schema+description" and not faults:
        faults.extend(described_faults(known_part(SPEC, spec, version), version))
    return faults or policy_faults(tx, spec)


def _headline(faults: list[str]) -> str:
    return "Required parameter is missing" if "is required" in faults[0] else f"Bad request - {faults[0]}"


def _patched(tx: Tx, spec: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The spec after a PATCH; switches `patch` and `patchNull`."""
    result = dict(spec)
    for key, value in patch.items():
        if value is None:
            if switch(tx, "patchNull") == "clear":
                result.pop(key, None)
        elif switch(tx, "patch") == "deep-merge":
            result[key] = _deep(result.get(key), value)
        else:
            result[key] = value
    return result


def _deep(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _deep(old.get(key), value) for key, value in new.items()}}
    named = isinstance(old, list) and isinstance(new, list) and all(isinstance(one, dict) for one in (*old, *new))
    if named:
        merged = {one.get("name", str(index)): one for index, one in enumerate(old)}
        merged.update({one.get("name", str(index)): one for index, one in enumerate(new)})
        return list(merged.values())
    return new


def _object(request: Request) -> dict[str, Any] | None:
    try:
        body = request.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _delete(item: dict[str, Any], now: float) -> None:
    item["deleted"] = now


def _suspend(item: dict[str, Any], now: float) -> None:
    item["stopped"], item["resumed"] = now, None


def _resume(item: dict[str, Any], now: float) -> None:
    item["stopped"], item["resumed"] = None, now


_ACTIONS: Final[Mapping[str, Callable[[dict[str, Any], float], None]]] = {
    "delete": _delete,
    "suspend": _suspend,
    "resume": _resume,
}
