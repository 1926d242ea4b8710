"""One HTTP layer for all providers: deadlines, retries of reads, single writes, credentials bound to hosts.

What a reply proves (DESIGN §6, SETTLEMENT §4):

* GET is repeated freely: backoff and jitter, and at least the pause that a 503 asks for.
* A server that takes only so many requests a second gets no more, over all workers of the provider instance: a row of
  its type (`ProviderType.requests_per_s`). On loopback there is nothing to spare, so that no emulator becomes slow.
* 429 means "not done" for all of them: it goes again after a pause that all workers of the provider share, at least as
  long as the server wishes. A longer wish than the run may wait for is an error at once.
* A write is sent once. Refused before a byte left, 401 (once, with a new token), 429 (after a shared pause): "not
  done", so it may go again. Another 4xx but 408: refused. Everything else (timeout, cut connection, 408, 5xx, an
  unreadable body) raises `UnknownOutcome`, and nobody sends it again before reading.
"""

from __future__ import annotations

import email.utils
import ipaddress
import json
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import cache
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import httpx
import tenacity

from reconciler.problems import Problem, ProviderError, Refused, UnknownOutcome
from reconciler.providers.base import Context
from reconciler.providers.pace import SharedPace, SharedPause

__all__ = ["Auth", "HttpClient", "HttpReply", "JsonBody", "NoAuth", "is_loopback"]

USER_AGENT: Final = "reconciler/0.1.0"
_READ_TRIES: Final = 4
_RATE_LIMIT_TRIES: Final = 8
_LONGEST_PAUSE_S: Final = 600.0
_LONGEST_OUTAGE_S: Final = 60.0
"""A 5xx that asks a read for a longer pause is told at once: nobody waits in front of a plan for that."""
_RETRIED_STATUSES: Final = frozenset({500, 502, 503, 504})
_BODY_LIMIT: Final = 64 * 1024 * 1024

JsonBody = Any
Query = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """A reply that was read whole. `body` is parsed JSON, `None` where there was none; `date_s` is not kept."""

    status: int
    body: JsonBody = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    query: Query
    content: bytes
    headers: Mapping[str, str]
    host: str
    write: bool = False


class Auth(Protocol):
    """How a request proves who we are. Called from several threads."""

    def headers(self, method: str, url: httpx.URL, body: bytes) -> Mapping[str, str]:
        """Headers to add; may log in first (through a client of its own)."""
        ...

    def renew(self) -> bool:
        """Forget what we had after a 401; False when there is nothing to renew (an API key)."""
        ...


class NoAuth:
    """For log-in routes and open catalogues."""

    def headers(self, method: str, url: httpx.URL, body: bytes) -> Mapping[str, str]:  # noqa: ARG002, D102 - the protocol's
        return {}

    def renew(self) -> bool:  # noqa: D102 - the protocol's
        return False


