"""NVIDIA Run:ai: inference workloads of one project, through the control plane's REST API v1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.providers.runai.kinds import INFERENCE, SETTINGS
from reconciler.providers.type import ProviderType

if TYPE_CHECKING:
    from reconciler.codes import Code
    from reconciler.providers.base import Context, Provider, Right
    from reconciler.spec.resource import ProviderConfig

__all__ = ["TYPE"]


def _open(config: ProviderConfig, context: Context) -> Provider:
    from reconciler.providers.runai.provider import RunaiProvider  # noqa: PLC0415 - see `providers.type`

    return RunaiProvider(config, context)


def _codes() -> tuple[Code, ...]:
    from reconciler.providers.runai.codes import CODES  # noqa: PLC0415

    return CODES


def _rights() -> tuple[Right, ...]:
    from reconciler.providers.runai.rights import RIGHTS  # noqa: PLC0415

    return RIGHTS


TYPE: Final = ProviderType(
    name="runai", kinds=(INFERENCE,), settings=SETTINGS, open=_open, codes=_codes, rights=_rights
)
