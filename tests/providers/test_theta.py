"""The Theta provider against the emulator over HTTP: lists, creates, deletes, judgement, settlement."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.output import Printer
from reconciler.cli.project import ProjectFiles, load_spec
from reconciler.cli.session import SystemClock, open_session
from reconciler.diff.change import Action, Change
from reconciler.diff.live import Live, Marker, owner_hash, resource_hash
from reconciler.emulator.server import Server
from reconciler.fields import Phase
from reconciler.problems import Origin, ProviderError, Refused, UnknownOutcome
from reconciler.providers.base import Context, Intent, Reply
from reconciler.providers.theta import TYPE
from reconciler.providers.theta.kinds import DEPLOYMENT
from reconciler.providers.theta.provider import ThetaProvider
from reconciler.spec.resource import ProviderConfig, Resource, ResourceRef
from reconciler.spec.values import Composite, KnownAfterApply, SecretRef

PROJECT = "prj_v4bqyvvycsffhq17rxt0kued3dv7"
SECRETS = {"KEY": "nflgilupuu3m2qyjqlpbfkunizhqkxam", "PASSWORD": "canary-password", "TOKEN": "canary-token"}
CHAT = {"template": "vLLM", "vm_id": "vm_gt1", "min_replicas": 1}
MARKER = Marker(
    owner=owner_hash("shop/dev"),
    resource=resource_hash("theta/Deployment/chat"),
    generation=1,
    digest="abcde",
    op="qwerty",
)


def resource(spec: Mapping[str, Any], name: str = "chat") -> Resource:
    return Resource(
        ref=ResourceRef("theta", "Deployment", name),
        kind=DEPLOYMENT,
        live_name=name,
        spec=spec,
        origins={("spec", field): Origin("chat.yaml", line, 3) for line, field in enumerate(spec, start=7)},
        origin=Origin("chat.yaml"),
    )


class World:
    """One provider instance, the emulator behind it, and what a test wants to say to them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.emulator = server.emulator
        self.open: list[ThetaProvider] = []
        self.provider = self.connect()

    def connect(self, **settings: Any) -> ThetaProvider:
        line = self.emulator.connection(self.server.url)["theta"]
        config = ProviderConfig(
            name="theta",
            type="theta",
            settings={
                "routeStyle": "auto",
                "requestTimeout": 5.0,
                **line,
                "apiKey": SecretRef("KEY"),
                **settings,
            },
            origin=Origin("reconciler.yaml"),
        )
        provider = TYPE.open(config, Context(resolve=SECRETS.__getitem__, clock=self.emulator))
        assert isinstance(provider, ThetaProvider)
        self.open.append(provider)
        return provider

    def switch(self, **values: Any) -> None:
        self.emulator.set_switches({"theta": values})

    def create(self, spec: Mapping[str, Any], marker: Marker = MARKER, name: str = "chat") -> Reply:
        self.provider.catalogue()
        change = Change(
            address=f"theta/Deployment/{name}",
            kind=DEPLOYMENT,
            action=Action.CREATE,
            reason="new",
            desired=resource(spec, name),
        )
        (call,) = self.provider.calls(change, str(marker))
        return self.provider.send(call)

    def delete(self, live: Live) -> Reply:
        change = Change(address="a/b/c", kind=DEPLOYMENT, action=Action.DELETE, reason="removed", live=live)
        (call,) = self.provider.calls(change, live.marker)
        return self.provider.send(call)

    def listed(self) -> tuple[Live, ...]:
        return self.provider.read_all(DEPLOYMENT).items

    def ours(self) -> Live:
        (item,) = [item for item in self.listed() if item.marker == str(MARKER)]
        return item

    def sent(self, method: str) -> list[dict[str, Any]]:
        return [entry for entry in self.emulator.requests if entry["method"] == method]


@pytest.fixture
def world(emulator: Server) -> Iterator[World]:
    found = World(emulator)
    yield found
    for provider in found.open:
        provider.close()


# -- create, read back, delete -------------------------------------------------------------------------------------


