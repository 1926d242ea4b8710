"""Run:ai inferences as the engine sees them: list with details, create, update, delete. Source: runai §§2 to 8."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from reconciler.diff.change import Action, Call, CallOp, Change, Repeat
from reconciler.diff.live import Listing, Live
from reconciler.diff.metrics import Metrics
from reconciler.fields import Kind
from reconciler.fields.rule import release
from reconciler.problems import Problem, ProviderError
from reconciler.providers.base import Catalogue, Clock, Context, Diagnosis, Health, Intent, Reply, Settled
from reconciler.providers.runai.bodies import create_body, patch_body
from reconciler.providers.runai.capacity import quota_doubts
from reconciler.providers.runai.client import INFERENCES, RunaiClient
from reconciler.providers.runai.items import live_item
from reconciler.providers.runai.kinds import INFERENCE
from reconciler.providers.runai.metrics import read_metrics
from reconciler.providers.runai.place import Place, find_place
from reconciler.providers.runai.versions import version_of
from reconciler.spec.resource import ProviderConfig, Resource

__all__ = ["RunaiProvider"]

_TRIES: Final = 3
_REVISIONS_SINCE: Final = "2.21"
_SECOND_TOKEN: Final = "2.24"  # noqa: S105 - a release


class RunaiProvider:
    """One project of one control plane."""

    kinds: tuple[Kind, ...] = (INFERENCE,)

    def __init__(self, config: ProviderConfig, context: Context) -> None:
        self.config = config
        self.clock: Clock = context.clock
        revisions = release(version_of(config.settings)) >= release(_REVISIONS_SINCE)
        self._client = RunaiClient(config.name, config.settings, context, revisions=revisions)
        self._lock = threading.Lock()
        self._known_place: Place | None = None

    # -- reading --------------------------------------------------------------------------------------------------

    def catalogue(self) -> Catalogue:
        """Project and cluster, looked up once."""
        place = self._place()
        return Catalogue(data={"projectId": place.project_id, "clusterId": place.cluster_id})

    def _place(self) -> Place:
        with self._lock:
            if self._known_place is None:
                self._known_place = find_place(self._client, self.config)
            return self._known_place

    def check(self, resource: Resource) -> Sequence[Problem]:
        """Unknown project or cluster: they belong to the instance, so that each is told once for all resources."""
        del resource
        return self._place().problems

    def diagnose(self) -> Sequence[Diagnosis]:
        """Whether the configured release can be the server's: only one thing tells without a write (inferred).

        Source: runai §0.1, the row of tokens.
        """
        version, found = version_of(self.config.settings), self._client.has_second_token()
        topic, told = f"{self.config.name}: release", f"reconciler.yaml says {version}"
        newer = release(version) >= release(_SECOND_TOKEN)
        if found is None or found == newer:
            sure = f", and the server is {_SECOND_TOKEN} or later" if found else ""
            return (Diagnosis(topic=topic, state=Health.OK, message=f"{told}{sure}"),)
        really = f"{_SECOND_TOKEN} or later" if found else f"older than {_SECOND_TOKEN}"
        return (
            Diagnosis(
                topic=topic,
                state=Health.DOUBT,
                message=f"{told}, and the server seems to be {really}",
                remedy=f"version: of the server at providers.{self.config.name} in reconciler.yaml: it decides what "
                "changes in place, and which fields there are",
            ),
        )

    def check_together(self, resources: Sequence[Resource]) -> Sequence[Problem]:
        """GPUs beyond the project's quota, by node pool: warnings."""
        return quota_doubts(resources, self._place().project)

    def read_all(self, kind: Kind) -> Listing:
        """Every inference of the project with its spec: one list, and a detail for each item.

        An item that left between list and detail of a list of several pages may have moved another one out of sight:
        then it is read again, until two readings agree.
        """
        place = self._place()
        if not place.project_id:
            reasons = "; ".join(problem.wrong for problem in place.problems)
            raise ProviderError(f"{self.config.name}: {reasons}; nothing can be listed", code="unknown-project")
        before: tuple[frozenset[str], frozenset[str]] | None = None
        for _ in range(_TRIES):
            items, pages = self._client.inferences(place.project_id)
            found = self._client.each(items, lambda parts: live_item(parts, self.config.name))
            ids = [str(item["id"]) for item in items]
            left = frozenset(live_id for live_id, live in zip(ids, found, strict=True) if live is None)
            seen = (frozenset(ids), left)
            if pages == 1 or not left or seen == before:
                lives = tuple(live for live in found if live is not None)
                return Listing(provider=self.config.name, kind=kind, items=lives)
            before = seen
        raise ProviderError(
            f"{self.config.name}: the list of workloads moved while it was read, {_TRIES} times", code="list-moved"
        )

    def read_one(self, kind: Kind, live_id: str) -> Live | None:
        """One inference by its detail; a 404, or a `deletedAt`, proves that it is gone (runai §8)."""
        del kind
        parts = self._client.one(live_id)
        return None if parts is None else live_item(parts, self.config.name)

    def metrics(self, live: Live, *, is_time: Callable[[], bool]) -> Metrics:
        """The last ten minutes; see `base.Measures`."""
        version, now_s = version_of(self.config.settings), self.clock.now()
        return read_metrics(self._client, live, version=version, now_s=now_s, is_time=is_time)

    # -- writing --------------------------------------------------------------------------------------------------

    def calls(self, change: Change, marker: str) -> tuple[Call, ...]:
        """One POST, one PATCH or one DELETE. An adoption is on paper only: annotations can't be changed (runai §6)."""
        match change.action:
            case Action.CREATE if change.desired is not None:
                return (self._create(change, marker),)
            case Action.UPDATE if change.desired is not None and change.live is not None and change.fields:
                return (_update(change),)
            case Action.DELETE if change.live_id:
                return (_delete(change.live_id),)
        return ()

    def _create(self, change: Change, marker: str) -> Call:
        # An offline plan has looked nothing up: then names show what was meant.
        place, settings = self._known_place or Place(), self.config.settings
        project_id = place.project_id or str(settings.get("projectId") or settings.get("project") or "")
        cluster_id = place.cluster_id or str(settings.get("clusterId") or settings.get("cluster") or "")
        return Call(
            op=CallOp.CREATE,
            method="POST",
            path=INFERENCES,
            body=create_body(change, marker, project_id=project_id, cluster_id=cluster_id),
            repeat=Repeat.AFTER_READ,
            summary="POST inference",
        )

    def send(self, call: Call) -> Reply:
        """One write. A create tells its id, and whether a policy has let our marker through (runai §7)."""
        reply = self._client.write(call.method, call.path, call.body)
        if call.op is not CallOp.CREATE:
            return Reply(status=reply.status)
        body: Mapping[str, Any] = reply.body if isinstance(reply.body, Mapping) else {}
        live_id = str(body.get("workloadId") or "")
        return Reply(status=reply.status, live_id=live_id, evidence={"id": live_id} if live_id else {})

    def settle(self, intent: Intent, listing: Listing) -> Settled:
        """By the marker's operation id, or by the id that a reply told; never by name (SETTLEMENT §5)."""
        if intent.op != CallOp.CREATE:
            live = listing.by_id(intent.target)
            return Settled(live=live, absent=live is None)
        for item in listing.items:
            marker = item.parsed_marker
            if marker is not None and intent.op_id and marker.op == intent.op_id:
                return Settled(live=item)
        told = intent.evidence.get("id", "")
        live = listing.by_id(told) if told else None
        return Settled(live=live, absent=live is None)

    def close(self) -> None:
        """Give connections back."""
        self._client.close()


def _update(change: Change) -> Call:
    body = patch_body(change)
    return Call(
        op=CallOp.UPDATE,
        method="PATCH",
        path=f"{INFERENCES}/{change.live_id}",
        body=body,
        target=change.live_id,
        # Absolute, but each one makes a revision: look first.
        repeat=Repeat.AFTER_READ,
        summary=f"PATCH {', '.join(body['spec'])}",
    )


def _delete(live_id: str) -> Call:
    return Call(
        op=CallOp.DELETE,
        method="DELETE",
        path=f"{INFERENCES}/{live_id}",
        target=live_id,
        repeat=Repeat.YES,
        summary=f"DELETE inference {live_id}",
    )
