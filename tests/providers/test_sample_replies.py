"""The sheets' own sample replies, word for word, through our real providers: nothing of ours has made what they read.

`samples/<sheet>.json` holds the samples under name and section, copied from the sheets. They come over HTTP from a
server that knows nothing but them, so that neither the emulator nor a field table has a say in what is read. What a
sheet gives as a table only is written below as that table says, with the section beside it.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.diff.change import Call, CallOp
from reconciler.diff.compare import Sides, compare
from reconciler.diff.live import Listing, Live, Marker, Verdict
from reconciler.fields import Kind, Phase
from reconciler.fields.setting import COMMON_SETTINGS
from reconciler.problems import Origin, ProviderError, UnknownOutcome
from reconciler.providers import modelarts, runai, theta
from reconciler.providers.base import Context, Intent, Provider, ProviderType
from reconciler.providers.modelarts.notebook_kind import NOTEBOOK
from reconciler.providers.modelarts.service_kind import SERVICE
from reconciler.providers.runai.kinds import INFERENCE
from reconciler.providers.theta.kinds import DEPLOYMENT
from reconciler.spec.resource import ProviderConfig

Routes = dict[str, tuple[int, Any]]
Connect = Callable[..., Provider]

MARKER: Final = str(Marker(owner="aaaaa", resource="bbbbbbbb", generation=1, digest="ccccc", op="dddddd"))
SHEETS: Final[dict[str, dict[str, Any]]] = {
    path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "samples").glob("*.json")
}


def sample(sheet: str, section: str, /, **changes: Any) -> Any:
    """A copy of a sample, some of its top-level keys replaced."""
    found = copy.deepcopy(SHEETS[sheet][section])
    return {**found, **changes} if changes else found


class Sheet(ThreadingHTTPServer):
    """Answers each `METHOD path` with what stands for it, forgets nothing that it was asked, and knows nothing else."""

    daemon_threads = True

    def __init__(self) -> None:
        self.routes: Routes = {}
        self.asked: list[tuple[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Answer)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def count(self, route: str) -> int:
        return sum(one == route for one, _ in self.asked)


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one go: in two, each answer would wait for an acknowledgement
    server: Sheet

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((f"{self.command} {path}", json.loads(raw) if raw.startswith(b"{") else None))
        routes = self.server.routes
        key = next((key for key in (f"{self.command} {path}?{query}", f"{self.command} {path}") if key in routes), "")
        status, body = routes.get(key, (418, {"message": f"no sample for {self.command} {self.path}"}))
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Subject-Token", "token")  # ModelArts §1: in a header
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the base class finds them by these names

    def log_message(self, *_: Any) -> None: ...


class Still:
    """A clock that stands at one moment, and skips waits."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def now(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def sheet() -> Iterator[Sheet]:
    server = Sheet()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def connect(sheet: Sheet) -> Iterator[Connect]:
    made: list[Provider] = []

    def open_one(kind: ProviderType, *, now_s: float = 1_719_878_117.0, **settings: Any) -> Provider:
        known = {row.name: row.default for row in (*COMMON_SETTINGS, *kind.settings) if row.default is not None}
        config = ProviderConfig(
            name=kind.name,
            type=kind.name,
            settings={**known, "endpoint": sheet.url, **settings},
            origin=Origin("reconciler.yaml"),
        )
        made.append(kind.open(config, Context(resolve=lambda name: name, clock=Still(now_s))))
        return made[-1]

    yield open_one
    for one in made:
        one.close()


def same(kind: Kind, desired: Mapping[str, Any], live: Live) -> bool:
    """Whether the engine would leave this live item alone, for somebody who wrote `desired`; without a ledger."""
    return not compare(Sides(kind=kind, desired=desired, live=live, applied=None)).changes


def only(listing: Listing) -> Live:
    (item,) = listing.items
    return item


def refusal(provider: Provider, call: Call) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        provider.send(call)
    return caught.value


# -- Theta ------------------------------------------------------------------------------------------------------------

PROJECT: Final = "prj_v4bqyvvycsffhq17rxt0kued3dv7"
JUPYTER: Final = {
    # §9, the table of template fields; id and image are those of the sample request in §3.
    "id": "img_11d40kefk5jpauj8pk59mb52dzbe",
    "name": "Jupyter Notebook",
    "description": None,
    "icon_url": None,
    "tags": ["notebook"],
    "category": "prototyping",
    "project_id": None,
    "container_images": ["jupyter/base-notebook:latest"],
    "suggested_vms": ["vm_gt1"],
    "container_port": 8888,
    "container_args": None,
    "env_vars": None,
    "require_env_vars": False,
    "rank": 1,
    "create_time": "2024-07-01T00:00:00Z",
}
MACHINES: Final = (
    # §9, the table of machines: id, cpu, mem, storage, gpu, "gpu model", price_hour
    ("vm_c1", "2000", "2048", "32", "", "", "5"),
    ("vm_c2", "8000", "16384", "256", "", "", "10"),
    ("vm_gt1", "2000", "8192", "128", "1", "NVIDIA T4", "20"),
    ("vm_gt2", "8000", "16384", "256", "2", "NVIDIA T4", "40"),
    ("vm_gv1", "4000", "16384", "256", "1", "NVIDIA V100", "99"),
    ("vm_gv2", "8000", "32768", "512", "2", "NVIDIA V100", "198"),
    ("vm_ga1", "10000", "81920", "256", "1", "NVIDIA A100", "199"),
    ("vm_ga2", "20000", "163840", "1024", "2", "NVIDIA A100", "398"),
)
CREATED_S: Final = 1_719_877_604.522286
"""`CreatedAt` of the sample item; its `UpdatedAt` is 513 s later."""


def success(body: Any) -> tuple[int, Any]:
    return 200, {"status": "success", "body": body}


def machine(row: tuple[str, ...]) -> dict[str, Any]:
    vm_id, cpu, mem, storage, gpu, model, price = row
    graphics = {"gpu": gpu, "gpu model": model} if gpu else {}
    resources = {"cpu": cpu, "mem": mem, "storage": storage, **graphics}
    name = vm_id.removeprefix("vm_").upper()
    return {"id": vm_id, "name": name, "description": None, "resources": resources, "price_hour": price}


