"""The list of all workload types, its count, its items by id; pods and metrics. Source: runai §5, §9."""

from __future__ import annotations

from typing import Any, Final

from reconciler.emulator.runai.catalogue import TENANT, Catalogue
from reconciler.emulator.runai.filters import BadFilter, page, sort, terms, wanted
from reconciler.emulator.runai.items import FACE, face, list_item
from reconciler.emulator.runai.lifecycle import is_gone, state_of
from reconciler.emulator.runai.metrics import INFERENCE_METRICS, WORKLOAD_METRICS, Measured, metrics
from reconciler.emulator.runai.replies import fail, timestamp
from reconciler.emulator.runai.versions import release_of
from reconciler.emulator.runai.workloads import WORKLOADS
from reconciler.emulator.store import Tx
from reconciler.emulator.wire import Request, Response

__all__ = ["Listing"]

_FIELDS: Final = frozenset(
    {
        "type",
        "name",
        "clusterId",
        "projectId",
        "projectName",
        "departmentId",
        "departmentName",
        "createdAt",
        "deletedAt",
        "submittedBy",
        "phase",
        "completedAt",
        "nodepool",
        "allocatedGPU",
        "distributedFramework",
        "id",
        "preemptible",
    }
)


class Listing:
    """Handlers that read many workloads, or one without its spec."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def workloads(self, tx: Tx, request: Request) -> Response:
        """`GET /api/v1/workloads`."""
        try:
            found = self._matching(tx, request)
            window, following = page(request, sort(request, [shown for shown, _ in found], _FIELDS))
        except BadFilter as error:
            return fail(400, details=str(error))
        # Whole items of this page alone: of all of them it is two thirds of the time of a page of 500 in 2,500.
        stored = {shown["id"]: item for shown, item in found}
        whole = [list_item(tx, stored[shown["id"]], str(shown["projectId"])) for shown in window]
        return Response(body={"workloads": whole, **({"next": following} if following else {})})

    def count(self, tx: Tx, request: Request) -> Response:
        """`GET /api/v1/workloads/count`."""
        try:
            return Response(body={"count": len(self._matching(tx, request))})
        except BadFilter as error:
            return fail(400, details=str(error))

    def summary(self, tx: Tx, request: Request) -> Response:
        """`GET /api/v1/workloads/{workloadId}`: one item in the list's form."""
        item = self._live(tx, request)
        return fail(404) if item is None else Response(body=list_item(tx, item))

    def pods(self, tx: Tx, request: Request) -> Response:
        """`GET /api/v1/workloads/{workloadId}/pods`."""
        item = self._live(tx, request)
        if item is None:
            return fail(404)
        try:
            window, following = page(request, _pods(tx, item))
        except BadFilter as error:
            return fail(400, details=str(error))
        return Response(body={"pods": window, **({"next": following} if following else {})})

    def inference_metrics(self, tx: Tx, request: Request) -> Response:
        """`GET .../inferences/{workloadId}/metrics`, and the same of a pod."""
        item = self._live(tx, request)
        pod = request.params.get("podId", "")
        if item is None or item["type"] != "Inference":
            return fail(404)
        pods = [one["id"] for one in _pods(tx, item)]
        if pod and pod not in pods:
            return fail(404)
        return metrics(tx, request, Measured(item=item, pods=[pod] if pod else pods), INFERENCE_METRICS)

    def workload_metrics(self, tx: Tx, request: Request) -> Response:
        """`GET /api/v1/workloads/{workloadId}/metrics`."""
        item = self._live(tx, request)
        if item is None:
            return fail(404)
        return metrics(tx, request, Measured(item=item, pods=[one["id"] for one in _pods(tx, item)]), WORKLOAD_METRICS)

    # -- inside ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _live(tx: Tx, request: Request) -> dict[str, Any] | None:
        item = tx.get(WORKLOADS, request.params["workloadId"])
        return None if item is None or is_gone(item, tx.now) else item

    def _matching(self, tx: Tx, request: Request) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """(what decides whether and where it is shown, the workload), each that passes the filters."""
        deleted = request.first("deleted").casefold() == "true"
        filters = terms(request, _FIELDS)
        asked = next((value for field, op, value in filters if (field, op) == ("projectId", "==")), "")
        decisive = {field for field, _, _ in filters} | {request.first("sortBy")} - {""}
        show = face if decisive <= FACE else list_item
        search = request.first("search").casefold() if release_of(tx).search else ""
        found = []
        for _, item in tx.all(WORKLOADS):
            if is_gone(item, tx.now) is not deleted or _lags(tx, item):
                continue
            # An open tenant has just one project, whatever its users call it: the neighbours live there too.
            shown = show(tx, item, asked if self._catalogue.open and item["seeded"] else "")
            if search in shown["name"].casefold() and wanted(filters, shown):
                found.append((shown, item))
        return found


def _lags(tx: Tx, item: dict[str, Any]) -> bool:
    """Whether a young workload is not listed yet; each read of a list counts (switch `listLag`)."""
    if item["hidden_reads"] <= 0:
        return False
    before = tx.changed
    tx.put(WORKLOADS, item["id"], {**item, "hidden_reads": item["hidden_reads"] - 1})
    tx.changed = before
    return True


def _pods(tx: Tx, item: dict[str, Any]) -> list[dict[str, Any]]:
    state = state_of(tx, item)
    scaling = item["spec"].get("autoscaling") or {}
    count = int(scaling.get("minReplicas", 1)) if state.actual not in {"Stopped", "Creating", "Pending"} else 0
    return [
        {
            "id": f"{item['id'][:-4]}{number:04}",
            "name": f"{item['name']}-{number}",
            "workloadId": item["id"],
            "workloadName": item["name"],
            "revisionId": item["revisions"][-1]["id"],
            "clusterId": item["cluster"],
            "projectId": item["project"],
            "projectName": item["project_name"],
            "tenantId": TENANT,
            "priorityClassName": "inference",
            "createdAt": timestamp(item["created"]),
            "updatedAt": timestamp(state.since),
            "deletedAt": None,
            "containers": [],
            "requestedNodePools": item["spec"].get("nodePools") or [],
            "tolerations": [],
            "nodeAffinity": {},
            "k8sPhase": "Running" if state.actual in {"Running", "Updating"} else "Pending",
            "k8sPhaseUpdatedAt": timestamp(state.since),
        }
        for number in range(count)
    ]