def test_sheets_sample_arrives_as_that_body_plus_marker(world: World) -> None:
    world.create(
        {
            "deployment_template_id": "img_11d40kefk5jpauj8pk59mb52dzbe",
            "container_image": "jupyter/base-notebook:latest",
            "vm_id": "vm_gt1",
            "min_replicas": 1,
            "max_replicas": 1,
            "password": SecretRef("PASSWORD"),
            "annotations": {"nickname": "my-notebook"},
        }
    )
    (post,) = world.sent("POST")
    assert (post["path"], post["status"]) == ("/deployment", 200)
    assert post["body"] == {
        "project_id": PROJECT,
        "deployment_template_id": "img_11d40kefk5jpauj8pk59mb52dzbe",
        "container_image": "jupyter/base-notebook:latest",
        "vm_id": "vm_gt1",
        "min_replicas": 1,
        "max_replicas": 1,
        "password": "canary-password",
        "annotations": {"nickname": f"my-notebook [{MARKER}]", "rc-id": str(MARKER)},
    }


def test_smallest_spec_sends_the_templates_id_equal_replicas_and_its_own_name(world: World) -> None:
    world.create({**CHAT, "env_vars": {}, "container_image": None})
    (post,) = world.sent("POST")
    assert post["body"] == {
        "project_id": PROJECT,
        "deployment_template_id": "img_haehligvpslgcxu8cgyuefodh7q1",
        "vm_id": "vm_gt1",
        "min_replicas": 1,
        "max_replicas": 1,
        "annotations": {"nickname": f"chat [{MARKER}]", "rc-id": str(MARKER)},
    }


FULL: dict[str, Any] = {
    "template": "Triton Inference Server",
    "container_image": "thetalabs/triton:24.08",
    "registry_username": "bot",
    "registry_password": SecretRef("PASSWORD"),
    "vm_id": "vm_gv1",
    "min_replicas": 2,
    "max_replicas": 3,
    "env_vars": {"MODE": "fast", "TOKEN": SecretRef("TOKEN")},
    "annotations": {"nickname": "llm-prod", "team": "vision"},
    "auth_username": "api",
    "auth_password": SecretRef("PASSWORD"),
}


def test_everything_that_the_list_shows_comes_back_equal_and_no_secret_with_it(world: World) -> None:
    world.switch(item_profile="extended")
    world.create(FULL)
    live = world.ours()
    assert live.spec == {
        "template": "Triton Inference Server",
        "deployment_template_id": "img_8px97gooewsyfgbr19fj8d5ij2d6",
        "container_image": "thetalabs/triton:24.08",
        "vm_id": "vm_gv1",
        "min_replicas": 2,
        "env_vars": {"MODE": "fast", "TOKEN": "canary-token"},
        "annotations": {"nickname": "llm-prod", "team": "vision"},
        "auth_username": "api",
    }
    assert live.hidden == frozenset()
    assert live.marker == str(MARKER)
    assert live.outputs["id"] == live.id
    assert live.outputs["endpoint"].startswith("https://tritoninfe")
    assert "canary-password" not in repr(live)
    assert abs(live.created_at - world.emulator.now()) < 1


def test_delete_removes_ours_and_leaves_the_others(world: World) -> None:
    foreign = {item.id for item in world.listed()}
    world.create(CHAT)
    assert world.delete(world.ours()).status == 200
    assert {item.id for item in world.listed()} == foreign
    (request,) = world.sent("DELETE")
    assert request["query"] == {"project_id": PROJECT}


@pytest.mark.parametrize(("body", "mode"), [("empty", "remove"), ("envelope", "soft")])
def test_deleted_is_absent_whatever_the_reply_and_the_tombstone_look_like(world: World, body: str, mode: str) -> None:
    world.switch(delete_body=body, delete_mode=mode)
    world.create(CHAT)
    live = world.ours()
    world.delete(live)
    assert world.provider.read_one(DEPLOYMENT, live.id) is None


