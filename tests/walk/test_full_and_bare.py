"""A plan after an apply is empty, with every optional field set and with none, and on the way from one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from reconciler.diff.change import Action
from reconciler.diff.compare import leaves
from reconciler.emulator.runai.versions import PATCHABLE
from reconciler.fields import FieldPath
from tests.walk.bench import KINDS, Bench, Walker
from tests.walk.cases import full_specs, required_in
from tests.walk.samples import FULL, NEWEST, NOTEBOOK, RELEASES, RUNAI, SERVICE, THETA

_PLAIN: Final = {"specification": "modelarts.vm.cpu.2u", "instance_count": 1}
_FILES: Final = {"src_path": "https://in.obs.example.com/", "dest_path": "https://out.obs.example.com/", "req_uri": "/"}
BARE: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    THETA: {"server": {"template": "vLLM", "vm_id": "vm_gt1", "min_replicas": 1}},
    RUNAI: {"portion": {"image": "python:3.8"}},
    NOTEBOOK: {"pool": KINDS[NOTEBOOK].example},
    SERVICE: {
        "real-time": {"infer_type": "real-time", "config": [{**_PLAIN, "model_id": "xxxmodel-idxxx", "weight": 100}]},
        "batch": {
            "infer_type": "batch",
            "config": [{**_PLAIN, **_FILES, "model_id": "xxxmodel-idxxx", "mapping_type": "file"}],
        },
        "edge": {"infer_type": "edge", "config": [{**_PLAIN, "model_id": "xxxmodel-idxxx", "nodes": ["node-1"]}]},
    },
}
"""What a kind can't do without, for each type of inference; the key is the full variant that it belongs to."""
ALL: Final = [
    pytest.param(label, variant, version, id=f"{label}({variant}){version and f'@{version}'}")
    for label, variants in FULL.items()
    for variant in variants
    for version in (RELEASES if label == RUNAI else ("",))
    if (variant, version) != ("mig", "2.24")  # it ended with 2.23
]


def assert_applied(walker: Walker, spec: Mapping[str, Any]) -> None:
    """Applied, there is nothing left to do, and a second apply writes nothing."""
    walker.apply(spec)
    change = walker.change(spec)
    assert [str(field.path) for field in change.fields] == []
    assert change.action is Action.NONE
    before = len(walker.writes())
    walker.apply(spec)
    assert len(walker.writes()) == before


@pytest.mark.parametrize(("label", "variant", "version"), ALL)
def test_nothing_is_left_to_do_after_every_field_was_set(bench: Bench, label: str, variant: str, version: str) -> None:
    walker = bench.walker(KINDS[label], version)
    assert_applied(walker, full_specs(KINDS[label], version)[variant])


@pytest.mark.parametrize(
    ("label", "variant"), [(label, variant) for label, variants in BARE.items() for variant in variants]
)
def test_all_fields_come_and_go_and_nothing_is_left_to_do(bench: Bench, label: str, variant: str) -> None:
    kind = KINDS[label]
    walker = bench.walker(kind, NEWEST if label == RUNAI else "")
    full = full_specs(kind, walker.version)[variant]
    for spec in (BARE[label][variant], full, BARE[label][variant]):
        assert_applied(walker, spec)
    walker.apply(None)
    assert [item for item in walker.listing().items if item.marker] == []


THIN: Final[Mapping[str, Mapping[str, Any]]] = {
    RUNAI: {
        "image": "python:3.8",
        "servingPort": {"container": 8080},
        "autoscaling": {"minReplicas": 0, "maxReplicas": 2, "metric": "throughput", "metricThreshold": 1},
        "probes": {"readiness": {"handler": {"httpGet": {"port": 8080}}}},
        "ports": [{"container": 8081, "serviceType": "NodePort"}],
        "exposedUrls": [{"container": 8080}],
        "security": {"runAsNonRoot": True},
        "storage": {
            "pvc": [{"path": "/a", "claimInfo": {"size": "1Gi"}}],
            "git": [{"repository": "https://github.com/example/models", "path": "/b", "passwordSecret": "my-secret"}],
            "nfs": [{"server": "nfs.example.com", "path": "/exports", "mountPath": "/c"}],
        },
    },
    NOTEBOOK: {**KINDS[NOTEBOOK].example, "spec": {**KINDS[NOTEBOOK].example["spec"], "auto_stop": {"enable": False}}},
    SERVICE: BARE[SERVICE]["real-time"],
    THETA: BARE[THETA]["server"],
}
"""Each section with no more in it than it can't do without: the server fills in the rest."""
CHOSEN: Final[Mapping[str, str]] = {
    "runai/Inference.imagePullPolicy": "by the image's tag (§3.2)",
    "runai/Inference.priorityClass": "by the workload's type, in later releases (§3.2)",
    "runai/Inference.ports[*].external": "any free one (§3.2)",
    "runai/Inference.exposedUrls[*].url": "any free one (§3.2)",
    "runai/Inference.storage.pvc[*].claimName": "any free one (§3.5)",
    "modelarts/Notebook.spec.annotations": "its own keys beside ours (§4)",
    "theta/Deployment.container_image": "the template's only image (§3)",
    "theta/Deployment.deployment_template_id": "the id of the name (§4)",
    "theta/Deployment.env_vars": "the template's own (§4)",
    "theta/Deployment.annotations.nickname": "ours, by the resource's name (§6)",
    "runai/Inference.nodePools": "the project's (§4.2)",
    "modelarts/Notebook.profile_name": "the profile in other words (§4)",
    "modelarts/Notebook.profile_variant": "the profile in other words (§4)",
}
"""What a server fills in that is no constant, with the reason: the table can't say it, and nothing compares it."""


@pytest.mark.parametrize("label", THIN)
def test_what_a_server_fills_in_is_a_default_of_the_table(bench: Bench, label: str) -> None:
    kind, spec = KINDS[label], THIN[label]
    walker = bench.walker(kind, NEWEST if label == RUNAI else "")
    walker.apply(spec)
    live = walker.live().spec

    written = {path for path, _, _ in leaves(spec)}
    filled = [(path, value) for path, _, value in leaves(live) if path not in written]
    strange = [
        f"{path}: {value!r}"
        for path, value in filled
        if not any(
            path.pattern.starts_with(FieldPath.parse(name.partition(".")[2]))
            for name in CHOSEN
            if name.startswith(label)
        )
        and ((rule := kind.exact_rule(path)) is None or value not in (rule.default, _followed(live, rule.default_from)))
    ]
    assert strange == []


def _followed(live: Mapping[str, Any], path: str) -> Any:
    value: Any = live
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def test_bare_specs_hold_only_what_is_required() -> None:
    rules = {"template", "spec"}  # one of template and its id; where a notebook keeps its files
    config = {"weight", "nodes", *_FILES, "mapping_type"}  # by the type of inference
    for label, variants in BARE.items():
        for spec in variants.values():
            assert spec.keys() <= required_in(KINDS[label], FieldPath()) | rules
            for element in spec.get("config", ()):
                assert element.keys() <= required_in(KINDS[label], FieldPath.parse("config[*]")) | config


@pytest.mark.parametrize("version", RELEASES)
def test_rows_change_in_place_as_the_matrix_of_the_release_says(version: str) -> None:
    """The emulator's own matrix (§6), which is not made from the table."""
    can = {key for key, since in PATCHABLE.items() if _number(version) >= _number(since)}
    wrong = [
        rule.path
        for rule in KINDS[RUNAI].fields
        if rule.changes_in_place(version) is not (FieldPath.parse(rule.path).segments[0] in can)
    ]
    assert wrong == []


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
