"""The Git home's writes: a transaction is done when its push is proven. Those of several threads share one push."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from reconciler.ledger import rows
from reconciler.ledger.errors import LeaseLost, LedgerError, explain
from reconciler.ledger.git_repository import GitRepository, Moved
from reconciler.ledger.lease import Holder
from reconciler.ledger.state import dump_state, load_state, parse
from reconciler.ledger.table_lease import TableLease

__all__ = ["GitLease", "Term", "lease_row"]

_TRIES: Final = 8
_MOST_COMMITS: Final = 200
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How long a lease lasts after each push, and how often it is renewed while nothing else is pushed; in seconds.

    Source: SETTLEMENT §8, the numbers for Git.
    """

    ttl_s: float = 600.0
    beat_s: float = 120.0


def lease_row(holder: Holder, epoch: int, beat: int, now_s: float, term: Term) -> dict[str, Any]:
    """The lease as it stands in the file; `expires` in seconds since the epoch, by the holder's clock."""
    return {
        "epoch": epoch,
        "beat": beat,
        "holder": asdict(holder),
        "ttl": term.ttl_s,
        "expires": now_s + term.ttl_s,
        "released": False,
    }


class GitLease(TableLease):
    """A `Lease` on one owner's file of the branch; may be used from several threads.

    Rows are changed in memory first. Whoever waits for the push pushes everything that is waiting by then.
    """

    def __init__(
        self,
        *,
        owner: str,
        epoch: int,
        holder: Holder,
        repository: GitRepository,
        connection: Connection,
        tip: str,
        path: str,
        margin_s: float,
        term: Term,
        now: Callable[[], float],
        redact: Callable[[str], str],
        asked: tuple[float, float],
    ) -> None:
        super().__init__(owner=owner, epoch=epoch, redact=redact)
        self._holder = holder
        self._repository = repository
        self._connection = connection
        self._tip = tip
        self._path = path
        self._margin_s = margin_s
        self._term = term
        self._now = now
        self._mutex = threading.RLock()
        self._pushing = threading.RLock()
        self._beat = 0
        self._made = 0
        """Transactions that stand in memory."""
        self._proven = 0
        """Transactions whose push is proven."""
        self._ours = {repository.read(tip, path)[0]}
        """Versions of our file that are from us: the last one, and those whose push may have landed."""
        self._lost = ""
        self._released = False
        self._renewed = asked
        """Monotonic and wall clock from before the push that last renewed the lease."""
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._keep_alive, name=f"lease of {owner}", daemon=True)
        self._heart.start()

    def read(self, query: Callable[[Connection], _T]) -> _T:
        """A look at the rows as this lease knows them."""
        with self._mutex, self._connection.begin():
            return query(self._connection)

    def check(self) -> None:
        """See `Lease`. A lease that is too near to its end is renewed first."""
        with self._mutex:
            self._must_hold("the lease")
            if self._remaining_s() > self._margin_s:
                return
        self._renew("the lease")
        if self._remaining_s() <= self._margin_s:
            raise LeaseLost(f"the lease on {self.owner} can't outlive the next request: it was not sent")

    def note_evidence(self, intent_id: int, live_id: str, evidence: Mapping[str, str]) -> None:
        """See `Lease`."""
        try:
            super().note_evidence(intent_id, live_id, evidence)
        except LeaseLost:
            if self._released:
                raise
            what = f"the reply to intent {intent_id} (id {live_id or 'not told'})"
            self._tell_successor(intent_id, live_id, self._clean(evidence), what)

    def release(self) -> None:
        """See `Lease`. That it can't be given back is no error: it runs out by itself."""
        with self._mutex:
            if self._released:
                return
            self._released = True
        self._ended.set()
        if not self._lost:
            with suppress(LedgerError), self._pushing:
                self._push(self._text(released=True), f"{self.owner}: lease {self.epoch} given back")
                self._squash()
        self._heart.join(timeout=1.0)

    # -- transactions -------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self, what: str, *, fenced: bool) -> Iterator[Connection]:
        """See `TableLease`. Without a lease nothing is written here, so that nothing is unfenced."""
        del fenced
        with self._mutex:
            self._must_hold(what)
            try:
                with self._connection.begin():
                    yield self._connection
            except DBAPIError as error:
                raise LedgerError(f"ledger {self._where()}: {explain(error)}: {what} was not recorded") from error
            self._made += 1
            ticket = self._made
        self._prove(ticket, what)

    def _prove(self, ticket: int, what: str) -> None:
        """Wait until a push that holds this transaction is proven; whoever comes first pushes for all.

        Raises:
            LeaseLost: another run has taken over.
            LedgerError: it can't be pushed, or not be told whether it was.
        """
        with self._pushing:
            if self._proven >= ticket:
                return
            self._must_hold(what)
            self._renew(what)

    def _renew(self, what: str) -> None:
        """Push what stands in memory, with a new beat."""
        with self._pushing:
            with self._mutex:
                self._must_hold(what)
                made = self._made
                self._beat += 1
                asked = time.monotonic(), self._now()
                text = self._text()
            try:
                self._push(text, f"{self.owner}: {what}")
            except LeaseLost as error:
                self._lost = str(error).rpartition(" [")[0]
                raise LeaseLost(f"{self._lost}: {what} was not recorded") from None
            except LedgerError as error:
                # The rows stay in memory and go along with the next push that succeeds: an intent that was never sent
                # is settled by reading, an outcome is true.
                raise LedgerError(f"{str(error).rpartition(' [')[0]}: {what} was not recorded") from None
            self._proven, self._renewed = made, asked

    def _push(self, text: str, message: str) -> None:
        """Put this text into the branch; others' files may move under it, ours may not.

        Raises:
            LeaseLost: our file is not what we left.
            LedgerError: all else.
        """
        for attempt in range(_TRIES):
            commit = self._repository.commit(self._tip, {self._path: text}, message)
            blob = self._repository.read(commit, self._path)[0]
            self._ours.add(blob)  # also when the push fails: it may have landed
            try:
                self._repository.push(commit, self._tip)
            except Moved:
                tip = self._repository.fetch()
                if self._repository.read(tip, self._path)[0] not in self._ours:
                    raise LeaseLost(f"another run has taken over {self.owner}") from None
                self._tip = tip
                time.sleep(random.uniform(0.02, 0.2) * (attempt + 1))  # noqa: S311 - jitter, no secret
                continue
            self._tip, self._ours = commit, {blob}
            return
        raise LedgerError(f"ledger {self._where()}: {_TRIES} pushes in a row came too late")

    def _squash(self) -> None:
        """Drop the branch's history once it is long. A reader of its tip never notices."""
        if self._repository.length(self._tip) > _MOST_COMMITS:
            with suppress(Moved):
                commit = self._repository.squash(self._tip, "ledger, history dropped")
                self._repository.push(commit, self._tip)
                self._tip = commit

    def _tell_successor(self, intent_id: int, live_id: str, evidence: Mapping[str, str], what: str) -> None:
        """Put evidence into the file of whoever holds the lease by now: it is true whoever holds it."""
        for _ in range(_TRIES):
            tip = self._repository.fetch()
            data = parse(self._repository.read(tip, self._path)[1], self._where())
            connection = load_state(data, self.owner, self._where())
            try:
                with connection.begin():
                    rows.hear(connection, self.owner, intent_id, live_id, evidence)
                text = dump_state(connection, self.owner, data.get("lease") or {})
            finally:
                connection.close()
            with suppress(Moved):
                self._repository.push(self._repository.commit(tip, {self._path: text}, f"{self.owner}: {what}"), tip)
                return
        raise LedgerError(f"ledger {self._where()}: {_TRIES} pushes in a row came too late: {what} was not recorded")

    # -- holding ------------------------------------------------------------------------------------------------------

    def _keep_alive(self) -> None:
        """Beat while nothing else is pushed; a beat that fails is told by the next transaction."""
        while not self._ended.wait(min(self._term.beat_s, 1.0)):
            if time.monotonic() - self._renewed[0] < self._term.beat_s:
                continue
            with suppress(LedgerError):
                self._renew("beat")

    def _remaining_s(self) -> float:
        """By the clock that went further: a monotonic one stands still while a laptop sleeps (SETTLEMENT R17)."""
        age = max(time.monotonic() - self._renewed[0], self._now() - self._renewed[1])
        return self._term.ttl_s - age

    def _must_hold(self, what: str) -> None:
        if self._released:
            raise LeaseLost(f"the lease on {self.owner} was given back: {what} was not recorded")
        if self._lost:
            raise LeaseLost(f"{self._lost}: {what} was not recorded")
        if self._remaining_s() <= 0:
            raise LeaseLost(f"the lease on {self.owner} ran out: {what} was not recorded")

    def _text(self, *, released: bool = False) -> str:
        row = lease_row(self._holder, self.epoch, self._beat, self._now(), self._term) | {"released": released}
        with self._mutex:
            return dump_state(self._connection, self.owner, row)

    def _where(self) -> str:
        return f"{self._repository.describe()} ({self._path})"
