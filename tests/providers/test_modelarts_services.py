"""The services half of the ModelArts provider, from a person's YAML to the emulator's wire and back."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.diff.change import Action, Call, CallOp, Change, Repeat
from reconciler.diff.compare import Sides, compare
from reconciler.diff.live import Applied, Listing, Live, Marker, Verdict, append_marker
from reconciler.emulator.server import Server
from reconciler.fields import FieldPath, Phase
from reconciler.fields.setting import COMMON_SETTINGS
from reconciler.problems import Origin, Problem, ProviderError, SpecError, UnknownOutcome
from reconciler.providers.base import Context, Intent, Provider
from reconciler.providers.modelarts import TYPE
from reconciler.providers.modelarts.service_kind import SERVICE
from reconciler.providers.modelarts.service_live import to_live
from reconciler.spec import SourceFile, compile_all
from reconciler.spec.resource import Lifecycle, ProviderConfig, Resource, ResourceRef
from reconciler.spec.values import Composite, KnownAfterApply, SecretRef

MARKER = str(Marker(owner="aaaaa", resource="bbbbbbbb", generation=1, digest="ccccc", op="dddddd"))
CPU = "modelarts.vm.cpu.2u"
SCHEMAS = {
    name: json.loads((Path(__file__).parents[2] / "schemas" / name).read_text())
    for name in ("common.json", "modelarts-service.json")
}
PROJECT = """
apiVersion: reconciler/v1
kind: Project
metadata: {name: shop}
spec:
  providers: {ma: {type: modelarts, endpoint: emulator}}
