"""The SQLite home's writes: one transaction each, behind the owner's lock and the epoch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from reconciler.ledger import rows
from reconciler.ledger.errors import LeaseLost, LedgerError, explain
from reconciler.ledger.lease import FileLock, is_same_file
from reconciler.ledger.table_lease import TableLease

__all__ = ["SqliteLease"]


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
        locks: Sequence[FileLock],
        redact: Callable[[str], str],
    ) -> None:
        super().__init__(owner=owner, epoch=epoch, redact=redact)
        self._path = path
        self._location = location
        self._connection = connection
        self._locks = tuple(locks)
        self._file = path.stat()
        self._mutex = threading.RLock()
        self._released = False

    def release(self) -> None:
        """See `Lease`."""
        with self._mutex:
            if self._released:
                return
            self._released = True
            with suppress(DBAPIError):  # everything was committed; the log is read by whoever opens it next
                self._connection.close()
            owner_lock = self._locks[0]
            with suppress(OSError):  # a stale name in a free lock misleads nobody: only a held one is read
                owner_lock.write("")
            for lock in self._locks:
                lock.release()

    @contextmanager
    def _transaction(self, what: str, *, fenced: bool) -> Iterator[Connection]:
        """One durable transaction; `fenced` ones fail when the lease is no longer ours.

        Raises:
            LeaseLost: fenced, and another run has taken over.
            LedgerError: it could not be committed; `what` was not recorded.
        """
        with self._mutex:
            if self._released:
                raise LeaseLost(f"the lease on {self.owner} was given back: {what} was not recorded")
            if fenced:
                self._check_files(what)
            try:
                with self._connection.begin():
                    if fenced and not rows.holds_epoch(self._connection, self.owner, self.epoch):
                        raise LeaseLost(f"another run has taken over {self.owner}: {what} was not recorded")
                    yield self._connection
            except DBAPIError as error:
                raise LedgerError(f"ledger {self._location}: {explain(error)}: {what} was not recorded") from error

    def _check_files(self, what: str) -> None:
        # Both files may be removed under a running process, which would go on writing to where nobody reads.
        if not self._locks[0].is_intact() or not is_same_file(self._path, self._file):
            raise LeaseLost(
                f"the files of ledger {self._location} were removed or replaced during this run: "
                f"{what} was not recorded"
            )
