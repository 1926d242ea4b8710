"""Checks a create or update body against the release's schema, and against what the field descriptions demand.

Source: runai §3. The switch `strict` says how much: `schema`, `schema+description` or `off`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from reconciler.emulator.runai.shapes import Fields, Flag, Items, Number, Shape, Text
from reconciler.emulator.runai.versions import has

__all__ = ["described_faults", "known_part", "shape_faults", "unknown_keys"]

_MANY: Final = 10_000
_VALUES: Final = {
    "In": (1, _MANY),
    "NotIn": (1, _MANY),
    "Exists": (0, 0),
    "DoesNotExist": (0, 0),
    "Gt": (1, 1),
    "Lt": (1, 1),
}
_UNITS: Final = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    "K": Decimal(1000),
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}
_SOURCES: Final = ("value", "secret", "configMap", "podFieldRef", "userCredential")


def shape_faults(shape: Shape, value: Any, version: str, path: str = "spec") -> Iterator[str]:
    """`path: what is wrong` for each break of the schema; unknown keys are `unknown_keys`' business."""
    if value is None:
        return
    match shape:
        case Text():
            yield from _text_faults(shape, value, version, path)
        case Number():
            yield from _number_faults(shape, value, version, path)
        case Flag():
            if not isinstance(value, bool):
                yield f"{path}: must be a boolean"
        case Items():
            if not isinstance(value, list):
                yield f"{path}: must be an array"
                return
            for index, item in enumerate(value):
                yield from shape_faults(shape.of, item, version, f"{path}[{index}]")
        case Fields():
            yield from _object_faults(shape, value, version, path)


