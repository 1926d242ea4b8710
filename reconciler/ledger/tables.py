"""The ledger's tables (SQLAlchemy Core), their version, and the way from an older version to this one.

A row's own data is one JSON text (`journal.dump`); only what is searched for or changed later has a column. So a new
attribute of a row needs no migration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Column, Connection, Float, Index, Integer, MetaData, Table, Text, insert, inspect, select, update

from reconciler.ledger.errors import LedgerError

__all__ = [
    "ENTRIES",
    "INTENTS",
    "LEASES",
    "META",
    "METADATA",
    "MIGRATIONS",
    "RUNS",
    "SCHEMA_VERSION",
    "TOMBSTONES",
    "TRUST",
    "migrate",
    "schema_version",
]

SCHEMA_VERSION: Final = 1
MIGRATIONS: Final[Mapping[int, Sequence[str]]] = {}
"""Version → the statements that lead from it to the next one. Version 1 is the first: nothing leads to it.

Whoever adds version 2: a reader (`plan`) meets old tables too, before any lease has brought them forward.
"""

METADATA: Final = MetaData()
META: Final = Table(
    "reconciler_meta",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
LEASES: Final = Table(
    "reconciler_leases",
    METADATA,
    Column("owner", Text, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("holder", Text, nullable=False),
    # Of PostgreSQL alone: how often it was renewed, and until when it lasts, by the database's clock.
    Column("beat", Integer),
    Column("expires", Float),
)
ENTRIES: Final = Table(
    "reconciler_entries",
    METADATA,
    Column("owner", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("data", Text, nullable=False),
)
INTENTS: Final = Table(
    "reconciler_intents",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("op_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("live_id", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("data", Text, nullable=False),
    Index("reconciler_intents_by_state", "owner", "state"),
    Index("reconciler_intents_by_op", "owner", "op_id"),
    sqlite_autoincrement=True,  # an id is never given twice, also after old intents were dropped
)
RUNS: Final = Table(
    "reconciler_runs",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("ended", Float),
    Column("status", Text, nullable=False),
    Column("data", Text, nullable=False),
    Index("reconciler_runs_by_id", "owner", "id", unique=True),
    sqlite_autoincrement=True,
)
TOMBSTONES: Final = Table(
    "reconciler_tombstones",
    METADATA,
    Column("owner", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("live_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("data", Text, nullable=False),
)
TRUST: Final = Table(
    "reconciler_trust",
    METADATA,
    Column("owner", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("at", Float, nullable=False),
    Column("by", Text, nullable=False),
)


def schema_version(connection: Connection, location: str, *, shared: bool = False) -> int:
    """Version of the tables in this database, 0 when it has none of ours.

    `shared`: others' tables may stand beside them; a file is the ledger's own.

    Raises:
        LedgerError: `ledger-foreign` when the database belongs to something else, `ledger-newer` when a newer release
            wrote it.
    """
    names = inspect(connection).get_table_names()
    if META.name not in names:
        if names and not shared:
            raise LedgerError(
                f"ledger {location}: the database holds tables of something else ({', '.join(sorted(names)[:3])}); "
                "expected a ledger, or nothing: name another path",
                code="ledger-foreign",
            )
        return 0
    version = int(connection.scalar(select(META.c.value).where(META.c.key == "version")) or 0)
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"ledger {location}: a newer release wrote it (version {version}; expected at most {SCHEMA_VERSION}): "
            "update reconciler",
            code="ledger-newer",
        )
    return version


def migrate(
    connection: Connection,
    location: str,
    *,
    migrations: Mapping[int, Sequence[str]] = MIGRATIONS,
    target: int = SCHEMA_VERSION,
    shared: bool = False,
) -> None:
    """Bring the tables to `target`, inside the caller's transaction: all of it, or nothing.

    Raises:
        LedgerError: as `schema_version`.
    """
    version = schema_version(connection, location, shared=shared)
    if version == target:
        return
    if version == 0:
        METADATA.create_all(connection)
        connection.execute(insert(META).values(key="version", value=str(target)))
        return
    for step in range(version, target):
        for statement in migrations[step]:
            connection.exec_driver_sql(statement)
    connection.execute(update(META).where(META.c.key == "version").values(value=str(target)))
