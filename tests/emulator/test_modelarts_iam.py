"""Log-in and credentials of the emulated ModelArts, over HTTP, against modelarts-services §1 and §10."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from typing import Any

import httpx
import pytest

from reconciler.emulator.server import Emulator, Server


def line_of(server: Server) -> dict[str, str]:
    found: dict[str, str] = server.emulator.connection(server.url)["modelarts"]
    return found


def log_in(server: Server, **changes: Any) -> httpx.Response:
    line = {**line_of(server), **changes}
    user = {"name": line["username"], "password": line["password"], "domain": {"name": line["domain"]}}
    body: dict[str, Any] = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    if line["projectId"]:
        body["auth"]["scope"] = {"project": {"id": line["projectId"]}}
    return httpx.post(f"{line['iamEndpoint']}/v3/auth/tokens", json=body, trust_env=False)


def services(server: Server, token: str = "", project: str = "0f5a", **headers: str) -> tuple[int, str]:
    all_headers = {**({"X-Auth-Token": token} if token else {}), **headers}
    reply = httpx.get(f"{line_of(server)['endpoint']}/v1/{project}/services", headers=all_headers, trust_env=False)
    return reply.status_code, reply.json().get("error_code", "")


def test_log_in_answers_201_with_the_token_in_a_header_and_the_project_in_the_body(emulator: Server) -> None:
    reply = log_in(emulator)
    token = reply.json()["token"]
    assert reply.status_code == 201
    assert token["project"]["id"] == "0f5a"
    life = datetime.fromisoformat(token["expires_at"]) - datetime.fromisoformat(token["issued_at"])
    assert life.total_seconds() == 86400
    address = next(entry for entry in token["catalog"] if entry["type"] == "modelartsv1")["endpoints"][0]["url"]
    found = httpx.get(
        f"{address}/services", headers={"X-Auth-Token": reply.headers["X-Subject-Token"]}, trust_env=False
    )
    assert (found.status_code, address.endswith("/v1/0f5a")) == (200, True)


def test_version_discovery_names_the_log_in_address(emulator: Server) -> None:
    found = httpx.get(f"{line_of(emulator)['iamEndpoint']}/v3", trust_env=False).json()["version"]
    assert found["links"][0]["href"] == f"{emulator.url}/iam/v3/"


def test_wrong_password_is_401_and_no_token(emulator: Server) -> None:
    reply = log_in(emulator, password="guessed")
    assert (reply.status_code, "X-Subject-Token" in reply.headers) == (401, False)


def test_each_bad_credential_has_its_own_code(emulator: Server) -> None:
    good = log_in(emulator).headers["X-Subject-Token"]
    unscoped = log_in(emulator, projectId="").headers["X-Subject-Token"]
    assert services(emulator, good)[0] == 200
    assert services(emulator) == (401, "ModelArts.0201")
    assert services(emulator, "invented") == (401, "ModelArts.0203")
    assert services(emulator, unscoped) == (401, "ModelArts.0204")
    assert services(emulator, good, project="another") == (403, "ModelArts.0210")


def test_token_ends_when_its_time_is_over(emulator: Server) -> None:
    emulator.emulator.set_switches({"modelarts": {"token_ttl_s": 60}})
    token = log_in(emulator).headers["X-Subject-Token"]
    emulator.emulator.advance(59)
    assert services(emulator, token)[0] == 200
    emulator.emulator.advance(1)
    assert services(emulator, token) == (401, "ModelArts.0202")


def signed(server: Server, key: str, secret: str) -> dict[str, str]:
    """The vendor's algorithm, written out for one request."""
    host = server.url.removeprefix("http://")
    date = "20190307T101459Z"
    canonical = "\n".join(
        (
            "GET",
            "/modelarts/v1/0f5a/services/",
            "",
            f"host:{host}\nx-sdk-date:{date}\n",
            "host;x-sdk-date",
            hashlib.sha256(b"").hexdigest(),
        )
    )
    text = f"SDK-HMAC-SHA256\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    value = f"SDK-HMAC-SHA256 Access={key}, SignedHeaders=host;x-sdk-date, Signature={signature}"
    return {"X-Sdk-Date": date, "Authorization": value}


def test_signature_with_the_right_keys_is_a_log_in(emulator: Server) -> None:
    line = line_of(emulator)
    assert services(emulator, **signed(emulator, line["accessKey"], line["secretKey"]))[0] == 200
    assert services(emulator, **signed(emulator, line["accessKey"], "wrong")) == (403, "ModelArts.0206")
    assert services(emulator, **signed(emulator, "WRONG", line["secretKey"])) == (403, "ModelArts.0206")
    assert services(emulator, Authorization="SDK-HMAC-SHA256 nonsense") == (401, "ModelArts.0205")


@pytest.mark.parametrize("project", ["0f5a", "prj-of-mine"])
def test_open_emulator_takes_any_user_and_project(project: str) -> None:
    server = Server(Emulator(None, open_to_all=True)).start()
    try:
        token = log_in(server, username="me", password="mine", projectId=project).headers["X-Subject-Token"]
        assert services(server, token, project)[0] == 200
        assert services(server, project=project) == (401, "ModelArts.0201")
    finally:
        server.stop()
