"""How measurements read: short, in the units of people, with nothing that speaks to a terminal or to Markdown."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.diff.metrics import Metrics, Series, values_of
from reconciler.fields.metric import MetricRule
from reconciler.render.drift import drift_text
from reconciler.render.drift_markdown import drift_markdown
from reconciler.render.metrics import metrics_json, metrics_lines, metrics_note
from reconciler.render.rows import ListRow
from reconciler.render.style import Style
from reconciler.render.text import list_text
from tests.render.pages import assert_whole
from tests.render.test_drift_markdown import drift
from tests.render.test_machine import SCHEMAS

RULES = (
    MetricRule(type="BUSY", title="GPU", unit="percent", of="GPUS", source="§9"),
    MetricRule(type="GPUS", unit="GPUs", shown=False, source="§9"),
    MetricRule(type="USED", title="memory", unit="bytes", of="ASKED", source="§9"),
    MetricRule(type="ASKED", unit="bytes", shown=False, source="§9"),
    MetricRule(type="RATE", unit="requests/s", source="§9"),
    MetricRule(type="DELAY", title="latency", unit="ms", source="§9"),
)
GIB = 2**30


def metrics(*series: Series, problems: tuple[str, ...] = ()) -> Metrics:
    return Metrics(start_s=1000, end_s=1600, samples=20, values=values_of(series, RULES), problems=problems)


def one(name: str, *samples: float, **more: Any) -> Series:
    return Series(type=name, samples=samples, **more)


BUSY = metrics(
    one("RATE", 4.0, 2.5, pod="a-0"),
    one("BUSY", 61.2, 63.4),
    one("GPUS", 0.5),
    one("USED", GIB / 2, 1.25 * GIB),
    one("ASKED", 4.0 * GIB),
    one("RATE", 12.41),
    one("DELAY", 1234.5),
    problems=("RATE of pod a-1 did not come (HTTP 207)",),
)


def test_the_newest_values_stand_in_units_of_people_with_what_they_are_part_of() -> None:
    data = metrics_json(BUSY)
    assert list(metrics_lines(data)) == [
        "GPU 63.4 %, memory 1.25 of 4 GiB, 12.4 requests/s, latency 1,234 ms",
        "pod a-0: 2.5 requests/s",
        "metrics: RATE of pod a-1 did not come (HTTP 207)",
    ]
    assert data is not None
    (pod,) = (value for value in data["values"] if value["pod"])
    assert {key: pod[key] for key in ("scope", "samples", "last", "mean", "max", "of")} == {
        "scope": "pod", "samples": 2, "last": 2.5, "mean": 3.25, "max": 4, "of": None,
    }  # fmt: skip
    schema = json.loads((SCHEMAS / "reconciler-list-1.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema["$defs"]["metrics"]).validate(data)
    assert metrics_note([None, data]) == "Metrics: the newest values of the last 10 min; shown, never compared."


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (None, []),
        (Metrics(problems=("HTTP 403",)), ["no metrics: HTTP 403"]),
        (metrics(one("RATE")), ["metrics: nothing was measured in this time"]),
        (metrics(one("BUSY", 0.0), one("GPUS", 0.0), one("RATE", 0.0)), ["0 requests/s"]),
        (metrics(one("USED", 3.0 * 2**20)), ["memory 3 MiB"]),
        (metrics(one("RATE", 1e18), one("NO SUCH", 1.0)), ["1,000,000,000,000,000,000 requests/s"]),
        (metrics(one("RATE", 7.0, labels={"gpu": "3"})), ["gpu=3 7 requests/s"]),
    ],
)
def test_what_was_not_measured_is_not_made_up(found: Metrics | None, told: list[str]) -> None:
    assert list(metrics_lines(metrics_json(found))) == told


@pytest.mark.parametrize("odd", ["::error::x", "a\x1b[2Jb", "\u202egnp", "```\n# no", "</details><b>", "##[error]x"])
def test_hostile_names_and_reasons_stay_text(odd: str) -> None:
    found = metrics(one("RATE", 1.0, pod=odd, labels={odd: odd}), problems=(odd, f"see {odd}"))
    data = copy.deepcopy(drift()) | {"metrics": {"runai/Inference/llm": metrics_json(found)}}
    assert_whole(drift_markdown(data, "shop"))
    row = ListRow(provider="p", kind="K", name="n", id="1", status="UP", phase="ready", owner="unmanaged")
    for text in (drift_text(data), list_text([row], Style(width=80), {("p", "1"): found})):
        assert not any(sign in text for sign in ("\x1b", "\u202e", "##[", "\n::"))
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_a_report_without_metrics_is_as_before_and_with_them_says_the_same() -> None:
    data = drift()
    more = data | {"metrics": {"runai/Inference/llm": metrics_json(BUSY)}}
    section = [
        "Metrics: the newest values of the last 10 min; shown, never compared.",
        "    runai/Inference/llm",
        "      GPU 63.4 %, memory 1.25 of 4 GiB, 12.4 requests/s, latency 1,234 ms",
        "      pod a-0: 2.5 requests/s",
        "      metrics: RATE of pod a-1 did not come (HTTP 207)",
    ]
    plain, told = drift_text(data).splitlines(), drift_text(more).splitlines()
    at = told.index(section[0])
    assert told[at : at + len(section)] == section
    assert told[:at] + told[at + len(section) + 1 :] == plain
    assert "Metrics" not in drift_markdown(data, "shop")
