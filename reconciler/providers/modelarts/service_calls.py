"""The writes that a change of a service takes. Pure. Source: modelarts-services §2, §3, §6, §8."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.diff.change import Action, Call, CallOp, Change, Repeat
from reconciler.diff.live import append_marker
from reconciler.fields import FieldPath, Phase
from reconciler.problems import ProviderError
from reconciler.providers.modelarts.service_kind import SERVICE
from reconciler.spec.values import Composite, fill, is_pending

__all__ = ["safe_id", "service_calls"]

_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_NEW_ID: Final = "{id}"
"""Stands for the id that a create will tell, in the path and target of the calls after it."""
_STABLE: Final = frozenset({Phase.READY, Phase.DEGRADED, Phase.FAILED, Phase.STOPPED, Phase.FINISHED})
"""A PUT is for these only; otherwise wait. Source: §6 Rec."""
_RUNS: Final = frozenset({Phase.READY, Phase.DEGRADED, Phase.FINISHED})
_SECTIONS: Final = (
    "description",
    "config",
    "schedule",
    "additional_properties",
    "load_balancer_policy",
    "service_secrets",
    "priority",
)
"""What a PUT takes besides `status`. Source: §6."""
_MERGED: Final = ("envs", "additional_properties")
_KEPT: Final = ("deploy_timeout_in_seconds", "affinity")


def service_calls(change: Change, marker: str, *, base: str, workspace_id: str) -> tuple[Call, ...]:
    """The writes of one change, in order; `base` is the path of the collection.

    Raises:
        ProviderError: `rejected`, for an id that may not stand in a path, or a live description without room.
    """
    if change.action is Action.CREATE:
        create = _create(change, marker, base, workspace_id)
        stop = _status(_NEW_ID, f"{base}/{_NEW_ID}", "stopped")  # a create starts by itself
        return (create, stop) if change.run_state == "stopped" else (create,)
    one = f"{base}/{safe_id(change.live_id)}"
    if change.action is Action.DELETE:
        return (_delete(change, one),)
    if change.action not in {Action.UPDATE, Action.ADOPT}:
        return ()
    body = _update_body(change, marker)
    run_state = change.run_state or _state_to_repeat(change, body)
    calls = [_update(change, one, body, run_state)] if body else []
    # Never `status` beside other keys: the API would drop `config` without a word. Source: §6
    if run_state:
        calls.append(_status(change.live_id, one, run_state))
    return tuple(calls)


def _state_to_repeat(change: Change, body: Mapping[str, Any]) -> str:
    """A new `config` may start a service that should rest, nobody knows: so it is told to stop once more.

    That the same status is refused is no failure. Source: §6 unknown.
    """
    wanted = change.desired.lifecycle.run_state if change.desired else ""
    return "stopped" if wanted == "stopped" and "config" in body else ""


def safe_id(live_id: str) -> str:
    """An id that may stand in a path: a comma would make one delete several.

    Raises:
        ProviderError: `rejected`.
    """
    if _ID.fullmatch(live_id) is None:
        raise ProviderError(
            f"{live_id!r} is no service id (expected letters, digits and hyphens); nothing was sent", code="rejected"
        )
    return live_id


def _create(change: Change, marker: str, base: str, workspace_id: str) -> Call:
    desired = change.desired
    spec = _plain(desired.spec) if desired else {}
    name = desired.live_name if desired else ""
    body = {"service_name": name, **spec, "description": _marked(spec.get("description"), marker)}
    if workspace_id != "0":
        body["workspace_id"] = workspace_id
    return Call(
        op=CallOp.CREATE,
        method="POST",
        path=base,
        body=body,
        repeat=Repeat.AFTER_READ,
        summary=f"POST service {name}",
    )


def _update(change: Change, one: str, body: Mapping[str, Any], run_state: str) -> Call:
    """One PUT without `status`. A schedule starts its timer again, a batch may run again: look before repeating."""
    batch = change.desired is not None and change.desired.spec.get("infer_type") == "batch"
    once = "schedule" in body or (batch and "config" in body)
    return Call(
        op=CallOp.UPDATE,
        method="PUT",
        path=one,
        body=body,
        target=change.live_id,
        repeat=Repeat.AFTER_READ if once else Repeat.YES,
        when=_STABLE,
        # What comes after it must not meet a deployment.
        until=_STABLE if run_state else frozenset(),
        summary=f"PUT {', '.join(body)}",
    )


def _status(live_id: str, one: str, status: str) -> Call:
    """Start or stop. The same status again is refused, so it is looked at before it is repeated. Source: §6."""
    starts = status == "running"
    return Call(
        op=CallOp.START if starts else CallOp.STOP,
        method="PUT",
        path=one,
        body={"status": status},
        target=live_id,
        repeat=Repeat.AFTER_READ,
        when=_STABLE,
        until=_RUNS if starts else frozenset({Phase.STOPPED}),
        summary=f"PUT status {status}",
    )


def _delete(change: Change, one: str) -> Call:
    """No stop is needed first. Source: §8."""
    return Call(
        op=CallOp.DELETE,
        method="DELETE",
        path=one,
        target=change.live_id,
        repeat=Repeat.YES,
        summary="DELETE service",
    )


# -- the body of a PUT ------------------------------------------------------------------------------------------------


def _update_body(change: Change, marker: str) -> dict[str, Any]:
    """The sections that a changed field lies in, each whole. Absent sections stay as they are. Source: §6."""
    desired = _plain(change.desired.spec) if change.desired else {}
    live = change.live.spec if change.live else {}
    changed = {field.path.segments[0] for field in change.fields if field.path.segments}
    if change.run_state == "running" and desired.get("schedule"):
        changed.add("schedule")  # an old timer may be over, and then the start is refused. Source: §8 Rec
    body: dict[str, Any] = {}
    if "description" in changed or change.action is Action.ADOPT:
        text = desired.get("description") if "description" in changed else live.get("description")
        body["description"] = _marked(text, marker)
    if "config" in changed:
        body["config"] = [_element(item, change) for item in desired.get("config", ())]
    if "schedule" in changed:
        body["schedule"] = desired.get("schedule") or []
    if "additional_properties" in changed:
        applied = change.applied.spec.get("additional_properties") if change.applied else None
        wanted = desired.get("additional_properties")
        body["additional_properties"] = _over(live.get("additional_properties"), applied, wanted)
    for section in ("load_balancer_policy", "service_secrets", "priority"):
        if section in changed:
            body[section] = desired.get(section) or ([] if section == "service_secrets" else None)
    return {section: body[section] for section in _SECTIONS if body.get(section) is not None}


def _element(wanted: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """One full configuration: the desired one, what others set on the same model, and what the spec leaves alone.

    The API replaces the whole element, so whatever is not sent may be lost. Source: §6.
    """
    key = str(wanted.get("model_id"))
    live = _by_model(change.live.spec if change.live else {}, key)
    applied = _by_model(change.applied.spec if change.applied else {}, key)
    element = dict(wanted)
    for section in _MERGED:
        merged = _over(live.get(section), applied.get(section), wanted.get(section))
        if merged or section in wanted:
            element[section] = merged
    for field in _KEPT:
        if field not in wanted and field not in applied and field in live:
            element[field] = live[field]
    for path in change.desired.lifecycle.ignore_changes if change.desired else ():
        _leave_alone(element, live, path, key)
    return element


def _over(live: Any, applied: Any, wanted: Any) -> dict[str, Any]:
    """Desired entries, over live ones that were never ours: what we applied and no longer want goes."""
    ours = {*(applied or {}), *(wanted or {})}
    foreign = {key: value for key, value in (live or {}).items() if key not in ours}
    return {**foreign, **(wanted or {})}


def _leave_alone(element: dict[str, Any], live: Mapping[str, Any], path: FieldPath, model: str) -> None:
    """`ignoreChanges` on a field of a configuration: the live value goes along, or a whole PUT would reset it."""
    match path.segments:
        case ("config", each, field, *rest) if each in {"[*]", f"[{model}]"}:
            if not rest:
                _copy(element, live, field)
            elif len(rest) == 1 and isinstance(live.get(field), Mapping):
                element[field] = dict(element.get(field) or {})
                _copy(element[field], live[field], rest[0])


def _copy(target: dict[str, Any], live: Mapping[str, Any], field: str) -> None:
    if field in live:
        target[field] = live[field]


def _by_model(spec: Mapping[str, Any], model: str) -> Mapping[str, Any]:
    config: Sequence[Any] = spec.get("config") or ()
    return next((item for item in config if isinstance(item, Mapping) and str(item.get("model_id")) == model), {})


def _marked(text: Any, marker: str) -> Any:
    """The user's text with the marker at its end.

    Raises:
        ProviderError: `rejected`, when a live text of somebody else leaves no room for the marker.
    """
    if not marker:
        return text or ""
    if is_pending(text):
        parts = text.parts if isinstance(text, Composite) else (text,)
        return Composite((*parts, f" [{marker}]"))
    marked = append_marker(str(text or ""), marker)
    if len(marked) > SERVICE.marker.room:
        raise ProviderError(
            f"the description has no room for our marker: {len(marked)} characters together, the API takes "
            f"{SERVICE.marker.room} (write a shorter description in the spec); nothing was sent",
            code="rejected",
        )
    return marked


def _plain(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of maps and lists; references stay."""
    copy: dict[str, Any] = fill(spec, lambda reference: reference)
    return copy
