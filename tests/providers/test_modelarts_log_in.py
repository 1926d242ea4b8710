"""How the ModelArts provider proves who it is: tokens renewed in time and once on a 401, signatures, failures."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from reconciler.diff.change import Call, CallOp
from reconciler.emulator.server import Server
from reconciler.fields.setting import COMMON_SETTINGS
from reconciler.problems import Origin, ProviderError, Refused
from reconciler.providers.base import Context
from reconciler.providers.modelarts import TYPE
from reconciler.providers.modelarts.auth import SignatureAuth
from reconciler.providers.modelarts.provider import ModelArtsProvider
from reconciler.providers.modelarts.service_kind import SERVICE
from reconciler.spec.resource import ProviderConfig
from reconciler.spec.values import SecretRef

BY_PASSWORD = ("endpoint", "iamEndpoint", "projectId", "domain", "username", "password")
BY_KEY = ("endpoint", "projectId", "accessKey", "secretKey")
CANARY = "canary-7431"


def opened(
    server: Server,
    keys: tuple[str, ...] = BY_PASSWORD,
    before_send: Callable[[], None] = lambda: None,
    **settings: Any,
) -> ModelArtsProvider:
    known = {row.name: row.default for row in (*COMMON_SETTINGS, *TYPE.settings) if row.default is not None}
    line = server.emulator.connection(server.url)["modelarts"]
    written = {**known, **{key: line[key] for key in keys}, **settings}
    secrets = {"PASSWORD": line["password"], "SECRET_KEY": line["secretKey"], "WRONG": CANARY}
    config = ProviderConfig(name="ma", type="modelarts", settings=written, origin=Origin("reconciler.yaml"))
    provider = TYPE.open(config, Context(resolve=secrets.__getitem__, clock=server.emulator, before_send=before_send))
    assert isinstance(provider, ModelArtsProvider)
    return provider


@pytest.fixture
def provider(emulator: Server) -> Iterator[ModelArtsProvider]:
    found = opened(emulator, password=SecretRef("PASSWORD"))
    yield found
    found.close()


def log_ins(server: Server) -> int:
    return sum(entry["path"] == "/v3/auth/tokens" for entry in server.emulator.requests)


def read(provider: ModelArtsProvider) -> int:
    return len(provider.read_all(SERVICE).items)


def test_one_log_in_serves_many_requests_and_threads(emulator: Server, provider: ModelArtsProvider) -> None:
    workers = [threading.Thread(target=read, args=(provider,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (read(provider), log_ins(emulator)) == (3, 1)


def test_token_is_renewed_before_its_end(emulator: Server, provider: ModelArtsProvider) -> None:
    emulator.emulator.set_switches({"modelarts": {"token_ttl_s": 60}})
    read(provider)
    emulator.emulator.advance(47)
    read(provider)
    assert log_ins(emulator) == 1
    emulator.emulator.advance(2)
    read(provider)
    assert log_ins(emulator) == 2
    assert not any(entry["status"] == 401 for entry in emulator.emulator.requests)


def test_401_on_a_read_or_a_write_leads_to_one_new_token_and_one_repeat(
    emulator: Server, provider: ModelArtsProvider
) -> None:
    read(provider)
    expired = {"error_code": "ModelArts.0202", "error_msg": "expired"}
    for method in ("GET", "DELETE"):
        emulator.emulator.faults.replace([{"method": method, "path": "/services", "status": 401, "body": expired}])
        read(provider)
    path = f"/v1/0f5a/services/{'0' * 8}"
    with pytest.raises(ProviderError) as caught:
        provider.send(Call(op=CallOp.DELETE, method="DELETE", path=path))
    assert (caught.value.code, log_ins(emulator)) == ("not-found", 3)


def test_second_401_is_a_failure_of_credentials_and_no_storm(emulator: Server, provider: ModelArtsProvider) -> None:
    expired = {"error_code": "ModelArts.0203", "error_msg": "Invalid token."}
    emulator.emulator.faults.replace([{"path": "/services", "status": 401, "body": expired, "count": None}])
    with pytest.raises(ProviderError, match=r"ModelArts\.0203 Invalid token") as caught:
        read(provider)
    assert (caught.value.code, log_ins(emulator)) == ("credentials", 2)


def test_wrong_password_fails_with_iams_words_and_without_the_password(emulator: Server) -> None:
    provider = opened(emulator, password=SecretRef("WRONG"))
    with pytest.raises(ProviderError, match="The username or password is wrong") as caught:
        read(provider)
    assert (caught.value.code, CANARY in str(caught.value)) == ("credentials", False)
    provider.close()


def test_log_in_waits_out_a_429_and_a_short_outage(emulator: Server, provider: ModelArtsProvider) -> None:
    tokens = {"path": "/v3/auth/tokens"}
    faults = [{**tokens, "status": 429, "headers": {"Retry-After": "7"}}, {**tokens, "status": 503}]
    emulator.emulator.faults.replace(faults)
    started = emulator.emulator.now()
    read(provider)
    assert (log_ins(emulator), emulator.emulator.now() - started >= 7) == (3, True)


def test_log_in_that_never_answers_leaves_no_write_in_doubt(emulator: Server, provider: ModelArtsProvider) -> None:
    emulator.emulator.faults.replace([{"path": "/v3/auth/tokens", "drop": True, "count": None}])
    with pytest.raises(ProviderError, match="not logged in, nothing was sent") as caught:
        provider.send(Call(op=CallOp.CREATE, method="POST", path="/v1/0f5a/services", body={}))
    assert (type(caught.value), log_ins(emulator)) == (ProviderError, 3)


def test_only_real_writes_ask_whether_they_may_go_out(emulator: Server) -> None:
    asked: list[str] = []
    provider = opened(emulator, before_send=lambda: asked.append("write"))
    read(provider)
    assert (asked, log_ins(emulator)) == ([], 1)
    with pytest.raises(ProviderError):
        provider.send(Call(op=CallOp.DELETE, method="DELETE", path="/v1/0f5a/services/nobody"))
    assert asked == ["write"]
    provider.close()


def test_access_key_signs_reads_and_writes(emulator: Server) -> None:
    provider = opened(emulator, BY_KEY, secretKey=SecretRef("SECRET_KEY"))
    body = {
        "service_name": "signé",
        "infer_type": "real-time",
        "config": [{"model_id": "m", "specification": "modelarts.vm.cpu.2u", "instance_count": 1, "weight": 100}],
    }
    assert read(provider) == 3
    with pytest.raises(ProviderError, match=r"ModelArts\.0104"):
        provider.send(Call(op=CallOp.CREATE, method="POST", path="/v1/0f5a/services", body=body))
    created = provider.send(
        Call(op=CallOp.CREATE, method="POST", path="/v1/0f5a/services", body={**body, "service_name": "signed"})
    )
    assert (created.status, bool(created.live_id), log_ins(emulator)) == (200, True, 0)
    provider.close()


def test_wrong_secret_key_is_refused_once(emulator: Server) -> None:
    provider = opened(emulator, BY_KEY, secretKey=SecretRef("WRONG"))
    with pytest.raises(ProviderError, match=r"ModelArts\.0206") as caught:
        read(provider)
    assert (caught.value.code, CANARY in str(caught.value)) == ("credentials", False)
    assert len(emulator.emulator.requests) == 1
    provider.close()


class Noon:
    """A clock that stands still."""

    def now(self) -> float:
        return 1551953699.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def test_signature_covers_path_query_headers_and_body_as_the_vendor_spells_them() -> None:
    auth = SignatureAuth(
        context=Context(resolve=str, clock=Noon()), access_key="AK", secret_key="SK", project_id="0f5a", reveal=str
    )
    url = httpx.URL("https://modelarts.example.com/v1/0f5a/a%20b?limit=10&env=a%2Fb%20c")
    canonical = (
        "POST\n/v1/0f5a/a%20b/\nenv=a%2Fb%20c&limit=10\n"
        "host:modelarts.example.com\nx-project-id:0f5a\nx-sdk-date:20190307T101459Z\n\n"
        "host;x-project-id;x-sdk-date\n" + hashlib.sha256(b"{}").hexdigest()
    )
    text = f"SDK-HMAC-SHA256\n20190307T101459Z\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(b"SK", text.encode(), hashlib.sha256).hexdigest()
    assert auth.headers("post", url, b"{}") == {
        "X-Project-Id": "0f5a",
        "X-Sdk-Date": "20190307T101459Z",
        "Authorization": "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-project-id;x-sdk-date, "
        f"Signature={signature}",
    }


def test_missing_credentials_are_told_before_anything_is_sent(emulator: Server) -> None:
    with pytest.raises(ProviderError, match="accessKey and secretKey"):
        opened(emulator, ("endpoint", "projectId"))
    with pytest.raises(ProviderError, match="iamEndpoint is missing"):
        opened(emulator, ("endpoint", "projectId", "username", "password", "domain"))


def test_credentials_stay_with_hosts_that_somebody_named(emulator: Server) -> None:
    with pytest.raises(Refused, match=r"iam\.eu-de\.example\.com"):
        opened(emulator, BY_PASSWORD, endpoint=emulator.url, iamEndpoint="https://iam.eu-de.example.com")
    with pytest.raises(Refused, match="https-only"):
        opened(emulator, BY_PASSWORD, endpoint="http://modelarts.eu-de.example.com")
