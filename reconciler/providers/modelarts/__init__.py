"""ModelArts: real-time, batch and edge services, and notebooks, behind one log-in."""

from __future__ import annotations

from typing import Any, Final

from reconciler.fields.setting import Setting
from reconciler.providers.base import Context, Provider, ProviderType
from reconciler.providers.modelarts.codes import CODES
from reconciler.providers.modelarts.notebooks import NotebookApi
from reconciler.providers.modelarts.provider import ModelArtsProvider, addresses
from reconciler.providers.modelarts.rights import RIGHTS
from reconciler.providers.modelarts.services import ServiceApi
from reconciler.spec.resource import ProviderConfig

__all__ = ["TYPE"]

_APIS: Final[tuple[type[Any], ...]] = (ServiceApi, NotebookApi)
"""One class a kind; each keeps the protocol `api.KindApi`."""

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
    return ModelArtsProvider(config, context, _APIS)


TYPE: Final = ProviderType(
    name="modelarts",
    kinds=tuple(api.kind for api in _APIS),
    settings=_SETTINGS,
    open=_open,
    codes=CODES,
    addresses=addresses,
    rights=RIGHTS,
)
