"""The Run:ai control plane as a module of the emulator: routes, switches, seed. Source: runai §2, §11."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.emulator.runai.catalogue import PROJECTS, Catalogue
from reconciler.emulator.runai.items import detail, list_item
from reconciler.emulator.runai.lifecycle import is_gone
from reconciler.emulator.runai.listing import Listing
from reconciler.emulator.runai.replies import error_body, fail, switch
from reconciler.emulator.runai.switches import SWITCHES
from reconciler.emulator.runai.tokens import CLIENT_ID, CLIENT_SECRET, Tokens
from reconciler.emulator.runai.versions import NAME
from reconciler.emulator.runai.workloads import WORKLOADS, Workloads, new_workload
from reconciler.emulator.store import Tx
from reconciler.emulator.wire import Handler, Request, Response, Route

__all__ = ["Runai"]

_LIMIT: Final = 10
_WINDOW_S: Final = 10.0
_RETRY_AFTER_S: Final = 7
_SEED_AGE_S: Final = 86_400.0


class Runai:
    """One tenant with two clusters and a few colleagues."""

    name = NAME
    switches = SWITCHES

    def __init__(self) -> None:
        self._tokens = Tokens()
        self._catalogue = Catalogue()
        self._workloads = Workloads(self._catalogue)
        self._listing = Listing(self._catalogue)
        self._recent: list[float] = []

    def mounts(self) -> Mapping[str, Sequence[Route]]:
        """All routes below `/runai`."""
        works, lists, things = self._workloads, self._listing, self._catalogue
        one = "/api/v1/workloads/inferences/{workloadId}"
        table: tuple[tuple[str, str, Handler], ...] = (
            ("POST", "/api/v1/workloads/inferences", works.create),
            ("GET", "/api/v1/workloads/inferences/revisions/{revisionId}", works.revision),
            ("GET", one, works.get),
            ("PATCH", one, works.update),
            ("DELETE", one, works.delete),
            ("GET", f"{one}/revisions", works.revisions),
            ("GET", f"{one}/revisions/count", works.count_revisions),
            ("GET", f"{one}/metrics", lists.inference_metrics),
            ("GET", f"{one}/pods/{{podId}}/metrics", lists.inference_metrics),
            ("POST", "/api/v1/workloads/batch", works.batch),
            ("GET", "/api/v1/workloads", lists.workloads),
            ("GET", "/api/v1/workloads/count", lists.count),
            ("GET", "/api/v1/workloads/{workloadId}", lists.summary),
            ("GET", "/api/v1/workloads/{workloadId}/pods", lists.pods),
            ("GET", "/api/v1/workloads/{workloadId}/metrics", lists.workload_metrics),
            ("GET", "/api/v1/org-unit/projects", things.list_projects),
            ("GET", "/api/v1/org-unit/projects/{projectId}", things.get_project),
            ("GET", "/api/v1/clusters", things.list_clusters),
            ("GET", "/api/v1/clusters/{clusterUuid}", things.get_cluster),
            ("GET", "/api/v2/policy/inferences", things.policy),
        )
        routes = [Route(method, path, self._guarded(handler)) for method, path, handler in table]
        for path, handler in (("/api/v1/token", self._tokens.v1), ("/api/v2/token", self._tokens.v2)):
            routes.append(Route("POST", path, self._limited(handler)))
        paths = dict.fromkeys(route.path for route in routes)
        refused = [Route(method, path, _not_allowed) for path in paths for method in ("PUT", "POST", "PATCH", "DELETE")]
        return {"/runai": [*routes, *refused]}

    def seed(self, tx: Tx) -> None:
        """A colleague's inference, a workspace and a training, in the default project."""
        self._recent.clear()
        colleague: dict[str, Any] = {
            "by": "ann@example.com",
            "seeded": True,
            "now": tx.now - _SEED_AGE_S,
            "project": PROJECTS[0],
        }
        served = {"image": "registry.example.com/ann/summarizer:4", "servingPort": {"container": 8000}}
        plain = {"image": "registry.example.com/ann/notebook:1"}
        for item in (
            new_workload({**served, "autoscaling": {"minReplicas": 2}}, name="ann-summarizer", **colleague),
            new_workload(plain, name="ann-notebook", type="Workspace", **colleague),
            new_workload(plain, name="ann-finetune", type="Training", **colleague),
        ):
            tx.put(WORKLOADS, item["id"], item, name=item["name"])

    def state(self, tx: Tx) -> list[dict[str, Any]]:
        """Live workloads: inferences as details, other types as the list shows them."""
        live = [item for _, item in tx.all(WORKLOADS) if not is_gone(item, tx.now)]
        return [detail(tx, item) if item["type"] == "Inference" else list_item(tx, item) for item in live]

    def error(self, status: int, message: str) -> Any:
        """`{"code", "message", "details"?}`."""
        return error_body(status, details=message)

    def connection(self, base_url: str) -> Mapping[str, str]:
        """What `reconciler emulator` prints of this module."""
        return {
            "endpoint": f"{base_url}/runai",
            "clientId": CLIENT_ID,
            "clientSecret": CLIENT_SECRET,
            "project": "team-a",
            "cluster": "main",
        }

    def open_to_all(self) -> None:
        """Any credentials, any project id, any cluster id."""
        self._tokens.open = True
        self._catalogue.open = True

    # -- inside ---------------------------------------------------------------------------------------------------

    def _guarded(self, handler: Handler) -> Handler:
        def guarded(tx: Tx, request: Request) -> Response:
            return handler(tx, request) if self._tokens.accepts(tx, request.headers) else fail(401)

        return self._limited(guarded)

    def _limited(self, handler: Handler) -> Handler:
        """Ten requests in ten seconds when the switch `rateLimit` is `429` (`429+retry-after`: with the header)."""

        def limited(tx: Tx, request: Request) -> Response:
            mode = switch(tx, "rateLimit")
            if mode == "off":
                return handler(tx, request)
            self._recent = [moment for moment in self._recent if moment > tx.now - _WINDOW_S]
            if len(self._recent) >= _LIMIT:
                headers = {"Retry-After": str(_RETRY_AFTER_S)} if mode.endswith("retry-after") else {}
                return fail(429, headers=headers)
            self._recent.append(tx.now)
            return handler(tx, request)

        return limited


def _not_allowed(_tx: Tx, _request: Request) -> Response:
    return fail(405, "Method not allowed")
