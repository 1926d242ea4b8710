"""From a pair to a change: action, reason, forcing fields, interruption, notices. Plain data in and out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.diff.change import Action, Change, FieldChange, FieldClass
from reconciler.diff.compare import Comparison, Sides, compare, leaves, text_of
from reconciler.diff.identity import Pair
from reconciler.diff.live import Listing, Live, Verdict
from reconciler.diff.orphans import Orphan
from reconciler.fields import FieldPath, Interruption, Kind, Phase, ReplaceOrder, Secret
from reconciler.spec.resource import Resource
from reconciler.spec.values import KnownAfterApply, encode, holds_secret, pending_in

__all__ = ["Facts", "decide", "decide_orphan"]

_SEVERITY: Final = tuple(Interruption)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a decision needs beside the pair.

    Attributes:
        version: The provider instance's API release, or empty.
        secret_changed: Secret name → True, False or None (can't tell), against what this resource was applied with.
        trust_markers: Take a marker for proof of ownership where the ledger knows nothing, for this run.
        recent: For what left the spec: its create is so young that its absence proves nothing.
    """

    version: str = ""
    secret_changed: Callable[[str], bool | None] = lambda _name: None
    trust_markers: bool = False
    recent: bool = False


def decide(pair: Pair, spec: Mapping[str, Any], facts: Facts) -> Change:
    """What is to be done about one desired resource.

    Args:
        pair: What identity found.
        spec: Its desired spec, with references to existing resources filled in.
        facts: Release, secrets, switches.
    """
    resource = pair.resource
    if pair.verdict is not None:
        return Change(
            address=resource.address,
            kind=resource.kind,
            action=pair.verdict,
            reason=pair.reason,
            message=pair.message,
            desired=resource,
            live=pair.live,
            applied=pair.entry,
            candidates=pair.candidates,
        )
    if pair.live is None:
        return _create(pair, spec)
    return _existing(pair, spec, facts)


def _create(pair: Pair, spec: Mapping[str, Any]) -> Change:
    resource = pair.resource
    reason, message = "not-live", "it does not exist yet"
    candidates: tuple[str, ...] = ()
    if pair.going is not None:
        reason, message = "on-its-way-out", f"{pair.going.id} is on its way out; it is made anew when that is gone"
        candidates = (pair.going.id,)
    elif pair.entry is not None:
        reason, message = "vanished", f"{pair.entry.live_id} was made by us and is no longer there"
    return Change(
        address=resource.address,
        kind=resource.kind,
        action=Action.CREATE,
        reason=reason,
        message=message,
        desired=resource,
        live=None,
        applied=pair.entry,
        fields=tuple(_new_field(resource, *leaf) for leaf in leaves(spec)),
        run_state=_run_state_of_new(resource),
        candidates=candidates,
    )


def _run_state_of_new(resource: Resource) -> str:
    """What is new runs: only the other state takes a call."""
    return "stopped" if resource.lifecycle.run_state == "stopped" else ""


def _new_field(resource: Resource, path: FieldPath, where: tuple[str | int, ...], value: Any) -> FieldChange:
    rule = resource.kind.rule(path)
    sensitive = holds_secret(value) or (rule is not None and rule.secret is Secret.ALWAYS)
    references = pending_in(value)
    return FieldChange(
        path=path,
        before=None,
        after=None if sensitive or references else encode(value),
        field_class=FieldClass.PENDING,
        origin=resource.origin_of("spec", *where),
        chain=resource.chain_of("spec", *where),
        sensitive=sensitive,
        after_known=not any(isinstance(found, KnownAfterApply) for found in references),
        after_text=text_of(value) if references and not sensitive else "",
        source=resource.kind.cite(rule.source) if rule is not None else "",
    )


