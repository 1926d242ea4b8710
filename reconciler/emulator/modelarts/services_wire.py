"""A stored service as the API shows it: in a list, in detail, and its instances. Source: modelarts-services §4, §5."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from reconciler.emulator.modelarts.services_catalogue import MODELS

__all__ = ["Look", "detail", "list_item", "millis", "model_of", "node_name"]

_LISTED: Final = ("schedule", "additional_properties")
_SHOWN_WHEN_SET: Final = (
    "cluster_id",
    "pool_name",
    "vpc_id",
    "subnet_network_id",
    "security_group_id",
    "schedule",
    "load_balancer_policy",
)
_PERHAPS_HIDDEN: Final = ("priority", "service_secrets")
_DEPLOYED: Final = frozenset({"running", "concerning"})


class Look:
    """How replies look at the moment: the switches that change shapes, and the emulator's time."""

    def __init__(self, switches: Mapping[str, Any], now: float) -> None:
        self.workspace_as_number = bool(switches["list_workspace_as_number"])
        self.custom_spec_echo = str(switches["custom_spec_echo"])
        self.properties_as_text = bool(switches["properties_as_text"])
        self.write_only_fields = bool(switches["write_only_fields"])
        self.keep_due = switches["due_time_after_stop"] == "keep"
        self.now = now


def millis(seconds: float) -> int:
    """Seconds since the epoch as the API's milliseconds."""
    return round(seconds * 1000)


def list_item(doc: Mapping[str, Any], look: Look) -> dict[str, Any]:
    """Service-level fields without `config`, pool and vpc; `workspace_id` is a number where it can be one."""
    fields = doc["fields"]
    workspace: Any = fields["workspace_id"]
    if look.workspace_as_number and workspace.isdigit():
        workspace = int(workspace)
    item = {**_common(doc, look), "workspace_id": workspace}
    item.update({key: fields[key] for key in _LISTED if fields.get(key)})
    return item


def detail(doc: Mapping[str, Any], look: Look) -> dict[str, Any]:
    """Everything that `GET /services/{id}` shows."""
    fields = doc["fields"]
    shown = {**_common(doc, look), "workspace_id": fields["workspace_id"]}
    keys = _SHOWN_WHEN_SET + (() if look.write_only_fields else _PERHAPS_HIDDEN)
    shown.update({key: fields[key] for key in keys if fields.get(key)})
    extra = fields.get("additional_properties") or {}
    if look.properties_as_text:
        # One client reads text here, the documentation says map of text to text. Source: §4
        extra = {key: json.dumps(value) for key, value in extra.items()}
    shown["additional_properties"] = extra
    shown["operation_time"] = millis(doc["transition"])
    if doc.get("update_time"):
        shown["update_time"] = millis(doc["update_time"])
    if fields["infer_type"] == "real-time" and doc["status"] in _DEPLOYED:
        host = "infer-modelarts.emulator.invalid"
        shown["access_address"] = f"https://{host}/v1/infers/{doc['url_key']}/{doc['service_id']}"
    if fields["infer_type"] == "batch":
        times = {"start_time": doc.get("start"), "finished_time": doc.get("finished")}
        shown.update({key: millis(at) for key, at in times.items() if at})
    if doc["is_shared"]:
        shown["config"] = [model_of(item) for item in doc["config"]]
    else:
        shown["config"] = [_element(item, doc, look) for item in doc["config"]]
    return shown


def _common(doc: Mapping[str, Any], look: Look) -> dict[str, Any]:
    fields = doc["fields"]
    item: dict[str, Any] = {
        "service_id": doc["service_id"],
        "service_name": fields["service_name"],
        "description": fields["description"],
        "tenant": doc["tenant"],
        "project": doc["project"],
        "owner": doc["owner"],
        "publish_at": millis(doc["published"]),
        "infer_type": fields["infer_type"],
        "status": doc["status"],
        "progress": _progress(doc, look.now),
        "is_shared": doc["is_shared"],
        "shared_count": 1 if doc["is_shared"] else 0,
        "invocation_times": 0,
        "failed_times": 0,
        "is_free": any(str(item.get("specification", "")).endswith(".free") for item in doc["config"]),
        "is_opened_sample_collection": False,
        "transition_at": millis(doc["transition"]),
    }
    if doc["status"] == "failed":
        item["error_msg"] = doc.get("error_msg", "")
    due = doc.get("due") or (doc.get("last_due") if look.keep_due else None)
    if due:
        item["due_time"] = millis(due)
    return item


def _progress(doc: Mapping[str, Any], now: float) -> int:
    if doc["status"] != "deploying" or not doc["plan"]:
        return 100
    begun, done = doc["transition"], doc["plan"][0]["at"]
    return min(99, int(100 * (now - begun) / max(done - begun, 1.0)))


def model_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration's model: id, name, version."""
    model_id = str(item["model_id"])
    name, version, _ = MODELS.get(model_id, (f"model-{hashlib.sha256(model_id.encode()).hexdigest()[:6]}", "0.0.1", ""))
    return {"model_id": model_id, "model_name": name, "model_version": version}


def _element(item: Mapping[str, Any], doc: Mapping[str, Any], look: Look) -> dict[str, Any]:
    shown = {key: value for key, value in item.items() if key not in {"nodes", "custom_spec"}}
    if look.write_only_fields:
        shown.pop("deploy_timeout_in_seconds", None)
    shown.update(model_of(item))
    shown.update(
        {
            "status": "ready" if doc["status"] in _DEPLOYED | {"finished"} else "notReady",
            "scaling": False,
            "support_debug": False,
            "envs": item.get("envs", {}),
            "additional_properties": item.get("additional_properties", {}),
        }
    )
    if item["specification"] == "custom":
        shown["custom_spec"] = _custom_spec(item.get("custom_spec", {}), look.custom_spec_echo)
    if "nodes" in item:
        shown["nodes"] = [_node(str(node), doc) for node in item["nodes"]]
    return shown


def _custom_spec(spec: Mapping[str, Any], echo: str) -> dict[str, Any]:
    if echo == "empty":
        return {}
    return {key: value for key, value in spec.items() if echo == "full" or key != "ascend_a310"}


def node_name(node_id: str) -> str:
    """Name of an edge node."""
    return f"node-{hashlib.sha256(node_id.encode()).hexdigest()[:6]}"


def _node(node_id: str, doc: Mapping[str, Any]) -> dict[str, Any]:
    """Ids go in, objects come out. Source: §4."""
    deployed = doc["status"] in _DEPLOYED
    return {
        "id": node_id,
        "name": node_name(node_id),
        "description": "",
        "instance_status": doc["nodes"].get(node_id, "running") if deployed else doc["status"],
        "node_label": "",
        "predict_url": f"http://192.168.0.10/v1/infers/{doc['service_id']}",
        "host_ips": ["192.168.0.10"],
        "updated_at": millis(doc["transition"]),
        "created_at": millis(doc["created"]),
    }
