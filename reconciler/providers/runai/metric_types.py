"""What is read of an inference for `--metrics`, and in which unit it comes. Source: runai §9."""

from __future__ import annotations

from typing import Final

from reconciler.fields.metric import MetricRule

__all__ = ["INFERENCE_TYPES", "TYPES", "WORKLOAD_TYPES"]

WORKLOAD_TYPES: Final = (
    MetricRule(
        type="GPU_UTILIZATION", title="GPU", unit="percent", of="GPU_ALLOCATION", since="2.18", source="§9 inferred"
    ),
    MetricRule(type="GPU_ALLOCATION", unit="GPUs", shown=False, since="2.18", source="§9 public"),
    MetricRule(
        type="GPU_MEMORY_USAGE_BYTES",
        title="GPU memory",
        unit="bytes",
        of="GPU_MEMORY_REQUEST_BYTES",
        since="2.18",
        source="§9 public",
    ),
    MetricRule(type="GPU_MEMORY_REQUEST_BYTES", unit="bytes", shown=False, since="2.18", source="§9 public"),
    MetricRule(
        type="CPU_USAGE_CORES", title="CPU", unit="cores", of="CPU_REQUEST_CORES", since="2.18", source="§9 public"
    ),
    MetricRule(type="CPU_REQUEST_CORES", unit="cores", shown=False, since="2.18", source="§9 public"),
    MetricRule(
        type="CPU_MEMORY_USAGE_BYTES",
        title="memory",
        unit="bytes",
        of="CPU_MEMORY_REQUEST_BYTES",
        since="2.18",
        source="§9 public",
    ),
    MetricRule(type="CPU_MEMORY_REQUEST_BYTES", unit="bytes", shown=False, since="2.18", source="§9 public"),
    MetricRule(type="RUNNING_POD_COUNT", unit="pods", of="POD_COUNT", since="2.18", source="§9 public"),
    MetricRule(type="POD_COUNT", unit="pods", shown=False, since="2.18", source="§9 public"),
)
"""Of the route for workloads of any type."""

INFERENCE_TYPES: Final = (
    MetricRule(type="THROUGHPUT", unit="requests/s", since="2.18", source="§9 inferred"),
    MetricRule(type="LATENCY", title="latency", unit="ms", since="2.18", source="§9 inferred"),
)
"""Of the two routes for inferences and for their pods."""

TYPES: Final = (*WORKLOAD_TYPES, *INFERENCE_TYPES)