def test_second_delete_is_not_found_and_nothing_else(world: World) -> None:
    world.create(CHAT)
    live = world.ours()
    world.delete(live)
    with pytest.raises(ProviderError) as caught:
        world.delete(live)
    assert (caught.value.code, type(caught.value)) == ("not-found", ProviderError)


def test_update_and_adoption_write_nothing(world: World) -> None:
    world.create(CHAT)
    for action in (Action.UPDATE, Action.ADOPT):
        change = Change(
            address="a/b/c", kind=DEPLOYMENT, action=action, reason="x", desired=resource(CHAT), live=world.ours()
        )
        assert world.provider.calls(change, str(MARKER)) == ()


def test_plan_shows_references_where_values_are_not_known_yet(world: World) -> None:
    world.provider.catalogue()
    reference = KnownAfterApply("theta/Deployment/features", "endpoint")
    desired = resource({**CHAT, "env_vars": {"URL": reference}, "annotations": {"nickname": reference}})
    change = Change(address="x", kind=DEPLOYMENT, action=Action.CREATE, reason="new", desired=desired)
    (call,) = world.provider.calls(change, str(MARKER))
    assert call.body["env_vars"] == {"URL": reference}
    assert call.body["annotations"]["nickname"] == Composite((reference, f" [{MARKER}]"))


# -- what the list hides -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "marked", "readable", "annotations"),
    [
        ("echo", True, True, {"nickname": "llm", "team": "a"}),
        ("nickname_only", True, True, {"nickname": "llm"}),
        ("null", False, False, None),
    ],
)
def test_marker_is_read_where_annotations_are(
    world: World, mode: str, *, marked: bool, readable: bool, annotations: Any
) -> None:
    world.create({**CHAT, "annotations": {"nickname": "llm", "team": "a"}})
    live_id = world.ours().id
    world.switch(annotations_mode=mode)
    live = world.provider.read_one(DEPLOYMENT, live_id)
    assert live is not None
    assert (bool(live.marker), live.marker_readable) == (marked, readable)
    assert live.spec.get("annotations") == annotations
    assert ("annotations" in live.hidden) is not readable


@pytest.mark.parametrize(("mode", "shown"), [("string", True), ("object", True), ("both", True), ("hidden", False)])
def test_environment_is_read_in_each_form_or_hidden(world: World, mode: str, *, shown: bool) -> None:
    world.create({**CHAT, "env_vars": {"A": "1"}})
    world.switch(env_mode=mode)
    live = world.ours()
    # The template's own HF_HOME comes with it; nobody compares what the spec does not name.
    assert live.spec.get("env_vars") == ({"HF_HOME": "/models", "A": "1"} if shown else None)
    assert ("env_vars" in live.hidden) is not shown


def test_stopped_item_is_no_reason_to_replace_it(world: World) -> None:
    world.switch(undocumented=True)
    world.create(CHAT)
    live = world.ours()
    item = world.emulator.state()["theta"][-1]
    with world.emulator.transaction() as tx:
        key = f"{item['Shard']}/{item['Suffix']}"
        stored = tx.get("theta-deployment", key)
        assert stored is not None
        tx.put("theta-deployment", key, stored | {"stopped": True})
    stopped = world.ours()
    assert (stopped.id, stopped.phase) == (live.id, Phase.STOPPED)
    assert "min_replicas" in stopped.hidden


@pytest.mark.parametrize("mode", ["min", "middle", "max"])
def test_replicas_are_the_observed_count(world: World, mode: str) -> None:
    world.switch(replicas_mode=mode)
    world.create({**CHAT, "min_replicas": 1, "max_replicas": 3})
    assert world.ours().spec["min_replicas"] == {"min": 1, "middle": 2, "max": 3}[mode]


def test_foreign_items_are_listed_with_what_is_known_of_them(world: World) -> None:
    notebook, node, triton = world.listed()
    assert (notebook.spec["annotations"], notebook.marker) == ({"nickname": "marias-notebook"}, "")
    assert node.untouchable == "it is a GPU node, another product"
    assert (triton.marker_readable, triton.untouchable) == (False, "")
    assert {item.phase for item in world.listed()} == {Phase.READY}


