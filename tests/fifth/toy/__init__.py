"""Toy lamps: what `reconciler/providers/toy/` would be."""

from __future__ import annotations

from typing import Final

from reconciler.providers.base import ProviderType

from .kinds import LAMP, SETTINGS
from .provider import ToyProvider

__all__ = ["TYPE"]

TYPE: Final = ProviderType(name="toy", kinds=(LAMP,), settings=SETTINGS, open=ToyProvider)
