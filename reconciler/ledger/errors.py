"""What goes wrong with a ledger, in plain words: `LedgerError`, `LeaseLost`, and what a database's codes mean."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError

from reconciler.problems import ReconcilerError

__all__ = ["LeaseLost", "LedgerError", "cannot_write_beside", "explain", "is_busy", "is_damaged", "not_empty"]

_WORDS: Final = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it is read-only",
    sqlite3.SQLITE_PERM: "this user may not touch it",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened (is its folder there, and may this user write to it?)",
    sqlite3.SQLITE_IOERR: "the disk reported an error",
    sqlite3.SQLITE_BUSY: "another process kept it busy for too long",
    sqlite3.SQLITE_LOCKED: "another process kept it busy for too long",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not a ledger",
}


class LedgerError(ReconcilerError):
    """The ledger could not be read or written. What was to be recorded is not recorded; send nothing that needs it.

    Args:
        message: Which ledger, what happened, what is true now.
        code: Stable code: `ledger-failed`, `ledger-foreign`, `ledger-newer`, `ledger-damaged`, `lease-lost`.
    """

    def __init__(self, message: str, *, code: str = "ledger-failed") -> None:
        super().__init__(f"{message} [{code}]")
        self.code = code


class LeaseLost(LedgerError):
    """Another run has taken over: no further request, no further entry. Code `lease-lost`."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="lease-lost")


def not_empty(owner: str) -> LedgerError:
    """What is to move meets a record of the same owner."""
    return LedgerError(
        f"this ledger knows something of {owner} already, and two histories can't be one", code="ledger-not-empty"
    )


def explain(error: DBAPIError | OSError) -> str:
    """A failure as a person would say it, without SQL and without values."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return _WORDS.get(_primary(error), f"the database said: {error.orig}")


def is_damaged(error: DBAPIError) -> bool:
    """Whether the file itself is broken or is no database, so that trying again can't help."""
    return _primary(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_busy(error: DBAPIError) -> bool:
    """Whether another process was in the way, so that trying again may help."""
    return _primary(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def cannot_write_beside(error: DBAPIError) -> bool:
    """Whether a write-ahead log needs files beside the database that can't be made there."""
    return _primary(error) in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


def _primary(error: DBAPIError) -> int:
    # Extended codes (IOERR_WRITE, READONLY_DIRECTORY, …) carry the primary one in their low byte.
    return int(getattr(error.orig, "sqlite_errorcode", 0) or 0) & 0xFF
