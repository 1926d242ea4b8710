"""What the controller refuses to create. Source: theta §3; the sentences are ours, the sheet has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.emulator.theta.catalogue import JUPYTER, machine

__all__ = ["KNOWN_FIELDS", "why_refused"]

_TEXTS: Final = (
    "project_id",
    "deployment_template_id",
    "container_image",
    "registry_username",
    "registry_password",
    "vm_id",
    "auth_username",
    "auth_password",
    "password",
)
_MAPS: Final = ("env_vars", "annotations")
_COUNTS: Final = ("min_replicas", "max_replicas")
KNOWN_FIELDS: Final = frozenset((*_TEXTS, *_MAPS, *_COUNTS))


def why_refused(body: Mapping[str, Any], template: Mapping[str, Any] | None) -> str:
    """One sentence, or an empty text when the request is good. `template` is the one that its id names, if any."""
    return _bad_type(body) or _missing(body) or _unknown(body, template) or _unfit(body, template or {})


def _bad_type(body: Mapping[str, Any]) -> str:
    for name in _TEXTS:
        if name in body and not isinstance(body[name], str):
            return f"{name} must be a string"
    for name in _COUNTS:
        if name in body and (not isinstance(body[name], int) or isinstance(body[name], bool)):
            return f"{name} must be an integer"
    for name in _MAPS:
        pairs = body.get(name, {})
        if not isinstance(pairs, Mapping) or not all(isinstance(value, str) for value in pairs.values()):
            return f"{name} must be an object of strings"
    return ""


def _missing(body: Mapping[str, Any]) -> str:
    for name in ("deployment_template_id", "vm_id", "min_replicas"):
        if body.get(name) in (None, ""):
            return f"{name} is required"
    if body["min_replicas"] < 1:
        return "min_replicas must be at least 1"
    if body.get("max_replicas", body["min_replicas"]) < body["min_replicas"]:
        return "max_replicas must not be less than min_replicas"
    return ""


def _unknown(body: Mapping[str, Any], template: Mapping[str, Any] | None) -> str:
    if template is None:
        return f"deployment template {body['deployment_template_id']} not found"
    if machine(body["vm_id"]) is None:
        return f"vm {body['vm_id']} not found"
    return ""


def _unfit(body: Mapping[str, Any], template: Mapping[str, Any]) -> str:
    images, image = template["container_images"], body.get("container_image")
    if image is None and len(images) > 1:
        return "container_image is required: the template has several"
    if image is not None and image not in images:
        return f"container_image {image} is not an image of the template"
    if template["require_env_vars"] and not body.get("env_vars"):
        return "env_vars are required by the template"
    if body.get("password") is not None and template["name"] != JUPYTER:
        return "password is only for Jupyter notebooks"
    return ""
