"""Toy lamps as the engine sees them: list, create, update, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from reconciler.diff.change import Action, Call, CallOp, Change, Repeat
from reconciler.diff.live import Listing, Live
from reconciler.fields import Kind
from reconciler.problems import Problem, ProviderError
from reconciler.providers.base import Catalogue, Clock, Context, Diagnosis, Intent, Reply, Settled
from reconciler.providers.http import HttpClient
from reconciler.spec.resource import ProviderConfig, Resource
from reconciler.spec.values import SecretRef, fill

from .kinds import LAMP, MARKER

__all__ = ["ToyProvider"]


class _Token:
    """The token in its header, revealed only while a request is built."""

    def __init__(self, token: Any, context: Context) -> None:
        self._token = token
        self._context = context

    def headers(self, method: str, url: httpx.URL, body: bytes) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        resolve = self._context.resolve
        return {"x-token": str(fill(self._token, lambda ref: resolve(ref.name) if isinstance(ref, SecretRef) else ref))}

    def renew(self) -> bool:
        return False


class ToyProvider:
    """One account of lamps."""

    kinds: tuple[Kind, ...] = (LAMP,)

    def __init__(self, config: ProviderConfig, context: Context) -> None:
        self.config = config
        self.clock: Clock = context.clock
        self._http = HttpClient(
            provider=config.name,
            context=context,
            base_urls={"": str(config.settings["endpoint"])},
            auth=_Token(config.settings["token"], context),
            explain=lambda body: ("", str(body.get("error", body) if isinstance(body, Mapping) else body)),
            timeout_s=float(config.settings.get("requestTimeout", 60.0)),
        )

    def catalogue(self) -> Catalogue:
        return Catalogue()

    def check(self, resource: Resource) -> Sequence[Problem]:  # noqa: ARG002 - the contract's
        return ()

    def diagnose(self) -> Sequence[Diagnosis]:
        return ()

    def check_together(self, resources: Sequence[Resource]) -> Sequence[Problem]:  # noqa: ARG002 - the contract's
        return ()

    def read_all(self, kind: Kind) -> Listing:
        body = self._http.get("/lamps").body
        if not isinstance(body, Mapping) or not isinstance(body.get("lamps"), list):
            raise ProviderError(f"{self.config.name}: GET /lamps: there is no list 'lamps'", code="provider-failed")
        return Listing(provider=self.config.name, kind=kind, items=tuple(self._live(item) for item in body["lamps"]))

    def read_one(self, kind: Kind, live_id: str) -> Live | None:
        return self.read_all(kind).by_id(live_id)

    def _live(self, item: Mapping[str, Any]) -> Live:
        return Live(
            kind=LAMP,
            provider=self.config.name,
            id=item["id"],
            name=item["name"],
            spec={"colour": item["colour"], "socket": item["socket"]},
            phase=LAMP.phase(item["status"]),
            status=item["status"],
            marker=item["labels"].get(MARKER, ""),
            outputs={"id": item["id"], "name": item["name"]},
        )

    def calls(self, change: Change, marker: str) -> tuple[Call, ...]:
        desired, path = change.desired, f"/lamps/{change.live_id}"
        if change.action is Action.CREATE and desired is not None:
            body = {**desired.spec, "name": desired.live_name, "labels": {MARKER: marker}}
            return (Call(op=CallOp.CREATE, method="POST", path="/lamps", body=body, summary="POST lamp"),)
        if change.action is Action.UPDATE and desired is not None:
            colour = {"colour": desired.spec.get("colour", "white")}
            return (self._call(change, CallOp.UPDATE, "PATCH", path, body=colour, repeat=Repeat.YES),)
        if change.action is Action.DELETE:
            return (self._call(change, CallOp.DELETE, "DELETE", path, repeat=Repeat.AFTER_READ),)
        return ()  # an adoption is on paper

    def _call(self, change: Change, op: CallOp, method: str, path: str, **more: Any) -> Call:
        summary = f"{method} lamp {change.live_id}"
        return Call(op=op, method=method, path=path, target=change.live_id, summary=summary, **more)

    def send(self, call: Call) -> Reply:
        reply = self._http.write(call.method, call.path, body=call.body)
        told = reply.body if isinstance(reply.body, Mapping) else {}
        return Reply(status=reply.status, live_id=str(told.get("id", "")))

    def settle(self, intent: Intent, listing: Listing) -> Settled:
        live = listing.by_id(intent.target or intent.evidence.get("id", ""))
        if live is None and intent.op == CallOp.CREATE:
            markers = ((item, item.parsed_marker) for item in listing.items)
            live = next((item for item, marker in markers if marker is not None and marker.op == intent.op_id), None)
        return Settled(live=live, absent=live is None)

    def close(self) -> None:
        self._http.close()
