"""Rules of the product, each switched off alone: a simulation that finds none of these finds nothing else either.

A sabotage is put over the product for the time of one seed. The product has no hook for it.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from reconciler.apply import wait
from reconciler.apply.settle import Settlement
from reconciler.apply.step import StepRunner
from reconciler.apply.wait import Waited
from reconciler.cli import apply as apply_command
from reconciler.cli import looks, session, wishes
from reconciler.diff import identity, live
from reconciler.ledger import git, git_lease, rows, sqlite, sqlite_lease
from reconciler.ledger.journal import IntentRow
from reconciler.ledger.lease import FileLock
from reconciler.ledger.table_lease import TableLease
from reconciler.problems import UnknownOutcome
from reconciler.providers import http
from reconciler.providers.modelarts import pages
from reconciler.providers.runai import client as runai_client
from tests.simulation.world import World

__all__ = ["SABOTAGES"]

Sabotage = Callable[[World], None]


def _no_settling(world: World) -> None:
    """What a dead run left open counts as not done, without a look."""

    def settle(rows_: Sequence[IntentRow], *_: object, **__: object) -> Settlement:
        return Settlement(not_done=tuple(rows_))

    world.product.put(session, "settle_open", settle)


def _post_retried(world: World) -> None:
    """A write whose reply was lost is sent again."""
    before = http.HttpClient.write

    def write(self: http.HttpClient, method: str, path: str, **more: Any) -> http.HttpReply:
        try:
            return before(self, method, path, **more)
        except UnknownOutcome:
            if method != "POST" or "token" in path:
                raise
            return before(self, method, path, **more)

    world.product.put(http.HttpClient, "write", write)


def _no_lease_check(world: World) -> None:
    """Nobody looks whether the lease is still theirs, or somebody else's."""

    def take(path: Any, owner: str, holder: Any, *, wait_s: float) -> FileLock:
        del owner, holder, wait_s
        lock = FileLock.take(path, exclusive=False)
        assert lock is not None
        return lock

    put = world.product.put
    put(sqlite, "take_owner_lock", take)
    put(rows, "holds_epoch", lambda *_: True)
    put(sqlite_lease.SqliteLease, "_is_newest", lambda _self: True)
    put(git.GitLedger, "_is_free", lambda *_: True)
    put(git_lease.GitLease, "check", lambda _self: None)
    put(git_lease.GitLease, "_must_hold", lambda _self, _what: None)


def _no_note_before_send(world: World) -> None:
    """An intent is noted when its outcome is, not before the request leaves."""
    intend, close = TableLease.intend, TableLease.close_intent
    waiting: dict[int, tuple[IntentRow, dict[str, Any]]] = {}

    def intend_later(self: TableLease, row: IntentRow) -> int:
        del self
        number = -len(waiting) - 1
        waiting[number] = (row, {})
        return number

    def note_evidence(self: TableLease, intent_id: int, live_id: str, evidence: Mapping[str, str]) -> None:
        del self
        waiting[intent_id][1].update(live_id=live_id, evidence=dict(evidence))

    def close_intent(self: TableLease, intent_id: int, state: Any, **values: Any) -> None:
        if intent_id in waiting:
            row, heard = waiting[intent_id]
            intent_id = intend(self, dataclasses.replace(row, **heard))
        close(self, intent_id, state, **values)

    put = world.product.put
    put(TableLease, "intend", intend_later)
    put(TableLease, "note_evidence", note_evidence)
    put(git_lease.GitLease, "note_evidence", note_evidence)
    put(TableLease, "close_intent", close_intent)


def _partial_page(world: World) -> None:
    """The first page of a list is taken for all of it."""

    def read(self: Any) -> Any:
        self._take(0)
        return self._found

    def items(self: Any, path: str, key: str, query: Mapping[str, str]) -> tuple[list[Any], int]:
        body = self._http.get(path, query={**query, "limit": str(runai_client._PAGE), "offset": "0"}).body  # noqa: SLF001
        return list(body[key]), 1

    world.product.put(pages._Pages, "read", read)  # noqa: SLF001 - a sabotage
    world.product.put(runai_client.RunaiClient, "_pages", items)


def _marker_ignored(world: World) -> None:
    """What carries our marker is nobody's."""
    world.product.put(live.Marker, "parse", classmethod(lambda _cls, _text: None))


def _delete_before_ready(world: World) -> None:
    """Nothing is waited for."""

    def ready(self: StepRunner, work: Any, item: Any, *_: object, **__: object) -> Waited:
        del self, work
        return Waited(ok=True, live=item)

    world.product.put(StepRunner, "_wait_ready", ready)


def _stale_digest(world: World) -> None:
    """`--expect` and a plan's file are taken for a yes to whatever is to be done now."""
    wishes_of: Any = wishes.wishes_of

    def unread(*args: Any, **named: Any) -> Any:
        return dataclasses.replace(wishes_of(*args, **named), expected=None)

    world.product.put(apply_command, "wishes_of", unread)


# -- single rules of SETTLEMENT.md ---------------------------------------------------------------------------------


def _no_window(world: World) -> None:
    """R1: absence counts at once."""
    world.product.put(session.Session, "window_s", lambda *_: 0.0)


def _no_cold_wait(world: World) -> None:
    """R5: a fresh ledger believes its first list."""
    world.product.put(looks, "_after_cold_start", lambda _session, world_: world_)


def _one_look(world: World) -> None:
    """R6: what one list misses is gone."""
    put = world.product.put
    put(looks, "_missing", lambda *_: frozenset())
    put(Settlement, "absent", frozenset())
    put(session, "look_for", lambda _provider, listing, _known: listing)
    before = wait.until_gone

    def once(provider: Any, kind: Any, live_id: str, patience: Any, **more: Any) -> Waited:
        first = provider.read_one(kind, live_id)
        return Waited(ok=True, live=None) if first is None else before(provider, kind, live_id, patience, **more)

    for name in ("reconciler.apply.step", "reconciler.apply.removal"):
        put(sys.modules[name], "until_gone", once)


def _no_likeness(world: World) -> None:
    """R7: without a marker and without a ledger a machine is made, whatever looks like it."""
    world.product.put(identity, "_alike", lambda *_: False)


def _twins_left(world: World) -> None:
    """§6: of several that are marked alike the first is taken, and the others are left alone."""
    before = identity._by_marker  # noqa: SLF001 - a sabotage

    def first(resource: Any, marked: Any, entry: Any) -> Any:
        return before(resource, marked[:1], entry)

    world.product.put(identity, "_by_marker", first)


def _unnoted_choice(world: World) -> None:
    """R18: which half stays is not noted before the other one goes."""
    world.product.put(StepRunner, "_choose", lambda *_: None)


SABOTAGES: Final[Mapping[str, Sabotage]] = {
    "no-settling": _no_settling,
    "post-retried": _post_retried,
    "no-lease-check": _no_lease_check,
    "no-note-before-send": _no_note_before_send,
    "partial-page": _partial_page,
    "marker-ignored": _marker_ignored,
    "delete-before-ready": _delete_before_ready,
    "stale-digest": _stale_digest,
    "no-window": _no_window,
    "no-cold-wait": _no_cold_wait,
    "one-look": _one_look,
    "no-likeness": _no_likeness,
    "twins-left": _twins_left,
    "unnoted-choice": _unnoted_choice,
}
"""Name → what it spoils."""