@pytest.fixture
def edge_cloud(sheet: Sheet, connect: Connect) -> Callable[..., Provider]:
    def templates(*items: Any) -> tuple[int, Any]:
        return success({"total_count": str(len(items)), "templates": list(items), "page": 0, "number": 10})

    standard = "GET /deployment_template/list_standard_templates"
    sheet.routes |= {
        f"{standard}?category=prototyping&page=0&number=50": templates(JUPYTER),
        f"{standard}?category=serving&page=0&number=50": templates(),
        "GET /deployment_template/list_custom_templates": templates(),
        "GET /resource/vm/list": success({"vms": [machine(row) for row in MACHINES]}),
    }

    def open_one(*items: Any, now_s: float = CREATED_S + 513) -> Provider:
        sheet.routes["GET /deployments/list"] = success(list(items))
        return connect(theta.TYPE, now_s=now_s, apiEndpoint=sheet.url, projectId=PROJECT, apiKey="nflgilupuu3m2qyj")

    return open_one


def test_theta_4_item_reads_as_a_person_reads_it(edge_cloud: Callable[..., Provider]) -> None:
    live = only(edge_cloud(sample("theta", "list-item §4")).read_all(DEPLOYMENT))
    # §10 trap 3: `Suffix` ends c86c, the endpoint c86d; the list's own word counts.
    assert live.id == "10/e4cfd4fb1232c86c"
    assert live.outputs == {
        "id": "10/e4cfd4fb1232c86c",
        "name": "notebook1",
        "endpoint": "https://notebook1-e4cfd4fb1232c86d.tec-beta-s10.onthetaedgecloud.com",
    }
    assert live.spec == {
        "template": "Jupyter Notebook",
        "deployment_template_id": "img_11d40kefk5jpauj8pk59mb52dzbe",
        "container_image": "jupyter/base-notebook:latest",
        "vm_id": "vm_gt1",
        "min_replicas": 1,
    }
    assert live.hidden == {"annotations", "env_vars"}
    assert (live.marker, live.marker_readable, live.untouchable) == ("", False, "")
    assert (live.created_by, live.created_at, live.run_state) == ("5kyver75cswdi2s2u4eby1d7dxyz", CREATED_S, "running")
    assert (live.phase, live.reason) == (Phase.PROGRESSING, "endpoint answers 502")  # §8: running is not ready
    assert "NotebookApp" not in repr(live)  # §5: the arguments hold a password


def test_theta_3_request_and_4_item_are_one_thing(edge_cloud: Callable[..., Provider]) -> None:
    live = only(edge_cloud(sample("theta", "list-item §4")).read_all(DEPLOYMENT))
    written = {key: value for key, value in sample("theta", "create-request §3").items() if key != "project_id"}
    assert same(DEPLOYMENT, {key: written[key] for key in written if key != "password"}, live)
    assert not same(DEPLOYMENT, {**written, "vm_id": "vm_gt2"}, live)


def test_theta_4_newer_item_shows_the_user_and_its_password_stays_behind(edge_cloud: Callable[..., Provider]) -> None:
    newer = {"AuthUsername": "ann", "AuthPassword": "canary", "EnvVarsString": '{"A":"1"}', "PriceHr": "20"}
    live = only(edge_cloud(sample("theta", "list-item §4", **newer, BaseID="b1")).read_all(DEPLOYMENT))
    assert (live.spec["auth_username"], live.spec["env_vars"]) == ("ann", {"A": "1"})
    assert "canary" not in repr(live)


@pytest.mark.parametrize(
    ("annotations", "marker", "shown"),
    [
        pytest.param({"nickname": "llm-prod", "gitopsid": "a1b2c3.7f"}, "", True, id="§6 foreign"),
        pytest.param({"nickname": f"llm-prod [{MARKER}]"}, MARKER, True, id="§6 nickname alone"),
        pytest.param({"nickname": f"llm-prod [{MARKER}]", "rc-id": MARKER}, MARKER, True, id="§6 own key"),
        pytest.param({}, "", True, id="§6 none"),
        pytest.param(None, "", False, id="§4 null"),
    ],
)
def test_theta_marker_is_read_and_the_nickname_stays_the_users(
    edge_cloud: Callable[..., Provider], annotations: Any, marker: str, *, shown: bool
) -> None:
    live = only(edge_cloud(sample("theta", "list-item §4", Annotations=annotations)).read_all(DEPLOYMENT))
    assert (live.marker, live.marker_readable) == (marker, shown)
    others = {"gitopsid": "a1b2c3.7f"} if annotations and "gitopsid" in annotations else {}
    assert live.spec.get("annotations") == ({"nickname": "llm-prod", **others} if annotations else None)


@pytest.mark.parametrize(
    ("pod", "status", "age_s", "phase"),
    [
        pytest.param("", 404, 10, Phase.PROGRESSING, id="404"),
        pytest.param("Pending", 503, 30, Phase.PROGRESSING, id="503 pod Pending"),
        pytest.param("Running", 500, 600, Phase.PROGRESSING, id="500"),
        pytest.param("Running", 200, 656, Phase.READY, id="200 after 656 s"),
        pytest.param("Running", 401, 60, Phase.READY, id="401 with basic auth"),
        pytest.param("Running", 404, 600, Phase.PROGRESSING, id="404 in 10 min"),
        pytest.param("Running", 404, 901, Phase.DEGRADED, id="404 past the deadline"),
        pytest.param("Failed", 0, 60, Phase.FAILED, id="phase Failed"),
    ],
)
def test_theta_8_warm_up_sequences_lead_to_ready(
    edge_cloud: Callable[..., Provider], pod: str, status: int, age_s: float, phase: Phase
) -> None:
    name = "notebook1-deployment-e4cfd4fb1232c86d-7656cf957d-295vk"
    item = sample("theta", "list-item §4", PodPhase=f"{name}: {pod}" if pod else "", EndpointStatus=status)
    assert only(edge_cloud(item, now_s=CREATED_S + age_s).read_all(DEPLOYMENT)).phase is phase


