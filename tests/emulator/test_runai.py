"""The Run:ai module of the emulator, over HTTP, against the sheet's sections 0.1, 1 to 6, 8, 9 and 11."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from reconciler.emulator.server import Emulator, Server

CLUSTER = "71f69d83-ba66-4822-adf5-55ce55efd210"
SAMPLE: dict[str, Any] = {
    "name": "chat-a",
    "projectId": "1",
    "clusterId": CLUSTER,
    "spec": {"image": "python:3.8", "servingPort": {"container": 8080, "protocol": "http"}},
}
FULLER: dict[str, Any] = {
    "name": "chat-b",
    "useGivenNameAsPrefix": False,
    "projectId": "1",
    "clusterId": CLUSTER,
    "spec": {
        "image": "python:3.8",
        "command": "python",
        "args": "-x my-script.py",
        "nodePools": ["my-node-pool-a", "my-node-pool-b"],
        "environmentVariables": [
            {"name": "HOME", "value": "/home/my-folder"},
            {"name": "DB_PASSWORD", "secret": {"name": "postgres-secret", "key": "POSTGRES_PASSWORD"}},
        ],
        "annotations": [{"name": "gitops.example/owner", "value": "team-a/chat-b"}],
        "compute": {
            "gpuDevicesRequest": 1,
            "gpuRequestType": "portion",
            "gpuPortionRequest": 0.5,
            "gpuPortionLimit": 0.5,
            "cpuCoreRequest": 0.5,
            "cpuCoreLimit": 2,
            "cpuMemoryRequest": "20M",
            "cpuMemoryLimit": "30M",
        },
        "servingPort": {"container": 8080, "protocol": "http"},
        "autoscaling": {
            "minReplicas": 0,
            "maxReplicas": 2,
            "metric": "throughput",
            "metricThreshold": 10,
            "scaleToZeroRetentionSeconds": 3600,
        },
    },
}
INFERENCES = "/api/v1/workloads/inferences"
MATRIX = {  # create, delete, patch, revisions
    "2.18": (200, 204, 405, 404),
    "2.19": (200, 204, 200, 404),
    "2.20": (202, 204, 200, 404),
    "2.21": (202, 202, 200, 200),
    "2.22": (202, 202, 202, 200),
    "2.23": (202, 202, 202, 200),
    "2.24": (202, 202, 202, 200),
}


class Runai:
    """A bare client: no code of ours between the test and the wire."""

    def __init__(self, server: Server) -> None:
        line = server.emulator.connection(server.url)["runai"]
        self.server, self.line = server, line
        self.http = httpx.Client(base_url=line["endpoint"])
        reply = self.token(grantType="client_credentials", clientId=line["clientId"], clientSecret=line["clientSecret"])
        self.http.headers["Authorization"] = f"Bearer {reply.json()['accessToken']}"

    def token(self, **body: Any) -> httpx.Response:
        return self.http.post("/api/v1/token", json=body)

    def switch(self, **values: Any) -> None:
        self.server.emulator.set_switches({"runai": values})

    def create(self, **changes: Any) -> httpx.Response:
        return self.http.post(INFERENCES, json={**SAMPLE, **changes})

    def made(self, **changes: Any) -> str:
        reply = self.create(**changes)
        assert reply.status_code in {200, 202}, reply.text
        return str(reply.json()["workloadId"])

    def get(self, workload_id: str) -> dict[str, Any]:
        body: dict[str, Any] = self.http.get(f"{INFERENCES}/{workload_id}").json()
        return body

    def phase(self, workload_id: str) -> str:
        return str(self.get(workload_id)["actualPhase"])

    def listed(self, **query: Any) -> dict[str, Any]:
        reply = self.http.get("/api/v1/workloads", params=query)
        assert reply.status_code == 200, reply.text
        body: dict[str, Any] = reply.json()
        return body


@pytest.fixture
def runai(emulator: Server) -> Iterator[Runai]:
    client = Runai(emulator)
    yield client
    client.http.close()


def test_both_samples_of_the_sheet_are_accepted_and_shown_back(runai: Runai) -> None:
    for body in (SAMPLE, FULLER):
        reply = runai.http.post(INFERENCES, json=body)
        assert reply.status_code == 202
        detail = reply.json()
        assert (detail["name"], detail["requestedName"], detail["projectId"]) == (body["name"], body["name"], "1")
        assert (detail["desiredPhase"], detail["actualPhase"]) == ("Running", "Creating")
        shown = runai.get(detail["workloadId"])["spec"]
        for key, value in body["spec"].items():
            assert shown[key] == value if not isinstance(value, dict) else value.items() <= shown[key].items()


@pytest.mark.parametrize("version", MATRIX)
def test_status_codes_and_routes_follow_the_release(runai: Runai, version: str) -> None:
    create, delete, patch, revisions = MATRIX[version]
    runai.switch(version=version)
    reply = runai.create()
    path = f"{INFERENCES}/{reply.json()['workloadId']}"
    assert reply.status_code == create
    assert runai.http.patch(path, json={"spec": {"image": "python:3.9"}}).status_code == patch
    assert runai.http.get(f"{path}/revisions").status_code == revisions
    gone = runai.http.delete(path)
    assert gone.status_code == delete
    assert bool(gone.content) is (delete == 202)


def test_tokens_are_jwts_that_end_and_keys_match_in_any_case(runai: Runai) -> None:
    runai.switch(tokenLifetime=60)
    reply = runai.token(GRANTTYPE="app_token", AppId=runai.line["clientId"], AppSecret=runai.line["clientSecret"])
    token = reply.json()["accessToken"]
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["exp"] - claims["iat"] == reply.json()["expiresIn"] == 60
    runai.http.headers["Authorization"] = f"Bearer {token}"
    assert runai.http.get("/api/v1/clusters").status_code == 200
    runai.server.emulator.advance(61)
    refused = runai.http.get("/api/v1/clusters")
    assert (refused.status_code, refused.json()) == (401, {"code": 401, "message": "Issuer is not familiar."})
    assert runai.token(grantType="app_token", appID="x", appSecret="y").status_code == 400


def test_the_second_token_route_takes_a_form_and_speaks_oauth(runai: Runai) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": runai.line["clientId"],
        "client_secret": runai.line["clientSecret"],
    }
    good = runai.http.post("/api/v2/token", data=form).json()
    assert (good["token_type"], good["expires_in"]) == ("Bearer", 3600)
    bad = runai.http.post("/api/v2/token", data={**form, "client_secret": "no"})
    assert (bad.status_code, bad.json()["error"]) == (401, "invalid_client")
    runai.switch(version="2.23")
    assert runai.http.post("/api/v2/token", data=form).status_code == 404


def test_phases_pass_on_the_clock_and_a_deleted_one_is_only_in_the_deleted_list(runai: Runai) -> None:
    workload_id = runai.made()
    seen = []
    for step in (0, 2, 3, 20):
        runai.server.emulator.advance(step)
        seen.append(runai.phase(workload_id))
    assert seen == ["Creating", "Pending", "Initializing", "Running"]
    runai.http.delete(f"{INFERENCES}/{workload_id}")
    assert (runai.phase(workload_id), runai.get(workload_id)["desiredPhase"]) == ("Deleting", "Deleted")
    assert runai.create().status_code == 409
    runai.server.emulator.advance(10)
    assert runai.http.get(f"{INFERENCES}/{workload_id}").status_code == 404
    assert workload_id not in {item["id"] for item in runai.listed()["workloads"]}
    assert [item["id"] for item in runai.listed(deleted="true")["workloads"]] == [workload_id]
    assert runai.create().status_code == 202


def test_the_list_mixes_types_and_hides_what_only_the_detail_tells(runai: Runai) -> None:
    workload_id = runai.made(spec=FULLER["spec"])
    items = {item["name"]: item for item in runai.listed()["workloads"]}
    assert {item["type"] for item in items.values()} == {"Inference", "Workspace", "Training"}
    item = items["chat-a"]
    assert (item["id"], item["phase"], item["arguments"]) == (workload_id, "Creating", "-x my-script.py")
    assert not {"annotations", "labels", "spec", "autoscaling", "servingPort"} & set(item)
    workspace = items["ann-notebook"]["id"]
    assert runai.http.get(f"{INFERENCES}/{workspace}").status_code == 404


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["type==Inference,projectId==1"], ["ann-summarizer", "chat-a"]),
        (["type==Inference", "name=^chat"], ["chat-a"]),
        (["name=@fine"], ["ann-finetune"]),
        (["type!=Inference,name=$book"], ["ann-notebook"]),
        (["projectId==2"], []),
    ],
)
def test_filters_are_joined_by_commas_or_repeated(runai: Runai, filters: list[str], names: list[str]) -> None:
    runai.made()
    found = runai.listed(filterBy=filters, sortBy="name")["workloads"]
    assert [item["name"] for item in found] == names


def test_pages_end_without_next_and_limits_are_kept(runai: Runai) -> None:
    for number in range(5):
        runai.made(name=f"chat-{number}")
    first = runai.listed(filterBy="name=^chat", limit=2, sortBy="createdAt")
    assert (len(first["workloads"]), first["next"]) == (2, 2)
    last = runai.listed(filterBy="name=^chat", limit=2, offset=4)
    assert (len(last["workloads"]), "next" in last) == (1, False)
    assert runai.http.get("/api/v1/workloads", params={"limit": 501}).status_code == 400
    # By what an item holds, and by what only its state tells: the same items, whole.
    held, told = (runai.listed(filterBy="name=^chat", sortBy=field)["workloads"] for field in ("name", "phase"))
    assert held == sorted(told, key=lambda item: item["name"])
    assert {item["phase"] for item in held} == {"Creating"}
    assert runai.http.get("/api/v1/workloads/count", params={"filterBy": "name=^chat"}).json() == {"count": 5}


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "spec.image"),
        ({"image": "a", "command": ["python"]}, "spec.command"),
        ({"image": "a", "compute": {"gpuRequestType": "devices"}}, "spec.compute.gpuRequestType"),
        ({"image": "a", "compute": {"gpuRequestType": "portion"}}, "spec.compute.gpuPortionRequest"),
        ({"image": "a", "compute": {"cpuMemoryRequest": "20 M"}}, "spec.compute.cpuMemoryRequest"),
        ({"image": "a", "autoscaling": {"minReplicas": 1, "maxReplicas": 3}}, "spec.autoscaling.metric"),
        ({"image": "a", "environmentVariables": [{"name": "A"}]}, "spec.environmentVariables[0]"),
        ({"image": "a", "tolerations": [{"seconds": 1}]}, "spec.tolerations[0].seconds"),
        ({"image": "a", "security": {"runAsUid": 1}}, "spec.security.runAsUid"),
        ({"image": "a", "storage": {"pvc": [{"path": "/a"}]}}, "spec.storage.pvc[0].claimInfo.size"),
    ],
)
def test_a_bad_request_names_its_field(runai: Runai, spec: dict[str, Any], field: str) -> None:
    reply = runai.create(spec=spec)
    assert reply.status_code == 400
    assert field in reply.json()["details"]


def test_the_seeds_own_sample_is_refused(runai: Runai) -> None:
    """It sets value and secret, portion and memory and MIG, and a user id from the image."""
    spec = {
        "image": "python:3.8",
        "environmentVariables": [{"name": "HOME", "value": "/a", "secret": {"name": "s", "key": "k"}}],
        "compute": {"gpuRequestType": "portion", "gpuPortionRequest": 0.5, "gpuMemoryRequest": "10M"},
        "security": {"uidGidSource": "fromTheImage", "runAsUid": 500},
    }
    assert runai.create(spec=spec).status_code == 400
    runai.switch(strict="schema")
    assert runai.create(spec=spec).status_code == 202


def test_a_patch_overwrites_sections_and_ignores_what_it_can_not_change(runai: Runai) -> None:
    workload_id = runai.made(spec=FULLER["spec"])
    runai.server.emulator.advance(60)
    patch = {"spec": {"compute": {"cpuCoreRequest": 1}, "labels": [{"name": "a", "value": "b"}], "probes": None}}
    assert runai.http.patch(f"{INFERENCES}/{workload_id}", json=patch).status_code == 202
    spec = runai.get(workload_id)["spec"]
    assert (spec["compute"], "labels" in spec) == ({"cpuCoreRequest": 1}, False)
    assert runai.phase(workload_id) == "Updating"
    runai.server.emulator.advance(20)
    assert runai.phase(workload_id) == "Running"
    revisions = runai.http.get(f"{INFERENCES}/{workload_id}/revisions").json()["revisions"]
    assert [one["phase"] for one in revisions] == ["Running", "Stopped"]
    runai.switch(patchUnknownKeys="400")
    assert runai.http.patch(f"{INFERENCES}/{workload_id}", json=patch).status_code == 400


def test_a_patch_can_merge_and_clear_when_asked_to(runai: Runai) -> None:
    workload_id = runai.made(spec=FULLER["spec"])
    runai.switch(patch="deep-merge", patchNull="clear", echo="as-sent")
    patch = {"spec": {"compute": {"cpuCoreRequest": 1}, "args": None}}
    runai.http.patch(f"{INFERENCES}/{workload_id}", json=patch)
    spec = runai.get(workload_id)["spec"]
    assert spec["compute"] == {**FULLER["spec"]["compute"], "cpuCoreRequest": 1}
    assert "args" not in spec
    assert "imagePullPolicy" not in spec
    runai.switch(patchNull="400")
    assert runai.http.patch(f"{INFERENCES}/{workload_id}", json={"spec": {"command": None}}).status_code == 400


def test_an_abandoned_roll_out_looks_healthy_but_for_its_revision(runai: Runai) -> None:
    workload_id = runai.made()
    runai.server.emulator.advance(60)
    runai.switch(outcomes={"chat-a": "abandon"})
    runai.http.patch(f"{INFERENCES}/{workload_id}", json={"spec": {"image": "python:0"}})
    runai.server.emulator.advance(601)
    detail = runai.get(workload_id)
    assert (detail["actualPhase"], detail["spec"]["image"]) == ("Running", "python:0")
    revisions = runai.http.get(f"{INFERENCES}/{workload_id}/revisions").json()["revisions"]
    assert [one["phase"] for one in revisions] == ["Failed", "Running"]


@pytest.mark.parametrize(
    ("script", "phase"),
    [("Failed", "Failed"), ("Degraded", "Degraded"), ("Pending", "Pending"), ("Stopped", "Stopped")],
)
def test_scripted_outcomes(runai: Runai, script: str, phase: str) -> None:
    runai.switch(outcomes={"chat-a": script})
    workload_id = runai.made()
    runai.server.emulator.advance(600)
    assert runai.phase(workload_id) == phase


def test_a_batch_says_200_around_failures_and_stops_and_resumes(runai: Runai) -> None:
    workload_id = runai.made()
    runai.server.emulator.advance(60)
    missing = "00000000-0000-4000-8000-000000000000"
    reply = runai.http.post("/api/v1/workloads/batch", json={"ids": [workload_id, missing], "action": "suspend"})
    assert reply.status_code == 200
    assert reply.json()["succeeded"] == [workload_id]
    assert reply.json()["failed"][0]["code"] == 404
    runai.server.emulator.advance(5)
    assert (runai.phase(workload_id), runai.get(workload_id)["desiredPhase"]) == ("Stopped", "Stopped")
    runai.http.post("/api/v1/workloads/batch", json={"ids": [workload_id], "action": "resume"})
    assert runai.phase(workload_id) == "Resuming"
    runai.switch(version="2.21")
    assert runai.http.post("/api/v1/workloads/batch", json={"ids": [missing], "action": "resume"}).status_code == 400


def test_policy_defaults_are_merged_and_its_rules_refuse(runai: Runai) -> None:
    runai.switch(
        policy={
            "defaults": {"environmentVariables": {"instances": [{"name": "RUNAI_X", "value": "1"}]}},
            "rules": {"compute": {"gpuDevicesRequest": {"max": 2}}, "labels": {"instances": {"canAdd": False}}},
        }
    )
    spec = runai.get(runai.made())["spec"]
    assert spec["environmentVariables"] == [{"name": "RUNAI_X", "value": "1", "exclude": False}]
    for refused in ({"compute": {"gpuDevicesRequest": 4}}, {"labels": [{"name": "a", "value": "b"}]}):
        assert runai.create(name="chat-c", spec={**SAMPLE["spec"], **refused}).status_code == 400
    policy = runai.http.get("/api/v2/policy/inferences", params={"scope": "project", "projectId": "1"}).json()
    assert policy["effective"]["rules"]["compute"]["gpuDevicesRequest"]["max"] == 2


def test_an_excluded_claim_is_an_instruction_that_needs_no_size_and_is_not_shown(runai: Runai) -> None:
    claims = [{"name": "policys", "path": "/policys", "exclude": True}]
    made = runai.made(spec={**SAMPLE["spec"], "storage": {"pvc": claims}})

    assert runai.get(made)["spec"]["storage"]["pvc"] == []


def test_switches_of_names_ids_lag_and_second_delete(runai: Runai) -> None:
    runai.switch(listLag=2, idTypeOut="number", nameHeldWhileDeleting=False, getAfterDelete="200+deletedAt")
    workload_id = runai.made(projectId=1)
    assert runai.get(workload_id)["projectId"] == 1
    seen = [workload_id in {item["id"] for item in runai.listed()["workloads"]} for _ in range(3)]
    assert seen == [False, False, True]
    assert runai.http.delete(f"{INFERENCES}/{workload_id}").status_code == 202
    assert runai.http.delete(f"{INFERENCES}/{workload_id}").status_code == 404
    runai.switch(secondDelete="2xx")
    assert runai.http.delete(f"{INFERENCES}/{workload_id}").status_code == 202
    runai.made()
    runai.server.emulator.advance(10)
    assert runai.get(workload_id)["deletedAt"]
    runai.switch(duplicateName="400")
    assert "already exists" in runai.create().json()["message"]
    runai.switch(duplicateName="allow", nameRule="any", createUnknownKeys="400")
    assert runai.create(name="Chat_A").status_code == 202
    assert runai.create(name="x", usGivenNameAsPrefix=True).status_code == 400
    prefixed = runai.create(name="x", useGivenNameAsPrefix=True).json()
    assert prefixed["name"].startswith("x-")
    assert prefixed["requestedName"] == "x"


def test_lists_are_shuffled_and_quantities_reworded_when_asked_to(runai: Runai) -> None:
    spec = {**SAMPLE["spec"], "compute": {"cpuCoreRequest": 0.5, "cpuMemoryLimit": "1000M", "gpuDevicesRequest": 0}}
    spec["environmentVariables"] = [{"name": f"V{number}", "value": "x"} for number in range(8)]
    workload_id = runai.made(spec=spec)
    runai.switch(reorderLists=True, rewriteQuantities=True)
    orders = {tuple(one["name"] for one in runai.get(workload_id)["spec"]["environmentVariables"]) for _ in range(9)}
    assert len(orders) > 1
    assert runai.get(workload_id)["spec"]["compute"]["cpuCoreRequest"] == "500m"
    assert runai.get(workload_id)["spec"]["compute"]["cpuMemoryLimit"] == "1G"


def test_rate_limit_answers_429_with_a_wish(runai: Runai) -> None:
    runai.switch(rateLimit="429+retry-after")
    codes = [runai.http.get("/api/v1/clusters").status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]
    assert runai.http.get("/api/v1/clusters").headers["retry-after"] == "7"
    runai.server.emulator.advance(10)
    assert runai.http.get("/api/v1/clusters").status_code == 200


def test_metrics_are_full_partial_or_refused(runai: Runai) -> None:
    path = f"{INFERENCES}/{runai.made()}/metrics"
    query = {"metricType": "THROUGHPUT,LATENCY", "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:10:00Z"}
    reply = runai.http.get(path, params=query)
    assert (reply.status_code, len(reply.json()["measurements"])) == (200, 2)
    assert len(reply.json()["measurements"][0]["values"]) == 20
    runai.switch(metrics="partial")
    reply = runai.http.get(path, params=query)
    assert (reply.status_code, [one["type"] for one in reply.json()["measurements"]]) == (207, ["THROUGHPUT"])
    wrongs: tuple[dict[str, str], ...] = (
        {"metricType": "GPU_UTILIZATION"},
        {"metricType": ""},
        {"start": "yesterday"},
        {"end": "2026-01-01T00:10:00"},
        {"end": "2025-01-01T00:10:00Z"},
        {"numberOfSamples": "1001"},
        {"numberOfSamples": "many"},
    )
    for wrong in wrongs:
        assert runai.http.get(path, params={**query, **wrong}).status_code == 400, wrong
    assert runai.http.get(path.replace("inferences/", ""), params=query).status_code == 400
    assert runai.http.get(path.replace("metrics", "pods/none/metrics"), params=query).status_code == 404
    assert runai.http.get(path, params=query, headers={"Accept": "text/csv"}).text.startswith("type,timestamp,value")


@pytest.mark.parametrize("version", MATRIX)
def test_metrics_are_told_by_each_release_and_move_with_the_emulated_clock(runai: Runai, version: str) -> None:
    runai.switch(version=version)
    workload_id = runai.made(
        spec={**SAMPLE["spec"], "compute": {"gpuDevicesRequest": 1}, "autoscaling": {"minReplicas": 2}}
    )

    def told(path: str, *types: str, seconds: int = 600) -> list[list[float]]:
        now = runai.server.emulator.now()
        start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (now - seconds, now))
        query = {"metricType": ",".join(types), "start": start, "end": end, "numberOfSamples": "10"}
        reply = runai.http.get(path, params=query)
        assert reply.status_code == 200, reply.text
        assert [one["type"] for one in reply.json()["measurements"]] == list(types)
        return [[float(value["value"]) for value in one["values"]] for one in reply.json()["measurements"]]

    of_all, of_it = f"/api/v1/workloads/{workload_id}/metrics", f"{INFERENCES}/{workload_id}/metrics"
    (latency,) = told(of_it, "LATENCY")
    assert all(map(math.isnan, latency)), "nothing serves yet"
    runai.server.emulator.advance(315)
    throughput, pods = *told(of_it, "THROUGHPUT"), *told(of_all, "RUNNING_POD_COUNT")
    assert pods == [0, 0, 0, 0, 0, 2, 2, 2, 2, 2], "it serves for 290 s, and 600 are asked for"
    assert throughput == [0 if not count else value for value, count in zip(throughput, pods, strict=True)]
    assert len(set(throughput[5:])) > 1
    ids = [pod["id"] for pod in runai.http.get(f"/api/v1/workloads/{workload_id}/pods").json()["pods"]]
    by_pod = [told(f"{INFERENCES}/{workload_id}/pods/{pod}/metrics", "THROUGHPUT")[0] for pod in ids]
    assert [sum(pair) for pair in zip(*by_pod, strict=True)] == pytest.approx(throughput)
    used, asked = told(of_all, "GPU_MEMORY_USAGE_BYTES", "GPU_MEMORY_REQUEST_BYTES", seconds=100)
    assert all(0 < part < whole for part, whole in zip(used, asked, strict=True))
    twice = [told(of_it, "THROUGHPUT", "LATENCY", seconds=100) for _ in range(2)]
    assert twice[0] == twice[1]


def test_projects_clusters_and_pods_are_listed(runai: Runai) -> None:
    projects = runai.http.get("/api/v1/org-unit/projects", params={"filterBy": "name==team-a"}).json()["projects"]
    assert [(one["id"], one["name"], one["clusterId"]) for one in projects] == [("1", "team-a", CLUSTER)]
    clusters = runai.http.get("/api/v1/clusters").json()
    assert {"uuid": CLUSTER, "name": "main"}.items() <= clusters[0].items()
    workload_id = runai.made()
    runai.server.emulator.advance(60)
    pods = runai.http.get(f"/api/v1/workloads/{workload_id}/pods").json()["pods"]
    assert [pod["workloadId"] for pod in pods] == [workload_id]
    assert runai.http.get(f"/api/v1/workloads/{workload_id}").json()["urls"]
    assert runai.http.put(f"{INFERENCES}/{workload_id}").status_code == 405


def test_an_open_tenant_takes_any_login_and_project_and_shows_the_neighbours_there() -> None:
    server = Server(Emulator(None, open_to_all=True)).start()
    try:
        http = httpx.Client(base_url=server.emulator.connection(server.url)["runai"]["endpoint"])
        token = http.post(
            "/api/v1/token", json={"grantType": "client_credentials", "clientId": "a", "clientSecret": "b"}
        )
        http.headers["Authorization"] = f"Bearer {token.json()['accessToken']}"
        assert http.post(INFERENCES, json={**SAMPLE, "projectId": "77"}).status_code == 202
        items = http.get("/api/v1/workloads", params={"filterBy": "projectId==77"}).json()["workloads"]
        assert {item["name"] for item in items} == {"chat-a", "ann-summarizer", "ann-notebook", "ann-finetune"}
        assert http.get("/api/v1/org-unit/projects/77").json()["id"] == "77"
        http.close()
    finally:
        server.stop()
