"""Faults at each moment, on each API: what was done, what was heard, what the log says of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from reconciler.emulator.faults import MOMENTS, Faults
from reconciler.emulator.server import Server

APIS: Final = ("theta", "runai", "modelarts-services", "modelarts-notebooks")
BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "theta": {"deployment_template_id": "img_haehligvpslgcxu8cgyuefodh7q1", "vm_id": "vm_gt1", "min_replicas": 1},
    "runai": {"spec": {"image": "registry.example.com/chat:1"}},
    "modelarts-services": {
        "infer_type": "real-time",
        "config": [
            {"model_id": "m-1", "specification": "modelarts.vm.cpu.2u", "instance_count": 1, "weight": 100},
        ],
    },
    "modelarts-notebooks": {
        "profile_id": "Multi-Engine 2.0 (python3)",
        "flavor": "modelarts.vm.cpu.2u",
        "spec": {"storage": {"type": "obs", "location": {"path": "/bucket/ann/"}}},
    },
}


@dataclass(frozen=True, slots=True)
class Api:
    """A bare client of all four APIs."""

    server: Server
    http: httpx.Client
    line: Mapping[str, Any]

    def collection(self, api: str) -> str:
        """Where things of this API are made and listed, below its address."""
        project = self.line["modelarts"]["projectId"]
        return {
            "theta": "/deployment",
            "runai": "/api/v1/workloads/inferences",
            "modelarts-services": f"/v1/{project}/services",
            "modelarts-notebooks": f"/v1/{project}/demanager/instances",
        }[api]

    def create(self, api: str, name: str) -> httpx.Response:
        body: dict[str, Any] = {**BODIES[api], "name": name, "service_name": name}
        if api == "theta":
            body = {**BODIES[api], "project_id": self.line["theta"]["projectId"]}
        if api == "runai":
            cluster = self.get("runai", "/api/v1/clusters").json()[0]["uuid"]
            project = self.get("runai", "/api/v1/org-unit/projects").json()["projects"][0]["id"]
            body |= {"projectId": project, "clusterId": cluster}
        if api == "modelarts-services":
            del body["name"]
        return self.http.post(self.address(api) + self.collection(api), json=body)

    def get(self, api: str, path: str, **query: Any) -> httpx.Response:
        return self.http.get(self.address(api) + path, params=query)

    def address(self, api: str) -> str:
        return str(self.line[api.partition("-")[0]]["endpoint"])

    def count(self, api: str) -> int:
        """How many there are in truth."""
        return len(self.server.emulator.state()[api])

    def fault(self, **fault: Any) -> None:
        self.http.post(f"{self.server.url}/_emulator/faults", json=[fault]).raise_for_status()

    def last(self, method: str) -> dict[str, Any]:
        """The newest entry of the log with this method."""
        entries = self.http.get(f"{self.server.url}/_emulator/requests").json()
        found: dict[str, Any] = next(entry for entry in reversed(entries) if entry["method"] == method)
        return found


@pytest.fixture
def api(emulator: Server) -> Iterator[Api]:
    line = emulator.emulator.connection(emulator.url)
    modelarts, runai = line["modelarts"], line["runai"]
    user = {"name": modelarts["username"], "password": modelarts["password"], "domain": {"name": modelarts["domain"]}}
    log_in = {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"id": modelarts["projectId"]}},
    }
    client = {"grantType": "client_credentials", "clientId": runai["clientId"], "clientSecret": runai["clientSecret"]}
    with httpx.Client(trust_env=False, timeout=10) as http:
        token = http.post(f"{modelarts['iamEndpoint']}/v3/auth/tokens", json={"auth": log_in})
        bearer = http.post(f"{runai['endpoint']}/api/v1/token", json=client).json()["accessToken"]
        http.headers.update(
            {
                "X-Auth-Token": token.headers["X-Subject-Token"],
                "Authorization": f"Bearer {bearer}",
                "x-api-key": line["theta"]["apiKey"],
            }
        )
        yield Api(emulator, http, line)


@pytest.mark.parametrize("api_name", APIS)
@pytest.mark.parametrize(
    ("fault", "is_made", "is_heard"),
    [
        pytest.param({"when": "before", "drop": True}, False, None, id="cut before it is read"),
        pytest.param({"when": "before", "status": 503}, False, 503, id="refused before"),
        pytest.param({"when": "after-commit", "drop": True}, True, None, id="cut after the commit"),
        pytest.param({"when": "after-commit", "status": 503}, True, 503, id="503 after the commit"),
        pytest.param({"when": "mid-body"}, True, None, id="cut in the body"),
    ],
)
def test_the_moment_decides_what_was_done_and_what_is_heard(
    api: Api, api_name: str, *, fault: dict[str, Any], is_made: bool, is_heard: int | None
) -> None:
    assert api.create(api_name, "first").is_success
    before = api.count(api_name)
    api.fault(provider=api_name, method="POST", path=f"^{api.collection(api_name)}$", **fault)

    if is_heard is None:
        with pytest.raises(httpx.TransportError):
            api.create(api_name, "second")
    else:
        assert api.create(api_name, "second").status_code == is_heard

    assert api.count(api_name) == before + is_made
    entry = api.last("POST")
    assert (entry["provider"], entry["committed"]) == (api_name, is_made)
    assert (entry["body"] is None) == (fault == {"when": "before", "drop": True})
    assert api.create(api_name, "third").is_success  # it hits once


def test_a_connection_that_is_cut_before_the_request_is_read_needs_no_body(api: Api) -> None:
    """Only the head was sent: whoever waits for the rest of the body would wait for ever."""
    host, port = api.server.url.removeprefix("http://").split(":")
    path = "/theta/controller/deployment"
    api.fault(method="POST", path="^/deployment$", when="before", drop=True)

    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode())
        try:
            heard = connection.recv(100)
        except ConnectionResetError:
            heard = b""

    assert heard == b""
    assert (api.last("POST")["body"], api.last("POST")["status"]) == (None, None)


LISTS: Final[Mapping[str, tuple[str, str, str, Mapping[str, Any]]]] = {
    "runai": ("/api/v1/workloads", "workloads", "id", {"filterBy": "type==Inference", "sortBy": "createdAt"}),
    "modelarts-services": ("", "services", "service_id", {"sort_by": "service_name", "order": "asc"}),
    "modelarts-notebooks": ("", "instances", "id", {"de_type": "Notebook", "sortby": "name", "show_self": False}),
}
"""Path (else the collection), key of the items, key of the id, query. Theta's list has no pages."""


