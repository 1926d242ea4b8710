"""The services API: complete lists with a detail call for each service, single writes, open writes settled by lists."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Final

from reconciler.diff.change import Call, CallOp, Change
from reconciler.diff.live import Listing, Live, Verdict
from reconciler.fields import Kind, Phase
from reconciler.problems import Problem, ProviderError, UnknownOutcome
from reconciler.providers.base import Intent, Reply, Settled
from reconciler.providers.http import HttpReply
from reconciler.providers.modelarts.api import ApiContext, reply_of
from reconciler.providers.modelarts.offer import POOLS, check_specifications
from reconciler.providers.modelarts.pages import read_pages
from reconciler.providers.modelarts.service_calls import safe_id, service_calls
from reconciler.providers.modelarts.service_kind import SERVICE
from reconciler.providers.modelarts.service_live import is_subscribed, to_live, workspace_of
from reconciler.spec.resource import Resource

__all__ = ["ServiceApi"]

_NOT_FOUND: Final = "ModelArts.3502"
_WRONG_STATUS: Final = "ModelArts.3519"
_CATALOGUES: Final = ("real-time", "batch")


class ServiceApi:
    """`KindApi` of services."""

    kind: ClassVar[Kind] = SERVICE

    def __init__(self, shared: ApiContext) -> None:
        self._shared = shared
        self._base = f"/v1/{shared.project_id}/services"
        self._lock = threading.Lock()
        self._offer: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None

    def serves(self, path: str) -> bool:
        """Ours are the collection and what lies below it."""
        return path == self._base or path.startswith(f"{self._base}/")

    # -- catalogue ----------------------------------------------------------------------------------------------------

    def load_catalogue(self) -> Mapping[str, Any]:
        """Specifications by infer type; edge nodes have none. Source: modelarts-services §2."""
        with self._lock:
            if self._offer is None:
                self._offer = {kind: self._read_specifications(kind) for kind in _CATALOGUES}
            return {"specifications": {kind: tuple(items) for kind, items in self._offer.items()}}

    def check(self, resource: Resource) -> Sequence[Problem]:
        """Unknown and sold out specifications; `custom`, edge nodes and dedicated pools are beyond the catalogue."""
        spec = resource.spec
        offer = (self._offer or {}).get(str(spec.get("infer_type")))
        if offer is None or any(spec.get(pool) for pool in POOLS):
            return ()
        return check_specifications(resource, offer)

    def _read_specifications(self, infer_type: str) -> Mapping[str, Mapping[str, Any]]:
        query = {"infer_type": infer_type, "limit": "1000"}
        path = f"{self._base}/specifications"
        items = read_pages(self._shared, path, query, items="specifications", key="specification")
        return {str(item["specification"]): item for item in items}

    # -- read ---------------------------------------------------------------------------------------------------------

    def read_all(self) -> Listing:
        """All services of the workspace, each with its detail; subscribed ones as the list shows them."""
        query = {
            "workspace_id": self._shared.workspace_id,
            "sort_by": "service_name",
            "order": "asc",
            "limit": "1000",
        }
        listed = read_pages(self._shared, self._base, query, items="services", key="service_id")
        ours = [item for item in listed if workspace_of(item) == self._shared.workspace_id]
        own = self._shared.list_scope == "own"
        return Listing(
            provider=self._shared.provider,
            kind=SERVICE,
            items=tuple(self._with_details(ours)),
            verdict=Verdict.PARTIAL if own else Verdict.COMPLETE,
            message="listScope: own" if own else "",
        )

    def read_one(self, live_id: str) -> Live | None:
        """The detail; a 404 counts as gone only with the API's own code: a gateway has 404s too."""
        path = f"{self._base}/{safe_id(live_id)}"
        try:
            reply = self._shared.http.get(path)
        except ProviderError as error:
            if error.error_code == _NOT_FOUND:
                return None
            raise
        if not isinstance(reply.body, Mapping):
            raise ProviderError(f"{self._shared.provider}: GET {path}: no object", code="not-json", status=reply.status)
        return to_live(reply.body, self._shared.provider)

    def _with_details(self, listed: Sequence[Mapping[str, Any]]) -> Iterable[Live]:
        """The list has no `config`: a detail call for each. Who vanishes in between is left out. Source: §5."""

        def look(item: Mapping[str, Any]) -> Live | None:
            if is_subscribed(item):
                return to_live(item, self._shared.provider)
            return self.read_one(str(item["service_id"]))

        with ThreadPoolExecutor(max_workers=max(1, self._shared.concurrency)) as pool:
            return [live for live in pool.map(look, listed) if live is not None]

    # -- write --------------------------------------------------------------------------------------------------------

    def calls(self, change: Change, marker: str) -> tuple[Call, ...]:
        """The writes of a change."""
        return service_calls(change, marker, base=self._base, workspace_id=self._shared.workspace_id)

    def reply(self, call: Call, reply: HttpReply) -> Reply:
        """A create tells the id.

        Raises:
            UnknownOutcome: a create that does not tell it.
        """
        if call.op is not CallOp.CREATE:
            return reply_of(reply, live_id=call.target)
        live_id = str(reply.body.get("service_id") or "") if isinstance(reply.body, Mapping) else ""
        if not live_id:
            raise UnknownOutcome(
                f"{self._shared.provider}: POST {call.path}: HTTP {reply.status} without service_id; "
                "it may have been done",
                code="unknown-outcome",
                status=reply.status,
            )
        return reply_of(reply, live_id=live_id, evidence={"id": live_id})

    def refused(self, call: Call, error: ProviderError) -> Reply:
        """A start or stop that is refused because it is so already: some updates start a stopped service by themselves.

        Branches on the code alone: the message of 3519 contradicts itself. Source: modelarts-services §6.

        Raises:
            ProviderError: the refusal, in all other cases.
        """
        if call.op not in {CallOp.START, CallOp.STOP} or error.error_code != _WRONG_STATUS:
            raise error
        live = self.read_one(call.target)
        wanted = "running" if call.op is CallOp.START else "stopped"
        if live is None or live.run_state != wanted:
            raise error
        return Reply(status=error.status, live_id=live.id)

    def settle(self, intent: Intent, listing: Listing) -> Settled:
        """By the id that a reply told or the operation in the marker; a name proves nothing. Source: SETTLEMENT §5."""
        if intent.op != CallOp.CREATE:
            live = listing.by_id(intent.target)
            return Settled(live=live, absent=live is None and listing.verdict is Verdict.COMPLETE)
        told = intent.evidence.get("id", "")
        found = [item for item in listing.items if _is_of(item, intent.op_id) or (told and item.id == told)]
        standing = next((item for item in found if item.phase is not Phase.GOING), None)
        if standing is not None:
            return Settled(live=standing)
        if found:  # it was made, and somebody deletes it: neither done nor absent until it is gone
            return Settled(candidates=tuple(item.id for item in found))
        return Settled(absent=listing.verdict is Verdict.COMPLETE)


def _is_of(item: Live, op_id: str) -> bool:
    marker = item.parsed_marker
    return marker is not None and marker.op == op_id
