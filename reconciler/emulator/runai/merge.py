"""What a reply's `spec` holds: the request, with policy and schema defaults merged in, or as it was sent.

Source: runai §4.2; switches `echo`, `policy`, `reorderLists`, `rewriteQuantities`.
"""

from __future__ import annotations

import random
import re
from typing import Any, Final

from reconciler.emulator.runai.replies import switch
from reconciler.emulator.runai.versions import NAME, has, release_of
from reconciler.emulator.store import Tx

__all__ = ["policy_faults", "policy_of", "shown_spec"]

_SHUFFLED: Final = ("environmentVariables", "annotations", "labels", "tolerations", "ports", "exposedUrls")
_BIGGER: Final = (("Ki", "Mi", 1024), ("Mi", "Gi", 1024), ("K", "M", 1000), ("M", "G", 1000), ("G", "T", 1000))


def policy_of(tx: Tx) -> dict[str, Any]:
    """The effective policy of the project: `{"defaults": {...}, "rules": {...}}`."""
    policy = tx.switch(NAME, "policy")
    return dict(policy) if isinstance(policy, dict) else {}


def policy_faults(tx: Tx, spec: dict[str, Any]) -> list[str]:
    """What the policy's rules refuse: `canAdd`, `canEdit`, `min`, `max`, `options`, `required`."""
    return _rule_faults(policy_of(tx).get("rules") or {}, spec, "spec")


def _rule_faults(rules: dict[str, Any], value: Any, path: str) -> list[str]:
    faults: list[str] = []
    for name, rule in rules.items():
        if not isinstance(rule, dict):
            continue
        given = value.get(name) if isinstance(value, dict) else None
        where = f"{path}.{name}"
        instances = rule.get("instances")
        if isinstance(instances, dict) and instances.get("canAdd") is False and given:
            faults.append(f"{where}: the policy allows no further instances")
        if rule.get("required") is True and given is None:
            faults.append(f"{where}: is required by the policy")
        if given is not None:
            faults.extend(_value_faults(rule, given, where))
        faults.extend(_rule_faults({k: v for k, v in rule.items() if k != "instances"}, given, where))
    return faults


def _value_faults(rule: dict[str, Any], given: Any, where: str) -> list[str]:
    faults = [f"{where}: the policy does not allow editing"] if rule.get("canEdit") is False else []
    if isinstance(given, int | float) and not isinstance(given, bool):
        if "min" in rule and given < rule["min"]:
            faults.append(f"{where}: the policy's minimum is {rule['min']}")
        if "max" in rule and given > rule["max"]:
            faults.append(f"{where}: the policy's maximum is {rule['max']}")
    options = [option.get("value") if isinstance(option, dict) else option for option in rule.get("options") or ()]
    if options and given not in options:
        faults.append(f"{where}: the policy allows {', '.join(map(str, options))}")
    return faults


def shown_spec(tx: Tx, item: dict[str, Any]) -> dict[str, Any]:
    """The `spec` of a detail reply."""
    spec: dict[str, Any] = _copied(item["spec"])
    if switch(tx, "echo") == "merged":
        version = release_of(tx).version
        _merge_policy(spec, policy_of(tx).get("defaults") or {}, version)
        _drop_excluded(spec)
        _schema_defaults(spec, item, version)
    if tx.switch(NAME, "rewriteQuantities") is True:
        spec = _rewritten(spec)
    if tx.switch(NAME, "reorderLists") is True:
        for name in _SHUFFLED:
            random.shuffle(spec.get(name, []))
    return spec


