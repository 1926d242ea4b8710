"""A lost ledger made again from markers: whose is what, and what was to be kept; never what was applied. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.diff.identity import World, pair
from reconciler.diff.live import Applied, Live
from reconciler.diff.orphans import orphans
from reconciler.spec.resource import Resource

__all__ = ["Rebuilt", "rebuild"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What markers tell.

    Attributes:
        entries: New entries, in the order of their addresses.
        undecided: Address → why its live thing can't be told (twins, another owner, a list that failed).
        nameless: Live things of ours that no document of the spec means: a marker holds a hash and no name.
    """

    entries: tuple[Applied, ...]
    undecided: dict[str, str]
    nameless: tuple[Live, ...]


def rebuild(resources: Iterable[Resource], world: World) -> Rebuilt:
    """Entries for all resources that have none and whose live thing carries our marker. Source: DESIGN §8."""
    resources = tuple(resources)
    entries, undecided = [], {}
    for resource in sorted(resources, key=lambda one: one.address):
        if resource.address in world.entries:
            continue
        found = pair(resource, world)
        if found.verdict is not None or found.is_twin:
            undecided[resource.address] = found.message or f"{', '.join(found.candidates)} are marked alike"
        elif found.live is not None and found.live.marker and found.entry is None:
            entries.append(_entry(resource, found.live))
    nameless = tuple(item.live for item in orphans(resources, world) if item.entry is None and item.live is not None)
    return Rebuilt(entries=tuple(entries), undecided=undecided, nameless=nameless)


def _entry(resource: Resource, live: Live) -> Applied:
    marker = live.parsed_marker
    keep = marker.keep if marker is not None else "n"
    return Applied(
        address=resource.address,
        kind=resource.kind.label,
        live_id=live.id,
        live_name=live.name,
        marker=live.marker,
        generation=marker.generation if marker is not None else 1,
        prevent_destroy=keep == "p",
        on_remove="retain" if keep == "r" else "delete",
        rebuilt=True,
    )