# -- phases ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeline", "after_s", "phase"),
    [
        ([[0, "Pending", 404]], 0, Phase.PROGRESSING),
        ([[0, "", 404]], 0, Phase.PROGRESSING),
        ([[0, "Running", 502]], 500, Phase.PROGRESSING),
        ([[0, "Running", 404]], 901, Phase.DEGRADED),
        ([[0, "Running", 302]], 0, Phase.READY),
        ([[0, "Running", 401]], 0, Phase.READY),
        ([[0, "Failed", 503]], 0, Phase.FAILED),
        ([[0, "Unknown", 0]], 0, Phase.UNKNOWN),
        ([[0, "CrashLoop", 0]], 0, Phase.UNKNOWN),
    ],
)
def test_running_is_not_ready_and_late_is_not_failed(world: World, timeline: Any, after_s: float, phase: Phase) -> None:
    world.switch(timeline=timeline)
    world.create({**CHAT, "min_replicas": 2, "max_replicas": 2})
    world.emulator.advance(after_s)
    live = world.ours()
    assert live.phase is phase
    assert (live.run_state == "running") is (timeline[0][1] == "Running")


# -- catalogue and checks -------------------------------------------------------------------------------------------


def test_catalogue_is_read_once_with_exact_prices_and_gpus(world: World) -> None:
    catalogue = world.provider.catalogue()
    world.listed()
    assert world.provider.catalogue() == catalogue
    assert (catalogue.prices["vm_gv1"], catalogue.unit) == (Decimal(99), "theta-units")
    assert (catalogue.gpus["vm_ga2"], catalogue.gpus["vm_c1"]) == (2, 0)
    templates = [entry["query"] for entry in world.emulator.requests if "deployment_template" in entry["path"]]
    assert [query.get("category") or query.get("project_id") for query in templates] == [
        "prototyping",
        "serving",
        PROJECT,
    ]
    assert catalogue.data["templates"]["img_yrkdpl3e9347f4bm2ns1mhttvjg0"]["name"] == "Churn Scorer"


@pytest.mark.parametrize(
    ("changes", "code", "field", "nearest"),
    [
        ({"template": "vLMM"}, "unknown-template", "template", "vLLM"),
        ({"template": None, "deployment_template_id": "img_x"}, "unknown-template", "deployment_template_id", ""),
        ({"vm_id": "vm_gt3"}, "unknown-machine", "vm_id", "vm_gt1"),
        ({"template": "Jupyter Notebook"}, "missing-field", "container_image", ""),
        (
            {"template": "Jupyter Notebook", "container_image": "jupyter/base-notebok"},
            "unknown-image",
            "container_image",
            "jupyter/base-notebook:latest",
        ),
        ({"template": "Hugging Face Model"}, "missing-field", "env_vars", ""),
        ({"password": SecretRef("PASSWORD")}, "not-allowed-here", "password", ""),
        ({"vm_id": KnownAfterApply("a/b/c", "name")}, "needs-literal", "vm_id", ""),
    ],
)
def test_catalogue_problem_is_located_and_writes_nothing(
    world: World, changes: dict[str, Any], code: str, field: str, nearest: str
) -> None:
    world.provider.catalogue()
    spec = {key: value for key, value in {**CHAT, **changes}.items() if value is not None}
    (problem,) = world.provider.check(resource(spec))
    assert (problem.code, problem.nearest) == (code, nearest)
    assert problem.origin == resource(spec).origin_of("spec", field)
    assert problem.address == "theta/Deployment/chat"
    assert problem.expected
    assert world.sent("POST") == []


def test_good_specs_have_no_problems(world: World) -> None:
    world.provider.catalogue()
    image = {"template": "Jupyter Notebook", "container_image": "docker.io/jupyter/base-notebook"}
    for spec in (CHAT, FULL, {**CHAT, **image, "password": SecretRef("PASSWORD")}, dict(DEPLOYMENT.example)):
        assert list(world.provider.check(resource(spec))) == []
    lenient = world.connect(imageCheck="off")
    assert list(lenient.check(resource({**CHAT, "container_image": "acme/own:1"}))) == []


