"""Takes a snapshot: nothing leaves this machine that came, or may have come, from a secret. Pure.

By place first: what the table calls secret, what is desired or was last applied from a secret, and, where literals and
secrets stand side by side (environment variables), what nobody wrote as a literal: somebody may have put a secret there
by hand. Then by value. What is left out is named in `Live.hidden`, so that a comparison says "can't be verified" and
the last applied value speaks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from reconciler.diff.claims import addresses
from reconciler.diff.compare import ABSENT, by_key
from reconciler.diff.live import Applied, Listing, Live, owner_hash, resource_hash
from reconciler.fields import FieldPath, Kind, Phase, Secret
from reconciler.fields.path import EACH
from reconciler.plan.snapshot import Account, Snapshot
from reconciler.spec.resource import Spec
from reconciler.spec.values import encode, holds_secret

__all__ = ["take_snapshot", "without_secrets"]


def take_snapshot(
    *,
    spec: Spec,
    entries: Mapping[str, Applied],
    listings: Iterable[Listing],
    redact: Callable[[str], str],
    accounts: Mapping[str, Account],
    taken_at: float,
    revision: str = "",
    open_intents: Mapping[str, str] | None = None,
    released: Collection[str] = (),
    trusted: Collection[str] = (),
) -> Snapshot:
    """A snapshot that holds nothing secret.

    Args:
        spec: Desired: it tells where secrets are.
        entries: The ledger, by address.
        listings: Everything that is live.
        redact: Masks known secrets in a text.
        accounts: Provider instance → what is known of it.
        taken_at: Seconds since the epoch.
        revision: Git revision of the spec, or empty.
        open_intents: Address → what an earlier run left open there, in words.
        released: Live ids that were ours and were let go.
        trusted: Scopes in which a person said that unmarked items are foreign.
    """
    written: dict[str, list[Mapping[str, Any]]] = {}
    for resource in spec.resources:
        for address in addresses(resource):
            written.setdefault(address, []).append(resource.spec)
    for address, entry in entries.items():
        written.setdefault(address, []).append(entry.spec)
    view = _View(spec, entries, written, redact)
    masked = {
        address: keys
        for address, entry in entries.items()
        if (keys := tuple(key for key, value in entry.spec.items() if _shows(encode(value), redact)))
    }
    return Snapshot(
        owner=spec.project.owner,
        environment=spec.project.environment,
        listings={(one.provider, one.kind.name): view.of(one) for one in listings},
        entries={
            address: dataclasses.replace(
                entry,
                fingerprints={},
                spec={key: value for key, value in entry.spec.items() if key not in masked.get(address, ())},
            )
            for address, entry in entries.items()
        },
        masked=masked,
        accounts=accounts,
        taken_at=taken_at,
        revision=revision,
        open_intents=open_intents or {},
        released=frozenset(released),
        trusted=frozenset(trusted),
    )


class _View:
    """Whose an item is, and what of it may be shown."""

    def __init__(
        self,
        spec: Spec,
        entries: Mapping[str, Applied],
        written: Mapping[str, list[Mapping[str, Any]]],
        redact: Callable[[str], str],
    ) -> None:
        self._owners = {owner_hash(owner) for owner in (spec.project.owner, *spec.project.former_owners)}
        self._redact = redact
        self._written = written
        self._by_hash = {resource_hash(address): address for address in written}
        self._by_id = {
            (address.rpartition("/")[0], live_id): address
            for address, entry in entries.items()
            for live_id in (entry.successor, entry.live_id)
            if live_id
        }

    def of(self, listing: Listing) -> Listing:
        """The list as it may be shown. What leaves is nobody's any more, and its name is about to be free."""
        items = [
            self._shown(item, listing)
            for item in listing.items
            if self._is_ours(item, listing) or item.phase is not Phase.GOING
        ]
        return dataclasses.replace(
            listing, items=tuple(sorted(items, key=lambda item: (not item.id, item.id, item.name)))
        )

    def _shown(self, item: Live, listing: Listing) -> Live:
        if not self._is_ours(item, listing):
            return Live(kind=item.kind, provider=item.provider, id="", name=item.name)
        marker = item.parsed_marker
        meant = (self._holder(item, listing), self._by_hash.get(marker.resource, "") if marker else "")
        return without_secrets(
            item, [one for address in dict.fromkeys(meant) for one in self._written.get(address, ())], self._redact
        )

    def _is_ours(self, item: Live, listing: Listing) -> bool:
        marker = item.parsed_marker
        return bool(self._holder(item, listing)) or (marker is not None and marker.owner in self._owners)

    def _holder(self, item: Live, listing: Listing) -> str:
        return self._by_id.get((f"{listing.provider}/{listing.kind.name}", item.id), "")


