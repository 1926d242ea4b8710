"""The kind `runai/v1` Inference, and the settings of a Run:ai project. Source: runai §§1, 3.1, 6, 7, 8."""

from __future__ import annotations

from typing import Final

from reconciler.fields import CostRule, Kind, MarkerSlot, NameRule, Phase, ReplaceOrder
from reconciler.fields.setting import Setting
from reconciler.providers.runai import checks
from reconciler.providers.runai.fields import INFERENCE as FIELDS
from reconciler.providers.runai.versions import in_version

__all__ = ["COMPANION", "INFERENCE", "MARKER", "SETTINGS", "TOP_LEVEL"]

MARKER: Final = "reconciler/id"
"""Annotation that carries the ownership marker."""
COMPANION: Final = "reconciler/resource"
"""Annotation that says the same to people: the resource's address."""
TOP_LEVEL: Final = ("useGivenNameAsPrefix", "templateId")
"""Members of the create request that stand beside its `spec`. Source: runai §3.1."""

_NEWEST: Final = "2.24"
_GPU: Final = ("compute.gpuDevicesRequest", "compute.gpuPortionRequest")

INFERENCE: Final = Kind(
    api_version="runai/v1",
    name="Inference",
    type="runai",
    title="Run:ai inference",
    schema="runai-inference.json",
    sheet="runai",
    fields=FIELDS,
    # Source: runai §8. `Deleted` is a desiredPhase only.
    phases={
        "Creating": Phase.PROGRESSING,
        "Pending": Phase.PROGRESSING,
        "Initializing": Phase.PROGRESSING,
        "Updating": Phase.PROGRESSING,
        "Resuming": Phase.PROGRESSING,
        "Stopping": Phase.PROGRESSING,
        "Running": Phase.READY,
        "Degraded": Phase.DEGRADED,
        "Stopped": Phase.STOPPED,
        "Failed": Phase.FAILED,
        "Completed": Phase.FINISHED,
        "Deleting": Phase.GOING,
        "Terminating": Phase.GOING,
        "Deleted": Phase.GOING,
        "Unknown": Phase.UNKNOWN,
    },
    marker=MarkerSlot(carrier=f"annotations[{MARKER}]"),
    live_name=NameRule(
        pattern=r"(?=.{1,50}$)[a-z]([-a-z0-9]*[a-z0-9])?",
        words="1 to 50 lowercase letters, digits and -; it begins with a letter and does not end with -",
    ),
    live_id=NameRule(
        pattern=r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
        words="the id of a workload, such as 10eb0091-887f-4839-9929-cbc884f1e20e",
    ),
    replace=ReplaceOrder.DELETE_FIRST,
    replace_orders=(ReplaceOrder.DELETE_FIRST,),
    replace_notice="it serves nothing between delete and start; the workload's id changes, and its URL may",
    delete_notice="its endpoint goes away",
    checks=(in_version(FIELDS, _NEWEST), *checks.ALL, checks.reserved_annotations(MARKER, COMPANION)),
    costs=(CostRule(item='"gpu"', times=_GPU, low="autoscaling.minReplicas", high="autoscaling.maxReplicas"),),
    gpus=(CostRule(item='"gpu"', times=_GPU, low="autoscaling.minReplicas", high="autoscaling.maxReplicas"),),
    timeout_s=1800.0,
    degraded_s=300.0,  # §8: pods or network not to spec, which may heal; how long is our choice
    example={"image": "python:3.8", "servingPort": {"container": 8080, "protocol": "http"}},
)

SETTINGS: Final = (
    Setting(
        name="endpoint",
        type="url",
        doc="The tenant's control plane, or `emulator` for the embedded emulator.",
        required=True,
        example="https://runai.example.com",
    ),
    Setting(
        name="version",
        type="enum",
        doc="Release of the control plane: it decides which fields exist and which can change in place.",
        required=True,
        emulator_default=_NEWEST,
        choices=("2.18", "2.19", "2.20", "2.21", "2.22", "2.23", "2.24", "2.25", "2.26", "3.0"),
        example='"2.24"',
    ),
    Setting(
        name="cluster",
        type="string",
        doc="Name of the cluster; left out, the project's own cluster counts.",
        example="main",
    ),
    Setting(name="clusterId", type="uuid", doc="Id of the cluster.", example="71f69d83-ba66-4822-adf5-55ce55efd210"),
    Setting(
        name="project",
        type="string",
        doc="Name of the project.",
        required=True,
        alternatives=("projectId",),
        example="team-a",
    ),
    Setting(name="projectId", type="string", doc="Id of the project.", example='"33"'),
    Setting(
        name="clientId",
        type="string",
        doc="Client id (or app id) of the access key.",
        required=True,
        example="gitops",
    ),
    Setting(
        name="clientSecret",
        type="string",
        doc="Secret of the access key.",
        required=True,
        secret=True,
        example='{{ secret("RUNAI_CLIENT_SECRET") }}',
    ),
    Setting(
        name="grant",
        type="enum",
        doc="How to log in; auto: client_credentials, and app_token for 2.18 and 2.19.",
        default="auto",
        choices=("auto", "client_credentials", "app_token", "v2"),
        example="auto",
    ),
)
