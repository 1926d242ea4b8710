"""From what the list shows to `Live`: names, markers, hidden fields, phases. Source: theta §§4, 5, 6, 8."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from reconciler.diff.live import Live, split_marker
from reconciler.providers.theta.kinds import DEPLOYMENT, MARKER_KEY
from reconciler.providers.theta.offer import Offer

__all__ = ["endpoint_key", "live_item"]

_WORST_FIRST: Final = ("Failed", "Unknown", "Pending", "Succeeded", "Running")
_RUN_STATES: Final = {"Running": "running", "Stopped": "stopped"}
"""For `wait: {for: running}`, and for eyes: nothing here can stop or start it."""
_GPU_NODE: Final = "GPU Node"
_AUTH_NEEDED: Final = 401


def live_item(item: Mapping[str, Any], *, provider: str, project: str, offer: Offer, now_s: float) -> Live:
    """One list item in the shape of `spec`. Secrets of the item (arguments, passwords) stay behind.

    Args:
        item: As the list shows it; only `Shard` and `Suffix` are sure to be there.
        provider: Instance name.
        project: The key's project; an item of another one is untouchable.
        offer: Templates and machines.
        now_s: Seconds since the epoch, to tell a slow start from a late one.
    """
    spec, hidden = _spec(item, offer)
    annotations, marker = _annotations(item.get("Annotations"))
    if annotations:
        spec["annotations"] = annotations
    if not isinstance(item.get("Annotations"), Mapping):
        hidden.add("annotations")
    status = _status(item, now_s)
    live_id = f"{item['Shard']}/{item['Suffix']}"
    endpoint = _text(item.get("Endpoint"))
    return Live(
        kind=DEPLOYMENT,
        provider=provider,
        id=live_id,
        spec=spec,
        hidden=frozenset(hidden),
        defaults=_defaults(spec, offer),
        phase=DEPLOYMENT.phase(status),
        status=status,
        reason=f"endpoint answers {item['EndpointStatus']}" if _number(item.get("EndpointStatus")) else "",
        marker=marker,
        marker_readable=isinstance(item.get("Annotations"), Mapping),
        outputs={
            key: value
            for key, value in (("id", live_id), ("name", _text(item.get("Name"))), ("endpoint", endpoint))
            if value
        },
        untouchable=_untouchable(item, project, marker),
        created_by=_text(item.get("UserID")),
        run_state=_RUN_STATES.get(status.partition("/")[0], ""),
        created_at=_seconds(item.get("CreatedAt")),
    )


def endpoint_key(url: str) -> str:
    """An endpoint in the form that compares: scheme and host, lower case, no slash at the end (theta §3.1)."""
    return "/".join(url.strip().lower().split("/")[:3])


def _spec(item: Mapping[str, Any], offer: Offer) -> tuple[dict[str, Any], set[str]]:
    """What the list tells of the create fields, and the paths that this item does not show."""
    spec: dict[str, Any] = {}
    hidden: set[str] = set()
    name = _text(item.get("TemplateName"))
    ids = offer.ids_of(name)
    if name:
        spec["template"] = name
    else:
        hidden.add("template")
    if len(ids) == 1:
        spec["deployment_template_id"] = ids[0]
    else:
        hidden.add("deployment_template_id")
    for wire, path in (("ImageURL", "container_image"), ("MachineType", "vm_id"), ("AuthUsername", "auth_username")):
        value = _text(item.get(wire))
        if value:
            spec[path] = value
        elif path != "auth_username":
            hidden.add(path)
    if _number(item.get("Replicas")):
        spec["min_replicas"] = item["Replicas"]
    else:
        hidden.add("min_replicas")  # a stopped item may show 0 (theta §4): no reason to replace it
    env = _env(item)
    if env:
        spec["env_vars"] = env
    else:
        hidden.add("env_vars")
    return spec, hidden


def _defaults(spec: Mapping[str, Any], offer: Offer) -> dict[str, str]:
    """A create without an image takes the template's only one (theta §3); of several, one has to be named."""
    template = offer.templates.get(str(spec.get("deployment_template_id")))
    return {"container_image": template.images[0]} if template is not None and len(template.images) == 1 else {}


def _annotations(shown: Any) -> tuple[dict[str, str], str]:
    """The user's annotations without the marker, and the marker: from its own key, else from the nickname's end."""
    if not isinstance(shown, Mapping):
        return {}, ""
    found = {str(key): str(value) for key, value in shown.items() if value is not None}
    own = found.pop(MARKER_KEY, "")
    nickname, marker = split_marker(found.get("nickname", ""))
    if nickname:
        found["nickname"] = nickname
    else:
        found.pop("nickname", None)
    return found, own or marker


def _env(item: Mapping[str, Any]) -> dict[str, str]:
    """`EnvVars` if it is an object, else `EnvVarsString` decoded; empty when neither can be read."""
    shown = item.get("EnvVars")
    if not isinstance(shown, Mapping) or not shown:
        try:
            shown = json.loads(_text(item.get("EnvVarsString")) or "null")
        except ValueError:
            return {}
    if not isinstance(shown, Mapping):
        return {}
    return {str(key): value if isinstance(value, str) else json.dumps(value) for key, value in shown.items()}


def _status(item: Mapping[str, Any], now_s: float) -> str:
    """A key of `DEPLOYMENT.phases`."""
    words = re.findall(r": (\w+)", _text(item.get("PodPhase")))
    phase = next((word for word in _WORST_FIRST if word in words), "")
    if not words:
        status = "Stopped" if item.get("Replicas") == 0 else "Starting"
    elif phase == "Running":
        status = "Running/ready" if _answers(item.get("EndpointStatus")) else "Running/warming"
    else:
        status = phase or "Unknown"
    warming = status in ("Starting", "Pending", "Running/warming")
    started_s = _seconds(item.get("CreatedAt"))
    late = warming and started_s > 0 and now_s - started_s > DEPLOYMENT.timeout_s
    return f"{status.partition('/')[0]}/late" if late else status


def _answers(status: Any) -> bool:
    """2xx, 3xx; and 401, because only something that works asks for a password. Source: theta §8 public P5 live."""
    return _number(status) and (200 <= status < 400 or status == _AUTH_NEEDED)  # noqa: PLR2004 - HTTP's own classes


def _untouchable(item: Mapping[str, Any], project: str, marker: str) -> str:
    owner = _text(item.get("ProjectID"))
    if owner and owner != project:
        return f"it belongs to project {owner}"
    if item.get("TemplateName") == _GPU_NODE and not marker:
        return "it is a GPU node, another product"
    return ""


def _seconds(text: Any) -> float:
    """RFC 3339 as seconds since the epoch; 0 when it can't be read."""
    try:
        return datetime.fromisoformat(_text(text)).timestamp()
    except ValueError:
        return 0.0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> bool:
    """Whether this is a count other than 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value != 0