def custom_template(world: World, name: str) -> None:
    with world.emulator.transaction() as tx:
        stored = tx.get("theta-template", "img_yrkdpl3e9347f4bm2ns1mhttvjg0")
        assert stored is not None
        template_id = f"img_{tx.count('made')}"
        tx.put("theta-template", template_id, stored | {"id": template_id, "name": name})


def test_name_of_two_templates_is_refused_and_hides_the_live_id(world: World) -> None:
    world.create(CHAT)
    custom_template(world, "vLLM")
    fresh = world.connect()
    (problem,) = fresh.check(resource(CHAT))
    assert problem.code == "ambiguous-template"
    assert "img_haehligvpslgcxu8cgyuefodh7q1 (standard)" in problem.expected
    assert "img_1 (custom)" in problem.expected
    (live,) = [item for item in fresh.read_all(DEPLOYMENT).items if item.marker]
    assert (live.spec["template"], "deployment_template_id" in live.hidden) == ("vLLM", True)


@pytest.mark.parametrize("count", [0, 1, 50, 51, 103])
def test_templates_of_all_pages_are_known(world: World, count: int) -> None:
    with world.emulator.transaction() as tx:
        stored = tx.get("theta-template", "img_yrkdpl3e9347f4bm2ns1mhttvjg0")
        assert stored is not None
        tx.delete("theta-template", stored["id"])
        for number in range(count):
            tx.put("theta-template", f"img_{number}", stored | {"id": f"img_{number}", "name": f"T{number}"})
    templates = world.provider.catalogue().data["templates"]
    assert sum(item["name"].startswith("T") and item["name"][1:].isdigit() for item in templates.values()) == count
    pages = [entry for entry in world.emulator.requests if entry["path"].endswith("custom_templates")]
    assert len(pages) == max(1, -(-count // 50))


def page(total: str, *ids: str) -> dict[str, Any]:
    return {
        "status": "success",
        "body": {"total_count": total, "templates": [{"id": i, "name": i} for i in ids], "page": 0, "number": 10},
    }


def test_server_that_repeats_a_page_is_an_error(world: World) -> None:
    fault = {"path": "custom_templates", "count": None, "body": page("3", "img_a", "img_b")}
    world.emulator.faults.replace([fault])
    with pytest.raises(ProviderError, match="page 1 repeats"):
        world.provider.catalogue()


def test_total_that_moves_begins_the_list_again_three_times_at_most(world: World) -> None:
    moving = [
        {"path": "custom_templates", "body": page("3", "img_a")},
        {"path": "custom_templates", "body": page("2", "img_b")},
    ]
    world.emulator.faults.replace(moving)
    assert "img_yrkdpl3e9347f4bm2ns1mhttvjg0" in world.provider.catalogue().data["templates"]
    world.emulator.faults.replace(moving * 3)
    with pytest.raises(ProviderError, match="moved 3 times"):
        world.connect().catalogue()


# -- lists that can't be trusted --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"body": {"status": "error", "message": "internal"}}, "internal"),
        ({"body": {"status": "error", "body": [], "message": "half"}}, "half"),
        ({"body": "<html>log in</html>"}, "text/html"),
        ({"status": 502, "body": "<html>bad gateway</html>"}, "502"),
        ({"when": "mid-body"}, "theta"),
        ({"status": 204, "body": None}, "204"),
        ({"body": {"status": "success", "body": {}}}, "no list"),
        ({"body": {"status": "success", "body": [{"Shard": 1}]}}, "Suffix"),
        ({"body": {"status": "success"}}, "no success"),
        ({"status": 403, "body": "<html>error code: 1010</html>"}, "403"),
    ],
)
def test_reply_that_is_no_list_raises_instead_of_looking_empty(world: World, fault: dict[str, Any], words: str) -> None:
    world.provider.catalogue()
    world.emulator.faults.replace([{"path": "/list$", "count": None, **fault}])
    with pytest.raises(ProviderError, match=words) as caught:
        world.listed()
    assert "\n" not in str(caught.value)


