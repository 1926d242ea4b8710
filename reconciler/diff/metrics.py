"""What a provider measured of something live: shown beside a list or a report, never compared, in no digest."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.fields.metric import MetricRule

__all__ = ["Metrics", "Series", "Value", "values_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One type's samples as they came, oldest first; `pod` is empty for the workload as a whole.

    What is no number (`NaN`, nothing at all) is not among the samples.
    """

    type: str
    samples: tuple[float, ...]
    pod: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A series in a few numbers; all `None` where nothing was measured. `of`: the newest value of `rule.of`."""

    rule: MetricRule
    pod: str
    labels: Mapping[str, str]
    samples: int
    last: float | None = None
    mean: float | None = None
    most: float | None = None
    of: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """All that was measured of one live thing, or why not.

    Attributes:
        start_s, end_s: From when to when, in seconds since the epoch.
        samples: How many were asked for of each type.
        values: What came.
        problems: What did not come, and why, in sentences.
    """

    start_s: float = 0.0
    end_s: float = 0.0
    samples: int = 0
    values: tuple[Value, ...] = ()
    problems: tuple[str, ...] = ()


def values_of(series: Sequence[Series], rules: Iterable[MetricRule]) -> tuple[Value, ...]:
    """Series as values, the workload's before its pods', in the order of the table; of an unknown type none."""
    table = {rule.type: rule for rule in rules}
    order = {name: place for place, name in enumerate(table)}
    known = sorted((one for one in series if one.type in table), key=lambda one: (one.pod, order[one.type]))
    newest = {(one.pod, one.type): one.samples[-1] for one in known if one.samples}
    return tuple(_value(one, table[one.type], newest.get((one.pod, table[one.type].of))) for one in known)


def _value(series: Series, rule: MetricRule, of: float | None) -> Value:
    found = series.samples
    value = Value(rule=rule, pod=series.pod, labels=series.labels, samples=len(found), of=of)
    if not found:
        return value
    return dataclasses.replace(value, last=found[-1], mean=math.fsum(found) / len(found), most=max(found))