def is_loopback(url: str) -> bool:
    """Whether an address names this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_host(url: str, *, provider: str, pinned: Iterable[str], allowed: Iterable[str]) -> None:
    """Refuse to send credentials to a host that nobody outside the repository named. Source: DESIGN §12.

    Raises:
        Refused: `host-not-allowed` or `https-only`.
    """
    if is_loopback(url):
        return
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise Refused(
            [
                Problem(
                    code="https-only",
                    address=provider,
                    wrong=f"{url} is not HTTPS",
                    expected="https://, but for loopback",
                )
            ]
        )
    host = parts.netloc.rpartition("@")[2]
    if host not in {*pinned, *allowed}:
        raise Refused(
            [
                Problem(
                    code="host-not-allowed",
                    address=provider,
                    wrong=f"credentials would go to {host}, which nobody outside the repository allowed (nothing sent)",
                    expected=f"RECONCILER_ALLOW_HOSTS to name {host}",
                )
            ]
        )


class HttpClient:
    """HTTP to one provider instance; several base addresses, one set of credentials, one shared pause.

    Args:
        provider: Instance name, for messages.
        context: Clock, allowed hosts, hooks.
        base_urls: Host label → base address (`""` is the main one).
        auth: Adds credentials.
        explain: Reads an error body: parsed JSON (or text) → (provider's own code or "", sentence).
        timeout_s: Limit of one whole request, from its first byte to the last of its answer.
        pinned_hosts: Hosts of the vendor's own that are always allowed.
        concurrency: Requests at a time, whoever asks for them.
        beside: Another client of the same server (its log-in): pause and pace of that one hold for both.
    """

    def __init__(
        self,
        *,
        provider: str,
        context: Context,
        base_urls: Mapping[str, str],
        auth: Auth,
        explain: Callable[[Any], tuple[str, str]],
        timeout_s: float,
        pinned_hosts: Iterable[str] = (),
        concurrency: int = 4,
        beside: HttpClient | None = None,
    ) -> None:
        self._provider = provider
        self._context = context
        self._auth = auth
        self._explain = explain
        self._timeout_s = timeout_s
        self._bases = {label: url.rstrip("/") for label, url in base_urls.items()}
        self._servers = {label: _server(httpx.URL(url)) for label, url in self._bases.items()}
        for url in self._bases.values():
            check_host(url, provider=provider, pinned=pinned_hosts, allowed=context.allow_hosts)
        self.pause: SharedPause = beside.pause if beside is not None else SharedPause(context.clock)
        self._slots = threading.BoundedSemaphore(max(1, concurrency))
        direct = all(is_loopback(url) for url in self._bases.values())
        own_pace = SharedPace(context.clock, None if direct else context.requests_per_s)
        self.pace: SharedPace = beside.pace if beside is not None else own_pace
        # Loopback never goes through a proxy, also where another address of the provider does.
        past_proxy = {f"all://{httpx.URL(url).host}": None for url in self._bases.values() if is_loopback(url)}
        tls = any(url.startswith("https:") for url in self._bases.values())
        verify = certificates(trust_env=not direct) if tls else False
        self._reader = httpx.Client(
            trust_env=not direct,
            verify=verify,
            mounts=past_proxy,
            follow_redirects=False,
            headers={"User-Agent": USER_AGENT},
            limits=httpx.Limits(max_connections=max(1, concurrency)),
        )
        # A write on a kept connection can meet a server that has just closed it: then nobody knows whether it was read.
        self._writer = httpx.Client(
            trust_env=not direct,
            verify=verify,
            mounts=past_proxy,
            follow_redirects=False,
            headers={"User-Agent": USER_AGENT, "Connection": "close"},
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def close(self) -> None:
        """Give connections back."""
        self._reader.close()
        self._writer.close()

    def get(
        self, path: str, *, query: Query = (), host: str = "", headers: Mapping[str, str] | None = None
    ) -> HttpReply:
        """Read; repeated on 429, 5xx, timeouts and cut connections. A 2xx body that is no JSON is an error.

        Raises:
            ProviderError: `provider-unreachable`, `not-json`, `not-found` (404), `credentials` (401, 403),
                `rate-limited`, `provider-failed` (5xx), `rejected` (other 4xx).
        """
        retrying = tenacity.Retrying(
            sleep=self._context.clock.sleep,
            stop=tenacity.stop_after_attempt(_READ_TRIES),
            wait=_pause_before_reading_again,
            retry=tenacity.retry_if_exception(self._may_read_again),
            reraise=True,
        )
        return retrying(self._read_once, path, query, host, dict(headers or {}))

    def write(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: JsonBody = None,
        form: Mapping[str, str] | None = None,
        host: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> HttpReply:
        """Send one write. Only what is known not to have happened (429, one 401) is sent again.

        Raises:
            UnknownOutcome: it may have landed.
            ProviderError: it was refused, and nothing happened.
        """
        extra = dict(headers or {})
        content = _payload(body, form, extra)
        reply = self._admitted(_Request(method, path, query, content, extra, host, write=True))
        if reply.status == httpx.codes.REQUEST_TIMEOUT or reply.status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise UnknownOutcome(
                f"{self._what(method, path, reply)}; it may have been done", code="unknown-outcome", status=reply.status
            )
        return self._judge(method, path, reply, write=True)

    # -- one request ------------------------------------------------------------------------------------------------

    def _read_once(self, path: str, query: Query, host: str, headers: dict[str, str]) -> HttpReply:
        reply = self._admitted(_Request("GET", path, query, b"", headers, host))
        return self._judge("GET", path, reply, write=False)

    def _admitted(self, request: _Request) -> HttpReply:
        """Send, and after a 429 again when the server takes more; other workers wait as well.

        Raises:
            ProviderError: `rate-limited`, when the server wishes a longer wait than there is time for.
        """
        for attempt in range(_RATE_LIMIT_TRIES):
            if not self.pause.wait(self._context.patience_s):
                raise ProviderError(
                    f"{self._provider}: {request.method} {request.path}: the server asked for a pause that is longer "
                    "than this run may wait; nothing was sent",
                    code="rate-limited",
                )
            reply = self._authorised(request)
            if reply.status != httpx.codes.TOO_MANY_REQUESTS:
                break
            wish_s = _retry_after(reply.headers, self._context.clock.now(), attempt)
            limit_s = min(_LONGEST_PAUSE_S, self._context.patience_s())
            if wish_s > limit_s:
                raise ProviderError(
                    f"{self._what(request.method, request.path, reply)}; it asks for a pause of {wish_s:.0f} s, and "
                    f"this run may wait {max(0.0, limit_s):.0f} s; nothing was done",
                    code="rate-limited",
                    status=reply.status,
                )
            self.pause.set(wish_s)
        return reply

    def _authorised(self, request: _Request) -> HttpReply:
        """Send with credentials; after a 401, once more with new ones (a 401 means that nothing was done)."""
        reply = self._raw(request)
        if reply.status == httpx.codes.UNAUTHORIZED and self._auth.renew():
            reply = self._raw(request)
        return reply

    def _raw(self, request: _Request) -> HttpReply:
        url = httpx.URL(self._bases[request.host] + request.path)
        if _server(url) != self._servers[request.host]:
            raise ValueError(f"{request.path!r} is no path")  # it would change the host that the credentials go to
        self.pace.wait()  # before what has a date in it (a signature) and before the lease is asked
        pairs = request.query.items() if isinstance(request.query, Mapping) else request.query
        if pairs:
            url = url.copy_merge_params(tuple(pairs))
        headers = {**request.headers, **self._auth.headers(request.method, url, request.content)}
        what = f"{self._provider}: {request.method} {request.path}"
        started, status = self._context.clock.now(), 0
        try:
            if request.write:
                self._context.before_send()
            client = self._writer if request.write else self._reader
            with self._slots:
                status, raw, reply_headers = _exchange(client, request, url, headers, self._timeout_s)
        except (httpx.LocalProtocolError, UnicodeEncodeError):
            # Their texts hold the header's value.
            raise ProviderError(
                f"{what}: a credential holds a line break or a character that no header takes; nothing was sent",
                code="credentials",
            ) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            raise ProviderError(
                f"{what}: could not connect to {url.host} ({_plain(error)}); nothing was sent",
                code="provider-unreachable",
            ) from None
        except httpx.HTTPError as error:
            if request.write:
                raise UnknownOutcome(
                    f"{what}: {_plain(error)}; it may have been done", code="unknown-outcome"
                ) from None
            raise ProviderError(f"{what}: {_plain(error)}", code="provider-unreachable") from None
        finally:
            self._context.on_request(request.method, request.path, status, self._context.clock.now() - started)
        ahead_s = _ahead(reply_headers.get("date", ""), self._context.clock.now())
        if ahead_s is not None:
            self._context.on_date(ahead_s)
        return HttpReply(status=status, body=_parse(raw, reply_headers), headers=reply_headers)

    # -- what a reply means -----------------------------------------------------------------------------------------

    def _judge(self, method: str, path: str, reply: HttpReply, *, write: bool) -> HttpReply:
        if httpx.codes.is_success(reply.status):
            if isinstance(reply.body, _Unreadable):
                message = f"{self._what(method, path, reply)}: {reply.body}"
                if write:
                    raise UnknownOutcome(
                        f"{message}; it may have been done", code="unknown-outcome", status=reply.status
                    )
                raise ProviderError(message, code="not-json", status=reply.status)
            return reply
        error_code, _ = self._sentence(reply)
        error = _Answered(
            self._what(method, path, reply),
            code=_CODES.get(
                reply.status, "provider-failed" if reply.status >= httpx.codes.INTERNAL_SERVER_ERROR else "rejected"
            ),
            status=reply.status,
            error_code=error_code,
        )
        error.pause_s = _wish(reply.headers, self._context.clock.now())
        raise error

    def _may_read_again(self, error: BaseException) -> bool:
        if not isinstance(error, ProviderError) or error.code == "log-in-failed":
            return False
        if isinstance(error, _Answered) and (error.pause_s or 0.0) > min(_LONGEST_OUTAGE_S, self._context.patience_s()):
            return False
        return error.code == "provider-unreachable" or error.status in _RETRIED_STATUSES

    def _sentence(self, reply: HttpReply) -> tuple[str, str]:
        if httpx.codes.is_redirect(reply.status):
            return "", "a redirect, which is not followed"
        if isinstance(reply.body, _Unreadable):
            return "", str(reply.body)
        if reply.body is None:
            return "", "no body"
        return self._explain(reply.body)

    def _what(self, method: str, path: str, reply: HttpReply) -> str:
        error_code, sentence = self._sentence(reply) if not httpx.codes.is_success(reply.status) else ("", "")
        detail = " ".join(part for part in (error_code, one_line(sentence)) if part)
        return f"{self._provider}: {method} {path}: HTTP {reply.status}" + (f": {detail}" if detail else "")


_CODES: Final = {
    **dict.fromkeys(range(300, 400), "redirect"),
    401: "credentials",
    403: "credentials",
    404: "not-found",
    409: "conflict",
    429: "rate-limited",
}


class _Answered(ProviderError):
    """An answer that is an error. Made as every `ProviderError`: providers make another one of it, in other words."""

    pause_s: float | None = None
    """The wait that the answer asks for, if it does."""


class _Unreadable:
    """A body that is no JSON: its media type and one short line."""

    def __init__(self, media_type: str, text: str) -> None:
        self._text = f"a body of type {media_type or 'unknown'} instead of JSON: {one_line(text, 120)}"

    def __str__(self) -> str:
        return self._text


def _ahead(date: str, now_s: float) -> float | None:
    """Seconds that a `Date` header is ahead of a clock; it counts whole seconds, so that nothing below two tells."""
    try:
        ahead_s = email.utils.parsedate_to_datetime(date).timestamp() - now_s
    except (ValueError, TypeError):
        return None
    return ahead_s if abs(ahead_s) >= _DATE_GRAIN_S else 0.0


_DATE_GRAIN_S: Final = 2.0


def one_line(text: object, limit: int = 300) -> str:
    """Text from outside as at most one short line without control characters."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _server(url: httpx.URL) -> tuple[str, bytes]:
    return url.scheme, url.netloc


@cache
def certificates(*, trust_env: bool) -> ssl.SSLContext:
    """Loaded once for all clients, in 20 ms (one of each type has five), and never for plain HTTP."""
    return httpx.create_ssl_context(trust_env=trust_env)


def _exchange(
    client: httpx.Client, request: _Request, url: httpx.URL, headers: dict[str, str], timeout_s: float
) -> tuple[int, bytes, dict[str, str]]:
    """One request under one deadline: httpx limits each read and write, this limits the whole."""
    deadline = time.monotonic() + timeout_s

    def shorten(event: str, info: Mapping[str, Any]) -> None:
        """Before each phase: it may take what is left, not all of it anew."""
        if event.endswith(".started") and "request" in info:
            left = max(deadline - time.monotonic(), 0.001)
            info["request"].extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), left)

    with client.stream(
        request.method,
        url,
        content=request.content or None,
        headers=headers,
        timeout=timeout_s,
        extensions={"trace": shorten},
    ) as response:
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout(f"not done within {timeout_s:g} s")
            if size > _BODY_LIMIT:
                raise httpx.ReadError(f"a body of more than {_BODY_LIMIT} bytes")
        return response.status_code, b"".join(chunks), {key.lower(): value for key, value in response.headers.items()}


