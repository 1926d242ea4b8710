"""The Run:ai provider against the emulator over HTTP: lists, writes, log-in, look-ups, settlement."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from reconciler.diff.change import Action, Call, Change, FieldChange
from reconciler.diff.compare import Sides, compare
from reconciler.diff.live import Applied, Live, Marker, owner_hash, resource_hash
from reconciler.emulator.server import Server
from reconciler.fields import Phase
from reconciler.problems import Origin, ProviderError, UnknownOutcome
from reconciler.providers.base import Context, Intent, Reply
from reconciler.providers.runai import TYPE
from reconciler.providers.runai.kinds import INFERENCE
from reconciler.providers.runai.provider import RunaiProvider
from reconciler.spec.resource import ProviderConfig, Resource, ResourceRef
from reconciler.spec.values import SecretRef

CLUSTER = "71f69d83-ba66-4822-adf5-55ce55efd210"
INFERENCES = "/api/v1/workloads/inferences"
ADDRESS = "runai/Inference/chat-a"
MARKER = Marker(
    owner=owner_hash("shop/dev"), resource=resource_hash(ADDRESS), generation=1, digest="abcde", op="qwerty"
)
OURS = [{"name": "reconciler/id", "value": str(MARKER)}, {"name": "reconciler/resource", "value": ADDRESS}]
SAMPLE: dict[str, Any] = {"image": "python:3.8", "servingPort": {"container": 8080, "protocol": "http"}}
FULLER: dict[str, Any] = {
    "useGivenNameAsPrefix": False,
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
}
SECRETS = {"SECRET": "demo-runai-client-secret", "WRONG": "canary-wrong", "HF_TOKEN": "canary-hf"}


def resource(spec: Mapping[str, Any], name: str) -> Resource:
    return Resource(ref=ResourceRef("runai", "Inference", name), kind=INFERENCE, live_name=name, spec=spec)


class World:
    """One provider instance, the emulator behind it, and what a test wants to say to them."""

    def __init__(self, server: Server) -> None:
        self.server, self.emulator = server, server.emulator
        self.open: list[RunaiProvider] = []
        self.provider = self.connect()

    def connect(self, **settings: Any) -> RunaiProvider:
        line = self.emulator.connection(self.server.url)["runai"]
        defaults = {"version": "2.24", "requestTimeout": 5.0, "concurrency": 4, "clientSecret": SecretRef("SECRET")}
        merged = {**line, **defaults, **settings}
        config = ProviderConfig(
            name="runai",
            type="runai",
            settings={key: value for key, value in merged.items() if value is not None},
            origin=Origin("reconciler.yaml", 7, 5),
        )
        provider = TYPE.open(config, Context(resolve=SECRETS.__getitem__, clock=self.emulator))
        assert isinstance(provider, RunaiProvider)
        self.open.append(provider)
        return provider

    def switch(self, **values: Any) -> None:
        self.emulator.set_switches({"runai": values})

    def faults(self, *entries: Mapping[str, Any]) -> None:
        self.emulator.faults.replace([{"provider": "runai", **entry} for entry in entries])

    def create(self, spec: Mapping[str, Any], name: str = "chat-a", marker: Marker = MARKER) -> Reply:
        return self.provider.send(self.create_call(spec, name, marker))

    def create_call(self, spec: Mapping[str, Any], name: str = "chat-a", marker: Marker = MARKER) -> Call:
        self.provider.catalogue()
        change = Change(
            address=f"runai/Inference/{name}",
            kind=INFERENCE,
            action=Action.CREATE,
            reason="new",
            desired=resource(spec, name),
        )
        (call,) = self.provider.calls(change, str(marker))
        return call

    def update_call(self, live: Live, spec: Mapping[str, Any], applied: Mapping[str, Any]) -> Call:
        change = Change(
            address=ADDRESS,
            kind=INFERENCE,
            action=Action.UPDATE,
            reason="differs",
            desired=resource(spec, live.name),
            live=live,
            applied=Applied(address=ADDRESS, kind=INFERENCE.label, live_id=live.id, spec=applied),
            fields=self.differences(live, spec, applied),
        )
        (call,) = self.provider.calls(change, live.marker)
        return call

    def differences(
        self, live: Live, spec: Mapping[str, Any], applied: Mapping[str, Any] | None, version: str = "2.24"
    ) -> tuple[FieldChange, ...]:
        sides = Sides(kind=INFERENCE, desired=spec, live=live, applied=applied, version=version)
        return tuple(compare(sides).changes)

    def delete(self, live: Live) -> Reply:
        change = Change(address=ADDRESS, kind=INFERENCE, action=Action.DELETE, reason="removed", live=live)
        (call,) = self.provider.calls(change, live.marker)
        return self.provider.send(call)

    def listed(self) -> dict[str, Live]:
        return {item.name: item for item in self.provider.read_all(INFERENCE).items}

    def one(self, live_id: str) -> Live:
        live = self.provider.read_one(INFERENCE, live_id)
        assert live is not None
        return live

    def sent(self, method: str, path: str = "") -> list[dict[str, Any]]:
        return [one for one in self.emulator.requests if one["method"] == method and one["path"].startswith(path)]


@pytest.fixture
def world(emulator: Server) -> Iterator[World]:
    found = World(emulator)
    yield found
    for provider in found.open:
        provider.close()


# -- create and read -----------------------------------------------------------------------------------------------


def test_both_samples_of_the_sheet_leave_as_that_body_plus_marker(world: World) -> None:
    world.create(SAMPLE)
    world.create(FULLER, "chat-b")
    first, second = (entry["body"] for entry in world.sent("POST", INFERENCES))
    top = {"projectId": "1", "clusterId": CLUSTER}
    assert first == {"name": "chat-a", **top, "spec": {**SAMPLE, "annotations": OURS}}
    spec = {key: value for key, value in FULLER.items() if key != "useGivenNameAsPrefix"}
    companion = {"name": "reconciler/resource", "value": "runai/Inference/chat-b"}
    spec["annotations"] = [*FULLER["annotations"], OURS[0], companion]
    assert second == {"name": "chat-b", "useGivenNameAsPrefix": False, **top, "spec": spec}
    assert isinstance(second["spec"]["compute"]["cpuCoreLimit"], int)


@pytest.mark.parametrize("spec", [SAMPLE, FULLER], ids=["smallest", "fuller"])
@pytest.mark.parametrize("echo", ["merged", "as-sent"])
def test_what_was_created_reads_back_equal(world: World, spec: dict[str, Any], echo: str) -> None:
    world.switch(echo=echo, reorderLists=True, rewriteQuantities=True)
    reply = world.create(spec)
    live = world.listed()["chat-a"]
    assert (live.id, live.marker, live.phase, live.status) == (
        reply.live_id, str(MARKER), Phase.PROGRESSING, "Creating",
    )  # fmt: skip
    assert not any(one["name"].startswith("reconciler/") for one in live.spec.get("annotations", []))
    assert world.differences(live, spec, spec) == ()
    assert world.differences(live, spec, None) == ()
    world.emulator.advance(30)
    ready = world.one(live.id)
    assert (ready.phase, ready.run_state, ready.outputs["id"]) == (Phase.READY, "running", live.id)
    assert ready.outputs["endpoint"].startswith("https://chat-a-runai-team-a.")


def test_a_policys_entries_are_no_drift_and_survive_an_update(world: World) -> None:
    """Case C25."""
    instances = [{"name": "RUNAI_X", "value": "1"}]
    world.switch(policy={"defaults": {"environmentVariables": {"instances": instances}, "priorityClass": "low"}})
    spec = {**SAMPLE, "environmentVariables": [{"name": "MODEL", "value": "a"}]}
    world.create(spec)
    live = world.listed()["chat-a"]
    assert world.differences(live, spec, spec) == ()
    wanted = {**spec, "environmentVariables": [{"name": "MODEL", "value": "b"}]}
    assert [str(one.path) for one in world.differences(live, wanted, spec)] == ["environmentVariables[MODEL].value"]
    call = world.update_call(live, wanted, spec)
    assert call.body == {
        "spec": {"environmentVariables": [{"name": "MODEL", "value": "b"}, {"name": "RUNAI_X", "value": "1"}]}
    }


def test_secrets_are_filled_in_on_the_wire_alone(world: World) -> None:
    spec = {**SAMPLE, "environmentVariables": [{"name": "HF_TOKEN", "value": SecretRef("HF_TOKEN")}]}
    call = world.create_call(spec)
    assert "canary-hf" not in repr(call)
    world.provider.send(call)
    sent = world.sent("POST", INFERENCES)[0]["body"]["spec"]["environmentVariables"]
    assert sent == [{"name": "HF_TOKEN", "value": "canary-hf"}]
    world.faults({"method": "POST", "path": "inferences", "status": 400, "body": {"message": "bad canary-hf"}})
    with pytest.raises(ProviderError) as refused:
        world.provider.send(world.create_call(spec, "chat-b"))
    assert "canary-hf" not in str(refused.value)


# -- update --------------------------------------------------------------------------------------------------------


def test_an_update_sends_whole_changed_keys_without_nulls_and_keeps_the_id(world: World) -> None:
    world.create(FULLER)
    world.emulator.advance(30)
    live = world.listed()["chat-a"]
    wanted = copy.deepcopy(FULLER)
    wanted["compute"]["cpuCoreLimit"] = 3
    del wanted["autoscaling"]["scaleToZeroRetentionSeconds"]
    wanted["environmentVariables"] = wanted["environmentVariables"][:1]
    changes = world.differences(live, wanted, FULLER)
    assert [str(one.path) for one in changes] == [
        "autoscaling.scaleToZeroRetentionSeconds", "compute.cpuCoreLimit", "environmentVariables[DB_PASSWORD]",
    ]  # fmt: skip
    assert not any(one.forces_replace for one in changes)
    call = world.update_call(live, wanted, FULLER)
    assert call.body == {"spec": {key: wanted[key] for key in ("autoscaling", "compute", "environmentVariables")}}
    world.provider.send(call)
    updated = world.one(live.id)
    assert (updated.phase, updated.marker) == (Phase.PROGRESSING, live.marker)
    world.emulator.advance(20)
    assert world.one(live.id).phase is Phase.READY
    assert world.differences(world.one(live.id), wanted, wanted) == ()


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        (FULLER["autoscaling"], None, {"minReplicas": 1, "scaleToZeroRetentionSeconds": 0}),
        ({"minReplicas": 2, "maxReplicas": 2}, None, {"minReplicas": 1}),
        (
            {"minReplicas": 3, "maxReplicas": 5, "metric": "latency", "metricThreshold": 5, "scaleDownDelaySeconds": 9},
            {"minReplicas": 3},
            {"minReplicas": 3},
        ),
    ],
    ids=["scaled to zero", "two", "back to a fixed number"],
)
def test_autoscaling_taken_out_goes_back_to_its_defaults_in_place(
    world: World, before: dict[str, Any], after: dict[str, Any] | None, sent: dict[str, Any]
) -> None:
    """Case C27; what the server then fills in by itself is not the old value."""
    applied, wanted = ({**SAMPLE, **({"autoscaling": part} if part else {})} for part in (before, after))
    world.create(applied)
    live = world.listed()["chat-a"]
    assert not any(one.forces_replace for one in world.differences(live, wanted, applied))
    call = world.update_call(live, wanted, applied)
    assert {key: value for key, value in call.body["spec"]["autoscaling"].items() if value != 1 or key in sent} == sent
    world.provider.send(call)
    assert world.differences(world.listed()["chat-a"], wanted, applied) == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("servingPort", {"container": 9090}),
        ("labels", [{"name": "team", "value": "b"}]),
        ("annotations", [{"name": "note", "value": "b"}]),
        ("tolerations", [{"key": "gpu", "operator": "Exists"}]),
        ("storage", {"nfs": [{"server": "s", "path": "/p", "mountPath": "/m"}]}),
        ("security", {"runAsNonRoot": True}),
        ("ports", [{"container": 22, "serviceType": "ClusterIP"}]),
    ],
)
def test_what_no_patch_takes_forces_a_replace(world: World, key: str, value: Any) -> None:
    world.create(SAMPLE)
    changes = world.differences(world.listed()["chat-a"], {**SAMPLE, key: value}, SAMPLE)
    assert changes
    assert all(one.forces_replace for one in changes)


@pytest.mark.parametrize(
    ("version", "image", "compute", "priority"),
    [
        ("2.18", True, True, True),
        ("2.19", False, True, True),
        ("2.21", False, False, True),
        ("2.22", False, False, False),
    ],
)
def test_the_release_decides_what_changes_in_place(
    world: World, version: str, *, image: bool, compute: bool, priority: bool
) -> None:
    applied = {**SAMPLE, "compute": {"cpuCoreRequest": 1}, "environmentVariables": [{"name": "A", "value": "b"}]}
    world.create(applied)
    live = world.listed()["chat-a"]
    wanted = {**SAMPLE, "image": "b", "compute": {"cpuCoreRequest": 2}, "priorityClass": "low"}
    found = {str(one.path): one.forces_replace for one in world.differences(live, wanted, applied, version)}
    assert found == {
        "compute.cpuCoreRequest": compute,
        "environmentVariables[A]": image,
        "image": image,
        "priorityClass": priority,
    }


def test_an_abandoned_roll_out_is_not_ready(world: World) -> None:
    world.create(SAMPLE)
    world.emulator.advance(30)
    world.switch(outcomes={"chat-a": "abandon"}, patchPhase="Running")
    live = world.listed()["chat-a"]
    world.provider.send(world.update_call(live, {**SAMPLE, "image": "python:0"}, SAMPLE))
    assert world.one(live.id).phase is Phase.PROGRESSING
    world.emulator.advance(601)
    for found in (world.one(live.id), world.listed()["chat-a"]):
        assert (found.status, found.phase) == ("Running", Phase.FAILED)
        assert "not ready in time" in found.reason


@pytest.mark.parametrize(
    ("script", "phase", "run_state"),
    [
        ("Failed", Phase.FAILED, "running"),
        ("Degraded", Phase.DEGRADED, "running"),
        ("Pending", Phase.PROGRESSING, "running"),
        ("Stopped", Phase.STOPPED, "stopped"),
    ],
)
def test_phases_and_reasons_come_through(world: World, script: str, phase: Phase, run_state: str) -> None:
    world.switch(outcomes={"chat-a": script})
    live_id = world.create(SAMPLE).live_id
    world.emulator.advance(600)
    live = world.one(live_id)
    assert (live.phase, live.run_state) == (phase, run_state)
    assert bool(live.reason) is (script != "Stopped")


# -- delete --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["404", "200+deletedAt"])
def test_a_deleted_one_is_going_then_gone_and_foreign_ones_stay(world: World, after: str) -> None:
    world.switch(getAfterDelete=after)
    before = [one for one in world.emulator.state()["runai"] if one.get("name") != "chat-a"]
    world.create(SAMPLE)
    live = world.listed()["chat-a"]
    assert world.delete(live).status == 202
    assert world.listed()["chat-a"].phase is Phase.GOING
    world.emulator.advance(10)
    assert world.provider.read_one(INFERENCE, live.id) is None
    assert set(world.listed()) == {"ann-summarizer"}
    assert world.emulator.state()["runai"] == before


def test_deleting_what_is_gone_is_not_found(world: World) -> None:
    world.create(SAMPLE)
    live = world.listed()["chat-a"]
    world.delete(live)
    world.emulator.advance(10)
    with pytest.raises(ProviderError) as error:
        world.delete(live)
    assert error.value.code == "not-found"


# -- lists ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_lists_of_any_length_are_complete_with_as_few_pages_as_the_limit_allows(
    world: World, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr("reconciler.providers.runai.client._PAGE", 2)
    for number in range(count):
        world.create(SAMPLE, f"chat-{number}")
    assert set(world.listed()) == {"ann-summarizer", *(f"chat-{number}" for number in range(count))}
    assert len([one for one in world.sent("GET") if one["path"] == "/api/v1/workloads"]) == -(-(count + 1) // 2)


def test_a_server_that_repeats_a_page_is_an_error(world: World) -> None:
    page = {"workloads": [{"id": "a", "type": "Inference", "projectId": "1"}], "next": 1}
    world.faults({"path": "^/api/v1/workloads$", "body": page, "count": None})
    with pytest.raises(ProviderError, match="repeats"):
        world.provider.read_all(INFERENCE)


def test_an_item_that_left_between_list_and_detail_is_skipped(world: World) -> None:
    live_id = world.create(SAMPLE).live_id
    world.create(SAMPLE, "chat-b")
    world.faults({"path": f"inferences/{live_id}$", "status": 404})
    assert set(world.listed()) == {"ann-summarizer", "chat-b"}


def test_a_list_of_several_pages_that_loses_an_item_is_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case C18: what left may have moved another one out of sight."""
    monkeypatch.setattr("reconciler.providers.runai.client._PAGE", 1)
    live_id = world.create(SAMPLE).live_id
    world.faults({"path": f"inferences/{live_id}$", "status": 404})
    assert set(world.listed()) == {"ann-summarizer", "chat-a"}
    assert len([one for one in world.sent("GET") if one["path"] == "/api/v1/workloads"]) == 4


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "^/api/v1/workloads$", "status": 500, "count": None},
        {"path": "^/api/v1/workloads$", "status": 200, "body": "<html>login</html>", "count": None},
        {"path": "^/api/v1/workloads$", "when": "mid-body", "count": None},
        {"path": "^/api/v1/workloads$", "body": {"items": []}, "count": None},
        {"path": "inferences/", "status": 500, "count": None},
    ],
    ids=["500", "a login page", "cut", "no list", "one detail fails"],
)
def test_a_list_that_can_not_be_read_whole_is_an_error(world: World, fault: dict[str, Any]) -> None:
    """Case C20."""
    world.provider.catalogue()
    world.faults(fault)
    with pytest.raises(ProviderError):
        world.provider.read_all(INFERENCE)


