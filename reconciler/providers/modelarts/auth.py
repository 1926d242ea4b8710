"""The two ways into ModelArts: an IAM token of a user, or a signature with an access key.

Source: modelarts-services §1. Both read secrets only while a request is built, and keep none of them.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, unquote

import httpx

from reconciler.problems import ProviderError, UnknownOutcome
from reconciler.providers.base import Context
from reconciler.providers.http import HttpClient, NoAuth
from reconciler.providers.modelarts.api import explain

__all__ = ["SignatureAuth", "TokenAuth"]

_ALGORITHM: Final = "SDK-HMAC-SHA256"
_UNRESERVED: Final = "-_.~"
_LOG_IN_TRIES: Final = 3
_LONGEST_MARGIN_S: Final = 300.0
_LIFETIME_S: Final = 24 * 3600.0
"""Life of a token whose reply doesn't say. Source: §1 public."""

Reveal = Callable[[Any], str]
"""A setting (text or reference) → its value."""


@dataclass(slots=True)
class _Token:
    value: str = field(repr=False)
    good_until: float


class TokenAuth:
    """`X-Auth-Token`: logs in with a password, again shortly before the token ends, and once after a 401.

    Args:
        provider: Instance name, for messages.
        context: Its clock and hosts.
        iam_endpoint: Address of IAM, without `/v3`.
        user: `username`, `password`, `domain`, `projectId` as in the settings.
        reveal: Resolves references.
        timeout_s: Limit of one log-in request.
    """

    def __init__(
        self,
        *,
        provider: str,
        context: Context,
        iam_endpoint: str,
        user: Mapping[str, Any],
        reveal: Reveal,
        timeout_s: float,
    ) -> None:
        self._provider = provider
        self._clock = context.clock
        self._user = user
        self._reveal = reveal
        # A log-in is no write to a resource: the lease has no say in it.
        self._http = HttpClient(
            provider=provider,
            context=replace(context, before_send=lambda: None),
            base_urls={"": iam_endpoint.rstrip("/").removesuffix("/v3")},
            auth=NoAuth(),
            explain=explain,
            timeout_s=timeout_s,
        )
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._used = threading.local()

    def headers(self, method: str, url: httpx.URL, body: bytes) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        """The token; logs in first where there is none that is still good.

        Raises:
            ProviderError: the log-in failed; nothing else was sent.
        """
        with self._lock:
            if self._token is None or self._clock.now() >= self._token.good_until:
                self._token = self._log_in()
            token = self._token
        self._used.token = token
        return {"X-Auth-Token": token.value}

    def renew(self) -> bool:
        """Forget the token that this thread used last; another thread may have renewed it already."""
        with self._lock:
            if self._token is getattr(self._used, "token", None):
                self._token = None
        return True

    def close(self) -> None:
        """Give connections back."""
        self._http.close()

    def _log_in(self) -> _Token:
        for attempt in range(1, _LOG_IN_TRIES + 1):
            try:
                reply = self._http.write("POST", "/v3/auth/tokens", body=self._body())
                break
            except UnknownOutcome as error:
                # A second token does no harm: whether the first was made is nobody's concern.
                if attempt == _LOG_IN_TRIES:
                    raise ProviderError(
                        str(error).replace("; it may have been done", "; not logged in, nothing was sent"),
                        code="log-in-failed",
                        status=error.status,
                    ) from None
                self._clock.sleep(float(attempt))
        value = reply.headers.get("x-subject-token", "")
        if not value:
            raise ProviderError(
                f"{self._provider}: POST /v3/auth/tokens: HTTP {reply.status} without an X-Subject-Token header",
                code="credentials",
                status=reply.status,
            )
        lifetime_s = _lifetime(reply.body)
        margin_s = min(_LONGEST_MARGIN_S, lifetime_s / 5)
        return _Token(value, self._clock.now() + lifetime_s - margin_s)

    def _body(self) -> dict[str, Any]:
        """A log-in scoped to the project by id; a token without project is refused."""
        user = self._user
        return {
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {
                        "user": {
                            "name": self._reveal(user["username"]),
                            "password": self._reveal(user["password"]),
                            "domain": {"name": self._reveal(user["domain"])},
                        }
                    },
                },
                "scope": {"project": {"id": self._reveal(user["projectId"])}},
            }
        }


class SignatureAuth:
    """`Authorization: SDK-HMAC-SHA256 …` over method, address, query, some headers and body; nothing to renew.

    Args:
        context: Its clock.
        access_key, secret_key: As in the settings.
        project_id: Sent along, signed.
        reveal: Resolves references.
    """

    def __init__(self, *, context: Context, access_key: Any, secret_key: Any, project_id: str, reveal: Reveal) -> None:
        self._clock = context.clock
        self._access_key = access_key
        self._secret_key = secret_key
        self._project_id = project_id
        self._reveal = reveal

    def headers(self, method: str, url: httpx.URL, body: bytes) -> Mapping[str, str]:
        """The signature and the headers that it covers."""
        signed = {
            "host": url.netloc.decode(),
            "x-project-id": self._project_id,
            "x-sdk-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock.now())),
        }
        names = ";".join(signed)
        canonical = "\n".join(
            (
                method.upper(),
                _canonical_path(url),
                _canonical_query(url),
                "".join(f"{name}:{value}\n" for name, value in signed.items()),
                names,
                hashlib.sha256(body).hexdigest(),
            )
        )
        text = f"{_ALGORITHM}\n{signed['x-sdk-date']}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = self._reveal(self._secret_key).encode()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        access = self._reveal(self._access_key)
        return {
            "X-Project-Id": signed["x-project-id"],
            "X-Sdk-Date": signed["x-sdk-date"],
            "Authorization": f"{_ALGORITHM} Access={access}, SignedHeaders={names}, Signature={signature}",
        }

    def renew(self) -> bool:
        """There is nothing to renew: a 401 is final."""
        return False

    def close(self) -> None:
        """Nothing is open."""


def _canonical_path(url: httpx.URL) -> str:
    """Each segment percent-encoded, with a slash at the end. Source: §1 sdk (`core/signer`)."""
    raw = url.raw_path.decode().partition("?")[0]
    path = "/".join(quote(unquote(segment), safe=_UNRESERVED) for segment in raw.split("/"))
    return path if path.endswith("/") else f"{path}/"


def _canonical_query(url: httpx.URL) -> str:
    pairs = sorted(url.params.multi_items())
    return "&".join(f"{quote(key, safe=_UNRESERVED)}={quote(value, safe=_UNRESERVED)}" for key, value in pairs)


def _lifetime(body: Any) -> float:
    """Seconds that the new token lives, by the server's own clock: ours may be wrong."""
    token = body.get("token") if isinstance(body, Mapping) else None
    if not isinstance(token, Mapping):
        return _LIFETIME_S
    try:
        ends = datetime.fromisoformat(str(token["expires_at"]))
        begins = datetime.fromisoformat(str(token["issued_at"]))
        return max((ends - begins).total_seconds(), 0.0)
    except (KeyError, ValueError, TypeError):
        return _LIFETIME_S
