"""Request bodies: the create of runai §3, and the whole sections of a PATCH (runai §6). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.diff.change import Change
from reconciler.fields import UNSET, FieldPath
from reconciler.providers.runai.kinds import COMPANION, INFERENCE, MARKER, TOP_LEVEL

__all__ = ["create_body", "patch_body"]


def create_body(change: Change, marker: str, *, project_id: str, cluster_id: str) -> dict[str, Any]:
    """The create request with our two annotations at the end of the user's. Ids are texts, whatever samples print."""
    assert change.desired is not None  # noqa: S101 - a create has one
    spec = {key: value for key, value in change.desired.spec.items() if value is not None}
    top: dict[str, Any] = {key: spec.pop(key) for key in TOP_LEVEL if key in spec}
    ours = [{"name": MARKER, "value": marker}, {"name": COMPANION, "value": change.address}]
    spec["annotations"] = [*(spec.get("annotations") or ()), *ours]
    body: dict[str, Any] = {"name": change.desired.live_name}
    return {**body, **top, "projectId": project_id, "clusterId": cluster_id, "spec": _without_nulls(spec)}


def patch_body(change: Change) -> dict[str, Any]:
    """`{"spec": {...}}` with each changed top-level key whole; never a null, nothing that did not change.

    Whether the server merges or overwrites inside a key is unknown, so that a key is sent complete, with the entries
    of keyed lists that somebody else put there.
    """
    assert change.desired is not None and change.live is not None  # noqa: PT018, S101 - an update has both
    keys = dict.fromkeys(field.path.segments[0] for field in change.fields)
    applied = change.applied.spec if change.applied is not None else {}
    sections = {}
    for key in keys:
        wanted = change.desired.spec.get(key)
        value = _emptied(change, key) if wanted is None else _without_nulls(wanted)
        sections[key] = _with_foreign(FieldPath((key,)), value, change.live.spec.get(key), applied.get(key))
    return {"spec": sections}


def _emptied(change: Change, key: str) -> Any:
    """What a key that was taken out goes back to, in words that are no null: a default, an empty list, or a section.

    The section says the defaults of those fields below it that were taken out with it.
    """
    rule = INFERENCE.exact_rule(FieldPath((key,)))
    if rule is not None and rule.default is not UNSET:
        return rule.default
    if rule is not None and rule.list_key:
        return []
    section = {}
    for field in change.fields:
        below = INFERENCE.exact_rule(field.path)
        if field.path.parent == FieldPath((key,)) and below is not None and below.default is not UNSET:
            section[field.path.segments[1]] = below.default
    return section


def _with_foreign(path: FieldPath, wanted: Any, live: Any, applied: Any) -> Any:
    """A section with the live entries of its keyed lists that are neither wanted nor were ever ours."""
    rule = INFERENCE.exact_rule(path)
    if rule is not None and rule.list_key:
        keys = rule.list_key.split("+")
        known = {_key_of(item, keys) for item in (*_items(wanted), *_items(applied))}
        foreign = [dict(item) for item in _items(live) if _key_of(item, keys) not in known]
        entries = [*_items(wanted), *foreign]
        return entries if entries or wanted is not None else None
    if isinstance(wanted, Mapping):
        inner = dict(wanted)
        for name, item in _mapping(live).items():
            kept = _with_foreign(path / name, wanted.get(name), item, _mapping(applied).get(name))
            if kept is not None:
                inner[name] = kept
        return inner
    return wanted


def _items(value: Any) -> Iterable[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _key_of(item: Mapping[str, Any], keys: list[str]) -> str:
    return ",".join(str(item[key]) for key in keys if item.get(key) is not None)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list | tuple) else value
