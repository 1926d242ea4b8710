"""What exists and can't be had: warnings of the catalogue stage, in each output, at the field, with numbers (6.7)."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from reconciler.problems import Origin
from reconciler.providers.runai.capacity import quota_doubts
from reconciler.providers.runai.kinds import INFERENCE
from reconciler.spec.resource import Resource, ResourceRef
from reconciler.spec.values import KnownAfterApply
from tests.conftest import Project, Served

SMALL: Final = """\
apiVersion: theta/v1
kind: Deployment
metadata: {name: small}
spec:
  template: vLLM
  vm_id: vm_c2
  min_replicas: 1
"""
CHAT: Final = """\
apiVersion: runai/v1
kind: Inference
metadata: {name: chat}
spec:
  image: registry.example.com/llm:1
  servingPort: {container: 8080}
  compute:
    gpuDevicesRequest: 2
  autoscaling: {minReplicas: 2, maxReplicas: 2}
"""
SERVICE: Final = """\
apiVersion: modelarts/v1
kind: Service
metadata: {name: mnist}
spec:
  infer_type: real-time
  config:
    - model_id: m-1
      specification: modelarts.vm.cpu.2u
      weight: 50
      instance_count: 1
    - model_id: m-2
      specification: modelarts.vm.cpu.4u
      weight: 50
      instance_count: 1