def test_null_and_empty_lists_are_empty_and_repeats_count_once(world: World) -> None:
    world.create(CHAT)
    item = json.loads(json.dumps(world.emulator.state()["theta"][-1]))
    for body, count in ((None, 0), ([], 0), ([item, item], 1)):
        world.emulator.faults.replace([{"path": "/list$", "body": {"status": "success", "body": body}}])
        assert len(world.listed()) == count


def test_item_of_another_project_is_untouchable_and_sparse_ones_are_read(world: World) -> None:
    world.provider.catalogue()
    items = [{"Shard": 1, "Suffix": "a", "ProjectID": "prj_other"}, {"Shard": 1, "Suffix": "b"}]
    world.emulator.faults.replace([{"path": "/list$", "body": {"status": "success", "body": items}}])
    other, sparse = world.listed()
    assert "prj_other" in other.untouchable
    assert (sparse.spec, sparse.phase, sparse.marker_readable) == ({}, Phase.PROGRESSING, False)
    assert {"template", "deployment_template_id", "container_image", "vm_id"} <= sparse.hidden


@pytest.mark.parametrize("routes", ["both", "plural", "singular"])
def test_spelling_is_learnt_from_the_list_and_used_for_the_delete(world: World, routes: str) -> None:
    world.switch(routes=routes)
    world.create(CHAT)
    world.delete(world.ours())
    (request,) = world.sent("DELETE")
    assert request["path"].startswith("/deployment/" if routes == "singular" else "/deployments/")
    assert request["status"] == 200
    before = len(world.emulator.requests)
    world.listed()
    assert len(world.emulator.requests) == before + 1


def test_fixed_spelling_is_not_second_guessed(world: World) -> None:
    world.switch(routes="plural")
    with pytest.raises(ProviderError) as caught:
        world.connect(routeStyle="singular").read_all(DEPLOYMENT)
    assert caught.value.status == 404


def test_rate_limit_is_waited_out_and_nothing_is_done_twice(world: World) -> None:
    world.emulator.faults.replace(
        [
            {"path": "/list$", "status": 429, "headers": {"Retry-After": "7"}},
            {"path": "/deployment$", "method": "POST", "status": 429, "headers": {"Retry-After": "30"}},
        ]
    )
    now = world.emulator.now()
    world.create(CHAT)
    assert world.ours().marker == str(MARKER)
    assert world.emulator.now() - now >= 37
    assert [entry["status"] for entry in world.sent("POST")] == [429, 200]


# -- writes whose outcome is open -------------------------------------------------------------------------------------


def test_both_reply_shapes_give_evidence_and_never_the_password(world: World) -> None:
    sentence = world.create(FULL)
    assert (sentence.live_id, sentence.evidence) == ("", {"endpoint": world.ours().outputs["endpoint"]})
    world.delete(world.ours())
    world.switch(create_shape="object")
    told = world.create(FULL)
    live = world.ours()
    assert (told.live_id, told.evidence) == (live.id, {"endpoint": live.outputs["endpoint"]})
    assert "canary" not in repr((sentence, told))


@pytest.mark.parametrize(
    ("fault", "landed"),
    [
        ({"when": "after-commit", "drop": True}, True),
        ({"when": "after-commit", "status": 503}, True),
        ({"when": "mid-body"}, True),
        ({"when": "after-commit", "body": {"status": "error", "message": "hm"}}, True),
        ({"when": "after-commit", "body": "<html>gateway</html>"}, True),
        ({"when": "before", "status": 503}, False),
        ({"when": "before", "drop": True}, False),
    ],
)
def test_open_create_is_sent_once_and_settled_by_its_operation(
    world: World, fault: dict[str, Any], *, landed: bool
) -> None:
    world.emulator.faults.replace([{"method": "POST", "path": "/deployment$", **fault}])
    with pytest.raises(UnknownOutcome):
        world.create(FULL)
    assert len(world.sent("POST")) == 1
    settled = world.provider.settle(intent(world), world.provider.read_all(DEPLOYMENT))
    assert settled.candidates == ()
    assert (settled.live is not None, settled.absent) == (landed, not landed)


