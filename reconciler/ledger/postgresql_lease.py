"""The PostgreSQL home's writes: one transaction each, behind the epoch of the owner's row. Source: SETTLEMENT §8."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from reconciler.ledger import rows
from reconciler.ledger.errors import LeaseLost, LedgerError
from reconciler.ledger.journal import IntentRow
from reconciler.ledger.table_lease import TableLease

__all__ = ["NOW", "PostgresqlLease", "Speak", "Term"]

NOW: Final = "extract(epoch FROM clock_timestamp())"
"""Seconds since the epoch by the database's clock, the only one that counts here."""
Speak = Callable[[DBAPIError], str]
_HOLDS: Final = text(
    f"SELECT 1 FROM reconciler_leases WHERE owner = :owner AND epoch = :epoch AND expires > {NOW} + :margin"  # noqa: S608
)
_BEAT: Final = text(
    f"UPDATE reconciler_leases SET beat = beat + 1, expires = {NOW} + :ttl "  # noqa: S608
    f"WHERE owner = :owner AND epoch = :epoch AND expires > {NOW}"
)
_RELEASE: Final = text("UPDATE reconciler_leases SET expires = 0 WHERE owner = :owner AND epoch = :epoch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How long a lease lasts after each beat, and how often it beats; in seconds. Source: SETTLEMENT §8."""

    ttl_s: float = 120.0
    beat_s: float = 20.0


class PostgresqlLease(TableLease):
    """A `Lease` on one owner's row; may be used from several threads."""

    def __init__(
        self,
        *,
        owner: str,
        epoch: int,
        engine: Engine,
        speak: Speak,
        margin_s: float,
        term: Term,
        redact: Callable[[str], str],
    ) -> None:
        super().__init__(owner=owner, epoch=epoch, redact=redact)
        self._engine = engine
        self._speak = speak
        self._margin_s = margin_s
        self._term = term
        self._released = False
        self._asked = threading.local()
        """Whether this thread's transaction is one that a request follows."""
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._keep_alive, name=f"lease of {owner}", daemon=True)
        self._heart.start()

    def check(self) -> None:
        """See `Lease`. A lease that is too near to its end is renewed first."""
        self._must_not_be_released("the lease")
        if self._holds("the lease"):
            return
        self._beat()
        if not self._holds("the lease"):
            raise LeaseLost(f"the lease on {self.owner} ran out or was taken over: nothing more is sent")

    def intend(self, row: IntentRow) -> int:
        """See `Lease`. The lease outlives the request in the very transaction that notes it (SETTLEMENT §9)."""
        self.check()
        self._asked.for_long = True
        try:
            return super().intend(row)
        finally:
            self._asked.for_long = False

    def release(self) -> None:
        """See `Lease`. That it can't be given back is no error: it runs out by itself."""
        if self._released:
            return
        self._released = True
        self._ended.set()
        with suppress(DBAPIError), self._engine.begin() as connection:
            connection.execute(_RELEASE, self._me)
        self._heart.join(timeout=1.0)

    @property
    def _me(self) -> dict[str, object]:
        return {"owner": self.owner, "epoch": self.epoch, "ttl": self._term.ttl_s, "margin": self._margin_s}

    @contextmanager
    def _transaction(self, what: str, *, fenced: bool) -> Iterator[Connection]:
        """See `TableLease`. A commit whose reply was lost counts as not done: what it noted is settled by reading."""
        self._must_not_be_released(what)
        try:
            with self._engine.connect() as connection, connection.begin():
                if fenced and not rows.holds_epoch(connection, self.owner, self.epoch):
                    raise LeaseLost(f"another run has taken over {self.owner}: {what} was not recorded")
                if getattr(self._asked, "for_long", False) and connection.scalar(_HOLDS, self._me) is None:
                    raise LeaseLost(
                        f"the lease on {self.owner} can't outlive the next request: {what} was not recorded"
                    )
                yield connection
        except DBAPIError as error:
            raise LedgerError(f"ledger: {self._speak(error)}: {what} was not recorded") from None

    def _holds(self, what: str) -> bool:
        try:
            with self._engine.connect() as connection, connection.begin():
                return connection.scalar(_HOLDS, self._me) is not None
        except DBAPIError as error:
            raise LedgerError(f"ledger: {self._speak(error)}: nobody can tell whether {what} is still ours") from None

    def _beat(self) -> None:
        with suppress(DBAPIError), self._engine.begin() as connection:
            connection.execute(_BEAT, self._me)

    def _keep_alive(self) -> None:
        begun = time.monotonic()
        while not self._ended.wait(min(self._term.beat_s, 1.0)):
            if time.monotonic() - begun >= self._term.beat_s:
                begun = time.monotonic()
                self._beat()

    def _must_not_be_released(self, what: str) -> None:
        if self._released:
            raise LeaseLost(f"the lease on {self.owner} was given back: {what} was not recorded")