def test_theta_9_machines_and_templates_with_their_texts_as_numbers(edge_cloud: Callable[..., Provider]) -> None:
    offer = edge_cloud().catalogue()
    assert {vm_id: str(price) for vm_id, price in offer.prices.items()} == {row[0]: row[-1] for row in MACHINES}
    assert offer.gpus == dict(zip(offer.prices, (0, 0, 1, 2, 1, 2, 1, 2), strict=True))
    assert offer.data["templates"] == {
        "img_11d40kefk5jpauj8pk59mb52dzbe": {"name": "Jupyter Notebook", "images": ["jupyter/base-notebook:latest"]}
    }


THETA_CREATE: Final = Call(op=CallOp.CREATE, method="POST", path="/deployment", body={})


def test_theta_3_1_sentence_tells_the_endpoint_and_leads_to_the_item(
    sheet: Sheet, edge_cloud: Callable[..., Provider]
) -> None:
    told = "https://notebook3-a7253f07e2eec05c.tec-s2.onthetaedgecloud.com"
    provider = edge_cloud(
        sample("theta", "list-item §4"),
        # Step 3: the last part of the first label is the suffix, though the item's own endpoint reads otherwise.
        sample("theta", "list-item §4", Shard=2, Suffix="a7253f07e2eec05c", Name="notebook3", Endpoint=""),
    )
    sheet.routes["POST /deployment"] = (200, sample("theta", "create-reply-sentence §3.1"))
    reply = provider.send(THETA_CREATE)
    assert (reply.status, reply.live_id, reply.evidence) == (200, "", {"endpoint": told})
    intent = Intent(address="a", op=CallOp.CREATE, op_id="dddddd", evidence=reply.evidence)
    found = provider.settle(intent, provider.read_all(DEPLOYMENT)).live
    assert found is not None
    assert found.id == "2/a7253f07e2eec05c"


def test_theta_3_1_object_tells_shard_and_suffix_and_no_password(
    sheet: Sheet, edge_cloud: Callable[..., Provider]
) -> None:
    provider = edge_cloud()
    item = sample("theta", "list-item §4", BaseID="b1", AuthUsername="ann", AuthPassword="canary-secret", Region="eu")
    sheet.routes["POST /deployment"] = success(item)
    reply = provider.send(THETA_CREATE)
    assert (reply.live_id, dict(reply.evidence)) == ("10/e4cfd4fb1232c86c", {"endpoint": item["Endpoint"]})
    assert "canary-secret" not in repr(reply)


def test_theta_11_error_is_a_matter_of_credentials_for_reads_and_writes(
    sheet: Sheet, edge_cloud: Callable[..., Provider]
) -> None:
    provider = edge_cloud()
    denied = (403, sample("theta", "error §11"))
    sheet.routes |= {"GET /deployments/list": denied, "POST /deployment": denied}
    with pytest.raises(ProviderError, match="HTTP 403: You are not allowed to perform this action") as caught:
        provider.read_all(DEPLOYMENT)
    assert (caught.value.code, caught.value.status) == ("credentials", 403)
    error = refusal(provider, THETA_CREATE)
    assert (error.code, isinstance(error, UnknownOutcome)) == ("credentials", False)
    assert str(error).endswith("You are not allowed to perform this action")


# -- Run:ai -----------------------------------------------------------------------------------------------------------

CLUSTER: Final = "71f69d83-ba66-4822-adf5-55ce55efd210"
WORKLOAD: Final = "06d16c5d-4728-42fa-b573-3b11820d999f"
INFERENCES: Final = "/api/v1/workloads/inferences"
RUNAI_TOKENS: Final = {
    # §1.1, the row "Reply 200"
    "v1": {"accessToken": "t", "idToken": "i", "refreshToken": "r", "expiresIn": 3600},
    "v1 before 2.24": {"accessToken": "t", "idToken": "i", "refreshToken": "r", "externalToken": None},
    "v2": {"access_token": "t", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "r", "scope": "s"},
}


