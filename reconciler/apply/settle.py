"""What became of writes that an earlier run left open. Pure: plan and apply ask the same question of the same lists.

Source: SETTLEMENT §5. Presence needs one look; absence counts only after the settle window.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.diff.identity import RECENT_S
from reconciler.diff.live import Applied, Listing, Live, Verdict
from reconciler.fields import Phase
from reconciler.ledger.journal import IntentRow, IntentState, load
from reconciler.providers.base import Intent, Provider, Settled
from reconciler.spec.resource import ResourceRef

__all__ = ["Open", "Settlement", "came_late", "intent_of", "left_of", "settle_open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """One intent that can't be closed yet, and why; `wait_s`: how long until absence counts (0: a person must look)."""

    row: IntentRow
    message: str
    wait_s: float = 0.0
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What reading says of all open intents.

    Attributes:
        landed: (intent, live id, entry to note or `None`): it was done.
        gone: A delete was done: drop the entry.
        not_done: It was not done; the plan says what is needed now.
        open: It can't be told (yet).
        late: Entries of creates that were taken for not done and have shown up after all.
    """

    landed: tuple[tuple[IntentRow, str, Applied | None], ...] = ()
    gone: tuple[IntentRow, ...] = ()
    not_done: tuple[IntentRow, ...] = ()
    open: tuple[Open, ...] = ()
    late: tuple[Applied, ...] = ()

    @property
    def absent(self) -> frozenset[int]:
        """Intents that this reading closes because it did not find something: that takes two, a poll apart (R6)."""
        return frozenset(row.id for row in (*self.gone, *(row for row in self.not_done if row.op == "create")))

    def without(self, doubtful: Container[int]) -> Settlement:
        """The same, but for these intents."""
        return dataclasses.replace(
            self,
            gone=tuple(row for row in self.gone if row.id not in doubtful),
            not_done=tuple(row for row in self.not_done if row.id not in doubtful),
        )

    def entries(self, entries: Mapping[str, Applied]) -> dict[str, Applied]:
        """The ledger's entries as they will be once this is noted."""
        result = dict(entries)
        for row in self.gone:
            left = left_of(result.get(row.address), row)
            result.pop(row.address, None)
            if left is not None:
                result[row.address] = left
        for entry in (*(entry for _, _, entry in self.landed), *self.late):
            if entry is not None:
                result[entry.address] = entry
        return result

    def sentences(self) -> tuple[str, ...]:
        """What an earlier run left open and how it was settled, for people."""
        return (
            *(
                f"{row.address}: the {row.op} of an earlier run had been done ({live_id})"
                for row, live_id, _ in self.landed
            ),
            *(f"{row.address}: the delete of an earlier run had been done" for row in self.gone),
            *(f"{row.address}: the {row.op} of an earlier run had not been done" for row in self.not_done),
            *(f"{entry.address}: a create of an earlier run came late ({entry.live_id})" for entry in self.late),
        )


def settle_open(
    rows: Sequence[IntentRow],
    listings: Mapping[tuple[str, str], Listing],
    providers: Mapping[str, Provider],
    window_s: Callable[[Provider], float],
    *,
    claimed: frozenset[tuple[str, str]] = frozenset(),
    adopted: Mapping[str, str] | None = None,
    trusted: Mapping[str, float] | None = None,
) -> Settlement:
    """Ask the lists about each open intent.

    Args:
        rows: Open intents, oldest first.
        listings: (instance, kind name) → list.
        providers: Instance → provider.
        window_s: Provider → settle window in seconds.
        claimed: (instance, live id) of everything that a ledger entry holds already: no candidate for anything else.
        adopted: Address → `lifecycle.adopt`: a person's answer where several could be meant.
        trusted: Scope → when somebody said that unmarked items are foreign: the other answer, if it came after.
    """
    result = _Result()
    creates = _creates(rows, listings, providers)
    proven = {
        (row.address.partition("/")[0], settled.live.id)
        for row in rows
        if (settled := creates.get(row.id)) is not None and settled.live is not None
    }
    for row in rows:
        ref = ResourceRef.parse(row.address)
        provider = providers.get(ref.provider)
        listing = listings.get((ref.provider, ref.kind))
        if provider is None or listing is None or listing.verdict is Verdict.FAILED:
            result.open.append(Open(row=row, message="its provider could not be read"))
            continue
        # A create that was answered exists: a list that lags has more time than a reply that was lost (case C38).
        patience_s = max(window_s(provider), RECENT_S if _was_heard(row) else 0.0)
        wait_s = max(0.0, row.sent_at + patience_s - provider.clock.now())
        if row.op == "create":
            settled = creates[row.id]
            free = tuple(item for item in settled.candidates if (ref.provider, item) not in claimed | proven)
            told = (adopted or {}).get(row.address, "")
            if told in free:
                settled = Settled(live=listing.by_id(told))
            elif _are_foreign(trusted or {}, ref, row.sent_at + patience_s):
                free = ()
            _settle_create(result, row, dataclasses.replace(settled, candidates=free), listing, wait_s)
        else:
            _settle_by_target(result, row, listing, wait_s)
    return Settlement(
        landed=tuple(result.landed), gone=tuple(result.gone), not_done=tuple(result.not_done), open=tuple(result.open)
    )


