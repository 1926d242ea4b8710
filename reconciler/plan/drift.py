"""What has moved behind the spec's back: each resource's states, what nobody manages, and how much we answer for. Pure.

| state | what it says | ends with exit 2 |
| --- | --- | --- |
| drifted | a field, or the ownership marker, is not as it was applied | always |
| vanished | we made it, it is desired, and it is not there | always |
| run-state | it was applied running (or stopped), and somebody changed that | always |
| failed, unhealthy | the provider says so; or it is stopped, and nobody's schedule explains it | on request |
| expiring | it will expire within seven days (`lifecycle.expires`) | on request |
| pending | the spec moved since the last apply | on request |
| unmanaged | live without anybody's marker, and not in the ledger | on request |
| unknown | it could not be read: no verdict | never: that is an error |

What an autoscaler, auto-stop, a schedule or a finished batch did is none of these: the fields' tables say so, and the
providers leave a run state out that only such a thing explains. Source: DESIGN §7.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.diff.change import Action, Change, FieldChange, FieldClass
from reconciler.diff.live import Applied, Listing, Live, owner_hash
from reconciler.fields import Phase
from reconciler.plan.expiry import SOON_S, left_s
from reconciler.plan.plan import Plan
from reconciler.problems import Problem

__all__ = ["ALWAYS", "Coverage", "Drift", "DriftState", "Drifted", "LastRun", "Unmanaged", "drift_of"]


class DriftState(StrEnum):
    """What can be said of one resource; several may hold at once."""

    IN_SYNC = "in-sync"
    DRIFTED = "drifted"
    VANISHED = "vanished"
    RUN_STATE = "run-state"
    FAILED = "failed"
    UNHEALTHY = "unhealthy"
    EXPIRING = "expiring"
    PENDING = "pending"
    UNKNOWN = "unknown"
    UNMANAGED = "unmanaged"


ALWAYS: Final = frozenset({DriftState.DRIFTED, DriftState.VANISHED, DriftState.RUN_STATE})
"""What is drift whatever a person asks for."""
_MOVED: Final = frozenset({FieldClass.DRIFT, FieldClass.BOTH})
_UNREAD: Final = frozenset({"list-failed", "suspicious-list"})
"""Problems of a list, and reasons of a change, after which nothing can be said of what is not listed."""
_TAKEN: Final = frozenset({"conflict", "owned-by-other", "possible-duplicate"})
_TAMPERED: Final = frozenset({"marker-mismatch", "untouchable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """One resource that is not plainly as it was applied.

    Attributes:
        change: What an apply would do about it.
        states: At least one, never `in-sync`.
        fields: The drifted ones alone.
        wanted: Run state that was applied and is no longer so, or empty.
        message: What a person should know beside the fields.
    """

    change: Change
    states: tuple[DriftState, ...]
    fields: tuple[FieldChange, ...] = ()
    wanted: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmanaged:
    """A live thing without owner; `note` says what is special about it."""

    live: Live
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Whose the live things are, by number; those on their way out are not counted."""

    ours: int
    other_owners: int
    unmanaged: int

    @property
    def live(self) -> int:
        """All of them."""
        return self.ours + self.other_owners + self.unmanaged

    @property
    def percent(self) -> str | None:
        """Share that somebody answers for, with one decimal, never rounded up to 100; `None` where nothing is live."""
        if not self.live:
            return None
        tenths = (self.live - self.unmanaged) * 1000 // self.live
        return f"{tenths // 10}.{tenths % 10}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The apply that came last: `started` in seconds since the epoch, `revision` may be empty."""

    id: str
    revision: str
    started: float
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Everything that `drift` tells.

    Attributes:
        checked_at: Seconds since the epoch.
        failing: States that end with exit 2.
        resources: Not those that are in sync, sorted by address.
        in_sync: How many are.
        coverage: `None` when only a selection was looked at.
    """

    owner: str
    environment: str
    revision: str
    checked_at: float
    failing: frozenset[DriftState]
    resources: tuple[Drifted, ...]
    in_sync: int
    unmanaged: tuple[Unmanaged, ...]
    coverage: Coverage | None
    last_run: LastRun | None
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    partial: bool

    @property
    def summary(self) -> dict[str, int]:
        """State → count, for all of them; one resource may count in several."""
        counts = {str(state): sum(state in one.states for one in self.resources) for state in DriftState}
        return counts | {
            str(DriftState.IN_SYNC): self.in_sync,
            str(DriftState.UNMANAGED): len(self.unmanaged),
        }

    @property
    def is_incomplete(self) -> bool:
        """Whether something could not be read, so that drift may be missing here."""
        unread = any(problem.code in _UNREAD for problem in self.problems)
        return unread or any(DriftState.UNKNOWN in one.states for one in self.resources)

    @property
    def has_drift(self) -> bool:
        """Whether there is anything that ends with exit 2."""
        return any(self.summary[state] for state in self.failing)


def drift_of(
    plan: Plan,
    listings: Mapping[tuple[str, str], Listing],
    entries: Mapping[str, Applied],
    *,
    failing: Iterable[DriftState] = (),
    released: frozenset[str] = frozenset(),
    last_run: LastRun | None = None,
    checked_at: float = 0.0,
    whole: bool = True,
) -> Drift:
    """Tell what moved.

    Args:
        plan: What an apply would do now, over the same listings.
        listings: What is live, of the provider instances that were asked for.
        entries: The ledger.
        failing: Further states that end with exit 2.
        released: Live ids that were let go on purpose.
        last_run: The newest apply that the ledger knows.
        checked_at: Now, in seconds since the epoch.
        whole: False when only some resources were asked for: then nothing is said of what nobody manages.
    """
    judged = [_with_expiry(_judge(change), checked_at) for change in plan.changes]
    told = tuple(one for one in judged if one.states)
    owners = (plan.owner, *plan.spec.project.former_owners)
    strangers, coverage = _whose(listings, entries, owners, released) if whole else ((), None)
    return Drift(
        owner=plan.owner,
        environment=plan.spec.project.environment,
        revision=plan.revision,
        checked_at=checked_at,
        failing=ALWAYS | frozenset(failing),
        resources=told,
        in_sync=len(judged) - len(told),
        unmanaged=strangers,
        coverage=coverage,
        last_run=last_run,
        problems=plan.problems,
        notes=(*plan.notes, *_notes(told)),
        partial=plan.partial,
    )


def _notes(told: Iterable[Drifted]) -> Iterator[str]:
    untold = sorted(one.change.address for one in told if any(_is_untold(field) for field in one.change.fields))
    if untold:
        yield (
            "the ledger does not know these, so nobody can tell whether the spec moved or the live side: "
            + ", ".join(untold)
        )


def _is_untold(field: FieldChange) -> bool:
    return field.field_class is FieldClass.UNKNOWN


def _judge(change: Change) -> Drifted:
    """One resource; the states in the order of the table above."""
    if change.action is Action.UNKNOWN or (change.live is None and change.reason in _UNREAD):
        return Drifted(change=change, states=(DriftState.UNKNOWN,), message=change.message)
    if change.reason == "expired" and change.action is Action.NONE:
        return Drifted(change=change, states=())
    if change.desired is None:
        return Drifted(change=change, states=(DriftState.PENDING,), message=change.message)
    if change.live is None:
        state = DriftState.VANISHED if _is_vanished(change) else DriftState.PENDING
        return Drifted(change=change, states=(state,), message=change.message)
    fields = tuple(field for field in change.fields if field.field_class in _MOVED)
    wanted = _run_state(change)
    health, why = _health(change, change.live, wanted)
    found = {
        DriftState.DRIFTED: bool(fields) or change.reason in _TAMPERED,
        DriftState.RUN_STATE: bool(wanted),
        DriftState.FAILED: health is DriftState.FAILED,
        DriftState.UNHEALTHY: health is DriftState.UNHEALTHY,
        DriftState.PENDING: _is_pending(change, moved=bool(fields or wanted)),
    }
    states = tuple(state for state, holds in found.items() if holds)
    message = why or _told(change, states)
    return Drifted(change=change, states=states, fields=fields, wanted=wanted, message=message)


def _with_expiry(one: Drifted, now_s: float) -> Drifted:
    """The same, with a warning where it will be gone soon."""
    desired = one.change.desired
    left = left_s(desired, now_s) if desired is not None and one.change.live is not None else SOON_S
    if desired is None or left >= SOON_S:
        return one
    when = f"it expires {desired.lifecycle.expires}" if left > 0 else ""  # what is over and held says so itself
    return dataclasses.replace(
        one,
        states=(*one.states, DriftState.EXPIRING),
        message="; ".join(filter(None, (one.message, when))),
    )


def _told(change: Change, states: Iterable[DriftState]) -> str:
    """A sentence beside the drifted fields: for what is pending, what moved."""
    if change.reason in {"fields-differ", "field-forces-replace"}:
        moved = [str(field.path) for field in change.fields if field.field_class is not FieldClass.DRIFT]
        return f"the spec moved: {', '.join(moved)}" if moved else ""
    return "" if change.reason == "run-state-differs" and DriftState.PENDING not in states else change.message


def _is_vanished(change: Change) -> bool:
    """Whether the ledger knows it and no list shows it, also where its name or its look is somebody else's now."""
    would_create = Action.CREATE in {change.action, change.intended}
    return change.applied is not None and (would_create or change.reason in _TAKEN)


