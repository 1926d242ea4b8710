"""What `import` writes of a live item, whom it takes it from, and how it calls it: on plain data."""

from __future__ import annotations

from typing import Any, Final

import pytest

from reconciler.cli.project import load_schemas
from reconciler.diff.draft import Draft, Wishes, draft, label_of
from reconciler.diff.fieldbook import FieldBook
from reconciler.diff.identity import World
from reconciler.diff.importable import choose, name_all, place_of, why_not
from reconciler.diff.live import Applied, Live, owner_hash
from reconciler.fields import FieldPath, Phase
from reconciler.providers.registry import all_kinds
from reconciler.spec.resource import Lifecycle, Resource, ResourceRef
from reconciler.spec.values import Composite, SecretRef
from tests.diff.toys import ENGINE

BOOK: Final = FieldBook(load_schemas())
KINDS: Final = all_kinds()
THETA, RUNAI, SERVICE = (KINDS[label] for label in ("theta/Deployment", "runai/Inference", "modelarts/Service"))
NOTEBOOK: Final = KINDS["modelarts/Notebook"]
OURS, THEIRS = (f"rc1.{owner_hash(owner)}.aaaaaaaa.1.n.aaaaa.aaaaaa" for owner in ("shop", "shop/prod"))


def item(kind: Any = SERVICE, **facts: Any) -> Live:
    return Live(**{"kind": kind, "provider": kind.type, "id": "id-1", **facts})


def drafted(kind: Any, spec: dict[str, Any], **more: Any) -> Draft:
    facts = {key: more.pop(key) for key in ("hidden", "defaults", "run_state") if key in more}
    return draft(item(kind, spec=spec, **facts), "it", book=BOOK, **more)


def world(**facts: Any) -> World:
    given: dict[str, Any] = {"owner": "shop", "entries": {}, "listings": {}, "now_s": 0, **facts}
    return World(other_owners={owner_hash("shop/prod"): "shop/prod"}, **given)


def resource(name: str, kind: Any = SERVICE, live_name: str = "", adopt: str = "") -> Resource:
    ref = ResourceRef(kind.type, kind.name, name)
    return Resource(ref=ref, kind=kind, live_name=live_name or name, spec={}, lifecycle=Lifecycle(adopt=adopt))


# -- the spec ---------------------------------------------------------------------------------------------------------


def test_only_fields_that_a_person_may_write_are_written_in_the_order_of_the_table() -> None:
    spec = {
        "autoscaling": {"maxReplicas": 2, "minReplicas": 1, "podsOfTheServer": 3},
        "image": "a",
        "newInTheNextRelease": 1,
        "servingPort": {"container": 80, "protocol": "http", "isNew": True},
        "environmentVariables": [{"value": "x", "name": "A"}],
        "probes": {},
        "nodePools": [],
    }
    one = drafted(RUNAI, spec)
    assert list(one.resource.spec) == ["image", "environmentVariables", "autoscaling", "servingPort"]
    assert one.resource.spec["servingPort"] == {"container": 80}
    assert one.resource.spec["autoscaling"] == {"maxReplicas": 2}
    assert {FieldPath.parse("autoscaling.minReplicas"), FieldPath.parse("servingPort.protocol")} == one.left_out


def test_a_default_is_left_out_unless_it_must_be_written_or_is_asked_for() -> None:
    spec = {"autoscaling": {"minReplicas": 3, "maxReplicas": 3, "initialReplicas": 1}, "image": "a"}
    assert drafted(RUNAI, spec).resource.spec["autoscaling"] == {"minReplicas": 3, "initialReplicas": 1}, (
        "what follows another field is not what is 1 by default"
    )
    kept = Wishes(kept=frozenset({FieldPath.parse("autoscaling.maxReplicas")}))
    assert drafted(RUNAI, spec, wishes=kept).resource.spec["autoscaling"]["maxReplicas"] == 3
    assert drafted(RUNAI, spec, wishes=Wishes(full=True)).left_out == frozenset()
    image = {"template": "vLLM", "container_image": "vllm:1", "vm_id": "vm"}
    assert "container_image" not in drafted(THETA, image, defaults={"container_image": "vllm:1"}).resource.spec


def test_what_the_projects_defaults_would_put_in_is_emptied() -> None:
    paths = map(FieldPath.parse, ("description", "spec.auto_stop.enable", "config[x].weight", "flavor.x"))
    one = drafted(NOTEBOOK, {"flavor": "f"}, wishes=Wishes(emptied=frozenset(paths)))
    assert one.resource.spec == {"flavor": "f", "description": None, "spec": {"auto_stop": {"enable": None}}}


def test_of_two_fields_that_say_the_same_one_is_written() -> None:
    both = {"template": "vLLM", "deployment_template_id": "img_1"}
    assert drafted(THETA, both).resource.spec == {"template": "vLLM"}
    only = drafted(THETA, {"deployment_template_id": "img_1"}, hidden={"template", "env_vars", "annotations"})
    assert only.resource.spec == {"deployment_template_id": "img_1"}
    assert only.unseen == (
        *("registry_username", "registry_password", "max_replicas", "env_vars", "annotations"),
        *("auth_username", "auth_password", "password"),
    )


