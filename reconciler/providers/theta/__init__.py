"""Theta EdgeCloud: deployments of one project, behind its API key."""

from __future__ import annotations

from typing import Final

from reconciler.diff.change import CallOp
from reconciler.providers.base import ProviderType, Right
from reconciler.providers.theta.client import PINNED
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
    pinned_hosts=PINNED,
    rights=(
        Right(
            kind="Deployment",
            ops=(CallOp.CREATE, CallOp.DELETE),
            right="the project's API key, which may do all in its project",
            source="theta §1 public",
        ),
    ),
    requests_per_s=2.0,  # theta §1, the rate-limit row: no limit is known, so none is tried out
)
