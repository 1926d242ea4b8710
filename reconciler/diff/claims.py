"""Which ledger entry speaks for which desired resource, once `renamedFrom` is taken into account. Pure.

A name that was never used before takes the entry that it was renamed from, and hands its own on to whoever was renamed
from it: so chains (c → b → a) and swaps (a ↔ b) come out right, each entry with one resource. `renamedFrom` stays in
the file after it was carried out; that it was, the entry shows: its marker was written under the former name, or it was
last applied with the same `renamedFrom`. Where two resources could mean one entry, both are in dispute and neither gets
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.diff.live import Applied, Marker, resource_hash
from reconciler.spec.resource import Resource, ResourceRef

__all__ = ["Claims", "addresses", "claim"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The outcome of `claim`.

    Attributes:
        held: Address of a desired resource → its entry, whatever address the ledger still has it under.
        disputes: Address of a desired resource → why no entry can be given to it.
        spoken_for: Ledger addresses that are held or in dispute: none of them is an orphan.
    """

    held: Mapping[str, Applied] = field(default_factory=dict)
    disputes: Mapping[str, str] = field(default_factory=dict)
    spoken_for: frozenset[str] = frozenset()


def addresses(resource: Resource) -> tuple[str, ...]:
    """Its address and those it had (`renamedFrom`)."""
    if not resource.lifecycle.renamed_from:
        return (resource.address,)
    ref = resource.ref
    former = (str(ResourceRef(ref.provider, ref.kind, name)) for name in resource.lifecycle.renamed_from)
    return tuple(dict.fromkeys((resource.address, *former)))


def claim(resources: Iterable[Resource], entries: Mapping[str, Applied]) -> Claims:
    """Give each entry to at most one resource."""
    desk = _Desk({resource.address: resource for resource in resources}, entries)
    desk.settle()
    return Claims(
        held={address: entries[source] for address, source in desk.source_of.items()},
        disputes=desk.disputes,
        spoken_for=frozenset((*desk.source_of.values(), *desk.disputed_entries)),
    )


class _Desk:
    """Works the claims out; `source_of`: resource address → ledger address."""

    def __init__(self, resources: Mapping[str, Resource], entries: Mapping[str, Applied]) -> None:
        self._resources = resources
        self._entries = entries
        self.source_of: dict[str, str] = {}
        self.disputes: dict[str, str] = {}
        self.disputed_entries: set[str] = set()
        settled = {address for address in resources if address in entries and self._was_renamed(address)}
        self.source_of.update({address: address for address in settled})
        self._wanted = {
            address: source
            for address in sorted(resources)
            if address not in settled and (source := self._wants(address))
        }
        """Resource address → the former address whose entry it asks for."""

    def _was_renamed(self, address: str) -> bool:
        """Whether the entry at this address came there by the `renamedFrom` that is still written."""
        resource, entry = self._resources[address], self._entries[address]
        marker = Marker.parse(entry.marker)
        former = {resource_hash(other) for other in addresses(resource)[1:]}
        names = set(resource.lifecycle.renamed_from)
        return (marker is not None and marker.resource in former) or not names.isdisjoint(entry.renamed_from)

    def _wants(self, address: str) -> str:
        """The first former address with an entry that has not settled with its own resource."""
        former = addresses(self._resources[address])[1:]
        return next((other for other in former if other in self._entries and other not in self.source_of), "")

    def settle(self) -> None:
        """Newcomers first, each with the chain behind it; then circles; the rest keeps what it has."""
        for address in self._wanted:
            if address not in self._entries:
                self._hand_on(address)
        for address in self._wanted:
            if address not in self.source_of and address not in self.disputes:
                self._close_circle(address)
        for address in self._resources:
            if address in self._entries and address not in self.source_of and address not in self.disputes:
                self.source_of[address] = address

    def _hand_on(self, address: str) -> None:
        chain = [address]
        while (source := self._wanted.get(chain[-1], "")) in self._resources and source not in chain:
            chain.append(source)
        last = self._wanted.get(chain[-1], "")
        if not last or last in chain or any(self._wanted[one] in self._taken() for one in chain):
            self._dispute(chain)
        else:
            self.source_of.update({one: self._wanted[one] for one in chain})

    def _close_circle(self, address: str) -> None:
        circle = [address]
        while (source := self._wanted.get(circle[-1], "")) in self._wanted and source not in circle:
            circle.append(source)
        if self._wanted[circle[-1]] == address:
            self.source_of.update({one: self._wanted[one] for one in circle})
        elif self._wanted[address] not in self._taken():
            self._dispute([address])

    def _taken(self) -> set[str]:
        return set(self.source_of.values())

    def _dispute(self, members: list[str]) -> None:
        """Nobody among these gets an entry; those that already hold a disputed one give it back."""
        contested = {self._wanted[one] for one in members if one in self._wanted}
        rivals = [one for one, source in self.source_of.items() if source in contested]
        for one in rivals:
            del self.source_of[one]
        everybody = sorted({*members, *rivals})
        self.disputed_entries |= contested | {one for one in everybody if one in self._entries}
        for one in everybody:
            source = self._wanted.get(one, one)
            entry = self._entries.get(source)
            named = f" ({entry.live_id})" if entry else ""
            others = ", ".join(other for other in everybody if other != one) or "it has an entry of its own"
            self.disputes[one] = (
                f"the ledger's {source}{named} can't be given to one resource without doubt: {others}; if a rename was "
                "carried out long ago, take renamedFrom out; else rename in two applies, by a name that nobody uses"
            )