def test_numeric_project_ids_of_the_wire_are_texts(world: World) -> None:
    world.switch(idTypeOut="number")
    world.create(SAMPLE)
    assert "chat-a" in world.listed()


# -- writes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duplicate", ["409", "400"])
def test_a_taken_name_is_a_conflict_whatever_its_status(world: World, duplicate: str) -> None:
    world.switch(duplicateName=duplicate)
    world.create(SAMPLE)
    with pytest.raises(ProviderError) as error:
        world.create(SAMPLE)
    assert error.value.code == "conflict"


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": True}], ids=["503", "cut connection"])
def test_a_create_with_a_lost_reply_is_sent_once_and_found_by_its_marker(world: World, fault: dict[str, Any]) -> None:
    world.provider.catalogue()
    world.faults({"method": "POST", "path": "inferences", "when": "after-commit", **fault})
    with pytest.raises(UnknownOutcome):
        world.create(SAMPLE)
    assert len(world.sent("POST", INFERENCES)) == 1
    listing = world.provider.read_all(INFERENCE)
    intent = Intent(address=ADDRESS, op="create", op_id=MARKER.op, marker=str(MARKER), live_name="chat-a")
    settled = world.provider.settle(intent, listing)
    assert settled.live is not None
    assert settled.live.name == "chat-a"
    other = Intent(address=ADDRESS, op="create", op_id="zzzzzz", live_name="chat-a")
    assert world.provider.settle(other, listing).absent
    known = Intent(address=ADDRESS, op="create", op_id="zzzzzz", evidence={"id": settled.live.id})
    assert world.provider.settle(known, listing).live == settled.live


