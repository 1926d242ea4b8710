"""The field table of `theta/v1` Deployment, walked against the emulator: what comes back, what a change means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from reconciler.diff.change import Action, Change
from reconciler.diff.compare import Comparison, Sides, compare
from reconciler.diff.live import Live
from reconciler.emulator.server import Server
from reconciler.problems import Origin
from reconciler.providers.base import Context, Provider
from reconciler.providers.theta import TYPE
from reconciler.providers.theta.kinds import DEPLOYMENT
from reconciler.spec.resource import ProviderConfig, Resource, ResourceRef
from reconciler.spec.values import SecretRef

MARKER = "rc1.abcde.abcdefgh.1.n.abcde.qwerty"
SMALL: dict[str, Any] = {"template": "vLLM", "vm_id": "vm_gt1", "min_replicas": 1}
FULL: dict[str, Any] = {
    "template": "Triton Inference Server",
    "container_image": "thetalabs/triton:24.08",
    "registry_username": "bot",
    "registry_password": SecretRef("PASSWORD"),
    "vm_id": "vm_gv1",
    "min_replicas": 2,
    "max_replicas": 4,
    "env_vars": {"MODE": "fast", "TOKEN": SecretRef("PASSWORD")},
    "annotations": {"nickname": "llm-prod", "team": "vision"},
    "auth_username": "api",
    "auth_password": SecretRef("PASSWORD"),
}
NOTEBOOK: dict[str, Any] = {
    "deployment_template_id": "img_11d40kefk5jpauj8pk59mb52dzbe",
    "container_image": "jupyter/base-notebook",
    "vm_id": "vm_c1",
    "min_replicas": 1,
    "password": SecretRef("PASSWORD"),
}
SWITCHES: dict[str, Any] = {
    "routes": "singular",
    "vm_list_auth": "required",
    "create_shape": "object",
    "strict": False,
    "unknown_fields": "reject",
    "accept_name": True,
    "suffix_style": "base36",
    "suffix_glitch": True,
    "item_profile": "extended",
    "annotations_mode": "null",
    "env_mode": "object",
    "replicas_mode": "max",
    "timeline": "slow",
    "delete_body": "empty",
    "delete_mode": "soft",
    "delete_missing": 200,
    "undocumented": True,
    "list_lag_ms": 8000,
}


@pytest.fixture
def provider(emulator: Server) -> Iterator[Provider]:
    line = emulator.emulator.connection(emulator.url)["theta"]
    settings = {"routeStyle": "auto", "requestTimeout": 5.0, **line}
    config = ProviderConfig(name="theta", type="theta", settings=settings, origin=Origin("reconciler.yaml"))
    found = TYPE.open(config, Context(resolve=lambda _name: "canary", clock=emulator.emulator))
    yield found
    found.close()


def made(provider: Provider, emulator: Server, spec: Mapping[str, Any]) -> Live:
    """Create it and read it back."""
    before = {item.id for item in provider.read_all(DEPLOYMENT).items}
    provider.catalogue()
    desired = Resource(ref=ResourceRef("theta", "Deployment", "chat"), kind=DEPLOYMENT, live_name="chat", spec=spec)
    change = Change(address="x", kind=DEPLOYMENT, action=Action.CREATE, reason="new", desired=desired)
    provider.send(provider.calls(change, MARKER)[0])
    emulator.emulator.advance(60)
    (live,) = [item for item in provider.read_all(DEPLOYMENT).items if item.id not in before]
    return live


def compared(live: Live, desired: Mapping[str, Any], applied: Mapping[str, Any] | None) -> Comparison:
    return compare(
        Sides(
            kind=DEPLOYMENT, desired=desired, live=live, applied=applied, secret_changed=lambda name: name != "PASSWORD"
        )
    )


def test_every_switch_of_the_emulator_is_flipped_below(emulator: Server) -> None:
    theta = next(module for module in emulator.emulator.modules if module.name == "theta")
    assert set(SWITCHES) == set(theta.switches)
    assert all(theta.switches[name] != value for name, value in SWITCHES.items())


@pytest.mark.parametrize("switch", ["", *SWITCHES])
def test_what_was_applied_is_equal_to_what_is_read_back(provider: Provider, emulator: Server, switch: str) -> None:
    if switch:
        emulator.emulator.set_switches({"theta": {switch: SWITCHES[switch]}})
    for spec in (SMALL, FULL, NOTEBOOK):
        live = made(provider, emulator, spec)
        assert compared(live, spec, spec).changes == []
        # Without a ledger entry nothing is claimed either: what can't be seen is no difference.
        assert compared(live, spec, None).changes == []
        change = Change(address="x", kind=DEPLOYMENT, action=Action.DELETE, reason="gone", live=live)
        provider.send(provider.calls(change, live.marker)[0])
        emulator.emulator.advance(60)
        assert provider.read_one(DEPLOYMENT, live.id) is None


CHANGES: tuple[tuple[str, Any], ...] = (
    ("template", "vLLM"),
    ("container_image", "thetalabs/triton:24.07"),
    ("registry_username", "other"),
    ("registry_password", SecretRef("OTHER")),
    ("vm_id", "vm_gv2"),
    ("min_replicas", 3),
    ("max_replicas", 3),
    ("env_vars.MODE", "slow"),
    ("env_vars.TOKEN", SecretRef("OTHER")),
    ("annotations.nickname", "llm-dev"),
    ("annotations.team", "speech"),
    ("auth_username", "other"),
    ("auth_password", SecretRef("OTHER")),
)


@pytest.mark.parametrize(("path", "value"), CHANGES, ids=[path for path, _ in CHANGES])
def test_each_field_alone_forces_a_replace(provider: Provider, emulator: Server, path: str, value: Any) -> None:
    live = made(provider, emulator, FULL)
    field, _, key = path.partition(".")
    desired = {**FULL, field: {**FULL[field], key: value} if key else value}
    (change,) = compared(live, desired, FULL).changes
    assert (str(change.path), change.forces_replace) == (path, True)
    assert change.source.startswith("theta §")
    assert change.sensitive is isinstance(value, SecretRef)


@pytest.mark.parametrize("field", ["container_image", "auth_username", "env_vars", "annotations", "max_replicas"])
def test_field_that_was_taken_out_is_a_replace_too(provider: Provider, emulator: Server, field: str) -> None:
    live = made(provider, emulator, FULL)
    desired = {key: value for key, value in FULL.items() if key != field}
    changes = compared(live, desired, FULL).changes
    assert changes
    assert all(change.forces_replace and change.removed for change in changes)


def test_an_image_that_is_the_templates_own_may_be_taken_out_and_another_one_goes_back_to_it(
    provider: Provider, emulator: Server
) -> None:
    written = {**SMALL, "container_image": "docker.io/vllm/vllm-openai:v0.6.3"}
    live = made(provider, emulator, written)
    assert compared(live, SMALL, written).changes == []

    item = emulator.emulator.state()["theta"][-1]
    for shown, changes in (("acme/vllm:1", ["container_image"]), ("", [])):
        body = {"status": "success", "body": [item | {"ImageURL": shown}]}
        emulator.emulator.faults.replace([{"path": "/list$", "body": body}])
        (other,) = provider.read_all(DEPLOYMENT).items
        # What the list does not show is what was applied, as always.
        found = compared(other, SMALL, {**written, "container_image": shown or written["container_image"]}).changes
        assert [(str(change.path), change.forces_replace) for change in found] == [(path, True) for path in changes]


def test_template_may_be_written_by_name_or_id_without_a_change(provider: Provider, emulator: Server) -> None:
    live = made(provider, emulator, SMALL)
    by_id = {"deployment_template_id": "img_haehligvpslgcxu8cgyuefodh7q1", "vm_id": "vm_gt1", "min_replicas": 1}
    assert compared(live, by_id, SMALL).changes == []
    assert compared(live, SMALL, by_id).changes == []
    other = {**by_id, "deployment_template_id": "img_tod97awvowzegeznmpn5dygd1817"}
    assert [str(change.path) for change in compared(live, other, SMALL).changes] == ["deployment_template_id"]


@pytest.mark.parametrize(("replicas", "differs"), [(1, True), (2, False), (3, False), (4, False), (6, True)])
def test_count_that_an_autoscaler_moved_within_bounds_is_no_drift(
    provider: Provider, emulator: Server, replicas: int, *, differs: bool
) -> None:
    live = made(provider, emulator, FULL)
    item = emulator.emulator.state()["theta"][-1] | {"Replicas": replicas}
    emulator.emulator.faults.replace([{"path": "/list$", "body": {"status": "success", "body": [item]}}])
    (moved,) = provider.read_all(DEPLOYMENT).items
    assert moved.id == live.id
    assert bool(compared(moved, FULL, FULL).changes) is differs


def test_environment_of_the_template_is_never_ours(provider: Provider, emulator: Server) -> None:
    live = made(provider, emulator, {**SMALL, "env_vars": {"A": "1"}})
    assert live.spec["env_vars"] == {"HF_HOME": "/models", "A": "1"}
    (change,) = compared(live, SMALL, {**SMALL, "env_vars": {"A": "1"}}).changes
    assert (str(change.path), change.removed) == ("env_vars.A", True)
