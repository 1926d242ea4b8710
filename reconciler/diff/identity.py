"""Whose is it? Pairs what is desired with what is live. Pure.

For one desired resource, the first case that fits (DESIGN §3):

1.  its list failed                                              → UNKNOWN `list-failed`
2.  two resources could mean one ledger entry (`claims`)         → BLOCKED `rename-conflict`
3.  the ledger has an entry, and its id is listed                → that item; a foreign or other marker on it → BLOCKED
4.  ... not listed or going, another item carries our marker     → that item (the ledger was behind)
    ... not listed, the other half of a replace is               → that half
5.  ... its id is on its way out                                 → not live; its name may still be taken
6.  ... not listed, the create is young / the list is partial / suspicious → UNKNOWN / UNKNOWN / BLOCKED
7.  no entry, `lifecycle.adopt`                                  → that item, if nobody else's
8.  no entry, items carry our marker                             → that item; of twins the one that stays (`twins`)
9.  ... but the ledger knows that item under another address     → BLOCKED `former-name`
10. an item has our name: another owner's, or nobody's           → BLOCKED `owned-by-other` / `conflict`
11. ... it is ours and leaves with its resource                  → not live; its delete frees the name first
12. no name to go by, an unreadable item looks the same          → BLOCKED `possible-duplicate`
13. else                                                         → not live

An item that the ledger knows under one address is never another resource's, whatever its marker says.
"""

from __future__ import annotations

import dataclasses
import operator
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.diff.change import Action
from reconciler.diff.claims import Claims, addresses, claim
from reconciler.diff.compare import same_at
from reconciler.diff.live import Applied, Listing, Live, Marker, Verdict, create_digest, owner_hash, resource_hash
from reconciler.fields import FieldPath, Phase
from reconciler.spec.resource import Resource, ResourceRef

__all__ = [
    "RECENT_S",
    "Pair",
    "World",
    "is_recent",
    "judge",
    "ours",
    "pair",
    "strange",
    "trustworthy",
    "words_of",
]

