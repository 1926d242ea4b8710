"""What a plan may not do without a person's word: too many deletes, an empty spec. Each refusal has its numbers."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from reconciler.diff.change import Action, Change
from reconciler.diff.live import Listing, Live
from reconciler.fields import Phase
from reconciler.spec.resource import Limit

__all__ = ["guard", "hold_names", "hold_shared"]


def guard(
    changes: Sequence[Change],
    *,
    limit: Limit,
    owned: int,
    spec_is_empty: bool,
    allow_empty_spec: bool,
) -> tuple[Change, ...]:
    """Block deletes (and replaces) that go beyond what is allowed. Source: DESIGN §5, cases C33 and C34.

    Args:
        changes: The plan so far.
        limit: `maxDeletes`: a count, or a share of `owned`. A share is not rounded: one of three is 33.3 %.
        owned: How many resources are ours, by the ledger.
        spec_is_empty: No document desires anything.
        allow_empty_spec: A person said that this is meant.
    """
    if spec_is_empty and not allow_empty_spec and any(change.action is Action.DELETE for change in changes):
        message = "the spec is empty, and that never means «delete all»; --allow-empty-spec says that it does this time"
        return tuple(
            _block(change, "empty-spec", message) if change.action is Action.DELETE else change for change in changes
        )
    counted = [change for change in changes if change.action in {Action.DELETE, Action.REPLACE}]
    if not counted or _within(len(counted), limit, owned):
        return tuple(changes)
    share = Decimal(len(counted)) * 100 / Decimal(max(owned, 1))
    message = (
        f"{len(counted)} of {owned} resources would be deleted or replaced ({share:.1f} %), and maxDeletes is "
        f"{limit} ({_where(limit)}); --max-deletes {len(counted)} allows it for this run"
    )
    over = {change.address for change in counted}
    return tuple(
        _block(change, "too-many-deletes", message) if change.address in over else change for change in changes
    )


def hold_shared(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Block all changes that mean one live item: two documents adopt it, or its marker fits both."""
    meant: dict[tuple[tuple[str, str], str], list[str]] = defaultdict(list)
    for change in changes:
        if change.live is not None and change.action not in {Action.BLOCKED, Action.UNKNOWN}:
            meant[_place(change), change.live_id].append(change.address)
    shared = {address: addresses for addresses in meant.values() if len(addresses) > 1 for address in addresses}
    return tuple(
        _block(
            change,
            "claimed-twice",
            f"{', '.join(shared[change.address])} all mean {change.live_id}; only one of them can have it",
        )
        if change.address in shared
        else change
        for change in changes
    )


def hold_names(changes: Sequence[Change], listings: Mapping[tuple[str, str], Listing]) -> tuple[Change, ...]:
    """Block a create whose name a live item holds that does not leave in this plan: the API would refuse it.

    Args:
        changes: The plan so far; a delete that was blocked frees nothing.
        listings: (provider instance, kind name) → list.
    """
    leaving = {(_place(change), change.live_id) for change in changes if change.action is Action.DELETE}
    held: dict[tuple[str, str], dict[str, list[Live]]] = {}
    for place, listing in listings.items():
        held[place] = defaultdict(list)
        for item in listing.items:
            if item.phase is not Phase.GOING and (place, item.id) not in leaving:
                held[place][item.name].append(item)
    return tuple(_hold_name(change, held) for change in changes)


def _hold_name(change: Change, held: Mapping[tuple[str, str], Mapping[str, list[Live]]]) -> Change:
    if change.action is not Action.CREATE or change.desired is None or change.kind.live_name is None:
        return change
    items = held.get(_place(change), {}).get(change.desired.live_name, [])
    if not items:
        return change
    message = (
        f"the name {change.desired.live_name!r} is still taken by {items[0].id}, which this plan does not delete; "
        "write lifecycle: {renamedFrom: …} if it is the same thing under a new address"
    )
    return _block(change, "name-taken", message)


def _place(change: Change) -> tuple[str, str]:
    return change.address.partition("/")[0], change.kind.name


def _where(limit: Limit) -> str:
    if limit.option:
        return f"by {limit.option}"
    return f"set at {limit.origin}" if limit.origin else "the default"


def _within(count: int, limit: Limit, owned: int) -> bool:
    if limit.percent is not None:
        return Decimal(count) * 100 <= limit.percent * Decimal(owned)
    return count <= (limit.count if limit.count is not None else 0)


def _block(change: Change, reason: str, message: str) -> Change:
    return dataclasses.replace(change, action=Action.BLOCKED, reason=reason, message=message, intended=change.action)
