"""What a provider type says of itself: its kinds and settings, and where all else of it is.

Apart from `providers.base`, for `validate` needs this of each type, and nothing of what a provider does: with its own
modules, HTTPX and the rest of the wire, that takes 110 ms to import.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.codes import Code
    from reconciler.fields import Kind
    from reconciler.fields.setting import Setting
    from reconciler.providers.base import Context, Provider, Right
    from reconciler.spec.resource import ProviderConfig

__all__ = ["ProviderType", "addresses_of"]


def addresses_of(config: ProviderConfig) -> tuple[str, ...]:
    """The addresses that an instance's settings name: those that end in `endpoint`."""
    named = (value for key, value in config.settings.items() if key.lower().endswith("endpoint"))
    return tuple(value for value in named if isinstance(value, str) and value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderType:
    """What `providers/<x>/__init__.py` exports as `TYPE`; `registry.py` finds it.

    Attributes:
        open: Makes an instance. What it takes is imported there: a command that asks no provider needs none of it.
        codes: Gives what only this provider's checks say, for `explain`.
        requests_per_s: Most requests a second that the vendor's sheet lets one instance send; `None`: it names none.
        pinned_hosts: The vendor's own hosts, which may receive credentials without being allowed first.
        addresses: Where an instance sends credentials, from its settings alone, for `doctor`.
        rights: Gives what the credentials must be permitted for writes, for `doctor`.
    """

    name: str
    kinds: tuple[Kind, ...]
    settings: tuple[Setting, ...]
    open: Callable[[ProviderConfig, Context], Provider]
    codes: Callable[[], tuple[Code, ...]] = tuple
    requests_per_s: float | None = None
    pinned_hosts: tuple[str, ...] = ()
    addresses: Callable[[ProviderConfig], tuple[str, ...]] = addresses_of
    rights: Callable[[], tuple[Right, ...]] = tuple
