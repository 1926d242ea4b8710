"""Measurements of a workload and of its pods: made up, and the same for the same moment. Source: runai §9."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from reconciler.emulator.runai.lifecycle import serving_since
from reconciler.emulator.runai.replies import fail, switch, timestamp
from reconciler.emulator.store import Tx
from reconciler.emulator.wire import Request, Response

__all__ = ["INFERENCE_METRICS", "WORKLOAD_METRICS", "Measured", "metrics"]

INFERENCE_METRICS: Final = ("THROUGHPUT", "LATENCY")
WORKLOAD_METRICS: Final = (
    "GPU_UTILIZATION",
    "GPU_ALLOCATION",
    "GPU_MEMORY_USAGE_BYTES",
    "GPU_MEMORY_REQUEST_BYTES",
    "CPU_USAGE_CORES",
    "CPU_REQUEST_CORES",
    "CPU_LIMIT_CORES",
    "CPU_MEMORY_USAGE_BYTES",
    "CPU_MEMORY_REQUEST_BYTES",
    "CPU_MEMORY_LIMIT_BYTES",
    "POD_COUNT",
    "RUNNING_POD_COUNT",
)
_TOP_SAMPLES: Final = 1000
_WAVE_S: Final = 30
"""How long a value stands: two readings of one moment are equal, those of a minute later are not."""
_GRAIN_S: Final = 1.0
"""What the newest moment may lie ahead: times on the wire are rounded."""
_GIB: Final = 2**30
_GPU_GIB: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is measured: the stored workload, and the ids of its pods now, or of the one that is asked for."""

    item: Mapping[str, Any]
    pods: Sequence[str]


def metrics(tx: Tx, request: Request, measured: Measured, known: tuple[str, ...]) -> Response:
    """`{"measurements": [{"type", "labels", "values"}]}`, or CSV.

    The switch `metrics` = `partial` leaves the last asked type out and answers 207. What does not serve yet has zeros,
    and no latency (`NaN`, as a rate divided by no request is). A client whose clock is behind the emulated one asks of
    a time before the workload: to it, its own present counts as the emulated one.
    """
    types = [name for text in request.every("metricType") for name in text.split(",") if name]
    try:
        start, end = (_seconds(request.first(name)) for name in ("start", "end"))
        samples = int(request.first("numberOfSamples", "20"))
    except ValueError:
        return fail(400, details="start, end: must be RFC 3339 times; numberOfSamples: an integer")
    if not types or any(name not in known for name in types):
        return fail(400, details=f"metricType: must be some of {', '.join(known)}")
    if not 0 <= samples <= _TOP_SAMPLES or end < start:
        return fail(400, details="numberOfSamples: 0 to 1000; end: after start")
    partial = switch(tx, "metrics") == "partial"
    since = serving_since(measured.item)
    behind = tx.now - end if end < since else 0.0
    step = (end - start) / samples if samples else 0.0
    moments = [start + (index + 1) * step for index in range(samples)]
    told = [
        (
            name,
            [
                (timestamp(at), _value(name, at, measured, is_on=since <= at + behind <= tx.now + _GRAIN_S))
                for at in moments
            ],
        )
        for name in (types[:-1] if partial else types)
    ]
    return _response(request, told, 207 if partial else 200)


def _response(request: Request, told: list[tuple[str, list[tuple[str | None, str]]]], status: int) -> Response:
    if "text/csv" in request.headers.get("accept", ""):
        rows = [f"{name},{at},{value}" for name, values in told for at, value in values]
        text = "\n".join(["type,timestamp,value", *rows]) + "\n"
        return Response(status=status, body=text.encode(), media_type="text/csv")
    measurements = [
        {"type": name, "labels": {}, "values": [{"value": value, "timestamp": at} for at, value in values]}
        for name, values in told
    ]
    return Response(status=status, body={"measurements": measurements})


def _value(name: str, at: float, measured: Measured, *, is_on: bool) -> str:
    """One sample, as text. Each pod and type has its wave of 0 to 20, and a workload what its pods have together.

    Of a pod's id only the end counts, which is its number: the rest is another one each time.
    """
    if not is_on or not measured.pods:
        return "NaN" if name == "LATENCY" else "0"
    seeds = (zlib.crc32(f"{measured.item['name']}/{pod[-4:]}/{name}".encode()) for pod in measured.pods)
    wave = sum((int(at // _WAVE_S) * 7 + seed) % 21 for seed in seeds) / len(measured.pods)
    return f"{_MADE[name](_Size.of(measured), wave):.12g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """What the pods asked for together: GPUs, cores, GiB."""

    pods: int
    gpus: float
    cores: float
    gib: float

    @classmethod
    def of(cls, measured: Measured) -> _Size:
        """Of these pods."""
        compute = measured.item["spec"].get("compute") or {}
        pods = len(measured.pods)
        gpus = (compute.get("gpuDevicesRequest") or 0) * (compute.get("gpuPortionRequest") or 1)
        return cls(pods=pods, gpus=pods * gpus, cores=pods * float(compute.get("cpuCoreRequest") or 1), gib=pods * 2.0)


_MADE: Final[Mapping[str, Callable[[_Size, float], float]]] = {
    "GPU_UTILIZATION": lambda size, wave: 50 + wave if size.gpus else 0,
    "GPU_ALLOCATION": lambda size, _: size.gpus,
    "GPU_MEMORY_USAGE_BYTES": lambda size, wave: size.gpus * _GPU_GIB * _GIB * (40 + wave) // 100,
    "GPU_MEMORY_REQUEST_BYTES": lambda size, _: size.gpus * _GPU_GIB * _GIB,
    "CPU_USAGE_CORES": lambda size, wave: size.cores * (30 + wave) / 100,
    "CPU_REQUEST_CORES": lambda size, _: size.cores,
    "CPU_LIMIT_CORES": lambda size, _: size.cores * 2,
    "CPU_MEMORY_USAGE_BYTES": lambda size, wave: size.gib * _GIB * (60 + wave) // 100,
    "CPU_MEMORY_REQUEST_BYTES": lambda size, _: size.gib * _GIB,
    "CPU_MEMORY_LIMIT_BYTES": lambda size, _: size.gib * _GIB * 2,
    "POD_COUNT": lambda size, _: size.pods,
    "RUNNING_POD_COUNT": lambda size, _: size.pods,
    "THROUGHPUT": lambda size, wave: size.pods * (5 + wave / 2),
    "LATENCY": lambda _, wave: 120 + 4 * wave,
}
"""Type → value: percent, GPUs, bytes, cores, pods, requests a second, milliseconds (inferred: runai §9)."""


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.timestamp()
