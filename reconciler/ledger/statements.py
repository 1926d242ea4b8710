"""What is written for each call stands ready: to put a statement together takes 70 µs, to run it 20."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, insert, select, text, update

from reconciler.ledger.tables import ENTRIES, INTENTS, LEASES, TOMBSTONES

__all__ = ["ADD_INTENT", "DIG_UP", "FORGET", "HEARD", "HELD", "INTENT", "NOTE", "PUT_ENTRY"]

INTENT: Final = (
    INTENTS.c.id,
    INTENTS.c.state,
    INTENTS.c.live_id,
    INTENTS.c.evidence,
    INTENTS.c.note,
    INTENTS.c.data,
)

HELD: Final = select(LEASES.c.epoch).where(LEASES.c.owner == bindparam("of")).with_for_update()
PUT_ENTRY: Final = text(  # SQLite and PostgreSQL say it in one way, SQLAlchemy in two
    f"INSERT INTO {ENTRIES.name} (owner, address, data) VALUES (:owner, :address, :data) "  # noqa: S608 - constants
    "ON CONFLICT (owner, address) DO UPDATE SET data = excluded.data"
)
FORGET: Final = delete(ENTRIES).where(ENTRIES.c.owner == bindparam("of"), ENTRIES.c.address == bindparam("at"))
DIG_UP: Final = delete(TOMBSTONES).where(
    TOMBSTONES.c.owner == bindparam("of"),
    TOMBSTONES.c.live_id == bindparam("id"),
    TOMBSTONES.c.address.like(bindparam("beside"), escape="!"),
)
ADD_INTENT: Final = insert(INTENTS).returning(INTENTS.c.id)
HEARD: Final = select(INTENTS.c.evidence, INTENTS.c.state).where(
    INTENTS.c.owner == bindparam("of"), INTENTS.c.id == bindparam("number")
)
NOTE: Final = update(INTENTS).where(INTENTS.c.id == bindparam("number"))