def list_item(detail: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """§5.1: what is required of a list item; it has no spec, and other words for id and phase."""
    created = detail["createdAt"]
    place = {key: detail[key] for key in ("name", "clusterId", "projectId", "departmentId")}
    return {
        **place,
        "tenantId": 1,
        "id": detail["workloadId"],
        "type": "Inference",
        "projectName": "team-a",
        "departmentName": "default",
        "namespace": "runai-team-a",
        "source": "Control-plane",
        "priorityClassName": "inference",
        "createdAt": created,
        "updatedAt": created,
        "deletedAt": None,
        "phase": detail["actualPhase"],
        "phaseUpdatedAt": created,
        "k8sPhase": "Pending",
        "k8sPhaseUpdatedAt": created,
        "conditions": [],
        "runningPods": 0,
        **more,
    }


@pytest.fixture
def control_plane(sheet: Sheet, connect: Connect) -> Callable[..., Provider]:
    def open_one(
        detail: Mapping[str, Any] | None = None, *, item: Mapping[str, Any] | None = None, **settings: Any
    ) -> Provider:
        project = {"id": "1", "name": "team-a", "clusterId": CLUSTER, "parentId": "2", "defaultNodePools": []}
        sheet.routes |= {
            "POST /api/v1/token": (200, RUNAI_TOKENS["v1"]),
            "POST /api/v2/token": (200, RUNAI_TOKENS["v2"]),
            "GET /api/v1/org-unit/projects": (200, {"projects": [project]}),
        }
        if detail is not None:
            shown = item or list_item(detail)
            path = f"{INFERENCES}/{detail['workloadId']}"
            sheet.routes |= {
                "GET /api/v1/workloads": (200, {"workloads": [shown]}),
                f"GET {path}": (200, detail),
                f"GET {path}/revisions": (200, {"revisions": []}),
                f"GET /api/v1/workloads/{detail['workloadId']}": (200, shown),
            }
        log_in = {"project": "team-a", "clientId": "app", "clientSecret": "canary", "version": "2.24"}
        return connect(runai.TYPE, **{**log_in, **settings})

    return open_one


def test_runai_4_1_detail_reads_the_same_from_list_and_by_id(control_plane: Callable[..., Provider]) -> None:
    provider = control_plane(sample("runai", "detail §4.1"))
    live = only(provider.read_all(INFERENCE))
    assert (live.id, live.name, live.spec) == (WORKLOAD, "my-workload-name", {})
    assert (live.phase, live.status, live.run_state) == (Phase.PROGRESSING, "Creating", "running")
    assert (live.created_by, live.created_at) == ("test@lab.com", 1_641_008_992.531)
    assert (live.marker, live.marker_readable) == ("", True)
    assert live.outputs == {"id": WORKLOAD, "name": "my-workload-name"}
    assert provider.read_one(INFERENCE, WORKLOAD) == live
    assert provider.catalogue().data == {"projectId": "1", "clusterId": CLUSTER}


def test_runai_2_clusters_are_a_bare_array(sheet: Sheet, control_plane: Callable[..., Provider]) -> None:
    cluster = {"uuid": CLUSTER, "name": "main", "version": "2.24.1", "status": {"state": "Connected"}}
    sheet.routes["GET /api/v1/clusters"] = (200, [{**cluster, "uuid": WORKLOAD, "name": "mainz"}, cluster])
    assert control_plane(cluster="main").catalogue().data == {"projectId": "1", "clusterId": CLUSTER}


@pytest.mark.parametrize("name", ["create-minimal §3.6", "create-fuller §3.6"])
@pytest.mark.parametrize("project", ["1", 1], ids=["id as text", "trap 7: id as number"])
def test_runai_3_6_spec_comes_back_as_it_was_written(
    control_plane: Callable[..., Provider], name: str, project: Any
) -> None:
    sent = sample("runai", name)
    annotations = sent["spec"].get("annotations", [])
    marks = [{"name": "reconciler/id", "value": MARKER}, {"name": "reconciler/resource", "value": "a/b/c"}]
    detail = sample(
        "runai",
        "detail §4.1",
        name=sent["name"],
        projectId=project,
        actualPhase="Running",
        spec={**sent["spec"], "annotations": [*annotations, *marks]},
    )
    item = list_item(detail, urls=["https://chat.example.com"], phaseMessage="all pods ready")
    live = only(control_plane(detail, item=item).read_all(INFERENCE))
    assert (live.name, live.spec, live.marker) == (sent["name"], sent["spec"], MARKER)
    assert (live.phase, live.outputs["endpoint"]) == (Phase.READY, "https://chat.example.com")
    assert same(INFERENCE, sent["spec"], live)
    assert not same(INFERENCE, {**sent["spec"], "image": "python:3.9"}, live)


def test_runai_4_2_and_4_3_what_the_server_adds_or_rewords_is_no_difference(
    control_plane: Callable[..., Provider],
) -> None:
    written = sample("runai", "create-fuller §3.6")["spec"]
    written["compute"]["extendedResources"] = [{"resource": "example.com/nic", "quantity": "2"}]
    told = copy.deepcopy(written)
    told["compute"] |= {"cpuMemoryRequest": "20000k", "gpuPortionRequest": 0.50, "largeShmRequest": None}
    told["compute"]["extendedResources"][0] |= {"quantity": 2, "exclude": False}
    told["environmentVariables"] = [{"name": "ADDED", "value": "policy"}, *reversed(told["environmentVariables"])]
    told["autoscaling"] |= {"initialReplicas": 1, "activationReplicas": 1}
    told |= {"imagePullPolicy": "IfNotPresent", "tolerations": [], "security": {}, "priorityClass": "very-high"}
    live = only(control_plane(sample("runai", "detail §4.1", spec=told)).read_all(INFERENCE))
    assert same(INFERENCE, written, live)
    assert not same(INFERENCE, {**written, "nodePools": ["my-node-pool-b", "my-node-pool-a"]}, live)


@pytest.mark.parametrize(
    ("desired", "actual", "phase", "run_state"),
    [
        ("Running", "Pending", Phase.PROGRESSING, "running"),
        ("Running", "Degraded", Phase.DEGRADED, "running"),
        ("Stopped", "Stopped", Phase.STOPPED, "stopped"),
        ("Stopped", "Stopping", Phase.PROGRESSING, "stopped"),
        ("Running", "Failed", Phase.FAILED, "running"),
        ("Deleted", "Running", Phase.GOING, ""),
        ("Deleted", "Terminating", Phase.GOING, ""),
        ("Running", "Rebalancing", Phase.UNKNOWN, "running"),
        ("Running", None, Phase.UNKNOWN, "running"),
    ],
)
def test_runai_8_phases(
    control_plane: Callable[..., Provider], desired: str, actual: str | None, phase: Phase, run_state: str
) -> None:
    detail = sample("runai", "detail §4.1", desiredPhase=desired, actualPhase=actual)
    if actual is None:
        del detail["actualPhase"]  # §4.1: optional
    provider = control_plane(detail, item=list_item({**detail, "actualPhase": actual}, phaseReason="OverLimit"))
    live = only(provider.read_all(INFERENCE))
    assert (live.phase, live.run_state, live.reason) == (phase, run_state, "OverLimit")


def test_runai_4_1_deleted_at_is_gone_and_others_in_the_list_are_not_ours(
    sheet: Sheet, control_plane: Callable[..., Provider]
) -> None:
    detail = sample("runai", "detail §4.1", deletedAt="2022-01-02T00:00:00Z")
    provider = control_plane(detail)
    assert provider.read_one(INFERENCE, WORKLOAD) is None
    others = [list_item(detail, id=str(kind), type=kind) for kind in ("Training", "DistributedInference", "runai-job")]
    sheet.routes["GET /api/v1/workloads"] = (200, {"workloads": [list_item(detail), *others], "next": 0})
    assert provider.read_all(INFERENCE).items == ()


RUNAI_CREATE: Final = Call(op=CallOp.CREATE, method="POST", path=INFERENCES, body={"name": "a"})


@pytest.mark.parametrize(("version", "status"), [("2.18", 200), ("2.24", 202)])
def test_runai_0_1_create_and_delete_replies_of_each_release(
    sheet: Sheet, control_plane: Callable[..., Provider], version: str, status: int
) -> None:
    provider = control_plane(version=version)
    one = f"{INFERENCES}/{WORKLOAD}"
    gone = (204, None) if version == "2.18" else (202, {"code": 202, "message": "accepted"})
    sheet.routes |= {f"POST {INFERENCES}": (status, sample("runai", "detail §4.1")), f"DELETE {one}": gone}
    reply = provider.send(RUNAI_CREATE)
    assert (reply.status, reply.live_id, reply.evidence) == (status, WORKLOAD, {"id": WORKLOAD})
    assert provider.send(Call(op=CallOp.DELETE, method="DELETE", path=one, target=WORKLOAD)).status == gone[0]


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "Required parameter is missing", "rejected"),
        (400, "Bad request - Resource should have a name", "rejected"),
        (400, "Resource with this name already exists", "conflict"),
        (401, "Issuer is not familiar.", "credentials"),
        (403, "You do not have sufficient permissions.", "credentials"),
        (404, "Resource id not found.", "not-found"),
        (409, "Resource with this name already exists", "conflict"),
        (500, "Something went wrong.", "unknown-outcome"),
        (503, "Please try again in few minutes.", "unknown-outcome"),
    ],
)
def test_runai_1_2_error_bodies_of_a_create(
    sheet: Sheet, control_plane: Callable[..., Provider], status: int, message: str, code: str
) -> None:
    provider = control_plane()
    sheet.routes[f"POST {INFERENCES}"] = (status, {"code": status, "message": message, "details": "spec.image"})
    error = refusal(provider, RUNAI_CREATE)
    assert (error.code, error.status, isinstance(error, UnknownOutcome)) == (code, status, code == "unknown-outcome")
    assert f"HTTP {status}: {message}: spec.image" in str(error)
    assert sheet.count(f"POST {INFERENCES}") == (2 if status == 401 else 1)  # §1.2: log in again once