"""
WARNED: Final = [
    ("over-quota", "resources/chat.yaml:8:", ("4 GPUs", "node pool default", "2 GPUs")),
    ("specification-sold-out", "resources/mnist.yaml:8:", ("'modelarts.vm.cpu.2u' is sold out", "modelarts.vm.cpu.8u")),
    ("specification-closed", "resources/mnist.yaml:12:", ("'modelarts.vm.cpu.4u' is not open",)),
    ("small-machine", "resources/small.yaml:6:", ("no GPUs, 16384 MB", "vm_gt1 (1 GPU, 8192 MB)")),
]


def told(found: list[dict[str, Any]]) -> None:
    """All four, each once, each at its field, and none where it is no use."""
    assert sorted(one["code"] for one in found) == sorted(code for code, *_ in WARNED)
    for code, place, words in WARNED:
        (one,) = [one for one in found if one["code"] == code]
        assert one["warning"] is True
        assert one["origin"].startswith(place)
        assert [word for word in words if word not in one["message"]] == []


def test_what_cannot_be_had_is_said_by_validate_and_by_each_form_of_a_plan(
    served_project: Project, served: Served
) -> None:
    for name, text in (("small", SMALL), ("chat", CHAT), ("mnist", SERVICE)):
        served_project.write(f"resources/{name}.yaml", text)
    doubts = {"modelarts.vm.cpu.2u": "sellout", "modelarts.vm.cpu.4u": "closed", "modelarts.vm.gpu.p4": "over_quota"}
    served.post(
        "switches",
        {"runai": {"gpuQuota": {"default": 2}}, "modelarts-services": {"specification_doubts": doubts}},
    )

    checked = served_project.run("validate", "--online", "-o", "json")
    planned = served_project.plan()
    texts = [served_project.run("plan", "-o", form).stdout for form in ("text", "markdown")]

    assert (checked.returncode, json.loads(checked.stdout)["problems"]) == (0, [])
    told(json.loads(checked.stdout)["warnings"])
    told(planned["warnings"])
    assert planned["summary"]["create"] == 3
    for text in texts:
        lines = [line for line in text.splitlines() if any(f"[{code}]" in line for code, *_ in WARNED)]
        assert len(lines) == len(WARNED)

    # The same names misspelt are errors, as ever, and the warnings still stand beside them.
    served_project.write("resources/mnist.yaml", SERVICE.replace("cpu.4u", "cpu.4x"))
    refused = served_project.run("validate", "--online", "-o", "json")
    assert [one["code"] for one in json.loads(refused.stdout)["problems"]] == ["unknown-specification"]
    assert {one["code"] for one in json.loads(refused.stdout)["warnings"]} == {
        "over-quota",
        "specification-sold-out",
    } | {"small-machine"}
    assert refused.returncode == 1


# -- the sums of Run:ai ---------------------------------------------------------------------------------------------


def inference(name: str, gpus: float, low: int = 1, high: int | None = None, **spec: Any) -> Resource:
    section = {"gpuDevicesRequest": gpus} if gpus >= 1 else {"gpuDevicesRequest": 1, "gpuPortionRequest": gpus}
    scaling = {"minReplicas": low, **({"maxReplicas": high} if high is not None else {})}
    return Resource(
        ref=ResourceRef("runai", "Inference", name),
        kind=INFERENCE,
        live_name=name,
        spec={"compute": section, "autoscaling": scaling, **spec},
        origin=Origin(f"{name}.yaml"),
    )


def project(pools: dict[str, Any], **limits: float) -> dict[str, Any]:
    rows = [
        {"nodePool": {"id": name, "name": name}, "gpu": {"deserved": gpus, "limit": limits.get(name)}}
        for name, gpus in pools.items()
    ]
    return {"id": "1", "name": "team-a", "defaultNodePools": ["a"], "resources": rows}


A: Final[dict[str, Any]] = {"nodePools": ["a"]}
B: Final[dict[str, Any]] = {"nodePools": ["b"]}
AB: Final[dict[str, Any]] = {"nodePools": ["b", "a"]}
BORROWS: Final[dict[str, Any]] = {"preemptibility": "preemptible"}
SUMS: Final[dict[str, tuple[list[Resource], dict[str, Any], list[tuple[str, str]]]]] = {
    "just enough": ([inference("x", 2, 2), inference("y", 0.5, 2)], project({"a": 5}), []),
    "half a GPU too many": (
        [inference("x", 2, 2), inference("y", 0.5, 2)],
        project({"a": 4.5}),
        [
            (
                "over-quota",
                "2 inferences ask for 5 GPUs at least, and the quota of project 'team-a' in node pool a is 4.5",
            )
        ],
    ),
    "only when scaled out": (
        [inference("x", 1, 1, 4)],
        project({"a": 3}),
        [("over-quota-at-peak", "this inference asks for up to 4 GPUs when scaled out")],
    ),
    "each in its own pool": ([inference("x", 4, **A), inference("y", 4, **B)], project({"a": 4, "b": 4}), []),
    "one pool is full": (
        [inference("x", 4, **A), inference("y", 4, **B)],
        project({"a": 4, "b": 3}),
        [("over-quota", "node pool b is 3 GPUs")],
    ),
    "the other pool has room": ([inference("x", 4, **A), inference("y", 4, **AB)], project({"a": 4, "b": 4}), []),
    "neither has, together": (
        [inference("x", 4, **A), inference("y", 4, **AB)],
        project({"a": 4, "b": 3}),
        [("over-quota", "2 inferences ask for 8 GPUs at least, and the quota of project 'team-a' in node pools a, b")],
    ),
    "who can be preempted borrows": ([inference("x", 9, **BORROWS)], project({"a": 1}), []),
    "a low priority borrows, and a written word counts more": (
        [
            inference("x", 9, priorityClass="low"),
            inference("y", 2, priorityClass="low", preemptibility="non-preemptible"),
        ],
        project({"a": 1}),
        [("over-quota", "this inference asks for 2 GPUs at least")],
    ),
    "but not beyond the limit": (
        [inference("x", 9, **BORROWS)],
        project({"a": 1}, a=8),
        [("over-quota", "the limit of project 'team-a' in node pool a is 8 GPUs")],
    ),
    "no bound": ([inference("x", 99)], project({"a": -1}), []),
    "a quota of nothing": ([inference("x", 1)], project({"a": 0}), [("over-quota", "for 1 GPU at least")]),
    "no GPU at all": ([inference("x", 1, compute={"cpuCoreRequest": 1})], project({"a": 0}), []),
    "a share in memory": (
        [inference("x", 1, compute={"gpuDevicesRequest": 1, "gpuRequestType": "memory", "gpuMemoryRequest": "4G"})],
        project({"a": 0}),
        [],
    ),
    "a project that tells no quota": ([inference("x", 99)], {"id": "1", "name": "team-a"}, []),
    "pools that another resource has yet to name": (
        [inference("x", 99, nodePools=[KnownAfterApply("runai/Inference/y", "name")])],
        project({"a": 1}),
        [],
    ),
    "a pool that is not there": (
        [inference("x", 1, nodePools=["pool-aa"])],
        project({"pool-a": 9}),
        [("unknown-node-pool", "no node pool 'pool-aa'")],
    ),
}


@pytest.mark.parametrize("case", SUMS)
def test_gpus_are_summed_where_they_can_run(case: str) -> None:
    resources, of, expected = SUMS[case]

    found = quota_doubts(resources, of)

    assert [one.code for one in found] == [code for code, _ in expected]
    for one, (_, words) in zip(found, expected, strict=True):
        assert words in one.wrong
        assert one.warning
        assert one.origin is not None


def test_the_largest_is_where_it_is_said_and_the_others_are_named_beside_it() -> None:
    (found,) = quota_doubts([inference("x", 1), inference("y", 4), inference("z", 2)], project({"a": 6}))

    assert (found.address, str(found.origin)) == ("runai/Inference/y", "y.yaml:1:1")
    assert [origin.file for origin in found.related] == ["z.yaml", "x.yaml"]
