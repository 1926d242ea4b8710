"""What the API does with each field of a deployment. Literals only. Source: providers/theta.md §§3, 4, 5.

No update endpoint is documented, so every field forces a replace (§7).
"""

from __future__ import annotations

from typing import Final

from reconciler.fields import REPLACE, FieldRule, Secret, Seen

__all__ = ["DEPLOYMENT_FIELDS"]

DEPLOYMENT_FIELDS: Final = (
    FieldRule(
        path="template",
        change=REPLACE,
        seen=Seen.LIST,
        live="TemplateName",
        instead_of="deployment_template_id",
        source="theta §4 seed",
    ),
    # The list tells the name; the catalogue knows its id, when only one template has it.
    FieldRule(
        path="deployment_template_id",
        change=REPLACE,
        seen=Seen.LIST,
        live="TemplateName",
        instead_of="template",
        source="theta §4 seed",
    ),
    FieldRule(
        path="container_image",
        change=REPLACE,
        seen=Seen.LIST,
        live="ImageURL",
        normalise="image",
        source="theta §4 seed",
    ),
    FieldRule(path="registry_username", change=REPLACE, seen=Seen.NEVER, source="theta §5 seed"),
    FieldRule(
        path="registry_password",
        change=REPLACE,
        seen=Seen.NEVER,
        secret=Secret.ALWAYS,
        source="theta §5 seed",
    ),
    FieldRule(path="vm_id", change=REPLACE, seen=Seen.LIST, live="MachineType", source="theta §4 seed"),
    FieldRule(
        path="min_replicas",
        change=REPLACE,
        seen=Seen.LIST,
        live="Replicas",
        bounds=("min_replicas", "max_replicas"),
        source="theta §4 inferred",
    ),
    # Absent means the same as min_replicas; the call always sends it.
    FieldRule(
        path="max_replicas", change=REPLACE, seen=Seen.NEVER, default_from="min_replicas", source="theta §5 seed"
    ),
    # The template may add more; an item that shows none tells nothing.
    FieldRule(
        path="env_vars",
        change=REPLACE,
        seen=Seen.LIST,
        live="EnvVars, EnvVarsString",
        secret=Secret.BY_REFERENCE,
        source="theta §4 inferred",
    ),
    # Whether keys beside nickname are kept and shown is unknown: one that is missing proves nothing.
    FieldRule(
        path="annotations",
        change=REPLACE,
        seen=Seen.SOMETIMES,
        live="Annotations",
        secret=Secret.BY_REFERENCE,
        source="theta §6 unknown",
    ),
    FieldRule(
        path="annotations.nickname",
        change=REPLACE,
        seen=Seen.SOMETIMES,
        live="Annotations.nickname",
        secret=Secret.BY_REFERENCE,
        source="theta §3 seed",
    ),
    FieldRule(
        path="auth_username",
        change=REPLACE,
        seen=Seen.SOMETIMES,
        live="AuthUsername",
        source="theta §5 public",
    ),
    # Newer lists show it in clear; we never keep it.
    FieldRule(
        path="auth_password",
        change=REPLACE,
        seen=Seen.NEVER,
        goes_with="auth_username",
        live="AuthPassword",
        secret=Secret.ALWAYS,
        notice="Callers need the new password.",
        source="theta §5 public",
    ),
    # A salted hash in the container's arguments, never compared.
    FieldRule(
        path="password",
        change=REPLACE,
        seen=Seen.NEVER,
        secret=Secret.ALWAYS,
        source="theta §5 seed",
    ),
)
