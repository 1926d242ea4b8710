"""The inverse of an apply: what each of its changes has to become again, as documents of the spec language. Pure.

Noted when a run begins, in its row of the ledger, so that `undo` needs no former commit: secrets stand in it by name,
as in the ledger's entries. What nobody can bring back (data, ids, endpoint URLs) is said, not tried.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from reconciler.diff.change import Action, Change
from reconciler.diff.claims import addresses
from reconciler.diff.live import Applied, Listing
from reconciler.fields import Kind
from reconciler.plan.plan import Plan
from reconciler.problems import Origin
from reconciler.spec.output import to_document
from reconciler.spec.resource import Edge, Resource, ResourceRef
from reconciler.spec.values import Composite, KnownAfterApply

__all__ = ["Outputs", "Undo", "by_desired", "inverse_of", "lost", "outputs_of", "undo_of"]

Outputs: TypeAlias = Mapping[str, Mapping[str, str]]
"""Address, as the ledger has it → what `ref()` reads of its live thing."""

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
_TELLING: Final = 12
"""Characters of an id or name that nobody writes by chance."""
_MADE: Final = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE, Action.ADOPT})


def outputs_of(entries: Mapping[str, Applied], listings: Iterable[Listing]) -> Outputs:
    """What each of ours that is there tells of itself."""
    live = {(one.provider, one.kind.label, item.id): item.outputs for one in listings for item in one.items}
    found = {}
    for address, entry in entries.items():
        told = live.get((ResourceRef.parse(address).provider, entry.kind, entry.live_id))
        if told:
            found[address] = told
    return found


def by_desired(resources: Iterable[Resource], outputs: Outputs) -> Outputs:
    """The same by the addresses of the spec, where something was renamed since."""
    return {
        one.address: outputs[known]
        for one in resources
        if (known := next((each for each in addresses(one) if each in outputs), "")) in outputs
    }


def inverse_of(plan: Plan, outputs: Outputs) -> Iterator[dict[str, Any]]:
    """Address, action and, as `document`, what was applied before, for each change that the plan sets out to make.

    `document` is null where there was nothing before (a create), or nobody knows what (an adoption, a rebuilt ledger).
    """
    renamed = {former: resource.address for resource in plan.spec.resources for former in addresses(resource)}
    renamed |= {resource.address: resource.address for resource in plan.spec.resources}
    for change in plan.changes:
        if change.action in _MADE:
            document = _before(change, outputs, renamed)
            yield {"address": change.address, "action": str(change.action), "document": document}


def _before(change: Change, outputs: Outputs, renamed: Mapping[str, str]) -> dict[str, Any] | None:
    entry = change.applied
    if entry is None or entry.rebuilt or change.action in {Action.CREATE, Action.ADOPT}:
        return None
    return _document(entry, change.kind, change.address, outputs, renamed)


def _document(entry: Applied, kind: Kind, address: str, outputs: Outputs, renamed: Mapping[str, str]) -> dict[str, Any]:
    """An entry as the document that it came from; under the addresses of now, where something was renamed."""
    ref = ResourceRef.parse(address)
    told = {
        text: KnownAfterApply(renamed.get(needed, needed), name)
        for needed in entry.edges
        for name, text in outputs.get(needed, {}).items()
        if len(text) >= _TELLING
    }
    bare = to_document(
        Resource(
            ref=ref,
            kind=kind,
            live_name=entry.live_name if kind.live_name is not None else ref.name,
            spec=_referring(entry.spec, told),
            labels=entry.labels,
            edges=tuple(Edge(renamed.get(each, each), _NOWHERE) for each in entry.edges),
        )
    )
    lifecycle = {"lifecycle": dict(entry.lifecycle)} if entry.lifecycle else {}
    spec = bare.pop("spec")
    return {**bare, **lifecycle, "spec": spec}


def _referring(value: Any, told: Mapping[str, KnownAfterApply]) -> Any:
    """A spec that speaks of what it needs by `ref()` again, as before it was sent.

    What is made anew gets another URL: the one of before, which the ledger has, would lead nowhere.
    """
    if not told:
        return value
    if isinstance(value, Mapping):
        return {key: _referring(item, told) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_referring(item, told) for item in value]
    pieces = value.parts if isinstance(value, Composite) else (value,)
    longest_first = "|".join(re.escape(text) for text in sorted(told, key=len, reverse=True))
    parts: list[Any] = []
    for piece in pieces:
        split = re.split(rf"(?<![\w-])({longest_first})(?![\w-])", piece) if isinstance(piece, str) else [piece]
        parts += [told.get(part, part) if isinstance(part, str) else part for part in split if part != ""]
    if len(parts) > 1:
        return Composite(tuple(parts))
    return parts[0] if parts else value


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
        elif change.action is Action.NONE and change.reason == "expired":
            yield f"{change.address} is not brought back: {change.message}; set a later date in the spec, and apply"
        elif change.action is Action.NONE and change.reason == "retained":
            yield f"{change.address} is not deleted: {change.message}"
        elif change.action is Action.NONE:
            yield (
                f"{change.address}: nothing that a plan could bring back: its spec was the same before (what the run "
                "undid was a hand edit, or what it brought was a secret's value)"
            )
        elif change.action in {Action.REPLACE, Action.DELETE} and change.leftover is None:
            yield f"{change.address}: the id and address that it has now go for good, with what is stored in it"
