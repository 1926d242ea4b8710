"""Our record of what was applied: entries, journal, lease, runs."""

from reconciler.ledger.journal import IntentRow, IntentState, Run, RunStatus, Tombstone, TombstoneKind
from reconciler.ledger.store import Lease, LeaseLost, Ledger, LedgerError, open_ledger

__all__ = [
    "IntentRow",
    "IntentState",
    "Lease",
    "LeaseLost",
    "Ledger",
    "LedgerError",
    "Run",
    "RunStatus",
    "Tombstone",
    "TombstoneKind",
    "open_ledger",
]
