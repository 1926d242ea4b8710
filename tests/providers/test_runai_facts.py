"""Schema, field table and cross-field rules of the Run:ai inference, against each other and against the emulator."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import referencing

from reconciler.diff.compare import Sides, compare
from reconciler.diff.live import Live
from reconciler.emulator.server import Server
from reconciler.fields import FieldPath, Secret
from reconciler.providers.runai.client import Parts
from reconciler.providers.runai.items import live_item
from reconciler.providers.runai.kinds import INFERENCE
from reconciler.spec.schema import loosen, tighten
from reconciler.spec.values import KnownAfterApply

SCHEMAS = Path(__file__).parents[2] / "schemas"
BASE = {"image": "python:3.8"}
FULL: dict[str, Any] = {
    "image": "python:3.8",
    "command": "python",
    "args": "-m serve",
    "imagePullPolicy": "Always",
    "imagePullSecrets": [{"name": "registry", "userCredential": False}],
    "workingDir": "/srv",
    "createHomeDir": True,
    "environmentVariables": [
        {"name": "A", "value": "1", "description": "one"},
        {"name": "B", "secret": {"name": "s", "key": "k"}},
        {"name": "C", "configMap": {"name": "c", "key": "k"}},
        {"name": "D", "podFieldRef": {"path": "metadata.name"}},
        {"name": "E", "userCredential": {"name": "u", "key": "k"}},
    ],
    "annotations": [{"name": "note", "value": "a"}],
    "labels": [{"name": "team", "value": "a"}],
    "nodeType": "gpu",
    "nodePools": ["a100", "t4"],
    "nodeAffinityRequired": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}]
    },
    "podAffinity": {"type": "Preferred", "key": "zone"},
    "tolerations": [
        {"name": "t", "operator": "Equal", "key": "k", "value": "v", "effect": "NoExecute", "seconds": 30},
        {"operator": "Exists", "key": "spot", "effect": "NoSchedule"},
    ],
    "category": "Deploy",
    "priorityClass": "high",
    "preemptibility": "preemptible",
    "probes": {
        "readiness": {
            "initialDelaySeconds": 1,
            "periodSeconds": 1,
            "timeoutSeconds": 1,
            "successThreshold": 1,
            "failureThreshold": 3,
            "handler": {"httpGet": {"path": "/ready", "port": 8080, "host": "localhost", "scheme": "HTTP"}},
        }
    },
    "ports": [{"container": 22, "serviceType": "NodePort", "external": 30022, "toolType": "custom", "toolName": "ssh"}],
    "exposedUrls": [{"container": 8888, "authorizedUsers": ["b", "a"], "toolType": "jupyter", "name": "nb"}],
    "relatedUrls": [{"url": "https://a.example.com", "type": "board", "name": "b"}],
    "compute": {
        "gpuDevicesRequest": 1,
        "gpuRequestType": "memory",
        "gpuMemoryRequest": "20480Mi",
        "gpuMemoryLimit": "30Gi",
        "cpuCoreRequest": 0.5,
        "cpuCoreLimit": 1.5,
        "cpuMemoryRequest": "1000M",
        "cpuMemoryLimit": "2G",
        "largeShmRequest": True,
        "extendedResources": [{"resource": "vendor.example/foo", "quantity": "2"}],
    },
    "servingPort": {
        "container": 8080,
        "protocol": "grpc",
        "authorizationType": "authorizedUsersOrGroups",
        "authorizedGroups": ["g2", "g1"],
        "clusterLocalAccessOnly": True,
    },
    "autoscaling": {
        "minReplicas": 1,
        "maxReplicas": 4,
        "initialReplicas": 2,
        "activationReplicas": 1,
        "metric": "concurrency",
        "metricThreshold": 10,
        "metricThresholdPercentage": 80,
        "concurrencyHardLimit": 20,
        "scaleDownDelaySeconds": 60,
    },
    "servingConfiguration": {"initializationTimeoutSeconds": 600, "requestTimeoutSeconds": 60},
    "storage": {
        "dataVolume": [{"id": "71f69d83-ba66-4822-adf5-55ce55efd210", "mountPath": "/dv"}],
        "pvc": [
            {
                "name": "data",
                "path": "/data",
                "claimInfo": {
                    "size": "20Gi",
                    "storageClass": "fast",
                    "accessModes": {"readWriteMany": True},
                    "volumeMode": "Filesystem",
                    "addedAttrValues": [{"key": "tier", "value": "1"}],
                },
            },
            {"existingPvc": True, "claimName": "shared", "path": "/shared", "readOnly": True},
        ],
        "git": [{"repository": "https://git.example.com/a", "branch": "main", "path": "/src"}],
        "configMapVolume": [{"configMap": "c", "mountPath": "/c", "subPath": "a", "defaultMode": "0644"}],
        "secretVolume": [{"secret": "s", "mountPath": "/s"}],
        "nfs": [{"server": "n", "path": "/e", "mountPath": "/n"}],
        "hostPath": [{"path": "/h", "mountPath": "/h", "readOnly": False, "mountPropagation": "None"}],
        "emptyDirVolume": [{"path": "/scratch", "medium": "Memory", "sizeLimit": "1Gi"}],
    },
    "security": {
        "uidGidSource": "custom",
        "runAsUid": 1000,
        "runAsGid": 1000,
        "supplementalGroups": "3000,2000",
        "capabilities": ["SYS_TIME", "CHOWN"],
        "seccompProfileType": "RuntimeDefault",
        "runAsNonRoot": True,
        "readOnlyRootFilesystem": True,
    },
}


def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SCHEMAS / INFERENCE.schema).read_text())
    return loaded


def validator() -> jsonschema.Draft202012Validator:
    common = referencing.Resource.from_contents(json.loads((SCHEMAS / "common.json").read_text()))
    registry: referencing.Registry[Any] = referencing.Registry().with_resource("common.json", common)
    return jsonschema.Draft202012Validator(tighten(schema()), registry=registry)


def document(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "runai/v1", "kind": "Inference", "metadata": {"name": "chat"}, "spec": dict(spec)}


def leaves(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if node.get("type") == "object":
        for key, inner in node["properties"].items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif node.get("type") == "array":
        yield from leaves(node["items"], f"{path}[*]")
    else:
        yield path, node


def findings(spec: Mapping[str, Any], version: str = "2.24") -> dict[str, str]:
    return {
        finding.path: finding.code
        for check in INFERENCE.checks
        for finding in check(document(spec), {"version": version})
    }


# -- schema and table ----------------------------------------------------------------------------------------------


def test_every_leaf_of_the_schema_has_a_row_and_every_row_a_place_in_the_schema() -> None:
    strict = tighten(schema())["properties"]["spec"]
    found = dict(leaves(strict))
    for path, node in found.items():
        rule = INFERENCE.rule(FieldPath.parse(path))
        assert rule is not None, path
        assert (rule.secret is Secret.ALWAYS) is bool(node.get("writeOnly")), path
    above = {str(FieldPath(FieldPath.parse(path).segments[:end])) for path in found for end in range(1, 9)}
    assert [rule.path for rule in INFERENCE.fields if rule.path not in above] == []


def test_the_schema_is_its_own_loose_form_and_takes_every_field() -> None:
    assert loosen(schema()) == schema()
    assert list(validator().iter_errors(document(FULL))) == []
    assert list(validator().iter_errors(document(INFERENCE.example))) == []
    for bad in ({"image": "a", "comand": "x"}, {}, {"image": "a", "compute": {"gpuRequestType": "devices"}}):
        assert list(validator().iter_errors(document(bad)))


def test_the_full_spec_breaks_no_rule_and_misses_no_field() -> None:
    assert findings(FULL) == {}
    written = {str(FieldPath.parse(path).pattern) for path in _paths(FULL)}
    strict = tighten(schema())["properties"]["spec"]
    missing = {path for path, _ in leaves(strict) if path not in written and not path.endswith(".exclude")}
    assert missing == {
        # excluded by another field of FULL, of another release, or beside `spec` in the request
        "autoscaling.initializationTimeoutSeconds", "autoscaling.scaleToZeroRetentionSeconds",
        "compute.gpuPortionLimit", "compute.gpuPortionRequest", "compute.migProfile",
        "exposedUrls[*].authorizationType", "exposedUrls[*].authorizedGroups[*]", "exposedUrls[*].toolName",
        "exposedUrls[*].url", "ports[*].name", "servingPort.authorizedUsers[*]",
        "storage.configMapVolume[*].name", "storage.emptyDirVolume[*].name", "storage.git[*].name",
        "storage.git[*].passwordSecret", "storage.git[*].revision", "storage.git[*].secretKeyOfPassword",
        "storage.git[*].secretKeyOfUser", "storage.git[*].secretRef.authenticationMethod",
        "storage.git[*].secretRef.name", "storage.git[*].secretRef.secretKeyOfPassword",
        "storage.git[*].secretRef.secretKeyOfUser", "storage.hostPath[*].name", "storage.nfs[*].name",
        "storage.nfs[*].readOnly", "storage.pvc[*].claimInfo.accessModes.readOnlyMany",
        "storage.pvc[*].claimInfo.accessModes.readWriteOnce", "storage.pvc[*].dataSharing",
        "storage.pvc[*].ephemeral", "storage.secretVolume[*].defaultMode", "storage.secretVolume[*].name",
        "templateId", "useGivenNameAsPrefix",
    }  # fmt: skip


def _paths(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner, f"{path}[*]")
    else:
        yield path


# -- against the emulator ------------------------------------------------------------------------------------------


@pytest.fixture
def http(emulator: Server) -> Iterator[httpx.Client]:
    line = emulator.emulator.connection(emulator.url)["runai"]
    with httpx.Client(base_url=line["endpoint"]) as client:
        login = {"grantType": "client_credentials", "clientId": line["clientId"], "clientSecret": line["clientSecret"]}
        token = client.post("/api/v1/token", json=login).json()["accessToken"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def _create(http: httpx.Client, spec: Mapping[str, Any]) -> httpx.Response:
    cluster = "71f69d83-ba66-4822-adf5-55ce55efd210"
    return http.post(
        "/api/v1/workloads/inferences",
        json={"name": "chat", "projectId": "1", "clusterId": cluster, "spec": dict(spec)},
    )


def _live(http: httpx.Client, workload_id: str) -> Live:
    detail = http.get(f"/api/v1/workloads/inferences/{workload_id}").json()
    return live_item(Parts(detail=detail, item={}), "runai")


def _changes(live: Live, desired: Mapping[str, Any], applied: Mapping[str, Any] | None) -> list[tuple[str, bool]]:
    sides = Sides(kind=INFERENCE, desired=desired, live=live, applied=applied, version="2.24")
    return [(str(change.path), change.forces_replace) for change in compare(sides).changes]


def test_every_field_at_once_reads_back_equal_however_the_server_words_it(emulator: Server, http: httpx.Client) -> None:
    emulator.emulator.set_switches({"runai": {"createUnknownKeys": "400"}})
    reply = _create(http, FULL)
    assert reply.status_code == 202, reply.text
    for switches in ({}, {"reorderLists": True}, {"rewriteQuantities": True}, {"echo": "as-sent"}):
        emulator.emulator.set_switches({"runai": switches})
        live = _live(http, reply.json()["workloadId"])
        for applied in (FULL, None):
            assert _changes(live, FULL, applied) == []


@pytest.mark.parametrize("key", sorted(set(FULL) - {"image"}))
def test_a_patch_of_a_key_is_kept_exactly_when_the_table_says_in_place(http: httpx.Client, key: str) -> None:
    workload_id = _create(http, BASE).json()["workloadId"]
    planned = _changes(_live(http, workload_id), {**BASE, key: FULL[key]}, BASE)
    assert planned
    http.patch(f"/api/v1/workloads/inferences/{workload_id}", json={"spec": {key: FULL[key]}})
    left = _changes(_live(http, workload_id), {**BASE, key: FULL[key]}, BASE)
    assert bool(left) is any(replace for _, replace in planned)


def test_unset_empty_and_null_are_no_change(http: httpx.Client) -> None:
    """Case C23."""
    live = _live(http, _create(http, BASE).json()["workloadId"])
    empty: dict[str, Any] = {
        "tolerations": [],
        "nodeType": None,
        "annotations": [],
        "autoscaling": {"scaleToZeroRetentionSeconds": 0},
    }
    assert _changes(live, {**BASE, **empty}, {**BASE, **empty}) == []


def test_an_excluded_policy_entry_is_left_out_and_is_no_drift(emulator: Server, http: httpx.Client) -> None:
    instances = [{"name": "RUNAI_X", "value": "1"}, {"name": "RUNAI_Y", "value": "2"}]
    policy = {"defaults": {"environmentVariables": {"instances": instances}}}
    emulator.emulator.set_switches({"runai": {"policy": policy}})
    spec = {**BASE, "environmentVariables": [{"name": "RUNAI_X", "exclude": True}, {"name": "A", "value": "1"}]}
    live = _live(http, _create(http, spec).json()["workloadId"])
    assert [one["name"] for one in live.spec["environmentVariables"]] == ["A", "RUNAI_Y"]
    assert _changes(live, spec, spec) == []
    vanished = {**spec, "environmentVariables": [*spec["environmentVariables"], {"name": "B", "value": "2"}]}
    assert _changes(live, vanished, vanished) == [
        ("environmentVariables[B].name", False),
        ("environmentVariables[B].value", False),
    ]


@pytest.mark.parametrize("echo", ["merged", "as-sent"])
def test_an_entry_left_out_with_all_its_members_is_no_drift_until_its_flag_goes(
    emulator: Server, http: httpx.Client, echo: str
) -> None:
    policy = {"defaults": {"environmentVariables": {"instances": [{"name": "RUNAI_X", "value": "1"}]}}}
    emulator.emulator.set_switches({"runai": {"policy": policy, "echo": echo, "duplicateName": "allow"}})
    kept = {
        **BASE,
        "environmentVariables": [{"name": "RUNAI_X", "value": "2"}],
        "storage": {"pvc": [{"name": "data", "path": "/data", "claimInfo": {"size": "1Gi"}}]},
    }
    spec = {
        **BASE,
        "environmentVariables": [{"name": "RUNAI_X", "value": "2", "exclude": True}],
        "storage": {"pvc": [{"name": "data", "path": "/data", "claimInfo": {"size": "1Gi"}, "exclude": True}]},
    }
    flags = [("environmentVariables[RUNAI_X].exclude", False), ("storage.pvc[data,/data].exclude", True)]

    live = _live(http, _create(http, spec).json()["workloadId"])
    assert _changes(live, spec, spec) == []
    assert _changes(live, kept, spec) == flags

    there = _live(http, _create(http, kept).json()["workloadId"])
    assert _changes(there, spec, kept) == flags


def test_order_matters_for_node_pools_alone(http: httpx.Client) -> None:
    """Case C24."""
    live = _live(http, _create(http, FULL).json()["workloadId"])
    turned = {key: value[::-1] if isinstance(value, list) else value for key, value in FULL.items()}
    assert _changes(live, turned, FULL) == [("nodePools", False)]


# -- rules across fields -------------------------------------------------------------------------------------------

BROKEN: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "portion without its number",
        {"compute": {"gpuRequestType": "portion"}},
        "compute.gpuRequestType",
        "missing-field",
    ),
    (
        "memory beside portion",
        {"compute": {"gpuRequestType": "portion", "gpuPortionRequest": 0.5, "gpuMemoryRequest": "1G"}},
        "compute.gpuMemoryRequest",
        "not-allowed-here",
    ),
    (
        "half of two devices",
        {"compute": {"gpuDevicesRequest": 2, "gpuRequestType": "portion", "gpuPortionRequest": 0.5}},
        "compute.gpuRequestType",
        "not-allowed-here",
    ),
    (
        "limit below request in other units",
        {"compute": {"cpuMemoryRequest": "1Gi", "cpuMemoryLimit": "1G"}},
        "compute.cpuMemoryLimit",
        "limit-below-request",
    ),
    (
        "replicas without a metric",
        {"autoscaling": {"minReplicas": 1, "maxReplicas": 3}},
        "autoscaling",
        "missing-field",
    ),
    ("max below min", {"autoscaling": {"minReplicas": 3, "maxReplicas": 2}}, "autoscaling.maxReplicas", "out-of-range"),
    (
        "latency to zero",
        {"autoscaling": {"minReplicas": 0, "maxReplicas": 2, "metric": "latency", "metricThreshold": 1}},
        "autoscaling.metric",
        "not-allowed-here",
    ),
    (
        "metric without threshold",
        {"autoscaling": {"minReplicas": 0, "maxReplicas": 2, "metric": "throughput"}},
        "autoscaling.metric",
        "missing-field",
    ),
    (
        "retention above zero",
        {"autoscaling": {"scaleToZeroRetentionSeconds": 5}},
        "autoscaling.scaleToZeroRetentionSeconds",
        "not-allowed-here",
    ),
    (
        "users and groups",
        {"servingPort": {"container": 1, "authorizedUsers": ["a"], "authorizedGroups": ["b"]}},
        "servingPort.authorizedGroups",
        "not-allowed-here",
    ),
    (
        "users and groups of an address",
        {"exposedUrls": [{"container": 1, "authorizedUsers": ["a"], "authorizedGroups": ["b"]}]},
        "exposedUrls[0].authorizedGroups",
        "not-allowed-here",
    ),
    (
        "nobody may call",
        {"servingPort": {"container": 1, "authorizationType": "authorizedUsersOrGroups"}},
        "servingPort.authorizationType",
        "missing-field",
    ),
    (
        "two sources",
        {"environmentVariables": [{"name": "A", "value": "b", "secret": {"name": "s", "key": "k"}}]},
        "environmentVariables[0].secret",
        "one-of",
    ),
    ("no source", {"environmentVariables": [{"name": "A"}]}, "environmentVariables[0]", "one-of"),
    ("seconds", {"tolerations": [{"key": "a", "seconds": 3}]}, "tolerations[0].seconds", "not-allowed-here"),
    (
        "operator without values",
        {"nodeAffinityRequired": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In"}]}]}},
        "nodeAffinityRequired.nodeSelectorTerms[0].matchExpressions[0].operator",
        "wrong-count",
    ),
    ("claim without size", {"storage": {"pvc": [{"path": "/a"}]}}, "storage.pvc[0]", "missing-field"),
    (
        "claim info of an existing one",
        {"storage": {"pvc": [{"path": "/a", "existingPvc": True, "claimName": "c", "claimInfo": {"size": "1G"}}]}},
        "storage.pvc[0].claimInfo",
        "not-allowed-here",
    ),
    (
        "host path",
        {"storage": {"hostPath": [{"path": "/a", "mountPath": "/b"}]}},
        "storage.hostPath[0]",
        "missing-field",
    ),
    ("uid of the image", {"security": {"runAsUid": 1}}, "security.runAsUid", "not-allowed-here"),
    ("our own mark", {"annotations": [{"name": "reconciler/id"}]}, "annotations[0].name", "reserved-name"),
    ("label value", {"labels": [{"name": "a", "value": "b c"}]}, "labels[0].value", "bad-format"),
]


@pytest.mark.parametrize(("spec", "path", "code"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_broken_rule_is_found_at_its_field_and_alone(spec: dict[str, Any], path: str, code: str) -> None:
    assert findings({**BASE, **spec}) == {path: code}


@pytest.mark.parametrize(
    "spec",
    [
        {"autoscaling": {"minReplicas": 0, "maxReplicas": 1}},
        {"compute": {"gpuDevicesRequest": 2, "gpuRequestType": "portion", "gpuPortionRequest": 1}},
        {"environmentVariables": [{"name": "A", "exclude": True}, {"name": "B", "value": ""}]},
        {"compute": {"gpuRequestType": KnownAfterApply("a/b/c", "name"), "gpuPortionRequest": 0.5}},
        {
            "autoscaling": {
                "minReplicas": KnownAfterApply("a/b/c", "name"),
                "maxReplicas": 3,
                "metric": "x",
                "metricThreshold": 1,
            }
        },
    ],
    ids=["0 to 1", "whole devices", "exclude", "pending type", "pending count"],
)
def test_what_is_allowed_or_not_known_yet_is_no_finding(spec: dict[str, Any]) -> None:
    assert findings({**BASE, **spec}) == {}


@pytest.mark.parametrize(
    ("version", "spec", "path"),
    [
        ("2.24", {"compute": {"gpuRequestType": "migProfile", "migProfile": "1g.5gb"}}, "compute.migProfile"),
        ("2.22", {"autoscaling": {"initializationTimeoutSeconds": 9}}, "autoscaling.initializationTimeoutSeconds"),
        ("2.18", {"storage": {"nfs": [{"server": "s", "path": "/", "mountPath": "/"}]}}, "storage.nfs"),
        ("2.21", {"priorityClass": "low"}, "priorityClass"),
        ("2.19", {"autoscaling": {"metric": "mine", "metricThreshold": 1}}, "autoscaling.metric"),
        ("2.20", {"tolerations": [{"key": "a"}]}, "tolerations[0]"),
        ("2.21", {"category": "Deploy"}, "category"),
        ("2.20", {"relatedUrls": [{"url": "u", "type": "t", "exclude": True}]}, "relatedUrls[0].exclude"),
        (
            "2.23",
            {"exposedUrls": [{"container": 1, "authorizationType": "public"}]},
            "exposedUrls[0].authorizationType",
        ),
        ("2.23", {"templateId": "71f69d83-ba66-4822-adf5-55ce55efd210"}, "templateId"),
    ],
)
def test_fields_and_values_of_another_release_are_found(version: str, spec: dict[str, Any], path: str) -> None:
    assert path in findings({**BASE, **spec}, version)
    other = "2.20" if path.endswith("initializationTimeoutSeconds") else "2.23" if "mig" in path else "2.24"
    assert path not in findings({**BASE, **spec}, other)


OUR_OWN_RULES = {"host path", "our own mark", "label value"}


@pytest.mark.parametrize(
    "spec",
    [case[1] for case in BROKEN if case[0] not in OUR_OWN_RULES],
    ids=[case[0] for case in BROKEN if case[0] not in OUR_OWN_RULES],
)
def test_the_emulator_agrees_that_it_is_broken(http: httpx.Client, spec: dict[str, Any]) -> None:
    assert _create(http, {**BASE, **spec}).status_code == 400


def test_names_keep_the_apis_rule() -> None:
    rule = INFERENCE.live_name
    assert rule is not None
    assert [name for name in ("chat", "a", "a" * 50, "chat-2") if not rule.accepts(name)] == []
    assert [name for name in ("", "2chat", "Chat", "chat-", "a" * 51, "a.b") if rule.accepts(name)] == []