"""


def element(**more: Any) -> dict[str, Any]:
    return {"model_id": "xxxmodel-idxxx", "specification": CPU, "instance_count": 1, **more}


SAMPLES: dict[str, dict[str, Any]] = {
    "mnist": {
        "description": "mnist service",
        "infer_type": "real-time",
        "config": [
            element(weight="70", envs={"model_name": "mxnet-model-1", "load_epoch": "0"}),
            element(model_id="xxxxxx", weight="30"),
        ],
    },
    "service-demo": {
        "description": "demo",
        "infer_type": "real-time",
        "config": [element(weight="100")],
        "schedule": [{"type": "stop", "time_unit": "HOURS", "duration": 1}],
    },
    "batchservicetest": {
        "description": "",
        "infer_type": "batch",
        "cluster_id": "8abf68a969c3cb3a0169c4acb24b****",
        "config": [
            element(
                model_id="598b913a-af3e-41ba-a1b5-bf065320f1e2",
                src_path="https://infers-data.obs.xxxxx.com/xgboosterdata/",
                dest_path="https://infers-data.obs.xxxxx.com/output/",
                req_uri="/",
                mapping_type="file",
            )
        ],
    },
    "service-edge-demo": {
        "description": "",
        "infer_type": "edge",
        "config": [
            element(
                model_id="eb6a4a8c-5713-4a27-b8ed-c7e694499af5",
                specification="custom",
                custom_spec={"cpu": 1.5, "memory": 7500, "gpu_p4": 0, "ascend_a310": 0},
                envs={},
                nodes=["2r8c4fb9-t497-40u3-89yf-skui77db0472"],
            )
        ],
    },
}
PROPERTIES = {
    "smn_notification": {"topic_urn": "urn:smn:eu-de:0f5a:alerts", "events": [7, 1]},
    "log_report_channels": [{"type": "LTS", "configuration": {"log_group_id": "g", "log_stream_id": "s"}}],
    "websocket_upgrade": True,
}
FULL: dict[str, dict[str, Any]] = {
    "real-time in a pool": {
        "infer_type": "real-time",
        "description": "Everything set",
        "pool_name": "pool1",
        "load_balancer_policy": "SOURCE_IP",
        "priority": 2,
        "service_secrets": [{"secretId": "one", "mouthPath": "/secrets"}],
        "schedule": [{"type": "stop", "time_unit": "DAYS", "duration": 1}],
        "additional_properties": PROPERTIES,
        "config": [
            element(
                specification="custom",
                custom_spec={"cpu": 1.005, "memory": 2048, "gpu_p4": 0.5},
                weight=100,
                envs={"A": "1", "EMPTY": ""},
                deploy_timeout_in_seconds=600,
                affinity={"node_affinity": {"mode": "preferred", "pool_infos": [{"pool_name": "pool1"}]}},
                additional_properties={
                    "log_volume": [{"host_path": "/a", "mount_path": "/b"}],
                    "max_surge": 0.5,
                    "max_unavailable": 0,
                    "termination_grace_period_seconds": 30,
                    "persistent_volumes": [{"name": "v", "mount_path": "/c", "storage_type": "sfs_turbo"}],
                },
            )
        ],
    },
    "real-time in a VPC": {
        "infer_type": "real-time",
        "vpc_id": "v",
        "subnet_network_id": "s",
        "security_group_id": "g",
        "config": [element(weight=100)],
    },
    "batch": {
        "infer_type": "batch",
        "config": [
            element(
                pool_name="pool2",
                src_path="/bucket/in/",
                dest_path="/bucket/out/",
                req_uri="/",
                mapping_type="csv",
                mapping_rule={"type": "object", "properties": {"a": {"type": "number", "index": -1}}},
                src_type="ManifestFile",
            )
        ],
    },
    "edge": {"infer_type": "edge", "cluster_id": "edge-pool", "config": [element(nodes=["b", "a"])]},
    **SAMPLES,
}


def compiled(spec: Mapping[str, Any], name: str = "mnist", **lifecycle: Any) -> Resource:
    """The resource that a person gets who writes this spec."""
    document = {
        "apiVersion": "modelarts/v1",
        "kind": "Service",
        "metadata": {"name": name},
        "lifecycle": lifecycle,
        "spec": spec,
    }
    found = compile_all(
        SourceFile("reconciler.yaml", PROJECT.encode()),
        environment=None,
        settings={"modelarts": TYPE.settings},
        resources=[SourceFile("resources/a.yaml", json.dumps(document).encode())],
        patches=[],
        kinds=[SERVICE],
        schemas=SCHEMAS,
    )
    return found.resources[0]


def refused(spec: Mapping[str, Any]) -> list[Problem]:
    with pytest.raises(SpecError) as caught:
        compiled(spec)
    return list(caught.value.problems)


def made(spec: Mapping[str, Any], name: str = "mnist", **lifecycle: Any) -> Resource:
    """A resource built by hand, for values that only exist inside."""
    return Resource(
        ref=ResourceRef("ma", "Service", name),
        kind=SERVICE,
        live_name=name,
        spec=copy.deepcopy(dict(spec)),
        lifecycle=Lifecycle(**lifecycle),
        origin=Origin("resources/a.yaml", 3),
        origins={("spec", "config", 0, "specification"): Origin("resources/a.yaml", 9, 7)},
    )


def creation(resource: Resource, run_state: str = "") -> Change:
    return Change(
        address=resource.address,
        kind=SERVICE,
        action=Action.CREATE,
        reason="not-live",
        desired=resource,
        run_state=run_state,
    )


def applied_of(resource: Resource, live: Live) -> Applied:
    return Applied(
        address=resource.address, kind="modelarts/Service", live_id=live.id, marker=live.marker, spec=resource.spec
    )


def update(
    resource: Resource, live: Live, before: Resource | None = None, run_state: str = "", action: Action = Action.UPDATE
) -> Change:
    """The change that the diff makes of a new spec, a live item and what was applied before."""
    applied = applied_of(before, live) if before is not None else None
    sides = Sides(
        kind=SERVICE,
        desired=resource.spec,
        live=live,
        applied=applied.spec if applied else None,
        ignore=resource.lifecycle.ignore_changes,
    )
    fields = tuple(compare(sides).changes)
    return Change(
        address=resource.address,
        kind=SERVICE,
        action=action,
        reason="",
        desired=resource,
        live=live,
        applied=applied,
        fields=fields,
        run_state=run_state,
    )


def deletion(live: Live) -> Change:
    return Change(address="ma/Service/mnist", kind=SERVICE, action=Action.DELETE, reason="removed", live=live)


class Lab:
    """A provider on an emulator, and the short ways to change things through it."""

    def __init__(self, server: Server, **settings: Any) -> None:
        self.server = server
        known = {row.name: row.default for row in (*COMMON_SETTINGS, *TYPE.settings) if row.default is not None}
        line = server.emulator.connection(server.url)["modelarts"]
        log_in = {key: line[key] for key in ("endpoint", "iamEndpoint", "projectId", "domain", "username", "password")}
        self.provider: Provider = TYPE.open(
            ProviderConfig(
                name="ma", type="modelarts", settings={**known, **log_in, **settings}, origin=Origin("reconciler.yaml")
            ),
            Context(resolve=lambda name: f"value-of-{name}", clock=server.emulator),
        )

    def send(self, change: Change, marker: str = MARKER) -> str:
        """Send all calls of a change, waiting for the phases that they name; the live id."""
        live_id = change.live_id
        for planned in self.provider.calls(change, marker):
            call = dataclasses.replace(
                planned, path=planned.path.replace("{id}", live_id), target=planned.target.replace("{id}", live_id)
            )
            self.wait(live_id, call.when)
            live_id = self.provider.send(call).live_id or live_id
            self.wait(live_id, call.until)
        return live_id

    def wait(self, live_id: str, phases: frozenset[Phase]) -> None:
        for _ in range(40):
            live = self.provider.read_one(SERVICE, live_id) if phases else None
            if live is None or live.phase in phases:
                return
            self.server.emulator.advance(10)
        pytest.fail(f"{live_id} never was {phases}")

    def create(self, resource: Resource, marker: str = MARKER) -> Live:
        live_id = self.send(creation(resource), marker)
        self.wait(live_id, frozenset({Phase.READY}))
        return self.one(live_id)

    def one(self, live_id: str) -> Live:
        live = self.read().by_id(live_id)
        assert live is not None
        return live

    def read(self) -> Listing:
        return self.provider.read_all(SERVICE)

    def bodies(self, method: str) -> list[Any]:
        sent = self.server.emulator.requests
        return [entry["body"] for entry in sent if entry["method"] == method and "/services" in entry["path"]]

    def pages(self) -> list[str]:
        sent = self.server.emulator.requests
        return [entry["query"]["offset"] for entry in sent if entry["path"] == "/v1/0f5a/services"]

    def switch(self, **values: Any) -> None:
        self.server.emulator.set_switches({"modelarts-services": values})

    def fault(self, **values: Any) -> None:
        self.server.emulator.faults.replace([{"provider": "modelarts-services", **values}])


@pytest.fixture
def lab(emulator: Server) -> Iterator[Lab]:
    found = Lab(emulator)
    yield found
    found.provider.close()


# -- create, and read back --------------------------------------------------------------------------------------------


def as_numbers(spec: Mapping[str, Any]) -> dict[str, Any]:
    plain = copy.deepcopy(dict(spec))
    for item in plain["config"]:
        if "weight" in item:
            item["weight"] = int(item["weight"])
    return plain


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_of_the_sheet_arrives_as_that_body_plus_marker(lab: Lab, name: str) -> None:
    lab.create(compiled(SAMPLES[name], name))
    expected = {"service_name": name, **as_numbers(SAMPLES[name])}
    expected["description"] = append_marker(expected["description"], MARKER)
    assert lab.bodies("POST") == [expected]


@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"custom_spec_echo": "empty", "properties_as_text": True, "write_only_fields": True},
        {"custom_spec_echo": "without_ascend", "list_workspace_as_number": False, "offset_mode": "record"},
    ],
    ids=["as documented", "hiding much", "other shapes"],
)
def test_what_was_created_reads_back_without_a_difference(lab: Lab, name: str, switches: dict[str, Any]) -> None:
    lab.switch(**switches)
    resource = compiled(FULL[name])
    live = lab.create(resource)
    assert (live.name, live.marker, live.spec.get("description", "")) == (
        "mnist",
        MARKER,
        FULL[name].get("description", ""),
    )
    for before in (resource, None):
        assert update(resource, live, before).fields == ()


def test_address_is_an_output_once_the_service_runs(lab: Lab) -> None:
    live = lab.create(compiled(SAMPLES["mnist"]))
    assert live.outputs["id"] == live.id
    assert live.outputs["endpoint"].endswith(f"/v1/infers/{live.outputs['endpoint'].split('/')[-2]}/{live.id}")
    assert (live.phase, live.run_state, live.created_by) == (Phase.READY, "running", "b575785bcece44beb23597770fb819f9")


def test_workspace_is_sent_and_keeps_others_out(emulator: Server) -> None:
    lab = Lab(emulator, workspaceId="1201")
    live = lab.create(compiled(SAMPLES["mnist"]))
    assert lab.bodies("POST")[0]["workspace_id"] == "1201"
    assert sorted(item.name for item in lab.read().items) == ["mnist", "research-llm"]
    lab.provider.close()
    other = Lab(emulator)
    assert other.read().by_id(live.id) is None
    other.provider.close()


def test_secrets_are_filled_in_only_on_the_wire(lab: Lab) -> None:
    spec = {**SAMPLES["service-demo"], "config": [element(weight=100, envs={"TOKEN": SecretRef("DB")})]}
    change = creation(made(spec))
    assert "value-of" not in repr(lab.provider.calls(change, MARKER))
    lab.send(change)
    assert lab.bodies("POST")[0]["config"][0]["envs"] == {"TOKEN": "value-of-DB"}


def test_value_that_is_not_known_yet_is_never_sent(lab: Lab) -> None:
    text = Composite(("reads ", KnownAfterApply("theta/Deployment/features", "endpoint")))
    change = creation(made({**SAMPLES["service-demo"], "description": text}))
    (call,) = lab.provider.calls(change, MARKER)
    assert call.body["description"] == Composite((*text.parts, f" [{MARKER}]"))
    with pytest.raises(ProviderError, match="not known yet; nothing was sent"):
        lab.provider.send(call)
    assert lab.bodies("POST") == []


# -- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["page", "record"])
@pytest.mark.parametrize(("count", "cap"), [(0, 1000), (2, 1000), (5, 3), (3, 3), (6, 3), (7, 3)])
def test_list_is_complete_however_offset_is_counted(lab: Lab, mode: str, count: int, cap: int) -> None:
    lab.switch(offset_mode=mode, limit_max=cap)
    for number in range(count):
        lab.send(creation(made(SAMPLES["mnist"], f"s-{number}")))
    names = [item.name for item in lab.read().items]
    assert len(names) == len(set(names)) == count + 3
    assert {f"s-{number}" for number in range(count)} <= set(names)


def test_long_list_takes_as_few_pages_as_the_limit_allows(lab: Lab) -> None:
    with lab.server.emulator.transaction() as tx:
        [(_, pattern)] = [
            row for row in tx.all("modelarts-services") if row[1]["fields"]["service_name"] == "hand-made"
        ]
        for number in range(1000):
            fields = {**pattern["fields"], "service_name": f"many-{number:04}"}
            tx.put("modelarts-services", f"id-{number}", {**pattern, "service_id": f"id-{number}", "fields": fields})
    items = lab.read().items
    assert len({item.id for item in items}) == len(items) == 1003
    assert lab.pages() == ["0", "1000", "1"]


def test_list_that_moves_is_read_again_and_then_given_up(lab: Lab) -> None:
    page = {"total_count": 2, "count": 1, "services": [{"service_id": "a", "service_name": "a"}]}
    moved = {"total_count": 3, "count": 1, "services": [{"service_id": "b", "service_name": "b"}]}
    path = "/services$"
    lab.server.emulator.faults.replace(
        [{"method": "GET", "path": path, "body": page}, {"method": "GET", "path": path, "body": moved}]
    )
    assert len(lab.read().items) == 3
    again = [{"method": "GET", "path": path, "body": body} for _ in range(4) for body in (page, moved)]
    lab.server.emulator.faults.replace(again)
    with pytest.raises(ProviderError, match="never whole") as caught:
        lab.read()
    assert caught.value.code == "incomplete-list"


def test_server_that_ignores_offset_is_an_error_after_the_second_equal_page(lab: Lab) -> None:
    page = {"total_count": "2", "count": 1, "services": [{"service_id": "a", "service_name": "a"}]}
    lab.fault(method="GET", path="/services$", body=page, count=None)
    with pytest.raises(ProviderError, match="the same page came twice; 1 of 2 items"):
        lab.read()
    assert lab.pages() == ["0", "1"]


@pytest.mark.parametrize(
    "answer",
    [
        {"body": {"error_code": "ModelArts.0010", "error_msg": "internal"}, "status": 200},
        {"body": "<html>log in</html>", "status": 200},
        {"body": {"total_count": 1, "services": [{}]}, "status": 200},
        {"body": {"services": []}, "status": 200},
    ],
)
def test_reply_that_is_no_list_is_an_error_and_not_an_empty_list(lab: Lab, answer: dict[str, Any]) -> None:
    lab.fault(method="GET", path="/services$", count=None, **answer)
    with pytest.raises(ProviderError, match="HTTP 200") as caught:
        lab.read()
    assert caught.value.code == "not-json"


def test_failing_detail_fails_the_list_and_one_that_is_gone_is_left_out(lab: Lab) -> None:
    live = lab.create(compiled(SAMPLES["mnist"]))
    gone = {"error_code": "ModelArts.3502", "error_msg": "gone"}
    lab.fault(path=live.id, status=404, body=gone)
    assert lab.read().by_id(live.id) is None
    lab.fault(path=live.id, status=404, body={"error_code": "APIG.0101", "error_msg": "no such api"}, count=None)
    with pytest.raises(ProviderError, match=r"APIG\.0101"):
        lab.read()
    lab.fault(path=live.id, status=500, count=None)
    with pytest.raises(ProviderError):
        lab.read()


def test_own_scope_says_that_it_is_partial(emulator: Server) -> None:
    lab = Lab(emulator, listScope="own")
    assert lab.read().verdict is Verdict.PARTIAL
    assert lab.provider.settle(Intent(address="a", op="create", op_id="x"), lab.read()).absent is False
    lab.provider.close()


def test_foreign_services_are_listed_and_subscribed_ones_untouchable(lab: Lab) -> None:
    found = {item.name: item for item in lab.read().items}
    assert set(found) == {"ranking-team-b", "ocr-market", "hand-made"}
    assert found["ocr-market"].untouchable
    assert not found["ranking-team-b"].untouchable
    assert all(item.marker == "" for item in found.values())
    with pytest.raises(ProviderError, match=r"ModelArts\.3540") as caught:
        lab.send(deletion(found["ranking-team-b"]))
    assert caught.value.code == "rejected"


def test_detail_sample_of_the_sheet_is_understood() -> None:
    detail = {
        "service_id": "f76f20ba-78f5-44e8-893a-37c8c600c02f",
        "service_name": "service-demo",
        "tenant": "xxxxx",
        "project": "xxxxx",
        "owner": "xxxxx",
        "publish_at": 1585809231902,
        "update_time": 1585809358259,
        "infer_type": "real-time",
        "status": "running",
        "progress": 100,
        "access_address": "https://xxxxx/v1/infers/f76f20ba-78f5-44e8-893a-37c8c600c02f",
        "cluster_id": "088458d9-5755-4110-97d8-1d21065ea10b",
        "workspace_id": "0",
        "additional_properties": {},
        "is_shared": False,
        "config": [
            {
                "model_id": "044ebf3d-8bf4-48df-bf40-bad0e664c1e2",
                "model_name": "jar-model",
                "model_version": "1.0.1",
                "specification": "custom",
                "custom_spec": {},
                "status": "notReady",
                "weight": 100,
                "instance_count": 1,
                "scaling": False,
                "envs": {},
                "additional_properties": {},
                "support_debug": False,
            }
        ],
    }
    live = to_live(detail, "ma")
    assert live.spec == {
        "infer_type": "real-time",
        "cluster_id": "088458d9-5755-4110-97d8-1d21065ea10b",
        "config": [
            {
                "model_id": "044ebf3d-8bf4-48df-bf40-bad0e664c1e2",
                "specification": "custom",
                "weight": 100,
                "instance_count": 1,
                "cluster_id": "088458d9-5755-4110-97d8-1d21065ea10b",  # it names no pool, so it is in the service's
            }
        ],
    }


# -- change -----------------------------------------------------------------------------------------------------------


def changed(spec: Mapping[str, Any], **config: Any) -> dict[str, Any]:
    first, *rest = copy.deepcopy(spec["config"])
    return {**copy.deepcopy(dict(spec)), "config": [{**first, **config}, *rest]}


def test_config_goes_whole_without_status_and_keeps_the_id(lab: Lab) -> None:
    before = compiled(SAMPLES["mnist"])
    live = lab.create(before)
    wanted = compiled(changed(SAMPLES["mnist"], instance_count=2))
    change = update(wanted, live, before)
    assert [str(field.path) for field in change.fields] == ["config[xxxmodel-idxxx].instance_count"]
    (call,) = lab.provider.calls(change, live.marker)
    assert (call.repeat, call.summary) == (Repeat.YES, "PUT config")
    assert lab.send(change, live.marker) == live.id
    assert lab.bodies("PUT") == [{"config": wanted.spec["config"]}]
    lab.wait(live.id, frozenset({Phase.READY}))
    after = lab.one(live.id)
    assert (update(wanted, after, wanted).fields, after.marker) == ((), MARKER)


def test_description_changes_keep_the_marker_and_the_rest_stays_unsent(lab: Lab) -> None:
    before = compiled(SAMPLES["mnist"])
    live = lab.create(before)
    for text in ("other words", ""):
        wanted = compiled({**SAMPLES["mnist"], "description": text})
        lab.send(update(wanted, live, before), live.marker)
        live, before = lab.one(live.id), wanted
        assert (live.marker, live.spec.get("description", "")) == (MARKER, text)
    assert lab.bodies("PUT") == [{"description": f"other words [{MARKER}]"}, {"description": f"[{MARKER}]"}]


def test_what_others_put_into_a_configuration_survives_our_update_and_what_we_took_out_does_not(lab: Lab) -> None:
    before = compiled(changed(SAMPLES["mnist"], envs={"OURS": "1", "OLD": "1"}))
    live = lab.create(before)
    config = copy.deepcopy(before.spec["config"])
    by_hand = [
        {**config[0], "envs": {**config[0]["envs"], "THEIRS": "x"}, "deploy_timeout_in_seconds": 900},
        config[1],
    ]
    lab.provider.send(
        Call(op=CallOp.UPDATE, method="PUT", path=f"/v1/0f5a/services/{live.id}", body={"config": by_hand})
    )
    lab.wait(live.id, frozenset({Phase.READY}))
    live = lab.one(live.id)
    assert update(before, live, before).fields == ()
    wanted = compiled(changed(SAMPLES["mnist"], envs={"OURS": "2"}))
    lab.send(update(wanted, live, before), live.marker)
    sent = lab.bodies("PUT")[-1]["config"][0]
    assert (sent["envs"], sent["deploy_timeout_in_seconds"]) == ({"OURS": "2", "THEIRS": "x"}, 900)


def test_ignored_count_is_sent_as_it_is_live(lab: Lab) -> None:
    before = compiled(SAMPLES["mnist"])
    live = lab.create(before)
    scaled = changed(SAMPLES["mnist"], instance_count=5, weight=70)
    body = {"config": as_numbers(scaled)["config"]}
    lab.provider.send(Call(op=CallOp.UPDATE, method="PUT", path=f"/v1/0f5a/services/{live.id}", body=body))
    lab.wait(live.id, frozenset({Phase.READY}))
    live = lab.one(live.id)
    ignore = (FieldPath.parse("config[*].instance_count"),)
    wanted = made(as_numbers(changed(SAMPLES["mnist"], envs={"NEW": "1"})), ignore_changes=ignore)
    lab.send(update(wanted, live, before), live.marker)
    assert [item["instance_count"] for item in lab.bodies("PUT")[-1]["config"]] == [5, 1]


def test_fields_taken_out_of_the_spec_go_back_to_nothing(lab: Lab) -> None:
    full = {
        **SAMPLES["service-demo"],
        "additional_properties": {"smn_notification": PROPERTIES["smn_notification"]},
        "config": [element(weight=100, envs={"A": "1"}, deploy_timeout_in_seconds=600)],
    }
    before, wanted = compiled(full), compiled({"infer_type": "real-time", "config": [element(weight=100)]})
    live = lab.create(before)
    change = update(wanted, live, before)
    assert not any(field.forces_replace for field in change.fields)
    lab.send(change, live.marker)
    assert lab.bodies("PUT") == [
        {
            "description": f"[{MARKER}]",
            "config": wanted.spec["config"],
            "schedule": [],
            "additional_properties": {},
        }
    ]
    lab.wait(live.id, frozenset({Phase.READY}))
    after = lab.one(live.id)
    assert after.spec == wanted.spec
    assert update(wanted, after, wanted).fields == ()


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [
        ({}, {"websocket_upgrade": True}, False),
        ({"websocket_upgrade": True}, {}, True),
        ({"websocket_upgrade": True}, {"websocket_upgrade": False}, True),
        ({}, {"log_report_channels": [{"type": "LTS"}]}, False),
        ({"log_report_channels": [{"type": "LTS"}]}, {}, True),
        (
            {"log_report_channels": PROPERTIES["log_report_channels"]},
            {"log_report_channels": [{"type": "LTS", "configuration": {"log_group_id": "other"}}]},
            True,
        ),
        ({"log_report_channels": [{"type": "LTS"}]}, {"log_report_channels": PROPERTIES["log_report_channels"]}, True),
        ({"log_report_channels": []}, {"log_report_channels": PROPERTIES["log_report_channels"]}, False),
    ],
)
def test_one_way_switches_go_on_in_place_and_off_by_replace(
    lab: Lab, before: dict[str, Any], after: dict[str, Any], *, replaced: bool
) -> None:
    first = compiled({**SAMPLES["mnist"], "additional_properties": before})
    second = compiled({**SAMPLES["mnist"], "additional_properties": after})
    live = lab.create(first)
    change = update(second, live, first)
    assert {field.forces_replace for field in change.fields} == {replaced}
    if not replaced:
        lab.send(change, live.marker)
        assert update(second, lab.one(live.id), second).fields == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FULL["real-time in a pool"], {"pool_name": "pool9"}),
        (FULL["real-time in a VPC"], {"vpc_id": "w"}),
        (SAMPLES["batchservicetest"], {"cluster_id": "c"}),
    ],
)
def test_fields_that_no_put_takes_force_a_replace(lab: Lab, before: dict[str, Any], after: dict[str, Any]) -> None:
    live = lab.create(compiled(before))
    change = update(compiled({**before, **after}), live, compiled(before))
    assert [(str(field.path), field.forces_replace) for field in change.fields] == [(next(iter(after)), True)]


def test_pool_is_the_same_at_either_level(lab: Lab) -> None:
    at_config = compiled({"infer_type": "real-time", "config": [element(weight=100, pool_name="pool1")]})
    at_service = compiled({"infer_type": "real-time", "pool_name": "pool1", "config": [element(weight=100)]})
    live = lab.create(at_config)
    assert update(at_service, live, at_service).fields == ()
    lab.send(deletion(live))
    lab.server.emulator.advance(20)
    live = lab.create(at_service)
    assert update(at_config, live, at_config).fields == ()


def test_config_and_run_state_are_two_puts_with_a_wait_between(lab: Lab) -> None:
    before = compiled(SAMPLES["mnist"])
    live = lab.create(before)
    wanted = compiled(changed(SAMPLES["mnist"], instance_count=2), runState="stopped")
    lab.send(update(wanted, live, before, run_state="stopped"), live.marker)
    assert [sorted(body) for body in lab.bodies("PUT")] == [["config"], ["status"]]
    after = lab.one(live.id)
    assert (after.phase, after.run_state, after.spec["config"][0]["instance_count"]) == (Phase.STOPPED, "stopped", 2)


@pytest.mark.parametrize("starts", [True, False])
def test_stopped_service_is_changed_and_started_whatever_an_update_does(lab: Lab, *, starts: bool) -> None:
    lab.switch(config_update_starts_stopped=starts)
    before = compiled(SAMPLES["service-demo"])
    live = lab.create(before)
    lab.send(update(before, live, before, run_state="stopped"), live.marker)
    live = lab.one(live.id)
    wanted = compiled(changed(SAMPLES["service-demo"], instance_count=2), runState="running")
    change = update(wanted, live, before, run_state="running")
    first, second = lab.provider.calls(change, live.marker)
    assert (sorted(first.body), first.repeat, second.body) == (
        ["config", "schedule"],
        Repeat.AFTER_READ,
        {"status": "running"},
    )
    lab.send(change, live.marker)
    after = lab.one(live.id)
    assert (after.run_state, update(wanted, after, wanted).fields) == ("running", ())


def test_scheduled_stop_and_finished_batch_are_no_difference(lab: Lab) -> None:
    timed, batch = compiled(SAMPLES["service-demo"], "timed"), compiled(SAMPLES["batchservicetest"], "batch")
    first, second = lab.create(timed), lab.create(batch)
    lab.server.emulator.advance(4000)
    stopped, finished = lab.one(first.id), lab.one(second.id)
    assert (stopped.phase, finished.phase, finished.run_state) == (Phase.STOPPED, Phase.FINISHED, "")
    assert update(timed, stopped, timed).fields == ()
    assert update(batch, finished, batch).fields == ()


def test_old_timer_is_renewed_before_a_start(lab: Lab) -> None:
    lab.switch(schedule_restart="error")
    resource = compiled(SAMPLES["service-demo"])
    live = lab.create(resource)
    lab.server.emulator.advance(3600)
    live = lab.one(live.id)
    lab.send(update(resource, live, resource, run_state="running"), live.marker)
    assert [sorted(body) for body in lab.bodies("PUT")] == [["schedule"], ["status"]]
    assert lab.one(live.id).phase is Phase.READY


def test_update_waits_for_a_stable_state(lab: Lab) -> None:
    before = compiled(SAMPLES["mnist"])
    live_id = lab.send(creation(before))
    live = lab.one(live_id)
    assert live.phase is Phase.PROGRESSING
    change = update(compiled(changed(SAMPLES["mnist"], instance_count=2)), live, before)
    (call,) = lab.provider.calls(change, live.marker)
    with pytest.raises(ProviderError, match=r"ModelArts\.3519"):
        lab.provider.send(call)
    assert live.phase not in call.when
    lab.send(change, live.marker)


def test_create_that_should_stand_still_is_stopped_afterwards(lab: Lab) -> None:
    live_id = lab.send(creation(compiled(SAMPLES["mnist"], runState="stopped"), run_state="stopped"))
    assert lab.one(live_id).phase is Phase.STOPPED


def test_adopting_writes_the_marker_behind_the_live_text(lab: Lab) -> None:
    live = next(item for item in lab.read().items if item.name == "hand-made")
    path = f"/v1/0f5a/services/{live.id}"
    lab.provider.send(Call(op=CallOp.UPDATE, method="PUT", path=path, body={"description": "made by hand"}))
    live = lab.one(live.id)
    spec = {key: value for key, value in live.spec.items() if key != "description"}
    lab.send(update(compiled(spec), live, action=Action.ADOPT), MARKER)
    after = lab.one(live.id)
    assert (after.marker, after.spec["description"], after.phase) == (MARKER, "made by hand", Phase.STOPPED)


def test_adopting_never_cuts_a_long_foreign_text(lab: Lab) -> None:
    live = next(item for item in lab.read().items if item.name == "hand-made")
    long = dataclasses.replace(live, spec={**live.spec, "description": "x" * 90})
    silent = compiled({key: value for key, value in SAMPLES["mnist"].items() if key != "description"})
    with pytest.raises(ProviderError, match="no room for our marker"):
        lab.provider.calls(update(silent, long, action=Action.ADOPT), MARKER)


# -- delete, and open outcomes ----------------------------------------------------------------------------------------


def test_deleted_service_is_going_and_then_gone(lab: Lab) -> None:
    live = lab.create(compiled(SAMPLES["mnist"]))
    lab.send(deletion(live))
    going = lab.provider.read_one(SERVICE, live.id)
    assert going is not None
    assert going.phase is Phase.GOING
    lab.server.emulator.advance(15)
    assert lab.provider.read_one(SERVICE, live.id) is None
    with pytest.raises(ProviderError) as caught:
        lab.send(deletion(live))
    assert (caught.value.code, caught.value.error_code) == ("not-found", "ModelArts.3502")


def test_id_with_a_comma_never_reaches_a_path(lab: Lab) -> None:
    live = lab.create(compiled(SAMPLES["mnist"]))
    with pytest.raises(ProviderError, match="nothing was sent"):
        lab.provider.calls(deletion(dataclasses.replace(live, id=f"{live.id},other")), "")


@pytest.mark.parametrize(
    "fault",
    [
        {"when": "after-commit", "drop": True},
        {"when": "after-commit", "status": 503},
        {"when": "mid-body"},
        {"when": "after-commit", "status": 200, "body": {}},
        {"when": "after-commit", "status": 200, "body": "<html>"},
    ],
)
def test_lost_reply_of_a_create_is_sent_once_and_settled_by_the_marker(lab: Lab, fault: dict[str, Any]) -> None:
    lab.fault(method="POST", path="/services$", **fault)
    with pytest.raises(UnknownOutcome):
        lab.send(creation(compiled(SAMPLES["mnist"])))
    assert len(lab.bodies("POST")) == 1
    intent = Intent(address="ma/Service/mnist", op="create", op_id="dddddd", live_name="mnist")
    settled = lab.provider.settle(intent, lab.read())
    assert settled.live is not None
    assert settled.live.marker == MARKER


def test_settling_goes_by_id_or_operation_and_never_by_name(lab: Lab) -> None:
    live = lab.create(compiled(SAMPLES["mnist"]))
    other = Intent(address="ma/Service/mnist", op="create", op_id="eeeeee", live_name="mnist")
    assert lab.provider.settle(other, lab.read()).absent
    told = dataclasses.replace(other, evidence={"id": live.id})
    assert lab.provider.settle(told, lab.read()).live == live
    delete = Intent(address="ma/Service/mnist", op="delete", op_id="", target=live.id)
    assert lab.provider.settle(delete, lab.read()).live == live
    lab.send(deletion(live))
    going = lab.provider.settle(dataclasses.replace(other, op_id="dddddd"), lab.read())
    assert (going.live, going.absent, going.candidates) == (None, False, (live.id,))
    lab.server.emulator.advance(15)
    assert lab.provider.settle(delete, lab.read()).absent


def test_taken_name_is_a_conflict_and_not_a_success(lab: Lab) -> None:
    lab.create(compiled(SAMPLES["mnist"]))
    with pytest.raises(ProviderError, match=r"ModelArts\.3503") as caught:
        lab.send(creation(compiled(SAMPLES["mnist"])))
    assert caught.value.code == "conflict"


def test_failed_deployment_tells_its_reason(lab: Lab) -> None:
    lab.switch(deploy_outcome={"*": "failed"})
    live_id = lab.send(creation(compiled(SAMPLES["mnist"])))
    lab.server.emulator.advance(120)
    live = lab.one(live_id)
    assert (live.phase, live.status) == (Phase.FAILED, "failed")
    assert "health check" in live.reason


# -- what a person wrote ----------------------------------------------------------------------------------------------


def test_unknown_specification_is_located_with_the_nearest_name(lab: Lab) -> None:
    lab.provider.catalogue()
    (problem,) = lab.provider.check(made(changed(SAMPLES["mnist"], specification="modelarts.vm.cpu.2")))
    assert (problem.code, problem.nearest) == ("unknown-specification", CPU)
    assert str(problem.origin) == "resources/a.yaml:9:7"
    for fine in FULL.values():
        assert lab.provider.check(made(fine)) == ()  # samples, pools and edge nodes


def test_barred_catalogue_leaves_the_check_to_the_server(lab: Lab) -> None:
    lab.fault(path="/specifications", status=403, count=None)
    lab.provider.catalogue()
    assert lab.provider.check(made(changed(SAMPLES["mnist"], specification="nonsense"))) == ()


def test_costs_are_the_project_s_own_prices(emulator: Server) -> None:
    lab = Lab(emulator, prices={"unit": "EUR", "perHour": {CPU: "0.35"}})
    catalogue = lab.provider.catalogue()
    assert (catalogue.unit, str(catalogue.prices[CPU])) == ("EUR", "0.35")
    lab.provider.close()


def problems_of(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(problem.code, problem.wrong) for problem in refused(spec)]


def test_misspelt_field_of_a_batch_configuration_is_one_error_in_its_words() -> None:
    config = copy.deepcopy(SAMPLES["batchservicetest"]["config"][0])
    config["instance_cuont"] = config.pop("instance_count")
    (problem,) = refused({**SAMPLES["batchservicetest"], "config": [config]})
    assert (problem.code, problem.nearest) == ("unknown-field", "instance_count")
    assert "batch configuration" in problem.wrong


def test_weights_that_sum_to_90_and_forbidden_characters_are_told_together() -> None:
    spec = {**changed(SAMPLES["mnist"], weight=60), "description": "a < b"}
    found = {problem.code: problem for problem in refused(spec)}
    assert set(found) == {"weights-not-100", "bad-characters"}
    assert "sum to 90 (60 + 30), not to 100" in found["weights-not-100"].wrong
    assert len(found["weights-not-100"].related) == 1


@pytest.mark.parametrize(
    ("base", "change", "code"),
    [
        ("mnist", {"weight": None}, "missing-field"),
        ("mnist", {"instance_count": 0}, "out-of-range"),
        ("mnist", {"instance_count": 129}, "out-of-range"),
        ("mnist", {"instance_count": True}, "wrong-type"),
        ("mnist", {"instance_count": 1.5}, "wrong-type"),
        ("mnist", {"model_id": "xxxxxx"}, "duplicate-item"),
        ("mnist", {"specification": "custom"}, "missing-field"),
        ("mnist", {"custom_spec": {"cpu": 1, "memory": 1}}, "not-allowed-here"),
        ("mnist", {"src_path": "https://b.obs.example.com/in/"}, "unknown-field"),
        ("mnist", {"envs": {"FLAG": True}}, "wrong-type"),
        ("batchservicetest", {"mapping_type": "csv"}, "missing-field"),
        ("batchservicetest", {"mapping_rule": {"a": 1}}, "not-allowed-here"),
        ("batchservicetest", {"dest_path": "output/"}, "bad-obs-path"),
        ("batchservicetest", {"weight": 100}, "unknown-field"),
        ("service-edge-demo", {"nodes": []}, "missing-field"),
        ("service-edge-demo", {"pool_name": "p"}, "unknown-field"),
        (
            "service-edge-demo",
            {"custom_spec": {"cpu": 1, "memory": 1, "gpu_p4": 1, "ascend_a310": 1}},
            "not-allowed-here",
        ),
    ],
)
def test_configuration_mistakes_are_told_before_any_request(base: str, change: dict[str, Any], code: str) -> None:
    found = [problem.code for problem in refused(changed(SAMPLES[base], **change))]
    assert code in found


@pytest.mark.parametrize(
    ("base", "change", "code"),
    [
        ("mnist", {"infer_type": "realtime"}, "not-allowed"),
        ("mnist", {"description": "x" * 60}, "too-long"),
        ("mnist", {"vpc_id": "v"}, "missing-field"),
        ("mnist", {"cluster_id": "c", "pool_name": "p"}, "not-allowed-here"),
        (
            "mnist",
            {"vpc_id": "v", "subnet_network_id": "s", "security_group_id": "g", "pool_name": "p"},
            "not-allowed-here",
        ),
        ("mnist", {"schedule": [{"type": "stop", "time_unit": "WEEKS", "duration": 1}]}, "not-allowed"),
        ("batchservicetest", {"schedule": SAMPLES["service-demo"]["schedule"]}, "not-allowed-here"),
        ("batchservicetest", {"config": SAMPLES["batchservicetest"]["config"] * 2}, "out-of-range"),
        ("service-edge-demo", {"pool_name": "p"}, "not-allowed-here"),
        ("service-edge-demo", {"vpc_id": "v"}, "not-allowed-here"),
    ],
)
def test_service_level_mistakes_are_told_before_any_request(base: str, change: dict[str, Any], code: str) -> None:
    found = [problem.code for problem in refused({**SAMPLES[base], **change})]
    assert code in found


# -- the whole life of a service, whatever the unknowns of the API turn out to be -------------------------------------


@pytest.mark.parametrize(
    "flipped",
    [
        {"offset_mode": "record"},
        {"limit_max": 1},
        {"service_name_match": "exact"},
        {"list_default_workspace": "zero"},
        {"list_workspace_as_number": False},
        {"name_scope": "workspace"},
        {"strict_fields": False},
        {"config_update_starts_stopped": True},
        {"config_omitted_keys": "keep"},
        {"schedule_restart": "error"},
        {"due_time_after_stop": "keep"},
        {"delete_while_deploying": False},
        {"batch_delete_partial": True},
        {"custom_spec_echo": "empty"},
        {"custom_spec_echo": "without_ascend"},
        {"same_status_put": 200},
        {"rate_limit": {"requests": 3, "per_s": 10, "retry_after": "7"}},
        {"rate_limit": {"requests": 3, "per_s": 4}},
        {"stale_status_s": 10},
        {"deploy_outcome": {"*": "waiting"}},
        {"unknown_models": "refuse"},
        {"unknown_specifications": "accept"},
        {"properties_as_text": True},
        {"write_only_fields": True},
    ],
    ids=str,
)
def test_whole_life_of_a_service_passes_with_each_switch_flipped(lab: Lab, flipped: dict[str, Any]) -> None:
    lab.switch(**flipped)
    first = compiled({**SAMPLES["service-demo"], "additional_properties": PROPERTIES})
    live = lab.create(first)
    assert update(first, live, first).fields == ()
    second = compiled(
        {
            **changed(SAMPLES["service-demo"], instance_count=2, deploy_timeout_in_seconds=900),
            "description": "second",
            "additional_properties": PROPERTIES,
        }
    )
    lab.send(update(second, live, first), live.marker)
    lab.wait(live.id, frozenset({Phase.READY}))
    live = lab.one(live.id)
    assert (live.marker, update(second, live, second).fields) == (MARKER, ())
    for state in ("stopped", "running"):
        lab.server.emulator.advance(30)
        lab.wait(live.id, frozenset({Phase.READY, Phase.STOPPED}))
        lab.send(update(second, lab.one(live.id), second, run_state=state), live.marker)
        assert lab.one(live.id).run_state == state
    lab.wait(live.id, frozenset({Phase.READY}))
    assert lab.send(deletion(lab.one(live.id))) == live.id
    lab.server.emulator.advance(15)
    assert lab.read().by_id(live.id) is None
