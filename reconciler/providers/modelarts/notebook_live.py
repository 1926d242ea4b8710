"""A notebook instance as the API shows it, brought to the shape of our `spec`. Source: modelarts-notebooks §4, §8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.diff.live import Live, split_marker
from reconciler.fields import Phase
from reconciler.fields.normalise import empty_to_none
from reconciler.problems import ProviderError
from reconciler.providers.http import one_line
from reconciler.providers.modelarts.notebook_kind import NOTEBOOK

__all__ = ["is_tombstone", "lacks_spec", "to_live"]

_SERVER_ANNOTATIONS: Final = frozenset({"target_domain", "url"})
_AUTO_STOP: Final = ("enable", "duration", "prompt")
_DURATION: Final = "spec.auto_stop.duration"
_RUN_STATES: Final = {
    "RUNNING": "running",
    "CREATE_QUEUING": "running",
    "CREATING": "running",
    "START_QUEUING": "running",
    "STARTING": "running",
    "RESTARTING": "running",
    "STOPPING": "stopped",
    "STOPPED": "stopped",
    "START_FAILED": "stopped",
    "READY_TO_START": "stopped",
}
"""Where a status is, or is heading: an instance that starts needs no second start. Source: §8."""


def lacks_spec(item: Mapping[str, Any]) -> bool:
    """Whether a list item must be read in detail, because `spec.storage` was left out. Source: §4 inferred."""
    return not _mapping(_mapping(item.get("spec")).get("storage"))


def is_tombstone(item: Mapping[str, Any]) -> bool:
    """Whether the item only tells that something is gone (`DELETED`). Source: §5."""
    return NOTEBOOK.phase(str(item.get("status"))) is Phase.GONE


def to_live(item: Mapping[str, Any], provider: str) -> Live:
    """One instance as a `Live`; whatever our spec has no field for, secrets among it, is left behind.

    Raises:
        ProviderError: for an item without id.
    """
    live_id, name = str(item.get("id") or ""), str(item.get("name") or "")
    if not live_id:
        raise ProviderError(f"{provider}: an instance without id ({one_line(name, 80)})", code="not-json")
    text, marker = split_marker(str(item.get("description") or ""))
    status = str(item.get("status") or "")
    auto_stop = _mapping(_mapping(item.get("spec")).get("auto_stop"))
    return Live(
        kind=NOTEBOOK,
        provider=provider,
        id=live_id,
        name=name,
        spec=_compact({"description": text, **_profile(_mapping(item.get("profile"))), **_spec(item)}),
        hidden=frozenset() if auto_stop.get("enable") else frozenset({_DURATION}),
        phase=NOTEBOOK.phase(status),
        status=status,
        reason=_reason(item),
        marker=marker,
        outputs={"id": live_id, "name": name},
        created_by=str(_mapping(item.get("user")).get("id") or ""),
        run_state=_run_state(status, auto_stop),
    )


def _profile(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile under all names that a person may have asked for it by. Source: §4 (profile_id rules 2, 3)."""
    name = str(profile.get("name") or "")
    suffix = f"-{str(profile.get('flavor_type') or '').casefold()}"
    variant = ""
    if suffix in {"-cpu", "-gpu"}:
        variant = name[: -len(suffix)] if name.casefold().endswith(suffix) else f"{name}{suffix}"
    return {"profile_id": profile.get("id"), "profile_name": name, "profile_variant": variant}


def _spec(item: Mapping[str, Any]) -> dict[str, Any]:
    spec, pool = _mapping(item.get("spec")), _mapping(item.get("pool"))
    auto_stop = dict(_mapping(spec.get("auto_stop")))
    if not auto_stop.get("enable"):
        auto_stop.pop("duration", None)  # an unused one: the API may keep or drop it
    extended = spec.get("extend_storage")
    annotations = _mapping(spec.get("annotations"))
    return {
        "flavor": item.get("flavor"),
        "spec": {
            "storage": _storage(_mapping(spec.get("storage"))),
            "extend_storage": [_storage(_mapping(one)) for one in extended] if isinstance(extended, list) else None,
            "auto_stop": {key: auto_stop.get(key) for key in _AUTO_STOP},
            "annotations": {key: text for key, text in annotations.items() if key not in _SERVER_ANNOTATIONS},
        },
        "pool": {
            "id": pool.get("id"),
            "type": pool.get("type"),
            "name": pool.get("name"),
            "owner": {"project_id": _mapping(pool.get("owner")).get("project_id")},
        },
        "ai_project": {"id": _mapping(item.get("ai_project")).get("id")},
    }


def _storage(storage: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": storage.get("type"),
        "location": {"path": _mapping(storage.get("location")).get("path")},
    }


def _run_state(status: str, auto_stop: Mapping[str, Any]) -> str:
    """Stopped while the automatic stop is on says nothing: nobody can tell who stopped it, so it is no drift. §8."""
    return "" if status == "STOPPED" and auto_stop.get("enable") else _RUN_STATES.get(status, "")


def _reason(item: Mapping[str, Any]) -> str:
    """Why it failed, how long its queue still is, or why it may stand still. Source: §4, §8."""
    failed = _mapping(_mapping(item.get("spec")).get("failed_reasons"))
    code = failed.get("code") or item.get("error_code")
    words = " ".join(str(part) for part in (code, failed.get("message")) if part)
    if words:
        return one_line(words)
    queue = _mapping(item.get("queuing_info"))
    if queue.get("rank") is not None:
        return one_line(f"in the queue at place {queue['rank']}, about {queue.get('remain_time', '?')} s left")
    auto_stop = _mapping(_mapping(item.get("spec")).get("auto_stop"))
    return "auto-stopped, or stopped by hand" if item.get("status") == "STOPPED" and auto_stop.get("enable") else ""


def _compact(value: Any) -> Any:
    """The same without null, `""`, `[]` and `{}`, all the way down."""
    if isinstance(value, Mapping):
        inner = {key: _compact(item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if empty_to_none(item) is not None}
    if isinstance(value, list):
        return [_compact(item) for item in value]
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
