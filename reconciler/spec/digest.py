"""The digest of what is desired."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from reconciler.spec.resource import Lifecycle, Resource
from reconciler.spec.values import encode

__all__ = ["digest"]


def digest(resources: Sequence[Resource]) -> str:
    """SHA-256 over canonical JSON of what is desired; where and how it was written plays no part."""
    texts = [_canonical(resource) for resource in sorted(resources, key=lambda each: each.address)]
    return hashlib.sha256(f"[{','.join(texts)}]".encode()).hexdigest()


def _canonical(resource: Resource) -> str:
    item = {
        "address": resource.address,
        "live_name": resource.live_name,
        "labels": resource.labels,
        "lifecycle": _lifecycle(resource.lifecycle),
        "spec": resource.spec,
        "edges": sorted(edge.address for edge in resource.edges),
    }
    try:
        text = _ENCODER.encode(item)
    except TypeError:  # a reference
        return _ENCODER.encode({**item, "spec": encode(resource.spec)})
    # Most specs are their own encoded form: half of the time.
    return _ENCODER.encode({**item, "spec": encode(resource.spec)}) if '"$' in text else text


_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _lifecycle(lifecycle: Lifecycle) -> dict[str, Any]:
    return {
        "prevent_destroy": lifecycle.prevent_destroy,
        "replace": lifecycle.replace,
        "ignore_changes": sorted(map(str, lifecycle.ignore_changes)),
        "renamed_from": list(lifecycle.renamed_from),
        "adopt": lifecycle.adopt,
        "on_remove": lifecycle.on_remove,
        "wait": [lifecycle.wait.target, lifecycle.wait.timeout_s, lifecycle.wait.path],
        "run_state": lifecycle.run_state,
        "secrets_revision": lifecycle.secrets_revision,
        **({"expires": lifecycle.expires} if lifecycle.expires else {}),  # what does not expire keeps its digest
    }
