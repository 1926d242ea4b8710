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
from reconciler.plan.plan import Options, Plan
from reconciler.problems import ProviderError
from reconciler.spec.resource import ResourceRef

__all__ = ["settled_world", "sure_plan", "trust"]

_LONGEST_SETTLING_S: Final = 600.0
_MOST_LOOKS: Final = 6


def sure_plan(session: Session, world: World, options: Options) -> tuple[Plan, World]:
    """The plan, once nothing is missing in it that was not missing a poll ago: one list proves nothing (R6).

    Raises:
        ProviderError: `list-moved`: in each of several looks something else was missing.
    """
    missed: frozenset[str] = frozenset()
    for _ in range(_MOST_LOOKS):
        plan = session.plan(world, options)
        missing = _missing(session, plan, world)
        if missing <= missed:
            return plan, world
        for name in sorted({ResourceRef.parse(address).provider for address in missing} & set(session.providers)):
            session.providers[name].clock.sleep(_poll_s(session, name))
        missed = missing
        world = session.read_world()
    raise ProviderError(
        f"each of {_MOST_LOOKS} looks at the lists missed something else ({', '.join(sorted(missed))}); "
        "nothing was sent",
        code="list-moved",
    )


def _missing(session: Session, plan: Plan, world: World) -> frozenset[str]:
    """Addresses of what was expected and is not listed; also of what is unknown, where a ledger may have been lost."""
    reasons = {"vanished", "gone"}
    if session.ledger.is_cold(session.owner) and _may_be_lost(session, world):
        reasons.add("not-live")
    return frozenset(change.address for change in plan.changes if change.reason in reasons or _misses_its_half(change))


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
