"""What the ledger will say of a resource, and the marker that goes onto it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.diff.live import Applied, Live, Marker, create_digest, owner_hash, resource_hash
from reconciler.spec.output import lifecycle_document
from reconciler.spec.resource import Resource
from reconciler.spec.values import SecretRef, pending_in

__all__ = ["entry_for", "new_marker", "secret_names"]

_MARKER_GENERATIONS = 9999


def new_marker(resource: Resource, spec: Mapping[str, Any], *, owner: str, generation: int) -> Marker:
    """The token of one create: a fresh operation id, a digest of what is made (secrets by name only), the keep flag."""
    keep = "n"
    if resource.lifecycle.on_remove == "retain":
        keep = "r"
    elif resource.lifecycle.prevent_destroy:
        keep = "p"
    return Marker(
        owner=owner_hash(owner),
        resource=resource_hash(resource.address),
        generation=min(generation, _MARKER_GENERATIONS),
        keep=keep,
        digest=create_digest(spec),
        op="".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(6)),
    )


def secret_names(value: Any) -> tuple[str, ...]:
    """Names of all secrets in a spec, sorted, once each."""
    return tuple(sorted({found.name for found in pending_in(value) if isinstance(found, SecretRef)}))


def entry_for(
    resource: Resource,
    spec: Mapping[str, Any],
    *,
    live: Live | None,
    before: Applied | None,
    fingerprint: Callable[[str], str],
    now_s: float,
    **values: Any,
) -> Applied:
    """The ledger entry after `spec` was applied to `live`.

    Args:
        resource: Desired.
        spec: As sent: references to other resources filled in, secrets as references.
        live: What it was applied to; `None` before the create's reply.
        before: The entry so far, for what does not change (marker, generation, time of creation).
        fingerprint: Secret name → keyed fingerprint, or empty.
        now_s: Seconds since the epoch.
        values: Fields to set besides (`marker`, `generation`, `created_at`, `ready`, `successor`, `revision`, `run`).
    """
    facts: dict[str, Any] = {
        "marker": before.marker if before else live.marker if live else "",
        "generation": before.generation if before else _generation(live),
        "created_at": before.created_at if before else 0.0,
        "successor": before.successor if before and (live is None or before.successor != live.id) else "",
    }
    return Applied(
        address=resource.address,
        kind=resource.kind.label,
        live_id=live.id if live else "",
        live_name=live.name if live else resource.live_name,
        spec=spec,
        edges=tuple(sorted({edge.address for edge in resource.edges})),
        labels=resource.labels,
        prevent_destroy=resource.lifecycle.prevent_destroy,
        on_remove=resource.lifecycle.on_remove,
        renamed_from=tuple(resource.lifecycle.renamed_from),
        secrets_revision=resource.lifecycle.secrets_revision,
        run_state=resource.lifecycle.run_state,
        lifecycle={
            key: value
            for key, value in lifecycle_document(resource.lifecycle).items()
            if key not in {"adopt", "renamedFrom"}
        },
        fingerprints={name: fingerprint(name) for name in secret_names(spec)},
        applied_at=now_s,
        **{**facts, **values},
    )


def _generation(live: Live | None) -> int:
    marker = live.parsed_marker if live else None
    return marker.generation if marker else 1
