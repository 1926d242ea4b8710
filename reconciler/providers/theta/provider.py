"""Theta EdgeCloud as the engine sees it: list, create, delete. Source: providers/theta.md §§2, 3, 7."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlsplit

from reconciler.diff.change import Action, Call, CallOp, Change, Repeat
from reconciler.diff.live import Listing, Live, append_marker
from reconciler.fields import Kind
from reconciler.problems import Problem
from reconciler.providers.base import Catalogue, Clock, Context, Diagnosis, Intent, Reply, Settled
from reconciler.providers.pace import SharedRead
from reconciler.providers.theta.client import ThetaClient
from reconciler.providers.theta.items import endpoint_key, live_item
from reconciler.providers.theta.judge import judge
from reconciler.providers.theta.kinds import DEPLOYMENT, MARKER_KEY
from reconciler.providers.theta.offer import Offer
from reconciler.spec.resource import ProviderConfig, Resource
from reconciler.spec.values import Composite, Pending, is_pending

__all__ = ["ThetaProvider"]

_UNIT: Final = "theta-units"
_CLOCK_SLACK_S: Final = 300.0
"""How far the server's clock may be behind ours."""
_URL: Final = re.compile(r"https?://[^\s\"'<>]+")
_NOTHING: Final = Offer(templates={}, prices={}, gpus={})
_SENT: Final = (
    "container_image",
    "registry_username",
    "registry_password",
    "vm_id",
    "min_replicas",
    "max_replicas",
    "env_vars",
    "auth_username",
    "auth_password",
    "password",
)
"""Fields that a create sends as the spec has them (theta §3)."""


