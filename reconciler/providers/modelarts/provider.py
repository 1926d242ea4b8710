"""One ModelArts project and workspace: credentials, and the way from a kind to its API object."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from reconciler.diff.change import Call, Change
from reconciler.diff.live import Listing, Live
from reconciler.fields import Kind
from reconciler.problems import Problem, ProviderError, UnknownOutcome
from reconciler.providers.base import Catalogue, Context, Diagnosis, Intent, Reply, Settled
from reconciler.providers.http import HttpClient
from reconciler.providers.modelarts.api import ApiContext, KindApi, explain
from reconciler.providers.modelarts.auth import SignatureAuth, TokenAuth
from reconciler.spec.resource import Prices, ProviderConfig, Resource
from reconciler.spec.values import SecretRef, fill, pending_in

__all__ = ["ModelArtsProvider", "addresses"]

_NO_CATALOGUE: Final = frozenset({403, 404})
"""An account may be barred from one API's catalogue, or a region may not have it: then only the server can check."""


class ModelArtsProvider:
    """A `providers.base.Provider` for both kinds.

    Raises:
        ProviderError: `credentials` when the settings hold no way to log in.
        Refused: a host that nobody allowed.
    """

    def __init__(self, config: ProviderConfig, context: Context, apis: Sequence[type[Any]]) -> None:
        self.config = config
        self.clock = context.clock
        self._context = context
        settings = config.settings
        timeout_s = float(settings["requestTimeout"])
        self._auth = _choose_auth(config, context, self._reveal, timeout_s)
        self._http = HttpClient(
            provider=config.name,
            context=context,
            base_urls={"": str(settings["endpoint"])},
            auth=self._auth,
            explain=explain,
            timeout_s=timeout_s,
            concurrency=int(settings.get("concurrency") or 4),
        )
        shared = ApiContext(
            provider=config.name,
            http=self._http,
            project_id=self._reveal(settings["projectId"]),
            workspace_id=self._reveal(settings.get("workspaceId", "0")),
            list_scope=str(settings.get("listScope", "all")),
            concurrency=int(settings.get("concurrency", 4)),
            settings=settings,
            now=context.clock.now,
        )
        self._apis: tuple[KindApi, ...] = tuple(api(shared) for api in apis)
        self.kinds: tuple[Kind, ...] = tuple(api.kind for api in self._apis)
        self._lock = threading.Lock()
        self._catalogue: Catalogue | None = None

    def catalogue(self) -> Catalogue:
        """What both APIs offer (`data` by kind name), with the project's own prices: ModelArts tells none."""
        with self._lock:
            if self._catalogue is None:
                self._catalogue = self._read_catalogue()
            return self._catalogue

    def check(self, resource: Resource) -> Sequence[Problem]:
        """Unknown specifications, flavors and images of this resource, located."""
        return self._api(resource.kind).check(resource)

    def diagnose(self) -> Sequence[Diagnosis]:
        """Nothing: the API tells no release of itself."""
        return ()

    def check_together(self, resources: Sequence[Resource]) -> Sequence[Problem]:
        """Nothing: no route tells an account's quota (modelarts-services §2); a specification's own is in `check`."""
        del resources
        return ()

    def read_all(self, kind: Kind) -> Listing:
        """Everything of a kind in the managed workspace."""
        return self._api(kind).read_all()

    def read_one(self, kind: Kind, live_id: str) -> Live | None:
        """One item by id."""
        return self._api(kind).read_one(live_id)

    def calls(self, change: Change, marker: str) -> tuple[Call, ...]:
        """The writes of a change."""
        return self._api(change.kind).calls(change, marker)

    def send(self, call: Call) -> Reply:
        """One write; secrets are read here and nowhere before.

        Raises:
            UnknownOutcome: it may have landed.
            ProviderError: refused, or a value that another resource has yet to tell is still missing.
        """
        api = next((api for api in self._apis if api.serves(call.path)), None)
        if api is None:
            raise ProviderError(f"{self.config.name}: {call.path} belongs to no kind of this provider", code="rejected")
        body = fill(call.body, lambda ref: self._context.resolve(ref.name) if isinstance(ref, SecretRef) else ref)
        missing = pending_in(body)
        if missing:
            raise ProviderError(
                f"{self.config.name}: {call.method} {call.path}: {missing[0]} is not known yet; nothing was sent",
                code="rejected",
            )
        try:
            reply = self._http.write(call.method, call.path, query=call.query, body=body)
        except UnknownOutcome:
            raise
        except ProviderError as error:
            return api.refused(call, error)
        return api.reply(call, reply)

    def settle(self, intent: Intent, listing: Listing) -> Settled:
        """What this list says of an open intent."""
        return self._api(listing.kind).settle(intent, listing)

    def close(self) -> None:
        """Give connections back."""
        self._http.close()
        self._auth.close()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _api(self, kind: Kind) -> KindApi:
        return next(api for api in self._apis if api.kind == kind)

    def _reveal(self, value: Any) -> str:
        return str(fill(value, lambda ref: self._context.resolve(ref.name) if isinstance(ref, SecretRef) else ref))

    def _read_catalogue(self) -> Catalogue:
        data: dict[str, Mapping[str, Any]] = {}
        for api in self._apis:
            try:
                data[api.kind.name] = api.load_catalogue()
            except ProviderError as error:
                if error.status not in _NO_CATALOGUE:
                    raise
        per_hour, unit = _prices(self.config.settings.get("prices"))
        return Catalogue(prices=per_hour, unit=unit, data=data)


