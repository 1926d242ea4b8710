"""IAM as far as ModelArts needs it: password log-in, token checks, and the AK/SK signature.

Source: modelarts-services §1. Both ModelArts modules call `authenticate` first in each handler.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from reconciler.emulator.store import Tx
from reconciler.emulator.switches import Switch, Switches, number
from reconciler.emulator.wire import Request, Response, Route

__all__ = ["MOUNT", "OWNER", "PROJECT_ID", "Iam", "authenticate"]

MOUNT: Final = "/modelarts"
"""Where the two ModelArts modules are mounted; a client signs the path with it."""

PROJECT_ID: Final = "0f5a"
PROJECT_NAME: Final = "eu-de_demo"
DOMAIN: Final = "demo-domain"
DOMAIN_ID: Final = "d0e1f2a3b4c54d5e8f90a1b2c3d4e5f6"
USERNAME: Final = "gitops"
PASSWORD: Final = "demo-modelarts-password"
OWNER: Final = "b575785bcece44beb23597770fb819f9"
"""User id of whoever logs in here: `owner` of what they create."""
ACCESS_KEY: Final = "DEMOACCESSKEY0000001"
SECRET_KEY: Final = "demo-modelarts-secret-key"

_TOKENS: Final = "iam-tokens"
_AUTHORIZATION: Final = re.compile(
    r"^SDK-HMAC-SHA256 (?:Access|Credential)=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)$"
)
_UNRESERVED: Final = "-_.~"


class Iam:
    """The log-in service. Its tokens are kept with the rest of the state: a later command may go on with one."""

    name = "modelarts"
    switches = Switches(
        Switch(
            name="token_ttl_s",
            default=86400,
            takes="seconds",
            read=number,
            ours=True,
            does="how long a token lives",
        )
    )

    def __init__(self) -> None:
        self._open = False

    def mounts(self) -> Mapping[str, Sequence[Route]]:
        """`/iam`: version discovery and `POST /v3/auth/tokens`."""
        return {
            "/iam": (
                Route("GET", "/", self._versions),
                Route("GET", "/v3", self._version),
                Route("GET", "/v3/", self._version),
                Route("POST", "/v3/auth/tokens", self._log_in),
            )
        }

    def seed(self, tx: Tx) -> None:
        """Nothing: nobody is logged in."""

    def state(self, tx: Tx) -> list[dict[str, Any]]:  # noqa: ARG002 - the protocol's
        """Nothing: tokens are no resources."""
        return []

    def error(self, status: int, message: str) -> Any:
        """The error body of an identity service."""
        return {"error": {"code": status, "message": message, "title": _TITLES.get(status, "Error")}}

    def connection(self, base_url: str) -> Mapping[str, str]:
        """Addresses and demo credentials. Source: DESIGN §9."""
        return {
            "endpoint": f"{base_url}{MOUNT}",
            "iamEndpoint": f"{base_url}/iam",
            "projectId": PROJECT_ID,
            "domain": DOMAIN,
            "username": USERNAME,
            "password": PASSWORD,
            "accessKey": ACCESS_KEY,
            "secretKey": SECRET_KEY,
        }

    def open_to_all(self) -> None:
        """Embedded: any user, password and project."""
        self._open = True

    # -- handlers ---------------------------------------------------------------------------------------------------

    def _versions(self, _tx: Tx, request: Request) -> Response:
        return Response(status=300, body={"versions": {"values": [_version(request)]}})

    def _version(self, _tx: Tx, request: Request) -> Response:
        return Response(body={"version": _version(request)})

    def _log_in(self, tx: Tx, request: Request) -> Response:
        """Source: §1: 201, the token in `X-Subject-Token`, `token.expires_at` and `token.project.id` in the body."""
        try:
            user, scope = _read_log_in(request.json())
        except (ValueError, KeyError, TypeError, AttributeError):
            return Response(status=400, body=self.error(400, "The request body is invalid."))
        known = {"name": USERNAME, "password": PASSWORD, "domain": DOMAIN}
        if not self._open and user != known:
            return Response(status=401, body=self.error(401, "The username or password is wrong."))
        project = self._project(scope)
        if scope is not None and project is None:
            return Response(status=401, body=self.error(401, "The project does not exist or you are not in it."))
        ttl_s = float(tx.switch(self.name, "token_ttl_s"))
        token = f"MIIDemo{secrets.token_hex(24)}"
        stored = {"expires": tx.now + ttl_s, "project": project["id"] if project else ""}
        tx.put(_TOKENS, _key(token), stored)
        body = _token_body(request, user, project, issued=tx.now, expires=tx.now + ttl_s)
        return Response(status=201, body=body, headers={"X-Subject-Token": token})

    def _project(self, scope: Mapping[str, Any] | None) -> dict[str, str] | None:
        if scope is None:
            return None
        wanted, name = str(scope.get("id", "")), str(scope.get("name", ""))
        if self._open and wanted:
            return {"id": wanted, "name": name or wanted}
        if wanted == PROJECT_ID or (not wanted and (name == PROJECT_NAME or self._open)):
            return {"id": PROJECT_ID, "name": PROJECT_NAME}
        return None


ErrorReply = Callable[[int, str, str], Response]
"""(status, `ModelArts.` code, message) → reply in the API's own error form."""