def intent(world: World, **changes: Any) -> Intent:
    facts: dict[str, Any] = {
        "address": "theta/Deployment/chat",
        "op": "create",
        "op_id": MARKER.op,
        "marker": str(MARKER),
        "sent_at": world.emulator.now(),
    }
    return Intent(**{**facts, **changes})


def test_without_markers_the_noted_endpoint_tells(world: World) -> None:
    world.switch(annotations_mode="null")
    reply = world.create(CHAT)
    listing = world.provider.read_all(DEPLOYMENT)
    endpoint = reply.evidence["endpoint"]
    found = world.provider.settle(intent(world, evidence={"endpoint": endpoint.upper() + "/"}), listing).live
    assert found is not None
    assert found.outputs["endpoint"] == endpoint
    assert world.provider.settle(intent(world, evidence={"id": found.id}), listing).live == found
    assert world.provider.settle(intent(world, evidence={"id": "1/0000"}), listing).absent
    gone = endpoint.replace("vllm", "xllm").replace(found.id.partition("/")[2], "0" * 16)
    assert world.provider.settle(intent(world, evidence={"endpoint": gone}), listing).absent


def test_without_markers_and_evidence_equal_shape_is_never_a_claim(world: World) -> None:
    world.switch(annotations_mode="null")
    world.create(CHAT)
    newest = world.listed()[-1]
    settled = world.provider.settle(intent(world), world.provider.read_all(DEPLOYMENT))
    # Only what is young enough can be it; who made it stays open.
    assert (settled.live, settled.absent, settled.candidates) == (None, False, (newest.id,))


def test_earlier_create_of_the_same_resource_is_not_claimed(world: World) -> None:
    world.create(CHAT)
    listing = world.provider.read_all(DEPLOYMENT)
    assert world.provider.settle(intent(world), listing).live == world.ours()
    later = world.provider.settle(intent(world, op_id="zzzzzz"), listing)
    assert (later.live, later.absent) == (None, True)


def test_suffix_is_taken_from_the_list_even_where_the_url_has_another(world: World) -> None:
    world.switch(suffix_glitch=True, annotations_mode="null")
    reply = world.create(CHAT)
    found = world.provider.settle(intent(world, evidence=reply.evidence), world.provider.read_all(DEPLOYMENT)).live
    assert found is not None
    assert world.delete(found).status == 200
    assert world.provider.read_one(DEPLOYMENT, found.id) is None


def test_open_delete_is_settled_by_the_list(world: World) -> None:
    world.create(CHAT)
    live = world.ours()
    world.emulator.faults.replace([{"method": "DELETE", "when": "after-commit", "status": 500}])
    before = world.provider.read_all(DEPLOYMENT)
    with pytest.raises(UnknownOutcome):
        world.delete(live)
    ask = intent(world, op="delete", target=live.id)
    assert world.provider.settle(ask, before).live == live
    assert world.provider.settle(ask, world.provider.read_all(DEPLOYMENT)).absent


def test_refusal_shows_the_servers_sentence_and_no_secret(world: World) -> None:
    quoting = {"status": "error", "message": "bad env canary-token\n\x1b[31mfor key canary-password"}
    world.emulator.faults.replace([{"method": "POST", "status": 400, "body": quoting}])
    with pytest.raises(ProviderError) as caught:
        world.create(FULL)
    text = str(caught.value)
    assert (caught.value.code, caught.value.status) == ("rejected", 400)
    assert "bad env (secret)" in text
    assert "canary" not in text
    assert "\x1b" not in text


