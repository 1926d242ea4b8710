"""The small interface between `provider.py` and each ModelArts API: `KindApi`, and what both APIs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from reconciler.diff.change import Call, Change
from reconciler.diff.live import Listing, Live
from reconciler.fields import Kind
from reconciler.problems import Problem, ProviderError
from reconciler.providers.base import Intent, Reply, Settled
from reconciler.providers.http import HttpClient, HttpReply
from reconciler.spec.resource import Resource

__all__ = ["ApiContext", "KindApi", "explain", "reply_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiContext:
    """What an API object is made of.

    Attributes:
        provider: Name of the provider instance.
        http: Signed in, bound to the ModelArts endpoint.
        project_id: Goes into every path.
        workspace_id: The one workspace that this instance manages, as text.
        list_scope: `all`, or `own`: only what the log-in itself made (a list of that is `PARTIAL`).
        concurrency: Detail requests at a time.
        settings: The instance's settings, camelCase.
        now: Its present, in seconds since the epoch.
    """

    provider: str
    http: HttpClient
    project_id: str
    workspace_id: str
    list_scope: str
    concurrency: int
    settings: Mapping[str, Any]
    now: Callable[[], float]


class KindApi(Protocol):
    """One kind's half of the `Provider` contract; the meanings (and who raises what) are those of `providers.base`."""

    kind: Kind

    def serves(self, path: str) -> bool:
        """Whether a call to this path is one of ours."""
        ...

    def load_catalogue(self) -> Mapping[str, Any]:
        """Read what this API offers and remember it for `check`; plain data for `Catalogue.data`."""
        ...

    def check(self, resource: Resource) -> Sequence[Problem]:
        """Pure after `load_catalogue`; nothing to say when that was not possible."""
        ...

    def read_all(self) -> Listing:
        """Everything of the kind."""
        ...

    def read_one(self, live_id: str) -> Live | None:
        """One item, `None` when it is proven gone."""
        ...

    def calls(self, change: Change, marker: str) -> tuple[Call, ...]:
        """Pure: the writes of a change."""
        ...

    def reply(self, call: Call, reply: HttpReply) -> Reply:
        """What a 2xx reply to one of our calls told."""
        ...

    def refused(self, call: Call, error: ProviderError) -> Reply:
        """What a refusal of one of our calls means: a `Reply` when it says "already so"; else it raises.

        Raises:
            UnknownOutcome: only a look at the live side can tell.
            ProviderError: the error as it came, or with the `code` that the engine knows (`not-found`, `conflict`).
        """
        ...

    def settle(self, intent: Intent, listing: Listing) -> Settled:
        """Pure: what a list says of an open intent."""
        ...


def explain(body: Any) -> tuple[str, str]:
    """An error body as (provider's code, sentence): ModelArts' own keys, the gateway's, IAM's, or the text itself.

    Source: modelarts-services §1, modelarts-notebooks §1.
    """
    if not isinstance(body, Mapping):
        return "", str(body)
    inner = body.get("error")
    if isinstance(inner, Mapping):
        return str(inner.get("error_code") or ""), str(inner.get("message") or inner.get("error_msg") or "")
    sentence = body.get("error_message") or body.get("error_msg") or body.get("message") or ""
    return str(body.get("error_code") or ""), str(sentence)


def reply_of(reply: HttpReply, *, live_id: str = "", evidence: Mapping[str, str] | None = None) -> Reply:
    """A `Reply` of this status."""
    return Reply(status=reply.status, live_id=live_id, evidence=dict(evidence or {}))
