"""What has expired (`lifecycle.expires`): desired no longer, unless something that goes on living needs it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.diff.change import Action, Change
from reconciler.diff.claims import addresses
from reconciler.spec.formats import expiry
from reconciler.spec.resource import Resource

__all__ = ["SOON_S", "Expired", "expired", "left_s"]

SOON_S: Final = 7 * 86400.0
"""From when `drift` tells that something will expire, in seconds before it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """The desired resources, told apart by the clock.

    Attributes:
        living: All that is still desired, in the order of the spec.
        gone: Address → what has expired, and is desired no longer.
        held: Address → who needs it, for what has expired and is kept all the same.
    """

    living: tuple[Resource, ...]
    gone: Mapping[str, Resource] = field(default_factory=dict)
    held: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _by_any_name: Mapping[str, Resource] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        names: dict[str, Resource] = {}
        for one in self.gone.values():
            for name in addresses(one):
                names.setdefault(name, one)
        object.__setattr__(self, "_by_any_name", names)

    def told(self, change: Change) -> Change:
        """A change as it reads once the clock has spoken: a delete says why, and what is still needed stays."""
        needed = self.held.get(change.address)
        if needed is not None and change.action is not Action.UNKNOWN:
            message = (
                f"{_when(change.desired)}, but {', '.join(needed)} needs it; let that go first, or set a later date"
            )
            return dataclasses.replace(
                change, action=Action.BLOCKED, reason="expired-needed", message=message, intended=Action.DELETE
            )
        resource = self._was(change.half_of or change.address) if change.desired is None else None
        if resource is None:
            return change
        when = _when(resource)
        if change.action is Action.DELETE and resource.lifecycle.on_remove == "retain":
            return _retained(change, when)
        if change.action is Action.DELETE:
            return dataclasses.replace(change, reason="expired", message=when)
        return dataclasses.replace(change, message=f"{when}; {change.message}" if change.message else when)

    def _was(self, address: str) -> Resource | None:
        """What has expired and has, or had (`renamedFrom`), this address."""
        return self._by_any_name.get(address)

    def absent(self, address: str) -> Change:
        """What is to be done about something that has expired and is not live: nothing."""
        resource = self.gone[address]
        message = f"{_when(resource)}, and nothing of it is live"
        return Change(address=address, kind=resource.kind, action=Action.NONE, reason="expired", message=message)


def expired(resources: Sequence[Resource], now_s: float) -> Expired:
    """Tell what has expired by now (seconds since the epoch).

    What a living resource needs (`ref()`, `dependsOn`) is held, and so is what that one needs.
    """
    over = {one.address: one for one in resources if one.lifecycle.expires and left_s(one, now_s) <= 0}
    if not over:
        return Expired(living=tuple(resources))
    held: dict[str, set[str]] = {}
    asking = [one for one in resources if one.address not in over]
    while asking:
        one = asking.pop()
        for edge in one.edges:
            if edge.address in over:
                if edge.address not in held:
                    asking.append(over[edge.address])
                held.setdefault(edge.address, set()).add(one.address)
    gone = {address: one for address, one in over.items() if address not in held}
    return Expired(
        living=tuple(one for one in resources if one.address not in gone),
        gone=gone,
        held={address: tuple(sorted(needing)) for address, needing in held.items()},
    )


def left_s(resource: Resource, now_s: float) -> float:
    """Seconds until it expires, negative afterwards; infinite for what does not."""
    text = resource.lifecycle.expires
    return expiry(text) - now_s if text else float("inf")


def _retained(change: Change, when: str) -> Change:
    """Unlike a file that is gone, the spec still speaks: `onRemove: retain` counts although it was not applied yet."""
    message = f"{when}; {change.live_id} is left running and forgotten (onRemove: retain)"
    return dataclasses.replace(change, action=Action.NONE, reason="retained", message=message)


def _when(resource: Resource | None) -> str:
    assert resource is not None  # noqa: S101 - what is held is desired
    written = resource.origin_of("lifecycle", "expires")
    return f"it expired ({resource.lifecycle.expires}, {written})"
