"""The ledger's rows as plain data: intents, runs, tombstones; and how any row becomes JSON and comes back.

All homes store rows in this one form, so that a ledger can move from one to another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final, TypeVar

from reconciler.diff.live import Applied
from reconciler.spec.values import decode, encode

__all__ = [
    "KEPT_RUNS",
    "TOMBSTONE_DAYS",
    "IntentRow",
    "IntentState",
    "Run",
    "RunStatus",
    "Tombstone",
    "TombstoneKind",
    "dump",
    "dump_value",
    "from_data",
    "load",
]

KEPT_RUNS: Final = 50
"""Runs of an owner that a ledger keeps, with their closed intents. Source: SETTLEMENT §9."""
TOMBSTONE_DAYS: Final = 30
"""How long the id of a deleted thing is remembered. Source: SETTLEMENT §7 R6."""


class IntentState(StrEnum):
    """What is known of a journaled write."""

    OPEN = "open"
    """It may have been sent, and may have landed: settle it before anything else is sent for that resource."""
    DONE = "done"
    FAILED = "failed"
    """The provider refused it, or reading proved that it did not happen."""
    NOT_SENT = "not-sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRow:
    """One write, noted before it is sent.

    Attributes:
        id: Given by the ledger; 0 until then.
        owner, run, address: Who, in which run, for what.
        step, call_index: The plan's step and which of its calls, from 0.
        op: `create`, `update`, `start`, `stop`, `delete`.
        op_id: The marker's operation id; unique within an owner's journal for creates.
        marker: The whole token that the write carries, or empty.
        live_name: The API's name, or empty.
        target: Live id that it is meant for; empty for a create.
        digest: Digest of the change that it belongs to.
        sent_at: Seconds since the epoch, as the provider's clock lives them.
        body_digest: Digest of the request's body; never the body.
        context: What a rerun needs to go on: steps, run state before. JSON, nothing secret.
        state: See `IntentState`.
        live_id, evidence: What its reply told, if one was heard (`endpoint`, …); nothing secret.
        note: A sentence for people.
    """

    id: int = 0
    owner: str
    run: str
    address: str
    step: str = ""
    call_index: int = 0
    op: str
    op_id: str = ""
    marker: str = ""
    live_name: str = ""
    target: str = ""
    digest: str = ""
    sent_at: float = 0.0
    body_digest: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    state: IntentState = IntentState.OPEN
    live_id: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


class RunStatus(StrEnum):
    """How a run ended."""

    RUNNING = "running"
    DONE = "done"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    """Ended by an error before it could send anything."""
    REFUSED = "refused"
    DIED = "died"
    """It never ended: the next run found it open."""

    @property
    def is_finished(self) -> bool:
        """Whether the run got as far as trusting what it had listed; one that did makes the ledger warm."""
        return self in {RunStatus.DONE, RunStatus.INCOMPLETE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One apply. Times in seconds since the epoch; `ended` is `None` while it runs, and for ever when it died.

    `plan_digest`, `spec_digest`: as in the plan. `changes`: digests of all changes that it set out to make, so that a
    rerun of a reviewed plan can tell what is left. Source: SETTLEMENT §7 R13. `whole`: False when it was not to do all
    that the spec says (a selection, `--partial`), so that a later one can't begin where it ended. `inverse`: of each
    change that it set out to make, what brings back what was before (`plan.undo.inverse_of`), for `undo`.
    """

    id: str
    owner: str
    started: float
    ended: float | None = None
    status: RunStatus = RunStatus.RUNNING
    revision: str = ""
    plan_digest: str = ""
    spec_digest: str = ""
    changes: tuple[str, ...] = ()
    host: str = ""
    whole: bool = True
    inverse: tuple[Mapping[str, Any], ...] = ()


class TombstoneKind(StrEnum):
    """Why a thing is no longer ours."""

    DELETED = "deleted"
    RELEASED = "released"
    """Left running on purpose (`onRemove: retain`): never ours to delete again, remembered for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """A live id that we deleted (remembered for 30 days) or released (for ever). `at` in seconds since the epoch."""

    address: str
    live_id: str
    at: float
    kind: TombstoneKind = TombstoneKind.DELETED
    live_name: str = ""
    marker: str = ""
    run: str = ""


_ENUMS: Final[Mapping[tuple[type, str], type[StrEnum]]] = {
    (IntentRow, "state"): IntentState,
    (Run, "status"): RunStatus,
    (Tombstone, "kind"): TombstoneKind,
}
_COLUMNS: Final[Mapping[type, tuple[tuple[str, type[StrEnum] | None], ...]]] = {
    kind: tuple((item.name, _ENUMS.get((kind, item.name))) for item in fields(kind))
    for kind in (Applied, IntentRow, Run, Tombstone)
}
_Row = TypeVar("_Row", Applied, IntentRow, Run, Tombstone)


def dump_value(value: Any) -> str:
    """Canonical JSON of a value; references become tagged objects, never what they stand for."""
    return json.dumps(encode(value), sort_keys=True, separators=(",", ":"))


def dump(row: Applied | IntentRow | Run | Tombstone) -> str:
    """A row as canonical JSON."""
    # Not dataclasses.asdict: that would take the references inside a spec apart as well.
    return json.dumps(
        {item.name: encode(getattr(row, item.name)) for item in fields(row)}, sort_keys=True, separators=(",", ":")
    )


def load(kind: type[_Row], text: str, **columns: Any) -> _Row:
    """What `dump` wrote, back again; `columns` overrule the text. Names that this release doesn't know are left out."""
    return from_data(kind, json.loads(text), **columns)


def from_data(kind: type[_Row], stored: Mapping[str, Any], *, plain: bool = False, **columns: Any) -> _Row:
    """The same of JSON that was read already; `plain`: it is known that no value in it is encoded."""
    known: dict[str, Any] = {}
    for name, enum in _COLUMNS[kind]:
        if name in columns or name in stored:
            value = columns[name] if name in columns else stored[name]
            if not plain and name not in columns:
                value = decode(value)
            if enum is not None:
                value = enum(value)
            known[name] = tuple(value) if value.__class__ is list else value
    return kind(**known)
