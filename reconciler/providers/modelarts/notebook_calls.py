"""The writes that a change of a notebook takes. Pure. Source: modelarts-notebooks §2, §3, §6, §8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.diff.change import Action, Call, CallOp, Change, Repeat
from reconciler.diff.live import append_marker
from reconciler.fields import Phase
from reconciler.providers.modelarts.notebook_kind import NOTEBOOK
from reconciler.spec.values import Composite, is_pending

__all__ = ["notebook_calls"]

_STABLE: Final = frozenset({Phase.READY, Phase.STOPPED, Phase.FAILED})
_STILL: Final = frozenset({Phase.STOPPED, Phase.FAILED})
_HEADING_UP: Final = frozenset({"CREATING", "STARTING", "RESTARTING", "RESIZING", "INIT"})
"""These end as RUNNING or as failed, so a delete has a stop before it. Source: §8."""
_QUEUED: Final = frozenset({"CREATE_QUEUING", "START_QUEUING", "READY_TO_START"})
"""These are deleted as they are. Source: §8 inferred."""
_NEW_ID: Final = "{id}"
"""Stands for the id that a create will tell, in the path and target of the calls after it."""


def notebook_calls(change: Change, marker: str, *, base: str, workspace_id: str) -> tuple[Call, ...]:
    """The writes of one change, in order; `base` is the path of the collection."""
    if change.action is Action.CREATE:
        create = _create(change, marker, base, workspace_id)
        stop = _stop(_NEW_ID, f"{base}/{_NEW_ID}", when=_STABLE)  # a create starts by itself
        return (create, stop) if _wanted_state(change) == "stopped" else (create,)
    one = f"{base}/{change.live_id}"
    if change.action is Action.DELETE:
        return _delete(change, one)
    if change.action not in {Action.UPDATE, Action.ADOPT}:
        return ()
    body = _update_body(change, marker)
    calls = []
    if body:
        calls.append(_update(change, one, body))
    if change.run_state == "running" or (body and _is_owed_a_start(change)):
        calls.append(_start(change, one))  # after the PUT: a new duration counts from this start
    elif change.run_state == "stopped":
        calls.append(_stop(change.live_id, one, when=_STABLE))
    return tuple(calls)


def _create(change: Change, marker: str, base: str, workspace_id: str) -> Call:
    spec = dict(change.desired.spec) if change.desired else {}
    name = change.desired.live_name if change.desired else ""
    text = _marked(spec.pop("description", ""), marker)
    return Call(
        op=CallOp.CREATE,
        method="POST",
        path=base,
        body={"name": name, "description": text, **spec, "workspace": {"id": workspace_id}},
        repeat=Repeat.AFTER_READ,
        summary=f"POST notebook {name}",
    )


def _update(change: Change, one: str, body: Mapping[str, Any]) -> Call:
    sections = [name for name in ("description", "spec.auto_stop") if name.partition(".")[0] in body]
    return Call(
        op=CallOp.UPDATE,
        method="PUT",
        path=one,
        body=body,
        target=change.live_id,
        repeat=Repeat.YES,
        when=_STABLE,
        summary=f"PUT {', '.join(sections)}",
    )


def _update_body(change: Change, marker: str) -> dict[str, Any]:
    """Only what changes, but `auto_stop` whole: whether the API merges is not known. Source: §6."""
    body: dict[str, Any] = {}
    desired = change.desired.spec if change.desired else {}
    live = change.live.spec if change.live else {}
    described = any(field.path.segments[:1] == ("description",) for field in change.fields)
    if described or change.action is Action.ADOPT:
        text = desired.get("description") if described else live.get("description")
        body["description"] = _marked(text or "", marker)
    if any(field.path.segments[:2] == ("spec", "auto_stop") for field in change.fields):
        body["spec"] = {"auto_stop": _auto_stop(change, desired, live)}
    return body


def _auto_stop(change: Change, desired: Mapping[str, Any], live: Mapping[str, Any]) -> dict[str, Any]:
    """Wanted values first; what was never ours stays as it is; what was taken out of the spec goes to its default."""
    defaults = {"enable": False, "prompt": True}
    removed = {field.path.segments[-1] for field in change.fields if field.removed}
    wanted, present = (dict(spec.get("spec", {}).get("auto_stop") or {}) for spec in (desired, live))
    kept = {key: value for key, value in present.items() if key not in removed}
    return {**defaults, **kept, **{key: value for key, value in wanted.items() if value is not None}}


def _is_owed_a_start(change: Change) -> bool:
    """An auto-stopped one that should run is started along with another change, never on its own. Source: §8."""
    return _wanted_state(change) == "running" and change.live is not None and change.live.phase is Phase.STOPPED


def _wanted_state(change: Change) -> str:
    return change.desired.lifecycle.run_state if change.desired else ""


def _start(change: Change, one: str) -> Call:
    return Call(
        op=CallOp.START,
        method="POST",
        path=f"{one}/action",
        body={"action": "start"},
        target=change.live_id,
        repeat=Repeat.AFTER_READ,
        when=_STILL | {Phase.READY},
        until=frozenset({Phase.READY}),
        summary="POST action start",
    )


def _stop(live_id: str, one: str, *, when: frozenset[Phase], until: frozenset[Phase] = frozenset()) -> Call:
    return Call(
        op=CallOp.STOP,
        method="POST",
        path=f"{one}/action",
        body={"action": "stop"},
        target=live_id,
        repeat=Repeat.AFTER_READ,
        when=when,
        until=until or frozenset({Phase.STOPPED}),
        summary="POST action stop",
    )


def _delete(change: Change, one: str) -> tuple[Call, ...]:
    """RUNNING: stop, wait, delete (6304 otherwise). Passing: wait first. Queued, failed, stopped: at once. §8."""
    status = change.live.status if change.live else ""
    phase = NOTEBOOK.phase(status)
    at_once = phase not in {Phase.READY, Phase.PROGRESSING} or status in _QUEUED
    delete = Call(
        op=CallOp.DELETE,
        method="DELETE",
        path=one,
        target=change.live_id,
        repeat=Repeat.YES,
        when=frozenset() if at_once else _STILL,
        summary="DELETE notebook",
    )
    if phase is Phase.READY or status in _HEADING_UP:
        return _stop(change.live_id, one, when=_STABLE, until=_STILL), delete
    return (delete,)


def _marked(text: Any, marker: str) -> Any:
    """A description with the marker at its end, also when a part of it is not known yet."""
    if not marker:
        return text
    if is_pending(text):
        parts = text.parts if isinstance(text, Composite) else (text,)
        return Composite((*parts, f" [{marker}]"))
    return append_marker(str(text), marker)