def test_runai_1_2_not_found_of_a_read_is_gone(sheet: Sheet, control_plane: Callable[..., Provider]) -> None:
    provider = control_plane()
    sheet.routes[f"GET {INFERENCES}/{WORKLOAD}"] = (404, {"code": 404, "message": "Resource id not found."})
    assert provider.read_one(INFERENCE, WORKLOAD) is None


@pytest.mark.parametrize(
    ("reply", "settings", "asked"),
    [
        ("v1", {}, {"grantType": "client_credentials", "clientId": "app", "clientSecret": "canary"}),
        ("v2", {"grant": "v2"}, None),  # a form
        ("v1 before 2.24", {"version": "2.18"}, {"grantType": "app_token", "AppId": "app", "AppSecret": "canary"}),
    ],
)
def test_runai_1_1_token_replies(
    sheet: Sheet, control_plane: Callable[..., Provider], reply: str, settings: dict[str, Any], asked: Any
) -> None:
    provider = control_plane(sample("runai", "detail §4.1"), **settings)
    path = f"POST /api/{reply.partition(' ')[0]}/token"
    sheet.routes[path] = (200, RUNAI_TOKENS[reply])
    assert only(provider.read_all(INFERENCE)).id == WORKLOAD
    assert [body for route, body in sheet.asked if route == path] == [asked]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"error": "invalid_client", "error_description": "no such client"}, "invalid_client no such client"),
        (400, {"code": 400, "message": "Required parameter is missing"}, "Required parameter is missing"),
    ],
    ids=["§1.1 RFC 6749", "§1.2"],
)
def test_runai_1_1_refused_log_in_is_told_in_the_servers_words(
    sheet: Sheet, control_plane: Callable[..., Provider], status: int, body: Any, words: str
) -> None:
    provider = control_plane(grant="v2")
    sheet.routes["POST /api/v2/token"] = (status, body)
    error = refusal(provider, RUNAI_CREATE)
    assert (error.code, isinstance(error, UnknownOutcome)) == ("credentials", False)
    assert words in str(error)
    assert sheet.count(f"POST {INFERENCES}") == 0


# -- ModelArts --------------------------------------------------------------------------------------------------------


@pytest.fixture
def account(sheet: Sheet, connect: Connect) -> Provider:
    sheet.routes["POST /v3/auth/tokens"] = (
        201,
        {"token": {"expires_at": "2026-11-26T07:00:00.000000Z", "project": {"id": "p", "name": "eu-de"}}},
    )
    return connect(
        modelarts.TYPE, iamEndpoint=sheet.url, projectId="p", username="user_name", password="pw", domain="domain_name"
    )


# -- ModelArts: services ----------------------------------------------------------------------------------------------

SERVICES: Final = "/v1/p/services"
DEMO: Final = "f76f20ba-78f5-44e8-893a-37c8c600c02f"
MNIST: Final = "195c1f2d-136d-40af-a0f3-db5717d2634a"
POOL: Final = "088458d9-5755-4110-97d8-1d21065ea10b"
DEMO_SPEC: Final[dict[str, Any]] = {
    "infer_type": "real-time",
    "cluster_id": POOL,
    "config": [
        {
            "model_id": "044ebf3d-8bf4-48df-bf40-bad0e664c1e2",
            "specification": "custom",
            "weight": 100,
            "instance_count": 1,
            "cluster_id": POOL,
        }
    ],
}


def service(name: str, **changes: Any) -> dict[str, Any]:
    """A sample, with the words that belong to every detail (§4)."""
    return {
        "service_id": DEMO,
        "status": "running",
        "workspace_id": "0",
        **sample("modelarts-services", name),
        **changes,
    }


