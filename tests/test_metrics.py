"""`list --metrics` and `drift --metrics`: shown beside the rest, never compared, not asked for without the option."""

from __future__ import annotations

import json
from typing import Any

from tests.conftest import LLM
from tests.test_drift import assert_fits, drift_of


def asked(fleet: Any) -> int:
    """How many requests for metrics or pods there were."""
    return sum(entry["path"].endswith(("/metrics", "/pods")) for entry in fleet.served.get("requests"))


def test_metrics_stand_beside_the_list_and_the_drift_report_and_change_neither(fleet: Any) -> None:
    fleet.write(LLM)
    fleet.apply()
    plain = fleet.project.run("list", "-o", "json")
    before = drift_of(fleet, code=0)
    assert asked(fleet) == 0
    assert not any("metrics" in item for item in json.loads(plain.stdout)["items"])
    assert "metrics" not in before

    listed = json.loads(fleet.project.run("list", "--metrics", "-o", "json").stdout)
    assert_fits(listed, "reconciler-list-1.json")
    by_kind: dict[str, list[Any]] = {}
    for item in listed["items"]:
        by_kind.setdefault(item["provider"], []).append(item.pop("metrics"))
    assert listed == json.loads(plain.stdout), "all the rest is as it was"
    assert set(by_kind["theta"] + by_kind["modelarts"]) == {None}
    assert all(one["values"] and not one["problems"] for one in by_kind["runai"])

    drift = drift_of(fleet, "--metrics", code=0)
    (address,) = drift["metrics"]
    assert address == LLM
    assert {value["scope"] for value in drift["metrics"][LLM]["values"]} == {"workload", "pod"}
    assert {**drift, "checked_at": 0} == {**before, "checked_at": 0, "metrics": drift["metrics"]}

    fleet.served.post("faults", [{"method": "GET", "path": "/metrics$", "status": 403, "count": None}])
    drift = drift_of(fleet, "--metrics", code=0)
    assert (drift["verdict"], drift["metrics"][LLM]["values"]) == ("in-sync", [])
    markdown = fleet.project.run("drift", "--metrics", "-o", "markdown").stdout
    assert "<summary>Metrics of 1 resource</summary>" in markdown
    for command in ("list", "drift"):
        done = fleet.project.run(command, "--metrics")
        assert done.returncode == 0
        assert "no metrics: runai: GET /api/v1/workloads/" in done.stdout
        assert done.stdout.count("Metrics: the newest values of the last 10 min; shown, never compared.") == 1
