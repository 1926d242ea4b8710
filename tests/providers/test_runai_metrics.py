"""Metrics of Run:ai inferences against the emulator over HTTP: values, parts, refusals, odd replies, old releases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reconciler.diff.live import Live
from reconciler.diff.metrics import Metrics
from reconciler.emulator.server import Server
from reconciler.fields import Phase
from reconciler.fields.rule import release
from reconciler.problems import Origin
from reconciler.providers import measure as reading
from reconciler.providers.base import Context, Measures, Provider
from reconciler.providers.measure import measure
from reconciler.providers.runai import TYPE
from reconciler.providers.runai.kinds import INFERENCE
from reconciler.providers.runai.metric_types import TYPES
from reconciler.render.metrics import metrics_json, metrics_lines
from reconciler.spec.resource import ProviderConfig
from reconciler.spec.values import SecretRef

OF_WORKLOAD = r"^/api/v1/workloads/[^/]+/metrics$"
OF_INFERENCE = r"^/api/v1/workloads/inferences/[^/]+/metrics$"
OF_POD = r"/pods/[^/]+/metrics$"
PODS = r"/pods$"
Look = Callable[..., Metrics]


@pytest.fixture
def look(emulator: Server) -> Iterator[Look]:
    """Measure the colleague's inference of two pods, under faults, with other settings."""
    opened: list[Provider] = []

    def measured(*faults: dict[str, Any], **settings: Any) -> Metrics:
        line = emulator.emulator.connection(emulator.url)["runai"]
        more = {"version": "2.24", "requestTimeout": 5.0, "clientSecret": SecretRef("SECRET"), **settings}
        config = ProviderConfig(
            name="runai", type="runai", settings={**line, **more}, origin=Origin("reconciler.yaml", 7, 5)
        )
        clock = emulator.emulator
        context = Context(resolve=lambda _: "demo-runai-client-secret", clock=clock)
        provider = TYPE.open(config, context)
        opened.append(provider)
        (live,) = provider.read_all(INFERENCE).items
        emulator.emulator.faults.replace([{"method": "GET", "count": None, **fault} for fault in faults])
        emulator.emulator.requests.clear()
        return measure({"runai": provider}, [live])["runai", live.id]

    yield measured
    for provider in opened:
        provider.close()


def lines(metrics: Metrics) -> list[str]:
    return list(metrics_lines(metrics_json(metrics)))


def replies(body: Any, path: str = OF_INFERENCE, status: int = 200) -> dict[str, Any]:
    return {"path": path, "when": "before", "status": status, "body": body}


def row(name: str, *values: Any, **more: Any) -> dict[str, Any]:
    moments = (f"2026-01-01T00:00:{second:02}Z" for second in range(60))
    dated = [{"value": value, "timestamp": at} for value, at in zip(values, moments, strict=False)]
    return {"type": name, "labels": {}, "values": dated, **more}


def throughput(metrics: Metrics) -> list[tuple[float | None, int]]:
    return [(one.last, one.samples) for one in metrics.values if one.rule.type == "THROUGHPUT" and not one.pod]


def test_a_workload_and_its_pods_are_measured_in_units_and_summed_up(look: Look, emulator: Server) -> None:
    metrics = look()
    assert metrics.problems == ()
    by_pod = {(one.pod, one.rule.type): one for one in metrics.values}
    assert {name for pod, name in by_pod if not pod} == {rule.type for rule in TYPES}
    whole, first, second = (by_pod[pod, "THROUGHPUT"] for pod in ("", "ann-summarizer-0", "ann-summarizer-1"))
    assert None not in (whole.last, first.last, second.last)
    assert whole.last == (first.last or 0) + (second.last or 0)
    assert (whole.samples, metrics.samples, metrics.end_s - metrics.start_s) == (20, 20, 600)
    assert (whole.most or 0) >= (whole.mean or 0) > 0
    assert by_pod["", "RUNNING_POD_COUNT"].of == 2

    asked = [(one["path"], one["query"]) for one in emulator.emulator.requests if "metrics" in one["path"]]
    assert len(asked) == 4
    assert {query["metricType"] for path, query in asked if "inferences" in path} == {"THROUGHPUT,LATENCY"}
    assert {query["numberOfSamples"] for _, query in asked} == {"20"}
    assert look().values == metrics.values, "the same moment, the same values"
    emulator.emulator.advance(45)
    assert look().values != metrics.values


def test_what_is_missing_in_a_partial_success_is_named_and_the_rest_is_shown(look: Look, emulator: Server) -> None:
    emulator.emulator.set_switches({"runai": {"metrics": "partial"}})
    metrics = look()
    assert [one.rule.type for one in metrics.values if one.pod == "ann-summarizer-0"] == ["THROUGHPUT"]
    assert metrics.problems == (
        "POD_COUNT did not come (HTTP 207)",
        "LATENCY did not come (HTTP 207)",
        "LATENCY of pod ann-summarizer-0 did not come (HTTP 207)",
        "LATENCY of pod ann-summarizer-1 did not come (HTTP 207)",
    )


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"path": "/metrics$", "status": 403}, "HTTP 403: You do not have sufficient permissions."),
        ({"path": "/metrics$", "status": 500}, "HTTP 500: Something went wrong."),
        ({"path": "/metrics$", "status": 404}, "(it has just gone, or this server is older than 2.18"),
        ({"path": "/metrics$", "drop": True}, "/metrics: "),
        (replies(["no object"], "/metrics$"), "the reply holds no list of measurements"),
        (replies({"measurements": [7]}, "/metrics$"), "the reply holds no list of measurements"),
    ],
)
def test_a_failure_is_said_and_no_error(look: Look, fault: dict[str, Any], told: str) -> None:
    metrics = look(fault)
    assert metrics.values == ()
    assert all(told in problem for problem in metrics.problems)
    assert lines(metrics)[0].startswith("no metrics: ")


