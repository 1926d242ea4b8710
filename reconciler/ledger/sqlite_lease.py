"""The SQLite home's writes: durable transactions behind the owner's lock and the epoch."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from reconciler.ledger import rows
from reconciler.ledger.errors import LeaseLost, LedgerError, explain
from reconciler.ledger.group import Group
from reconciler.ledger.lease import FileLock, is_same_file
from reconciler.ledger.table_lease import TableLease
from reconciler.ledger.tables import LEASES

__all__ = ["SqliteLease"]

_EPOCH = f"SELECT epoch FROM {LEASES.name} WHERE owner = ?"  # noqa: S608 - a constant of ours
_T = TypeVar("_T")


class SqliteLease(TableLease):
    """A `Lease` on one owner of a SQLite ledger; may be used from several threads."""

    def __init__(
        self,
        *,
        owner: str,
        epoch: int,
        path: Path,
        location: str,
        connection: Connection,
        look: sqlite3.Connection,
        locks: Sequence[FileLock],
        redact: Callable[[str], str],
    ) -> None:
        super().__init__(owner=owner, epoch=epoch, redact=redact)
        self._path = path
        self._location = location
        self._connection = connection
        self._look = look
        """Reads what is committed, whatever is being written: a look before a send waits for nobody's flush."""
        self._looking = threading.Lock()
        self._locks = tuple(locks)
        self._file = path.stat()
        self._mutex = threading.RLock()
        self._released = False
        self._group = Group(lambda what, *, fenced: self._transaction(what, fenced=fenced))

    def release(self) -> None:
        """See `Lease`."""
        with self._mutex:
            if self._released:
                return
            self._released = True
            with suppress(DBAPIError, sqlite3.Error):  # all was committed; the log is read by whoever opens it next
                with self._looking:
                    self._look.close()
                self._connection.close()
            owner_lock = self._locks[0]
            with suppress(OSError):  # a stale name in a free lock misleads nobody: only a held one is read
                owner_lock.write("")
            for lock in self._locks:
                lock.release()

    def check(self) -> None:
        """See `Lease`."""
        self._check_files("the lease")
        try:
            with self._looking:
                self._must_not_be_released("the lease")
                ours = self._is_newest()
        except sqlite3.Error as error:
            raise self._failed(DBAPIError(_EPOCH, None, error), "the lease") from error
        if not ours:
            raise self._taken_over("the lease")

    def _is_newest(self) -> bool:
        row = self._look.execute(_EPOCH, (self.owner,)).fetchone()
        return row is not None and row[0] == self.epoch

    def _write(self, what: str, change: Callable[[Connection], _T], *, fenced: bool = True) -> _T:
        """See `TableLease`. Several threads' changes share a transaction, with one look at epoch and files for all."""
        return self._group.write(what, change, fenced=fenced)

    @contextmanager
    def _transaction(self, what: str, *, fenced: bool) -> Iterator[Connection]:
        """One durable transaction; `fenced` ones fail when the lease is no longer ours.

        Raises:
            LeaseLost: fenced, and another run has taken over.
            LedgerError: it could not be committed; `what` was not recorded.
        """
        with self._mutex:
            self._must_not_be_released(what)
            if fenced:
                self._check_files(what)
            try:
                with self._connection.begin():
                    if fenced and not rows.holds_epoch(self._connection, self.owner, self.epoch):
                        raise self._taken_over(what)
                    yield self._connection
            except DBAPIError as error:
                raise self._failed(error, what) from error

    def _must_not_be_released(self, what: str) -> None:
        if self._released:
            raise LeaseLost(f"the lease on {self.owner} was given back: {what} was not recorded")

    def _taken_over(self, what: str) -> LeaseLost:
        return LeaseLost(f"another run has taken over {self.owner}: {what} was not recorded")

    def _failed(self, error: DBAPIError, what: str) -> LedgerError:
        return LedgerError(f"ledger {self._location}: {explain(error)}: {what} was not recorded")

    def _check_files(self, what: str) -> None:
        # Both files may be removed under a running process, which would go on writing to where nobody reads.
        if not self._locks[0].is_intact() or not is_same_file(self._path, self._file):
            raise LeaseLost(
                f"the files of ledger {self._location} were removed or replaced during this run: "
                f"{what} was not recorded"
            )