def page(api: Api, api_name: str, number: int) -> list[str]:
    """Ids of one page of two."""
    path, items, key, query = LISTS[api_name]
    offset = number if api_name == "modelarts-services" else 2 * number
    reply = api.get(api_name, path or api.collection(api_name), limit=2, offset=offset, **query)
    assert reply.is_success, reply.text
    return [item[key] for item in reply.json()[items]]


@pytest.mark.parametrize("api_name", LISTS)
def test_what_others_delete_between_two_pages_shifts_an_item_out_of_sight(api: Api, api_name: str) -> None:
    """Case C18: the first item of page two becomes the last one of page one, after that was read."""
    for name in ("aa", "ab", "ac"):
        assert api.create(api_name, name).is_success
        api.server.emulator.advance(300)
    before = [*page(api, api_name, 0), *page(api, api_name, 1)]
    mine = next(item for item in before[:2] if api_name != "runai" or item in inferences_of_mine(api))
    one = f"{api.collection(api_name)}/{mine}"
    stop = [{"method": "POST", "path": f"{one}/action", "body": {"action": "stop"}}]
    path = LISTS[api_name][0] or api.collection(api_name)
    if api_name == "modelarts-notebooks":
        api.fault(method="GET", path=f"^{path}$", when="between-pages", then=stop, advance_s=60)
        page(api, api_name, 1)
    api.fault(
        method="GET", path=f"^{path}$", when="between-pages", then=[{"method": "DELETE", "path": one}], advance_s=60
    )

    seen = [*page(api, api_name, 0), *page(api, api_name, 1)]

    assert api.last("GET").get("meanwhile") is None
    lost = set(before) - set(seen)
    assert len(lost) == 1
    assert mine not in lost  # it is the one that is gone, and it was seen
    assert [entry["meanwhile"] for entry in log(api) if "meanwhile" in entry][-1][0] in {200, 202}


def inferences_of_mine(api: Api) -> set[str]:
    return {item["workloadId"] for item in api.server.emulator.state()["runai"] if item.get("createdBy") == "gitops"}


def log(api: Api) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = api.http.get(f"{api.server.url}/_emulator/requests").json()
    return entries


def test_what_others_make_between_two_pages_shows_an_item_twice(api: Api) -> None:
    for name in ("m1", "m2", "m3", "m4"):
        assert api.create("modelarts-notebooks", name).is_success
    body = {**BODIES["modelarts-notebooks"], "name": "a0"}
    collection = api.collection("modelarts-notebooks")
    api.fault(
        method="GET",
        path=f"^{collection}$",
        when="between-pages",
        then=[{"method": "POST", "path": collection, "body": body}],
    )

    seen = [*page(api, "modelarts-notebooks", 0), *page(api, "modelarts-notebooks", 1)]

    assert len(set(seen)) == len(seen) - 1


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"when": "between-pages"}, "needs one of them"),
        ({"when": "before", "advance_s": 1}, "belong to between-pages"),
        ({"when": "between-pages", "then": [{"verb": "GET"}]}, "method, path"),
        ({"when": "later"}, ", ".join(MOMENTS)),
    ],
)
def test_a_moment_that_makes_no_sense_is_refused(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Faults().replace([entry])