def _creates(
    rows: Sequence[IntentRow], listings: Mapping[tuple[str, str], Listing], providers: Mapping[str, Provider]
) -> dict[int, Settled]:
    """Intent of a create → what its provider makes of the list, where there is one."""
    found = {}
    for row in rows:
        ref = ResourceRef.parse(row.address)
        listing, provider = listings.get((ref.provider, ref.kind)), providers.get(ref.provider)
        if row.op == "create" and provider is not None and listing is not None:
            found[row.id] = provider.settle(intent_of(row), listing)
    return found


def _are_foreign(trusted: Mapping[str, float], ref: ResourceRef, since: float) -> bool:
    """Whether somebody has said so after this time, in seconds since the epoch."""
    return any(trusted.get(scope, 0.0) > since for scope in ("*", f"{ref.provider}/{ref.kind}"))


def came_late(
    entries: Mapping[str, Applied],
    listings: Mapping[tuple[str, str], Listing],
    intent_of: Callable[[str], IntentRow | None],
    owner_mark: str,
) -> tuple[Applied, ...]:
    """Entries of our own creates that were closed as not done, and are live: their operation id proves them ours.

    Args:
        entries: The ledger.
        listings: (instance, kind name) → list.
        intent_of: Operation id → the intent of the journal.
        owner_mark: Our hash in a marker.
    """
    found: dict[str, Applied] = {}
    held = {live_id for entry in entries.values() for live_id in (entry.live_id, entry.successor)}
    for item in (item for listing in listings.values() for item in listing.items):
        marker = item.parsed_marker
        if marker is None or marker.owner != owner_mark or item.id in held or item.phase is Phase.GOING:
            continue
        row = intent_of(marker.op)
        if row is not None and row.op == "create" and row.state is IntentState.FAILED and row.marker == item.marker:
            entry = entry_of(row, item)
            if entry is not None and entry.address not in {*entries, *found}:
                found[entry.address] = entry
    return tuple(found.values())


@dataclass(slots=True)
class _Result:
    landed: list[tuple[IntentRow, str, Applied | None]] = field(default_factory=list)
    gone: list[IntentRow] = field(default_factory=list)
    not_done: list[IntentRow] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)


def _settle_create(result: _Result, row: IntentRow, settled: Settled, listing: Listing, wait_s: float) -> None:
    if settled.live is not None:
        result.landed.append((row, settled.live.id, entry_of(row, settled.live)))
    elif settled.candidates:
        several = ", ".join(settled.candidates)
        scope = row.address.rpartition("/")[0]
        message = (
            f"an earlier create may be one of {several}; lifecycle: {{adopt: ID}} says which, "
            f"`reconciler ledger trust {scope}` that all are foreign"
        )
        result.open.append(Open(row=row, message=message, candidates=settled.candidates))
    elif wait_s > 0 or listing.verdict is not Verdict.COMPLETE:
        told = (
            f"was answered ({row.live_id or 'no id'}) and is not listed yet" if _was_heard(row) else "may still show up"
        )
        result.open.append(Open(row=row, message=f"an earlier create {told}", wait_s=wait_s))
    else:
        result.not_done.append(row)


def _settle_by_target(result: _Result, row: IntentRow, listing: Listing, wait_s: float) -> None:
    """Updates are told by the plan's own comparison; a delete by absence, after the window."""
    live = listing.by_id(row.target)
    if wait_s > 0:
        result.open.append(Open(row=row, message=f"an earlier {row.op} may still be under way", wait_s=wait_s))
    elif row.op == "delete" and live is None and listing.verdict is Verdict.COMPLETE:
        result.gone.append(row)
    elif row.op == "delete" and live is not None and live.phase is Phase.GOING:
        result.open.append(Open(row=row, message=f"{live.id} is on its way out", wait_s=5.0))
    else:
        result.not_done.append(row)


def _was_heard(row: IntentRow) -> bool:
    return row.op == "create" and bool(row.live_id or row.evidence)


def left_of(entry: Applied | None, row: IntentRow) -> Applied | None:
    """What stays of an entry once this delete is done: its other half, if it was one half of a create-first replace.

    Source: SETTLEMENT R18.
    """
    if entry is None or row.target in {"", entry.live_id}:
        return None
    return dataclasses.replace(entry, successor="" if entry.successor == row.target else entry.successor)


def intent_of(row: IntentRow) -> Intent:
    """A journal row as the provider is asked about it."""
    return Intent(
        address=row.address,
        op=row.op,
        op_id=row.op_id,
        marker=row.marker,
        live_name=row.live_name,
        target=row.target,
        evidence=row.evidence if not row.live_id else {**row.evidence, "id": row.live_id},
        sent_at=row.sent_at,
    )


def entry_of(row: IntentRow, live: Live) -> Applied | None:
    """The ledger entry that the dead run was about to write, with the id that was found; not seen ready yet."""
    text = row.context.get("entry")
    if not isinstance(text, str):
        return None
    return dataclasses.replace(load(Applied, text), live_id=live.id, live_name=live.name, ready=False)
