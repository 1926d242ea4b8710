"""What the notebook API refuses, in the order of its sheet. Source: modelarts-notebooks §3, §10.2 (codes: §1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.emulator.modelarts.notebooks_catalogue import FLAVORS, profile_for

__all__ = ["MESSAGES", "Rejected", "check_create", "check_update"]

MESSAGES: Final = {
    102: "The workspace {} does not exist.",
    108: "You are not authorized to list the instances of other users.",
    6301: "The instance already exists.",
    6302: "The number of instances exceeds the limit.",
    6303: "The field {} cannot be used for sorting.",
    6304: "Stop the instance before deleting it.",
    6305: "The instance is already running.",
    6306: "The instance is starting.",
    6307: "The instance is already stopped.",
    6308: "The instance is stopping.",
    6309: "The instance does not exist.",
    6316: "The param storage is missing.",
    6317: "The param path is required for obs storage.",
    6318: "The param path needs to end with /.",
    6323: "The flavor {} is not supported.",
    6324: "The storage type {} is not supported.",
    6327: "The instance is not running.",
    6329: "The flavor {} is sold out.",
    6330: "The types of flavor {} and profile are different.",
    6332: "The type of param {} is incorrect.",
    6334: "The param {} contains characters that are not allowed.",
    6335: "The required property {} is missing.",
    6336: "The value of param {} is invalid.",
    6347: "In status {} the parameter {} cannot be modified.",
    6348: "The param duration is missing while auto stop is enabled.",
    6349: "The param duration is out of range.",
    6357: "Another operation is being performed on the instance, or it is already in the target state.",
    6358: "The param path cannot be the root of a bucket.",
    6360: "There are no background resources to start the instance.",
}
"""Texts of ours for the codes of the sheet; 6318 is the seed's."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]*")
_NAME_LIMIT: Final = 64
_DESCRIPTION: Final = re.compile(r"[^&<>\"'/\r\n]*")
_DESCRIPTION_LIMIT: Final = 512
_SECONDS: Final = range(3600, 86401)

_TYPES: Final = {
    "name": str,
    "description": str,
    "profile_id": str,
    "flavor": str,
    "spec": dict,
    "spec.storage": dict,
    "spec.storage.type": str,
    "spec.storage.location": dict,
    "spec.storage.location.path": str,
    "spec.extend_storage": list,
    "spec.auto_stop": dict,
    "spec.auto_stop.enable": bool,
    "spec.auto_stop.duration": int,
    "spec.auto_stop.prompt": bool,
    "spec.annotations": dict,
    "workspace": dict,
    "workspace.id": str,
    "pool": dict,
    "pool.id": str,
    "pool.type": str,
    "pool.name": str,
    "pool.owner": dict,
    "pool.owner.project_id": str,
    "ai_project": dict,
    "ai_project.id": str,
}
"""Every parameter of a create, with its JSON type. `spec.annotations` and storage items are looked at below."""

_UPDATE_TYPES: Final = {
    name: kind for name, kind in _TYPES.items() if name == "description" or name.startswith("spec.auto_stop")
} | {"spec": dict}


