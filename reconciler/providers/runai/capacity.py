"""The GPUs that a spec asks for, held against the quota of its project: warnings, which stop nothing.

What the quota is: `Project.resources` of the official OpenAPI document (runai §2 public): for each node pool `gpu` with
`deserved`, the number that is guaranteed, and `limit`, the most that one gets at all; null or negative is no bound.
What cannot be preempted has to fit into the quota, or stays pending (`NonPreemptibleOverQuota`, §5); what can be
preempted may borrow more, up to the limit (`OverLimit`). Workloads of other people are not counted: only the sum of
this spec is known for sure before it is live.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from reconciler.diff.change import Action, Change
from reconciler.plan.cost import PriceList, Range, change_cost
from reconciler.problems import Problem, nearest
from reconciler.spec.resource import Resource
from reconciler.spec.values import pending_in

__all__ = ["quota_doubts"]

_GPU: Final = ("spec", "compute", "gpuDevicesRequest")
_MOST: Final = ("spec", "autoscaling", "maxReplicas")
_STEADY: Final = frozenset({"high", "very-high"})
"""Priorities that are never preempted (inferred); an inference without one has the latter (runai §3.2)."""
_NONE: Final = Range(Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What one inference asks for: GPUs of its smallest and largest number of replicas, in any of these node pools."""

    resource: Resource
    pools: frozenset[str]
    gpus: Range
    borrows: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    """A number of GPUs in some node pools that the project may not exceed."""

    word: str
    gpus: Decimal
    beyond: str


def quota_doubts(resources: Iterable[Resource], project: Mapping[str, Any]) -> list[Problem]:
    """Warnings `over-quota` (the smallest number of replicas already), `over-quota-at-peak`, `unknown-node-pool`.

    Args:
        resources: All inferences of the spec in this project.
        project: Its reply; without `resources` in it nothing can be said.
    """
    rows = {_pool(row): row["gpu"] for row in _list(project.get("resources")) if isinstance(row.get("gpu"), Mapping)}
    if not rows:
        return []
    known = [one for one in resources if not pending_in(one.spec.get("nodePools"))]
    wishes = [_wish(one, project, frozenset(rows)) for one in known]
    found = [problem for one in known for problem in _unknown_pools(one, rows)]
    told: list[frozenset[str]] = []
    for pools in _groups(wishes):
        inside = [wish for wish in wishes if wish.pools <= pools and wish.gpus.high]
        if inside and pools <= set(rows) and not any(smaller <= pools for smaller in told):
            problem = _beyond(inside, pools, rows, str(project.get("name") or project.get("id") or ""))
            if problem is not None:
                told.append(pools)
                found.append(problem)
    return found


def _wish(resource: Resource, project: Mapping[str, Any], all_pools: frozenset[str]) -> _Wish:
    pools = frozenset(map(str, resource.spec.get("nodePools") or project.get("defaultNodePools") or all_pools))
    in_memory = _map(resource.spec.get("compute")).get("gpuRequestType") == "memory"  # nobody says of how large a GPU
    cost = change_cost(
        Change(address=resource.address, kind=resource.kind, action=Action.CREATE, reason="not-live", desired=resource),
        PriceList(),
    )
    gpus = cost.gpus_after if cost is not None and not in_memory else None
    return _Wish(
        resource=resource,
        pools=pools,
        gpus=gpus or _NONE,
        borrows=_borrows(resource.spec),
    )


def _borrows(spec: Mapping[str, Any]) -> bool:
    """Whether it may be preempted, and so may use GPUs beyond the quota: as written, else by its priority."""
    written, priority = spec.get("preemptibility"), spec.get("priorityClass")
    return written == "preemptible" if written else bool(priority) and priority not in _STEADY


def _groups(wishes: Sequence[_Wish]) -> list[frozenset[str]]:
    """Node pools that somebody names together, then all pairs of those, then all of them: the smaller ones first.

    Who may go to several pools is only counted where all of these are, so that no sum is larger than it must be.
    """
    named = list(dict.fromkeys(wish.pools for wish in wishes))
    pairs = [one | other for one, other in itertools.combinations(named, 2)]
    every = frozenset().union(*named)
    return sorted({*named, *pairs, every}, key=lambda pools: (len(pools), sorted(pools)))


def _beyond(
    inside: Sequence[_Wish], pools: frozenset[str], rows: Mapping[str, Mapping[str, Any]], project: str
) -> Problem | None:
    """The first bound that the wishes break with their smallest sum; else the first that the largest one breaks."""
    steady = [wish for wish in inside if not wish.borrows]
    bounds = [
        (found, _Bound(word=word, gpus=total, beyond=beyond))
        for found, key, word, beyond in (
            (steady, "deserved", "quota", "what is beyond it stays pending"),
            (inside, "limit", "limit", "nobody gets more"),
        )
        if found and (total := _sum(rows[pool].get(key) for pool in pools)) is not None
    ]
    for at_peak in (False, True):
        for found, bound in bounds:
            asked = sum((wish.gpus.high if at_peak else wish.gpus.low for wish in found), Decimal(0))
            if asked > bound.gpus:
                return _problem(found, asked, bound, f"project {project!r} in {_names(pools)}", at_peak=at_peak)
    return None


def _problem(wishes: Sequence[_Wish], asked: Decimal, bound: _Bound, place: str, *, at_peak: bool) -> Problem:
    where = _MOST if at_peak else _GPU
    largest = sorted(wishes, key=lambda wish: (-(wish.gpus.high if at_peak else wish.gpus.low), wish.resource.address))
    first = largest[0].resource
    who = "this inference asks" if len(wishes) == 1 else f"{len(wishes)} inferences ask"
    much = f"for up to {_gpus(asked)} when scaled out" if at_peak else f"for {_gpus(asked)} at least"
    return Problem(
        code="over-quota-at-peak" if at_peak else "over-quota",
        wrong=f"{who} {much}, and the {bound.word} of {place} is {_gpus(bound.gpus)}",
        expected=f"{_gpus(bound.gpus)} or fewer: {bound.beyond}",
        origin=first.origin_of(*where),
        address=first.address,
        related=tuple(wish.resource.origin_of(*where) for wish in largest[1:]),
        warning=True,
    )


def _unknown_pools(resource: Resource, rows: Mapping[str, Any]) -> Iterable[Problem]:
    for index, pool in enumerate(resource.spec.get("nodePools") or ()):
        if "" not in rows and pool not in rows:
            yield Problem(
                code="unknown-node-pool",
                wrong=f"the project knows no node pool {pool!r}",
                expected=f"one of {', '.join(sorted(rows))}",
                origin=resource.origin_of("spec", "nodePools", index),
                address=resource.address,
                nearest=nearest(str(pool), rows),
                warning=True,
            )


def _sum(bounds: Iterable[Any]) -> Decimal | None:
    """`None` as soon as one of them is no bound."""
    total = Decimal(0)
    for value in bounds:
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            return None
        total += Decimal(str(value))
    return total


def _pool(row: Mapping[str, Any]) -> str:
    """The node pool's name; empty for a cluster without node pools."""
    return str(_map(row.get("nodePool")).get("name") or "")


def _names(pools: frozenset[str]) -> str:
    names = [pool for pool in sorted(pools) if pool]
    return f"node pool{'s' if len(names) > 1 else ''} {', '.join(names)}" if names else "its cluster"


def _gpus(number: Decimal) -> str:
    return f"{number.normalize():f} GPU{'' if number == 1 else 's'}"


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
