"""The plan: every resource's change, the steps in order, what it costs, its digest. Pure: all is passed in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.diff.change import Action, Call, Change
from reconciler.diff.claims import addresses, claim
from reconciler.diff.decide import Facts, decide, decide_orphan
from reconciler.diff.identity import World, is_recent, judge, pair
from reconciler.diff.live import Applied, Listing, Verdict
from reconciler.diff.orphans import Orphan, orphans
from reconciler.fields import Kind
from reconciler.plan.cost import Cost, PriceList, change_cost
from reconciler.plan.digest import change_digest, plan_digest
from reconciler.plan.expiry import expired
from reconciler.plan.order import Step, dependencies_first, order
from reconciler.plan.policy import enforce
from reconciler.plan.safety import guard, hold_names, hold_shared
from reconciler.plan.snapshot import Taken, told_offline
from reconciler.plan.windows import hold_windows
from reconciler.problems import Problem
from reconciler.spec.resource import Limit, Resource, ResourceRef, Spec
from reconciler.spec.values import KnownAfterApply, SecretRef, fill

__all__ = ["Options", "Plan", "PlanInput", "halves", "make_plan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a person asked for on the command line.

    `selected` tells whether an address (with its labels) is inside the selection; outside it nothing is done.
    """

    selected: Callable[[str, Mapping[str, str]], bool] = lambda _address, _labels: True
    accept_empty: bool = False
    allow_empty_spec: bool = False
    trust_markers: bool = False
    max_deletes: Limit | None = None
    allowed_policies: frozenset[str] = frozenset()
    ignore_windows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInput:
    """Everything that a plan is made from, as plain data and pure functions.

    Attributes:
        spec: Desired.
        entries: The ledger, by address.
        listings: (provider instance, kind name) → list.
        kinds: `type/Kind` → kind.
        now_s: Seconds since the epoch, in each provider's own time; by instance name, `""` for the rest.
        versions: Provider instance → API release.
        prices: Provider instance → price list.
        calls: (change, one half's action) → the writes it takes, as the provider plans them.
        secret_changed: (secret name, last stored fingerprint or "") → True, False, None.
        problems: Providers that failed.
        warnings: What the providers' catalogues would have a person know.
        open_intents: Address → what an earlier run left open there; nothing is sent before that is settled.
        other_owners: Owner hash → name, for the project's other environments.
        released: Live ids that were ours and were let go.
        trusted: Scopes in which a person said that unmarked items are foreign.
        revision: Git revision of the spec, or empty.
        snapshot: Of which moment all this is, when it was not read live.
        notes: What else is to be said once.
    """

    spec: Spec
    entries: Mapping[str, Applied]
    listings: Mapping[tuple[str, str], Listing]
    kinds: Mapping[str, Kind]
    now_s: Mapping[str, float]
    versions: Mapping[str, str]
    prices: Mapping[str, PriceList]
    calls: Callable[[Change], tuple[Call, ...]]
    secret_changed: Callable[[str, str], bool | None]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    open_intents: Mapping[str, str] = field(default_factory=dict)
    other_owners: Mapping[str, str] = field(default_factory=dict)
    released: frozenset[str] = frozenset()
    trusted: frozenset[str] = frozenset()
    revision: str = ""
    snapshot: Taken | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done, for eyes, machines and the apply.

    Attributes:
        owner, environment: Whose plan it is.
        changes: One for each resource, `none` included, sorted by address.
        steps: In order; each names the steps that come first.
        digests: Address → digest of its change, for all that do something.
        costs: Address → cost.
        problems: Providers that could not be read, lists that can't be trusted.
        warnings: What a policy or a provider's catalogue would have a person know; an apply goes on.
        notes: Said once, such as secrets that can't be compared.
        partial: True when something could not be read, so that the plan may be missing changes.
        snapshot: The moment that it is of, when it was made from a snapshot; its digests are of no live plan.
    """

    owner: str
    spec: Spec
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    digests: Mapping[str, str]
    digest: str
    costs: Mapping[str, Cost]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    partial: bool = False
    revision: str = ""
    snapshot: Taken | None = None

    @property
    def summary(self) -> dict[str, int]:
        """Action → count, for all eight actions."""
        return {str(action): sum(change.action is action for change in self.changes) for action in Action}

    @property
    def has_changes(self) -> bool:
        """Whether anything would be written, or would have been if it were not blocked."""
        return any(change.action not in {Action.NONE, Action.UNKNOWN} for change in self.changes)

    def with_action(self, action: Action) -> tuple[Change, ...]:
        """The changes of one action."""
        return tuple(change for change in self.changes if change.action is action)


def make_plan(given: PlanInput, options: Options | None = None) -> Plan:
    """Pair, compare, decide, guard, order, price, digest: in this order, once each.

    Raises:
        SpecError: `dependency-cycle`.
    """
    options = options or Options()
    listings = {
        key: judge(
            listing, given.entries.values(), accept_empty=options.accept_empty, now_s=_now_s(given, listing.provider)
        )
        for key, listing in given.listings.items()
    }
    changes = _select(_decide_all(given, options, listings), options)
    changes = guard(
        changes,
        limit=options.max_deletes or given.spec.project.safety.max_deletes,
        owned=len(given.entries),
        spec_is_empty=not given.spec.resources,
        allow_empty_spec=options.allow_empty_spec,
    )
    changes, late = hold_windows(
        changes, given.spec.project.safety.windows, _now_s(given, ""), ignored=options.ignore_windows
    )
    changes = hold_names(changes, listings)
    costs = {change.address: cost for change in changes if (cost := _cost(change, given)) is not None}
    units = [prices.unit for prices in given.prices.values()]
    changes, said = enforce(changes, given.spec, costs, units=units, allowed=options.allowed_policies)
    changes = tuple(_with_calls(change, given) for change in changes)
    by_address = {change.address: change for change in changes}
    steps = tuple(_step_with_calls(step, by_address[step.address], given) for step in order(changes))
    offline = given.snapshot is not None
    digests = {
        change.address: change_digest(change, change.calls, offline=offline)
        for change in changes
        if change.action is not Action.NONE
    }
    return Plan(
        owner=given.spec.project.owner,
        spec=given.spec,
        changes=changes,
        steps=steps,
        digests=digests,
        digest=plan_digest(digests.values(), offline=offline),
        costs=costs,
        problems=(*given.problems, *_list_problems(listings.values())),
        warnings=tuple(dict.fromkeys((*given.spec.warnings, *given.warnings, *late, *said))),
        notes=_notes(given, changes, listings.values()),
        partial=any(change.action is Action.UNKNOWN for change in changes)
        or any(listing.verdict in _LIST_PROBLEMS for listing in listings.values())
        or (given.snapshot is not None and given.snapshot.elsewhere),
        revision=given.revision,
        snapshot=given.snapshot,
    )


class _Worlds:
    """Identity's view for each provider instance: they differ in their clocks."""

    def __init__(self, given: PlanInput, listings: Mapping[tuple[str, str], Listing]) -> None:
        project = given.spec.project
        self._given = given
        self._base = World(
            owner=project.owner,
            former_owners=project.former_owners,
            entries=given.entries,
            listings=listings,
            now_s=_now_s(given, ""),
            released=given.released,
            trusted=given.trusted,
            other_owners=given.other_owners,
            claims=claim(given.spec.resources, given.entries),
        )
        self._of: dict[str, World] = {}

    def of(self, provider: str) -> World:
        if provider not in self._of:
            self._of[provider] = dataclasses.replace(self._base, now_s=_now_s(self._given, provider))
        return self._of[provider]


