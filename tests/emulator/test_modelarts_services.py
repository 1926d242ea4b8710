"""The services API of the emulator over HTTP, against the sentences of modelarts-services §2 to §10."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reconciler.emulator.server import Server

MODEL = "0e07b41b-173e-42db-8c16-8e1b44cc0d44"
OTHER_MODEL = "598b913a-af3e-41ba-a1b5-bf065320f1e2"
CPU = "modelarts.vm.cpu.2u"
SAMPLES: dict[str, dict[str, Any]] = {
    "two models": {
        "service_name": "mnist",
        "description": "mnist service",
        "infer_type": "real-time",
        "config": [
            {
                "model_id": "xxxmodel-idxxx",
                "weight": "70",
                "specification": CPU,
                "instance_count": 1,
                "envs": {"model_name": "mxnet-model-1", "load_epoch": "0"},
            },
            {"model_id": "xxxxxx", "weight": "30", "specification": CPU, "instance_count": 1},
        ],
    },
    "schedule": {
        "service_name": "service-demo",
        "description": "demo",
        "infer_type": "real-time",
        "config": [{"model_id": "xxxmodel-idxxx", "weight": "100", "specification": CPU, "instance_count": 1}],
        "schedule": [{"type": "stop", "time_unit": "HOURS", "duration": 1}],
    },
    "batch": {
        "service_name": "batchservicetest",
        "description": "",
        "infer_type": "batch",
        "cluster_id": "8abf68a969c3cb3a0169c4acb24b****",
        "config": [
            {
                "model_id": OTHER_MODEL,
                "specification": CPU,
                "instance_count": 1,
                "src_path": "https://infers-data.obs.xxxxx.com/xgboosterdata/",
                "dest_path": "https://infers-data.obs.xxxxx.com/output/",
                "req_uri": "/",
                "mapping_type": "file",
            }
        ],
    },
    "edge": {
        "service_name": "service-edge-demo",
        "description": "",
        "infer_type": "edge",
        "config": [
            {
                "model_id": "eb6a4a8c-5713-4a27-b8ed-c7e694499af5",
                "specification": "custom",
                "instance_count": 1,
                "custom_spec": {"cpu": 1.5, "memory": 7500, "gpu_p4": 0, "ascend_a310": 0},
                "envs": {},
                "nodes": ["2r8c4fb9-t497-40u3-89yf-skui77db0472"],
            }
        ],
    },
}


class Api:
    """The API as a signed-in client sees it; every answer is (status, body)."""

    def __init__(self, server: Server) -> None:
        self.emulator = server.emulator
        line = server.emulator.connection(server.url)["modelarts"]
        user = {"name": line["username"], "password": line["password"], "domain": {"name": line["domain"]}}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": {"project": {"id": line["projectId"]}}}}
        self._http = httpx.Client(trust_env=False)
        token = self._http.post(f"{line['iamEndpoint']}/v3/auth/tokens", json=body).headers["X-Subject-Token"]
        self._http.headers["X-Auth-Token"] = token
        self._base = f"{line['endpoint']}/v1/{line['projectId']}/services"

    def __call__(self, method: str, path: str = "", body: Any = None, **query: Any) -> tuple[int, Any]:
        reply = self._http.request(method, self._base + path, json=body, params=query or None)
        assert reply.headers["X-Request-Id"]
        return reply.status_code, reply.json() if reply.content else None

    def send_raw(self, content: bytes) -> httpx.Response:
        return self._http.post(self._base, content=content)

    def close(self) -> None:
        self._http.close()

    def switch(self, **values: Any) -> None:
        self.emulator.set_switches({"modelarts-services": values})

    def create(self, sample: str = "schedule", **changes: Any) -> str:
        status, body = self("POST", body={**copy.deepcopy(SAMPLES[sample]), **changes})
        assert status == 200, body
        return str(body["service_id"])

    def running(self, sample: str = "schedule", **changes: Any) -> str:
        service_id = self.create(sample, **changes)
        self.emulator.advance(120)
        return service_id

    def show(self, service_id: str) -> Any:
        status, body = self("GET", f"/{service_id}")
        return body if status == 200 else None

    def code(self, method: str, path: str = "", body: Any = None) -> tuple[int, str]:
        status, answer = self(method, path, body)
        return status, answer["error_code"].removeprefix("ModelArts.") if answer and status >= 400 else ""

    def refusal(self, sample: str = "two models", **changes: Any) -> tuple[int, str]:
        return self.code("POST", body={**copy.deepcopy(SAMPLES[sample]), **changes})


@pytest.fixture
def api(emulator: Server) -> Iterator[Api]:
    found = Api(emulator)
    yield found
    found.close()


@pytest.mark.parametrize("sample", SAMPLES)
def test_each_sample_of_the_sheet_is_taken_and_shown_again_with_numbers(api: Api, sample: str) -> None:
    status, body = api("POST", body=SAMPLES[sample])
    assert status == 200
    assert set(body) == {"service_id", "resource_ids"}
    shown = api.show(body["service_id"])
    assert (shown["status"], shown["progress"], shown["workspace_id"]) == ("deploying", 0, "0")
    for sent, seen in zip(SAMPLES[sample]["config"], shown["config"], strict=True):
        assert seen["model_id"] == sent["model_id"]
        assert seen.get("weight") == (int(sent["weight"]) if "weight" in sent else None)
        assert isinstance(seen["instance_count"], int)
        assert [node["id"] for node in seen.get("nodes", [])] == sent.get("nodes", [])
        assert seen["envs"] == sent.get("envs", {})
    absent = {"vpc_id", "error_msg", "access_address", "finished_time"}
    assert not absent & set(shown)
    assert ("due_time" in shown) is ("schedule" in SAMPLES[sample])


def test_list_items_have_no_config_and_a_number_for_the_workspace(api: Api) -> None:
    service_id = api.create("batch")
    _, listed = api("GET", service_name="batchservicetest")
    assert (listed["total_count"], listed["count"]) == (1, 1)
    item = listed["services"][0]
    assert (item["service_id"], item["workspace_id"]) == (service_id, 0)
    assert not {"config", "cluster_id", "pool_name"} & set(item)
    api.switch(list_workspace_as_number=False)
    assert api("GET", service_name="batchservicetest")[1]["services"][0]["workspace_id"] == "0"


def test_pages_are_counted_in_pages_or_in_records(api: Api) -> None:
    for number in range(5):
        api.create(service_name=f"page-{number}")
    query: dict[str, Any] = {"service_name": "page-", "limit": 2, "sort_by": "service_name", "order": "asc"}

    def names(offset: int) -> list[str]:
        return [item["service_name"] for item in api("GET", offset=offset, **query)[1]["services"]]

    assert [names(page) for page in range(4)] == [["page-0", "page-1"], ["page-2", "page-3"], ["page-4"], []]
    api.switch(offset_mode="record")
    assert [names(0), names(2), names(4), names(5)] == [["page-0", "page-1"], ["page-2", "page-3"], ["page-4"], []]
    api.switch(limit_max=1)
    assert names(4) == ["page-4"]
    assert api.code("GET", "?offset=x") == (400, "0104")


def test_filters_are_kept_and_unknown_query_keys_ignored(api: Api) -> None:
    api.running(service_name="mnist-a")
    api.create(service_name="mnist-b", workspace_id="1201")

    def names(**query: str) -> list[str]:
        return sorted(item["service_name"] for item in api("GET", **query)[1]["services"])

    everything = names(env="ignored")
    assert {"mnist-a", "mnist-b", "ranking-team-b", "ocr-market", "hand-made", "research-llm"} == set(everything)
    assert names(service_name="nist-") == ["mnist-a", "mnist-b"]
    assert names(service_name="mnist", workspace_id="0") == ["mnist-a"]
    assert names(status="deploying") == ["mnist-b"]
    assert names(model_id="xxxmodel-idxxx", infer_type="real-time", status="running") == ["mnist-a"]
    api.switch(service_name_match="exact", list_default_workspace="zero")
    assert names(service_name="mnist") == []
    assert "mnist-b" not in names()


def test_real_time_runs_batch_finishes_and_edge_nodes_run(api: Api) -> None:
    real, batch, edge = api.create("schedule"), api.create("batch"), api.create("edge")
    api.emulator.advance(60)
    assert api.show(real)["progress"] == 50
    api.emulator.advance(60)
    assert [api.show(one)["status"] for one in (real, batch, edge)] == ["running"] * 3
    assert api.show(real)["access_address"].endswith(real)
    assert api.show(edge)["config"][0]["nodes"][0]["instance_status"] == "running"
    api.emulator.advance(300)
    shown = api.show(batch)
    assert (shown["status"], shown["finished_time"] - shown["start_time"]) == ("finished", 300_000)


def test_schedule_stops_the_service_by_itself_and_a_restart_begins_a_new_timer(api: Api) -> None:
    service_id = api.running("schedule")
    shown = api.show(service_id)
    assert shown["due_time"] - shown["transition_at"] == 3_600_000
    api.emulator.advance(3600)
    stopped = api.show(service_id)
    assert (stopped["status"], "due_time" in stopped) == ("stopped", False)
    events = api("GET", f"/{service_id}/events")[1]["events"]
    assert events[0]["event_info"] == "The service stops when the auto stop time expires."
    api.switch(due_time_after_stop="keep", schedule_restart="error")
    assert api.show(service_id)["due_time"] == shown["due_time"]
    assert api.code("PUT", f"/{service_id}", {"status": "running"}) == (400, "3562")
    assert api("PUT", f"/{service_id}", {"schedule": SAMPLES["schedule"]["schedule"]})[0] == 200
    assert api("PUT", f"/{service_id}", {"status": "running"})[0] == 200
    api.emulator.advance(120)
    assert api.show(service_id)["due_time"] > shown["due_time"]
    api("PUT", f"/{service_id}", {"schedule": []})
    api.emulator.advance(50_000)
    assert (api.show(service_id)["status"], "schedule" in api.show(service_id)) == ("running", False)


def test_status_beats_config_which_is_dropped_without_a_word(api: Api) -> None:
    service_id = api.running("schedule")
    config = [{**SAMPLES["schedule"]["config"][0], "instance_count": 3}]
    assert api("PUT", f"/{service_id}", {"status": "stopped", "config": config}) == (200, {})
    api.emulator.advance(20)
    shown = api.show(service_id)
    assert (shown["status"], shown["config"][0]["instance_count"], "update_time" in shown) == ("stopped", 1, False)


def test_config_update_replaces_elements_rolls_out_and_is_logged(api: Api) -> None:
    service_id = api.running("two models")
    config = [{"model_id": "xxxmodel-idxxx", "weight": 100, "specification": CPU, "instance_count": "2"}]
    status, body = api("PUT", f"/{service_id}", {"config": config, "description": ""})
    assert (status, set(body)) == (200, {"update_time", "resource_ids"})
    shown = api.show(service_id)
    assert (shown["status"], shown["description"], shown["update_time"]) == ("deploying", "", body["update_time"])
    assert [(e["model_id"], e["instance_count"], e["envs"]) for e in shown["config"]] == [("xxxmodel-idxxx", 2, {})]
    assert api("GET", f"/{service_id}/logs")[1]["logs"][0]["result"] == "RUNNING"
    api.emulator.advance(120)
    assert api("GET", f"/{service_id}/logs")[1]["logs"][0]["result"] == "SUCCESS"
    api.switch(config_omitted_keys="keep", stale_status_s=10)
    api("PUT", f"/{service_id}", {"config": [{"model_id": "xxxmodel-idxxx", "instance_count": 3}]})
    shown = api.show(service_id)
    assert (shown["status"], shown["config"][0]["weight"]) == ("running", 100)
    api.emulator.advance(10)
    assert api.show(service_id)["status"] == "deploying"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("deploying", [400, 400, 200, 200]),
        ("running", [200, 400, 200, 200]),
        ("concerning", [200, 400, 200, 200]),
        ("failed", [200, 200, 200, 200]),
        ("stopped", [200, 200, 400, 200]),
        ("waiting", [400, 400, 200, 200]),
        ("pending", [400, 400, 200, 200]),
        ("stopping", [400, 400, 400, 200]),
        ("deleting", [400, 400, 400, 400]),
    ],
)
def test_what_a_put_may_do_depends_on_the_status(api: Api, state: str, expected: list[int]) -> None:
    def service_in(number: int) -> str:
        if state in {"waiting", "pending", "failed", "concerning"}:
            api.switch(deploy_outcome={"*": state})
        service_id = api.create(service_name=f"s-{number}")
        api.emulator.advance(120 if state not in {"deploying", "waiting", "pending"} else 0)
        if state in {"stopping", "stopped"}:
            api("PUT", f"/{service_id}", {"status": "stopped"})
            api.emulator.advance(20 if state == "stopped" else 0)
        if state == "deleting":
            api("DELETE", f"/{service_id}")
        assert api.show(service_id)["status"] == state
        return service_id

    bodies = [
        {"config": SAMPLES["schedule"]["config"]},
        {"status": "running"},
        {"status": "stopped"},
        {"description": "new"},
    ]
    answers = [api.code("PUT", f"/{service_in(number)}", body) for number, body in enumerate(bodies)]
    assert answers == [(status, "3519" if status == 400 else "") for status in expected]


def test_same_status_can_be_taken_and_a_config_can_start_a_stopped_service(api: Api) -> None:
    service_id = api.running("schedule")
    api.switch(same_status_put=200, config_update_starts_stopped=True)
    assert api("PUT", f"/{service_id}", {"status": "running"})[0] == 200
    assert api.show(service_id)["status"] == "running"
    api("PUT", f"/{service_id}", {"status": "stopped"})
    api.emulator.advance(20)
    api("PUT", f"/{service_id}", {"config": SAMPLES["schedule"]["config"]})
    assert api.show(service_id)["status"] == "deploying"


def test_name_stays_taken_until_the_deletion_is_through(api: Api) -> None:
    service_id = api.running("schedule")
    assert api.refusal("schedule") == (409, "3503")
    assert api("DELETE", f"/{service_id}") == (200, {})
    assert (api.show(service_id)["status"], api.refusal("schedule")) == ("deleting", (409, "3503"))
    api.emulator.advance(15)
    status, body = api("GET", f"/{service_id}")
    assert status == 404
    assert body == {"error_code": "ModelArts.3502", "error_msg": f"Service {service_id} does not exist."}
    assert api.create("schedule") != service_id


def test_names_can_be_unique_per_workspace_or_type(api: Api) -> None:
    api.create("schedule")
    api.switch(name_scope="workspace")
    api.create("schedule", workspace_id="1201")
    assert api.refusal("schedule") == (409, "3503")
    api.switch(name_scope="type")
    api.create("edge", service_name="service-demo")


def test_several_ids_are_deleted_at_once_or_not_at_all(api: Api) -> None:
    one, two = api.create(service_name="one"), api.create(service_name="two")
    assert api.code("DELETE", f"/{one},nobody") == (404, "3502")
    assert api.show(one)["status"] == "deploying"
    api.switch(batch_delete_partial=True)
    assert api.code("DELETE", f"/{one},nobody") == (200, "")
    api.switch(delete_while_deploying=False)
    assert api.code("DELETE", f"/{two}") == (400, "3519")
    assert [api.show(one)["status"], api.show(two)["status"]] == ["deleting", "deploying"]


def test_what_belongs_to_others_is_shown_and_can_not_be_changed(api: Api) -> None:
    listed = {item["service_name"]: item for item in api("GET")[1]["services"]}
    stranger, shared = listed["ranking-team-b"], listed["ocr-market"]
    assert (shared["is_shared"], stranger["owner"] == listed["hand-made"]["owner"]) == (True, False)
    body = {"description": "mine"}
    assert api.code("PUT", f"/{stranger['service_id']}", body) == (400, "3540")
    assert api.code("DELETE", f"/{stranger['service_id']}") == (400, "3540")
    assert api.code("PUT", f"/{shared['service_id']}", body) == (400, "3525")
    assert set(api.show(shared["service_id"])["config"][0]) == {"model_id", "model_name", "model_version"}


@pytest.mark.parametrize(
    ("sample", "changes", "expected"),
    [
        ("schedule", {"description": "a < b"}, "0104"),
        ("schedule", {"description": "x" * 101}, "0104"),
        ("schedule", {"service_name": "with space"}, "0104"),
        ("schedule", {"infer_type": "streaming"}, "0104"),
        ("schedule", {"workspace_id": "nowhere"}, "0102"),
        ("schedule", {"config": []}, "0104"),
        ("schedule", {"vpc_id": "vpc"}, "0104"),
        ("schedule", {"schedule": [{"type": "stop", "time_unit": "WEEKS", "duration": 1}]}, "0104"),
        ("schedule", {"additional_properties": {"log_report_channels": [{"type": "FILE"}]}}, "0104"),
        ("schedule", {"surprise": 1}, "0104"),
        ("batch", {"schedule": SAMPLES["schedule"]["schedule"]}, "0104"),
        ("edge", {"pool_name": "pool1"}, "0104"),
    ],
)
def test_service_level_mistakes_are_refused(api: Api, sample: str, changes: dict[str, Any], expected: str) -> None:
    assert api.refusal(sample, **changes) == (400, expected)


@pytest.mark.parametrize(
    ("sample", "changes", "expected"),
    [
        ("schedule", {"weight": 60}, "0104"),
        ("schedule", {"weight": None}, "0104"),
        ("schedule", {"instance_count": 0}, "0104"),
        ("schedule", {"instance_count": True}, "0104"),
        ("schedule", {"instance_count": 129}, "3522"),
        ("schedule", {"specification": "modelarts.vm.cpu.999u"}, "0107"),
        ("schedule", {"specification": "custom", "custom_spec": {"cpu": 1, "memory": 1}}, "0104"),
        ("schedule", {"custom_spec": {"cpu": 1, "memory": 1}}, "0104"),
        ("schedule", {"src_path": "/bucket/in/"}, "0104"),
        ("schedule", {"envs": {"A": 1}}, "0104"),
        ("schedule", {"additional_properties": {"log_volume": [{"host_path": "/a", "mount_path": "/b"}]}}, "0104"),
        ("schedule", {"model_id": "5d1e6c1b-3b7e-4a4e-9b8f-0d6c2f7a9e11"}, "3515"),
        ("batch", {"mapping_type": "csv"}, "0104"),
        ("batch", {"src_path": "infers-data/"}, "3572"),
        ("edge", {"nodes": []}, "0104"),
        ("edge", {"custom_spec": {"cpu": 1, "memory": 1, "gpu_p4": 1, "ascend_a310": 1}}, "0104"),
    ],
)
def test_configuration_mistakes_are_refused(api: Api, sample: str, changes: dict[str, Any], expected: str) -> None:
    element = {**SAMPLES[sample]["config"][0], **changes}
    assert api.refusal(sample, config=[element]) == (400, expected)


def test_two_configs_with_one_model_and_unknown_models_have_their_codes(api: Api) -> None:
    half = {"model_id": MODEL, "weight": 50, "specification": CPU, "instance_count": 1}
    assert api.refusal(config=[half, half]) == (400, "3516")
    assert api.refusal(config=[half, {**half, "model_id": OTHER_MODEL, "weight": 40}]) == (400, "0104")
    api.switch(unknown_models="refuse")
    assert api.refusal(config=[{**half, "model_id": "never-imported", "weight": 100}]) == (404, "3507")


def test_looser_servers_can_be_had_by_switch(api: Api) -> None:
    api.switch(strict_fields=False, unknown_specifications="accept", instance_limit=500)
    element = {**SAMPLES["schedule"]["config"][0], "src_path": "x", "specification": "a.new.one", "instance_count": 200}
    api.create(config=[element], surprise=1)


def test_quota_of_a_type_is_kept(api: Api) -> None:
    api.switch(quota={"edge": 1})
    api.create("edge")
    assert api.refusal("edge", service_name="second") == (400, "3520")


def test_one_way_properties_go_on_and_never_off(api: Api) -> None:
    service_id = api.running("schedule")
    on = {"log_report_channels": [{"type": "LTS"}], "websocket_upgrade": True}
    assert api("PUT", f"/{service_id}", {"additional_properties": on})[0] == 200
    refused: list[dict[str, Any]] = [{"log_report_channels": []}, {"websocket_upgrade": False}]
    for off in refused:
        assert api.code("PUT", f"/{service_id}", {"additional_properties": off}) == (400, "0104")
    assert api("PUT", f"/{service_id}", {"additional_properties": {}})[0] == 200
    assert api.show(service_id)["additional_properties"] == on
    api.switch(properties_as_text=True)
    assert api.show(service_id)["additional_properties"]["websocket_upgrade"] == "true"


def test_custom_spec_echo_can_lose_keys(api: Api) -> None:
    service_id = api.create("edge")

    def echoed() -> set[str]:
        return set(api.show(service_id)["config"][0]["custom_spec"])

    assert echoed() == {"cpu", "memory", "gpu_p4", "ascend_a310"}
    api.switch(custom_spec_echo="without_ascend")
    assert echoed() == {"cpu", "memory", "gpu_p4"}
    api.switch(custom_spec_echo="empty", write_only_fields=True)
    assert echoed() == set()


def test_failed_deployment_says_why_and_an_update_can_roll_back(api: Api) -> None:
    api.switch(deploy_outcome={"bad": "failed"}, update_rollback=["service-demo"])
    bad, good = api.running(service_name="bad"), api.create("schedule")
    assert (api.show(bad)["status"], bool(api.show(bad)["error_msg"])) == ("failed", True)
    assert api("GET", f"/{bad}/events", event_type="abnormal")[1]["total_count"] == 1
    api.emulator.advance(120)
    api("PUT", f"/{good}", {"config": [{**SAMPLES["schedule"]["config"][0], "instance_count": 4}]})
    assert api.show(good)["config"][0]["instance_count"] == 4
    api.emulator.advance(120)
    shown = api.show(good)
    assert (shown["status"], shown["config"][0]["instance_count"]) == ("running", 1)
    assert api("GET", f"/{good}/logs")[1]["logs"][0]["result"] == "FAIL"


def test_rate_limit_answers_429_until_time_passes(api: Api) -> None:
    api.switch(rate_limit={"requests": 2, "per_s": 10, "retry_after": "7"})
    assert [api("GET")[0] for _ in range(3)] == [200, 200, 429]
    assert api("GET")[1]["error_code"] == "APIG.0308"
    api.emulator.advance(10)
    assert api("GET")[0] == 200


def test_specifications_name_what_the_samples_use(api: Api) -> None:
    status, body = api("GET", "/specifications", infer_type="batch", is_personal_cluster="false")
    names = {item["specification"] for item in body["specifications"]}
    assert (status, body["total_count"]) == (200, len(names))
    assert {CPU, "modelarts.vm.gpu.p4", "modelsarts.vm.ai1.a310"} <= names


def test_tags_are_kept_for_real_time_services_only(api: Api) -> None:
    service_id, edge = api.create("schedule"), api.create("edge")
    tags = {"tags": [{"key": "team", "value": "vision"}, {"key": "stage", "value": "dev"}]}
    assert api("POST", f"/{service_id}/tags/create", tags) == (204, None)
    assert api.code("POST", f"/{edge}/tags/create", tags) == (400, "0104")
    assert api.code("POST", f"/{service_id}/tags/create", {"tags": [{"key": "_sys_x", "value": ""}]}) == (400, "0104")
    assert api("GET", "/tms/tags")[1]["tags"][1] == {"key": "team", "values": ["vision"]}
    assert api("GET", tags="team|vision,stage|dev")[1]["total_count"] == 1
    assert api("DELETE", f"/{service_id}/tags/delete", {"tags": [{"key": "team"}]}) == (204, None)
    assert api("GET", f"/{service_id}/tags")[1]["tags"] == [{"key": "stage", "value": "dev"}]


def test_instance_counts_change_by_property_and_by_patch(api: Api) -> None:
    service_id = api.running("schedule")
    change = {"changed_property": "instance_count", "configs": [{"model_id": "xxxmodel-idxxx", "changed_value": "2"}]}
    assert api("PUT", f"/{service_id}/property", change)[0] == 200
    api.emulator.advance(120)
    assert api.code("PUT", f"/{service_id}/property", change) == (400, "0104")
    patch = [{"op": "replace", "path": "/config/0/instance_count", "value": "3"}]
    assert api("PATCH", f"/{service_id}", patch)[0] == 200
    assert api.show(service_id)["config"][0]["instance_count"] == 3
    api.emulator.advance(120)
    for bad in ([{"op": "add", "path": "/config/0/weight", "value": 1}], [{"op": "replace", "path": "/description"}]):
        assert api.code("PATCH", f"/{service_id}", bad) == (400, "0104")


def test_one_edge_node_stops_and_the_monitor_counts_instances(api: Api) -> None:
    service_id = api.running("edge")
    node = SAMPLES["edge"]["config"][0]["nodes"][0]
    assert api("PUT", f"/{service_id}/nodes/{node}/status", {"status": "stopped"}) == (200, {})
    assert api.show(service_id)["config"][0]["nodes"][0]["instance_status"] == "stopped"
    assert api.code("PUT", f"/{service_id}/nodes/nobody/status", {"status": "stopped"}) == (404, "3502")
    assert api("GET", f"/{service_id}/monitor")[1]["service_running_instance_count"] == 1


def test_body_that_is_no_json_is_refused_in_the_api_s_own_form(api: Api, emulator: Server) -> None:
    reply = api.send_raw(b"{")
    assert (reply.status_code, set(reply.json())) == (400, {"error_code", "error_msg"})
    assert len(emulator.emulator.state()["modelarts-services"]) == 4