def test_429_on_log_in_list_and_create_is_waited_out(world: World) -> None:
    """Case C43."""
    limited = {"status": 429, "headers": {"Retry-After": "7"}}
    world.faults(
        {"path": "token", **limited}, {"path": "workloads$", **limited}, {"method": "POST", "path": "infer", **limited}
    )
    started = world.emulator.now()
    world.create(SAMPLE)
    assert "chat-a" in world.listed()
    assert world.emulator.now() - started >= 21
    assert [entry["status"] for entry in world.sent("POST", INFERENCES)] == [429, 202]


# -- log-in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "path", "keys"),
    [
        ({}, "/api/v1/token", {"grantType", "clientId", "clientSecret"}),
        ({"version": "2.18"}, "/api/v1/token", {"grantType", "AppId", "AppSecret"}),
        ({"grant": "v2"}, "/api/v2/token", None),
    ],
    ids=["client credentials", "app token", "second route"],
)
def test_every_log_in_works(world: World, settings: dict[str, Any], path: str, keys: set[str] | None) -> None:
    world.switch(version=settings.get("version", "2.24"))
    provider = world.connect(**settings)
    assert provider.read_all(INFERENCE).items
    (login,) = world.sent("POST", "/api")
    assert login["path"] == path
    assert keys is None or set(login["body"]) == keys


