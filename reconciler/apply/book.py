"""The ledger's share of an apply that sends nothing: settled intents, renamed, released and refreshed entries."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from reconciler.apply.record import entry_for
from reconciler.apply.settle import Settlement, left_of
from reconciler.apply.step import StepTools
from reconciler.diff.change import Action, Change
from reconciler.diff.live import Applied
from reconciler.fields import Phase
from reconciler.ledger.journal import IntentState, Tombstone, TombstoneKind, dump
from reconciler.ledger.store import Lease
from reconciler.plan.plan import Plan
from reconciler.providers.base import Provider
from reconciler.spec.resource import ResourceRef
from reconciler.spec.values import KnownAfterApply, fill

__all__ = ["keep_books", "note_settlement"]


def note_settlement(
    settlement: Settlement, providers: Mapping[str, Provider], lease: Lease, entries: Mapping[str, Applied]
) -> None:
    """Close the intents that reading has settled, each with what follows from it; `entries`: as they are now."""
    for row, live_id, entry in settlement.landed:
        lease.close_intent(row.id, IntentState.DONE, live_id=live_id, note="settled by the next run", entry=entry)
    for row in settlement.gone:
        at = providers[ResourceRef.parse(row.address).provider].clock.now()
        stone = Tombstone(address=row.address, live_id=row.target, at=at, marker=row.marker, run=row.run)
        left = left_of(entries.get(row.address), row)
        lease.close_intent(
            row.id,
            IntentState.DONE,
            note="settled by the next run",
            entry=left,
            forget="" if left else row.address,
            tombstone=stone,
        )
    for late in settlement.late:
        lease.put_entry(late)
    for row in settlement.not_done:
        lease.close_intent(row.id, IntentState.FAILED, note="settled by the next run: it had not been done")


def keep_books(plan: Plan, tools: StepTools) -> None:
    """Bring the entries of resources that need no write up to date: lifecycle, labels, edges, address, lost entries."""
    outputs = {change.address: change.live.outputs for change in plan.changes if change.live is not None}
    moves = {
        change.applied.address: change.address
        for change in plan.changes
        if change.desired is not None
        and change.applied is not None
        and change.applied.address != change.address
        and change.action not in {Action.BLOCKED, Action.UNKNOWN}
    }
    if moves:
        tools.lease.rename(moves)
    for change in plan.changes:
        if change.action is Action.NONE and change.desired is None:
            _let_go(change, tools)
        if change.action is Action.NONE and change.desired is not None and change.live is not None:
            _refresh(change, tools, outputs)


def _let_go(change: Change, tools: StepTools) -> None:
    if change.reason == "gone":
        tools.lease.forget(change.address)
    elif change.reason == "retained" and change.applied is not None and change.live is not None:
        provider = tools.providers[ResourceRef.parse(change.address).provider]
        stone = Tombstone(
            address=change.address,
            live_id=change.live.id,
            at=provider.clock.now(),
            kind=TombstoneKind.RELEASED,
            live_name=change.live.name,
            marker=change.live.marker,
            run=tools.run_id,
        )
        tools.lease.forget(change.address, stone)


def _refresh(change: Change, tools: StepTools, outputs: Mapping[str, Mapping[str, str]]) -> None:
    """What is live equals what is desired: that is now what was last applied."""
    resource, live, before = change.desired, change.live, change.applied
    if resource is None or live is None:
        return
    spec = fill(
        resource.spec,
        lambda found: (
            outputs.get(found.address, {}).get(found.attribute, found) if isinstance(found, KnownAfterApply) else found
        ),
    )
    provider = tools.providers[resource.ref.provider]
    entry = entry_for(
        resource,
        spec,
        live=live,
        before=before,
        fingerprint=tools.fingerprint,
        now_s=provider.clock.now(),
        ready=live.phase in {Phase.READY, Phase.FINISHED, Phase.STOPPED} or (before.ready if before else True),
        revision=tools.revision,
        run=tools.run_id,
    )
    if before is None or _differs(entry, before):
        tools.lease.put_entry(entry)


def _differs(entry: Applied, before: Applied) -> bool:
    """Whether anything but the time and the run is new; a fingerprint that can't be made now keeps the old one."""
    same = dataclasses.replace(
        entry,
        applied_at=before.applied_at,
        run=before.run,
        revision=before.revision,
        fingerprints=before.fingerprints if not any(entry.fingerprints.values()) else entry.fingerprints,
    )
    return dump(same) != dump(before)
