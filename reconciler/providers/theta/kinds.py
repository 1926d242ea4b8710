"""The kind `theta/v1` Deployment, and the settings of a Theta project. Source: providers/theta.md §§3, 6, 7, 8, 9."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.fields import (
    CostRule,
    Finding,
    Kind,
    MarkerSlot,
    NameRule,
    Phase,
    ReplaceOrder,
    WaitFor,
)
from reconciler.fields.setting import Setting
from reconciler.providers.theta.fields import DEPLOYMENT_FIELDS

__all__ = ["API_HOST", "CONTROLLER", "DEPLOYMENT", "MARKER_KEY", "PINNED", "SETTINGS"]

CONTROLLER: Final = "https://controller.thetaedgecloud.com"
API_HOST: Final = "https://api.thetaedgecloud.com"
PINNED: Final = ("controller.thetaedgecloud.com", "api.thetaedgecloud.com")
MARKER_KEY: Final = "rc-id"
"""Annotation that carries the ownership marker; the end of `nickname` carries it too (theta §6)."""

_PAIRS: Final = (("registry_username", "registry_password"), ("auth_username", "auth_password"))


def _one_template(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """A template is named, or its id is given: not both, not neither."""
    spec = document.get("spec") or {}
    written = [name for name in ("template", "deployment_template_id") if spec.get(name) is not None]
    if len(written) == 1:
        return
    yield Finding(
        code="one-of",
        path=written[1] if written else "",
        wrong="both 'template' and 'deployment_template_id' are written" if written else "no template is named",
        expected="one of 'template' (its name) and 'deployment_template_id'",
        others=tuple(written[:1]),
    )


def _in_pairs(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """A user name needs its password, and the other way round."""
    spec = document.get("spec") or {}
    for pair in _PAIRS:
        written = [name for name in pair if spec.get(name) not in (None, "")]
        if len(written) == 1:
            other = pair[1] if written[0] == pair[0] else pair[0]
            yield Finding(
                code="needs-other-field",
                path=written[0],
                wrong=f"{written[0]!r} stands alone",
                expected=f"{other!r} beside it",
            )


def _ordered_replicas(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """`max_replicas` is at least `min_replicas`."""
    spec = document.get("spec") or {}
    low, high = spec.get("min_replicas"), spec.get("max_replicas")
    if isinstance(low, int) and isinstance(high, int) and high < low:
        yield Finding(
            code="out-of-range",
            path="max_replicas",
            wrong=f"max_replicas {high} is less than min_replicas {low}",
            expected=f"{low} or more",
            others=("min_replicas",),
        )


def _own_annotation(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """The marker's annotation is not for users."""
    annotations = (document.get("spec") or {}).get("annotations")
    if isinstance(annotations, Mapping) and MARKER_KEY in annotations:
        yield Finding(
            code="reserved-name",
            path=f'annotations["{MARKER_KEY}"]',
            wrong=f"the annotation {MARKER_KEY!r} is the reconciler's own",
            expected="another key",
        )


DEPLOYMENT: Final = Kind(
    api_version="theta/v1",
    name="Deployment",
    type="theta",
    title="Theta EdgeCloud deployment",
    schema="theta-deployment.json",
    fields=DEPLOYMENT_FIELDS,
    # pod phase / what a probe of the endpoint says (theta §8); running is not ready
    phases={
        "Starting": Phase.PROGRESSING,
        "Pending": Phase.PROGRESSING,
        "Running/warming": Phase.PROGRESSING,
        "Running/ready": Phase.READY,
        "Succeeded": Phase.PROGRESSING,
        "Stopped": Phase.STOPPED,
        "Failed": Phase.FAILED,
        "Starting/late": Phase.DEGRADED,
        "Pending/late": Phase.DEGRADED,
        "Running/late": Phase.DEGRADED,
        "Unknown": Phase.UNKNOWN,
    },
    marker=MarkerSlot(carrier=f"annotations.{MARKER_KEY}", suffix_of="annotations.nickname"),
    live_name=None,
    live_id=NameRule(pattern=r"[0-9]+/[A-Za-z0-9]+", words="shard/suffix, as the list shows them: 2/a7253f07e2eec05c"),
    replace=ReplaceOrder.CREATE_FIRST,
    replace_orders=(ReplaceOrder.CREATE_FIRST, ReplaceOrder.DELETE_FIRST),
    replace_notice="The endpoint gets another URL, and files inside the container are lost.",
    replace_interruption="data-loss",
    delete_notice="The endpoint stops answering, and files inside the container are lost.",
    checks=(_one_template, _in_pairs, _ordered_replicas, _own_annotation),
    costs=(CostRule(item="vm_id", low="min_replicas", high="max_replicas"),),
    gpus=(CostRule(item="vm_id", low="min_replicas", high="max_replicas"),),
    wait=WaitFor.READY,
    timeout_s=900.0,
    poll_s=15.0,
    serial=True,
    likeness=("template", "deployment_template_id", "vm_id", "container_image"),
    named_by=("annotations.nickname", "template"),
    example={"template": "vLLM", "vm_id": "vm_gt1", "min_replicas": 1},
)

SETTINGS: Final = (
    Setting(
        name="endpoint",
        type="url",
        doc="Controller host (templates, deployments); `emulator` for the embedded emulator.",
        default=CONTROLLER,
        example=CONTROLLER,
    ),
    Setting(
        name="apiEndpoint",
        type="url",
        doc="API host (machines).",
        default=API_HOST,
        example=API_HOST,
    ),
    Setting(
        name="projectId",
        type="string",
        doc="The project that the key belongs to.",
        required=True,
        example="prj_v4bqyvvycsffhq17rxt0kued3dv7",
    ),
    Setting(
        name="apiKey",
        type="string",
        doc="API key of the project.",
        required=True,
        secret=True,
        example='{{ secret("THETA_API_KEY") }}',
    ),
    Setting(
        name="routeStyle",
        type="enum",
        doc="Spelling of the list and delete routes; auto learns it from the list.",
        default="auto",
        choices=("auto", "plural", "singular"),
        example="auto",
    ),
    Setting(
        name="imageCheck",
        type="enum",
        doc="Whether container_image must be one of the template's images; off for images that the template omits.",
        default="strict",
        choices=("strict", "off"),
        example="strict",
    ),
)
