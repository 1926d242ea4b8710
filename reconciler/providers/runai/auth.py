"""Log-in to the control plane: one bearer token, shared by all workers, renewed before its end. Source: runai §1.1."""

from __future__ import annotations

import base64
import dataclasses
import json
import threading
from collections.abc import Mapping
from typing import Any, Final

import httpx

from reconciler.fields.rule import release
from reconciler.problems import ProviderError, UnknownOutcome
from reconciler.providers.base import Context
from reconciler.providers.http import HttpClient, HttpReply, NoAuth
from reconciler.providers.runai.replies import explain, scrub
from reconciler.providers.runai.versions import version_of
from reconciler.spec.values import KnownAfterApply, SecretRef, fill

__all__ = ["RunaiAuth"]

_DEFAULT_LIFETIME_S: Final = 600.0
_MARGIN_S: Final = 60.0
_MARGIN_SHARE: Final = 0.1
_TRIES: Final = 4
_PAUSE_S: Final = 1.0


class RunaiAuth:
    """Adds `Authorization: Bearer …`.

    Args:
        name: Provider instance, for messages.
        settings: Its settings; the credentials in it may be references.
        context: Resolves them, tells the time.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], context: Context) -> None:
        self._name = name
        self._settings = settings
        self._context = context
        self._lock = threading.Lock()
        self._local = threading.local()
        self._token = ""
        self._ends_s = 0.0
        # A log-in is no write of the plan: it must not ask whether one may go out.
        self.http = HttpClient(
            provider=name,
            context=dataclasses.replace(context, before_send=lambda: None),
            base_urls={"": str(settings["endpoint"])},
            auth=NoAuth(),
            explain=explain,
            timeout_s=float(settings.get("requestTimeout", 60.0)),
        )

    def has_v2(self) -> bool | None:
        """Whether the server knows the second token route, which came with 2.24; `None` when its answer tells nothing.

        Source: runai §0.1, §1.1.
        """
        client_id, secret = (self._reveal(self._settings.get(key)) for key in ("clientId", "clientSecret"))
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        try:
            self.http.write("POST", "/api/v2/token", form=form)
        except ProviderError as error:
            missing = {httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED}
            refused = {httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED}
            return False if error.status in missing else True if error.status in refused else None
        return True

    def close(self) -> None:
        """Give connections back."""
        self.http.close()

    def headers(self, method: str, url: httpx.URL, body: bytes) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        """The header; logs in first when there is no token that lasts.

        Raises:
            ProviderError: `credentials` or `provider-unreachable`; the request itself was not sent.
        """
        with self._lock:
            if not self._token or self._context.clock.now() >= self._ends_s:
                self._token, self._ends_s = self._log_in()
            self._local.token = self._token
            return {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}

    def renew(self) -> bool:
        """Forget the token that this thread's last request had; another worker may have renewed it already."""
        with self._lock:
            if self._token == getattr(self._local, "token", ""):
                self._token = ""
        return True

    # -- inside ---------------------------------------------------------------------------------------------------

    def _log_in(self) -> tuple[str, float]:
        client_id, secret = (self._reveal(self._settings.get(key)) for key in ("clientId", "clientSecret"))
        asked_s = self._context.clock.now()
        try:
            reply = self._ask(client_id, secret)
        except ProviderError as error:
            code = "credentials" if 400 <= error.status < 500 and error.status != 429 else error.code  # noqa: PLR2004
            raise ProviderError(
                f"{scrub(str(error), (secret,))}; could not log in, the request was not sent",
                # Tried often enough: the request that wanted the token must not start over.
                code=code if code == "credentials" else "log-in-failed",
                status=error.status,
            ) from None
        body = reply.body if isinstance(reply.body, Mapping) else {}
        token = body.get("accessToken") or body.get("access_token")
        if not isinstance(token, str) or not token:
            raise ProviderError(f"{self._name}: the log-in gave no token", code="credentials", status=reply.status)
        lifetime = _lifetime_s(body, token)
        return token, asked_s + lifetime - min(_MARGIN_S, lifetime * _MARGIN_SHARE)

    def _ask(self, client_id: str, secret: str) -> HttpReply:
        """One token. A log-in changes nothing, so that a lost reply may be asked for again."""
        for attempt in range(1, _TRIES + 1):
            try:
                return self._request(client_id, secret)
            except ProviderError as error:
                passing = isinstance(error, UnknownOutcome) or error.code == "provider-unreachable"
                if not passing or attempt == _TRIES:
                    raise
            self._context.clock.sleep(_PAUSE_S * attempt)
        raise AssertionError

    def _request(self, client_id: str, secret: str) -> HttpReply:
        grant = str(self._settings.get("grant") or "auto")
        if grant == "auto":
            grant = "app_token" if release(version_of(self._settings)) < release("2.20") else "client_credentials"
        if grant == "v2":
            form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
            return self.http.write("POST", "/api/v2/token", form=form)
        # Field names as the vendor's own client (AppId) and public scripts (clientId) spell them. Source: runai §1.1.
        keys = ("AppId", "AppSecret") if grant == "app_token" else ("clientId", "clientSecret")
        body = {"grantType": grant, keys[0]: client_id, keys[1]: secret}
        return self.http.write("POST", "/api/v1/token", body=body)

    def _reveal(self, value: Any) -> str:
        def resolve(ref: SecretRef | KnownAfterApply) -> Any:
            return self._context.resolve(ref.name) if isinstance(ref, SecretRef) else ref

        return str(fill(value, resolve) or "")


def _lifetime_s(body: Mapping[str, Any], token: str) -> float:
    """Seconds: as the reply says, else from the JWT's own times, else ten minutes."""
    told = body.get("expiresIn") or body.get("expires_in")
    if isinstance(told, int | float) and not isinstance(told, bool):
        return float(told)
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        # By the issuer's own clock on both ends: ours may be another.
        return float(claims["exp"]) - float(claims["iat"])
    except (IndexError, ValueError, KeyError, TypeError):
        return _DEFAULT_LIFETIME_S
