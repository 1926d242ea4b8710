"""One owner's ledger as a readable JSON text, and as tables: the Git home's file, and what moves from home to home."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, StaticPool, create_engine, insert, select, text
from sqlalchemy.exc import DBAPIError

from reconciler.ledger.errors import LedgerError
from reconciler.ledger.tables import ENTRIES, INTENTS, LEASES, METADATA, RUNS, SCHEMA_VERSION, TOMBSTONES, TRUST

__all__ = ["LEDGER_FORMAT", "as_text", "dump_rows", "dump_state", "fill", "load_state", "parse"]

LEDGER_FORMAT: Final = "reconciler-ledger/1"

_LISTS: Final = {"intents": INTENTS, "runs": RUNS, "tombstones": TOMBSTONES, "trust": TRUST}
_COUNTED: Final = (INTENTS, RUNS)
"""Tables whose ids are never given twice, also after old rows were dropped."""


def parse(content: str, location: str) -> dict[str, Any]:
    """What a file of the branch says; an empty one is an empty ledger.

    Raises:
        LedgerError: `ledger-damaged`, `ledger-newer`.
    """
    if not content:
        return {"format": LEDGER_FORMAT, "schema": SCHEMA_VERSION}
    try:
        data: dict[str, Any] = json.loads(content)
        version = int(data["schema"])
    except (ValueError, KeyError, TypeError):
        raise LedgerError(
            f"ledger {location} can't be read: it is no ledger file; bring an older version of it back "
            "(git log on that branch)",
            code="ledger-damaged",
        ) from None
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"ledger {location}: a newer release wrote it (version {version}; expected at most {SCHEMA_VERSION}): "
            "update reconciler",
            code="ledger-newer",
        )
    return data


def load_state(data: dict[str, Any], owner: str, location: str) -> Connection:
    """The tables of one owner in a database of their own, in memory.

    Raises:
        LedgerError: `ledger-damaged`.
    """
    engine = create_engine(
        "sqlite://", poolclass=StaticPool, hide_parameters=True, connect_args={"check_same_thread": False}
    )
    connection = engine.connect()
    try:
        with connection.begin():
            METADATA.create_all(connection)
            lease = data.get("lease")
            if lease:
                holder = json.dumps(lease["holder"], sort_keys=True)
                connection.execute(insert(LEASES).values(owner=owner, epoch=lease["epoch"], holder=holder))
            fill(connection, owner, data, keep_ids=True)
            for name, last in data.get("counters", {}).items():
                _set_counter(connection, name, int(last))
    except (DBAPIError, KeyError, TypeError, AttributeError, ValueError) as error:
        connection.close()
        raise LedgerError(
            f"ledger {location} can't be read: {type(error).__name__} in its rows; bring an older version of it back "
            "(git log on that branch)",
            code="ledger-damaged",
        ) from None
    return connection


def fill(connection: Connection, owner: str, data: Mapping[str, Any], *, keep_ids: bool) -> None:
    """Put what a text says into the tables; without `keep_ids` the database numbers intents and runs anew."""
    for address, entry in data.get("entries", {}).items():
        connection.execute(insert(ENTRIES).values(owner=owner, address=address, data=_text(entry)))
    for name, table in _LISTS.items():
        dropped = set() if keep_ids or table not in _COUNTED else {column.name for column in table.primary_key.columns}
        for row in data.get(name, ()):
            values = {
                key: _text(value) if key in {"data", "evidence"} else value
                for key, value in row.items()
                if key not in dropped
            }
            connection.execute(insert(table).values(owner=owner, **values))


def dump_state(connection: Connection, owner: str, lease: dict[str, Any]) -> str:
    """The tables as the text of the owner's file: sorted, a line a value, so that a person can read a difference."""
    with connection.begin():
        counters = {table.name: _counter(connection, table.name) for table in _COUNTED}
        return dump_rows(connection, owner, lease=lease, counters=counters)


def dump_rows(connection: Connection, owner: str, **more: Any) -> str:
    """The owner's rows as such a text; `more`: what stands beside them."""
    entries = connection.execute(
        select(ENTRIES.c.address, ENTRIES.c.data).where(ENTRIES.c.owner == owner).order_by(ENTRIES.c.address)
    )
    data: dict[str, Any] = {
        "format": LEDGER_FORMAT,
        "schema": SCHEMA_VERSION,
        "owner": owner,
        "entries": {address: json.loads(row) for address, row in entries},
        **more,
    }
    for name, table in _LISTS.items():
        found = connection.execute(select(table).where(table.c.owner == owner).order_by(*table.primary_key.columns))
        data[name] = [
            {
                key: json.loads(value) if key in {"data", "evidence"} else value
                for key, value in row._mapping.items()  # noqa: SLF001 - SQLAlchemy's public name for it
                if key != "owner"
            }
            for row in found
        ]
    return as_text(data)


def as_text(data: Mapping[str, Any]) -> str:
    """Sorted, a line a value: a person can read the difference of two."""
    return json.dumps(data, sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _counter(connection: Connection, name: str) -> int:
    found = connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": name}).scalar()
    return int(found or 0)


def _set_counter(connection: Connection, name: str, last: int) -> None:
    values = {"name": name, "last": max(last, _counter(connection, name))}
    connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
    connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)
