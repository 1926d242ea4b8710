"""What became of writes that an earlier run left open. Pure: plan and apply ask the same question of the same lists.

Source: SETTLEMENT §5. Presence needs one look; absence counts only after the settle window.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.diff.identity import RECENT_S
from reconciler.diff.live import Applied, Listing, Live, Verdict
from reconciler.fields import Phase
from reconciler.ledger.journal import IntentRow, load
from reconciler.providers.base import Intent, Provider, Settled
from reconciler.spec.resource import ResourceRef

__all__ = ["Open", "Settlement", "intent_of", "left_of", "settle_open"]


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
    """

    landed: tuple[tuple[IntentRow, str, Applied | None], ...] = ()
    gone: tuple[IntentRow, ...] = ()
    not_done: tuple[IntentRow, ...] = ()
    open: tuple[Open, ...] = ()

    def entries(self, entries: Mapping[str, Applied]) -> dict[str, Applied]:
        """The ledger's entries as they will be once this is noted."""
        result = dict(entries)
        for row in self.gone:
            left = left_of(result.get(row.address), row)
            result.pop(row.address, None)
            if left is not None:
                result[row.address] = left
        for _, _, entry in self.landed:
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
        )


def settle_open(
    rows: Sequence[IntentRow],
    listings: Mapping[tuple[str, str], Listing],
    providers: Mapping[str, Provider],
    window_s: Callable[[Provider], float],
    *,
    claimed: frozenset[tuple[str, str]] = frozenset(),
    adopted: Mapping[str, str] | None = None,
) -> Settlement:
    """Ask the lists about each open intent.

    Args:
        rows: Open intents, oldest first.
        listings: (instance, kind name) → list.
        providers: Instance → provider.
        window_s: Provider → settle window in seconds.
        claimed: (instance, live id) of everything that a ledger entry holds already: no candidate for anything else.
        adopted: Address → `lifecycle.adopt`: a person's answer where several could be meant.
    """
    result = _Result()
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
            settled = provider.settle(intent_of(row), listing)
            free = tuple(item for item in settled.candidates if (ref.provider, item) not in claimed)
            told = (adopted or {}).get(row.address, "")
            if told in free:
                settled = Settled(live=listing.by_id(told))
            _settle_create(result, row, dataclasses.replace(settled, candidates=free), listing, wait_s)
        else:
            _settle_by_target(result, row, listing, wait_s)
    return Settlement(
        landed=tuple(result.landed), gone=tuple(result.gone), not_done=tuple(result.not_done), open=tuple(result.open)
    )


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
        message = f"an earlier create may be one of {several}; lifecycle: {{adopt: ID}} says which"
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