def test_services_4_detail_reads_as_a_person_reads_it(sheet: Sheet, account: Provider) -> None:
    detail = sample("modelarts-services", "detail §4")
    sheet.routes[f"GET {SERVICES}/{DEMO}"] = (200, detail)
    live = account.read_one(SERVICE, DEMO)
    assert live is not None
    assert (live.id, live.name, live.spec) == (DEMO, "service-demo", DEMO_SPEC)
    assert (live.phase, live.status, live.run_state) == (Phase.READY, "running", "running")
    assert (live.marker, live.marker_readable, live.untouchable, live.created_by) == ("", True, "", "xxxxx")
    assert live.outputs == {"id": DEMO, "name": "service-demo", "endpoint": detail["access_address"]}
    # §4: `custom_spec: {}` says nothing of what was sent.
    custom = {**DEMO_SPEC["config"][0], "custom_spec": {"cpu": 1.5, "memory": 7500}}
    assert same(SERVICE, {**DEMO_SPEC, "description": "", "config": [custom]}, live)


@pytest.mark.parametrize("level", ["service", "config", "both"])
def test_services_4_pool_may_be_told_at_either_level(sheet: Sheet, account: Provider, level: str) -> None:
    detail = sample("modelarts-services", "detail §4")
    if level != "service":
        detail["config"][0]["cluster_id"] = POOL
    if level == "config":
        del detail["cluster_id"]
    sheet.routes[f"GET {SERVICES}/{DEMO}"] = (200, detail)
    live = account.read_one(SERVICE, DEMO)
    assert live is not None
    element = {key: value for key, value in DEMO_SPEC["config"][0].items() if key != "cluster_id"}
    assert same(SERVICE, {**DEMO_SPEC, "config": [element]}, live)
    assert not same(SERVICE, {**DEMO_SPEC, "cluster_id": "another", "config": [element]}, live)


def test_services_5_list_leads_to_the_detail_though_its_workspace_is_a_number(sheet: Sheet, account: Provider) -> None:
    sheet.routes |= {
        f"GET {SERVICES}": (200, sample("modelarts-services", "list §5")),
        f"GET {SERVICES}/{MNIST}": (
            200,
            service("create-real-time §3.8", service_id=MNIST, description=f"mnist service [{MARKER}]"),
        ),
    }
    listing = account.read_all(SERVICE)
    live = only(listing)
    assert (listing.verdict, live.id, live.name, live.marker) == (Verdict.COMPLETE, MNIST, "mnist", MARKER)
    assert live.spec["description"] == "mnist service"


def test_services_5_shared_list_item_is_untouchable_and_needs_no_detail(sheet: Sheet, account: Provider) -> None:
    listed = sample("modelarts-services", "list §5")
    listed["services"][0]["is_shared"] = True
    sheet.routes[f"GET {SERVICES}"] = (200, listed)
    live = only(account.read_all(SERVICE))
    assert (live.name, live.created_by) == ("mnist", "b575785bcece44beb23597770fb819f9")
    assert live.untouchable.startswith("subscribed")
    assert sheet.count(f"GET {SERVICES}/{MNIST}") == 0


@pytest.mark.parametrize(
    "name", ["create-real-time §3.8", "create-schedule §3.8", "create-batch §3.8", "create-edge §3.8"]
)
@pytest.mark.parametrize("wire", ["as sent", "texts for numbers", "numbers for texts", "JSON in texts"])
def test_services_3_8_spec_is_the_same_in_every_wire_type(
    sheet: Sheet, account: Provider, name: str, wire: str
) -> None:
    written = {key: value for key, value in sample("modelarts-services", name).items() if key != "service_name"}
    told = service(name)
    for element in told["config"]:
        element["nodes"] = [{"id": node, "instance_status": "running"} for node in element.get("nodes", [])]
        for key in ("weight", "instance_count"):
            if key in element and wire != "as sent":
                element[key] = str(element[key]) if wire == "texts for numbers" else int(element[key])
        if wire == "JSON in texts":
            element |= {key: json.dumps(element[key]) for key in ("envs", "custom_spec") if key in element}
    if wire == "JSON in texts":
        told["config"] = json.dumps(told["config"])
    sheet.routes[f"GET {SERVICES}/{DEMO}"] = (200, told)
    live = account.read_one(SERVICE, DEMO)
    assert live is not None
    assert live.name == sample("modelarts-services", name)["service_name"]
    assert same(SERVICE, written, live)
    first = written["config"][0]
    assert not same(SERVICE, {**written, "config": [{**first, "instance_count": 2}, *written["config"][1:]]}, live)
    shown = live.spec["config"][0]
    assert (shown["instance_count"], shown.get("weight")) == (1, int(first["weight"]) if "weight" in first else None)


@pytest.mark.parametrize("encoded", [False, True], ids=["§3.5 objects", "§4 texts"])
def test_services_3_5_additional_properties_as_objects_and_as_texts(
    sheet: Sheet, account: Provider, *, encoded: bool
) -> None:
    written = sample("modelarts-services", "additional_properties §3.5")
    told = {key: json.dumps(value) for key, value in written.items()} if encoded else written
    detail = sample("modelarts-services", "detail §4", additional_properties=told)
    sheet.routes[f"GET {SERVICES}/{DEMO}"] = (200, detail)
    live = account.read_one(SERVICE, DEMO)
    assert live is not None
    assert same(SERVICE, {**DEMO_SPEC, "additional_properties": written}, live)
    other = {**written, "smn_notification": {"topic_urn": "urn:smn:...", "events": [7]}}
    assert not same(SERVICE, {**DEMO_SPEC, "additional_properties": other}, live)


def test_services_2_specifications_are_the_catalogue(sheet: Sheet, account: Provider) -> None:
    free = {"specification": "modelarts.vm.cpu.2u", "is_open": True, "spec_status": "normal", "is_free": False}
    body = {"total_count": 1, "count": 1, "specifications": [{**free, "over_quota": False, "category": "CPU"}]}
    sheet.routes[f"GET {SERVICES}/specifications"] = (200, body)
    found = account.catalogue().data["Service"]["specifications"]
    assert found == {"real-time": ("modelarts.vm.cpu.2u",), "batch": ("modelarts.vm.cpu.2u",)}


