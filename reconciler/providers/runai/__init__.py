"""NVIDIA Run:ai: inference workloads of one project, through the control plane's REST API v1."""

from __future__ import annotations

from typing import Final

from reconciler.diff.change import CallOp
from reconciler.providers.base import ProviderType, Right
from reconciler.providers.runai.codes import CODES
from reconciler.providers.runai.kinds import INFERENCE, SETTINGS
from reconciler.providers.runai.provider import RunaiProvider

__all__ = ["TYPE"]

_RIGHTS: Final = (
    Right(
        kind="Inference",
        ops=(CallOp.CREATE, CallOp.UPDATE, CallOp.DELETE),
        right="a role that permits each of these on inferences",
        source="runai §1.1 inferred",
    ),
)

TYPE: Final = ProviderType(
    name="runai", kinds=(INFERENCE,), settings=SETTINGS, open=RunaiProvider, codes=CODES, rights=_RIGHTS
)
