"""The Git home: one readable JSON file an owner, on a branch of its own. Source: SETTLEMENT §§8, 9.

A team on hosted runners needs no database for it. Whoever reads the repository reads the ledger, which holds no secret;
whoever may push the branch can forge it, so that branch should be protected.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from reconciler.ledger import rows
from reconciler.ledger.errors import LedgerError
from reconciler.ledger.git_lease import GitLease, Term, lease_row
from reconciler.ledger.git_repository import GitRepository, Moved
from reconciler.ledger.lease import Holder
from reconciler.ledger.state import as_text, dump_state, load_state, parse
from reconciler.ledger.table_ledger import TableLedger
from reconciler.problems import Problem, Refused

__all__ = ["DEFAULT_BRANCH", "GitLedger", "open_git_ledger"]

DEFAULT_BRANCH: Final = "reconciler-ledger"
_TRIES: Final = 8
_SKEW_S: Final = 5.0
_LONG_OVER_S: Final = 300.0
"""An expiry that lies this far back is over by any clock."""
_WATCH_S: Final = 2.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Version:
    """One state of the branch: its tip, and this owner's file in it."""

    tip: str
    blob: str
    data: Mapping[str, Any]


class GitLedger(TableLedger):
    """A `Ledger` on a branch. What one command reads is one version of it."""

    def __init__(
        self,
        repository: GitRepository,
        *,
        now: Callable[[], float],
        redact: Callable[[str], str],
        term: Term | None = None,
    ) -> None:
        super().__init__(location=repository.describe(), now=now, redact=redact)
        self._repository = repository
        self._term = term or Term()
        self._tip: str | None = None
        self._states: dict[str, Connection] = {}
        self._leases: dict[str, GitLease] = {}

    def take_lease(self, owner: str, holder: str, *, wait_s: float = 0.0, margin_s: float = 0.0) -> GitLease:
        """See `Ledger`. The lease is taken by a push on exactly the version that was read."""
        until = time.monotonic() + wait_s
        watched: tuple[Any, float] | None = None
        for attempt in range(1, 1_000_000):
            version = self._look(owner)
            lease = version.data.get("lease") or {}
            beat = (lease.get("epoch"), lease.get("beat"))
            if watched is None or watched[0] != beat:
                watched = (beat, time.monotonic())
            if self._is_free(lease, time.monotonic() - watched[1]):
                try:
                    return self._take(owner, holder, version, margin_s)
                except Moved:
                    if attempt >= _TRIES and time.monotonic() >= until:
                        raise LedgerError(
                            f"ledger {self.location}: {attempt} others were faster; nothing was sent"
                        ) from None
                    time.sleep(random.uniform(0.05, 0.5))  # noqa: S311 - jitter, no secret
                    continue
            if time.monotonic() >= until:
                raise Refused([_held(owner, lease)])
            time.sleep(min(_WATCH_S, max(until - time.monotonic(), 0.05)))
        raise AssertionError

    def unlock(self, owner: str) -> str:
        """See `Ledger`. The file of a holder that lives has changed under it, so that it loses its lease."""
        for _ in range(_TRIES):
            version = self._look(owner)
            lease = dict(version.data.get("lease") or {})
            if not lease or lease.get("released"):
                return ""
            text = as_text({**version.data, "lease": lease | {"released": True}})
            commit = self._repository.commit(version.tip, {_file(owner): text}, f"{owner}: lease broken")
            try:
                self._repository.push(commit, version.tip)
            except Moved:
                continue  # it beats: whoever asked knows better
            return str(Holder(**lease["holder"]))
        raise LedgerError(f"ledger {self.location}: {_TRIES} others were faster; the lease stands")

    def _is_free(self, lease: Mapping[str, Any], watched_s: float) -> bool:
        """No lease, one that was given back, one long over, or one whose beat stood still for its whole time.

        There is no clock that two machines share, so an expiry that is barely over proves nothing.
        """
        if not lease or lease.get("released"):
            return True
        over = self._now() - float(lease.get("expires", 0)) > _LONG_OVER_S
        return over or watched_s > float(lease.get("ttl", self._term.ttl_s)) + _SKEW_S

    def _take(self, owner: str, holder: str, version: _Version, margin_s: float) -> GitLease:
        here = Holder.here(holder)
        asked = time.monotonic(), self._now()
        connection = load_state(dict(version.data), owner, self.location)
        try:
            with connection.begin():
                epoch = rows.take_epoch(connection, owner, here.dump())
            row = lease_row(here, epoch, 0, self._now(), self._term)
            text = dump_state(connection, owner, row)
            commit = self._repository.commit(version.tip, {_file(owner): text}, f"{owner}: lease {epoch} taken")
            self._repository.push(commit, version.tip)
        except BaseException:
            connection.close()
            raise
        lease = GitLease(
            owner=owner,
            epoch=epoch,
            holder=here,
            repository=self._repository,
            connection=connection,
            tip=commit,
            path=_file(owner),
            margin_s=margin_s,
            term=self._term,
            now=self._now,
            redact=self._redact,
            asked=asked,
        )
        self._leases[owner] = lease
        return lease

    def _look(self, owner: str) -> _Version:
        tip = self._repository.fetch()
        blob, text = self._repository.read(tip, _file(owner))
        return _Version(tip, blob, parse(text, f"{self.location} ({_file(owner)})"))

    def _read(self, owner: str, query: Callable[[Connection], _T], empty: _T) -> _T:
        del empty  # a branch without the file reads as one with nothing in it
        lease = self._leases.get(owner)
        if lease is not None:
            return lease.read(query)
        if owner not in self._states:
            if self._tip is None:
                self._tip = self._repository.fetch()
            text = self._repository.read(self._tip, _file(owner))[1]
            location = f"{self.location} ({_file(owner)})"
            self._states[owner] = load_state(parse(text, location), owner, location)
        with self._states[owner].begin():
            return query(self._states[owner])


def _file(owner: str) -> str:
    return f"{owner}.json"


def _held(owner: str, lease: Mapping[str, Any]) -> Problem:
    return Problem(
        code="lease-held",
        wrong=f"another run works on {owner}: {Holder(**lease['holder'])}",
        expected="one run at a time; wait for it to end, or ride it out with --lease-wait",
    )


def open_git_ledger(
    config: Mapping[str, Any], root: Path, *, now: Callable[[], float], redact: Callable[[str], str]
) -> GitLedger:
    """The ledger of `type: git`: `branch` and `remote` of the repository that holds the project."""
    repository = GitRepository(
        root, remote=str(config.get("remote") or "origin"), branch=str(config.get("branch") or DEFAULT_BRANCH)
    )
    return GitLedger(repository, now=now, redact=redact)
