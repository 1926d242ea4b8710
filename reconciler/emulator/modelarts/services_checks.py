"""What the services API refuses in a body, and the same body with its numbers as numbers.

Source: modelarts-services §3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["Refusal", "read_config", "read_create", "read_update"]

_NAME: Final = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
_CREATE_FORBIDDEN: Final = "!<>+&\"'"
_PUT_FORBIDDEN: Final = "<>=&\"'"
_MARKS_OF_URL: Final = ("https://", "obs://", "s3://", "/")
_SERVICE_KEYS: Final = frozenset(
    {
        "service_name",
        "infer_type",
        "config",
        "description",
        "workspace_id",
        "schedule",
        "cluster_id",
        "pool_name",
        "vpc_id",
        "subnet_network_id",
        "security_group_id",
        "additional_properties",
        "load_balancer_policy",
        "priority",
        "service_secrets",
    }
)
_CONFIG_KEYS: Final = frozenset(
    {
        "model_id",
        "specification",
        "instance_count",
        "custom_spec",
        "envs",
        "deploy_timeout_in_seconds",
        "cluster_id",
        "pool_name",
        "additional_properties",
        "affinity",
    }
)
_BATCH_KEYS: Final = frozenset({"src_path", "dest_path", "req_uri", "mapping_type", "mapping_rule", "src_type"})
_VPC: Final = ("vpc_id", "subnet_network_id", "security_group_id")
_OWN_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "real-time": _CONFIG_KEYS | {"weight"},
    "batch": _CONFIG_KEYS | _BATCH_KEYS,
    "edge": (_CONFIG_KEYS | {"nodes"}) - {"pool_name"},
}
_FOREIGN_SERVICE_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "real-time": frozenset(),
    "batch": frozenset({"schedule", *_VPC}),
    "edge": frozenset({"schedule", "pool_name", *_VPC}),
}
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})


class Refusal(Exception):
    """The reply to a request that is not carried out: HTTP status, `ModelArts.` code, sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = f"ModelArts.{code}"
        self.message = message


