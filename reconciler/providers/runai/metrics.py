"""The measurements of one inference and of its pods, and in words what of it did not come. Source: runai §9.

207 is no failure: the body is that of 200, and what is missing in it is named. The older sample writes `labels` as a
text and a blank in the timestamps, where the schema says an object and RFC 3339: both are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.diff.live import Live
from reconciler.diff.metrics import Metrics, Series, values_of
from reconciler.fields.metric import MetricRule
from reconciler.fields.rule import release
from reconciler.problems import ProviderError
from reconciler.providers.http import one_line
from reconciler.providers.runai.client import INFERENCES, WORKLOADS, RunaiClient
from reconciler.providers.runai.metric_types import INFERENCE_TYPES, TYPES, WORKLOAD_TYPES
from reconciler.providers.runai.replies import seconds

__all__ = ["read_metrics"]

_WINDOW_S: Final = 600.0
_SAMPLES: Final = 20
"""The sheet's advice: the last 10 to 30 minutes, 20 samples."""
_MOST_PODS: Final = 20
_MOST_SERIES: Final = 200
_LARGEST: Final = 1e18
"""Nothing that is measured here is larger; what is, is no number."""
_POD_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_LABEL: Final = re.compile(r"""['"]([^'"]*)['"]\s*:\s*['"]([^'"]*)['"]""")
_NOT_FOUND: Final = 404


def read_metrics(
    client: RunaiClient, live: Live, *, version: str, now_s: float, is_time: Callable[[], bool]
) -> Metrics:
    """The last ten minutes of one inference. Raises nothing that a server can cause: it becomes a problem.

    Args:
        client: The control plane.
        live: The inference.
        version: Release of the control plane, which decides what is asked for.
        now_s: The server's present, in seconds since the epoch.
        is_time: Whether a further request may begin.
    """
    reading = _Reading(client, live.id, version, now_s, is_time)
    reading.read(f"{WORKLOADS}/{live.id}/metrics", WORKLOAD_TYPES)
    if reading.read(f"{INFERENCES}/{live.id}/metrics", INFERENCE_TYPES):
        reading.read_pods()
    return Metrics(
        start_s=now_s - _WINDOW_S,
        end_s=now_s,
        samples=_SAMPLES,
        values=values_of(reading.series, TYPES),
        problems=tuple(dict.fromkeys(reading.problems)),
    )


@dataclass(slots=True)
class _Reading:
    """What has come so far of one inference."""

    client: RunaiClient
    live_id: str
    version: str
    now_s: float
    is_time: Callable[[], bool]
    series: list[Series] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def read(self, path: str, rules: Sequence[MetricRule], pod: str = "") -> bool:
        """Ask one route for all that this release has; whether it answered."""
        asked = [rule for rule in rules if release(rule.since) <= release(self.version)]
        self._tell_too_new([rule for rule in rules if rule not in asked])
        if not asked or not self._may_go_on():
            return False
        query = {
            "metricType": ",".join(rule.type for rule in asked),
            "start": _moment(self.now_s - _WINDOW_S),
            "end": _moment(self.now_s),
            "numberOfSamples": str(_SAMPLES),
        }
        try:
            reply = self.client.measure(path, query)
            found = _series(reply.body, pod)
        except ProviderError as error:
            self._tell(error, asked)
            return False
        missing = [rule.type for rule in asked if rule.type not in {one.type for one in found}]
        if missing:
            of_pod = f" of pod {pod}" if pod else ""
            self.problems.append(f"{', '.join(missing)}{of_pod} did not come (HTTP {reply.status})")
        self.series += found
        return True

    def read_pods(self) -> None:
        """Ask for each pod that runs."""
        if not self._may_go_on():
            return
        try:
            pods = [pod for pod in self.client.pods(self.live_id) if pod.get("deletedAt") is None]
        except ProviderError as error:
            self.problems.append(f"its pods are not known: {error}")
            return
        sound = [pod for pod in pods if _POD_ID.fullmatch(str(pod["id"]))]
        if len(sound) > _MOST_PODS:
            self.problems.append(f"{len(sound)} pods, of which {_MOST_PODS} were asked for")
        for name, pod_id in _named(sound[:_MOST_PODS]):
            self.read(f"{INFERENCES}/{self.live_id}/pods/{pod_id}/metrics", INFERENCE_TYPES, name)

    def _may_go_on(self) -> bool:
        may = self.is_time()
        if not may:
            self.problems.append("the rest was not asked for: reading metrics has taken too long already")
        return may

    def _tell_too_new(self, rules: Iterable[MetricRule]) -> None:
        by_release: dict[str, list[str]] = {}
        for rule in rules:
            by_release.setdefault(rule.since, []).append(rule.type)
        for since, types in by_release.items():
            self.problems.append(
                f"Run:ai {self.version}, as reconciler.yaml says, does not tell {', '.join(types)} (from {since} on)"
            )

    def _tell(self, error: ProviderError, asked: Sequence[MetricRule]) -> None:
        why = ""
        if error.status == _NOT_FOUND:
            first = min((rule.since for rule in asked), key=release)
            why = f" (it has just gone, or this server is older than {first}, the first release that tells metrics)"
        self.problems.append(f"{error}{why}")


def _named(pods: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(name for people, id) of each pod, by name; two of one name are told apart by their ids."""
    names = [one_line(pod.get("name") or pod["id"], 200) for pod in pods]
    ids = [str(pod["id"]) for pod in pods]
    told = [f"{name} ({one})" if names.count(name) > 1 else name for name, one in zip(names, ids, strict=True)]
    return sorted(zip(told, ids, strict=True))


def _series(body: Any, pod: str) -> list[Series]:
    """What a reply measures; types that we did not ask for are left to the table.

    Raises:
        ProviderError: `unexpected-reply`.
    """
    rows = body.get("measurements") if isinstance(body, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ProviderError("the reply holds no list of measurements", code="unexpected-reply")
    return [
        Series(
            type=str(row.get("type")), samples=_samples(row.get("values")), pod=pod, labels=_labels(row.get("labels"))
        )
        for row in rows[:_MOST_SERIES]
    ]


def _samples(values: Any) -> tuple[float, ...]:
    rows = [row for row in values if isinstance(row, Mapping)] if isinstance(values, list) else []
    dated = [(seconds(str(row.get("timestamp") or "").replace(" ", "T", 1)), row) for row in rows]
    if all(at for at, _ in dated):
        dated.sort(key=lambda pair: pair[0])
    numbers = (_number(row.get("value")) for _, row in dated)
    return tuple(number for number in numbers if number is not None)


def _number(value: Any) -> float | None:
    """A sample, which comes as text; `NaN` says that there was nothing to measure."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= _LARGEST else None  # NaN is not, either


def _labels(written: Any) -> dict[str, str]:
    if isinstance(written, str):
        return dict(_LABEL.findall(written))
    if not isinstance(written, Mapping):
        return {}
    return {str(key): str(value) for key, value in written.items() if value is not None}


def _moment(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