class ThetaProvider:
    """One project. Every change replaces: there is no update (theta §7)."""

    kinds: tuple[Kind, ...] = (DEPLOYMENT,)

    def __init__(self, config: ProviderConfig, context: Context) -> None:
        self.config = config
        self.clock: Clock = context.clock
        self._client = ThetaClient(config.name, config.settings, context)
        self._deployments = SharedRead(self._client.deployments)  # all that wait look at one list
        self._lock = threading.Lock()
        self._known_offer: Offer | None = None

    # -- reading --------------------------------------------------------------------------------------------------

    def catalogue(self) -> Catalogue:
        """Templates, machines, prices and GPUs, read once."""
        offer = self._offer()
        templates = {item.id: {"name": item.name, "images": list(item.images)} for item in offer.templates.values()}
        return Catalogue(prices=offer.prices, unit=_UNIT, gpus=offer.gpus, data={"templates": templates})

    def _offer(self) -> Offer:
        with self._lock:
            if self._known_offer is None:
                self._known_offer = self._client.offer()
            return self._known_offer

    def read_all(self, kind: Kind) -> Listing:
        """Every deployment of the project that is not deleted; the list has all there is, so no details are read."""
        offer = self._offer()
        items = tuple(
            live_item(
                item, provider=self.config.name, project=self._client.project, offer=offer, now_s=self.clock.now()
            )
            for item in self._deployments()
            if item.get("DeletedAt") is None
        )
        return Listing(provider=self.config.name, kind=kind, items=items)

    def read_one(self, kind: Kind, live_id: str) -> Live | None:
        """One item out of the list: there is no documented way to get just one."""
        return self.read_all(kind).by_id(live_id)

    # -- judging --------------------------------------------------------------------------------------------------

    def check(self, resource: Resource) -> Sequence[Problem]:
        """Unknown or ambiguous templates, images, machines; what the template asks for and suggests."""
        return judge(
            resource, self._offer(), strict_images=self.config.settings.get("imageCheck", "strict") == "strict"
        )

    def diagnose(self) -> Sequence[Diagnosis]:
        """Nothing: the API tells no release of itself."""
        return ()

    def check_together(self, resources: Sequence[Resource]) -> Sequence[Problem]:
        """Nothing: no list tells how many machines there are, nor a project's quota (theta §9)."""
        del resources
        return ()

    # -- writing --------------------------------------------------------------------------------------------------

    def calls(self, change: Change, marker: str) -> tuple[Call, ...]:
        """One POST or one DELETE; an adoption is on paper only, because annotations can't be changed."""
        if change.action is Action.CREATE and change.desired is not None:
            body = self._create_body(change.desired, marker)
            return (Call(op=CallOp.CREATE, method="POST", path="/deployment", body=body, summary="POST deployment"),)
        if change.action is Action.DELETE and change.live_id:
            return (
                Call(
                    op=CallOp.DELETE,
                    method="DELETE",
                    path=self._client.path(f"/{quote(change.live_id)}"),
                    query={"project_id": self._client.project},
                    target=change.live_id,
                    repeat=Repeat.AFTER_READ,
                    summary=f"DELETE deployment {change.live_id}",
                ),
            )
        return ()

    def _create_body(self, desired: Resource, marker: str) -> dict[str, Any]:
        """The request of theta §3: the spec's own fields, the template's id, and the marker in two places."""
        spec, offer = desired.spec, self._known_offer or _NOTHING
        template = spec.get("deployment_template_id")
        if template is None:
            # Without a catalogue (an offline plan), or where `check` complains, the name shows what was meant.
            ids = offer.ids_of(str(spec.get("template")))
            template = ids[0] if len(ids) == 1 else spec.get("template")
        body: dict[str, Any] = {"project_id": self._client.project, "deployment_template_id": template}
        body |= {name: spec[name] for name in _SENT if not _is_empty(spec.get(name))}
        if isinstance(body.get("container_image"), str):
            body["container_image"] = offer.image(str(template), body["container_image"])
        body.setdefault("max_replicas", spec.get("min_replicas"))
        annotations = {key: value for key, value in (spec.get("annotations") or {}).items() if value is not None}
        nickname = annotations.get("nickname") or desired.live_name
        annotations["nickname"] = _with_marker(nickname, marker)
        annotations[MARKER_KEY] = marker
        return {**body, "annotations": annotations}

    def send(self, call: Call) -> Reply:
        """One write. A create tells its endpoint, and in newer replies its shard and suffix (theta §3.1)."""
        status, told = self._client.write(call.method, call.path, query=call.query, body=call.body)
        if call.op is not CallOp.CREATE:
            return Reply(status=status)
        if isinstance(told, Mapping):
            endpoint = str(told.get("Endpoint") or "")
            shard, suffix = told.get("Shard"), told.get("Suffix")
            live_id = f"{shard}/{suffix}" if isinstance(shard, int) and suffix else ""
        else:
            match = _URL.search(str(told or ""))
            endpoint, live_id = match[0].rstrip(".,;)") if match else "", ""
        return Reply(status=status, live_id=live_id, evidence={"endpoint": endpoint} if endpoint else {})

    def settle(self, intent: Intent, listing: Listing) -> Settled:
        """By the marker's operation id, or by the id or endpoint that a reply told; never by shape (SETTLEMENT §5)."""
        if intent.op != CallOp.CREATE:
            live = listing.by_id(intent.target)
            return Settled(live=live, absent=live is None)
        for item in listing.items:
            marker = item.parsed_marker
            if marker is not None and intent.op_id and marker.op == intent.op_id:
                return Settled(live=item)
        endpoint, told_id = intent.evidence.get("endpoint", ""), intent.evidence.get("id", "")
        if endpoint or told_id:
            live = listing.by_id(told_id) or _by_endpoint(endpoint, listing)
            return Settled(live=live, absent=live is None)
        # Without a marker to read, nothing tells a machine of ours from a colleague's; age alone can rule it out.
        born_after_s = intent.sent_at - _CLOCK_SLACK_S
        unreadable = tuple(
            item.id
            for item in listing.items
            if not item.marker_readable and not item.untouchable and not 0 < item.created_at < born_after_s
        )
        return Settled(candidates=unreadable, absent=not unreadable)

    def close(self) -> None:
        """Give connections back."""
        self._client.close()


def _by_endpoint(endpoint: str, listing: Listing) -> Live | None:
    """The item with this endpoint; else the one whose suffix ends the host's first label (theta §3.1 steps 2, 3)."""
    key = endpoint_key(endpoint)
    for item in listing.items:
        if key and endpoint_key(item.outputs.get("endpoint", "")) == key:
            return item
    suffix = (urlsplit(endpoint).hostname or "").partition(".")[0].rpartition("-")[2]
    return next((item for item in listing.items if suffix and item.id.partition("/")[2] == suffix), None)


def _with_marker(nickname: Any, marker: str) -> str | Pending:
    """The nickname with ` [marker]` at its end, also when a part of it is not known yet."""
    if isinstance(nickname, Composite):
        return Composite((*nickname.parts, f" [{marker}]"))
    if is_pending(nickname):
        return Composite((nickname, f" [{marker}]"))
    return append_marker(str(nickname), marker)


def _is_empty(value: Any) -> bool:
    """Null and empty are "not set" (case C23)."""
    return value is None or (isinstance(value, str | Mapping) and not value)
