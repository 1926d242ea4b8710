"""The one HTTP layer: limits, pauses, single writes, bodies that lie, credentials that stay where they belong.

The other side is the emulator, or a bare socket where it takes one that no server would be.
"""

from __future__ import annotations

import email.utils
import gzip
import importlib.metadata
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest

from reconciler.emulator.server import Server
from reconciler.problems import ProviderError, Refused, UnknownOutcome
from reconciler.providers import http
from reconciler.providers.base import Clock, Context
from reconciler.providers.http import HttpClient, NoAuth
from reconciler.providers.pace import SharedRead

MACHINES: Final = "/resource/vm/list"
"""A route of the emulator that asks for no credentials."""
NOW_S: Final = 1_800_000_000.0
LIMIT_S: Final = 0.6
OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class TestClock:
    """Time that passes when somebody waits; remembers for how long."""

    __test__ = False

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return NOW_S + sum(self.waits)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


class Key(NoAuth):
    """An API key."""

    def __init__(self, value: str) -> None:
        self._value = value

    def headers(self, method: str, url: httpx.URL, body: bytes) -> Mapping[str, str]:
        del method, url, body
        return {"x-api-key": self._value}


def client_of(
    *urls: str, clock: Clock | None = None, context: Mapping[str, Any] | None = None, **options: Any
) -> HttpClient:
    """A client of one address, or of several (labels `""`, `b`, `c`); closed after the test."""
    client = HttpClient(
        provider="toy",
        context=Context(resolve=lambda name: name, clock=clock or TestClock(), **(context or {})),
        base_urls=dict(zip(("", "b", "c"), urls, strict=False)),
        auth=options.pop("auth", NoAuth()),
        explain=lambda body: ("", body.get("message", "") if isinstance(body, dict) else str(body)),
        timeout_s=options.pop("timeout_s", 10.0),
        **options,
    )
    _OPEN.append(client)
    return client


_OPEN: Final[list[HttpClient]] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


@dataclass
class Peer:
    """A server that does with each connection what the test says, one request after another."""

    answer: Callable[[socket.socket, bytes], None]
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while request := self._read(connection):
                    with self.lock:
                        self.requests.append(request)
                    self.answer(connection, request)
            except OSError:
                return

    def _read(self, connection: socket.socket) -> bytes:
        raw = b""
        while b"\r\n\r\n" not in raw:
            more = connection.recv(65536)
            if not more:
                return b""
            raw += more
        head, _, body = raw.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        while length and len(body) < int(length[1]):
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


@pytest.fixture
def peer() -> Iterator[Callable[..., Peer]]:
    made: list[Peer] = []

    def make(answer: bytes | Callable[[socket.socket, bytes], None] = OK, **options: Any) -> Peer:
        send = (lambda connection, _: connection.sendall(answer)) if isinstance(answer, bytes) else answer
        made.append(Peer(send, **options))
        return made[-1]

    yield make
    for one in made:
        one.listener.close()


