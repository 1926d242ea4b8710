"""Rules across the fields of `spec.compute`. Source: runai §3.3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from reconciler.fields import Finding
from reconciler.fields.normalise import quantity
from reconciler.fields.rule import release
from reconciler.providers.runai.versions import version_of
from reconciler.spec.values import is_pending

__all__ = ["compute"]

_GPU_FIELDS: Final = {"portion": "gpuPortionRequest", "memory": "gpuMemoryRequest", "migProfile": "migProfile"}
_LIMITS: Final = (
    ("gpuPortionRequest", "gpuPortionLimit"),
    ("gpuMemoryRequest", "gpuMemoryLimit"),
    ("cpuCoreRequest", "cpuCoreLimit"),
    ("cpuMemoryRequest", "cpuMemoryLimit"),
)


def compute(document: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterable[Finding]:
    """Portion, memory and MIG exclude one another; limits are no smaller than requests. Source: runai §3.3."""
    section = (document.get("spec") or {}).get("compute")
    if not isinstance(section, Mapping):
        return
    kind = section.get("gpuRequestType")
    given = {value: name for value, name in _GPU_FIELDS.items() if section.get(name) is not None}
    if kind in _GPU_FIELDS and not given:
        yield Finding(
            code="missing-field",
            path="compute.gpuRequestType",
            wrong=f"gpuRequestType is {kind}, and {_GPU_FIELDS[kind]} is missing",
            expected=f"{_GPU_FIELDS[kind]} beside it",
        )
    for value, name in given.items():
        if kind != value and not is_pending(kind):
            meant = f", or {_GPU_FIELDS[kind]} instead of {name}" if kind in _GPU_FIELDS else f", or no {name}"
            yield Finding(
                code="not-allowed-here",
                path=f"compute.{name}",
                wrong=f"{name} goes with gpuRequestType {value}, and that is {kind or 'not written'}",
                expected=f"gpuRequestType: {value}{meant}",
                others=("compute.gpuRequestType",) if kind else (),
            )
    yield from _many_devices(section)
    yield from _gpu_limits(section, kind)
    for low, high in _LIMITS:
        request, limit = quantity(section.get(low)), quantity(section.get(high))
        if isinstance(request, Decimal) and isinstance(limit, Decimal) and limit < request:
            yield Finding(
                code="limit-below-request",
                path=f"compute.{high}",
                wrong=f"{high} is less than {low}",
                expected=f"at least {section[low]}",
                others=(f"compute.{low}",),
            )
    new = release(version_of(settings)) > release("2.23")
    if kind == "migProfile" and new and "migProfile" not in given:  # of a written profile its release is told
        yield Finding(
            code="not-in-version",
            path="compute.gpuRequestType",
            wrong=f"gpuRequestType migProfile does not exist in Run:ai {version_of(settings)}",
            expected="portion or memory (MIG profiles exist up to 2.23)",
        )


def _many_devices(section: Mapping[str, Any]) -> Iterator[Finding]:
    devices, kind = section.get("gpuDevicesRequest"), section.get("gpuRequestType")
    if not isinstance(devices, int) or devices == 1 or kind is None or is_pending(kind):
        return
    portion = section.get("gpuPortionRequest")
    if kind == "portion" and devices > 1 and (is_pending(portion) or quantity(portion) == 1):
        return
    yield Finding(
        code="not-allowed-here",
        path="compute.gpuRequestType",
        wrong=f"gpuRequestType is {kind}, and gpuDevicesRequest is {devices}",
        expected="gpuDevicesRequest: 1; whole devices need no gpuRequestType",
        others=("compute.gpuDevicesRequest",),
    )


def _gpu_limits(section: Mapping[str, Any], kind: Any) -> Iterator[Finding]:
    for value, name in (("portion", "gpuPortionLimit"), ("memory", "gpuMemoryLimit")):
        if section.get(name) is not None and kind != value and not is_pending(kind):
            yield Finding(
                code="not-allowed-here",
                path=f"compute.{name}",
                wrong=f"{name} goes with gpuRequestType {value}, and that is {kind or 'not written'}",
                expected=f"gpuRequestType: {value}, or no {name}",
            )
    portion = quantity(section.get("gpuPortionRequest"))
    if isinstance(portion, Decimal) and portion > 1:
        yield Finding(
            code="out-of-range",
            path="compute.gpuPortionRequest",
            wrong=f"a portion of {portion} is more than one device",
            expected="a number from 0 to 1",
        )
