"""Token routes and the check of bearer tokens. Source: runai §1.1."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from reconciler.emulator.runai.replies import fail, switch
from reconciler.emulator.runai.versions import has, release_of
from reconciler.emulator.store import Tx
from reconciler.emulator.wire import Request, Response

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "Tokens"]

CLIENT_ID: Final = "gitops"
CLIENT_SECRET: Final = "demo-runai-client-secret"
_KEY: Final = b"emulated issuer"


class Tokens:
    """Issues JWT-shaped tokens and checks them; nothing is stored, so that several processes agree."""

    def __init__(self) -> None:
        self.open = False
        """Accept any credentials."""

    def v1(self, tx: Tx, request: Request) -> Response:
        """`POST /api/v1/token`: JSON, keys in any case."""
        try:
            body = request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return fail(400, details="the body is no JSON object")
        fields = {str(key).casefold(): value for key, value in body.items()}
        problem = self._refusal(tx, str(fields.get("granttype") or ""), fields)
        if problem:
            return fail(400, problem)
        token, lifetime = self._issue(tx, fields)
        reply: dict[str, Any] = {"accessToken": token, "idToken": token, "refreshToken": self._refresh(tx)}
        version = release_of(tx).version
        if has(version, "2.24"):
            reply["expiresIn"] = lifetime
        if has(version, until="2.22"):
            reply["externalToken"] = ""
        return Response(body=reply)

    def v2(self, tx: Tx, request: Request) -> Response:
        """`POST /api/v2/token`: a form (2.24)."""
        if not release_of(tx).token_v2:
            return fail(404)
        form = {
            key.replace("_", "").casefold(): value for key, value in parse_qsl(request.body.decode("utf-8", "replace"))
        }
        if "granttype" not in form:
            return _oauth_error(400, "invalid_request", "grant_type is missing")
        grant = form["granttype"]
        if grant not in {"authorization_code", "client_credentials", "password", "refresh_token"}:
            return _oauth_error(400, "unsupported_grant_type", grant)
        if self._refusal(tx, grant, form):
            return _oauth_error(401, "invalid_client", "Client authentication failed.")
        token, lifetime = self._issue(tx, form)
        reply = {"access_token": token, "token_type": "Bearer", "expires_in": lifetime, "scope": "openid"}
        return Response(body={**reply, "refresh_token": self._refresh(tx)})

    def accepts(self, tx: Tx, headers: Mapping[str, str]) -> bool:
        """Whether a request carries a token of ours that has not ended."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        claims = _read(token) if scheme.casefold() == "bearer" else None
        return claims is not None and claims.get("typ") == "access" and float(claims["exp"]) > tx.now

    # -- inside ---------------------------------------------------------------------------------------------------

    def _refusal(self, tx: Tx, grant: str, fields: Mapping[str, Any]) -> str:
        """Why these credentials give no token, or an empty text."""
        release = release_of(tx)
        pairs = {"app_token": ("appid", "appsecret"), "password": ("username", "password")}
        codes = {"exchange_token": "code", "authorization_code": "code"}
        if release.client_credentials:
            pairs["client_credentials"] = ("clientid", "clientsecret")
        if has(release.version, "2.22"):
            codes["external_token_exchange"] = "externaltoken"
        if grant in pairs:
            return self._pair(*(fields.get(name) for name in pairs[grant]))
        if grant in codes:
            return "" if self.open and fields.get(codes[grant]) else "Invalid code"
        if grant == "refresh_token":
            claims = _read(str(fields.get("refreshtoken") or ""))
            good = claims is not None and claims.get("typ") == "refresh" and float(claims["exp"]) > tx.now
            return "" if good else "Invalid refresh token"
        return f"Unsupported grant type {grant!r}" if grant else "Required parameter is missing"

    def _pair(self, name: Any, secret: Any) -> str:
        if not name or not secret:
            return "Required parameter is missing"
        return "" if self.open or (name, secret) == (CLIENT_ID, CLIENT_SECRET) else "Invalid credentials"

    def _issue(self, tx: Tx, fields: Mapping[str, Any]) -> tuple[str, int]:
        lifetime = int(float(switch(tx, "tokenLifetime")))
        who = str(fields.get("clientid") or fields.get("appid") or fields.get("username") or "user")
        return _sign({"typ": "access", "sub": who, "iat": int(tx.now), "exp": int(tx.now) + lifetime}), lifetime

    def _refresh(self, tx: Tx) -> str:
        return _sign({"typ": "refresh", "iat": int(tx.now), "exp": int(tx.now) + 86_400})


def _oauth_error(status: int, code: str, description: str) -> Response:
    return Response(status=status, body={"error": code, "error_description": description, "error_uri": ""})


def _sign(claims: Mapping[str, Any]) -> str:
    head = ".".join(_text(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{head}.{_text(hmac.digest(_KEY, head.encode(), hashlib.sha256))}"


def _read(token: str) -> dict[str, Any] | None:
    head, _, signature = token.rpartition(".")
    if not head or not hmac.compare_digest(signature, _text(hmac.digest(_KEY, head.encode(), hashlib.sha256))):
        return None
    payload = head.partition(".")[2]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
