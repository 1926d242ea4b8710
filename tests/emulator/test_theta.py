"""The Theta module of the emulator, over HTTP, against the sheet's sections 1-4, 8, 9 and 11."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reconciler.emulator.server import Emulator, Server

PROJECT = "prj_v4bqyvvycsffhq17rxt0kued3dv7"
SAMPLE = {
    "project_id": PROJECT,
    "deployment_template_id": "img_11d40kefk5jpauj8pk59mb52dzbe",
    "container_image": "jupyter/base-notebook:latest",
    "vm_id": "vm_gt1",
    "min_replicas": 1,
    "max_replicas": 1,
    "password": "supersecret",
    "annotations": {"nickname": "my-notebook"},
}
SEED_KEYS = {
    "ID", "CreatedAt", "UpdatedAt", "DeletedAt", "UserID", "ProjectID", "Shard", "Name", "TemplateName", "MachineType",
    "Suffix", "Framework", "ImageURL", "ContainerPort", "ContainerArgsString", "EnvVarsString", "EnvVars",
    "ContainerArgs", "CPURequest", "CPULimit", "MemRequest", "MemLimit", "StorageRequest", "StorageLimit", "GPURequest",
    "GPULimit", "GPUModel", "Replicas", "PodPhase", "Annotations", "AdditionalPorts", "PortMappings",
    "AdditionalLabels", "Endpoint", "EndpointStatus", "NodePublicIP",
}  # fmt: skip
EXTENDED_KEYS = {
    "AuthUsername", "AuthPassword", "VolumesString", "Volumes", "SelectedRegion", "Region", "Cluster", "NodeIndex",
    "PriceHr", "BaseID", "GPUMemory",
}  # fmt: skip


class Theta:
    """A bare client: no code of ours between the test and the wire."""

    def __init__(self, server: Server) -> None:
        line = server.emulator.connection(server.url)["theta"]
        self.server = server
        self.key = line["apiKey"]
        self.http = httpx.Client(base_url=line["endpoint"], headers={"x-api-key": self.key})
        self.api = httpx.Client(base_url=line["apiEndpoint"], headers={"x-api-key": self.key})

    def switch(self, **values: Any) -> None:
        self.server.emulator.set_switches({"theta": values})

    def create(self, **changes: Any) -> httpx.Response:
        return self.http.post("/deployment", json={**SAMPLE, **changes})

    def listed(self) -> list[dict[str, Any]]:
        reply = self.http.get("/deployments/list", params={"project_id": PROJECT})
        assert reply.status_code == 200
        body: list[dict[str, Any]] = reply.json()["body"]
        return body

    def newest(self) -> dict[str, Any]:
        return self.listed()[-1]

    def delete(self, item: dict[str, Any], **changes: Any) -> httpx.Response:
        shard, suffix = changes.get("shard", item["Shard"]), item["Suffix"]
        return self.http.delete(f"/deployments/{shard}/{suffix}", params={"project_id": PROJECT})


@pytest.fixture
def theta(emulator: Server) -> Iterator[Theta]:
    client = Theta(emulator)
    yield client
    client.http.close()
    client.api.close()


def test_sample_request_makes_an_item_with_the_seeds_keys_and_types(theta: Theta) -> None:
    reply = theta.create()
    assert (reply.status_code, reply.json()["status"]) == (200, "success")
    match = re.fullmatch(r"Custom deployment initiated\. Access it at: (https://\S+)", reply.json()["body"])
    assert match is not None
    item = theta.newest()
    assert set(item) == SEED_KEYS
    assert item["Endpoint"] == match[1]
    assert item["Endpoint"] == f"https://{item['Name']}-{item['Suffix']}.tec-s{item['Shard']}.onthetaedgecloud.com"
    assert (type(item["Shard"]), type(item["Replicas"]), type(item["EndpointStatus"])) == (int, int, int)
    # The five strings that vm_gt1 has in the seed's item.
    assert [item[key] for key in ("CPURequest", "MemRequest", "StorageRequest", "GPURequest", "GPUModel")] == [
        "2000m", "8192M", "128G", "1", "nvidia_T4",
    ]  # fmt: skip
    assert (item["EnvVarsString"], item["EnvVars"], item["AdditionalPorts"]) == ("", None, None)
    assert item["Annotations"] == {"nickname": "my-notebook"}
    assert item["ContainerArgs"] == json.loads(item["ContainerArgsString"])
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", item["CreatedAt"])


def test_no_reply_holds_a_plain_password_and_salts_differ(theta: Theta) -> None:
    for _ in range(2):
        theta.create(registry_username="u", registry_password="canary-registry")
    reply = theta.http.get("/deployments/list", params={"project_id": PROJECT})
    assert "supersecret" not in reply.text
    assert "canary-registry" not in reply.text
    one, two = theta.listed()[-2:]
    assert one["ContainerArgs"][2].startswith("--NotebookApp.password='argon2:$argon2id$")
    assert one["ContainerArgs"][2] != two["ContainerArgs"][2]


def test_same_request_twice_makes_two_items(theta: Theta) -> None:
    before = len(theta.listed())
    theta.create()
    theta.create()
    ids = {(item["Shard"], item["Suffix"]) for item in theta.listed()}
    assert len(ids) == before + 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"vm_id": None}, "vm_id"),
        ({"vm_id": "vm_none"}, "vm_none"),
        ({"deployment_template_id": "img_none"}, "img_none"),
        ({"container_image": None}, "container_image"),
        ({"container_image": "other:1"}, "other:1"),
        ({"min_replicas": "1"}, "integer"),
        ({"min_replicas": 0}, "min_replicas"),
        ({"min_replicas": 2}, "max_replicas"),
        ({"env_vars": {"A": 1}}, "env_vars"),
        (
            {"deployment_template_id": "img_b7rde856fn3i66tmity2btdb7oir", "container_image": None, "password": None},
            "env_vars",
        ),
        ({"deployment_template_id": "img_haehligvpslgcxu8cgyuefodh7q1", "container_image": None}, "password"),
    ],
)
def test_bad_request_is_refused_with_a_sentence_and_makes_nothing(
    theta: Theta, changes: dict[str, Any], words: str
) -> None:
    before = theta.listed()
    body = {key: value for key, value in {**SAMPLE, **changes}.items() if value is not None}
    reply = theta.http.post("/deployment", json=body)
    assert (reply.status_code, reply.json()["status"]) == (400, "error")
    assert words in reply.json()["message"]
    assert theta.listed() == before


def test_key_reaches_its_own_project_only(theta: Theta) -> None:
    other = {"x-api-key": "hfvi6dpentowc947516s9mf6xzqw3upg"}
    refused = {"status": "error", "message": "You are not allowed to perform this action"}
    query = {"project_id": PROJECT}
    for headers, status in ((other, 403), ({"x-api-key": "nobody"}, 403), ({"x-api-key": ""}, 401)):
        for reply in (
            theta.http.get("/deployments/list", params=query, headers=headers),
            theta.http.get("/deployment_template/list_custom_templates", params=query, headers=headers),
            theta.http.post("/deployment", json=SAMPLE, headers=headers),
            theta.http.delete("/deployments/1/abc", params=query, headers=headers),
        ):
            assert reply.status_code == status
            assert status == 401 or reply.json() == refused
    mine = theta.http.get("/deployments/list", params={"project_id": "prj_b63e3b061wwrdtokzq3fyeay757n"}, headers=other)
    assert mine.json() == {"status": "success", "body": []}


def test_embedded_account_takes_any_key_and_project_and_shows_the_foreign_items() -> None:
    server = Server(Emulator(None, open_to_all=True)).start()
    try:
        with httpx.Client(base_url=f"{server.url}/theta/controller", headers={"x-api-key": "any"}) as http:
            created = http.post("/deployment", json={**SAMPLE, "project_id": "prj_mine"})
            assert created.status_code == 200
            mine = http.get("/deployments/list", params={"project_id": "prj_mine"}).json()["body"]
            yours = http.get("/deployments/list", params={"project_id": "prj_yours"}).json()["body"]
            assert [item["ProjectID"] for item in mine] == ["prj_mine"] * 4
            assert len(yours) == 3
            custom = http.get("/deployment_template/list_custom_templates", params={"project_id": "prj_mine"})
            assert custom.json()["body"]["templates"][0]["project_id"] == "prj_mine"
    finally:
        server.stop()


def test_templates_come_in_pages_with_a_text_total(theta: Theta) -> None:
    path = "/deployment_template/list_standard_templates"
    first = theta.http.get(path, params={"category": "serving"}).json()["body"]
    assert (first["total_count"], first["page"], first["number"], len(first["templates"])) == ("11", 0, 10, 10)
    second = theta.http.get(path, params={"category": "serving", "page": 1}).json()["body"]
    assert len(second["templates"]) == 1
    beyond = theta.http.get(path, params={"category": "serving", "page": 2}).json()["body"]
    assert beyond["templates"] == []
    all_ids = {item["id"] for item in (*first["templates"], *second["templates"])}
    assert len(all_ids) == 11
    names = {item["name"] for item in theta.http.get(path, params={"number": 100}).json()["body"]["templates"]}
    assert {"Jupyter Notebook", "vLLM", "Llama 3.1 70B", "Stable Diffusion", "Whisper"} <= names


def test_custom_templates_are_made_used_and_removed(theta: Theta) -> None:
    body = {"name": "Mine", "project_id": PROJECT, "container_image": "acme/mine:1", "container_port": 80}
    template = theta.http.post("/deployment_template", json=body).json()["body"]
    request = {"project_id": PROJECT, "deployment_template_id": template["id"], "vm_id": "vm_c1", "min_replicas": 1}
    assert theta.http.post("/deployment", json=request).status_code == 200
    assert theta.newest()["ImageURL"] == "acme/mine:1"
    gone = theta.http.delete(f"/deployment_template/{template['id']}", params={"project_id": PROJECT})
    assert gone.json() == {"status": "success", "body": True}
    listed = theta.http.get("/deployment_template/list_custom_templates", params={"project_id": PROJECT})
    assert [item["name"] for item in listed.json()["body"]["templates"]] == ["Churn Scorer"]


def test_machines_have_text_numbers_and_need_no_key_by_default(theta: Theta) -> None:
    vms = {vm["id"]: vm for vm in theta.api.get("/resource/vm/list", headers={"x-api-key": ""}).json()["body"]["vms"]}
    assert vms["vm_gt1"]["resources"] == {
        "cpu": "2000", "mem": "8192", "storage": "128", "gpu": "1", "gpu model": "NVIDIA T4",
    }  # fmt: skip
    assert (vms["vm_ga2"]["price_hour"], "gpu" in vms["vm_c1"]["resources"]) == ("398", False)
    theta.switch(vm_list_auth="required")
    assert theta.api.get("/resource/vm/list", headers={"x-api-key": ""}).status_code == 401
    assert theta.api.get("/resource/vm/list").status_code == 200


def test_list_filters_by_template_name(theta: Theta) -> None:
    query: list[tuple[str, str]] = [("project_id", PROJECT)]
    only = theta.http.get("/deployments/list", params=[*query, ("template_name", "GPU Node")]).json()["body"]
    rest = theta.http.get(
        "/deployments/list",
        params=[*query, ("not_template_name", "GPU Node"), ("not_template_name", "Jupyter Notebook")],
    ).json()["body"]
    assert [item["TemplateName"] for item in only] == ["GPU Node"]
    assert [item["TemplateName"] for item in rest] == ["Triton Inference Server"]


def test_pod_and_endpoint_come_up_step_by_step(theta: Theta) -> None:
    theta.create()
    seen = []
    for pause in (0, 10, 20, 60):
        theta.server.emulator.advance(pause)
        item = theta.newest()
        pod, _, phase = item["PodPhase"].rpartition(": ")
        assert pod.startswith(f"{item['Name']}-deployment-{item['Suffix']}-")
        seen.append((phase, item["EndpointStatus"]))
    assert seen == [("Pending", 404), ("Pending", 503), ("Running", 502), ("Running", 200)]


def test_basic_auth_is_ready_at_401_and_shown_in_extended_items_only(theta: Theta) -> None:
    theta.create(auth_username="api", auth_password="canary-auth")
    theta.server.emulator.advance(100)
    item = theta.newest()
    assert item["EndpointStatus"] == 401
    assert "AuthPassword" not in item
    theta.switch(item_profile="extended")
    item = theta.newest()
    assert set(item) == SEED_KEYS | EXTENDED_KEYS
    assert (item["AuthUsername"], item["AuthPassword"], item["PriceHr"]) == ("api", "canary-auth", "20")


@pytest.mark.parametrize(
    ("timeline", "after_s", "state"),
    [
        ("failed", 30, ("Failed", 503)),
        ("never_ready", 3600, ("Running", 404)),
        ("slow", 300, ("Running", 500)),
        ([[0, "Running", 204]], 0, ("Running", 204)),
    ],
)
def test_timeline_can_be_scripted(theta: Theta, timeline: Any, after_s: float, state: tuple[str, int]) -> None:
    theta.switch(timeline=timeline)
    theta.create()
    theta.server.emulator.advance(after_s)
    item = theta.newest()
    assert (item["PodPhase"].rpartition(": ")[2], item["EndpointStatus"]) == state


def test_delete_wants_the_right_shard_and_a_second_one_finds_nothing(theta: Theta) -> None:
    theta.create()
    item = theta.newest()
    assert theta.delete(item, shard=item["Shard"] + 1).status_code == 404
    assert theta.newest() == item
    assert theta.delete(item).json()["status"] == "success"
    assert item["Suffix"] not in {other["Suffix"] for other in theta.listed()}
    assert theta.delete(item).status_code == 404
    theta.switch(delete_missing=200, delete_body="empty")
    again = theta.delete(item)
    assert (again.status_code, again.content) == (200, b"")


def test_soft_delete_leaves_a_tombstone_and_lag_shows_late(theta: Theta) -> None:
    theta.switch(delete_mode="soft", list_lag_ms=8000)
    before = len(theta.listed())
    theta.create()
    assert len(theta.listed()) == before
    theta.server.emulator.advance(8)
    item = theta.newest()
    theta.delete(item)
    assert theta.newest()["DeletedAt"] is None
    theta.server.emulator.advance(8)
    assert theta.newest()["DeletedAt"] is not None
    theta.switch(delete_mode="remove")
    assert len(theta.listed()) == before


@pytest.mark.parametrize(("style", "other"), [("plural", "singular"), ("singular", "plural")])
def test_routes_answer_in_one_spelling(theta: Theta, style: str, other: str) -> None:
    stem = {"plural": "/deployments", "singular": "/deployment"}
    theta.create()
    item = theta.newest()
    theta.switch(routes=style)
    query = {"project_id": PROJECT}
    assert theta.http.get(f"{stem[other]}/list", params=query).status_code == 404
    assert theta.http.get(f"{stem[style]}/list", params=query).status_code == 200
    path = f"/{item['Shard']}/{item['Suffix']}"
    assert theta.http.delete(stem[other] + path, params=query).status_code == 404
    assert theta.http.delete(stem[style] + path, params=query).status_code == 200


def test_create_can_answer_with_an_object(theta: Theta) -> None:
    theta.switch(create_shape="object")
    body = theta.create().json()["body"]
    item = theta.newest()
    assert {"Endpoint", "BaseID", "Shard", "Suffix", "AuthUsername", "AuthPassword", "Region"} <= set(body)
    assert (body["Shard"], body["Suffix"]) == (item["Shard"], item["Suffix"])


@pytest.mark.parametrize(
    ("mode", "shown"),
    [("echo", {"nickname": "n", "team": "a"}), ("nickname_only", {"nickname": "n"}), ("null", None), (None, None)],
)
def test_annotations_come_back_by_mode(theta: Theta, mode: str | None, shown: Any) -> None:
    theta.create(annotations={"nickname": "n", "team": "a"})
    theta.switch(annotations_mode=mode)
    assert theta.newest()["Annotations"] == shown


@pytest.mark.parametrize(
    ("mode", "text", "value"),
    [
        ("string", '{"A":"1"}', None),
        ("object", "", {"A": "1"}),
        ("both", '{"A":"1"}', {"A": "1"}),
        ("hidden", "", None),
    ],
)
def test_environment_comes_back_by_mode(theta: Theta, mode: str, text: str, value: Any) -> None:
    theta.create(env_vars={"A": "1"})
    theta.switch(env_mode=mode)
    item = theta.newest()
    assert (item["EnvVarsString"], item["EnvVars"]) == (text, value)


def test_remaining_switches_do_what_the_sheet_says(theta: Theta) -> None:
    theta.switch(suffix_style="base36", accept_name=True)
    theta.create(name="mine", max_replicas=3)
    item = theta.newest()
    assert (item["Name"], len(item["Suffix"]), item["Replicas"]) == ("mine", 28, 1)
    theta.switch(replicas_mode="max", accept_name=False, unknown_fields="reject", suffix_glitch=True)
    glitched = theta.newest()
    assert glitched["Replicas"] == 3
    assert glitched["Suffix"] != item["Suffix"]
    assert item["Suffix"] in glitched["Endpoint"]
    assert theta.delete(item).status_code == 404
    assert theta.delete(glitched).status_code == 200
    assert theta.create(name="mine").status_code == 400
    theta.switch(strict="off", unknown_fields="ignore")
    assert theta.create(vm_id="vm_none").status_code == 200


def test_undocumented_routes_are_absent_until_switched_on(theta: Theta) -> None:
    theta.create()
    item = theta.newest()
    path, query = f"/deployment/{item['Shard']}/{item['Suffix']}", {"project_id": PROJECT}
    assert theta.http.get(path, params=query).status_code == 404
    assert theta.http.put(f"{path}/stop", params=query).status_code == 404
    theta.switch(undocumented=True)
    assert theta.http.get(path, params=query).json()["body"]["Suffix"] == item["Suffix"]
    theta.http.put(f"{path}/stop", params=query)
    assert (theta.newest()["Replicas"], theta.newest()["PodPhase"]) == (0, "")
    theta.http.post(f"{path}/start", params=query)
    assert theta.newest()["Replicas"] == 1
    assert theta.http.put(path, params=query, json={"min_replicas": 2}).status_code == 200
    assert theta.newest()["Replicas"] == 2
    theta.switch(item_profile="extended")
    base = theta.newest()["BaseID"]
    assert theta.http.delete(f"/deployment/base/{base}", params=query).status_code == 200
    assert item["Suffix"] not in {other["Suffix"] for other in theta.listed()}


def test_project_users_and_balance_answer(theta: Theta) -> None:
    assert theta.api.get(f"/project/{PROJECT}").json()["body"]["projects"][0]["id"] == PROJECT
    assert theta.api.get(f"/project/{PROJECT}/users").status_code == 200
    assert theta.api.get("/balance").json()["body"]["balances"][0]["balance"] == 1000.0


def test_state_shows_every_live_item_in_full(theta: Theta) -> None:
    theta.switch(annotations_mode="null", env_mode="hidden")
    theta.create(env_vars={"A": "1"})
    item = theta.server.emulator.state()["theta"][-1]
    assert set(item) == SEED_KEYS | EXTENDED_KEYS
    assert (item["Annotations"], item["EnvVars"]) == ({"nickname": "my-notebook"}, {"A": "1"})
