"""A deployment: how it is born, what its pod does in time, and how the list shows it. Source: theta §§4, 8, 10."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.emulator.store import Tx
from reconciler.emulator.theta.catalogue import JUPYTER, ORG, machine

__all__ = ["GPU_NODE", "TIMELINES", "base_id", "extended_view", "is_listed", "new_item", "view", "when"]

GPU_NODE: Final = "GPU Node"
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_OK: Final = 200

TIMELINES: Final[Mapping[str, Sequence[tuple[float, str, int]]]] = {
    # seconds after the create, pod phase, what a probe of the endpoint gets (200 shows as 401 behind basic auth)
    "normal": ((0, "Pending", 404), (5, "Pending", 503), (20, "Running", 502), (60, "Running", 200)),
    "slow": ((0, "Pending", 404), (30, "Pending", 503), (240, "Running", 500), (656, "Running", 200)),
    "never_ready": ((0, "Pending", 404), (10, "Running", 502), (250, "Running", 404)),
    "failed": ((0, "Pending", 404), (5, "Pending", 503), (20, "Failed", 503)),
    "running": ((0, "Running", 200),),
}
"""Names that the switch `timeline` takes besides a list of such rows. Source: theta §8 public P5 live."""


def new_item(tx: Tx, project: str, template: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The stored form of what a create request asks for; registry credentials and passwords are not kept in clear."""
    number = tx.count("theta-deployment")
    suffix = _suffix(number, str(tx.switch("theta", "suffix_style")))
    args = list(template.get("container_args") or [])
    if body.get("password") is not None:
        args.append(f"--NotebookApp.password='argon2:{_argon2(str(body['password']))}'")
    images = template.get("container_images") or [""]
    timeline = tx.switch("theta", "timeline")
    low = body.get("min_replicas", 1)
    return {
        "number": number,
        "project": project,
        "user": "5kyver75cswdi2s2u4eby1d7dxyz",
        "name": _name(tx, number, str(template.get("name") or ""), body),
        "shard": 1 + number % 3,
        "suffix": suffix,
        "template": template.get("name") or "",
        "image": body.get("container_image") or images[0],
        "port": template.get("container_port") or 0,
        "args": args,
        "env": {**(template.get("env_vars") or {}), **(body.get("env_vars") or {})},
        "vm": body.get("vm_id") or "",
        "min": low,
        "max": body.get("max_replicas", low),
        "annotations": body.get("annotations"),
        "auth_username": body.get("auth_username") or "",
        "auth_password": body.get("auth_password") or "",
        "created": tx.now,
        "started": tx.now,
        "deleted": None,
        "stopped": False,
        "timeline": TIMELINES[timeline] if isinstance(timeline, str) else timeline,
    }


def is_listed(tx: Tx, item: Mapping[str, Any]) -> bool:
    """Whether the list shows it now: creates and deletes both come `list_lag_ms` late; soft-deleted ones stay."""
    lag_s = float(tx.switch("theta", "list_lag_ms")) / 1000
    if tx.now < item["created"] + lag_s:
        return False
    if item["deleted"] is None or tx.now < item["deleted"] + lag_s:
        return True
    return bool(tx.switch("theta", "delete_mode") == "soft")


def view(tx: Tx, item: Mapping[str, Any]) -> dict[str, Any]:
    """One item as the list shows it, by the switches of its profile, annotations, environment and replicas."""
    lag_s = float(tx.switch("theta", "list_lag_ms")) / 1000
    deleted = item["deleted"] if item["deleted"] is not None and tx.now >= item["deleted"] + lag_s else None
    shown = _seed_view(item, tx.now)
    if tx.switch("theta", "suffix_glitch"):
        shown["Suffix"] = _glitch(item["suffix"])
    shown["DeletedAt"] = when(deleted) if deleted is not None else None
    shown["Replicas"] = _replicas(item, str(tx.switch("theta", "replicas_mode")))
    shown["Annotations"] = _annotations(item["annotations"], tx.switch("theta", "annotations_mode"))
    shown["EnvVarsString"], shown["EnvVars"] = _env(item["env"], str(tx.switch("theta", "env_mode")))
    return shown | _extras(item) if tx.switch("theta", "item_profile") == "extended" else shown


def extended_view(tx: Tx, item: Mapping[str, Any]) -> dict[str, Any]:
    """One item with everything, whatever the switches say; only the suffix is the one that the list shows."""
    shown = _seed_view(item, tx.now) | _extras(item)
    if tx.switch("theta", "suffix_glitch"):
        shown["Suffix"] = _glitch(item["suffix"])
    shown["EnvVarsString"], shown["EnvVars"] = _env(item["env"], "both")
    return shown


