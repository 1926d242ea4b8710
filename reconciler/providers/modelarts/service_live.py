"""A service as the API shows it, brought to the shape of our `spec`. Source: modelarts-services §4, §5, §8."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.diff.live import Live, split_marker
from reconciler.fields.normalise import empty_to_none
from reconciler.problems import ProviderError
from reconciler.providers.http import one_line
from reconciler.providers.modelarts.service_kind import SERVICE

__all__ = ["is_subscribed", "to_live", "workspace_of"]

_SERVICE_KEYS: Final = (
    "infer_type",
    "schedule",
    "cluster_id",
    "pool_name",
    "vpc_id",
    "subnet_network_id",
    "security_group_id",
    "load_balancer_policy",
    "priority",
    "service_secrets",
)
_CONFIG_KEYS: Final = (
    "model_id",
    "specification",
    "instance_count",
    "weight",
    "custom_spec",
    "deploy_timeout_in_seconds",
    "cluster_id",
    "pool_name",
    "affinity",
    "src_path",
    "dest_path",
    "req_uri",
    "mapping_type",
    "mapping_rule",
    "src_type",
)
_POOLS: Final = ("cluster_id", "pool_name")
_RUN_STATES: Final = {
    "deploying": "running",
    "waiting": "running",
    "pending": "running",
    "running": "running",
    "concerning": "running",
    "stopping": "stopped",
    "stopped": "stopped",
}
"""Where a status is, or is heading. A finished batch or a failed service is neither. Source: §8."""


def is_subscribed(item: Mapping[str, Any]) -> bool:
    """Whether it is somebody else's, shared with us: nobody here may change it. Source: §5."""
    return item.get("is_shared") in {True, "true"}


def workspace_of(item: Mapping[str, Any]) -> str:
    """A number in lists, text in details, absent for the default one. Source: §4."""
    return str(item.get("workspace_id") or "0")


def to_live(item: Mapping[str, Any], provider: str) -> Live:
    """A detail reply, or the list item of a subscribed service, as a `Live`.

    Raises:
        ProviderError: for an item without id.
    """
    live_id, name = str(item.get("service_id") or ""), str(item.get("service_name") or "")
    if not live_id:
        raise ProviderError(f"{provider}: a service without service_id ({one_line(name, 80)})", code="not-json")
    text, marker = split_marker(str(item.get("description") or ""))
    status = str(item.get("status") or "")
    outputs = {"id": live_id, "name": name, "endpoint": str(item.get("access_address") or "")}
    return Live(
        kind=SERVICE,
        provider=provider,
        id=live_id,
        name=name,
        spec=_spec(item, text),
        phase=SERVICE.phase(status),
        status=status,
        reason=one_line(item.get("error_msg") or ""),
        marker=marker,
        outputs={key: value for key, value in outputs.items() if value},
        untouchable="subscribed: it belongs to somebody else" if is_subscribed(item) else "",
        created_by=str(item.get("owner") or ""),
        run_state=_RUN_STATES.get(status, ""),
    )


def _spec(item: Mapping[str, Any], text: str) -> dict[str, Any]:
    spec = {"description": text, **{key: item.get(key) for key in _SERVICE_KEYS}}
    spec["schedule"] = [_numbered(entry, "duration") for entry in _objects(item.get("schedule"))]
    spec["additional_properties"] = _properties(item.get("additional_properties"))
    elements = [_element(element) for element in _objects(_decoded(item.get("config")))]
    for pool in _POOLS:
        # The API may tell a service's pool at either level. Source: §4 (pools)
        told = {element.get(pool) for element in elements}
        if not spec.get(pool) and len(told) == 1:
            spec[f"config_{pool}"] = next(iter(told))
    # What names no pool of its own is in the service's. Source: §3.7 (effective pool)
    effective = next(({pool: spec[pool]} for pool in reversed(_POOLS) if spec.get(pool)), {})
    elements = [element if any(element.get(pool) for pool in _POOLS) else element | effective for element in elements]
    spec["config"] = elements
    return _compact(spec)


def _element(raw: Mapping[str, Any]) -> dict[str, Any]:
    element = _numbered(raw, "instance_count", "weight", "deploy_timeout_in_seconds")
    shown = {key: element.get(key) for key in _CONFIG_KEYS}
    shown["custom_spec"] = _compact(
        {key: _number(value) for key, value in _mapping(_decoded(raw.get("custom_spec"))).items()}
    )
    envs = {str(key): str(value) for key, value in _mapping(_decoded(raw.get("envs"))).items() if value is not None}
    shown["envs"] = envs
    shown["mapping_rule"] = _decoded(raw.get("mapping_rule"))
    shown["nodes"] = [_node_id(node) for node in _list(raw.get("nodes"))]
    shown["additional_properties"] = _properties(raw.get("additional_properties"))
    return _compact(shown)


def _properties(raw: Any) -> dict[str, Any]:
    """`additional_properties` with nested objects, also where values come as JSON text. Source: §4."""
    found = {str(key): _decoded(value) for key, value in _mapping(_decoded(raw)).items()}
    return _compact({key: _number(value) if isinstance(value, str) else value for key, value in found.items()})


def _node_id(node: Any) -> str:
    """Ids go in, objects come out. Source: §4."""
    return str(node.get("id") or "") if isinstance(node, Mapping) else str(node)


def _decoded(value: Any) -> Any:
    """What a JSON text holds, where a client found text instead of an object; anything else as it is. Source: §4."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[", "true", "false")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _numbered(raw: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: _number(value) if key in keys else value for key, value in raw.items()}


def _number(value: Any) -> Any:
    """A numeric text as a number; `1.0` as 1; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        found = float(value)
    except ValueError:
        return value
    return int(found) if found.is_integer() else found


def _compact(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if empty_to_none(value) is not None}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in _list(value) if isinstance(item, Mapping)]
