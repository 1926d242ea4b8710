"""The list of all workload types, its count, its items by id; pods and metrics. Source: runai §5, §9."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from reconciler.emulator.runai.catalogue import TENANT, Catalogue
from reconciler.emulator.runai.filters import BadFilter, page, sort, terms, wanted
from reconciler.emulator.runai.items import list_item
from reconciler.emulator.runai.lifecycle import is_gone, state_of
from reconciler.emulator.runai.replies import fail, switch, timestamp
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
_INFERENCE_METRICS: Final = ("THROUGHPUT", "LATENCY")
_WORKLOAD_METRICS: Final = (
    "GPU_UTILIZATION",
    "GPU_ALLOCATION",
    "GPU_MEMORY_USAGE_BYTES",
    "GPU_MEMORY_REQUEST_BYTES",
    "CPU_USAGE_CORES",
    "CPU_REQUEST_CORES",
    "CPU_LIMIT_CORES",
    "CPU_MEMORY_USAGE_BYTES",
    "CPU_MEMORY_REQUEST_BYTES",
    "CPU_MEMORY_LIMIT_BYTES",
    "POD_COUNT",
    "RUNNING_POD_COUNT",
)
_TOP_SAMPLES: Final = 1000


class Listing:
    """Handlers that read many workloads, or one without its spec."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def workloads(self, tx: Tx, request: Request) -> Response:
        """`GET /api/v1/workloads`."""
        try:
            items = sort(request, self._matching(tx, request), _FIELDS)
            window, following = page(request, items)
        except BadFilter as error:
            return fail(400, details=str(error))
        return Response(body={"workloads": window, **({"next": following} if following else {})})

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
        pod = request.params.get("podId")
        if item is None or item["type"] != "Inference":
            return fail(404)
        if pod is not None and pod not in {one["id"] for one in _pods(tx, item)}:
            return fail(404)
        return _metrics(tx, request, _INFERENCE_METRICS)

    def workload_metrics(self, tx: Tx, request: Request) -> Response:
        """`GET /api/v1/workloads/{workloadId}/metrics`."""
        return fail(404) if self._live(tx, request) is None else _metrics(tx, request, _WORKLOAD_METRICS)

    # -- inside ---------------------------------------------------------------------------------------------------

    @staticmethod
    def _live(tx: Tx, request: Request) -> dict[str, Any] | None:
        item = tx.get(WORKLOADS, request.params["workloadId"])
        return None if item is None or is_gone(item, tx.now) else item

    def _matching(self, tx: Tx, request: Request) -> list[dict[str, Any]]:
        deleted = request.first("deleted").casefold() == "true"
        asked = next((value for field, op, value in terms(request, _FIELDS) if (field, op) == ("projectId", "==")), "")
        search = request.first("search").casefold() if release_of(tx).search else ""
        found = []
        for _, item in tx.all(WORKLOADS):
            if is_gone(item, tx.now) is not deleted or _lags(tx, item):
                continue
            # An open tenant has just one project, whatever its users call it: the neighbours live there too.
            shown = list_item(tx, item, asked if self._catalogue.open and item["seeded"] else "")
            if search in shown["name"].casefold() and wanted(request, shown, _FIELDS):
                found.append(shown)
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


def _metrics(tx: Tx, request: Request, known: tuple[str, ...]) -> Response:
    """Measurements; switch `metrics` = `partial` leaves the last asked type out and answers 207."""
    types = [name for text in request.every("metricType") for name in text.split(",") if name]
    try:
        start, end = (_seconds(request.first(name)) for name in ("start", "end"))
        samples = int(request.first("numberOfSamples", "20"))
    except ValueError:
        return fail(400, details="start, end: must be RFC 3339 times; numberOfSamples: an integer")
    if not types or any(name not in known for name in types):
        return fail(400, details=f"metricType: must be some of {', '.join(known)}")
    if not 0 <= samples <= _TOP_SAMPLES or end < start:
        return fail(400, details="numberOfSamples: 0 to 1000; end: after start")
    partial = switch(tx, "metrics") == "partial"
    told = types[:-1] if partial else types
    step = (end - start) / samples if samples else 0.0
    values = [{"value": str(10 + index % 5), "timestamp": timestamp(start + index * step)} for index in range(samples)]
    status = 207 if partial else 200
    if "text/csv" in request.headers.get("accept", ""):
        rows = [f"{name},{one['timestamp']},{one['value']}" for name in told for one in values]
        text = "\n".join(["type,timestamp,value", *rows]) + "\n"
        return Response(status=status, body=text.encode(), media_type="text/csv")
    return Response(
        status=status, body={"measurements": [{"type": name, "labels": {}, "values": values} for name in told]}
    )


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.timestamp()
