"""What is ours and no longer desired: from the ledger, or (without an entry) by its marker alone. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.diff.claims import addresses, claim
from reconciler.diff.identity import World, ours, strange
from reconciler.diff.live import Applied, Listing, Live, owner_hash, resource_hash
from reconciler.fields import Phase
from reconciler.spec.resource import Resource, ResourceRef

__all__ = ["Orphan", "orphans"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """Something of ours that is no longer desired: from the ledger, or (without an entry) by its marker alone.

    Attributes:
        trouble: A reason and a message why the live item may not be deleted: it is not ours, or not any more.
        half_of: Its resource, for the other half of a create-first replace that never came to its end.
    """

    address: str
    listing: Listing | None
    entry: Applied | None = None
    live: Live | None = None
    trouble: tuple[str, str] | None = None
    half_of: str = ""


def orphans(resources: Iterable[Resource], world: World) -> tuple[Orphan, ...]:
    """What is ours and no longer desired, sorted by address.

    Ledger entries first; then live items that carry our owner's marker without a ledger entry or a desired resource: a
    marker alone never proves enough for a delete, so the planner blocks those.
    """
    resources = tuple(resources)
    claims = world.claims if world.claims is not None else claim(resources, world.entries)
    found = []
    for address, entry in world.entries.items():
        if address not in claims.spoken_for:
            listing = world.listing(ResourceRef.parse(address))
            live = _live_of(entry, listing, world)
            trouble = strange(live, entry, (address,), world) if live is not None else None
            found.append(Orphan(address=address, listing=listing, entry=entry, live=live, trouble=trouble))
    desired = {address for resource in resources for address in addresses(resource)}
    known = {resource_hash(address) for address in (*desired, *world.entries)}
    owner = owner_hash(world.owner)
    taken = {*desired, *world.entries}
    for orphan in (*found,):
        half = _other_half(orphan, world, taken)
        if half is not None:
            taken.add(half.address)
            found.append(half)
    for listing in world.listings.values():
        for item in listing.items:
            marker = item.parsed_marker
            if marker is None or marker.owner != owner or marker.resource in known or item.phase is Phase.GOING:
                continue
            if marker.keep == "r" or item.id in world.released or world.holder(item):
                continue
            trouble = ("untouchable", f"{item.id} can't be touched: {item.untouchable}") if item.untouchable else None
            address = _nameless_address(item, taken)
            taken.add(address)
            found.append(Orphan(address=address, listing=listing, live=item, trouble=trouble))
    return tuple(sorted(found, key=lambda orphan: (orphan.address, orphan.live.id if orphan.live else "")))


def _other_half(orphan: Orphan, world: World, taken: Iterable[str]) -> Orphan | None:
    """What a create-first replace left behind besides the entry's own item: the entry proves that it is ours, too."""
    entry, listing = orphan.entry, orphan.listing
    item = listing.by_id(entry.successor) if entry is not None and listing is not None and entry.successor else None
    if entry is None or item is None or item.phase is Phase.GOING:
        return None
    if item.marker and not ours(item, world, {resource_hash(entry.address)}):
        return None
    address = _nameless_address(item, taken)
    trouble = ("untouchable", f"{item.id} can't be touched: {item.untouchable}") if item.untouchable else None
    # It goes before the item of the entry: while that lives, the entry stays, and with it the proof.
    edges = (entry.address, *entry.edges)
    own = dataclasses.replace(
        entry, address=address, live_id=item.id, marker=item.marker, successor="", edges=edges, renamed_from=()
    )
    return Orphan(address=address, listing=listing, entry=own, live=item, trouble=trouble, half_of=entry.address)


def _nameless_address(item: Live, taken: Iterable[str]) -> str:
    """An address for something whose own we can't know: by its live name, else by its id; an id may hold slashes."""
    for name in (item.name, item.id):
        address = str(ResourceRef(item.provider, item.kind.name, name.replace("/", ".")))
        if name and address not in taken:
            return address
    return f"{address}-{item.parsed_marker.resource if item.parsed_marker else ''}"


def _live_of(entry: Applied, listing: Listing | None, world: World) -> Live | None:
    if listing is None:
        return None
    by_id = listing.by_id(entry.live_id)
    if by_id is not None:
        return by_id
    carriers = world.carriers(listing, [resource_hash(entry.address)], going=True)
    return next((item for item in carriers if not world.holder(item)), None)