def test_a_token_is_renewed_before_its_end_and_once_on_401(world: World) -> None:
    """Case C40."""
    world.switch(tokenLifetime=60)
    world.listed()
    for _ in range(6):
        world.emulator.advance(30)
        world.listed()
    assert not [entry for entry in world.emulator.requests if entry["status"] == 401]
    assert len(world.sent("POST", "/api/v1/token")) == 4
    world.faults({"method": "POST", "path": "inferences", "status": 401})
    world.create(SAMPLE)
    assert [entry["status"] for entry in world.sent("POST", INFERENCES)] == [401, 202]
    assert len(world.sent("POST", "/api/v1/token")) == 5
    world.faults({"method": "POST", "path": "inferences", "status": 401, "count": None})
    with pytest.raises(ProviderError) as error:
        world.create(SAMPLE, "chat-b")
    assert error.value.code == "credentials"
    assert len(world.sent("POST", INFERENCES)) == 4


def test_a_wrong_secret_is_a_credentials_error_that_does_not_tell_it(world: World) -> None:
    body = {"message": "secret canary-wrong is unknown"}
    world.faults({"path": "token", "status": 400, "body": body, "count": None})
    with pytest.raises(ProviderError) as error:
        world.connect(clientSecret=SecretRef("WRONG")).read_all(INFERENCE)
    assert error.value.code == "credentials"
    assert "canary-wrong" not in str(error.value)


