"""The signer of `huaweicloudsdkcore` 3.1.219 against the emulator: ModelArts by access key and secret key.

Of that vendor's SDK only the core knows these APIs: its generated clients have other routes. Source: modelarts-services
§1.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest

from tests.conformance.conftest import Emulator
from tests.conformance.test_modelarts import CONFIG, NOTEBOOK

# What a client's own code warns of is that client's business.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
]

SERVICES, NOTEBOOKS = "services", "demanager/instances"


def signed(emulator: Emulator, method: str, path: str, body: Any = None, **query: Any) -> Any:
    """A request that the vendor's code has signed with the demo keys."""
    line = emulator.connection["modelarts"]
    base = urlsplit(line["endpoint"])
    request = SdkRequest(
        method=method,
        schema=base.scheme,
        host=base.netloc,
        resource_path=f"{base.path}/v1/{line['projectId']}/{path}",
        query_params=list(query.items()),
        header_params={"Content-Type": "application/json"} if body is not None else {},
        body="" if body is None else json.dumps(body, ensure_ascii=False),
    )
    return BasicCredentials(line["accessKey"], line["secretKey"], line["projectId"]).sign_request(request)


def send(request: Any) -> httpx.Response:
    return httpx.request(
        request.method, request.url, headers=request.header_params, content=request.body or None, trust_env=False
    )


def test_signed_requests_create_list_change_and_delete(emulator: Emulator) -> None:
    wanted = {"service_name": "mnist", "infer_type": "real-time", "description": "Zürich", "config": [CONFIG]}
    created = send(signed(emulator, "POST", SERVICES, wanted))
    assert created.status_code == 200, created.text
    service_id = created.json()["service_id"]
    listed = send(signed(emulator, "GET", SERVICES, sort_by="service_name", limit=2, service_name="m nist/ü"))
    assert listed.json() == {"total_count": 0, "count": 0, "services": []}
    for method, body in (("PUT", {"description": ""}), ("GET", None), ("DELETE", None)):
        assert send(signed(emulator, method, f"{SERVICES}/{service_id}", body)).status_code == 200
    notebook = send(signed(emulator, "POST", NOTEBOOKS, NOTEBOOK)).json()
    assert send(signed(emulator, "GET", f"{NOTEBOOKS}/{notebook['id']}")).json()["name"] == "ann"
    assert emulator.requests("POST", "/auth/tokens") == [], "nobody has logged in"


@pytest.mark.parametrize("spoiled", ["body", "query", "date", "signature", "key"])
def test_request_that_was_changed_after_signing_is_refused(emulator: Emulator, spoiled: str) -> None:
    request = signed(emulator, "PUT", f"{SERVICES}/some-id", {"description": "a"}, limit=1)
    headers = request.header_params
    if spoiled == "body":
        request.body = request.body.replace(b"a", b"b", 1)
    elif spoiled == "query":
        request.uri = request.uri.replace("limit=1", "limit=2")
    elif spoiled == "date":
        headers["X-Sdk-Date"] = "20200101T000000Z"
    elif spoiled == "signature":
        headers["Authorization"] = headers["Authorization"][:-1] + ("0" if headers["Authorization"][-1] != "0" else "1")
    else:
        headers["Authorization"] = headers["Authorization"].replace("DEMO", "NONE")
    refused = send(request)

    assert (refused.status_code, refused.json()["error_code"]) == (403, "ModelArts.0206")