def _existing(pair: Pair, spec: Mapping[str, Any], facts: Facts) -> Change:
    resource, live, entry = pair.resource, pair.live, pair.entry
    assert live is not None  # noqa: S101 - `decide` has looked
    result = compare(
        Sides(
            kind=resource.kind,
            desired=spec,
            live=live,
            applied=entry.spec if entry is not None and not entry.rebuilt else None,
            version=facts.version,
            ignore=resource.lifecycle.ignore_changes,
            secret_changed=_with_revision(resource, pair, facts),
            origin_of=lambda path: resource.origin_of(*path),
            chain_of=lambda path: resource.chain_of(*path),
        )
    )
    run_state = _run_state(resource, pair)
    fields = tuple(result.changes)
    base = Change(
        address=resource.address,
        kind=resource.kind,
        action=Action.NONE,
        reason="has-failed" if live.phase is Phase.FAILED else "in-sync",
        message=_state_note(pair, result),
        desired=resource,
        live=live,
        applied=entry,
        fields=fields,
        run_state=run_state,
    )
    if pair.leftover is not None:
        return _unfinished(base, pair, pair.leftover)
    forcing = [change for change in fields if change.forces_replace and change.path not in result.impossible]
    if forcing:
        return _replace(base, forcing, pair, facts)
    if result.impossible:
        paths = ", ".join(map(str, result.impossible))
        return _with(
            base,
            action=Action.BLOCKED,
            reason="cannot-unset",
            message=f"{paths} was taken out of the spec, and the API has no way to take it back; write its value again",
            intended=Action.UPDATE,
        )
    effects = _in_place(fields, run_state)
    if pair.adopting or (entry is None and live.marker == ""):
        message = f"{live.id} is taken over" + ("; its fields change with it" if fields else "")
        return _with(base, action=Action.ADOPT, reason="adopt-requested", message=message, **effects)
    if fields or run_state:
        reason = "fields-differ" if fields else "run-state-differs"
        message = base.message if fields else f"it is {live.run_state or live.status} and should be {run_state}"
        return _with(base, action=Action.UPDATE, reason=reason, message=message, **effects)
    return base


def _unfinished(base: Change, pair: Pair, leftover: Live) -> Change:
    """The new half of a create-first replace lives; the old one goes, unless the new one can't take its place."""
    common: dict[str, Any] = {"leftover": leftover, "replace_order": ReplaceOrder.CREATE_FIRST, "fields": ()}
    blocked = {"action": Action.BLOCKED, "intended": Action.REPLACE, **common}
    if pair.suspicious:
        return _with(base, reason="suspicious-list", message=pair.suspicious, **blocked)
    if base.live is not None and base.live.phase is Phase.FAILED:
        message = (
            f"{base.live_id} was made to take the place of {leftover.id}, and {base.message or 'it has failed'}; "
            f"{leftover.id} stays as it is"
        )
        return _with(base, reason="successor-failed", message=message, **blocked)
    message = f"{base.live_id} has taken the place of {leftover.id}, which an interrupted replace left behind"
    if base.applied is not None and base.live_id == base.applied.successor:
        message = f"{base.live_id} is what the spec wants again; {leftover.id}, made to take its place, goes"
    if pair.is_twin:
        more = f", and in later runs {', '.join(pair.candidates[:-1])}" if len(pair.candidates) > 1 else ""
        message = f"{base.live_id} and {leftover.id} are marked alike; {base.live_id} stays, {leftover.id} goes{more}"
        common["candidates"] = pair.candidates
    return _with(
        base,
        action=Action.REPLACE,
        reason="twins" if pair.is_twin else "unfinished-replace",
        message=message,
        run_state="",
        interruption=Interruption.NONE,
        **common,
    )


def _how_known(base: Change) -> str:
    rebuilt = base.applied is not None and base.applied.rebuilt
    return "the ledger knows it from that marker alone" if rebuilt else "the ledger does not know it"


def _is_unproven(base: Change) -> bool:
    """Whether no apply of ours is in the ledger: a marker is no proof for a delete."""
    return base.applied is None or base.applied.rebuilt


def _cannot(forcing: Sequence[FieldChange]) -> str:
    """Which fields force a replace: those that can't become another value, and those that can't go back to none."""
    told = []
    for removed, words in ((False, "can't change in place"), (True, "can't be taken out in place")):
        paths = [str(change.path) for change in forcing if change.removed is removed]
        told += [f"{', '.join(paths)} {words}"] if paths else []
    return ", and ".join(told)