def _payload(body: JsonBody, form: Mapping[str, str] | None, headers: dict[str, str]) -> bytes:
    if form is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return str(httpx.QueryParams(dict(form))).encode()
    if body is None:
        return b""
    headers.setdefault("Content-Type", "application/json")
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _parse(raw: bytes, headers: Mapping[str, str]) -> JsonBody:
    if not raw.strip():
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):  # no JSON, or nested without end
        return _Unreadable(headers.get("content-type", "").partition(";")[0], raw[:500].decode("utf-8", "replace"))


def _pause_before_reading_again(state: tenacity.RetryCallState) -> float:
    """Growing pauses with jitter, and never less than the server asks for."""
    growing = tenacity.wait_random_exponential(multiplier=0.2, max=5)(state)
    error = state.outcome.exception() if state.outcome is not None else None
    return max(growing, (error.pause_s or 0.0) if isinstance(error, _Answered) else 0.0)


def _retry_after(headers: Mapping[str, str], now_s: float, attempt: int) -> float:
    """Seconds to pause: the server's wish, else growing ones with jitter."""
    wish_s = _wish(headers, now_s)
    if wish_s is not None:
        return wish_s
    return min(2.0**attempt, 30.0) * random.uniform(1.0, 1.5)  # noqa: S311 - spreads workers, hides nothing


def _wish(headers: Mapping[str, str], now_s: float) -> float | None:
    """`Retry-After` in seconds from now, be it seconds or a date; `None` without one that can be read."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        date = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    # A date of no zone (-0000) is in universal time, not in this machine's.
    return max((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now_s, 0.0)


def _plain(error: Exception) -> str:
    """What happened, without the address (it may hold a query) and without a class name where there is a text."""
    return one_line(error) or type(error).__name__