def _now_s(given: PlanInput, provider: str) -> float:
    return given.now_s.get(provider, given.now_s.get("", 0.0))


def _decide_all(given: PlanInput, options: Options, listings: Mapping[tuple[str, str], Listing]) -> tuple[Change, ...]:
    """Every resource's change, of what is desired now: what has expired left the spec, as if its file were gone."""
    clock = expired(given.spec.resources, _now_s(given, ""))
    given = dataclasses.replace(given, spec=dataclasses.replace(given.spec, resources=clock.living))
    decided = _decide_living(given, options, _Worlds(given, listings))
    told = {address: clock.told(change) for address, change in decided.items()}
    known = {address for address, one in clock.gone.items() if not told.keys().isdisjoint(addresses(one))}
    told |= {address: clock.absent(address) for address in clock.gone if address not in known}
    return hold_shared(tuple(told[address] for address in sorted(told)))


def _decide_living(given: PlanInput, options: Options, worlds: _Worlds) -> dict[str, Change]:
    decided: dict[str, Change] = {}
    unsettled = _unsettled_of(given)
    for resource in dependencies_first(given.spec.resources):
        told = unsettled.pop(resource.address, "")
        decided[resource.address] = _decide_one(resource, given, options, worlds, decided, unsettled=told)
    for orphan in orphans(given.spec.resources, worlds.of("")):
        change = _decide_orphan(orphan, given, options)
        if change is not None:
            decided[change.address] = change
    for address in unsettled.keys() - decided.keys():
        change = _unsettled(address, unsettled[address], given)
        if change is not None:
            decided[address] = change
    return decided


