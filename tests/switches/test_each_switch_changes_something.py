"""No switch is idle: each value is heard in a fixed talk with its API; with the defaults that talk is always the same.

What exactly a value changes is tested beside the rest of its API, in `tests/emulator`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx
import pytest

from reconciler.emulator.server import Emulator, Server
from tests.switches.table import SAMPLES, SWITCHES, spelt

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ISO: Final = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_MILLIS: Final = re.compile(r"\b1[789]\d{11}\b")
_OBJECT: Final = re.compile(r"INF-[0-9a-f]+")
_LOG_IN: Final = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


@dataclass(slots=True)
class Talk:
    """Requests to the emulator, and what was heard, without what chance makes."""

    server: Server
    http: httpx.Client
    line: Mapping[str, Any]
    begun_s: float
    heard: list[str] = field(default_factory=list)

    def __call__(self, method: str, path: str, body: Any = None, *, api: str, **query: Any) -> Any:
        reply = self.http.request(method, self.line[api]["endpoint"] + path, json=body, params=query or None)
        told = f"{method} {reply.status_code} {reply.headers.get('retry-after', '')} {reply.text}"
        self.heard.append(self.plain(told))
        return reply.json() if reply.content else {}

    def plain(self, text: str) -> str:
        """Ids and log-ins as words, times as seconds since the beginning."""
        text = _LOG_IN.sub("log-in", _OBJECT.sub("object", _UUID.sub("id", text)))
        text = _MILLIS.sub(lambda found: self.since(int(found[0]) / 1000), text)
        return _ISO.sub(lambda found: self.since(datetime.fromisoformat(found[0]).timestamp()), text)

    def since(self, moment_s: float) -> str:
        """Seconds from the beginning on; what was there before has no part in it."""
        return f"t{round(moment_s - self.begun_s)}" if moment_s >= self.begun_s - 0.001 else "before"

    def wait(self, seconds: float) -> None:
        self.server.emulator.advance(seconds)


def theta(talk: Talk) -> None:
    def say(method: str, path: str, body: Any = None, **query: Any) -> Any:
        return talk(method, path, body, api="theta", **query)

    project = talk.line["theta"]["projectId"]
    body = {
        "project_id": project,
        "deployment_template_id": "img_haehligvpslgcxu8cgyuefodh7q1",
        "vm_id": "vm_gt1",
        "min_replicas": 1,
        "max_replicas": 3,
        "env_vars": {"MODE": "fast"},
        "annotations": {"nickname": "chat", "team": "vision"},
    }
    machines = talk.http.get(talk.line["theta"]["apiEndpoint"] + "/resource/vm/list", headers={"x-api-key": ""})
    talk.heard.append(str(machines.status_code))
    say("POST", "/deployment", body)
    for wrong in ({"name": "chat", "colour": "red"}, {"min_replicas": 0}):
        say("POST", "/deployment", {**body, **wrong})
    say("POST", "/deployment", {**body, "name": "named"})
    for plural in ("s", ""):
        say("GET", f"/deployment{plural}/list", project_id=project)
    for seconds in (3, 3, 20, 60, 300, 400):
        talk.wait(seconds)
        items = say("GET", "/deployments/list", project_id=project).get("body") or []
    mine = max(items, key=lambda item: int(item["ID"]), default={"Shard": 1, "Suffix": "none"})
    one = f"/deployments/{mine['Shard']}/{mine['Suffix']}"
    say("GET", one, project_id=project)
    for _ in range(2):
        say("DELETE", one, project_id=project)
        say("GET", "/deployments/list", project_id=project)


def runai(talk: Talk) -> None:
    def say(method: str, path: str, body: Any = None, **query: Any) -> Any:
        return talk(method, path, body, api="runai", **query)

    line, base = talk.line["runai"], "/api/v1/workloads/inferences"
    log_in = {"grantType": "client_credentials", "clientId": line["clientId"], "clientSecret": line["clientSecret"]}
    say("POST", "/api/v1/token", log_in)
    place = {"projectId": "1", "clusterId": say("GET", "/api/v1/clusters")[0]["uuid"]}
    spec = {
        "image": "registry.example.com/llm:1",
        "servingPort": {"container": 8080},
        "compute": {"cpuCoreRequest": 0.5, "cpuMemoryRequest": "1000M"},
        "environmentVariables": [{"name": f"V{number}", "value": "x"} for number in range(6)],
    }
    made = say("POST", base, {"name": "it", **place, "spec": spec}).get("workloadId", "none")
    one = f"{base}/{made}"
    for _ in range(3):
        say("GET", "/api/v1/workloads", filterBy="name==it")
    for name in ("it", "a" * 55, "Bad_Name", "second"):
        say("POST", base, {"name": name, **place, "spec": {"image": "a:b"}})
    talk.wait(11)
    wrongs: tuple[dict[str, Any], ...] = (
        {"compute": {"cpuCoreRequest": "half"}},
        {"autoscaling": {"minReplicas": 3, "maxReplicas": 1}},
        {"colour": "red"},
    )
    for number, wrong in enumerate(wrongs):
        say("POST", base, {"name": f"wrong-{number}", **place, "spec": {"image": "a:b", **wrong}})
    talk.wait(60)
    for patch in (
        {"image": "a:c"},
        {"image": None},
        {"servingPort": {"container": 1}},
        {"compute": {"cpuCoreLimit": 2}},
    ):
        say("PATCH", one, {"spec": patch})
        say("GET", one)
        talk.wait(11)
    items = say("GET", "/api/v1/workloads", filterBy="name==second").get("workloads") or [{"id": "none"}]
    say("PATCH", f"{base}/{items[0]['id']}", {"spec": {"image": "a:d"}})
    for seconds in (25, 500, 100):
        talk.wait(seconds)
        say("GET", "/api/v1/workloads", filterBy="name==second")
    metrics = {"metricType": "THROUGHPUT,LATENCY", "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}
    say("GET", f"{one}/metrics", numberOfSamples=1, **metrics)
    for _ in range(2):
        say("DELETE", one)
    say("POST", base, {"name": "it", **place, "spec": {"image": "a:b"}})
    talk.wait(11)
    say("GET", one)
    for _ in range(12):
        say("GET", "/api/v1/org-unit/projects/1")


def services(talk: Talk) -> None:
    base = f"/v1/{talk.line['modelarts']['projectId']}/services"

    def say(method: str, path: str = "", body: Any = None, **query: Any) -> Any:
        return talk(method, base + path, body, api="modelarts", **query)

    element: dict[str, Any] = {
        "model_id": "0e07b41b-173e-42db-8c16-8e1b44cc0d44",
        "specification": "custom",
        "custom_spec": {"cpu": 1.5, "memory": 7500, "ascend_a310": 1},
        "instance_count": 1,
        "weight": 100,
        "envs": {"MODE": "fast"},
        "deploy_timeout_in_seconds": 600,
    }
    plain = {"specification": "modelarts.vm.cpu.2u", "instance_count": 1}
    notify = {"smn_notification": {"topic_urn": "urn:a", "events": [1]}}
    body = {
        "infer_type": "real-time",
        "pool_name": "pool1",
        "priority": 2,
        "additional_properties": notify,
        "config": [element],
    }
    files = {"src_path": "https://a", "dest_path": "https://b", "req_uri": "/", "mapping_type": "file"}
    batch: dict[str, Any] = {"infer_type": "batch", "config": [{**plain, **files, "model_id": "m-1"}]}
    timer = [{"type": "stop", "time_unit": "HOURS", "duration": 1}]
    light: dict[str, Any] = {"infer_type": "real-time", "config": [{**plain, "model_id": "m-2", "weight": 100}]}

    say("GET", "/specifications")
    made = say("POST", "", {"service_name": "it", **body}).get("service_id", "none")
    for name, other in (
        ("it", {**body, "workspace_id": "1201"}),
        ("it", batch),
        ("nightly", batch),
        ("timed", {**light, "schedule": timer}),
        ("foreign", {**light, "config": [{**light["config"][0], "src_path": "https://a"}]}),
        ("many", {**light, "config": [{**light["config"][0], "instance_count": 3}]}),
        ("odd", {**light, "config": [{**light["config"][0], "specification": "modelarts.vm.none"}]}),
    ):
        say("POST", "", {"service_name": name, **other})
    queries: tuple[dict[str, Any], ...] = (
        {},
        {"limit": 2, "offset": 1},
        {"service_name": "mark"},
    )
    for query in queries:
        say("GET", "", **query)
    doomed = say("POST", "", {"service_name": "doomed", **light}).get("service_id", "none")
    say("DELETE", f"/{doomed}")
    for seconds in (5, 20, 100, 100, 500):
        talk.wait(seconds)
        say("GET", f"/{made}")
    say("GET", "", sort_by="service_name", order="asc")
    say("PUT", f"/{made}", {"status": "running"})
    say("PUT", f"/{made}", {"config": [{key: value for key, value in element.items() if key != "envs"}]})
    for seconds in (1, 8, 200):
        talk.wait(seconds)
        say("GET", f"/{made}")
    say("PUT", f"/{made}", {"status": "stopped"})
    for seconds in (1, 25, 400):
        talk.wait(seconds)
        say("GET", f"/{made}")
    say("PUT", f"/{made}", {"config": [element]})
    say("GET", f"/{made}")
    talk.wait(2 * 3600)
    found = [item["service_id"] for item in say("GET").get("services", []) if item["service_name"] == "timed"]
    timed = found[0] if found else "none"
    say("GET", f"/{timed}")
    say("PUT", f"/{timed}", {"status": "running"})
    say("DELETE", f"/{made},no-such-id")
    say("GET", f"/{made}")
    say("DELETE", f"/{made}")
    for seconds in (5, 20):
        talk.wait(seconds)
        say("GET", f"/{made}")


def notebooks(talk: Talk) -> None:
    base = f"/v1/{talk.line['modelarts']['projectId']}/demanager/instances"

    def say(method: str, path: str = "", body: Any = None, **query: Any) -> Any:
        return talk(method, base + path, body, api="modelarts", **query)

    body: dict[str, Any] = {
        "name": "it",
        "profile_id": "Multi-Engine 2.0 (python3)",
        "flavor": "modelarts.vm.cpu.2u",
        "spec": {
            "storage": {"type": "obs", "location": {"path": "/bucket/it/"}},
            "auto_stop": {"enable": True, "duration": 7200, "prompt": False},
            "annotations": {"team": "vision"},
        },
    }
    loose = {"storage": {"type": "obs", "location": {"path": "bucket/it/"}}}
    everything: dict[str, Any] = {"de_type": "Notebook", "show_self": "false"}
    made = say("POST", "", body).get("id", "none")
    for wrong in ({"name": "lidar-lab"}, {"name": "loose", "spec": loose}, {"name": "odd", "colour": "red"}):
        say("POST", "", {**body, **wrong})
    for number in range(4):
        say("POST", "", {**body, "name": f"n{number}", "workspace": {"id": "5c3d1a9e-2f0b-4a43-9f6e-0b6a5d2c7e11"}})
    say("PUT", f"/{made}", {"description": "early"})
    for query in ({"de_type": "Notebook"}, everything, {**everything, "limit": 0}, {**everything, "status": "NONE"}):
        say("GET", "", **query)
    for seconds in (30, 40, 100):
        talk.wait(seconds)
        say("GET", f"/{made}")
    say("PUT", f"/{made}", {"spec": {"auto_stop": {"enable": True, "duration": 3600}}})
    say("GET", f"/{made}")
    bare = {name: value for name, value in talk.http.headers.items() if name.lower() == "x-auth-token"}
    bearer = {"X-Auth-Token": "", "Authorization": f"Bearer {next(iter(bare.values()))}"}
    reply = talk.http.get(talk.line["modelarts"]["endpoint"] + base, params=everything, headers=bearer)
    talk.heard.append(str(reply.status_code))
    doomed = say("POST", "", {**body, "name": "doomed"}).get("id", "none")
    talk.wait(160)
    say("DELETE", f"/{doomed}")
    for action in ("stop", "start", "stop"):
        say("POST", f"/{made}/action", {"action": action})
        for seconds in (10, 25, 100):
            talk.wait(seconds)
            say("GET", f"/{made}")
    say("DELETE", f"/{made}")
    for seconds in (5, 10, 100):
        talk.wait(seconds)
        say("GET", f"/{made}")
    say("GET", "", **everything)


def iam(talk: Talk) -> None:
    for _ in range(2):
        talk("GET", f"/v1/{talk.line['modelarts']['projectId']}/services", api="modelarts", limit=1)
        talk.wait(3600)


TALKS: Final[Mapping[str, Callable[[Talk], None]]] = {
    "theta": theta,
    "runai": runai,
    "modelarts": iam,
    "modelarts-services": services,
    "modelarts-notebooks": notebooks,
}
ALWAYS: Final[Mapping[str, Mapping[str, Any]]] = {
    "runai": {"outcomes": {"second": "abandon"}, "tokenLifetime": 86400},
    "modelarts-services": {},
}
"""What is set in each talk, so that a switch about it has something to say."""
ALL: Final = [
    pytest.param(module, switch, value, id=f"{module}.{switch}={spelt(value)}")
    for module, switches in SWITCHES.items()
    for switch, values in switches.items()
    for value in (*values[1:], *SAMPLES.get(f"{module}.{switch}", ()))
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    found = Server(Emulator(None)).start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def by_default(server: Server) -> dict[str, list[str]]:
    return {module: talk_with(server, module, {}) for module in TALKS}


def talk_with(server: Server, module: str, switches: Mapping[str, Any]) -> list[str]:
    """What is heard."""
    emulator = server.emulator
    emulator.reset()
    emulator.advance(math.ceil(emulator.now()) - emulator.now())
    emulator.set_switches({module: {**ALWAYS.get(module, {}), **switches}, "modelarts": {"token_ttl_s": 86400}})
    if module == "modelarts":
        emulator.set_switches({module: switches})
    line = emulator.connection(server.url)
    with httpx.Client(trust_env=False, verify=False, timeout=30) as http:  # noqa: S501 - loopback has no certificates
        http.headers.update(log_in(http, line))
        talk = Talk(server, http, line, emulator.now())
        TALKS[module](talk)
    return talk.heard


def log_in(http: httpx.Client, line: Mapping[str, Any]) -> dict[str, str]:
    modelarts, runai_ = line["modelarts"], line["runai"]
    user = {"name": modelarts["username"], "password": modelarts["password"], "domain": {"name": modelarts["domain"]}}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"id": modelarts["projectId"]}}
    token = http.post(
        f"{modelarts['iamEndpoint']}/v3/auth/tokens", json={"auth": {"identity": identity, "scope": scope}}
    )
    body = {"grantType": "app_token", "AppId": runai_["clientId"], "AppSecret": runai_["clientSecret"]}
    bearer = http.post(f"{runai_['endpoint']}/api/v1/token", json=body).json()["accessToken"]
    return {
        "X-Auth-Token": token.headers["X-Subject-Token"],
        "Authorization": f"Bearer {bearer}",
        "x-api-key": line["theta"]["apiKey"],
    }


def test_with_the_defaults_a_talk_is_always_the_same(server: Server, by_default: dict[str, list[str]]) -> None:
    assert {module: talk_with(server, module, {}) for module in TALKS} == by_default


@pytest.mark.parametrize(("module", "switch", "value"), ALL)
def test_each_value_is_heard(
    server: Server, by_default: dict[str, list[str]], module: str, switch: str, value: Any
) -> None:
    assert talk_with(server, module, {switch: value}) != by_default[module]