def page(status: str, body: bytes, *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


# -- limits -----------------------------------------------------------------------------------------------------------


def silence(connection: socket.socket, _request: bytes) -> None:
    time.sleep(3 * LIMIT_S)
    connection.sendall(OK)


def drops_of_a_body(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n")
    for _ in range(40):
        connection.sendall(b" ")
        time.sleep(LIMIT_S / 4)


def a_late_head_and_a_late_body(connection: socket.socket, _request: bytes) -> None:
    time.sleep(0.8 * LIMIT_S)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    time.sleep(0.8 * LIMIT_S)
    connection.sendall(b"{}")


@pytest.mark.parametrize("answer", [silence, drops_of_a_body, a_late_head_and_a_late_body])
def test_a_whole_request_takes_no_longer_than_its_limit(
    peer: Callable[..., Peer], answer: Callable[[socket.socket, bytes], None]
) -> None:
    """A settle window counts on it: after the limit nothing of ours is under way."""
    other = peer(answer)
    client = client_of(other.url, timeout_s=LIMIT_S)
    begun = time.monotonic()

    with pytest.raises(UnknownOutcome, match="it may have been done"):
        client.write("POST", "/things", body={"a": 1})

    assert time.monotonic() - begun < 1.5 * LIMIT_S
    assert len(other.requests) == 1


def test_a_read_is_tried_four_times_and_then_it_is_unreachable(peer: Callable[..., Peer]) -> None:
    other, clock = peer(lambda connection, _: connection.close()), TestClock()

    with pytest.raises(ProviderError) as caught:
        client_of(other.url, clock=clock).get("/things")

    assert (caught.value.code, len(other.requests), len(clock.waits)) == ("provider-unreachable", 4, 3)
    assert all(0 <= wait <= 5 for wait in clock.waits)


def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

    with pytest.raises(ProviderError, match="nothing was sent") as caught:
        client_of(url).write("POST", "/things", body={})

    assert not isinstance(caught.value, UnknownOutcome)
    assert caught.value.code == "provider-unreachable"


def test_a_body_without_end_is_no_answer(peer: Callable[..., Peer]) -> None:
    packed = gzip.compress(b" " * 65 * 1024 * 1024)
    other = peer(page("200 OK", packed, "Content-Encoding: gzip"))

    with pytest.raises(UnknownOutcome, match="more than"):
        client_of(other.url).write("POST", "/things", body={})


# -- connections ------------------------------------------------------------------------------------------------------


def test_reads_share_a_connection_and_each_write_has_its_own(peer: Callable[..., Peer]) -> None:
    """A kept connection may be closed under a write, and then nobody knows whether it was read."""
    other = peer()
    client = client_of(other.url)

    for _ in range(3):
        client.get("/things")
    assert other.connections == 1
    for _ in range(2):
        client.write("POST", "/things", body={})

    assert other.connections == 3
    assert [b"connection: close" in request.lower() for request in other.requests] == [False] * 3 + [True] * 2


def test_each_request_says_who_asks(peer: Callable[..., Peer]) -> None:
    other = peer()
    client = client_of(other.url)
    client.get("/things")
    client.write("DELETE", "/things/1")

    version = importlib.metadata.version("reconciler")
    assert all(f"User-Agent: reconciler/{version}\r\n".encode() in request for request in other.requests)


def test_no_more_requests_at_a_time_than_the_provider_may_have(peer: Callable[..., Peer]) -> None:
    lock, busy, seen = threading.Lock(), [0], set()

    def count(more: int) -> None:
        with lock:
            busy[0] += more
            seen.add(busy[0])

    def slowly(connection: socket.socket, _request: bytes) -> None:
        count(1)
        time.sleep(0.03)
        count(-1)  # before the answer: whoever has it may send the next request at once
        connection.sendall(OK)

    other = peer(slowly)
    client = client_of(other.url, concurrency=3)

    with ThreadPoolExecutor(max_workers=16) as pool:
        list(pool.map(lambda number: client.get(f"/things/{number}"), range(16)))
        list(pool.map(lambda number: client.write("POST", f"/things/{number}", body={}), range(16)))

    assert len(other.requests) == 32
    assert max(seen) == 3


# -- pauses -----------------------------------------------------------------------------------------------------------


def in_seven_seconds(zone: str) -> str:
    return email.utils.formatdate(NOW_S + 7).replace("-0000", zone)


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own time is not universal time."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
@pytest.mark.parametrize("header", ["7", in_seven_seconds("GMT"), in_seven_seconds("-0000")])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_429_is_waited_out_as_long_as_the_server_asks(emulator: Server, method: str, header: str) -> None:
    clock = TestClock()
    client = client_of(f"{emulator.url}/theta/api", clock=clock)
    emulator.emulator.faults.replace([{"status": 429, "headers": {"Retry-After": header}, "count": 2}])

    if method == "GET":
        assert client.get(MACHINES).status == 200
    else:
        with pytest.raises(ProviderError) as caught:
            client.write("POST", "/nowhere", body={})
        assert caught.value.status == 404  # it went through in the end

    assert len(emulator.emulator.requests) == 3
    assert clock.waits[0] == pytest.approx(7, abs=1)
    assert len(clock.waits) == (2 if header == "7" else 1)  # the date is over when it comes a second time


def test_a_429_without_a_time_is_waited_out_with_growing_pauses_and_not_for_ever(emulator: Server) -> None:
    clock = TestClock()
    emulator.emulator.faults.replace([{"status": 429, "count": None}])

    with pytest.raises(ProviderError) as caught:
        client_of(f"{emulator.url}/theta/api", clock=clock).write("POST", "/nowhere", body={})

    assert (caught.value.code, len(emulator.emulator.requests)) == ("rate-limited", 8)
    assert all(2**number <= wait <= 2**number * 1.5 for number, wait in enumerate(clock.waits[:5]))
    assert max(clock.waits) <= 45


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_longer_than_the_run_may_last_fails_at_once_and_says_so(emulator: Server, status: int) -> None:
    clock = TestClock()
    client = client_of(f"{emulator.url}/theta/api", clock=clock, context={"patience_s": lambda: 30.0})
    emulator.emulator.faults.replace([{"status": status, "headers": {"Retry-After": "31"}, "count": None}])

    with pytest.raises(ProviderError, match=f"HTTP {status}"):
        client.get(MACHINES)

    assert (clock.waits, len(emulator.emulator.requests)) == ([], 1)


def test_a_read_waits_as_long_as_a_503_asks(emulator: Server) -> None:
    clock = TestClock()
    emulator.emulator.faults.replace([{"status": 503, "headers": {"Retry-After": "20"}, "count": 2}])

    assert client_of(f"{emulator.url}/theta/api", clock=clock).get(MACHINES).status == 200

    assert clock.waits == [20.0, 20.0]


class GateClock(TestClock):
    """Waits end when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = threading.Semaphore(0)
        self.gate = threading.Event()

    def sleep(self, seconds: float) -> None:
        self.waiting.release()
        assert self.gate.wait(10)
        if not self.waits:
            super().sleep(seconds)


def test_a_pause_holds_for_all_workers_and_for_the_log_in_beside_them(emulator: Server) -> None:
    clock = GateClock()
    log_in = client_of(f"{emulator.url}/theta/api", clock=clock)
    client = client_of(f"{emulator.url}/theta/api", clock=clock, beside=log_in)
    emulator.emulator.faults.replace([{"status": 429, "headers": {"Retry-After": "7"}}])

    with ThreadPoolExecutor(max_workers=3) as pool:
        first = pool.submit(client.get, MACHINES)
        assert clock.waiting.acquire(timeout=10)
        others = [pool.submit(client.get, MACHINES), pool.submit(log_in.get, MACHINES)]
        for _ in others:
            assert clock.waiting.acquire(timeout=10)
        assert len(emulator.emulator.requests) == 1
        clock.gate.set()
        assert [future.result(10).status for future in (first, *others)] == [200] * 3

    assert len(emulator.emulator.requests) == 4


def test_one_read_serves_all_who_asked_before_it_began_and_none_who_asked_later() -> None:
    begun, may_end, count = threading.Semaphore(0), threading.Semaphore(0), iter(range(1, 100))

    def read() -> int:
        number = next(count)
        begun.release()
        may_end.acquire()
        return number

    shared = SharedRead(read)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(shared)
        begun.acquire()
        others = [pool.submit(shared) for _ in range(4)]  # the first one's read is under way already
        time.sleep(0.1)
        may_end.release()
        begun.acquire()
        may_end.release()
        assert first.result(5) == 1
        assert {other.result(5) for other in others} == {2}
        may_end.release()
        assert shared() == 3, "asked anew"


def test_certificates_are_loaded_once_for_all_clients_and_never_for_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    certificates, loads = httpx.create_ssl_context(), 0

    def load(**_options: Any) -> ssl.SSLContext:
        nonlocal loads
        loads += 1
        return certificates

    monkeypatch.setattr("httpx.create_ssl_context", load)
    http.certificates.cache_clear()
    client_of("http://127.0.0.1:1")
    assert loads == 0
    for url in ("https://api.example.com", "https://api.example.com", "https://b.example.com"):
        client_of(url, pinned_hosts=("api.example.com", "b.example.com"))
    assert loads == 1


def test_all_workers_and_the_log_in_beside_them_share_one_pace_that_loopback_has_no_need_of(
    emulator: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = TestClock()
    near = client_of(f"{emulator.url}/theta/api", clock=here, context={"requests_per_s": 2.0})
    assert [near.get(MACHINES).status for _ in range(5)] == [200] * 5
    assert here.waits == []

    def answered(*_request: Any) -> tuple[int, bytes, dict[str, str]]:
        return 200, b"{}", {}

    monkeypatch.setattr("reconciler.providers.http._exchange", answered)
    clock = TestClock()
    far: dict[str, Any] = {"clock": clock, "context": {"requests_per_s": 2.0}, "pinned_hosts": ("api.example.com",)}
    log_in = client_of("https://api.example.com", **far)
    client = client_of("https://api.example.com", beside=log_in, **far)
    with ThreadPoolExecutor(max_workers=4) as pool:
        calls = [pool.submit(client.get, "/a") for _ in range(4)]
        calls += [pool.submit(client.write, "POST", "/a", body={}), pool.submit(log_in.get, "/a")]
        assert [call.result(10).status for call in calls] == [200] * 6

    assert clock.waits == pytest.approx([0.5] * 5)


# -- what an answer is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_is_an_error_and_nobody_goes_there(peer: Callable[..., Peer], method: str, status: str) -> None:
    elsewhere = peer()
    other = peer(page(status, b"", f"Location: {elsewhere.url}/stolen"))
    client = client_of(other.url, auth=Key("the-key"))

    with pytest.raises(ProviderError, match="a redirect, which is not followed") as caught:
        client.get("/things") if method == "GET" else client.write("POST", "/things", body={"a": 1})

    assert (caught.value.code, len(other.requests), elsewhere.connections) == ("redirect", 1, 0)


HTML: Final = b"<html>\n<h1>Sign in</h1>\x1b[31m" + b"x" * 900 + b"</html>"
LIES: Final[Mapping[str, bytes]] = {
    "a proxy's page": page("200 OK", HTML, "Content-Type: text/html; charset=utf-8"),
    "a page that says it is JSON": page("200 OK", HTML, "Content-Type: application/json"),
    "half of a JSON text": page("200 OK", b'{"services": [', "Content-Type: application/json"),
    "nested without end": page("200 OK", b"[" * 200_000, "Content-Type: application/json"),
    "bytes that are no text": page("200 OK", bytes(range(128, 256)), "Content-Type: application/json"),
    "a number without end": page("200 OK", b"9" * 5000, "Content-Type: application/json"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_2xx_that_is_no_json_is_no_answer(peer: Callable[..., Peer], lie: str) -> None:
    other = peer(LIES[lie])
    client = client_of(other.url)

    with pytest.raises(ProviderError, match=r"GET /things: HTTP 200: a body of type \S+ instead of JSON") as caught:
        client.get("/things")
    assert (caught.value.code, len(other.requests)) == ("not-json", 1)
    with pytest.raises(UnknownOutcome, match="it may have been done"):
        client.write("POST", "/things", body={})

    assert len(other.requests) == 2
    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (page("502 Bad Gateway", HTML, "Content-Type: text/html", "Connection: close"), "provider-failed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "provider-unreachable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", "provider-unreachable"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "provider-unreachable"),
        (b"220 smtp.example.com ESMTP\r\n", "provider-unreachable"),
    ],
    ids=["a page with 502", "cut", "cut in a chunk", "not packed as it says", "no HTTP at all"],
)
def test_an_answer_that_breaks_off_is_read_again_and_a_write_is_not_sent_again(
    peer: Callable[..., Peer], answer: bytes, code: str
) -> None:
    def send(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(answer)
        connection.close()

    other = peer(send)
    client = client_of(other.url)

    with pytest.raises(ProviderError) as caught:
        client.get("/things")
    assert (caught.value.code, len(other.requests)) == (code, 4)
    with pytest.raises(UnknownOutcome):
        client.write("PUT", "/things/1", body={})

    assert len(other.requests) == 5
    assert len(str(caught.value)) < 250
    assert "\n" not in str(caught.value)


def test_an_empty_answer_is_none_and_an_error_without_a_body_says_so(peer: Callable[..., Peer]) -> None:
    assert client_of(peer(page("200 OK", b"")).url).get("/things").body is None
    assert client_of(peer(b"HTTP/1.1 204 No Content\r\n\r\n").url).write("DELETE", "/things/1").status == 204

    with pytest.raises(ProviderError, match="HTTP 400: no body"):
        client_of(peer(page("400 Bad Request", b"")).url).get("/things")


def test_a_401_leads_to_new_credentials_and_one_repeat(peer: Callable[..., Peer]) -> None:
    class Renewing(Key):
        renewed = 0

        def renew(self) -> bool:
            Renewing.renewed += 1
            return True

    other = peer(page("401 Unauthorized", b"{}"))

    with pytest.raises(ProviderError) as caught:
        client_of(other.url, auth=Renewing("k")).write("POST", "/things", body={})

    assert (caught.value.code, len(other.requests), Renewing.renewed) == ("credentials", 2, 1)


# -- where credentials go ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://api.example.com", ""),
        ("https://api.example.com:8443", "host-not-allowed"),
        ("https://api.example.com.evil.example", "host-not-allowed"),
        ("https://api.example.com@evil.example", "host-not-allowed"),
        ("https://api.example.com\\@evil.example", "host-not-allowed"),
        ("https://evil.example/api.example.com", "host-not-allowed"),
        ("https://evil.example#@api.example.com", "host-not-allowed"),
        ("https://API.example.com.", "host-not-allowed"),
        ("http://api.example.com", "https-only"),
        ("http://127.0.0.1.evil.example", "https-only"),
        ("http://127.0.0.1@evil.example", "https-only"),
        ("http://localhost.evil.example", "https-only"),
        ("ftp://api.example.com", "https-only"),
        ("https://named.example:8443", ""),
        ("https://named.example", "host-not-allowed"),
    ],
)
def test_only_hosts_that_somebody_outside_the_project_named_may_have_credentials(url: str, code: str) -> None:
    options: dict[str, Any] = {
        "pinned_hosts": ["api.example.com"],
        "context": {"allow_hosts": frozenset({"named.example:8443"})},
    }
    if not code:
        client_of(url, **options)
        return
    with pytest.raises(Refused, match=re.escape(f"[{code}]")):
        client_of(url, **options)


@pytest.mark.parametrize("path", ["@evil.example/x", ".evil.example/x", ":99/x"])
def test_no_path_can_lead_to_another_host(path: str) -> None:
    client = client_of("https://api.example.com", pinned_hosts=["api.example.com"])

    with pytest.raises((ValueError, httpx.InvalidURL)):
        client.get(path)


def test_loopback_never_goes_through_a_proxy(peer: Callable[..., Peer], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where another address of the same provider would."""
    proxy, other = peer(), peer()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    options: dict[str, Any] = {"pinned_hosts": ["api.example.com"]}

    client_of(other.url).get("/alone")
    client = client_of("https://api.example.com", other.url, **options)
    client.get("/beside", host="b")
    client.write("POST", "/beside", body={}, host="b")

    assert (len(other.requests), proxy.connections) == (3, 0)


@pytest.mark.parametrize("value", ["secret\nvalue", "secr\u00e9t", "secret\r\nHost: evil.example", "secret\x00"])
def test_a_key_that_no_header_takes_is_told_without_its_value(peer: Callable[..., Peer], value: str) -> None:
    other = peer()

    client = client_of(other.url, auth=Key(value))
    for method in ("GET", "POST"):
        with pytest.raises(ProviderError, match="nothing was sent") as caught:
            client.get("/things") if method == "GET" else client.write(method, "/things", body={})
        assert not isinstance(caught.value, UnknownOutcome)
        assert "secr" not in str(caught.value)
    assert other.requests == []


# -- what is shown ----------------------------------------------------------------------------------------------------


def test_whoever_looks_on_sees_method_path_status_and_time(emulator: Server) -> None:
    seen: list[tuple[str, str, int, float]] = []
    context = {"on_request": lambda *told: seen.append(told)}
    client = client_of(f"{emulator.url}/theta/api", context=context, auth=Key("the-key"))
    emulator.emulator.faults.replace([{"path": "^/nowhere$", "drop": True}])

    client.get(MACHINES, query={"token": "in-the-query"})
    with pytest.raises(UnknownOutcome):
        client.write("POST", "/nowhere", body={"password": "in-the-body"})

    assert [told[:3] for told in seen] == [("GET", MACHINES, 200), ("POST", "/nowhere", 0)]


@pytest.mark.parametrize(("ahead_s", "told"), [(0.5, [0.0]), (90.0, [90.0]), (-4000.0, [-4000.0]), (None, [])], ids=str)
def test_whoever_looks_on_learns_how_far_the_servers_clock_is_away(
    peer: Callable[..., Peer], ahead_s: float | None, told: list[float]
) -> None:
    date = () if ahead_s is None else (f"Date: {email.utils.formatdate(NOW_S + ahead_s, usegmt=True)}",)
    seen: list[float] = []
    client = client_of(
        peer(page("200 OK", b"{}", "Content-Type: application/json", *date)).url, context={"on_date": seen.append}
    )
    client.get("/")
    assert seen == told


def test_vv_shows_a_line_a_request_and_nothing_else_of_it(project: Any) -> None:
    project.write(
        "reconciler.yaml",
        """\
        apiVersion: reconciler/v1
        kind: Project
        metadata: {name: shop}
        spec:
          secrets: [KEY]
          providers:
            modelarts: {type: modelarts, endpoint: emulator, projectId: p-1, username: bot, domain: d,
              password: '{{ secret("KEY") }}'}
        """,
    )
    project.env["KEY"] = "a-password-of-ours"
    (project.root / "resources").mkdir()

    done = project.run("list", "-vv")

    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if " ms" in line]
    assert len(lines) >= 4
    line_of = re.compile(r"modelarts: (GET|POST) /[A-Za-z0-9/_.-]+ (\d{3}|no reply) \d+ ms")
    assert [line for line in lines if not line_of.fullmatch(line.strip())] == []
    assert "a-password-of-ours" not in json.dumps([done.stdout, done.stderr])
