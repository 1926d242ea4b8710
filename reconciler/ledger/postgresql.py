"""The PostgreSQL home: for many runners that share one database. Source: SETTLEMENT §§8, 9.

A lease is a row, kept by the database's clock alone; no session is needed for it, so that a pooler may stand between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from reconciler.ledger.errors import LedgerError
from reconciler.ledger.lease import Holder
from reconciler.ledger.postgresql_lease import NOW, PostgresqlLease, Speak, Term
from reconciler.ledger.table_ledger import TableLedger
from reconciler.ledger.tables import METADATA, migrate, schema_version
from reconciler.problems import Problem, ReconcilerError, Refused

__all__ = ["URL_VARIABLE", "PostgresqlLedger", "open_postgresql_ledger"]

URL_VARIABLE: Final = "RECONCILER_LEDGER_URL"
_LOOK_S: Final = 1.0
_MIGRATION_LOCK: Final = 0x5245_434F
"""Of a transaction, not of a session: two runners that meet a new database make its tables once."""
_TAKE: Final = text(
    f"""
    INSERT INTO reconciler_leases AS held (owner, epoch, holder, beat, expires)
    VALUES (:owner, 1, :holder, 0, {NOW} + :ttl)
    ON CONFLICT (owner) DO UPDATE SET epoch = held.epoch + 1, holder = :holder, beat = 0, expires = {NOW} + :ttl
    WHERE held.expires IS NULL OR held.expires <= {NOW}
    RETURNING epoch
    """  # noqa: S608 - constants of ours
)
_STATE: Final = (
    "current_user AS who, pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only"
)
_RIGHTS_ON_TABLES: Final = text(
    f"""
    SELECT {_STATE}, bool_and(
        has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
        AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')
    ) AS may_write
    FROM unnest(ARRAY[{", ".join(f"'{name}'" for name in METADATA.tables)}]) AS ours(name),
    LATERAL (SELECT to_regclass(name)::oid AS oid) AS found
    """  # noqa: S608 - constants of ours
)
_RIGHTS_ON_SCHEMA: Final = text(
    f"SELECT {_STATE}, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_write"
)
_T = TypeVar("_T")


class PostgresqlLedger(TableLedger):
    """A `Ledger` in one database, for many owners."""

    def __init__(
        self,
        engine: Engine,
        *,
        location: str,
        speak: Speak,
        now: Callable[[], float],
        redact: Callable[[str], str],
        term: Term | None = None,
    ) -> None:
        super().__init__(location=location, now=now, redact=redact)
        self._engine = engine
        self._speak = speak
        self._term = term or Term()

    def unlock(self, owner: str) -> str:
        """See `Ledger`."""
        broken = text(
            f"UPDATE reconciler_leases SET epoch = epoch + 1, expires = 0 WHERE owner = :owner AND expires > {NOW} "  # noqa: S608
            "RETURNING holder"
        )
        has_tables = self._read(owner, lambda _connection: True, False)  # noqa: FBT003 - what an empty one says
        if not has_tables:
            return ""
        holder = self._write(lambda connection: connection.scalar(broken, {"owner": owner}))
        return str(Holder.parse(holder) or "somebody") if holder else ""

    def take_lease(self, owner: str, holder: str, *, wait_s: float = 0.0, margin_s: float = 0.0) -> PostgresqlLease:
        """See `Ledger`. Taken by one statement that hits the row only when nobody holds it."""
        here = Holder.here(holder)
        until = time.monotonic() + wait_s
        self._make_tables()
        while True:
            values = {"owner": owner, "holder": here.dump(), "ttl": self._term.ttl_s}
            epoch = self._write(partial(_take, values))
            if epoch is not None:
                return PostgresqlLease(
                    owner=owner,
                    epoch=int(epoch),
                    engine=self._engine,
                    speak=self._speak,
                    margin_s=margin_s,
                    term=self._term,
                    redact=self._redact,
                )
            if time.monotonic() >= until:
                raise Refused([self._held(owner)])
            time.sleep(min(_LOOK_S, max(until - time.monotonic(), 0.05)))

    def could_write(self) -> str:
        """What the database says of this user's rights, as a sentence.

        Raises:
            LedgerError: they are not enough.
        """
        with_tables = self._read("", lambda connection: connection.execute(_RIGHTS_ON_TABLES).one(), None)
        found = with_tables or self._ask(lambda connection: connection.execute(_RIGHTS_ON_SCHEMA).one())
        if found.read_only:
            raise LedgerError(f"ledger {self.location}: the database takes no writes (a standby, or set to read-only)")
        if not found.may_write:
            what = "write all of its tables" if with_tables else "make tables there, and there are none yet"
            raise LedgerError(f"ledger {self.location}: the database's user {found.who} may not {what}")
        have = "write its tables" if with_tables else "make its tables, which the first apply does"
        return f"the database answers, and its user {found.who} may {have}"

    def _held(self, owner: str) -> Problem:
        query = text("SELECT holder FROM reconciler_leases WHERE owner = :owner")
        told = self._read(owner, lambda connection: connection.scalar(query, {"owner": owner}), None)
        return Problem(
            code="lease-held",
            wrong=f"another run works on {owner}: {Holder.parse(told or '') or 'it has only just started'}",
            expected="one run at a time; wait for it to end, or ride it out with --lease-wait",
        )

    def _make_tables(self) -> None:
        def make(connection: Connection) -> None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            migrate(connection, self.location, shared=True)

        self._write(make)

    def _write(self, change: Callable[[Connection], _T]) -> _T:
        try:
            with self._engine.connect() as connection, connection.begin():
                return change(connection)
        except DBAPIError as error:
            raise LedgerError(f"ledger {self.location}: {self._speak(error)}; nothing was sent") from None

    def _read(self, owner: str, query: Callable[[Connection], _T], empty: _T) -> _T:
        del owner
        return self._ask(
            lambda connection: query(connection) if schema_version(connection, self.location, shared=True) else empty
        )

    def _ask(self, query: Callable[[Connection], _T]) -> _T:
        try:
            with self._engine.connect() as connection, connection.begin():
                return query(connection)
        except DBAPIError as error:
            raise LedgerError(f"ledger {self.location} can't be read: {self._speak(error)}") from None


def _take(values: Mapping[str, Any], connection: Connection) -> int | None:
    """The new epoch, or nothing: somebody holds it."""
    epoch: int | None = connection.scalar(_TAKE, values)
    return epoch


def open_postgresql_ledger(
    environ: Mapping[str, str],
    *,
    now: Callable[[], float],
    redact: Callable[[str], str],
    term: Term | None = None,
) -> PostgresqlLedger:
    """The ledger of `type: postgresql`. Its address is no part of the spec: it holds a password.

    Raises:
        ReconcilerError: `ledger-url`, `ledger-driver`.
    """
    written = environ.get(URL_VARIABLE, "")
    try:
        url = make_url(written)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() not in {"postgresql", "postgres"}:
        raise ReconcilerError(
            f"{URL_VARIABLE} is {'no address of a database' if written else 'not set'} (expected "
            "postgresql://USER:PASSWORD@HOST/DATABASE, in the environment) [ledger-url]"
        )
    # A pooler may hand each transaction to another session: nothing may be prepared or set for longer.
    arguments: dict[str, Any] = {"prepare_threshold": None, "connect_timeout": 10}
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args=arguments,
            hide_parameters=True,
            poolclass=NullPool,  # a few transactions a step: none of them meets a connection that died meanwhile
        )
    except ModuleNotFoundError:
        raise ReconcilerError(
            "a ledger in PostgreSQL needs its driver: pip install 'reconciler[postgres]' [ledger-driver]"
        ) from None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # An intent whose commit is lost with the server is a request that nobody remembers.
        connection.exec_driver_sql("SET LOCAL synchronous_commit = on")
        connection.exec_driver_sql("SET LOCAL statement_timeout = '20s'")

    password = str(url.password or "")

    def speak(error: DBAPIError) -> str:
        told = " ".join(str(error.orig).split())
        return f"the database said: {told.replace(password, '***') if password else told}"

    place = f"{url.host or 'local'}{f':{url.port}' if url.port else ''}/{url.database or ''}"
    return PostgresqlLedger(engine, location=f"postgresql {place}", speak=speak, now=now, redact=redact, term=term)