def test_a_write_whose_log_in_failed_was_not_sent(world: World) -> None:
    call = world.create_call(SAMPLE)
    world.emulator.advance(4000)
    world.faults({"path": "token", "status": 500, "count": None})
    with pytest.raises(ProviderError) as error:
        world.provider.send(call)
    assert not isinstance(error.value, UnknownOutcome)
    assert not world.sent("POST", INFERENCES)


# -- look-ups ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "code", "near"),
    [
        ({"project": "team-aa"}, "unknown-project", "team-a"),
        ({"cluster": "mian", "project": "shared"}, "unknown-cluster", "main"),
        ({"cluster": None, "project": "shared"}, "ambiguous-project", ""),
        ({"cluster": "lab"}, "unknown-project", ""),
        ({"project": None, "projectId": "99"}, "unknown-project", ""),
        ({"clusterId": "71f69d83-ba66-4822-adf5-55ce55efd21f"}, "unknown-cluster", CLUSTER),
    ],
)
def test_unknown_places_are_located_problems(world: World, settings: dict[str, Any], code: str, near: str) -> None:
    provider = world.connect(**settings)
    provider.catalogue()
    found = {problem.code: problem for problem in provider.check(resource(SAMPLE, "chat-a"))}
    assert found[code].origin == Origin("reconciler.yaml", 7, 5)
    assert found[code].nearest == near
    assert provider.check(resource(SAMPLE, "chat-b")) == provider.check(resource(SAMPLE, "chat-a"))
    assert not world.sent("POST", INFERENCES)