def _run_state(change: Change) -> str:
    """The run state that was applied, is still desired, and is no longer so; or empty."""
    desired, live, applied = change.desired, change.live, change.applied
    wanted = desired.lifecycle.run_state if desired is not None else ""
    if not wanted or live is None or not live.run_state or live.run_state == wanted:
        return ""
    return wanted if applied is not None and applied.run_state == wanted else ""


def _health(change: Change, live: Live, wanted: str) -> tuple[DriftState | None, str]:
    """Failed or unhealthy, and in which words; what was asked to be stopped is well."""
    told = f"{live.status}{': ' + live.reason if live.reason else ''}"
    if live.phase is Phase.FAILED:
        return DriftState.FAILED, f"it has failed ({told})"
    if live.phase is Phase.DEGRADED:
        return DriftState.UNHEALTHY, f"it is not well ({told})"
    desired = change.desired.lifecycle.run_state if change.desired is not None else ""
    stopped = live.phase is Phase.STOPPED and live.run_state == "stopped"
    if stopped and not wanted and desired != "stopped":
        return DriftState.UNHEALTHY, "it is stopped, and neither the spec nor a schedule says so"
    return None, ""


def _is_pending(change: Change, *, moved: bool) -> bool:
    """Whether the spec has moved: a field or a wish that was not applied yet, or a change that is no field's."""
    if change.action is Action.NONE:
        return False
    if any(field.field_class is not FieldClass.DRIFT for field in change.fields):
        return True
    applied, desired = change.applied, change.desired
    if change.run_state and applied is not None and desired is not None:
        return applied.run_state != desired.lifecycle.run_state and bool(desired.lifecycle.run_state)
    return not (moved or change.fields or change.reason in _TAMPERED)


