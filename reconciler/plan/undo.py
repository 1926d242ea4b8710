"""The inverse of an apply: what each of its changes has to become again, as documents of the spec language. Pure.

Noted when a run begins, in its row of the ledger, so that `undo` needs no former commit: secrets stand in it by name,
as in the ledger's entries. What nobody can bring back (data, ids, endpoint URLs) is said, not tried.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.diff.change import Action, Change
from reconciler.diff.live import Applied
from reconciler.fields import Kind
from reconciler.plan.plan import Plan
from reconciler.problems import Origin
from reconciler.spec.output import to_document
from reconciler.spec.resource import Edge, Resource, ResourceRef

__all__ = ["Undo", "inverse_of", "lost", "undo_of"]

_NOWHERE: Final = Origin("<the ledger>", 0, 0)
_ITS: Final = {
    Action.CREATE: "its create",
    Action.UPDATE: "its update",
    Action.REPLACE: "its replace",
    Action.DELETE: "its delete",
    Action.ADOPT: "its adoption",
}
_UNKNOWN: Final = {
    Action.ADOPT: "it was taken over, and what it was before is not known: it stays as it is. "
    "`lifecycle.onRemove: retain` and then taking its document out lets it go",
} | dict.fromkeys(
    (Action.UPDATE, Action.REPLACE, Action.DELETE),
    "what it was before is not known (the ledger had been rebuilt from its marker): it stays as it is",
)
_MADE: Final = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE, Action.ADOPT})


def inverse_of(plan: Plan) -> Iterator[dict[str, Any]]:
    """Address, action and, as `document`, what was applied before, for each change that the plan sets out to make.

    `document` is null where there was nothing before (a create), or nobody knows what (an adoption, a rebuilt ledger).
    """
    for change in plan.changes:
        if change.action in _MADE:
            yield {"address": change.address, "action": str(change.action), "document": _before(change)}


def _before(change: Change) -> dict[str, Any] | None:
    entry = change.applied
    if entry is None or entry.rebuilt or change.action in {Action.CREATE, Action.ADOPT}:
        return None
    return _document(entry, change.kind, change.address)


def _document(entry: Applied, kind: Kind, address: str) -> dict[str, Any]:
    """An entry as the document that it came from; under the resource's address of now, if it was renamed."""
    ref = ResourceRef.parse(address)
    bare = to_document(
        Resource(
            ref=ref,
            kind=kind,
            live_name=entry.live_name if kind.live_name is not None else ref.name,
            spec=entry.spec,
            labels=entry.labels,
            edges=tuple(Edge(each, _NOWHERE) for each in entry.edges),
        )
    )
    lifecycle = {"lifecycle": dict(entry.lifecycle)} if entry.lifecycle else {}
    spec = bare.pop("spec")
    return {**bare, **lifecycle, "spec": spec}


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What undoing a run comes to, by what the ledger says now.

    Attributes:
        documents: Address → what has to be there again.
        gone: Addresses that were not there before.
        kept: What can't be undone, or was never done: a sentence each.
        overtaken: Address → the later run that changed it.
    """

    documents: Mapping[str, Mapping[str, Any]]
    gone: frozenset[str]
    kept: tuple[str, ...] = ()
    overtaken: Mapping[str, str] = field(default_factory=dict)

    @property
    def addresses(self) -> frozenset[str]:
        """All that it touches."""
        return self.gone | frozenset(self.documents)


def undo_of(
    run: str,
    inverse: Iterable[Mapping[str, Any]],
    entries: Mapping[str, Applied],
    deleted: Mapping[str, str],
    later: Mapping[str, Collection[str]],
) -> Undo:
    """What of a run's inverse is still to be done.

    Args:
        run: Its id.
        inverse: As `inverse_of` made it.
        entries: The ledger's, by address.
        deleted: Address → the run that deleted it last.
        later: Ids of the runs that came after it → addresses that each set out to change. A run that merely noted a
            label or a lifecycle has overtaken nothing.
    """
    documents: dict[str, Mapping[str, Any]] = {}
    gone: set[str] = set()
    kept: list[str] = []
    overtaken: dict[str, str] = {}
    for item in inverse:
        address, action, document = str(item["address"]), Action(str(item["action"])), item["document"]
        entry = entries.get(address)
        by = deleted.get(address, "") if entry is None else entry.run
        if address in later.get(by, ()):
            overtaken[address] = by
        elif (by != run and by not in later) or (entry is None) is not (action is Action.DELETE):
            kept.append(f"{address}: this run did not come to {_ITS[action]}, so there is nothing to undo")
        elif action is Action.CREATE:
            gone.add(address)
        elif document is None:
            kept.append(f"{address}: {_UNKNOWN[action]}")
        else:
            documents[address] = document
    return Undo(documents=documents, gone=frozenset(gone), kept=tuple(kept), overtaken=overtaken)


def lost(plan: Plan) -> Iterator[str]:
    """What no plan brings back, of what this one undoes: a sentence each."""
    for change in plan.changes:
        if change.action is Action.CREATE:
            yield (
                f"{change.address} is made anew: its former id and address are not brought back, nor what was stored "
                "in it"
            )
        elif change.action is Action.NONE:
            yield (
                f"{change.address}: nothing that a plan could bring back: its spec was the same before (what the run "
                "undid was a hand edit, or what it brought was a secret's value)"
            )
        elif change.action in {Action.REPLACE, Action.DELETE}:
            yield f"{change.address}: the id and address that it has now go for good, with what is stored in it"