@pytest.mark.parametrize(
    "settings",
    [{"cluster": None}, {"cluster": None, "clusterId": CLUSTER}, {"project": None, "projectId": "1", "cluster": None}],
    ids=["the project's cluster", "cluster by id", "project by id"],
)
def test_names_and_ids_lead_to_one_place(world: World, settings: dict[str, Any]) -> None:
    provider = world.connect(**settings)
    assert provider.catalogue().data == {"projectId": "1", "clusterId": CLUSTER}
    assert provider.check(resource(SAMPLE, "chat-a")) == ()


# -- each switch of the emulator, flipped alone --------------------------------------------------------------------

FLIPPED: list[dict[str, Any]] = [
    {"strict": "schema"},
    {"strict": "off"},
    {"duplicateName": "allow"},
    {"nameHeldWhileDeleting": False},
    {"getAfterDelete": "200+deletedAt"},
    {"secondDelete": "2xx"},
    {"echo": "as-sent"},
    {"patchNull": "clear"},
    {"patchNull": "400"},
    {"patchUnknownKeys": "400"},
    {"createUnknownKeys": "400"},
    {"nameRule": "dns-label-63"},
    {"nameRule": "any"},
    {"idTypeOut": "number"},
    {"rateLimit": "429"},
    {"rateLimit": "429+retry-after"},
    {"tokenLifetime": 20},
    {"patchPhase": "Running"},
    {"reorderLists": True},
    {"rewriteQuantities": True},
    {"policy": {"defaults": {"labels": {"instances": [{"name": "cost", "value": "1"}]}}}},
    *({"version": f"2.{minor}"} for minor in range(19, 24)),
]


@pytest.mark.parametrize("switches", FLIPPED, ids=lambda switches: "-".join(map(str, *switches.items()))[:40])
def test_the_main_job_passes_with_this_switch_alone(world: World, switches: dict[str, Any]) -> None:
    world.switch(**switches)
    version = str(switches.get("version", "2.24"))
    world.provider = world.connect(version=version)
    live_id = world.create(FULLER).live_id
    world.emulator.advance(30)
    live = world.one(live_id)
    assert (live.phase, world.differences(live, FULLER, FULLER, version)) == (Phase.READY, ())
    wanted = {**copy.deepcopy(FULLER), "image": "python:3.9", "environmentVariables": [{"name": "HOME", "value": "/b"}]}
    world.provider.send(world.update_call(live, wanted, FULLER))
    world.emulator.advance(30)
    live = world.listed()["chat-a"]
    assert (live.id, live.phase) == (live_id, Phase.READY)
    assert world.differences(live, wanted, wanted, version) == ()
    world.delete(live)
    world.emulator.advance(10)
    assert world.provider.read_one(INFERENCE, live_id) is None
    assert set(world.listed()) == {"ann-summarizer"}