def when(seconds: float) -> str:
    """RFC 3339 with microseconds and `Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _seed_view(item: Mapping[str, Any], now: float) -> dict[str, Any]:
    """All keys of the seed's item, in its order."""
    since, phase, status = _pod(item, now)
    resources = (machine(item["vm"]) or {"resources": {}})["resources"]
    cpu, mem, storage = (
        f"{resources[key]}{unit}" if key in resources else ""
        for key, unit in (("cpu", "m"), ("mem", "M"), ("storage", "G"))
    )
    gpu = resources.get("gpu", "")
    maker, _, model = resources.get("gpu model", "").partition(" ")
    return {
        "ID": item["number"],
        "CreatedAt": when(item["created"]),
        "UpdatedAt": when(since),
        "DeletedAt": None,
        "UserID": item["user"],
        "ProjectID": item["project"],
        "Shard": item["shard"],
        "Name": item["name"],
        "TemplateName": item["template"],
        "MachineType": item["vm"],
        "Suffix": item["suffix"],
        "Framework": "raw",
        "ImageURL": item["image"],
        "ContainerPort": item["port"],
        "ContainerArgsString": json.dumps(item["args"], separators=(",", ":")) if item["args"] else "",
        "EnvVarsString": "",
        "EnvVars": None,
        "ContainerArgs": item["args"] or None,
        "CPURequest": cpu,
        "CPULimit": cpu,
        "MemRequest": mem,
        "MemLimit": mem,
        "StorageRequest": storage,
        "StorageLimit": storage,
        "GPURequest": gpu,
        "GPULimit": gpu,
        "GPUModel": f"{maker.lower()}_{model.replace(' ', '_')}" if model else "",
        "Replicas": _replicas(item, "min"),
        "PodPhase": _pod_phase(item, phase),
        "Annotations": item["annotations"],
        "AdditionalPorts": None,
        "PortMappings": None,
        "AdditionalLabels": {"org": ORG},
        "Endpoint": f"https://{item['name']}-{item['suffix']}.tec-s{item['shard']}.onthetaedgecloud.com",
        "EndpointStatus": status,
        "NodePublicIP": f"203.0.113.{10 + item['shard']}",
    }


def _extras(item: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that newer clients know. Source: theta §4 public P5 live, P7."""
    vm = machine(item["vm"]) or {"price_hour": "0", "resources": {}}
    return {
        "AuthUsername": item["auth_username"],
        "AuthPassword": item["auth_password"],
        "VolumesString": "",
        "Volumes": None,
        "SelectedRegion": "",
        "Region": f"region-{item['shard']}",
        "Cluster": f"tec-s{item['shard']}",
        "NodeIndex": 0,
        "PriceHr": vm["price_hour"],
        "BaseID": base_id(item),
        "GPUMemory": "",
    }


def base_id(item: Mapping[str, Any]) -> str:
    """Key of the delete-by-base route."""
    return f"base_{_digest('base', item['number'])[:20]}"


def _pod(item: Mapping[str, Any], now: float) -> tuple[float, str, int]:
    """(since when, phase, probe's status) at this moment."""
    if item["stopped"]:
        return item["started"], "", 404
    since, phase, status = item["started"], "Pending", 404
    for after_s, next_phase, next_status in item["timeline"]:
        if now - item["started"] >= after_s:
            since, phase, status = item["started"] + after_s, next_phase, next_status
    return since, phase, 401 if status == _OK and item["auth_username"] else status


def _pod_phase(item: Mapping[str, Any], phase: str) -> str:
    """`<name>-deployment-<suffix>-<hash>-<id>: <phase>`, one for each replica; empty when stopped."""
    if not phase:
        return ""
    pods = []
    for replica in range(max(1, int(item["min"]))):
        mark = _digest("pod", item["number"], replica)
        pods.append(f"{item['name']}-deployment-{item['suffix']}-{mark[:10]}-{mark[10:15]}: {phase}")
    return ", ".join(pods)


def _replicas(item: Mapping[str, Any], mode: str) -> int:
    if item["stopped"]:
        return 0
    low, high = int(item["min"]), int(item["max"])
    return {"min": low, "max": high, "middle": (low + high) // 2}[mode]


def _annotations(stored: Mapping[str, str] | None, mode: str | None) -> dict[str, str] | None:
    if mode in (None, "null") or not stored:
        return None
    if mode == "nickname_only":
        return {"nickname": stored["nickname"]} if "nickname" in stored else None
    return dict(stored)


def _env(env: Mapping[str, str], mode: str) -> tuple[str, dict[str, str] | None]:
    text = json.dumps(dict(env), separators=(",", ":")) if env and mode in ("string", "both") else ""
    return text, dict(env) if env and mode in ("object", "both") else None


def _name(tx: Tx, number: int, template: str, body: Mapping[str, Any]) -> str:
    if tx.switch("theta", "accept_name") and body.get("name"):
        return str(body["name"])
    if template == JUPYTER:
        return f"notebook{tx.count('theta-notebook')}"
    tail = _base36(_digest("name", number))
    if template == GPU_NODE:
        return f"gpunode{tail[:13]}"
    slug = "".join(c for c in template.lower() if c in _DIGITS)
    return f"{slug[:10]}{tail[:10]}"


def _suffix(number: int, style: str) -> str:
    mark = _digest("suffix", number)
    return _base36(mark)[:28] if style == "base36" else mark[:16]


def _glitch(suffix: str) -> str:
    """The same with another last digit, as in the seed's item (theta §10 trap 3)."""
    return suffix[:-1] + _DIGITS[(_DIGITS.index(suffix[-1]) + 1) % 16]


def _digest(*parts: object) -> str:
    """Reproducible hexadecimal noise: the same requests make the same names."""
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()


def _base36(digest: str) -> str:
    value, text = int(digest, 16), ""
    while value:
        value, rest = divmod(value, 36)
        text += _DIGITS[rest]
    return text


def _argon2(password: str) -> str:
    """What looks like argon2id with a random salt: two creates with one password differ (theta §10 trap 9)."""
    salt = secrets.token_bytes(16)
    key = hashlib.scrypt(password.encode(), salt=salt, n=2**10, r=8, p=1, dklen=32)
    told = [base64.b64encode(part).decode().rstrip("=") for part in (salt, key)]
    return f"$argon2id$v=19$m=10240,t=10,p=8${told[0]}${told[1]}"