class Rejected(Exception):
    """A refusal: the number of the `ModelArts.` code, and what its text names."""

    def __init__(self, code: int, *named: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        text = MESSAGES.get(code, "The request is refused.")
        self.message = text.format(*named) if named else text


def check_create(body: Any, *, leading_slash: bool, strict: bool) -> None:
    """Look at a create request alone: types, required, characters, lengths, storage, auto-stop, flavor and profile.

    Raises:
        Rejected: with the first code in the order of §10.2.
    """
    _check_types(body, _TYPES, strict=strict)
    _check_items(body)
    _check_required(body)
    _check_texts(body)
    _check_storage(body["spec"]["storage"], "obs", leading_slash=leading_slash)
    for storage in body["spec"].get("extend_storage") or ():
        _check_storage(storage, "obsfs", leading_slash=leading_slash)
    _check_auto_stop(body["spec"].get("auto_stop") or {})
    _check_flavor(body)


def check_update(body: Any, *, strict: bool) -> None:
    """Look at an update request alone.

    Raises:
        Rejected: with the first code in the order of §10.2.
    """
    _check_types(body, _UPDATE_TYPES, strict=strict)
    _check_texts(body)
    _check_auto_stop(((body.get("spec") or {}).get("auto_stop")) or {})


def _check_types(body: Any, types: Mapping[str, type], *, strict: bool) -> None:
    if not isinstance(body, dict):
        raise Rejected(6332, "body")
    for name, value in _walk(body, types):
        expected = types.get(name)
        if expected is None:
            if strict:
                raise Rejected(6336, name)
            continue
        fits = isinstance(value, expected) and not (expected is int and isinstance(value, bool))
        if value is not None and not fits:
            raise Rejected(6332, name)


def _walk(body: Mapping[str, Any], types: Mapping[str, type], above: str = "") -> Iterable[tuple[str, Any]]:
    """(dotted name, value) of everything in the request; free maps and lists are not entered."""
    for key, value in body.items():
        name = f"{above}{key}"
        yield name, value
        if isinstance(value, dict) and types.get(name) is dict and name != "spec.annotations":
            yield from _walk(value, types, f"{name}.")


def _check_items(body: Mapping[str, Any]) -> None:
    spec = body.get("spec") or {}
    for value in (spec.get("annotations") or {}).values():
        if not isinstance(value, str):
            raise Rejected(6332, "spec.annotations")
    for item in spec.get("extend_storage") or ():
        if not isinstance(item, dict) or not isinstance(item.get("location") or {}, dict):
            raise Rejected(6332, "spec.extend_storage")


def _check_required(body: Mapping[str, Any]) -> None:
    for name in ("name", "profile_id", "flavor", "spec"):
        if not body.get(name):
            raise Rejected(6335, name)
    storage = body["spec"].get("storage")
    if not storage:
        raise Rejected(6316)
    if body.get("pool") is not None and not body["pool"].get("id"):
        raise Rejected(6335, "pool.id")
    for item in (storage, *(body["spec"].get("extend_storage") or ())):
        if not item.get("type"):
            raise Rejected(6335, "type")
        if not (item.get("location") or {}).get("path"):
            raise Rejected(6317)


def _check_texts(body: Mapping[str, Any]) -> None:
    name, description = body.get("name") or "", body.get("description") or ""
    if not _NAME.fullmatch(name):
        raise Rejected(6334, "name")
    if not _DESCRIPTION.fullmatch(description):
        raise Rejected(6334, "description")
    if len(name) > _NAME_LIMIT:
        raise Rejected(6336, "name")
    if len(description) > _DESCRIPTION_LIMIT:
        raise Rejected(6336, "description")


def _check_storage(storage: Mapping[str, Any], expected: str, *, leading_slash: bool) -> None:
    if storage["type"] != expected:
        raise Rejected(6324, storage["type"])
    path = storage["location"]["path"]
    if not path.endswith("/"):
        raise Rejected(6318)
    if path.startswith("obs://") or (leading_slash and not path.startswith("/")):
        raise Rejected(6336, "path")
    if len([part for part in path.split("/") if part]) < 2:  # noqa: PLR2004 - a bucket and a folder
        raise Rejected(6358)


def _check_auto_stop(auto_stop: Mapping[str, Any]) -> None:
    duration = auto_stop.get("duration")
    if auto_stop.get("enable") and duration is None:
        raise Rejected(6348)
    if duration is not None and duration not in _SECONDS and auto_stop.get("enable"):
        raise Rejected(6349)


def _check_flavor(body: Mapping[str, Any]) -> None:
    flavor = FLAVORS.get(body["flavor"])
    if flavor is None:
        raise Rejected(6323, body["flavor"])
    profile = profile_for(body["profile_id"])
    if profile is None:
        raise Rejected(6336, "profile_id")
    if not profile.fits(flavor):
        raise Rejected(6330, flavor.name)
    if flavor.status == "soldOut" and not flavor.is_free:
        raise Rejected(6329, flavor.name)
