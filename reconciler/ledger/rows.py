"""Reads and writes of the ledger's tables, inside a transaction that the caller holds. The same for every database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from reconciler.diff.live import Applied
from reconciler.ledger.errors import LedgerError
from reconciler.ledger.journal import (
    KEPT_RUNS,
    TOMBSTONE_DAYS,
    IntentRow,
    IntentState,
    Run,
    RunStatus,
    Tombstone,
    TombstoneKind,
    dump,
    dump_value,
    load,
)
from reconciler.ledger.statements import ADD_INTENT, DIG_UP, FORGET, HEARD, HELD, INTENT, NOTE, PUT_ENTRY
from reconciler.ledger.tables import ENTRIES, INTENTS, LEASES, RUNS, TOMBSTONES, TRUST

__all__ = [
    "add_intent",
    "begin_run",
    "bury",
    "close_intent",
    "end_run",
    "entries",
    "forget",
    "hear",
    "holds_epoch",
    "intent_of",
    "is_cold",
    "journal",
    "open_intents",
    "put_entry",
    "rename",
    "runs",
    "take_epoch",
    "tombstones",
    "trust",
    "trusted",
]

_DAY_S: Final = 86_400.0


def take_epoch(connection: Connection, owner: str, holder: str) -> int:
    """Count the owner's epoch up by one and note who holds it; writes of older epochs fail from now on."""
    last = connection.scalar(select(LEASES.c.epoch).where(LEASES.c.owner == owner).with_for_update())
    epoch = int(last or 0) + 1
    connection.execute(delete(LEASES).where(LEASES.c.owner == owner))
    connection.execute(insert(LEASES).values(owner=owner, epoch=epoch, holder=holder))
    return epoch


def holds_epoch(connection: Connection, owner: str, epoch: int) -> bool:
    """Whether this epoch is still the owner's newest; the row stays locked until the transaction ends."""
    return connection.scalar(HELD, {"of": owner}) == epoch


def entries(connection: Connection, owner: str) -> dict[str, Applied]:
    """All entries by address, in the order of addresses."""
    query = select(ENTRIES.c.address, ENTRIES.c.data).where(ENTRIES.c.owner == owner).order_by(ENTRIES.c.address)
    return {address: load(Applied, data, address=address) for address, data in connection.execute(query)}


def put_entry(connection: Connection, owner: str, entry: Applied) -> None:
    """Write or replace an entry. A tombstone of the same live thing goes: it is ours again."""
    connection.execute(PUT_ENTRY, {"owner": owner, "address": entry.address, "data": dump(entry)})
    place = entry.address.rpartition("/")[0] + "/"
    beside = "".join(f"!{letter}" if letter in "!%_" else letter for letter in place) + "%"
    connection.execute(DIG_UP, {"of": owner, "id": entry.live_id, "beside": beside})


def forget(connection: Connection, owner: str, address: str) -> None:
    """Drop an entry; one that isn't there is fine."""
    connection.execute(FORGET, {"of": owner, "at": address})


def rename(connection: Connection, owner: str, moves: Mapping[str, str]) -> None:
    """Move entries to other addresses, all at once, so that two may swap; markers are kept as they were written.

    Raises:
        LedgerError: when an old address has no entry, or a new one has one that does not move away.
    """
    known = entries(connection, owner)
    for old, new in moves.items():
        taken = new in known and new not in moves
        if old not in known or taken:
            wrong = f"{new} has an entry already" if taken else f"{old} has no entry"
            raise LedgerError(f"can't rename {old} to {new} in the ledger: {wrong}")
    for old in moves:
        forget(connection, owner, old)
    for old, new in moves.items():
        connection.execute(insert(ENTRIES).values(owner=owner, address=new, data=dump(known[old])))


def _intent(row: Row[*tuple[Any, ...]]) -> IntentRow:
    return load(
        IntentRow,
        row.data,
        id=row.id,
        state=row.state,
        live_id=row.live_id,
        evidence=json.loads(row.evidence),
        note=row.note,
    )


