"""Our record of what was applied: entries, journal, lease, runs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def __getattr__(name: str) -> object:
    """What is written above, when it is asked for: SQLAlchemy takes 140 ms, and a snapshot is but rows."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    journal = import_module("reconciler.ledger.journal")
    return getattr(journal, name, None) or getattr(import_module("reconciler.ledger.store"), name)
