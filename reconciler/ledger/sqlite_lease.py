"""The SQLite home's writes: one transaction each, behind the owner's lock and the epoch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from reconciler.diff.live import Applied
from reconciler.ledger import rows
from reconciler.ledger.errors import LeaseLost, LedgerError, explain
from reconciler.ledger.journal import IntentRow, IntentState, Run, RunStatus, Tombstone
from reconciler.ledger.lease import FileLock, is_same_file

__all__ = ["SqliteLease"]


class SqliteLease:
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
        self.owner = owner
        self.epoch = epoch
        self._path = path
        self._location = location
        self._connection = connection
        self._locks = tuple(locks)
        self._redact = redact
        self._file = path.stat()
        self._mutex = threading.RLock()
        self._released = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def check(self) -> None:
        """See `Lease`."""
        with self._transaction("the lease", fenced=True):
            pass

    def begin_run(self, run: Run) -> None:
        """See `Lease`."""
        self._must_be_ours(run.owner)
        with self._transaction(f"run {run.id}", fenced=True) as connection:
            rows.begin_run(connection, run)

    def end_run(self, run_id: str, status: RunStatus, now: float) -> None:
        """See `Lease`."""
        with self._transaction(f"the end of run {run_id}", fenced=True) as connection:
            rows.end_run(connection, self.owner, run_id, RunStatus(status), now)

    def intend(self, row: IntentRow) -> int:
        """See `Lease`."""
        self._must_be_ours(row.owner)
        clean = replace(row, evidence=self._clean(row.evidence), note=self._redact(row.note))
        with self._transaction(f"the intent to {row.op} {row.address}", fenced=True) as connection:
            return rows.add_intent(connection, clean)

    def note_evidence(self, intent_id: int, live_id: str, evidence: Mapping[str, str]) -> None:
        """See `Lease`. Not fenced by the epoch: what a late reply told is true, whoever holds the lease by now."""
        with self._transaction(
            f"the reply to intent {intent_id} (id {live_id or 'not told'})", fenced=False
        ) as connection:
            rows.hear(connection, self.owner, intent_id, live_id, self._clean(evidence))

    def close_intent(
        self,
        intent_id: int,
        state: IntentState,
        *,
        live_id: str = "",
        evidence: Mapping[str, str] | None = None,
        note: str = "",
        entry: Applied | None = None,
        forget: str = "",
        tombstone: Tombstone | None = None,
    ) -> None:
        """See `Lease`."""
        heard = None if evidence is None else self._clean(evidence)
        told = f"the outcome of intent {intent_id} ({state}, id {live_id or 'not told'})"
        with self._transaction(told, fenced=True) as connection:
            rows.close_intent(
                connection,
                self.owner,
                intent_id,
                state=IntentState(state),
                live_id=live_id,
                evidence=heard,
                note=self._redact(note),
            )
            if forget:
                rows.forget(connection, self.owner, forget)
            if entry is not None:
                rows.put_entry(connection, self.owner, entry)
            if tombstone is not None:
                rows.bury(connection, self.owner, tombstone)

    def put_entry(self, entry: Applied) -> None:
        """See `Lease`."""
        with self._transaction(f"the entry of {entry.address}", fenced=True) as connection:
            rows.put_entry(connection, self.owner, entry)

    def forget(self, address: str, tombstone: Tombstone | None = None) -> None:
        """See `Lease`."""
        with self._transaction(f"that {address} is forgotten", fenced=True) as connection:
            rows.forget(connection, self.owner, address)
            if tombstone is not None:
                rows.bury(connection, self.owner, tombstone)

    def rename(self, moves: Mapping[str, str]) -> None:
        """See `Lease`."""
        said = ", ".join(f"{old} is now {new}" for old, new in moves.items())
        with self._transaction(f"that {said}", fenced=True) as connection:
            rows.rename(connection, self.owner, moves)

    def trust(self, scope: str, *, by: str, now: float) -> None:
        """See `Lease`."""
        with self._transaction(f"the trust in {scope}", fenced=True) as connection:
            rows.trust(connection, self.owner, scope, by=by, now=now)

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

    def _must_be_ours(self, owner: str) -> None:
        if owner != self.owner:
            raise ValueError(f"a row of {owner!r} under the lease of {self.owner!r}")

    def _clean(self, evidence: Mapping[str, str]) -> dict[str, str]:
        return {key: self._redact(value) for key, value in evidence.items()}
