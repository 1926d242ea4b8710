"""Codes that only the checks of this provider use."""

from __future__ import annotations

from typing import Final

from reconciler.codes import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="ambiguous-template",
        stage="theta/Deployment",
        meaning="Several templates have this name, standard or custom ones.",
        remedy="Write `deployment_template_id` (instead of `template`) with one of the ids in the message.",
    ),
    Code(
        code="unknown-template",
        stage="theta/Deployment",
        meaning="There is no such template in the catalogue of this project.",
        remedy="Take the nearest name that the message offers, or one of its list.",
    ),
    Code(
        code="unknown-image",
        stage="theta/Deployment",
        meaning="The template does not offer this image.",
        remedy=(
            "Take one of those in the message. `imageCheck: off` at the provider in reconciler.yaml skips the check."
        ),
    ),
    Code(
        code="unknown-machine",
        stage="theta/Deployment",
        meaning="There is no machine with this id in the catalogue.",
        remedy="Take one of the list in the message.",
        example="vm_id: vm_gt1",
    ),
    Code(
        code="small-machine",
        stage="theta/Deployment",
        meaning=(
            "The machine has fewer GPUs or less memory than each of those that its template suggests. A warning: it "
            "stops nothing."
        ),
        remedy="Take one of the machines in the message, or a larger one.",
        example="vm_id: vm_gt1",
    ),
    Code(
        code="needs-literal",
        stage="theta/Deployment",
        meaning=(
            "Template, machine and image must be known before the apply, because the catalogue is asked for them; "
            "`secret()` and `ref()` are not."
        ),
        remedy="Write the value itself, or a template over `values`.",
        example='vm_id: "{{ values.machine }}"',
    ),
    Code(
        code="needs-other-field",
        stage="theta/Deployment",
        meaning="A user name and its password go together, and only one of them is written.",
        remedy="Write both, or neither.",
        example="auth_username: ann\nauth_password: '{{ secret(\"CHAT_PASSWORD\") }}'",
    ),
)