def test_a_value_gets_the_type_that_the_spec_wants_if_it_says_the_same() -> None:
    told = {"cpuCoreRequest": "500m", "cpuCoreLimit": "2", "cpuMemoryRequest": 1000, "gpuPortionRequest": "some"}
    assert drafted(RUNAI, {"compute": told}).resource.spec["compute"] == {
        "gpuPortionRequest": "some",
        "cpuCoreRequest": 0.5,
        "cpuCoreLimit": 2,
        "cpuMemoryRequest": "1000",
    }
    assert drafted(SERVICE, {"infer_type": 1, "priority": 1}).resource.spec == {"infer_type": 1, "priority": 1}


def test_the_run_state_is_written_where_it_is_not_the_usual_one() -> None:
    assert drafted(SERVICE, {}, run_state="stopped").resource.lifecycle == Lifecycle(adopt="id-1", run_state="stopped")
    assert drafted(SERVICE, {}, run_state="running").resource.lifecycle.run_state == ""
    assert drafted(SERVICE, {}, run_state="running", wishes=Wishes(run_state=True)).resource.lifecycle.run_state
    assert drafted(THETA, {}, run_state="stopped").resource.lifecycle.run_state == "", "nobody could stop it again"


def test_fields_of_other_releases_are_not_asked_for() -> None:
    assert "templateId" not in drafted(RUNAI, {}, version="2.20").unseen
    assert "templateId" in drafted(RUNAI, {}, version="2.24").unseen


def test_what_the_server_sets_is_not_written_and_an_empty_text_only_where_it_means_something() -> None:
    book = FieldBook({"toy-engine.json": {"properties": {"spec": {"properties": {"seed": {}, "model": {}}}}}})
    assert draft(item(ENGINE, spec={"seed": 1, "model": "m"}), "it", book=book).resource.spec == {"model": "m"}
    spec = {"priority": "", "config": [{"envs": {"A": ""}, "isNew": 1}]}
    assert drafted(SERVICE, spec).resource.spec == {"config": [{"envs": {"A": ""}}]}
    users = {"servingPort": {"container": 1, "authorizedUsers": ["ann", "ben"]}}
    assert drafted(RUNAI, users).resource.spec == users


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_secrets_get_names_that_are_valid_unique_and_the_same_each_time() -> None:
    envs = {"TOKEN": "a", "to-ken": "b", "token": "c", "密码_token": "d", "MODE": "e"}
    one = draft(
        item(spec={"config": [{"envs": envs}, {"envs": {"TOKEN": "f"}}]}, provider="0-m"),
        "it",
        book=BOOK,
        taken={"S_0_M_IT_TOKEN"},
    )
    first, second = (element["envs"] for element in one.resource.spec["config"])
    assert first == {
        "TOKEN": SecretRef("S_0_M_IT_TOKEN_2"),
        "to-ken": "b",
        "token": SecretRef("S_0_M_IT_TOKEN_3"),
        "密码_token": SecretRef("S_0_M_IT_TOKEN_4"),
        "MODE": "e",
    }
    assert second == {"TOKEN": SecretRef("S_0_M_IT_TOKEN_5")}
    assert one.guessed == one.secrets.keys()


def test_a_password_that_no_reply_shows_stands_beside_its_user() -> None:
    one = drafted(THETA, {"auth_username": "api"})
    assert one.resource.spec["auth_password"] == SecretRef("THETA_IT_AUTH_PASSWORD")
    assert one.guessed == frozenset()
    assert "auth_password" not in drafted(THETA, {}).resource.spec
    shown = drafted(THETA, {"registry_password": "what a reader forgot to leave behind"})
    assert shown.resource.spec == {"registry_password": SecretRef("THETA_IT_REGISTRY_PASSWORD")}


def test_values_of_the_projects_secrets_are_known_again_wherever_they_stand() -> None:
    told: dict[str, Any] = {"is_secret": lambda text: "hush" in text, "known": {"hush": "OWN"}}
    spec = {
        "image": "hush",
        "args": "a hush b",
        "command": "run --token x",
        "workingDir": "/hush/x",
        "annotations": [{"name": "a", "value": "v"}],
    }
    one = drafted(RUNAI, spec, **told)
    assert one.resource.spec["image"] == SecretRef("OWN")
    assert one.resource.spec["args"] == SecretRef("RUNAI_IT_ARGS"), "no option says where it begins"
    assert one.resource.spec["command"] == Composite(("run --token ", SecretRef("RUNAI_IT_TOKEN")))
    assert one.resource.spec["workingDir"] == SecretRef("RUNAI_IT_WORKINGDIR")
    assert one.resource.spec["annotations"] == [{"name": "a", "value": "v"}]
    assert "OWN" not in one.secrets
    assert drafted(RUNAI, {"args": "TOKEN=x"}).resource.spec["args"] == Composite(
        ("TOKEN=", SecretRef("RUNAI_IT_TOKEN"))
    )


