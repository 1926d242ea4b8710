"""Reads every kind of every provider instance; one that fails becomes a failed list and hides nobody else's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from reconciler.diff.live import Listing, Verdict
from reconciler.fields import Kind
from reconciler.problems import ProviderError
from reconciler.providers.base import Provider

__all__ = ["gather", "look_for", "read"]

_MOST_LOOKS: Final = 10
"""When a list misses more than that, the list is the suspect (case C17), not its items."""


def read(provider: Provider, kind: Kind) -> Listing:
    """One list, or a `FAILED` one that says why."""
    try:
        return provider.read_all(kind)
    except ProviderError as error:
        return Listing(provider=provider.config.name, kind=kind, verdict=Verdict.FAILED, message=str(error))


def gather(
    providers: Mapping[str, Provider], failed: Mapping[str, str], kinds: Mapping[str, Iterable[Kind]]
) -> dict[tuple[str, str], Listing]:
    """All lists at once.

    Args:
        providers: Instance name → opened provider.
        failed: Instance name → why it can't be read at all (its catalogue failed).
        kinds: Instance name → kinds to read.

    Returns:
        (instance, kind name) → list.
    """
    wanted = [(name, kind) for name in sorted(kinds) for kind in kinds[name]]
    listings = {
        (name, kind.name): Listing(provider=name, kind=kind, verdict=Verdict.FAILED, message=failed[name])
        for name, kind in wanted
        if name in failed
    }
    open_ones = [(name, kind) for name, kind in wanted if name not in failed]
    with ThreadPoolExecutor(max_workers=max(1, len(open_ones))) as pool:
        for (name, kind), listing in zip(
            open_ones, pool.map(lambda item: read(providers[item[0]], item[1]), open_ones), strict=True
        ):
            listings[name, kind.name] = listing
    return listings


def look_for(provider: Provider, listing: Listing, known: Iterable[str]) -> Listing:
    """The list, with what it misses of `known` (live ids) looked for once more, each in its kind's own way.

    A list may lag or flap; a detail by id does not, and where there is none, the second list has to miss it as well
    (SETTLEMENT R6, case C38).
    """
    if listing.verdict is Verdict.FAILED:
        return listing
    missing = sorted({live_id for live_id in known if live_id and listing.by_id(live_id) is None})
    if not missing or len(missing) > _MOST_LOOKS:
        return listing
    try:
        found = [provider.read_one(listing.kind, live_id) for live_id in missing]
    except ProviderError as error:
        return dataclasses.replace(listing, verdict=Verdict.FAILED, message=str(error))
    return dataclasses.replace(listing, items=(*listing.items, *(item for item in found if item is not None)))