def _object_faults(shape: Fields, value: Any, version: str, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: must be an object"
        return
    for name, member in shape.members.items():
        if not has(version, member.since, member.until):
            continue
        if member.required and value.get(name) is None:
            yield f"{path}.{name}: is required"
        yield from shape_faults(member.shape, value.get(name), version, f"{path}.{name}")


def _text_faults(shape: Text, value: Any, version: str, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path}: must be a string"
        return
    if len(value) < shape.low:
        yield f"{path}: must have at least {shape.low} characters"
    high, choices, pattern = shape.high_in(version), shape.choices_in(version), shape.pattern_in(version)
    if high and len(value) > high:
        yield f"{path}: must have at most {high} characters"
    if choices and value not in choices:
        yield f"{path}: must be one of {', '.join(choices)}"
    if pattern and re.fullmatch(pattern, value) is None:
        yield f"{path}: must match {pattern}"


def _number_faults(shape: Number, value: Any, version: str, path: str) -> Iterator[str]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{path}: must be a number"
        return
    if shape.integer and value != int(value):
        yield f"{path}: must be an integer"
    low = shape.low_in(version)
    if low is not None and value < low:
        yield f"{path}: must be at least {low:g}"
    if shape.high is not None and value > shape.high:
        yield f"{path}: must be at most {shape.high:g}"


def unknown_keys(shape: Shape, value: Any, version: str, path: str = "spec") -> Iterator[str]:
    """Paths of members that this release does not know."""
    if isinstance(shape, Items) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from unknown_keys(shape.of, item, version, f"{path}[{index}]")
    elif isinstance(shape, Fields) and isinstance(value, dict):
        for name, item in value.items():
            member = shape.members.get(name)
            if member is None or not has(version, member.since, member.until):
                yield f"{path}.{name}"
            else:
                yield from unknown_keys(member.shape, item, version, f"{path}.{name}")


def known_part(shape: Shape, value: Any, version: str) -> Any:
    """The value without members that this release does not know, and without nulls (a null is "not given")."""
    if isinstance(shape, Items) and isinstance(value, list):
        return [known_part(shape.of, item, version) for item in value]
    if isinstance(shape, Fields) and isinstance(value, dict):
        return {
            name: known_part(member.shape, value[name], version)
            for name, member in shape.members.items()
            if value.get(name) is not None and has(version, member.since, member.until)
        }
    return value


def described_faults(spec: Mapping[str, Any], version: str) -> Iterator[str]:
    """What the descriptions of the fields demand beyond the schema."""
    if not spec.get("image"):
        yield "spec.image: is required"
    for check in (_compute, _affinity, _autoscaling, _serving_port, _urls, _environment, _storage, _security):
        yield from check(spec, version)
    for index, item in enumerate(spec.get("tolerations") or ()):
        if item.get("seconds") is not None and item.get("effect") != "NoExecute":
            yield f"spec.tolerations[{index}].seconds: only with effect NoExecute"
        if not item.get("name") and has(version, until="2.20"):
            yield f"spec.tolerations[{index}].name: is required"


def _compute(spec: Mapping[str, Any], _version: str) -> Iterator[str]:
    compute = spec.get("compute") or {}
    kind = compute.get("gpuRequestType")
    needs = {"portion": "gpuPortionRequest", "memory": "gpuMemoryRequest", "migProfile": "migProfile"}
    for value, name in needs.items():
        if kind == value and compute.get(name) is None:
            yield f"spec.compute.{name}: is required with gpuRequestType {value}"
        if kind != value and compute.get(name) is not None:
            yield f"spec.compute.{name}: only with gpuRequestType {value}"
    devices = compute.get("gpuDevicesRequest") or 0
    whole = kind == "portion" and compute.get("gpuPortionRequest") == 1
    if kind and devices > 1 and not whole:
        yield "spec.compute.gpuRequestType: only with gpuDevicesRequest 1"
    for name in ("gpuPortion", "gpuMemory", "cpuCore", "cpuMemory"):
        request, limit = (_amount(compute.get(f"{name}{half}")) for half in ("Request", "Limit"))
        if request is not None and limit is not None and limit < request:
            yield f"spec.compute.{name}Limit: must be at least {name}Request"


def _amount(value: Any) -> Decimal | None:
    """A number or a quantity as a number; `None` for what is neither."""
    match = re.fullmatch(r"\+?([0-9]+(?:\.[0-9]*)?)([a-zA-Z]*)", str(value)) if value is not None else None
    if match is None or match[2] not in _UNITS:
        return None
    return Decimal(match[1]) * _UNITS[match[2]]


def _affinity(spec: Mapping[str, Any], _version: str) -> Iterator[str]:
    terms = (spec.get("nodeAffinityRequired") or {}).get("nodeSelectorTerms") or ()
    for number, term in enumerate(terms):
        for index, item in enumerate(term.get("matchExpressions") or ()):
            low, high = _VALUES[item["operator"]]
            if not low <= len(item.get("values") or ()) <= high:
                where = f"spec.nodeAffinityRequired.nodeSelectorTerms[{number}].matchExpressions[{index}]"
                yield f"{where}.values: wrong number for {item['operator']}"


def _autoscaling(spec: Mapping[str, Any], _version: str) -> Iterator[str]:
    scaling = spec.get("autoscaling") or {}
    low = scaling.get("minReplicas", 1)
    high = scaling.get("maxReplicas", low or 1)
    metric = scaling.get("metric")
    if high < low:
        yield "spec.autoscaling.maxReplicas: must be at least minReplicas"
    if low < high and not metric and (low, high) != (0, 1):
        yield "spec.autoscaling.metric: is required when minReplicas is less than maxReplicas"
    if metric and scaling.get("metricThreshold") is None:
        yield "spec.autoscaling.metricThreshold: is required with metric"
    if metric and low == 0 and metric not in {"throughput", "concurrency"}:
        yield "spec.autoscaling.metric: only throughput or concurrency can scale to zero"
    if scaling.get("scaleToZeroRetentionSeconds") and low != 0:
        yield "spec.autoscaling.scaleToZeroRetentionSeconds: only with minReplicas 0"


def _serving_port(spec: Mapping[str, Any], _version: str) -> Iterator[str]:
    port = spec.get("servingPort")
    if port is None:
        return
    if port.get("container") is None:
        yield "spec.servingPort.container: is required"
    kind = port.get("authorizationType") or "public"
    lists = [name for name in ("authorizedUsers", "authorizedGroups") if port.get(name)]
    if len(lists) > 1:
        yield "spec.servingPort.authorizedUsers: mutually exclusive with authorizedGroups"
    if kind == "authorizedUsersOrGroups" and len(lists) != 1:
        yield "spec.servingPort.authorizationType: needs authorizedUsers or authorizedGroups"


def _urls(spec: Mapping[str, Any], _version: str) -> Iterator[str]:
    for index, item in enumerate(spec.get("exposedUrls") or ()):
        if item.get("authorizedUsers") and item.get("authorizedGroups"):
            yield f"spec.exposedUrls[{index}].authorizedUsers: mutually exclusive with authorizedGroups"


def _environment(spec: Mapping[str, Any], _version: str) -> Iterator[str]:
    for index, item in enumerate(spec.get("environmentVariables") or ()):
        given = [name for name in _SOURCES if item.get(name) is not None]
        if len(given) != 1 and item.get("exclude") is not True:
            yield f"spec.environmentVariables[{index}]: exactly one of {', '.join(_SOURCES)}"


def _storage(spec: Mapping[str, Any], _version: str) -> Iterator[str]:
    for index, item in enumerate((spec.get("storage") or {}).get("pvc") or ()):
        where = f"spec.storage.pvc[{index}]"
        info = item.get("claimInfo")
        if item.get("exclude") is True:  # an instruction that leaves a policy's entry out, not a claim
            continue
        if item.get("ephemeral"):
            yield f"{where}.ephemeral: not supported for inference"
        if item.get("existingPvc") and info is not None:
            yield f"{where}.claimInfo: not with existingPvc"
        if not item.get("existingPvc") and not (info or {}).get("size"):
            yield f"{where}.claimInfo.size: is required without existingPvc"


def _security(spec: Mapping[str, Any], _version: str) -> Iterator[str]:
    security = spec.get("security") or {}
    if security.get("uidGidSource", "fromTheImage") == "fromTheImage":
        for name in ("runAsUid", "runAsGid", "supplementalGroups"):
            if security.get(name) is not None:
                yield f"spec.security.{name}: not with uidGidSource fromTheImage"