def _choose_auth(config: ProviderConfig, context: Context, reveal: Any, timeout_s: float) -> TokenAuth | SignatureAuth:
    """A user's token when there is a user; else the access key."""
    settings = config.settings
    if settings.get("username"):
        return TokenAuth(
            provider=config.name,
            context=context,
            iam_endpoint=str(settings.get("iamEndpoint") or _iam_of(config)),
            user={"domain": "", **settings},
            reveal=reveal,
            timeout_s=timeout_s,
        )
    if settings.get("accessKey") and settings.get("secretKey"):
        return SignatureAuth(
            context=context,
            access_key=settings["accessKey"],
            secret_key=settings["secretKey"],
            project_id=reveal(settings["projectId"]),
            reveal=reveal,
        )
    raise ProviderError(
        f"{config.name}: no credentials (expected username, password and domain, or accessKey and secretKey)",
        code="credentials",
    )


def addresses(config: ProviderConfig) -> tuple[str, ...]:
    """Where credentials go: a user's to IAM, and what IAM gives for them to the service; an access key signs only."""
    settings = config.settings
    found = [str(settings["endpoint"])] if settings.get("endpoint") else []
    if found and settings.get("username"):
        try:
            found.append(str(settings.get("iamEndpoint") or _iam_of(config)))
        except ProviderError:
            return tuple(found)  # it is told when the instance is opened
    return tuple(found)


def _iam_of(config: ProviderConfig) -> str:
    """IAM's address in the same region: `https://iam.…` beside `https://modelarts.…`. Source: §1 (endpoint form)."""
    parts = urlsplit(str(config.settings["endpoint"]))
    if not parts.netloc.startswith("modelarts."):
        raise ProviderError(
            f"{config.name}: iamEndpoint is missing, and {parts.netloc} does not tell it "
            "(expected an endpoint of the form https://modelarts.<region>.<domain>, or iamEndpoint)",
            code="credentials",
        )
    return f"{parts.scheme}://iam.{parts.netloc.removeprefix('modelarts.')}"


def _prices(setting: Any) -> tuple[dict[str, Decimal], str]:
    if isinstance(setting, Prices):
        return dict(setting.per_hour), setting.unit
    if isinstance(setting, Mapping):
        found = setting.get("perHour") or {}
        return {str(item): Decimal(str(price)) for item, price in found.items()}, str(setting.get("unit", ""))
    return {}, ""
