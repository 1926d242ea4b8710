"""What a project itself gives to a plan: prices, and the names of its other environments."""

from __future__ import annotations

import dataclasses

from reconciler.diff.live import owner_hash
from reconciler.plan.cost import PriceList
from reconciler.spec.resource import Prices, Project, ProviderConfig

__all__ = ["named_owners", "with_prices"]


def with_prices(own: PriceList, config: ProviderConfig) -> PriceList:
    """A provider's own prices, and the project's on top."""
    configured = config.settings.get("prices")
    if not isinstance(configured, Prices):
        return own
    per_hour = {**own.per_hour, **configured.per_hour}
    return dataclasses.replace(own, unit=configured.unit or own.unit, per_hour=per_hour)


def named_owners(project: Project) -> dict[str, str]:
    """Owner hash → name, for the project's other environments."""
    others = [f"{project.name}/{name}" for name in project.environments if name != project.environment]
    return {owner_hash(owner): owner for owner in others}