def _replace(base: Change, forcing: Sequence[FieldChange], pair: Pair, facts: Facts) -> Change:
    kind, resource = base.kind, base.desired
    assert resource is not None  # noqa: S101 - only desired resources are replaced
    order = resource.lifecycle.replace or kind.replace
    common: dict[str, Any] = {
        "replace_order": order,
        "interruption": Interruption(kind.replace_interruption),
        "notices": tuple(dict.fromkeys((kind.replace_notice, *(f.notice for f in base.fields if f.notice)))),
        "run_state": _run_state_of_new(resource),
    }
    what = _cannot(forcing)
    if pair.adopting:
        message = f"{what}, so adopting {base.live_id} would replace it; write the live value first"
        return _with(base, action=Action.BLOCKED, reason="adopt-differs", message=message, intended=Action.REPLACE)
    if pair.suspicious:
        return _with(
            base,
            action=Action.BLOCKED,
            reason="suspicious-list",
            message=pair.suspicious,
            intended=Action.REPLACE,
            **common,
        )
    if _is_unproven(base) and not facts.trust_markers:
        message = (
            f"{what}, and a replace deletes {base.live_id}, and {_how_known(base)}; "
            "a marker alone is no proof for a delete: --trust-markers takes it for one"
        )
        return _with(
            base, action=Action.BLOCKED, reason="not-in-ledger", message=message, intended=Action.REPLACE, **common
        )
    if order not in kind.replace_orders:
        message = (
            f"{what}, and {order} can't work: a second {kind.title} can't have the same name; "
            f"write lifecycle: {{replace: {kind.replace}}}"
        )
        return _with(
            base, action=Action.BLOCKED, reason="replace-order", message=message, intended=Action.REPLACE, **common
        )
    if resource.lifecycle.prevent_destroy:
        message = f"{what}, and lifecycle.preventDestroy forbids the replace"
        return _with(
            base, action=Action.BLOCKED, reason="prevent-destroy", message=message, intended=Action.REPLACE, **common
        )
    return _with(base, action=Action.REPLACE, reason="field-forces-replace", message=f"{what}", **common)


def _in_place(fields: tuple[FieldChange, ...], run_state: str) -> dict[str, Any]:
    stopping = (Interruption.STOP_START,) if run_state == "stopped" else ()
    classes = (*(change.interruption for change in fields), *stopping)
    worst = max(classes, key=_SEVERITY.index, default=Interruption.NONE)
    return {"interruption": worst, "notices": tuple(dict.fromkeys(change.notice for change in fields if change.notice))}


def _with_revision(resource: Resource, pair: Pair, facts: Facts) -> Callable[[str], bool | None]:
    """`lifecycle.secretsRevision` is the manual lever: a higher one says that all secrets of the resource changed."""
    if pair.entry is not None and resource.lifecycle.secrets_revision > pair.entry.secrets_revision:
        return lambda _name: True
    return facts.secret_changed


def _run_state(resource: Resource, pair: Pair) -> str:
    """The state to ask for, or empty; where the live side can't tell (auto-stop), a wish that is new counts."""
    wanted, live, entry = resource.lifecycle.run_state, pair.live, pair.entry
    if not wanted or live is None:
        return ""
    known = live.run_state or (entry.run_state if entry is not None else "")
    return wanted if known and known != wanted else ""


def _state_note(pair: Pair, result: Comparison) -> str:
    live, resource = pair.live, pair.resource
    if live is not None and live.phase is Phase.FAILED:
        return f"it has failed ({live.status}{': ' + live.reason if live.reason else ''})"
    if live is not None and live.name and resource.kind.live_name is not None and live.name != resource.live_name:
        return (
            f"its live name stays {live.name!r}, although the spec says {resource.live_name!r}: no call can change it"
        )
    if result.unverified and (pair.entry is None or pair.entry.rebuilt):
        return "can't tell without a ledger entry: " + ", ".join(map(str, result.unverified))
    return ""