def open_intents(connection: Connection, owner: str) -> tuple[IntentRow, ...]:
    """All intents that nobody has closed, oldest first."""
    query = select(*INTENT).where(INTENTS.c.owner == owner, INTENTS.c.state == IntentState.OPEN).order_by(INTENTS.c.id)
    return tuple(map(_intent, connection.execute(query)))


def journal(connection: Connection, owner: str) -> tuple[IntentRow, ...]:
    """All intents that are kept, oldest first."""
    query = select(*INTENT).where(INTENTS.c.owner == owner).order_by(INTENTS.c.id)
    return tuple(map(_intent, connection.execute(query)))


def intent_of(connection: Connection, owner: str, op_id: str) -> IntentRow | None:
    """The newest intent with this operation id, or none."""
    query = (
        select(*INTENT).where(INTENTS.c.owner == owner, INTENTS.c.op_id == op_id).order_by(INTENTS.c.id.desc()).limit(1)
    )
    row = connection.execute(query).first()
    return _intent(row) if row is not None else None


def add_intent(connection: Connection, row: IntentRow) -> int:
    """Note an intent; returns its id."""
    values = {
        "owner": row.owner,
        "run": row.run,
        "op_id": row.op_id,
        "state": row.state,
        "live_id": row.live_id,
        "evidence": dump_value(row.evidence),
        "note": row.note,
        "data": dump(row),
    }
    return int(connection.execute(ADD_INTENT, values).scalar_one())


def hear(connection: Connection, owner: str, intent_id: int, live_id: str, evidence: Mapping[str, str]) -> None:
    """Add what a reply told; what was heard before stays.

    Raises:
        LedgerError: when there is no such intent.
    """
    heard, _ = _noted(connection, owner, intent_id)
    connection.execute(NOTE, {"number": intent_id, **_with_reply(heard, live_id, evidence)})


def close_intent(
    connection: Connection,
    owner: str,
    intent_id: int,
    *,
    state: IntentState,
    live_id: str,
    evidence: Mapping[str, str] | None,
    note: str,
) -> None:
    """Close an open intent.

    Raises:
        LedgerError: when it isn't open.
    """
    heard, before = _noted(connection, owner, intent_id)
    if before != IntentState.OPEN:
        raise LedgerError(f"intent {intent_id} of {owner} is not open")
    values = {"state": state, **({"note": note} if note else {})}
    if evidence is not None or live_id:
        values |= _with_reply(heard, live_id, evidence or {})
    connection.execute(NOTE, {"number": intent_id, **values})


def _noted(connection: Connection, owner: str, intent_id: int) -> tuple[str, str]:
    """What an intent's reply told so far, as JSON, and its state."""
    row = connection.execute(HEARD, {"of": owner, "number": intent_id}).first()
    if row is None:
        raise LedgerError(f"intent {intent_id} of {owner} is not in the ledger")
    return str(row.evidence), str(row.state)


def _with_reply(heard: str, live_id: str, evidence: Mapping[str, str]) -> dict[str, str]:
    told = dump_value(json.loads(heard) | dict(evidence)) if evidence else heard
    return {"evidence": told} | ({"live_id": live_id} if live_id else {})


def runs(connection: Connection, owner: str, limit: int) -> tuple[Run, ...]:
    """The last runs, newest first."""
    query = select(RUNS).where(RUNS.c.owner == owner).order_by(RUNS.c.seq.desc()).limit(limit)
    return tuple(load(Run, row.data, ended=row.ended, status=row.status) for row in connection.execute(query))


def is_cold(connection: Connection, owner: str) -> bool:
    """Whether no run ever finished on this ledger, and nobody said that nothing ran before."""
    finished = [status for status in RunStatus if status.is_finished]
    query = select(RUNS.c.seq).where(RUNS.c.owner == owner, RUNS.c.status.in_(finished)).limit(1)
    return connection.scalar(query) is None and "*" not in trusted(connection, owner)