def test_a_slow_server_is_left_after_a_while(look: Look, emulator: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_BUDGET_S", 0.1)
    metrics = look({"path": OF_WORKLOAD, "delay_s": 0.4}, requestTimeout=0.1)
    assert "runai: GET /api/v1/workloads/" in metrics.problems[0]
    assert metrics.problems[1:] == ("the rest was not asked for: reading metrics has taken too long already",)
    assert {entry["path"].rpartition("/")[2] for entry in emulator.emulator.requests} == {"metrics"}
    assert not any("inferences" in entry["path"] for entry in emulator.emulator.requests)


def test_one_route_that_fails_hides_no_other(look: Look) -> None:
    metrics = look({"path": OF_WORKLOAD, "status": 403}, {"path": PODS, "status": 403})
    assert {one.rule.type for one in metrics.values} == {"THROUGHPUT", "LATENCY"}
    shown = lines(metrics)
    assert "requests/s, latency " in shown[0]
    assert [line.partition(": ")[0] for line in shown[1:]] == ["metrics", "metrics"]
    assert "its pods are not known: " in shown[2]


def test_an_old_release_says_since_when_and_is_not_asked(look: Look, emulator: Server) -> None:
    metrics = look(version="2.17")
    assert metrics.values == ()
    assert (
        metrics.problems[1] == "Run:ai 2.17, as reconciler.yaml says, does not tell THROUGHPUT, LATENCY (from 2.18 on)"
    )
    assert emulator.emulator.requests == []


def test_what_is_no_number_is_no_sample(look: Look) -> None:
    odd = row("THROUGHPUT", "NaN", "3.5", None, "Infinity", "-inf", [True], "4", {"a": 1}, "x", "1e400", 10**400, "")
    metrics = look(replies({"measurements": [odd, row("LATENCY", "NaN"), row("COLOUR", "1")]}))
    assert throughput(metrics) == [(4, 2)]
    (latency,) = (one for one in metrics.values if one.rule.type == "LATENCY" and not one.pod)
    assert (latency.samples, latency.last, latency.mean, latency.most) == (0, None, None, None)
    assert "latency" not in lines(metrics)[0]


@pytest.mark.parametrize("values", [None, [], "text", [None, 3], [{"value": None, "timestamp": None}]])
def test_no_samples_are_no_error(look: Look, values: Any) -> None:
    nothing = {"measurements": [row(rule.type, values=None) | {"values": values, "labels": None} for rule in TYPES]}
    metrics = look(replies(nothing, "/metrics$"), replies({"pods": []}, PODS))
    assert metrics.problems == ()
    assert lines(metrics) == ["metrics: nothing was measured in this time"]


def test_samples_count_by_their_time_and_both_spellings_of_the_sheet_are_read(look: Look) -> None:
    late, early = "2023-06-06 12:09:18.211Z", "2023-06-06T12:08:18.211Z"
    dated = [{"value": "9", "timestamp": late}, {"value": "2", "timestamp": early}]
    metrics = look(replies({"measurements": [row("THROUGHPUT", values=dated, labels="{'gpu': '3'}"), row("LATENCY")]}))
    (value,) = (one for one in metrics.values if one.rule.type == "THROUGHPUT" and not one.pod)
    assert (value.last, value.labels) == (9, {"gpu": "3"})
    assert "gpu=3 9 requests/s" in lines(metrics)[0]


def test_hostile_pods_are_shown_escaped_or_left_out_and_only_some_are_asked(look: Look, emulator: Server) -> None:
    pod = {"id": "p-0", "name": "::error::\x1b[31mred\u202e"}
    bad = [{"id": "../../clusters", "name": "up"}, {"id": "a/b?c", "name": "down"}]
    many = [{"id": f"p-{number}", "name": "twin"} for number in range(1, 30)]
    metrics = look(replies({"pods": [pod, *bad, *many]}, PODS), replies({"measurements": []}, OF_POD, 207))
    asked = [entry["path"] for entry in emulator.emulator.requests if "/pods/" in entry["path"]]
    assert len(asked) == 20
    assert not any("clusters" in path or "?" in path for path in asked)
    assert "30 pods, of which 20 were asked for" in metrics.problems
    assert any("of pod twin (p-1) did not come" in problem for problem in metrics.problems)
    text = "\n".join(lines(metrics))
    assert not any(sign in text for sign in ("\x1b", "\u202e", " ::error"))


def test_what_is_on_its_way_out_or_can_not_be_measured_is_not_asked(look: Look, emulator: Server) -> None:
    class Toy:
        """A provider without metrics."""

    class Never(Toy):
        def metrics(self, live: Live, *, is_time: Callable[[], bool]) -> Metrics:
            raise AssertionError(live, is_time)

    del look, emulator
    assert isinstance(Never(), Measures)
    going = Live(kind=INFERENCE, provider="never", id="1", phase=Phase.GOING)
    plain = Live(kind=INFERENCE, provider="toy", id="2", phase=Phase.READY)
    assert measure({"never": Never(), "toy": Toy()}, [going, plain]) == {}  # type: ignore[dict-item]


def test_the_table_names_its_parts_its_releases_and_its_sources() -> None:
    names = [rule.type for rule in TYPES]
    assert len(set(names)) == len(names)
    for rule in TYPES:
        assert rule.source.startswith("§9 ")
        assert release(rule.since) >= release("2.18")
        assert not rule.of or not next(one for one in TYPES if one.type == rule.of).shown
        assert rule.title or rule.unit in {"pods", "requests/s"} or not rule.shown
