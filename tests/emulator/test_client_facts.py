"""Facts that the vendors' own clients and their models brought to light; `tests/conformance` drives those clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reconciler.emulator.server import Server

CLUSTER = "71f69d83-ba66-4822-adf5-55ce55efd210"
CONFIG = {
    "model_id": "0e07b41b-173e-42db-8c16-8e1b44cc0d44",
    "specification": "modelarts.vm.cpu.2u",
    "weight": 100,
    "instance_count": 2,
}
NODE = "2r8c4fb9-t497-40u3-89yf-skui77db0472"
EDGE = {
    "model_id": "eb6a4a8c-5713-4a27-b8ed-c7e694499af5",
    "specification": "custom",
    "instance_count": 1,
    "custom_spec": {"cpu": 1.5, "memory": 7500},
    "nodes": [NODE],
}


@pytest.fixture
def runai(emulator: Server) -> Iterator[httpx.Client]:
    line = emulator.emulator.connection(emulator.url)["runai"]
    with httpx.Client(base_url=line["endpoint"]) as http:
        login = {"grantType": "app_token", "appId": line["clientId"], "appSecret": line["clientSecret"]}
        token = http.post("/api/v1/token", json=login).json()["accessToken"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield http


@pytest.fixture
def services(emulator: Server) -> Iterator[httpx.Client]:
    line = emulator.emulator.connection(emulator.url)["modelarts"]
    user = {"name": line["username"], "password": line["password"], "domain": {"name": line["domain"]}}
    identity = {"methods": ["password"], "password": {"user": user}}
    auth = {"identity": identity, "scope": {"project": {"id": line["projectId"]}}}
    token = httpx.post(f"{line['iamEndpoint']}/v3/auth/tokens", json={"auth": auth}).headers["X-Subject-Token"]
    base = f"{line['endpoint']}/v1/{line['projectId']}"
    with httpx.Client(base_url=base, headers={"X-Auth-Token": token}) as http:
        yield http


def running(http: httpx.Client, emulator: Server, infer_type: str, config: dict[str, Any]) -> str:
    body = {"service_name": "mnist", "infer_type": infer_type, "config": [config]}
    service_id = http.post("services", json=body).json()["service_id"]
    emulator.emulator.advance(300)
    return str(service_id)


# -- Run:ai ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "before", "since"),
    [
        ({"tolerations": [{"name": "t", "key": "a", "effect": "Any"}]}, "2.18", "2.19"),
        (
            {"autoscaling": {"minReplicas": 1, "maxReplicas": 2, "metric": "tokens", "metricThreshold": 1}},
            "2.19",
            "2.20",
        ),
        (
            {"servingPort": {"container": 80, "authorizationType": "authorizedUsers", "authorizedUsers": ["a"]}},
            "2.23",
            "2.24",
        ),
    ],
    ids=["an effect of 2.19", "any metric from 2.20", "a kind of log-in of 2.24"],
)
def test_value_is_refused_before_the_release_that_brought_it(
    runai: httpx.Client, emulator: Server, spec: dict[str, Any], before: str, since: str
) -> None:
    refused, taken = (create(runai, emulator, spec, version) for version in (before, since))

    assert (refused.status_code, taken.status_code // 100) == (400, 2), taken.text
    assert "must be one of" in refused.json()["details"]


@pytest.mark.parametrize(
    ("spec", "last"),
    [
        ({"compute": {"gpuDevicesRequest": 1, "gpuRequestType": "migProfile", "migProfile": "1g.5gb"}}, "2.23"),
        ({"compute": {"cpuMemoryRequest": "-20M"}}, "2.22"),
        ({"storage": {"configMapVolume": [{"configMap": "My_Map", "mountPath": "/a"}]}}, "2.22"),
    ],
    ids=["MIG until 2.23", "a sign until 2.22", "any name of a config map until 2.22"],
)
def test_value_is_refused_after_the_release_that_dropped_it(
    runai: httpx.Client, emulator: Server, spec: dict[str, Any], last: str
) -> None:
    taken, refused = create(runai, emulator, spec, last), create(runai, emulator, spec, "2.24")

    assert (taken.status_code // 100, refused.status_code) == (2, 400), taken.text


@pytest.mark.parametrize(
    "spec",
    [
        {"security": {"capabilities": ["MAKE_COFFEE"]}},
        {"nodeType": ""},
        {"storage": {"pvc": [{"path": "/a", "existingPvc": True, "claimName": ""}]}},
        {"storage": {"secretVolume": [{"secret": "s", "mountPath": "/a", "defaultMode": "644"}]}},
    ],
    ids=["an unknown capability", "an empty node type", "an empty claim", "a mode of three digits"],
)
def test_values_that_the_clients_models_do_not_know_are_refused(
    runai: httpx.Client, emulator: Server, spec: dict[str, Any]
) -> None:
    assert create(runai, emulator, spec, "2.24").status_code == 400


def create(http: httpx.Client, emulator: Server, spec: dict[str, Any], version: str) -> httpx.Response:
    emulator.emulator.set_switches({"runai": {"version": version, "duplicateName": "allow"}})
    body = {"name": "chat", "projectId": "1", "clusterId": CLUSTER, "spec": {"image": "a:1", **spec}}
    return http.post("/api/v1/workloads/inferences", json=body)


def test_policy_says_whose_it_is_with_a_number_for_the_project(runai: httpx.Client) -> None:
    meta = runai.get("/api/v2/policy/inferences", params={"scope": "project", "projectId": "1"}).json()["meta"]

    assert (meta["scope"], meta["projectId"]) == ("project", 1)
    assert {"id", "name", "createdBy", "createdAt", "updatedBy", "updatedAt"} <= set(meta)


# -- ModelArts services ----------------------------------------------------------------------------------------------


def test_monitor_tells_models_by_name_and_usage_as_numbers(services: httpx.Client, emulator: Server) -> None:
    service_id = running(services, emulator, "real-time", CONFIG)
    (told,) = services.get(f"services/{service_id}/monitor").json()["monitors"]

    assert (told["model_name"], told["model_version"]) == ("mnist", "1.0.0")
    assert (told["model_instance_count"], told["model_running_instance_count"]) == (2, 2)
    assert (told["cpu_memory_total"], told["cpu_core_total"]) == (16384, 4.0)


def test_monitor_of_an_edge_service_tells_nodes(services: httpx.Client, emulator: Server) -> None:
    service_id = running(services, emulator, "edge", EDGE)

    assert [one["node_id"] for one in services.get(f"services/{service_id}/monitor").json()["monitors"]] == [NODE]
    assert services.get(f"services/{service_id}/monitor", params={"node_id": "other"}).json()["monitors"] == []


@pytest.mark.parametrize(("infer_type", "config"), [("real-time", CONFIG), ("edge", EDGE)])
def test_update_log_tells_nodes_of_edge_services_alone(
    services: httpx.Client, emulator: Server, infer_type: str, config: dict[str, Any]
) -> None:
    service_id = running(services, emulator, infer_type, config)
    services.put(f"services/{service_id}", json={"config": [{**config, "envs": {"a": "b"}}]})
    emulator.emulator.advance(300)
    (told,) = services.get(f"services/{service_id}/logs").json()["logs"]

    assert told["config"][0]["model_version"]
    assert ({"result_detail", "success_num", "failed_num"} <= set(told)) is (infer_type == "edge")
    if infer_type == "edge":
        assert (told["success_num"], told["result_detail"][0]["node_id"]) == (1, NODE)


def test_events_are_whole_by_default_and_can_be_narrowed(services: httpx.Client, emulator: Server) -> None:
    service_id = running(services, emulator, "real-time", CONFIG)
    for status in ("stopped", "running") * 4:
        services.put(f"services/{service_id}", json={"status": status})
        emulator.emulator.advance(300)

    def events(**query: Any) -> list[int]:
        return [
            one["occur_time"] for one in services.get(f"services/{service_id}/events", params=query).json()["events"]
        ]

    found = events()
    assert len(found) > 10
    assert found == sorted(found, reverse=True)
    assert events(order="asc") == found[::-1]
    assert events(limit=5, offset=1) == found[5:10], "the offset counts pages"
    assert events(start_time=found[3]) == [one for one in found if one >= found[3]]
    assert events(end_time=found[3]) == [one for one in found if one <= found[3]]
    assert services.get(f"services/{service_id}/events", params={"start_time": "yesterday"}).status_code == 400
