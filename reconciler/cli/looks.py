"""How an apply makes sure of what it reads: open writes settled, absences looked at twice, a cold ledger waited for.

Source: SETTLEMENT §4 (a run), §7 R5, R6, R7.
"""

from __future__ import annotations

import os
import time
from collections.abc import Container
from typing import Final

from reconciler.apply.book import note_settlement
from reconciler.cli.session import Session, World
from reconciler.diff.change import Action, Change
from reconciler.diff.identity import trustworthy
from reconciler.diff.live import owner_hash
from reconciler.ledger.store import Lease
from reconciler.plan.outcome import Report
from reconciler.plan.plan import Plan
from reconciler.spec.resource import ResourceRef

__all__ = ["look_again_later", "settled_world", "trust"]

_LONGEST_SETTLING_S: Final = 600.0


def look_again_later(session: Session, plan: Plan, world: World) -> bool:
    """One list that misses something proves nothing: absence takes two, a poll apart (SETTLEMENT R6).

    Also that of something unknown here, where a ledger may have been lost.
    """
    reasons = {"vanished", "gone"}
    if session.ledger.is_cold(session.owner) and _may_be_lost(session, world):
        reasons.add("not-live")
    missing = {
        ResourceRef.parse(change.address).provider
        for change in plan.changes
        if change.reason in reasons or _misses_its_half(change)
    }
    for name in sorted(missing & set(session.providers)):
        session.providers[name].clock.sleep(_poll_s(session, name))
    return bool(missing)


def _misses_its_half(change: Change) -> bool:
    """Whether one half of an unfinished replace is not there: what is noted now would forget it for good."""
    if change.applied is None or not change.applied.successor or change.leftover is not None:
        return False
    return change.action is Action.REPLACE or change.live_id == change.applied.successor


def _may_be_lost(session: Session, world: World) -> bool:
    """Whether something ran before a ledger that knows nothing: a runner's is new, or live things bear our mark."""
    hashes = {owner_hash(owner) for owner in (session.owner, *session.spec.project.former_owners)}
    markers = [item.parsed_marker for listing in world.listings.values() for item in listing.items]
    return bool(os.environ.get("CI")) or any(marker is not None and marker.owner in hashes for marker in markers)


def trust(session: Session, lease: Lease, report: Report, *looks: World) -> None:
    """From now on an unreadable item of these kinds is known to be foreign; two looks, since lists flap (R6, R7)."""
    known = frozenset.intersection(*(trustworthy(world.listings, world.entries) for world in looks))
    for scope in sorted(known - set(session.ledger.trusted(session.owner))):
        lease.trust(scope, by=report.run, now=time.time())


def settled_world(session: Session, lease: Lease) -> tuple[World, tuple[str, ...]]:
    """Read live state; settle what earlier runs left open, waiting as long as absence proves nothing."""
    world = session.read_world()
    if session.ledger.is_cold(session.owner) and not session.ledger.runs(session.owner):
        # A run that is in the ledger, even one that died, has waited before it began.
        world = _after_cold_start(session, world)
    waited = 0.0
    sentences: list[str] = []
    missed: frozenset[int] = frozenset()
    while True:
        absent = world.settlement.absent
        sure = world.settlement.without(absent - missed)
        sentences.extend(sure.sentences())
        note_settlement(sure, session.providers, lease, session.ledger.entries(session.owner))
        address, told, pause_s = _next_look(session, world, absent - missed)
        if not address or waited >= _LONGEST_SETTLING_S:
            return world, tuple(dict.fromkeys(sentences))
        missed = absent
        session.printer.progress(f"{address}: {told}; looking again in {pause_s:.0f} s")
        session.providers[ResourceRef.parse(address).provider].clock.sleep(pause_s)
        waited += pause_s
        world = session.read_world()


def _next_look(session: Session, world: World, doubtful: Container[int]) -> tuple[str, str, float]:
    """What is worth another look: an address (empty: nothing is), why, and in how many seconds."""
    settlement = world.settlement
    unsure = [row.address for row in (*settlement.gone, *settlement.not_done) if row.id in doubtful]
    if unsure:
        pause_s = max(_poll_s(session, ResourceRef.parse(address).provider) for address in unsure)
        return unsure[0], "one list that misses something proves nothing", pause_s
    patient = [item for item in settlement.open if item.wait_s > 0]
    if patient:
        return patient[0].row.address, patient[0].message, min(max(item.wait_s for item in patient), 15.0)
    return "", "", 0.0


def _poll_s(session: Session, provider: str) -> float:
    return float(session.providers[provider].config.settings.get("pollInterval", 15.0))


def _after_cold_start(session: Session, world: World) -> World:
    """Without a finished run in the ledger, a dead runner's request may still be under way (SETTLEMENT R5)."""
    if not _may_be_lost(session, world):
        return world
    windows = [session.window_s(provider) for provider in session.providers.values()]
    if max(windows, default=0.0) <= 0:
        return world
    session.printer.progress(
        f"no finished run is known here: waiting {max(windows):.0f} s until an absence proves something "
        "(`reconciler ledger trust` skips it)"
    )
    time.sleep(max(windows))
    return session.read_world()
