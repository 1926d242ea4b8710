"""NVIDIA Run:ai: inference workloads of one project, through the control plane's REST API v1."""

from __future__ import annotations

from typing import Final

from reconciler.providers.base import ProviderType
from reconciler.providers.runai.codes import CODES
from reconciler.providers.runai.kinds import INFERENCE, SETTINGS
from reconciler.providers.runai.provider import RunaiProvider

__all__ = ["TYPE"]

TYPE: Final = ProviderType(name="runai", kinds=(INFERENCE,), settings=SETTINGS, open=RunaiProvider, codes=CODES)
