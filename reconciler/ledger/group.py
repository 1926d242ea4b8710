"""Group commit: what several threads note at a time becomes durable by one transaction, that is by one flush."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import Connection

__all__ = ["Group", "Transaction"]

_T = TypeVar("_T")


class Transaction(Protocol):
    """One durable transaction; see `TableLease`."""

    def __call__(self, what: str, *, fenced: bool) -> AbstractContextManager[Connection]:
        """Begin it; it is durable when its context ends."""
        ...


class _Wish:
    """What one thread wants to have written."""

    def __init__(self, what: str, change: Callable[[Connection], Any], *, fenced: bool) -> None:
        self.what = what
        self.change = change
        self.fenced = fenced
        self.done = False
        self.result: Any = None
        self.error: Exception | None = None


class Group:
    """Whoever comes while a transaction is under way waits for its end; then one of them writes for all of them.

    Nobody returns before the own change is durable, or failed. The 3,000 notes that eight workers make of 1,000 creates
    take 2,000 flushes of 0.3 ms, and fewer where the disk is slower.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._line = threading.Lock()
        self._waiting: list[_Wish] = []
        self._turn = threading.Lock()

    def write(self, what: str, change: Callable[[Connection], _T], *, fenced: bool) -> _T:
        """Do it and return what it says; raises what it would raise in a transaction of its own."""
        wish = _Wish(what, change, fenced=fenced)
        with self._line:
            self._waiting.append(wish)
        with self._turn:
            if not wish.done:
                self._write_for_all(wish)
        if wish.error is not None:
            raise wish.error
        return cast("_T", wish.result)

    def _write_for_all(self, mine: _Wish) -> None:
        with self._line:
            wishes, self._waiting = self._waiting, []
        try:
            if len(wishes) == 1 or not self._together(wishes):
                for wish in wishes:
                    self._alone(wish)
        finally:
            left = [wish for wish in wishes if wish is not mine and not wish.done]
            if left:  # this thread was interrupted: the others write for themselves
                with self._line:
                    self._waiting = [*left, *self._waiting]

    def _together(self, wishes: list[_Wish]) -> bool:
        """All of them in one transaction, or none: then each is tried alone, and hears what is wrong with its own."""
        try:
            with self._transaction(wishes[0].what, fenced=any(wish.fenced for wish in wishes)) as connection:
                results = [wish.change(connection) for wish in wishes]
        except Exception:  # noqa: BLE001 - whosever it is: it is told to that one below
            return False
        for wish, result in zip(wishes, results, strict=True):
            wish.result, wish.done = result, True
        return True

    def _alone(self, wish: _Wish) -> None:
        try:
            with self._transaction(wish.what, fenced=wish.fenced) as connection:
                result = wish.change(connection)
            wish.result = result
        except Exception as error:  # noqa: BLE001 - raised in its own thread
            wish.error = error
        wish.done = True