def read_create(body: Any, *, strict: bool, instance_limit: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A create request as (service-level fields, configurations).

    Raises:
        Refusal: 400 with 0104, or the code of the rule.
    """
    if not isinstance(body, Mapping):
        raise _bad("The request body is not a JSON object.")
    if not isinstance(body.get("service_name"), str) or not _NAME.match(body["service_name"]):
        raise _bad("service_name must be 1 to 64 letters, digits, hyphens and underscores.")
    infer_type = str(body.get("infer_type"))
    if infer_type not in _OWN_KEYS:
        raise _bad("infer_type must be one of [real-time, batch, edge].")
    if strict:
        _refuse_foreign(body, _SERVICE_KEYS - _FOREIGN_SERVICE_KEYS[infer_type], f"a {infer_type} service")
    fields: dict[str, Any] = {key: body[key] for key in _SERVICE_KEYS - {"config"} if body.get(key) not in _EMPTY}
    fields["description"] = _read_text("description", body.get("description") or "", _CREATE_FORBIDDEN)
    fields["workspace_id"] = str(body.get("workspace_id") or "0")
    _read_service(fields)
    config = read_config(body.get("config"), fields, strict=strict, instance_limit=instance_limit)
    return fields, config


def read_update(body: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The service-level fields of a PUT that are not `status` or `config`. Source: §6.

    Raises:
        Refusal: 400 0104.
    """
    known = {"description", "schedule", "additional_properties", "load_balancer_policy", "service_secrets", "priority"}
    wanted = {key: body[key] for key in known if key in body and body[key] is not None}
    if "description" in wanted:
        wanted["description"] = _read_text("description", wanted["description"], _PUT_FORBIDDEN)
    if "additional_properties" in wanted:
        wanted["additional_properties"] = _one_way(wanted["additional_properties"], fields)
    checked = {**fields, **wanted}
    if checked["infer_type"] != "real-time" and wanted.get("schedule"):
        raise _bad("schedule is for real-time services only.")
    _read_service(checked)
    return {key: checked[key] for key in wanted}


def _read_text(name: str, value: Any, forbidden: str) -> str:
    """A text without forbidden characters, at most 100 long.

    Raises:
        Refusal: 400 0104.
    """
    if not isinstance(value, str) or len(value) > 100:  # noqa: PLR2004 - §3.1
        raise _bad(f"{name} must be a text of at most 100 characters.")
    found = sorted({character for character in value if character in forbidden})
    if found:
        raise _bad(f"{name} contains the invalid characters {' '.join(found)}.")
    return value


def read_config(raw: Any, fields: Mapping[str, Any], *, strict: bool, instance_limit: int) -> list[dict[str, Any]]:
    """The configurations, numbers as numbers.

    Raises:
        Refusal: 400 0104, 3516, 3522 or 3572.
    """
    infer_type = fields["infer_type"]
    if not isinstance(raw, list) or not raw or not all(isinstance(item, Mapping) for item in raw):
        raise _bad("config must be a list of at least one object.")
    if infer_type != "real-time" and len(raw) != 1:
        raise _bad(f"A {infer_type} service takes exactly one config.")
    found = []
    for item in raw:
        if strict:
            _refuse_foreign(item, _OWN_KEYS[infer_type], f"a {infer_type} config")
        found.append(_read_element(item, fields, instance_limit=instance_limit))
    models = [item["model_id"] for item in found]
    if len(set(models)) != len(models):
        raise Refusal(400, "3516", "The same model version is used in two configs.")
    total = sum(item.get("weight", 0) for item in found)
    if infer_type == "real-time" and total != 100:  # noqa: PLR2004 - percent
        raise _bad(f"The weights sum to {total}, not to 100.")
    return found


def _read_element(item: Mapping[str, Any], fields: Mapping[str, Any], *, instance_limit: int) -> dict[str, Any]:
    infer_type = fields["infer_type"]
    element = {key: value for key, value in item.items() if value not in _EMPTY}
    for key in ("model_id", "specification"):
        if not isinstance(element.get(key), str):
            raise _bad(f"config.{key} is missing.")
    element["instance_count"] = _integer("instance_count", element.get("instance_count"), low=1)
    if element["instance_count"] > instance_limit:
        raise Refusal(400, "3522", f"The number of instances exceeds the quota of {instance_limit}.")
    if "deploy_timeout_in_seconds" in element:
        element["deploy_timeout_in_seconds"] = _integer(
            "deploy_timeout_in_seconds", element["deploy_timeout_in_seconds"]
        )
    if infer_type == "real-time":
        element["weight"] = _integer("weight", element.get("weight"), low=0, high=100)
    if infer_type == "batch":
        _check_batch(element)
    if infer_type == "edge" and not (element.get("nodes") or fields.get("cluster_id") or element.get("cluster_id")):
        raise _bad("An edge config needs nodes, or an edge pool.")
    envs = element.get("envs", {})
    if not isinstance(envs, Mapping) or not all(isinstance(value, str) for value in envs.values()):
        raise _bad("envs must be a map of texts.")
    pool = any(level.get(key) for level in (element, fields) for key in ("pool_name", "cluster_id"))
    _check_spec(element, in_pool=pool or infer_type == "edge")
    extra = element.get("additional_properties", {})
    if (extra.get("log_volume") or extra.get("persistent_volumes")) and not pool:
        raise _bad("Volumes need a dedicated resource pool.")
    return element


def _check_batch(element: Mapping[str, Any]) -> None:
    for key in ("src_path", "dest_path", "req_uri", "mapping_type"):
        if key not in element:
            raise _bad(f"config.{key} is missing.")
    for key in ("src_path", "dest_path"):
        if not str(element[key]).startswith(_MARKS_OF_URL):
            raise Refusal(400, "3572", f"{key} is not a valid OBS URL.")
    if element["mapping_type"] not in {"file", "csv"}:
        raise _bad("mapping_type must be one of [file, csv].")
    if (element["mapping_type"] == "csv") != ("mapping_rule" in element):
        raise _bad("mapping_rule is for csv, and csv needs it.")
    if element.get("src_type", "ManifestFile") != "ManifestFile":
        raise _bad("src_type must be ManifestFile.")


def _check_spec(element: dict[str, Any], *, in_pool: bool) -> None:
    if element["specification"] != "custom":
        if "custom_spec" in element:
            raise _bad("custom_spec is for the specification custom only.")
        return
    custom = element.get("custom_spec")
    if not isinstance(custom, Mapping):
        raise _bad("The specification custom needs custom_spec.")
    if not in_pool:
        raise _bad("The specification custom needs a dedicated resource pool.")
    found = {key: _number(f"custom_spec.{key}", value) for key, value in custom.items()}
    if "cpu" not in found or "memory" not in found or found["cpu"] < 0.01:  # noqa: PLR2004 - §3.3
        raise _bad("custom_spec needs cpu (at least 0.01) and memory.")
    if found.get("gpu_p4", 0) > 0 and found.get("ascend_a310", 0) > 0:
        raise _bad("gpu_p4 and ascend_a310 exclude each other.")
    element["custom_spec"] = {
        key: round(value, 2) if key in {"cpu", "gpu_p4"} else value for key, value in found.items()
    }


def _read_service(fields: dict[str, Any]) -> None:
    """Rules of the service level; `schedule` gets its number."""
    vpc = [key for key in _VPC if fields.get(key)]
    if vpc and len(vpc) != len(_VPC):
        raise _bad("vpc_id, subnet_network_id and security_group_id belong together.")
    if fields.get("load_balancer_policy") not in {None, "ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP"}:
        raise _bad("load_balancer_policy must be one of [ROUND_ROBIN, LEAST_CONNECTIONS, SOURCE_IP].")
    if "priority" in fields:
        fields["priority"] = _integer("priority", fields["priority"], low=1, high=3)
    schedule = fields.get("schedule")
    if schedule:
        if not isinstance(schedule, list) or len(schedule) > 1 or not isinstance(schedule[0], Mapping):
            raise _bad("schedule takes one entry.")
        entry = schedule[0]
        if entry.get("type") != "stop" or entry.get("time_unit") not in {"DAYS", "HOURS", "MINUTES"}:
            raise _bad("schedule takes type stop and time_unit DAYS, HOURS or MINUTES.")
        fields["schedule"] = [{**entry, "duration": _integer("duration", entry.get("duration"), low=1)}]
    extra = fields.get("additional_properties")
    if extra is None:
        return
    if not isinstance(extra, Mapping):
        raise _bad("additional_properties must be an object.")
    notification = extra.get("smn_notification")
    if notification is not None and (not notification.get("topic_urn") or "events" not in notification):
        raise _bad("smn_notification needs topic_urn and events.")
    if any(channel.get("type") != "LTS" for channel in extra.get("log_report_channels") or ()):
        raise _bad("log_report_channels takes the type LTS.")


def _one_way(wanted: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """`additional_properties` after a PUT: log channels and WebSocket go on, and never off again. Source: §3.5."""
    if not isinstance(wanted, Mapping):
        raise _bad("additional_properties must be an object.")
    had = fields.get("additional_properties") or {}
    merged = {key: value for key, value in wanted.items() if value not in _EMPTY}
    channels = had.get("log_report_channels")
    if channels:
        if wanted.get("log_report_channels", channels) != channels:
            raise _bad("log_report_channels can not be changed once it is on.")
        merged["log_report_channels"] = channels
    if had.get("websocket_upgrade"):
        if wanted.get("websocket_upgrade", True) is not True:
            raise _bad("websocket_upgrade can not be turned off.")
        merged["websocket_upgrade"] = True
    return merged


def _refuse_foreign(found: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    foreign = sorted(key for key in found if key not in known and found[key] not in _EMPTY)
    if foreign:
        raise _bad(f"Unknown fields of {what}: {', '.join(foreign)}.")


def _integer(name: str, value: Any, *, low: int | None = None, high: int | None = None) -> int:
    found = _number(name, value)
    if found != int(found) or (low is not None and found < low) or (high is not None and found > high):
        raise _bad(
            f"{name} must be an integer{'' if low is None else f' from {low}'}{'' if high is None else f' to {high}'}."
        )
    return int(found)


def _number(name: str, value: Any) -> float:
    """Numeric texts count as numbers. Source: §10."""
    try:
        found = math.nan if isinstance(value, bool) or not isinstance(value, int | float | str) else float(value)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise _bad(f"{name} must be a number.")
    return int(found) if found == int(found) else found


def _bad(message: str) -> Refusal:
    return Refusal(400, "0104", message)