def begin_run(connection: Connection, run: Run) -> None:
    """Note a run. Runs that never ended are marked as died: only one can be under way."""
    connection.execute(
        update(RUNS).where(RUNS.c.owner == run.owner, RUNS.c.status == RunStatus.RUNNING).values(status=RunStatus.DIED)
    )
    connection.execute(
        insert(RUNS).values(owner=run.owner, id=run.id, ended=run.ended, status=run.status, data=dump(run))
    )


def end_run(connection: Connection, owner: str, run_id: str, status: RunStatus, now: float) -> None:
    """Close a run and drop what is too old to matter.

    Raises:
        LedgerError: when there is no such run.
    """
    result = connection.execute(
        update(RUNS).where(RUNS.c.owner == owner, RUNS.c.id == run_id).values(status=status, ended=now)
    )
    if result.rowcount != 1:
        raise LedgerError(f"run {run_id} of {owner} is not in the ledger")
    _prune(connection, owner, now)


def _prune(connection: Connection, owner: str, now: float) -> None:
    finished = [status for status in RunStatus if status.is_finished]
    newest = select(RUNS.c.seq).where(RUNS.c.owner == owner).order_by(RUNS.c.seq.desc()).limit(KEPT_RUNS)
    # The last finished run stays however old: it is what makes the ledger warm.
    warm = (
        select(RUNS.c.seq)
        .where(RUNS.c.owner == owner, RUNS.c.status.in_(finished))
        .order_by(RUNS.c.seq.desc())
        .limit(1)
    )
    connection.execute(delete(RUNS).where(RUNS.c.owner == owner, RUNS.c.seq.not_in(newest), RUNS.c.seq.not_in(warm)))
    connection.execute(
        delete(INTENTS).where(
            INTENTS.c.owner == owner,
            INTENTS.c.state != IntentState.OPEN,
            INTENTS.c.run.not_in(select(RUNS.c.id).where(RUNS.c.owner == owner)),
        )
    )
    connection.execute(
        delete(TOMBSTONES).where(
            TOMBSTONES.c.owner == owner,
            TOMBSTONES.c.kind == TombstoneKind.DELETED,
            TOMBSTONES.c.at < now - TOMBSTONE_DAYS * _DAY_S,
        )
    )


def tombstones(connection: Connection, owner: str, now: float) -> tuple[Tombstone, ...]:
    """What was deleted in the last 30 days, and all that was ever released; oldest first."""
    query = (
        select(TOMBSTONES.c.data)
        .where(
            TOMBSTONES.c.owner == owner,
            or_(
                TOMBSTONES.c.kind == TombstoneKind.RELEASED,
                TOMBSTONES.c.at >= now - TOMBSTONE_DAYS * _DAY_S,
            ),
        )
        .order_by(TOMBSTONES.c.at, TOMBSTONES.c.address, TOMBSTONES.c.live_id)
    )
    return tuple(load(Tombstone, data) for data in connection.scalars(query))


def bury(connection: Connection, owner: str, stone: Tombstone) -> None:
    """Write a tombstone, in place of an older one of the same thing."""
    connection.execute(
        delete(TOMBSTONES).where(
            TOMBSTONES.c.owner == owner,
            TOMBSTONES.c.address == stone.address,
            TOMBSTONES.c.live_id == stone.live_id,
        )
    )
    connection.execute(
        insert(TOMBSTONES).values(
            owner=owner, address=stone.address, live_id=stone.live_id, kind=stone.kind, at=stone.at, data=dump(stone)
        )
    )


def trusted(connection: Connection, owner: str) -> dict[str, float]:
    """Scopes for which an absence counts (`*`, or `provider/Kind`) → since when, in seconds since the epoch."""
    query = select(TRUST.c.scope, TRUST.c.at).where(TRUST.c.owner == owner).order_by(TRUST.c.scope)
    return {row.scope: row.at for row in connection.execute(query)}


def trust(connection: Connection, owner: str, scope: str, *, by: str, now: float) -> None:
    """Note that an absence counts for this scope from now on."""
    connection.execute(delete(TRUST).where(TRUST.c.owner == owner, TRUST.c.scope == scope))
    connection.execute(insert(TRUST).values(owner=owner, scope=scope, at=now, by=by))
