"""The port of the ledger (`Ledger`, `Lease`) and the one way in, `open_ledger`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

from reconciler.diff.live import Applied
from reconciler.ledger.errors import LeaseLost, LedgerError
from reconciler.ledger.git import open_git_ledger
from reconciler.ledger.journal import KEPT_RUNS, IntentRow, IntentState, Run, RunStatus, Tombstone
from reconciler.ledger.postgresql import open_postgresql_ledger
from reconciler.ledger.sqlite import SqliteLedger
from reconciler.problems import ReconcilerError, nearest

__all__ = ["Lease", "LeaseLost", "Ledger", "LedgerError", "open_ledger"]

DEFAULT_PATH: Final = ".reconciler/ledger.db"
_TYPES: Final = ("sqlite", "git", "postgresql")


class Lease(Protocol):
    """The right to write for one owner, until `release`. All writes go through it, from any thread.

    Each method is one durable transaction that first makes sure that the lease is still ours; an implementation may put
    several threads' transactions into one commit (a push), but returns to none before that is proven.

    Raises, all of them:
        LeaseLost: another run has taken over; nothing was recorded. Send nothing more.
        LedgerError: it could not be recorded. Before a write: don't send it. After one: print what would have been
            recorded, and stop.
    """

    owner: str
    epoch: int
    """Counted up with every take."""

    def check(self) -> None:
        """Make sure that the lease outlives the next request, by the margin it was taken with; last before a send."""
        ...

    def begin_run(self, run: Run) -> None:
        """Note a run; others of the owner that never ended are marked as died."""
        ...

    def end_run(self, run_id: str, status: RunStatus, now: float) -> None:
        """Close a run (`now` in seconds since the epoch) and drop what is too old to matter."""
        ...

    def intend(self, row: IntentRow) -> int:
        """Note a write before it is sent, and return its id. Durable on return."""
        ...

    def note_evidence(self, intent_id: int, live_id: str, evidence: Mapping[str, str]) -> None:
        """Note what a reply told, before it was read back; the intent stays open.

        The one write that is allowed after the lease was lost (never after `release`). Source: SETTLEMENT §8.
        """
        ...

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
        """Close an open intent and, in the same transaction, change what follows from it.

        First `forget` (an address), then `entry`, then `tombstone`. What was heard before stays.
        """
        ...

    def put_entry(self, entry: Applied) -> None:
        """Write or replace an entry; a tombstone of the same live id at that provider and kind goes."""
        ...

    def forget(self, address: str, tombstone: Tombstone | None = None) -> None:
        """Drop an entry (`onRemove: retain` leaves a `released` tombstone); one that isn't there is fine."""
        ...

    def rename(self, moves: Mapping[str, str]) -> None:
        """Move entries (old address → new one) all at once, with their markers as they were written; two may swap."""
        ...

    def trust(self, scope: str, *, by: str, now: float) -> None:
        """Note that an absence counts: `*` (nothing ran before this ledger) or `provider/Kind`.

        Source: SETTLEMENT §7 R7.
        """
        ...

    def restore(self, text: str) -> None:
        """Take over what `Ledger.dump` of another home said, all at once.

        Raises:
            LedgerError: `ledger-not-empty`: something is known of the owner here; `ledger-damaged`, `ledger-newer`.
        """
        ...

    def release(self) -> None:
        """Give the lease back; a second time does nothing."""
        ...

    def __enter__(self) -> Self:
        """Use it as `with ledger.take_lease(…) as lease:`."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release, whatever happened."""
        ...


