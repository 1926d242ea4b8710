"""Codes that only the checks of this provider use."""

from __future__ import annotations

from typing import Final

from reconciler.codes import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="ambiguous-project",
        stage="runai/Inference",
        meaning="Several projects have this name, in different clusters.",
        remedy="Write `cluster` (or `projectId`) in reconciler.yaml.",
    ),
    Code(
        code="unknown-project",
        stage="runai/Inference",
        meaning="There is no such project in this cluster, or this client may not see it.",
        remedy="Check `project`, `projectId` and `cluster` in reconciler.yaml; the message lists what there is.",
    ),
    Code(
        code="unknown-cluster",
        stage="runai/Inference",
        meaning="There is no such cluster, or this client may not see it.",
        remedy="Check `cluster` or `clusterId` in reconciler.yaml; the message lists what there is.",
    ),
    Code(
        code="over-quota",
        stage="runai/Inference",
        meaning=(
            "The inferences of the spec ask for more GPUs in a node pool, already with their smallest numbers of "
            "replicas, than the quota of the project (or the limit, for what may be preempted). What is beyond it "
            "stays pending. Workloads of others are not counted, nor shares of a GPU that are given in memory. A "
            "warning: it stops nothing."
        ),
        remedy="Ask for fewer GPUs or replicas, name other node pools too, or have the project's quota raised.",
        example="nodePools: [a100, t4]",
    ),
    Code(
        code="over-quota-at-peak",
        stage="runai/Inference",
        meaning=(
            "The smallest numbers of replicas fit into the quota of the project, the largest do not: when all scale "
            "out at the same time, some replicas stay pending. A warning: it stops nothing."
        ),
        remedy="Lower `autoscaling.maxReplicas`, have the quota raised, or leave it if they do not peak together.",
        example="autoscaling: {minReplicas: 1, maxReplicas: 2}",
    ),
    Code(
        code="unknown-node-pool",
        stage="runai/Inference",
        meaning=(
            "The project has no row for a node pool of this name, so that nothing can run there. A warning: the server "
            "has the last word."
        ),
        remedy="Take one of the list in the message.",
        example="nodePools: [default]",
    ),
    Code(
        code="limit-below-request",
        stage="runai/Inference",
        meaning="A limit is smaller than the request that it limits.",
        remedy="Raise the limit, or lower the request.",
        example="compute: {cpuCoreRequest: 2, cpuCoreLimit: 4}",
    ),
    Code(
        code="wrong-count",
        stage="runai/Inference",
        meaning=(
            "An operator of the node affinity takes another number of values: In and NotIn one or more, Gt and Lt "
            "exactly one, Exists and DoesNotExist none."
        ),
        remedy="Write as many as the message says.",
        example="matchExpressions:\n  - {key: gpu.model, operator: In, values: [A100, H100]}",
    ),
    Code(
        code="not-supported",
        stage="runai/Inference",
        meaning="The vendor's API has this field or value, and its server does not support it for an inference.",
        remedy="Take what the message offers, or leave it out.",
    ),
    Code(
        code="not-in-version",
        stage="runai/Inference",
        meaning="The field or value does not exist in this release of Run:ai.",
        remedy="Leave it out, or mend `version` in reconciler.yaml if the control plane is of another release.",
        example='version: "2.24"',
    ),
)
