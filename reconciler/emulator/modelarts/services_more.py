"""The services API beside create, list, detail and PUT: patches, counts, nodes, events, logs, monitor, tags."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.emulator.modelarts.services_checks import Refusal
from reconciler.emulator.modelarts.services_states import note
from reconciler.emulator.modelarts.services_wire import millis, model_of, node_name
from reconciler.emulator.wire import Request

__all__ = [
    "add_tags",
    "all_tags",
    "events",
    "has_tags",
    "kept",
    "logs",
    "monitor",
    "patched",
    "remove_tags",
    "set_node_status",
    "with_counts",
]

_TAG_LIMIT: Final = 20
_TAG_KEY: Final = re.compile(r"^(?!_sys_)(?! )[\w .:=+@-]{1,128}(?<! )$")
_TAG_VALUE: Final = re.compile(r"^[\w .:/=+@-]{0,255}$")
_POINTER: Final = re.compile(r"^/config/(\d+)/([a-z_]+)$")


def patched(config: Sequence[Mapping[str, Any]], patch: Any) -> list[dict[str, Any]]:
    """The configurations after a JSON patch.

    Raises:
        Refusal: 400 0104 for anything but `replace` of a key below `/config/<index>/`.
    """
    new = [dict(item) for item in copy.deepcopy(list(config))]
    if not isinstance(patch, list) or not patch:
        raise Refusal(400, "0104", "The request body is no list of operations.")
    for entry in patch:
        match = _POINTER.match(str(entry.get("path"))) if isinstance(entry, Mapping) else None
        if (
            match is None
            or entry.get("op") != "replace"
            or int(match[1]) >= len(new)
            or match[2] not in new[int(match[1])]
        ):
            raise Refusal(400, "0104", "Only replace of /config/<index>/<key> is possible.")
        new[int(match[1])][match[2]] = entry.get("value")
    return new


def with_counts(config: Sequence[Mapping[str, Any]], body: Any) -> list[dict[str, Any]]:
    """The configurations after `PUT …/property`.

    Raises:
        Refusal: 400 0104 for another property, an unknown model, or a value that it has already.
    """
    wanted = body.get("configs") if isinstance(body, Mapping) else None
    if not isinstance(wanted, list) or body.get("changed_property") != "instance_count":
        raise Refusal(400, "0104", "changed_property must be instance_count, with configs.")
    counts = {str(item.get("model_id")): str(item.get("changed_value")) for item in wanted if isinstance(item, Mapping)}
    new = [dict(item) for item in config]
    for item in new:
        count = counts.pop(item["model_id"], None)
        if count is None:
            continue
        if count == str(item["instance_count"]):
            raise Refusal(400, "0104", "The instance count is the same as before.")
        item["instance_count"] = count
    if counts:
        raise Refusal(400, "0104", f"Model {next(iter(counts))} is not in the service.")
    return new


def kept(config: Sequence[Mapping[str, Any]], raw: Sequence[Any]) -> list[Any]:
    """New configurations over old ones of the same model: keys that were left out stay (a switch)."""
    old = {item["model_id"]: item for item in config}
    return [{**old.get(item.get("model_id"), {}), **item} if isinstance(item, Mapping) else item for item in raw]


def set_node_status(doc: dict[str, Any], node_id: str, body: Any) -> None:
    """Start or stop one edge instance.

    Raises:
        Refusal: 404 3502 for an unknown node, 400 0104 for another status.
    """
    if node_id not in doc["nodes"]:
        raise Refusal(404, "3502", f"Node {node_id} does not exist.")
    status = body.get("status") if isinstance(body, Mapping) else None
    if status not in {"running", "stopped"}:
        raise Refusal(400, "0104", "status must be one of [running, stopped].")
    doc["nodes"][node_id] = status


def events(doc: Mapping[str, Any], request: Request, start: int, limit: int) -> dict[str, Any]:
    """`GET …/events`, newest first unless `order=asc`; `start` counts records. Source: §2."""
    since, until = request.first("start_time", "0"), request.first("end_time")
    if not since.isdigit() or not (until or "0").isdigit():
        raise Refusal(400, "0104", "start_time and end_time must be numbers.")
    found = [
        {"event_type": kind, "event_info": info, "occur_time": millis(at)}
        for at, kind, info in doc["events"]
        if request.first("event_type", kind) == kind and request.first("event_info") in info
        if int(since) <= millis(at) and (not until or millis(at) <= int(until))
    ]
    if request.first("order", "desc") != "asc":
        found.reverse()
    page = found[start : start + limit]
    return {**_head(doc), "total_count": len(found), "count": len(page), "events": page}


def logs(doc: Mapping[str, Any], update_time: str) -> dict[str, Any]:
    """`GET …/logs`: one entry a configuration change; what happened on nodes is told of edge services alone."""
    edge = doc["fields"]["infer_type"] == "edge"
    found = [
        {
            "update_time": millis(at),
            "result": result,
            "config": [{**item, **model_of(item)} for item in config],
            "extend_config": [],
            **(_node_results(doc, result) if edge else {}),
        }
        for at, result, config in reversed(doc["logs"])
        if not update_time or update_time == str(millis(at))
    ]
    return {**_head(doc), "logs": found}


def monitor(doc: Mapping[str, Any], node_id: str) -> dict[str, Any]:
    """`GET …/monitor`: usage as it is in a place without visitors; by model, and of edge services by node."""
    runs = doc["status"] == "running"
    count = sum(item["instance_count"] for item in doc["config"])
    by_model = [
        {
            **model_of(item),
            "invocation_times": 0,
            "failed_times": 0,
            **_usage(item["instance_count"]),
            "model_instance_count": item["instance_count"],
            "model_running_instance_count": item["instance_count"] if runs else 0,
        }
        for item in doc["config"]
    ]
    by_node = [
        {"node_id": node, "node_name": node_name(node), **_usage(1)} for node in doc["nodes"] if node_id in {"", node}
    ]
    return {
        **_head(doc),
        "monitors": by_node if doc["fields"]["infer_type"] == "edge" else by_model,
        "service_instance_count": count,
        "service_running_instance_count": count if runs else 0,
        "req_count_per_min": 0,
    }


def _usage(instances: int) -> dict[str, Any]:
    """Cores, and memory in MB: numbers, not text."""
    return {
        "cpu_core_usage": 0.01 * instances,
        "cpu_core_total": 2.0 * instances,
        "cpu_memory_usage": 120 * instances,
        "cpu_memory_total": 8192 * instances,
    }


def _node_results(doc: Mapping[str, Any], result: str) -> dict[str, Any]:
    done = result == "SUCCESS"
    details = [
        {"node_id": node, "node_name": node_name(node), "operation": "update", "result": done} for node in doc["nodes"]
    ]
    counts = {"success_num": len(details) if done else 0, "failed_num": len(details) if result == "FAIL" else 0}
    return {**counts, "result_detail": details if result != "RUNNING" else []}


def add_tags(doc: dict[str, Any], body: Any) -> None:
    """`POST …/tags/create`: upsert by key.

    Raises:
        Refusal: 400 0104.
    """
    for key, value in _tags_of(doc, body).items():
        if not _TAG_KEY.match(key) or not _TAG_VALUE.match(value or ""):
            raise Refusal(400, "0104", f"Tag {key} is not valid.")
        doc["tags"][key] = value or ""
    if len(doc["tags"]) > _TAG_LIMIT:
        raise Refusal(400, "0104", f"A service takes at most {_TAG_LIMIT} tags.")
    note(doc, doc["transition"], "Add tags.")


def remove_tags(doc: dict[str, Any], body: Any) -> None:
    """`DELETE …/tags/delete`; a value, if given, must fit.

    Raises:
        Refusal: 400 0104.
    """
    for key, value in _tags_of(doc, body).items():
        if key in doc["tags"] and value in {None, doc["tags"][key]}:
            del doc["tags"][key]


def all_tags(docs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`GET …/tms/tags`: merged over the project."""
    merged: dict[str, set[str]] = {}
    for doc in docs:
        for key, value in doc["tags"].items():
            merged.setdefault(key, set()).add(value)
    return {"tags": [{"key": key, "values": sorted(values)} for key, values in sorted(merged.items())]}


def has_tags(doc: Mapping[str, Any], wanted: str) -> bool:
    """The list's filter `key|value,key2|value2`. Source: modelarts-services §5."""
    pairs = [part.partition("|") for part in wanted.split(",") if part]
    return all(key in doc["tags"] and (not bar or doc["tags"][key] == value) for key, bar, value in pairs)


def _tags_of(doc: Mapping[str, Any], body: Any) -> dict[str, str | None]:
    if doc["fields"]["infer_type"] != "real-time":
        raise Refusal(400, "0104", "Tags are for real-time services only.")
    tags = body.get("tags") if isinstance(body, Mapping) else None
    if not isinstance(tags, list) or not all(isinstance(tag, Mapping) and tag.get("key") for tag in tags):
        raise Refusal(400, "0104", "tags must be a list of objects with a key.")
    return {str(tag["key"]): None if tag.get("value") is None else str(tag["value"]) for tag in tags}


def _head(doc: Mapping[str, Any]) -> dict[str, Any]:
    return {"service_id": doc["service_id"], "service_name": doc["fields"]["service_name"]}
