"""The kind `modelarts/v1` Notebook: its facts, and its rules across fields. Source: notebooks §§3, 6, 7, 8."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.fields import CostRule, Finding, Kind, MarkerSlot, NameRule, Phase, ReplaceOrder
from reconciler.providers.modelarts.doubt_checks import NOTEBOOK_DOUBTS
from reconciler.providers.modelarts.notebook_fields import FIELDS

__all__ = ["NOTEBOOK"]

_FOLDER: Final = re.compile(r"/[^/]+/([^/]+/)+")
_EXAMPLE_PATH: Final = "/my-bucket/notebooks/"
_CONTAINER: Final = (
    "everything that lives only in the container is lost (installed packages, running kernels), and the notebook's id "
    "and address change; files in object storage stay"
)


# Paths begin at the document's root here: the notebook's own `spec` lies in ours.


def _check_storage(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """Object storage needs a folder inside a bucket. Source: §3 seed, §1 (6317, 6318, 6358)."""
    definition = _mapping(_mapping(document.get("spec")).get("spec"))
    storage = definition.get("storage")
    if isinstance(storage, Mapping):
        yield from _check_path(storage, "spec.spec.storage")
    seen: dict[str, str] = {}
    for index, item in enumerate(_list(definition.get("extend_storage"))):
        if isinstance(item, Mapping):
            yield from _check_path(item, f"spec.spec.extend_storage[{index}]")
            yield from _check_twice(item, f"spec.spec.extend_storage[{index}].location.path", seen)


def _check_path(storage: Mapping[str, Any], where: str) -> Iterable[Finding]:
    location = storage.get("location")
    if location is None or (isinstance(location, Mapping) and location.get("path") in (None, "")):
        yield Finding(
            code="missing-field",
            path=f"{where}.location" if location is None else f"{where}.location.path",
            wrong="location.path is missing" if location is None else "path is missing",
            expected=f"a folder inside a bucket, such as {_EXAMPLE_PATH}",
        )
        return
    path = location.get("path") if isinstance(location, Mapping) else None
    if not isinstance(path, str) or _FOLDER.fullmatch(path):
        return
    wrong, fixed = _what_is_wrong(path)
    yield Finding(
        code="obs-path",
        path=f"{where}.location.path",
        wrong=wrong,
        expected=f"a folder inside a bucket with / at both ends, such as {_EXAMPLE_PATH}",
        nearest=fixed if _FOLDER.fullmatch(fixed) else "",
    )


def _check_twice(storage: Mapping[str, Any], place: str, seen: dict[str, str]) -> Iterable[Finding]:
    """The path is what tells one further storage from another. Source: §4 inferred."""
    path = _mapping(storage.get("location")).get("path")
    first = seen.setdefault(path, place) if isinstance(path, str) else place
    if first != place:
        yield Finding(
            code="duplicate-item",
            path=place,
            wrong=f"extend_storage has the path {path!r} twice",
            expected="each path once",
            others=(first,),
        )


def _what_is_wrong(path: str) -> tuple[str, str]:
    """(what to say, the path that was most likely meant)."""
    bare = path.removeprefix("obs://")
    fixed = "/" + "/".join(part for part in bare.split("/") if part) + "/"
    if bare != path:
        return f"{path!r} is an obs:// address", fixed
    if not path.startswith("/"):
        return f"{path!r} does not begin with /", fixed
    if fixed.count("/") <= 2:  # noqa: PLR2004 - a bucket alone has a slash on each side
        return f"{path!r} is the root of a bucket", ""
    if not path.endswith("/"):
        return f"{path!r} does not end with /", fixed
    return f"{path!r} has an empty folder name", fixed


def _check_auto_stop(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """Who switches the automatic stop on says after how long. Source: §3 seed, §1 (6348)."""
    auto_stop = _mapping(_mapping(_mapping(document.get("spec")).get("spec")).get("auto_stop"))
    if auto_stop.get("enable") is True and auto_stop.get("duration") is None:
        yield Finding(
            code="missing-field",
            path="spec.spec.auto_stop.duration",
            wrong="duration is missing while enable is true",
            expected="seconds from 3600 to 86400, such as duration: 3600",
        )


def _check_pool(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """Further storage exists in dedicated pools only. Source: §3 seed, inferred."""
    spec = _mapping(document.get("spec"))
    if _list(_mapping(spec.get("spec")).get("extend_storage")) and not spec.get("pool"):
        yield Finding(
            code="missing-field",
            path="spec.spec.extend_storage",
            wrong="extend_storage without a dedicated resource pool",
            expected="pool: {id: ...}; the shared pool takes no further storage",
        )


def _check_description(document: Mapping[str, Any], _settings: Mapping[str, Any]) -> Iterable[Finding]:
    """One line: whether the API takes more is not known. Source: §3 inferred; the other characters are the schema's."""
    text = _mapping(document.get("spec")).get("description")
    if isinstance(text, str) and not text.isprintable():
        yield Finding(
            code="bad-text",
            path="spec.description",
            wrong="description has a line break or another control character",
            expected="one line of text",
        )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