@pytest.mark.parametrize(
    ("status", "phase", "run_state"),
    [
        ("deploying", Phase.PROGRESSING, "running"),
        ("concerning", Phase.DEGRADED, "running"),
        ("failed", Phase.FAILED, ""),
        ("stopped", Phase.STOPPED, "stopped"),
        ("deleting", Phase.GOING, ""),
        ("finished", Phase.FINISHED, ""),
    ],
)
def test_services_8_statuses(sheet: Sheet, account: Provider, status: str, phase: Phase, run_state: str) -> None:
    detail = sample("modelarts-services", "detail §4", status=status, error_msg="no\nmemory")
    sheet.routes[f"GET {SERVICES}/{DEMO}"] = (200, detail)
    live = account.read_one(SERVICE, DEMO)
    assert live is not None
    assert (live.phase, live.run_state, live.reason) == (phase, run_state, "no memory")


def service_call(op: CallOp, method: str) -> Call:
    create = op is CallOp.CREATE
    return Call(
        op=op, method=method, path=SERVICES if create else f"{SERVICES}/{DEMO}", body={}, target="" if create else DEMO
    )


def test_services_3_8_replies_of_writes(sheet: Sheet, account: Provider) -> None:
    sheet.routes |= {
        f"POST {SERVICES}": (200, sample("modelarts-services", "create-reply §3.8")),
        f"PUT {SERVICES}/{DEMO}": (200, {}),  # §2
        f"DELETE {SERVICES}/{DEMO}": (200, {}),  # §2
    }
    made = account.send(service_call(CallOp.CREATE, "POST"))
    told = "10eb0091-887f-4839-9929-cbc884f1e20e"
    assert (made.status, made.live_id, made.evidence) == (200, told, {"id": told})
    assert account.send(service_call(CallOp.UPDATE, "PUT")).live_id == DEMO
    assert account.send(service_call(CallOp.DELETE, "DELETE")).live_id == DEMO


def test_services_1_error_is_gone_for_a_read_and_not_found_for_a_write(sheet: Sheet, account: Provider) -> None:
    gone = (404, sample("modelarts-services", "error §1"))
    sheet.routes |= {f"GET {SERVICES}/{DEMO}": gone, f"DELETE {SERVICES}/{DEMO}": gone}
    assert account.read_one(SERVICE, DEMO) is None
    error = refusal(account, service_call(CallOp.DELETE, "DELETE"))
    assert (error.code, error.status, error.error_code) == ("not-found", 404, "ModelArts.3502")
    assert str(error).endswith("ModelArts.3502 Service 2a2db77f-xxxx-xxxx-xxxx-608a31865313 does not exist.")


@pytest.mark.parametrize(
    ("status", "error_code", "code"),
    [
        (409, "ModelArts.3503", "conflict"),
        (400, "ModelArts.3519", "rejected"),
        (400, "ModelArts.3515", "rejected"),
        (401, "ModelArts.0203", "credentials"),
        (403, "ModelArts.0210", "credentials"),
        (404, "ModelArts.3507", "not-found"),
        (500, "ModelArts.3506", "unknown-outcome"),
    ],
)
def test_services_1_codes(sheet: Sheet, account: Provider, status: int, error_code: str, code: str) -> None:
    sheet.routes[f"POST {SERVICES}"] = (status, {"error_code": error_code, "error_msg": "Its words."})
    error = refusal(account, service_call(CallOp.CREATE, "POST"))
    assert (error.code, error.status, isinstance(error, UnknownOutcome)) == (code, status, status == 500)
    assert f"{error_code} Its words." in str(error)
    assert sheet.count("POST /v3/auth/tokens") == (2 if status == 401 else 1)  # §1: once on any 401


# -- ModelArts: notebooks ---------------------------------------------------------------------------------------------

INSTANCES: Final = "/v1/p/demanager/instances"
D115: Final = "DE-a970f5d4-7b26-11eb-91ca-0255ac10003b"
ONE: Final = f"{INSTANCES}/{D115}"


