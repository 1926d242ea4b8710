"""Finds the provider types: every package below `reconciler.providers` that exports `TYPE`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import TYPE_CHECKING

import reconciler.providers

if TYPE_CHECKING:
    from reconciler.fields import Kind
    from reconciler.providers.base import ProviderType

__all__ = ["all_kinds", "provider_types"]


@lru_cache(maxsize=1)
def provider_types() -> dict[str, ProviderType]:
    """Provider type name → type, sorted by name."""
    found: dict[str, ProviderType] = {}
    for module in pkgutil.iter_modules(reconciler.providers.__path__, "reconciler.providers."):
        if module.ispkg:
            exported = getattr(importlib.import_module(module.name), "TYPE", None)
            if exported is not None:
                found[exported.name] = exported
    return dict(sorted(found.items()))


def all_kinds() -> dict[str, Kind]:
    """`type/Kind` → kind, of all provider types."""
    return {kind.label: kind for found in provider_types().values() for kind in found.kinds}