NOTEBOOK: Final = Kind(
    api_version="modelarts/v1",
    name="Notebook",
    type="modelarts",
    title="ModelArts notebook",
    schema="modelarts-notebook.json",
    sheet="modelarts-notebooks",
    fields=FIELDS,
    phases={
        "CREATE_QUEUING": Phase.PROGRESSING,
        "START_QUEUING": Phase.PROGRESSING,
        "READY_TO_START": Phase.PROGRESSING,
        "CREATING": Phase.PROGRESSING,
        "STARTING": Phase.PROGRESSING,
        "RESTARTING": Phase.PROGRESSING,
        "STOPPING": Phase.PROGRESSING,
        "RESIZING": Phase.PROGRESSING,
        "INIT": Phase.PROGRESSING,
        "SNAPSHOTTING": Phase.PROGRESSING,
        "RUNNING": Phase.READY,
        "STOPPED": Phase.STOPPED,
        "CREATE_FAILED": Phase.FAILED,
        "START_FAILED": Phase.FAILED,
        "RESIZE_FAILED": Phase.FAILED,
        "DELETE_FAILED": Phase.FAILED,
        "ERROR": Phase.FAILED,
        "UNAVAILABLE": Phase.DEGRADED,
        "FROZEN": Phase.DEGRADED,
        "DELETING": Phase.GOING,
        "DELETED": Phase.GONE,
    },
    marker=MarkerSlot(carrier="description", suffix_of="description", room=512, can_change=True),
    live_name=NameRule(pattern=r"[A-Za-z0-9_-]{1,64}", words="1 to 64 letters, digits, - and _"),
    live_id=NameRule(
        pattern=r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9-]{7,63}",
        words="the instance's id, such as DE-a970f5d4-7b26-11eb-91ca-0255ac10003b",
    ),
    replace=ReplaceOrder.DELETE_FIRST,
    replace_orders=(ReplaceOrder.DELETE_FIRST,),
    replace_notice=f"The notebook is stopped, deleted and made again: {_CONTAINER}.",
    replace_interruption="data-loss",
    delete_notice="The notebook is stopped and deleted; files in object storage stay.",
    checks=(_check_storage, _check_auto_stop, _check_pool, _check_description, *NOTEBOOK_DOUBTS),
    costs=(CostRule(item="flavor"),),
    run_states=("running", "stopped"),
    poll_s=10.0,
    degraded_s=60.0,  # UNAVAILABLE, FROZEN: an operator's work, as a rule
    example={
        "profile_id": "Multi-Engine 1.0 (python3)-cpu",
        "flavor": "modelarts.vm.cpu.2u",
        "spec": {"storage": {"type": "obs", "location": {"path": _EXAMPLE_PATH}}},
    },
)