# -- one item ----------------------------------------------------------------------------------------------------------


def without_secrets(item: Live, written: Sequence[Mapping[str, Any]], redact: Callable[[str], str]) -> Live:
    """The item without any value that is, or may be, a secret.

    Args:
        item: Something of ours.
        written: Specs that it was made from, or is to be made like: desired ones and last applied ones.
        redact: Masks known secrets in a text.
    """
    cleaner = _Cleaner(item.kind, redact)
    spec = cleaner.clean(FieldPath(), item.spec, written)
    return dataclasses.replace(
        item, spec={} if spec is ABSENT else spec, hidden=item.hidden | cleaner.hidden, created_by=""
    )


def _shows(value: Any, redact: Callable[[str], str]) -> bool:
    """Whether any text, key or number in a value holds a known secret."""
    if isinstance(value, Mapping):
        return any(_shows(part, redact) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return any(_shows(item, redact) for item in value)
    return redact(str(value)) != str(value)


class _Cleaner:
    """Walks one live spec beside what was written, in the comparison's own steps; collects what it takes out."""

    def __init__(self, kind: Kind, redact: Callable[[str], str]) -> None:
        self._kind = kind
        self._redact = redact
        self.hidden: set[str] = set()

    def clean(self, path: FieldPath, live: Any, written: Sequence[Any]) -> Any:
        """The value as it may be shown, or `ABSENT`."""
        rule, own = self._kind.rule(path), self._kind.exact_rule(path)
        if rule is not None and rule.secret is Secret.ALWAYS:
            return self._hide(path)
        if own is not None and own.list_key and isinstance(live, list | tuple):
            return self._elements(path, live, written, own.list_key)
        if isinstance(live, Mapping) and not (own is not None and own.normalise):
            return self._members(path, live, written)
        given = [value for value in written if value is not ABSENT]
        by_hand = rule is not None and rule.secret is Secret.BY_REFERENCE and _is_unwritten(live, given)
        return self._hide(path) if by_hand or holds_secret(given) or _shows(live, self._redact) else live

    def _members(self, path: FieldPath, live: Mapping[str, Any], written: Sequence[Any]) -> Any:
        shown: dict[str, Any] = {}
        for key, value in live.items():
            if _shows(key, self._redact):
                return self._hide(path)
            below = [side.get(key, ABSENT) if isinstance(side, Mapping) else ABSENT for side in written]
            kept = self.clean(path / key, value, below)
            if kept is not ABSENT:
                shown[key] = kept
        return shown

    def _elements(self, path: FieldPath, live: Sequence[Any], written: Sequence[Any], list_key: str) -> Any:
        rules = {key: self._kind.exact_rule(path / EACH / key) for key in list_key.split("+")}
        sides = [by_key(side, rules) for side in written]
        shown: dict[str, Any] = {}
        for key, (_, item) in by_key(live, rules).items():
            if _shows(key, self._redact):
                return self._hide(path)
            below = [side[key][1] if key in side else ABSENT for side in sides]
            kept = self._element(path / f"[{key}]", item, below)
            if kept is not ABSENT:
                shown[key] = kept
        # An element without a key of its own goes by its place, which must still be the same for whoever reads this.
        return list(shown.values()) if list(by_key([*shown.values()], rules)) == list(shown) else self._hide(path)

    def _element(self, path: FieldPath, item: Any, written: Sequence[Any]) -> Any:
        """An entry as a whole: one that nobody wrote, or that holds a secret, is not shown in part."""
        rule = self._kind.rule(path)
        given = [value for value in written if value is not ABSENT]
        if rule is not None and rule.secret is Secret.BY_REFERENCE and (not given or holds_secret(given)):
            return self._hide(path)
        return self.clean(path, item, written)

    def _hide(self, path: FieldPath) -> Any:
        """Take it out; a path that can't be written as text is told by the one above it."""
        while not _is_readable(path):
            path = path.parent
        self.hidden.add(str(path))
        return ABSENT


def _is_unwritten(live: Any, given: Sequence[Any]) -> bool:
    """Whether it holds something that no file says: another text, or an element of a list. A flag is no secret."""
    if isinstance(live, bool) or live is None:
        return False
    if isinstance(live, list | tuple):
        known = [item for side in given if isinstance(side, list | tuple) for item in side]
        return any(item not in known for item in live)
    return str(live) not in map(str, given)


def _is_readable(path: FieldPath) -> bool:
    try:
        return FieldPath.parse(str(path)) == path
    except ValueError:
        return False
