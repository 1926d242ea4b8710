"""ModelArts: real-time, batch and edge services, and notebooks, behind one log-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.fields.setting import Setting
from reconciler.providers.modelarts.notebook_kind import NOTEBOOK
from reconciler.providers.modelarts.service_kind import SERVICE
from reconciler.providers.type import ProviderType

if TYPE_CHECKING:
    from reconciler.codes import Code
    from reconciler.providers.base import Context, Provider, Right
    from reconciler.spec.resource import ProviderConfig

__all__ = ["TYPE"]

_SETTINGS: Final = (
    Setting(
        name="endpoint",
        type="url",
        doc="Address of ModelArts in one region, without path.",
        required=True,
        example="https://modelarts.eu-de.example.com",
    ),
    Setting(
        name="iamEndpoint",
        type="url",
        doc="Address of IAM in the same region; default: the endpoint with `iam.` instead of `modelarts.`.",
        example="https://iam.eu-de.example.com",
    ),
    Setting(name="projectId", type="string", doc="Id of the region's project.", required=True, example="0f5a"),
    Setting(
        name="workspaceId",
        type="string",
        doc="The workspace that is managed; 0 is the default one.",
        default="0",
        example="0",
    ),
    Setting(
        name="username",
        type="string",
        doc="IAM user.",
        example="gitops-bot",
        required=True,
        alternatives=("accessKey",),
        needs=("password", "domain"),
    ),
    Setting(name="password", type="string", doc="The IAM user's password.", secret=True, needs=("username",)),
    Setting(name="domain", type="string", doc="Name of the account that the user belongs to.", example="my-account"),
    Setting(
        name="accessKey", type="string", doc="Access key, instead of a user.", example="AKEXAMPLE", needs=("secretKey",)
    ),
    Setting(name="secretKey", type="string", doc="Secret key of the access key.", secret=True, needs=("accessKey",)),
    Setting(
        name="listScope",
        type="enum",
        doc="own: the account may only list what it made itself; then absence proves nothing.",
        default="all",
        choices=("all", "own"),
        example="all",
    ),
)


def _open(config: ProviderConfig, context: Context) -> Provider:
    from reconciler.providers.modelarts.notebooks import NotebookApi  # noqa: PLC0415 - see `providers.type`
    from reconciler.providers.modelarts.provider import ModelArtsProvider  # noqa: PLC0415
    from reconciler.providers.modelarts.services import ServiceApi  # noqa: PLC0415

    # One class a kind; each keeps the protocol `api.KindApi`.
    return ModelArtsProvider(config, context, (ServiceApi, NotebookApi))


def _addresses(config: ProviderConfig) -> tuple[str, ...]:
    from reconciler.providers.modelarts.provider import addresses  # noqa: PLC0415

    return addresses(config)


def _codes() -> tuple[Code, ...]:
    from reconciler.providers.modelarts.codes import CODES  # noqa: PLC0415

    return CODES


def _rights() -> tuple[Right, ...]:
    from reconciler.providers.modelarts.rights import RIGHTS  # noqa: PLC0415

    return RIGHTS


TYPE: Final = ProviderType(
    name="modelarts",
    kinds=(SERVICE, NOTEBOOK),
    settings=_SETTINGS,
    open=_open,
    codes=_codes,
    addresses=_addresses,
    rights=_rights,
)
