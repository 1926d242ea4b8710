"""Digests of a change and of a plan: what a reviewer saw is what may be applied. Source: DESIGN §5."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.diff.change import Call, Change
from reconciler.fields import FieldPath
from reconciler.fields.normalise import normalise
from reconciler.spec.resource import Lifecycle
from reconciler.spec.values import encode

__all__ = ["canonical_json", "change_digest", "lifecycle_data", "plan_digest"]


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no blanks: equal data, equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain).encode()


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def change_digest(change: Change, calls: Iterable[Call], *, offline: bool = False) -> str:
    """SHA-256 over address, action, live id, fields, desired spec, lifecycle and calls, as hex.

    Never over commit, origin, reason text, cost or time. Secrets are names (and their revision, in the lifecycle),
    unknown values their `ref` text. `offline`: of a plan from a snapshot, which never counts as reviewed: another one.
    """
    desired = change.desired
    data = {
        "address": change.address,
        "action": str(change.action),
        "id": change.live_id,
        "fields": [
            [
                str(f.path),
                _settled(change, f.path, f.before),
                _settled(change, f.path, f.after),
                f.after_text,
                f.removed,
                f.forces_replace,
                f.sensitive,
            ]
            for f in change.fields
        ],
        "spec": encode(desired.spec) if desired else None,
        "name": desired.live_name if desired else None,
        "lifecycle": lifecycle_data(desired.lifecycle) if desired else None,
        "run_state": change.run_state,
        "order": str(change.replace_order or ""),
        "leftover": change.leftover.id if change.leftover else "",
        "calls": [[str(call.op), call.method, call.summary] for call in calls],
        **({"offline": True} if offline else {}),
    }
    return hashlib.sha256(canonical_json(data)).hexdigest()


def _settled(change: Change, path: FieldPath, value: Any) -> Any:
    """A value as its field compares it: a server that shuffles a set, or says 1 for 1000m, moves no digest."""
    rule = change.kind.exact_rule(path)
    return normalise(rule.normalise, value) if rule is not None and value is not None else value


def plan_digest(changes: Iterable[str], *, offline: bool = False) -> str:
    """SHA-256 over the sorted set of the changes' digests, as hex; another one for a plan from a snapshot."""
    return hashlib.sha256(canonical_json([*sorted(set(changes)), *(["offline"] if offline else [])])).hexdigest()


def lifecycle_data(lifecycle: Lifecycle) -> dict[str, Any]:
    """A lifecycle as plain JSON, with the spec's own key names."""
    return {
        "preventDestroy": lifecycle.prevent_destroy,
        "replace": str(lifecycle.replace or ""),
        "ignoreChanges": [str(path) for path in lifecycle.ignore_changes],
        "renamedFrom": list(lifecycle.renamed_from),
        "adopt": lifecycle.adopt,
        "onRemove": lifecycle.on_remove,
        "wait": {
            "for": str(lifecycle.wait.target or ""),
            "timeout": lifecycle.wait.timeout_s,
            "path": lifecycle.wait.path,
        },
        "runState": lifecycle.run_state,
        "secretsRevision": lifecycle.secrets_revision,
        **({"expires": lifecycle.expires} if lifecycle.expires else {}),  # what does not expire keeps its digest
    }
