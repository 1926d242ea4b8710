"""What every home's ledger answers from its tables; a home adds how they are reached."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from reconciler.diff.live import Applied
from reconciler.ledger import rows
from reconciler.ledger.journal import KEPT_RUNS, IntentRow, Run, Tombstone
from reconciler.ledger.state import dump_rows

__all__ = ["TableLedger"]

_T = TypeVar("_T")


class TableLedger(ABC):
    """The reading half of a `Ledger` whose rows are those of `ledger.tables`, in whatever database."""

    def __init__(self, *, location: str, now: Callable[[], float], redact: Callable[[str], str]) -> None:
        self.location = location
        self._now = now
        self._redact = redact

    @property
    def notes(self) -> tuple[str, ...]:
        """See `Ledger`."""
        return ()

    def entries(self, owner: str) -> dict[str, Applied]:
        """See `Ledger`."""
        return self._read(owner, lambda connection: rows.entries(connection, owner), {})

    def open_intents(self, owner: str) -> tuple[IntentRow, ...]:
        """See `Ledger`."""
        return self._read(owner, lambda connection: rows.open_intents(connection, owner), ())

    def intent_of(self, owner: str, op_id: str) -> IntentRow | None:
        """See `Ledger`."""
        return self._read(owner, lambda connection: rows.intent_of(connection, owner, op_id), None)

    def journal(self, owner: str) -> tuple[IntentRow, ...]:
        """See `Ledger`."""
        return self._read(owner, lambda connection: rows.journal(connection, owner), ())

    def tombstones(self, owner: str) -> tuple[Tombstone, ...]:
        """See `Ledger`."""
        return self._read(owner, lambda connection: rows.tombstones(connection, owner, self._now()), ())

    def runs(self, owner: str, limit: int = KEPT_RUNS) -> tuple[Run, ...]:
        """See `Ledger`."""
        return self._read(owner, lambda connection: rows.runs(connection, owner, limit), ())

    def is_cold(self, owner: str) -> bool:
        """See `Ledger`."""
        return self._read(owner, lambda connection: rows.is_cold(connection, owner), True)  # noqa: FBT003 - what an empty one says

    def trusted(self, owner: str) -> dict[str, float]:
        """See `Ledger`."""
        return self._read(owner, lambda connection: rows.trusted(connection, owner), {})

    def dump(self, owner: str) -> str:
        """See `Ledger`."""
        return self._read(owner, lambda connection: dump_rows(connection, owner), "")

    @abstractmethod
    def _read(self, owner: str, query: Callable[[Connection], _T], empty: _T) -> _T:
        """Ask in one transaction; `empty` where there is no ledger yet.

        Raises:
            LedgerError: it is there, and can't be read.
        """
