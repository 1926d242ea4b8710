"""Phases of a workload and of its revisions, computed from stored times and the emulated present.

Creating 2 s, Pending 3 s, Initializing 20 s, Running; a PATCH rolls out in 20 s; a delete takes 10 s. The switch
`outcomes` (`{workload name: word}`) scripts another course: `Failed`, `Degraded`, `Pending` (for ever), `Stopped`,
`abandon` (a roll-out that never gets ready). Source: runai §6, §8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.emulator.runai.replies import switch
from reconciler.emulator.runai.versions import NAME
from reconciler.emulator.store import Tx

__all__ = ["DELETE_S", "State", "is_gone", "revision_phases", "serving_since", "state_of"]

_CREATING_S: Final = 2.0
_READY_S: Final = 25.0
_FAILING_S: Final = 20.0
_ROLLOUT_S: Final = 20.0
DELETE_S: Final = 10.0
_STOP_S: Final = 5.0
_CREATED: Final = ((0.0, _CREATING_S, "Creating"), (_CREATING_S, 5.0, "Pending"), (5.0, _READY_S, "Initializing"))
_RESUMED: Final = ((0.0, 20.0, "Resuming"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a workload stands; `since` is when the phase began, in seconds since the epoch."""

    actual: str
    desired: str = "Running"
    message: str = ""
    reason: str = ""
    since: float = 0.0
    gone: bool = False


def is_gone(item: dict[str, Any], now: float) -> bool:
    """Whether a deleted workload has left."""
    return item["deleted"] is not None and now - item["deleted"] >= DELETE_S


def state_of(tx: Tx, item: dict[str, Any]) -> State:
    """Where it stands now."""
    if item["deleted"] is not None:
        return State(actual="Deleting", desired="Deleted", since=item["deleted"], gone=is_gone(item, tx.now))
    script = _script(tx, item)
    if item["stopped"] is not None or script == "Stopped":
        stopped = item["stopped"] if item["stopped"] is not None else item["created"]
        return State(actual="Stopping" if tx.now - stopped < _STOP_S else "Stopped", desired="Stopped", since=stopped)
    return _starting(tx, item, script) or _rolling(tx, item, script) or _running(item, script)


def serving_since(item: Mapping[str, Any]) -> float:
    """When its pods began to serve, or will, in seconds since the epoch."""
    begun: float = item["resumed"] if item["resumed"] is not None else item["created"]
    return begun + (_READY_S if item["resumed"] is None else _RESUMED[-1][1])


def revision_phases(tx: Tx, item: dict[str, Any]) -> list[tuple[dict[str, Any], str, str]]:
    """(revision, phase, message), oldest first."""
    revisions, script = item["revisions"], _script(tx, item)
    newest = revisions[-1]
    first = len(revisions) == 1
    if first:
        state = state_of(tx, item)
        return [(newest, state.actual, state.message)]
    if script == "abandon":
        failed = tx.now - newest["created"] >= _limit(tx)
        now, message = ("Failed", "The revision was not ready in time") if failed else ("Initializing", "")
    else:
        now, message = ("Running" if tx.now - newest["created"] >= _ROLLOUT_S else "Initializing"), ""
    serving = "Stopped" if now == "Running" else "Running"
    earlier = [(one, "Stopped", "") for one in revisions[:-2]]
    return [*earlier, (revisions[-2], serving, ""), (newest, now, message)]


def _script(tx: Tx, item: dict[str, Any]) -> str:
    outcomes = tx.switch(NAME, "outcomes")
    return str(outcomes.get(item["name"], "")) if isinstance(outcomes, dict) else ""


def _limit(tx: Tx) -> float:
    return float(switch(tx, "rolloutLimit"))


def _starting(tx: Tx, item: dict[str, Any], script: str) -> State | None:
    begun = item["resumed"] if item["resumed"] is not None else item["created"]
    age = tx.now - begun
    if script == "Pending" and age >= _CREATING_S:
        message = "Waiting for quota: requested GPUs exceed the project's limit"
        return State(actual="Pending", message=message, reason="OverLimit", since=begun + _CREATING_S)
    if script == "Failed" and age >= _FAILING_S:
        return State(actual="Failed", message="Back-off pulling image", since=begun + _FAILING_S)
    course = _RESUMED if item["resumed"] is not None else _CREATED
    for since, until, phase in course:
        if age < until:
            return State(actual=phase, since=begun + since)
    return None


def _rolling(tx: Tx, item: dict[str, Any], script: str) -> State | None:
    if len(item["revisions"]) == 1:
        return None
    since = item["revisions"][-1]["created"]
    age = tx.now - since
    if age < (_limit(tx) if script == "abandon" else _ROLLOUT_S):
        return State(actual=switch(tx, "patchPhase"), since=since)
    if script == "abandon":
        return State(
            actual="Running",
            message="The latest revision was not ready in time; traffic stays on the previous one",
            since=since + _limit(tx),
        )
    return None


def _running(item: dict[str, Any], script: str) -> State:
    begun = max(item["created"] + _READY_S, item["revisions"][-1]["created"] + _ROLLOUT_S)
    if script == "Degraded":
        return State(actual="Degraded", message="1 of 2 pods is not ready", since=begun)
    return State(actual="Running", since=begun)
