"""What the project's own rules say to a plan: a change that breaks a `deny` is blocked, a `warn` is said.

A rule that can't be judged (it reads a field that is not there) counts as broken: it must not fall silent.
Source: DESIGN §5.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from reconciler.diff.change import Action, Change
from reconciler.plan.cost import HOURS_A_MONTH, Cost, Range, total
from reconciler.plan.digest import lifecycle_data
from reconciler.problems import Problem
from reconciler.spec.document import field_text
from reconciler.spec.faults import Budget, Fault, said
from reconciler.spec.policy import Policy
from reconciler.spec.resource import Spec
from reconciler.spec.values import Composite, KnownAfterApply, SecretRef

__all__ = ["enforce"]

_CRASHES: Final = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)
_SHOWN: Final = 200
_STILL: Final = frozenset({Action.NONE, Action.UNKNOWN, Action.BLOCKED})
"""Nothing is done there, so nothing can be denied."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a policy says to one change, or to the plan: nothing, or what is wrong."""

    holds: bool
    code: str = ""
    facts: str = ""


def enforce(
    changes: Sequence[Change],
    spec: Spec,
    costs: Mapping[str, Cost],
    *,
    units: Iterable[str] = (),
    allowed: Collection[str] = (),
) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """The changes, those blocked that a policy denies, and what is only said.

    Args:
        changes: The plan so far.
        spec: Desired, with its policies.
        costs: Address → cost.
        units: Units of all price lists, so that `plan.cost` has them also while nothing costs anything.
        allowed: Names of policies that a person overrules for this run; they are still said.
    """
    if not spec.policies:
        return tuple(changes), ()
    plan = _plan_data(changes, spec, costs, units)
    budget = Budget()
    scope = {"plan": plan, "values": _plain(spec.project.values), "environment": spec.project.environment}
    denied: dict[str, tuple[Policy, _Verdict]] = {}
    warnings: list[Problem] = []
    writing = [change.address for change in changes if change.action not in _STILL]
    still = {change.address for change in changes if change.action in _STILL}
    for policy in spec.policies:
        for address, verdict in _broken(policy, changes, scope, costs, budget).items():
            meant = writing if policy.whole else [address]
            if policy.denies and policy.name not in allowed and meant and address not in still:
                for one in meant:
                    denied.setdefault(one, (policy, verdict))
            else:
                warnings.append(_warning(policy, address, verdict))
    result = tuple(
        _blocked(change, *denied[change.address]) if change.address in denied else change for change in changes
    )
    return result, tuple(warnings)


def _broken(
    policy: Policy, changes: Sequence[Change], scope: Mapping[str, Any], costs: Mapping[str, Cost], budget: Budget
) -> dict[str, _Verdict]:
    """Address (empty for the plan) → verdict, for all that break it."""
    if policy.whole:
        verdict = _judge(policy, scope, budget)
        return {} if verdict.holds else {"": verdict}
    found: dict[str, _Verdict] = {}
    for change in changes:
        if change.action in {Action.UNKNOWN, Action.BLOCKED}:
            continue  # nothing is done there
        if change.action is Action.NONE and not policy.actions:
            continue  # what stays as it is passes, unless a policy asks for it
        if policy.speaks_of(change.kind.label, str(change.action), _labels(change)):
            verdict = _judge(policy, {**scope, **_change_data(change, costs.get(change.address))}, budget)
            if not verdict.holds:
                found[change.address] = verdict
    return found


def _judge(policy: Policy, scope: Mapping[str, Any], budget: Budget) -> _Verdict:
    try:
        (value,) = policy.program.run(scope, budget)
    except Fault as fault:
        return _Verdict(holds=False, code="policy-failed", facts=f"it can't be judged: {fault.wrong}")
    except _CRASHES as error:
        return _Verdict(holds=False, code="policy-failed", facts=f"it can't be judged: {said(error)}")
    if not isinstance(value, bool):
        return _Verdict(holds=False, code="policy-failed", facts="it is neither true nor false")
    return _Verdict(holds=value, code="policy-denied", facts=_facts(policy, scope))


def _facts(policy: Policy, scope: Mapping[str, Any]) -> str:
    """The values that the expression read: `plan.counts.delete is 3`."""
    told = []
    for path in policy.program.reads:
        if path[:2] == ("live", "spec"):
            continue  # the API shows there also what came from a secret
        value: Any = scope
        try:
            for part in path:
                value = value[part]
        except (KeyError, IndexError, TypeError):
            continue
        if not isinstance(value, Mapping | list | tuple):
            told.append(f"{field_text(path)} is {_text(value)}")
    return ", ".join(told)


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _sentence(policy: Policy, verdict: _Verdict) -> str:
    wanted = f"it asserts {policy.source.strip()}"
    told = "; ".join(part.rstrip(".") for part in (policy.message, wanted, verdict.facts) if part)
    return f"policy {policy.name}: {told}"