def _copied(value: Any) -> Any:
    """A copy of JSON, in a quarter of `deepcopy`'s time."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _merge_policy(spec: dict[str, Any], defaults: dict[str, Any], version: str) -> None:
    for name, default in defaults.items():
        if isinstance(default, dict) and "instances" in default:
            mine = spec.setdefault(name, [])
            names = {entry.get("name") for entry in mine}
            extra = {"exclude": False} if has(version, "2.21") else {}
            mine.extend({**entry, **extra} for entry in default["instances"] if entry.get("name") not in names)
        elif isinstance(default, dict):
            inner = spec.setdefault(name, {})
            if isinstance(inner, dict):
                _merge_policy(inner, default, version)
        else:
            spec.setdefault(name, default)


def _drop_excluded(value: Any) -> None:
    """`exclude: true` is an instruction, not state."""
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if isinstance(inner, list):
            value[name] = [one for one in inner if not (isinstance(one, dict) and one.get("exclude") is True)]
        _drop_excluded(inner)


def _schema_defaults(spec: dict[str, Any], item: dict[str, Any], version: str) -> None:
    image = str(spec.get("image") or "")
    latest = image.endswith(":latest") or ":" not in image.rpartition("/")[2]
    spec.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
    if item.get("default_node_pools"):
        spec.setdefault("nodePools", list(item["default_node_pools"]))
    if has(version, "2.22"):
        spec.setdefault("priorityClass", "very-high")
    _autoscaling_defaults(spec.setdefault("autoscaling", {}), version)
    port = spec.get("servingPort")
    if port is not None:
        port.setdefault("protocol", "http")
        if has(version, "2.19"):
            port.setdefault("authorizationType", "public")
            port.setdefault("clusterLocalAccessOnly", False)
    if spec.get("security") is not None:
        spec["security"].setdefault("uidGidSource", "fromTheImage")
    for index, one in enumerate(spec.get("ports") or ()):
        one.setdefault("external", 30000 + (int(item["id"][:4], 16) + index) % 2768)
    for index, one in enumerate(spec.get("exposedUrls") or ()):
        one.setdefault("url", f"https://{item['name']}-{index}.{item['project_name']}.runai.example.com")
    probe = ((spec.get("probes") or {}).get("readiness") or {}).get("handler") or {}
    if probe.get("httpGet") is not None:
        probe["httpGet"].setdefault("path", "/")
        probe["httpGet"].setdefault("scheme", "HTTP")
    _storage_defaults(spec.get("storage") or {}, item)


def _autoscaling_defaults(scaling: dict[str, Any], version: str) -> None:
    low = scaling.setdefault("minReplicas", 1)
    scaling.setdefault("maxReplicas", low or 1)
    if low == 0:
        scaling.setdefault("scaleToZeroRetentionSeconds", 0)
    if has(version, "2.20"):
        scaling.setdefault("initialReplicas", low or 1)
        scaling.setdefault("activationReplicas", low or 1)
        if scaling.get("metric") in {"throughput", "concurrency"}:
            scaling.setdefault("metricThresholdPercentage", 70)


def _storage_defaults(storage: dict[str, Any], item: dict[str, Any]) -> None:
    for index, one in enumerate(storage.get("pvc") or ()):
        one.setdefault("existingPvc", False)
        one.setdefault("readOnly", False)
        one.setdefault("ephemeral", False)
        one.setdefault("claimName", f"{item['name']}-pvc-{index}"[:63])
        if one.get("claimInfo") is not None:
            modes = one["claimInfo"].setdefault("accessModes", {})
            for mode, default in (("readWriteOnce", True), ("readOnlyMany", False), ("readWriteMany", False)):
                modes.setdefault(mode, default)
            one["claimInfo"].setdefault("volumeMode", "Filesystem")
    for one in storage.get("git") or ():
        if one.get("passwordSecret"):
            one.setdefault("secretKeyOfUser", "User")
            one.setdefault("secretKeyOfPassword", "Password")
    for kind in ("nfs", "hostPath"):
        for one in storage.get(kind) or ():
            one.setdefault("readOnly", True)


def _rewritten(spec: dict[str, Any]) -> dict[str, Any]:
    """Quantities in other words: `1000M` as `1G`, `20480Mi` as `20Gi`, half a core as `500m`."""
    compute = spec.get("compute") or {}
    for name in ("gpuMemoryRequest", "gpuMemoryLimit", "cpuMemoryRequest", "cpuMemoryLimit"):
        if isinstance(compute.get(name), str):
            compute[name] = _shorter(compute[name])
    for name in ("cpuCoreRequest", "cpuCoreLimit"):
        if isinstance(compute.get(name), float):
            compute[name] = f"{round(compute[name] * 1000)}m"
    return spec


def _shorter(text: str) -> str:
    match = re.fullmatch(r"([0-9]+)([A-Za-z]+)", text)
    for small, big, factor in _BIGGER if match else ():
        if match is not None and match[2] == small and int(match[1]) % factor == 0:
            return _shorter(f"{int(match[1]) // factor}{big}")
    return text
