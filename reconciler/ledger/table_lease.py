"""What every home's lease does with its tables; a home adds how a transaction becomes durable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import Connection

from reconciler.diff.live import Applied
from reconciler.ledger import rows
from reconciler.ledger.errors import not_empty
from reconciler.ledger.journal import IntentRow, IntentState, Run, RunStatus, Tombstone
from reconciler.ledger.state import fill, parse

__all__ = ["TableLease"]

_T = TypeVar("_T")


class TableLease(ABC):
    """A `Lease` whose rows are those of `ledger.tables`, in whatever database."""

    def __init__(self, *, owner: str, epoch: int, redact: Callable[[str], str]) -> None:
        self.owner = owner
        self.epoch = epoch
        self._redact = redact

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
        self._write(f"run {run.id}", lambda connection: rows.begin_run(connection, run))

    def end_run(self, run_id: str, status: RunStatus, now: float) -> None:
        """See `Lease`."""
        ended = RunStatus(status)
        self._write(
            f"the end of run {run_id}", lambda connection: rows.end_run(connection, self.owner, run_id, ended, now)
        )

    def intend(self, row: IntentRow) -> int:
        """See `Lease`."""
        self._must_be_ours(row.owner)
        clean = replace(row, evidence=self._clean(row.evidence), note=self._redact(row.note))
        return self._write(
            f"the intent to {row.op} {row.address}", lambda connection: rows.add_intent(connection, clean)
        )

    def note_evidence(self, intent_id: int, live_id: str, evidence: Mapping[str, str]) -> None:
        """See `Lease`. Not fenced by the epoch: what a late reply told is true, whoever holds the lease by now."""
        heard = self._clean(evidence)
        self._write(
            f"the reply to intent {intent_id} (id {live_id or 'not told'})",
            lambda connection: rows.hear(connection, self.owner, intent_id, live_id, heard),
            fenced=False,
        )

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
        closed, told = IntentState(state), self._redact(note)

        def change(connection: Connection) -> None:
            rows.close_intent(
                connection, self.owner, intent_id, state=closed, live_id=live_id, evidence=heard, note=told
            )
            if forget:
                rows.forget(connection, self.owner, forget)
            if entry is not None:
                rows.put_entry(connection, self.owner, entry)
            if tombstone is not None:
                rows.bury(connection, self.owner, tombstone)

        self._write(f"the outcome of intent {intent_id} ({state}, id {live_id or 'not told'})", change)

    def put_entry(self, entry: Applied) -> None:
        """See `Lease`."""
        self._write(f"the entry of {entry.address}", lambda connection: rows.put_entry(connection, self.owner, entry))

    def forget(self, address: str, tombstone: Tombstone | None = None) -> None:
        """See `Lease`."""

        def change(connection: Connection) -> None:
            rows.forget(connection, self.owner, address)
            if tombstone is not None:
                rows.bury(connection, self.owner, tombstone)

        self._write(f"that {address} is forgotten", change)

    def rename(self, moves: Mapping[str, str]) -> None:
        """See `Lease`."""
        said = ", ".join(f"{old} is now {new}" for old, new in moves.items())
        self._write(f"that {said}", lambda connection: rows.rename(connection, self.owner, moves))

    def trust(self, scope: str, *, by: str, now: float) -> None:
        """See `Lease`."""
        self._write(
            f"the trust in {scope}", lambda connection: rows.trust(connection, self.owner, scope, by=by, now=now)
        )

    def restore(self, text: str) -> None:
        """See `Lease`. Intents and runs get ids of this home."""
        data = parse(text, f"of {self.owner}")

        def change(connection: Connection) -> None:
            if any((rows.entries(connection, self.owner), rows.journal(connection, self.owner))):
                raise not_empty(self.owner)
            fill(connection, self.owner, data, keep_ids=False)

        self._write(f"the ledger of {self.owner}", change)

    @abstractmethod
    def release(self) -> None:
        """See `Lease`."""

    def _write(self, what: str, change: Callable[[Connection], _T], *, fenced: bool = True) -> _T:
        """Make one change durable, and return what it says. A home may put several threads' into one transaction.

        Raises:
            LeaseLost, LedgerError: as `_transaction`.
        """
        with self._transaction(what, fenced=fenced) as connection:
            return change(connection)

    @abstractmethod
    def _transaction(self, what: str, *, fenced: bool) -> AbstractContextManager[Connection]:
        """One durable transaction; `fenced` ones fail when the lease is no longer ours.

        Raises:
            LeaseLost: fenced, and another run has taken over.
            LedgerError: it could not be committed; `what` was not recorded.
        """

    def _must_be_ours(self, owner: str) -> None:
        if owner != self.owner:
            raise ValueError(f"a row of {owner!r} under the lease of {self.owner!r}")

    def _clean(self, evidence: Mapping[str, str]) -> dict[str, str]:
        return {key: self._redact(value) for key, value in evidence.items()}