def instance(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = sample("modelarts-notebooks", "create-reply §3", **changes)
    return found


def test_notebooks_3_instance_reads_as_a_person_reads_it(sheet: Sheet, account: Provider) -> None:
    sheet.routes[f"GET {ONE}"] = (200, instance())
    live = account.read_one(NOTEBOOK, D115)
    assert live is not None
    assert (live.id, live.name) == (D115, "notebook-d115")
    assert (live.phase, live.status, live.run_state) == (Phase.PROGRESSING, "CREATING", "running")
    assert (live.marker, live.marker_readable) == ("", True)
    assert live.created_by == "f3779708b547462dbca12a70555d0690"
    assert live.outputs == {"id": D115, "name": "notebook-d115"}  # §8: the url is no endpoint
    assert live.hidden == frozenset()
    shown = {key: live.spec[key] for key in ("flavor", "spec", "ai_project", "profile_id", "profile_name")}
    assert shown == {
        "flavor": "modelarts.kat1.xlarge",
        "spec": {
            "storage": {"type": "obs", "location": {"path": "/aaaaaaaaa/output/"}},
            "auto_stop": {"enable": True, "duration": 3600, "prompt": True},
        },
        "ai_project": {"id": "default-ai-project"},
        "profile_id": "efa847c0-7359-11eb-b34f-0255ac100057",
        "profile_name": "Ascend-Powered-Engine 1.0 (python3)",
    }


def test_notebooks_3_request_and_reply_are_one_thing_though_the_profile_reads_otherwise(
    sheet: Sheet, account: Provider
) -> None:
    sheet.routes[f"GET {ONE}"] = (200, instance())
    live = account.read_one(NOTEBOOK, D115)
    sent = sample("modelarts-notebooks", "create-request §3")
    written = {key: value for key, value in sent.items() if key not in {"name", "workspace"}}
    assert live is not None
    assert same(NOTEBOOK, written, live)
    assert not same(NOTEBOOK, {**written, "flavor": "modelarts.vm.gpu.v100"}, live)


def test_notebooks_5_list_without_storage_leads_to_the_detail(sheet: Sheet, account: Provider) -> None:
    detail = instance(status="RUNNING", description=f"Team A [{MARKER}]")
    sheet.routes |= {
        f"GET {INSTANCES}": (200, sample("modelarts-notebooks", "list §5")),
        f"GET {ONE}": (200, detail),
    }
    listing = account.read_all(NOTEBOOK)
    live = only(listing)
    assert (listing.verdict, live.id, live.phase, live.marker) == (Verdict.COMPLETE, D115, Phase.READY, MARKER)
    assert (live.spec["description"], live.spec["flavor"]) == ("Team A", "modelarts.kat1.xlarge")


@pytest.mark.parametrize("total", [1, "1"], ids=["number", "text"])
def test_notebooks_5_list_with_whole_items_needs_no_detail(sheet: Sheet, account: Provider, total: Any) -> None:
    sheet.routes[f"GET {INSTANCES}"] = (200, {"instances": [instance(status="STOPPED")], "total_count": total})
    live = only(account.read_all(NOTEBOOK))
    # §8: stopped while its automatic stop is on is nobody's drift
    assert (live.phase, live.run_state, live.reason) == (Phase.STOPPED, "", "auto-stopped, or stopped by hand")
    assert sheet.count(f"GET {ONE}") == 0


def test_notebooks_8_failed_instance_is_an_instance_with_its_reason(sheet: Sheet, account: Provider) -> None:
    failed = sample("modelarts-notebooks", "failed §8")
    whole = instance(**{**failed, "spec": {**instance()["spec"], **failed["spec"]}})
    sheet.routes |= {f"GET {ONE}": (200, whole), f"POST {INSTANCES}": (200, whole)}
    live = account.read_one(NOTEBOOK, D115)
    assert live is not None
    assert (live.phase, live.status, live.reason) == (Phase.FAILED, "CREATE_FAILED", "ModelArts.6360 …")
    assert account.send(notebook_call(CallOp.CREATE, "POST")).live_id == D115  # §1: decided by status, then by `id`


def notebook_call(op: CallOp, method: str) -> Call:
    path = {CallOp.CREATE: INSTANCES, CallOp.START: f"{ONE}/action", CallOp.STOP: f"{ONE}/action"}.get(op, ONE)
    return Call(op=op, method=method, path=path, body={}, target="" if op is CallOp.CREATE else D115)


def test_notebooks_2_replies_of_writes(sheet: Sheet, account: Provider) -> None:
    without_spec = {key: value for key, value in instance().items() if key != "spec"}
    sheet.routes |= {
        f"POST {INSTANCES}": (200, instance()),
        f"PUT {ONE}": (200, without_spec),
        f"POST {ONE}/action": (200, sample("modelarts-notebooks", "action-reply §2")),
        f"DELETE {ONE}": (200, {"instance_id": D115}),
    }
    made = account.send(notebook_call(CallOp.CREATE, "POST"))
    assert (made.status, made.live_id, made.evidence) == (200, D115, {"id": D115})
    for op, method in ((CallOp.UPDATE, "PUT"), (CallOp.START, "POST"), (CallOp.DELETE, "DELETE")):
        assert account.send(notebook_call(op, method)).live_id == D115


@pytest.mark.parametrize("key", ["error_message", "error_msg"])
def test_notebooks_1_error_is_told_under_either_key(sheet: Sheet, account: Provider, key: str) -> None:
    body = sample("modelarts-notebooks", "error §1")
    body = {key: body["error_message"], "error_code": body["error_code"]}
    sheet.routes[f"POST {INSTANCES}"] = (400, body)
    error = refusal(account, notebook_call(CallOp.CREATE, "POST"))
    assert (error.code, error.status, error.error_code) == ("rejected", 400, "ModelArts.6318")
    assert str(error).endswith("HTTP 400: ModelArts.6318 The param path needs to end with /.")


@pytest.mark.parametrize(
    ("op", "number", "code"),
    [
        (CallOp.CREATE, 6301, "conflict"),
        (CallOp.CREATE, 6302, "rejected"),
        (CallOp.CREATE, 6329, "rejected"),
        (CallOp.DELETE, 6304, "conflict"),
        (CallOp.DELETE, 6309, "not-found"),
        (CallOp.DELETE, 6357, "unknown-outcome"),
        (CallOp.UPDATE, 6347, "conflict"),
        (CallOp.UPDATE, 6346, "rejected"),
        (CallOp.START, 6305, ""),
        (CallOp.START, 6306, ""),
        (CallOp.START, 6307, "conflict"),
        (CallOp.STOP, 6307, ""),
        (CallOp.STOP, 6308, ""),
    ],
)
def test_notebooks_1_codes(sheet: Sheet, account: Provider, op: CallOp, number: int, code: str) -> None:
    method = {CallOp.UPDATE: "PUT", CallOp.DELETE: "DELETE"}.get(op, "POST")
    call = notebook_call(op, method)
    body = {"error_message": "Its words.", "error_code": f"ModelArts.{number}"}
    sheet.routes[f"{method} {call.path}"] = (400, body)
    if not code:
        assert account.send(call).live_id == D115
        return
    error = refusal(account, call)
    assert (error.code, error.error_code) == (code, f"ModelArts.{number}")
    assert isinstance(error, UnknownOutcome) == (code == "unknown-outcome")


def test_notebooks_9_instance_is_gone_with_6309_and_never_with_a_404(sheet: Sheet, account: Provider) -> None:
    sheet.routes[f"GET {ONE}"] = (400, {"error_message": "gone", "error_code": "ModelArts.6309"})
    assert account.read_one(NOTEBOOK, D115) is None
    sheet.routes[f"GET {ONE}"] = (404, {"error_msg": "The API does not exist", "error_code": "APIG.0101"})
    with pytest.raises(ProviderError, match=r"APIG\.0101 The API does not exist"):
        account.read_one(NOTEBOOK, D115)