def _blocked(change: Change, policy: Policy, verdict: _Verdict) -> Change:
    message = f"{_sentence(policy, verdict)} ({policy.origin}); --allow-policy {policy.name} allows it for this run"
    return dataclasses.replace(
        change, action=Action.BLOCKED, reason=verdict.code, message=message, intended=change.action
    )


def _warning(policy: Policy, address: str, verdict: _Verdict) -> Problem:
    code = "policy-warning" if verdict.code == "policy-denied" else verdict.code
    return Problem(
        code=code,
        wrong=_sentence(policy, verdict),
        expected="",
        address=address,
        origin=policy.origin,
        warning=True,
    )


# -- what an expression may speak about -----------------------------------------------------------------------------


def _labels(change: Change) -> Mapping[str, str]:
    if change.desired is not None:
        return change.desired.labels
    return change.applied.labels if change.applied is not None else {}


def _plan_data(
    changes: Sequence[Change], spec: Spec, costs: Mapping[str, Cost], units: Iterable[str]
) -> dict[str, Any]:
    free = Range(Decimal(0), Decimal(0))
    sums = {**dict.fromkeys(filter(None, units), (free, free)), **total(costs.values())}
    gpus = [cost for cost in costs.values() if cost.gpus_before is not None and cost.gpus_after is not None]
    return {
        "owner": spec.project.owner,
        "counts": {str(action): sum(change.action is action for change in changes) for action in Action},
        "cost": {unit: _sides(*pair) for unit, pair in sums.items()},
        "unpriced": sum(cost.after is None for cost in costs.values()),
        "gpus": _sides(
            sum((cost.gpus_before for cost in gpus if cost.gpus_before), free),
            sum((cost.gpus_after for cost in gpus if cost.gpus_after), free),
        ),
    }


def _change_data(change: Change, cost: Cost | None) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "address": change.address,
        "provider": change.address.partition("/")[0],
        "kind": change.kind.label,
        "name": change.address.rpartition("/")[2],
        "labels": dict(_labels(change)),
        "spec": {},
        "lifecycle": {},
    }
    if change.desired is not None:
        lifecycle = _plain(lifecycle_data(change.desired.lifecycle))
        resource.update(spec=_plain(change.desired.spec), lifecycle=lifecycle)
    elif change.applied is not None:
        resource.update(spec=_plain(change.applied.spec or {}))
    live = change.live
    return {
        "resource": resource,
        "change": {
            "action": str(change.action),
            "reason": change.reason,
            "interruption": str(change.interruption),
            "id": change.live_id,
            "fields": [
                {
                    "path": str(field.path),
                    "before": _plain(field.before),
                    "after": _plain(field.after),
                    "class": str(field.field_class),
                    "forces_replace": field.forces_replace,
                    "interruption": str(field.interruption),
                    "sensitive": field.sensitive,
                }
                for field in change.fields
            ],
            "cost": _cost_data(cost),
            "gpus": _sides(cost.gpus_before if cost else None, cost.gpus_after if cost else None),
        },
        "live": None
        if live is None
        else {"id": live.id, "name": live.name, "phase": str(live.phase), "spec": _plain(live.spec)},
    }


def _cost_data(cost: Cost | None) -> dict[str, Any]:
    if cost is None:
        return {"unit": "", "before": _range(None), "after": _range(None)}
    return {"unit": cost.unit, **_sides(cost.before, cost.after)}


def _sides(before: Range | None, after: Range | None) -> dict[str, Any]:
    return {"before": _range(before), "after": _range(after)}


def _range(amount: Range | None) -> dict[str, Any]:
    """Per hour and per month, smallest and largest; null where it is not known, so that no comparison passes."""
    if amount is None:
        return {"low": None, "high": None, "month_low": None, "month_high": None}
    return {
        "low": _number(amount.low),
        "high": _number(amount.high),
        "month_low": _number(amount.low * HOURS_A_MONTH),
        "month_high": _number(amount.high * HOURS_A_MONTH),
    }


def _number(amount: Decimal) -> int | float:
    """A number that a literal of the expression can be compared with: both are read from the same decimal text."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _plain(value: Any) -> Any:
    """Data without references: they stand there as the text of their template, never as a value."""
    if isinstance(value, SecretRef | KnownAfterApply | Composite):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