def _whose(
    listings: Mapping[tuple[str, str], Listing],
    entries: Mapping[str, Applied],
    owners: Iterable[str],
    released: frozenset[str],
) -> tuple[tuple[Unmanaged, ...], Coverage]:
    held = {
        (address.rpartition("/")[0], live_id)
        for address, entry in entries.items()
        for live_id in (entry.live_id, entry.successor)
    }
    hashes = {owner_hash(owner) for owner in owners}
    ours = others = 0
    strangers: list[Unmanaged] = []
    for (provider, kind), listing in sorted(listings.items()):
        for item in sorted(listing.items, key=lambda item: (item.name, item.id)):
            marker = item.parsed_marker
            if item.phase is Phase.GOING:
                continue
            if item.id in released:
                strangers.append(Unmanaged(live=item, note="let go on purpose (onRemove: retain)"))
            elif (f"{provider}/{kind}", item.id) in held or (marker is not None and marker.owner in hashes):
                ours += 1
            elif marker is not None:
                others += 1
            else:
                strangers.append(Unmanaged(live=item, note=_special(item)))
    return tuple(strangers), Coverage(ours=ours, other_owners=others, unmanaged=len(strangers))


def _special(item: Live) -> str:
    if item.untouchable:
        return item.untouchable
    return "" if item.marker_readable else "its marker can't be read: it may be ours, or another owner's"
