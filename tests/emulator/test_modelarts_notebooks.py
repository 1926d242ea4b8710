"""The notebook API of the emulator over HTTP, against the sentences of its sheet."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reconciler.emulator.server import Emulator, Server

SAMPLE: dict[str, Any] = {
    "name": "notebook-d115",
    "description": "",
    "profile_id": "Ascend-Power-Engine 1.0(python3)",
    "flavor": "modelarts.kat1.xlarge",
    "spec": {
        "storage": {"location": {"path": "/aaaaaaaaa/output/"}, "type": "obs"},
        "auto_stop": {"enable": True, "duration": 3600},
    },
    "workspace": {"id": "0"},
}
EVERYTHING = {"de_type": "Notebook", "show_self": "false"}


class Api:
    """The API as a signed-in client sees it; every answer is (status, body)."""

    def __init__(self, server: Server) -> None:
        self.server = server
        line = server.emulator.connection(server.url)["modelarts"]
        user = {"name": line["username"], "password": line["password"], "domain": {"name": line["domain"]}}
        log_in = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": {"id": line["projectId"]}},
            }
        }
        self._http = httpx.Client(trust_env=False)
        reply = self._http.post(f"{line['iamEndpoint']}/v3/auth/tokens", json=log_in)
        self.token = reply.headers["X-Subject-Token"]
        self.base = f"{line['endpoint']}/v1/{line['projectId']}/demanager/instances"

    def __call__(
        self, method: str, path: str = "", body: Any = None, query: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, Any]:
        reply = self._http.request(
            method, self.base + path, json=body, params=query, headers=headers or {"X-Auth-Token": self.token}
        )
        return reply.status_code, reply.json()

    def create(self, name: str = "notebook-d115", **changes: Any) -> str:
        status, body = self("POST", body={**copy.deepcopy(SAMPLE), "name": name, **changes})
        assert status == 200, body
        return str(body["id"])

    def status(self, live_id: str) -> str:
        status, body = self("GET", f"/{live_id}")
        if status == 200:
            return str(body["status"])
        assert (status, body["error_code"]) == (400, "ModelArts.6309")
        return "gone"

    def names(self, **query: str) -> list[str]:
        body = self("GET", query={**EVERYTHING, **query})[1]
        assert body["total_count"] >= len(body["instances"])
        return [item["name"] for item in body["instances"]]

    def switch(self, **values: Any) -> None:
        self.server.emulator.set_switches({"modelarts-notebooks": values})

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def api(emulator: Server) -> Iterator[Api]:
    client = Api(emulator)
    yield client
    client.close()


def test_the_sample_request_gives_the_sample_response(api: Api) -> None:
    status, body = api("POST", body=SAMPLE)
    assert status == 200
    assert body["id"].startswith("DE-")
    assert body["status"] == "CREATING"
    assert body["profile"]["id"] == "efa847c0-7359-11eb-b34f-0255ac100057"
    assert body["profile"]["name"] == "Ascend-Powered-Engine 1.0 (python3)"
    assert body["flavor_details"] == {
        "name": "modelarts.kat1.xlarge",
        "params": {"CPU": 24, "NPU": 1, "graphics_memory": "32GiB", "memory": "96GiB", "type": "Ascend 910"},
        "status": "onSale",
        "storage_list": ["obs", "efs"],
        "type": "Ascend",
    }
    assert body["spec"]["auto_stop"] == {"duration": 3600, "enable": True, "prompt": True}
    assert set(body["spec"]["annotations"]) == {"target_domain", "url"}
    assert [body["spec"][key] for key in ("extend_params", "extend_storage", "failed_reasons", "repository")] == [
        None
    ] * 4
    assert body["ai_project"] == {"id": "default-ai-project"}
    assert body["workspace"] == {"id": "0"}
    assert len(body["creation_timestamp"]) == 13
    assert isinstance(body["creation_timestamp"], str)


def test_an_instance_lives_through_create_auto_stop_start_stop_and_delete(api: Api) -> None:
    live_id = api.create()
    walk = []
    for seconds, action in ((59, ""), (1, ""), (3599, ""), (1, ""), (20, "start"), (30, "stop"), (20, "")):
        api.server.emulator.advance(seconds)
        walk.append(api.status(live_id))
        if action:
            api("POST", f"/{live_id}/action", {"action": action})
    assert walk == ["CREATING", "RUNNING", "RUNNING", "STOPPING", "STOPPED", "RUNNING", "STOPPED"]
    assert api("DELETE", f"/{live_id}") == (200, {"instance_id": live_id})
    assert api.status(live_id) == "DELETING"
    api.server.emulator.advance(10)
    assert api("GET", f"/{live_id}") == (
        400,
        {"error_message": "The instance does not exist.", "error_code": "ModelArts.6309"},
    )
    assert "notebook-d115" not in api.names()


def test_a_running_instance_counts_down_by_the_duration_of_its_start(api: Api) -> None:
    live_id = api.create()
    api.server.emulator.advance(160)
    before = api("GET", f"/{live_id}")[1]["spec"]["auto_stop"]
    assert before["remain_time"] == 3500
    answer = api("PUT", f"/{live_id}", {"spec": {"auto_stop": {"enable": True, "duration": 7200, "prompt": True}}})[1]
    assert "spec" not in answer
    after = api("GET", f"/{live_id}")[1]["spec"]["auto_stop"]
    assert (after["duration"], after["remain_time"]) == (7200, 3500)
    api.switch(auto_stop_read="old")
    assert api("GET", f"/{live_id}")[1]["spec"]["auto_stop"]["duration"] == 3600
    api.server.emulator.advance(3500)
    assert api.status(live_id) == "STOPPING"
    assert api("GET", f"/{live_id}")[1]["spec"]["annotations"]["url"] == ""


def _changed(path: str, value: Any) -> dict[str, Any]:
    body = copy.deepcopy(SAMPLE)
    *above, last = path.split(".")
    place = body
    for key in above:
        place = place.setdefault(key, {})
    if value is None:
        del place[last]
    else:
        place[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        pytest.param("spec.auto_stop.duration", "3600", 6332, id="a number as text"),
        pytest.param("spec.auto_stop.duration", True, 6332, id="a boolean as number"),
        pytest.param("flavor", None, 6335, id="no flavor"),
        pytest.param("spec.storage", None, 6316, id="no storage"),
        pytest.param("spec.storage.location", None, 6317, id="no path"),
        pytest.param("name", "a b", 6334, id="a blank in the name"),
        pytest.param("description", "a & b", 6334, id="an ampersand in the description"),
        pytest.param("name", "n" * 65, 6336, id="a long name"),
        pytest.param("description", "d" * 513, 6336, id="a long description"),
        pytest.param("spec.storage.type", "evs", 6324, id="another storage type"),
        pytest.param("spec.storage.location.path", "/bucket/dir", 6318, id="no slash at the end"),
        pytest.param("spec.storage.location.path", "bucket/dir/", 6336, id="no slash at the beginning"),
        pytest.param("spec.storage.location.path", "/bucket/", 6358, id="the root of a bucket"),
        pytest.param("spec.auto_stop.duration", None, 6348, id="auto-stop without duration"),
        pytest.param("spec.auto_stop.duration", 3599, 6349, id="a short duration"),
        pytest.param("spec.auto_stop.duration", 86401, 6349, id="a long duration"),
        pytest.param("flavor", "modelarts.vm.tpu", 6323, id="an unknown flavor"),
        pytest.param("flavor", "modelarts.vm.cpu.2u", 6330, id="a profile for another type of flavor"),
        pytest.param("workspace.id", "nowhere", 102, id="an unknown workspace"),
        pytest.param("workspace.id", 0, 6332, id="a workspace as number"),
        pytest.param("pool", {"type": "USER_DEFINED"}, 6335, id="a pool without id"),
    ],
)
def test_a_bad_create_is_refused_with_the_code_of_the_sheet(api: Api, path: str, value: Any, code: int) -> None:
    before = api.names()
    status, body = api("POST", body=_changed(path, value))
    assert (status, body["error_code"]) == (400, f"ModelArts.{code:04}")
    assert body["error_message"]
    assert api.names() == before


def test_names_are_unique_until_the_instance_is_gone(api: Api) -> None:
    live_id = api.create()
    assert api("POST", body=SAMPLE)[1]["error_code"] == "ModelArts.6301"
    api.server.emulator.advance(60)
    assert api("DELETE", f"/{live_id}")[1]["error_code"] == "ModelArts.6304"
    api("POST", f"/{live_id}/action", {"action": "stop"})
    assert api("DELETE", f"/{live_id}")[1]["error_code"] == "ModelArts.6357"
    api.server.emulator.advance(20)
    api("DELETE", f"/{live_id}")
    assert api("POST", body=SAMPLE)[1]["error_code"] == "ModelArts.6301"
    api.server.emulator.advance(10)
    assert api.create() != live_id


def test_actions_in_the_wrong_status_say_which(api: Api) -> None:
    def act(action: str) -> str:
        return str(api("POST", f"/{live_id}/action", {"action": action})[1].get("error_code", "done"))

    live_id = api.create(spec={"storage": SAMPLE["spec"]["storage"]})
    found = [act("stop")]
    api.server.emulator.advance(60)
    found += [act("start"), act("stop"), act("stop"), act("start")]
    assert api("PUT", f"/{live_id}", {"description": "x"})[1]["error_code"] == "ModelArts.6347"
    api.server.emulator.advance(20)
    found += [act("stop"), act("start"), act("start"), act("dance")]
    codes = [6357, 6305, 0, 6308, 6308, 6307, 0, 6306, 6336]
    assert found == [f"ModelArts.{code}" if code else "done" for code in codes]


def test_a_list_shows_only_ones_own_unless_asked_and_needs_de_type(api: Api) -> None:
    api.create()
    assert api("GET")[1]["error_code"] == "ModelArts.6335"
    own = [item["name"] for item in api("GET", query={"de_type": "Notebook"})[1]["instances"]]
    assert own == ["notebook-d115", "other-owner-nb"]
    assert api.names() == ["console-sandbox", "lidar-lab", "notebook-d115", "other-owner-nb"]
    assert api.names(show_self="False", sortby="creation_timestamp", order="desc")[0] == "notebook-d115"
    assert api("GET", query={**EVERYTHING, "sortby": "status"})[1]["error_code"] == "ModelArts.6303"
    assert api.names(offset="1", limit="2") == ["lidar-lab", "notebook-d115"]
    api.switch(foreign_show_self="403", total_count_type="string", error_key="error_msg")
    status, body = api("GET", query=EVERYTHING)
    assert (status, body["error_code"]) == (403, "ModelArts.0108")
    assert body["error_msg"]
    assert api("GET", query={"de_type": "Notebook"})[1]["total_count"] == "2"


def test_workspaces_and_tombstones_in_lists(api: Api) -> None:
    other = "5c3d1a9e-2f0b-4a43-9f6e-0b6a5d2c7e11"
    live_id = api.create(workspace={"id": other})
    assert "notebook-d115" not in api.names()
    assert api.names(workspace_id=other) == ["notebook-d115"]
    api.switch(list_without_workspace="all", create_outcome="failed", list_omits_storage=True)
    assert "notebook-d115" in api.names()
    item = api("GET", query={**EVERYTHING, "workspace_id": other})[1]["instances"][0]
    assert "storage" not in item["spec"]
    api.server.emulator.advance(60)
    api("POST", f"/{live_id}/action", {"action": "stop"})
    api.server.emulator.advance(20)
    api("DELETE", f"/{live_id}")
    api.server.emulator.advance(10)
    assert "notebook-d115" not in api.names()
    api.switch(list_includes_deleted=True)
    tombstone = api("GET", query={**EVERYTHING, "workspace_id": other})[1]["instances"][0]
    assert tombstone["status"] == "DELETED"


def test_a_failed_create_says_why_and_keeps_its_name(api: Api) -> None:
    api.switch(create_outcome="failed")
    live_id = api.create()
    api.server.emulator.advance(60)
    body = api("GET", f"/{live_id}")[1]
    assert (body["status"], body["error_code"]) == ("CREATE_FAILED", "ModelArts.6360")
    assert body["spec"]["failed_reasons"]["code"] == "ModelArts.6360"
    assert api("POST", body=SAMPLE)[1]["error_code"] == "ModelArts.6301"
    assert api("DELETE", f"/{live_id}")[0] == 200


def test_a_free_flavor_queues_stops_by_itself_and_is_purged(emulator: Server) -> None:
    emulator.emulator.set_switches({"modelarts": {"token_ttl_s": 10 * 86400}})
    api = Api(emulator)
    both = {"flavor": "modelarts.vm.gpu.p100", "profile_id": "Multi-Engine 2.0 (python3)"}
    assert api("POST", body={**SAMPLE, **both})[1]["error_code"] == "ModelArts.6329"
    sold_out = api.create(flavor="modelarts.vm.gpu.free", profile_id="Multi-Engine 2.0 (python3)")
    queue = api("GET", f"/{sold_out}")[1]["queuing_info"]
    assert (queue["status"], queue["rank"], queue["remain_time"]) == ("CREATE_QUEUING", 5, 300)
    free = api.create("free", flavor="modelarts.vm.cpu.free", profile_id="Python3", spec=_changed("x", 1)["spec"])
    api.server.emulator.advance(60 + 3600 + 20)
    assert api.status(free) == "STOPPED"
    api.server.emulator.advance(72 * 3600 - 1)
    assert api.status(free) == "STOPPED"
    api.server.emulator.advance(1)
    assert api.status(free) == "gone"
    api.close()


def test_put_auto_stop_replaces_or_merges_by_switch(api: Api) -> None:
    live_id = api.create()
    api.server.emulator.advance(60)
    api("PUT", f"/{live_id}", {"spec": {"auto_stop": {"enable": False}}})
    assert api("GET", f"/{live_id}")[1]["spec"]["auto_stop"] == {"enable": False, "prompt": True}
    api.switch(put_auto_stop="merge", unknown_keys="refuse")
    api("PUT", f"/{live_id}", {"spec": {"auto_stop": {"enable": True, "duration": 7200}}})
    api("PUT", f"/{live_id}", {"spec": {"auto_stop": {"prompt": False}}})
    shown = api("GET", f"/{live_id}")[1]["spec"]["auto_stop"]
    assert (shown["enable"], shown["duration"], shown["prompt"]) == (True, 7200, False)
    assert api("PUT", f"/{live_id}", {"flavor": "modelarts.vm.cpu.8u"})[1]["error_code"] == "ModelArts.6336"


def test_a_token_is_needed_and_a_bearer_only_counts_when_switched_on(api: Api) -> None:
    bearer = {"Authorization": f"Bearer {api.token}"}
    assert api("GET", query=EVERYTHING, **{"X-Auth-Token": "nonsense"})[0] == 401
    assert api("GET", query=EVERYTHING, **bearer)[1]["error_code"] == "ModelArts.0201"
    api.switch(bearer_token="on")
    assert api("GET", query=EVERYTHING, **bearer)[0] == 200


def test_switches_change_what_the_api_does(api: Api) -> None:
    api.switch(success_status=202, path_leading_slash="optional", annotations_echo="drop", limit_zero="refuse")
    status, body = api("POST", body=_changed("spec.storage.location.path", "bucket/dir/"))
    assert status == 202
    assert api("GET", query={**EVERYTHING, "limit": "0"})[1]["error_code"] == "ModelArts.6336"
    named = _changed("spec.annotations", {"team": "vision"})
    assert "team" not in api("POST", body={**named, "name": "two"})[1]["spec"]["annotations"]
    api.switch(annotations_echo="merge", delete="sync", delete_running="allow", put_in_transition="accept")
    assert api("PUT", f"/{body['id']}", {"description": "early"})[0] == 202
    api.server.emulator.advance(60)
    api("DELETE", f"/{body['id']}")
    assert api.status(body["id"]) == "gone"
    api.switch(name_scope="user", instance_limit=2, start_outcome="failed")
    assert api("POST", body={**SAMPLE, "name": "lidar-lab"})[1]["error_code"] == "ModelArts.6302"
    api.switch(instance_limit=0)
    assert api("POST", body={**SAMPLE, "name": "lidar-lab"})[0] == 202


def test_an_embedded_emulator_takes_any_project_and_shows_what_others_made_there() -> None:
    server = Server(Emulator(None, open_to_all=True)).start()
    base = f"{server.url}/modelarts/v1/any-project/demanager/instances"
    headers = {"X-Auth-Token": "whatever"}
    body = {**SAMPLE, "workspace": {"id": "team"}}
    made = httpx.post(base, json=body, headers=headers, trust_env=False).json()
    assert made["workspace"] == {"id": "team"}
    query = {**EVERYTHING, "workspace_id": "0"}
    names = [item["name"] for item in httpx.get(base, params=query, headers=headers).json()["instances"]]
    assert names == ["console-sandbox", "lidar-lab", "other-owner-nb"]
    elsewhere = base.replace("any-project", "another")
    assert httpx.get(f"{elsewhere}/{made['id']}", headers=headers).json()["error_code"] == "ModelArts.6309"
    server.stop()


def test_restart_queue_dequeue_and_token_do_what_the_older_pages_say(api: Api) -> None:
    def act(live_id: str, action: str) -> str:
        body = api("POST", f"/{live_id}/action", {"action": action})[1]
        return str(body.get("current_status") or body["error_code"])

    plain = api.create(spec={"storage": SAMPLE["spec"]["storage"]})
    free = api.create("free", flavor="modelarts.vm.gpu.free", profile_id="Multi-Engine 2.0 (python3)")
    assert api("GET", f"/{plain}/token")[1]["error_code"] == "ModelArts.6327"
    assert act(free, "dequeue") == "STOPPED"
    assert act(free, "queue") == "START_QUEUING"
    api.server.emulator.advance(300 + 30)
    assert [api.status(live_id) for live_id in (plain, free)] == ["RUNNING", "RUNNING"]
    assert api("GET", f"/{plain}/token")[1]["token"]
    assert act(plain, "restart") == "RESTARTING"
    assert [act(plain, "queue"), act(plain, "dequeue"), act(plain, "restart")] == ["ModelArts.6357"] * 3
    api.server.emulator.advance(30)
    assert api.status(plain) == "RUNNING"