RECENT_S: Final = 300.0
"""A create younger than this (seconds) may not be listed yet. Source: DESIGN §3, case C38."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What identity is decided from.

    Attributes:
        owner, former_owners: Our name, and the names that we had.
        entries: The ledger, by address.
        listings: (provider instance, kind name) → list, already judged.
        now_s: Seconds since the epoch.
        released: Live ids that were ours and were let go (`onRemove: retain`).
        trusted: Scopes (`*`, `provider/Kind`) in which a person said that unmarked items are foreign (SETTLEMENT R7).
        other_owners: Hash → name of owners that we can name (other environments of this project).
        claims: Which entry is whose, over all desired resources; without it each is looked at alone.
    """

    owner: str
    entries: Mapping[str, Applied]
    listings: Mapping[tuple[str, str], Listing]
    now_s: float
    former_owners: tuple[str, ...] = ()
    released: frozenset[str] = frozenset()
    trusted: frozenset[str] = frozenset()
    other_owners: Mapping[str, str] = field(default_factory=dict)
    claims: Claims | None = None
    our_hashes: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())
    """Owner hashes that are ours."""
    _holders: Mapping[tuple[str, str], str] = field(init=False, repr=False, compare=False, default_factory=dict)
    _carriers: dict[int, tuple[Listing, Mapping[str, Sequence[tuple[int, Live]]]]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    """By the identity of a list: it, and resource hash → what carries our marker for it, with its place in the list."""

    def __post_init__(self) -> None:
        holders = {
            (address.rpartition("/")[0], live_id): address
            for address, entry in self.entries.items()
            for live_id in (entry.successor, entry.live_id)
            if live_id
        }
        object.__setattr__(self, "_holders", holders)
        hashes = frozenset(owner_hash(owner) for owner in (self.owner, *self.former_owners))
        object.__setattr__(self, "our_hashes", hashes)

    def holder(self, item: Live) -> str:
        """The address under which the ledger knows this item, or empty."""
        return self._holders.get((f"{item.provider}/{item.kind.name}", item.id), "")

    def listing(self, ref: ResourceRef) -> Listing | None:
        """The list that this resource would be in."""
        return self.listings.get((ref.provider, ref.kind))

    def carriers(self, listing: Listing, hashes: Iterable[str], *, going: bool = False) -> list[Live]:
        """What carries our marker for one of these resource hashes, in the order of the list; `going`: also what goes.

        The list is gone through once, and not for each resource: of 10,000 that took nine tenths of a plan.
        """
        _, index = self._carriers.get(id(listing), (listing, None))
        if index is None:
            made: dict[str, list[tuple[int, Live]]] = defaultdict(list)
            for place, item in enumerate(listing.items):
                marker = item.parsed_marker
                if marker is not None and marker.owner in self.our_hashes:
                    made[marker.resource].append((place, item))
            self._carriers[id(listing)] = (listing, made)
            index = made
        found = [each for resource in set(hashes) for each in index.get(resource, ())]
        ordered = (item for _place, item in sorted(found, key=operator.itemgetter(0)))
        return [item for item in ordered if going or item.phase is not Phase.GOING]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One desired resource and what identity found for it; `verdict` is BLOCKED or UNKNOWN with a reason, or `None`."""

    resource: Resource
    live: Live | None = None
    entry: Applied | None = None
    adopting: bool = False
    leftover: Live | None = None
    """Another live half: of a create-first replace that was interrupted before its delete, or a twin."""
    is_twin: bool = False
    """The other half is none that the ledger knows: nobody noted why there are two."""
    going: Live | None = None
    """The item that still holds the id or the name while it is on its way out."""
    verdict: Action | None = None
    reason: str = ""
    message: str = ""
    candidates: tuple[str, ...] = ()
    suspicious: str = ""
    """Why its list can't be trusted: nothing in it may be deleted or made anew."""


def is_recent(entry: Applied, now_s: float) -> bool:
    """Whether its create is so young that the list may not show it yet. Clocks of two runners may differ a little."""
    return bool(entry.created_at) and not entry.ready and abs(now_s - entry.created_at) < RECENT_S


def judge(
    listing: Listing, entries: Iterable[Applied], *, accept_empty: bool = False, now_s: float | None = None
) -> Listing:
    """Mark a list as suspicious that is far emptier than the ledger knows. Source: DESIGN §3, case C17.

    Suspicious: at least one known resource and an empty list, or at least four and over half of them missing. What was
    created just before `now_s` and is not listed yet does not count as known.
    """
    if listing.verdict is not Verdict.COMPLETE or accept_empty:
        return listing
    listed = {item.id for item in listing.items}
    known = [
        entry
        for entry in entries
        if entry.kind == listing.kind.label
        and entry.address.partition("/")[0] == listing.provider
        and (now_s is None or entry.live_id in listed or not is_recent(entry, now_s))
    ]
    markers = {item.marker for item in listing.items if item.marker}
    missing = [entry for entry in known if entry.live_id not in listed and entry.marker not in markers]
    enough = 4
    if not ((known and not listing.items) or (len(known) >= enough and len(missing) * 2 > len(known))):
        return listing
    return Listing(
        provider=listing.provider,
        kind=listing.kind,
        items=listing.items,
        verdict=Verdict.SUSPICIOUS,
        message=f"the list of {listing.kind.title}s has {len(listing.items)} items, but {len(known)} are known and "
        f"{len(missing)} of them are missing; --accept-empty believes it",
        notes=listing.notes,
    )


def trustworthy(listings: Mapping[tuple[str, str], Listing], entries: Mapping[str, Applied]) -> frozenset[str]:
    """Scopes (`provider/Kind`) of nameless kinds in which the ledger knows every item that it could not tell by marker.

    After a finished run that saw this, an item without a readable marker is known to be foreign. Source: SETTLEMENT R7.
    """
    held = {
        (address.rpartition("/")[0], live_id)
        for address, entry in entries.items()
        for live_id in (entry.live_id, entry.successor)
    }
    return frozenset(
        f"{provider}/{kind}"
        for (provider, kind), listing in listings.items()
        if listing.kind.likeness and listing.verdict is Verdict.COMPLETE
        if all(
            item.marker_readable or item.untouchable or (f"{provider}/{kind}", item.id) in held
            for item in listing.items
        )
    )


def pair(resource: Resource, world: World) -> Pair:
    """Find the live item of one desired resource, by the cases at the top of this module."""
    claims = world.claims if world.claims is not None else claim((resource,), world.entries)
    entry = claims.held.get(resource.address)
    listing = world.listing(resource.ref)
    if listing is None or listing.verdict is Verdict.FAILED:
        message = listing.message if listing else "its provider was not read"
        return _undecided(resource, entry, Action.UNKNOWN, "list-failed", message)
    if resource.address in claims.disputes:
        message = claims.disputes[resource.address]
        return _undecided(resource, entry, Action.BLOCKED, "rename-conflict", message)
    found = _find(resource, entry, listing, world)
    if listing.verdict is Verdict.SUSPICIOUS and found.verdict is None:
        return dataclasses.replace(found, suspicious=listing.message)
    return found


def _find(resource: Resource, entry: Applied | None, listing: Listing, world: World) -> Pair:
    if entry is not None:
        return _by_entry(resource, entry, listing, world)
    if resource.lifecycle.adopt:
        return _by_adoption(resource, listing, world)
    marked = _marked(resource, listing, world, None)
    if marked:
        return _by_marker(resource, marked, None)
    moved = _moved_away(resource, listing, world)
    return moved if moved is not None else _by_name(resource, listing, world)


def _marked(resource: Resource, listing: Listing, world: World, entry: Applied | None) -> list[Live]:
    """What carries our marker, but for items that the ledger knows as another resource's."""
    wanted = {resource_hash(address) for address in addresses(resource)}
    free = {"", entry.address if entry is not None else ""}
    return [item for item in world.carriers(listing, wanted) if world.holder(item) in free]


def _moved_away(resource: Resource, listing: Listing, world: World) -> Pair | None:
    """A machine made under this name belongs to another resource now: two would carry one marker (SETTLEMENT R15)."""
    item = next(iter(world.carriers(listing, [resource_hash(resource.address)])), None)
    if item is None:
        return None
    message = (
        f"{item.id} still carries the marker of this name and is {world.holder(item)} now; "
        "choose another name as long as it lives"
    )
    return Pair(resource=resource, verdict=Action.BLOCKED, reason="former-name", message=message, candidates=(item.id,))


def strange(item: Live, entry: Applied, known_as: Iterable[str], world: World) -> tuple[str, str] | None:
    """Why an item with our entry's id is not ours to touch (reason, message), or `None`.

    `known_as`: the addresses whose marker it may carry although the ledger noted none (taken over on paper).
    """
    if item.untouchable:
        return "untouchable", f"{item.id} can't be touched: {item.untouchable}"
    if not item.marker or item.marker == entry.marker:
        return None
    if not entry.marker and ours(item, world, {resource_hash(address) for address in known_as}):
        return None
    return "marker-mismatch", (
        f"{item.id} carries another ownership marker than the one that was written: "
        f"{words_of(item.parsed_marker, world)}"
    )


def ours(item: Live, world: World, resources: Iterable[str]) -> bool:
    """Whether it carries our owner's marker (or a former owner's) for one of these resource hashes."""
    marker = item.parsed_marker
    return marker is not None and marker.owner in world.our_hashes and marker.resource in resources


def _by_entry(resource: Resource, entry: Applied, listing: Listing, world: World) -> Pair:
    item = listing.by_id(entry.live_id)
    if item is not None and item.phase is not Phase.GOING:
        return _by_known_item(resource, entry, item, listing, world)
    marked = _marked(resource, listing, world, entry)
    if marked:
        return _by_marker(resource, marked, entry)
    if item is not None:
        return Pair(resource=resource, entry=entry, going=item)
    return _by_absence(resource, entry, listing, world)


def _by_known_item(resource: Resource, entry: Applied, item: Live, listing: Listing, world: World) -> Pair:
    stranger = strange(item, entry, (*addresses(resource), entry.address), world)
    if stranger is not None:
        reason, message = stranger
        blocked = _undecided(resource, entry, Action.BLOCKED, reason, message)
        return dataclasses.replace(blocked, live=item, candidates=(item.id,))
    twins = [other for other in _marked(resource, listing, world, entry) if other.id not in {item.id, entry.successor}]
    if twins:
        return _by_marker(resource, [item, *twins], entry)
    leftover = listing.by_id(entry.successor) if entry.successor else None
    if leftover is not None and (leftover.phase is Phase.GOING or _is_foreign(leftover, world)):
        leftover = None
    if leftover is not None and _is_wanted_again(resource, leftover, item):
        item, leftover = leftover, item
    return Pair(resource=resource, entry=entry, live=item, leftover=leftover)


def _is_wanted_again(resource: Resource, older: Live, newer: Live) -> bool:
    """Whether the spec went back in the middle of a create-first replace: the half that is as desired stays (R18)."""
    if newer.marker and older.marker:
        return _is_made_from(resource, older) and not _is_made_from(resource, newer)
    return bool(resource.kind.likeness) and _alike(resource, older) and not _alike(resource, newer)


def _is_made_from(resource: Resource, item: Live) -> bool:
    marker = item.parsed_marker
    return marker is not None and marker.digest == create_digest(resource.spec)


def _by_absence(resource: Resource, entry: Applied, listing: Listing, world: World) -> Pair:
    if is_recent(entry, world.now_s):
        age_s = max(world.now_s - entry.created_at, 0)
        message = f"created {age_s:.0f} s ago as {entry.live_id} and not listed yet; look again in a minute"
        return _undecided(resource, entry, Action.UNKNOWN, "recently-created", message)
    if listing.verdict is Verdict.PARTIAL:
        return _undecided(resource, entry, Action.UNKNOWN, "list-partial", listing.message)
    if listing.verdict is Verdict.SUSPICIOUS:
        return _undecided(resource, entry, Action.BLOCKED, "suspicious-list", listing.message)
    half = listing.by_id(entry.successor) if entry.successor else None
    if half is not None and half.phase is not Phase.GOING and not _is_foreign(half, world):
        return Pair(resource=resource, entry=entry, live=half)  # the entry falls back to its other half (R18)
    return dataclasses.replace(_by_name(resource, listing, world), entry=entry)


def _undecided(resource: Resource, entry: Applied | None, verdict: Action, reason: str, message: str) -> Pair:
    return Pair(resource=resource, entry=entry, verdict=verdict, reason=reason, message=message)


def _by_adoption(resource: Resource, listing: Listing, world: World) -> Pair:
    wanted = resource.lifecycle.adopt
    marked = _marked(resource, listing, world, None)
    if marked:  # after the first apply `adopt` stays in the file, and means nothing more (SETTLEMENT R11)
        return _by_marker(resource, marked, None)
    item = listing.by_id(wanted)
    if item is None or item.phase is Phase.GOING:
        return _undecided(
            resource,
            None,
            Action.BLOCKED,
            "adopt-not-found",
            f"lifecycle.adopt names {wanted}, which is not in the list of {listing.kind.title}s",
        )
    holder = world.holder(item)
    if item.untouchable or item.marker or holder:
        whose = item.untouchable or words_of(item.parsed_marker, world)
        if holder:
            whose = f"the ledger has it as {holder}; lifecycle: {{renamedFrom: …}} moves it to a new address"
        return Pair(
            resource=resource,
            verdict=Action.BLOCKED,
            reason="owned-by-other",
            message=f"lifecycle.adopt names {wanted}, which belongs to somebody else: {whose}",
            candidates=(item.id,),
        )
    return Pair(resource=resource, live=item, adopting=True)


def _by_marker(resource: Resource, marked: Sequence[Live], entry: Applied | None) -> Pair:
    """The item that carries our marker; of several, the one that stays, and one that goes. Source: SETTLEMENT §6."""
    if len(marked) == 1:
        return Pair(resource=resource, live=marked[0], entry=entry)
    survivor, *others = sorted(marked, key=lambda item: _claim_to_stay(resource, item, entry))
    kept = [item.id for item in others if _is_kept(resource, item, survivor, entry)]
    if kept:
        ids = tuple(item.id for item in marked)
        return Pair(
            resource=resource,
            entry=entry,
            verdict=Action.BLOCKED,
            reason="twins",
            message=f"{len(ids)} live items carry its marker: {', '.join(ids)}; {survivor.id} would stay, but "
            f"{', '.join(kept)} is to be kept, so none is touched",
            candidates=ids,
        )
    candidates = tuple(item.id for item in others)
    return Pair(resource=resource, live=survivor, entry=entry, leftover=others[-1], is_twin=True, candidates=candidates)


def _is_kept(resource: Resource, item: Live, survivor: Live, entry: Applied | None) -> bool:
    """Whether one of several may not go: by its marker, or because it may be the one that is protected today.

    Most markers can't change, so that protection which came later stands in the spec and the ledger alone; only of the
    ledger's own item is it clear that the protected one stays.
    """
    marker = item.parsed_marker
    if item.untouchable or (marker is not None and marker.keep != "n"):
        return True
    protected = resource.lifecycle.prevent_destroy or (entry is not None and entry.prevent_destroy)
    return protected and not (entry is not None and entry.live_id == survivor.id)


def _claim_to_stay(resource: Resource, item: Live, entry: Applied | None) -> tuple[bool, bool, int, bool, float, str]:
    """Smallest first: made from what is desired now; the ledger's; made last by us; ready; oldest."""
    marker = item.parsed_marker
    generation = marker.generation if marker else 0
    return (
        not _is_made_from(resource, item),
        not (entry is not None and entry.live_id == item.id),
        -generation,
        item.phase is not Phase.READY,
        item.created_at,
        item.id,
    )


def _by_name(resource: Resource, listing: Listing, world: World) -> Pair:
    if resource.kind.live_name is None:
        return _by_likeness(resource, listing, world)
    held = listing.by_name(resource.live_name)
    going = next((item for item in held if item.phase is Phase.GOING), None)
    item = next((item for item in held if item.phase is not Phase.GOING), None)
    if item is None:
        if listing.verdict is Verdict.SUSPICIOUS:
            return _undecided(resource, None, Action.BLOCKED, "suspicious-list", listing.message)
        return Pair(resource=resource, going=going)
    holder = world.holder(item)
    if holder and world.claims is not None and holder not in world.claims.spoken_for:
        return Pair(resource=resource)  # it has left the spec; `plan` sees to it that its delete comes first
    if holder or item.marker or item.untouchable:
        whose = item.untouchable or (holder and f"the ledger has it as {holder}") or words_of(item.parsed_marker, world)
        return Pair(
            resource=resource,
            verdict=Action.BLOCKED,
            reason="owned-by-other",
            message=f"the name {item.name!r} is taken by {item.id}: {whose}",
            candidates=(item.id,),
        )
    return Pair(
        resource=resource,
        verdict=Action.BLOCKED,
        reason="conflict",
        message=f"a {listing.kind.title} named {item.name!r} exists ({item.id}) and nobody's marker is on it; "
        f"to take it over, write lifecycle: {{adopt: {item.id}}}",
        candidates=(item.id,),
    )


def _by_likeness(resource: Resource, listing: Listing, world: World) -> Pair:
    if listing.verdict is Verdict.SUSPICIOUS:
        return _undecided(resource, None, Action.BLOCKED, "suspicious-list", listing.message)
    alike = [
        item
        for item in listing.items
        if not item.marker_readable
        and item.phase is not Phase.GOING
        and not world.holder(item)
        and _alike(resource, item)
    ]
    is_trusted = not world.trusted.isdisjoint({"*", f"{listing.provider}/{listing.kind.name}"})
    if not alike or not resource.kind.likeness or is_trusted:
        return Pair(resource=resource)
    ids = tuple(item.id for item in alike)
    return Pair(
        resource=resource,
        verdict=Action.BLOCKED,
        reason="possible-duplicate",
        message=f"it may exist already: {', '.join(ids)} looks the same and shows no marker; "
        f"if it is this one, write lifecycle: {{adopt: {ids[0]}}}; if all are foreign, run "
        f"`reconciler ledger trust {listing.provider}/{listing.kind.name}`",
        candidates=ids,
    )


def _alike(resource: Resource, item: Live) -> bool:
    """Whether all of the kind's tell-tale fields that both sides show are equal."""
    paths = map(FieldPath.parse, resource.kind.likeness)
    return all(same_at(resource.kind, path, resource.spec, item.spec) is not False for path in paths)


def _is_foreign(item: Live, world: World) -> bool:
    marker = item.parsed_marker
    return bool(item.untouchable) or (marker is not None and marker.owner not in world.our_hashes)


def words_of(marker: Marker | None, world: World) -> str:
    """To whom a marker belongs, in words."""
    if marker is None:
        return "its marker can't be read"
    if marker.owner in world.our_hashes:
        return "it is marked as another resource of ours"
    known = world.other_owners.get(marker.owner)
    return f"it belongs to {known}" if known else f"it belongs to another owner (hash {marker.owner})"
