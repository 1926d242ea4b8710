"""Theta EdgeCloud: deployments of one project, behind its API key."""

from __future__ import annotations

from typing import Final

from reconciler.providers.base import ProviderType
from reconciler.providers.theta.codes import CODES
from reconciler.providers.theta.kinds import DEPLOYMENT, SETTINGS
from reconciler.providers.theta.provider import ThetaProvider

__all__ = ["TYPE"]

TYPE: Final = ProviderType(
    name="theta",
    kinds=(DEPLOYMENT,),
    settings=SETTINGS,
    open=ThetaProvider,
    codes=CODES,
    requests_per_s=2.0,  # theta §1, the rate-limit row: no limit is known, so none is tried out
)