class Ledger(Protocol):
    """What we applied, for many owners. Reading needs no lease, makes no file, and may be behind a run under way.

    After `take_lease` returned, reads show exactly the version that the lease was taken on: what was read before it may
    be stale, so read again. Every method raises `LedgerError` when the ledger is there but can't be read.
    """

    location: str
    """For people."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, such as an unreadable ledger that was set aside."""
        ...

    def entries(self, owner: str) -> dict[str, Applied]:
        """Last applied, by address, sorted."""
        ...

    def open_intents(self, owner: str) -> tuple[IntentRow, ...]:
        """Writes that may be under way or may have landed, oldest first; also of resources that left the spec."""
        ...

    def intent_of(self, owner: str, op_id: str) -> IntentRow | None:
        """The intent of this operation id, open or (last 50 runs) closed: whether a create was ours, what it heard."""
        ...

    def journal(self, owner: str) -> tuple[IntentRow, ...]:
        """All writes of the kept runs, open and closed, oldest first."""
        ...

    def tombstones(self, owner: str) -> tuple[Tombstone, ...]:
        """What was deleted in the last 30 days, and all that was released, oldest first."""
        ...

    def runs(self, owner: str, limit: int = KEPT_RUNS) -> tuple[Run, ...]:
        """The last runs, newest first; 50 are kept."""
        ...

    def is_cold(self, owner: str) -> bool:
        """Whether no run of the owner ever finished here (`done` or `incomplete`) and nobody trusted `*`."""
        ...

    def trusted(self, owner: str) -> dict[str, float]:
        """Scopes whose absences count without having been seen by a run (`*`, `provider/Kind`) → since when."""
        ...

    def dump(self, owner: str) -> str:
        """All that is known of the owner, as one readable JSON text that `Lease.restore` of any home takes."""
        ...

    def unlock(self, owner: str) -> str:
        """Break a lease that nobody will give back; returns who held it, or empty when it was free.

        What its holder had under way stays open in the journal. The holder, should it live, writes nothing more here.

        Raises:
            Refused: `lease-held`: its holder lives on this machine, and the operating system proves it.
        """
        ...

    def take_lease(self, owner: str, holder: str, *, wait_s: float = 0.0, margin_s: float = 0.0) -> Lease:
        """Become the owner's only writer.

        Args:
            owner: `<project>` or `<project>/<environment>`.
            holder: Who takes it, for the one who is refused: a run's address, a user; may be empty.
            wait_s: How long to wait for another run's end, in seconds.
            margin_s: How long the lease must still last whenever `check` and `intend` pass, in seconds (SETTLEMENT §4:
                T + K). Homes whose lease never expires hold that anyway.

        Raises:
            Refused: `lease-held`, naming the holder; `ledger-on-network`.
            LedgerError: the ledger can't be made, opened or written.
        """
        ...


def open_ledger(
    config: Mapping[str, Any],
    root: Path,
    *,
    now: Callable[[], float] = time.time,
    redact: Callable[[str], str] = str,
    environ: Mapping[str, str] | None = None,
) -> Ledger:
    """The ledger that a project's `spec.ledger` asks for. Touches no file yet.

    Args:
        config: `type` (`sqlite`, `git`, `postgresql`); `path` of the SQLite file, below `root` unless absolute (default
            `.reconciler/ledger.db`); `branch` and `remote` of the Git home.
        root: The project's folder.
        now: Seconds since the epoch, for the age of tombstones.
        redact: Hides secrets in free text (notes, evidence) before it is stored.
        environ: Where the address of a PostgreSQL database stands; the process's own by default.

    Raises:
        ReconcilerError: `ledger-type`, `ledger-url`, `ledger-driver`.
    """
    kind = str(config.get("type", "sqlite"))
    if kind == "sqlite":
        return SqliteLedger(root / str(config.get("path") or DEFAULT_PATH), root=root, now=now, redact=redact)
    if kind == "git":
        return open_git_ledger(config, root, now=now, redact=redact)
    if kind == "postgresql":
        return open_postgresql_ledger(os.environ if environ is None else environ, now=now, redact=redact)
    meant = nearest(kind, _TYPES)
    hint = f"; did you mean {meant!r}?" if meant else ""
    raise ReconcilerError(f"unknown ledger type {kind!r} (expected one of {', '.join(_TYPES)}){hint} [ledger-type]")
