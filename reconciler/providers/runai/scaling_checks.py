"""Rules across the fields of `spec.autoscaling`. Source: runai §3.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.fields import Finding
from reconciler.fields.rule import release
from reconciler.providers.runai.versions import version_of

__all__ = ["autoscaling"]

_TO_ZERO: Final = ("throughput", "concurrency")
_BUILT_IN: Final = ("throughput", "concurrency", "latency")


def autoscaling(document: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterable[Finding]:
    """Bounds, and which metric they need. Source: runai §3.4."""
    section = (document.get("spec") or {}).get("autoscaling")
    if not isinstance(section, Mapping):
        return
    low = section.get("minReplicas", 1) if section.get("minReplicas") is not None else 1
    written_high = section.get("maxReplicas")
    high = (low or 1) if written_high is None and isinstance(low, int) else written_high
    metric = section.get("metric")
    if isinstance(low, int) and isinstance(high, int):
        yield from _bounds(low, high, metric)
    yield from _metric(section, low, metric)
    if isinstance(metric, str) and metric not in _BUILT_IN and release(version_of(settings)) < release("2.20"):
        yield Finding(
            code="not-in-version",
            path="autoscaling.metric",
            wrong=f"metric {metric!r} does not exist in Run:ai {version_of(settings)}",
            expected="throughput, concurrency or latency (custom metrics exist from 2.20 on)",
        )


def _bounds(low: int, high: int, metric: Any) -> Iterator[Finding]:
    if high < low:
        yield Finding(
            code="out-of-range",
            path="autoscaling.maxReplicas",
            wrong=f"maxReplicas {high} is less than minReplicas {low}",
            expected=f"at least {low}",
            others=("autoscaling.minReplicas",),
        )
    elif low < high and metric is None and (low, high) != (0, 1):
        yield Finding(
            code="missing-field",
            path="autoscaling",
            wrong=f"replicas may move from {low} to {high}, and no metric says when",
            expected="metric: throughput, concurrency, latency or a custom one; and metricThreshold",
        )


def _metric(section: Mapping[str, Any], low: Any, metric: Any) -> Iterator[Finding]:
    if metric is not None and section.get("metricThreshold") is None:
        yield Finding(
            code="missing-field",
            path="autoscaling.metric",
            wrong="metric is written, and metricThreshold is missing",
            expected="metricThreshold beside it",
        )
    if metric is None and section.get("metricThreshold") is not None:
        yield Finding(
            code="missing-field",
            path="autoscaling.metricThreshold",
            wrong="metricThreshold is written, and metric is missing",
            expected="metric beside it",
        )
    if low == 0 and isinstance(metric, str) and metric not in _TO_ZERO:
        yield Finding(
            code="not-allowed-here",
            path="autoscaling.metric",
            wrong=f"minReplicas is 0, and metric {metric} can't scale to zero",
            expected="throughput or concurrency",
            others=("autoscaling.minReplicas",),
        )
    known = metric is None or isinstance(metric, str)
    with_it = f"with metric {metric}" if metric else "without a metric"
    if known and metric not in _TO_ZERO and section.get("metricThresholdPercentage") is not None:
        yield Finding(
            code="not-allowed-here",
            path="autoscaling.metricThresholdPercentage",
            wrong=f"metricThresholdPercentage means nothing {with_it}",
            expected="metric throughput or concurrency, or no metricThresholdPercentage",
        )
    retention = section.get("scaleToZeroRetentionSeconds")
    if isinstance(low, int) and low > 0 and isinstance(retention, int) and retention > 0:
        yield Finding(
            code="not-allowed-here",
            path="autoscaling.scaleToZeroRetentionSeconds",
            wrong=f"scaleToZeroRetentionSeconds is written, and minReplicas is {low}",
            expected="minReplicas: 0, or no scaleToZeroRetentionSeconds",
        )
