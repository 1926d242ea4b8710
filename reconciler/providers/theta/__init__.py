"""Theta EdgeCloud: deployments of one project, behind its API key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.providers.theta.kinds import DEPLOYMENT, PINNED, SETTINGS
from reconciler.providers.type import ProviderType

if TYPE_CHECKING:
    from reconciler.codes import Code
    from reconciler.providers.base import Context, Provider, Right
    from reconciler.spec.resource import ProviderConfig

__all__ = ["TYPE"]


def _open(config: ProviderConfig, context: Context) -> Provider:
    from reconciler.providers.theta.provider import ThetaProvider  # noqa: PLC0415 - see `providers.type`

    return ThetaProvider(config, context)


def _codes() -> tuple[Code, ...]:
    from reconciler.providers.theta.codes import CODES  # noqa: PLC0415

    return CODES


def _rights() -> tuple[Right, ...]:
    from reconciler.providers.theta.rights import RIGHTS  # noqa: PLC0415

    return RIGHTS


TYPE: Final = ProviderType(
    name="theta",
    kinds=(DEPLOYMENT,),
    settings=SETTINGS,
    open=_open,
    codes=_codes,
    pinned_hosts=PINNED,
    rights=_rights,
    requests_per_s=2.0,  # theta §1, the rate-limit row: no limit is known, so none is tried out
)
