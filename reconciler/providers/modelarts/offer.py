"""What the catalogue says of each specification, and which of that makes a deployment doubtful.

Source: modelarts-services §2, the specifications route: `spec_status` normal or sellout, `is_open`, `over_quota`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.problems import Problem, nearest
from reconciler.spec.resource import Resource

__all__ = ["POOLS", "check_specifications"]

POOLS: Final = ("cluster_id", "pool_name")
"""Fields that name a dedicated pool: what runs there is not of the public catalogue."""
_DOUBTS: Final = (
    ("spec_status", "sellout", "specification-sold-out", "is sold out at the moment"),
    ("is_open", False, "specification-closed", "is not open"),
    ("over_quota", True, "specification-over-quota", "is beyond the account's quota"),
)
"""Key of the catalogue's item, value that is doubtful, code, words. Anything else is none of them."""


def check_specifications(resource: Resource, offer: Mapping[str, Mapping[str, Any]]) -> tuple[Problem, ...]:
    """Unknown specifications are errors, such as can't be had now are warnings.

    Args:
        resource: A service; its `custom` specifications and those of dedicated pools are beyond the catalogue.
        offer: Name → item of the catalogue for its infer type.
    """
    return tuple(
        problem
        for index, element in enumerate(resource.spec.get("config") or ())
        if isinstance(name := element.get("specification"), str)
        and name != "custom"
        and not any(element.get(pool) for pool in POOLS)
        for problem in _judge(resource, index, name, offer)
    )


def _judge(resource: Resource, index: int, name: str, offer: Mapping[str, Mapping[str, Any]]) -> Iterable[Problem]:
    doubts = _doubts(offer[name]) if name in offer else []
    if name in offer and not doubts:
        return  # before its place is looked up: for 2,500 good ones that took 0.1 s and 10 MB
    origin = resource.origin_of("spec", "config", index, "specification")
    kind = resource.spec.get("infer_type")
    if name not in offer:
        yield Problem(
            code="unknown-specification",
            wrong=f"there is no specification {name!r} for {kind} services",
            expected=f"one of {', '.join(sorted(offer))}",
            origin=origin,
            address=resource.address,
            nearest=nearest(name, offer),
        )
        return
    good = ", ".join(sorted(one for one, item in offer.items() if not _doubts(item)))
    for code, words in doubts:
        yield Problem(
            code=code,
            wrong=f"the specification {name!r} {words} for {kind} services",
            expected=f"one of {good}" if good else "",
            origin=origin,
            address=resource.address,
            warning=True,
        )


def _doubts(item: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(code, words) for key, value, code, words in _DOUBTS if key in item and item[key] == value]