def _unsettled_of(given: PlanInput) -> dict[str, str]:
    """Address → what is open for it; what is open under the former name of a resource is the resource's now."""
    found = dict(given.open_intents)
    if found:
        desired = {resource.address for resource in given.spec.resources}
        for resource in given.spec.resources:
            for former in addresses(resource):
                if former in found and former not in desired:
                    found.setdefault(resource.address, found.pop(former))
    return found


def _unsettled(address: str, message: str, given: PlanInput) -> Change | None:
    """An open write for what is in no file and no entry: it may be live all the same (SETTLEMENT §4)."""
    ref = ResourceRef.parse(address)
    listing = given.listings.get((ref.provider, ref.kind))
    kinds = [listing.kind] if listing is not None else [kind for kind in given.kinds.values() if kind.name == ref.kind]
    if not kinds:
        return None
    told = f"it left the spec, and {message}"
    return Change(address=address, kind=kinds[0], action=Action.UNKNOWN, reason="unsettled", message=told)


def _decide_orphan(orphan: Orphan, given: PlanInput, options: Options) -> Change | None:
    recent = orphan.entry is not None and is_recent(orphan.entry, _now_s(given, _provider_of(orphan.address)))
    change = decide_orphan(orphan, Facts(trust_markers=options.trust_markers, recent=recent), given.kinds)
    unsettled = given.open_intents.get(orphan.address)
    if change is None or unsettled is None or change.action is Action.UNKNOWN:
        return change
    return dataclasses.replace(change, action=Action.UNKNOWN, reason="unsettled", message=unsettled)


def _provider_of(address: str) -> str:
    return address.partition("/")[0]


def _decide_one(
    resource: Resource,
    given: PlanInput,
    options: Options,
    worlds: _Worlds,
    decided: Mapping[str, Change],
    *,
    unsettled: str,
) -> Change:
    found = pair(resource, worlds.of(resource.ref.provider))
    if unsettled and found.verdict is None:
        found = dataclasses.replace(found, verdict=Action.UNKNOWN, reason="unsettled", message=unsettled)
    referred = {item.address for item in resource.pending if isinstance(item, KnownAfterApply)}
    unknown = sorted(address for address in referred if decided[address].action is Action.UNKNOWN)
    if unknown and found.verdict is None:
        found = dataclasses.replace(
            found,
            verdict=Action.UNKNOWN,
            reason="upstream-unknown",
            message=f"it refers to {', '.join(unknown)}, whose state is unknown",
        )
    stuck = sorted(address for address in referred if _is_stuck(decided[address]))
    if stuck and found.live is not None and found.verdict is None:
        found = dataclasses.replace(
            found,
            verdict=Action.BLOCKED,
            reason="upstream-blocked",
            message=f"it refers to {', '.join(stuck)}, which can't be found and may not be made",
        )
    stored = found.entry.fingerprints if found.entry is not None else {}
    facts = Facts(
        version=given.versions.get(resource.ref.provider, ""),
        secret_changed=lambda name: given.secret_changed(name, stored.get(name, "")),
        trust_markers=options.trust_markers,
    )
    spec = resource.spec
    if resource.pending:
        spec = fill(spec, lambda reference: _known(reference, decided))
    change = decide(found, spec, facts)
    if given.snapshot is None:
        return change
    return told_offline(change, listed=(resource.ref.provider, resource.ref.kind) in given.listings)


def _is_stuck(upstream: Change) -> bool:
    """Whether nobody knows what a reference to it would say, and this plan won't bring it about."""
    return upstream.action is Action.BLOCKED and upstream.live is None


def _known(reference: SecretRef | KnownAfterApply, decided: Mapping[str, Change]) -> Any:
    """What a reference says now: the live value of a resource that stays, else the reference itself."""
    if isinstance(reference, SecretRef):
        return reference
    upstream = decided[reference.address]
    stays = upstream.action in {Action.NONE, Action.UPDATE, Action.ADOPT, Action.BLOCKED}
    if upstream.live is None or not stays:
        return reference
    return upstream.live.outputs.get(reference.attribute, reference)


