"""A service's life on the emulator's clock. A stored service holds the steps ahead of it; a look at it takes those due.

Source: modelarts-services §6, §8, §10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = [
    "QUEUED_S",
    "Timing",
    "begin_delete",
    "begin_deploy",
    "begin_stop",
    "note",
    "present",
    "refuses",
    "reschedule",
]

QUEUED_S: Final = 60.0
"""How long a service waits in `waiting` or `pending` when a switch asks for it."""

_MINUTES: Final = {"MINUTES": 1, "HOURS": 60, "DAYS": 1440}
_GONE: Final = "gone"

_WORDS: Final = {
    "deploying": "Start to deploy the service.",
    "running": "The service is deployed.",
    "concerning": "Some instances of the service are abnormal.",
    "failed": "Failed to deploy the service.",
    "stopping": "Stop the service.",
    "stopped": "The service is stopped.",
    "deleting": "Delete the service.",
    "finished": "The batch service is complete.",
    "waiting": "The service is queued.",
    "pending": "The service is queued: insufficient resources.",
}

_CONFIG: Final = frozenset({"running", "concerning", "failed", "stopped", "finished"})
_START: Final = frozenset({"failed", "stopped", "finished"})
_STOP: Final = frozenset({"deploying", "running", "concerning", "failed", "waiting", "pending"})
_TEXT: Final = frozenset(_WORDS) - {"deleting"}
_ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    "config": _CONFIG,
    "running": _START,
    "stopped": _STOP,
    "text": _TEXT,
}
"""What a PUT may do in which status. Source: §6, the table; where it is silent, a failed one stops and a finished one
doesn't."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds that things take; `stale_s`: how long the old status still shows after a PUT."""

    deploy_s: float
    batch_s: float
    stop_s: float
    delete_s: float
    stale_s: float


def present(doc: dict[str, Any], now: float) -> dict[str, Any] | None:
    """The service as it is now, or none when its deletion is through. The argument is changed and returned.

    What is stored stays: what the store gives is a copy. Another one took two thirds of a list of 2,500 services.
    """
    while doc["plan"] and doc["plan"][0]["at"] <= now:
        if doc["plan"][0]["status"] == _GONE:
            return None
        _take(doc, doc["plan"].pop(0))
    return doc


def refuses(doc: Mapping[str, Any], what: str) -> bool:
    """Whether the present status forbids it; `what` is `config`, `running`, `stopped` or `text`."""
    return doc["status"] not in _ALLOWED[what]


def begin_deploy(
    doc: dict[str, Any], now: float, timing: Timing, *, outcome: str = "", back_to: list[Any] | None = None, stale: bool
) -> None:
    """Deploy from now on: queued first if `outcome` says so, then `running` (a batch: until it is finished) or worse.

    `back_to` is the configuration to which a failing update rolls back.
    """
    start = now + (timing.stale_s if stale else 0.0)
    plan = []
    if outcome in {"waiting", "pending"}:
        plan.append(_step(start, outcome))
        start += QUEUED_S
    plan.append(_step(start, "deploying"))
    done = start + timing.deploy_s
    if outcome == "failed":
        error = "Failed to start the container: health check failed."
        plan.append(_step(done, "failed", error_msg=error))
    elif outcome == "concerning":
        plan.append(_step(done, "concerning"))
    elif back_to is not None:
        plan.append(_step(done, "running", config=back_to, info="The update failed and was rolled back."))
    else:
        plan.append(_step(done, "running"))
        if doc["fields"]["infer_type"] == "batch":
            plan.append(_step(done + timing.batch_s, "finished"))
    doc["plan"] = plan
    doc.pop("finished", None)
    if plan[-1]["status"] == "running":
        _plan_auto_stop(doc, done, now)
    _take_due(doc, now)


def begin_stop(doc: dict[str, Any], now: float, timing: Timing) -> None:
    """Stop from now on."""
    start = now + timing.stale_s
    doc["plan"] = [_step(start, "stopping"), _step(start + timing.stop_s, "stopped")]
    _take_due(doc, now)


def begin_delete(doc: dict[str, Any], now: float, timing: Timing) -> None:
    """Delete from now on; the name stays taken until the end."""
    doc["plan"] = [_step(now, "deleting"), _step(now + timing.delete_s, _GONE)]
    _take_due(doc, now)


def reschedule(doc: dict[str, Any], now: float) -> None:
    """A new `schedule` (or none) of a service: the timer of a running one starts again."""
    doc["plan"] = [step for step in doc["plan"] if not step.get("timer")]
    doc.pop("due", None)
    doc.pop("last_due", None)
    if doc["status"] == "running" and not doc["plan"]:
        _plan_auto_stop(doc, now, now)
    elif doc["plan"] and doc["plan"][-1]["status"] == "running":
        _plan_auto_stop(doc, doc["plan"][-1]["at"], now)


def note(doc: dict[str, Any], at: float, info: str, kind: str = "normal") -> None:
    """An entry of `GET /events`."""
    doc["events"].append([at, kind, info])


def _plan_auto_stop(doc: dict[str, Any], running_at: float, now: float) -> None:
    schedule = doc["fields"].get("schedule") or []
    if not schedule:
        return
    due = doc.get("due") or 0.0
    if due <= now:
        due = running_at + schedule[0]["duration"] * _MINUTES[schedule[0]["time_unit"]] * 60.0
    doc["due"] = due
    info = "The service stops when the auto stop time expires."
    doc["plan"].append(_step(max(due, running_at), "stopped", info=info, timer=True))


def _step(at: float, status: str, **more: Any) -> dict[str, Any]:
    return {"at": at, "status": status, **more}


def _take_due(doc: dict[str, Any], now: float) -> None:
    while doc["plan"] and doc["plan"][0]["at"] <= now and doc["plan"][0]["status"] != _GONE:
        _take(doc, doc["plan"].pop(0))


def _take(doc: dict[str, Any], step: Mapping[str, Any]) -> None:
    status, at = step["status"], step["at"]
    doc["status"], doc["transition"] = status, at
    doc["error_msg"] = step.get("error_msg", "")
    if "config" in step:
        doc["config"] = step["config"]
    if doc["logs"] and status in {"failed", "running"} and doc["logs"][-1][1] == "RUNNING":
        doc["logs"][-1][1] = "FAIL" if status == "failed" or "config" in step else "SUCCESS"
    if status == "running":
        doc["published"] = at
        doc["start"] = at
        for node in doc["nodes"]:
            doc["nodes"][node] = "running"
    if status == "finished":
        doc["finished"] = at
    if status == "stopped":
        doc["last_due"] = doc.pop("due", None)
    abnormal = status in {"failed", "concerning"} or "config" in step
    note(doc, at, step.get("info") or step.get("error_msg") or _WORDS[status], "abnormal" if abnormal else "normal")