def test_an_entry_is_called_by_its_key_and_what_it_refers_to_is_no_secret() -> None:
    entries = [
        {"name": "DB_PASSWORD", "secret": {"name": "postgres-secret", "key": "PASSWORD"}},
        {"name": "API_KEY", "value": "x", "description": "the key"},
        {"value": "hf_0123456789"},
    ]
    one = drafted(RUNAI, {"environmentVariables": entries})
    first, second, third = one.resource.spec["environmentVariables"]
    assert first == entries[0]
    assert second == {"name": "API_KEY", "value": SecretRef("RUNAI_IT_API_KEY"), "description": "the key"}
    assert third == {"value": SecretRef("RUNAI_IT_VALUE")}


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "label"),
    [
        (item(name="Mnist_V2"), "mnist-v2"),
        (item(name="-" * 3, id="ID_9"), "id-9"),
        (item(THETA, id="2/a7", spec={"annotations": {"nickname": "../Chat {{x}}"}, "template": "vLLM"}), "chat-x"),
        (item(THETA, id="2/a7", spec={"template": "Text Embeddings"}), "text-embeddings"),
        (item(THETA, id="2/a7"), "2-a7"),
        (item(name="é" * 3, id="+"), "imported"),
        (item(name="a" * 70), "a" * 63),
    ],
)
def test_names_are_labels(live: Live, label: str) -> None:
    assert label_of(live) == label


def test_names_are_unique_and_nothing_of_the_spec_is_imported_again() -> None:
    items = [item(id="1", name="A_b"), item(id="2", name="a-b"), item(id="3", name="mine"), item(id="4", name="c")]
    spec = [resource("mine", live_name="other"), resource("x", live_name="c"), resource("vllm", THETA)]
    named, problems = name_all(items, spec)
    assert [name for _, name in named] == ["a-b", "a-b-2"]
    assert [(one.code, one.address) for one in problems] == [
        ("import-exists", "modelarts/Service/mine"),
        ("import-exists", "modelarts/Service/c"),
    ]
    box = item(THETA, spec={"template": "vLLM"})
    assert [name for _, name in name_all([box], spec)[0]] == ["vllm-2"], "it has no name that would mean something"
    assert name_all([box], spec, given="vllm")[1]
    assert name_all([box], [resource("y", THETA, adopt="id-1")])[1]
    former = {"4": "modelarts/Service/was", "id-1": "theta/Deployment/was"}
    assert [name for _, name in name_all([items[3], box], (), former=former)[0]] == ["was", "was"]


# -- whose it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "group", "reason"),
    [
        ({}, "", ""),
        ({"phase": Phase.GOING, "status": "deleting"}, "on the way out", "it is on its way out (deleting)"),
        ({"untouchable": "subscribed"}, "out of reach", "it can't be touched: subscribed"),
        ({"id": "held"}, "ours already", "it is ours already, as modelarts/Service/mnist"),
        ({"id": "dev's"}, "another environment's", "it belongs to shop/dev, as a/b/c"),
        ({"marker": OURS}, "ours already", "it carries our marker"),
        ({"marker": OURS, "id": "free"}, "", ""),
        ({"marker": THEIRS}, "another owner's", "it belongs to shop/prod"),
        ({"marker": "rc2.new"}, "another owner's", "its marker can't be read"),
    ],
)
def test_what_somebody_has_is_not_taken(facts: dict[str, Any], group: str, reason: str) -> None:
    entry = Applied(address="modelarts/Service/mnist", kind="modelarts/Service", live_id="held")
    known = world(entries={entry.address: entry}, released=frozenset({"free"}))
    told = why_not(item(**facts), known, {("modelarts/Service", "dev's"): "shop/dev, as a/b/c"})
    assert told[0] == group
    assert told[1].startswith(reason)


def test_a_selector_is_an_address_an_id_or_a_name() -> None:
    box = item(THETA, id="2/a7", outputs={"name": "server-name"})
    one, twin, busy = (
        item(id="1", name="one"),
        item(NOTEBOOK, id="2", name="one"),
        item(id="3", name="busy", marker=THEIRS),
    )
    everything = [busy, box, one, twin]
    for text, meant in (
        *(("1", one), ("modelarts/Service/one", one), ("modelarts/Service/1", one), ("modelarts/Notebook/one", twin)),
        *(("2/a7", box), ("theta/Deployment/2/a7", box), ("server-name", box)),
    ):
        assert choose(everything, world(), [text, text], everything=False).items == (meant,)
    told = choose(everything, world(), ["one", "modelarts/Service/onn", "busy"], everything=False)
    assert [(one.code, one.nearest) for one in told.unknown] == [
        ("import-ambiguous", ""),
        ("import-unknown", "modelarts/Service/one"),
    ]
    assert [one.code for one in told.refused] == ["import-refused"]
    whole = choose(everything, world(), (), everything=True)
    assert [place_of(one) for one in whole.items] == [
        "modelarts/Notebook/one",
        "modelarts/Service/one",
        "theta/Deployment/2/a7",
    ]
    assert whole.left_out == {"another owner's": 1}