def halves(change: Change) -> tuple[Change, ...]:
    """A change as the provider is asked for it: a replace as its create and its delete, in their order."""
    if change.action is not Action.REPLACE:
        return (change,)
    if change.leftover is not None:
        return (dataclasses.replace(change, action=Action.DELETE, live=change.leftover),)
    wanted = change.desired.lifecycle.run_state if change.desired is not None else ""
    # What is made anew runs by itself.
    create = dataclasses.replace(
        change, action=Action.CREATE, live=None, run_state=wanted if wanted == "stopped" else ""
    )
    delete = dataclasses.replace(change, action=Action.DELETE, run_state="")
    return (delete, create) if change.replace_order == "delete-first" else (create, delete)


_WRITING = frozenset({Action.CREATE, Action.UPDATE, Action.DELETE, Action.ADOPT})


def _with_calls(change: Change, given: PlanInput) -> Change:
    calls = tuple(call for half in halves(change) if half.action in _WRITING for call in given.calls(half))
    return dataclasses.replace(change, calls=calls) if calls else change


def _step_with_calls(step: Step, change: Change, given: PlanInput) -> Step:
    half = next(half for half in halves(change) if half.action is step.op)
    return dataclasses.replace(step, calls=given.calls(half))


def _select(changes: Iterable[Change], options: Options) -> tuple[Change, ...]:
    """What is inside the selection; a change that refers to something new outside of it can't be made."""
    decided = {change.address: change for change in changes}
    inside = {address: change for address, change in decided.items() if _selected(change, options)}
    return tuple(_hold_back(change, inside, decided) for change in inside.values())


_MAKING = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE, Action.ADOPT})


def _hold_back(change: Change, inside: Mapping[str, Change], decided: Mapping[str, Change]) -> Change:
    if change.action not in _MAKING or change.desired is None:
        return change
    missing = sorted(
        {
            found.address
            for found in change.desired.pending
            if isinstance(found, KnownAfterApply) and found.address not in inside and _known(found, decided) is found
        }
    )
    if not missing:
        return change
    return dataclasses.replace(
        change,
        action=Action.BLOCKED,
        reason="upstream-not-selected",
        message=f"it refers to {', '.join(missing)}, which is outside the selection and is still to be made",
        intended=change.action,
    )


def _selected(change: Change, options: Options) -> bool:
    labels: Mapping[str, str] = {}
    if change.desired is not None:
        labels = change.desired.labels
    elif change.applied is not None:
        labels = change.applied.labels
    return options.selected(change.address, labels)


def _cost(change: Change, given: PlanInput) -> Cost | None:
    prices = given.prices.get(_provider_of(change.address), PriceList())
    return change_cost(change, prices)


_LIST_PROBLEMS: Final = {
    Verdict.FAILED: ("list-failed", "the provider to answer"),
    Verdict.SUSPICIOUS: ("suspicious-list", "a list that holds what is known"),
}
"""After these nothing can be said of what is not listed. One that is known to be partial is no problem by itself: what
it should hold and does not is `unknown`."""


def _list_problems(listings: Iterable[Listing]) -> list[Problem]:
    return [
        Problem(
            code=_LIST_PROBLEMS[listing.verdict][0],
            address=f"{listing.provider}/{listing.kind.name}",
            wrong=listing.message,
            expected=_LIST_PROBLEMS[listing.verdict][1],
        )
        for listing in listings
        if listing.verdict in _LIST_PROBLEMS
    ]


def _notes(given: PlanInput, changes: Iterable[Change], listings: Iterable[Listing]) -> tuple[str, ...]:
    notes = list(given.notes)
    for listing in listings:
        notes += listing.notes
        if listing.verdict is Verdict.PARTIAL:
            notes.append(f"{listing.provider}/{listing.kind.name}: {listing.message}")
    untold = set()
    for change in changes:
        if change.action not in {Action.NONE, Action.UPDATE} or change.desired is None or change.applied is None:
            continue
        for found in change.desired.pending:
            if isinstance(found, SecretRef):
                stored = change.applied.fingerprints.get(found.name, "")
                if given.secret_changed(found.name, stored) is None:
                    untold.add(found.name)
    if untold and given.snapshot is not None:
        notes.append(f"a snapshot does not tell whether these secrets changed: {', '.join(sorted(untold))}")
    elif untold:
        notes.append(
            "can't tell whether these secrets changed since the last apply (set RECONCILER_FINGERPRINT_KEY, or raise "
            f"lifecycle.secretsRevision): {', '.join(sorted(untold))}"
        )
    return tuple(dict.fromkeys(notes))