def test_wrong_key_is_a_matter_of_credentials_and_quota_is_not(world: World) -> None:
    with pytest.raises(ProviderError) as caught:
        world.connect(apiKey="nobody").catalogue()
    assert caught.value.code == "credentials"
    quota = {"status": "error", "message": "Insufficient quota for vm_gt1"}
    world.emulator.faults.replace([{"method": "POST", "status": 403, "body": quota}])
    with pytest.raises(ProviderError, match="Insufficient quota") as caught:
        world.create(CHAT)
    assert caught.value.code == "rejected"


def test_stopped_server_is_unreachable_and_nothing_was_sent(world: World) -> None:
    provider = world.connect(endpoint="http://127.0.0.1:9", apiEndpoint="http://127.0.0.1:9")
    with pytest.raises(ProviderError, match="nothing was sent") as caught:
        provider.read_all(DEPLOYMENT)
    assert caught.value.code == "provider-unreachable"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"endpoint": "https://evil.example.com"}, "host-not-allowed"),
        ({"endpoint": "http://controller.thetaedgecloud.com"}, "https-only"),
        ({"apiEndpoint": "https://api.thetaedgecloud.com.evil.example"}, "host-not-allowed"),
        ({"apiEndpoint": "https://api.thetaedgecloud.com"}, "host-not-allowed"),
    ],
)
def test_key_goes_to_no_host_that_was_not_meant(world: World, settings: dict[str, str], code: str) -> None:
    with pytest.raises(Refused) as caught:
        world.connect(**settings)
    assert caught.value.problems[0].code == code


def test_vendors_own_hosts_are_the_default(world: World) -> None:
    defaults: Callable[[str], Any] = {setting.name: setting.default for setting in TYPE.settings}.__getitem__
    world.connect(endpoint=defaults("endpoint"), apiEndpoint=defaults("apiEndpoint"))


# -- rules across fields ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({}, "", ""),
        ({"template": None}, "one-of", ""),
        ({"deployment_template_id": "img_x"}, "one-of", "deployment_template_id"),
        ({"max_replicas": 0}, "out-of-range", "max_replicas"),
        ({"auth_username": "api"}, "needs-other-field", "auth_username"),
        ({"registry_password": SecretRef("P")}, "needs-other-field", "registry_password"),
        ({"annotations": {"rc-id": "x"}}, "reserved-name", 'annotations["rc-id"]'),
        ({"max_replicas": SecretRef("P")}, "", ""),
    ],
)
def test_rules_across_fields_name_the_field(changes: dict[str, Any], code: str, path: str) -> None:
    document = {"metadata": {"name": "chat"}, "spec": {**CHAT, **changes}}
    findings = [finding for check in DEPLOYMENT.checks for finding in check(document, {})]
    assert [(finding.code, finding.path) for finding in findings] == ([(code, path)] if code else [])


# -- two requests a second (theta §1) ------------------------------------------------------------------------------


def test_a_session_with_the_real_hosts_keeps_the_sheets_pace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    waits: list[float] = []

    class Clock(SystemClock):
        def now(self) -> float:
            return 1_800_000_000.0 + sum(waits)

        def sleep(self, seconds: float) -> None:
            waits.append(seconds)

    def answered(*_request: Any) -> tuple[int, bytes, dict[str, str]]:
        lists = {"templates": [], "total_count": "0", "vms": []}
        return 200, json.dumps({"status": "success", "body": lists}).encode(), {}

    monkeypatch.setattr("reconciler.cli.session.SystemClock", Clock)
    monkeypatch.setattr("reconciler.providers.http._exchange", answered)
    (tmp_path / "reconciler.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: shop}\n"
        "spec: {secrets: [KEY], providers: {theta: {type: theta, projectId: p, apiKey: '{{ secret(\"KEY\") }}'}}}\n"
    )
    (tmp_path / "resources").mkdir()
    spec = load_spec(ProjectFiles(root=tmp_path))
    with open_session(spec, tmp_path, Printer(quiet=True), {"KEY": "k"}) as session:
        assert session.failed == {}

    # both categories, custom ones, machines
    assert waits == pytest.approx([0.5] * 3)