def decide_orphan(orphan: Orphan, facts: Facts, kinds: Mapping[str, Kind]) -> Change | None:
    """What is to be done about something of ours that left the spec; `None` when it can't be shown (unknown kind).

    Args:
        orphan: Ledger entry, live item, or both.
        facts: Switches.
        kinds: `type/Kind` → kind, for entries whose provider instance is gone.
    """
    listing, entry, live = orphan.listing, orphan.entry, orphan.live
    kind = listing.kind if listing is not None else kinds.get(entry.kind if entry else "")
    if kind is None:
        return None
    base = Change(
        address=orphan.address,
        kind=kind,
        action=Action.NONE,
        reason="",
        live=live,
        applied=entry,
        interruption=Interruption(kind.replace_interruption),
        notices=(kind.delete_notice,) if kind.delete_notice else (),
        half_of=orphan.half_of,
    )
    if listing is None:
        message = "it left the spec, and its provider instance is no longer in reconciler.yaml"
        return _with(base, action=Action.BLOCKED, reason="provider-missing", message=message, intended=Action.DELETE)
    if listing.verdict is Verdict.FAILED:
        told = f"it left the spec; {listing.message}"
        return _with(
            base,
            action=Action.UNKNOWN,
            reason="list-failed",
            message=told,
            interruption=Interruption.NONE,
            notices=(),
        )
    if live is None:
        return _vanished(base, listing, recent=facts.recent)
    return _still_there(base, live, orphan, facts)


def _still_there(base: Change, live: Live, orphan: Orphan, facts: Facts) -> Change:
    entry, listing = orphan.entry, orphan.listing
    if live.phase is Phase.GOING:
        return _with(base, reason="on-its-way-out", message=f"{live.id} is on its way out already")
    if orphan.trouble is not None and not (entry is not None and entry.on_remove == "retain"):
        reason, message = orphan.trouble
        message = f"it left the spec, but {message}"
        return _with(base, action=Action.BLOCKED, reason=reason, message=message, intended=Action.DELETE)
    change = _removal(base, facts)
    if change.action is Action.DELETE and listing is not None and listing.verdict is Verdict.SUSPICIOUS:
        return _not_trusted(base, listing)
    return change


def _not_trusted(base: Change, listing: Listing) -> Change:
    return _with(base, action=Action.BLOCKED, reason="suspicious-list", message=listing.message, intended=Action.DELETE)


def _vanished(base: Change, listing: Listing, *, recent: bool) -> Change:
    if recent:
        message = (
            "it left the spec, and it was created so recently that it may not be listed yet; look again in a minute"
        )
        return _with(base, action=Action.UNKNOWN, reason="recently-created", message=message)
    if listing.verdict is Verdict.PARTIAL:
        return _with(base, action=Action.UNKNOWN, reason="list-partial", message=listing.message)
    if listing.verdict is Verdict.SUSPICIOUS:
        return _not_trusted(base, listing)
    return _with(base, reason="gone", message="it left the spec, and it is gone already")


def _removal(base: Change, facts: Facts) -> Change:
    entry, live = base.applied, base.live
    assert live is not None  # noqa: S101 - the caller has looked
    if entry is None or (entry.rebuilt and entry.on_remove != "retain" and not entry.prevent_destroy):
        marker = live.parsed_marker
        if facts.trust_markers and marker is not None and marker.keep == "n":
            message = f"it carries our marker and is not in the spec; {_how_known(base)} (--trust-markers)"
            return _with(base, action=Action.DELETE, reason="removed-from-spec", message=message)
        way_out = "--trust-markers takes it for one"
        if marker is not None and marker.keep == "p":
            way_out = "and this one says that it is protected (preventDestroy)"
        message = (
            f"{live.id} carries our marker and is not in the spec, but {_how_known(base)}; "
            f"a marker alone is no proof for a delete: {way_out}"
        )
        return _with(base, action=Action.BLOCKED, reason="not-in-ledger", message=message, intended=Action.DELETE)
    if entry.on_remove == "retain":
        message = f"it left the spec; {live.id} is left running and forgotten (onRemove: retain)"
        return _with(base, reason="retained", message=message)
    if entry.prevent_destroy:
        since = f" at revision {entry.revision[:12]}" if entry.revision else ""
        message = (
            f"it left the spec, but lifecycle.preventDestroy was on when it was last applied{since}; "
            "apply it once with preventDestroy: false, then remove it"
        )
        return _with(base, action=Action.BLOCKED, reason="prevent-destroy", message=message, intended=Action.DELETE)
    message = "it is no longer in the spec"
    if base.half_of:
        message = f"it is the other half of {base.half_of}, whose replace did not come to its end; {message}"
    return _with(base, action=Action.DELETE, reason="removed-from-spec", message=message)


def _with(change: Change, **values: Any) -> Change:
    return dataclasses.replace(change, **values)
