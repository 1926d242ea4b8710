"""Measurements as JSON and in words: `GPU 63 %, GPU memory 12 of 40 GiB, 12.4 requests/s`. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.diff.metrics import Metrics, Value
from reconciler.render.safe import for_terminal

__all__ = ["metrics_json", "metrics_lines", "metrics_note"]

_GIB: Final = 2**30
_MIB: Final = 2**20
_WHOLE: Final = 100
_NAME: Final = 80
"""Characters of a pod's name or of a label that are shown."""


def metrics_json(metrics: Metrics | None) -> dict[str, Any] | None:
    """One thing's measurements; null for a kind that has none. Times in seconds since the epoch."""
    if metrics is None:
        return None
    return {
        "from": round(metrics.start_s) or None,
        "to": round(metrics.end_s) or None,
        "samples": metrics.samples,
        "values": [_value(value) for value in metrics.values],
        "problems": list(metrics.problems),
    }


def _value(value: Value) -> dict[str, Any]:
    return {
        "type": value.rule.type,
        "title": value.rule.title,
        "unit": value.rule.unit,
        "scope": "pod" if value.pod else "workload",
        "pod": value.pod or None,
        "labels": dict(sorted(value.labels.items())),
        "samples": value.samples,
        "last": _rounded(value.last),
        "mean": _rounded(value.mean),
        "max": _rounded(value.most),
        "of": _rounded(value.of),
        "shown": value.rule.shown,
    }


def _rounded(number: float | None) -> float | int | None:
    if number is None:
        return None
    short = round(number, 6)
    return int(short) if short == int(short) else short


# -- in words -------------------------------------------------------------------------------------------------------


def metrics_lines(metrics: Mapping[str, Any] | None) -> Iterator[str]:
    """The newest values, a line for the workload, one for each of its pods, one for each thing that did not come."""
    if metrics is None:
        return
    pods = dict.fromkeys(value["pod"] for value in metrics["values"])
    measured = False
    for pod in pods:
        told = [_words(value) for value in metrics["values"] if value["pod"] == pod and value["shown"]]
        shown = [text for text in told if text]
        if shown:
            measured = True
            yield for_terminal(f"{f'pod {_cut(pod)}: ' if pod else ''}{', '.join(shown)}")
    if metrics["values"] and not measured:
        yield "metrics: nothing was measured in this time"
    label = "metrics" if metrics["values"] else "no metrics"
    yield from (for_terminal(f"{label}: {problem}") for problem in metrics["problems"])


def metrics_note(shown: Iterable[Mapping[str, Any] | None]) -> str:
    """What the numbers are, in one sentence."""
    spans = {one["to"] - one["from"] for one in shown if one is not None and one["from"] and one["to"]}
    lately = f" of the last {max(spans) / 60:.0f} min" if spans else ""
    return f"Metrics: the newest values{lately}; shown, never compared."


def _words(value: Mapping[str, Any]) -> str:
    """One value: `GPU memory 12 of 40 GiB`, `latency 180 ms`; empty where nothing was measured, or of nothing."""
    if value["last"] is None or value["of"] == 0:
        return ""
    labels = " ".join(f"{_cut(key)}={_cut(text)}" for key, text in value["labels"].items())
    name = " ".join(part for part in (value["title"], labels) if part)
    number, unit = _scaled(value["last"], value["of"], value["unit"])
    return " ".join(part for part in (name, number, unit) if part)


def _scaled(last: float, of: float | None, unit: str) -> tuple[str, str]:
    if unit == "bytes":
        size, unit = (_GIB, "GiB") if max(last, of or 0) >= _GIB else (_MIB, "MiB")
        last, of = last / size, of / size if of is not None else None
    if unit == "percent":
        return _number(last), "%"
    return _number(last) if of is None else f"{_number(last)} of {_number(of)}", unit


def _number(number: float) -> str:
    """Three digits that matter, and all of those before the point."""
    return f"{number:,.0f}" if abs(number) >= _WHOLE else f"{number:.3g}"


def _cut(text: str) -> str:
    return text if len(text) <= _NAME else text[: _NAME - 1] + "…"
