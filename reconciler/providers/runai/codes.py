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
