"""Projects, clusters and policy of the emulated tenant. Source: runai §2, §4.2."""

from __future__ import annotations

from typing import Any, Final

from reconciler.emulator.runai.filters import BadFilter, page, sort, terms, wanted
from reconciler.emulator.runai.merge import policy_of
from reconciler.emulator.runai.replies import fail, timestamp
from reconciler.emulator.store import Tx
from reconciler.emulator.wire import Request, Response

__all__ = ["CLUSTERS", "MAIN", "PROJECTS", "TENANT", "Catalogue"]

TENANT: Final = 1001
MAIN: Final = "71f69d83-ba66-4822-adf5-55ce55efd210"
LAB: Final = "0c1f5e4e-5d0b-4c53-9a57-0d6f8a1b2c3d"

CLUSTERS: Final = (
    {"uuid": MAIN, "name": "main", "domain": "main.runai.example.com"},
    {"uuid": LAB, "name": "lab", "domain": "lab.runai.example.com"},
)
PROJECTS: Final = (
    {"id": "1", "name": "team-a", "clusterId": MAIN, "pools": ["default"]},
    {"id": "2", "name": "team-b", "clusterId": LAB, "pools": ["default"]},
    {"id": "3", "name": "shared", "clusterId": MAIN, "pools": ["my-node-pool-a", "my-node-pool-b"]},
    {"id": "4", "name": "shared", "clusterId": LAB, "pools": ["default"]},
)
NODE_POOLS: Final = ("default", "my-node-pool-a", "my-node-pool-b")
_GPUS: Final = 64
"""Quota of a project in a node pool of which the switch `gpuQuota` says nothing."""
_SINCE_S: Final = 1_700_000_000.0
_FILTERS: Final = frozenset({"name", "clusterId", "departmentId", "id"})


class Catalogue:
    """What exists besides workloads; `open` knows any project id and cluster id that is asked for."""

    def __init__(self) -> None:
        self.open = False
        self._asked_cluster = MAIN
        """When open: the unknown cluster that was asked for last; unknown projects live there."""

    def project(self, project_id: str) -> dict[str, Any] | None:
        """A project by id; when open, any id is one."""
        found = next((dict(project) for project in PROJECTS if project["id"] == project_id), None)
        if found is None and self.open and project_id:
            found = {
                "id": project_id,
                "name": f"project-{project_id}",
                "clusterId": self._asked_cluster,
                "pools": ["default"],
            }
        return found

    def has_cluster(self, cluster_id: str) -> bool:
        """Whether this cluster exists; when open, any does."""
        return self.open or any(cluster["uuid"] == cluster_id for cluster in CLUSTERS)

    # -- routes ---------------------------------------------------------------------------------------------------

    def list_projects(self, tx: Tx, request: Request) -> Response:
        """`GET /api/v1/org-unit/projects`."""
        items = [self._project_out(tx, dict(project)) for project in PROJECTS]
        try:
            filters = terms(request, _FILTERS)
            items = [item for item in items if wanted(filters, item)]
            items = sort(request, items, frozenset({"name", "clusterId", "createdAt"}))
            window, following = page(request, items)
        except BadFilter as error:
            return fail(400, details=str(error))
        search = request.first("search").casefold()
        window = [item for item in window if search in item["name"].casefold()]
        return Response(body={"projects": window, **({"next": following} if following else {})})

    def get_project(self, tx: Tx, request: Request) -> Response:
        """`GET /api/v1/org-unit/projects/{projectId}`."""
        found = self.project(request.params["projectId"])
        return fail(404) if found is None else Response(body=self._project_out(tx, found))

    def list_clusters(self, _tx: Tx, _request: Request) -> Response:
        """`GET /api/v1/clusters`: a bare array."""
        return Response(body=[_cluster_out(cluster) for cluster in CLUSTERS])

    def get_cluster(self, _tx: Tx, request: Request) -> Response:
        """`GET /api/v1/clusters/{clusterUuid}`."""
        wish = request.params["clusterUuid"]
        found = next((cluster for cluster in CLUSTERS if cluster["uuid"] == wish), None)
        if found is None and self.open:
            self._asked_cluster = wish
            found = {"uuid": wish, "name": f"cluster-{wish[:8]}", "domain": "any.runai.example.com"}
        return fail(404) if found is None else Response(body=_cluster_out(found))

    def policy(self, tx: Tx, request: Request) -> Response:
        """`GET /api/v2/policy/inferences?scope=...`."""
        scope = request.first("scope")
        if scope not in {"tenant", "cluster", "department", "project"}:
            return fail(400, details="scope: must be one of tenant, cluster, department, project")
        if scope == "project" and self.project(request.first("projectId")) is None:
            return fail(404)
        policy = policy_of(tx)
        return Response(
            body={
                "meta": _policy_meta(scope, request),
                "policy": policy,
                "effective": policy,
                "effectiveUpdatedAt": timestamp(_SINCE_S),
            }
        )

    @staticmethod
    def _project_out(tx: Tx, project: dict[str, Any]) -> dict[str, Any]:
        quota: dict[str, float] = dict.fromkeys(NODE_POOLS, _GPUS) | tx.switch("runai", "gpuQuota")
        return {
            "id": project["id"],
            "name": project["name"],
            "clusterId": project["clusterId"],
            "parentId": "2",
            "requestedNamespace": None,
            "defaultNodePools": project["pools"],
            "resources": [
                {
                    "nodePool": {"id": str(number), "name": pool},
                    "gpu": {"deserved": gpus, "limit": None, "overQuotaWeight": 2},
                    "cpu": None,
                    "memory": None,
                }
                for number, (pool, gpus) in enumerate(quota.items(), start=20)
            ],
            "totalResources": {"gpuQuota": sum(quota.values()), "cpuQuota": None, "memoryQuota": None},
            "nodeTypes": {"workspace": [], "training": [], "inference": []},
            "status": {"phase": "Ready", "phaseMessage": "", "namespace": f"runai-{project['name']}"},
            "createdAt": timestamp(_SINCE_S),
            "updatedAt": timestamp(_SINCE_S),
        }


def _policy_meta(scope: str, request: Request) -> dict[str, Any]:
    """Whose policy it is; a project's id is a number here, other than everywhere else. Source: runai §2 sdk."""
    found: dict[str, Any] = {
        "id": f"{scope}-inferences",
        "name": f"{scope} policy",
        "scope": scope,
        "tenantId": TENANT,
        "createdBy": "admin@example.com",
        "createdAt": timestamp(_SINCE_S),
        "updatedBy": "admin@example.com",
        "updatedAt": timestamp(_SINCE_S),
    }
    given = {name: request.first(name) for name in ("clusterId", "departmentId", "projectId") if request.first(name)}
    if given.get("projectId", "").isdigit():
        return {**found, **given, "projectId": int(given["projectId"])}
    return {**found, **given}


def _cluster_out(cluster: dict[str, str]) -> dict[str, Any]:
    return {
        **cluster,
        "tenantId": TENANT,
        "version": "2.24.0",
        "createdAt": timestamp(_SINCE_S),
        "status": {"state": "Connected"},
    }