def authenticate(
    tx: Tx, request: Request, project_id: str, error: ErrorReply, *, open_to_all: bool = False
) -> Response | None:
    """Whether this request may go on: `None`, or the refusal.

    A token must be known, not over, scoped to a project, and to that of the address; a signature must fit the demo
    keys. `open_to_all` takes unknown tokens and keys, other projects and any signature, but never nothing at all, and
    no token of ours that is over (so that renewal is lived through there too). Source: modelarts-services §1, §10.
    """
    token = request.headers.get("x-auth-token", "")
    if token:
        return _check_token(tx, token, project_id, error, open_to_all=open_to_all)
    authorization = request.headers.get("authorization", "")
    if authorization.startswith("SDK-HMAC-SHA256"):
        return _check_signature(request, authorization, project_id, error, open_to_all=open_to_all)
    return error(401, "ModelArts.0201", "The request does not carry a token.")


def _check_token(tx: Tx, token: str, project_id: str, error: ErrorReply, *, open_to_all: bool) -> Response | None:
    stored = tx.get(_TOKENS, _key(token))
    if stored is None:
        return None if open_to_all else error(401, "ModelArts.0203", "Invalid token.")
    if stored["expires"] <= tx.now:
        return error(401, "ModelArts.0202", "The token has expired.")
    if open_to_all:
        return None
    if not stored["project"]:
        return error(401, "ModelArts.0204", "The token is not scoped to a project.")
    if stored["project"] != project_id:
        return error(403, "ModelArts.0210", "The project ID in the URL does not match that of the token.")
    return None


def _check_signature(
    request: Request, authorization: str, project_id: str, error: ErrorReply, *, open_to_all: bool
) -> Response | None:
    match = _AUTHORIZATION.match(authorization)
    if match is None:
        return error(401, "ModelArts.0205", "The Authorization header can not be read.")
    if open_to_all:
        return None
    access, signed, signature = match.groups()
    refused = error(403, "ModelArts.0206", "Invalid AK/SK.")
    date = request.headers.get("x-sdk-date", "")
    names = signed.split(";")
    if access != ACCESS_KEY or "x-sdk-date" not in names or any(name not in request.headers for name in names):
        return refused
    text = f"SDK-HMAC-SHA256\n{date}\n{hashlib.sha256(_canonical(request, names).encode()).hexdigest()}"
    expected = hmac.new(SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        return refused
    if project_id != PROJECT_ID:
        return error(403, "ModelArts.0210", "The project ID in the URL does not match that of the access key.")
    return None


def _canonical(request: Request, names: list[str]) -> str:
    """Method, URI with a slash at its end, sorted query, headers, their names, body hash. Source: §1 sdk."""
    uri = quote(MOUNT + request.path, safe="/" + _UNRESERVED)
    query = "&".join(
        f"{quote(key, safe=_UNRESERVED)}={quote(value, safe=_UNRESERVED)}" for key, value in sorted(request.query)
    )
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in names)
    body = request.headers.get("x-sdk-content-sha256") or hashlib.sha256(request.body).hexdigest()
    return "\n".join((request.method, uri if uri.endswith("/") else f"{uri}/", query, headers, ";".join(names), body))


def _read_log_in(body: Any) -> tuple[dict[str, str], Mapping[str, Any] | None]:
    """(name, password, domain) and the project part of the scope, or none."""
    auth = body["auth"]
    if auth["identity"]["methods"] != ["password"]:
        message = "only password"
        raise ValueError(message)
    user = auth["identity"]["password"]["user"]
    found = {"name": str(user["name"]), "password": str(user["password"]), "domain": str(user["domain"]["name"])}
    scope = auth.get("scope", {}).get("project")
    return found, dict(scope) if scope is not None else None


def _token_body(
    request: Request, user: Mapping[str, str], project: dict[str, str] | None, *, issued: float, expires: float
) -> dict[str, Any]:
    domain = {"id": DOMAIN_ID, "name": user["domain"]}
    token: dict[str, Any] = {
        "methods": ["password"],
        "issued_at": _iso(issued),
        "expires_at": _iso(expires),
        "user": {"id": OWNER, "name": user["name"], "domain": domain, "password_expires_at": ""},
        "roles": [{"id": "0", "name": "modelarts_admin"}],
        "catalog": [],
    }
    if project is not None:
        token["project"] = {**project, "domain": domain}
        token["catalog"] = [
            _service("identity", "keystone", f"{request.base_url}/iam/v3"),
            _service("modelartsv1", "modelartsv1", f"{request.base_url}{MOUNT}/v1/{project['id']}"),
        ]
    return {"token": token}


def _service(kind: str, name: str, url: str) -> dict[str, Any]:
    identifier = hashlib.sha256(name.encode()).hexdigest()[:32]
    endpoint = {"id": identifier[::-1], "interface": "public", "region": "eu-de", "region_id": "eu-de", "url": url}
    return {"id": identifier, "type": kind, "name": name, "endpoints": [endpoint]}


def _version(request: Request) -> dict[str, Any]:
    return {
        "id": "v3.6",
        "status": "stable",
        "updated": "2016-04-04T00:00:00Z",
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
        "links": [{"rel": "self", "href": f"{request.base_url}/iam/v3/"}],
    }


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _iso(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}000Z"


_TITLES: Final = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}
